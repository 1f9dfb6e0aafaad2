/* SPDX-License-Identifier: MIT */
/* run-cli.c - see run-cli.h. */
#include "run-cli.h"
#include "test.h"

#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define NOBODY   65534
#define ARGS_MAX 32

static char directory[] = "/tmp/gmpscope-test-XXXXXX\0";
static char home[4096];

const char *run_built(const char *name)
{
  static char paths[8][4096];
  static unsigned next;
  char *path = paths[next++ % 8];
  const char *build = getenv("GMPSCOPE_BUILD");
  assert_non_null(build);
  snprintf(path, sizeof paths[0], "%s/%s", build, name);
  return path;
}

static char *read_all(int fd, size_t *n)
{
  struct stat info;
  assert_int_equal(fstat(fd, &info), 0);
  *n = (size_t)info.st_size;
  char *bytes = malloc(*n + 1);
  assert_non_null(bytes);
  assert_int_equal(pread(fd, bytes, *n, 0), (ssize_t)*n);
  bytes[*n] = '\0';
  close(fd);
  return bytes;
}

static _Noreturn void become(char *const argv[], int in, int out, int err, bool as_nobody)
{
  dup2(in, STDIN_FILENO);
  dup2(out, STDOUT_FILENO);
  dup2(err, STDERR_FILENO);
  if (as_nobody && (setgid(NOBODY) != 0 || setuid(NOBODY) != 0))
    _exit(126);
  execv(argv[0], argv);
  _exit(127);
}

/* Every folder of the build tree may be entered by everybody. */
static bool is_reachable(void)
{
  char path[PATH_MAX];
  struct stat info;
  snprintf(path, sizeof path, "%s", run_built("recorder/gmpscope"));
  for (char *slash = strrchr(path, '/'); slash && slash != path; slash = strrchr(path, '/')) {
    *slash = '\0';
    if (stat(path, &info) != 0 || !(info.st_mode & S_IXOTH))
      return false;
  }
  return true;
}

bool run_as_nobody(void)
{
  return geteuid() == 0 && is_reachable();
}

bool run_cannot_limit(void)
{
  if (geteuid() != 0 || is_reachable())
    return false;
  print_message("# not tried: this is root, and nobody cannot enter the build tree\n");
  return true;
}

struct run run_argv(char *const argv[], const char *input, bool as_nobody)
{
  struct run run = { 0 };
  int in = memfd_create("in", MFD_CLOEXEC), out = memfd_create("out", MFD_CLOEXEC),
      err = memfd_create("err", MFD_CLOEXEC), status;
  assert_true(in >= 0 && out >= 0 && err >= 0);
  if (input) {
    assert_int_equal(write(in, input, strlen(input)), (ssize_t)strlen(input));
    lseek(in, 0, SEEK_SET);
  }
  pid_t pid = fork();
  assert_true(pid >= 0);
  if (pid == 0)
    become(argv, in, out, err, as_nobody);
  assert_int_equal(waitpid(pid, &status, 0), pid);
  run.code = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
  run.out = read_all(out, &run.n_out);
  run.err = read_all(err, &run.n_err);
  close(in);
  return run;
}

static struct run run_list(const char *input, const char *first, va_list rest)
{
  char *argv[ARGS_MAX] = { (char *)run_built("recorder/gmpscope"), (char *)first };
  int n = 2;
  while (n < ARGS_MAX - 1 && (argv[n] = va_arg(rest, char *)))
    n++;
  argv[n] = NULL;
  return run_argv(argv, input, false);
}

struct run run_cli(const char *first, ...)
{
  va_list rest;
  va_start(rest, first);
  struct run run = run_list(NULL, first, rest);
  va_end(rest);
  return run;
}

struct run run_cli_input(const char *input, const char *first, ...)
{
  va_list rest;
  va_start(rest, first);
  struct run run = run_list(input, first, rest);
  va_end(rest);
  return run;
}

void run_free(struct run *run)
{
  free(run->out);
  free(run->err);
  *run = (struct run){ 0 };
}

void run_enter_new_directory(void)
{
  assert_non_null(getcwd(home, sizeof home));
  strcpy(directory + strlen("/tmp/gmpscope-test-"), "XXXXXX");
  assert_non_null(mkdtemp(directory));
  assert_int_equal(chmod(directory, 0755), 0);
  assert_int_equal(chdir(directory), 0);
}

static int remove_one(const char *path, const struct stat *info, int kind, struct FTW *walk)
{
  (void)info;
  (void)kind;
  (void)walk;
  return remove(path);
}

void run_leave(void)
{
  assert_int_equal(chdir(home), 0);
  nftw(directory, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

int run_set_up(void **state)
{
  (void)state;
  run_enter_new_directory();
  return 0;
}

int run_tear_down(void **state)
{
  (void)state;
  run_leave();
  return 0;
}

void run_write(const char *name, const char *bytes, size_t n)
{
  FILE *to = fopen(name, "we");
  assert_non_null(to);
  assert_int_equal(fwrite(bytes, 1, n, to), n);
  assert_int_equal(fclose(to), 0);
}

void run_expect_refusal(const struct run *run, int code, const char *says)
{
  const char *newline = strchr(run->err, '\n');
  bool is_one_line = newline && newline[1] == '\0';
  if (run->code != code || !is_one_line || strncmp(run->err, "gmpscope: ", 10) != 0 ||
      !strstr(run->err, says))
    fail_msg("wanted exit code %d and one line with \"%s\"; got %d and \"%s\"", code, says,
             run->code, run->err);
}

void run_expect_silence(struct run run)
{
  if (run.code != 0 || run.n_out || run.n_err)
    fail_msg("%d: %s%s", run.code, run.out, run.err);
  run_free(&run);
}
