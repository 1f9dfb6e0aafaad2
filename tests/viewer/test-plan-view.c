/* SPDX-License-Identifier: MIT */
/* test-plan-view.c - which part of a trace is shown: zooming, panning, revealing an event, and the overview of all of it. */
#include "test.h"

#include "fake-trace.h"
#include "plan.h"
#include "whole-plan.h"

static void zooming_in_and_out_cancels_exactly(void **state)
{
  (void)state;
  struct vw_trace *f = fake_scene();
  struct vw_view view, before;
  vw_view_init(&view, f, VW_LANES_M, 1280, 400);
  vw_view_zoom(&view, f, 3, 333333);
  before = view;
  for (int i = 0; i < 8; i++)
    vw_view_zoom(&view, f, 1.25, 412345);
  assert_true(view.t1 - view.t0 < before.t1 - before.t0);
  for (int i = 0; i < 8; i++)
    vw_view_zoom(&view, f, 1 / 1.25, 412345);
  assert_int_equal(view.t0, before.t0);
  assert_int_equal(view.t1, before.t1);
  fake_free(f);
}

static void zooming_keeps_the_time_under_the_pointer(void **state)
{
  (void)state;
  struct vw_trace *f = fake_scene();
  struct vw_view view;
  struct vw_plan *plan = whole_plan(f, VW_LANES_M, &view);
  double x = 700;
  int64_t t = vw_plan_t(plan, x);
  vw_plan_free(plan);
  vw_view_zoom(&view, f, 5, t);
  plan = vw_plan_new(f, &view);
  assert_in_range((int64_t)(vw_plan_x(plan, t) + 0.5), 699, 701);
  vw_plan_free(plan);
  fake_free(f);
}

static void two_views_on_one_scale_begin_below_each_other(void **state)
{
  (void)state;
  struct vw_trace *scene = fake_scene(), *crowd = fake_crowd(4, 9);
  struct vw_view a, b;
  const struct vw_sheet both[] = { { &a, scene }, { &b, crowd } };
  int64_t first_a, first_b, last;
  vw_time_range(scene, &first_a, &last);
  vw_time_range(crowd, &first_b, &last);
  vw_view_init(&a, scene, VW_LANES_M, 1280, 400);
  vw_view_init(&b, crowd, VW_LANES_M, 1280, 400);
  assert_int_not_equal(first_a - a.t0, first_b - b.t0); /* each with a margin of its own */
  int64_t longest = a.t1 - a.t0 > b.t1 - b.t0 ? a.t1 - a.t0 : b.t1 - b.t0;
  vw_view_use_one_scale(both, 2);
  assert_int_equal(first_a - a.t0, first_b - b.t0);
  assert_int_equal(a.t1 - a.t0, b.t1 - b.t0);
  assert_true(a.t1 - a.t0 >= longest);
  b.t0 = first_b + 5; /* who asks for a later beginning has it */
  b.t1 = b.t0 + 10;
  vw_view_use_one_scale(both, 2);
  assert_int_equal(b.t0, first_b + 5);
  assert_int_equal(b.t1 - b.t0, a.t1 - a.t0);
  fake_free(scene);
  fake_free(crowd);
}

static void a_view_never_leaves_the_trace_by_more_than_its_margin(void **state)
{
  (void)state;
  struct vw_trace *f = fake_scene();
  struct vw_view view;
  vw_view_init(&view, f, VW_LANES_M, 1280, 400);
  vw_view_zoom(&view, f, 0.0001, 500000);
  assert_int_equal(view.t0, -50000);
  assert_int_equal(view.t1, 1050000);
  vw_view_zoom(&view, f, 10, 500000);
  for (int i = 0; i < 50; i++)
    vw_view_pan(&view, f, 0.7);
  assert_int_equal(view.t1, 1050000);
  assert_int_equal(view.t1 - view.t0, 110000);
  vw_view_zoom(&view, f, 1e300, 1000000);
  assert_true(view.t1 - view.t0 >= 39);
  fake_free(f);
}

static void revealing_an_event_moves_but_does_not_zoom(void **state)
{
  (void)state;
  struct vw_trace *f = fake_crowd(40, 50);
  struct vw_view view;
  vw_view_init(&view, f, VW_LANES_M, 800, 200);
  view.lane_height = 22;
  vw_view_zoom(&view, f, 20, 0);
  int64_t span = view.t1 - view.t0;
  const struct vw_span *s = &vw_lane(f, VW_LANES_M, 39)->spans[45];
  vw_view_reveal(&view, f, s->no);
  assert_true(view.t0 <= s->t0 && s->t0 <= view.t1);
  assert_in_range(view.t1 - view.t0, span - 1, span + 1);
  struct vw_plan *plan = vw_plan_new(f, &view);
  assert_int_equal(plan->bands[plan->n_bands - 1].lane, 39);
  struct vw_view again = view;
  vw_view_reveal(&again, f, s->no);
  assert_int_equal(again.t0, view.t0);
  vw_plan_free(plan);
  fake_free(f);
}

static void a_range_that_shows_everything_stays_whatever_is_revealed(void **state)
{
  (void)state;
  struct vw_trace *f = fake_scene();
  struct vw_view view;
  vw_view_init(&view, f, VW_LANES_M, 1280, 400);
  struct vw_view before = view;
  for (uint64_t no = 0; no < vw_event_count(f); no++) {
    vw_view_reveal(&view, f, no);
    assert_int_equal(view.t0, before.t0);
    assert_int_equal(view.t1, before.t1);
  }
  fake_free(f);
}

static void the_first_view_leaves_out_a_long_start_up_and_nothing_else(void **state)
{
  (void)state;
  struct vw_trace *f = fake_new();
  fake_span(f, VW_LANES_G, fake_lane(f, VW_LANES_G, 1, "G1", ""), 600000, 1000000, VW_STATE_RUNNING,
            1);
  struct vw_view view, whole;
  vw_view_init(&whole, f, VW_LANES_M, 1280, 400);
  view = whole;
  vw_view_skip_start_up(&view, f);
  assert_in_range(view.t0, 500000, 600000);
  assert_int_equal(view.t1, whole.t1);
  fake_free(f);
  f = fake_scene(); /* its Gs are there from the beginning */
  vw_view_init(&whole, f, VW_LANES_M, 1280, 400);
  view = whole;
  vw_view_skip_start_up(&view, f);
  assert_int_equal(view.t0, whole.t0);
  fake_free(f);
}

static void the_overview_knows_how_busy_and_where_a_panic_was(void **state)
{
  (void)state;
  struct vw_trace *f = fake_scene();
  struct vw_minimap *map = vw_minimap_new(f, VW_LANES_M, 100);
  assert_non_null(map);
  assert_int_equal(map->n_lanes, 2);
  assert_int_equal(map->busy[10], 255);
  assert_int_equal(map->busy[90], 0);
  assert_int_equal(map->busy[100 + 50], 255);
  assert_int_equal(map->marks[42], 1 + VW_MARK_PANIC);
  uint64_t sum = 0;
  for (int x = 0; x < 100; x++)
    sum += map->events[x];
  assert_int_equal(sum, vw_event_count(f));
  vw_minimap_free(map);
  fake_free(f);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(zooming_in_and_out_cancels_exactly),
    cmocka_unit_test(zooming_keeps_the_time_under_the_pointer),
    cmocka_unit_test(two_views_on_one_scale_begin_below_each_other),
    cmocka_unit_test(a_view_never_leaves_the_trace_by_more_than_its_margin),
    cmocka_unit_test(revealing_an_event_moves_but_does_not_zoom),
    cmocka_unit_test(a_range_that_shows_everything_stays_whatever_is_revealed),
    cmocka_unit_test(the_first_view_leaves_out_a_long_start_up_and_nothing_else),
    cmocka_unit_test(the_overview_knows_how_busy_and_where_a_panic_was),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
