/* SPDX-License-Identifier: MIT */
/* test-plan-hit.c - what is found at a point of the picture, and what is told of it. */
#include "test.h"

#include "fake-trace.h"
#include "plan.h"
#include "whole-plan.h"

#include <stdio.h>
#include <string.h>

static void every_rectangle_is_found_at_its_middle(void **state)
{
  (void)state;
  struct vw_trace *f = fake_crowd(3, 800);
  struct vw_view view;
  struct vw_plan *plan = whole_plan(f, VW_LANES_M, &view);
  plan->n_arrows = 0; /* they lie above spans and would be found first */
  assert_true(plan->n_rects > 500);
  for (size_t i = 0; i < plan->n_rects; i++) {
    const struct vw_rect *r = &plan->rects[i];
    struct vw_hit hit = vw_plan_hit(plan, f, (double)(r->x + r->w / 2), (double)(r->y + r->h / 2));
    assert_int_equal(hit.what, VW_HIT_SPAN);
    assert_int_equal(hit.index, i);
    assert_int_equal(hit.lane, r->lane);
  }
  vw_plan_free(plan);
  fake_free(f);
}

static void finds_marks_steps_overlays_titles_and_the_ruler(void **state)
{
  (void)state;
  struct vw_trace *f = fake_scene();
  struct vw_view view;
  struct vw_plan *plan = whole_plan(f, VW_LANES_M, &view);
  char text[400];
  assert_int_equal(vw_plan_hit(plan, f, 300, 5).what, VW_HIT_RULER);
  assert_int_equal(vw_plan_hit(plan, f, 20, (double)plan->bands[1].y + 3).what, VW_HIT_TITLE);
  for (size_t i = 0; i < plan->n_marks; i++) {
    struct vw_hit hit = vw_plan_hit(plan, f, (double)plan->marks[i].x, (double)plan->marks[i].y);
    assert_int_equal(hit.what, VW_HIT_MARK);
    assert_int_equal(hit.index, i);
    assert_true(vw_hit_text(plan, f, &hit, text, sizeof text) > 0);
  }
  size_t steps = 0, overlays = 0;
  for (size_t i = 0; i < plan->n_path; i++)
    if (plan->path[i].number)
      steps += vw_plan_hit(plan, f, (double)plan->path[i].x, (double)plan->path[i].y).what ==
               VW_HIT_STEP;
  for (size_t i = 0; i < plan->n_rects; i++)
    if (plan->rects[i].is_overlay)
      overlays +=
          vw_plan_hit(plan, f, (double)plan->rects[i].x + 2, (double)plan->rects[i].y + 2).what ==
          VW_HIT_OVERLAY;
  assert_int_equal(steps, 4);
  assert_int_equal(overlays, 2);
  vw_plan_free(plan);
  fake_free(f);
}

static void a_tooltip_tells_how_many_spans_are_merged(void **state)
{
  (void)state;
  struct vw_trace *f = fake_crowd(1, 30000);
  struct vw_view view;
  struct vw_plan *plan = whole_plan(f, VW_LANES_M, &view);
  plan->n_arrows = 0;
  char text[400], expected[64];
  const struct vw_rect *r = &plan->rects[plan->n_rects / 2];
  assert_true(r->count > 1);
  snprintf(expected, sizeof expected, "%u spans merged", r->count);
  struct vw_hit hit = vw_plan_hit(plan, f, (double)r->x + 0.5, (double)r->y + 3);
  vw_hit_text(plan, f, &hit, text, sizeof text);
  assert_non_null(strstr(text, expected));
  vw_plan_free(plan);
  fake_free(f);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(every_rectangle_is_found_at_its_middle),
    cmocka_unit_test(finds_marks_steps_overlays_titles_and_the_ruler),
    cmocka_unit_test(a_tooltip_tells_how_many_spans_are_merged),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
