/* SPDX-License-Identifier: MIT */
/* test-plan-panic.c - a panic's steps, one row each, as far as there is room for them. */
#include "test.h"

#include "fake-trace.h"
#include "plan-build.h"
#include "whole-plan.h"

#include <string.h>

static void a_panics_steps_go_down_one_row_each(void **state)
{
  (void)state;
  struct vw_trace *f = fake_scene();
  struct vw_view view;
  struct vw_plan *plan = whole_plan(f, VW_LANES_G, &view);
  float y = 0, x = 0;
  uint32_t number = 0;
  for (size_t i = 0; i < plan->n_path; i++) {
    const struct vw_path_step *s = &plan->path[i];
    if (!s->number)
      continue;
    assert_int_equal(s->number, ++number);
    assert_true(s->y > y && s->x >= x);
    y = s->y;
    x = s->x;
  }
  assert_int_equal(number, 4);
  vw_plan_free(plan);
  fake_free(f);
}

static bool has_words(const struct vw_plan *plan, const char *words)
{
  for (size_t i = 0; i < plan->n_labels; i++)
    if (strstr(plan->texts + plan->labels[i].text, words))
      return true;
  return false;
}

static void a_long_panic_shows_its_first_and_last_steps_with_their_numbers(void **state)
{
  (void)state;
  struct vw_trace *f = fake_scene();
  fake_panic(f, 2, 600000, 2000, "deep", 50);
  struct vw_view view;
  struct vw_plan *plan = whole_plan(f, VW_LANES_G, &view);
  uint32_t numbers[VW_STAGE_ROWS] = { 0 };
  size_t n = 0;
  for (size_t i = 0; i < plan->n_path; i++)
    if (plan->path[i].panic == 1 && plan->path[i].number)
      numbers[n++ % VW_STAGE_ROWS] = plan->path[i].number;
  assert_int_equal(n, VW_STAGE_ROWS);
  assert_int_equal(numbers[4], 5);
  assert_int_equal(numbers[5], 49);
  assert_int_equal(numbers[9], 53);
  assert_true(has_words(plan, "not shown: 6 to 48"));
  vw_plan_free(plan);
  fake_free(f);
}

static void panics_without_room_are_counted_until_one_zooms_in(void **state)
{
  (void)state;
  struct vw_trace *f = fake_scene();
  for (int i = 0; i < 3; i++)
    fake_panic(f, 2, 600000 + i * 4000, 10, "again", 1);
  struct vw_view view;
  struct vw_plan *plan = whole_plan(f, VW_LANES_G, &view);
  assert_true(has_words(plan, "+2 more panics: zoom in"));
  vw_plan_free(plan);
  view.t0 = 599800;
  view.t1 = 612300;
  view.width = 1900;
  plan = vw_plan_new(f, &view);
  assert_false(has_words(plan, "zoom in"));
  size_t told = 0;
  for (size_t i = 0; i < plan->n_path; i++)
    if (plan->path[i].panic >= 1 && plan->path[i].number == 1) { /* 0 is the scene's own */
      told++;
      assert_int_equal(plan->path[i].story,
                       plan->path[i].panic); /* its place among those of G2, though 0 is G1's */
    }
  assert_int_equal(told, 3);
  vw_plan_free(plan);
  fake_free(f);
}

/* Which panic the first step in the picture is of, among several without room for all. */
static uint32_t told_first(struct vw_trace *f, const struct vw_view *view)
{
  struct vw_plan *plan = vw_plan_new(f, view);
  uint32_t panic = UINT32_MAX;
  size_t n = 0;
  for (size_t i = 0; i < plan->n_path; i++)
    if (plan->path[i].number == 1) {
      panic = plan->path[i].panic;
      n++;
    }
  assert_int_equal(n, 1);
  vw_plan_free(plan);
  return panic;
}

static void without_room_the_fatal_panic_is_told_and_before_it_the_cursors(void **state)
{
  (void)state;
  struct vw_trace *f = fake_new();
  fake_lane(f, VW_LANES_G, 2, "G2", "");
  for (int i = 0; i < 3; i++)
    fake_panic(f, 2, 600000 + i * 4000, 10, "again", 1);
  struct vw_view view;
  vw_view_init(&view, f, VW_LANES_G, 1280, 400);
  assert_int_equal(told_first(f, &view), 0);
  fake_fatal(f, 1);
  assert_int_equal(told_first(f, &view), 1);
  size_t n;
  view.event_no = vw_panics(f, &n)[2].begin_no + 1;
  assert_int_equal(told_first(f, &view), 2);
  int64_t t0, t1;
  assert_true(vw_panic_story_at(f, view.event_no, &t0, &t1));
  assert_int_equal(t0, 608000);
  assert_int_equal(t1, 608040);
  fake_free(f);
}

/* The last step is at the right edge, far from the one before: its words stand on the line between, next to it. */
static void words_at_the_right_edge_stand_beside_their_disc(void **state)
{
  (void)state;
  struct vw_trace *f = fake_new();
  fake_lane(f, VW_LANES_G, 2, "G2", "");
  fake_panic(f, 2, 0, 187500, "slow", 1);
  fake_time(f, 0, 770000);
  struct vw_view view;
  vw_view_init(&view, f, VW_LANES_G, 1900, 400);
  struct vw_plan *plan = vw_plan_new(f, &view);
  const struct vw_path_step *last = &plan->path[plan->n_path - 1];
  const struct vw_label *words = NULL;
  for (size_t i = 0; i < plan->n_labels; i++)
    if (strstr(plan->texts + plan->labels[i].text, "recovered: back in"))
      words = &plan->labels[i];
  assert_non_null(words);
  assert_int_equal(last->number, 4);
  assert_true(last->x > 1800);
  assert_true(words->x + words->max_w < last->x && words->x + words->max_w > last->x - 30);
  vw_plan_free(plan);
  fake_free(f);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_panics_steps_go_down_one_row_each),
    cmocka_unit_test(words_at_the_right_edge_stand_beside_their_disc),
    cmocka_unit_test(a_long_panic_shows_its_first_and_last_steps_with_their_numbers),
    cmocka_unit_test(panics_without_room_are_counted_until_one_zooms_in),
    cmocka_unit_test(without_room_the_fatal_panic_is_told_and_before_it_the_cursors),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
