/* SPDX-License-Identifier: MIT */
/* sync-mutex.c - mutual exclusion with a fast path, a little spinning, and a promise against starvation.
 *
 * Go's sync.Mutex.  In normal mode a woken waiter competes with newcomers, who are on a CPU already and
 * usually win: good throughput, bad luck for the waiter.  A waiter that lost for 1 ms switches the mutex to
 * starvation mode: unlock hands it over to the first waiter, and newcomers queue at once.  The first that
 * waited shorter, or that is the last, switches back.
 *
 * state:  bit 0 locked | bit 1 a waiter is awake, unlock need not wake one | bit 2 starving | the rest: waiters
 *
 * Cost: one CAS to lock, one subtraction to unlock, when nobody else is there.
 */
#include "os.h"
#include "proc.h"
#include "sema.h"

enum {
  LOCKED = 1,
  WOKEN = 2,
  STARVING = 4,
  WAITER = 8
};

#define STARVATION_NS 1000000
#define SPIN_ROUNDS   4
#define SPIN_PAUSES   30

static bool starvation_begins(int64_t waiting_since)
{
  return os_now() - waiting_since > STARVATION_NS;
}

/* Spinning is worth it only if the holder runs on another CPU and this P has nothing better to do. */
static bool can_spin(int round)
{
  static _Atomic int ncpu; /* asked for once; twice would do no harm */
  if (ncpu == 0)
    ncpu = os_ncpu();
  if (round >= SPIN_ROUNDS || ncpu <= 1)
    return false;
  if (sched.gomaxprocs <= atomic_load_explicit(&sched.npidle, memory_order_relaxed) +
                              atomic_load_explicit(&sched.nmspinning, memory_order_relaxed) + 1)
    return false;
  return runqempty(getm()->p);
}

struct contender {       /* what a G that wants the mutex knows of itself */
  int64_t waiting_since; /* 0: has not waited yet */
  bool starving;
  bool awake; /* it holds the WOKEN bit */
  int round;
};

/* Spins once if that makes sense; true if it did. */
static bool spin(_Atomic uint32_t *state, uint32_t old, struct contender *me)
{
  if ((old & (LOCKED | STARVING)) != LOCKED || !can_spin(me->round))
    return false;
  /* Tell unlock that somebody is awake, so that it wakes nobody else. */
  if (!me->awake && !(old & WOKEN) && old >= WAITER &&
      atomic_compare_exchange_strong(state, &old, old | WOKEN))
    me->awake = true;
  for (int i = 0; i < SPIN_PAUSES; i++)
    os_pause();
  me->round++;
  return true;
}

/* The state that this contender tries to make of old: locked, or one waiter more. */
static uint32_t wanted(uint32_t old, const struct contender *me)
{
  uint32_t new = old;
  if (!(old & STARVING))
    new |= LOCKED;
  if (old & (LOCKED | STARVING))
    new += WAITER;
  if (me->starving && (old & LOCKED))
    new |= STARVING;
  if (me->awake)
    new &= ~(uint32_t)WOKEN;
  return new;
}

/* The mutex was handed over to us: take it, and end starvation mode if we are the one to do so. */
static void take_over(_Atomic uint32_t *state, uint32_t old, const struct contender *me)
{
  if ((old & (LOCKED | WOKEN)) || old < WAITER)
    throw("sync: inconsistent mutex state");
  uint32_t change = (uint32_t)LOCKED - WAITER;
  if (!me->starving || old / WAITER == 1)
    change -= STARVING;
  atomic_fetch_add(state, change);
}

static __attribute__((noinline)) void lock_slow(struct rt_mutex *mutex)
{
  _Atomic uint32_t *state = atomic32(&mutex->state);
  struct contender me = { 0 };
  uint32_t old = atomic_load(state);
  for (;;) {
    if (spin(state, old, &me)) {
      old = atomic_load(state);
      continue;
    }
    if (!atomic_compare_exchange_strong(state, &old, wanted(old, &me)))
      continue;
    if (!(old & (LOCKED | STARVING)))
      return;
    bool waited = me.waiting_since != 0;
    if (!waited)
      me.waiting_since = os_now();
    semacquire(&mutex->sema, waited, TRACE_WAIT_MUTEX, obj_of(mutex));
    me.starving = me.starving || starvation_begins(me.waiting_since);
    old = atomic_load(state);
    if (old & STARVING) {
      take_over(state, old, &me);
      return;
    }
    me.awake = true;
    me.round = 0;
  }
}

void rt_mutex_lock(struct rt_mutex *mutex)
{
  preemption_point();
  uint32_t free = 0;
  if (one_p() && atomic_load_explicit(atomic32(&mutex->state), memory_order_relaxed) == 0)
    atomic_store_explicit(atomic32(&mutex->state), LOCKED, memory_order_relaxed);
  else if (!atomic_compare_exchange_strong_explicit(atomic32(&mutex->state), &free, LOCKED,
                                                    memory_order_acquire, memory_order_relaxed))
    lock_slow(mutex);
}

bool rt_mutex_try_lock(struct rt_mutex *mutex)
{
  preemption_point();
  uint32_t old = atomic_load(atomic32(&mutex->state));
  return !(old & (LOCKED | STARVING)) &&
         atomic_compare_exchange_strong(atomic32(&mutex->state), &old, old | LOCKED);
}

static __attribute__((noinline)) void unlock_slow(struct rt_mutex *mutex, uint32_t new)
{
  if (!((new + LOCKED) & LOCKED))
    fatal("sync: unlock of unlocked mutex");
  if (new &STARVING) {
    semrelease(&mutex->sema, true, obj_of(mutex));
    preemption_point();
    return;
  }
  uint32_t old = new;
  while (old >= WAITER && !(old & (LOCKED | WOKEN | STARVING))) {
    if (atomic_compare_exchange_strong(atomic32(&mutex->state), &old, (old - WAITER) | WOKEN)) {
      semrelease(&mutex->sema, false, obj_of(mutex));
      break;
    }
  }
  preemption_point();
}

void rt_mutex_unlock(struct rt_mutex *mutex)
{
  struct g *gp = need_m("rt_mutex_unlock");
  if (one_p() && atomic_load_explicit(atomic32(&mutex->state), memory_order_relaxed) == LOCKED) {
    atomic_store_explicit(atomic32(&mutex->state), 0, memory_order_release);
  } else {
    uint32_t old = atomic_fetch_sub_explicit(atomic32(&mutex->state), LOCKED, memory_order_seq_cst);
    if (old != LOCKED) {
      unlock_slow(mutex, old - LOCKED);
      return;
    }
  }
  if (gp)
    checkpreempt(gp);
}
