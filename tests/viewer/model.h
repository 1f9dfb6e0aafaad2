/* SPDX-License-Identifier: MIT */
/* model.h - what the tests of the model share: opening fixtures, and what holds for every trace. */
#pragma once
#include "test.h"

#include "vw-build.h"

/* A trace of tests/viewer/traces; fails the test with the reason if it cannot be made. */
struct vw_trace *model_open(const char *name);
/* Calls fn with every text trace of tests/traces and tests/viewer/traces that can be parsed; returns how many. */
unsigned model_for_each(void (*fn)(struct vw_trace *trace, const char *path));

/* Number of the n-th event (from 0) of a kind; fails the test if there is none. */
uint64_t model_find(const struct vw_trace *trace, enum trace_kind kind, unsigned n);

/* Holds every lane, arrow and panic path of a trace to what viewer.h promises. */
void model_check(struct vw_trace *trace);

/* "RUNNING g1 10-60|..." : the spans of a lane, to compare with what a fixture should show. */
const char *model_spans(const struct vw_trace *trace, enum vw_lane_kind kind, uint32_t id);
const char *model_overlays(const struct vw_trace *trace, enum vw_lane_kind kind, uint32_t id);
