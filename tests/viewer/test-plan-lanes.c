/* SPDX-License-Identifier: MIT */
/* test-plan-lanes.c - rectangles, marks, labels and the ruler: bounds, counts, no overlaps. */
#include "test.h"

#include "fake-trace.h"
#include "plan-build.h"
#include "whole-plan.h"

#include <math.h>
#include <string.h>

/* Spans of a lane that a view touches. */
static size_t visible(const struct vw_lane *lane, const struct vw_view *view)
{
  size_t n = 0;
  for (size_t i = 0; i < lane->n_spans; i++)
    n += lane->spans[i].t1 > view->t0 && lane->spans[i].t0 < view->t1;
  return n;
}

static void check_rects(struct vw_trace *f, const struct vw_plan *plan)
{
  for (size_t i = 0; i < plan->n_rects; i++) {
    const struct vw_rect *r = &plan->rects[i], *before = i ? r - 1 : NULL;
    assert_true(r->x >= plan->gutter && r->x + r->w <= (float)plan->view.width);
    assert_true(r->w >= 1 && r->h >= 1 && r->count >= 1);
    if (before && before->lane == r->lane && before->y == r->y)
      assert_true(before->x + before->w <= r->x);
  }
  for (size_t b = 0; b < plan->n_bands; b++) {
    size_t sum = 0;
    for (size_t i = 0; i < plan->n_rects; i++)
      if (plan->rects[i].lane == plan->bands[b].lane && !plan->rects[i].is_overlay)
        sum += plan->rects[i].count;
    const struct vw_lane *lane = vw_lane(f, plan->view.lanes, plan->bands[b].lane);
    size_t expected = visible(lane, &plan->view);
    assert_in_range(sum, expected ? expected - 1 : 0,
                    expected); /* one may begin in the very last part of a pixel */
  }
}

static void counts_every_visible_span_once_at_every_zoom(void **state)
{
  (void)state;
  struct vw_trace *f = fake_crowd(4, 3000);
  struct vw_view view = whole(f, VW_LANES_M, 900, 300);
  for (int i = 0; i < 24; i++) {
    struct vw_plan *plan = planned(f, &view);
    check_rects(f, plan);
    assert_true(plan->n_rects <= (size_t)(4 * 900));
    vw_plan_free(plan);
    vw_view_zoom(&view, f, 1.7, f ? view.t0 + (view.t1 - view.t0) / 3 : 0);
  }
  fake_free(f);
}

static void draws_a_wide_span_where_its_times_are(void **state)
{
  (void)state;
  struct vw_trace *f = fake_scene();
  struct vw_view view = whole(f, VW_LANES_M, 1280, 400);
  struct vw_plan *plan = planned(f, &view);
  assert_int_equal(plan->rects[0].state, VW_STATE_RUNNING);
  assert_true(fabs((double)plan->rects[0].x - vw_plan_x(plan, 0)) <= 1);
  assert_true(fabs((double)(plan->rects[0].x + plan->rects[0].w) - vw_plan_x(plan, 300000)) <= 1);
  assert_int_equal(plan->rects[0].count, 1);
  vw_plan_free(plan);
  fake_free(f);
}

static void the_gravest_of_merged_marks_is_seen_and_the_legend_has_all(void **state)
{
  (void)state;
  struct vw_trace *f = fake_new();
  size_t lane = fake_lane(f, VW_LANES_M, 0, "M0", "");
  fake_time(f, 0, 1000000);
  fake_span(f, VW_LANES_M, lane, 0, 1000000, VW_STATE_RUNNING, 1);
  static const enum vw_mark_kind kinds[] = { VW_MARK_TIMER, VW_MARK_PANIC, VW_MARK_RECOVER,
                                             VW_MARK_FATAL, VW_MARK_LOST };
  uint32_t all = 0;
  for (int i = 0; i < 5; i++) {
    fake_mark(f, VW_LANES_M, lane, 500000 + i, kinds[i]);
    all |= 1u << kinds[i];
  }
  struct vw_view view = whole(f, VW_LANES_M, 900, 300);
  struct vw_plan *plan = planned(f, &view);
  assert_int_equal(plan->n_marks, 1);
  assert_int_equal(plan->marks[0].count, 5);
  assert_int_equal(plan->marks[0].kind, VW_MARK_FATAL);
  assert_int_equal(plan->shown_marks, all);
  vw_plan_free(plan);
  struct vw_minimap *map = vw_minimap_new(f, VW_LANES_M, 10);
  assert_int_equal(map->marks[5] ? map->marks[5] : map->marks[4], 1 + VW_MARK_FATAL);
  vw_minimap_free(map);
  fake_free(f);
}

/* What a fault does to a G is soon followed by the panic that nobody recovers, and that has words of its own. */
static void a_demonstrated_fault_is_seen_before_what_came_of_it(void **state)
{
  (void)state;
  struct vw_trace *f = fake_new();
  size_t lane = fake_lane(f, VW_LANES_M, 0, "M0", "");
  fake_time(f, 0, 1000000);
  fake_span(f, VW_LANES_M, lane, 0, 1000000, VW_STATE_RUNNING, 1);
  fake_mark(f, VW_LANES_M, lane, 500000, VW_MARK_FAULT);
  fake_mark(f, VW_LANES_M, lane, 500001, VW_MARK_PANIC);
  fake_mark(f, VW_LANES_M, lane, 500002, VW_MARK_FATAL);
  struct vw_view view = whole(f, VW_LANES_M, 900, 300);
  struct vw_plan *plan = planned(f, &view);
  assert_int_equal(plan->n_marks, 1);
  assert_int_equal(plan->marks[0].kind, VW_MARK_FAULT);
  vw_plan_free(plan);
  fake_free(f);
}

/* A panic, its deferred call, the panic in that, and the call which recovers it: none covers another. */
static void a_panic_inside_a_panic_has_a_row_for_each_of_its_calls(void **state)
{
  (void)state;
  struct vw_trace *f = fake_new();
  size_t lane = fake_lane(f, VW_LANES_M, 0, "M0", ""), n = 0;
  fake_time(f, 0, 1000000);
  fake_span(f, VW_LANES_M, lane, 0, 1000000, VW_STATE_RUNNING, 1);
  for (unsigned depth = 0; depth < 4; depth++)
    fake_overlay(f, VW_LANES_M, lane, 100000 + 1000 * depth, 900000,
                 depth % 2 ? VW_STATE_CALL : VW_STATE_PANIC, depth);
  struct vw_view view = whole(f, VW_LANES_M, 900, 300);
  struct vw_plan *plan = planned(f, &view);
  float y = 0;
  for (size_t i = 0; i < plan->n_rects; i++)
    if (plan->rects[i].state == VW_STATE_CALL || plan->rects[i].state == VW_STATE_PANIC) {
      assert_true(plan->rects[i].y > y);
      assert_int_equal(plan->rects[i].count, 1);
      y = plan->rects[i].y;
      n++;
    }
  assert_int_equal(n, 4);
  vw_plan_free(plan);
  fake_free(f);
}

static void keeps_a_panics_mark_at_every_zoom_that_shows_it(void **state)
{
  (void)state;
  struct vw_trace *f = fake_crowd(2, 20000);
  int64_t at = vw_lane(f, VW_LANES_M, 1)->marks[0].ts;
  struct vw_view view = whole(f, VW_LANES_M, 700, 200);
  for (int zoom = 0; zoom < 30; zoom++) {
    struct vw_plan *plan = planned(f, &view);
    size_t found = 0, marks = 0;
    for (size_t i = 0; i < plan->n_marks; i++) {
      const struct vw_plan_mark *m = &plan->marks[i];
      found += m->lane == 1 && m->kind == VW_MARK_PANIC &&
               fabs((double)m->x - vw_plan_x(plan, at)) <= 12;
      marks += m->count;
    }
    assert_int_equal(found, 1);
    size_t expected = 0;
    for (size_t lane = 0; lane < 2; lane++)
      for (size_t i = 0; i < vw_lane(f, VW_LANES_M, lane)->n_marks; i++) {
        int64_t ts = vw_lane(f, VW_LANES_M, lane)->marks[i].ts;
        expected += ts >= view.t0 && ts <= view.t1;
      }
    assert_int_equal(marks, expected);
    vw_plan_free(plan);
    vw_view_zoom(&view, f, 1.6, at);
  }
  fake_free(f);
}

struct box {
  double x0, x1, y0, y1;
};

static struct box label_box(const struct vw_plan *plan, const struct vw_label *l)
{
  enum vw_role role = (enum vw_role)l->role;
  double w = vw_text_width(role, 1, plan->texts + l->text), h = vw_role_size(role);
  assert_true(w <= (double)l->max_w + 0.01);
  return (struct box){ (double)l->x, (double)l->x + w, (double)l->y - h / 2, (double)l->y + h / 2 };
}

static void check_labels(const struct vw_plan *plan)
{
  for (size_t i = 0; i < plan->n_labels; i++) {
    struct box a = label_box(plan, &plan->labels[i]);
    assert_true(a.x0 >= 0 && a.x1 <= plan->view.width);
    for (size_t j = 0; j < i; j++) {
      struct box b = label_box(plan, &plan->labels[j]);
      assert_false(a.x0 < b.x1 && b.x0 < a.x1 && a.y0 < b.y1 && b.y0 < a.y1);
    }
  }
}

static void no_label_stands_on_another_or_leaves_its_rectangle(void **state)
{
  (void)state;
  static const int sizes[][2] = { { 1280, 720 }, { 700, 400 }, { 320, 200 }, { 90, 60 }, { 1, 1 } };
  struct vw_trace *f = fake_scene();
  for (int kind = 0; kind < VW_LANE_KINDS; kind++)
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
      struct vw_view view = whole(f, (enum vw_lane_kind)kind, sizes[i][0], sizes[i][1]);
      view.show_legend = i % 2;
      struct vw_plan *plan = planned(f, &view);
      check_labels(plan);
      for (size_t l = 0; l < plan->n_labels; l++)
        if (plan->labels[l].rect != UINT32_MAX) {
          const struct vw_rect *r = &plan->rects[plan->labels[l].rect];
          assert_true(plan->labels[l].x >= r->x &&
                      plan->labels[l].x + plan->labels[l].max_w <= r->x + r->w);
        }
      vw_plan_free(plan);
    }
  fake_free(f);
}

static void shows_at_most_200_labels_and_says_how_many_are_hidden(void **state)
{
  (void)state;
  struct vw_trace *f = fake_crowd(60, 40);
  struct vw_view view = whole(f, VW_LANES_M, 4000, 3000);
  struct vw_plan *plan = planned(f, &view);
  size_t n = 0;
  for (size_t i = 0; i < plan->n_labels; i++)
    n += plan->labels[i].role == VW_ROLE_SPAN;
  assert_in_range(n, 100, VW_PLAN_LABELS);
  assert_true(plan->hidden_labels > 0);
  check_labels(plan);
  vw_plan_free(plan);
  fake_free(f);
}

static const char *first_tick(const struct vw_plan *plan)
{
  for (size_t i = 0; i < plan->n_ticks; i++)
    if (plan->ticks[i].text != UINT32_MAX && plan->texts[plan->ticks[i].text])
      return plan->texts + plan->ticks[i].text;
  return "";
}

static void all_labels_of_a_ruler_have_one_unit_and_as_many_decimals(void **state)
{
  (void)state;
  struct vw_trace *f = fake_new();
  fake_time(f, 0, 4000000000000);
  struct vw_view view = whole(f, VW_LANES_M, 1280, 200);
  for (int zoom = 0; zoom < 50; zoom++) {
    struct vw_plan *plan = planned(f, &view);
    const char *first = first_tick(plan), *dot = strchr(first, '.'), *unit = strchr(first, ' ');
    assert_non_null(unit);
    size_t shown = 0;
    for (size_t i = 0; i < plan->n_ticks; i++) {
      const char *text = plan->ticks[i].text == UINT32_MAX ? "" : plan->texts + plan->ticks[i].text;
      assert_true(i == 0 || plan->ticks[i].x > plan->ticks[i - 1].x);
      if (!*text)
        continue;
      shown++;
      assert_string_equal(strchr(text, ' '), unit);
      assert_int_equal(strchr(text, '.') ? strcspn(strchr(text, '.'), " ") : 0,
                       dot ? strcspn(dot, " ") : 0);
    }
    assert_in_range(shown, 2, 14);
    assert_true(plan->n_ticks < 200);
    vw_plan_free(plan);
    vw_view_zoom(&view, f, 2, 1234567891234);
  }
  fake_free(f);
}

static void survives_times_at_the_ends_of_the_range(void **state)
{
  (void)state;
  struct vw_trace *f = fake_scene();
  static const int64_t times[][2] = { { INT64_MIN, INT64_MAX },
                                      { INT64_MAX - 1, INT64_MAX },
                                      { INT64_MIN, INT64_MIN + 1 },
                                      { INT64_MAX, INT64_MIN },
                                      { 5, 5 },
                                      { INT64_MAX, INT64_MAX } };
  for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
    struct vw_view view = whole(f, VW_LANES_M, 800, 300);
    view.t0 = times[i][0];
    view.t1 = times[i][1];
    struct vw_plan *plan = planned(f, &view);
    assert_true(plan->n_rects <= 1600);
    vw_plan_t(plan, -1e9);
    vw_plan_t(plan, 1e300);
    vw_plan_free(plan);
  }
  fake_free(f);
}

static const char *label_of(const struct vw_plan *plan, enum vw_role role, size_t n)
{
  for (size_t i = 0; i < plan->n_labels; i++)
    if (plan->labels[i].role == role && n-- == 0)
      return plan->texts + plan->labels[i].text;
  return "";
}

/* "threa..." says of no M which it is. */
static void a_narrow_picture_says_of_each_m_its_thread_in_short(void **state)
{
  (void)state;
  struct vw_trace *f = fake_new();
  fake_lane(f, VW_LANES_M, 0, "M0", "thread 31623");
  fake_lane(f, VW_LANES_M, 1, "M1", "thread 3162498");
  for (int width = 455; width <= 1280; width += 825) {
    for (int low = 0; low < 2; low++) {
      struct vw_view view;
      vw_view_init(&view, f, VW_LANES_M, width, 400);
      view.lane_height = low ? 22 : 46;
      struct vw_plan *plan = vw_plan_new(f, &view);
      assert_string_equal(label_of(plan, VW_ROLE_TITLE, 0), "M0");
      assert_non_null(strstr(label_of(plan, VW_ROLE_SUBTITLE, 0), "31623"));
      if (!low)
        assert_non_null(strstr(label_of(plan, VW_ROLE_SUBTITLE, 1), "3162498"));
      vw_plan_free(plan);
    }
  }
  fake_free(f);
}

static void a_tag_on_the_ruler_stands_beside_its_words(void **state)
{
  (void)state;
  struct vw_trace *f = fake_scene();
  struct vw_view view;
  struct vw_plan *plan = whole_plan(f, VW_LANES_M, &view);
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

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(counts_every_visible_span_once_at_every_zoom),
    cmocka_unit_test(draws_a_wide_span_where_its_times_are),
    cmocka_unit_test(the_gravest_of_merged_marks_is_seen_and_the_legend_has_all),
    cmocka_unit_test(a_demonstrated_fault_is_seen_before_what_came_of_it),
    cmocka_unit_test(a_panic_inside_a_panic_has_a_row_for_each_of_its_calls),
    cmocka_unit_test(keeps_a_panics_mark_at_every_zoom_that_shows_it),
    cmocka_unit_test(no_label_stands_on_another_or_leaves_its_rectangle),
    cmocka_unit_test(shows_at_most_200_labels_and_says_how_many_are_hidden),
    cmocka_unit_test(all_labels_of_a_ruler_have_one_unit_and_as_many_decimals),
    cmocka_unit_test(survives_times_at_the_ends_of_the_range),
    cmocka_unit_test(a_narrow_picture_says_of_each_m_its_thread_in_short),
    cmocka_unit_test(a_tag_on_the_ruler_stands_beside_its_words),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
