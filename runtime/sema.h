/* SPDX-License-Identifier: MIT */
/* sema.h - the semaphore on which the sync files park and ready Gs. */
#pragma once
#include "runtime.h"

/* Takes one, as soon as there is one for it.  lifo: to the head of the queue, for who waited before.  obj: what the
 * program waits for.  From a G. */
void semacquire(struct rt_sema *s, bool lifo, waitreason reason, uint64_t obj);
/* Takes one if there is one. */
bool cansemacquire(struct rt_sema *s);
/* Gives one to the first waiter and makes it ready, or adds it if nobody waits.  handoff: the waiter gets the CPU at
 * once, too. */
void semrelease(struct rt_sema *s, bool handoff, uint64_t obj);

/* Words of public structs, which C++ programs see too, seen as what they are. */
static inline _Atomic uint32_t *atomic32(uint32_t *word)
{
  return (_Atomic uint32_t *)word;
}
static inline _Atomic int32_t *atomici32(int32_t *word)
{
  return (_Atomic int32_t *)word;
}
static inline struct mutex *sema_lock(struct rt_sema *s)
{
  return (struct mutex *)&s->lock;
}
static inline uint64_t obj_of(const void *object)
{
  return (uint64_t)(uintptr_t)object;
}
