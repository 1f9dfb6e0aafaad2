/* SPDX-License-Identifier: MIT */
/* test-order.c - effects that the clock put before their causes are moved behind them, and counted; time converts
 * the same way everywhere. */
#include "clock.h"
#include "recorder.h"
#include "scratch.h"
#include "test.h"

static struct tracefile_error error;

static void put(struct rec_writer *w, uint32_t m, uint64_t seq, int64_t ts, enum trace_kind kind,
                uint32_t g, uint32_t g_seq)
{
  struct trace_event e = { .ts = ts, .seq = seq, .m = m, .kind = (uint16_t)kind, .p = (uint16_t)m };
  e.w[0] = g;
  if (kind != TRACE_GO_CREATE)
    e.w[1] = g_seq;
  assert_true(rec_writer_event(w, &e, &error));
}

/* Event numbers (m * 100 + seq) in the order in which the file gives them; returns how many. */
static int read_order(const char *path, int *out, int64_t *times, int n)
{
  struct tracefile *file = tracefile_open(path, &error);
  assert_non_null(file);
  struct tracefile_cursor *c = tracefile_cursor_new(file, INT64_MIN, INT64_MAX, &error);
  int i = 0;
  for (const struct trace_event *e; (e = tracefile_cursor_next(c)) && i < n; i++) {
    out[i] = (int)(e->m * 100 + e->seq);
    times[i] = e->ts;
  }
  tracefile_cursor_free(c);
  assert_int_equal(tracefile_damages(file, NULL, 0), 0);
  tracefile_close(file);
  return i;
}

static void a_start_before_its_unblock_is_moved_behind_it(void **state)
{
  const char *path = scratch_path(*state, "late.db");
  struct rec_writer *w = rec_writer_new(path, false, &error);
  put(w, 0, 0, 10, TRACE_GO_CREATE, 7, 0);
  put(w, 0, 1, 20, TRACE_GO_START, 7, 1);
  put(w, 0, 2, 205, TRACE_GO_UNBLOCK, 7, 2); /* the cause; its clock is 10 ns ahead */
  put(w, 0, 3, 300, TRACE_M_PARK, 0, 0);
  put(w, 1, 0, 195, TRACE_M_UNPARK, 0, 0);
  put(w, 1, 1, 196, TRACE_GO_START, 7, 3); /* the effect */
  put(w, 1, 2, 197, TRACE_GO_DESTROY, 0, 0);
  put(w, 1, 3, 400, TRACE_M_PARK, 0, 0);
  struct rec_summary sum;
  assert_true(rec_writer_finish(w, REC_TABLES_NONE, &sum, &error));
  assert_int_equal(sum.clock_fixups, 2);
  int order[8];
  int64_t times[8];
  assert_int_equal(read_order(path, order, times, 8), 8);
  const int expected[] = { 0, 1, 100, 2, 101, 102, 3, 103 };
  assert_memory_equal(order, expected, sizeof expected);
  assert_int_equal(times[4], 205);
  assert_int_equal(times[5], 205);
}

static void a_right_order_is_left_alone(void **state)
{
  const char *path = scratch_path(*state, "right.db");
  struct rec_writer *w = rec_writer_new(path, false, &error);
  put(w, 0, 0, 10, TRACE_GO_CREATE, 7, 0);
  put(w, 0, 1, 20, TRACE_GO_START, 7, 1);
  put(w, 0, 2, 190, TRACE_GO_UNBLOCK, 7, 2);
  put(w, 1, 0, 196, TRACE_GO_START, 7, 3);
  struct rec_summary sum;
  assert_true(rec_writer_finish(w, REC_TABLES_NONE, &sum, &error));
  assert_int_equal(sum.clock_fixups, 0);
}

static void put_of(struct rec_writer *w, uint32_t m, uint64_t seq, int64_t ts, uint32_t g)
{
  struct trace_event e = { .ts = ts, .seq = seq, .m = m, .g = g, .kind = TRACE_GO_DESTROY };
  assert_true(rec_writer_event(w, &e, &error));
}

static void a_goid_that_is_used_again_is_another_g(void **state)
{
  const char *path = scratch_path(*state, "again.db");
  struct rec_writer *w = rec_writer_new(path, false, &error);
  uint64_t seq[4] = { 0 };
  int64_t ts = 0;
  for (uint32_t i = 0; i < 100000; i++) {
    uint32_t g = 1 + i % 7;
    put(w, i % 4, seq[i % 4]++, ts++, TRACE_GO_CREATE, g, 0);
    put(w, (i + 1) % 4, seq[(i + 1) % 4]++, ts++, TRACE_GO_START, g, 1);
    put(w, (i + 2) % 4, seq[(i + 2) % 4]++, ts++, TRACE_GO_UNBLOCK, g, 2);
    put(w, (i + 3) % 4, seq[(i + 3) % 4]++, ts++, TRACE_GO_START, g, 3);
    if (i % 2) /* now and then the end is lost */
      put_of(w, (i + 3) % 4, seq[(i + 3) % 4]++, ts++, g);
  }
  struct rec_summary sum;
  assert_true(rec_writer_finish(w, REC_TABLES_NONE, &sum, &error));
  assert_int_equal(sum.clock_fixups, 0);
}

static void a_start_before_the_create_of_a_goid_used_again_is_moved(void **state)
{
  const char *path = scratch_path(*state, "second.db");
  struct rec_writer *w = rec_writer_new(path, false, &error);
  put(w, 0, 0, 10, TRACE_GO_CREATE, 7, 0);
  put(w, 0, 1, 20, TRACE_GO_START, 7, 1);
  put_of(w, 0, 2, 30, 7);
  put(w, 0, 3, 60, TRACE_GO_CREATE, 7, 0);
  put(w, 1, 0, 50, TRACE_GO_START, 7, 1); /* before its create */
  struct rec_summary sum;
  assert_true(rec_writer_finish(w, REC_TABLES_NONE, &sum, &error));
  assert_int_equal(sum.clock_fixups, 1);
  int order[5];
  int64_t times[5];
  assert_int_equal(read_order(path, order, times, 5), 5);
  const int expected[] = { 0, 1, 2, 3, 100 };
  assert_memory_equal(order, expected, sizeof expected);
}

/* Every start of M1 stands before its unblock on M0, for many chunks, with a loss between: all are moved at once, and
 * no chunk overlaps the one before. */
static void many_late_events_are_moved_in_one_pass_across_losses(void **state)
{
  const char *path = scratch_path(*state, "many.db");
  struct rec_writer *w = rec_writer_new(path, false, &error);
  const uint32_t n = 50000;
  for (uint32_t i = 0; i < n; i++)
    put(w, 0, i, 1000 + i * 10, TRACE_GO_UNBLOCK, 7, 2 * i);
  for (uint32_t i = 0; i < n; i++)
    put(w, 1, i + (i > n / 2) * 10, 995 + i * 10 - (i == n / 2) * 5, TRACE_GO_START, 7, 2 * i + 1);
  struct rec_summary sum;
  assert_true(rec_writer_finish(w, REC_TABLES_NONE, &sum, &error));
  assert_true(sum.clock_fixups >= n);
  int *order = calloc(2 * n, sizeof *order);
  int64_t *times = calloc(2 * n, sizeof *times);
  assert_int_equal(read_order(path, order, times, (int)(2 * n)), 2 * n);
  for (uint32_t i = 0; i < n; i++) {
    assert_int_equal(order[2 * i], i);
    assert_int_equal(order[2 * i + 1], 100 + i + (i > n / 2) * 10);
  }
  free(order);
  free(times);
}

static void what_is_far_apart_is_no_clock_and_stays(void **state)
{
  const char *path = scratch_path(*state, "far.db");
  struct rec_writer *w = rec_writer_new(path, false, &error);
  put(w, 1, 0, 100, TRACE_GO_START, 7, 3);
  put(w, 0, 0, 900000000, TRACE_GO_UNBLOCK, 7, 2);
  struct rec_summary sum;
  assert_true(rec_writer_finish(w, REC_TABLES_NONE, &sum, &error));
  assert_int_equal(sum.clock_fixups, 0);
}

static void lines_of_the_clock_join_and_never_go_back(void **state)
{
  (void)state;
  struct rec_clock c;
  rec_clock_start(&c);
  rec_clock_begin(&c, TRACE_CLOCK_MONO, (uint64_t)c.first.mono_ns);
#if defined(__x86_64__)
  rec_clock_begin(&c, TRACE_CLOCK_TSC, c.first.ticks);
#endif
  int64_t last = INT64_MIN;
  for (int i = 0; i < 200; i++) {
    struct clock_look look;
    int64_t off = rec_clock_sync(&c, &look);
    assert_true(off < 50000 && off > -50000);
    const struct clock_line *line = &c.lines[(c.n_lines - 1) % CLOCK_LINES];
    assert_true(rec_clock_ns(&c, line->base_ticks) >= last);
    assert_true(rec_clock_ns(&c, line->base_ticks - 1) <= rec_clock_ns(&c, line->base_ticks));
    last = rec_clock_ns(&c, line->base_ticks);
  }
}

static void the_first_record_is_time_zero_and_only_a_possible_one(void **state)
{
  (void)state;
  struct rec_clock c;
  struct clock_look later;
  rec_clock_start(&c);
  rec_clock_begin(&c, TRACE_CLOCK_MONO, (uint64_t)c.first.mono_ns);
  do
    rec_clock_sync(&c, &later);
  while (later.mono_ns - c.first.mono_ns < 1000);
  rec_clock_begin(&c, TRACE_CLOCK_MONO, (uint64_t)later.mono_ns);
  assert_int_equal(rec_clock_ns(&c, (uint64_t)later.mono_ns + 5), 5);
  assert_int_equal(rec_clock_from_mono(&c, (uint64_t)later.mono_ns + 5), 5);
  assert_int_equal(c.start_mono, later.mono_ns);
  assert_int_equal(c.start_wall - c.first.wall_ns, later.mono_ns - c.first.mono_ns);
  rec_clock_begin(&c, TRACE_CLOCK_MONO, (uint64_t)c.first.mono_ns - 1); /* before the program */
  assert_int_equal(c.start_mono, c.first.mono_ns);
  rec_clock_begin(&c, TRACE_CLOCK_MONO, UINT64_MAX); /* in the future */
  assert_int_equal(c.start_mono, c.first.mono_ns);
  rec_clock_begin(&c, TRACE_CLOCK_VIRTUAL, 1000);
  assert_int_equal(rec_clock_ns(&c, 1007), 7);
}

static void hostile_ticks_convert_without_undefined_behaviour(void **state)
{
  (void)state;
  struct rec_clock c;
  rec_clock_start(&c);
  for (uint32_t kind = TRACE_CLOCK_TSC; kind <= TRACE_CLOCK_VIRTUAL; kind++) {
    rec_clock_begin(&c, kind, kind % 2 ? UINT64_MAX : 0);
    rec_clock_ns(&c, 0);
    rec_clock_ns(&c, UINT64_MAX);
    rec_clock_ns(&c, (uint64_t)INT64_MAX);
    rec_clock_from_mono(&c, UINT64_MAX);
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    scratch_test(a_start_before_its_unblock_is_moved_behind_it),
    scratch_test(a_right_order_is_left_alone),
    scratch_test(a_goid_that_is_used_again_is_another_g),
    scratch_test(a_start_before_the_create_of_a_goid_used_again_is_moved),
    scratch_test(many_late_events_are_moved_in_one_pass_across_losses),
    scratch_test(what_is_far_apart_is_no_clock_and_stays),
    cmocka_unit_test(lines_of_the_clock_join_and_never_go_back),
    cmocka_unit_test(the_first_record_is_time_zero_and_only_a_possible_one),
    cmocka_unit_test(hostile_ticks_convert_without_undefined_behaviour),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
