/* SPDX-License-Identifier: MIT */
/* timer.c - timers, and each P's 4-ary heap of them; Go 1.23's algorithm.
 *
 * A timer that is stopped or reset is not moved at once, since it may be in another P's heap: its state
 * says modified or zombie, and the entry is mended when it comes to the root (update_heap), when something
 * is inserted (clean_head), or in a scan when a modified timer may be due (adjust). There is no thread
 * for timers: who passes through findrunnable runs what is due, in its own heap or in another's.
 *
 * I1  t.lock guards a timer; ts.lock a heap's array. Order: ts.lock, then t.lock.
 * I2  t.ts is set and cleared with both held; t.state has timer_heaped exactly while t.ts is set.
 * I3  min_when_modified is no later than any modified timer's when, or 0 if there is none; so
 *     timers_wake_time() is never later than the truth.
 * I4  A timer's function runs with neither lock.
 * Every change of an array is one event, under ts.lock, so that a reader can do the same to its copy.
 *
 * Not done: a timing wheel. It adds faster (2.9 against 6.9 ns) but wakes for cascades, and it is not what
 * people come to look at.
 */
#include "fault.h"
#include "os.h"
#include "runtime.h"
#include "sim.h"
#include "tracedoor.h"

#include <stdlib.h>

#define ARITY       4u
#define CHECK_EVERY 64u /* changes between two timer_check events; more in a large heap */
#define FIRST_ROOM  16u

/* ---- locks ---- */

static void lock_timer(struct m *mp, struct timer *t)
{
  lock2(&t->lock);
  tr_stamp_after(mp);
}

static void unlock_timer(struct timer *t)
{
  atomic_store_explicit(&t->astate, t->state, memory_order_release);
  unlock2(&t->lock);
}

static void lock_timers(struct m *mp, struct timers *ts)
{
  lock2(&ts->lock);
  tr_stamp_after(mp);
}

static void tell_check(struct m *mp, struct timers *ts)
{
  uint64_t hash = TRACE_HASH_START;
  for (uint32_t i = 0; i < ts->n; i++)
    hash = trace_hash_add(hash, ts->heap[i].timer->id);
  tr_timer_check(mp, ts->p, ts->n, hash);
  ts->changes = 0;
}

static void unlock_timers(struct m *mp, struct timers *ts)
{
  if (ts->changes >= CHECK_EVERY && ts->changes >= ts->n && tr_on(mp, TRACE_FAMILY_TIMER))
    tell_check(mp, ts);
  atomic_store_explicit(&ts->len, ts->n, memory_order_relaxed);
  unlock2(&ts->lock);
}

static bool stale(const struct timer *t)
{
  return atomic_load_explicit(&t->astate, memory_order_acquire) & (timer_modified | timer_zombie);
}

/* ---- the heap; ts.lock held ---- */

static void sift_up(struct timers *ts, uint32_t i)
{
  struct timer_when *heap = ts->heap, entry = heap[i];
  while (i > 0) {
    uint32_t parent = (i - 1) / ARITY;
    if (entry.when >= heap[parent].when)
      break;
    heap[i] = heap[parent];
    i = parent;
  }
  heap[i] = entry;
}

static void sift_down(struct timers *ts, uint32_t i)
{
  struct timer_when *heap = ts->heap, entry = heap[i];
  for (;;) {
    uint32_t first = i * ARITY + 1, least = 0;
    uint32_t end = first + MUTANT(4, ARITY - 1, ARITY);
    if (end > ts->n)
      end = ts->n;
    int64_t when = entry.when;
    for (uint32_t child = first; child < end; child++)
      if (heap[child].when < when) {
        when = heap[child].when;
        least = child;
      }
    if (least == 0)
      break;
    heap[i] = heap[least];
    i = least;
  }
  heap[i] = entry;
}

static void heapify(struct timers *ts)
{
  if (ts->n <= 1)
    return;
  for (uint32_t i = (ts->n - 2) / ARITY + 1; i-- > 0;)
    sift_down(ts, i);
}

static void update_min_when_heap(struct timers *ts)
{
  atomic_store(&ts->min_when_heap, ts->n > 0 ? ts->heap[0].when : 0);
}

static void lower_min_when_modified(struct timers *ts, int64_t when)
{
  int64_t old = atomic_load(&ts->min_when_modified);
  while (old == 0 || when < old)
    if (atomic_compare_exchange_weak(&ts->min_when_modified, &old, when))
      return;
}

int64_t timers_wake_time(struct timers *ts)
{
  /* In this order: adjust moves a time from modified to heap, so it is seen at least once. */
  int64_t modified = atomic_load_explicit(&ts->min_when_modified, memory_order_acquire);
  int64_t heap = atomic_load_explicit(&ts->min_when_heap, memory_order_acquire);
  return heap == 0 || (modified != 0 && modified < heap) ? modified : heap;
}

static bool has_room(struct timers *ts)
{
  if (ts->n < ts->room)
    return true;
  uint32_t room = ts->room ? ts->room * 2 : FIRST_ROOM;
  struct timer_when *heap = realloc(ts->heap, room * sizeof *heap);
  if (!heap)
    return false;
  ts->heap = heap;
  ts->room = room;
  return true;
}

bool timer_has_room(void)
{
  struct timers *ts = &((struct p *)getm()->p)->timers;
  if (likely(atomic_load_explicit(&ts->len, memory_order_relaxed) < ts->room))
    return true; /* others only take from it */
  lock2(&ts->lock);
  bool room = has_room(ts);
  unlock2(&ts->lock);
  return room;
}

static void add_heap(struct m *mp, struct timers *ts, struct timer *t)
{
  if (!has_room(ts))
    fatal("out of memory: no room for a timer");
  t->ts = ts;
  ts->heap[ts->n++] = (struct timer_when){ .timer = t, .when = t->when };
  ts->changes++;
  tr_timer_add(mp, t->id, ts->p, (uint64_t)t->when);
  sift_up(ts, ts->n - 1);
  if (ts->heap[0].timer == t)
    update_min_when_heap(ts);
}

/* t, whose lock is held, is out of its heap's array. True: it must be freed after the unlock. */
static bool is_out(struct timers *ts, struct timer *t)
{
  t->state &= (uint8_t) ~(timer_heaped | timer_zombie | timer_modified);
  t->ts = NULL;
  atomic_fetch_sub(&ts->zombies, 1);
  return t->given_up && !t->running;
}

/* A zombie at place i leaves: the last entry takes its place. */
static void remove_at(struct m *mp, struct timers *ts, uint32_t i, uint32_t step)
{
  ts->changes++;
  tr_timer_remove(mp, ts->heap[i].timer->id, ts->p, i, step);
  ts->heap[i] = ts->heap[--ts->n];
  if (step == TRACE_HEAPSTEP_SCAN || step == TRACE_HEAPSTEP_TAIL)
    return;
  if (ts->n > 0)
    sift_down(ts, 0);
  update_min_when_heap(ts);
  if (ts->n == 0)
    atomic_store(&ts->min_when_modified, 0);
}

/* Mends the root, t, whose lock is held. True: it changed; *free_it: t is out and must be freed. */
static bool update_heap(struct m *mp, struct timers *ts, struct timer *t, uint32_t step,
                        bool *free_it)
{
  if (t->state & timer_zombie) {
    *free_it = is_out(ts, t);
    remove_at(mp, ts, 0, step);
    return true;
  }
  if (t->state & timer_modified) {
    t->state &= (uint8_t)~timer_modified;
    ts->changes++;
    tr_timer_update(mp, t->id, ts->p, 0, step);
    ts->heap[0].when = t->when;
    sift_down(ts, 0);
    update_min_when_heap(ts);
    return true;
  }
  return false;
}

static void unlock_and_free(struct timer *t, bool free_it)
{
  unlock_timer(t);
  if (free_it)
    free(t);
}

static bool clean_tail(struct m *mp, struct timers *ts)
{
  struct timer *t = ts->heap[ts->n - 1].timer;
  bool free_it = false;
  if (!(atomic_load_explicit(&t->astate, memory_order_acquire) & timer_zombie))
    return false;
  lock_timer(mp, t);
  if (t->state & timer_zombie) {
    free_it = is_out(ts, t);
    remove_at(mp, ts, ts->n - 1, TRACE_HEAPSTEP_TAIL);
    if (ts->n == 0) {
      update_min_when_heap(ts);
      atomic_store(&ts->min_when_modified, 0);
    }
  }
  unlock_and_free(t, free_it);
  return true;
}

/* Zombies at the tail and stale entries at the root, before an insertion. */
static void clean_head(struct m *mp, struct timers *ts)
{
  while (ts->n > 0) {
    if (clean_tail(mp, ts))
      continue;
    struct timer *t = ts->heap[0].timer;
    if (!stale(t))
      return;
    bool free_it = false;
    lock_timer(mp, t);
    bool updated = update_heap(mp, ts, t, TRACE_HEAPSTEP_ROOT, &free_it);
    unlock_and_free(t, free_it);
    if (!updated)
      return;
  }
}

/* One entry of a scan. True: entry i is another one now. */
static bool adjust_one(struct m *mp, struct timers *ts, uint32_t i, bool *changed)
{
  struct timer *t = ts->heap[i].timer;
  bool removed = false, free_it = false;
  if (!stale(t))
    return false;
  lock_timer(mp, t);
  if (t->state & timer_zombie) {
    free_it = is_out(ts, t);
    remove_at(mp, ts, i, TRACE_HEAPSTEP_SCAN);
    *changed = removed = true;
  } else if (t->state & timer_modified) {
    t->state &= (uint8_t)~timer_modified;
    ts->changes++;
    tr_timer_update(mp, t->id, ts->p, i, TRACE_HEAPSTEP_SCAN);
    ts->heap[i].when = t->when;
    *changed = true;
    if (fault_is_on(FAULT_TIMER_DEFER_RACE))
      fault_timer_moved(mp, ts, t);
  }
  unlock_and_free(t, free_it);
  return removed;
}

/* Mends the whole heap if a modified timer may be due, or if forced. */
static void adjust(struct m *mp, struct timers *ts, int64_t now, bool force)
{
  bool changed = false;
  int64_t first = atomic_load(&ts->min_when_modified);
  if (!force && (first == 0 || first > now))
    return;
  atomic_store(&ts->min_when_heap, timers_wake_time(ts));
  atomic_store(&ts->min_when_modified, 0);
  for (uint32_t i = 0; i < ts->n;)
    if (!adjust_one(mp, ts, i, &changed))
      i++;
  if (changed) {
    tr_timer_heapify(mp, ts->p, ts->n);
    heapify(ts);
  }
  update_min_when_heap(ts);
}

/* ---- running ---- */

static void run_func(struct timer *t, timer_func *f, void *arg, uintptr_t seq, int64_t delay,
                     bool is_chan)
{
  if (!is_chan) {
    f(arg, seq, delay);
    return;
  }
  lock2(&t->send_lock);
  atomic_fetch_sub(&t->is_sending, 1);
  if (t->seq == seq) /* else it was stopped or reset meanwhile */
    f(arg, seq, delay);
  unlock2(&t->send_lock);
}

static void has_run(struct m *mp, struct timer *t)
{
  lock_timer(mp, t);
  t->running--;
  unlock_and_free(t, t->given_up && t->running == 0 && !(t->state & timer_heaped));
}

/* Runs the root, t, whose lock is held and which is due. Both locks are let go meanwhile. */
static void unlock_and_run(struct m *mp, struct timers *ts, struct timer *t, int64_t now)
{
  timer_func *f = t->f;
  void *arg = t->arg;
  uintptr_t seq = t->seq;
  bool is_chan = t->is_chan, freeable = t->freeable, free_it = false;
  int64_t delay = now - t->when, next = 0;
  tr_timer_fire(mp, t->id, ts->p, (uint64_t)delay);
  if (t->period > 0 && __builtin_add_overflow(t->when, t->period * (1 + delay / t->period), &next))
    next = INT64_MAX;
  t->when = next;
  t->state |= timer_modified;
  if (next == 0) {
    t->state |= timer_zombie;
    atomic_fetch_add(&ts->zombies, 1);
  } else {
    tr_timer_modify(mp, t->id, ts->p, (uint64_t)next);
  }
  update_heap(mp, ts, t, TRACE_HEAPSTEP_FIRED, &free_it);
  if (is_chan)
    atomic_fetch_add(&t->is_sending, 1);
  t->running += freeable;
  unlock_timer(t);
  unlock_timers(mp, ts);
  run_func(t, f, arg, seq, delay, is_chan);
  if (freeable) /* else it may be gone, or armed anew */
    has_run(mp, t);
  lock_timers(mp, ts);
}

/* Runs the root, mended first. 0: it ran; > 0: nothing is due before; -1: empty. */
static int64_t run_root(struct m *mp, struct timers *ts, int64_t now)
{
  now = MUTANT(24, now + 1000, now);
  while (ts->n > 0) {
    struct timer *t = ts->heap[0].timer;
    bool free_it = false;
    if (!stale(t) && ts->heap[0].when > now)
      return ts->heap[0].when;
    lock_timer(mp, t);
    if (update_heap(mp, ts, t, TRACE_HEAPSTEP_ROOT, &free_it)) {
      unlock_and_free(t, free_it);
      continue;
    }
    if (t->when > now) {
      int64_t when = t->when;
      unlock_timer(t);
      return when;
    }
    unlock_and_run(mp, ts, t, now);
    return 0;
  }
  return -1;
}

static bool many_zombies(struct m *mp, struct timers *ts)
{
  return ts == &((struct p *)mp->p)->timers &&
         atomic_load(&ts->zombies) > (int32_t)(atomic_load(&ts->len) / 4);
}

/* Runs what is due. now: 0 if not known yet; returned, or 0 still. *poll_until: next timer, if any. Needs a P. */
int64_t timers_check(struct m *mp, struct timers *ts, int64_t now, int64_t *poll_until, bool *ran)
{
  int64_t next = timers_wake_time(ts);
  if (next == 0)
    return now;
  if (now == 0)
    now = os_now();
  if (now < next && !many_zombies(mp, ts)) {
    *poll_until = next;
    return now;
  }
  lock_timers(mp, ts);
  if (ts != &((struct p *)mp->p)->timers && ts->n > 0)
    tr_timer_run_other(mp, ts->p);
  adjust(mp, ts, now, false);
  int64_t when;
  while ((when = run_root(mp, ts, now)) == 0)
    *ran = true;
  if (when > 0)
    *poll_until = when;
  if (many_zombies(mp, ts))
    adjust(mp, ts, now, true);
  unlock_timers(mp, ts);
  return now;
}

/* ---- arming and stopping ---- */

void timer_init(struct timer *t, uint32_t kind, timer_func *f, void *arg)
{
  t->kind = kind;
  t->f = f;
  t->arg = arg;
}

int64_t timer_when(int64_t ns)
{
  int64_t when;
  if (ns < 0)
    ns = 0;
  return __builtin_add_overflow(os_now(), ns, &when) ? INT64_MAX : when;
}

static bool needs_add(const struct timer *t)
{
  return !(t->state & timer_heaped) && t->when > 0;
}

/* Into the heap of the current P, unless somebody was faster. */
static void maybe_add(struct m *mp, struct timer *t, bool is_new)
{
  struct timers *ts = &((struct p *)mp->p)->timers;
  int64_t when = 0;
  bool wake = false;
  lock_timers(mp, ts);
  clean_head(mp, ts);
  if (!is_new)
    lock_timer(mp, t);
  if (needs_add(t)) {
    t->state |= timer_heaped;
    when = t->when;
    int64_t wake_time = timers_wake_time(ts);
    wake = wake_time == 0 || when < wake_time;
    add_heap(mp, ts, t);
  }
  if (is_new) /* nobody else saw it until the heap is unlocked */
    atomic_store_explicit(&t->astate, t->state, memory_order_release);
  else
    unlock_timer(t);
  unlock_timers(mp, ts);
  if (wake)
    wake_net_poller(mp, when);
}

/* Armed for the first time; lock held. */
static void name_timer(struct m *mp, struct timer *t)
{
  if (mp->curg)
    t->owner = (uint32_t)getg()->goid;
  t->id = tr_timer_id();
  tr_timer_new(mp, t->id, t->kind, t->owner);
}

/* lock held; it is in a heap: true if that heap's earliest may have changed. */
static bool modify_in_heap(struct m *mp, struct timer *t, int64_t when)
{
  t->state |= timer_modified;
  if (t->state & timer_zombie) {
    atomic_fetch_sub(&t->ts->zombies, 1);
    t->state &= (uint8_t)~timer_zombie;
  }
  tr_timer_modify(mp, t->id, t->ts->p, (uint64_t)when);
  /* Before the look: adjust() clears min_when_modified and then looks at the states. So either it sees that this
   * timer is modified, or its 0 is seen here. (Stored only after the look, a timer could fire as late as it was
   * set before; found by simulation.) */
  atomic_store(&t->astate, t->state);
  int64_t least = atomic_load(&t->ts->min_when_modified);
  if (least != 0 && when >= least)
    return false;
  lower_min_when_modified(t->ts, when);
  return true;
}

bool timer_modify(struct timer *t, int64_t when, int64_t period, timer_func *f, void *arg,
                  uintptr_t seq)
{
  struct m *mp = getm();
  bool wake = false;
  if (when <= 0)
    when = 1;
  if (t->is_chan)
    lock2(&t->send_lock);
  lock_timer(mp, t);
  if (t->id == 0)
    name_timer(mp, t);
  bool pending = t->when > 0;
  t->period = period;
  if (f) {
    t->f = f;
    t->arg = arg;
    t->seq = seq;
  }
  t->when = when;
  if (t->state & timer_heaped)
    wake = modify_in_heap(mp, t, when);
  bool add = needs_add(t);
  if (t->is_chan) {
    t->seq++;
    pending |= t->period == 0 && atomic_load(&t->is_sending) > 0;
  }
  unlock_timer(t);
  if (t->is_chan)
    unlock2(&t->send_lock);
  if (add)
    maybe_add(mp, t, false);
  if (wake)
    wake_net_poller(mp, when);
  return pending;
}

void timer_start(struct timer *t, int64_t when)
{
  struct m *mp = getm();
  tr_stamp(mp);
  name_timer(mp, t);
  t->when = when;
  maybe_add(mp, t, true);
}

bool timer_reset(struct timer *t, int64_t when, int64_t period)
{
  return timer_modify(t, when, period, NULL, NULL, 0);
}

static bool stop_locked(struct m *mp, struct timer *t)
{
  bool pending = t->when > 0;
  if (t->state & timer_heaped) {
    t->state |= timer_modified;
    if (!(t->state & timer_zombie)) {
      t->state |= timer_zombie;
      atomic_fetch_add(&t->ts->zombies, 1);
      tr_timer_stop(mp, t->id, t->ts->p, pending);
    }
  }
  t->when = 0;
  if (t->is_chan) {
    t->seq++;
    pending |= t->period == 0 && atomic_load(&t->is_sending) > 0;
  }
  return pending;
}

bool timer_stop(struct timer *t)
{
  struct m *mp = getm();
  if (t->is_chan)
    lock2(&t->send_lock);
  lock_timer(mp, t);
  bool pending = stop_locked(mp, t);
  unlock_timer(t);
  if (t->is_chan)
    unlock2(&t->send_lock);
  return pending;
}

void timer_give_up(struct timer *t)
{
  struct m *mp = getm();
  if (t->is_chan)
    timer_stop(t);
  lock_timer(mp, t);
  if (!t->is_chan)
    stop_locked(mp, t);
  t->given_up = true;
  unlock_and_free(t, !(t->state & timer_heaped) && !t->running);
}

/* ---- a P goes away ---- */

/* All timers of a P that goes away. World stopped, sched.lock held. */
void timers_take(struct m *mp, struct timers *ts, struct timers *from)
{
  for (uint32_t i = 0; i < from->n; i++) {
    if (!has_room(ts))
      fatal("out of memory: no room for a timer");
    ts->heap[ts->n++] = from->heap[i];
    from->heap[i].timer->ts = ts;
  }
  tr_timer_move(mp, from->p, ts->p);
  heapify(ts);
  update_min_when_heap(ts);
  if (atomic_load(&from->min_when_modified) != 0)
    lower_min_when_modified(ts, atomic_load(&from->min_when_modified));
  atomic_fetch_add(&ts->zombies, atomic_load(&from->zombies));
  atomic_store(&ts->len, ts->n);
  from->n = 0;
  atomic_store(&from->zombies, 0);
  atomic_store(&from->len, 0);
  atomic_store(&from->min_when_heap, 0);
  atomic_store(&from->min_when_modified, 0);
}
