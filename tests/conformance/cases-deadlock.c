/* SPDX-License-Identifier: MIT */
/* cases-deadlock.c - deadlock: when it is reported and in which words, when it is not, and how programs end. */
#include "case.h"

#include <time.h>

static struct rt_chan *c;
static struct rt_mutex mu;
static struct rt_rwmutex rw;
static struct rt_waitgroup wg;
static struct rt_cond cond;
static struct rt_sem sem;

CASE(deadlock_on_recv, "runtime, checkdead: a receive that nobody can serve",
     DEADLOCK("chan receive"))
{
  take(ints(0));
}
CASE(deadlock_on_send, "runtime, checkdead: a send that nobody can serve", DEADLOCK("chan send"))
{
  put(ints(0), 1);
}
CASE(deadlock_on_full_buffer, "runtime, checkdead: a send into a full buffer",
     DEADLOCK("chan send"))
{
  c = ints(1);
  put(c, 1);
  put(c, 2);
}
CASE(deadlock_on_nil_recv, "spec, Receive operator: receiving from a nil channel blocks forever",
     DEADLOCK("chan receive (nil chan)"))
{
  take(NULL);
}
CASE(deadlock_on_nil_send, "spec, Send statements: a send on a nil channel blocks forever",
     DEADLOCK("chan send (nil chan)"))
{
  put(NULL, 1);
}
CASE(deadlock_on_empty_select, "spec, Select: a select with no cases blocks forever",
     DEADLOCK("select (no cases)"))
{
  rt_select(NULL, 0);
}
CASE(deadlock_on_select, "runtime, checkdead: a select of which no case can proceed",
     DEADLOCK("select"))
{
  struct rt_case cases[] = { { .chan = ints(0), .dir = RT_RECV },
                             { .chan = ints(0), .dir = RT_RECV } };
  rt_select(cases, 2);
}
CASE(deadlock_on_select_of_nils,
     "spec, Select: with only nil channels and no default blocks forever", DEADLOCK("select"))
{
  struct rt_case cases[] = { { .dir = RT_RECV }, { .dir = RT_RECV } };
  rt_select(cases, 2);
}
CASE(deadlock_on_select_with_itself, "spec, Select: a send and a receive of one select do not meet",
     DEADLOCK("select"))
{
  c = ints(0);
  int v = 1;
  struct rt_case cases[] = { { .chan = c, .dir = RT_RECV },
                             { .chan = c, .dir = RT_SEND, .elem = &v } };
  rt_select(cases, 2);
}
CASE(deadlock_on_mutex, "sync.Mutex: not reentrant; a second Lock blocks",
     DEADLOCK("sync.Mutex.Lock"))
{
  rt_mutex_lock(&mu);
  rt_mutex_lock(&mu);
}
CASE(deadlock_on_rlock, "sync.RWMutex: RLock blocks while it is locked",
     DEADLOCK("sync.RWMutex.RLock"))
{
  rt_rwmutex_lock(&rw);
  rt_rwmutex_rlock(&rw);
}
CASE(deadlock_on_rwlock, "sync.RWMutex: Lock blocks while a reader holds it",
     DEADLOCK("sync.RWMutex.Lock"))
{
  rt_rwmutex_rlock(&rw);
  rt_rwmutex_lock(&rw);
}
CASE(deadlock_on_rwlock_twice,
     "sync.RWMutex: a second Lock waits for the first, at the writers' mutex",
     DEADLOCK("sync.Mutex.Lock"))
{
  rt_rwmutex_lock(&rw);
  rt_rwmutex_lock(&rw);
}
CASE(deadlock_on_waitgroup, "sync.WaitGroup: Wait blocks until the counter is zero",
     DEADLOCK("sync.WaitGroup.Wait"))
{
  rt_waitgroup_add(&wg, 1);
  rt_waitgroup_wait(&wg);
}
CASE(deadlock_on_cond, "sync.Cond: Wait returns only after Signal or Broadcast",
     DEADLOCK("sync.Cond.Wait"))
{
  rt_cond_init(&cond, &mu);
  rt_mutex_lock(&mu);
  rt_cond_wait(&cond);
}
CASE(deadlock_on_sem, "semaphore: acquire blocks while there is no permit",
     NOT_GO("the standard library has none"), DEADLOCK("semacquire"))
{
  rt_sem_init(&sem, 1);
  rt_sem_acquire(&sem);
  rt_sem_acquire(&sem);
}

FN(recv_forever)
{
  take(c);
}
CASE(deadlock_of_many, "runtime, checkdead: all goroutines are asleep, not main alone",
     DEADLOCK("chan receive"))
{
  c = ints(0);
  for (int i = 0; i < 5; i++)
    go(recv_forever, NULL);
  take(ints(0));
}
CASE(deadlock_of_many_on_four_ps, "runtime, checkdead: also with several Ps", PROCS(4),
     DEADLOCK("chan receive"))
{
  c = ints(0);
  for (int i = 0; i < 50; i++)
    go(recv_forever, NULL);
  take(ints(0));
}

FN(lock_other_way)
{
  rt_mutex_lock(&mu);
  take(c);
  rt_rwmutex_lock(&rw);
}
CASE(deadlock_by_lock_order,
     "runtime, checkdead: two goroutines, each waiting for the other's lock",
     DEADLOCK("sync.Mutex.Lock"))
{
  c = ints(0);
  rt_rwmutex_lock(&rw);
  go(lock_other_way, NULL);
  put(c, 0);
  rt_mutex_lock(&mu);
}

CASE(deadlock_keeps_the_output, "os: what was printed before is out", PRINTS("before\n"),
     DEADLOCK("chan receive"))
{
  say("before\n");
  take(ints(0));
}
FN(say_not_reached)
{
  say("not reached ");
}
static void deadlocks_with_deferred(void)
{
  RT_FRAME(fr, { return; });
  RT_DEFER(fr, say_not_reached, NULL);
  take(NULL);
}
CASE(deadlock_runs_no_deferred_calls, "runtime: a fatal error runs no deferred calls",
     DEADLOCK("chan receive (nil chan)"))
{
  deadlocks_with_deferred();
}
static void deadlocks(void *unused)
{
  (void)unused;
  take(NULL);
}
CASE(deadlock_cannot_be_recovered, "runtime: a fatal error is no panic",
     DEADLOCK("chan receive (nil chan)"))
{
  catch_panic(deadlocks, NULL);
}

/* ---- no deadlock ---- */

FN(sleep_then_put)
{
  rt_sleep(20 * MS);
  put(c, 4);
}
CASE(no_deadlock_while_one_sleeps, "runtime, checkdead: a sleeping goroutine will run again",
     PRINTS("4 "))
{
  c = ints(0);
  go(sleep_then_put, NULL);
  say("%d ", take(c));
}
FN(put_four)
{
  put(c, 4);
}
CASE(no_deadlock_with_a_timer, "runtime, checkdead: a timer may wake somebody", PRINTS("4 "))
{
  c = ints(0);
  rt_after_func(20 * MS, put_four, NULL);
  say("%d ", take(c));
}
CASE(no_deadlock_on_timer_channel, "runtime, checkdead: a timer's channel will be served",
     PRINTS("ticked "))
{
  rt_chan_recv(rt_after(20 * MS), NULL);
  say("ticked ");
}
FN(stop_and_wait)
{
  rt_chan_recv(c, NULL);
}
CASE(deadlock_after_the_timer_ran, "runtime, checkdead: once no timer is left it is one",
     PRINTS("4 "), DEADLOCK("chan receive"))
{
  c = ints(0);
  rt_after_func(5 * MS, put_four, NULL);
  say("%d ", take(c));
  stop_and_wait(NULL);
}
CASE(deadlock_with_stopped_timer, "runtime, checkdead: a stopped timer wakes nobody",
     DEADLOCK("chan receive"))
{
  c = ints(0);
  struct rt_timer *t = rt_after_func(3600000 * MS, put_four, NULL);
  rt_timer_stop(t);
  take(c);
}
static void *sleep_in_kernel(void *arg)
{
  (void)arg;
  struct timespec t = { .tv_nsec = 20 * MS };
  nanosleep(&t, NULL);
  return NULL;
}
FN(block_then_put)
{
  rt_blocking(sleep_in_kernel, NULL);
  put(c, 6);
}
CASE(no_deadlock_during_a_system_call,
     "runtime, checkdead: an M in a system call counts as running", PRINTS("6 "))
{
  c = ints(0);
  go(block_then_put, NULL);
  say("%d ", take(c));
}

/* ---- how programs end ---- */

FN(sleep_for_ever)
{
  rt_sleep(3600000 * MS);
  say("not reached ");
}
CASE(exit_does_not_wait,
     "spec, Program execution: when main returns, it does not wait for other goroutines",
     PRINTS("end "))
{
  go(sleep_for_ever, NULL);
  go(recv_forever, NULL);
  settle();
  say("end ");
}
CASE(exit_code_of_main_is_zero, "spec, Program execution: the program exits when main returns",
     EXITS(0), PRINTS("end "))
{
  say("end ");
}
CASE(exit_with_a_code, "os.Exit: the program exits with the code", EXITS(7), PRINTS("before "))
{
  say("before ");
  exit(7);
}
static void exits_with_deferred(void)
{
  RT_FRAME(fr, { return; });
  RT_DEFER(fr, say_not_reached, NULL);
  exit(3);
}
CASE(exit_runs_no_deferred_calls, "os.Exit: deferred functions are not run", EXITS(3))
{
  exits_with_deferred();
}
FN(exit_five)
{
  exit(5);
}
CASE(exit_from_another_goroutine, "os.Exit: ends the program from any goroutine", EXITS(5))
{
  go(exit_five, NULL);
  take(ints(0));
}
static void busy_with_deferred(void *unused)
{
  (void)unused;
  RT_FRAME(fr, { return; });
  RT_DEFER(fr, say_not_reached, NULL);
  take(c);
}
CASE(exit_runs_no_deferred_calls_of_others,
     "spec, Program execution: other goroutines just end, without deferred calls", PRINTS("end "))
{
  c = ints(0);
  go(busy_with_deferred, NULL);
  settle();
  say("end ");
}
FN(spin)
{
  for (;;)
    rt_safepoint();
}
CASE(exit_while_others_run, "spec, Program execution: also while others run", PROCS(2),
     PRINTS("end "))
{
  go(spin, NULL);
  rt_sleep(5 * MS);
  say("end ");
}
