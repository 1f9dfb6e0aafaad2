/* SPDX-License-Identifier: MIT */
/* cases-lock.c - sync.Mutex and sync.RWMutex: exclusion, order, misuse. */
#include "case.h"

#include <stdatomic.h>

static struct rt_mutex mu;
static struct rt_rwmutex rw;
static struct rt_waitgroup wg;
static struct rt_chan *c;
static int counter;

static void say_bool(bool b)
{
  say(b ? "true " : "false ");
}

/* ---- Mutex ---- */

CASE(mutex_zero_value_is_unlocked, "sync.Mutex: the zero value is an unlocked mutex",
     PRINTS("true "))
{
  say_bool(rt_mutex_try_lock(&mu));
}
CASE(mutex_trylock_of_locked, "sync.Mutex.TryLock: reports whether it succeeded",
     PRINTS("false true "))
{
  rt_mutex_lock(&mu);
  say_bool(rt_mutex_try_lock(&mu));
  rt_mutex_unlock(&mu);
  say_bool(rt_mutex_try_lock(&mu));
}
CASE(mutex_unlock_of_unlocked, "sync.Mutex.Unlock: a run-time error if not locked",
     FATAL("sync: unlock of unlocked mutex", "running"))
{
  rt_mutex_unlock(&mu);
}
CASE(mutex_unlock_twice, "sync.Mutex.Unlock: a run-time error if not locked any more",
     FATAL("sync: unlock of unlocked mutex", "running"))
{
  rt_mutex_lock(&mu);
  rt_mutex_unlock(&mu);
  rt_mutex_unlock(&mu);
}
FN(unlock_mu)
{
  rt_mutex_unlock(&mu);
}
CASE(mutex_misuse_cannot_be_recovered, "sync.Mutex.Unlock: the error is fatal, not a panic",
     FATAL("sync: unlock of unlocked mutex", "running"))
{
  catch_panic(unlock_mu, NULL);
}
CASE(mutex_unlock_by_another,
     "sync.Mutex: a locked Mutex is not associated with a particular goroutine", PRINTS("locked "))
{
  rt_mutex_lock(&mu);
  go(unlock_mu, NULL);
  rt_mutex_lock(&mu);
  say("locked ");
}
FN(lock_say)
{
  rt_mutex_lock(&mu);
  say("%d ", num(arg));
  rt_mutex_unlock(&mu);
}
CASE(mutex_waiters_stand_in_line, "sync.Mutex: waiters are queued in FIFO order", PRINTS("1 2 3 "))
{
  rt_mutex_lock(&mu);
  for (int i = 1; i <= 3; i++) {
    go(lock_say, NUM(i));
    settle();
  }
  rt_mutex_unlock(&mu);
  settle();
}
CASE(mutex_newcomer_may_overtake,
     "sync.Mutex: in normal mode a woken waiter does not own the mutex", PRINTS("true 1 "))
{
  rt_mutex_lock(&mu);
  go(lock_say, NUM(1));
  settle();
  rt_mutex_unlock(&mu);
  say_bool(rt_mutex_try_lock(&mu));
  settle();
  rt_mutex_unlock(&mu);
  settle();
}
FN(add_under_lock)
{
  for (int i = 0; i < 1000; i++) {
    rt_mutex_lock(&mu);
    counter++;
    rt_mutex_unlock(&mu);
  }
  rt_waitgroup_done(&wg);
}
CASE(mutex_excludes, "memory model: unlock n is synchronized before the return of lock m, n < m",
     PROCS(4), PRINTS("8000 "))
{
  rt_waitgroup_add(&wg, 8);
  for (int i = 0; i < 8; i++)
    go(add_under_lock, NULL);
  rt_waitgroup_wait(&wg);
  say("%d ", counter);
}
FN(hog)
{
  while (!__atomic_load_n(&counter, __ATOMIC_SEQ_CST)) {
    rt_mutex_lock(&mu);
    int64_t until = rt_now() + MS / 5;
    while (rt_now() < until)
      ;
    rt_mutex_unlock(&mu);
  }
}
CASE(mutex_does_not_starve,
     "sync.Mutex: a waiter that fails for more than 1 ms gets it by hand-over", PROCS(2),
     PRINTS("ten times "))
{
  go(hog, NULL);
  rt_sleep(2 * MS);
  for (int i = 0; i < 10; i++) {
    rt_mutex_lock(&mu);
    rt_mutex_unlock(&mu);
    rt_sleep(MS / 10);
  }
  __atomic_store_n(&counter, 1, __ATOMIC_SEQ_CST);
  say("ten times ");
}

/* ---- RWMutex ---- */

CASE(rwmutex_many_readers,
     "sync.RWMutex: held by an arbitrary number of readers or a single writer",
     PRINTS("true true false "))
{
  rt_rwmutex_rlock(&rw);
  say_bool(rt_rwmutex_try_rlock(&rw));
  say_bool(rt_rwmutex_try_rlock(&rw));
  say_bool(rt_rwmutex_try_lock(&rw));
}
CASE(rwmutex_one_writer, "sync.RWMutex: a writer excludes readers and writers",
     PRINTS("false false true "))
{
  rt_rwmutex_lock(&rw);
  say_bool(rt_rwmutex_try_rlock(&rw));
  say_bool(rt_rwmutex_try_lock(&rw));
  rt_rwmutex_unlock(&rw);
  say_bool(rt_rwmutex_try_lock(&rw));
}
CASE(rwmutex_free_after_last_reader, "sync.RWMutex: free for a writer when all readers are gone",
     PRINTS("false true "))
{
  rt_rwmutex_rlock(&rw);
  rt_rwmutex_rlock(&rw);
  rt_rwmutex_runlock(&rw);
  say_bool(rt_rwmutex_try_lock(&rw));
  rt_rwmutex_runlock(&rw);
  say_bool(rt_rwmutex_try_lock(&rw));
}
FN(write_say)
{
  rt_rwmutex_lock(&rw);
  say("w%d ", num(arg));
  rt_rwmutex_unlock(&rw);
}
FN(read_say)
{
  rt_rwmutex_rlock(&rw);
  say("r%d ", num(arg));
  rt_rwmutex_runlock(&rw);
}
CASE(rwmutex_waiting_writer_blocks_new_readers, "sync.RWMutex: a pending Lock excludes new readers",
     PRINTS("false w1 r2 "))
{
  rt_rwmutex_rlock(&rw);
  go(write_say, NUM(1));
  settle();
  go(read_say, NUM(2));
  settle();
  say_bool(rt_rwmutex_try_rlock(&rw));
  rt_rwmutex_runlock(&rw);
  settle();
}
CASE(rwmutex_readers_before_next_writer,
     "sync.RWMutex: Unlock lets waiting readers in before the next writer", PRINTS("r1 r2 w3 "))
{
  rt_rwmutex_lock(&rw);
  go(write_say, NUM(3));
  settle();
  go(read_say, NUM(1));
  settle();
  go(read_say, NUM(2));
  settle();
  rt_rwmutex_unlock(&rw);
  settle();
}
CASE(rwmutex_writer_waits_for_the_last_reader,
     "sync.RWMutex.Lock: blocks until the readers before it are done", PRINTS("one left w1 "))
{
  rt_rwmutex_rlock(&rw);
  rt_rwmutex_rlock(&rw);
  go(write_say, NUM(1));
  settle();
  rt_rwmutex_runlock(&rw);
  settle();
  say("one left ");
  rt_rwmutex_runlock(&rw);
  settle();
}
CASE(rwmutex_runlock_of_unlocked,
     "sync.RWMutex.RUnlock: a run-time error if not locked for reading",
     FATAL("sync: RUnlock of unlocked RWMutex", "running"))
{
  rt_rwmutex_runlock(&rw);
}
CASE(rwmutex_unlock_of_unlocked, "sync.RWMutex.Unlock: a run-time error if not locked for writing",
     FATAL("sync: Unlock of unlocked RWMutex", "running"))
{
  rt_rwmutex_unlock(&rw);
}
CASE(rwmutex_runlock_of_write_locked, "sync.RWMutex.RUnlock: also if locked for writing",
     FATAL("sync: RUnlock of unlocked RWMutex", "running"))
{
  rt_rwmutex_lock(&rw);
  rt_rwmutex_runlock(&rw);
}
CASE(rwmutex_unlock_of_read_locked, "sync.RWMutex.Unlock: also if locked for reading",
     FATAL("sync: Unlock of unlocked RWMutex", "running"))
{
  rt_rwmutex_rlock(&rw);
  rt_rwmutex_unlock(&rw);
}
FN(runlock_rw)
{
  rt_rwmutex_runlock(&rw);
}
CASE(rwmutex_runlock_by_another, "sync.RWMutex: not associated with a particular goroutine",
     PRINTS("true "))
{
  rt_rwmutex_rlock(&rw);
  go(runlock_rw, NULL);
  settle();
  say_bool(rt_rwmutex_try_lock(&rw));
}
static _Atomic int n_readers, n_writers, n_broken;
FN(read_and_check)
{
  for (int i = 0; i < 300; i++) {
    rt_rwmutex_rlock(&rw);
    n_readers++;
    n_broken += n_writers != 0;
    n_readers--;
    rt_rwmutex_runlock(&rw);
  }
  rt_waitgroup_done(&wg);
}
FN(write_and_check)
{
  for (int i = 0; i < 100; i++) {
    rt_rwmutex_lock(&rw);
    n_writers++;
    n_broken += n_writers != 1 || n_readers != 0;
    counter++;
    n_writers--;
    rt_rwmutex_unlock(&rw);
  }
  rt_waitgroup_done(&wg);
}
CASE(rwmutex_excludes, "memory model: writers exclude all, on several Ps", PROCS(4),
     PRINTS("0 400 "))
{
  rt_waitgroup_add(&wg, 12);
  for (int i = 0; i < 4; i++) {
    go(read_and_check, NULL);
    go(write_and_check, NULL);
    go(read_and_check, NULL);
  }
  rt_waitgroup_wait(&wg);
  say("%d %d ", n_broken, counter);
}
FN(read_hold)
{
  rt_rwmutex_rlock(&rw);
  put(c, 0);
  take(NULL);
  rt_rwmutex_runlock(&rw);
}
CASE(rwmutex_readers_share_at_once, "sync.RWMutex: readers hold it at the same time",
     PRINTS("both hold it "))
{
  c = ints(0);
  go(read_hold, NULL);
  go(read_hold, NULL);
  take(c);
  take(c);
  say("both hold it ");
}
