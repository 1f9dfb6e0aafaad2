/* SPDX-License-Identifier: MIT */
/* lock.c - the runtime's own lock and note, over futex.
 *
 * The lock is the classic three-state futex lock (0 free, 1 held, 2 held and slept on) that spins a little
 * first: what it guards takes tens of ns. On one CPU it does not spin. A note is a latch for one sleeper.
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
    if (atomic_load_explicit(&l->key, memory_order_relaxed) == 0 && trylock2(l))
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
  while (atomic_exchange_explicit(&l->key, 2, memory_order_acquire) != 0)
    os_futex_wait(&l->key, 2, -1);
}

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

bool notetsleep(struct note *n, int64_t ns)
{
  if (ns < 0) {
    notesleep(n);
    return true;
  }
  int64_t deadline = os_now() + ns;
  while (atomic_load_explicit(&n->key, memory_order_acquire) == 0) {
    int64_t left = deadline - os_now();
    if (left <= 0)
      return false;
    os_futex_wait(&n->key, 0, left);
  }
  return true;
}
