/* SPDX-License-Identifier: MIT */
/* trace-emit-fused.h - writing the events that may share a record: trace-fuse.h tells which, and why.
 *
 *   trace_is_ready, trace_open_lead      the first of a transition
 *   trace_fuse_...                       one that may go on with it; false: it does not fit, and is emitted as any other
 *                                        event, before which the open record ends by itself
 *
 * A fatal signal may come between any two stores, and its handler emits: so a record is closed to further events before it
 * is changed into its last form, and opened to them only when what it needs to be ended is there.
 */
#pragma once
#include "trace-emit.h"

/* go_stop, go_block, go_destroy, go_unblock, go_create: begins a record, which trace_is_ready has room for.
 * ts: w->ts, or later. */
static inline void trace_open_lead(struct trace_writer *w, enum trace_lead lead, uint64_t ts,
                                   enum trace_kind kind, uint64_t lo, uint64_t hi)
{
  trace_write_at(w, ts, kind, lo, hi);
  atomic_signal_fence(memory_order_seq_cst);
  w->open.kind = trace_fused_kind(lead, TRACE_GET_NONE, 0);
}

/* The open record is whole now, with the event that comes at w->ts. */
static inline void trace_close(struct trace_writer *w, struct trace_record *r, uint32_t kind)
{
  uint64_t ts = w->ts;
  w->ts = ts + 1;
  r->kind = (uint16_t)kind;
  trace_publish(w, (uint32_t)(ts - r->ts) + 1); /* each is a tick behind the one before */
}

/* After go_stop. False: it does not fit. */
static inline bool trace_fuse_put_global(struct trace_writer *w, uint64_t lo)
{
  if (w->open.kind != trace_fused_kind(TRACE_LEAD_STOP, TRACE_GET_NONE, 0) || lo != w->next->g)
    return false;
  w->ts++;
  w->open.kind = trace_fused_kind(TRACE_LEAD_STOP_PUT, TRACE_GET_NONE, 0);
  return true;
}

/* After go_unblock or go_create, which name the same G first. */
static inline bool trace_fuse_put_next(struct trace_writer *w, uint64_t lo, uint64_t hi)
{
  struct trace_record *r = w->next;
  uint32_t kind = w->open.kind;
  if ((kind != trace_fused_kind(TRACE_LEAD_UNBLOCK, TRACE_GET_NONE, 0) &&
       kind != trace_fused_kind(TRACE_LEAD_CREATE, TRACE_GET_NONE, 0)) ||
      lo != r->w[0] || hi != r->p)
    return false;
  w->open.kind = 0;
  atomic_signal_fence(memory_order_seq_cst);
  trace_close(w, r, kind);
  return true;
}

static inline void trace_open_get(struct trace_writer *w, uint32_t kind, uint32_t g, uint64_t place)
{
  w->ts++;
  w->open.got = g;
  w->open.place = place;
  atomic_signal_fence(memory_order_seq_cst);
  w->open.kind = (uint16_t)kind;
}

/* After a lead that leaves no G on the M. place: see trace_get_place. False: it does not fit. */
static inline bool trace_fuse_get(struct trace_writer *w, enum trace_get get, uint32_t g,
                                  uint64_t place)
{
  uint32_t lead = w->open.kind;
  if (lead == trace_fused_kind(TRACE_LEAD_BLOCK, TRACE_GET_NONE, 0)) {
    if (get != TRACE_GET_NEXT)
      return false; /* the record has no room for a place: what the G waits for is there */
    place = w->next->d[1];
  } else if (lead != trace_fused_kind(TRACE_LEAD_STOP_PUT, TRACE_GET_NONE, 0) &&
             lead != trace_fused_kind(TRACE_LEAD_STOP, TRACE_GET_NONE, 0) &&
             lead != trace_fused_kind(TRACE_LEAD_DESTROY, TRACE_GET_NONE, 0)) {
    return false;
  }
  trace_open_get(w, lead | (uint32_t)get << TRACE_GET_SHIFT, g, place);
  return true;
}

/* Begins a record with a get, which trace_is_ready has room for. */
static inline void trace_open_with_get(struct trace_writer *w, enum trace_get get, uint32_t g,
                                       uint64_t place)
{
  trace_write(w, TRACE_KIND_NONE, 0, 0);
  w->ts--;
  trace_open_get(w, trace_fused_kind(TRACE_LEAD_NONE, get, 0), g, place);
}

/* After a get, which names the same G. False: it does not fit. */
static inline bool trace_fuse_start(struct trace_writer *w, uint64_t lo, uint64_t hi)
{
  struct trace_record *r = w->next;
  uint32_t kind = w->open.kind, get = kind & TRACE_GET_MASK;
  uint64_t why_and_stack = r->d[0];
  if (get == 0 || (uint32_t)lo != w->open.got ||
      hi != (get == (uint32_t)TRACE_GET_NEXT << TRACE_GET_SHIFT) || why_and_stack > UINT8_MAX)
    return false;
  w->open.kind = 0;
  atomic_signal_fence(memory_order_seq_cst);
  r->d[0] = w->open.place;
  r->d[1] = lo;
  trace_close(w, r, kind | (uint32_t)why_and_stack);
  return true;
}
