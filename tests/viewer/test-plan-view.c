/* SPDX-License-Identifier: MIT */
/* test-plan-view.c - zooming and panning, what is at a point, arrows, a panic's stairs, foreign text. */
#include "test.h"

#include "fake-trace.h"
#include "plan-build.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct vw_plan *scene_plan(struct vw_trace *f, enum vw_lane_kind lanes, struct vw_view *view)
{
  vw_view_init(view, f, lanes, 1280, 400);
  struct vw_plan *plan = vw_plan_new(f, view);
  assert_non_null(plan);
  return plan;
}

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
  struct vw_plan *plan = scene_plan(f, VW_LANES_M, &view);
  double x = 700;
  int64_t t = vw_plan_t(plan, x);
  vw_plan_free(plan);
  vw_view_zoom(&view, f, 5, t);
  plan = vw_plan_new(f, &view);
  assert_in_range((int64_t)(vw_plan_x(plan, t) + 0.5), 699, 701);
  vw_plan_free(plan);
  fake_free(f);
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

static void every_rectangle_is_found_at_its_middle(void **state)
{
  (void)state;
  struct vw_trace *f = fake_crowd(3, 800);
  struct vw_view view;
  struct vw_plan *plan = scene_plan(f, VW_LANES_M, &view);
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
  struct vw_plan *plan = scene_plan(f, VW_LANES_M, &view);
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
  struct vw_plan *plan = scene_plan(f, VW_LANES_M, &view);
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

static void arrows_touch_the_bars_of_their_lanes(void **state)
{
  (void)state;
  struct vw_trace *f = fake_scene();
  struct vw_view view;
  struct vw_plan *plan = scene_plan(f, VW_LANES_M, &view);
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
  struct vw_plan *plan = scene_plan(f, VW_LANES_M, &view);
  size_t n;
  vw_arrows(f, &n);
  assert_true(n > 3000);
  assert_true(plan->n_arrows <= VW_PLAN_ARROWS && plan->n_arrows > 50);
  assert_true(plan->hidden_arrows >= n / 2);
  vw_plan_free(plan);
  fake_free(f);
}

static size_t count_bold(const struct vw_plan *plan)
{
  size_t n = 0;
  for (size_t i = 0; i < plan->n_arrows; i++) {
    n += plan->arrows[i].highlighted;
    assert_false(plan->arrows[i].highlighted && plan->arrows[i].dimmed);
  }
  return n;
}

static void what_is_left_out_is_said_in_words(void **state)
{
  (void)state;
  char text[300];
  struct vw_trace *f = fake_crowd(4, 3000);
  struct vw_view view;
  struct vw_plan *plan = scene_plan(f, VW_LANES_M, &view);
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
  plan = scene_plan(f, VW_LANES_M, &view);
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

static void a_tag_on_the_ruler_stands_beside_its_words(void **state)
{
  (void)state;
  struct vw_trace *f = fake_scene();
  struct vw_view view;
  struct vw_plan *plan = scene_plan(f, VW_LANES_M, &view);
  double x0, x1;
  size_t n_words = 0;
  for (size_t i = 0; i < plan->n_ticks; i++) {
    if (!vw_tick_word(plan, &plan->ticks[i], &x0, &x1) || x0 < 200 || x1 > 1000)
      continue;
    n_words++; /* an area whose middle is this word's */
    double from = (x0 + x1) / 2 - 120, to = (x0 + x1) / 2 + 120,
           left = vw_ruler_room(plan, from, to, 40);
    assert_true(left >= from && left + 40 <= to);
    for (size_t k = 0; k < plan->n_ticks; k++) {
      double w0, w1;
      if (vw_tick_word(plan, &plan->ticks[k], &w0, &w1))
        assert_true(left >= w1 || left + 40 <= w0);
    }
    assert_true(isnan(vw_ruler_room(plan, x0, x1, x1 - x0)));
  }
  assert_true(n_words > 3);
  vw_plan_free(plan);
  fake_free(f);
}

static void a_panics_steps_go_down_one_row_each(void **state)
{
  (void)state;
  struct vw_trace *f = fake_scene();
  struct vw_view view;
  struct vw_plan *plan = scene_plan(f, VW_LANES_G, &view);
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

static void panics_without_room_are_counted_until_one_zooms_in(void **state)
{
  (void)state;
  struct vw_trace *f = fake_scene();
  for (int i = 0; i < 3; i++)
    fake_panic(f, 2, 600000 + i * 4000, 10, "again", 1);
  struct vw_view view;
  struct vw_plan *plan = scene_plan(f, VW_LANES_G, &view);
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

static void a_long_panic_shows_its_first_and_last_steps_with_their_numbers(void **state)
{
  (void)state;
  struct vw_trace *f = fake_scene();
  fake_panic(f, 2, 600000, 2000, "deep", 50);
  struct vw_view view;
  struct vw_plan *plan = scene_plan(f, VW_LANES_G, &view);
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

static void foreign_text_becomes_one_harmless_line(void **state)
{
  (void)state;
  char out[64];
  vw_display_text("a\nb\tc", 5, out, sizeof out);
  assert_string_equal(out, "a b c");
  vw_display_text("\xff\xc0\x80", 3, out, sizeof out);
  assert_string_equal(out, "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
  vw_display_text("x\xe2\x80\xaey", 5, out, sizeof out);
  assert_string_equal(out, "x\xef\xbf\xbdy");
  vw_display_text("<b>&", 4, out, sizeof out);
  assert_string_equal(out, "<b>&");
  vw_display_text("e\xcc\x81\xcc\x81\xcc\x81\xcc\x81", 9, out, sizeof out);
  assert_string_equal(out, "e\xcc\x81\xcc\x81");
  vw_display_text("\xe4\xbd\xa0\xe5\xa5\xbd", 6, out, sizeof out);
  assert_string_equal(out, "\xe4\xbd\xa0\xe5\xa5\xbd");
}

static void a_megabyte_of_text_ends_in_an_ellipsis(void **state)
{
  (void)state;
  size_t n = 1 << 20;
  char *raw = malloc(n), out[32];
  assert_non_null(raw);
  for (int byte = 1; byte < 256; byte++) {
    memset(raw, byte, n);
    size_t length = vw_display_text(raw, n, out, sizeof out);
    assert_true(length == strlen(out) && length < sizeof out);
  }
  memset(raw, 'x', n);
  assert_int_equal(vw_display_text(raw, n, out, sizeof out), 31);
  assert_string_equal(out + 28, "\xe2\x80\xa6");
  free(raw);
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
    cmocka_unit_test(a_view_never_leaves_the_trace_by_more_than_its_margin),
    cmocka_unit_test(revealing_an_event_moves_but_does_not_zoom),
    cmocka_unit_test(every_rectangle_is_found_at_its_middle),
    cmocka_unit_test(finds_marks_steps_overlays_titles_and_the_ruler),
    cmocka_unit_test(a_tooltip_tells_how_many_spans_are_merged),
    cmocka_unit_test(arrows_touch_the_bars_of_their_lanes),
    cmocka_unit_test(arrows_are_cut_at_the_border_and_say_so),
    cmocka_unit_test(of_too_many_arrows_the_longest_stay_and_the_rest_is_counted),
    cmocka_unit_test(what_is_left_out_is_said_in_words),
    cmocka_unit_test(a_still_picture_says_how_many_lanes_it_has_no_room_for),
    cmocka_unit_test(a_selected_gs_arrows_are_bold_but_never_a_thicket),
    cmocka_unit_test(of_a_selected_ms_arrows_only_those_of_the_selected_span_are_bold),
    cmocka_unit_test(a_range_that_shows_everything_stays_whatever_is_revealed),
    cmocka_unit_test(the_first_view_leaves_out_a_long_start_up_and_nothing_else),
    cmocka_unit_test(a_tag_on_the_ruler_stands_beside_its_words),
    cmocka_unit_test(a_panics_steps_go_down_one_row_each),
    cmocka_unit_test(a_long_panic_shows_its_first_and_last_steps_with_their_numbers),
    cmocka_unit_test(panics_without_room_are_counted_until_one_zooms_in),
    cmocka_unit_test(without_room_the_fatal_panic_is_told_and_before_it_the_cursors),
    cmocka_unit_test(what_an_m_ran_stands_out_on_lanes_of_gs_and_slivers_fade_nothing),
    cmocka_unit_test(a_selection_that_is_not_in_the_picture_fades_nothing),
    cmocka_unit_test(foreign_text_becomes_one_harmless_line),
    cmocka_unit_test(a_megabyte_of_text_ends_in_an_ellipsis),
    cmocka_unit_test(the_overview_knows_how_busy_and_where_a_panic_was),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
