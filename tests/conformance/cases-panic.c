/* SPDX-License-Identifier: MIT */
/* cases-panic.c - what is left of a program that a panic ends: nested, repeated and recovered panics' texts. */
#include "case.h"

static struct rt_mutex mu;
static struct rt_chan *c;

FN(panic_with)
{
  rt_panic(arg);
}
FN(recover_quietly)
{
  rt_recover(NULL);
}

CASE(panic_runs_deferred_calls_first,
     "spec, Handling panics: deferred calls run, then the error is reported", PRINTS("deferred "),
     PANICS("boom"))
{
  RT_FRAME(fr, { return; });
  RT_DEFER(fr, say_word, "deferred");
  rt_panic("boom");
}

FN(panics_with_deferred)
{
  RT_FRAME(fr, { return; });
  RT_DEFER(fr, say_word, "callee");
  rt_panic("boom");
}
CASE(panic_runs_the_callers_deferred_calls,
     "spec, Handling panics: then any functions deferred by F's caller", PRINTS("callee caller "),
     PANICS("boom"))
{
  RT_FRAME(fr, { return; });
  RT_DEFER(fr, say_word, "caller");
  panics_with_deferred(NULL);
}

CASE(panic_of_a_goroutine_kills_the_program,
     "spec, Handling panics: up to the top of the goroutine; then the program ends",
     PRINTS("callee "), PANICS_IN_G("boom"))
{
  go(panics_with_deferred, NULL);
  settle();
  say("not reached ");
}

FN(wake_main_and_yield)
{
  put(c, 1);
  for (int i = 0; i < num(arg); i++)
    rt_yield();
  say("yielded ");
}
FN(panics_while_main_returns)
{
  RT_FRAME(fr, { return; });
  RT_DEFER(fr, wake_main_and_yield, NUM(10));
  rt_panic("boom");
}
CASE(panic_while_main_returns,
     "runtime, main: as long as a panicking goroutine runs deferred calls", PRINTS("main yielded "),
     PANICS_IN_G("boom"))
{
  c = ints(1);
  go(panics_while_main_returns, NULL);
  take(c);
  say("main ");
}

static void main_waits_with_deferred(void)
{
  RT_FRAME(fr, { return; });
  RT_DEFER(fr, say_word, "not-reached");
  go(panic_with, "boom");
  take(c);
}
CASE(panic_runs_no_deferred_calls_of_others,
     "spec, Handling panics: other goroutines' deferred calls do not run", PANICS_IN_G("boom"))
{
  c = ints(0);
  main_waits_with_deferred();
}

/* ---- nested ---- */

CASE(panic_in_a_deferred_call, "runtime, printpanics: the older panic first, each on its line",
     PANICS("first\n\tpanic: second"))
{
  RT_FRAME(fr, { return; });
  RT_DEFER(fr, panic_with, "second");
  rt_panic("first");
}

CASE(panic_three_deep, "runtime, printpanics: all of the chain",
     PANICS("1\n\tpanic: 2\n\tpanic: 3"))
{
  RT_FRAME(fr, { return; });
  RT_DEFER(fr, panic_with, "3");
  RT_DEFER(fr, panic_with, "2");
  rt_panic("1");
}

FN(panics_inside)
{
  RT_FRAME(fr, { return; });
  RT_DEFER(fr, panic_with, "3");
  rt_panic("2");
}
CASE(panic_inside_a_panic_inside, "runtime, printpanics: nested in the deferred call",
     PANICS("1\n\tpanic: 2\n\tpanic: 3"))
{
  RT_FRAME(fr, { return; });
  RT_DEFER(fr, panics_inside, NULL);
  rt_panic("1");
}

FN(recover_panic_new)
{
  struct rt_value v;
  if (rt_recover(&v))
    rt_panic("new");
}
CASE(panic_after_recover, "runtime, printpanics: the recovered one is marked [recovered]",
     PANICS("old [recovered]\n\tpanic: new"))
{
  RT_FRAME(fr, { return; });
  RT_DEFER(fr, recover_panic_new, NULL);
  rt_panic("old");
}

FN(repanic)
{
  struct rt_value v;
  if (rt_recover(&v))
    rt_panic_value(v);
}
CASE(panic_repeated, "Go 1.26 runtime, printpanics: the same value is printed once",
     PANICS("same [recovered, repanicked]"))
{
  RT_FRAME(fr, { return; });
  RT_DEFER(fr, repanic, NULL);
  rt_panic("same");
}
CASE(panic_repeated_twice, "Go 1.26 runtime, printpanics: once, however often repeated",
     PANICS("same [recovered, repanicked]"))
{
  RT_FRAME(fr, { return; });
  RT_DEFER(fr, repanic, NULL);
  RT_DEFER(fr, repanic, NULL);
  rt_panic("same");
}
CASE(panic_repeated_then_new, "runtime, printpanics: repeated, then recovered by another",
     PANICS("same [recovered, repanicked]\n\tpanic: new"))
{
  RT_FRAME(fr, { return; });
  RT_DEFER(fr, recover_panic_new, NULL);
  RT_DEFER(fr, repanic, NULL);
  rt_panic("same");
}
CASE(panic_new_then_repeated, "runtime, printpanics: a new one, repeated",
     PANICS("old [recovered]\n\tpanic: new [recovered, repanicked]"))
{
  RT_FRAME(fr, { return; });
  RT_DEFER(fr, repanic, NULL);
  RT_DEFER(fr, recover_panic_new, NULL);
  rt_panic("old");
}
static void repanic_int(void *unused)
{
  struct rt_value v;
  (void)unused;
  if (rt_recover(&v))
    rt_panic_value(v);
}
CASE(panic_int_repeated, "Go 1.26 runtime, printpanics: values of any type",
     PANICS("5 [recovered, repanicked]"))
{
  RT_FRAME(fr, { return; });
  RT_DEFER(fr, repanic_int, NULL);
  rt_panic_value((struct rt_value){ .type = "int", .i = 5 });
}
FN(panic_equal_text)
{
  static char text[] = "same";
  rt_recover(NULL);
  rt_panic(text);
}
CASE(panic_repeated_with_equal_text,
     "Go 1.26 runtime, printpanics: equal strings elsewhere in memory are not the same value",
     PANICS("same [recovered]\n\tpanic: same"))
{
  RT_FRAME(fr, { return; });
  RT_DEFER(fr, panic_equal_text, NULL);
  rt_panic("same");
}
FN(panic_without_recover)
{
  rt_panic("again");
}
CASE(panic_same_without_recover, "runtime, printpanics: not recovered, so not marked",
     PANICS("again\n\tpanic: other"))
{
  RT_FRAME(fr, { return; });
  RT_DEFER(fr, panic_with, "other");
  panic_without_recover(NULL);
}

FN(recovers_inside)
{
  RT_FRAME(fr, { return; });
  RT_DEFER(fr, recover_quietly, NULL);
  rt_panic("inner");
}
CASE(panic_with_an_inner_recovered, "runtime, printpanics: a panic that is over is not printed",
     PANICS("outer"))
{
  RT_FRAME(fr, { return; });
  RT_DEFER(fr, recovers_inside, NULL);
  rt_panic("outer");
}
CASE(panic_after_a_recovered_one, "runtime, printpanics: nor is one before", PANICS("later"))
{
  recovers_inside(NULL);
  rt_panic("later");
}

static void superseded_by_recovered(void)
{
  RT_FRAME(fr, { return; });
  RT_DEFER(fr, recover_quietly, NULL);
  RT_DEFER(fr, panic_with, "second");
  rt_panic("first");
}
CASE(panic_after_an_aborted_one, "runtime, printpanics: an aborted panic is not printed",
     PANICS("third"))
{
  superseded_by_recovered();
  rt_panic("third");
}

FN(panic_error)
{
  rt_chan_close(c);
}
CASE(panic_of_the_runtime_while_panicking, "runtime, printpanics: run-time panics in the chain",
     PANICS("first\n\tpanic: close of nil channel"))
{
  RT_FRAME(fr, { return; });
  RT_DEFER(fr, panic_error, NULL);
  rt_panic("first");
}
CASE(panic_of_the_runtime_repeated, "Go 1.26 runtime, printpanics: a run-time error, re-panicked",
     PANICS("close of nil channel [recovered, repanicked]"))
{
  RT_FRAME(fr, { return; });
  RT_DEFER(fr, repanic, NULL);
  rt_chan_close(NULL);
}
CASE(panic_lines_in_a_chain, "runtime, printpanics: lines of every value are indented",
     PANICS("a\n\tb [recovered]\n\tpanic: new"))
{
  RT_FRAME(fr, { return; });
  RT_DEFER(fr, recover_panic_new, NULL);
  rt_panic("a\nb");
}

/* ---- and then a fatal error ---- */

FN(unlock_unlocked)
{
  rt_mutex_unlock(&mu);
}
FN(recover_unlock)
{
  rt_recover(NULL);
  rt_mutex_unlock(&mu);
}
FN(repanic_unlock)
{
  RT_FRAME(fr, { return; });
  RT_DEFER(fr, unlock_unlocked, NULL);
  struct rt_value v;
  if (rt_recover(&v))
    rt_panic_value(v);
}
#define PANICS_THEN_FATAL(text)                                                                    \
  PANICS_ERR("panic: " text "\n\tfatal error: sync: unlock of unlocked mutex")

CASE(panic_then_fatal_error,
     "Go 1.26 runtime, fatal: panics in progress are printed first, the error as the next of them",
     PANICS_THEN_FATAL("a\n\tb"))
{
  RT_FRAME(fr, { return; });
  RT_DEFER(fr, unlock_unlocked, NULL);
  rt_panic("a\nb");
}
CASE(panic_recovered_then_fatal_error, "Go 1.26 runtime, fatal: with its mark",
     PANICS_THEN_FATAL("boom [recovered]"))
{
  RT_FRAME(fr, { return; });
  RT_DEFER(fr, recover_unlock, NULL);
  rt_panic("boom");
}
CASE(panic_repeated_then_fatal_error, "Go 1.26 runtime, fatal: with both marks",
     PANICS_THEN_FATAL("boom [recovered, repanicked]"))
{
  RT_FRAME(fr, { return; });
  RT_DEFER(fr, repanic_unlock, NULL);
  rt_panic("boom");
}
CASE(panic_over_then_fatal_error, "Go 1.26 runtime, fatal: a panic that is over is not printed",
     PRINTS("recovered: over "), FATAL("sync: unlock of unlocked mutex", "running"))
{
  catch_panic(panic_with, "over");
  rt_mutex_unlock(&mu);
}

/* ---- while others do things ---- */

FN(lock_in_deferred)
{
  rt_mutex_lock(&mu);
  say("locked ");
}
CASE(panic_deferred_call_may_lock, "spec, Handling panics: deferred functions run as usual",
     PRINTS("locked "), PANICS("boom"))
{
  RT_FRAME(fr, { return; });
  RT_DEFER(fr, lock_in_deferred, NULL);
  rt_panic("boom");
}

FN(sleep_in_deferred)
{
  rt_sleep(5 * MS);
  say("slept ");
}
FN(say_running)
{
  say("others-run ");
}
CASE(panic_lets_others_run_meanwhile,
     "spec, Handling panics: a panic stops nobody else until the program ends",
     PRINTS("others-run slept "), PANICS("boom"))
{
  RT_FRAME(fr, { return; });
  RT_DEFER(fr, sleep_in_deferred, NULL);
  go(say_running, NULL);
  rt_panic("boom");
}

FN(take_for_ever)
{
  take(c);
}
CASE(panic_deferred_call_that_never_ends,
     "runtime, checkdead: a panicking goroutine that waits can be part of a deadlock",
     DEADLOCK("chan receive"))
{
  c = ints(0);
  RT_FRAME(fr, { return; });
  RT_DEFER(fr, take_for_ever, NULL);
  rt_panic("boom");
}

FN(exit_four)
{
  exit(4);
}
CASE(panic_deferred_call_that_exits, "os.Exit: ends the program at once, also during a panic",
     EXITS(4))
{
  RT_FRAME(fr, { return; });
  RT_DEFER(fr, exit_four, NULL);
  rt_panic("boom");
}

CASE(panic_in_timer_function,
     "time.AfterFunc: calls f in its own goroutine; its panic ends the program",
     PANICS_IN_G("late"))
{
  rt_after_func(2 * MS, panic_with, "late");
  rt_sleep(3600000 * MS);
}

CASE(panic_in_once, "sync.Once: if f panics, Do considers it to have returned; the panic goes on",
     PANICS("in once"))
{
  static struct rt_once once;
  rt_once_do(&once, panic_with, "in once");
}

/* ---- after a recovery; these end like those of Go's own runtime tests (crash_test.go) ---- */

FN(wrap)
{
  struct rt_value v;
  static char text[64];
  if (!rt_recover(&v))
    return;
  snprintf(text, sizeof text, "wrap: %s", v.s);
  rt_panic(text);
}
FN(wrapped)
{
  RT_FRAME(fr, { return; });
  RT_DEFER(fr, wrap, NULL);
  rt_panic("bad");
}
CASE(panic_wrapped_recovered_then_another,
     "runtime, RecursivePanic: what was recovered is not printed", PRINTS("recovered: wrap: bad "),
     PANICS("again"))
{
  catch_panic(wrapped, NULL);
  rt_panic("again");
}

FN(recover_then_second)
{
  struct rt_value v;
  if (rt_recover(&v))
    say("recovered: %s ", v.s);
  rt_panic("second");
}
FN(first_then_second)
{
  RT_FRAME(fr, { return; });
  RT_DEFER(fr, recover_then_second, NULL);
  rt_panic("first");
}
CASE(panic_second_recovered_then_third,
     "runtime, RecursivePanic2: two recovered, the third ends the program",
     PRINTS("recovered: first recovered: second "), PANICS("third"))
{
  catch_panic(first_then_second, NULL);
  rt_panic("third");
}

CASE(panic_in_what_remains_after_recovery,
     "runtime, printpanics: a deferred call that runs after the recovery panics on its own",
     PANICS("second"))
{
  RT_FRAME(fr, { return; });
  RT_DEFER(fr, panic_with, "second");
  RT_DEFER(fr, recover_quietly, NULL);
  rt_panic("first");
}

static void three_levels(int n)
{
  static const char *const texts[] = { "1", "2", "3" };
  RT_FRAME(fr, { return; });
  RT_DEFER(fr, panic_with, (void *)(uintptr_t)texts[n]);
  if (n == 0)
    rt_panic("0");
  three_levels(n - 1);
}
FN(call_three_levels)
{
  three_levels(2);
}
CASE(panic_on_each_level_recovered_at_the_top,
     "runtime, panic.go: recovering the newest ends all that it passed", PRINTS("recovered: 3 "),
     PANICS("after"))
{
  catch_panic(call_three_levels, NULL);
  rt_panic("after");
}
CASE(panic_on_each_level, "runtime, printpanics: the whole chain",
     PANICS("0\n\tpanic: 1\n\tpanic: 2\n\tpanic: 3"))
{
  three_levels(2);
}

FN(panic_over_recovered)
{
  struct rt_value v;
  rt_recover(&v);
  wrapped(NULL);
}
CASE(panic_chain_of_recovered_ones, "runtime, printpanics: [recovered] for each that was",
     PANICS("first [recovered]\n\tpanic: bad [recovered]\n\tpanic: wrap: bad"))
{
  RT_FRAME(fr, { return; });
  RT_DEFER(fr, panic_over_recovered, NULL);
  rt_panic("first");
}

FN(inner_then_recover_outer)
{
  superseded_by_recovered();
  struct rt_value v;
  if (rt_recover(&v))
    say("recovered: %s ", v.s);
}
CASE(panic_outer_recovered_after_an_inner_chain,
     "spec, Handling panics: an inner chain that is over leaves the outer recoverable",
     PRINTS("recovered: outer "))
{
  RT_FRAME(fr, { return; });
  RT_DEFER(fr, inner_then_recover_outer, NULL);
  rt_panic("outer");
}
