/* SPDX-License-Identifier: MIT */
/* program.h - runs a whole program on the runtime in a child process, and looks at what it left behind.
 *
 * A child, because a panic or a deadlock ends the process, and that end is what many tests are about.
 */
#pragma once
#include "test.h"

#include "rt.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

struct outcome {
  int code;                    /* exit code, or 128 + signal */
  char out[16384], err[16384]; /* what it wrote, cut */
};

static inline void read_back(FILE *from, char *text, size_t n)
{
  rewind(from);
  size_t got = fread(text, 1, n - 1, from);
  text[got] = '\0';
  fclose(from);
}

/* Runs main, which gives the exit code, in a child with so many Ps. */
static inline struct outcome run_child(int (*child_main)(void *), void *arg, int maxprocs)
{
  struct outcome o = { 0 };
  FILE *out = tmpfile(), *err = tmpfile();
  assert_non_null(out);
  assert_non_null(err);
  fflush(NULL);
  pid_t child = fork();
  assert_true(child >= 0);
  if (child == 0) {
    char text[16];
    snprintf(text, sizeof text, "%d", maxprocs);
    setenv("RT_MAXPROCS", text, 1);
    dup2(fileno(out), 1);
    dup2(fileno(err), 2);
    exit(child_main(arg));
  }
  int status;
  assert_int_equal(waitpid(child, &status, 0), child);
  o.code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  read_back(out, o.out, sizeof o.out);
  read_back(err, o.err, sizeof o.err);
  return o;
}

struct main_function {
  int (*fn)(int, char **);
};

static inline int under_rt_main(void *main_function)
{
  char *argv[] = { (char[]){ "program" }, NULL };
  return rt_main(1, argv, ((struct main_function *)main_function)->fn);
}

/* Runs fn as the main G of a program with so many Ps. */
static inline struct outcome run_program(int (*fn)(int, char **), int maxprocs)
{
  return run_child(under_rt_main, &(struct main_function){ fn }, maxprocs);
}

/* It ended well and wrote just this. */
static inline void assert_went_well(const struct outcome *o, const char *text)
{
  assert_string_equal(o->err, "");
  assert_string_equal(o->out, text);
  assert_int_equal(o->code, 0);
}
static inline void assert_prints(int (*fn)(int, char **), int maxprocs, const char *text)
{
  struct outcome o = run_program(fn, maxprocs);
  assert_went_well(&o, text);
}
/* The same of a child that runs the runtime itself. */
static inline void assert_child_prints(int (*fn)(void *), void *arg, int maxprocs, const char *text)
{
  struct outcome o = run_child(fn, arg, maxprocs);
  assert_went_well(&o, text);
}

static inline void assert_starts_with(const char *text, const char *start)
{
  if (strncmp(text, start, strlen(start)) != 0)
    assert_string_equal(text, start); /* which shows both */
}

/* It died as Go programs do: code 2, and stderr begins with these lines; what it wrote before is out. */
static inline void assert_dies(int (*fn)(int, char **), const char *out, const char *first_lines)
{
  struct outcome o = run_program(fn, 2);
  assert_string_equal(o.out, out);
  assert_starts_with(o.err, first_lines);
  assert_int_equal(o.code, 2);
}

#define FOR_PROCS(n) for (int n = 1; n <= 8; n *= 2)
/* The main function of a program under test. */
#define PROGRAM(name)                                                                              \
  static int name(int argc __attribute__((unused)), char **argv __attribute__((unused)))
