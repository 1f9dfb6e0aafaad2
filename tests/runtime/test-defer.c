/* SPDX-License-Identifier: MIT */
/* test-defer.c - deferred calls run last first, once, at every way out of a function. */
#include "program.h"

#include <alloca.h>

#include "runtime.h"

static void say(void *what)
{
  printf("%s ", (const char *)what);
}

static void three(bool leave_early)
{
  RT_FRAME(fr, { return; });
  RT_DEFER(fr, say, "1");
  RT_DEFER(fr, say, "2");
  if (leave_early)
    return;
  RT_DEFER(fr, say, "3");
  say("body");
}
PROGRAM(order)
{
  three(false);
  three(true);
  return 0;
}
static void deferred_calls_run_last_first_at_each_return(void **state)
{
  (void)state;
  assert_prints(order, 1, "body 3 2 1 2 1 ");
}

static int values[1000];
static void add_up(void *value)
{
  static int expected = 999;
  if (*(int *)value != expected--)
    printf("out of order: %d\n", *(int *)value);
  if (expected < 0)
    puts("all");
}
static void loop(int n)
{
  RT_FRAME(fr, { return; });
  for (int i = 0; i < n; i++) {
    values[i] = i;
    RT_DEFER_LOOP(fr, add_up, &values[i]);
  }
}
PROGRAM(in_a_loop)
{
  loop(1000);
  return 0;
}
static void a_loop_may_defer_any_number(void **state)
{
  (void)state;
  FOR_PROCS(n)
  assert_prints(in_a_loop, n, "all\n");
}

static void drop(void *unused)
{
  (void)unused;
}
static void defer_many(int n)
{
  RT_FRAME(fr, { return; });
  for (int i = 0; i < n; i++)
    RT_DEFER_LOOP(fr, drop, NULL);
}
static uint32_t central_records(void)
{
  uint32_t n = 0;
  for (const struct rt_defer *d = sched.deferpool; d; d = d->link)
    n++;
  return n;
}
PROGRAM(pools)
{
  defer_many(100);
  printf("%u %u\n", getm()->p->n_deferpool, central_records());
  defer_many(100);
  printf("%u %u\n", getm()->p->n_deferpool, central_records());
  return 0;
}
static void records_return_to_the_pool_which_keeps_32_and_spills_16_at_once(void **state)
{
  (void)state; /* 100 allocated once: 5 spills of 16, 20 left; and all of them used again */
  assert_prints(pools, 1, "20 80\n20 80\n");
}

enum leaving {
  BY_RETURN,
  BY_PANIC,
  BY_PANIC_OF_A_DEFERRED_CALL,
  BY_GOEXIT,
  N_LEAVINGS
};
static void explode(void *unused)
{
  (void)unused;
  rt_panic("boom");
}
static void recover_it(void *unused)
{
  (void)unused;
  rt_recover(NULL);
}
/* One turn of a loop, so that the frame has more records in reserve. */
static void leave_frame(enum leaving how)
{
  RT_FRAME(fr, { return; });
  RT_DEFER_LOOP(fr, how == BY_PANIC_OF_A_DEFERRED_CALL ? explode : drop, NULL);
  if (how == BY_PANIC)
    explode(NULL);
  if (how == BY_GOEXIT)
    rt_goexit();
}
static void leave_in_a_g(void *how)
{
  RT_FRAME(fr, { return; });
  RT_DEFER(fr, recover_it, NULL);
  leave_frame(*(const enum leaving *)how);
}
PROGRAM(reserves)
{
  defer_many(20);
  for (enum leaving how = BY_RETURN; how < N_LEAVINGS; how++) {
    rt_go(leave_in_a_g, &how);
    rt_yield();
    printf("%u ", getm()->p->n_deferpool + central_records());
  }
  return 0;
}
static void records_in_reserve_return_however_the_frame_is_left(void **state)
{
  (void)state;
  assert_prints(reserves, 1, "20 20 20 20 ");
}

static void drop_twelve(void)
{
  RT_FRAME(fr, { return; });
  RT_DEFER(fr, drop, NULL);
  RT_DEFER(fr, drop, NULL);
  RT_DEFER(fr, drop, NULL);
  RT_DEFER(fr, drop, NULL);
  RT_DEFER(fr, drop, NULL);
  RT_DEFER(fr, drop, NULL);
  RT_DEFER(fr, drop, NULL);
  RT_DEFER(fr, drop, NULL);
  RT_DEFER(fr, drop, NULL);
  RT_DEFER(fr, drop, NULL);
  RT_DEFER_LOOP(fr, drop, NULL);
  RT_DEFER(fr, drop, NULL);
}
PROGRAM(nine_and_more)
{
  defer_many(20);
  for (int i = 0; i < 3; i++) {
    drop_twelve();
    printf("%u ", getm()->p->n_deferpool + central_records());
  }
  return 0;
}
static void records_in_reserve_serve_what_does_not_fit_into_the_frame(void **state)
{
  (void)state;
  assert_prints(nine_and_more, 1, "20 20 20 ");
}

static void twelve(void)
{
  RT_FRAME(fr, { return; });
  RT_DEFER(fr, say, "a");
  RT_DEFER(fr, say, "b");
  RT_DEFER(fr, say, "c");
  RT_DEFER(fr, say, "d");
  RT_DEFER(fr, say, "e");
  RT_DEFER(fr, say, "f");
  RT_DEFER(fr, say, "g");
  RT_DEFER(fr, say, "h");
  RT_DEFER(fr, say, "i");
  RT_DEFER(fr, say, "j");
  RT_DEFER_LOOP(fr, say, "k");
  RT_DEFER(fr, say, "l");
}
PROGRAM(more_than_fit)
{
  twelve();
  return 0;
}
static void more_than_fit_into_the_frame_keep_their_order(void **state)
{
  (void)state;
  assert_prints(more_than_fit, 1, "l k j i h g f e d c b a ");
}

static void nested_defer(void *unused)
{
  (void)unused;
  RT_FRAME(fr, { return; });
  RT_DEFER(fr, say, "inner");
  say("outer");
}
static void nesting(void)
{
  RT_FRAME(fr, { return; });
  RT_DEFER(fr, say, "last");
  RT_DEFER(fr, nested_defer, NULL);
}
PROGRAM(nested)
{
  nesting();
  return 0;
}
static void a_deferred_call_may_defer(void **state)
{
  (void)state;
  assert_prints(nested, 1, "outer inner last ");
}

static struct rt_waitgroup wg;
static int migrations;
static void park_in_many_ways(void *chan)
{
  for (int i = 0; i < 20; i++) {
    rt_yield();
    rt_sleep(50000);
    rt_chan_send(chan, &i);
    rt_entersyscall();
    usleep(20);
    rt_exitsyscall();
  }
}
static void count_migration(void *unused)
{
  (void)unused;
  __atomic_fetch_add(&migrations, 1, __ATOMIC_RELAXED);
}
static void defer_parking(void *chan)
{
  RT_FRAME(fr, { return; });
  for (int i = 0; i < 40; i++)
    RT_DEFER_LOOP(fr, count_migration, NULL);
  RT_DEFER(fr, park_in_many_ways, chan);
}
static void parker(void *chan)
{
  defer_parking(chan);
  rt_waitgroup_done(&wg);
}
static void drain(void *chan)
{
  while (rt_chan_recv(chan, NULL))
    ;
}
PROGRAM(parking)
{
  struct rt_chan *chan = rt_chan_new(sizeof(int), 0);
  rt_waitgroup_add(&wg, 20);
  for (int i = 0; i < 20; i++)
    rt_go(parker, chan);
  rt_go(drain, chan);
  rt_waitgroup_wait(&wg);
  printf("%d\n", migrations);
  return 0;
}
static void a_deferred_call_may_park_and_move_between_threads(void **state)
{
  (void)state;
  FOR_PROCS(n)
  assert_prints(parking, n, "800\n");
}

static void exiting(void *unused)
{
  (void)unused;
  RT_FRAME(fr, { return; });
  RT_DEFER(fr, say, "outer");
  three(true);
  rt_goexit();
}
static void done(void *waitgroup)
{
  rt_waitgroup_done(waitgroup);
}
static void exiter(void *unused)
{
  RT_FRAME(fr, { return; });
  RT_DEFER(fr, done, &wg);
  exiting(unused);
  say("not reached");
}
PROGRAM(goexit)
{
  rt_waitgroup_add(&wg, 1);
  rt_go(exiter, NULL);
  rt_waitgroup_wait(&wg);
  puts("end");
  return 0;
}
static void goexit_runs_the_deferred_calls_of_all_frames(void **state)
{
  (void)state;
  assert_prints(goexit, 2, "2 1 outer end\n");
}

PROGRAM(main_goexit)
{
  rt_goexit();
}
static void goexit_of_main_ends_in_a_deadlock_when_no_one_is_left(void **state)
{
  (void)state;
  assert_dies(main_goexit, "",
              "fatal error: no goroutines (main called runtime.Goexit) - deadlock!\n");
}

/* ---- memory of the frame that came after its first deferred call ---- */

static void ignore(void *unused)
{
  (void)unused;
}
static void say_what_is_left(void *text)
{
  puts(text);
}
static void recover(void *unused)
{
  (void)unused;
  rt_recover(NULL);
}
static void defer_with_memory_between(size_t n)
{
  RT_FRAME(fr, { return; });
  RT_DEFER(fr, ignore, NULL);
  char *text = alloca(n + 1);
  memset(text, 'x', n);
  text[n] = '\0';
  RT_DEFER_LOOP(fr, say_what_is_left, text);
  RT_DEFER(fr, recover, NULL);
  rt_panic("recovered");
}
PROGRAM(takes_memory_between)
{
  defer_with_memory_between(50);
  return 0;
}
static void a_recovery_leaves_what_the_frame_took_since_its_first_deferred_call(void **state)
{
  (void)state;
  assert_prints(takes_memory_between, 1, "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\n");
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(deferred_calls_run_last_first_at_each_return),
    cmocka_unit_test(a_loop_may_defer_any_number),
    cmocka_unit_test(records_return_to_the_pool_which_keeps_32_and_spills_16_at_once),
    cmocka_unit_test(records_in_reserve_return_however_the_frame_is_left),
    cmocka_unit_test(records_in_reserve_serve_what_does_not_fit_into_the_frame),
    cmocka_unit_test(more_than_fit_into_the_frame_keep_their_order),
    cmocka_unit_test(a_deferred_call_may_defer),
    cmocka_unit_test(a_deferred_call_may_park_and_move_between_threads),
    cmocka_unit_test(goexit_runs_the_deferred_calls_of_all_frames),
    cmocka_unit_test(goexit_of_main_ends_in_a_deadlock_when_no_one_is_left),
    cmocka_unit_test(a_recovery_leaves_what_the_frame_took_since_its_first_deferred_call),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
