/* SPDX-License-Identifier: MIT */
/* trace-fuse.h - the common transitions, each as one record of the ring.
 *
 * A switch is three or four events of one time: go_stop, runq_put_global, runq_get, go_start. One record of 32 bytes
 * has room for what they say, since each names again whom the one before named. So the writer keeps a record open
 * while such events follow each other, and publishes it when the transition is whole; trace_ring_read takes it apart
 * again. Nobody else knows: the table, the file and the text have events only.
 *
 *   lead                    [+ get]        + end
 *   go_stop                  runq_get_next   go_start        (the lead may be missing)
 *   go_stop, runq_put_global runq_get
 *   go_block                 runq_batch
 *   go_destroy
 *   go_unblock               -               runq_put_next   (nobody kicked out)
 *   go_create                -               runq_put_next
 *
 * I1  The events of a record are of one P and one tick after the other. What breaks that, or does not fit, ends the
 *     open record: what it has so far becomes records of their own (trace_end_open), and nothing is said differently.
 * I2  An open record is not in the ring yet. Each transition ends with an event that closes it, and each other event of
 *     the M does, so it is seen late only by as long as the M is between two events. A process that is killed there
 *     loses it, as it loses an event that it was about to write.
 * I3  Numbers of events (emitted, lost, stored) count events, not records.
 *
 * Why: a yield traced cost 50 ns more than untraced with four records, 25 with one; the stores that wait for the
 * ring's lines, which the recorder read last on another CPU, were most of it.
 * Not done: one emitter for each whole transition, called by the scheduler. It would save the small steps here, but the
 * scheduler would have to be written twice, for tracing on and off.
 */
#pragma once
#include "trace-event.h"

/* In record.kind; 3 bits from 12 on: lead; 2 bits from 8 on: get; 8 bits: why. */
#define TRACE_FUSED      0x8000u
#define TRACE_LEAD_SHIFT 12
#define TRACE_GET_SHIFT  8
#define TRACE_GET_MASK   0x300u
#define TRACE_FUSED_MAX  4 /* events in a record */

enum trace_lead {
  TRACE_LEAD_NONE,
  TRACE_LEAD_DESTROY, /* from here to BLOCK: a get follows */
  TRACE_LEAD_STOP,
  TRACE_LEAD_STOP_PUT,
  TRACE_LEAD_BLOCK,
  TRACE_LEAD_UNBLOCK, /* from here on: runq_put_next follows */
  TRACE_LEAD_CREATE,
};

/* The lead that an event is, as the first of a record. */
static inline enum trace_lead trace_lead_of(enum trace_kind kind)
{
  switch (kind) {
  case TRACE_GO_DESTROY:
    return TRACE_LEAD_DESTROY;
  case TRACE_GO_STOP:
    return TRACE_LEAD_STOP;
  case TRACE_GO_BLOCK:
    return TRACE_LEAD_BLOCK;
  case TRACE_GO_UNBLOCK:
    return TRACE_LEAD_UNBLOCK;
  case TRACE_GO_CREATE:
    return TRACE_LEAD_CREATE;
  default:
    return TRACE_LEAD_NONE;
  }
}

enum trace_get {
  TRACE_GET_NONE,
  TRACE_GET_NEXT,
  TRACE_GET_RING,
  TRACE_GET_BATCH,
};

static inline uint16_t trace_fused_kind(enum trace_lead lead, enum trace_get get, uint32_t why)
{
  return (uint16_t)(TRACE_FUSED | (uint32_t)lead << TRACE_LEAD_SHIFT |
                    (uint32_t)get << TRACE_GET_SHIFT | why);
}

/* What a get says besides the G, in a fused record's first 64 bits: runq_get's place in the ring; runq_batch's too, and
 * above it how many. lo, hi: the event's. */
static inline uint64_t trace_get_place(enum trace_get get, uint64_t lo, uint64_t hi)
{
  return get == TRACE_GET_BATCH ? (lo >> 32 << 32) | (uint32_t)hi : lo >> 32;
}

/* Takes a record apart: how many events, at most TRACE_FUSED_MAX, out then has as records. Any other record, and one
 * that no writer makes, is handed through as it is. For hostile input too. */
size_t trace_unfuse(const struct trace_record *record, struct trace_record *out);
