/* SPDX-License-Identifier: MIT */
/* test-fuse.c - events that share a record are read as the same events as if each had its own. */
#include "test.h"

#include "trace-emit-fused.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CAPACITY 1024u

struct side {
  int fd;
  struct trace_control *control;
  struct trace_ring *ring;
  struct trace_writer w;
};

static uint64_t ticks;

static uint64_t now(uint64_t last)
{
  (void)last;
  return ticks;
}

static struct side open_side(void)
{
  const char *why = NULL;
  struct side side = { .fd = trace_shm_create(CAPACITY, 1) };
  assert_true(side.fd >= 0);
  side.control = trace_shm_map_control(side.fd, &why);
  assert_non_null(side.control);
  side.ring = trace_shm_map_ring(side.fd, CAPACITY, side.control->ring_stride, 0);
  assert_non_null(side.ring);
  trace_writer_open(&side.w, side.ring, CAPACITY, 0, TRACE_CLOCK_VIRTUAL, NULL);
  side.w.virtual_now = now;
  return side;
}

static void close_side(struct side *side)
{
  trace_shm_unmap_ring(side->ring, CAPACITY);
  trace_shm_unmap_control(side->control);
  close(side->fd);
}

/* ---- emitting as the runtime does ---- */

static bool fuse_lead(struct trace_writer *w, enum trace_lead lead, enum trace_kind kind,
                      uint64_t lo, uint64_t hi)
{
  if (!trace_is_ready(w, 1))
    return false;
  trace_open_lead(w, lead, w->ts, kind, lo, hi);
  return true;
}

static bool fuse_get(struct trace_writer *w, enum trace_get get, uint64_t lo, uint64_t hi)
{
  if (trace_fuse_get(w, get, (uint32_t)lo, trace_get_place(get, lo, hi)))
    return true;
  if (trace_is_open(w))
    trace_end_open(w);
  if (!trace_is_ready(w, 1) || w->g != 0)
    return false;
  trace_open_with_get(w, get, (uint32_t)lo, trace_get_place(get, lo, hi));
  return true;
}

static bool fuse(struct trace_writer *w, enum trace_kind kind, uint64_t lo, uint64_t hi)
{
  switch (kind) {
  case TRACE_GO_STOP:
    return fuse_lead(w, TRACE_LEAD_STOP, kind, lo, hi);
  case TRACE_GO_BLOCK:
    return fuse_lead(w, TRACE_LEAD_BLOCK, kind, lo, hi);
  case TRACE_GO_DESTROY:
    return fuse_lead(w, TRACE_LEAD_DESTROY, kind, lo, hi);
  case TRACE_GO_UNBLOCK:
    return fuse_lead(w, TRACE_LEAD_UNBLOCK, kind, lo, hi);
  case TRACE_GO_CREATE:
    return fuse_lead(w, TRACE_LEAD_CREATE, kind, lo, hi);
  case TRACE_RUNQ_PUT_GLOBAL:
    return trace_fuse_put_global(w, lo);
  case TRACE_RUNQ_PUT_NEXT:
    return trace_fuse_put_next(w, lo, hi);
  case TRACE_RUNQ_GET_NEXT:
    return fuse_get(w, TRACE_GET_NEXT, lo, hi);
  case TRACE_RUNQ_GET:
    return fuse_get(w, TRACE_GET_RING, lo, hi);
  case TRACE_RUNQ_BATCH:
    return fuse_get(w, TRACE_GET_BATCH, lo, hi);
  case TRACE_GO_START:
    return trace_fuse_start(w, lo, hi);
  default:
    return false;
  }
}

static void emit(struct side *fused, struct side *plain, uint32_t g, enum trace_kind kind,
                 uint64_t lo, uint64_t hi)
{
  fused->w.g = plain->w.g = g;
  if (!fuse(&fused->w, kind, lo, hi))
    trace_emit(&fused->w, kind, lo, hi);
  trace_emit(&plain->w, kind, lo, hi);
}

/* A stamp ends what is open before it takes the time, as the runtime's does. */
static void stamp(struct side *side)
{
  trace_begin_transition(&side->w);
}

static void expect_same(struct side *fused, struct side *plain)
{
  struct trace_record a[CAPACITY * TRACE_FUSED_MAX], b[CAPACITY];
  size_t n_records, n = 0;
  bool broken;
  trace_writer_close(&fused->w);
  trace_writer_close(&plain->w);
  assert_int_equal(fused->ring->emitted, plain->ring->emitted);
  do
    n += trace_ring_read(fused->ring, CAPACITY, a + n, 5, &n_records, &broken);
  while (n_records > 0);
  assert_int_equal(n, trace_ring_read(plain->ring, CAPACITY, b, CAPACITY, &n_records, &broken));
  assert_int_equal(n + fused->ring->lost, fused->ring->emitted);
  for (size_t i = 0; i < n; i++)
    if (memcmp(&a[i], &b[i], sizeof a[i]) != 0)
      fail_msg("event %zu is kind %u g %u ts %llu, not kind %u g %u ts %llu", i, a[i].kind, a[i].g,
               (unsigned long long)a[i].ts, b[i].kind, b[i].g, (unsigned long long)b[i].ts);
}

/* ---- the transitions ---- */

#define PAIR(low, high) ((uint64_t)(low) | (uint64_t)(high) << 32)

static void each_common_transition_is_one_record(void **state)
{
  (void)state;
  static const struct {
    struct {
      uint32_t g;
      enum trace_kind kind;
      uint64_t lo, hi;
    } events[4];
    unsigned n;
  } cases[] = {
    { { { 7, TRACE_GO_STOP, PAIR(TRACE_STOP_GOSCHED, 0), 0 },
        { 0, TRACE_RUNQ_PUT_GLOBAL, PAIR(7, 0), 0 },
        { 0, TRACE_RUNQ_BATCH, PAIR(8, 3), 4000000000u },
        { 0, TRACE_GO_START, PAIR(8, 77), 0 } },
      4 },
    { { { 7, TRACE_GO_STOP, PAIR(TRACE_STOP_GOSCHED, 0), 0 },
        { 0, TRACE_RUNQ_GET_NEXT, PAIR(7, 0), 0 },
        { 0, TRACE_GO_START, PAIR(7, UINT32_MAX), 1 } },
      3 },
    { { { 7, TRACE_GO_BLOCK, PAIR(TRACE_WAIT_SLEEP, 0), UINT64_MAX },
        { 0, TRACE_RUNQ_GET_NEXT, PAIR(9, 0), 0 },
        { 0, TRACE_GO_START, PAIR(9, 1), 1 } },
      3 },
    { { { 7, TRACE_GO_DESTROY, 0, 0 },
        { 0, TRACE_RUNQ_GET, PAIR(9, UINT32_MAX), 0 },
        { 0, TRACE_GO_START, PAIR(9, 1), 0 } },
      3 },
    { { { 0, TRACE_RUNQ_GET, PAIR(9, 0), 0 }, { 0, TRACE_GO_START, PAIR(9, 1), 0 } }, 2 },
    { { { 7, TRACE_GO_UNBLOCK, PAIR(9, 5), UINT64_MAX },
        { 7, TRACE_RUNQ_PUT_NEXT, PAIR(9, 0), 3 } },
      2 },
    { { { 7, TRACE_GO_CREATE, PAIR(9, 5), 0x555555554000 },
        { 7, TRACE_RUNQ_PUT_NEXT, PAIR(9, 0), 3 } },
      2 },
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    struct side fused = open_side(), plain = open_side();
    ticks = 1000 * (i + 1);
    fused.w.p = plain.w.p = 3;
    stamp(&fused);
    stamp(&plain);
    for (unsigned j = 0; j < cases[i].n; j++)
      emit(&fused, &plain, cases[i].events[j].g, cases[i].events[j].kind, cases[i].events[j].lo,
           cases[i].events[j].hi);
    assert_int_equal(fused.ring->head, 1);
    assert_int_equal(plain.ring->head, cases[i].n);
    expect_same(&fused, &plain);
    close_side(&fused);
    close_side(&plain);
  }
}

/* What often follows in a scheduler. */
static enum trace_kind usual_next(enum trace_kind kind)
{
  switch (kind) {
  case TRACE_GO_STOP:
    return TRACE_RUNQ_PUT_GLOBAL;
  case TRACE_GO_BLOCK:
    return TRACE_RUNQ_GET_NEXT;
  case TRACE_GO_UNBLOCK:
  case TRACE_GO_CREATE:
    return TRACE_RUNQ_PUT_NEXT;
  case TRACE_RUNQ_PUT_GLOBAL:
  case TRACE_GO_DESTROY:
    return rand() % 2 ? TRACE_RUNQ_GET : TRACE_RUNQ_BATCH;
  default:
    return TRACE_GO_START;
  }
}

static enum trace_kind some_kind(void)
{
  static const enum trace_kind kinds[] = {
    TRACE_GO_STOP,   TRACE_GO_BLOCK,        TRACE_GO_DESTROY,    TRACE_GO_UNBLOCK,
    TRACE_GO_CREATE, TRACE_RUNQ_PUT_GLOBAL, TRACE_RUNQ_PUT_NEXT, TRACE_RUNQ_GET_NEXT,
    TRACE_RUNQ_GET,  TRACE_RUNQ_BATCH,      TRACE_GO_START,      TRACE_M_PARK
  };
  static enum trace_kind last;
  last = rand() % 3 ? usual_next(last) : kinds[(size_t)rand() % (sizeof kinds / sizeof kinds[0])];
  return last;
}

/* Small numbers, so that what must agree does so now and then, and sometimes does not. */
static void emit_something(struct side *fused, struct side *plain, unsigned *g)
{
  enum trace_kind kind = some_kind();
  uint64_t lo = PAIR(rand() % 2, rand() % 8 == 0), hi = (uint64_t)rand() % 2;
  bool leads = kind == TRACE_GO_STOP || kind == TRACE_GO_BLOCK || kind == TRACE_GO_DESTROY;
  if (kind == TRACE_GO_DESTROY || kind == TRACE_M_PARK)
    lo = hi = 0;
  if (kind == TRACE_GO_STOP || kind == TRACE_RUNQ_PUT_GLOBAL || kind == TRACE_RUNQ_GET ||
      kind == TRACE_RUNQ_GET_NEXT)
    hi = 0;
  if (kind == TRACE_RUNQ_GET_NEXT)
    lo = (uint32_t)lo;
  emit(fused, plain, *g, kind, lo, hi);
  *g = leads ? 0 : *g;
}

static void do_something(struct side *fused, struct side *plain, unsigned *g)
{
  switch (rand() % 12) {
  case 0:
    ticks += (uint64_t)rand() % 5;
    stamp(fused);
    stamp(plain);
    break;
  case 1:
    trace_emit_string(&fused->w, 5, "seventeen letters", 17);
    trace_emit_string(&plain->w, 5, "seventeen letters", 17);
    break;
  case 2:
    if (!trace_is_open(&fused->w)) /* between a lead and its end no G runs */
      *g = (unsigned)rand() % 3;
    break;
  case 3:
    if (trace_is_open(&fused->w))
      trace_end_open(&fused->w);
    fused->w.p = plain->w.p = (uint16_t)(rand() % 2);
    break;
  default:
    emit_something(fused, plain, g);
  }
}

static void whatever_follows_whatever_the_same_events_are_read(void **state)
{
  (void)state;
  size_t n_saved = 0;
  for (unsigned seed = 1; seed <= 3000; seed++) {
    struct side fused = open_side(), plain = open_side();
    unsigned g = 0;
    srand(seed);
    ticks = 100;
    for (int i = 0; i < 200; i++)
      do_something(&fused, &plain, &g);
    n_saved += plain.ring->head - fused.ring->head;
    expect_same(&fused, &plain);
    close_side(&fused);
    close_side(&plain);
  }
  assert_true(n_saved > 5000); /* else nothing was tried */
}

static void a_full_ring_loses_events_and_counts_each(void **state)
{
  (void)state;
  struct side side = open_side();
  struct trace_record events[5];
  size_t n_records, n_read = 0, n_told = 0, n;
  bool broken;
  srand(7);
  for (uint32_t i = 0; i < 20000; i++) {
    ticks += 10;
    stamp(&side);
    static const enum trace_kind kinds[] = { TRACE_GO_STOP, TRACE_RUNQ_PUT_GLOBAL, TRACE_RUNQ_GET,
                                             TRACE_GO_START };
    for (int k = 0; k < 4; k++) {
      side.w.g = k == 0 ? 7 : 0;
      if (side.w.dropping)
        trace_drop(&side.w, 1);
      else if (!fuse(&side.w, kinds[k], k == 0 ? 0 : 7, 0))
        trace_emit(&side.w, kinds[k], k == 0 ? 0 : 7, 0);
    }
    if (rand() % 8 == 0) {
      n = trace_ring_read(side.ring, CAPACITY, events, 5, &n_records, &broken);
      for (size_t j = 0; j < n; j++)
        n_told += events[j].kind == TRACE_LOST ? events[j].d[0] : 0;
      n_read += n;
    }
  }
  trace_writer_close(&side.w);
  assert_true(side.ring->lost > 0);
  while ((n = trace_ring_read(side.ring, CAPACITY, events, 5, &n_records, &broken)) > 0) {
    for (size_t j = 0; j < n; j++)
      n_told += events[j].kind == TRACE_LOST ? events[j].d[0] : 0;
    n_read += n;
  }
  assert_true(n_told <= side.ring->lost);
  assert_int_equal(n_read + side.ring->lost, side.ring->emitted);
  close_side(&side);
}

static void what_no_writer_makes_is_handed_through(void **state)
{
  (void)state;
  srand(11);
  for (int i = 0; i < 200000; i++) {
    struct trace_record record = { .ts = (uint64_t)rand(),
                                   .kind = (uint16_t)rand(),
                                   .p = (uint16_t)rand(),
                                   .g = (uint32_t)rand() % 3,
                                   .w = { (uint32_t)rand(), (uint32_t)rand(), (uint32_t)rand(),
                                          (uint32_t)rand() } };
    struct trace_record events[TRACE_FUSED_MAX + 1];
    memset(events, 0xa5, sizeof events);
    size_t n = trace_unfuse(&record, events);
    assert_true(n >= 1 && n <= TRACE_FUSED_MAX);
    if (n == 1)
      assert_memory_equal(&events[0], &record, sizeof record);
    for (size_t j = 0; j < n && n > 1; j++)
      assert_non_null(trace_spec_get(events[j].kind));
    assert_int_equal(*(const unsigned char *)&events[TRACE_FUSED_MAX], 0xa5);
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(each_common_transition_is_one_record),
    cmocka_unit_test(whatever_follows_whatever_the_same_events_are_read),
    cmocka_unit_test(a_full_ring_loses_events_and_counts_each),
    cmocka_unit_test(what_no_writer_makes_is_handed_through),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
