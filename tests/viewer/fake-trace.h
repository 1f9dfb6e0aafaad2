/* SPDX-License-Identifier: MIT */
/* fake-trace.h - a made-up trace behind viewer.h, for tests of plans and pictures.
 *
 * It is linked in the place of the model, so a test says exactly which spans, marks, arrows and panics there
 * are, including ones that no scheduler makes.  Every add returns the number of the event that stands for it.
 */
#pragma once
#include "viewer.h"

struct vw_trace *fake_new(void);
void fake_free(struct vw_trace *f);
/* The trace's time; spans and events may lie anywhere in it. */
void fake_time(struct vw_trace *f, int64_t first, int64_t last);
/* Returns the lane's index. Titles are copied. */
size_t fake_lane(struct vw_trace *f, enum vw_lane_kind kind, uint32_t id, const char *title,
                 const char *subtitle);
/* In the order of time within a lane. */
uint64_t fake_span(struct vw_trace *f, enum vw_lane_kind kind, size_t lane, int64_t t0, int64_t t1,
                   enum vw_state state, uint32_t g);
/* The event that ended a span; without it the trace did. */
void fake_end(struct vw_trace *f, enum vw_lane_kind kind, size_t lane, size_t span, uint64_t no);
uint64_t fake_overlay(struct vw_trace *f, enum vw_lane_kind kind, size_t lane, int64_t t0,
                      int64_t t1, enum vw_state state, unsigned depth);
uint64_t fake_mark(struct vw_trace *f, enum vw_lane_kind kind, size_t lane, int64_t ts,
                   enum vw_mark_kind mark);
/* Between Ms, or between Gs for lanes of Gs: ends carry the id as m, as p and as g. In the order of from. */
void fake_arrow(struct vw_trace *f, enum vw_arrow_kind kind, int64_t from_ts, uint32_t from,
                int64_t to_ts, uint32_t to);
/* A panic on a G and M with the same id: begins at t, calls one deferred function, recovers, goes on; a step every gap ns. */
void fake_panic(struct vw_trace *f, uint32_t id, int64_t t, int64_t gap, const char *value,
                unsigned n_calls);
void fake_fatal(struct vw_trace *f, size_t panic); /* nobody recovers this panic */
/* The M that a span of a G's lane was executed by. */
void fake_span_m(struct vw_trace *f, enum vw_lane_kind kind, size_t lane, size_t span, uint32_t m);
void fake_g_name(struct vw_trace *f, const char *name); /* of every G */

/* Two Ms, two Ps and three Gs with a bit of everything, including a panic that is recovered. */
struct vw_trace *fake_scene(void);
/* lanes Ms with n spans each, back to back, with gaps, one mark in 50 and one arrow in 4. */
struct vw_trace *fake_crowd(size_t lanes, size_t n);
