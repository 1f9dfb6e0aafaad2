/* SPDX-License-Identifier: MIT */
/* lock.c - the runtime's own lock and note, over futex.
 *
 * The lock is a futex lock that spins a little first: what it guards takes tens of ns. On one CPU it does not spin.
 * A note is a latch for one sleeper.
 *
 * I1  Who means to sleep on a lock sets sleepers, then tries, then sleeps if both are still set. Who unlocks clears
 *     held, looks at sleepers, clears it and wakes one, which sets it again. So a sleeper is either seen, or sees
 *     the lock free.
 * I2  unlock2 does all of that in one exchange, because a lock may lie in what its next holder frees (a timer, a
 *     channel, a mutex on a stack). An unlock by a store and a look was tried: the simulation found the use after free
 *     under the address sanitizer.
 *
 * Not done: fairness. Whoever comes first gets it; sections are too short for that to matter.
 */
#include "os.h"
#include "runtime.h"
#include "sim.h"

#define ACTIVE_SPINS  40
#define PASSIVE_SPINS 1 /* sched_yields: the holder may be preempted by the kernel */

static bool spin_for(struct mutex *l)
{
  for (int i = 0; i < ACTIVE_SPINS; i++) {
    if (atomic_load_explicit(&l->held, memory_order_relaxed) == 0 && trylock2(l))
      return true;
    os_pause();
  }
  for (int i = 0; i < PASSIVE_SPINS; i++) {
    os_yield();
    if (trylock2(l))
      return true;
  }
  return false;
}

void lock2_slow(struct mutex *l)
{
  if (spin_for(l))
    return;
  for (;;) {
    atomic_store(&l->sleepers, 1);
    if (trylock2(l))
      return; /* sleepers stays: there may be others */
    os_futex_wait(&l->key, LOCK_SLEPT_ON, -1);
  }
}

/* sleepers was set, and is not any more. The lock may be gone: its address is all that is used. */
void unlock2_slow(struct mutex *l)
{
  MUTANT(9, (void)0, os_futex_wake(&l->key, 1));
}

void noteclear(struct note *n)
{
  atomic_store_explicit(&n->key, 0, memory_order_relaxed);
}

void notewakeup(struct note *n)
{
  if (atomic_exchange_explicit(&n->key, 1, memory_order_release) != 0)
    throw("notewakeup: double wakeup");
  os_futex_wake(&n->key, 1);
}

void notesleep(struct note *n)
{
  while (atomic_load_explicit(&n->key, memory_order_acquire) == 0) /* pairs with notewakeup */
    os_futex_wait(&n->key, 0, -1);
}

bool notetsleep_unless(struct note *n, int64_t ns, bool (*is_over)(void))
{
  int64_t deadline = os_now() + ns;
  while (atomic_load_explicit(&n->key, memory_order_acquire) == 0) {
    int64_t left = deadline - os_now();
    if (left <= 0 || (is_over && is_over()))
      return false;
    os_futex_wait(&n->key, 0, left);
  }
  return true;
}

bool notetsleep(struct note *n, int64_t ns)
{
  if (ns >= 0)
    return notetsleep_unless(n, ns, NULL);
  notesleep(n);
  return true;
}
