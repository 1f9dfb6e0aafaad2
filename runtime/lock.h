/* SPDX-License-Identifier: MIT */
/* lock.h - the runtime's own locks and notes, which block the thread, not the G (lock.c). A program's are in sync-*.c. */
#pragma once
#include "compiler.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* A runtime lock: short critical sections, never held across a park. Zero is unlocked. */
struct mutex {
  _Atomic uint32_t key; /* 0 unlocked, 1 locked, 2 locked and somebody sleeps */
};
void lock2_slow(struct mutex *l);
void unlock2_slow(struct mutex *l);
static inline void lock2(struct mutex *l)
{
  uint32_t unlocked = 0;
  if (unlikely(!atomic_compare_exchange_strong_explicit(&l->key, &unlocked, 1, memory_order_acquire,
                                                        memory_order_relaxed)))
    lock2_slow(l);
}
static inline bool trylock2(struct mutex *l)
{
  uint32_t unlocked = 0;
  return atomic_compare_exchange_strong_explicit(&l->key, &unlocked, 1, memory_order_acquire,
                                                 memory_order_relaxed);
}
static inline void unlock2(struct mutex *l)
{
  if (unlikely(atomic_exchange_explicit(&l->key, 0, memory_order_release) == 2))
    unlock2_slow(l);
}

/* A one-shot event: cleared, slept on by one thread, woken once by another. */
struct note {
  _Atomic uint32_t key; /* 0 cleared, 1 woken */
};
void noteclear(struct note *n);
void notewakeup(struct note *n);
void notesleep(struct note *n);
/* Sleeps at most ns; true if it was woken. */
bool notetsleep(struct note *n, int64_t ns);
