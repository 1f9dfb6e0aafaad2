/* SPDX-License-Identifier: MIT */
/* test-plan-selection.c - what a selection brings forward, and what it lets fade. */
#include "test.h"

#include "fake-trace.h"
#include "plan.h"

static size_t count_bold(const struct vw_plan *plan)
{
  size_t n = 0;
  for (size_t i = 0; i < plan->n_arrows; i++) {
    n += plan->arrows[i].highlighted;
    assert_false(plan->arrows[i].highlighted && plan->arrows[i].dimmed);
  }
  return n;
}

static void a_selected_gs_arrows_are_bold_but_never_a_thicket(void **state)
{
  (void)state;
  struct vw_trace *f = fake_crowd(8, 2000);
  struct vw_view view;
  vw_view_init(&view, f, VW_LANES_M, 1280, 400);
  view.selected = VW_SELECT_G;
  view.selected_id = 3;
  view.dim_others = true;
  struct vw_plan *plan = vw_plan_new(f, &view);
  assert_int_equal(count_bold(plan), VW_PLAN_HIGHLIGHTS);
  size_t n;
  for (size_t i = 0; i < VW_PLAN_HIGHLIGHTS; i++) {
    const struct vw_arrow *a = &vw_arrows(f, &n)[plan->arrows[i].arrow];
    assert_true(plan->arrows[i].highlighted && (a->from.g == 3 || a->to.g == 3));
  }
  vw_plan_free(plan);
  fake_free(f);
}

/* Two Ms; M1 sleeps twice, and is woken twice by M0. */
static struct vw_trace *two_sleeps(uint64_t *sleep)
{
  struct vw_trace *f = fake_new();
  size_t m0 = fake_lane(f, VW_LANES_M, 0, "M0", ""), m1 = fake_lane(f, VW_LANES_M, 1, "M1", "");
  fake_span(f, VW_LANES_M, m0, 0, 1000000, VW_STATE_RUNNING, 1);
  *sleep = fake_span(f, VW_LANES_M, m1, 100000, 400000, VW_STATE_PARKED, 0);
  fake_arrow(f, VW_ARROW_MWAKE, 380000, 0, 400000, 1);
  uint64_t run = fake_span(f, VW_LANES_M, m1, 400000, 500000, VW_STATE_RUNNING, 2);
  fake_end(f, VW_LANES_M, m1, 0, run);
  uint64_t again = fake_span(f, VW_LANES_M, m1, 500000, 900000, VW_STATE_PARKED, 0);
  fake_end(f, VW_LANES_M, m1, 1, again);
  fake_arrow(f, VW_ARROW_MWAKE, 880000, 0, 900000, 1);
  return f;
}

static void of_a_selected_ms_arrows_only_those_of_the_selected_span_are_bold(void **state)
{
  (void)state;
  uint64_t sleep;
  struct vw_trace *f = two_sleeps(&sleep);
  struct vw_view view;
  vw_view_init(&view, f, VW_LANES_M, 1280, 400);
  view.selected = VW_SELECT_M;
  view.selected_id = 1;
  view.dim_others = true;
  struct vw_plan *plan = vw_plan_new(f, &view);
  assert_int_equal(plan->n_arrows,
                   2); /* the lane alone is selected: both step forward, none is bold */
  assert_int_equal(count_bold(plan), 0);
  assert_false(plan->arrows[0].dimmed || plan->arrows[1].dimmed);
  vw_plan_free(plan);
  view.event_no = sleep;
  plan = vw_plan_new(f, &view);
  assert_int_equal(plan->n_arrows, 2);
  assert_int_equal(count_bold(plan), 1);
  assert_true(plan->arrows[0].highlighted);
  assert_int_equal(plan->arrows[0].arrow, 0);
  assert_true(plan->arrows[1].dimmed);
  vw_plan_free(plan);
  fake_free(f);
}

static void what_an_m_ran_stands_out_on_lanes_of_gs_and_slivers_fade_nothing(void **state)
{
  (void)state;
  struct vw_trace *f = fake_new();
  for (uint32_t g = 1; g <= 3; g++) {
    size_t lane = fake_lane(f, VW_LANES_G, g, "G", "");
    fake_span(f, VW_LANES_G, lane, 0, 500000, VW_STATE_WAITING, g);
    fake_span(f, VW_LANES_G, lane, 500000, 500010 + g * 100000 * (g > 1), VW_STATE_RUNNING, g);
    fake_span_m(f, VW_LANES_G, lane, 1, 3);
  }
  struct vw_view view;
  vw_view_init(&view, f, VW_LANES_G, 1280, 400);
  view.dim_others = true;
  view.selected_id = 3;
  view.selected = VW_SELECT_M;
  struct vw_plan *plan = vw_plan_new(f, &view);
  size_t n_selected = 0;
  for (size_t i = 0; i < plan->n_rects; i++) {
    n_selected += plan->rects[i].selected;
    assert_int_equal(plan->rects[i].dimmed, !plan->rects[i].selected);
  }
  assert_true(n_selected > 0);
  vw_plan_free(plan);
  view.selected = VW_SELECT_G; /* of which only a sliver of 10 ns is in the time shown */
  view.selected_id = 1;
  view.t0 = 499990;
  view.t1 = 999990;
  plan = vw_plan_new(f, &view);
  for (size_t i = 0; i < plan->n_rects; i++)
    assert_false(plan->rects[i].dimmed);
  vw_plan_free(plan);
  fake_free(f);
}

static void a_selection_that_is_not_in_the_picture_fades_nothing(void **state)
{
  (void)state;
  struct vw_trace *f = fake_scene();
  struct vw_view view;
  vw_view_init(&view, f, VW_LANES_G, 1280, 400);
  view.selected = VW_SELECT_M;
  view.selected_id = 77;
  view.dim_others = true;
  struct vw_plan *plan = vw_plan_new(f, &view);
  for (size_t i = 0; i < plan->n_rects; i++)
    assert_false(plan->rects[i].dimmed);
  for (size_t i = 0; i < plan->n_arrows; i++)
    assert_false(plan->arrows[i].dimmed);
  for (size_t i = 0; i < plan->n_labels; i++)
    assert_false(plan->labels[i].dimmed);
  vw_plan_free(plan);
  view.selected = VW_SELECT_G;
  view.selected_id = 1;
  plan = vw_plan_new(f, &view);
  size_t dimmed = 0;
  for (size_t i = 0; i < plan->n_rects; i++)
    dimmed += plan->rects[i].dimmed;
  assert_true(dimmed > 0);
  vw_plan_free(plan);
  fake_free(f);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_selected_gs_arrows_are_bold_but_never_a_thicket),
    cmocka_unit_test(of_a_selected_ms_arrows_only_those_of_the_selected_span_are_bold),
    cmocka_unit_test(what_an_m_ran_stands_out_on_lanes_of_gs_and_slivers_fade_nothing),
    cmocka_unit_test(a_selection_that_is_not_in_the_picture_fades_nothing),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
