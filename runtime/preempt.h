/* SPDX-License-Identifier: MIT */
/* preempt.h - preemption by signal: what an M keeps for it, and the calls between preempt.c and the others. */
#pragma once
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct m;

#define LANDINGS      32u /* kept until the M's next transition tells them; a power of two */
#define REFUSAL_LIMIT 8u  /* above every TRACE_REFUSAL_... */

/* A SIGURG that arrived. The handler may not write into a ring that its own thread is perhaps writing, so it
 * leaves this note. */
struct landing {
  uint64_t ts; /* ticks of the trace's clock */
  uint64_t pc;
  uint32_t refusal; /* TRACE_REFUSAL_... */
};

struct async { /* of an M */
  _Atomic bool
      signal_pending;      /* a SIGURG is on its way: set by who sends, cleared by the handler */
  _Atomic uint32_t gen;    /* counts those that arrived (Go's preemptGen) */
  bool was_blocked;        /* SIGURG, before this thread was an M */
  _Atomic uint32_t landed; /* notes written; by the handler */
  _Atomic uint32_t told;   /* notes told to the trace; by the M */
  struct landing landings[LANDINGS];
};

/* What happened in this process; for tests and for those who wonder. */
struct preempt_stats {
  _Atomic uint64_t sent;
  _Atomic uint64_t landed[REFUSAL_LIMIT]; /* by TRACE_REFUSAL_...; [0]: taken */
  _Atomic uint64_t migrated;              /* taken ones that went on on another M */
};
extern struct preempt_stats preempt_stats;

/* A run begins: reads the CPU, installs the handler. On M0, when its ring is open. */
void preempt_begin(struct m *mp);
/* The run is over. */
void preempt_end(void);
/* Why there is no preemption by signal in this run, in words; NULL: there is. */
const char *preempt_off_because(void);
/* A thread becomes an M, or is one no longer. On that thread. */
void preempt_minit(struct m *mp);
void preempt_mexit(struct m *mp);

/* Sends target a SIGURG unless one is on its way, or it would be of no use. mp: who asks. */
void preemptM(struct m *mp, struct m *target);

/* Writes the notes of the handler as events. Only tr_stamp calls it. */
void preempt_tell(struct m *mp, struct async *async);
static inline bool preempt_untold(const struct async *async)
{
  return __builtin_expect(atomic_load_explicit(&async->landed, memory_order_relaxed) !=
                              atomic_load_explicit(&async->told, memory_order_relaxed),
                          0);
}
