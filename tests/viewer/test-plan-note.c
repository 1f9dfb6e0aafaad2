/* SPDX-License-Identifier: MIT */
/* test-plan-note.c - what a picture leaves out is counted, and said in words. */
#include "test.h"

#include "fake-trace.h"
#include "plan.h"
#include "whole-plan.h"

#include <stdio.h>
#include <string.h>

static void what_is_left_out_is_said_in_words(void **state)
{
  (void)state;
  char text[300];
  struct vw_trace *f = fake_crowd(4, 3000);
  struct vw_view view;
  struct vw_plan *plan = whole_plan(f, VW_LANES_M, &view);
  assert_true(plan->hidden_arrows > 0 && plan->merged_spans > 0);
  size_t n = vw_plan_left_out(plan, text, sizeof text);
  assert_int_equal(n, strlen(text));
  unsigned long hidden = 0, thousands = 0;
  assert_true(sscanf(text, "%lu,%lu of ", &thousands, &hidden) == 2);
  assert_int_equal(thousands * 1000 + hidden, plan->hidden_arrows);
  assert_non_null(strstr(text, " spans merged: zoom in"));
  char cut[20];
  assert_int_equal(vw_plan_left_out(plan, cut, sizeof cut), 19);
  assert_int_equal(plan->note, UINT32_MAX); /* the window's: it says so elsewhere */
  vw_plan_free(plan);
  view.show_legend = true;
  plan = vw_plan_new(f, &view);
  assert_string_equal(plan->texts + plan->note, text);
  assert_true(plan->note_height > 0 && plan->legend > plan->note_height);
  vw_plan_free(plan);
  fake_free(f);
  f = fake_new();
  size_t lane = fake_lane(f, VW_LANES_M, 0, "M0", "");
  fake_span(f, VW_LANES_M, lane, 0, 1000000, VW_STATE_RUNNING, 1);
  plan = whole_plan(f, VW_LANES_M, &view);
  assert_int_equal(vw_plan_left_out(plan, text, sizeof text), 0);
  vw_plan_free(plan);
  fake_free(f);
}

/* Whatever its height, a picture that nobody can scroll shows each lane or counts it. */
static void a_still_picture_says_how_many_lanes_it_has_no_room_for(void **state)
{
  (void)state;
  struct vw_trace *f = fake_new();
  for (uint32_t m = 0; m < 40; m++)
    fake_span(f, VW_LANES_M, fake_lane(f, VW_LANES_M, m, "M", ""), 0, 1000000, VW_STATE_RUNNING, 1);
  struct vw_view view;
  vw_view_init(&view, f, VW_LANES_M, 1280, 400);
  view.is_still = view.show_legend = true;
  size_t least = SIZE_MAX;
  for (view.height = 100; view.height < 1100; view.height += 7) {
    struct vw_plan *plan = vw_plan_new(f, &view);
    size_t whole = 0;
    for (size_t i = 0; i < plan->n_rects; i++)
      whole += plan->rects[i].y + plan->rects[i].h <= view.height - plan->legend;
    assert_true(whole + plan->more_lanes >= 40); /* and not a lane too few */
    assert_true(whole + plan->more_lanes <= 41);
    assert_int_equal(plan->note != UINT32_MAX, plan->more_lanes > 0);
    least = plan->more_lanes < least ? plan->more_lanes : least;
    vw_plan_free(plan);
  }
  assert_int_equal(least, 0);
  fake_free(f);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(what_is_left_out_is_said_in_words),
    cmocka_unit_test(a_still_picture_says_how_many_lanes_it_has_no_room_for),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
