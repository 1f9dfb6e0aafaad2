/* SPDX-License-Identifier: MIT */
/* traced.h - a test that is its own program: it records itself by a name with the built gmpscope, and looks at the trace. */
#pragma once
#include "run-cli.h"
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char self[4096];

/* Records the program of that name with that many Ps; returns what the recorder said. */
static inline struct run record_code(const char *name, const char *procs, int code)
{
  setenv("RT_MAXPROCS", procs, 1);
  char *argv[] = {
    (char *)run_built("recorder/gmpscope"), "record", "-o", "t.db", "--", self, (char *)name, NULL
  };
  struct run run = run_argv(argv, NULL, run_as_nobody());
  if (run.code != code)
    fail_msg("%s with %s Ps ended with %d: %s", name, procs, run.code, run.err);
  return run;
}

static inline struct run record(const char *name, const char *procs)
{
  return record_code(name, procs, 0);
}

static inline void assert_keeps_every_rule(const char *name)
{
  struct run check = run_cli("check", "t.db", NULL);
  if (check.code != 0)
    fail_msg("%s: %s%s", name, check.out, check.err);
  run_free(&check);
}

static inline void record_and_check(const char *name, const char *procs)
{
  struct run run = record(name, procs);
  run_free(&run);
  assert_keeps_every_rule(name);
}

static inline int count_lines_with(const char *text, const char *part)
{
  int n = 0;
  for (const char *at = text; (at = strstr(at, part)); at += strlen(part))
    n++;
  return n;
}

static inline int set_up(void **state)
{
  (void)state;
  run_enter_new_directory();
  return chmod(".", 0777);
}

static inline int tear_down(void **state)
{
  (void)state;
  run_leave();
  return 0;
}

/* In a directory of its own. The test has no arguments; with some it is the program. */
#define RUN_TRACED(name, tests)                                                                    \
  (readlink("/proc/self/exe", self, sizeof self - 1) < 0                                           \
       ? 99                                                                                        \
       : cmocka_run_group_tests_name(name, tests, set_up, tear_down))
