/* SPDX-License-Identifier: MIT */
/* vw-spans.c - beginning and ending the spans of a lane.
 *
 * I1  A lane has at most one open span; ending it is the only way to begin another, so spans are disjoint
 *     and in time order by construction.
 * I2  A span of no duration is dropped when it shows the scheduler between two things (SCHED, HANDED): it is an
 *     artefact of events that share one clock read.  All others stay: a G that ran for 0 ns did run.
 */
#include "vw-internal.h"

static bool is_like(const struct vw_span *a, const struct vw_span *b)
{
  return a->state == b->state && a->g == b->g && a->m == b->m && a->p == b->p && a->why == b->why;
}

static void end(struct vw_builder *b, enum vw_lane_kind kind, struct vw_track *track, int64_t ts,
                uint64_t no)
{
  struct vw_span *span = vw_bag_at(&b->spans[kind], track->open);
  span->t1 = track->until = ts;
  span->end_no = no;
  if (span->t0 == ts && (span->state == VW_STATE_SCHED || span->state == VW_STATE_HANDED))
    b->spans[kind].owners[track->open] = VW_BAG_DROPPED;
  track->open = VW_BAG_NONE;
}

static void begin(struct vw_builder *b, enum vw_lane_kind kind, struct vw_track *track,
                  const struct vw_span *span)
{
  track->open = vw_bag_add(&b->spans[kind], track->no, span);
  if (track->open == VW_BAG_NONE)
    b->failed = true;
}

void vw_span_begin(struct vw_builder *b, enum vw_lane_kind kind, struct vw_track *track,
                   struct vw_span span)
{
  if (track->open != VW_BAG_NONE) {
    const struct vw_span *now = vw_bag_at(&b->spans[kind], track->open);
    if (is_like(now, &span))
      return;
    end(b, kind, track, span.t0, span.no);
  }
  span.end_no = VW_NONE;
  if (span.state != VW_STATE_NONE)
    begin(b, kind, track, &span);
}

void vw_span_lost(struct vw_builder *b, enum vw_lane_kind kind, struct vw_track *track,
                  int64_t since, int64_t now, uint64_t no)
{
  const struct vw_span *open =
      track->open == VW_BAG_NONE ? NULL : vw_bag_at(&b->spans[kind], track->open);
  int64_t earliest = open ? open->t0 : track->until;
  if (since < earliest)
    since = earliest;
  if (open)
    end(b, kind, track, since, no);
  struct vw_span lost = {
    .t0 = since, .t1 = now, .no = no, .m = TRACE_NO_M, .p = TRACE_NO_P, .state = VW_STATE_LOST
  };
  begin(b, kind, track, &lost);
  if (track->open != VW_BAG_NONE)
    end(b, kind, track, now, no);
}
