/* SPDX-License-Identifier: MIT */
/* whole-plan.h - plans of all of a made-up trace, for the tests that look at what stands where on them. */
#pragma once
#include "plan.h"
#include "test.h"

static inline struct vw_view whole(struct vw_trace *f, enum vw_lane_kind lanes, int width,
                                   int height)
{
  struct vw_view view;
  vw_view_init(&view, f, lanes, width, height);
  return view;
}

static inline struct vw_plan *planned(struct vw_trace *f, const struct vw_view *view)
{
  struct vw_plan *plan = vw_plan_new(f, view);
  assert_non_null(plan);
  return plan;
}

/* The whole trace, as wide as a window; the view is for those who go on from it. */
static inline struct vw_plan *whole_plan(struct vw_trace *f, enum vw_lane_kind lanes,
                                         struct vw_view *view)
{
  *view = whole(f, lanes, 1280, 400);
  return planned(f, view);
}
