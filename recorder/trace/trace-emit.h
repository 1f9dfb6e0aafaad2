/* SPDX-License-Identifier: MIT */
/* trace-emit.h - writing events: one typed inline function per line of events.def.
 *
 *   trace_go_block(w, why, stack, obj);
 *
 * w is the writer of the calling M.  The pattern of one transition is
 *
 *   trace_stamp(w);                  read the clock once
 *   trace_go_block(w, ...);          ts
 *   trace_runq_get(w, ...);          ts + 1
 *
 * because reading the clock is nine tenths of an event's cost.  Tracing off is the caller's branch: none
 * of these may be called with a writer that is not open (runtime/tracedoor.h is the only caller there).
 *
 * I1  A writer belongs to one thread at a time; a signal handler on that thread must not emit.
 * I2  Never blocks (unless it was told to wait for room; then for as long as there is a recorder that takes
 *     records, see trace-ring.c), never calls the kernel, never allocates.
 * I3  A full ring drops the new event and counts it; when there is room again a `lost` record with the
 *     exact number and the time of the first loss precedes the next event.
 * Cost: one clock read per transition, four stores and one release store per event; less for those that share a
 * record (trace-emit-fused.h).
 */
#pragma once
#include "trace-fuse.h"
#include "trace-ring.h"

#if defined(__x86_64__)
#include <x86intrin.h>
#endif

/* What the record at head is so far; see trace-fuse.h. */
struct trace_open {
  uint16_t kind;  /* 0: no record is open; else its fused kind so far. The record says the lead */
  uint32_t got;   /* the get's G */
  uint64_t place; /* and what else it says, as the fused record will */
};

struct trace_writer {
  struct trace_ring *ring;
  struct trace_record *records, *end;
  struct trace_record *next; /* the one at head */
  uint64_t head;             /* next to write */
  uint64_t
      limit; /* head may grow up to here without a look at the consumer's tail; head: there is a loss to tell */
  uint32_t capacity; /* a power of two */
  uint32_t clock;    /* enum trace_clock */
  uint64_t ts;       /* time of the next event */
  uint32_t g;        /* set by the owner: goid that runs, 0 on g0 */
  uint16_t p;        /* set by the owner: P held, or TRACE_NO_P */
  bool dropping;     /* see trace_begin_transition */
  struct trace_open open;
  uint64_t emitted; /* events in the records published, and lost ones */
  uint64_t lost;
  uint64_t lost_pending;                  /* not yet told by a lost record */
  uint64_t lost_since;                    /* ts of the first of them */
  uint64_t (*virtual_now)(uint64_t last); /* the clock TRACE_CLOCK_VIRTUAL; last: w->ts */
  struct trace_control *waits; /* waits for room while its full_blocks says so; NULL: drops */
  int recorder;                /* who makes the room; 0: not to be seen from here */
  int64_t patience_ns;         /* how long without a record taken is the recorder's end */
};

/* Points the writer at a ring mapped by the caller; the ring is fresh or was ended by its last owner. waits: the
 * control page, if the writer is to wait for room in a full ring; it is borrowed until the writer is closed. NULL: it
 * drops. */
void trace_writer_open(struct trace_writer *w, struct trace_ring *ring, uint32_t capacity,
                       uint32_t m, uint32_t clock, struct trace_control *waits);
/* Tells what is still to be told about losses (if there is room) and ends the ring. */
void trace_writer_close(struct trace_writer *w);

/* The clocks that are calls. */
uint64_t trace_ticks_slow(const struct trace_writer *w);

/* It is the one that the processor has an instruction for. */
static inline bool trace_clock_is_quick(const struct trace_writer *w)
{
#if defined(__x86_64__)
  return __builtin_expect(w->clock == TRACE_CLOCK_TSC, 1);
#elif defined(__aarch64__)
  return __builtin_expect(w->clock == TRACE_CLOCK_CNTVCT, 1);
#else
  return w->clock == UINT32_MAX;
#endif
}
static inline uint64_t trace_quick_ticks(void)
{
#if defined(__x86_64__)
  return __rdtsc();
#elif defined(__aarch64__)
  uint64_t ticks;
  __asm__ volatile("mrs %0, cntvct_el0" : "=r"(ticks));
  return ticks;
#else
  return 0;
#endif
}

/* Ticks now of the writer's clock. */
static inline uint64_t trace_ticks(const struct trace_writer *w)
{
  return trace_clock_is_quick(w) ? trace_quick_ticks() : trace_ticks_slow(w);
}

/* The next event is of that time, or later: never goes back within an M. */
static inline void trace_stamp_to(struct trace_writer *w, uint64_t ticks)
{
  if (ticks > w->ts)
    w->ts = ticks;
}

/* Begins a transition: its events take this time, one tick apart. */
static inline void trace_stamp(struct trace_writer *w)
{
  trace_stamp_to(w, trace_ticks(w));
}

/* Counts n records that will not be written. */
static inline void trace_drop(struct trace_writer *w, uint32_t n)
{
  if (w->lost_pending == 0)
    w->lost_since = w->ts;
  w->lost += n;
  w->emitted += n;
  w->lost_pending += n;
  w->ts += n;
  w->limit = w->head;
  atomic_store_explicit(&w->ring->lost, w->lost, memory_order_relaxed);
  atomic_store_explicit(&w->ring->emitted, w->emitted, memory_order_release);
}

/* Makes records of what the open one has so far. */
void trace_end_open(struct trace_writer *w);

static inline bool trace_is_open(const struct trace_writer *w)
{
  return w->open.kind != 0;
}

/* trace_stamp for a writer that may have a record open, whose events are of one time, or may have lost events: as long
 * as its ring has no room for a transition (TRACE_TRANSITION records) it reads no clock, sets dropping, and the
 * owner drops by trace_drop what comes until the next call.  So a transition is lost as a whole or not at all, and a
 * program that is faster than its recorder reads no clock for what nobody will see. */
#define TRACE_TRANSITION 16
void trace_begin_transition(struct trace_writer *w);

/* Slow path of trace_reserve: ends an open record, looks at tail, waits or drops, tells losses. False: n events
 * were dropped. */
bool trace_reserve_slow(struct trace_writer *w, uint32_t n);

/* Room for n records without a look at the reader, and nothing to be told before them. */
static inline bool trace_is_ready(const struct trace_writer *w, uint32_t n)
{
  return __builtin_expect((w->head + n <= w->limit) & !trace_is_open(w), 1);
}

/* Room for n records, all or none. */
static inline bool trace_reserve(struct trace_writer *w, uint32_t n)
{
  return trace_is_ready(w, n) || trace_reserve_slow(w, n);
}

/* The ring's lines are the recorder's, who read them last: they are called for this many records ahead. */
#define TRACE_FETCH_AHEAD 16

/* Beyond the ring's end there is nothing to be had, and no harm. */
static inline void trace_fetch_ahead(const struct trace_record *next)
{
#if defined(__x86_64__)
  __asm__ volatile("prefetchw %0" : : "m"(next[TRACE_FETCH_AHEAD]));
#else
  __builtin_prefetch(next + TRACE_FETCH_AHEAD, 1);
#endif
}

static inline struct trace_record *trace_write_at(struct trace_writer *w, uint64_t ts,
                                                  enum trace_kind kind, uint64_t lo, uint64_t hi)
{
  struct trace_record *r = w->next;
  r->ts = ts;
  w->ts = ts + 1;
  r->kind = (uint16_t)kind;
  r->p = w->p;
  r->g = w->g;
  r->d[0] = lo;
  r->d[1] = hi;
  return r;
}

static inline struct trace_record *trace_write(struct trace_writer *w, enum trace_kind kind,
                                               uint64_t lo, uint64_t hi)
{
  return trace_write_at(w, w->ts, kind, lo, hi);
}

/* The record at head is whole, and tells of n events. A fatal signal may come between any two of these. */
static inline void trace_publish(struct trace_writer *w, uint32_t n)
{
  struct trace_ring *ring = w->ring;
  struct trace_record *next = w->next + 1;
  uint64_t emitted = w->emitted += n;
  atomic_signal_fence(memory_order_seq_cst);
  uint64_t head = ++w->head;
  w->next = next = next == w->end ? w->records : next;
  atomic_store_explicit(&ring->emitted, emitted, memory_order_relaxed);
  atomic_store_explicit(&ring->head, head, memory_order_release); /* pairs with trace_ring_read */
  trace_fetch_ahead(next);
}

static inline void trace_emit(struct trace_writer *w, enum trace_kind kind, uint64_t lo,
                              uint64_t hi)
{
  if (!trace_reserve(w, 1))
    return;
  trace_write(w, kind, lo, hi);
  trace_publish(w, 1);
}

/* Writes a string's records: its id is the caller's, unique in the process. Bytes beyond 64 KiB are cut. */
void trace_emit_string(struct trace_writer *w, uint32_t id, const char *bytes, size_t n);
/* Writes a stack's records, innermost frame first. Frames beyond 128 are cut. */
void trace_emit_stack(struct trace_writer *w, uint32_t id, const uint64_t *pcs, size_t n);

/* clang-format off */
#define TRACE_PARAM_ARG(type, name)  , uint32_t name
#define TRACE_PARAM_WIDE(type, name) , uint64_t name
#define TRACE_PARAM_HIGH
#define TRACE_PARAM_NONE
#define TRACE_LO_ARG(type, name)     (uint64_t)(name)
#define TRACE_LO_WIDE(type, name)    (uint64_t)(name)
#define TRACE_LO_HIGH                0
#define TRACE_LO_NONE                0
#define TRACE_HI_ARG(type, name)     (uint64_t)(name) << 32
#define TRACE_HI_WIDE(type, name)    0
#define TRACE_HI_HIGH                0
#define TRACE_HI_NONE                0
#define EVENT(number, NAME, name, family, w0, w1, w2, w3, doc)                                       \
  static inline void trace_##name(struct trace_writer *w                                            \
                                  TRACE_PARAM_##w0 TRACE_PARAM_##w1 TRACE_PARAM_##w2 TRACE_PARAM_##w3) \
  {                                                                                                 \
    trace_emit(w, TRACE_##NAME, TRACE_LO_##w0 | TRACE_HI_##w1, TRACE_LO_##w2 | TRACE_HI_##w3);      \
  }
#include "events.def"
#undef EVENT
/* clang-format on */
