/* SPDX-License-Identifier: MIT */
/* timer-heap.c - each P's 4-ary heap of timers, and how its entries are mended; Go 1.23's algorithm.
 *
 * A timer that is stopped or reset is not moved at once, since it may be in another P's heap: its state
 * says modified or zombie, and the entry is mended when it comes to the root (update_heap), when something
 * is inserted (clean_head), or in a scan when a modified timer may be due (adjust). Who stops, resets and runs
 * timers is in timer.c, with the rules I1 to I4 that hold here too.
 *
 * Every change of an array is one event, under ts.lock, so that a reader can do the same to its copy.
 *
 * Not done: a timing wheel. It adds faster (2.9 against 6.9 ns) but wakes for cascades, and it is not what
 * people come to look at.
 */
#include "timer-heap.h"

#include "fault.h"
#include "sim.h"

#define ARITY      4u
#define FIRST_ROOM 16u

void timers_tell_check(struct m *mp, struct timers *ts)
{
  uint64_t hash = TRACE_HASH_START;
  for (uint32_t i = 0; i < ts->n; i++)
    hash = trace_hash_add(hash, ts->heap[i].timer->id);
  tr_timer_check(mp, ts->p, ts->n, hash);
  ts->changes = 0;
}

/* ---- its order ---- */

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

void lower_min_when_modified(struct timers *ts, int64_t when)
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

bool has_room(struct timers *ts)
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

void add_heap(struct m *mp, struct timers *ts, struct timer *t)
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
  count_zombies(ts, -1);
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

bool update_heap(struct m *mp, struct timers *ts, struct timer *t, uint32_t step, bool *free_it)
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

/* ---- mending it ---- */

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

void clean_head(struct m *mp, struct timers *ts)
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

void adjust(struct m *mp, struct timers *ts, int64_t now, bool force)
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

/* ---- all heaps ---- */

static uint32_t find_in(struct timers *ts, bool (*is_it)(const struct timer *, const void *),
                        const void *arg)
{
  uint32_t id = 0;
  lock_with_p(&ts->lock);
  for (uint32_t i = 0; i < ts->n && id == 0; i++)
    if (is_it(ts->heap[i].timer, arg))
      id = ts->heap[i].timer->id;
  unlock_with_p(&ts->lock);
  return id;
}

uint32_t timers_find(bool (*is_it)(const struct timer *, const void *arg), const void *arg)
{
  uint32_t id = 0;
  for (int32_t i = 0; i < sched.gomaxprocs && id == 0; i++)
    id = find_in(&allp[i]->timers, is_it, arg);
  return id;
}

/* ---- a P goes away ---- */

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
  if (MUTANT(37, 0, atomic_load(&from->min_when_modified)) != 0)
    lower_min_when_modified(ts, atomic_load(&from->min_when_modified));
  atomic_fetch_add(&ts->zombies, atomic_load(&from->zombies));
  atomic_store(&ts->len, ts->n);
  from->n = 0;
  atomic_store(&from->zombies, 0);
  atomic_store(&from->len, 0);
  atomic_store(&from->min_when_heap, 0);
  atomic_store(&from->min_when_modified, 0);
}
