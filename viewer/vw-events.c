/* SPDX-License-Identifier: MIT */
/* vw-events.c - events by number and by time. */
#include "vw-internal.h"

uint64_t vw_event_count(const struct vw_trace *trace)
{
  return trace->n_events;
}

void vw_time_range(const struct vw_trace *trace, int64_t *first, int64_t *last)
{
  *first = trace->events[0].ts;
  *last = trace->events[trace->n_events - 1].ts;
}

const struct trace_event *vw_event(const struct vw_trace *trace, uint64_t no)
{
  assert(no < trace->n_events);
  return &trace->events[no];
}

uint64_t vw_event_at(const struct vw_trace *trace, int64_t t)
{
  uint64_t lo = 0, hi = trace->n_events;
  while (lo < hi) {
    uint64_t mid = lo + (hi - lo) / 2;
    if (trace->events[mid].ts < t)
      lo = mid + 1;
    else
      hi = mid;
  }
  return lo;
}
