/* SPDX-License-Identifier: MIT */
/* vw-why.c - why a G does not run (viewer.h).
 *
 * The G's own lane tells the stay out of running: a span of waiting or of a system call, if it began with one, then one
 * of being runnable, then the run.  Where the runnable G stood is asked of the replay after each event meanwhile, since
 * batches and thefts move Gs without naming them.  What the Ps did are the spans of their lanes in that time.
 *
 * I1  Nothing is guessed: what the trace does not tell is VW_NONE or said in a flag, never left out silently.
 *
 * Not done: blaming the waker's own wait in turn (who held the lock).  It is another question, and one link away.
 */
#include "vw-internal.h"

#include <string.h>

#define EVENTS_MAX 20000 /* looked through for places; a longer stay says so */
#define QUEUE_MAX  4096  /* Gs of the global queue that are looked at */
#define PARTS_MAX  16    /* different doings of a P in the time that are told apart */

static bool is_off(uint8_t state)
{
  return state == VW_STATE_RUNNABLE || state == VW_STATE_WAITING || state == VW_STATE_SYSCALL;
}

/* The span that an event falls into, by number: many events may share one time. n_spans: none. */
static size_t span_of(const struct vw_lane *lane, uint64_t no)
{
  size_t lo = 0, hi = lane->n_spans;
  while (lo < hi) {
    size_t mid = lo + (hi - lo) / 2;
    if (lane->spans[mid].no <= no)
      lo = mid + 1;
    else
      hi = mid;
  }
  const struct vw_span *span = lo ? &lane->spans[lo - 1] : NULL;
  return span && (span->end_no == VW_NONE || no < span->end_no) ? lo - 1 : lane->n_spans;
}

static bool follows(const struct vw_span *a, const struct vw_span *b)
{
  return a->end_no == b->no && a->end_no != VW_NONE && a->t1 == b->t0;
}

static enum vw_why_kind kind_of(const struct vw_span *span, int64_t ts)
{
  if (ts > span->t1 || span->state == VW_STATE_LOST)
    return VW_WHY_LOST; /* it ended in the middle of nowhere: the next event told of a loss */
  return span->state == VW_STATE_RUNNABLE  ? VW_WHY_RUNNABLE
         : span->state == VW_STATE_WAITING ? VW_WHY_WAITS
         : span->state == VW_STATE_SYSCALL ? VW_WHY_SYSCALL
                                           : VW_WHY_RUNS;
}

/* From the spans of its lane: when it stopped running, was made ready, ran again. */
static void find_stay(struct vw_why *why, const struct vw_lane *lane, size_t at)
{
  const struct vw_span *spans = lane->spans;
  size_t first = at, last = at;
  while (first > 0 && spans[first].state == VW_STATE_RUNNABLE && is_off(spans[first - 1].state) &&
         follows(&spans[first - 1], &spans[first]))
    first--;
  why->begin_no = spans[first].no;
  why->begin = spans[first].t0;
  for (last = first;; last++) {
    if (why->ready_no == VW_NONE && spans[last].state == VW_STATE_RUNNABLE) {
      why->ready_no = spans[last].no;
      why->ready = spans[last].t0;
    }
    bool goes_on = last + 1 < lane->n_spans && follows(&spans[last], &spans[last + 1]);
    if (!goes_on || !is_off(spans[last + 1].state))
      break;
  }
  why->run = spans[last].t1;
  if (why->ready_no == VW_NONE)
    why->ready = why->run;
  if (last + 1 < lane->n_spans && follows(&spans[last], &spans[last + 1]) &&
      spans[last + 1].state == VW_STATE_RUNNING)
    why->run_no = spans[last].end_no;
  else
    why->breaks_off = spans[last].end_no != VW_NONE;
}

/* ---- where it stood ---- */

static void stand_behind(struct vw_why_place *place, const uint32_t *goids, size_t n, uint32_t g)
{
  for (size_t i = 0; i < n && goids[i] != g; i++) {
    if (place->n_ahead < VW_WHY_AHEAD)
      place->ahead[place->n_ahead] = goids[i];
    place->n_ahead++;
  }
}

static void look_ahead(const struct trace_replay *state, struct vw_why_place *place, uint32_t g)
{
  uint32_t goids[QUEUE_MAX];
  if (place->place == TRACE_PLACE_GLOBAL)
    stand_behind(place, goids, trace_replay_global(state, goids, QUEUE_MAX), g);
  if (place->place != TRACE_PLACE_RING)
    return;
  const struct trace_p *pp = trace_replay_p(state, place->id);
  if (pp && pp->runnext) /* its P takes it before the ring */
    stand_behind(place, &pp->runnext, 1, g);
  stand_behind(place, goids, trace_replay_ring(state, place->id, goids, QUEUE_MAX), g);
}

/* The queues that it was on from when it was made ready.  In an M's hand it is only on its way. */
static bool find_places(struct vw_trace *trace, struct vw_why *why)
{
  if (why->ready_no == VW_NONE)
    return true;
  const uint64_t end = why->run_no != VW_NONE ? why->run_no : trace->n_events;
  struct vw_why_place was = { .place = TRACE_PLACE_NOWHERE };
  for (uint64_t no = why->ready_no; no < end; no++) {
    if (no - why->ready_no >= EVENTS_MAX || trace->events[no].ts > why->run) {
      why->has_more = no - why->ready_no >= EVENTS_MAX;
      break;
    }
    const struct trace_replay *state = vw_history_before(trace, no + 1);
    const struct trace_g *gp = state ? trace_replay_g(state, why->g) : NULL;
    if (!state)
      return false;
    if (!gp || gp->place <= TRACE_PLACE_HAND || (gp->place == was.place && gp->place_id == was.id))
      continue;
    was = (struct vw_why_place){ .no = no, .place = gp->place, .id = gp->place_id };
    if (why->n_places == VW_WHY_PLACES) {
      why->has_more = true;
      break;
    }
    look_ahead(state, &was, why->g);
    why->places[why->n_places++] = was;
  }
  return true;
}

/* Where it stands at the event that is asked about. */
static bool find_now(struct vw_trace *trace, struct vw_why *why)
{
  const struct trace_replay *state = vw_history_before(trace, why->no + 1);
  const struct trace_g *gp = state ? trace_replay_g(state, why->g) : NULL;
  if (gp) {
    why->now = (struct vw_why_place){ .no = why->no, .place = gp->place, .id = gp->place_id };
    look_ahead(state, &why->now, why->g);
  }
  return state != NULL;
}

/* ---- what the Ps did ---- */

struct doings {
  struct vw_why_part parts[PARTS_MAX];
  uint32_t n, n_others;
  int64_t others_ns;
};

static void do_part(struct doings *doings, const struct vw_span *span, int64_t ns)
{
  for (uint32_t i = 0; i < doings->n; i++) {
    if (doings->parts[i].state == span->state && doings->parts[i].g == span->g) {
      doings->parts[i].ns += ns;
      return;
    }
  }
  if (doings->n == PARTS_MAX) {
    doings->n_others++;
    doings->others_ns += ns;
    return;
  }
  doings->parts[doings->n++] =
      (struct vw_why_part){ .state = span->state, .g = span->g, .ns = ns, .no = span->no };
}

static void take_longest(struct doings *doings, struct vw_why_p *p)
{
  while (doings->n > 0) {
    uint32_t longest = 0;
    for (uint32_t i = 1; i < doings->n; i++)
      if (doings->parts[i].ns > doings->parts[longest].ns)
        longest = i;
    if (p->n_parts < VW_WHY_PARTS) {
      p->parts[p->n_parts++] = doings->parts[longest];
    } else {
      doings->n_others++;
      doings->others_ns += doings->parts[longest].ns;
    }
    doings->parts[longest] = doings->parts[--doings->n];
  }
  p->n_others = doings->n_others;
  p->others_ns = doings->others_ns;
}

static void find_doings(const struct vw_trace *trace, struct vw_why *why)
{
  if (why->ready_no == VW_NONE || why->run <= why->ready)
    return;
  for (size_t i = 0; i < vw_lane_count(trace, VW_LANES_P); i++) {
    const struct vw_lane *lane = vw_lane(trace, VW_LANES_P, i);
    struct doings doings = { .n = 0 };
    for (size_t s = vw_span_at(lane, why->ready); s < lane->n_spans; s++) {
      const struct vw_span *span = &lane->spans[s];
      const int64_t t0 = span->t0 > why->ready ? span->t0 : why->ready;
      const int64_t t1 = span->t1 < why->run ? span->t1 : why->run;
      if (span->t0 >= why->run)
        break;
      if (t1 > t0)
        do_part(&doings, span, t1 - t0);
    }
    if (doings.n == 0)
      continue;
    if (why->n_ps == VW_WHY_PS) {
      why->n_more_ps++;
      continue;
    }
    why->ps[why->n_ps] = (struct vw_why_p){ .id = lane->id };
    take_longest(&doings, &why->ps[why->n_ps++]);
  }
}

static bool was_lost_meanwhile(const struct vw_trace *trace, const struct vw_why *why)
{
  for (size_t i = 0; trace->facts.n_lost > 0 && i < vw_lane_count(trace, VW_LANES_M); i++) {
    const struct vw_lane *lane = vw_lane(trace, VW_LANES_M, i);
    for (size_t s = vw_span_at(lane, why->begin); s < lane->n_spans; s++) {
      if (lane->spans[s].t0 > why->run)
        break;
      if (lane->spans[s].state == VW_STATE_LOST)
        return true;
    }
  }
  return false;
}

bool vw_why_ask(struct vw_trace *trace, uint32_t g, uint64_t no, struct vw_why *why)
{
  memset(why, 0, sizeof *why);
  why->g = g;
  why->no = no;
  why->begin_no = why->ready_no = why->run_no = VW_NONE;
  const long i = vw_lane_of(trace, VW_LANES_G, g);
  const struct vw_lane *lane = i < 0 ? NULL : vw_lane(trace, VW_LANES_G, (size_t)i);
  const size_t at = lane ? span_of(lane, no) : 0;
  const int64_t ts = vw_event(trace, no)->ts;
  if (!lane || at == lane->n_spans) {
    const size_t by_time = lane ? vw_span_at(lane, ts) : 0;
    const bool is_lost = lane && by_time < lane->n_spans && lane->spans[by_time].t0 <= ts &&
                         lane->spans[by_time].state == VW_STATE_LOST;
    why->kind = is_lost ? VW_WHY_LOST : VW_WHY_ABSENT;
    return true;
  }
  why->kind = kind_of(&lane->spans[at], ts);
  why->begin_no = lane->spans[at].no;
  why->begin = lane->spans[at].t0;
  why->run = lane->spans[at].t1;
  if (why->kind == VW_WHY_LOST || why->kind == VW_WHY_RUNS)
    return true;
  find_stay(why, lane, at);
  find_doings(trace, why);
  why->has_losses = was_lost_meanwhile(trace, why);
  return (why->kind != VW_WHY_RUNNABLE || find_now(trace, why)) && find_places(trace, why);
}
