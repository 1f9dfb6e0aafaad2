/* SPDX-License-Identifier: MIT */
/* cases-defer.c - defer: when deferred calls run, in which order, and with which arguments. */
#include "case.h"

static struct rt_chan *c;
static struct rt_mutex mu;

FN(say_num)
{
  say("%d ", num(arg));
}
FN(say_int)
{
  say("%d ", *(int *)arg);
}

static void three(void)
{
  RT_FRAME(fr, { return; });
  RT_DEFER(fr, say_num, NUM(1));
  RT_DEFER(fr, say_num, NUM(2));
  RT_DEFER(fr, say_num, NUM(3));
  say("body ");
}
CASE(defer_runs_last_first, "spec, Defer: executed in the reverse order they were deferred",
     PRINTS("body 3 2 1 after "))
{
  three();
  say("after ");
}

static void argument_now(void)
{
  RT_FRAME(fr, { return; });
  int i = 1;
  RT_DEFER(fr, say_num, NUM(i));
  i = 2;
  say("%d ", i);
}
CASE(defer_evaluates_arguments_at_once,
     "spec, Defer: the parameters are evaluated as usual and saved anew", PRINTS("2 1 "))
{
  argument_now();
}

static void variable_later(void)
{
  static int i;
  RT_FRAME(fr, { return; });
  i = 1;
  RT_DEFER(fr, say_int, &i);
  i = 2;
}
CASE(defer_sees_variables_late,
     "spec, Function literals: share the variables of the surrounding function", PRINTS("2 "))
{
  variable_later();
}

static void in_a_loop(int n)
{
  RT_FRAME(fr, { return; });
  for (int i = 0; i < n; i++)
    RT_DEFER_LOOP(fr, say_num, NUM(i));
  say("loop done ");
}
CASE(defer_in_a_loop_runs_at_the_end,
     "spec, Defer: runs when the surrounding function returns, not the block",
     PRINTS("loop done 3 2 1 0 "))
{
  in_a_loop(4);
}

static int deferred_count;
FN(count)
{
  deferred_count++;
}
static void many(int n)
{
  RT_FRAME(fr, { return; });
  for (int i = 0; i < n; i++)
    RT_DEFER_LOOP(fr, count, NULL);
}
CASE(defer_any_number, "spec, Defer: any number of calls may be deferred", PRINTS("100000 "))
{
  many(100000);
  say("%d ", deferred_count);
}

static void many_in_frame(void)
{
  RT_FRAME(fr, { return; });
  RT_DEFER(fr, say_num, NUM(0));
  RT_DEFER(fr, say_num, NUM(1));
  RT_DEFER(fr, say_num, NUM(2));
  RT_DEFER(fr, say_num, NUM(3));
  RT_DEFER(fr, say_num, NUM(4));
  RT_DEFER(fr, say_num, NUM(5));
  RT_DEFER(fr, say_num, NUM(6));
  RT_DEFER(fr, say_num, NUM(7));
  RT_DEFER(fr, say_num, NUM(8));
  RT_DEFER(fr, say_num, NUM(9));
}
CASE(
    defer_more_than_a_frame_holds,
    "spec, Defer: reverse order, however the records are kept (Go: more than 8 are not open-coded)",
    PRINTS("9 8 7 6 5 4 3 2 1 0 "))
{
  many_in_frame();
}

static void mixed(void)
{
  RT_FRAME(fr, { return; });
  RT_DEFER(fr, say_num, NUM(1));
  for (int i = 2; i < 4; i++)
    RT_DEFER_LOOP(fr, say_num, NUM(i));
  RT_DEFER(fr, say_num, NUM(4));
}
CASE(defer_loop_and_plain_keep_order,
     "spec, Defer: one order for all of a function's deferred calls", PRINTS("4 3 2 1 "))
{
  mixed();
}

static void inner(void)
{
  RT_FRAME(fr, { return; });
  RT_DEFER(fr, say_word, "inner");
}
static void outer(void)
{
  RT_FRAME(fr, { return; });
  RT_DEFER(fr, say_word, "outer");
  inner();
  say("between ");
}
CASE(defer_belongs_to_its_function,
     "spec, Defer: invoked immediately before the surrounding function returns",
     PRINTS("inner between outer "))
{
  outer();
}

static void early(bool leave)
{
  RT_FRAME(fr, { return; });
  RT_DEFER(fr, say_word, "first");
  if (leave)
    return;
  RT_DEFER(fr, say_word, "second");
}
CASE(defer_not_reached_is_not_run,
     "spec, Defer: each time a defer statement executes; not otherwise",
     PRINTS("first second first "))
{
  early(true);
  early(false);
}

static void conditional(int n)
{
  RT_FRAME(fr, { return; });
  if (n & 1)
    RT_DEFER(fr, say_word, "odd");
  if (n & 2)
    RT_DEFER(fr, say_word, "two");
  say("%d: ", n);
}
CASE(defer_may_be_conditional, "spec, Defer: a statement like others",
     PRINTS("0: 1: odd 2: two 3: two odd "))
{
  for (int i = 0; i < 4; i++)
    conditional(i);
}

static void recursive(int n)
{
  RT_FRAME(fr, { return; });
  RT_DEFER(fr, say_num, NUM(n));
  if (n > 0)
    recursive(n - 1);
}
CASE(defer_in_recursion, "spec, Defer: each invocation has its own", PRINTS("0 1 2 3 "))
{
  recursive(3);
}

/* ---- deferred calls that do things ---- */

FN(defers_itself)
{
  RT_FRAME(fr, { return; });
  RT_DEFER(fr, say_word, "deferred-of-deferred");
  say("deferred ");
}
static void nests(void)
{
  RT_FRAME(fr, { return; });
  RT_DEFER(fr, say_word, "last");
  RT_DEFER(fr, defers_itself, NULL);
}
CASE(defer_inside_a_deferred_call, "spec, Defer: a deferred function's own run before it returns",
     PRINTS("deferred deferred-of-deferred last "))
{
  nests();
}

FN(put_then_say)
{
  put(c, 1);
  say("parked ");
}
static void parks(void)
{
  RT_FRAME(fr, { return; });
  RT_DEFER(fr, say_word, "last");
  RT_DEFER(fr, put_then_say, NULL);
}
FN(take_later)
{
  say("taking ");
  take(c);
}
CASE(defer_may_park, "spec, Defer: a deferred function is a function; it may block",
     PRINTS("taking parked last after "))
{
  c = ints(0);
  go(take_later, NULL);
  parks();
  say("after ");
}

FN(sleeps)
{
  rt_sleep(2 * MS);
  say("slept ");
}
static void sleeps_at_the_end(void)
{
  RT_FRAME(fr, { return; });
  RT_DEFER(fr, sleeps, NULL);
  say("body ");
}
CASE(defer_may_sleep, "spec, Defer: the caller goes on after the deferred call, however long",
     PRINTS("body slept after "))
{
  sleeps_at_the_end();
  say("after ");
}

FN(yields)
{
  rt_yield();
  say("%d ", num(arg));
}
FN(yielding_g)
{
  RT_FRAME(fr, { return; });
  RT_DEFER(fr, yields, NUM(10 * num(arg) + 1));
  RT_DEFER(fr, yields, NUM(10 * num(arg) + 2));
}
CASE(defer_lists_are_per_goroutine,
     "spec, Defer: deferred calls belong to the goroutine that executes them",
     PRINTS("22 12 21 11 "))
{
  go(yielding_g, NUM(1));
  go(yielding_g, NUM(2));
  settle();
}

FN(start_g)
{
  go(say_word, "started");
}
static void starts(void)
{
  RT_FRAME(fr, { return; });
  RT_DEFER(fr, start_g, NULL);
}
CASE(defer_may_start_a_goroutine, "spec, Go statements: allowed wherever a statement is",
     PRINTS("returned started "))
{
  starts();
  say("returned ");
  settle();
}

FN(unlock)
{
  rt_mutex_unlock(&mu);
}
static void locked(bool panics)
{
  RT_FRAME(fr, { return; });
  rt_mutex_lock(&mu);
  RT_DEFER(fr, unlock, NULL);
  if (panics)
    rt_panic("while locked");
}
FN(locked_panics)
{
  locked(true);
}
CASE(defer_unlocks,
     "Go blog, Defer Panic and Recover: deferred clean-up runs however the function is left",
     PRINTS("recovered: while locked free free "))
{
  catch_panic(locked_panics, NULL);
  say(rt_mutex_try_lock(&mu) ? "free " : "locked ");
  rt_mutex_unlock(&mu);
  locked(false);
  say(rt_mutex_try_lock(&mu) ? "free " : "locked ");
}

FN(g_with_deferred)
{
  RT_FRAME(fr, { return; });
  RT_DEFER(fr, say_word, "deferred");
  say("body ");
}
CASE(defer_runs_at_the_end_of_a_goroutine,
     "spec, Go statements: when the function terminates its goroutine does, after its deferred "
     "calls",
     PRINTS("body deferred "))
{
  go(g_with_deferred, NULL);
  settle();
}

/* ---- results ---- */

FN(double_it)
{
  *(int *)arg *= 2;
}
static void doubled(int *result)
{
  RT_FRAME(fr, { return; });
  RT_DEFER(fr, double_it, result);
  *result = 21;
}
CASE(defer_changes_the_result,
     "spec, Defer: may access and modify the result parameters before they are returned",
     PRINTS("42 "))
{
  int result;
  doubled(&result);
  say("%d ", result);
}

FN(recover_to_minus_one)
{
  if (rt_recover(NULL))
    *(int *)arg = -1;
}
static int divide(int a, int b)
{
  int result = 0;
  RT_FRAME(fr, { return result; });
  RT_DEFER(fr, recover_to_minus_one, &result);
  if (b == 0)
    rt_panic("integer divide by zero");
  result = a / b;
  return result;
}
CASE(defer_sets_the_result_of_a_recovery,
     "spec, Handling panics: the function returns to its caller with its result parameters",
     PRINTS("3 -1 "))
{
  say("%d ", divide(6, 2));
  say("%d ", divide(6, 0));
}

static int result_set_before(void)
{
  volatile int result = 5;
  RT_FRAME(fr, { return result; });
  RT_DEFER(fr, recover_say, NULL);
  result = 7;
  rt_panic("stop");
}
CASE(defer_recovery_returns_the_current_result,
     "spec, Handling panics: result parameters keep what was assigned last",
     PRINTS("recovered: stop 7 "))
{
  say("%d ", result_set_before());
}

/* ---- across panics ---- */

static void panics_between(void)
{
  RT_FRAME(fr, { return; });
  RT_DEFER(fr, say_word, "first");
  RT_DEFER(fr, say_word, "second");
  rt_panic("stop");
}
FN(call_panics_between)
{
  panics_between();
}
CASE(defer_runs_during_a_panic,
     "spec, Handling panics: functions deferred by F are executed as usual",
     PRINTS("second first recovered: stop "))
{
  catch_panic(call_panics_between, NULL);
}

static void loop_then_panic(void)
{
  RT_FRAME(fr, { return; });
  for (int i = 0; i < 20; i++)
    RT_DEFER_LOOP(fr, count, NULL);
  rt_panic("stop");
}
FN(call_loop_then_panic)
{
  loop_then_panic();
}
CASE(defer_in_a_loop_runs_during_a_panic, "spec, Handling panics: all of them",
     PRINTS("recovered: stop 20 "))
{
  catch_panic(call_loop_then_panic, NULL);
  say("%d ", deferred_count);
}

FN(busy_panic)
{
  RT_FRAME(fr, { return; });
  for (int i = 0; i < 10; i++)
    RT_DEFER_LOOP(fr, count, NULL);
  RT_DEFER(fr, recover_to_minus_one, &deferred_count);
  rt_yield();
  rt_panic("again");
}
CASE(defer_records_are_reused,
     "runtime, panic.go: records go back to a pool, recovered panics included", PRINTS("9 "))
{
  for (int i = 0; i < 2000; i++) {
    deferred_count = 0;
    busy_panic(NULL);
  }
  say("%d ", deferred_count);
}

#define NIL_CALL "recovered: runtime error: invalid memory address or nil pointer dereference "
FN(defer_nil)
{
  RT_FRAME(fr, { return; });
  RT_DEFER(fr, NULL, NULL);
  RT_DEFER(fr, say_word, "first");
  say("body ");
}
CASE(defer_of_nil_panics_when_it_runs,
     "spec, Defer statements: a nil function panics when it is invoked, not when it is deferred",
     PRINTS("body first " NIL_CALL))
{
  catch_panic(defer_nil, NULL);
}
FN(defer_nil_in_a_loop)
{
  RT_FRAME(fr, { return; });
  for (int i = 0; i < 20; i++)
    RT_DEFER_LOOP(fr, i % 10 == 5 ? NULL : count, NULL);
}
CASE(defer_of_nil_in_a_loop, "spec, Defer statements: the others run all the same",
     PRINTS(NIL_CALL "18 "))
{
  catch_panic(defer_nil_in_a_loop, NULL);
  say("%d ", deferred_count);
}
FN(defer_nil_and_panic)
{
  RT_FRAME(fr, { return; });
  RT_DEFER(fr, NULL, NULL);
  rt_panic("first");
}
CASE(defer_of_nil_while_panicking, "spec, Handling panics: it is the newer panic", PRINTS(NIL_CALL))
{
  catch_panic(defer_nil_and_panic, NULL);
}
