/* SPDX-License-Identifier: MIT */
/* select.c - waiting for the first of several channels.
 *
 * Go's selectgo, in its three passes, over all channels locked:
 *   1  look for a case that can go on, in a random order, so that no case starves;
 *   2  none: enqueue one sudog on every channel, and park;
 *   3  woken: take the other sudogs out of their queues, unless others were faster.
 *
 * I1  Channels are locked in one order (of their addresses; in the simulation, where the heap's layout must not matter,
 *     of their making), each once: two selects cannot deadlock.
 * I2  Who wants to wake us must set g.select_done first (waitq_dequeue): of many partners one wins.
 *
 * Cost: O(n log n) for n cases.  Up to SMALL cases everything lies in the G's frame; more are allocated.
 */
#include "chan.h"
#include "panic.h"
#include "proc.h"
#include "sim.h"

#include <stdlib.h>

#define SMALL 8

struct order {   /* of one case */
  uint16_t poll; /* n-th to look at */
  uint16_t lock; /* n-th to lock */
};

struct selection {
  struct rt_case *cases;
  struct order *order;  /* n_live of each: cases without a channel are left out */
  struct sudog *sudogs; /* by case */
  int n, n_live;
  bool has_timer; /* one of the channels is a timer's */
  /* When the first is due of those that went into a heap; 0: nobody needs to know. */
  int64_t wake_when;
};

static void sellock(const struct selection *s)
{
  struct rt_chan *last = NULL;
  for (int i = 0; i < s->n_live; i++) {
    struct rt_chan *c = s->cases[s->order[i].lock].chan;
    if (c != last)
      lock_with_p(&c->lock);
    last = c;
  }
}

static void selunlock(const struct selection *s)
{
  for (int i = s->n_live - 1; i >= 0; i--) {
    struct rt_chan *c = s->cases[s->order[i].lock].chan;
    if (i == 0 || c != s->cases[s->order[i - 1].lock].chan)
      unlock_with_p(&c->lock); /* once, at the first of equal ones */
  }
}

/* Once the first is unlocked we may be woken, and run, and s be gone. So the orders are not looked at
 * after the last unlock, and select_done, not the locks, decides who wakes us. */
static bool selparkcommit(struct g *gp, void *selection)
{
  (void)gp;
  int64_t wake_when = ((struct selection *)selection)->wake_when;
  selunlock(selection);
  if (unlikely(wake_when != 0))
    wake_net_poller(getm(), wake_when);
  return true;
}

static uint64_t lock_key(const struct selection *s, int i)
{
  return s->cases[s->order[i].lock].chan->lock_order;
}

/* Heap sort: no recursion, no allocation, no bad case. */
static void sift_down(struct selection *s, int root, int n)
{
  for (int child; (child = 2 * root + 1) < n; root = child) {
    if (child + 1 < n && lock_key(s, child) < lock_key(s, child + 1))
      child++;
    if (lock_key(s, root) >= lock_key(s, child))
      return;
    uint16_t moved = s->order[root].lock;
    s->order[root].lock = s->order[child].lock;
    s->order[child].lock = moved;
  }
}

static void sort_lock_order(struct selection *s)
{
  for (int i = s->n_live / 2 - 1; i >= 0; i--)
    sift_down(s, i, s->n_live);
  for (int last = s->n_live - 1; last > 0; last--) {
    uint16_t largest = s->order[0].lock;
    s->order[0].lock = s->order[last].lock;
    s->order[last].lock = largest;
    sift_down(s, 0, last);
  }
}

/* A random permutation to look in, and the order to lock in. */
static void make_orders(struct selection *s)
{
  struct m *mp = getm();
  for (int i = 0; i < s->n; i++) {
    struct rt_chan *c = s->cases[i].chan;
    if (!c)
      continue;
    if (unlikely(c->of_timer)) {
      maybe_run_chan(c->timer);
      s->has_timer = true;
    }
    uint32_t at = (uint32_t)((uint64_t)fastrand(&mp->rand) * (uint32_t)(s->n_live + 1) >> 32);
    sim_choice(mp, TRACE_CHOICE_SELECT, (uint32_t)s->n_live + 1, at);
    s->order[s->n_live].poll = s->order[at].poll;
    s->order[at].poll = (uint16_t)i;
    s->order[s->n_live].lock = (uint16_t)i;
    s->n_live++;
  }
  sort_lock_order(s);
}

/* Everything is unlocked, gp, if any, made ready. */
static void selfinish(const struct selection *s, struct g *gp, struct rt_chan *c)
{
  selunlock(s);
  if (gp)
    goready(gp, chan_obj(c));
}

/* If the case can go on, does it, unlocks everything and returns true. */
static bool try_recv(const struct selection *s, struct rt_case *cas)
{
  struct rt_chan *c = cas->chan;
  struct sudog *sender = waitq_dequeue(&c->sendq);
  struct g *gp = NULL;
  cas->open = true;
  if (sender) {
    gp = chan_recv_from(c, sender, cas->elem);
  } else if (chan_count(c) > 0) {
    chan_get(c, cas->elem);
  } else if (c->closed) {
    cas->open = false;
    if (cas->elem)
      memset(cas->elem, 0, c->elemsize);
  } else {
    return false;
  }
  selfinish(s, gp, c);
  return true;
}

static bool try_send(const struct selection *s, struct rt_case *cas)
{
  struct rt_chan *c = cas->chan;
  if (c->closed) {
    selunlock(s);
    panicerror("send on closed channel");
  }
  struct sudog *receiver = waitq_dequeue(&c->recvq);
  struct g *gp = NULL;
  if (receiver)
    gp = chan_send_to(c, receiver, cas->elem);
  else if (chan_count(c) < c->dataqsiz)
    chan_put(c, cas->elem);
  else
    return false;
  selfinish(s, gp, c);
  return true;
}

/* Pass 1: the case that went on, everything unlocked; or -1, everything locked. */
static int select_ready(const struct selection *s)
{
  for (int i = 0; i < s->n_live; i++) {
    int at = s->order[i].poll;
    struct rt_case *cas = &s->cases[at];
    if (cas->dir == RT_RECV ? try_recv(s, cas) : try_send(s, cas))
      return at;
  }
  return -1;
}

static struct waitq *queue_of(const struct rt_case *cas)
{
  return cas->dir == RT_RECV ? &cas->chan->recvq : &cas->chan->sendq;
}

/* All channels locked. */
static RARELY void block_timers(struct selection *s)
{
  for (int i = 0; i < s->n; i++) {
    const struct rt_case *cas = &s->cases[i];
    if (!cas->chan || !cas->chan->of_timer || cas->dir != RT_RECV)
      continue;
    int64_t when = block_timer_chan(cas->chan->timer);
    if (when != 0 && (s->wake_when == 0 || when < s->wake_when))
      s->wake_when = when;
  }
}

static RARELY void unblock_timers(const struct selection *s)
{
  for (int i = 0; i < s->n; i++) {
    const struct rt_case *cas = &s->cases[i];
    if (cas->chan && cas->chan->of_timer && cas->dir == RT_RECV)
      unblock_timer_chan(cas->chan->timer);
  }
}

/* Passes 2 and 3: the case whose partner woke us. */
static int select_wait(struct selection *s)
{
  struct g *gp = getg();
  for (int i = 0; i < s->n_live; i++) {
    int at = s->order[i].lock;
    struct rt_case *cas = &s->cases[at];
    s->sudogs[at] = (struct sudog){
      .g = gp, .c = cas->chan, .elem = cas->elem, .is_select = true, .case_index = (uint32_t)at
    };
    waitq_enqueue(queue_of(cas), &s->sudogs[at]);
  }
  atomic_store_explicit(&gp->select_done, 0, memory_order_relaxed); /* told by the unlocking */
  if (unlikely(s->has_timer))
    block_timers(s);
  gopark(selparkcommit, s, TRACE_WAIT_SELECT,
         s->n_live == 1 ? chan_obj(s->cases[s->order[0].lock].chan) : 0);

  sellock(s);
  if (unlikely(s->has_timer))
    unblock_timers(s);
  const struct sudog *fired = gp->param;
  gp->param = NULL;
  for (int i = 0; i < s->n_live; i++) {
    int at = s->order[i].lock;
    if (&s->sudogs[at] != fired)
      waitq_remove(queue_of(&s->cases[at]), &s->sudogs[at]);
  }
  selunlock(s);
  int won = (int)fired->case_index;
  struct rt_case *cas = &s->cases[won];
  cas->open = fired->success;
  if (!fired->success && cas->dir == RT_SEND)
    panicerror("send on closed channel");
  if (!fired->success && cas->elem)
    memset(cas->elem, 0, cas->chan->elemsize);
  return won;
}

static int selectgo(struct selection *s, bool block)
{
  make_orders(s);
  sellock(s);
  int ready = select_ready(s);
  if (ready >= 0)
    return ready;
  if (block)
    return select_wait(s);
  selunlock(s);
  return -1;
}

/* More cases than fit into a frame. A panic inside (send on closed channel) must not lose the memory: it
 * is freed by a deferred call. */
static int select_many(struct rt_case *cases, int n, bool block)
{
  size_t n_bytes = (size_t)n * (sizeof(struct sudog) + sizeof(struct order));
  struct sudog *sudogs = malloc(n_bytes);
  if (!sudogs)
    fatal("out of memory: no room for the cases of a select");
  RT_FRAME(fr, { return -1; });
  RT_DEFER(fr, free, sudogs);
  struct selection s = {
    .cases = cases, .n = n, .sudogs = sudogs, .order = (struct order *)(sudogs + n)
  };
  return selectgo(&s, block);
}

static int select_any(struct rt_case *cases, int n, bool block)
{
  preemption_point();
  if (n > UINT16_MAX)
    panicerror("select: too many cases");
  if (n > SMALL)
    return select_many(cases, n, block);
  struct order order[SMALL];
  struct sudog sudogs[SMALL];
  struct selection s = { .cases = cases, .n = n, .sudogs = sudogs, .order = order };
  return selectgo(&s, block);
}

int rt_select(struct rt_case *cases, int n)
{
  if (n <= 0) {
    gopark(NULL, NULL, TRACE_WAIT_SELECT_NONE, 0);
    throw("unreachable");
  }
  return select_any(cases, n, true);
}

int rt_select_default(struct rt_case *cases, int n)
{
  if (n > 0)
    return select_any(cases, n, false);
  preemption_point_of("rt_select_default");
  return -1;
}
