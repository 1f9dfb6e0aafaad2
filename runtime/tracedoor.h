/* SPDX-License-Identifier: MIT */
/* tracedoor.h - the one door between the runtime and the trace.
 *
 *   tr_stamp(mp);                            reads the clock, once a transition
 *   tr_go_block(mp, why, stack, obj);        one function per line of events.def
 *   tr_stamp_go_block(mp, why, stack, obj);  the two at once, for the first event of a transition
 *
 * Off, an event costs one predictable branch on mp->trace_mask, which is 0. On, a call out of line.
 * The emitters are included by tracedoor.c and its parts, traceclock.c and tracestrings.c, alone.
 *
 * When to stamp. Stamp before you publish; what you took by CAS, stamp between the load that saw it
 * and the CAS; inside a lock, stamp after you have it. Then for any two Ms time agrees with cause.
 * tr_stamp() may run some ns early, because the CPU may read the clock ahead of an earlier load:
 * where the transition reacts to another M (a lock taken, a CAS, a note), use tr_stamp_after().
 */
#pragma once
#include "runtime.h"
#include "sim.h"
#include "trace-fuse.h"

#ifndef RT_UNTRACED
#define RT_UNTRACED 0 /* 1: compiled out, in the library that tests/bench compares this with */
#endif

void tr_emit(struct m *mp, enum trace_kind kind, uint64_t lo, uint64_t hi);
/* The same for the events that may share a record with their neighbours. */
void tr_emit_lead(struct m *mp, enum trace_lead lead, enum trace_kind kind, uint64_t lo,
                  uint64_t hi);
void tr_emit_stamped_lead(struct m *mp, enum trace_lead lead, enum trace_kind kind, uint64_t lo,
                          uint64_t hi);
void tr_emit_put_global(struct m *mp, uint64_t lo);
void tr_emit_put_next(struct m *mp, uint64_t lo, uint64_t hi);
void tr_emit_get(struct m *mp, enum trace_get get, enum trace_kind kind, uint64_t lo, uint64_t hi);
void tr_emit_start(struct m *mp, uint64_t lo, uint64_t hi);
/* The same for what falls into the middle of a transition: at the time of the M's next event, which that keeps. Else who
 * reacts to what is told next, and knows its time, could come before it. */
void tr_emit_aside(struct m *mp, enum trace_kind kind, uint64_t lo, uint64_t hi);
void tr_stamp_slow(struct m *mp);
void tr_stamp_after_slow(struct m *mp);
void tr_stamp_behind_lock_slow(struct m *mp);
/* The trace's clock, ticks; 0 without a ring. Signal-safe. */
uint64_t tr_ticks(const struct m *mp);
/* The next event is of that time, or later if there was a later one. */
void tr_stamp_at(struct m *mp, uint64_t ticks);
/* The time of the next event, unless it is stamped anew. */
uint64_t tr_time_slow(const struct m *mp);

static inline bool tr_on(const struct m *mp, uint32_t families)
{
  return !RT_UNTRACED && __builtin_expect((mp->trace_mask & families) != 0, 0);
}
static inline void tr_stamp(struct m *mp)
{
  if (tr_on(mp, TRACE_FAMILY_ALL))
    tr_stamp_slow(mp);
}
static inline void tr_stamp_after(struct m *mp)
{
  if (tr_on(mp, TRACE_FAMILY_ALL))
    tr_stamp_after_slow(mp);
}
static inline uint64_t tr_time(const struct m *mp)
{
  return tr_on(mp, TRACE_FAMILY_ALL) ? tr_time_slow(mp) : 0;
}
/* The next event is later than that of another M, whose time it was. */
static inline void tr_stamp_behind(struct m *mp, uint64_t ticks)
{
  if (tr_on(mp, TRACE_FAMILY_ALL))
    tr_stamp_at(mp, ticks + 1);
}

/* tr_stamp_after for who stamped a transition and has taken sched.lock since, by lock_sched_often: while that is biased to
 * this M no other one was there that the transition must come after. */
static inline void tr_stamp_behind_lock(struct m *mp)
{
  /* In the simulation a look is a point, and a recorded run may have no more of them than another. */
  bool looks_here = !SIM_BUILT;
  if (tr_on(mp, TRACE_FAMILY_ALL) &&
      !(looks_here && atomic_load_explicit(&mp->in_sched, memory_order_relaxed)))
    tr_stamp_behind_lock_slow(mp);
}

/* The id of a text, told to the trace at its first use; 0 for NULL, "" or when tracing is off. */
uint32_t tr_string_id(struct m *mp, const char *text);
uint32_t tr_string_id_n(struct m *mp, const char *text, size_t n);
/* Tells it; for tracestrings.c. */
void tr_emit_string(struct m *mp, uint32_t id, const char *bytes, size_t n);

/* A new id for a timer; where nobody records, the same for all. */
uint32_t tr_timer_id(void);

/* enum trace_clock. */
uint32_t tr_pick_clock(void);
/* Emits clock_sync if the last one is a second old, or at once if now. */
void tr_sync_clocks(struct m *mp, bool now);
/* Takes up the trace memory that the environment names, if it does; in a later run, says in the control page that
 * it is not traced. Before the first M. */
void tr_init(void);
/* Somebody records, and the end was not told. */
bool tr_wanted(void);
/* Opens the M's ring; on its own thread. */
void tr_open(struct m *mp);
/* It tells nothing more. */
void tr_silence(struct m *mp);
/* Closes it; the thread is about to end. */
void tr_close(struct m *mp);
/* Emits trace_begin with the number of Ps; by the first M. */
void tr_begin(struct m *mp, uint32_t n_procs);
/* Emits trace_end, once, and says so in the control page; no M emits what it stamps after that. From any
 * thread, signal handlers included. */
void tr_end(int exit_code);
/* Tells the end that a thread without a ring wants, if one does: by sysmon, each round, and who would have told it. And
 * whether one does. */
void tr_end_for_another(struct m *mp);
bool tr_end_is_another_s(void);

/* kind is constant: one call is left of this. */
static ALWAYS_INLINE void tr_emit_kind(struct m *mp, enum trace_kind kind, uint64_t lo, uint64_t hi)
{
  enum trace_lead lead = trace_lead_of(kind);
  if (lead != TRACE_LEAD_NONE) {
    tr_emit_lead(mp, lead, kind, lo, hi);
    return;
  }
  switch (kind) {
  case TRACE_RUNQ_PUT_GLOBAL:
    tr_emit_put_global(mp, lo);
    break;
  case TRACE_RUNQ_PUT_NEXT:
    tr_emit_put_next(mp, lo, hi);
    break;
  case TRACE_RUNQ_GET_NEXT:
    tr_emit_get(mp, TRACE_GET_NEXT, kind, lo, hi);
    break;
  case TRACE_RUNQ_GET:
    tr_emit_get(mp, TRACE_GET_RING, kind, lo, hi);
    break;
  case TRACE_RUNQ_BATCH:
    tr_emit_get(mp, TRACE_GET_BATCH, kind, lo, hi);
    break;
  case TRACE_GO_START:
    tr_emit_start(mp, lo, hi);
    break;
  default:
    tr_emit(mp, kind, lo, hi);
  }
}

static ALWAYS_INLINE void tr_stamp_and_emit(struct m *mp, uint32_t family, enum trace_kind kind,
                                            uint64_t lo, uint64_t hi)
{
  enum trace_lead lead = trace_lead_of(kind);
  if (lead != TRACE_LEAD_NONE && tr_on(mp, family)) {
    tr_emit_stamped_lead(mp, lead, kind, lo, hi);
    return;
  }
  tr_stamp(mp);
  if (tr_on(mp, family))
    tr_emit_kind(mp, kind, lo, hi);
}

/* clang-format off */
#define TR_PARAM_ARG(type, name)  , uint32_t name
#define TR_PARAM_WIDE(type, name) , uint64_t name
#define TR_PARAM_HIGH
#define TR_PARAM_NONE
#define TR_LO_ARG(type, name)     (uint64_t)(name)
#define TR_LO_WIDE(type, name)    (uint64_t)(name)
#define TR_LO_HIGH                0
#define TR_LO_NONE                0
#define TR_HI_ARG(type, name)     (uint64_t)(name) << 32
#define TR_HI_WIDE(type, name)    0
#define TR_HI_HIGH                0
#define TR_HI_NONE                0
#define EVENT(number, NAME, name, family, w0, w1, w2, w3, doc)                                      \
  static inline void tr_##name(struct m *mp                                                         \
                               TR_PARAM_##w0 TR_PARAM_##w1 TR_PARAM_##w2 TR_PARAM_##w3)             \
  {                                                                                                 \
    if (tr_on(mp, TRACE_FAMILY_##family))                                                           \
      tr_emit_kind(mp, TRACE_##NAME, TR_LO_##w0 | TR_HI_##w1, TR_LO_##w2 | TR_HI_##w3);             \
  }                                                                                                 \
  static inline void tr_stamp_##name(struct m *mp                                                   \
                                     TR_PARAM_##w0 TR_PARAM_##w1 TR_PARAM_##w2 TR_PARAM_##w3)       \
  {                                                                                                 \
    if (tr_on(mp, TRACE_FAMILY_ALL))                                                                \
      tr_stamp_and_emit(mp, TRACE_FAMILY_##family, TRACE_##NAME, TR_LO_##w0 | TR_HI_##w1,           \
                        TR_LO_##w2 | TR_HI_##w3);                                                   \
  }
#include "events.def"
#undef EVENT
/* clang-format on */
