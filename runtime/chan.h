/* SPDX-License-Identifier: MIT */
/* chan.h - a channel's inside, which chan.c and select.c share. */
#pragma once
#include "runtime.h"
#include "sim.h"

#include <string.h>

/* I1  At least one of sendq and recvq is empty, but for a G that both sends and receives on it in one select.
 * I2  qcount > 0 and dataqsiz > 0: recvq is empty.  qcount < dataqsiz: sendq is empty. */
struct rt_chan {
  struct mutex lock; /* guards all below, and the sudogs' fields while they are queued here */
  bool closed;
  /* `timer` sends on it, and the buffer is its business: to the program it has neither len nor cap. */
  bool of_timer;
  _Atomic size_t qcount; /* values in the buffer; read without the lock by rt_chan_len, as in Go */
  size_t dataqsiz;       /* slots of the buffer */
  size_t elemsize;
  size_t sendx, recvx; /* next slot to write, to read */
  struct waitq recvq, sendq;
  struct timer *timer; /* that sends on it (rt_after, rt_ticker), given up with it; or NULL */
  uint64_t lock_order; /* of all channels that a select locks, the one with the least comes first */
  char buf[];
};

static inline void *chanbuf(struct rt_chan *c, size_t i)
{
  return c->buf + i * c->elemsize;
}
static inline size_t chan_count(const struct rt_chan *c)
{
  return atomic_load_explicit(&c->qcount, memory_order_relaxed);
}
static inline uint64_t chan_obj(const struct rt_chan *c)
{
  return (uint64_t)(uintptr_t)c;
}
static inline void chan_copy(const struct rt_chan *c, void *to, const void *from)
{
  if (!to)
    return;
  if (likely(c->elemsize == 8))
    memcpy(to, from, 8);    /* a word or a pointer: no call */
  else if (c->elemsize > 0) /* from may be NULL if not */
    memcpy(to, from, c->elemsize);
}

static ALWAYS_INLINE void waitq_enqueue(struct waitq *q, struct sudog *sg)
{
  in_this_run(&q->run, q->first);
  sg->next = NULL;
  sg->prev = q->last;
  if (q->last)
    q->last->next = sg;
  else
    q->first = sg;
  q->last = sg;
}
/* Takes out one that may be gone already. */
void waitq_remove(struct waitq *q, struct sudog *sg);
/* The first waiter whose select, if it is in one, nobody else has won; or NULL. Inline, because mostly nobody waits. */
static ALWAYS_INLINE struct sudog *waitq_dequeue(struct waitq *q)
{
  for (;;) {
    struct sudog *sg = q->first;
    if (!sg)
      return NULL;
    in_this_run(&q->run, sg);
    waitq_remove(q, sg);
    /* A select waits on several channels: the first who sets select_done may wake it. */
    uint32_t undone = 0;
    if (!sg->is_select ||
        MUTANT(12, true, atomic_compare_exchange_strong(&sg->g->select_done, &undone, 1)))
      return sg;
  }
}

/* Panics where a free would, and does nothing else. */
void check_free(struct rt_chan *c);

/* The four ways on without waiting, under the lock. A partner's G is returned: goready it after unlocking. */
struct g *chan_send_to(struct rt_chan *c, struct sudog *receiver, const void *elem);
struct g *chan_recv_from(struct rt_chan *c, struct sudog *sender, void *elem);
void chan_put(struct rt_chan *c, const void *elem);
void chan_get(struct rt_chan *c, void *elem);

/* What a timer does with its channel, from a G or from g0: no place to stop at. A value for which there is no room is
 * dropped, and on a closed channel. */
void chan_offer(struct rt_chan *c, const void *elem);
/* Drops what is in it; true if there was something. */
bool chan_drain(struct rt_chan *c);
