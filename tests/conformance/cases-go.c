/* SPDX-License-Identifier: MIT */
/* cases-go.c - goroutines: starting, ending, yielding, their order on one P, GOMAXPROCS, threads. */
#include "case.h"

#include <time.h>
#include <unistd.h>

static struct rt_chan *c;
static struct rt_waitgroup wg;
static int counter;

FN(say_num)
{
  say("%d ", num(arg));
}
FN(say_done)
{
  say("%d ", num(arg));
  rt_waitgroup_done(&wg);
}

/* ---- order on one P ---- */

CASE(go_last_started_runs_first,
     "runtime, proc.go: newproc puts the new G in runnext, the one there goes to the queue",
     PRINTS("5 1 2 3 4 "))
{
  rt_waitgroup_add(&wg, 5);
  for (int i = 1; i <= 5; i++)
    go(say_done, NUM(i));
  rt_waitgroup_wait(&wg);
}
CASE(go_does_not_run_at_once,
     "spec, Go statements: program execution does not wait for the invoked function",
     PRINTS("main 1 "))
{
  go(say_num, NUM(1));
  say("main ");
  settle();
}
FN(yield_thrice)
{
  for (int i = 0; i < 3; i++) {
    say("%d ", num(arg));
    rt_yield();
  }
  rt_waitgroup_done(&wg);
}
CASE(go_yield_goes_round, "runtime.Gosched: yields the processor, allowing other goroutines to run",
     PRINTS("2 1 2 1 2 1 "))
{
  rt_waitgroup_add(&wg, 2);
  go(yield_thrice, NUM(1));
  go(yield_thrice, NUM(2));
  rt_waitgroup_wait(&wg);
}
CASE(go_yield_alone_returns, "runtime.Gosched: does not suspend; execution resumes automatically",
     PRINTS("back "))
{
  for (int i = 0; i < 1000; i++)
    rt_yield();
  say("back ");
}
CASE(go_yield_runs_all_runnable_first,
     "runtime, proc.go: Gosched puts the G on the global queue, behind the local ones",
     PRINTS("3 1 2 main "))
{
  for (int i = 1; i <= 3; i++)
    go(say_num, NUM(i));
  rt_yield();
  say("main ");
}
FN(take_and_say)
{
  say("%d got %d ", num(arg), take(c));
}
CASE(go_woken_runs_next, "runtime, proc.go: ready puts the woken G in runnext",
     PRINTS("1 got 5 2 "))
{
  c = ints(0);
  go(take_and_say, NUM(1));
  settle();
  go(say_num, NUM(2));
  put(c, 5);
  settle();
}
FN(start_two_more)
{
  say("%d ", num(arg));
  go(say_done, NUM(10 * num(arg) + 1));
  go(say_done, NUM(10 * num(arg) + 2));
  rt_waitgroup_done(&wg);
}
CASE(go_from_goroutines, "runtime, proc.go: the same order for Gs started by others",
     PRINTS("2 22 1 12 21 11 "))
{
  rt_waitgroup_add(&wg, 6);
  go(start_two_more, NUM(1));
  go(start_two_more, NUM(2));
  rt_waitgroup_wait(&wg);
}
FN(count_done)
{
  counter++;
  rt_waitgroup_done(&wg);
}
CASE(go_more_than_a_queue_holds,
     "runtime, proc.go: 256 fit the P's queue; more go to the global one; none is lost",
     PRINTS("1000 "))
{
  rt_waitgroup_add(&wg, 1000);
  for (int i = 0; i < 1000; i++)
    go(count_done, NULL);
  rt_waitgroup_wait(&wg);
  say("%d ", counter);
}

/* ---- numbers ---- */

FN(count_call)
{
  counter++;
}
CASE(go_num_goroutine_counts, "runtime.NumGoroutine: the number of goroutines that currently exist",
     PRINTS("1 4 1 "))
{
  say("%d ", rt_num_goroutine());
  for (int i = 0; i < 3; i++)
    go(count_call, NULL);
  say("%d ", rt_num_goroutine());
  settle();
  say("%d ", rt_num_goroutine());
}
FN(take_c)
{
  take(c);
}
CASE(go_num_goroutine_counts_waiting, "runtime.NumGoroutine: parked ones, too", PRINTS("11 1 "))
{
  c = ints(0);
  for (int i = 0; i < 10; i++)
    go(take_c, NULL);
  settle();
  say("%d ", rt_num_goroutine());
  rt_chan_close(c);
  settle();
  say("%d ", rt_num_goroutine());
}
CASE(go_num_goroutine_without_timers, "runtime.NumGoroutine: an armed timer is no goroutine",
     PRINTS("1 "))
{
  rt_after_func(3600000 * MS, take_c, NULL);
  say("%d ", rt_num_goroutine());
}
CASE(go_main_is_one, "runtime: main runs in goroutine 1",
     NOT_GO("Go shows no program its goroutine's number"), PRINTS("1 "))
{
  say("%d ", (int)rt_goid());
}
FN(put_one)
{
  put(c, 1);
}
CASE(go_ten_thousand,
     "spec, Go statements: independent concurrent threads of control, in any number", PROCS(4),
     PRINTS("10000 "))
{
  int n = 0;
  c = ints(0);
  for (int i = 0; i < 10000; i++)
    go(put_one, NULL);
  for (int i = 0; i < 10000; i++)
    n += take(c);
  say("%d ", n);
}

/* ---- GOMAXPROCS ---- */

CASE(maxprocs_is_what_was_asked, "runtime.GOMAXPROCS: n < 1 reports the setting", PROCS(3),
     PRINTS("3 3 "))
{
  say("%d ", rt_gomaxprocs(0));
  say("%d ", rt_gomaxprocs(-1));
}
CASE(maxprocs_returns_the_previous, "runtime.GOMAXPROCS: sets it and returns the previous setting",
     PROCS(2), PRINTS("2 4 1 "))
{
  say("%d ", rt_gomaxprocs(4));
  say("%d ", rt_gomaxprocs(1));
  say("%d ", rt_gomaxprocs(0));
}
FN(spin_until_set)
{
  while (!__atomic_load_n(&counter, __ATOMIC_SEQ_CST))
    rt_safepoint();
  rt_waitgroup_done(&wg);
}
CASE(maxprocs_two_run_at_once, "runtime.GOMAXPROCS: so many execute simultaneously", PROCS(2),
     PRINTS("both "))
{
  rt_waitgroup_add(&wg, 1);
  go(spin_until_set, NULL);
  rt_sleep(MS);
  __atomic_store_n(&counter, 1, __ATOMIC_SEQ_CST);
  rt_waitgroup_wait(&wg);
  say("both ");
}
FN(count_atomic)
{
  __atomic_fetch_add(&counter, 1, __ATOMIC_SEQ_CST);
  rt_waitgroup_done(&wg);
}
CASE(maxprocs_change_loses_nobody, "runtime.GOMAXPROCS: runnable goroutines survive a change",
     PROCS(4), PRINTS("2000 "))
{
  rt_waitgroup_add(&wg, 2000);
  for (int i = 0; i < 2000; i++) {
    go(count_atomic, NULL);
    if (i % 100 == 0)
      rt_gomaxprocs(1 + i / 100 % 4);
  }
  rt_waitgroup_wait(&wg);
  say("%d ", counter);
}
CASE(preempt_a_busy_goroutine,
     "Go 1.14: a loop without calls does not keep others from running (here: with safe points)",
     PRINTS("others run "))
{
  rt_waitgroup_add(&wg, 1);
  go(spin_until_set, NULL);
  rt_sleep(5 * MS);
  say("others run ");
  __atomic_store_n(&counter, 1, __ATOMIC_SEQ_CST);
  rt_waitgroup_wait(&wg);
}

/* ---- threads ---- */

FN(same_thread)
{
  bool same = true;
  rt_lock_os_thread();
  pid_t before = gettid();
  for (int i = 0; i < 100; i++) {
    rt_yield();
    rt_sleep(num(arg) % 2 * MS / 20);
    same = same && gettid() == before;
  }
  rt_unlock_os_thread();
  put(c, same);
}
CASE(lock_os_thread_keeps_the_thread,
     "runtime.LockOSThread: the goroutine will always execute in that thread", PROCS(4),
     PRINTS("8 "))
{
  int n = 0;
  c = ints(0);
  for (int i = 0; i < 8; i++)
    go(same_thread, NUM(i));
  for (int i = 0; i < 8; i++)
    n += take(c);
  say("%d ", n);
}
static pid_t locked_tid;
FN(other_tid)
{
  put(c, gettid() != locked_tid);
}
/* How many of 50 others run on another thread than that of locked_tid. */
static int elsewhere(void)
{
  int n = 0;
  for (int i = 0; i < 50; i++)
    go(other_tid, NULL);
  for (int i = 0; i < 50; i++)
    n += take(c);
  return n;
}
CASE(lock_os_thread_keeps_others_out,
     "runtime.LockOSThread: no other goroutine will execute in that thread", PROCS(2),
     PRINTS("50 "))
{
  c = ints(0);
  rt_lock_os_thread();
  locked_tid = gettid();
  say("%d ", elsewhere());
}
CASE(lock_os_thread_nests,
     "runtime.LockOSThread: until it has made as many calls to UnlockOSThread", PRINTS("true "))
{
  rt_lock_os_thread();
  rt_lock_os_thread();
  rt_unlock_os_thread();
  pid_t tid = gettid();
  bool same = true;
  c = ints(0);
  for (int i = 0; i < 20; i++) {
    go(put_one, NULL);
    take(c);
    same = same && gettid() == tid;
  }
  rt_unlock_os_thread();
  say(same ? "true " : "false ");
}
CASE(unlock_os_thread_of_unlocked, "runtime.UnlockOSThread: without LockOSThread it is a no-op",
     PRINTS("fine "))
{
  rt_unlock_os_thread();
  rt_yield();
  say("fine ");
}
FN(lock_and_end)
{
  rt_lock_os_thread();
  put(c, gettid());
}
CASE(
    lock_os_thread_to_the_end,
    "runtime.LockOSThread: if the goroutine exits without unlocking, the thread will be terminated",
    PRINTS("50 "))
{
  c = ints(0);
  go(lock_and_end, NULL);
  locked_tid = take(c);
  while (rt_num_goroutine() > 1)
    rt_sleep(MS);
  say("%d ", elsewhere());
}
CASE(lock_os_thread_of_main_still_serves_others,
     "runtime.LockOSThread: others run on other threads while it waits", PRINTS("3 1 2 "))
{
  rt_lock_os_thread();
  rt_waitgroup_add(&wg, 3);
  for (int i = 1; i <= 3; i++)
    go(say_done, NUM(i));
  rt_waitgroup_wait(&wg);
}

/* ---- system calls ---- */

static void *nap(void *arg)
{
  struct timespec t = { .tv_nsec = 30 * MS };
  nanosleep(&t, NULL);
  return arg;
}
static int pipe_ends[2];
static void *read_pipe(void *arg)
{
  char byte;
  return read(pipe_ends[0], &byte, 1) == 1 ? arg : NULL;
}
FN(read_then_say)
{
  say("calls ");
  rt_blocking(read_pipe, NULL);
  say("back ");
  rt_waitgroup_done(&wg);
}
CASE(syscall_gives_up_its_p,
     "runtime: a goroutine in a system call does not count against GOMAXPROCS",
     PRINTS("calls others run back "))
{
  if (pipe(pipe_ends) != 0)
    abort();
  rt_waitgroup_add(&wg, 1);
  go(read_then_say, NULL);
  rt_sleep(50 * MS);
  say("others run ");
  if (write(pipe_ends[1], "", 1) != 1)
    abort();
  rt_waitgroup_wait(&wg);
}
FN(nap_done)
{
  rt_blocking(nap, NULL);
  rt_waitgroup_done(&wg);
}
CASE(syscall_many_at_once, "runtime: there is no limit to threads blocked in system calls",
     PRINTS("all in less than the sum "))
{
  int64_t start = rt_now();
  rt_waitgroup_add(&wg, 30);
  for (int i = 0; i < 30; i++)
    go(nap_done, NULL);
  rt_waitgroup_wait(&wg);
  say(rt_now() - start < 30 * 30 * MS ? "all in less than the sum " : "one after the other ");
}
static void *pass(void *arg)
{
  return arg;
}
CASE(syscall_returns_its_value, "runtime: the goroutine goes on with the call's result",
     NOT_GO("rt_blocking is ours"), PRINTS("5 "))
{
  say("%d ", (int)(intptr_t)rt_blocking(pass, NUM(5)));
}

/* ---- the world ---- */

CASE(go_of_a_nil_function, "spec, Go statements; runtime, newproc1: go of nil func value is fatal",
     FATAL("go of nil func value", "running"))
{
  rt_go(NULL, NULL);
}

FN(count_safely)
{
  for (;;) {
    __atomic_fetch_add(&counter, 1, __ATOMIC_SEQ_CST);
    rt_safepoint();
  }
}
CASE(stop_the_world_stops_others, "runtime, stopTheWorld: when it returns, no other G runs",
     NOT_GO("Go shows it to no program"), PROCS(4), PRINTS("true "))
{
  for (int i = 0; i < 3; i++)
    go(count_safely, NULL);
  rt_sleep(2 * MS);
  rt_stop_the_world("test");
  int before = __atomic_load_n(&counter, __ATOMIC_SEQ_CST);
  for (int64_t until = rt_now() + 2 * MS; rt_now() < until;)
    ;
  bool stopped = before == __atomic_load_n(&counter, __ATOMIC_SEQ_CST);
  rt_start_the_world();
  say(stopped ? "true " : "false ");
}
CASE(gc_changes_nothing, "runtime.GC: runs a collection; the program goes on", PROCS(2),
     PRINTS("1000 "))
{
  int n = 0;
  c = ints(4);
  for (int i = 0; i < 1000; i++)
    go(put_one, NULL);
  for (int i = 0; i < 1000; i++) {
    n += take(c);
    if (i % 100 == 0)
      rt_gc();
  }
  say("%d ", n);
}
