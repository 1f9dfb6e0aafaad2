/* SPDX-License-Identifier: MIT */
/* sim-exec.c - how a program comes under the simulation: it starts anew, with the simulation's library.
 *
 * RT_DEBUG=sim=SEED, gmpscope record --sim SEED, or rt_options.sim_seed: the shipped library finds the seed when the run
 * begins, and executes the program again with the simulation's library loaded first. That has the same name (soname)
 * and the same functions, so the loader takes it for the one that the program was linked with. What the
 * program did before rt_main or rt_run it does twice, unless it was only printed: it is not flushed here.
 * So it is refused where that would be wrong: when a run was there before, which would be simulated now, and when there
 * are other threads, which would end in the middle of something.
 *
 * Where things lie is a program's own source of order (a hash table keyed by pointers), so it lies the same in every such
 * process: without the kernel's address space randomisation, if it lets us, and with arguments and environment that fill
 * whole units, since the first stack begins below them. The new process undoes at once what its children
 * should not have (sim-start.c).
 *
 * Not done: both in one library, and a branch. The simulation needs a hook at every atomic operation.
 */
#include "options.h"
#include "runtime.h"
#include "sim.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/personality.h>
#include <sys/stat.h>
#include <unistd.h>

#define LIBRARY "gmpscope-sim/libgmpscope-rt.so.0" /* beside the shipped one */
#define UNIT    (64u << 10)                        /* what a stack's top is filled up to */

static int refuse(const char *what, const char *why)
{
  fprintf(stderr, "runtime: no simulation: %s%s\n", what, why);
  return -EINVAL;
}

/* The simulation's library, by where this one is. */
static bool find_library(char *path, size_t n)
{
  Dl_info here;
  if (!dladdr((void *)(uintptr_t)sim_begin, &here) || !here.dli_fname)
    return false;
  const char *slash = strrchr(here.dli_fname, '/');
  int folder = slash ? (int)(slash - here.dli_fname) : 1;
  int length = snprintf(path, n, "%.*s/" LIBRARY, folder, slash ? here.dli_fname : ".");
  return length > 0 && (size_t)length < n && access(path, R_OK) == 0;
}

/* The arguments as the kernel keeps them; NULL: no memory, or /proc is not there. Free with free_arguments. */
static char **read_arguments(void)
{
  size_t n = 0, room = 0;
  char *text = NULL;
  FILE *file = fopen("/proc/self/cmdline", "re");
  if (!file)
    return NULL;
  char **argv = NULL;
  for (; getdelim(&text, &room, '\0', file) >= 0; text = NULL, room = 0) {
    char **longer = realloc(argv, (n + 2) * sizeof *argv);
    if (!longer)
      break;
    argv = longer;
    argv[n++] = text;
    argv[n] = NULL;
  }
  free(text);
  fclose(file);
  return argv;
}

static void free_arguments(char **argv)
{
  for (char **argument = argv; *argument; argument++)
    free(*argument);
  free(argv);
}

static bool has_other_threads(void)
{
  struct stat tasks;
  return stat("/proc/self/task", &tasks) == 0 && tasks.st_nlink > 3; /* ".", "..", and this one */
}

/* ---- the same addresses in every process ---- */

/* From the next exec on. The personality before, for who is to have it back. */
static unsigned fix_addresses(void)
{
  int before = personality(SIM_ASK_PERSONA);
  if (before < 0 || personality((unsigned)before | ADDR_NO_RANDOMIZE) < 0)
    fprintf(stderr,
            "runtime: simulation: the kernel insists on random addresses (%s), so what the program "
            "makes depend on where something lies is not the same in every run\n",
            strerror(errno));
  return before < 0 ? 0 : (unsigned)before;
}

static size_t count(char **words)
{
  size_t n = 0;
  while (words[n])
    n++;
  return n;
}

/* Bytes at the top of the stack: text, and a pointer to each. */
static size_t weight(char **words)
{
  size_t n = 0;
  for (; *words; words++)
    n += strlen(*words) + 1 + sizeof *words;
  return n;
}

/* The environment of the new process; NULL: no memory. The number of strings is even, since the kernel aligns what
 * comes after them. */
static char **make_environment(char **argv, const char *library, unsigned persona)
{
  size_t n = count(environ);
  char **envp = calloc(n + 4, sizeof *envp), *padding = malloc(UNIT + 64);
  if (!envp || !padding || asprintf(&envp[n], "LD_PRELOAD=%s", library) < 0) {
    free(padding);
    free(envp);
    return NULL;
  }
  memcpy(envp, environ, n * sizeof *envp);
  envp[n + 1] = padding;
  if ((n + count(argv)) % 2 != 0)
    envp[n + 2] = SIM_ENV_EVEN "=";
  int used = snprintf(padding, UNIT + 64, SIM_ENV_START "=%08x ", persona);
  size_t more = UNIT - (weight(argv) + weight(envp)) % UNIT;
  memset(padding + used, '.', more);
  padding[(size_t)used + more] = '\0';
  return envp;
}

/* Returns only if it failed. */
static int start_anew(const char *library, char **argv)
{
  unsigned persona = fix_addresses();
  size_t n = count(environ);
  int error = ENOMEM;
  char **envp = make_environment(argv, library, persona);
  if (!envp)
    goto undo_persona;
  execve("/proc/self/exe", argv, envp);
  error = errno;
  free(envp[n]);
  free(envp[n + 1]);
  free(envp);
undo_persona:
  personality(persona);
  return error;
}

int sim_begin(uint64_t seed)
{
  char path[4096];
  if (seed == 0)
    return 0;
  if (atomic_load(&sched.run) != 0)
    return refuse("the program has run without it before",
                  "; it can begin with the first run only");
  if (seed != options.sim_seed &&
      has_other_threads()) /* who says it in the environment knows that all begins anew */
    return refuse("the program has other threads", ", which would be ended");
  if (getauxval(AT_SECURE))
    return refuse("the program has more rights than its user",
                  ", so the loader takes no other library for it");
  if (!find_library(path, sizeof path))
    return refuse("its library, " LIBRARY, ", is not beside the runtime's; install it, or link the "
                                           "program with the shared runtime");
  if (getenv("LD_PRELOAD"))
    return refuse("LD_PRELOAD is in use", "; unset it");
  char **argv = read_arguments();
  if (!argv)
    return refuse("the program's arguments cannot be read", " from /proc/self/cmdline");
  int error = start_anew(path, argv);
  free_arguments(argv);
  refuse("the program cannot be started anew: ", strerror(error));
  return -error;
}
