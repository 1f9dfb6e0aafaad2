/* SPDX-License-Identifier: MIT */
/* vw-marks.c - instants that must stay visible at every zoom, on each lane that they concern.
 *
 * A mark stands on the lanes of the M, P and G that the record names as its own; a retake and a steal also on
 * the lanes of who lost something, and a demonstrated fault on that of whom it strikes.  sysmon's decisions are marked where they hit (proc_steal), not each time it
 * thinks.
 */
#include "vw-internal.h"

static void put(struct vw_builder *b, enum vw_lane_kind kind, uint32_t id,
                const struct vw_mark *mark)
{
  const struct vw_track *track = vw_track(b, kind, id);
  if (track && vw_bag_add(&b->marks[kind], track->no, mark) == VW_BAG_NONE)
    b->failed = true;
}

/* On the lanes of the record's own M, P and G. */
static void put_here(struct vw_builder *b, const struct trace_event *e, const struct vw_mark *mark)
{
  put(b, VW_LANES_M, e->m, mark);
  if (e->p != TRACE_NO_P)
    put(b, VW_LANES_P, e->p, mark);
  if (e->g)
    put(b, VW_LANES_G, e->g, mark);
}

static enum vw_mark_kind mark_of(uint16_t kind)
{
  switch (kind) {
  case TRACE_PANIC_BEGIN:
    return VW_MARK_PANIC;
  case TRACE_PANIC_RECOVERED:
    return VW_MARK_RECOVER;
  case TRACE_PANIC_FATAL:
    return VW_MARK_FATAL;
  case TRACE_FAULT:
    return VW_MARK_FAULT;
  case TRACE_LOST:
    return VW_MARK_LOST;
  case TRACE_PREEMPT_TAKEN:
    return VW_MARK_PREEMPT;
  case TRACE_PROC_STEAL:
    return VW_MARK_RETAKE;
  case TRACE_RUNQ_STEAL:
  case TRACE_RUNQ_STEAL_NEXT:
    return VW_MARK_STEAL;
  case TRACE_TIMER_FIRE:
    return VW_MARK_TIMER;
  case TRACE_STW_BEGIN:
  case TRACE_STW_STOPPED:
  case TRACE_STW_END:
    return VW_MARK_STW;
  case TRACE_USER_LOG:
  case TRACE_TASK_BEGIN:
  case TRACE_TASK_END:
    return VW_MARK_USER;
  default:
    return VW_MARK_KINDS;
  }
}

static void put_on_victims(struct vw_builder *b, const struct trace_event *e, struct vw_mark *mark)
{
  if (e->kind == TRACE_RUNQ_STEAL || e->kind == TRACE_RUNQ_STEAL_NEXT)
    put(b, VW_LANES_P, e->w[0], mark);
  if (e->kind == TRACE_RUNQ_STEAL_NEXT && e->w[1])
    put(b, VW_LANES_G, e->w[1], mark);
  if (e->kind == TRACE_FAULT && e->w[1] && e->w[1] != e->g)
    put(b, VW_LANES_G, e->w[1], mark);
  if (e->kind != TRACE_PROC_STEAL)
    return;
  put(b, VW_LANES_P, e->w[0], mark);
  if (e->w[2] == TRACE_NO_M)
    return;
  put(b, VW_LANES_M, e->w[2], mark);
  if (mark->g)
    put(b, VW_LANES_G, mark->g, mark);
}

/* The G that a mark is about: the running one; of a retake, the one in the system call. */
static uint32_t subject(struct vw_builder *b, const struct trace_event *e)
{
  if (e->kind != TRACE_PROC_STEAL)
    return e->g;
  const struct vw_track *m = e->w[2] == TRACE_NO_M ? NULL : vw_track_find(b, VW_LANES_M, e->w[2]);
  return m ? m->g : 0;
}

void vw_marks_event(struct vw_builder *b, const struct trace_event *e, uint64_t no)
{
  enum vw_mark_kind kind = mark_of(e->kind);
  if (kind == VW_MARK_KINDS)
    return;
  struct vw_mark mark = { .ts = e->ts, .no = no, .g = subject(b, e), .kind = (uint8_t)kind };
  if (kind != VW_MARK_RETAKE)
    put_here(b, e, &mark);
  put_on_victims(b, e, &mark);
}
