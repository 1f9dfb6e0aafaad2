/* SPDX-License-Identifier: MIT */
/* test-plan-arrows.c - where arrows begin and end, and which of them are drawn. */
#include "test.h"

#include "fake-trace.h"
#include "plan.h"
#include "whole-plan.h"

static void arrows_touch_the_bars_of_their_lanes(void **state)
{
  (void)state;
  struct vw_trace *f = fake_scene();
  struct vw_view view;
  struct vw_plan *plan = whole_plan(f, VW_LANES_M, &view);
  assert_int_equal(plan->n_arrows, 2);
  const struct vw_rect *upper = &plan->rects[0];
  for (size_t i = 0; i < 2; i++) {
    const struct vw_plan_arrow *a = &plan->arrows[i];
    bool down = a->kind == VW_ARROW_WAKE;
    assert_float_equal(down ? a->y0 : a->y1, upper->y + upper->h, 0.5);
    assert_float_equal(down ? a->x0 : a->x1, vw_plan_x(plan, down ? 150000 : 600000), 0.5);
    assert_true((down ? a->y1 : a->y0) > upper->y + upper->h);
    assert_false(a->clipped0 || a->clipped1);
  }
  vw_plan_free(plan);
  fake_free(f);
}

static void arrows_are_cut_at_the_border_and_say_so(void **state)
{
  (void)state;
  struct vw_trace *f = fake_scene();
  struct vw_view view;
  vw_view_init(&view, f, VW_LANES_M, 1280, 400);
  view.t0 = 200000;
  view.t1 = 550000;
  struct vw_plan *plan = vw_plan_new(f, &view);
  assert_int_equal(plan->n_arrows,
                   1); /* the wake's end is no start of a span here, the create's is cut */
  assert_true(plan->arrows[0].clipped1);
  assert_float_equal(plan->arrows[0].x1, 1280, 0.5);
  vw_plan_free(plan);
  fake_free(f);
}

static void of_too_many_arrows_the_longest_stay_and_the_rest_is_counted(void **state)
{
  (void)state;
  struct vw_trace *f = fake_crowd(8, 2000);
  struct vw_view view;
  struct vw_plan *plan = whole_plan(f, VW_LANES_M, &view);
  size_t n;
  vw_arrows(f, &n);
  assert_true(n > 3000);
  assert_true(plan->n_arrows <= VW_PLAN_ARROWS && plan->n_arrows > 50);
  assert_true(plan->hidden_arrows >= n / 2);
  vw_plan_free(plan);
  fake_free(f);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(arrows_touch_the_bars_of_their_lanes),
    cmocka_unit_test(arrows_are_cut_at_the_border_and_say_so),
    cmocka_unit_test(of_too_many_arrows_the_longest_stay_and_the_rest_is_counted),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
