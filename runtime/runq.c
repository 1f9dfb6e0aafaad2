/* SPDX-License-Identifier: MIT */
/* runq.c - the per-P rings of runnable Gs with their runnext, and the one global queue.
 *
 * I1  Only the owner P adds at the tail.     I2  Anyone may claim from the head, by CAS.
 * I3  A G is on at most one queue, and then it is Grunnable.
 * I4  head and tail only grow (modulo 2^32); tail - head is never above RUNQ_SIZE.
 *
 * Stamps. What was taken by CAS is stamped between the load that saw it and the CAS, so that whoever sees
 * it gone stamps later. The owner may go on with the stamp of its transition as long as nobody stole from
 * it since (runqhead_seen, runnext_seen); otherwise it reads the clock again. A ring's head only grows, but the same
 * G may have left runnext and come back between a thief's look and its CAS: so the G says when it was put there
 * (put_ts; forgotten, a steal could stand before what it stole; found by simulation).
 *
 * Not done: one queue under one lock. It is simpler, but every ready would contend for it.
 * Cost: put and get O(1) without a lock; a steal copies half; overflow moves half to the global queue,
 * under sched.lock, which is taken before the CAS, so that ring and queue change as one step.
 */
#include "os.h"
#include "proc.h"
#include "schedlock.h"
#include "sim.h"
#include "tracedoor.h"

#define RUNNEXT_GRACE_US 3 /* a G just put into runnext is about to run: give its P a moment */

static struct g *slot_get(struct p *pp, uint32_t i)
{
  return atomic_load_explicit(&pp->runq[i % RUNQ_SIZE], memory_order_relaxed);
}

static void slot_set(struct p *pp, uint32_t i, struct g *gp)
{
  atomic_store_explicit(&pp->runq[i % RUNQ_SIZE], gp, memory_order_relaxed);
}

/* The owner's look at the head; stamps anew if a thief moved it. */
static uint32_t look_at_head(struct m *mp, struct p *pp)
{
  uint32_t head =
      atomic_load_explicit(&pp->runqhead, memory_order_acquire); /* pairs with the CASes */
  if (unlikely(head != pp->runqhead_seen)) {
    pp->runqhead_seen = head;
    tr_stamp_after(mp);
  }
  return head;
}

/* ---- the global queue; all with sched.lock held ---- */

static void set_size(void)
{
  atomic_store_explicit(&sched.runqsize, sched.runq.size, memory_order_release);
}

void globrunqput(struct m *mp, struct g *gp)
{
  tr_runq_put_global(mp, (uint32_t)gp->goid, false);
  gqueue_push(&sched.runq, gp);
  set_size();
}

struct g *globrunqget(struct m *mp)
{
  struct g *gp = gqueue_pop(&sched.runq);
  if (!gp)
    return NULL;
  set_size();
  tr_runq_get_global(mp, (uint32_t)gp->goid);
  return gp;
}

static uint32_t batch_size(void)
{
  uint32_t n = sched.runq.size;
  if (!one_p() && n > 0) {
    uint32_t share = n / (uint32_t)sched.gomaxprocs + 1;
    n = share < n ? share : n;
  }
  return n > RUNQ_SIZE / 2 ? RUNQ_SIZE / 2 : n;
}

struct g *globrunqgetbatch(struct m *mp, struct p *pp)
{
  uint32_t n = batch_size();
  if (n == 0)
    return NULL;
  uint32_t tail = atomic_load_explicit(&pp->runqtail, memory_order_relaxed);
  uint32_t room = RUNQ_SIZE - (tail - look_at_head(mp, pp));
  if (n > room + 1)
    n = room + 1;
  struct g *first = gqueue_pop(&sched.runq);
  tr_runq_batch(mp, (uint32_t)first->goid, n, tail);
  for (uint32_t i = 0; i + 1 < n; i++) {
    struct g *gp = gqueue_pop(&sched.runq);
    fetch_ahead(gp->ahead);
    slot_set(pp, tail + i, gp);
  }
  set_size();
  atomic_store_explicit(&pp->runqtail, tail + n - 1,
                        memory_order_release); /* pairs with runqgrab */
  return first;
}

/* Everything of pp, which is in hand or stopped; thieves may be at it still. */
void runqdrain(struct m *mp, struct p *pp)
{
  struct gqueue drained = { 0 };
  struct g *batch[RUNQ_SIZE];
  uint32_t head = atomic_load_explicit(&pp->runqhead, memory_order_acquire);
  uint32_t tail = atomic_load_explicit(&pp->runqtail, memory_order_relaxed);
  struct g *next = atomic_exchange_explicit(&pp->runnext, NULL, memory_order_acq_rel);
  do {
    for (uint32_t i = head; i != tail; i++)
      batch[i - head] = slot_get(pp, i);
    tr_stamp_after(mp);
  } while (!atomic_compare_exchange_weak_explicit(&pp->runqhead, &head, tail, memory_order_acq_rel,
                                                  memory_order_acquire));
  pp->runqhead_seen = tail;
  pp->runnext_seen = false;
  if (next)
    gqueue_push(&drained, next);
  for (uint32_t i = 0; i < tail - head; i++)
    /* NOLINTNEXTLINE(clang-analyzer-core.CallAndMessage): the round that won filled them all */
    gqueue_push(&drained, batch[i]);
  if (drained.size == 0)
    return;
  tr_runq_drain(mp, pp->id, head, drained.size);
  drained.tail->schedlink = sched.runq.head;
  if (!sched.runq.head)
    sched.runq.tail = drained.tail;
  sched.runq.head = drained.head;
  sched.runq.size += drained.size;
  set_size();
}

/* Claims by CAS what a thief may claim too; where there is one P there is no thief. */
static inline bool claim_next(struct p *pp, struct g **old, struct g *new)
{
  if (!one_p())
    return atomic_compare_exchange_strong(&pp->runnext, old, new); /* seq_cst: see wakep */
  atomic_store_explicit(&pp->runnext, new, memory_order_relaxed);
  return true;
}

static inline bool claim_head(struct p *pp, uint32_t head)
{
  if (!one_p())
    return atomic_compare_exchange_strong_explicit(&pp->runqhead, &head, head + 1,
                                                   memory_order_release, memory_order_relaxed);
  atomic_store_explicit(&pp->runqhead, head + 1, memory_order_release);
  return true;
}

/* ---- put ---- */

/* Moves half of a full ring, and gp, to the global queue. False: a thief made room meanwhile. */
static RARELY bool runqputslow(struct m *mp, struct p *pp, struct g *gp, uint32_t head)
{
  struct g *batch[RUNQ_SIZE / 2];
  uint32_t n = RUNQ_SIZE / 2;
  lock_sched();
  tr_stamp_after(mp);
  for (uint32_t i = 0; i < n; i++)
    batch[i] = slot_get(pp, head + i);
  if (!atomic_compare_exchange_strong_explicit(&pp->runqhead, &head, head + n, memory_order_acq_rel,
                                               memory_order_relaxed)) {
    unlock_sched();
    return false;
  }
  pp->runqhead_seen = head + n;
  tr_runq_overflow(mp, (uint32_t)gp->goid, head, n);
  for (uint32_t i = 0; i < n; i++) {
    batch[i]->ahead = batch[i + AHEAD < n ? i + AHEAD : n - 1];
    gqueue_push(&sched.runq, batch[i]);
  }
  gqueue_push(&sched.runq, gp);
  set_size();
  unlock_sched();
  return true;
}

static void runqput_tail(struct m *mp, struct p *pp, struct g *gp)
{
  for (;;) {
    uint32_t head = look_at_head(mp, pp);
    uint32_t tail = atomic_load_explicit(&pp->runqtail, memory_order_relaxed);
    if (likely(tail - head < RUNQ_SIZE)) {
      tr_runq_put(mp, (uint32_t)gp->goid, tail, pp->id);
      slot_set(pp, tail, gp);
      atomic_store_explicit(&pp->runqtail, tail + 1,
                            memory_order_release); /* pairs with runqgrab */
      return;
    }
    if (runqputslow(mp, pp, gp, head))
      return;
  }
}

static ALWAYS_INLINE void note_put_time(struct m *mp, struct g *gp)
{
  if (tr_on(mp, TRACE_FAMILY_ALL)) /* else do not touch that cache line */
    gp->put_ts = tr_time(mp);
}

/* Puts gp into runnext and returns whom it kicked out. */
static struct g *runqput_next(struct m *mp, struct p *pp, struct g *gp)
{
  uint32_t goid = (uint32_t)gp->goid; /* a thief may take it as soon as it is there */
  struct g *old = atomic_load_explicit(&pp->runnext, memory_order_acquire);
  if (unlikely(pp->runnext_seen && !old))
    tr_stamp_after(mp);
  note_put_time(mp, gp);
  while (!claim_next(pp, &old, gp)) {
    tr_stamp_after(mp);
    note_put_time(mp, gp);
  }
  atomic_store_explicit(&pp->nextputs,
                        atomic_load_explicit(&pp->nextputs, memory_order_relaxed) + 1,
                        memory_order_relaxed);
  pp->runnext_seen = true;
  tr_runq_put_next(mp, goid, old ? (uint32_t)old->goid : 0, pp->id);
  return old;
}

void runqput(struct m *mp, struct p *pp, struct g *gp, bool next)
{
  if (next)
    gp = MUTANT(2, (runqput_next(mp, pp, gp), NULL), runqput_next(mp, pp, gp));
  if (gp)
    runqput_tail(mp, pp, gp);
}

/* ---- get ---- */

static struct g *runqget_next(struct m *mp, struct p *pp)
{
  struct g *gp = atomic_load_explicit(&pp->runnext, memory_order_relaxed);
  /* Only the owner puts, so if this fails it is gone. */
  if (!gp || !claim_next(pp, &gp, NULL))
    return NULL;
  pp->runnext_seen = false;
  tr_runq_get_next(mp, (uint32_t)gp->goid);
  return gp;
}

struct g *runqget(struct m *mp, struct p *pp, bool *inherit)
{
  struct g *gp = runqget_next(mp, pp);
  *inherit = gp != NULL;
  if (gp)
    return gp;
  for (;;) {
    uint32_t head = look_at_head(mp, pp);
    uint32_t tail = atomic_load_explicit(&pp->runqtail, memory_order_relaxed);
    if (tail == head)
      return NULL;
    gp = slot_get(pp, head);
    if (claim_head(pp, head)) {
      pp->runqhead_seen = head + 1;
      tr_runq_get(mp, (uint32_t)gp->goid, head);
      return gp;
    }
  }
}

bool runqempty(const struct p *pp)
{
  /* runqput moves the old runnext to the ring after it was kicked out: look until head, tail and runnext
   * belong together. */
  for (;;) {
    uint32_t head = atomic_load(&pp->runqhead);
    uint32_t tail = atomic_load(&pp->runqtail);
    struct g *next = atomic_load(&pp->runnext);
    if (tail == atomic_load(&pp->runqtail))
      return head == tail && !next;
  }
}

uint32_t runqlen(const struct p *pp)
{
  uint32_t head = atomic_load_explicit(&pp->runqhead, memory_order_acquire);
  uint32_t tail = atomic_load_explicit(&pp->runqtail, memory_order_acquire);
  return tail - head > RUNQ_SIZE ? 0 : tail - head;
}

/* ---- steal ---- */

/* The victim's runnext, which it is about to run itself unless it is busy: then it lies there all the while
 * that we wait. (Go takes what is there afterwards, and so tears a pair apart that hands over to each other.) */
static struct g *steal_next(struct m *mp, struct p *victim)
{
  uint32_t puts = atomic_load_explicit(&victim->nextputs, memory_order_relaxed);
  struct g *gp = atomic_load_explicit(&victim->runnext, memory_order_acquire);
  if (!gp)
    return NULL;
  if (atomic_load_explicit(&victim->status, memory_order_relaxed) == Prunning)
    os_usleep(RUNNEXT_GRACE_US);
  if (atomic_load_explicit(&victim->nextputs, memory_order_relaxed) != puts)
    return NULL;
  gp = atomic_load_explicit(&victim->runnext, memory_order_acquire);
  tr_stamp_after(mp);
  if (!gp || !atomic_compare_exchange_strong(&victim->runnext, &gp, NULL))
    return NULL;
  tr_stamp_behind(mp, gp->put_ts);
  atomic_store_explicit(&victim->vain_wakes, 0, memory_order_relaxed); /* wake.c, I5 */
  tr_runq_steal_next(mp, victim->id, (uint32_t)gp->goid);
  return gp;
}

/* Copies half of the victim's ring behind pp's tail, without moving the tail; how many. */
static uint32_t runqgrab(struct m *mp, struct p *pp, struct p *victim, uint32_t tail)
{
  for (;;) {
    uint32_t head = atomic_load_explicit(&victim->runqhead, memory_order_acquire);
    uint32_t its_tail = atomic_load_explicit(&victim->runqtail, memory_order_acquire);
    uint32_t n = its_tail - head;
    n -= n / 2;
    if (n == 0)
      return 0;
    if (n > RUNQ_SIZE / 2)
      continue; /* head and tail do not belong together */
    for (uint32_t i = 0; i < n; i++)
      slot_set(pp, tail + i, slot_get(victim, head + i));
    tr_stamp_after(mp);
    if (!MUTANT(16, (atomic_store(&victim->runqhead, head + n), true),
                atomic_compare_exchange_strong_explicit(&victim->runqhead, &head, head + n,
                                                        memory_order_acq_rel,
                                                        memory_order_relaxed)))
      continue;
    tr_runq_steal(mp, victim->id, n, head, tail);
    return n;
  }
}

/* pp's ring is empty. */
struct g *runqsteal(struct m *mp, struct p *pp, struct p *victim, bool steal_runnext)
{
  uint32_t tail = atomic_load_explicit(&pp->runqtail, memory_order_relaxed);
  uint32_t n = runqgrab(mp, pp, victim, tail);
  if (n == 0)
    return steal_runnext ? steal_next(mp, victim) : NULL;
  struct g *gp = slot_get(pp, tail + n - 1);
  if (n > 1)
    atomic_store_explicit(&pp->runqtail, tail + n - 1, memory_order_release);
  return gp;
}
