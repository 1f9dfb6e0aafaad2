/* SPDX-License-Identifier: MIT */
/* test-model-synthetic.c - the promises of the model on a million events, and on events that make no sense. */
#include "model.h"
#include "synthetic.h"

static void a_million_events_make_lanes_that_hold(void **state)
{
  (void)state;
  struct vw_trace *t = synthetic_valid(1, 1000000);
  assert_non_null(t);
  assert_true(vw_event_count(t) >= 1000000);
  assert_null(vw_warning(t, 0));
  assert_int_equal(vw_lane_count(t, VW_LANES_M), SYNTHETIC_MS);
  assert_int_equal(vw_lane_count(t, VW_LANES_P), SYNTHETIC_MS);
  model_check(t);
  vw_trace_free(t);
}

/* Ms and Ps of this scheduler are never without a state, so their spans must leave no gap. */
static void lanes_of_ms_and_ps_are_covered_from_first_to_last(void **state)
{
  (void)state;
  struct vw_trace *t = synthetic_valid(2, 20000);
  int64_t first, last;
  vw_time_range(t, &first, &last);
  for (enum vw_lane_kind kind = VW_LANES_M; kind <= VW_LANES_P; kind++) {
    for (size_t i = 0; i < vw_lane_count(t, kind); i++) {
      const struct vw_lane *lane = vw_lane(t, kind, i);
      for (size_t j = 1; j < lane->n_spans; j++)
        assert_int_equal(lane->spans[j].t0, lane->spans[j - 1].t1);
      assert_int_equal(lane->spans[lane->n_spans - 1].t1, last);
    }
  }
  vw_trace_free(t);
}

/* Time that Gs ran, added up over G lanes, M lanes and P lanes, is one number. */
static int64_t time_running(const struct vw_trace *t, enum vw_lane_kind kind)
{
  int64_t sum = 0;
  for (size_t i = 0; i < vw_lane_count(t, kind); i++) {
    const struct vw_lane *lane = vw_lane(t, kind, i);
    for (size_t j = 0; j < lane->n_spans; j++)
      sum += lane->spans[j].state == VW_STATE_RUNNING ? lane->spans[j].t1 - lane->spans[j].t0 : 0;
  }
  return sum;
}

static void the_three_kinds_of_lanes_agree_on_how_long_gs_ran(void **state)
{
  (void)state;
  struct vw_trace *t = synthetic_valid(5, 50000);
  int64_t sum = time_running(t, VW_LANES_G);
  assert_true(sum > 0);
  assert_int_equal(time_running(t, VW_LANES_M), sum);
  assert_int_equal(time_running(t, VW_LANES_P), sum);
  vw_trace_free(t);
}

static void events_that_make_no_sense_break_no_promise(void **state)
{
  (void)state;
  for (uint64_t seed = 0; seed < 60; seed++) {
    struct vw_trace *t = synthetic_wild(seed, 2000);
    char text[600];
    assert_non_null(t);
    model_check(t);
    for (uint64_t no = 0; no < vw_event_count(t); no += 7) {
      vw_sentence(t, no, text, sizeof text);
      vw_event_text(t, no, text, sizeof text);
    }
    assert_non_null(vw_state_before(t, 5));
    vw_trace_free(t);
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_million_events_make_lanes_that_hold),
    cmocka_unit_test(lanes_of_ms_and_ps_are_covered_from_first_to_last),
    cmocka_unit_test(the_three_kinds_of_lanes_agree_on_how_long_gs_ran),
    cmocka_unit_test(events_that_make_no_sense_break_no_promise),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
