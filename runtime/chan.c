/* SPDX-License-Identifier: MIT */
/* chan.c - channels: a locked ring of values and two queues of waiting Gs.
 *
 * The story is Go's chan.go.  A sender that finds a receiver waiting copies its value straight into the
 * receiver's variable and makes it ready: the value never touches the buffer.  A receiver that finds a
 * sender waiting on a full buffer takes the oldest value and puts the sender's into the freed slot.  Only
 * who finds neither partner nor room (nor value) parks.
 *
 * I1  A sudog lives in its G's own frame.  Whoever dequeues it writes what it has to say (success, and
 *     g.param) before goready, and does not touch it afterwards: the frame may be gone by then.
 * I2  A G is made ready after the channel is unlocked, so that it does not run straight into the lock.
 *
 * A timer's channel (of_timer) is served by who looks at it: the timer fires in a receive that finds it due, and is in
 * a heap only while somebody is parked here (timer.c, I5). Other channels pay one branch for that.
 *
 * Not done: Go's look without the lock before a non-blocking operation.  It saves one uncontended CAS and
 * costs two more fields that must be atomic and a proof.  Nor a per-P cache of sudogs: our stacks do not move,
 * so a sudog can lie where the waiting is.
 * Cost: one lock and one copy an operation; a park and a ready for who must wait.
 */
#include "chan.h"

#include "os.h"
#include "panic.h"
#include "proc.h"
#include "sim.h"
#include "user.h"

#include <stdlib.h>

void waitq_remove(struct waitq *q, struct sudog *sg)
{
  if (!sg->prev && q->first != sg)
    return; /* dequeued by who woke us, or by who lost the race for our select */
  if (sg->prev)
    sg->prev->next = sg->next;
  else
    q->first = sg->next;
  if (sg->next)
    sg->next->prev = sg->prev;
  else
    q->last = sg->prev;
  sg->next = sg->prev = NULL;
}

struct rt_chan *rt_chan_new(size_t elem_size, size_t capacity)
{
  size_t bytes;
  not_in_a_child();
  if (__builtin_mul_overflow(elem_size, capacity, &bytes) ||
      bytes > PTRDIFF_MAX - sizeof(struct rt_chan))
    return NULL;
  struct rt_chan *c = calloc(1, sizeof *c + bytes);
  if (!c)
    return NULL;
  c->elemsize = elem_size;
  c->dataqsiz = capacity;
  c->lock_order = sim_order(c);
  object_new(c, TRACE_OBJKIND_CHAN, capacity);
  return c;
}

/* Dropped ones do not. */
static bool has_waiters(const struct waitq *q)
{
  return q->first && q->run == atomic_load(&sched.run) && run_is_on();
}

/* Whoever has just changed its len may still hold its lock. Who has no P may not take it (runtime.h, lock_with_p),
 * but can wait until it has been let go of, which is soon. */
static bool is_waited_on(struct rt_chan *c)
{
  const struct m *mp = getm();
  bool has_p = mp && mp->curg && readgstatus(mp->curg) == Grunning;
  if (has_p)
    lock_with_p(&c->lock);
  else
    while (is_locked(&c->lock) && run_is_on())
      os_yield();
  bool yes = has_waiters(&c->recvq) || has_waiters(&c->sendq);
  if (has_p)
    unlock_with_p(&c->lock);
  return yes;
}

void check_free(struct rt_chan *c)
{
  not_in_a_child();
  if (is_waited_on(c))
    panicerror("free of channel on which goroutines wait");
}

void rt_chan_free(struct rt_chan *c)
{
  if (!c)
    return;
  check_free(c);
  if (c->of_timer)
    timer_give_up(c->timer);
  free(c);
}

static inline void set_count(struct rt_chan *c, size_t n)
{
  atomic_store_explicit(&c->qcount, n, memory_order_relaxed);
}

void chan_put(struct rt_chan *c, const void *elem)
{
  chan_copy(c, chanbuf(c, c->sendx), elem);
  if (++c->sendx == c->dataqsiz)
    c->sendx = 0;
  set_count(c, chan_count(c) + 1);
}

void chan_get(struct rt_chan *c, void *elem)
{
  chan_copy(c, elem, chanbuf(c, c->recvx));
  if (++c->recvx == c->dataqsiz)
    c->recvx = 0;
  set_count(c, chan_count(c) - 1);
}

/* The partner has what it waited for; its G is to be made ready when the lock is released. */
static ALWAYS_INLINE struct g *complete(struct sudog *partner)
{
  struct g *gp = partner->g;
  partner->success = true;
  gp->param = partner;
  return gp;
}

struct g *chan_send_to(struct rt_chan *c, struct sudog *receiver, const void *elem)
{
  chan_copy(c, receiver->elem, elem);
  return complete(receiver);
}

struct g *chan_recv_from(struct rt_chan *c, struct sudog *sender, void *elem)
{
  if (c->dataqsiz == 0) {
    chan_copy(c, elem, sender->elem);
  } else { /* the buffer is full: its oldest value is ours, and the sender's goes to the end */
    chan_get(c, elem);
    chan_put(c, sender->elem);
  }
  return complete(sender);
}

/* Out of line: who parks has the time, and the ways without a park are shorter (buffered: 4 % faster). */
static __attribute__((noinline)) void enqueue(struct waitq *q, struct sudog *sg)
{
  waitq_enqueue(q, sg);
}

struct timed_wait {
  struct mutex *lock;
  int64_t wake_when; /* 0: nobody needs to know */
};

/* Unlocked, the channel's G may run, and arg be gone. */
static bool parkunlock_timed(struct g *gp, void *arg)
{
  (void)gp;
  struct timed_wait wait = *(struct timed_wait *)arg;
  unlock_with_p(wait.lock);
  if (wait.wake_when != 0)
    wake_net_poller(getm(), wait.wake_when);
  return true;
}

static RARELY void park_for_timer(struct rt_chan *c, struct timer *timer)
{
  struct timed_wait wait = { &c->lock, block_timer_chan(timer) };
  gopark(parkunlock_timed, &wait, TRACE_WAIT_RECV, chan_obj(c));
  unblock_timer_chan(timer);
}

/* Parks on q until a partner or close dequeues us; c->lock is held, and released. True: by a partner. timer: that
 * sends on it, if that is waited for. */
static ALWAYS_INLINE bool chan_wait(struct rt_chan *c, struct waitq *q, void *elem,
                                    waitreason reason, struct timer *timer)
{
  struct sudog sg = { .g = getg(), .c = c, .elem = elem };
  enqueue(q, &sg);
  if (timer)
    park_for_timer(c, timer);
  else
    goparkunlock(&c->lock, reason, chan_obj(c));
  if (sg.g->param != &sg)
    throw("chan: woken by a stranger");
  sg.g->param = NULL;
  return sg.success;
}

/* False only if !block and neither a receiver nor room is there. */
static bool chansend(struct rt_chan *c, const void *elem, bool block)
{
  preemption_point();
  if (!c) {
    if (!block)
      return false;
    gopark(NULL, NULL, TRACE_WAIT_SEND_NIL, 0);
    throw("unreachable");
  }
  lock_with_p(&c->lock);
  if (c->closed) {
    unlock_with_p(&c->lock);
    panicerror("send on closed channel");
  }
  struct sudog *receiver = waitq_dequeue(&c->recvq);
  if (receiver) {
    struct g *gp = chan_send_to(c, receiver, elem);
    unlock_with_p(&c->lock);
    goready(gp, chan_obj(c));
    return true;
  }
  if (chan_count(c) < c->dataqsiz) {
    chan_put(c, elem);
    unlock_with_p(&c->lock);
    return true;
  }
  if (!block) {
    unlock_with_p(&c->lock);
    return false;
  }
  if (!chan_wait(c, &c->sendq, (void *)(uintptr_t)elem, TRACE_WAIT_SEND, NULL))
    panicerror("send on closed channel");
  return true;
}

/* timer: that sends on it, or NULL. */
static ALWAYS_INLINE bool chanrecv_from(struct rt_chan *c, void *elem, bool block, bool *open,
                                        struct timer *timer)
{
  *open = true;
  lock_with_p(&c->lock);
  struct sudog *sender = waitq_dequeue(&c->sendq);
  if (sender) {
    struct g *gp = chan_recv_from(c, sender, elem);
    unlock_with_p(&c->lock);
    goready(gp, chan_obj(c));
    return true;
  }
  if (chan_count(c) > 0) {
    chan_get(c, elem);
    unlock_with_p(&c->lock);
    return true;
  }
  if (c->closed) {
    unlock_with_p(&c->lock);
    *open = false;
  } else if (!block) {
    unlock_with_p(&c->lock);
    return false;
  } else {
    *open = chan_wait(c, &c->recvq, elem, TRACE_WAIT_RECV, timer);
  }
  if (!*open && elem)
    memset(elem, 0, c->elemsize);
  return true;
}

static RARELY bool chanrecv_of_timer(struct rt_chan *c, void *elem, bool block, bool *open)
{
  maybe_run_chan(c->timer);
  return chanrecv_from(c, elem, block, open, c->timer);
}

/* False only if !block and there is nothing. *open: a value was received, not the zero of a closed channel. */
static bool chanrecv(struct rt_chan *c, void *elem, bool block, bool *open)
{
  preemption_point();
  if (!c) {
    if (!block)
      return false;
    gopark(NULL, NULL, TRACE_WAIT_RECV_NIL, 0);
    throw("unreachable");
  }
  if (unlikely(c->of_timer))
    return chanrecv_of_timer(c, elem, block, open);
  return chanrecv_from(c, elem, block, open, NULL);
}

void rt_chan_send(struct rt_chan *c, const void *elem)
{
  chansend(c, elem, true);
}

bool rt_chan_try_send(struct rt_chan *c, const void *elem)
{
  return chansend(c, elem, false);
}

bool rt_chan_recv(struct rt_chan *c, void *elem)
{
  bool open = false;
  chanrecv(c, elem, true, &open);
  return open;
}

bool rt_chan_try_recv(struct rt_chan *c, void *elem, bool *open)
{
  bool is_open = false;
  bool got = chanrecv(c, elem, false, &is_open);
  if (open)
    *open = is_open;
  return got;
}

/* Moves all waiters of q to the list; they learn that the channel was closed. */
static void release_all(struct waitq *q, struct glist *list)
{
  for (struct sudog *sg; (sg = waitq_dequeue(q));) {
    sg->success = false;
    sg->g->param = sg;
    glist_push(list, sg->g);
  }
}

void rt_chan_close(struct rt_chan *c)
{
  preemption_point_of("rt_chan_close");
  if (!c)
    panicerror("close of nil channel");
  lock_with_p(&c->lock);
  if (c->closed) {
    unlock_with_p(&c->lock);
    panicerror("close of closed channel");
  }
  c->closed = true;
  struct glist list = { NULL };
  release_all(&c->recvq, &list);
  release_all(&c->sendq, &list); /* they will panic */
  unlock_with_p(&c->lock);
  while (!glist_empty(&list))
    goready(glist_pop(&list), chan_obj(c));
}

/* ---- for timers ---- */

void chan_offer(struct rt_chan *c, const void *elem)
{
  struct g *gp = NULL;
  lock_with_p(&c->lock);
  struct sudog *receiver = waitq_dequeue(&c->recvq);
  if (receiver)
    gp = chan_send_to(c, receiver, elem);
  else if (!c->closed && chan_count(c) < c->dataqsiz)
    chan_put(c, elem);
  unlock_with_p(&c->lock);
  if (gp)
    goready(gp, chan_obj(c));
}

bool chan_drain(struct rt_chan *c)
{
  struct g *gp = NULL;
  lock_with_p(&c->lock);
  bool any = chan_count(c) > 0;
  struct sudog *sender = waitq_dequeue(&c->sendq); /* the program may send on it, too */
  if (sender)
    gp = chan_recv_from(c, sender, NULL);
  else if (any)
    chan_get(c, NULL);
  unlock_with_p(&c->lock);
  if (gp)
    goready(gp, chan_obj(c));
  return any;
}

size_t rt_chan_len(const struct rt_chan *c)
{
  if (!c || c->of_timer)
    return 0;
  not_in_a_child();
  return chan_count(c);
}

size_t rt_chan_cap(const struct rt_chan *c)
{
  return c && !c->of_timer ? c->dataqsiz : 0;
}
