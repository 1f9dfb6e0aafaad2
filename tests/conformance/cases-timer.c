/* SPDX-License-Identifier: MIT */
/* cases-timer.c - sleeping, timers, their channels, and tickers.
 *
 * Expectations are of order and of results, never of how long something took, except "at least".
 */
#include "case.h"

#include <sys/resource.h>

static struct rt_chan *c, *blocker;
static struct rt_timer *timer;
static int fired;

#define HOUR (3600000 * MS)

static const char *truth(bool b)
{
  return b ? "true" : "false";
}
FN(fire)
{
  fired++;
}
FN(put_num)
{
  put(c, num(arg));
}

static void wait_until_fired(int n)
{
  while (fired < n)
    rt_sleep(MS);
}

/* ---- sleep ---- */

CASE(sleep_lasts_at_least, "time.Sleep: pauses for at least the duration", PRINTS("true "))
{
  int64_t start = rt_now();
  rt_sleep(5 * MS);
  say("%s ", truth(rt_now() - start >= 5 * MS));
}
CASE(sleep_of_nothing_returns, "time.Sleep: a negative or zero duration returns immediately",
     PRINTS("returned "))
{
  rt_sleep(0);
  rt_sleep(-1);
  rt_sleep(INT64_MIN);
  say("returned ");
}
FN(sleep_and_check)
{
  int64_t start = rt_now();
  rt_sleep(num(arg) * MS);
  put(c, rt_now() - start >= num(arg) * MS);
}
CASE(sleepers_each_sleep_their_time, "time.Sleep: each goroutine at least its own duration",
     PROCS(4), PRINTS("40 "))
{
  int n = 0;
  c = ints(0);
  for (int i = 1; i <= 40; i++)
    go(sleep_and_check, NUM(i * 7 % 40));
  for (int i = 1; i <= 40; i++)
    n += take(c);
  say("%d ", n);
}
FN(sleep_max)
{
  rt_sleep(INT64_MAX);
  say("not-reached ");
}
CASE(sleep_very_long_does_not_overflow,
     "time.Sleep: the longest duration is for ever, not the past", PRINTS("end "))
{
  go(sleep_max, NULL);
  rt_sleep(5 * MS);
  say("end ");
}
CASE(clock_is_monotonic, "time: monotonic clock readings do not go backwards", PRINTS("true "))
{
  bool never_back = true;
  for (int64_t i = 0, last = rt_now(); i < 10000; i++) {
    int64_t now = rt_now();
    never_back = never_back && now >= last;
    last = now;
  }
  say("%s ", truth(never_back));
}

/* ---- after_func ---- */

FN(put_goid)
{
  put(c, (int)rt_goid());
}
CASE(after_func_runs_in_its_own_goroutine, "time.AfterFunc: calls f in its own goroutine",
     PRINTS("other "))
{
  c = ints(0);
  rt_after_func(MS, put_goid, NULL);
  say(take(c) != (int)rt_goid() ? "other " : "same ");
}
FN(block_then_put)
{
  rt_chan_recv(blocker, NULL);
  put(c, 1);
}
CASE(after_func_may_block, "time.AfterFunc: f may block; other timers go on", PRINTS("2 1 "))
{
  c = ints(0);
  blocker = ints(0);
  rt_after_func(MS, block_then_put, NULL);
  rt_after_func(5 * MS, put_num, NUM(2));
  say("%d ", take(c));
  put(blocker, 0);
  say("%d ", take(c));
}
CASE(after_func_of_nothing_runs_soon, "time.AfterFunc: a duration of zero or less fires at once",
     PRINTS("1 2 "))
{
  c = ints(0);
  rt_after_func(0, put_num, NUM(1));
  say("%d ", take(c));
  rt_after_func(-HOUR, put_num, NUM(2));
  say("%d ", take(c));
}
CASE(after_func_not_before_its_caller_waits,
     "time.AfterFunc: with one P, f runs when the caller lets go", PRINTS("0 1 "))
{
  rt_after_func(0, fire, NULL);
  say("%d ", fired);
  wait_until_fired(1);
  say("%d ", fired);
}
static int64_t due;
FN(check_due)
{
  put(c, rt_now() >= due + num(arg) * MS);
}
CASE(after_funcs_not_before_their_time, "time.AfterFunc: waits for the duration to elapse",
     PROCS(4), PRINTS("40 "))
{
  int n = 0;
  c = ints(0);
  due = rt_now();
  for (int i = 1; i <= 40; i++)
    rt_after_func(i * 7 % 40 * MS, check_due, NUM(i * 7 % 40));
  for (int i = 1; i <= 40; i++)
    n += take(c);
  say("%d ", n);
}
CASE(after_func_thousands, "time.AfterFunc: any number of timers", PROCS(4), PRINTS("5000 "))
{
  c = ints(64);
  int n = 0;
  for (int i = 0; i < 5000; i++)
    rt_after_func(i % 7 * MS, put_num, NUM(1));
  for (int i = 0; i < 5000; i++)
    n += take(c);
  say("%d ", n);
}
FN(arm_again)
{
  if (++fired < 3)
    rt_timer_reset(timer, MS);
  else
    put(c, fired);
}
CASE(after_func_may_reset_itself, "time.Timer.Reset: f may arm its own timer again", PRINTS("3 "))
{
  c = ints(0);
  timer = rt_after_func(MS, arm_again, NULL);
  say("%d ", take(c));
}

/* ---- stop, reset ---- */

CASE(timer_stop_of_armed, "time.Timer.Stop: returns true if the call stops the timer",
     PRINTS("true 0 "))
{
  timer = rt_after_func(30 * MS, fire, NULL);
  say("%s ", truth(rt_timer_stop(timer)));
  rt_sleep(60 * MS);
  say("%d ", fired);
}
CASE(timer_stop_of_fired, "time.Timer.Stop: false if the timer has already expired",
     PRINTS("1 false "))
{
  timer = rt_after_func(MS, fire, NULL);
  wait_until_fired(1);
  say("%d %s ", fired, truth(rt_timer_stop(timer)));
}
CASE(timer_stop_twice, "time.Timer.Stop: false if it has been stopped", PRINTS("true false "))
{
  timer = rt_after_func(HOUR, fire, NULL);
  say("%s ", truth(rt_timer_stop(timer)));
  say("%s ", truth(rt_timer_stop(timer)));
}
FN(add_fired)
{
  __atomic_fetch_add(&fired, 1, __ATOMIC_SEQ_CST);
}
CASE(timer_stop_of_due_is_false_or_prevents, "time.Timer.Stop: if it returns true, f does not run",
     PROCS(4), PRINTS("consistent "))
{
  int stopped = 0;
  for (int i = 0; i < 200; i++) {
    struct rt_timer *t = rt_after_func(i % 3 * MS / 10, add_fired, NULL);
    rt_yield();
    stopped += rt_timer_stop(t);
  }
  rt_sleep(20 * MS);
  say(stopped + __atomic_load_n(&fired, __ATOMIC_SEQ_CST) == 200 ? "consistent " : "lost ");
}
CASE(timer_reset_of_armed, "time.Timer.Reset: returns true if the timer had been active",
     PRINTS("true 1 "))
{
  c = ints(0);
  timer = rt_after_func(HOUR, put_num, NUM(1));
  say("%s ", truth(rt_timer_reset(timer, MS)));
  say("%d ", take(c));
}
CASE(timer_reset_of_stopped, "time.Timer.Reset: false if it had been stopped; it runs again",
     PRINTS("true false 1 "))
{
  c = ints(0);
  timer = rt_after_func(HOUR, put_num, NUM(1));
  say("%s ", truth(rt_timer_stop(timer)));
  say("%s ", truth(rt_timer_reset(timer, MS)));
  say("%d ", take(c));
}
CASE(timer_reset_of_fired, "time.Timer.Reset: false if it had expired; f runs once more",
     PRINTS("1 false 2 false "))
{
  timer = rt_after_func(MS, fire, NULL);
  wait_until_fired(1);
  say("%d ", fired);
  say("%s ", truth(rt_timer_reset(timer, MS)));
  wait_until_fired(2);
  say("%d %s ", fired, truth(rt_timer_stop(timer)));
}
CASE(timer_reset_to_later, "time.Timer.Reset: changes the timer to expire after the duration",
     PRINTS("true 2 0 true "))
{
  c = ints(0);
  timer = rt_after_func(30 * MS, fire, NULL);
  say("%s ", truth(rt_timer_reset(timer, HOUR)));
  rt_after_func(60 * MS, put_num, NUM(2));
  say("%d ", take(c));
  settle();
  say("%d %s ", fired, truth(rt_timer_stop(timer)));
}
CASE(timer_reset_to_earlier, "time.Timer.Reset: may also be earlier", PRINTS("true 1 false "))
{
  c = ints(0);
  timer = rt_after_func(HOUR, put_num, NUM(1));
  say("%s ", truth(rt_timer_reset(timer, 5 * MS)));
  say("%d ", take(c));
  say("%s ", truth(rt_timer_stop(timer)));
}
CASE(timer_many_stopped_few_fire, "time.Timer.Stop: stopped timers do not hold up others",
     PRINTS("10 "))
{
  struct rt_timer *timers[1000];
  for (int i = 0; i < 1000; i++)
    timers[i] = rt_after_func(i % 100 == 0 ? 10 * MS : 50 * MS, fire, NULL);
  for (int i = 0; i < 1000; i++)
    if (i % 100 != 0)
      rt_timer_stop(timers[i]);
  wait_until_fired(10);
  rt_sleep(60 * MS);
  say("%d ", fired);
}

/* ---- channels of timers ---- */

CASE(after_channel_delivers_once, "time.After: sends the current time once", PRINTS("true none "))
{
  int64_t start = rt_now(), at = 0;
  c = rt_after(5 * MS);
  rt_chan_recv(c, &at);
  say("%s ", truth(at - start >= 5 * MS));
  rt_sleep(5 * MS);
  say(rt_chan_try_recv(c, NULL, NULL) ? "got " : "none ");
}
CASE(after_channel_waits_to_be_received, "time.After: the value is there when one comes later",
     PRINTS("got none "))
{
  c = rt_after(MS);
  rt_sleep(20 * MS);
  say(rt_chan_try_recv(c, NULL, NULL) ? "got " : "none ");
  say(rt_chan_try_recv(c, NULL, NULL) ? "got " : "none ");
}
CASE(timer_channel_has_no_length,
     "time, since Go 1.23: a timer's channel is synchronous: len and cap are 0", PRINTS("0 0 0 "))
{
  c = rt_after(MS);
  say("%zu %zu ", rt_chan_cap(c), rt_chan_len(c));
  rt_sleep(20 * MS);
  say("%zu ", rt_chan_len(c));
}
CASE(after_channel_earlier_first, "time.After: the earlier one is ready first", PRINTS("1 "))
{
  struct rt_case cases[] = { { .chan = rt_after(HOUR), .dir = RT_RECV },
                             { .chan = rt_after(5 * MS), .dir = RT_RECV } };
  say("%d ", rt_select(cases, 2));
}
CASE(after_channels_tell_when_they_were_due,
     "time.After: the value is the time at which it was due, however late it is received",
     PRINTS("true true true "))
{
  static const int delay[] = { 70, 10, 100, 40 };
  int64_t at[N_ELEM(delay)];
  struct rt_chan *channels[N_ELEM(delay)];
  for (size_t i = 0; i < N_ELEM(delay); i++)
    channels[i] = rt_after(delay[i] * MS);
  rt_sleep(120 * MS);
  for (size_t i = 0; i < N_ELEM(delay); i++)
    rt_chan_recv(channels[i], &at[i]);
  say("%s %s %s ", truth(at[1] < at[3]), truth(at[3] < at[0]), truth(at[0] < at[2]));
}

CASE(after_channel_is_served_by_who_polls_it,
     "runtime, maybeRunChan: a timer's channel is looked at by who receives, not by the scheduler",
     PRINTS("true 0 "))
{
  c = rt_after(MS);
  rt_after_func(0, fire, NULL); /* due at once, and nobody comes by to run it */
  int64_t start = rt_now();
  while (!rt_chan_try_recv(c, NULL, NULL) && rt_now() - start < 5000 * MS)
    ;
  say("%s %d ", truth(rt_now() - start < 5000 * MS), fired);
}
CASE(after_channel_is_served_by_a_select_with_default,
     "runtime, selectgo: the same for the cases of a select", PRINTS("1 "))
{
  struct rt_case cases[] = { { .chan = rt_after(HOUR), .dir = RT_RECV },
                             { .chan = rt_after(MS), .dir = RT_RECV } };
  int chosen;
  while ((chosen = rt_select_default(cases, 2)) < 0)
    ;
  say("%d ", chosen);
}
CASE(after_channel_waited_for_again,
     "runtime, blockTimerChan: a timer that was left is waited for again", PRINTS("10 timer "))
{
  int v = 0, n = 0;
  struct rt_chan *limit = rt_after(10 * MS);
  blocker = ints(0);
  c = ints(0);
  for (; n < 10; n++) {
    go(put_num, NUM(n));
    struct rt_case cases[] = { { .chan = c, .dir = RT_RECV, .elem = &v },
                               { .chan = limit, .dir = RT_RECV } };
    if (rt_select(cases, 2) != 0)
      break;
  }
  say("%d ", n);
  struct rt_case last[] = { { .chan = blocker, .dir = RT_RECV },
                            { .chan = limit, .dir = RT_RECV } };
  say(rt_select(last, 2) == 1 ? "timer " : "wrong ");
}
CASE(deadlock_with_an_after_channel,
     "runtime, checkdead: a timer on whose channel nobody waits is in no heap",
     DEADLOCK("select (no cases)"))
{
  rt_after(HOUR);
  rt_select(NULL, 0);
}

/* ---- tickers ---- */

CASE(ticker_ticks, "time.NewTicker: sends the time after each tick", PRINTS("tick tick tick "))
{
  struct rt_ticker *t = rt_ticker_new(2 * MS);
  for (int i = 0; i < 3; i++) {
    rt_chan_recv(rt_ticker_chan(t), NULL);
    say("tick ");
  }
  rt_ticker_stop(t);
}
CASE(ticker_drops_late_ticks, "time.NewTicker: drops ticks to make up for slow receivers",
     PRINTS("true "))
{
  struct rt_ticker *t = rt_ticker_new(20 * MS);
  int64_t first, second;
  rt_sleep(130 * MS);
  rt_chan_recv(rt_ticker_chan(t), &first);
  rt_chan_recv(rt_ticker_chan(t), &second);
  say("%s ", truth(second - first >= 60 * MS));
}
CASE(ticker_reset_drops_the_old_tick, "time, since Go 1.23: no stale value after Reset",
     PRINTS("none "))
{
  struct rt_ticker *t = rt_ticker_new(2 * MS);
  rt_sleep(10 * MS);
  rt_ticker_reset(t, HOUR);
  say(rt_chan_try_recv(rt_ticker_chan(t), NULL, NULL) ? "got " : "none ");
}
CASE(ticker_period_is_at_least, "time.NewTicker: n ticks take n periods", PRINTS("true "))
{
  int64_t start = rt_now();
  struct rt_ticker *t = rt_ticker_new(2 * MS);
  for (int i = 0; i < 10; i++)
    rt_chan_recv(rt_ticker_chan(t), NULL);
  say("%s ", truth(rt_now() - start >= 20 * MS));
}
CASE(ticker_stop_stops, "time.Ticker.Stop: after Stop, no more ticks will be sent",
     PRINTS("none none "))
{
  struct rt_ticker *t = rt_ticker_new(2 * MS);
  rt_sleep(10 * MS);
  rt_ticker_stop(t);
  say(rt_chan_try_recv(rt_ticker_chan(t), NULL, NULL) ? "got " : "none ");
  rt_sleep(10 * MS);
  say(rt_chan_try_recv(rt_ticker_chan(t), NULL, NULL) ? "got " : "none ");
}
FN(receive_tick)
{
  rt_chan_recv(rt_ticker_chan(arg), NULL);
  say("not-reached ");
}
CASE(ticker_stop_does_not_close, "time.Ticker.Stop: does not close the channel", PRINTS("end "))
{
  struct rt_ticker *t = rt_ticker_new(HOUR);
  go(receive_tick, t);
  settle();
  rt_ticker_stop(t);
  settle();
  say("end ");
}
CASE(ticker_reset_restarts, "time.Ticker.Reset: stops and resets its period; also after Stop",
     PRINTS("tick tick "))
{
  struct rt_ticker *t = rt_ticker_new(HOUR);
  rt_ticker_reset(t, 2 * MS);
  rt_chan_recv(rt_ticker_chan(t), NULL);
  say("tick ");
  rt_ticker_stop(t);
  rt_ticker_reset(t, 2 * MS);
  rt_chan_recv(rt_ticker_chan(t), NULL);
  say("tick ");
}
CASE(ticker_of_zero, "time.NewTicker: the duration must be greater than zero; if not, it panics",
     PANICS("non-positive interval for NewTicker"))
{
  rt_ticker_new(0);
}
CASE(ticker_reset_to_negative, "time.Ticker.Reset: the duration must be greater than zero",
     PANICS("non-positive interval for Ticker.Reset"))
{
  rt_ticker_reset(rt_ticker_new(HOUR), -1);
}
CASE(ticker_alone_is_a_deadlock,
     "runtime, checkdead: a ticker that nobody receives from wakes nobody",
     DEADLOCK("chan receive"))
{
  rt_ticker_new(MS);
  take(ints(0));
}
CASE(ticker_left_is_a_deadlock, "runtime, checkdead: nor when somebody has received from it before",
     PRINTS("tick "), DEADLOCK("chan receive"))
{
  rt_chan_recv(rt_ticker_chan(rt_ticker_new(MS)), NULL);
  say("tick ");
  take(ints(0));
}
static long switches(void)
{
  struct rusage used;
  getrusage(RUSAGE_SELF, &used);
  return used.ru_nvcsw;
}
CASE(ticker_that_nobody_receives_from_sleeps,
     "runtime, needsAdd: a ticker that nobody receives from wakes no thread", PRINTS("true "))
{
  for (int i = 0; i < 100; i++)
    rt_ticker_new(MS / 10 + i * MS / 1000);
  long before = switches();
  rt_sleep(200 * MS);
  say("%s ", truth(switches() - before < 500)); /* else it is thousands */
}
CASE(ticker_stopped_is_a_deadlock, "runtime, checkdead: a stopped ticker wakes nobody",
     DEADLOCK("chan receive"))
{
  struct rt_ticker *t = rt_ticker_new(2 * MS);
  rt_ticker_stop(t);
  rt_chan_recv(rt_ticker_chan(t), NULL);
}
