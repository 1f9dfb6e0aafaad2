/* SPDX-License-Identifier: MIT */
/* test-model-lanes.c - what the lanes of small traces show, span by span. */
#include "model.h"

#include <string.h>

static void an_m_runs_schedules_spins_and_parks(void **state)
{
  (void)state;
  struct vw_trace *t = model_open("two-ms.trace");
  assert_string_equal(model_spans(t, VW_LANES_M, 0),
                      "SCHED 0-4|SCHED 4-10|RUNNING g1 10-60|SCHED 60-61|SCHED 61-63|PARKED 63-80|"
                      "SCHED 80-81|SCHED 81-82|SPINNING 82-91|SCHED 91-95|RUNNING g1 95-110");
  assert_string_equal(model_spans(t, VW_LANES_M, 1),
                      "SCHED 30-31|SCHED 31-32|SPINNING 32-41|SCHED 41-50|RUNNING g2 50-100|"
                      "SCHED 100-110");
  vw_trace_free(t);
}

static void a_p_is_handed_over_held_idle_and_runs_a_g(void **state)
{
  (void)state;
  struct vw_trace *t = model_open("two-ms.trace");
  assert_string_equal(
      model_spans(t, VW_LANES_P, 0),
      "HANDED 1-4|SCHED 4-10|RUNNING g1 10-60|SCHED 60-61|HANDED 61-62|IDLE 62-72|HANDED 72-81|"
      "SCHED 81-95|RUNNING g1 95-110");
  vw_trace_free(t);
}

static void a_g_is_runnable_runs_waits_and_ends(void **state)
{
  (void)state;
  struct vw_trace *t = model_open("two-ms.trace");
  assert_string_equal(model_spans(t, VW_LANES_G, 1),
                      "RUNNABLE g1 7-10|RUNNING g1 10-60|WAITING g1 60-70|RUNNABLE g1 70-95|"
                      "RUNNING g1 95-110");
  assert_string_equal(model_spans(t, VW_LANES_G, 2), "RUNNABLE g2 20-50|RUNNING g2 50-100");
  const struct vw_lane *g1 = vw_lane(t, VW_LANES_G, 0);
  assert_int_equal(g1->spans[2].why, TRACE_WAIT_RECV);
  assert_int_equal(g1->spans[1].m, 0);
  assert_int_equal(g1->spans[1].p, 0);
  assert_int_equal(g1->spans[2].m, TRACE_NO_M);
  vw_trace_free(t);
}

static void lanes_are_named_after_thread_and_g(void **state)
{
  (void)state;
  struct vw_trace *t = model_open("two-ms.trace");
  assert_string_equal(vw_trace_title(t), "two-ms");
  assert_string_equal(vw_lane(t, VW_LANES_M, 1)->title, "M1");
  assert_string_equal(vw_lane(t, VW_LANES_M, 1)->subtitle, "thread 101");
  assert_string_equal(vw_lane(t, VW_LANES_G, 1)->title, "G2");
  assert_string_equal(vw_lane(t, VW_LANES_G, 1)->subtitle, "worker");
  assert_string_equal(vw_g_name(t, 2), "worker");
  assert_string_equal(vw_g_name(t, 1), "");
  assert_int_equal(vw_lane_of(t, VW_LANES_G, 77), -1);
  vw_trace_free(t);
}

static void a_p_in_a_system_call_stays_until_it_is_taken(void **state)
{
  (void)state;
  struct vw_trace *t = model_open("syscall.trace");
  assert_string_equal(model_spans(t, VW_LANES_P, 0),
                      "HANDED 1-3|SCHED 3-10|RUNNING g1 10-20|SYSCALL g1 20-41|HANDED 41-51|"
                      "SCHED 51-55|RUNNING g2 55-70|SCHED 70-75|RUNNING g1 75-90|SCHED 90-95");
  assert_string_equal(
      model_spans(t, VW_LANES_M, 0),
      "SCHED 0-3|SCHED 3-10|RUNNING g1 10-20|SYSCALL g1 20-60|SCHED 60-62|PARKED 62-95");
  assert_string_equal(model_spans(t, VW_LANES_G, 1),
                      "RUNNABLE g1 6-10|RUNNING g1 10-20|SYSCALL g1 20-60|RUNNABLE g1 60-75|"
                      "RUNNING g1 75-90");
  vw_trace_free(t);
}

static void sysmons_lane_says_sysmon_from_its_first_event_to_its_last(void **state)
{
  (void)state;
  struct vw_trace *t = model_open("syscall.trace");
  const struct vw_lane *sysmon = vw_lane(t, VW_LANES_M, 1);
  assert_string_equal(sysmon->subtitle, "sysmon, thread 101");
  assert_true(sysmon->is_sysmon);
  assert_false(vw_lane(t, VW_LANES_M, 0)->is_sysmon);
  assert_true(sysmon->n_spans > 0);
  for (size_t i = 0; i < sysmon->n_spans; i++)
    assert_int_equal(sysmon->spans[i].state, VW_STATE_SYSMON);
  vw_trace_free(t);
}

static void a_deferred_call_that_sleeps_is_drawn_where_it_was_executed(void **state)
{
  (void)state;
  struct vw_trace *t = model_open("panics.trace");
  assert_string_equal(model_overlays(t, VW_LANES_G, 1),
                      "REGION g1 11-80|PANIC g1 20-56|CALL g1 24-50|CALL g1 53-55|CALL g1 58-59|"
                      "PANIC g1 62-74|CALL g1 65-74|PANIC g1 66-73|CALL g1 70-72");
  const char *on_m = model_overlays(t, VW_LANES_M, 0);
  assert_non_null(strstr(on_m, "CALL g1 24-30|"));
  assert_non_null(strstr(on_m, "CALL g1 43-50|"));
  assert_null(strstr(on_m, "CALL g1 24-50|"));
  vw_trace_free(t);
}

static void overlays_know_how_deep_they_are_nested(void **state)
{
  (void)state;
  struct vw_trace *t = model_open("panics.trace");
  const struct vw_lane *g1 = vw_lane(t, VW_LANES_G, 0);
  assert_int_equal(g1->overlays[0].depth, 0); /* the region */
  assert_int_equal(g1->overlays[2].depth, 2); /* the first call, in the panic, in the region */
  assert_int_equal(g1->overlays[8].depth, 4);
  assert_int_equal(g1->overlays[8].why, TRACE_CAUSE_PANIC);
  vw_trace_free(t);
}

static void marks_stand_on_all_lanes_that_they_concern(void **state)
{
  (void)state;
  struct vw_trace *t = model_open("syscall.trace");
  const struct vw_lane *m0 = vw_lane(t, VW_LANES_M, 0), *g1 = vw_lane(t, VW_LANES_G, 0);
  assert_int_equal(m0->n_marks, 1);
  assert_int_equal(m0->marks[0].kind, VW_MARK_RETAKE);
  assert_int_equal(m0->marks[0].g, 1);
  assert_int_equal(g1->n_marks, 1);
  vw_trace_free(t);
  t = model_open("two-ms.trace");
  const struct vw_lane *p0 = vw_lane(t, VW_LANES_P, 0), *p1 = vw_lane(t, VW_LANES_P, 1);
  assert_int_equal(p0->n_marks, 2); /* robbed, then robs */
  assert_int_equal(p1->n_marks, 2);
  assert_int_equal(p0->marks[0].kind, VW_MARK_STEAL);
  vw_trace_free(t);
}

static void a_loss_is_drawn_on_the_lanes_of_m_p_and_g(void **state)
{
  (void)state;
  struct vw_trace *t = model_open("lost.trace");
  assert_string_equal(
      model_spans(t, VW_LANES_M, 0),
      "SCHED 0-3|SCHED 3-10|RUNNING g1 10-20|LOST 20-50|RUNNING g1 50-60|SCHED 60-70");
  assert_string_equal(
      model_spans(t, VW_LANES_G, 1),
      "RUNNABLE g1 6-10|RUNNING g1 10-20|LOST 20-50|RUNNING g1 50-60|WAITING g1 60-70");
  assert_string_equal(model_spans(t, VW_LANES_P, 0),
                      "HANDED 1-3|SCHED 3-10|RUNNING g1 10-20|LOST 20-50|RUNNING g1 50-60|"
                      "SCHED 60-70");
  assert_non_null(strstr(vw_warning(t, 0), "100 events are missing in 1 place"));
  vw_trace_free(t);
}

static void a_stopped_world_shows_on_all_ps_and_the_one_that_stopped_it_runs_on(void **state)
{
  (void)state;
  struct vw_trace *t = model_open("stw.trace");
  assert_string_equal(model_spans(t, VW_LANES_P, 0),
                      "HANDED 1-2|SCHED 2-10|RUNNING g1 10-22|GCSTOP 22-42|RUNNING g1 42-60");
  assert_string_equal(model_spans(t, VW_LANES_P, 1),
                      "HANDED 3-4|IDLE 4-21|GCSTOP 21-40|HANDED 40-41|IDLE 41-60");
  assert_string_equal(model_spans(t, VW_LANES_M, 0), "SCHED 0-2|SCHED 2-10|RUNNING g1 10-60");
  assert_int_equal(vw_lane(t, VW_LANES_M, 0)->n_marks, 3);
  vw_trace_free(t);
}

static void span_at_finds_the_span_or_the_next_one(void **state)
{
  (void)state;
  struct vw_trace *t = model_open("two-ms.trace");
  const struct vw_lane *g2 = vw_lane(t, VW_LANES_G, 1);
  assert_int_equal(vw_span_at(g2, 0), 0);
  assert_int_equal(vw_span_at(g2, 49), 0);
  assert_int_equal(vw_span_at(g2, 50), 1);
  assert_int_equal(vw_span_at(g2, 100), g2->n_spans);
  vw_trace_free(t);
}

static void check(struct vw_trace *trace, const char *path)
{
  print_message("# %s\n", path);
  model_check(trace);
}

static void every_fixture_keeps_the_promises_of_the_model(void **state)
{
  (void)state;
  assert_true(model_for_each(check) >= 5);
}

static void no_breach(struct vw_trace *trace, const char *path)
{
  const char *warning;
  if (strstr(path, "/bad/") || strstr(path, "lost.trace"))
    return;
  for (size_t i = 0; (warning = vw_warning(trace, i)); i++) {
    if (strstr(warning, "breaks the rule"))
      fail_msg("%s: %s", path, warning);
  }
}

static void a_good_fixture_has_no_warning_of_a_broken_rule(void **state)
{
  (void)state;
  assert_true(model_for_each(no_breach) >= 5);
}

/* An M's last chunk is damaged: no event of it follows that would show the jump in its numbers. */
static void a_damaged_chunk_at_the_end_of_an_m_is_drawn_as_lost(void **state)
{
  (void)state;
  struct vw_builder *b = vw_builder_new();
  struct trace_event of_m0 = { .ts = 100, .kind = TRACE_M_PARK, .p = TRACE_NO_P };
  struct trace_event of_m1 = { .ts = 50, .m = 1, .kind = TRACE_M_PARK, .p = TRACE_NO_P };
  struct trace_event later = {
    .ts = 1000, .m = 1, .seq = 1, .kind = TRACE_M_UNPARK, .p = TRACE_NO_P
  };
  assert_true(vw_builder_add(b, &of_m1) && vw_builder_add(b, &of_m0) && vw_builder_add(b, &later));
  const struct tracefile_damage damages[] = {
    { .m = 0, .first_seq = 1, .n = 9, .t_min = 120, .t_max = 800, .why = "test" },
    { .m = 1,
      .first_seq = 0,
      .n = 1,
      .t_min = 50,
      .t_max = 50,
      .why = "told by the next event already" },
    { .m = 7,
      .first_seq = 0,
      .n = 5,
      .t_min = 300,
      .t_max = INT64_MAX,
      .why = "nothing of M7 was read" },
    { .m = 8, .first_seq = 0, .n = 5, .t_min = 1, .t_max = -1, .why = "impossible" },
  };
  for (size_t i = 0; i < sizeof damages / sizeof *damages; i++)
    vw_builder_damage(b, &damages[i]);
  struct tracefile_error error;
  struct vw_trace *t = vw_builder_finish(b, &error);
  assert_non_null(t);
  const struct vw_lane *m0 = vw_lane(t, VW_LANES_M, (size_t)vw_lane_of(t, VW_LANES_M, 0));
  assert_int_equal(m0->spans[m0->n_spans - 1].state, VW_STATE_LOST);
  assert_int_equal(m0->spans[m0->n_spans - 1].t0, 100);
  assert_int_equal(m0->spans[m0->n_spans - 1].t1, 800);
  const struct vw_lane *m1 = vw_lane(t, VW_LANES_M, (size_t)vw_lane_of(t, VW_LANES_M, 1));
  for (size_t i = 0; i < m1->n_spans; i++)
    assert_int_not_equal(m1->spans[i].state, VW_STATE_LOST);
  const struct vw_lane *m7 = vw_lane(t, VW_LANES_M, (size_t)vw_lane_of(t, VW_LANES_M, 7));
  assert_int_equal(m7->n_spans, 1);
  assert_int_equal(m7->spans[0].t0, 300);
  assert_int_equal(m7->spans[0].t1, 1000);
  assert_int_equal(vw_lane_of(t, VW_LANES_M, 8), -1);
  vw_trace_free(t);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_damaged_chunk_at_the_end_of_an_m_is_drawn_as_lost),
    cmocka_unit_test(an_m_runs_schedules_spins_and_parks),
    cmocka_unit_test(a_p_is_handed_over_held_idle_and_runs_a_g),
    cmocka_unit_test(a_g_is_runnable_runs_waits_and_ends),
    cmocka_unit_test(lanes_are_named_after_thread_and_g),
    cmocka_unit_test(a_p_in_a_system_call_stays_until_it_is_taken),
    cmocka_unit_test(sysmons_lane_says_sysmon_from_its_first_event_to_its_last),
    cmocka_unit_test(a_deferred_call_that_sleeps_is_drawn_where_it_was_executed),
    cmocka_unit_test(overlays_know_how_deep_they_are_nested),
    cmocka_unit_test(marks_stand_on_all_lanes_that_they_concern),
    cmocka_unit_test(a_loss_is_drawn_on_the_lanes_of_m_p_and_g),
    cmocka_unit_test(a_stopped_world_shows_on_all_ps_and_the_one_that_stopped_it_runs_on),
    cmocka_unit_test(span_at_finds_the_span_or_the_next_one),
    cmocka_unit_test(a_good_fixture_has_no_warning_of_a_broken_rule),
    cmocka_unit_test(every_fixture_keeps_the_promises_of_the_model),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
