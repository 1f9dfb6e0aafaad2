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
#include <sys/stat.h>
#include <unistd.h>

#define LIBRARY "gmpscope-sim/libgmpscope-rt.so.0" /* beside the shipped one */

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
  setenv("LD_PRELOAD", path, 1);
  execv("/proc/self/exe", argv);
  int error = errno;
  unsetenv("LD_PRELOAD");
  free_arguments(argv);
  refuse("the program cannot be started anew: ", strerror(error));
  return -error;
}
