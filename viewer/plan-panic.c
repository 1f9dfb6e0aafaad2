/* SPDX-License-Identifier: MIT */
/* plan-panic.c - the walk of a panic, as stairs under the bar of the lane where it began.
 *
 * Each step that a reader should know of (the panic, each deferred call that it runs, each recover, how it ended)
 * stands at its time, one row lower than the one before: 1 panic "boom", 2 cleanup runs, 3 recover, 4 back in the
 * frame.  Because every step has a row of its own, its words have room at any zoom; seen from afar
 * the stairs become a list under one point.  Of many steps the first and the last few are shown; their numbers
 * tell how many are left out, and the words before the gap say which.  Panics whose discs would stand on others'
 * are told once there is room; until then a note says how many they are.
 *
 * Not done: rows by frame depth.  It needs frames' names, which the trace does not have, and puts two words on
 * one row.
 */
#include "plan-build.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
  DISC = 8,    /* px of a disc's radius */
  TAKEN = 512, /* callouts remembered, so that none stands on another */
  INSIDE = 16, /* panics told in one story */
  NEAR = 64,   /* panics looked through to find them */
};

static bool has_callout(const struct vw_panic_step *s)
{
  switch (s->kind) {
  case TRACE_PANIC_BEGIN:
  case TRACE_GOEXIT_BEGIN:
  case TRACE_DEFER_BEGIN:
  case TRACE_PANIC_RECOVER_CALL:
  case TRACE_PANIC_RECOVERED:
  case TRACE_PANIC_ABORTED:
  case TRACE_PANIC_FATAL:
  case TRACE_GOEXIT_END:
    return true;
  default:
    return false;
  }
}

/* A panic that began inside a deferred call of an older one of its G belongs to the older one's story. */
static bool is_inside(const struct vw_panic_path *inner, const struct vw_panic_path *outer)
{
  return inner->g == outer->g && inner->depth > outer->depth &&
         inner->begin_no >= outer->begin_no &&
         (outer->end_no == VW_NONE || inner->begin_no <= outer->end_no);
}

static bool belongs_to_older(const struct vw_panic_path *paths, size_t i)
{
  for (size_t back = 1; back <= i && back <= NEAR && paths[i].depth > 1; back++)
    if (is_inside(&paths[i], &paths[i - back]))
      return true;
  return false;
}

struct story { /* the paths of one panic and those inside it, read in the order of events */
  const struct vw_panic_path *paths;
  uint32_t index[INSIDE];
  size_t at[INSIDE];
  size_t n;
};

static struct story story_of(const struct vw_panic_path *paths, size_t n, size_t first)
{
  struct story story = { .paths = paths, .index = { (uint32_t)first }, .n = 1 };
  for (size_t i = first + 1; i < n && i <= first + NEAR && story.n < INSIDE; i++)
    if (is_inside(&paths[i], &paths[first]))
      story.index[story.n++] = (uint32_t)i;
  return story;
}

/* The next step of all; false at the end. */
static bool next_step(struct story *story, uint32_t *panic, uint32_t *step)
{
  size_t best = INSIDE;
  uint64_t least = VW_NONE;
  for (size_t i = 0; i < story->n; i++) {
    const struct vw_panic_path *path = &story->paths[story->index[i]];
    if (story->at[i] < path->n_steps && path->steps[story->at[i]].no < least) {
      least = path->steps[story->at[i]].no;
      best = i;
    }
  }
  if (best == INSIDE)
    return false;
  *panic = story->index[best];
  *step = (uint32_t)story->at[best]++;
  return true;
}

size_t vw_panic_callouts(const struct vw_panic_path *paths, size_t n_paths, size_t first,
                         struct vw_callout out[VW_STAGE_ROWS])
{
  size_t n = 0;
  uint32_t number = 0, panic, step;
  if (belongs_to_older(paths, first))
    return 0;
  struct story story = story_of(paths, n_paths, first);
  while (next_step(&story, &panic, &step)) {
    if (!has_callout(&paths[panic].steps[step]))
      continue;
    if (n == VW_STAGE_ROWS) { /* the last half moves up */
      size_t half = VW_STAGE_ROWS / 2;
      memmove(&out[half], &out[half + 1], (VW_STAGE_ROWS - half - 1) * sizeof *out);
      n--;
    }
    out[n++] = (struct vw_callout){ .panic = panic, .step = step, .number = ++number };
  }
  return n;
}

long vw_panic_lane(const struct vw_trace *trace, enum vw_lane_kind kind,
                   const struct vw_panic_path *path)
{
  if (kind == VW_LANES_G)
    return vw_lane_of(trace, kind, path->g);
  if (path->begin_no >= vw_event_count(trace))
    return -1;
  const struct trace_event *e = vw_event(trace, path->begin_no);
  if (kind == VW_LANES_P)
    return e->p == TRACE_NO_P ? -1 : vw_lane_of(trace, kind, e->p);
  return vw_lane_of(trace, kind, e->m);
}

/* ---- words ---- */
static void function_name(const struct vw_planner *pl, uint64_t fn, char *out, size_t n)
{
  const char *raw = fn ? vw_fn_name(pl->trace, fn) : "";
  if (vw_display_text(raw, strlen(raw), out, n) == 0)
    snprintf(out, n, "deferred call");
}

/* Function of the deferred call under way at a step, 0 none. */
static uint64_t call_before(const struct vw_panic_path *path, uint32_t step)
{
  for (uint32_t i = step; i-- > 0;)
    if (path->steps[i].kind == TRACE_DEFER_BEGIN)
      return path->steps[i].fn;
  return 0;
}

static void recover_text(const struct vw_planner *pl, const struct vw_panic_step *s, char *out,
                         size_t n)
{
  const struct trace_event *e =
      s->no < vw_event_count(pl->trace) ? vw_event(pl->trace, s->no) : NULL;
  if (!e || e->w[1] == TRACE_VERDICT_VALID) {
    snprintf(out, n, "recover: it counts");
    return;
  }
  const char *why = trace_word_text(TRACE_ARG_VERDICT, e->w[1]);
  snprintf(out, n, "recover fails: %s", why ? why : "unknown reason");
}

static void callout_text(const struct vw_planner *pl, const struct vw_panic_path *path,
                         uint32_t step, char *out, size_t n)
{
  const struct vw_panic_step *s = &path->steps[step];
  char text[128] = "";
  switch (s->kind) {
  case TRACE_PANIC_BEGIN:
    vw_display_text(path->value ? path->value : "", path->value ? strlen(path->value) : 0, text,
                    64);
    snprintf(out, n, "panic \xe2\x80\x9c%s\xe2\x80\x9d", text);
    break;
  case TRACE_GOEXIT_BEGIN:
    snprintf(out, n, "Goexit");
    break;
  case TRACE_DEFER_BEGIN:
    function_name(pl, s->fn, text, 64);
    snprintf(out, n, "%s runs", text);
    break;
  case TRACE_PANIC_RECOVER_CALL:
    recover_text(pl, s, out, n);
    break;
  case TRACE_PANIC_RECOVERED:
    function_name(pl, call_before(path, step), text, 64);
    snprintf(out, n, "recovered: back in the frame that deferred %s", text);
    break;
  case TRACE_PANIC_ABORTED:
    snprintf(out, n, "dropped: a newer panic took over");
    break;
  case TRACE_PANIC_FATAL:
    snprintf(out, n, "nobody recovered: the program ends");
    break;
  default:
    snprintf(out, n, "all deferred calls ran: the G ends");
  }
}

/* ---- room ---- */
struct box {
  double x0, x1, y;
};
struct stage {
  struct vw_planner *pl;
  struct box taken[TAKEN];
  size_t n_taken;
};

static bool is_free(const struct stage *stage, double x0, double x1, double y)
{
  for (size_t i = 0; i < stage->n_taken; i++)
    if (stage->taken[i].y == y && x0 < stage->taken[i].x1 && stage->taken[i].x0 < x1)
      return false;
  return true;
}

static void take(struct stage *stage, double x0, double x1, double y)
{
  if (stage->n_taken < TAKEN)
    stage->taken[stage->n_taken++] = (struct box){ x0, x1, y };
}

static double row_y(const struct vw_planner *pl, size_t lane, size_t row)
{
  const struct vw_extra *extra = vw_layout_extra(&pl->layout, lane);
  double y = vw_planner_bar_y(pl, lane) + vw_planner_bar_h(pl) + 4;
  y += extra ? extra->rows * pl->layout.row_h : 0;
  return y + ((double)row + 0.5) * pl->layout.step_h;
}

/* The words stand to the right of the disc; where the picture ends, to the left of the step that leads to it. */
static void put_words(struct stage *stage, double corner_x, double x, double y, const char *text)
{
  struct vw_planner *pl = stage->pl;
  double gap = (DISC + 5) * pl->font, w = vw_text_width(VW_ROLE_CALLOUT, pl->font, text);
  double right = pl->right - 6 - (x + gap), left = corner_x - gap - pl->left - 6;
  if (w > right && left > right) {
    w = w < left ? w : left;
    if (!is_free(stage, corner_x - gap - w, corner_x - gap, y) ||
        !vw_planner_label(pl, VW_ROLE_CALLOUT, corner_x - gap - w, y, w, text, UINT32_MAX)) {
      pl->plan->hidden_labels++;
      return;
    }
    pl->plan->labels[pl->plan->n_labels - 1].to_right = true;
    take(stage, corner_x - gap - w, corner_x - gap, y);
    return;
  }
  w = w < right ? w : right;
  if (!is_free(stage, x + gap, x + gap + w, y) ||
      !vw_planner_label(pl, VW_ROLE_CALLOUT, x + gap, y, w, text, UINT32_MAX))
    pl->plan->hidden_labels++;
  else
    take(stage, x + gap, x + gap + w, y);
}

static double callout_x(const struct vw_planner *pl, const struct vw_panic_path *paths,
                        const struct vw_callout *c)
{
  return vw_planner_x(pl, paths[c->panic].steps[c->step].ts);
}

static bool discs_fit(const struct stage *stage, size_t lane, const struct vw_panic_path *paths,
                      const struct vw_callout *c, size_t n)
{
  const struct vw_planner *pl = stage->pl;
  double r = (DISC + 1) * pl->font;
  for (size_t i = 0; i < n; i++) {
    double x = callout_x(pl, paths, &c[i]), y = row_y(pl, lane, i);
    if (!is_free(stage, x - r, x + r, y))
      return false;
  }
  return n > 0;
}

static void corner(struct vw_planner *pl, double x, double y, const struct vw_callout *c,
                   uint32_t number)
{
  struct vw_path_step *p = VW_PUSH(pl, path);
  if (p)
    *p = (struct vw_path_step){
      .x = (float)x, .y = (float)y, .panic = c->panic, .step = c->step, .number = number
    };
}

/* The words of a callout; the one before steps that are left out says which. */
static void words_of(const struct vw_planner *pl, const struct vw_panic_path *paths,
                     const struct vw_callout *c, const struct vw_callout *next, char *out, size_t n)
{
  callout_text(pl, &paths[c->panic], c->step, out, n);
  size_t length = strlen(out);
  uint32_t from = c->number + 1, to = next ? next->number - 1 : c->number;
  if (to == from)
    snprintf(out + length, n - length, " \xe2\x80\xa6 (not shown: %u)", from);
  else if (to > from)
    snprintf(out + length, n - length, " \xe2\x80\xa6 (not shown: %u to %u)", from, to);
}

/* False: there is no room, and only its mark stays. */
static bool plan_story(struct stage *stage, size_t lane, const struct vw_panic_path *paths,
                       const struct vw_callout *c, size_t n)
{
  struct vw_planner *pl = stage->pl;
  if (!discs_fit(stage, lane, paths, c, n))
    return false;
  double r = (DISC + 1) * pl->font, last_x = callout_x(pl, paths, &c[0]);
  corner(pl, last_x, vw_planner_bar_y(pl, lane) + vw_planner_bar_h(pl), &c[0], 0);
  for (size_t i = 0; i < n; i++) {
    double x = callout_x(pl, paths, &c[i]), y = row_y(pl, lane, i);
    corner(pl, last_x, y, &c[i], 0); /* down, then on: words stand to the right */
    corner(pl, x, y, &c[i], c[i].number);
    take(stage, x - r, x + r, y);
    last_x = x;
  }
  last_x = callout_x(pl, paths, &c[0]);
  for (size_t i = 0; i < n; i++) {
    char text[192];
    double x = callout_x(pl, paths, &c[i]);
    words_of(pl, paths, &c[i], i + 1 < n ? &c[i + 1] : NULL, text, sizeof text);
    if (x >= pl->left && x <= pl->right)
      put_words(stage, last_x < x ? last_x : x, x, row_y(pl, lane, i), text);
    last_x = x;
  }
  return true;
}

/* Right edge of what is on a row, the left of the picture if nothing is. */
static double row_end(const struct stage *stage, double y)
{
  double end = stage->pl->left;
  for (size_t i = 0; i < stage->n_taken; i++)
    if (stage->taken[i].y == y && stage->taken[i].x1 > end)
      end = stage->taken[i].x1;
  return end;
}

/* How many panics of a lane found no room, behind the words of the first row that has some. */
static void plan_untold(struct stage *stage, size_t lane, size_t n)
{
  const struct vw_extra *extra = vw_layout_extra(&stage->pl->layout, lane);
  char text[64];
  snprintf(text, sizeof text, "+%zu more panic%s: zoom in", n, n == 1 ? "" : "s");
  double w = vw_text_width(VW_ROLE_CALLOUT, stage->pl->font, text);
  for (uint32_t row = 0; extra && row < extra->steps; row++) {
    double y = row_y(stage->pl, lane, row), x = row_end(stage, y) + 24 * stage->pl->font;
    if (x + w > stage->pl->right - 6)
      continue;
    vw_planner_label(stage->pl, VW_ROLE_CALLOUT, x, y, w + 1, text, UINT32_MAX);
    return;
  }
  stage->pl->plan->hidden_labels++;
}

static bool is_in_view(const struct vw_planner *pl, long lane)
{
  return lane >= 0 && vw_planner_band_y(pl, (size_t)lane) < pl->layout.bottom &&
         vw_planner_band_y(pl, (size_t)lane + 1) > pl->layout.top;
}

/* Tells the story of a panic in view; returns how many panics of it found no room. */
static size_t tell(struct stage *stage, size_t lane, const struct vw_panic_path *paths, size_t n,
                   size_t i)
{
  struct vw_callout c[VW_STAGE_ROWS];
  size_t n_callouts = vw_panic_callouts(paths, n, i, c);
  if (n_callouts == 0) /* told with an older one */
    return 0;
  bool full = stage->n_taken >= TAKEN - 2 * VW_STAGE_ROWS;
  if (!full && plan_story(stage, lane, paths, c, n_callouts))
    return 0;
  return story_of(paths, n, i).n;
}

void vw_plan_panics(struct vw_planner *pl)
{
  size_t n;
  const struct vw_panic_path *paths = vw_panics(pl->trace, &n);
  const struct vw_plan *plan = pl->plan;
  struct stage stage = { .pl = pl };
  size_t *untold = calloc(plan->n_bands + 1, sizeof *untold); /* of each band */
  if (!untold) {
    pl->failed = true;
    return;
  }
  for (size_t i = 0; i < n; i++) {
    if (paths[i].t0 > plan->view.t1 || paths[i].t1 < plan->view.t0)
      continue;
    long lane = vw_panic_lane(pl->trace, plan->view.lanes, &paths[i]);
    if (is_in_view(pl, lane) && plan->n_bands && (size_t)lane >= plan->bands[0].lane &&
        (size_t)lane - plan->bands[0].lane < plan->n_bands)
      untold[(size_t)lane - plan->bands[0].lane] += tell(&stage, (size_t)lane, paths, n, i);
  }
  for (size_t i = 0; i < plan->n_bands; i++)
    if (untold[i])
      plan_untold(&stage, plan->bands[i].lane, untold[i]);
  free(untold);
}
