/* SPDX-License-Identifier: MIT */
/* sema.h - the semaphore on which the sync files park and ready Gs. */
#pragma once
#include "runtime.h"

/* Waits until the value is positive and takes one from it.  lifo: to the head of the queue, for who waited
 * before.  obj: what the program waits for.  From a G. */
void semacquire(struct rt_sema *s, bool lifo, waitreason reason, uint64_t obj);
/* Takes one if the value is positive. */
bool cansemacquire(struct rt_sema *s);
/* Adds one to the value and makes the first waiter ready.  handoff: it gets the one, and the CPU, at once. */
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
