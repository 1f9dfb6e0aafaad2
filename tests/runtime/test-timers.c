/* SPDX-License-Identifier: MIT */
/* test-timers.c - the heaps by themselves, with a clock that the test turns: order, lazy stops and resets,
 * periods, moves, and what is freed when. */
#include "inside.h"

#include "chan.h"

#define FAR 4000000000000000000 /* the real clock never gets there */

static struct m m;
static int64_t fired[100000];
static int n_fired;

static int begin(void **state)
{
  *state = inside(&m, 2);
  n_fired = 0;
  return 0;
}
static int end(void **state)
{
  (void)state;
  outside(2);
  return 0;
}

static void note_fire(void *arg, uintptr_t seq, int64_t delay)
{
  (void)seq, (void)delay;
  fired[n_fired++] = *(int64_t *)arg;
}

static void arm(struct timer *t, int64_t *when, int64_t at)
{
  *when = at;
  timer_init(t, TRACE_TIMERKIND_OTHER, note_fire, when);
  timer_reset(t, at, 0);
}

/* Turns the clock to now. Returns the next time, 0 if there is none. */
static int64_t turn(int64_t now)
{
  int64_t until = 0;
  bool ran;
  timers_check(&m, &allp[0]->timers, now, &until, &ran);
  return until;
}

static void assert_heap_in_order(const struct timers *ts)
{
  for (uint32_t i = 1; i < ts->n; i++)
    assert_true(ts->heap[(i - 1) / 4].when <= ts->heap[i].when);
}

static void timers_fire_in_the_order_of_their_times(void **state)
{
  (void)state;
  enum {
    N = 5000
  };
  static struct timer timers[N];
  static int64_t whens[N];
  uint64_t rand = 7;
  memset(timers, 0, sizeof timers);
  for (int i = 0; i < N; i++)
    arm(&timers[i], &whens[i], FAR + fastrand(&rand) % 100000);
  assert_heap_in_order(&allp[0]->timers);
  int64_t next = timers_wake_time(&allp[0]->timers);
  for (int i = 0; i < N; i++)
    assert_true(next <= whens[i]);
  while (next != 0)
    next = turn(next);
  assert_int_equal(n_fired, N);
  for (int i = 1; i < N; i++)
    assert_true(fired[i - 1] <= fired[i]);
}

static void nothing_fires_early_and_a_stopped_one_never(void **state)
{
  (void)state;
  struct timer a = { 0 }, b = { 0 };
  int64_t at_a, at_b;
  arm(&a, &at_a, FAR + 10);
  arm(&b, &at_b, FAR + 20);
  assert_int_equal(turn(FAR + 9), FAR + 10);
  assert_true(timer_stop(&a));
  assert_false(timer_stop(&a));
  assert_int_equal(turn(FAR + 15), FAR + 20);
  assert_int_equal(n_fired, 0);
  turn(FAR + 20);
  assert_int_equal(n_fired, 1);
  assert_false(timer_stop(&b));
}

static void a_reset_moves_it_both_ways(void **state)
{
  (void)state;
  struct timer a = { 0 }, b = { 0 };
  int64_t at_a, at_b;
  arm(&a, &at_a, FAR + 100);
  arm(&b, &at_b, FAR + 200);
  assert_true(timer_reset(&b, FAR + 50, 0)); /* b before a */
  assert_int_equal(timers_wake_time(&allp[0]->timers), FAR + 50);
  turn(FAR + 60);
  assert_int_equal(n_fired, 1);
  assert_true(timer_reset(&a, FAR + 300, 0));
  turn(FAR + 250);
  assert_int_equal(n_fired, 1);
  assert_false(timer_reset(&b, FAR + 400, 0));
  assert_int_equal(turn(FAR + 300), FAR + 400);
  assert_int_equal(n_fired, 2);
  timer_stop(&b);
}

static void a_stopped_timer_can_be_armed_again_while_it_is_a_zombie(void **state)
{
  (void)state;
  struct timer a = { 0 };
  int64_t at;
  arm(&a, &at, FAR + 10);
  timer_stop(&a);
  assert_int_equal(atomic_load(&allp[0]->timers.zombies), 1);
  timer_reset(&a, FAR + 5, 0);
  assert_int_equal(atomic_load(&allp[0]->timers.zombies), 0);
  turn(FAR + 5);
  assert_int_equal(n_fired, 1);
  assert_int_equal(allp[0]->timers.n, 0);
}

static void a_period_skips_what_was_missed(void **state)
{
  (void)state;
  struct timer a = { 0 };
  int64_t at = FAR;
  timer_init(&a, TRACE_TIMERKIND_TICKER, note_fire, &at);
  timer_reset(&a, FAR + 10, 10);
  assert_int_equal(turn(FAR + 10), FAR + 20);
  assert_int_equal(turn(FAR + 57), FAR + 60);
  assert_int_equal(n_fired, 2);
  timer_stop(&a);
}

static void many_zombies_are_swept_before_their_time(void **state)
{
  (void)state;
  static struct timer timers[400];
  static int64_t whens[400];
  memset(timers, 0, sizeof timers);
  for (int i = 0; i < 400; i++)
    arm(&timers[i], &whens[i], FAR + 1000 + i);
  for (int i = 0; i < 200; i++)
    timer_stop(&timers[i]);
  turn(FAR);
  assert_int_equal(atomic_load(&allp[0]->timers.zombies), 0);
  assert_int_equal(allp[0]->timers.n, 200);
  assert_heap_in_order(&allp[0]->timers);
  for (int i = 200; i < 400; i++)
    timer_stop(&timers[i]);
}

static void random_changes_lose_and_double_nothing(void **state)
{
  (void)state;
  enum {
    N = 300
  };
  static struct timer timers[N];
  static int64_t whens[N];
  bool armed[N] = { false };
  uint64_t rand = 99;
  int64_t now = FAR;
  int expected = 0;
  memset(timers, 0, sizeof timers);
  for (int i = 0; i < N; i++)
    timer_init(&timers[i], TRACE_TIMERKIND_OTHER, note_fire, &whens[i]);
  for (int step = 0; step < 50000; step++) {
    uint32_t i = fastrand(&rand) % N;
    if (fastrand(&rand) % 3 == 0) {
      assert_int_equal(timer_stop(&timers[i]), armed[i]);
      armed[i] = false;
    } else {
      whens[i] = now + 1 + fastrand(&rand) % 1000;
      assert_int_equal(timer_reset(&timers[i], whens[i], 0), armed[i]);
      armed[i] = true;
    }
    if (step % 16 != 0)
      continue;
    now += fastrand(&rand) % 50;
    turn(now);
    for (int k = 0; k < N; k++)
      if (armed[k] && whens[k] <= now) {
        armed[k] = false;
        expected++;
      }
    assert_int_equal(n_fired, expected);
  }
  for (int i = 0; i < N; i++)
    timer_stop(&timers[i]);
}

static void the_timers_of_a_p_that_goes_away_fire_on_its_heir(void **state)
{
  (void)state;
  struct timer a = { 0 }, b = { 0 };
  int64_t at_a, at_b;
  arm(&a, &at_a, FAR + 20);
  atomic_store(&m.p, allp[1]);
  arm(&b, &at_b, FAR + 10);
  atomic_store(&m.p, allp[0]);
  assert_int_equal(allp[1]->timers.n, 1);
  timers_take(&m, &allp[0]->timers, &allp[1]->timers);
  assert_int_equal(timers_wake_time(&allp[0]->timers), FAR + 10);
  assert_int_equal(timers_wake_time(&allp[1]->timers), 0);
  turn(FAR + 20);
  assert_int_equal(n_fired, 2);
  assert_int_equal(fired[0], FAR + 10);
}

static void what_was_given_up_is_freed_in_and_out_of_the_heap(void **state)
{
  (void)state; /* the address sanitizer looks */
  int64_t at = FAR;
  for (int i = 0; i < 100; i++) {
    struct timer *t = calloc(1, sizeof *t);
    timer_init(t, TRACE_TIMERKIND_AFTER_FUNC, note_fire, &at);
    t->freeable = true;
    if (i % 3 != 0)
      timer_reset(t, FAR + i, 0);
    if (i % 3 == 1)
      timer_stop(t);
    timer_give_up(t);
  }
  turn(FAR + 1000);
  assert_int_equal(n_fired, 0);
  assert_int_equal(allp[0]->timers.n, 0);
}

/* ---- timers that send on a channel ---- */

static uint32_t n_live(void)
{
  const struct timers *ts = &allp[0]->timers;
  return ts->n - (uint32_t)atomic_load(&ts->zombies);
}

static void a_channel_timer_is_in_a_heap_while_somebody_waits(void **state)
{
  (void)state;
  struct g *g = runnable_gs(1);
  set_curg(&m, g);
  struct rt_chan *limit = rt_after(FAR);
  struct timer *t = limit->timer;
  assert_int_equal(allp[0]->timers.n, 0);
  assert_int_equal(block_timer_chan(t), t->when); /* whoever sleeps in netpoll must know */
  assert_int_equal(block_timer_chan(t), 0);
  assert_int_equal(n_live(), 1);
  unblock_timer_chan(t);
  assert_int_equal(n_live(), 1);
  unblock_timer_chan(t);
  assert_int_equal(n_live(), 0);
  block_timer_chan(t); /* before the zombie was cleaned */
  assert_int_equal(n_live(), 1);
  assert_int_equal(turn(1), t->when);
  unblock_timer_chan(t);
  assert_int_equal(turn(1), 0);
  assert_int_equal(allp[0]->timers.n, 0);
  block_timer_chan(t); /* and after */
  assert_int_equal(n_live(), 1);
  unblock_timer_chan(t);
  rt_chan_free(limit);
  turn(1);
  free(g);
}

static void a_channel_timer_that_was_reset_has_its_new_time_when_somebody_waits(void **state)
{
  (void)state;
  struct g *g = runnable_gs(1);
  set_curg(&m, g);
  struct rt_ticker *ticker = rt_ticker_new(FAR);
  struct timer *t = rt_ticker_chan(ticker)->timer;
  block_timer_chan(t);
  unblock_timer_chan(t);
  assert_true(timer_reset(t, FAR / 2, FAR));
  assert_int_equal(n_live(), 0);
  assert_int_equal(block_timer_chan(t), FAR / 2);
  assert_int_equal(n_live(), 1);
  assert_int_equal(turn(FAR / 2 - 1), FAR / 2);
  rt_ticker_stop(ticker);
  unblock_timer_chan(t);
  assert_int_equal(block_timer_chan(t), 0);
  assert_int_equal(n_live(), 0);
  unblock_timer_chan(t);
  rt_ticker_free(ticker);
  turn(1);
  free(g);
}

static void a_channel_timer_fires_for_who_looks(void **state)
{
  (void)state;
  struct g *g = runnable_gs(1);
  set_curg(&m, g);
  struct rt_chan *now = rt_after(0), *later = rt_after(FAR);
  maybe_run_chan(now->timer);
  maybe_run_chan(later->timer);
  assert_int_equal(now->qcount, 1);
  assert_int_equal(later->qcount, 0);
  assert_int_equal(allp[0]->timers.n, 0);
  assert_true(timer_reset(now->timer, FAR, 0)); /* nobody had the value */
  assert_int_equal(now->qcount, 0);
  rt_chan_free(now);
  now = rt_after(0);
  block_timer_chan(now->timer);
  unblock_timer_chan(now->timer); /* a zombie, which its heap will not run */
  maybe_run_chan(now->timer);
  assert_int_equal(now->qcount, 1);
  rt_chan_free(now);
  rt_chan_free(later);
  turn(1);
  free(g);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup_teardown(timers_fire_in_the_order_of_their_times, begin, end),
    cmocka_unit_test_setup_teardown(nothing_fires_early_and_a_stopped_one_never, begin, end),
    cmocka_unit_test_setup_teardown(a_reset_moves_it_both_ways, begin, end),
    cmocka_unit_test_setup_teardown(a_stopped_timer_can_be_armed_again_while_it_is_a_zombie, begin,
                                    end),
    cmocka_unit_test_setup_teardown(a_period_skips_what_was_missed, begin, end),
    cmocka_unit_test_setup_teardown(many_zombies_are_swept_before_their_time, begin, end),
    cmocka_unit_test_setup_teardown(random_changes_lose_and_double_nothing, begin, end),
    cmocka_unit_test_setup_teardown(the_timers_of_a_p_that_goes_away_fire_on_its_heir, begin, end),
    cmocka_unit_test_setup_teardown(what_was_given_up_is_freed_in_and_out_of_the_heap, begin, end),
    cmocka_unit_test_setup_teardown(a_channel_timer_is_in_a_heap_while_somebody_waits, begin, end),
    cmocka_unit_test_setup_teardown(
        a_channel_timer_that_was_reset_has_its_new_time_when_somebody_waits, begin, end),
    cmocka_unit_test_setup_teardown(a_channel_timer_fires_for_who_looks, begin, end),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
