/* SPDX-License-Identifier: MIT */
/* test-demos-check.c - every demonstration, recorded with 1, 2, 4 and 8 Ps, keeps every rule and loses no count.
 *
 * For each recording: gmpscope check passes (which includes emitted = stored + lost for every ring), nothing was lost
 * silently, and dump, load, dump gives the same bytes.  GMPSCOPE_REPEAT=50 repeats all of it; the default is once.
 * A recording that fails is kept, and its path told.
 */
#include "run-cli.h"
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DEMOS_MAX 64

static char names[DEMOS_MAX][64];
static int n_names;

static void read_names(void)
{
  char line[512];
  FILE *from = fopen(run_built("runtime/demos/demos.list"), "re");
  assert_non_null(from);
  while (n_names < DEMOS_MAX && fgets(line, sizeof line, from)) {
    char *tab = strchr(line, '\t');
    assert_non_null(tab);
    snprintf(names[n_names++], sizeof names[0], "%.*s", (int)(tab - line), line);
  }
  fclose(from);
}

static int repetitions(void)
{
  const char *text = getenv("GMPSCOPE_REPEAT");
  int n = text ? atoi(text) : 1;
  return n > 0 ? n : 1;
}

static int n_wrong;

/* A recording that shows something wrong stays for whoever looks into it; the others go on. */
static void keep(const char *demo, int procs, const struct run *run, const char *what)
{
  char kept[200];
  snprintf(kept, sizeof kept, "/tmp/gmpscope-failed-%s-%d-%d-%d.db", demo, procs, (int)getpid(),
           n_wrong);
  bool is_kept = rename("demo.db", kept) == 0;
  print_message("%s with %d Ps: %s (%d); kept as %s\n%s%s", demo, procs, what, run->code,
                is_kept ? kept : "nothing", run->out, run->err);
  n_wrong++;
}

static bool is_fine(const char *demo, int procs, struct run run, const char *what)
{
  bool fine = run.code == 0;
  if (!fine)
    keep(demo, procs, &run, what);
  run_free(&run);
  return fine;
}

static bool dumps_the_same(const char *demo, int procs)
{
  struct run first = run_cli("dump", "demo.db", NULL);
  struct run load =
      run_cli_input(first.out, "load", "-", "-o", "copy.db", "-q", "--tables=none", NULL);
  struct run second = run_cli("dump", "copy.db", NULL);
  bool is_same = first.code == 0 && second.code == 0 && first.n_out == second.n_out &&
                 memcmp(first.out, second.out, first.n_out) == 0;
  bool fine = is_fine(demo, procs, load, "load");
  if (fine && !is_same)
    print_message("%s with %d Ps: dump, load, dump is not the same\n", demo, procs);
  n_wrong += fine && !is_same;
  run_free(&first);
  run_free(&second);
  return fine && is_same;
}

static void record_and_check(const char *demo, int procs)
{
  char number[16];
  snprintf(number, sizeof number, "%d", procs);
  setenv("RT_MAXPROCS", number, 1);
  unlink("demo.db");
  struct run run = run_cli("demo", demo, "-o", "demo.db", NULL);
  bool is_told = run.code == 0 && strstr(run.out, "In sum");
  if (!is_told)
    keep(demo, procs, &run, "demo");
  run_free(&run);
  if (is_told && is_fine(demo, procs, run_cli("check", "demo.db", NULL), "check"))
    dumps_the_same(demo, procs);
}

static void every_demo_keeps_every_rule_on_1_2_4_and_8_ps(void **state)
{
  (void)state;
  int n = repetitions();
  for (int i = 0; i < n; i++) {
    for (int d = 0; d < n_names; d++) {
      for (int procs = 1; procs <= 8; procs *= 2)
        record_and_check(names[d], procs);
    }
  }
  print_message("# %d of %d recordings were wrong\n", n_wrong, n * n_names * 4);
  assert_int_equal(n_wrong, 0);
}

static void the_demos_are_listed(void **state)
{
  (void)state;
  struct run run = run_cli("demo", NULL), json = run_cli("demo", "--json", NULL);
  assert_int_equal(run.code, 0);
  assert_true(n_names >= 9);
  for (int i = 0; i < n_names; i++) {
    assert_non_null(strstr(run.out, names[i]));
    assert_non_null(strstr(json.out, names[i]));
  }
  run_free(&run);
  run_free(&json);
}

static void a_misspelt_demo_is_answered_with_the_right_one(void **state)
{
  (void)state;
  struct run run = run_cli("demo", "panic-recovr", NULL);
  run_expect_refusal(&run, 1, "did you mean panic-recover?");
  run_free(&run);
}

static int set_up(void **state)
{
  (void)state;
  read_names();
  run_enter_new_directory();
  return 0;
}

static int tear_down(void **state)
{
  (void)state;
  run_leave();
  return 0;
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(the_demos_are_listed),
    cmocka_unit_test(a_misspelt_demo_is_answered_with_the_right_one),
    cmocka_unit_test(every_demo_keeps_every_rule_on_1_2_4_and_8_ps),
  };
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
