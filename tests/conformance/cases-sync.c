/* SPDX-License-Identifier: MIT */
/* cases-sync.c - sync.Once, sync.WaitGroup, and semaphores. */
#include "case.h"

#include <stdatomic.h>

static struct rt_once once;
static struct rt_waitgroup wg;
static struct rt_sem sem;
static struct rt_chan *c;
static int n_calls;

FN(count_call)
{
  n_calls++;
}
FN(panic_with)
{
  n_calls++;
  rt_panic(arg);
}
FN(done)
{
  rt_waitgroup_done(&wg);
}

/* ---- Once ---- */

CASE(once_calls_once, "sync.Once.Do: calls f if and only if Do is called for the first time",
     PRINTS("1 "))
{
  for (int i = 0; i < 5; i++)
    rt_once_do(&once, count_call, NULL);
  say("%d ", n_calls);
}
CASE(once_ignores_other_functions, "sync.Once.Do: only the first call's f, even if f differs",
     PRINTS("a "))
{
  rt_once_do(&once, say_word, "a");
  rt_once_do(&once, say_word, "b");
}
CASE(once_is_per_instance, "sync.Once.Do: per instance of Once", PRINTS("a b "))
{
  static struct rt_once other;
  rt_once_do(&once, say_word, "a");
  rt_once_do(&other, say_word, "b");
}
FN(do_panicking)
{
  rt_once_do(&once, panic_with, "in f");
}
CASE(once_that_panicked_is_done, "sync.Once.Do: if f panics, Do considers it to have returned",
     PRINTS("recovered: in f ok 1 "))
{
  catch_panic(do_panicking, NULL);
  catch_panic(do_panicking, NULL);
  say("%d ", n_calls);
}
FN(do_nil)
{
  rt_once_do(&once, NULL, NULL);
}
CASE(once_of_nil_is_done, "sync.Once.Do: a nil f panics, and is considered to have returned",
     PRINTS("recovered: runtime error: invalid memory address or nil pointer dereference ok 0 "))
{
  catch_panic(do_nil, NULL);
  catch_panic(do_nil, NULL);
  rt_once_do(&once, count_call, NULL);
  say("%d ", n_calls);
}
FN(goexits)
{
  n_calls++;
  rt_goexit();
}
FN(do_goexiting)
{
  rt_once_do(&once, goexits, NULL);
}
CASE(once_that_goexited_is_done, "sync.Once.Do: also if f calls Goexit", PRINTS("1 "))
{
  go(do_goexiting, NULL);
  settle();
  rt_once_do(&once, count_call, NULL);
  say("%d ", n_calls);
}
FN(wait_in_once)
{
  take(c);
  say("f done ");
}
FN(do_waiting)
{
  rt_once_do(&once, wait_in_once, NULL);
  say("%d returned ", num(arg));
}
CASE(once_others_wait_for_the_first,
     "sync.Once.Do: no call to Do returns until the one call to f returns",
     PRINTS("waiting f done 1 returned 2 returned "))
{
  c = ints(0);
  go(do_waiting, NUM(1));
  settle();
  go(do_waiting, NUM(2));
  settle();
  say("waiting ");
  put(c, 0);
  settle();
}
FN(do_inside)
{
  rt_once_do(&once, count_call, NULL);
}
CASE(once_inside_itself_is_a_deadlock,
     "sync.Once.Do: if f causes Do to be called, it will deadlock", DEADLOCK("sync.Mutex.Lock"))
{
  rt_once_do(&once, do_inside, NULL);
}
static int made;
FN(make_it)
{
  made = 99;
}
FN(use_it)
{
  rt_once_do(&once, make_it, NULL);
  put(c, made);
}
CASE(once_publishes, "memory model: f's return is synchronized before the return of any Do",
     PROCS(4), PRINTS("9900 "))
{
  int sum = 0;
  c = ints(0);
  for (int i = 0; i < 100; i++)
    go(use_it, NULL);
  for (int i = 0; i < 100; i++)
    sum += take(c);
  say("%d ", sum);
}

/* ---- WaitGroup ---- */

CASE(waitgroup_of_zero_does_not_wait,
     "sync.WaitGroup.Wait: blocks until the counter is zero; it is", PRINTS("returned "))
{
  rt_waitgroup_wait(&wg);
  say("returned ");
}
CASE(waitgroup_waits_for_all, "sync.WaitGroup: waits for a collection of goroutines", PROCS(4),
     PRINTS("returned "))
{
  rt_waitgroup_add(&wg, 1000);
  for (int i = 0; i < 1000; i++)
    go(done, NULL);
  rt_waitgroup_wait(&wg);
  say("returned ");
}
FN(wait_say)
{
  rt_waitgroup_wait(&wg);
  say("%d ", num(arg));
}
FN(wait_count)
{
  rt_waitgroup_wait(&wg);
  n_calls++;
}
CASE(waitgroup_releases_every_waiter,
     "sync.WaitGroup.Add: at zero all goroutines blocked on Wait are released",
     PRINTS("waiting released 3 "))
{
  rt_waitgroup_add(&wg, 1);
  for (int i = 0; i < 3; i++)
    go(wait_count, NULL);
  settle();
  say(n_calls == 0 ? "waiting " : "early ");
  rt_waitgroup_done(&wg);
  settle();
  say("released %d ", n_calls);
}
CASE(waitgroup_order_of_release, "runtime, sema.go: waiters are released first come first served",
     PRINTS("3 1 2 "))
{
  rt_waitgroup_add(&wg, 1);
  for (int i = 1; i <= 3; i++) {
    go(wait_say, NUM(i));
    settle();
  }
  rt_waitgroup_done(&wg);
  settle();
}
CASE(waitgroup_add_may_be_negative, "sync.WaitGroup.Add: adds delta, which may be negative",
     PRINTS("returned "))
{
  rt_waitgroup_add(&wg, 3);
  rt_waitgroup_add(&wg, -2);
  rt_waitgroup_done(&wg);
  rt_waitgroup_wait(&wg);
  say("returned ");
}
CASE(waitgroup_negative_counter, "sync.WaitGroup.Add: if the counter goes negative, Add panics",
     PANICS("sync: negative WaitGroup counter"))
{
  rt_waitgroup_add(&wg, -1);
}
CASE(waitgroup_done_too_often, "sync.WaitGroup.Done: decrements by one; negative panics",
     PANICS("sync: negative WaitGroup counter"))
{
  rt_waitgroup_add(&wg, 1);
  rt_waitgroup_done(&wg);
  rt_waitgroup_done(&wg);
}
CASE(waitgroup_panic_is_recovered, "sync.WaitGroup.Add: it is a panic, and can be recovered",
     PRINTS("recovered: sync: negative WaitGroup counter "))
{
  catch_panic(done, NULL);
}
FN(wait_catching)
{
  catch_panic(wait_say, NUM(1));
}
CASE(waitgroup_reused_too_early,
     "sync.WaitGroup.Add: new calls must happen after all previous Wait calls have returned",
     PRINTS("recovered: sync: WaitGroup is reused before previous Wait has returned "))
{
  rt_waitgroup_add(&wg, 1);
  go(wait_catching, NULL);
  settle();
  rt_waitgroup_done(&wg);
  rt_waitgroup_add(&wg, 1);
  settle();
}
CASE(waitgroup_may_be_reused,
     "sync.WaitGroup: may be reused after all previous Waits have returned", PRINTS("1 2 3 "))
{
  for (int i = 1; i <= 3; i++) {
    rt_waitgroup_add(&wg, 2);
    go(done, NULL);
    go(done, NULL);
    rt_waitgroup_wait(&wg);
    say("%d ", i);
  }
}
static int sum_of_parts[50];
FN(write_part)
{
  sum_of_parts[num(arg)] = num(arg);
  rt_waitgroup_done(&wg);
}
CASE(waitgroup_publishes,
     "memory model: Done is synchronized before the return of the Wait that it unblocks", PROCS(4),
     PRINTS("1225 "))
{
  int sum = 0;
  rt_waitgroup_add(&wg, 50);
  for (int i = 0; i < 50; i++)
    go(write_part, NUM(i));
  rt_waitgroup_wait(&wg);
  for (int i = 0; i < 50; i++)
    sum += sum_of_parts[i];
  say("%d ", sum);
}
FN(add_and_start)
{
  if (num(arg) > 0)
    for (int i = 0; i < 2; i++) {
      rt_waitgroup_add(&wg, 1);
      go(add_and_start, NUM(num(arg) - 1));
    }
  __atomic_fetch_add(&n_calls, 1, __ATOMIC_SEQ_CST);
  rt_waitgroup_done(&wg);
}
CASE(waitgroup_add_while_above_zero,
     "sync.WaitGroup.Add: may happen at any time while the counter is above zero", PROCS(4),
     PRINTS("255 "))
{
  rt_waitgroup_add(&wg, 1);
  go(add_and_start, NUM(7));
  rt_waitgroup_wait(&wg);
  say("%d ", n_calls);
}

/* ---- semaphores: in Go, channels of capacity n do this ---- */

CASE(sem_permits, "semaphore: acquire takes one of n permits", PRINTS("true true false true "))
{
  rt_sem_init(&sem, 2);
  for (int i = 0; i < 3; i++)
    say(rt_sem_try_acquire(&sem) ? "true " : "false ");
  rt_sem_release(&sem);
  say(rt_sem_try_acquire(&sem) ? "true " : "false ");
}
FN(acquire_say)
{
  rt_sem_acquire(&sem);
  say("%d ", num(arg));
}
CASE(sem_waiters_stand_in_line, "semaphore: waiters are served first come first served",
     PRINTS("1 2 3 "))
{
  rt_sem_init(&sem, 0);
  for (int i = 1; i <= 3; i++) {
    go(acquire_say, NUM(i));
    settle();
  }
  for (int i = 1; i <= 3; i++) {
    rt_sem_release(&sem);
    settle();
  }
}
static _Atomic int inside, most;
FN(work_inside)
{
  rt_sem_acquire(&sem);
  int n = ++inside, seen = most;
  while (n > seen && !atomic_compare_exchange_weak(&most, &seen, n))
    ;
  rt_yield();
  inside--;
  rt_sem_release(&sem);
  rt_waitgroup_done(&wg);
}
CASE(sem_limits_concurrency, "semaphore: at most n hold a permit", PROCS(4), PRINTS("true "))
{
  rt_sem_init(&sem, 3);
  rt_waitgroup_add(&wg, 200);
  for (int i = 0; i < 200; i++)
    go(work_inside, NULL);
  rt_waitgroup_wait(&wg);
  say(most <= 3 && inside == 0 ? "true " : "false ");
}
