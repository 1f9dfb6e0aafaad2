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

#define TRACE_FUSED                                                                                \
  0x8000u /* in record.kind; 3 bits from 12 on: lead; 2 bits from 8 on: get; 8 bits: why */
#define TRACE_FUSED_MAX 4 /* events in a record */

enum trace_lead {
  TRACE_LEAD_NONE,
  TRACE_LEAD_DESTROY, /* from here to BLOCK: a get follows */
  TRACE_LEAD_STOP,
  TRACE_LEAD_STOP_PUT,
  TRACE_LEAD_BLOCK,
  TRACE_LEAD_UNBLOCK, /* from here on: runq_put_next follows */
  TRACE_LEAD_CREATE,
};

enum trace_get {
  TRACE_GET_NONE,
  TRACE_GET_NEXT,
  TRACE_GET_RING,
  TRACE_GET_BATCH,
};

static inline uint16_t trace_fused_kind(enum trace_lead lead, enum trace_get get, uint32_t why)
{
  return (uint16_t)(TRACE_FUSED | (uint32_t)lead << 12 | (uint32_t)get << 8 | why);
}

/* Takes a record apart: how many events, at most TRACE_FUSED_MAX, out then has as records. Any other record, and one
 * that no writer makes, is handed through as it is. For hostile input too. */
size_t trace_unfuse(const struct trace_record *record, struct trace_record *out);
