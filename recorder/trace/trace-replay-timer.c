/* SPDX-License-Identifier: MIT */
/* trace-replay-timer.c - each P's timer heap, rebuilt step by step from what the events say.
 *
 * The algorithm is written down in trace-replay.h ("Timer heaps"), so that the runtime's author and this file
 * can agree on it without sharing a line; timer_check tells whether they do.
 *
 * A scan (adjust) changes entries all over the array and mends the order once, at its end, by timer_heapify.
 * Between the two the heap is `unordered`, and nothing that relies on its order may happen.
 */
#include "trace-replay-state.h"

#define ARITY 4u

static struct rep_entry *entries(const struct rep_p *p)
{
  return p->heap.items;
}

static void sift_up(struct rep_entry *heap, uint32_t i)
{
  struct rep_entry moving = heap[i];
  while (i > 0) {
    uint32_t parent = (i - 1) / ARITY;
    if (moving.key >= heap[parent].key)
      break;
    heap[i] = heap[parent];
    i = parent;
  }
  heap[i] = moving;
}

static void sift_down(struct rep_entry *heap, uint32_t n, uint32_t i)
{
  struct rep_entry moving = heap[i];
  for (;;) {
    uint32_t first = i * ARITY + 1, least = first;
    if (first >= n)
      break;
    for (uint32_t child = first + 1; child < n && child < first + ARITY; child++) {
      if (heap[child].key < heap[least].key)
        least = child;
    }
    if (heap[least].key >= moving.key)
      break;
    heap[i] = heap[least];
    i = least;
  }
  heap[i] = moving;
}

static void heapify(struct rep_entry *heap, uint32_t n)
{
  if (n < 2)
    return;
  for (uint32_t i = (n - 2) / ARITY + 1; i-- > 0;)
    sift_down(heap, n, i);
}

/* A timer that fired leaves its heap, or gets its new place, before anything else happens to the heap. */
static void needs_nobody_firing(struct trace_replay *r, struct rep_p *p, uint32_t timer)
{
  if (p->firing && p->firing != timer && trace_judges(r, TRACE_FAMILY_TIMER))
    trace_broken(r, TRACE_RULE_TIMER_FIRE,
                 "P%u's heap changes, but timer %u fired and is still where it was", p->pub.id,
                 p->firing);
  p->firing = 0;
}

static void needs_order(struct trace_replay *r, struct rep_p *p)
{
  needs_nobody_firing(r, p, 0);
  if (p->unordered)
    trace_broken(r, TRACE_RULE_TIMER_ORDER,
                 "a scan changed P%u's heap, and it is used before its order was rebuilt",
                 p->pub.id);
  p->unordered = false;
}

static void append(struct trace_replay *r, struct rep_p *p, struct rep_timer *t, int64_t key)
{
  struct rep_entry *entry = trace_array_add(&p->heap, sizeof *entry);
  if (!entry) {
    trace_broken(r, TRACE_RULE_RECORD, "no memory is left to replay a timer heap");
    return;
  }
  *entry = (struct rep_entry){ key, t };
  p->pub.n_timers = p->heap.n;
  r->world.n_timers++;
  t->pub.heap = p->pub.id;
}

/* Where t is in p's heap, or n. Events say the place; this is for those that do not fit. */
static uint32_t place_of(const struct rep_p *p, const struct rep_timer *t)
{
  uint32_t i = 0;
  while (i < p->heap.n && entries(p)[i].timer != t)
    i++;
  return i;
}

static void cut_out(struct trace_replay *r, struct rep_p *p, uint32_t place, bool sift)
{
  struct rep_entry *heap = entries(p);
  struct rep_timer *t = heap[place].timer;
  uint32_t n = --p->heap.n;
  heap[place] = heap[n];
  if (sift && n > 1)
    sift_down(heap, n, place);
  p->pub.n_timers = n;
  r->world.n_timers--;
  t->pub.heap = TRACE_NO_P;
  t->pub.when = t->zombie || t->fired ? 0 : t->pub.when;
  t->modified = t->zombie = t->fired = false;
}

static struct rep_timer *need_timer(struct trace_replay *r, uint32_t id)
{
  if (id == 0) {
    trace_broken(r, TRACE_RULE_TIMER_OWNER, "a timer is needed here, but its id is 0");
    return NULL;
  }
  return trace_need_timer(r, id);
}

/* The timer of an event that happens to it in p's heap. NULL: it is not there, and it was said. */
static struct rep_timer *timer_in(struct trace_replay *r, uint32_t id, const struct rep_p *p)
{
  char phrase[TRACE_PHRASE];
  struct rep_timer *t = need_timer(r, id);
  if (!t || !p)
    return NULL;
  if (t->pub.heap == p->pub.id)
    return t;
  if (!r->adopting)
    trace_broken(r, TRACE_RULE_TIMER_OWNER,
                 "timer %u changes in P%u's heap, but it is in the heap of %s", id, p->pub.id,
                 trace_p_name(t->pub.heap, phrase));
  return NULL;
}

static bool sends_on_a_channel(const struct rep_timer *t)
{
  return t->pub.what == TRACE_TIMERKIND_CHANNEL || t->pub.what == TRACE_TIMERKIND_TICKER;
}

static void needs_made(struct trace_replay *r, struct rep_timer *t)
{
  if (!t->is_made && trace_judges(r, TRACE_FAMILY_TIMER))
    trace_broken(r, TRACE_RULE_TIMER_OWNER, "timer %u is armed, but it was never made", t->pub.id);
  t->is_made = true;
}

/* m works on p's heap: its own, or one that it said it would run. */
static void needs_run_other(struct trace_replay *r, const struct rep_m *m, const struct rep_p *p)
{
  if (m->pub.p != p->pub.id && m->runs_heap != p->pub.id && trace_judges(r, TRACE_FAMILY_TIMER))
    trace_broken(r, TRACE_RULE_TIMER_OWNER,
                 "M%u works on P%u's heap, but neither holds P%u nor said that it runs its timers",
                 m->pub.id, p->pub.id, p->pub.id);
}

/* ---- events ---- */

void trace_on_timer_new(struct trace_replay *r, struct rep_m *m, const struct trace_event *e)
{
  struct trace_args_timer_new a = trace_args_timer_new(e);
  struct rep_timer *t = need_timer(r, a.timer);
  if (!t)
    return;
  uint32_t armed_by = e->g ? e->g : m->prev_g; /* a sleeper arms its timer when it has parked */
  if (t->is_made)
    trace_broken(r, TRACE_RULE_TIMER_OWNER, "timer %u is made, but there is one already", a.timer);
  else if ((a.owner_g ? a.owner_g != armed_by : e->g != 0) && trace_judges(r, TRACE_FAMILY_TIMER))
    trace_broken(r, TRACE_RULE_TIMER_OWNER, "timer %u is said to be G%u's, but G%u makes it",
                 a.timer, a.owner_g, armed_by);
  t->is_made = true;
  t->pub.what = a.what;
  m->made = trace_judges(r, TRACE_FAMILY_TIMER) && !sends_on_a_channel(t) ? a.timer : 0;
  t->pub.owner = a.owner_g;
}

void trace_on_timer_add(struct trace_replay *r, struct rep_m *m, const struct trace_event *e)
{
  struct trace_args_timer_add a = trace_args_timer_add(e);
  struct rep_p *p = trace_need_p(r, a.heap, TRACE_RULE_TIMER_OWNER);
  struct rep_timer *t = need_timer(r, a.timer);
  if (!p || !t)
    return;
  if (t->pub.heap != TRACE_NO_P) {
    trace_broken(r, TRACE_RULE_TIMER_OWNER, "timer %u is added to P%u's heap, but it is in P%u's",
                 a.timer, a.heap, t->pub.heap);
    struct rep_p *old = trace_store_find(&r->ps, t->pub.heap);
    uint32_t place = place_of(old, t);
    if (place < old->heap.n)
      cut_out(r, old, place, true);
  }
  if (m->pub.status == TRACE_MSTATUS_SPINNING && trace_judges(r, TRACE_FAMILY_TIMER))
    trace_broken(r, TRACE_RULE_TIMER_OWNER, "timer %u is set by M%u, which looks for work", a.timer,
                 m->pub.id);
  needs_order(r, p);
  needs_made(r, t);
  t->pub.when = (int64_t)a.when;
  t->modified = t->zombie = t->fired = false;
  append(r, p, t, t->pub.when);
  if (t->pub.heap == a.heap)
    sift_up(entries(p), p->heap.n - 1);
}

void trace_on_timer_modify(struct trace_replay *r, struct rep_m *m, const struct trace_event *e)
{
  (void)m;
  struct trace_args_timer_modify a = trace_args_timer_modify(e);
  struct rep_timer *t = timer_in(r, a.timer, trace_need_p(r, a.heap, TRACE_RULE_TIMER_OWNER));
  if (!t)
    return;
  needs_made(r, t);
  if (t->fired && (t->modified || t->pub.what != TRACE_TIMERKIND_TICKER) &&
      trace_judges(r, TRACE_FAMILY_TIMER))
    trace_broken(r, TRACE_RULE_TIMER_FIRE, "timer %u, which fired, is set again, but %s", a.timer,
                 t->modified ? "it was already" : "it is no ticker");
  t->pub.when = (int64_t)a.when;
  t->modified = true;
  t->zombie = false;
}

void trace_on_timer_stop(struct trace_replay *r, struct rep_m *m, const struct trace_event *e)
{
  (void)m;
  struct trace_args_timer_stop a = trace_args_timer_stop(e);
  struct rep_timer *t = timer_in(r, a.timer, trace_need_p(r, a.heap, TRACE_RULE_TIMER_OWNER));
  if (!t)
    return;
  if (a.was_pending == t->zombie)
    trace_broken(r, TRACE_RULE_TIMER_OWNER,
                 "timer %u is stopped as if it was%s pending, but it was%s", a.timer,
                 a.was_pending ? "" : " not", a.was_pending ? " not" : "");
  t->pub.when = 0;
  t->zombie = true;
}

void trace_on_timer_wait(struct trace_replay *r, struct rep_m *m, const struct trace_event *e)
{
  (void)m;
  struct trace_args_timer_wait a = trace_args_timer_wait(e);
  struct rep_timer *t = timer_in(r, a.timer, trace_need_p(r, a.heap, TRACE_RULE_TIMER_OWNER));
  if (!t)
    return;
  if (!e->g && trace_judges(r, TRACE_FAMILY_TIMER))
    trace_broken(r, TRACE_RULE_TIMER_OWNER, "timer %u's channel is waited for by no G", a.timer);
  else if (!sends_on_a_channel(t) && trace_judges(r, TRACE_FAMILY_TIMER))
    trace_broken(r, TRACE_RULE_TIMER_OWNER,
                 "somebody waits on the channel of timer %u, which has none", a.timer);
  else if (a.waited != t->zombie || (a.waited && (t->modified || t->pub.when == 0)))
    trace_broken(r, TRACE_RULE_TIMER_OWNER, "timer %u's channel is%s waited for, but it was %s",
                 a.timer, a.waited ? "" : " not", t->zombie ? "stopped" : "in use");
  t->zombie = !a.waited;
}

/* The entry that a removal or an update speaks of; NULL: it is not so, and it was said. */
static struct rep_entry *entry_at(struct trace_replay *r, struct rep_m *m, struct rep_p *p,
                                  uint32_t timer, uint32_t place, uint32_t step)
{
  struct rep_timer *t = timer_in(r, timer, p);
  if (!t)
    return NULL;
  bool at_root = step == TRACE_HEAPSTEP_ROOT || step == TRACE_HEAPSTEP_FIRED;
  if (place >= p->heap.n || entries(p)[place].timer != t)
    trace_broken(r, TRACE_RULE_TIMER_CHECK,
                 "timer %u is said to be at %u of P%u's heap, but it is at %u", timer, place,
                 p->pub.id, place_of(p, t));
  else if (at_root && place != 0)
    trace_broken(r, TRACE_RULE_TIMER_CHECK,
                 "timer %u is handled as the root of P%u's heap, but it is at %u", timer, p->pub.id,
                 place);
  else if (step == TRACE_HEAPSTEP_TAIL && place != p->heap.n - 1)
    trace_broken(r, TRACE_RULE_TIMER_CHECK,
                 "timer %u is handled as the last of P%u's heap, but it is at %u", timer, p->pub.id,
                 place);
  else if (t->fired != (step == TRACE_HEAPSTEP_FIRED))
    trace_broken(r, TRACE_RULE_TIMER_FIRE, "timer %u is handled as if it had%s fired, but it %s",
                 timer, t->fired ? " not" : "", t->fired ? "did" : "did not");
  else if (step == TRACE_HEAPSTEP_SCAN && place < p->scan_at && trace_judges(r, TRACE_FAMILY_TIMER))
    trace_broken(r, TRACE_RULE_TIMER_ORDER,
                 "a scan of P%u's heap comes to place %u, but it was beyond that", p->pub.id,
                 place);
  needs_nobody_firing(r, p, timer);
  m->scan_due = step == TRACE_HEAPSTEP_SCAN && trace_judges(r, TRACE_FAMILY_TIMER);
  p->scan_at = step == TRACE_HEAPSTEP_SCAN ? place : 0;
  if (step != TRACE_HEAPSTEP_SCAN)
    needs_order(r, p);
  uint32_t i = place < p->heap.n && entries(p)[place].timer == t ? place : place_of(p, t);
  return i < p->heap.n ? &entries(p)[i] : NULL;
}

void trace_on_timer_update(struct trace_replay *r, struct rep_m *m, const struct trace_event *e)
{
  struct trace_args_timer_update a = trace_args_timer_update(e);
  struct rep_p *p = trace_need_p(r, a.heap, TRACE_RULE_TIMER_OWNER);
  struct rep_entry *entry = p ? entry_at(r, m, p, a.timer, a.place, a.step) : NULL;
  if (!entry)
    return;
  needs_run_other(r, m, p);
  struct rep_timer *t = entry->timer;
  if (!t->modified || t->zombie)
    trace_broken(r, TRACE_RULE_TIMER_OWNER, "the place of timer %u is mended, but it was %s",
                 a.timer, t->zombie ? "stopped" : "not modified");
  entry->key = t->pub.when;
  t->modified = t->fired = false;
  if (a.step == TRACE_HEAPSTEP_SCAN)
    p->unordered = true, p->scan_at = a.place + 1;
  else
    sift_down(entries(p), p->heap.n, (uint32_t)(entry - entries(p)));
}

void trace_on_timer_remove(struct trace_replay *r, struct rep_m *m, const struct trace_event *e)
{
  struct trace_args_timer_remove a = trace_args_timer_remove(e);
  struct rep_p *p = trace_need_p(r, a.heap, TRACE_RULE_TIMER_OWNER);
  struct rep_entry *entry = p ? entry_at(r, m, p, a.timer, a.place, a.step) : NULL;
  if (!entry)
    return;
  needs_run_other(r, m, p);
  if (a.step != TRACE_HEAPSTEP_FIRED && !entry->timer->zombie)
    trace_broken(r, TRACE_RULE_TIMER_OWNER,
                 "timer %u leaves P%u's heap, but it neither fired nor was stopped", a.timer,
                 p->pub.id);
  bool sift = a.step == TRACE_HEAPSTEP_ROOT || a.step == TRACE_HEAPSTEP_FIRED;
  cut_out(r, p, (uint32_t)(entry - entries(p)), sift);
  if (a.step == TRACE_HEAPSTEP_SCAN)
    p->unordered = true;
}

void trace_on_timer_heapify(struct trace_replay *r, struct rep_m *m, const struct trace_event *e)
{
  (void)m;
  struct trace_args_timer_heapify a = trace_args_timer_heapify(e);
  struct rep_p *p = trace_need_p(r, a.heap, TRACE_RULE_TIMER_OWNER);
  if (!p)
    return;
  if (a.n != p->heap.n && !r->adopting)
    trace_broken(r, TRACE_RULE_TIMER_CHECK,
                 "P%u's heap has %u entries, but by the events it has %u", a.heap, a.n, p->heap.n);
  else if (!p->unordered && trace_judges(r, TRACE_FAMILY_TIMER))
    trace_broken(r, TRACE_RULE_TIMER_ORDER,
                 "the order of P%u's heap is rebuilt, but no scan changed it", a.heap);
  needs_nobody_firing(r, p, 0);
  needs_run_other(r, m, p);
  heapify(entries(p), p->heap.n);
  p->unordered = false;
  p->scan_at = 0;
}

/* ts comes from a calibrated counter, `when` from CLOCK_MONOTONIC: they may differ by this much. */
#define CLOCK_SLACK_NS 1000000

/* The clock that the timer was compared with: the M looked at it after it last ran a G, and for each heap that it
 * visits on one search not before it did so for the last one. All timers that it fires on one visit of a heap are
 * compared with one and the same look, so there lateness is exact; the first one's is believed, within the window. */
static void check_late(struct trace_replay *r, struct rep_m *m, const struct trace_event *e,
                       uint32_t timer, int64_t now)
{
  uint32_t heap = trace_args_timer_fire(e).heap;
  bool same_visit = m->session == heap;
  if (!trace_judges(r, TRACE_FAMILY_TIMER))
    return;
  const char *wrong = now > e->ts + CLOCK_SLACK_NS             ? "in the future"
                      : now < m->search_since - CLOCK_SLACK_NS ? "before it looked"
                      : now < m->fired_now                     ? "before the last one"
                      : same_visit && now != m->fired_now      ? "later than for the last one"
                                                               : NULL;
  if (wrong)
    trace_broken(r, TRACE_RULE_TIMER_FIRE,
                 "timer %u fires, and by its lateness M%u's clock was at %ld then, %s", timer,
                 m->pub.id, (long)now, wrong);
  m->fired_now = now;
  m->session = heap;
}

/* It is in no heap, or a zombie there, and the G that looked into its channel found it due. When that was is not told. */
static void fire_without_heap(struct trace_replay *r, const struct trace_event *e)
{
  struct trace_args_timer_fire a = trace_args_timer_fire(e);
  struct rep_timer *t = need_timer(r, a.timer);
  if (!t || !trace_judges(r, TRACE_FAMILY_TIMER))
    return;
  needs_made(r, t);
  const char *wrong = t->pub.heap != TRACE_NO_P && !t->zombie ? "set in one"
                      : !sends_on_a_channel(t)                ? "none that sends on a channel"
                      : !e->g || (int64_t)a.late < 0          ? "not found due by a G"
                                                              : NULL;
  if (wrong)
    trace_broken(r, TRACE_RULE_TIMER_FIRE, "timer %u fires without a heap, but it is %s", a.timer,
                 wrong);
}

void trace_on_timer_fire(struct trace_replay *r, struct rep_m *m, const struct trace_event *e)
{
  struct trace_args_timer_fire a = trace_args_timer_fire(e);
  if (a.heap == TRACE_NO_P) {
    fire_without_heap(r, e);
    return;
  }
  struct rep_p *p = trace_need_p(r, a.heap, TRACE_RULE_TIMER_OWNER);
  struct rep_timer *t = timer_in(r, a.timer, p);
  if (!t)
    return;
  needs_order(r, p);
  if (entries(p)[0].timer != t)
    trace_broken(r, TRACE_RULE_TIMER_FIRE, "timer %u fires, but timer %u is the root of P%u's heap",
                 a.timer, entries(p)[0].timer->pub.id, a.heap);
  else if (t->zombie || t->modified)
    trace_broken(r, TRACE_RULE_TIMER_FIRE, "timer %u fires, but it was %s", a.timer,
                 t->zombie ? "stopped" : "modified and not mended");
  else if ((int64_t)a.late < 0 || entries(p)[0].key - CLOCK_SLACK_NS > e->ts)
    trace_broken(r, TRACE_RULE_TIMER_FIRE, "timer %u fires before its time", a.timer);
  needs_run_other(r, m, p);
  check_late(r, m, e, a.timer, (int64_t)((uint64_t)entries(p)[0].key + a.late));
  t->fired = true;
  p->firing = m->fired = a.timer;
  m->heap_due = trace_judges(r, TRACE_FAMILY_TIMER);
}

void trace_on_timer_check(struct trace_replay *r, struct rep_m *m, const struct trace_event *e)
{
  (void)m;
  struct trace_args_timer_check a = trace_args_timer_check(e);
  struct rep_p *p = trace_need_p(r, a.heap, TRACE_RULE_TIMER_CHECK);
  if (!p)
    return;
  needs_order(r, p);
  uint64_t hash = 0xcbf29ce484222325u;
  for (uint32_t i = 0; i < p->heap.n; i++) {
    uint32_t id = entries(p)[i].timer->pub.id;
    for (int byte = 0; byte < 4; byte++)
      hash = (hash ^ (id >> byte * 8 & 0xff)) * 0x100000001b3u;
  }
  if (r->adopting)
    return;
  if (a.n != p->heap.n)
    trace_broken(r, TRACE_RULE_TIMER_CHECK,
                 "P%u's heap has %u entries, but by the events it has %u", a.heap, a.n, p->heap.n);
  else if (a.ids != hash)
    trace_broken(r, TRACE_RULE_TIMER_CHECK,
                 "P%u's heap has the %u timers in another order than by the events", a.heap, a.n);
}

void trace_on_timer_status(struct trace_replay *r, struct rep_m *m, const struct trace_event *e)
{
  (void)m;
  struct trace_args_timer_status a = trace_args_timer_status(e);
  struct rep_p *p = trace_need_p(r, a.heap, TRACE_RULE_TIMER_OWNER);
  struct rep_timer *t = need_timer(r, a.timer);
  if (!p || !t)
    return;
  if (t->pub.heap != TRACE_NO_P) {
    trace_broken(r, TRACE_RULE_TIMER_OWNER,
                 "timer %u is told to be in P%u's heap, but it is in P%u's", a.timer, a.heap,
                 t->pub.heap);
    return;
  }
  t->pub.when = (int64_t)a.when;
  t->is_made = true;
  append(r, p, t, t->pub.when);
  if (t->pub.heap != a.heap)
    return;
  uint32_t i = p->heap.n - 1;
  if (i > 0 && entries(p)[(i - 1) / ARITY].key > entries(p)[i].key)
    trace_broken(r, TRACE_RULE_TIMER_ORDER,
                 "timer %u at %u of P%u's heap is earlier than its parent", a.timer, i, a.heap);
}

void trace_on_timer_move(struct trace_replay *r, struct rep_m *m, const struct trace_event *e)
{
  (void)m;
  struct trace_args_timer_move a = trace_args_timer_move(e);
  struct rep_p *from = trace_need_p(r, a.heap, TRACE_RULE_TIMER_OWNER);
  struct rep_p *to = trace_need_p(r, a.to_heap, TRACE_RULE_TIMER_OWNER);
  if (!from || !to || from == to)
    return;
  for (uint32_t i = 0; i < from->heap.n; i++)
    append(r, to, entries(from)[i].timer, entries(from)[i].key);
  r->world.n_timers -= from->heap.n;
  from->heap.n = from->pub.n_timers = 0;
  heapify(entries(to), to->heap.n);
}

void trace_on_timer_run_other(struct trace_replay *r, struct rep_m *m, const struct trace_event *e)
{
  uint32_t heap = trace_args_timer_run_other(e).heap;
  if (heap == m->pub.p && heap != TRACE_NO_P)
    trace_broken(r, TRACE_RULE_TIMER_OWNER,
                 "M%u runs the timers of P%u as another P's, but it holds it", m->pub.id, heap);
  else if (m->pub.status != TRACE_MSTATUS_SPINNING && trace_judges(r, TRACE_FAMILY_TIMER))
    trace_broken(r, TRACE_RULE_M_SPIN, "M%u runs the timers of P%u, but it does not spin",
                 m->pub.id, heap);
  m->runs_heap = heap;
}
