/* SPDX-License-Identifier: MIT */
/* synthetic.c - see synthetic.h.
 *
 * Every M has the P of its number.  A G that becomes runnable goes to the tail of the global queue; an M without a G
 * takes the head.  So all that the replay checks of Gs, Ms, Ps and that queue is exercised, and nothing needs a model
 * of rings or heaps here.
 */
#include "synthetic.h"

#include <stdlib.h>

enum g_state {
  DEAD,
  RUNNABLE,
  RUNNING,
  SYSCALL,
  WAITING
};

struct world {
  struct vw_builder *b;
  uint64_t random, n;
  int64_t ts;
  uint64_t seq[SYNTHETIC_MS];
  uint32_t p_seq[SYNTHETIC_MS], runs[SYNTHETIC_MS]; /* goid, 0 none */
  uint32_t g_seq[SYNTHETIC_GS + 1];
  enum g_state g[SYNTHETIC_GS + 1];
  uint32_t queue[SYNTHETIC_GS + 1];
  uint32_t head, tail;
  uint32_t first; /* G, which never ends: who runs makes the others */
};

static uint32_t roll(struct world *w, uint32_t below)
{
  w->random ^= w->random << 13;
  w->random ^= w->random >> 7;
  w->random ^= w->random << 17;
  return (uint32_t)(w->random >> 33) % below;
}

static void emit(struct world *w, uint32_t m, bool has_p, uint16_t kind, const uint32_t words[4])
{
  struct trace_event e = { .ts = w->ts += 1 + roll(w, 50),
                           .seq = w->seq[m]++,
                           .m = m,
                           .g = w->runs[m],
                           .p = has_p ? (uint16_t)m : TRACE_NO_P,
                           .kind = kind };
  for (int i = 0; i < 4; i++)
    e.w[i] = words[i];
  vw_builder_add(w->b, &e);
  w->n++;
}
#define EMIT(w, m, kind, ...) emit(w, m, true, kind, (const uint32_t[4]){ __VA_ARGS__ })

static void begin(struct world *w)
{
  for (uint32_t m = 0; m < SYNTHETIC_MS; m++) {
    if (m > 0)
      EMIT(w, 0, TRACE_M_WAKE, m, TRACE_NO_P, 0);
    emit(w, m, false, TRACE_M_CREATE, (const uint32_t[4]){ 100 + m, m > 0 ? 0 : UINT32_MAX });
    if (m == 0)
      emit(w, m, false, TRACE_TRACE_BEGIN, (const uint32_t[4]){ 1, 1, SYNTHETIC_MS });
    emit(w, m, false, TRACE_PROC_STATUS,
         (const uint32_t[4]){ m, TRACE_PSTATUS_HANDED, TRACE_NO_M, 0 });
    emit(w, m, false, TRACE_PROC_START, (const uint32_t[4]){ m, ++w->p_seq[m] });
  }
}

static void enqueue(struct world *w, uint32_t m, uint32_t g)
{
  w->g[g] = RUNNABLE;
  w->queue[w->tail++ % (SYNTHETIC_GS + 1)] = g;
  EMIT(w, m, TRACE_RUNQ_PUT_GLOBAL, g, 0);
}

static uint32_t some_g(struct world *w, enum g_state state)
{
  uint32_t from = roll(w, SYNTHETIC_GS);
  for (uint32_t i = 0; i < SYNTHETIC_GS; i++) {
    uint32_t g = 1 + (from + i) % SYNTHETIC_GS;
    if (w->g[g] == state)
      return g;
  }
  return 0;
}

static void create(struct world *w, uint32_t m)
{
  uint32_t g = some_g(w, DEAD);
  if (!g)
    return;
  if (!w->first)
    w->first = g;
  w->g_seq[g] = 0;
  EMIT(w, m, TRACE_GO_CREATE, g, 0, 0x1000);
  enqueue(w, m, g);
}

static void unblock(struct world *w, uint32_t m)
{
  uint32_t g = some_g(w, WAITING);
  if (!g)
    return;
  EMIT(w, m, TRACE_GO_UNBLOCK, g, ++w->g_seq[g], 0x77);
  enqueue(w, m, g);
}

static void start(struct world *w, uint32_t m)
{
  if (w->head == w->tail) { /* only a running G makes others, but for the first */
    if (w->tail == 0)
      create(w, m);
    unblock(w, m);
    return;
  }
  uint32_t g = w->queue[w->head++ % (SYNTHETIC_GS + 1)];
  EMIT(w, m, TRACE_RUNQ_GET_GLOBAL, g);
  EMIT(w, m, TRACE_GO_START, g, ++w->g_seq[g], 0);
  w->runs[m] = g;
  w->g[g] = RUNNING;
}

static void stop(struct world *w, uint32_t m, uint16_t kind, uint32_t why, enum g_state state)
{
  uint32_t g = w->runs[m];
  EMIT(w, m, kind, why, 0, kind == TRACE_GO_BLOCK ? 0x77 : 0);
  w->runs[m] = 0;
  w->g[g] = state;
  if (state == RUNNABLE)
    enqueue(w, m, g);
}

static void call(struct world *w, uint32_t m)
{
  EMIT(w, m, TRACE_DEFER_PUSH, 64, 0, 0x2000);
  EMIT(w, m, TRACE_DEFER_POP, 64, 0, 0x2000);
  EMIT(w, m, TRACE_DEFER_BEGIN, 64, 0, 0x2000);
  EMIT(w, m, TRACE_DEFER_END, 64, 0);
}

static void run(struct world *w, uint32_t m)
{
  uint32_t g = w->runs[m], what = roll(w, 100);
  if (w->g[g] == SYSCALL) {
    EMIT(w, m, TRACE_GO_SYSCALL_END, 0);
    w->g[g] = RUNNING;
  } else if (what < 25) {
    unblock(w, m);
  } else if (what < 35) {
    create(w, m);
  } else if (what < 60) {
    stop(w, m, TRACE_GO_BLOCK, TRACE_WAIT_MUTEX, WAITING);
  } else if (what < 75) {
    stop(w, m, TRACE_GO_STOP, TRACE_STOP_GOSCHED, RUNNABLE);
  } else if (what < 85 && g != w->first) {
    stop(w, m, TRACE_GO_DESTROY, 0, DEAD);
  } else if (what < 92) {
    EMIT(w, m, TRACE_GO_SYSCALL_BEGIN, w->p_seq[m], 0);
    w->g[g] = SYSCALL;
  } else {
    call(w, m);
  }
}

struct vw_trace *synthetic_valid(uint64_t seed, uint64_t n)
{
  struct tracefile_error error;
  struct world *w = calloc(1, sizeof *w);
  *w = (struct world){ .b = vw_builder_new(), .random = seed | 1 };
  begin(w);
  while (w->n < n) {
    uint32_t m = roll(w, SYNTHETIC_MS);
    if (w->runs[m])
      run(w, m);
    else
      start(w, m);
  }
  emit(w, 0, true, TRACE_TRACE_END, (const uint32_t[4]){ 0 });
  struct vw_trace *trace = vw_builder_finish(w->b, &error);
  free(w);
  return trace;
}

/* Numbers as an enemy picks them: mostly small, so that they meet; sometimes none, sometimes huge. */
static uint32_t wild_number(struct world *w)
{
  uint32_t dice = roll(w, 40);
  return dice == 0 ? UINT32_MAX : dice == 1 ? roll(w, UINT32_MAX) : dice == 2 ? 65535 : roll(w, 6);
}

static uint16_t wild_kind(struct world *w)
{
  uint16_t kind;
  do
    kind = (uint16_t)roll(w, TRACE_KIND_LIMIT);
  while (!trace_spec_get(kind));
  return kind;
}

struct vw_trace *synthetic_wild(uint64_t seed, uint64_t n)
{
  struct tracefile_error error;
  struct world w = { .b = vw_builder_new(), .random = seed * 2 + 1 };
  for (int i = 0; i < 20; i++)
    roll(&w, 2);
  for (uint64_t i = 0; i < n; i++) {
    struct trace_event e = { .ts = w.ts += roll(&w, 3) - (roll(&w, 50) == 0 ? 5 : 0),
                             .seq = roll(&w, 30) ? w.seq[0]++ : roll(&w, 1000),
                             .m = wild_number(&w),
                             .g = wild_number(&w),
                             .p = (uint16_t)wild_number(&w),
                             .kind = wild_kind(&w) };
    for (int j = 0; j < 4; j++)
      e.w[j] = wild_number(&w);
    vw_builder_add(w.b, &e);
  }
  return vw_builder_finish(w.b, &error);
}
