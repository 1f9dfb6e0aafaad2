/* SPDX-License-Identifier: MIT */
/* vw-arrows.c - who woke, made, robbed and waited for whom.
 *
 * An arrow is added at the event where it begins, so the array is in order of from.no without sorting; it waits on
 * its track (G, M or P) for the event where it ends, and is noted there in a second list, which therefore is in
 * order of to.no.  Both look-ups are bisections.
 *
 * I1  to.no >= from.no, or VW_NONE if the trace ended first.
 * I2  Where two arrows end at one event (a wake and a park at a go_start), the wake comes first: walking back from
 *     a start asks who made it ready.
 *
 * A retake goes from the M in the system call to the M that has the P next, or to who put it away as idle.
 */
#include "vw-internal.h"

#include "trace-grow.h"

static const struct vw_arrow_end nowhere = { .no = VW_NONE, .m = TRACE_NO_M, .p = TRACE_NO_P };

static struct vw_arrow_end here(const struct trace_event *e, uint64_t no)
{
  return (struct vw_arrow_end){ .ts = e->ts, .no = no, .m = e->m, .g = e->g, .p = e->p };
}

/* Returns the arrow's index, VW_BAG_NONE if there is no room. */
static uint32_t add(struct vw_builder *b, enum vw_arrow_kind kind, struct vw_arrow_end from)
{
  struct vw_trace *t = b->trace;
  if (t->n_arrows >= VW_BAG_NONE ||
      !trace_grow(&t->arrows, &t->arrows_capacity, t->n_arrows, sizeof *t->arrows)) {
    b->failed = true;
    return VW_BAG_NONE;
  }
  t->arrows[t->n_arrows] = (struct vw_arrow){ .from = from, .to = nowhere, .kind = (uint8_t)kind };
  return (uint32_t)t->n_arrows++;
}

static void arrive(struct vw_builder *b, uint32_t *waiting, struct vw_arrow_end to)
{
  struct vw_trace *t = b->trace;
  if (*waiting == VW_BAG_NONE)
    return;
  if (!trace_grow(&t->arrows_in, &t->arrows_in_capacity, t->n_arrows_in, sizeof *t->arrows_in)) {
    b->failed = true;
    return;
  }
  t->arrows[*waiting].to = to;
  t->arrows_in[t->n_arrows_in++] = *waiting;
  *waiting = VW_BAG_NONE;
}

static void go_starts(struct vw_builder *b, const struct trace_event *e, uint64_t no)
{
  struct vw_track *g = vw_track_g(b, e->w[0]);
  if (!g)
    return;
  struct vw_arrow_end to = here(e, no);
  to.g = g->id;
  arrive(b, &g->wake, to);
  arrive(b, &g->create, to);
  arrive(b, &g->park, to);
}

/* A G's arrow begins. One that still waits never comes to pass (its event was lost). */
static void g_departs(struct vw_builder *b, enum vw_arrow_kind kind, uint32_t goid,
                      const struct trace_event *e, uint64_t no)
{
  struct vw_track *g = vw_track_g(b, goid);
  if (!g)
    return;
  uint32_t arrow = add(b, kind, here(e, no));
  if (kind == VW_ARROW_WAKE)
    g->wake = arrow;
  else if (kind == VW_ARROW_PARK)
    g->park = arrow;
  else
    g->create = arrow;
}

static void go_destroyed(struct vw_builder *b, const struct trace_event *e)
{
  struct vw_track *g = vw_track_g(b, e->g);
  if (g)
    g->wake = g->park = g->create = VW_BAG_NONE;
}

static void stolen(struct vw_builder *b, const struct trace_event *e, uint64_t no)
{
  const struct vw_track *victim = vw_track(b, VW_LANES_P, e->w[0]);
  if (!victim)
    return;
  struct vw_arrow_end from = { .ts = e->ts, .no = no, .m = victim->m, .p = (uint16_t)victim->id };
  uint32_t arrow = add(b, VW_ARROW_STEAL, from);
  arrive(b, &arrow, here(e, no));
}

static void retaken(struct vw_builder *b, const struct trace_event *e, uint64_t no)
{
  struct vw_track *p = vw_track(b, VW_LANES_P, e->w[0]);
  const struct vw_track *m = e->w[2] == TRACE_NO_M ? NULL : vw_track_find(b, VW_LANES_M, e->w[2]);
  struct vw_arrow_end from = {
    .ts = e->ts, .no = no, .m = e->w[2], .g = m ? m->g : 0, .p = (uint16_t)e->w[0]
  };
  if (p)
    p->wake = add(b, VW_ARROW_RETAKE, from);
}

static void p_arrives(struct vw_builder *b, const struct trace_event *e, uint64_t no)
{
  struct vw_track *p = vw_track(b, VW_LANES_P, e->w[0]);
  struct vw_arrow_end to = here(e, no);
  to.p = (uint16_t)e->w[0];
  if (p)
    arrive(b, &p->wake, to);
}

static void m_woken(struct vw_builder *b, const struct trace_event *e, uint64_t no)
{
  struct vw_track *m = e->w[0] == TRACE_NO_M ? NULL : vw_track(b, VW_LANES_M, e->w[0]);
  if (m)
    m->wake = add(b, VW_ARROW_MWAKE, here(e, no));
}

static void m_arrives(struct vw_builder *b, const struct trace_event *e, uint64_t no)
{
  struct vw_track *m = vw_track(b, VW_LANES_M, e->m);
  if (m)
    arrive(b, &m->wake, here(e, no));
}

void vw_arrows_event(struct vw_builder *b, const struct trace_event *e, uint64_t no)
{
  /* clang-format off */
  switch (e->kind) {
  case TRACE_GO_UNBLOCK:      g_departs(b, VW_ARROW_WAKE, e->w[0], e, no); break;
  case TRACE_GO_BLOCK:        g_departs(b, VW_ARROW_PARK, e->g, e, no); break;
  case TRACE_GO_CREATE:       g_departs(b, VW_ARROW_CREATE, e->w[0], e, no); break;
  case TRACE_GO_START:        go_starts(b, e, no); break;
  case TRACE_GO_DESTROY:      go_destroyed(b, e); break;
  case TRACE_RUNQ_STEAL:
  case TRACE_RUNQ_STEAL_NEXT: stolen(b, e, no); break;
  case TRACE_PROC_STEAL:      retaken(b, e, no); break;
  case TRACE_PROC_START:
  case TRACE_PROC_IDLE:
  case TRACE_PROC_GCSTOP:     p_arrives(b, e, no); break;
  case TRACE_M_WAKE:          m_woken(b, e, no); break;
  case TRACE_M_UNPARK:
  case TRACE_M_CREATE:        m_arrives(b, e, no); break;
  default: break; /* no arrow begins or ends */
  }
  /* clang-format on */
}

/* ---- asking ---- */

const struct vw_arrow *vw_arrows(const struct vw_trace *trace, size_t *n)
{
  *n = trace->n_arrows;
  return trace->arrows;
}

long vw_arrow_into(const struct vw_trace *trace, uint64_t no)
{
  size_t lo = 0, hi = trace->n_arrows_in;
  while (lo < hi) {
    size_t mid = lo + (hi - lo) / 2;
    if (trace->arrows[trace->arrows_in[mid]].to.no < no)
      lo = mid + 1;
    else
      hi = mid;
  }
  bool found = lo < trace->n_arrows_in && trace->arrows[trace->arrows_in[lo]].to.no == no;
  return found ? (long)trace->arrows_in[lo] : -1;
}

long vw_arrow_out_of(const struct vw_trace *trace, uint64_t no)
{
  size_t lo = 0, hi = trace->n_arrows;
  while (lo < hi) {
    size_t mid = lo + (hi - lo) / 2;
    if (trace->arrows[mid].from.no < no)
      lo = mid + 1;
    else
      hi = mid;
  }
  return lo < trace->n_arrows && trace->arrows[lo].from.no == no ? (long)lo : -1;
}
