/* SPDX-License-Identifier: MIT */
/* vw-lost.c - stretches in which an M's events are missing.
 *
 * Two things say so: a `lost` record (the ring was full; it knows how many and since when), and a jump in the M's
 * numbers (a damaged chunk was left out, or the record of the loss was lost too).  Both are one gap: the M's
 * lane, and those of the P and the G that it had, say LOST from its last event on, and then the M is adopted from
 * what the next record says by itself.  A damaged chunk that is an M's last has no next record: the file says how
 * far it reached (vw_builder_damage).
 */
#include "vw-internal.h"

static void forget(struct vw_builder *b, struct vw_track *m, int64_t since, int64_t now,
                   uint64_t no)
{
  struct vw_track *p = m->p == TRACE_NO_P ? NULL : vw_track_find(b, VW_LANES_P, m->p);
  struct vw_track *g = m->g ? vw_track_find(b, VW_LANES_G, m->g) : NULL;
  vw_span_lost(b, VW_LANES_M, m, since, now, no);
  if (p && p->m == m->id) {
    vw_span_lost(b, VW_LANES_P, p, since, now, no);
    p->m = TRACE_NO_M;
  }
  if (g && g->m == m->id) {
    vw_span_lost(b, VW_LANES_G, g, since, now, no);
    vw_layers_end(b, g, since, no);
    g->m = TRACE_NO_M;
  }
  m->g = 0;
  m->p = TRACE_NO_P;
}

void vw_lost_event(struct vw_builder *b, const struct trace_event *e, uint64_t no)
{
  struct vw_track *m = vw_track(b, VW_LANES_M, e->m);
  if (!m)
    return;
  bool is_new = m->last_ts == 0 && m->next_seq == 0;
  if (e->seq != m->next_seq && (!is_new || e->seq > 0)) {
    struct vw_facts *facts = &b->trace->facts;
    int64_t since = is_new ? b->trace->events[0].ts : m->last_ts;
    facts->n_lost += e->seq > m->next_seq ? e->seq - m->next_seq : 0;
    facts->n_loss_places++;
    if (e->kind == TRACE_LOST && (int64_t)e->d[1] > since && (int64_t)e->d[1] <= e->ts)
      since = (int64_t)e->d[1];
    forget(b, m, since, e->ts, no);
  }
  if (m->open == VW_BAG_NONE && !m->is_sysmon && (e->g || e->p != TRACE_NO_P) &&
      e->kind != TRACE_M_CREATE)
    vw_tracks_adopt(b, m, e, no);
  m->next_seq = e->seq + 1;
  m->last_ts = e->ts;
}

static int64_t clamped(int64_t t, int64_t low, int64_t high)
{
  return t < low ? low : t > high ? high : t;
}

void vw_builder_damage(struct vw_builder *b, const struct tracefile_damage *damage)
{
  const struct vw_trace *t = b->trace;
  const struct vw_track *known = vw_track_find(b, VW_LANES_M, damage->m);
  bool is_possible = damage->n > 0 && damage->t_min <= damage->t_max && damage->m < TRACE_NO_M;
  if (t->n_events == 0 || !is_possible || (known && known->next_seq > damage->first_seq))
    return;
  struct vw_track *m = vw_track(b, VW_LANES_M, damage->m);
  if (!m)
    return;
  int64_t first = t->events[0].ts, last = t->events[t->n_events - 1].ts;
  int64_t since = clamped(known ? m->last_ts : damage->t_min, first, last);
  int64_t until = clamped(damage->t_max, since, last);
  forget(b, m, since, until, t->n_events - 1);
  m->next_seq = damage->first_seq + damage->n;
  m->last_ts = until;
  b->trace->facts.n_lost += damage->n;
  b->trace->facts.n_loss_places++;
}
