/* SPDX-License-Identifier: MIT */
/* spawn.c - starts the program that is recorded, and keeps the terminal's signals for it.
 *
 * The trace memory is passed as an open descriptor and its number in the environment, so there is no name that
 * anybody else could open. That exec failed is told through a pipe that closes when it succeeds.
 */
#include "spawn.h"

#include "trace-ring.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static const int ignored[] = { SIGINT, SIGQUIT };
static const int ending[] = { SIGTERM, SIGHUP };
static struct sigaction before_ignored[2], before_ending[2];
static volatile sig_atomic_t told_to_end;

/* ---- signals ---- */

static void note_end(int signal)
{
  (void)signal;
  told_to_end = 1;
}

static void do_nothing(int signal)
{
  (void)signal;
}

void spawn_quiet_signals(void)
{
  told_to_end = 0;
  for (int i = 0; i < 2; i++) {
    /* a handler, not SIG_IGN: exec gives the program the default back */
    struct sigaction quiet = { .sa_handler = do_nothing, .sa_flags = SA_RESTART };
    struct sigaction end = { .sa_handler = note_end };
    sigaction(ignored[i], &quiet, &before_ignored[i]);
    sigaction(ending[i], &end, &before_ending[i]);
  }
}

void spawn_restore_signals(void)
{
  for (int i = 0; i < 2; i++) {
    sigaction(ignored[i], &before_ignored[i], NULL);
    sigaction(ending[i], &before_ending[i], NULL);
  }
}

bool spawn_told_to_end(void)
{
  return told_to_end;
}

/* ---- finding ---- */

static bool can_run(const char *path)
{
  struct stat st;
  return stat(path, &st) == 0 && S_ISREG(st.st_mode) && access(path, X_OK) == 0;
}

static char *fail_find(const char *name, const char *path, struct tracefile_error *error)
{
  struct stat st;
  if (stat(path, &st) < 0)
    tracefile_fail(error, TRACEFILE_WRONG, name, "check the name", "there is no such program");
  else if (S_ISDIR(st.st_mode))
    tracefile_fail(error, TRACEFILE_WRONG, name, "give a program", "it is a directory");
  else
    tracefile_fail(error, TRACEFILE_REFUSED, name, "make it executable (chmod +x)",
                   "it may not be executed");
  return NULL;
}

static char *find_in_path(const char *name)
{
  const char *path = getenv("PATH");
  for (const char *at = path ? path : "/usr/bin:/bin"; at; at = strchr(at, ':')) {
    at += *at == ':';
    int length = (int)strcspn(at, ":");
    char *candidate = NULL;
    if (asprintf(&candidate, "%.*s/%s", length ? length : 1, length ? at : ".", name) < 0)
      return NULL;
    if (can_run(candidate))
      return candidate;
    free(candidate);
  }
  return NULL;
}

char *spawn_find(const char *name, struct tracefile_error *error)
{
  if (strchr(name, '/'))
    return can_run(name) ? strdup(name) : fail_find(name, name, error);
  char *found = name[0] ? find_in_path(name) : NULL;
  if (!found)
    tracefile_fail(error, TRACEFILE_WRONG, name, "check the name, or write ./ before it",
                   "there is no such program on PATH");
  return found;
}

/* ---- starting ---- */

static _Noreturn void become(const char *path, char *const *argv, int memfd, int report)
{
  char number[16];
  spawn_restore_signals();
  snprintf(number, sizeof number, "%d", memfd);
  if (fcntl(memfd, F_SETFD, 0) == 0 && setenv(TRACE_ENV_FD, number, 1) == 0)
    execv(path, argv);
  int why = errno;
  ssize_t told = write(report, &why, sizeof why);
  _exit(told == sizeof why ? 127 : 126);
}

static bool exec_failed(int report, const char *path, struct tracefile_error *error)
{
  int why = 0;
  ssize_t n;
  do
    n = read(report, &why, sizeof why);
  while (n < 0 && errno == EINTR);
  if (n != sizeof why)
    return false;
  if (why == ENOEXEC)
    tracefile_fail(error, TRACEFILE_WRONG, path, "give a program",
                   "it is no program (no known format)");
  else
    tracefile_fail(error, TRACEFILE_REFUSED, path, "", "it could not be started (%s)",
                   strerrordesc_np(why));
  return true;
}

pid_t spawn_program(const char *path, char *const *argv, int memfd, struct tracefile_error *error)
{
  int report[2];
  pid_t pid = -1;
  if (pipe2(report, O_CLOEXEC) == 0) {
    pid = fork();
    if (pid == 0)
      become(path, argv, memfd, report[1]);
    close(report[1]);
    bool failed = pid > 0 && exec_failed(report[0], path, error);
    close(report[0]);
    if (failed) {
      waitpid(pid, NULL, 0);
      return -1;
    }
  }
  if (pid < 0)
    tracefile_fail(error, TRACEFILE_REFUSED, path, "try again later",
                   "it could not be started (%s)", strerrordesc_np(errno));
  return pid;
}
