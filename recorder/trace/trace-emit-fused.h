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

/* go_stop, go_block, go_destroy, go_unblock, go_create: begins a record, which trace_is_ready has room for. */
static inline void trace_open_lead(struct trace_writer *w, enum trace_lead lead,
                                   enum trace_kind kind, uint64_t lo, uint64_t hi)
{
  trace_write(w, kind, lo, hi);
  atomic_signal_fence(memory_order_seq_cst);
  w->open.state = (uint16_t)lead;
}

/* The open record is whole now. */
static inline void trace_close(struct trace_writer *w, struct trace_record *r, uint16_t kind,
                               uint32_t n)
{
  w->ts++;
  r->kind = kind;
  trace_publish(w, n);
}

/* After go_stop. False: it does not fit. */
static inline bool trace_fuse_put_global(struct trace_writer *w, uint64_t lo)
{
  if (w->open.state != TRACE_LEAD_STOP || lo != w->next->g)
    return false;
  w->ts++;
  w->open.state = TRACE_LEAD_STOP_PUT;
  return true;
}

/* After go_unblock or go_create, which name the same G first. */
static inline bool trace_fuse_put_next(struct trace_writer *w, uint64_t lo, uint64_t hi)
{
  struct trace_record *r = w->next;
  uint32_t lead = w->open.state;
  if (lead - TRACE_LEAD_UNBLOCK > TRACE_LEAD_CREATE - TRACE_LEAD_UNBLOCK || lo != r->w[0] ||
      hi != r->p)
    return false;
  w->open.state = 0;
  atomic_signal_fence(memory_order_seq_cst);
  trace_close(w, r, trace_fused_kind((enum trace_lead)lead, TRACE_GET_NONE, 0), 2);
  return true;
}

static inline void trace_open_get(struct trace_writer *w, enum trace_get get, enum trace_kind kind,
                                  uint64_t lo, uint64_t hi)
{
  w->ts++;
  w->open.get_kind = (uint16_t)kind;
  w->open.get_lo = lo;
  w->open.get_hi = hi;
  atomic_signal_fence(memory_order_seq_cst);
  w->open.state |= (uint16_t)(get << 8);
}

/* After a lead that leaves no G on the M. False: it does not fit. */
static inline bool trace_fuse_get(struct trace_writer *w, enum trace_get get, enum trace_kind kind,
                                  uint64_t lo, uint64_t hi)
{
  uint32_t lead = w->open.state;
  if (lead - TRACE_LEAD_DESTROY > TRACE_LEAD_BLOCK - TRACE_LEAD_DESTROY ||
      (lead == TRACE_LEAD_BLOCK && get != TRACE_GET_NEXT))
    return false;
  trace_open_get(w, get, kind, lo, hi);
  return true;
}

/* Begins a record with a get, which trace_is_ready has room for. */
static inline void trace_open_with_get(struct trace_writer *w, enum trace_get get,
                                       enum trace_kind kind, uint64_t lo, uint64_t hi)
{
  trace_write(w, TRACE_KIND_NONE, 0, 0);
  w->ts--;
  trace_open_get(w, get, kind, lo, hi);
}

/* After a get, which names the same G. False: it does not fit. */
static inline bool trace_fuse_start(struct trace_writer *w, uint64_t lo, uint64_t hi)
{
  struct trace_record *r = w->next;
  uint32_t state = w->open.state, lead = state & 0xff, get = state >> 8;
  uint64_t got = w->open.get_lo, why_and_stack = r->d[0];
  if (get == 0 || (uint32_t)lo != (uint32_t)got || hi != (get == TRACE_GET_NEXT) ||
      why_and_stack > UINT8_MAX)
    return false;
  w->open.state = 0;
  atomic_signal_fence(memory_order_seq_cst);
  if (lead == TRACE_LEAD_BLOCK)
    r->d[0] = r->d[1];
  else
    r->d[0] = get == TRACE_GET_BATCH ? (got >> 32 << 32) | (uint32_t)w->open.get_hi : got >> 32;
  r->d[1] = lo;
  trace_close(w, r,
              trace_fused_kind((enum trace_lead)lead, (enum trace_get)get, (uint32_t)why_and_stack),
              2u + (lead != TRACE_LEAD_NONE) + (lead == TRACE_LEAD_STOP_PUT));
  return true;
}
