/* SPDX-License-Identifier: MIT */
/* cases-recover.c - recover: when it stops a panic and when it does not, and where the program goes on. */
#include "case.h"

static struct rt_chan *c;

static void say_verdict(bool recovered)
{
  say(recovered ? "yes " : "no ");
}
FN(recover_quietly)
{
  rt_recover(NULL);
}
FN(panic_with)
{
  rt_panic(arg);
}

CASE(recover_without_panic,
     "spec, Handling panics: recover returns nil when the goroutine is not panicking",
     PRINTS("no "))
{
  say_verdict(rt_recover(NULL));
}

static void returns_normally(void)
{
  RT_FRAME(fr, { return; });
  RT_DEFER(fr, recover_say, NULL);
}
CASE(recover_at_a_normal_return,
     "spec, Handling panics: nil, in a deferred call of a function that returns",
     PRINTS("nothing "))
{
  returns_normally();
}

static void panics_and_recovers(void)
{
  RT_FRAME(fr, { return; });
  RT_DEFER(fr, recover_say, NULL);
  rt_panic("boom");
}
CASE(recover_stops_the_panic,
     "spec, Handling panics: the panicking sequence stops, normal execution resumes",
     PRINTS("recovered: boom after "))
{
  panics_and_recovers();
  say("after ");
}

static __attribute__((noinline)) bool helper_recovers(void)
{
  bool recovered = rt_recover(NULL);
  return recovered;
}
FN(by_helper)
{
  volatile bool recovered = helper_recovers();
  say_verdict(recovered);
}
static void helped(void)
{
  RT_FRAME(fr, { return; });
  RT_DEFER(fr, recover_say, NULL);
  RT_DEFER(fr, by_helper, NULL);
  rt_panic("boom");
}
CASE(recover_in_a_helper,
     "spec, Handling panics: nil if recover was not called directly by a deferred function",
     PRINTS("no recovered: boom "))
{
  helped();
}

/* The last thing that it does, so compilers that optimise make a jump of it. */
static __attribute__((noinline)) void recover_in_turn(void *unused)
{
  recover_say(unused);
}
CASE(recover_in_a_helper_called_last,
     "spec, Handling panics: nor if that call is the last thing that the deferred function does",
     PRINTS("nothing "), PANICS("boom"))
{
  RT_FRAME(fr, { return; });
  RT_DEFER(fr, recover_in_turn, NULL);
  rt_panic("boom");
}

FN(defers_recover)
{
  RT_FRAME(fr, { return; });
  RT_DEFER(fr, recover_say, NULL);
}
static void nested_deferred(void)
{
  RT_FRAME(fr, { return; });
  RT_DEFER(fr, recover_say, NULL);
  RT_DEFER(fr, defers_recover, NULL);
  rt_panic("boom");
}
CASE(recover_in_a_deferred_call_of_a_deferred_call,
     "spec, Handling panics: a call deferred by a deferred function, run as that returns, does not "
     "recover its panic",
     PRINTS("nothing recovered: boom "))
{
  nested_deferred();
}

FN(recover_twice)
{
  say_verdict(rt_recover(NULL));
  say_verdict(rt_recover(NULL));
}
static void twice(void)
{
  RT_FRAME(fr, { return; });
  RT_DEFER(fr, recover_twice, NULL);
  rt_panic("boom");
}
CASE(recover_twice_in_one_call, "spec, Handling panics: a second recover returns nil",
     PRINTS("yes no "))
{
  twice();
}

static void two_deferred(void)
{
  RT_FRAME(fr, { return; });
  RT_DEFER(fr, recover_say, NULL);
  RT_DEFER(fr, recover_say, NULL);
  rt_panic("boom");
}
CASE(recover_in_two_deferred_calls,
     "spec, Handling panics: recovered by the first that runs; the panic is over",
     PRINTS("recovered: boom nothing "))
{
  two_deferred();
}

static void rest_runs(void)
{
  RT_FRAME(fr, { return; });
  RT_DEFER(fr, say_word, "first");
  RT_DEFER(fr, say_word, "second");
  RT_DEFER(fr, recover_say, NULL);
  RT_DEFER(fr, say_word, "last");
  rt_panic("boom");
}
CASE(recover_runs_the_remaining_deferred_calls,
     "spec, Handling panics: remaining deferred functions run, then F returns",
     PRINTS("last recovered: boom second first after "))
{
  rest_runs();
  say("after ");
}

static void level3(void)
{
  RT_FRAME(fr, { return; });
  RT_DEFER(fr, say_word, "level3");
  rt_panic("deep");
}
static void level2(void)
{
  RT_FRAME(fr, { return; });
  RT_DEFER(fr, say_word, "level2");
  level3();
  say("not-reached ");
}
static void level1(void)
{
  RT_FRAME(fr, { return; });
  RT_DEFER(fr, recover_say, NULL);
  level2();
  say("not-reached ");
}
CASE(recover_returns_to_the_callers_caller,
     "spec, Handling panics: state between recover's frame and the panic is discarded",
     PRINTS("level3 level2 recovered: deep after "))
{
  level1();
  say("after ");
}

static __attribute__((noinline)) int through_frames(int n)
{
  if (n < 0)
    return 0;
  if (n == 0)
    rt_panic("bottom");
  volatile int below = through_frames(n - 1);
  return below + 1;
}
FN(deep_panic)
{
  through_frames(num(arg));
}
CASE(recover_through_many_frames, "spec, Handling panics: the sequence goes on up the stack",
     PRINTS("recovered: bottom "))
{
  catch_panic(deep_panic, NUM(200));
}

static void panics_in_deferred_recovered_inside(void *unused)
{
  (void)unused;
  RT_FRAME(fr, { return; });
  RT_DEFER(fr, recover_say, NULL);
  rt_panic("second");
}
static void inner_first(void)
{
  RT_FRAME(fr, { return; });
  RT_DEFER(fr, recover_say, NULL);
  RT_DEFER(fr, panics_in_deferred_recovered_inside, NULL);
  rt_panic("first");
}
CASE(recover_of_a_nested_panic_keeps_the_outer,
     "spec, Handling panics: recovers the innermost; the outer goes on",
     PRINTS("recovered: second recovered: first after "))
{
  inner_first();
  say("after ");
}

static void superseded(void)
{
  RT_FRAME(fr, { return; });
  RT_DEFER(fr, recover_say, NULL);
  RT_DEFER(fr, recover_say, NULL);
  RT_DEFER(fr, panic_with, "second");
  rt_panic("first");
}
CASE(recover_of_a_superseding_panic_ends_both,
     "runtime, panic.go: recovering a newer panic aborts the older one it passed",
     PRINTS("recovered: second nothing after "))
{
  superseded();
  say("after ");
}

FN(recover_and_panic)
{
  struct rt_value v;
  if (rt_recover(&v))
    rt_panic("other");
}
static void replaced(void)
{
  RT_FRAME(fr, { return; });
  RT_DEFER(fr, recover_say, NULL);
  RT_DEFER(fr, recover_and_panic, NULL);
  rt_panic("one");
}
CASE(recover_then_panic_anew, "spec, Handling panics: a deferred function may panic again",
     PRINTS("recovered: other after "))
{
  replaced();
  say("after ");
}

static void again_and_again(void *unused)
{
  (void)unused;
  RT_FRAME(fr, { return; });
  RT_DEFER(fr, recover_quietly, NULL);
  rt_panic("again");
}
CASE(recover_ten_thousand_times, "spec, Handling panics: a recovered goroutine is as before",
     PRINTS("10000 "))
{
  volatile int n = 0;
  for (; n < 10000; n++)
    again_and_again(NULL);
  say("%d ", n);
}

FN(recover_after_parking)
{
  take(c);
  struct rt_value v;
  if (rt_recover(&v))
    say("recovered: %s ", v.s);
}
static void parks_in_panic(void)
{
  RT_FRAME(fr, { return; });
  RT_DEFER(fr, recover_after_parking, NULL);
  rt_panic("boom");
}
FN(put_one)
{
  say("sender ");
  put(c, 1);
}
CASE(recover_after_parking_in_the_deferred_call,
     "spec, Handling panics: a panicking goroutine's deferred calls may block", PROCS(1),
     PRINTS("sender recovered: boom "))
{
  c = ints(0);
  go(put_one, NULL);
  parks_in_panic();
}

FN(panics_in_g)
{
  RT_FRAME(fr, { return; });
  RT_DEFER(fr, recover_say, NULL);
  rt_panic("in g");
}
CASE(recover_in_another_goroutine, "spec, Handling panics: each goroutine recovers its own",
     PRINTS("recovered: in g main goes on "))
{
  go(panics_in_g, NULL);
  settle();
  say("main goes on ");
}

static void calls_panicking_g(void)
{
  RT_FRAME(fr, { return; });
  RT_DEFER(fr, recover_say, NULL);
  go(panic_with, "of another");
  settle();
}
CASE(recover_not_for_other_goroutines,
     "spec, Handling panics: a caller cannot recover a panic of a goroutine it started",
     PANICS_IN_G("of another"))
{
  calls_panicking_g();
}

FN(recover_type)
{
  struct rt_value v;
  if (rt_recover(&v))
    say("%s ", v.type);
}
static void panics_with_int(void)
{
  RT_FRAME(fr, { return; });
  RT_DEFER(fr, recover_type, NULL);
  rt_panic_value((struct rt_value){ .type = "int", .i = 5 });
}
static void panics_with_string(void)
{
  RT_FRAME(fr, { return; });
  RT_DEFER(fr, recover_type, NULL);
  rt_panic("text");
}
CASE(recover_returns_the_value, "spec, Handling panics: recover returns the value passed to panic",
     PRINTS("int string "))
{
  panics_with_int();
  panics_with_string();
}

static void panics_with_nil(void)
{
  RT_FRAME(fr, { return; });
  RT_DEFER(fr, recover_say, NULL);
  rt_panic_value((struct rt_value){ 0 });
}
CASE(recover_of_panic_nil,
     "spec, Handling panics: panic(nil) is a *runtime.PanicNilError since Go 1.21",
     PRINTS("recovered: panic called with nil argument "))
{
  panics_with_nil();
}

FN(call_and_recover_own)
{
  panics_and_recovers(); /* a panic of its own, over when it returns */
  struct rt_value v;
  if (rt_recover(&v))
    say("outer: %s ", v.s);
}
static void inner_use(void)
{
  RT_FRAME(fr, { return; });
  RT_DEFER(fr, call_and_recover_own, NULL);
  rt_panic("theirs");
}
CASE(recover_after_a_panic_of_its_own,
     "runtime, panic.go: an inner panic that is over leaves the outer recoverable",
     PRINTS("recovered: boom outer: theirs "))
{
  inner_use();
}

static void loops_with_defer(void)
{
  RT_FRAME(fr, { return; });
  for (int i = 0; i < 3; i++)
    RT_DEFER_LOOP(fr, recover_say, NULL);
  rt_panic("boom");
}
CASE(recover_by_a_deferred_call_of_a_loop, "spec, Defer: those of a loop recover too",
     PRINTS("recovered: boom nothing nothing "))
{
  loops_with_defer();
}

static void start_recovering(int n)
{
  RT_FRAME(fr, { return; });
  RT_DEFER(fr, recover_say, NULL);
  if (n == 0)
    rt_panic("start");
  start_recovering(n - 1);
  rt_panic("each");
}
CASE(recover_on_every_level, "spec, Handling panics: a caller may panic after its callee recovered",
     PRINTS("recovered: start recovered: each recovered: each "))
{
  start_recovering(2);
}

FN(yield_once)
{
  rt_yield();
}
FN(migrating_panic)
{
  RT_FRAME(fr, { return; });
  RT_DEFER(fr, recover_quietly, NULL);
  for (int i = 0; i < 20; i++)
    RT_DEFER_LOOP(fr, yield_once, NULL);
  rt_panic("moving");
}
FN(migrating_panic_counts)
{
  migrating_panic(NULL);
  put(c, 1);
}
CASE(recover_on_another_thread,
     "runtime: a goroutine that panics may be moved between its deferred calls", PROCS(4),
     PRINTS("100 "))
{
  c = ints(0);
  int n = 0;
  for (int i = 0; i < 100; i++)
    go(migrating_panic_counts, NULL);
  for (int i = 0; i < 100; i++)
    n += take(c);
  say("%d ", n);
}
