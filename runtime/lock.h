/* SPDX-License-Identifier: MIT */
/* lock.h - the runtime's own locks and notes, which block the thread, not the G (lock.c). A program's are in sync-*.c. */
#pragma once
#include "compiler.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* A runtime lock: short critical sections, never held across a park. Zero is unlocked. The two halves are stored
 * apart and slept on together. */
struct mutex {
  union {
    struct {
      _Atomic uint16_t held;     /* 0 or 1; by the owner, and by whom it wants to be */
      _Atomic uint16_t sleepers; /* somebody sleeps, or is about to */
    };
    _Atomic uint32_t key; /* both: the futex's word */
  };
};
#define LOCK_HELD_ONLY (__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? 1u : 1u << 16)
#define LOCK_SLEPT_ON  0x10001u
void lock2_slow(struct mutex *l);
void unlock2_slow(struct mutex *l);

static inline bool trylock2(struct mutex *l)
{
  uint16_t unlocked = 0;
  return atomic_compare_exchange_strong_explicit(&l->held, &unlocked, 1, memory_order_acquire,
                                                 memory_order_relaxed);
}
static inline void lock2(struct mutex *l)
{
  if (unlikely(!trylock2(l)))
    lock2_slow(l);
}
/* A full barrier too, as Go's is. Touches nothing of the lock after it is free, for whoever takes it may free it. */
static inline void unlock2(struct mutex *l)
{
  if (unlikely(atomic_exchange_explicit(&l->key, 0, memory_order_seq_cst) != LOCK_HELD_ONLY))
    unlock2_slow(l);
}

/* What was done under it is seen by who finds it not locked. */
static inline bool is_locked(const struct mutex *l)
{
  return atomic_load_explicit(&l->held, memory_order_acquire) != 0;
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
/* The same, with ns from 0 on; false also if is_over says so at the beginning, or when the key's futex was woken. */
bool notetsleep_unless(struct note *n, int64_t ns, bool (*is_over)(void));
