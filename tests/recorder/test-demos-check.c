/* SPDX-License-Identifier: MIT */
/* test-demos-check.c - every form of every demonstration, recorded with 1, 2, 4 and 8 Ps, keeps every rule and loses no count.
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

#define DEMOS_MAX 128

static struct demo {
  char name[64], form[32]; /* form: "" if the line has none */
} demos[DEMOS_MAX];
static int n_demos;

static void read_names(void)
{
  char line[512];
  FILE *from = fopen(run_built("runtime/demos/demos.list"), "re");
  assert_non_null(from);
  while (n_demos < DEMOS_MAX && fgets(line, sizeof line, from)) {
    struct demo *demo = &demos[n_demos++];
    assert_non_null(strchr(line, '\t'));
    *strchr(line, '\t') = '\0';
    assert_true(sscanf(line, "%63s %31s", demo->name, demo->form) >= 1);
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
static void keep(const struct demo *demo, int procs, const struct run *run, const char *what)
{
  char kept[200];
  snprintf(kept, sizeof kept, "/tmp/gmpscope-failed-%s-%s-%d-%d-%d.db", demo->name, demo->form,
           procs, (int)getpid(), n_wrong);
  bool is_kept = rename("demo.db", kept) == 0;
  print_message("%s %s with %d Ps: %s (%d); kept as %s\n%s%s", demo->name, demo->form, procs, what,
                run->code, is_kept ? kept : "nothing", run->out, run->err);
  n_wrong++;
}

static bool is_fine(const struct demo *demo, int procs, struct run run, const char *what)
{
  bool fine = run.code == 0;
  if (!fine)
    keep(demo, procs, &run, what);
  run_free(&run);
  return fine;
}

static bool dumps_the_same(const struct demo *demo, int procs)
{
  struct run first = run_cli("dump", "demo.db", NULL);
  struct run load =
      run_cli_input(first.out, "load", "-", "-o", "copy.db", "-q", "--tables=none", NULL);
  struct run second = run_cli("dump", "copy.db", NULL);
  bool is_same = first.code == 0 && second.code == 0 && first.n_out == second.n_out &&
                 memcmp(first.out, second.out, first.n_out) == 0;
  bool fine = is_fine(demo, procs, load, "load");
  if (fine && !is_same)
    print_message("%s %s with %d Ps: dump, load, dump is not the same\n", demo->name, demo->form,
                  procs);
  n_wrong += fine && !is_same;
  run_free(&first);
  run_free(&second);
  return fine && is_same;
}

static void record_and_check(const struct demo *demo, int procs)
{
  char number[16];
  snprintf(number, sizeof number, "%d", procs);
  setenv("RT_MAXPROCS", number, 1);
  unlink("demo.db");
  struct run run =
      run_cli("demo", "-o", "demo.db", demo->name, demo->form[0] ? demo->form : NULL, NULL);
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
    for (int d = 0; d < n_demos; d++) {
      for (int procs = 1; procs <= 8; procs *= 2)
        record_and_check(&demos[d], procs);
    }
  }
  print_message("# %d of %d recordings were wrong\n", n_wrong, n * n_demos * 4);
  assert_int_equal(n_wrong, 0);
}

static void the_demos_are_listed(void **state)
{
  (void)state;
  struct run run = run_cli("demo", NULL), json = run_cli("demo", "--json", NULL);
  assert_int_equal(run.code, 0);
  assert_true(n_demos >= 9);
  for (int i = 0; i < n_demos; i++) {
    assert_non_null(strstr(run.out, demos[i].name));
    assert_non_null(strstr(json.out, demos[i].name));
    assert_non_null(strstr(run.out, demos[i].form));
    assert_non_null(strstr(json.out, demos[i].form));
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

static void a_misspelt_form_or_fault_is_told_in_words(void **state)
{
  (void)state;
  struct run run = run_cli("demo", "sleep-defer", "reachd", NULL);
  run_expect_refusal(&run, 1, "did you mean reached?");
  run_free(&run);
  run = run_cli("demo", "steal", "--fault", "lose-everything", NULL);
  run_expect_refusal(&run, 2, "there is no such fault");
  run_free(&run);
}

/* The list says of which: all others can be simulated. */
static void what_is_about_the_kernel_is_not_simulated(void **state)
{
  (void)state;
  if (UNDER_THREAD_SANITIZER)
    skip();
  int n_refused = 0;
  for (int i = 0; i < n_demos; i++) {
    struct run run = run_cli("demo", "--sim", "3", "-q", "-o", "s.db", demos[i].name,
                             demos[i].form[0] ? demos[i].form : NULL, NULL);
    if (run.code == 4)
      assert_non_null(strstr(run.err, "record it without --sim"));
    else if (run.code != 0 || strstr(run.err, "fatal error: simulation"))
      fail_msg("%s %s: %d, %s", demos[i].name, demos[i].form, run.code, run.err);
    n_refused += run.code == 4;
    run_free(&run);
  }
  assert_int_equal(n_refused, 8);
}

static void assert_says(struct run run, int code, const char *what)
{
  if (run.code != code || !strstr(run.out, what))
    fail_msg("wanted exit code %d and \"%s\"; got %d and \"%s%s\"", code, what, run.code, run.out,
             run.err);
  run_free(&run);
}

/* Whoever looks at such a trace is told, whatever with; and what the fault broke is told as its doing. */
static void a_trace_with_a_fault_says_so_everywhere(void **state)
{
  (void)state;
  unlink("demo.db");
  assert_says(
      run_cli("demo", "syscall-panic", "--fault", "lose-defers-on-preempt", "-o", "demo.db", NULL),
      0, "The fault lose-defers-on-preempt is switched on");
  assert_says(run_cli("check", "demo.db", NULL), 1, "1 of the 1 broken rule is its doing");
  assert_says(run_cli("check", "--json", "demo.db", NULL), 1, "\"n_broken_by_fault\": 1");
  assert_says(run_cli("info", "demo.db", NULL), 0,
              "recorded with the fault lose-defers-on-preempt switched on for demonstration; it "
              "struck 1 time");
  assert_says(run_cli("sql", "demo.db", "SELECT value FROM meta WHERE key = 'fault'", NULL), 0,
              "lose-defers-on-preempt");
  unlink("demo.db");
  assert_says(run_cli("demo", "deferred-sleep", "reached", "--fault", "sleep-blocks-m", "-o",
                      "demo.db", NULL),
              0, "The fault sleep-blocks-m is switched on");
  unlink("demo.db");
  assert_says(run_cli("demo", "deferred-sleep", "reached", "--fault", "sleep-blocks-m", "-o",
                      "demo.db", NULL),
              0,
              "as it is without the fault\n  gmpscope demo deferred-sleep reached -o right.db\n  "
              "gmpscope render right.db demo.db --lanes=g -o both.png\n");
  assert_says(run_cli("check", "demo.db", NULL), 0, "it broke no rule");
}

static void a_seed_makes_a_demo_exact(void **state)
{
  (void)state;
  if (UNDER_THREAD_SANITIZER)
    skip();
  for (int i = 0; i < 2; i++) {
    struct run run =
        run_cli("demo", "-q", "--sim", "5", "-o", i ? "b.db" : "a.db", "sleep-defer", "busy", NULL);
    assert_int_equal(run.code, 0);
    run_free(&run);
  }
  struct run a = run_cli("dump", "a.db", NULL), b = run_cli("dump", "b.db", NULL);
  assert_int_equal(a.code, 0);
  const char *from_a = strstr(a.out, "\n@"), *from_b = strstr(b.out, "\n@");
  assert_non_null(from_a);
  assert_non_null(from_b);
  assert_int_equal(strcmp(from_a, from_b), 0);
  run_free(&a), run_free(&b);
}

/* Simulated, which the thread sanitizer does not take part in. */
static void assert_story(const char *name, const char *form, const char *const *in_order, int n)
{
  if (UNDER_THREAD_SANITIZER)
    skip();
  setenv("RT_MAXPROCS", "2", 1);
  struct run run = run_cli("demo", "--sim", "5", "-o", "story.db", name, form, NULL);
  const char *at = strstr(run.out, "How it went"), *end = strstr(run.out, "To look at it");
  int n_lines = 0;
  assert_true(run.code == 0 && at && end);
  for (const char *c = at; c < end; c++)
    n_lines += *c == '\n';
  for (int i = 0; i < n; i++) {
    const char *found = strstr(at, in_order[i]);
    if (!found)
      fail_msg("%s %s: wanted, in this place, \"%s\":\n%s", name, form ? form : "", in_order[i],
               run.out);
    at = found;
  }
  assert_in_range(n_lines, 4, 18 + 4); /* a dozen and a half, two titles, two empty lines */
  run_free(&run);
  unlink("story.db");
}

static void a_story_tells_that_a_deferred_call_parked_and_who_ran_meanwhile(void **state)
{
  static const char *const story[] = {
    "G3 \"sleeper\" parks (sleep) inside a deferred call of sleep_deferred, which has begun",
    "G3 \"sleeper\" goes on inside it; meanwhile others were started ",
    "In sum",
    "with 2 Ps, then 1, for",
    "2 calls were deferred, 2 ran; a G parked ",
  };
  (void)state;
  assert_story("deferred-sleep", "reached", story, (int)(sizeof story / sizeof story[0]));
}

static void a_story_tells_that_a_deferred_call_was_never_reached(void **state)
{
  static const char *const story[] = { "In sum", "with 2 Ps, for",
                                       "1 call was deferred, 0 ran; 1 was never reached." };
  (void)state;
  assert_story("sleep-defer", NULL, story, (int)(sizeof story / sizeof story[0]));
}

static void a_story_tells_a_panic_as_it_went(void **state)
{
  static const char *const story[] = {
    "G1 \"main\" panics with \"boom\".",
    "frame without deferred calls, then runs the deferred call look_on, where recover does not "
    "count",
    "Runs the deferred call recover_it, which recovers \"boom\": back in the frame that deferred "
    "it.",
    "Runs what that frame had deferred as well, print_deferred, as at any return."
  };
  (void)state;
  assert_story("panic-recover", NULL, story, (int)(sizeof story / sizeof story[0]));
}

static void a_story_tells_nested_panics_inside_one_another(void **state)
{
  static const char *const story[] = {
    "  G1 \"main\" panics with \"first\".\n",
    "    Runs the deferred call panic_inside.\n",
    "      Panics in it with \"second\"; \"first\" waits.\n",
    "        Runs the deferred call recover_it, which recovers \"second\": back in",
    "    Runs the deferred call recover_it, which recovers \"first\": back in",
    "  G1 \"main\" panics with \"the original\".\n",
    "; \"the original\" is recovered, but not over.\n",
    "        Nobody recovers: the program ends with exit code 2.\n",
  };
  (void)state;
  assert_story("nested-panic", NULL, story, (int)(sizeof story / sizeof story[0]));
}

static int set_up(void **state)
{
  (void)state;
  read_names();
  run_enter_new_directory();
  return 0;
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(the_demos_are_listed),
    cmocka_unit_test(a_misspelt_demo_is_answered_with_the_right_one),
    cmocka_unit_test(what_is_about_the_kernel_is_not_simulated),
    cmocka_unit_test(a_misspelt_form_or_fault_is_told_in_words),
    cmocka_unit_test(a_trace_with_a_fault_says_so_everywhere),
    cmocka_unit_test(a_seed_makes_a_demo_exact),
    cmocka_unit_test(a_story_tells_that_a_deferred_call_parked_and_who_ran_meanwhile),
    cmocka_unit_test(a_story_tells_that_a_deferred_call_was_never_reached),
    cmocka_unit_test(a_story_tells_a_panic_as_it_went),
    cmocka_unit_test(a_story_tells_nested_panics_inside_one_another),
    cmocka_unit_test(every_demo_keeps_every_rule_on_1_2_4_and_8_ps),
  };
  return cmocka_run_group_tests(tests, set_up, run_tear_down);
}
