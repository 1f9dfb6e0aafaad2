/* SPDX-License-Identifier: MIT */
/* trace-fuse.c - takes fused records apart, and ends those that stay incomplete. */
#include "trace-fuse.h"

#include "trace-emit.h"

/* ---- reading ---- */

struct parts {
  const struct trace_record *from;
  struct trace_record *out;
  size_t n;
};

static void put(struct parts *to, enum trace_kind kind, uint32_t g, uint64_t lo, uint64_t hi)
{
  to->out[to->n] = (struct trace_record){
    .ts = to->from->ts + to->n, .kind = (uint16_t)kind, .p = to->from->p, .g = g, .d = { lo, hi }
  };
  to->n++;
}

/* The record's own G, until it has stopped. */
static bool put_lead(struct parts *to, enum trace_lead lead, uint32_t why)
{
  const struct trace_record *r = to->from;
  switch (lead) {
  case TRACE_LEAD_NONE:
    return r->g == 0;
  case TRACE_LEAD_STOP:
    put(to, TRACE_GO_STOP, r->g, why, 0);
    return true;
  case TRACE_LEAD_STOP_PUT:
    put(to, TRACE_GO_STOP, r->g, why, 0);
    put(to, TRACE_RUNQ_PUT_GLOBAL, 0, r->g, 0);
    return true;
  case TRACE_LEAD_BLOCK:
    put(to, TRACE_GO_BLOCK, r->g, why, r->d[0]);
    return true;
  case TRACE_LEAD_DESTROY:
    put(to, TRACE_GO_DESTROY, r->g, 0, 0);
    return true;
  default:
    return false;
  }
}

/* The event that a get was, of what a fused record says of it. */
static enum trace_kind get_event(enum trace_get get, uint32_t g, uint64_t place, uint64_t *lo,
                                 uint64_t *hi)
{
  *lo = g;
  *hi = 0;
  switch (get) {
  case TRACE_GET_NEXT:
    return TRACE_RUNQ_GET_NEXT;
  case TRACE_GET_RING:
    *lo |= place << 32;
    return TRACE_RUNQ_GET;
  case TRACE_GET_BATCH:
    *lo |= place >> 32 << 32;
    *hi = (uint32_t)place;
    return TRACE_RUNQ_BATCH;
  default:
    return TRACE_KIND_NONE;
  }
}

static bool put_get_and_start(struct parts *to, enum trace_get get)
{
  const struct trace_record *r = to->from;
  uint64_t lo, hi;
  enum trace_kind kind = get_event(get, r->w[2], r->d[0], &lo, &hi);
  if (kind == TRACE_KIND_NONE)
    return false;
  put(to, kind, 0, lo, hi);
  put(to, TRACE_GO_START, 0, r->d[1], get == TRACE_GET_NEXT);
  return true;
}

static bool put_made_runnable(struct parts *to, enum trace_kind kind)
{
  const struct trace_record *r = to->from;
  put(to, kind, r->g, r->d[0], r->d[1]);
  put(to, TRACE_RUNQ_PUT_NEXT, r->g, r->w[0], r->p);
  return true;
}

static bool take_apart(struct parts *to)
{
  uint32_t kind = to->from->kind;
  enum trace_lead lead = (enum trace_lead)(kind >> TRACE_LEAD_SHIFT & 7);
  enum trace_get get = (enum trace_get)((kind & TRACE_GET_MASK) >> TRACE_GET_SHIFT);
  if (kind & 0xc00)
    return false;
  if (lead == TRACE_LEAD_UNBLOCK || lead == TRACE_LEAD_CREATE)
    return (kind & 0xfff) == 0 &&
           put_made_runnable(to, lead == TRACE_LEAD_UNBLOCK ? TRACE_GO_UNBLOCK : TRACE_GO_CREATE);
  return put_lead(to, lead, kind & 0xff) && put_get_and_start(to, get);
}

size_t trace_unfuse(const struct trace_record *record, struct trace_record *out)
{
  struct parts to = { .from = record, .out = out };
  if (record->kind & TRACE_FUSED && take_apart(&to))
    return to.n;
  out[0] = *record;
  return 1;
}

/* ---- writing ---- */

void trace_end_open(struct trace_writer *w)
{
  const struct trace_open open = w->open;
  const struct trace_record *r = w->next;
  const uint64_t ts = w->ts;
  const uint32_t g = w->g, lead = open.kind >> TRACE_LEAD_SHIFT & 7;
  const enum trace_get get = (enum trace_get)((open.kind & TRACE_GET_MASK) >> TRACE_GET_SHIFT);
  const uint16_t p = w->p;
  uint64_t lo, hi;
  w->open.kind = 0;
  w->ts = r->ts;
  w->p = r->p;
  w->g = 0;
  if (lead != TRACE_LEAD_NONE) { /* the record is that event */
    w->ts++;
    trace_publish(w, 1);
  }
  if (lead == TRACE_LEAD_STOP_PUT)
    trace_emit(w, TRACE_RUNQ_PUT_GLOBAL, r->g, 0);
  if (get != TRACE_GET_NONE) {
    enum trace_kind kind = get_event(get, open.got, open.place, &lo, &hi);
    trace_emit(w, kind, lo, hi);
  }
  w->ts = ts > w->ts ? ts : w->ts;
  w->g = g;
  w->p = p;
}
