/* SPDX-License-Identifier: MIT */
/* cases-goexit.c - runtime.Goexit: alone, in deferred calls, around panics, and of the main goroutine. */
#include "case.h"

static struct rt_chan *c;

FN(goexits)
{
  rt_goexit();
}
FN(panic_with)
{
  rt_panic(arg);
}

FN(goexit_with_deferred)
{
  RT_FRAME(fr, { return; });
  RT_DEFER(fr, say_word, "first");
  RT_DEFER(fr, say_word, "second");
  rt_goexit();
}
CASE(goexit_runs_deferred_calls,
     "runtime.Goexit: runs all deferred calls before terminating the goroutine",
     PRINTS("second first main "))
{
  go(goexit_with_deferred, NULL);
  settle();
  say("main ");
}

static void deep_goexit(int n)
{
  RT_FRAME(fr, { return; });
  RT_DEFER(fr, say_word, "level");
  if (n == 0)
    rt_goexit();
  deep_goexit(n - 1);
  say("not-reached ");
}
FN(start_deep_goexit)
{
  deep_goexit(2);
  say("not-reached ");
}
CASE(goexit_runs_the_callers_deferred_calls, "runtime.Goexit: of all frames of the goroutine",
     PRINTS("level level level "))
{
  go(start_deep_goexit, NULL);
  settle();
}

FN(goexit_recover)
{
  RT_FRAME(fr, { return; });
  RT_DEFER(fr, recover_say, NULL);
  rt_goexit();
}
CASE(goexit_is_no_panic,
     "runtime.Goexit: any recover calls in those deferred functions will return nil",
     PRINTS("nothing "))
{
  go(goexit_recover, NULL);
  settle();
}

CASE(goexit_ends_only_its_goroutine, "runtime.Goexit: no other goroutine is affected", PRINTS("1 "))
{
  go(goexits, NULL);
  settle();
  say("%d ", rt_num_goroutine());
}

/* ---- in deferred calls ---- */

FN(returns_into_goexit)
{
  RT_FRAME(fr, { return; });
  RT_DEFER(fr, say_word, "first");
  RT_DEFER(fr, goexits, NULL);
  say("body ");
}
FN(calls_returns_into_goexit)
{
  RT_FRAME(fr, { return; });
  RT_DEFER(fr, say_word, "caller");
  returns_into_goexit(NULL);
  say("not-reached ");
}
CASE(goexit_in_a_deferred_call,
     "runtime.Goexit: in a deferred call it runs the rest and ends the goroutine",
     PRINTS("body first caller "))
{
  go(calls_returns_into_goexit, NULL);
  settle();
}

FN(goexit_twice)
{
  RT_FRAME(fr, { return; });
  RT_DEFER(fr, say_word, "first");
  RT_DEFER(fr, goexits, NULL);
  RT_DEFER(fr, goexits, NULL);
  rt_goexit();
}
CASE(goexit_in_goexit, "runtime.Goexit: a nested one goes on with what is left",
     PRINTS("first main "))
{
  go(goexit_twice, NULL);
  settle();
  say("main ");
}

/* ---- and panics ---- */

FN(goexit_during_panic)
{
  RT_FRAME(fr, { return; });
  RT_DEFER(fr, recover_say, NULL);
  RT_DEFER(fr, goexits, NULL);
  rt_panic("dropped");
}
CASE(goexit_during_a_panic_drops_it,
     "runtime, panic.go: a Goexit aborts the panics whose deferred calls it ends",
     PRINTS("nothing main "))
{
  go(goexit_during_panic, NULL);
  settle();
  say("main ");
}

FN(recover_then_goexit)
{
  recover_say(NULL);
  if (rt_recover(NULL))
    say("recovered ");
  rt_goexit();
}
FN(panic_recover_goexit)
{
  RT_FRAME(fr, { return; });
  RT_DEFER(fr, say_word, "first");
  RT_DEFER(fr, recover_then_goexit, NULL);
  rt_panic("boom");
}
CASE(goexit_after_recover,
     "runtime.Goexit: after recover in the same deferred call, ends the goroutine",
     PRINTS("nothing recovered first main "))
{
  go(panic_recover_goexit, NULL);
  settle();
  say("main ");
}

FN(panics_recovered)
{
  RT_FRAME(fr, { return; });
  RT_DEFER(fr, recover_say, NULL);
  rt_panic("inside");
}
FN(goexit_panic_inside)
{
  RT_FRAME(fr, { return; });
  RT_DEFER(fr, say_word, "first");
  RT_DEFER(fr, panics_recovered, NULL);
  rt_goexit();
}
CASE(goexit_with_a_panic_recovered_inside,
     "runtime.Goexit: a deferred call's panic, recovered in it, changes nothing",
     PRINTS("recovered: inside first main "))
{
  go(goexit_panic_inside, NULL);
  settle();
  say("main ");
}

FN(goexit_panic_recovered_beyond)
{
  RT_FRAME(fr, { return; });
  RT_DEFER(fr, say_word, "first");
  RT_DEFER(fr, recover_say, NULL);
  RT_DEFER(fr, panic_with, "beyond");
  rt_goexit();
}
FN(call_goexit_panic_recovered_beyond)
{
  RT_FRAME(fr, { return; });
  RT_DEFER(fr, say_word, "caller");
  goexit_panic_recovered_beyond(NULL);
  say("not-reached ");
}
CASE(goexit_goes_on_after_a_recovered_panic,
     "runtime, panic.go: recovering a panic raised during a Goexit resumes the Goexit",
     PRINTS("recovered: beyond first caller main "))
{
  go(call_goexit_panic_recovered_beyond, NULL);
  settle();
  say("main ");
}

FN(goexit_panic_unrecovered)
{
  RT_FRAME(fr, { return; });
  RT_DEFER(fr, say_word, "first");
  RT_DEFER(fr, panic_with, "fatal one");
  rt_goexit();
}
CASE(goexit_with_an_unrecovered_panic,
     "runtime, printpanics: a panic during Goexit ends the program", PRINTS("first "),
     PANICS_IN_G("fatal one"))
{
  go(goexit_panic_unrecovered, NULL);
  settle();
  say("not reached ");
}

FN(goexit_between_panics)
{
  RT_FRAME(fr, { return; });
  RT_DEFER(fr, panic_with, "newer");
  RT_DEFER(fr, goexits, NULL);
  rt_panic("older");
}
CASE(goexit_between_two_panics, "runtime, printpanics: the chain leaves a Goexit out",
     PANICS_IN_G("older\n\tpanic: newer"))
{
  go(goexit_between_panics, NULL);
  settle();
}

FN(unlock_unlocked)
{
  static struct rt_mutex mu;
  rt_mutex_unlock(&mu);
}
FN(goexit_then_unlock)
{
  RT_FRAME(fr, { return; });
  RT_DEFER(fr, unlock_unlocked, NULL);
  rt_goexit();
}
CASE(goexit_then_fatal_error, "Go 1.26 runtime, fatal: a Goexit in progress is a tab and no text",
     PANICS_ERR_IN_G("\tfatal error: sync: unlock of unlocked mutex"))
{
  go(goexit_then_unlock, NULL);
  settle();
}

/* ---- of main ---- */

FN(sleep_then_exit)
{
  rt_sleep(5 * MS);
  say("other ");
  exit(0);
}
CASE(goexit_of_main_lets_others_run,
     "runtime.Goexit: from main, the program continues execution of other goroutines",
     PRINTS("other "))
{
  go(sleep_then_exit, NULL);
  rt_goexit();
}

FN(say_other)
{
  rt_sleep(5 * MS);
  say("other ");
}
CASE(goexit_of_main_then_none_left,
     "runtime.Goexit: if all other goroutines exit, the program crashes", PRINTS("other "),
     .code = 2, .err = "fatal error: no goroutines (main called runtime.Goexit) - deadlock!\n")
{
  go(say_other, NULL);
  rt_goexit();
}
CASE(goexit_of_main_alone, "runtime.Goexit: also if there is no other", .code = 2,
     .err = "fatal error: no goroutines (main called runtime.Goexit) - deadlock!\n")
{
  rt_goexit();
}
CASE(goexit_of_main_runs_its_deferred_calls, "runtime.Goexit: of main too", PRINTS("deferred "),
     .code = 2, .err = "fatal error: no goroutines (main called runtime.Goexit) - deadlock!\n")
{
  RT_FRAME(fr, { return; });
  RT_DEFER(fr, say_word, "deferred");
  rt_goexit();
}
FN(take_for_ever)
{
  take(c);
}
CASE(goexit_of_main_while_others_wait, "runtime, checkdead: the others are asleep: deadlock",
     .code = 2,
     .err = "fatal error: all goroutines are asleep - deadlock!\n\ngoroutine N [chan receive]:\n")
{
  c = ints(0);
  go(take_for_ever, NULL);
  settle();
  rt_goexit();
}

FN(panic_in_main_goexit)
{
  rt_panic("at the end");
}
CASE(goexit_of_main_with_panic, "runtime, printpanics: a panic of a deferred call of main's Goexit",
     PANICS("at the end"))
{
  RT_FRAME(fr, { return; });
  RT_DEFER(fr, panic_in_main_goexit, NULL);
  rt_goexit();
}

FN(locks_thread_and_exits)
{
  rt_lock_os_thread();
  rt_goexit();
}
CASE(goexit_while_locked_to_a_thread,
     "runtime.LockOSThread: a goroutine that exits locked takes its thread with it", PRINTS("1 "))
{
  for (int i = 0; i < 10; i++)
    go(locks_thread_and_exits, NULL);
  while (rt_num_goroutine() > 1)
    rt_sleep(MS);
  say("%d ", rt_num_goroutine());
}

FN(done)
{
  rt_waitgroup_done(arg);
}
FN(goexit_counted)
{
  RT_FRAME(fr, { return; });
  RT_DEFER(fr, done, arg);
  rt_goexit();
}
CASE(goexit_with_waitgroup, "sync.WaitGroup: deferred Done runs on Goexit, too", PROCS(4),
     PRINTS("done "))
{
  static struct rt_waitgroup wg;
  rt_waitgroup_add(&wg, 1000);
  for (int i = 0; i < 1000; i++)
    go(goexit_counted, &wg);
  rt_waitgroup_wait(&wg);
  say("done ");
}

FN(quietly)
{
  rt_recover(NULL);
}
FN(goexit_in_the_rest)
{
  RT_FRAME(fr, { return; });
  RT_DEFER(fr, say_word, "first");
  RT_DEFER(fr, goexits, NULL);
  RT_DEFER(fr, quietly, NULL);
  rt_panic("boom");
}
FN(call_goexit_in_the_rest)
{
  RT_FRAME(fr, { return; });
  RT_DEFER(fr, say_word, "caller");
  goexit_in_the_rest(NULL);
  say("not-reached ");
}
CASE(goexit_in_what_remains_after_recovery,
     "runtime.Goexit: from a deferred call that runs after the recovery",
     PRINTS("first caller main "))
{
  go(call_goexit_in_the_rest, NULL);
  settle();
  say("main ");
}

FN(goexit_panic_recover_goexit)
{
  RT_FRAME(fr, { return; });
  RT_DEFER(fr, say_word, "first");
  RT_DEFER(fr, goexits, NULL);
  RT_DEFER(fr, recover_say, NULL);
  RT_DEFER(fr, panic_with, "between");
  rt_goexit();
}
CASE(goexit_again_after_a_recovered_panic, "runtime.Goexit: a second one in the resumed first one",
     PRINTS("recovered: between first main "))
{
  go(goexit_panic_recover_goexit, NULL);
  settle();
  say("main ");
}

FN(goexit_during_panic_silent)
{
  RT_FRAME(fr, { return; });
  RT_DEFER(fr, goexits, NULL);
  rt_panic("hello");
}
CASE(goexit_in_panic_and_of_main, "runtime, GoexitInPanic: both end without a panic's text",
     .code = 2, .err = "fatal error: no goroutines (main called runtime.Goexit) - deadlock!\n")
{
  go(goexit_during_panic_silent, NULL);
  rt_goexit();
}

CASE(goexit_of_main_after_a_recovered_panic,
     "runtime, RecoverBeforePanicAfterGoexit: the Goexit does not disappear", .code = 2,
     .err = "fatal error: no goroutines (main called runtime.Goexit) - deadlock!\n")
{
  RT_FRAME(fr, { return; });
  RT_DEFER(fr, quietly, NULL);
  RT_DEFER(fr, panic_with, "hello");
  rt_goexit();
}

FN(repanic_in_goexit)
{
  struct rt_value v;
  if (rt_recover(&v))
    rt_panic_value(v);
}
FN(goexit_panic_repanic)
{
  RT_FRAME(fr, { return; });
  RT_DEFER(fr, repanic_in_goexit, NULL);
  RT_DEFER(fr, panic_with, "same");
  rt_goexit();
}
CASE(goexit_with_a_repeated_panic, "Go 1.26 runtime, printpanics: repeated, with a Goexit below",
     PANICS_IN_G("same [recovered, repanicked]"))
{
  go(goexit_panic_repanic, NULL);
  settle();
}
