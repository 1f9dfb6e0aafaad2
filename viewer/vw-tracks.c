/* SPDX-License-Identifier: MIT */
/* vw-tracks.c - what every M, P and G does now, followed event by event into spans.
 *
 * Each event changes at most one M, one P and one G, and each change is one call of vw_span_begin.  What a span
 * shows that no event says:
 *   P lane, SYSCALL   the P stays wired to an M whose G is in a system call until proc_steal; there is no such
 *                     state in the runtime (since Go 1.26), but it is what one looks for.
 *   P lane, SCHED     an M holds the P and runs no G; IDLE: it is on the idle list; HANDED: no M holds it and
 *                     it is on no list, as the replay says: on its way to an M that was woken, or to the list.
 *   M lane, SCHED     awake, without a G: with a P (span.p), or on its way to get one or to sleep.
 *   sysmon            never runs a G and never parks on a note: its M lane says SYSMON from the M's first event to its
 *                     last, and how long it sleeps between its rounds.
 *
 * The same events in the replay are checked; here they are believed.  After a loss, or when the trace begins in
 * the middle, an M of which nothing is known is adopted from what its next record says by itself: its P and G.
 *
 * Cost: one to three hash look-ups and as many appends an event that matters, one look-up for others.
 */
#include "vw-internal.h"

#include "trace-grow.h"

#include <stdlib.h>

static struct vw_track *add(struct vw_tracks *tracks, uint32_t id)
{
  size_t n = tracks->n;
  if (n % VW_TRACK_CHUNK == 0) {
    if (!trace_grow(&tracks->chunks, &tracks->capacity, n / VW_TRACK_CHUNK, sizeof *tracks->chunks))
      return NULL;
    struct vw_track *chunk = calloc(VW_TRACK_CHUNK, sizeof *chunk);
    if (!chunk)
      return NULL;
    tracks->chunks[n / VW_TRACK_CHUNK] = chunk;
  }
  tracks->n++; /* so that a chunk that was made is freed even if the map has no room */
  return vw_map_add(&tracks->by_id, id, (uint32_t)n) ? vw_track_at(tracks, n) : NULL;
}

struct vw_track *vw_track_find(struct vw_builder *b, enum vw_lane_kind kind, uint32_t id)
{
  struct vw_tracks *tracks = &b->tracks[kind];
  if (tracks->last && tracks->last->id == id)
    return tracks->last;
  uint32_t i = vw_map_get(&tracks->by_id, id);
  return i == VW_MAP_NONE ? NULL : (tracks->last = vw_track_at(tracks, i));
}

struct vw_track *vw_track(struct vw_builder *b, enum vw_lane_kind kind, uint32_t id)
{
  struct vw_track *track = vw_track_find(b, kind, id);
  if (track)
    return track;
  struct vw_tracks *tracks = &b->tracks[kind];
  track = add(tracks, id);
  if (!track) {
    b->failed = true;
    return NULL;
  }
  track->no = (uint32_t)(tracks->n - 1);
  track->id = id;
  track->m = TRACE_NO_M;
  track->p = TRACE_NO_P;
  track->open = track->wake = VW_BAG_NONE;
  if (kind == VW_LANES_G)
    track->park = track->create = VW_BAG_NONE;
  return tracks->last = track;
}

struct vw_track *vw_track_g(struct vw_builder *b, uint32_t goid)
{
  return goid ? vw_track(b, VW_LANES_G, goid) : NULL;
}

static struct vw_track *track_p(struct vw_builder *b, uint16_t p)
{
  return p == TRACE_NO_P ? NULL : vw_track(b, VW_LANES_P, p);
}

void vw_tracks_free(struct vw_builder *b)
{
  for (int kind = 0; kind < VW_LANE_KINDS; kind++) {
    struct vw_tracks *tracks = &b->tracks[kind];
    for (size_t i = 0; kind == VW_LANES_G && i < tracks->n; i++)
      free(vw_track_at(tracks, i)->layers);
    for (size_t i = 0; i < tracks->n; i += VW_TRACK_CHUNK)
      free(tracks->chunks[i / VW_TRACK_CHUNK]);
    free(tracks->chunks);
    vw_map_clear(&tracks->by_id);
  }
}

/* ---- the three lanes ---- */

struct when { /* the event that is being followed */
  int64_t ts;
  uint64_t no;
};

static void show_m(struct vw_builder *b, struct vw_track *m, enum vw_state state, struct when at)
{
  if (m->is_sysmon && state != VW_STATE_NONE)
    return;
  vw_span_begin(
      b, VW_LANES_M, m,
      (struct vw_span){
          .t0 = at.ts, .no = at.no, .g = m->g, .m = m->id, .p = m->p, .state = (uint8_t)state });
}

static void show_p(struct vw_builder *b, struct vw_track *p, enum vw_state state, uint32_t g,
                   struct when at)
{
  vw_span_begin(b, VW_LANES_P, p,
                (struct vw_span){ .t0 = at.ts,
                                  .no = at.no,
                                  .g = g,
                                  .m = p->m,
                                  .p = (uint16_t)p->id,
                                  .state = (uint8_t)state });
}

static void show_g(struct vw_builder *b, struct vw_track *g, enum vw_state state, uint32_t m,
                   uint16_t p, uint32_t why, struct when at)
{
  vw_span_begin(b, VW_LANES_G, g,
                (struct vw_span){ .t0 = at.ts,
                                  .no = at.no,
                                  .g = g->id,
                                  .m = m,
                                  .p = p,
                                  .state = (uint8_t)state,
                                  .why = why });
}

static enum vw_state state_of(struct vw_builder *b, const struct vw_track *m)
{
  const struct vw_span *now =
      m->open == VW_BAG_NONE ? NULL : vw_bag_at(&b->spans[VW_LANES_M], m->open);
  return now ? now->state : VW_STATE_NONE;
}

/* What an M that is awake and holds no G does: it keeps looking for work if it did. */
static void show_m_awake(struct vw_builder *b, struct vw_track *m, struct when at)
{
  bool spins = state_of(b, m) == VW_STATE_SPINNING;
  show_m(b, m, spins ? VW_STATE_SPINNING : VW_STATE_SCHED, at);
}

/* Whatever the M held before is nobody's. */
static void hold(struct vw_builder *b, struct vw_track *m, uint16_t p_id)
{
  struct vw_track *old = m->p == TRACE_NO_P || m->p == p_id ? NULL : track_p(b, m->p);
  struct vw_track *p = track_p(b, p_id);
  if (old && old->m == m->id)
    old->m = TRACE_NO_M;
  m->p = p_id;
  if (p)
    p->m = m->id;
}

static void let_go(struct vw_builder *b, struct vw_track *p)
{
  struct vw_track *m = p->m == TRACE_NO_M ? NULL : vw_track_find(b, VW_LANES_M, p->m);
  if (m && m->p == p->id)
    m->p = TRACE_NO_P;
  p->m = TRACE_NO_M;
}

/* G runs on M, with the P that M holds, in the state RUNNING or SYSCALL, on all three lanes. */
static void run(struct vw_builder *b, struct vw_track *m, struct vw_track *g, enum vw_state state,
                struct when at)
{
  m->g = g->id;
  g->m = m->id;
  struct vw_track *p = track_p(b, m->p);
  show_m(b, m, state, at);
  show_g(b, g, state, m->id, m->p, 0, at);
  if (p)
    show_p(b, p, state, g->id, at);
  vw_layers_place(b, g, m->no, p ? p->no : VW_NO_TRACK, at.ts, at.no);
}

/* The G that M ran left it and is in this state now. */
static void leave(struct vw_builder *b, struct vw_track *m, struct vw_track *g, enum vw_state state,
                  uint32_t why, struct when at)
{
  struct vw_track *p = track_p(b, m->p);
  m->g = 0;
  show_m(b, m, VW_STATE_SCHED, at);
  if (p)
    show_p(b, p, VW_STATE_SCHED, 0, at);
  if (!g)
    return;
  g->m = TRACE_NO_M;
  show_g(b, g, state, TRACE_NO_M, TRACE_NO_P, why, at);
  vw_layers_place(b, g, VW_NO_TRACK, VW_NO_TRACK, at.ts, at.no);
}

void vw_tracks_adopt(struct vw_builder *b, struct vw_track *m, const struct trace_event *e,
                     uint64_t no)
{
  struct when at = { e->ts, no };
  struct vw_track *g = vw_track_g(b, e->g);
  if (e->p != TRACE_NO_P)
    hold(b, m, e->p);
  if (g)
    run(b, m, g, VW_STATE_RUNNING, at);
  else if (e->p != TRACE_NO_P)
    show_m(b, m, VW_STATE_SCHED, at);
}

/* ---- events of Gs ---- */

/* The G of an event that says "the running G": the record knows best. */
static struct vw_track *running(struct vw_builder *b, const struct vw_track *m,
                                const struct trace_event *e)
{
  return vw_track_g(b, e->g ? e->g : m->g);
}

static void go_start(struct vw_builder *b, struct vw_track *m, const struct trace_event *e,
                     struct when at)
{
  struct vw_track *g = vw_track_g(b, e->w[0]);
  if (!g)
    return;
  if (e->p != TRACE_NO_P && m->p != e->p)
    hold(b, m, e->p);
  run(b, m, g, VW_STATE_RUNNING, at);
}

static void go_create(struct vw_builder *b, const struct trace_event *e, struct when at)
{
  struct vw_track *g = vw_track_g(b, e->w[0]);
  if (!g)
    return;
  g->fn = e->d[1];
  show_g(b, g, VW_STATE_RUNNABLE, TRACE_NO_M, TRACE_NO_P, 0, at);
}

static void go_unblock(struct vw_builder *b, const struct trace_event *e, struct when at)
{
  struct vw_track *g = vw_track_g(b, e->w[0]);
  if (g)
    show_g(b, g, VW_STATE_RUNNABLE, TRACE_NO_M, TRACE_NO_P, 0, at);
}

static void go_destroy(struct vw_builder *b, struct vw_track *m, const struct trace_event *e,
                       struct when at)
{
  struct vw_track *g = running(b, m, e);
  if (g)
    vw_layers_end(b, g, at.ts, at.no);
  leave(b, m, g, VW_STATE_NONE, 0, at);
}

static void go_syscall(struct vw_builder *b, struct vw_track *m, const struct trace_event *e,
                       enum vw_state state, struct when at)
{
  struct vw_track *g = running(b, m, e);
  if (g)
    run(b, m, g, state, at);
}

/* Its P was taken, though who did may say so later; if it got another, the M keeps that. */
static void go_syscall_end_blocked(struct vw_builder *b, struct vw_track *m,
                                   const struct trace_event *e, struct when at)
{
  struct vw_track *g = running(b, m, e), *p = track_p(b, m->p);
  if (p && e->p != m->p) {
    let_go(b, p);
    show_p(b, p, VW_STATE_HANDED, 0, at);
  }
  leave(b, m, g, VW_STATE_RUNNABLE, 0, at);
}

static void go_status(struct vw_builder *b, const struct trace_event *e, struct when at)
{
  struct vw_track *g = vw_track_g(b, e->w[0]);
  struct vw_track *m = e->w[2] == TRACE_NO_M ? NULL : vw_track(b, VW_LANES_M, e->w[2]);
  if (!g)
    return;
  switch (e->w[1]) {
  case TRACE_GSTATUS_RUNNING:
  case TRACE_GSTATUS_SYSCALL:
    if (m)
      run(b, m, g, e->w[1] == TRACE_GSTATUS_RUNNING ? VW_STATE_RUNNING : VW_STATE_SYSCALL, at);
    break;
  case TRACE_GSTATUS_RUNNABLE:
    show_g(b, g, VW_STATE_RUNNABLE, TRACE_NO_M, TRACE_NO_P, 0, at);
    break;
  case TRACE_GSTATUS_WAITING:
    show_g(b, g, VW_STATE_WAITING, TRACE_NO_M, TRACE_NO_P, 0, at);
    break;
  default:
    break;
  }
}

static void go_told(struct vw_builder *b, const struct trace_event *e, struct when at)
{
  struct vw_track *g = vw_track_g(b, e->w[0]);
  if (!g)
    return;
  if (e->kind == TRACE_GO_NAME)
    g->name = e->w[1];
  else if (e->kind == TRACE_GO_ORIGIN)
    g->fn = e->d[1];
  else
    show_g(b, g, VW_STATE_WAITING, TRACE_NO_M, TRACE_NO_P, e->w[1], at);
}

/* ---- events of Ps ---- */

/* As its M, whose G may be in a system call still: it got a P back before it said that it returned. */
static void show_held_p(struct vw_builder *b, struct vw_track *p, struct when at)
{
  const struct vw_track *m = vw_track_find(b, VW_LANES_M, p->m);
  uint32_t g = m ? m->g : 0;
  bool calls = m && state_of(b, m) == VW_STATE_SYSCALL;
  enum vw_state state = calls ? VW_STATE_SYSCALL : g ? VW_STATE_RUNNING : VW_STATE_SCHED;
  show_p(b, p, state, g, at);
}

static void proc_start(struct vw_builder *b, struct vw_track *m, uint32_t id, struct when at)
{
  hold(b, m, (uint16_t)id);
  struct vw_track *p = track_p(b, (uint16_t)id);
  if (!p)
    return;
  show_held_p(b, p, at);
  if (!m->g)
    show_m_awake(b, m, at);
}

/* No M holds the P any more; the M that did keeps its G (in a system call) or looks for what to do. */
static void proc_left(struct vw_builder *b, uint32_t id, struct when at)
{
  struct vw_track *p = vw_track(b, VW_LANES_P, id);
  struct vw_track *m = p && p->m != TRACE_NO_M ? vw_track_find(b, VW_LANES_M, p->m) : NULL;
  if (!p)
    return;
  let_go(b, p);
  show_p(b, p, VW_STATE_HANDED, 0, at);
  struct vw_track *g = m && m->g ? vw_track_find(b, VW_LANES_G, m->g) : NULL;
  if (g)
    vw_layers_place(b, g, m->no, VW_NO_TRACK, at.ts, at.no);
  else if (m)
    show_m_awake(b, m, at);
}

static void proc_gcstop(struct vw_builder *b, uint32_t id, struct when at)
{
  struct vw_track *p = vw_track(b, VW_LANES_P, id);
  if (p)
    show_p(b, p, VW_STATE_GCSTOP, 0, at);
}

static void proc_restart(struct vw_builder *b, uint32_t id, struct when at)
{
  struct vw_track *p = vw_track(b, VW_LANES_P, id);
  if (p && p->m != TRACE_NO_M)
    show_held_p(b, p, at);
  else if (p)
    show_p(b, p, VW_STATE_HANDED, 0, at);
}

/* It is put on the idle list, or taken off it for the M that it is handed to. */
static void proc_free(struct vw_builder *b, uint32_t id, enum vw_state state, struct when at)
{
  struct vw_track *p = vw_track(b, VW_LANES_P, id);
  if (!p)
    return;
  let_go(b, p);
  show_p(b, p, state, 0, at);
}

static void proc_status(struct vw_builder *b, const struct trace_event *e, struct when at)
{
  struct vw_track *p = vw_track(b, VW_LANES_P, e->w[0]);
  if (!p)
    return;
  switch (e->w[1]) {
  case TRACE_PSTATUS_RUNNING: {
    struct vw_track *m = e->w[2] == TRACE_NO_M ? NULL : vw_track(b, VW_LANES_M, e->w[2]);
    if (m)
      proc_start(b, m, e->w[0], at);
    break;
  }
  case TRACE_PSTATUS_IDLE:
    show_p(b, p, VW_STATE_IDLE, 0, at);
    break;
  case TRACE_PSTATUS_HANDED:
    show_p(b, p, VW_STATE_HANDED, 0, at);
    break;
  case TRACE_PSTATUS_GCSTOP:
    proc_gcstop(b, e->w[0], at);
    break;
  default:
    show_p(b, p, VW_STATE_NONE, 0, at);
  }
}

static void procs_change(struct vw_builder *b, uint32_t new_n, struct when at)
{
  struct vw_tracks *tracks = &b->tracks[VW_LANES_P];
  for (size_t i = 0; i < tracks->n; i++) {
    struct vw_track *p = vw_track_at(tracks, i);
    if (p->id < new_n || p->open == VW_BAG_NONE)
      continue;
    let_go(b, p);
    show_p(b, p, VW_STATE_NONE, 0, at);
  }
}

/* ---- events of Ms ---- */

/* Nothing but its deeds tells that an M is sysmon: what it was taken for until now is made good. */
static void is_sysmon(struct vw_builder *b, struct vw_track *m, uint32_t sleeps, struct when at)
{
  if (!m->is_sysmon && m->open != VW_BAG_NONE)
    ((struct vw_span *)vw_bag_at(&b->spans[VW_LANES_M], m->open))->state = VW_STATE_SYSMON;
  m->is_sysmon = true;
  vw_span_begin(b, VW_LANES_M, m,
                (struct vw_span){ .t0 = at.ts,
                                  .no = at.no,
                                  .m = m->id,
                                  .p = TRACE_NO_P,
                                  .state = VW_STATE_SYSMON,
                                  .why = sleeps });
}

/* What sysmon does between two changes of its sleep goes on as before. */
static void sysmon_acts(struct vw_builder *b, struct vw_track *m, struct when at)
{
  if (!m->is_sysmon || m->open == VW_BAG_NONE)
    is_sysmon(b, m, 0, at);
}

static void sysmon_sleep(struct vw_builder *b, struct vw_track *m, const struct trace_event *e,
                         struct when at)
{
  uint64_t delay = e->d[0] < VW_SYSMON_DEEP ? e->d[0] : VW_SYSMON_DEEP - 1;
  is_sysmon(b, m, e->w[2] ? VW_SYSMON_DEEP : (uint32_t)delay, at);
}

static void m_status(struct vw_builder *b, const struct trace_event *e, struct when at)
{
  static const uint8_t states[] = {
    [TRACE_MSTATUS_RUNNING] = VW_STATE_SCHED, [TRACE_MSTATUS_SPINNING] = VW_STATE_SPINNING,
    [TRACE_MSTATUS_PARKED] = VW_STATE_PARKED, [TRACE_MSTATUS_POLLING] = VW_STATE_POLLING,
    [TRACE_MSTATUS_SYSMON] = VW_STATE_SYSMON, [TRACE_MSTATUS_DEAD] = VW_STATE_NONE
  };
  struct vw_track *m = vw_track(b, VW_LANES_M, e->w[0]);
  if (!m)
    return;
  m->tid = e->w[2];
  if (e->w[1] == TRACE_MSTATUS_SYSMON)
    sysmon_acts(b, m, at);
  if (e->w[3] < TRACE_NO_P)
    hold(b, m, (uint16_t)e->w[3]);
  struct vw_track *g = vw_track_g(b, m->g);
  if (g)
    run(b, m, g, VW_STATE_RUNNING, at);
  else
    show_m(b, m, e->w[1] <= TRACE_MSTATUS_DEAD ? states[e->w[1]] : VW_STATE_NONE, at);
}

static void m_event(struct vw_builder *b, struct vw_track *m, const struct trace_event *e,
                    struct when at)
{
  static const uint8_t states[] = {
    [TRACE_M_CREATE] = VW_STATE_SCHED,
    [TRACE_M_DESTROY] = VW_STATE_NONE,
    [TRACE_M_SPINNING_BEGIN] = VW_STATE_SPINNING,
    [TRACE_M_SPINNING_END] = VW_STATE_SCHED,
    [TRACE_M_PARK] = VW_STATE_PARKED,
    [TRACE_M_UNPARK] = VW_STATE_SCHED,
    [TRACE_M_POLL_BEGIN] = VW_STATE_POLLING,
    [TRACE_M_POLL_END] = VW_STATE_SCHED,
  };
  if (e->kind == TRACE_M_CREATE)
    m->tid = e->w[0];
  if (e->kind == TRACE_M_CREATE || e->kind == TRACE_M_PARK || e->kind == TRACE_M_POLL_BEGIN)
    m->g = 0;
  show_m(b, m, states[e->kind], at);
}

void vw_tracks_event(struct vw_builder *b, const struct trace_event *e, uint64_t no)
{
  struct when at = { e->ts, no };
  struct vw_track *m = vw_track(b, VW_LANES_M, e->m);
  if (!m)
    return;
  /* clang-format off */
  switch (e->kind) {
  case TRACE_GO_CREATE:              go_create(b, e, at); break;
  case TRACE_GO_START:               go_start(b, m, e, at); break;
  case TRACE_GO_STOP:                leave(b, m, running(b, m, e), VW_STATE_RUNNABLE, e->w[0], at); break;
  case TRACE_GO_BLOCK:               leave(b, m, running(b, m, e), VW_STATE_WAITING, e->w[0], at); break;
  case TRACE_GO_UNBLOCK:             go_unblock(b, e, at); break;
  case TRACE_GO_DESTROY:             go_destroy(b, m, e, at); break;
  case TRACE_GO_SYSCALL_BEGIN:       go_syscall(b, m, e, VW_STATE_SYSCALL, at); break;
  case TRACE_GO_SYSCALL_END:         go_syscall(b, m, e, VW_STATE_RUNNING, at); break;
  case TRACE_GO_SYSCALL_END_BLOCKED: go_syscall_end_blocked(b, m, e, at); break;
  case TRACE_GO_STATUS:              go_status(b, e, at); break;
  case TRACE_GO_STATUS_WAIT:
  case TRACE_GO_ORIGIN:
  case TRACE_GO_NAME:                go_told(b, e, at); break;
  case TRACE_M_CREATE:
  case TRACE_M_DESTROY:
  case TRACE_M_SPINNING_BEGIN:
  case TRACE_M_SPINNING_END:
  case TRACE_M_PARK:
  case TRACE_M_UNPARK:
  case TRACE_M_POLL_BEGIN:
  case TRACE_M_POLL_END:             m_event(b, m, e, at); break;
  case TRACE_M_STATUS:               m_status(b, e, at); break;
  case TRACE_PROC_START:             proc_start(b, m, e->w[0], at); break;
  case TRACE_PROC_STOP:
  case TRACE_PROC_STEAL:             proc_left(b, e->w[0], at); break;
  case TRACE_PROC_IDLE:              proc_free(b, e->w[0], VW_STATE_IDLE, at); break;
  case TRACE_PROC_UNIDLE:            proc_free(b, e->w[0], VW_STATE_HANDED, at); break;
  case TRACE_PROC_GCSTOP:            proc_gcstop(b, e->w[0], at); break;
  case TRACE_PROC_RESTART:           proc_restart(b, e->w[0], at); break;
  case TRACE_PROC_STATUS:            proc_status(b, e, at); break;
  case TRACE_PROCS_CHANGE:           procs_change(b, e->w[1], at); break;
  case TRACE_SYSMON_RETAKE:
  case TRACE_SYSMON_NETPOLL:         sysmon_acts(b, m, at); break;
  case TRACE_SYSMON_SLEEP:           sysmon_sleep(b, m, e, at); break;
  default: break; /* the other families do not move a G, M or P */
  }
  /* clang-format on */
}
