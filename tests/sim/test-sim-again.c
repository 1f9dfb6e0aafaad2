/* SPDX-License-Identifier: MIT */
/* test-sim-again.c - the same seed, the same trace, also of a program that goes by addresses, clocks or random numbers.
 *
 * Where the kernel forbids to have no random addresses (a container), what depends on them is skipped, in words.
 */
#include "test.h"

#include "run-cli.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/personality.h>

static const char insists[] = "runtime: simulation: the kernel insists on random addresses (";

static bool may_fix_addresses(void)
{
  int before = personality(0xffffffff);
  bool may = before >= 0 && personality((unsigned)before | ADDR_NO_RANDOMIZE) >= 0;
  if (may)
    personality((unsigned)before);
  return may;
}

struct recorded {
  struct run run, dump;
};

static struct recorded record(const char *seed, const char *file, const char *how)
{
  struct recorded r;
  r.run = run_cli("record", "-q", "--sim", seed, "-o", file, "--", run_built("tests/sim/again"),
                  how, NULL);
  assert_int_equal(r.run.code, 0);
  if (may_fix_addresses())
    assert_string_equal(r.run.err, "");
  r.dump = run_cli("dump", file, NULL);
  return r;
}

static void recorded_free(struct recorded *r)
{
  run_free(&r->run);
  run_free(&r->dump);
}

/* The text form's events; what stands above them says when, and in which process, it was recorded. */
static const char *events_of(const struct recorded *r)
{
  const char *events = strstr(r->dump.out, "\n@");
  assert_non_null(events);
  return events;
}

/* The second time in another environment: its size decides nothing. */
static void expect_the_same_again(const char *how)
{
  static char filling[3001];
  memset(filling, 'x', sizeof filling - 1);
  struct recorded a = record("7", "a.db", how);
  setenv("FILLING", filling, 1);
  struct recorded b = record("7", "another-name.db", how);
  filling[7] = '\0';
  setenv("FILLING", filling, 1);
  struct recorded c = record("7", "c.db", how);
  unsetenv("FILLING");
  assert_string_equal(a.run.out, b.run.out);
  assert_string_equal(a.run.out, c.run.out);
  assert_int_equal(strcmp(events_of(&a), events_of(&b)), 0);
  assert_int_equal(strcmp(events_of(&a), events_of(&c)), 0);
  recorded_free(&a), recorded_free(&b), recorded_free(&c);
}

static void a_course_that_depends_on_addresses_is_the_same_again(void **state)
{
  (void)state;
  if (!may_fix_addresses())
    skip();
  expect_the_same_again("addresses");
}

/* So what was seen without the recorder can be recorded by its seed. */
static void expect_the_same_unrecorded(const char *seed, char *how)
{
  char *argv[] = { strdup(run_built("tests/sim/again")), how, NULL }, option[32];
  snprintf(option, sizeof option, "sim=%s", seed);
  setenv("RT_DEBUG", option, 1);
  struct run alone = run_argv(argv, NULL, false);
  unsetenv("RT_DEBUG");
  struct recorded recorded = record(seed, "a.db", how);
  assert_string_equal(alone.out, recorded.run.out);
  free(argv[0]);
  run_free(&alone);
  recorded_free(&recorded);
}

static void addresses_are_the_same_whether_it_is_recorded_or_not(void **state)
{
  (void)state;
  if (!may_fix_addresses())
    skip();
  expect_the_same_unrecorded("7", "addresses");
}

static void times_and_order_are_the_same_whether_it_is_recorded_or_not(void **state)
{
  char seed[8];
  (void)state;
  for (int i = 1; i <= 10; i++) {
    snprintf(seed, sizeof seed, "%d", i);
    expect_the_same_unrecorded(seed, "clocks");
    expect_the_same_unrecorded(seed, "tells");
  }
}

static void a_course_that_depends_on_clocks_is_the_same_again(void **state)
{
  (void)state;
  expect_the_same_again("clocks");
}

static void a_course_that_depends_on_random_numbers_is_the_same_again(void **state)
{
  (void)state;
  expect_the_same_again("random");
}

/* Each line of what the program tells is a number; with another seed there is another one. */
static void another_seed_draws_other_random_numbers(void **state)
{
  (void)state;
  struct recorded a = record("7", "a.db", "random"), b = record("8", "b.db", "random");
  char *rest_a, *rest_b;
  const char *in_a = strtok_r(a.run.out, "\n", &rest_a);
  const char *in_b = strtok_r(b.run.out, "\n", &rest_b);
  int n = 0;
  for (; in_a && in_b; n++) {
    assert_string_not_equal(in_a, in_b);
    in_a = strtok_r(NULL, "\n", &rest_a);
    in_b = strtok_r(NULL, "\n", &rest_b);
  }
  assert_int_equal(n, 6);
  assert_int_not_equal(strcmp(events_of(&a), events_of(&b)), 0);
  recorded_free(&a), recorded_free(&b);
}

static void no_two_random_numbers_are_the_same(void **state)
{
  (void)state;
  struct recorded a = record("7", "a.db", "random");
  char *rest, *lines[6] = { strtok_r(a.run.out, "\n", &rest) };
  for (int i = 1; i < 6; i++)
    lines[i] = strtok_r(NULL, "\n", &rest);
  for (int i = 0; i < 6; i++)
    for (int j = 0; j < i; j++)
      assert_string_not_equal(lines[i], lines[j]);
  recorded_free(&a);
}

static void expect_output(const char *how, const char *says)
{
  struct recorded a = record("7", "a.db", how);
  assert_string_equal(a.run.out, says);
  struct run check = run_cli("check", "a.db", NULL);
  assert_int_equal(check.code, 0);
  run_free(&check);
  recorded_free(&a);
}

static void a_sleep_of_an_hour_takes_virtual_time_and_a_loop_on_a_clock_ends(void **state)
{
  (void)state;
  expect_output("sleeps", "1\n1\n1\n5\n");
}

static void others_go_on_while_one_sleeps_in_a_system_call(void **state)
{
  (void)state;
  expect_output("beside", "100\n");
}

static void another_thread_has_the_real_clock(void **state)
{
  (void)state;
  expect_output("thread", "1 1\n");
}

/* No library, no other layout, no other time. */
static void children_are_not_simulated(void **state)
{
  struct recorded a = record("7", "a.db", "children");
  (void)state;
  assert_int_equal(strncmp(a.run.out, "0\n", 2), 0);
  assert_true(strtol(a.run.out + 2, NULL, 10) > 2023);
  assert_non_null(strstr(a.run.out, "\n00000000\n"));
  recorded_free(&a);
}

static void random_addresses_that_cannot_be_helped_are_told(void **state)
{
  (void)state;
  struct run run = run_cli("record", "-q", "--sim", "7", "-o", "f.db", "--",
                           run_built("tests/sim/again"), "forbidden", NULL);
  assert_int_equal(run.code, 0);
  assert_string_equal(run.out, "done\n");
  assert_int_equal(strncmp(run.err, insists, sizeof insists - 1), 0);
  assert_ptr_equal(strchr(run.err, '\n'), run.err + run.n_err - 1); /* one line */
  run_free(&run);
}

static void who_asks_itself_has_virtual_time_in_its_runs_alone(void **state)
{
  char *argv[] = { strdup(run_built("tests/sim/again")), (char[]){ "itself" }, NULL };
  struct run run = run_argv(argv, NULL, false);
  (void)state;
  assert_string_equal(run.out, "0 1 0\n");
  assert_int_equal(run.code, 0);
  free(argv[0]);
  run_free(&run);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_course_that_depends_on_addresses_is_the_same_again),
    cmocka_unit_test(addresses_are_the_same_whether_it_is_recorded_or_not),
    cmocka_unit_test(times_and_order_are_the_same_whether_it_is_recorded_or_not),
    cmocka_unit_test(a_course_that_depends_on_clocks_is_the_same_again),
    cmocka_unit_test(a_course_that_depends_on_random_numbers_is_the_same_again),
    cmocka_unit_test(another_seed_draws_other_random_numbers),
    cmocka_unit_test(no_two_random_numbers_are_the_same),
    cmocka_unit_test(a_sleep_of_an_hour_takes_virtual_time_and_a_loop_on_a_clock_ends),
    cmocka_unit_test(others_go_on_while_one_sleeps_in_a_system_call),
    cmocka_unit_test(another_thread_has_the_real_clock),
    cmocka_unit_test(children_are_not_simulated),
    cmocka_unit_test(random_addresses_that_cannot_be_helped_are_told),
    cmocka_unit_test(who_asks_itself_has_virtual_time_in_its_runs_alone),
  };
  return cmocka_run_group_tests(tests, run_set_up, run_tear_down);
}
