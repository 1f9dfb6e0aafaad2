/* SPDX-License-Identifier: MIT */
/* clock.h - ticks of a program's clock as ns since the trace's start; and the recorder's own clock. */
#pragma once
#include "trace-ring.h"

/* One line of the conversion: ns = base_ns + (ticks - base_ticks) * slope, from base_ticks on. */
struct clock_line {
  uint64_t base_ticks;
  int64_t base_ns; /* since the trace's start */
  double slope;    /* ns a tick */
};

/* A look at the clocks at one moment. */
struct clock_look {
  uint64_t ticks;
  int64_t mono_ns, wall_ns;
};

#define CLOCK_LINES 64

struct rec_clock {
  uint32_t kind;      /* enum trace_clock */
  int64_t start_mono; /* CLOCK_MONOTONIC at ns 0 of the trace; the virtual clock, if it is that */
  int64_t start_wall; /* CLOCK_REALTIME at ns 0 */
  struct clock_line
      lines[CLOCK_LINES]; /* the last ones, newest at n_lines - 1 modulo CLOCK_LINES */
  uint32_t n_lines;
  struct clock_look first; /* the calibration */
  double measured_slope;   /* of the hardware counter, from the calibration */
};

/* What CLOCK_MONOTONIC says now. */
int64_t rec_mono_ns(void);
/* Looks at the clocks for a few ms, to learn how fast the counter ticks. Before the program starts. */
void rec_clock_start(struct rec_clock *c);
/* The trace begins: its clock is of this kind (enum trace_clock), and its first record, which stands at these
 * ticks, is ns 0. Ticks that no program started since rec_clock_start can have seen make that moment ns 0
 * instead. Before the first conversion. */
void rec_clock_begin(struct rec_clock *c, uint32_t kind, uint64_t ticks);
/* Looks again and bends the line so that it meets the monotonic clock again; to be called every 100 ms or so.
 * Returns how far the line was off, in ns. *look is what was seen. */
int64_t rec_clock_sync(struct rec_clock *c, struct clock_look *look);
/* Ns since the trace's start; may be negative for ticks before it. */
int64_t rec_clock_ns(const struct rec_clock *c, uint64_t ticks);
/* The same for a time of CLOCK_MONOTONIC (arguments of type WHEN). */
int64_t rec_clock_from_mono(const struct rec_clock *c, uint64_t mono_ns);
