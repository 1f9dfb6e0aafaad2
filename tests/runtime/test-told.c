/* SPDX-License-Identifier: MIT */
/* test-told.c - what a recorded program tells of itself, and what its trace tells of its timers and of its stops.
 *
 * The test is its own program, as test-traced.c.
 */
#include "traced.h"

#include "rt.h"

#include <pthread.h>
#include <stdint.h>

static struct rt_waitgroup all_done;

/* ---- a program that stops the world, and says why ---- */

static int stops_the_world(int argc, char **argv)
{
  (void)argc, (void)argv;
  rt_stop_the_world("a checkpoint is written");
  rt_start_the_world();
  rt_stop_the_world(NULL);
  rt_start_the_world();
  return 0;
}

/* ---- Gs that sleep one after the other, in the same memory ---- */

static void sleep_twice(void *done)
{
  rt_sleep(1000);
  rt_sleep(1000);
  rt_chan_close(done);
}

static int sleeps_in_turn(int argc, char **argv)
{
  (void)argc, (void)argv;
  for (int i = 0; i < 3; i++) {
    struct rt_chan *done = rt_chan_new(0, 0);
    rt_go(sleep_twice, done);
    rt_chan_recv(done, NULL);
    rt_chan_free(done);
  }
  return 0;
}

/* ---- a G whose turn to read came before its deadline, and which sleeps then ---- */

static int pipe_ends[2];

static int n_read; /* on one P */
static void read_and_sleep(void *with_deadline)
{
  char byte;
  rt_read(pipe_ends[0], &byte, 1, with_deadline ? rt_now() + 1000000000 : 0);
  n_read++;
  rt_sleep(1000);
  rt_waitgroup_done(&all_done);
}

static void nothing(void *unused)
{
  (void)unused;
}

static int waits_for_its_turn(int argc, char **argv)
{
  (void)argc, (void)argv;
  if (pipe(pipe_ends) != 0)
    return 3;
  rt_waitgroup_add(&all_done, 2);
  rt_go(read_and_sleep, NULL);
  rt_yield();
  struct rt_timer *earlier = rt_after_func(500000000, nothing, NULL);
  rt_go(read_and_sleep, &all_done);
  rt_yield();
  /* So the stopped deadline is neither first nor last in the heap. */
  struct rt_timer *later = rt_after_func(2000000000, nothing, NULL);
  rt_write(pipe_ends[1], "x", 1, 0);
  while (n_read == 0)
    rt_yield();
  for (int i = 0; i < 10; i++) /* the second has its turn, and finds nothing */
    rt_yield();
  rt_write(pipe_ends[1], "x", 1, 0);
  rt_waitgroup_wait(&all_done);
  rt_timer_free(earlier);
  rt_timer_free(later);
  return 0;
}

/* ---- a program with a thread of its own, which begins a task, and speaks ---- */

static void *begin_a_task(void *task)
{
  *(uint64_t *)task = rt_task_begin("of a thread");
  rt_log("thread", "says so");
  return NULL;
}

static int has_a_thread_that_speaks(int argc, char **argv)
{
  pthread_t thread;
  uint64_t of_thread = 0, mine = rt_task_begin("of a goroutine");
  (void)argc, (void)argv;
  pthread_create(&thread, NULL, begin_a_task, &of_thread);
  pthread_join(thread, NULL);
  rt_task_end(of_thread);
  rt_task_end(mine);
  return of_thread == 0;
}

/* ---- a program that says what things mean ---- */

static uint64_t task;

static void pack_it(void *done)
{
  rt_region_begin("pack");
  rt_region_begin("seal");
  rt_region_end();
  rt_region_end();
  rt_region_end(); /* of none: nothing */
  rt_task_end(task);
  rt_chan_close(done);
}

static void wait_for_a_tick(void *ticker)
{
  rt_chan_recv(rt_ticker_chan(ticker), NULL); /* so its timer is in a heap, till the end */
}

static int says_what_it_does(int argc, char **argv)
{
  (void)argc, (void)argv;
  char longer[2000];
  memset(longer, 'x', sizeof longer);
  longer[sizeof longer - 1] = '\0';
  struct rt_chan *done = rt_chan_new(0, 0);
  rt_name(done, "packed");
  struct rt_timer *timer = rt_after_func(3600000000000, pack_it, done);
  struct rt_ticker *ticker = rt_ticker_new(3600000000000);
  rt_name(timer, "reminder");
  rt_name(ticker, "clock");
  task = rt_task_begin("order");
  rt_log("shop", "%d of %s", 7, "tea");
  rt_log("long", "%s", longer);
  rt_go(wait_for_a_tick, ticker);
  for (int i = 0; i < 10; i++) /* so that it waits */
    rt_yield();
  rt_go_named("packer", pack_it, done);
  rt_chan_recv(done, NULL);
  rt_chan_free(done);
  rt_timer_free(timer);
  return task == 0;
}
/* ---- the tests ---- */

static int run_as(const char *name, int argc, char **argv)
{
  if (strcmp(name, "sleeps-in-turn") == 0)
    return rt_main(argc, argv, sleeps_in_turn);
  if (strcmp(name, "waits-for-its-turn") == 0)
    return rt_main(argc, argv, waits_for_its_turn);
  if (strcmp(name, "has-a-thread-that-speaks") == 0)
    return rt_main(argc, argv, has_a_thread_that_speaks);
  if (strcmp(name, "says-what-it-does") == 0)
    return rt_main(argc, argv, says_what_it_does);
  if (strcmp(name, "stops-the-world") == 0)
    return rt_main(argc, argv, stops_the_world);
  return 4;
}

static void who_sleeps_waits_for_a_timer_of_its_own(void **state)
{
  (void)state;
  record_and_check("sleeps-in-turn", "1");
  struct run dump = run_cli("dump", "t.db", NULL);
  assert_int_equal(count_lines_with(dump.out, " go_block why=\"sleep\" "), 6);
  assert_int_equal(count_lines_with(dump.out, " go_block why=\"sleep\" stack=0 obj=0x0\n"), 0);
  assert_int_equal(count_lines_with(dump.out, " what=\"sleep\" "), 3);
  run_free(&dump);
}

static void a_deadline_that_was_not_needed_leaves_the_sleep_alone(void **state)
{
  (void)state;
  record_and_check("waits-for-its-turn", "1");
  struct run dump = run_cli("dump", "t.db", NULL);
  assert_int_equal(count_lines_with(dump.out, " what=\"I/O deadline\" "), 2);
  run_free(&dump);
}

/* What gmpscope state says at the event of the dump that at points to. */
static void expect_state(const char *at, const char *says, bool is_said)
{
  char when[32];
  const char *line = at;
  while (*line != '@')
    line--;
  snprintf(when, sizeof when, "%.*s", (int)strcspn(line, " "), line);
  struct run run = run_cli("state", "t.db", "--at", when, NULL);
  assert_int_equal(strstr(run.out, says) != NULL, is_said);
  run_free(&run);
}

/* The id of a string that the dump has. */
static int string_id(const char *dump, const char *text)
{
  char line[64];
  snprintf(line, sizeof line, " text=\"%s\"\n", text);
  const char *at = strstr(dump, line);
  if (!at)
    fail_msg("there is no string \"%s\"", text);
  while (at > dump && *at != '=')
    at--;
  return atoi(at + 1);
}

/* The place of an event behind from. */
static const char *expect_event(const char *from, const char *format, int id)
{
  char line[64];
  snprintf(line, sizeof line, format, id);
  const char *at = strstr(from, line);
  if (!at)
    fail_msg("there is no \"%s\", or too early", line);
  return at + 1;
}

static void what_the_program_says_is_in_the_trace_in_its_order(void **state)
{
  (void)state;
  record_and_check("says-what-it-does", "1");
  struct run run = run_cli("dump", "t.db", NULL);
  const char *at = strstr(run.out, " object_name ");
  assert_non_null(at);
  at = expect_event(at, " name=%d\n", string_id(run.out, "packed"));
  at = expect_event(at, " g1 task_begin task=1 name=%d\n", string_id(run.out, "order"));
  at = expect_event(at, " text=%d\n", string_id(run.out, "7 of tea"));
  assert_int_equal(strspn(strstr(at, "xxx"), "x"), 1023); /* longer ones are cut */
  at = expect_event(at, " region_begin name=%d\n", string_id(run.out, "pack"));
  at = expect_event(at, " region_begin name=%d\n", string_id(run.out, "seal"));
  assert_int_equal(count_lines_with(at, " region_end\n"), 2);
  at = expect_event(at, " g3 task_end task=%d\n", 1);
  expect_state(at, " after-func \"reminder\" of G1", true);
  expect_state(at, " ticker \"clock\" of G1", true);
  run_free(&run);
}

static void what_a_thread_of_the_program_begins_is_not_ended_in_the_trace(void **state)
{
  (void)state;
  record_and_check("has-a-thread-that-speaks", "1");
  struct run run = run_cli("dump", "t.db", NULL);
  assert_int_equal(count_lines_with(run.out, " task_begin "), 1);
  assert_int_equal(count_lines_with(run.out, " task_end "), 1);
  run_free(&run);
}

static void who_stops_the_world_says_why_and_the_trace_repeats_it(void **state)
{
  (void)state;
  record_and_check("stops-the-world", "2");
  struct run dump = run_cli("dump", "t.db", NULL);
  const char *first = strstr(dump.out, " stw_stopped");
  assert_non_null(first);
  const char *second = strstr(first + 1, " stw_stopped");
  assert_non_null(second);
  expect_state(first, ": the program asked (a checkpoint is written)\n", true);
  expect_state(second, ": the program asked\n", true);
  expect_state(strstr(first, " stw_end"), "The world is", false);
  run_free(&dump);
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(who_sleeps_waits_for_a_timer_of_its_own),
    cmocka_unit_test(a_deadline_that_was_not_needed_leaves_the_sleep_alone),
    cmocka_unit_test(what_the_program_says_is_in_the_trace_in_its_order),
    cmocka_unit_test(what_a_thread_of_the_program_begins_is_not_ended_in_the_trace),
    cmocka_unit_test(who_stops_the_world_says_why_and_the_trace_repeats_it),
  };
  if (argc > 1)
    return run_as(argv[1], argc, argv);
  return RUN_TRACED("told", tests);
}
