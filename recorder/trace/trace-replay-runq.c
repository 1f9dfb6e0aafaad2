/* SPDX-License-Identifier: MIT */
/* trace-replay-runq.c - the run queues: a ring and a runnext a P, and the global queue.
 *
 * A ring is replayed by index.  Its owner adds at `tail`, so puts come one after the other; but owner and
 * thieves take from the head by compare-and-swap and stamp afterwards, so takes may come in any order, and
 * late.  The replay therefore keeps a window [low, tail) of what was put and not yet taken, and lets each
 * index be taken once, by whomever names it.  What an owner's own event proves about the head is kept:
 * an index that must have been taken when the owner acted (owed_until) is owed by a thief, and it is an error
 * if the owner takes it after all, or if at the end no M is left that could still owe it.
 *
 * runnext: the same with one place. A put that kicks nobody out although the replay still sees a G there
 * proves that a thief has it: that G is theft_due until the thief's runq_steal_next.
 *
 * The global queue is under sched.lock and stamped there, so it is replayed as a plain queue.
 */
#include "trace-replay-state.h"

#include <stdlib.h>

#define FIRST_RING  256u
#define MAX_RING    4096u /* 256, and what thieves may hold for a while */
#define MAX_BATCH   (1u << 16)
#define FIRST_PLACE (1ull << 62)

/* ---- a P's ring ---- */

static uint32_t *ring_slot(const struct rep_p *p, uint32_t index)
{
  return &p->ring[index & (p->ring_capacity - 1)];
}

static bool grow_ring(struct rep_p *p)
{
  uint32_t capacity = p->ring_capacity ? p->ring_capacity * 2 : FIRST_RING;
  uint32_t *bigger = capacity > MAX_RING ? NULL : calloc(capacity, sizeof *bigger);
  if (!bigger)
    return false;
  for (uint32_t i = p->low; i != p->tail; i++)
    bigger[i & (capacity - 1)] = *ring_slot(p, i);
  free(p->ring);
  p->ring = bigger;
  p->ring_capacity = capacity;
  return true;
}

static bool ring_has_room(struct rep_p *p)
{
  while (p->low != p->tail && *ring_slot(p, p->low) == 0)
    p->low++;
  return p->tail - p->low < p->ring_capacity || grow_ring(p);
}

/* Forgets what is in the ring: it cannot be true. */
static void empty_ring(struct trace_replay *r, struct rep_p *p, uint32_t index)
{
  for (uint32_t i = p->low; i != p->tail; i++) {
    uint32_t goid = *ring_slot(p, i);
    struct rep_g *g = goid ? trace_store_find(&r->gs, goid) : NULL;
    if (g)
      trace_set_place(r, g, TRACE_PLACE_NOWHERE, 0, 0);
  }
  p->low = p->tail = p->owed_until = index;
}

static void owe(struct trace_replay *r, struct rep_p *p, uint32_t until)
{
  if ((int32_t)(until - p->owed_until) <= 0)
    return;
  p->owed_until = until;
  p->owed_since = r->world.ts;
  p->owed_noticed_by = r->event->m;
  p->owed_rule = TRACE_RULE_RUNQ_RING;
}

/* g, or nobody known (NULL), comes to index of p's ring. */
static void ring_put(struct trace_replay *r, struct rep_p *p, struct rep_g *g, uint32_t index)
{
  if (!p->tail_known) {
    p->tail_known = true;
    empty_ring(r, p, index);
  } else if (index != p->tail) {
    trace_broken(r, TRACE_RULE_RUNQ_RING,
                 "a G is put at index %u of P%u's ring, but its tail is %u", index, p->pub.id,
                 p->tail);
    empty_ring(r, p, index);
  }
  if (!ring_has_room(p)) {
    trace_broken(r, TRACE_RULE_RUNQ_RING, "P%u's ring holds more Gs than it has room for",
                 p->pub.id);
    empty_ring(r, p, index);
    if (!p->ring)
      return;
  }
  if (g) {
    trace_set_place(r, g, TRACE_PLACE_RING, p->pub.id, index);
    p->pub.n_ring++;
  }
  *ring_slot(p, index) = g ? g->pub.goid : 0;
  p->tail = index + 1;
  owe(r, p, p->tail - 256);
}

/* The G at index of p's ring; goid, if not 0, says who it must be. It stays there until it is moved.
 * NULL: it is not known who that is. */
static struct rep_g *ring_look(struct trace_replay *r, struct rep_p *p, uint32_t index,
                               uint32_t goid)
{
  bool was_put = p->ring && index - p->low < p->tail - p->low;
  uint32_t there = was_put ? *ring_slot(p, index) : 0;
  if (there && (goid == 0 || there == goid))
    return trace_store_find(&r->gs, there);
  struct rep_g *g = goid ? trace_need_g(r, goid, TRACE_RULE_RUNQ_GET) : NULL;
  if ((g && trace_place_open(g)) || (!g && (r->adopting || !p->tail_known)))
    return g;
  if (there)
    trace_broken(r, TRACE_RULE_RUNQ_GET,
                 "G%u is taken from index %u of P%u's ring, but G%u is there", goid, index,
                 p->pub.id, there);
  else
    trace_broken(r, TRACE_RULE_RUNQ_GET, "index %u of P%u's ring is taken, but %s", index,
                 p->pub.id,
                 (int32_t)(index - p->tail) < 0 ? "it was taken before" : "no G was put there");
  return g;
}

/* The P whose ring the M of this event works on. */
static struct rep_p *own_p(struct trace_replay *r, const struct rep_m *m)
{
  if (m->pub.p == TRACE_NO_P) {
    trace_broken(r, TRACE_RULE_RUNQ_RING, "M%u uses its P's ring, but it has no P", m->pub.id);
    return NULL;
  }
  return trace_store_find(&r->ps, m->pub.p);
}

/* The owner saw the head of its ring at index. */
static void own_head(struct trace_replay *r, struct rep_p *p, uint32_t index)
{
  if (p->tail_known && (int32_t)(index - p->owed_until) < 0 && p->pub.n_ring > 0)
    trace_broken(r, p->owed_rule,
                 "M%u takes index %u of P%u's ring, but all below %u had been taken", r->event->m,
                 index, p->pub.id, p->owed_until);
  owe(r, p, index);
}

/* ---- the global queue ---- */

static uint32_t *global_slot(const struct trace_replay *r, uint64_t place)
{
  return &r->global[place & (r->global_capacity - 1)];
}

static bool global_has_room(struct trace_replay *r)
{
  if (r->global_capacity == 0)
    r->global_head = r->global_tail = FIRST_PLACE;
  if (r->global_tail - r->global_head < r->global_capacity)
    return true;
  uint64_t capacity = r->global_capacity ? r->global_capacity * 2 : FIRST_RING;
  uint32_t *bigger = calloc(capacity, sizeof *bigger);
  if (!bigger)
    return false;
  for (uint64_t i = r->global_head; i != r->global_tail; i++)
    bigger[i & (capacity - 1)] = *global_slot(r, i);
  free(r->global);
  r->global = bigger;
  r->global_capacity = capacity;
  return true;
}

static void global_put(struct trace_replay *r, struct rep_g *g, bool at_head)
{
  if (!global_has_room(r)) {
    trace_broken(r, TRACE_RULE_RECORD, "no memory is left to replay the global queue");
    return;
  }
  uint64_t place = at_head ? --r->global_head : r->global_tail++;
  trace_set_place(r, g, TRACE_PLACE_GLOBAL, 0, place);
  *global_slot(r, place) = g->pub.goid;
  r->world.n_global++;
}

/* Who is first in the global queue; it stays there until it is moved. NULL: nobody. */
static struct rep_g *global_first(struct trace_replay *r)
{
  while (r->global_head != r->global_tail && *global_slot(r, r->global_head) == 0)
    r->global_head++;
  if (r->global_head == r->global_tail)
    return NULL;
  return trace_store_find(&r->gs, *global_slot(r, r->global_head));
}

/* goid is taken from the head of the global queue. */
static struct rep_g *global_take(struct trace_replay *r, uint32_t goid)
{
  char phrase[TRACE_PHRASE];
  struct rep_g *first = global_first(r);
  struct rep_g *g = trace_need_g(r, goid, TRACE_RULE_RUNQ_GET);
  if (g && g != first && !trace_place_open(g))
    trace_broken(r, TRACE_RULE_RUNQ_GET,
                 "G%u is taken from the head of the global queue, but it is %s%s", goid,
                 trace_g_phrase(g, phrase), first ? " and another G is first" : "");
  return g;
}

/* ---- hands ---- */

static void to_hand(struct trace_replay *r, struct rep_m *m, struct rep_g *g)
{
  if (!g)
    return;
  if (g->wild)
    trace_set_g(r, g, TRACE_GSTATUS_RUNNABLE);
  trace_set_place(r, g, TRACE_PLACE_HAND, m->pub.id, 0);
  trace_hand_due(r, m, g->pub.goid, HAND_TAKEN);
}

/* The G that m is about to queue. */
static struct rep_g *from_hand(struct trace_replay *r, const struct rep_m *m, uint32_t goid)
{
  char phrase[TRACE_PHRASE];
  struct rep_g *g = trace_need_g(r, goid, TRACE_RULE_RUNQ_PUT);
  if (!g)
    return NULL;
  enum trace_place place = g->pub.place;
  bool queued =
      place == TRACE_PLACE_RING || place == TRACE_PLACE_NEXT || place == TRACE_PLACE_GLOBAL;
  bool in_hand = g->pub.status == TRACE_GSTATUS_RUNNABLE && place == TRACE_PLACE_HAND &&
                 g->pub.place_id == m->pub.id;
  if (g->wild)
    trace_set_g(r, g, TRACE_GSTATUS_RUNNABLE);
  else if (!in_hand && !g->place_unknown)
    trace_broken(r, queued ? TRACE_RULE_RUNQ_ONCE : TRACE_RULE_RUNQ_PUT,
                 "M%u queues G%u, but it is %s", m->pub.id, goid, trace_g_phrase(g, phrase));
  return g;
}

/* One G went to the hand and none to m's ring, whose tail is told all the same. */
static void check_tail(struct trace_replay *r, const struct rep_m *m, uint32_t tail)
{
  struct rep_p *p = m->pub.p == TRACE_NO_P ? NULL : trace_store_find(&r->ps, m->pub.p);
  if (!p)
    return;
  if (!p->tail_known) {
    p->tail_known = true;
    empty_ring(r, p, tail);
  } else if (tail != p->tail) {
    trace_broken(r, TRACE_RULE_RUNQ_RING, "the tail of P%u's ring is said to be %u, but it is %u",
                 p->pub.id, tail, p->tail);
  }
}

/* ---- events ---- */

/* Only who holds a P adds to its ring, or to its runnext. */
static void check_own(struct trace_replay *r, const struct rep_m *m, uint32_t onto_p)
{
  if (m->pub.p != onto_p && trace_judges(r, TRACE_FAMILY_RUNQ))
    trace_broken(r, TRACE_RULE_RUNQ_PUT, "M%u queues a G on P%u, which it does not hold", m->pub.id,
                 onto_p);
}

void trace_on_runq_put(struct trace_replay *r, struct rep_m *m, const struct trace_event *e)
{
  struct trace_args_runq_put a = trace_args_runq_put(e);
  struct rep_p *p = trace_need_p(r, a.onto_p, TRACE_RULE_RUNQ_PUT);
  check_own(r, m, a.onto_p);
  struct rep_g *g = from_hand(r, m, a.put_g);
  if (p)
    ring_put(r, p, g, a.tail);
}

static void kick_out(struct trace_replay *r, struct rep_m *m, struct rep_p *p, uint32_t kicked_g)
{
  char phrase[TRACE_PHRASE];
  struct rep_g *there = p->pub.runnext ? trace_store_find(&r->gs, p->pub.runnext) : NULL;
  if (there && there->pub.goid != kicked_g) {
    there->theft_due = true;
    there->due_since = r->world.ts;
    there->due_noticed_by = m->pub.id;
  }
  if (kicked_g == 0)
    return;
  struct rep_g *g = trace_need_g(r, kicked_g, TRACE_RULE_RUNQ_GET);
  if (!g)
    return;
  if (g != there && !trace_place_open(g))
    trace_broken(r, TRACE_RULE_RUNQ_GET, "G%u is kicked out of P%u's runnext, but it is %s",
                 kicked_g, p->pub.id, trace_g_phrase(g, phrase));
  to_hand(r, m, g);
  trace_hand_due(r, m, kicked_g, HAND_KICKED);
}

void trace_on_runq_put_next(struct trace_replay *r, struct rep_m *m, const struct trace_event *e)
{
  struct trace_args_runq_put_next a = trace_args_runq_put_next(e);
  struct rep_p *p = trace_need_p(r, a.onto_p, TRACE_RULE_RUNQ_PUT);
  check_own(r, m, a.onto_p);
  struct rep_g *g = from_hand(r, m, a.put_g);
  if (!p || !g)
    return;
  kick_out(r, m, p, a.kicked_g);
  trace_set_place(r, g, TRACE_PLACE_NEXT, p->pub.id, 0);
  p->pub.runnext = g->pub.goid;
}

void trace_on_runq_put_global(struct trace_replay *r, struct rep_m *m, const struct trace_event *e)
{
  struct trace_args_runq_put_global a = trace_args_runq_put_global(e);
  struct rep_g *g = from_hand(r, m, a.put_g);
  if (a.at_head && !global_first(r) && trace_judges(r, TRACE_FAMILY_RUNQ))
    trace_broken(r, TRACE_RULE_RUNQ_PUT,
                 "G%u is put before all of the global queue, which is empty", a.put_g);
  if (g)
    global_put(r, g, a.at_head);
}

void trace_on_runq_get(struct trace_replay *r, struct rep_m *m, const struct trace_event *e)
{
  struct trace_args_runq_get a = trace_args_runq_get(e);
  struct rep_p *p = own_p(r, m);
  if (!p)
    return;
  struct rep_g *g =
      trace_need_g(r, a.got_g, TRACE_RULE_RUNQ_GET) ? ring_look(r, p, a.head, a.got_g) : NULL;
  own_head(r, p, a.head);
  to_hand(r, m, g);
}

void trace_on_runq_get_next(struct trace_replay *r, struct rep_m *m, const struct trace_event *e)
{
  char phrase[TRACE_PHRASE];
  struct trace_args_runq_get_next a = trace_args_runq_get_next(e);
  struct rep_p *p = own_p(r, m);
  struct rep_g *g = trace_need_g(r, a.got_g, TRACE_RULE_RUNQ_GET);
  if (!p || !g)
    return;
  if (p->pub.runnext != a.got_g && !trace_place_open(g))
    trace_broken(r, TRACE_RULE_RUNQ_GET, "M%u takes G%u from P%u's runnext, but it is %s",
                 m->pub.id, a.got_g, p->pub.id, trace_g_phrase(g, phrase));
  to_hand(r, m, g);
  g->keeps_slice = true;
}

void trace_on_runq_get_global(struct trace_replay *r, struct rep_m *m, const struct trace_event *e)
{
  to_hand(r, m, global_take(r, trace_args_runq_get_global(e).got_g));
}

static bool batch_fits(struct trace_replay *r, uint32_t n)
{
  if (n >= 1 && n <= MAX_BATCH)
    return true;
  trace_broken(r, TRACE_RULE_RUNQ_GET, "%u Gs cannot move at once", n);
  return false;
}

void trace_on_runq_batch(struct trace_replay *r, struct rep_m *m, const struct trace_event *e)
{
  struct trace_args_runq_batch a = trace_args_runq_batch(e);
  if (!batch_fits(r, a.n))
    return;
  to_hand(r, m, global_take(r, a.got_g));
  if (a.n == 1)
    check_tail(r, m, a.tail);
  struct rep_p *p = a.n > 1 ? own_p(r, m) : NULL;
  for (uint32_t i = 0; p && i < a.n - 1; i++) {
    struct rep_g *g = global_first(r);
    if (!g && !r->adopting) {
      trace_broken(r, TRACE_RULE_RUNQ_GET, "%u Gs leave the global queue, but only %u were there",
                   a.n, i + 1);
      return;
    }
    ring_put(r, p, g, a.tail + i);
  }
}

void trace_on_runq_steal(struct trace_replay *r, struct rep_m *m, const struct trace_event *e)
{
  struct trace_args_runq_steal a = trace_args_runq_steal(e);
  struct rep_p *victim = trace_need_p(r, a.victim_p, TRACE_RULE_RUNQ_GET);
  if (!victim || !batch_fits(r, a.n))
    return;
  if (a.n > 256) {
    trace_broken(r, TRACE_RULE_RUNQ_GET, "%u Gs are stolen from a ring that holds 256", a.n);
    return;
  }
  if (a.n == 1)
    check_tail(r, m, a.tail);
  struct rep_p *p = a.n > 1 ? own_p(r, m) : NULL;
  for (uint32_t i = 0; i < a.n; i++) {
    struct rep_g *g = ring_look(r, victim, a.victim_head + i, 0);
    if (i == a.n - 1)
      to_hand(r, m, g);
    else if (p)
      ring_put(r, p, g, a.tail + i);
  }
}

void trace_on_runq_steal_next(struct trace_replay *r, struct rep_m *m, const struct trace_event *e)
{
  char phrase[TRACE_PHRASE];
  struct trace_args_runq_steal_next a = trace_args_runq_steal_next(e);
  struct rep_p *victim = trace_need_p(r, a.victim_p, TRACE_RULE_RUNQ_GET);
  struct rep_g *g = trace_need_g(r, a.got_g, TRACE_RULE_RUNQ_GET);
  if (!victim || !g)
    return;
  bool due = g->theft_due && g->pub.place == TRACE_PLACE_NEXT && g->pub.place_id == a.victim_p;
  if (victim->pub.runnext != a.got_g && !due && !trace_place_open(g))
    trace_broken(r, TRACE_RULE_RUNQ_GET, "M%u steals G%u from P%u's runnext, but it is %s",
                 m->pub.id, a.got_g, a.victim_p, trace_g_phrase(g, phrase));
  to_hand(r, m, g);
}

void trace_on_runq_overflow(struct trace_replay *r, struct rep_m *m, const struct trace_event *e)
{
  struct trace_args_runq_overflow a = trace_args_runq_overflow(e);
  struct rep_p *p = own_p(r, m);
  struct rep_g *put = from_hand(r, m, a.put_g);
  if (p && batch_fits(r, a.n)) {
    own_head(r, p, a.head);
    for (uint32_t i = 0; i < a.n && i < MAX_RING; i++) {
      struct rep_g *g = ring_look(r, p, a.head + i, 0);
      if (g)
        global_put(r, g, false);
    }
  }
  if (put)
    global_put(r, put, false);
}

void trace_on_runq_status(struct trace_replay *r, struct rep_m *m, const struct trace_event *e)
{
  (void)m;
  struct trace_args_runq_status a = trace_args_runq_status(e);
  struct rep_g *g = trace_need_g(r, a.subject_g, TRACE_RULE_RUNQ_PUT);
  if (!g)
    return;
  if (g->wild)
    trace_set_g(r, g, TRACE_GSTATUS_RUNNABLE);
  if (a.queue == TRACE_QUEUE_GLOBAL) {
    global_put(r, g, false);
    return;
  }
  struct rep_p *p = trace_need_p(r, a.of_p, TRACE_RULE_RUNQ_PUT);
  if (!p)
    return;
  if (a.queue == TRACE_QUEUE_RING) {
    ring_put(r, p, g, a.place);
    return;
  }
  trace_set_place(r, g, TRACE_PLACE_NEXT, p->pub.id, 0);
  p->pub.runnext = g->pub.goid;
}

/* The world is stopped, so no thief owes anything: the count must be exact. */
void trace_on_runq_drain(struct trace_replay *r, struct rep_m *m, const struct trace_event *e)
{
  (void)m;
  struct trace_args_runq_drain a = trace_args_runq_drain(e);
  struct rep_p *p = trace_need_p(r, a.of_p, TRACE_RULE_RUNQ_GET);
  if (!p)
    return;
  struct rep_g *next = p->pub.runnext ? trace_store_find(&r->gs, p->pub.runnext) : NULL;
  if (a.n != p->pub.n_ring + (next != NULL)) {
    trace_broken(r, TRACE_RULE_RUNQ_GET, "all %u Gs of P%u move to the global queue, but it has %u",
                 a.n, a.of_p, p->pub.n_ring + (next != NULL));
  }
  for (uint32_t i = p->tail; i != p->low;) {
    uint32_t goid = *ring_slot(p, --i);
    struct rep_g *g = goid ? trace_store_find(&r->gs, goid) : NULL;
    if (g)
      global_put(r, g, true);
  }
  if (next)
    global_put(r, next, true);
}

/* ---- the end ---- */

/* The two live Ms that have been silent longest: who is silent since before a debt may be who owes it. */
struct silence {
  uint32_t m;
  int64_t longest, second;
};

static struct silence find_silence(const struct trace_replay *r)
{
  struct silence s = { TRACE_NO_M, INT64_MAX, INT64_MAX };
  for (uint32_t i = 0; i < r->ms.n_slots; i++) {
    const struct rep_m *m = trace_store_at(&r->ms, i);
    if (!m || m->pub.status == TRACE_MSTATUS_DEAD)
      continue;
    if (m->pub.last_ts < s.longest) {
      s.second = s.longest;
      s.longest = m->pub.last_ts;
      s.m = m->pub.id;
    } else if (m->pub.last_ts < s.second) {
      s.second = m->pub.last_ts;
    }
  }
  return s;
}

/* Whether an M other than `but` may still owe an event since that time. */
static bool may_be_owed(const struct silence *s, int64_t since, uint32_t but)
{
  return (s->m == but ? s->second : s->longest) <= since;
}

static void finish_p(struct trace_replay *r, const struct rep_p *p, const struct silence *s)
{
  if (p->steal_due && !may_be_owed(s, p->due_since, p->lost_by))
    trace_broken(r, TRACE_RULE_P_STEAL, "M%u found P%u gone, but no M stole it", p->lost_by,
                 p->pub.id);
  if (may_be_owed(s, p->owed_since, p->owed_noticed_by))
    return;
  for (uint32_t i = p->low; i != p->tail && (int32_t)(i - p->owed_until) < 0; i++) {
    if (*ring_slot(p, i))
      trace_broken(r, p->owed_rule, "the M of P%u saw its ring without G%u, but no M took it",
                   p->pub.id, *ring_slot(p, i));
  }
}

void trace_finish_runq(struct trace_replay *r)
{
  struct silence s = find_silence(r);
  for (uint32_t i = 0; i < r->ps.n_slots; i++) {
    const struct rep_p *p = trace_store_at(&r->ps, i);
    if (p)
      finish_p(r, p, &s);
  }
  for (uint32_t i = 0; i < r->gs.n_slots; i++) {
    const struct rep_g *g = trace_store_at(&r->gs, i);
    if (g && g->theft_due && !may_be_owed(&s, g->due_since, g->due_noticed_by))
      trace_broken(r, TRACE_RULE_RUNQ_GET, "G%u vanished from P%u's runnext, but no M stole it",
                   g->pub.goid, g->pub.place_id);
  }
}
