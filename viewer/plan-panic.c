/* SPDX-License-Identifier: MIT */
/* plan-panic.c - the walk of a panic, as stairs under the bar of the lane where it began.
 *
 * Each step that a reader should know of (the panic, each deferred call that it runs, each recover, how it ended)
 * stands at its time, one row lower than the one before: 1 panic "boom", 2 cleanup runs, 3 recover, 4 back in the
 * frame.  Because every step has a row of its own, its words have room at any zoom; seen from afar
 * the stairs become a list under one point.  Of many steps the first and the last few are shown; their numbers
 * tell how many are left out, and the words before the gap say which.
 *
 * Where there is no room for all stories, discs and words, those are told first that a reader came for: the one that
 * the cursor's event is in, then fatal ones, then those of the selected G, then the others by time.  The rest is told
 * once there is room; until then a note says how many panics they are.  If a lane has several stories, numbers say
 * which one they are of: 2.4 is the fourth step of the lane's second story, at any zoom.
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
  for (size_t i = first + 1; i < n && i <= first + NEAR && story.n < INSIDE; i++) {
    if (paths[first].end_no != VW_NONE && paths[i].begin_no > paths[first].end_no)
      break;
    if (is_inside(&paths[i], &paths[first]))
      story.index[story.n++] = (uint32_t)i;
  }
  return story;
}

static int64_t path_end(const struct vw_panic_path *path)
{
  int64_t last = path->n_steps ? path->steps[path->n_steps - 1].ts : path->t1;
  return last > path->t1 ? last : path->t1;
}

bool vw_panic_story_at(const struct vw_trace *trace, uint64_t no, int64_t *t0, int64_t *t1)
{
  size_t n, low = 0;
  const struct vw_panic_path *paths = vw_panics(trace, &n);
  if (no >= vw_event_count(trace))
    return false;
  for (size_t high = n; low < high;) { /* the first that begins after it */
    size_t mid = low + (high - low) / 2;
    if (paths[mid].begin_no <= no)
      low = mid + 1;
    else
      high = mid;
  }
  uint32_t g = vw_event(trace, no)->g;
  for (size_t back = 1; back <= low && back <= NEAR; back++) {
    const struct vw_panic_path *path = &paths[low - back];
    uint64_t last = path->n_steps ? path->steps[path->n_steps - 1].no : path->begin_no;
    if (path->g != g || (path->end_no != VW_NONE && path->end_no < no && last < no) ||
        belongs_to_older(paths, low - back))
      continue;
    *t0 = path->t0;
    *t1 = path_end(path);
    return true;
  }
  return false;
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
static const char unnamed[] = "deferred call";

static void function_name(const struct vw_planner *pl, uint64_t fn, char *out, size_t n)
{
  const char *raw = fn ? vw_fn_name(pl->trace, fn) : "";
  if (vw_display_text(raw, strlen(raw), out, n) == 0)
    snprintf(out, n, "%s", unnamed);
}

static bool is_counting_recover(const struct vw_planner *pl, const struct vw_panic_step *s)
{
  if (s->kind != TRACE_PANIC_RECOVER_CALL || s->no >= vw_event_count(pl->trace))
    return false;
  return vw_event(pl->trace, s->no)->w[1] == TRACE_VERDICT_VALID;
}

/* Function of the deferred call that recovered, as the sentence of this step says; 0 unknown. */
static uint64_t recovered_by(const struct vw_planner *pl, const struct vw_panic_path *path,
                             uint32_t step)
{
  uint32_t n_inner = 0; /* calls that began and ended inside it, before it called recover */
  while (step > 0 && !is_counting_recover(pl, &path->steps[step]))
    step--;
  for (uint32_t i = step; i-- > 0;) {
    if (path->steps[i].kind == TRACE_DEFER_END)
      n_inner++;
    else if (path->steps[i].kind == TRACE_DEFER_BEGIN && n_inner-- == 0)
      return path->steps[i].fn;
  }
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

static void value_text(const struct vw_panic_path *path, char *out, size_t n)
{
  const char *value = path->value ? path->value : "";
  vw_display_text(value, strlen(value), out, n);
}

static void callout_text(const struct vw_planner *pl, const struct vw_panic_path *path,
                         uint32_t step, char *out, size_t n)
{
  const struct vw_panic_step *s = &path->steps[step];
  char text[128] = "";
  switch (s->kind) {
  case TRACE_PANIC_BEGIN:
    value_text(path, text, 64);
    snprintf(out, n, "panic \xe2\x80\x9c%s\xe2\x80\x9d", text);
    break;
  case TRACE_GOEXIT_BEGIN:
    snprintf(out, n, "Goexit");
    break;
  case TRACE_DEFER_BEGIN:
    function_name(pl, s->fn, text, 64);
    snprintf(out, n, path->end_no < s->no ? "%s runs: the frame returns" : "%s runs", text);
    break;
  case TRACE_PANIC_RECOVER_CALL:
    recover_text(pl, s, out, n);
    break;
  case TRACE_PANIC_RECOVERED:
    function_name(pl, recovered_by(pl, path, step), text, 64);
    snprintf(out, n, "recovered: back in the frame that deferred %s",
             strcmp(text, unnamed) == 0 ? "this call" : text);
    break;
  case TRACE_PANIC_ABORTED:
    value_text(path, text, 64);
    snprintf(out, n, "\xe2\x80\x9c%s\xe2\x80\x9d is dropped: a newer panic took over", text);
    break;
  case TRACE_PANIC_FATAL:
    value_text(path, text, 64);
    snprintf(out, n, "nobody recovered \xe2\x80\x9c%s\xe2\x80\x9d: the program ends", text);
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

struct words { /* where the words of a callout go */
  double x, w;
  bool to_right;
};

/* They stand to the right of the disc; where the picture ends, to the left of it, on the line of the step that leads
 * there, or, if that is too short, to the left of all of it. */
static struct words words_place(const struct vw_planner *pl, double gap, double corner_x, double x,
                                const char *text)
{
  double w = vw_text_width(VW_ROLE_CALLOUT, pl->font, text);
  double right = pl->right - 6 - (x + gap), left = corner_x - gap - pl->left - 6;
  if (w > right && x - corner_x > w + 3 * gap)
    return (struct words){ .x = x - gap - w, .w = w, .to_right = true };
  if (w > right && left > right) {
    w = w < left ? w : left;
    return (struct words){ .x = corner_x - gap - w, .w = w, .to_right = true };
  }
  return (struct words){ .x = x + gap, .w = w < right ? w : right };
}

static double callout_x(const struct vw_planner *pl, const struct vw_panic_path *paths,
                        const struct vw_callout *c)
{
  return vw_planner_x(pl, paths[c->panic].steps[c->step].ts);
}

static bool is_in_time(const struct vw_planner *pl, double x)
{
  return x >= pl->left && x <= pl->right;
}

static double radius_of(const struct vw_planner *pl, uint32_t story)
{
  return (story ? 2 * DISC : DISC + 1) * pl->font; /* "12.10" needs more than "7" */
}

static void corner(struct vw_planner *pl, double x, double y, const struct vw_callout *c,
                   uint32_t story, uint32_t number)
{
  struct vw_path_step *p = VW_PUSH(pl, path);
  if (p)
    *p = (struct vw_path_step){ .x = (float)x,
                                .y = (float)y,
                                .panic = c->panic,
                                .step = c->step,
                                .story = story,
                                .number = number };
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

/* One story on its lane. */
struct tale {
  const struct vw_panic_path *paths;
  size_t lane;
  uint32_t story; /* its number on the lane, 0 if it is the only one */
  struct vw_callout c[VW_STAGE_ROWS];
  size_t n;
};

/* Where the words of callout i go, and the words. False: it is outside the time shown. */
static bool tale_words(const struct vw_planner *pl, const struct tale *tale, size_t i,
                       struct words *place, char *text, size_t n)
{
  double x = callout_x(pl, tale->paths, &tale->c[i]);
  double before = callout_x(pl, tale->paths, &tale->c[i ? i - 1 : 0]);
  if (!is_in_time(pl, x))
    return false;
  words_of(pl, tale->paths, &tale->c[i], i + 1 < tale->n ? &tale->c[i + 1] : NULL, text, n);
  *place =
      words_place(pl, radius_of(pl, tale->story) + 4 * pl->font, before < x ? before : x, x, text);
  return true;
}

static bool fits(const struct stage *stage, const struct tale *tale)
{
  const struct vw_planner *pl = stage->pl;
  double r = radius_of(pl, tale->story);
  for (size_t i = 0; i < tale->n; i++) {
    char text[192];
    struct words words;
    double x = callout_x(pl, tale->paths, &tale->c[i]), y = row_y(pl, tale->lane, i);
    if (!is_free(stage, x - r, x + r, y))
      return false;
    if (tale_words(pl, tale, i, &words, text, sizeof text) && words.w > 0 &&
        !is_free(stage, words.x, words.x + words.w, y))
      return false;
  }
  return tale->n > 0;
}

static void put_words(struct stage *stage, const struct words *words, double y, const char *text)
{
  struct vw_planner *pl = stage->pl;
  if (!vw_planner_label(pl, VW_ROLE_CALLOUT, words->x, y, words->w, text, UINT32_MAX)) {
    pl->plan->hidden_labels++;
    return;
  }
  pl->plan->labels[pl->plan->n_labels - 1].to_right = words->to_right;
  take(stage, words->x, words->x + words->w, y);
}

/* False: there is no room, and only its mark stays. */
static bool plan_story(struct stage *stage, const struct tale *tale)
{
  struct vw_planner *pl = stage->pl;
  const struct vw_callout *c = tale->c;
  if (!fits(stage, tale))
    return false;
  double r = radius_of(pl, tale->story), last_x = callout_x(pl, tale->paths, &c[0]);
  corner(pl, last_x, vw_planner_bar_y(pl, tale->lane) + vw_planner_bar_h(pl), &c[0], tale->story,
         0);
  for (size_t i = 0; i < tale->n; i++) {
    char text[192];
    struct words words;
    double x = callout_x(pl, tale->paths, &c[i]), y = row_y(pl, tale->lane, i);
    corner(pl, last_x, y, &c[i], tale->story, 0); /* down, then on: words stand to the right */
    corner(pl, x, y, &c[i], tale->story, c[i].number);
    take(stage, x - r, x + r, y);
    if (tale_words(pl, tale, i, &words, text, sizeof text))
      put_words(stage, &words, y, text);
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

/* ---- which stories, and in which order ---- */
enum rank { /* what a reader came for comes first */
  RANK_CURSOR,
  RANK_FATAL,
  RANK_SELECTED,
  RANK_OTHER,
  RANKS
};

struct entry { /* a story in the picture */
  size_t path, band;
  uint32_t nth; /* on its lane, from 1 */
  enum rank rank;
};

static enum rank rank_of(const struct vw_planner *pl, const struct vw_panic_path *paths, size_t n,
                         size_t i)
{
  const struct vw_view *view = &pl->plan->view;
  const struct vw_panic_path *path = &paths[i];
  struct story story = story_of(paths, n, i);
  uint64_t last = path->n_steps ? path->steps[path->n_steps - 1].no : path->begin_no;
  last = path->end_no != VW_NONE && path->end_no > last ? path->end_no : last;
  if (view->event_no < vw_event_count(pl->trace) && view->event_no >= path->begin_no &&
      view->event_no <= last && vw_event(pl->trace, view->event_no)->g == path->g)
    return RANK_CURSOR;
  for (size_t k = 0; k < story.n; k++)
    if (paths[story.index[k]].outcome == VW_OUTCOME_FATAL)
      return RANK_FATAL;
  return view->selected == VW_SELECT_G && view->selected_id == path->g ? RANK_SELECTED : RANK_OTHER;
}

/* Index of the band on which a story stands, n_bands: none. */
static size_t band_of(const struct vw_planner *pl, const struct vw_panic_path *path)
{
  const struct vw_plan *plan = pl->plan;
  long lane = vw_panic_lane(pl->trace, plan->view.lanes, path);
  if (!is_in_view(pl, lane) || plan->n_bands == 0 || (size_t)lane < plan->bands[0].lane ||
      (size_t)lane - plan->bands[0].lane >= plan->n_bands)
    return plan->n_bands;
  return (size_t)lane - plan->bands[0].lane;
}

struct contents {
  struct entry *entries; /* by time */
  size_t n;
  uint32_t *totals; /* of each band: stories in the whole trace */
  size_t *untold;   /* of each band: panics without room */
};

static void list_stories(const struct vw_planner *pl, const struct vw_panic_path *paths, size_t n,
                         struct contents *contents)
{
  const struct vw_plan *plan = pl->plan;
  for (size_t i = 0; i < n; i++) {
    if (belongs_to_older(paths, i))
      continue;
    size_t band = band_of(pl, &paths[i]);
    if (band == plan->n_bands)
      continue;
    uint32_t nth = ++contents->totals[band];
    if (paths[i].t0 <= plan->view.t1 && path_end(&paths[i]) >= plan->view.t0)
      contents->entries[contents->n++] =
          (struct entry){ .path = i, .band = band, .nth = nth, .rank = rank_of(pl, paths, n, i) };
  }
}

static void tell(struct stage *stage, const struct vw_panic_path *paths, size_t n,
                 const struct entry *entry, struct contents *contents)
{
  struct tale tale = { .paths = paths,
                       .lane = stage->pl->plan->bands[entry->band].lane,
                       .story = contents->totals[entry->band] > 1 ? entry->nth : 0 };
  tale.n = vw_panic_callouts(paths, n, entry->path, tale.c);
  bool is_full = stage->n_taken >= TAKEN - 2 * VW_STAGE_ROWS;
  if (tale.n && (is_full || !plan_story(stage, &tale)))
    contents->untold[entry->band] += story_of(paths, n, entry->path).n;
}

void vw_plan_panics(struct vw_planner *pl)
{
  size_t n, n_bands = pl->plan->n_bands;
  const struct vw_panic_path *paths = vw_panics(pl->trace, &n);
  struct stage stage = { .pl = pl };
  struct contents contents = { .entries = calloc(n + 1, sizeof *contents.entries),
                               .totals = calloc(n_bands + 1, sizeof *contents.totals),
                               .untold = calloc(n_bands + 1, sizeof *contents.untold) };
  if (!contents.entries || !contents.totals || !contents.untold) {
    pl->failed = true;
    goto done;
  }
  list_stories(pl, paths, n, &contents);
  for (int rank = 0; rank < RANKS; rank++)
    for (size_t i = 0; i < contents.n; i++)
      if (contents.entries[i].rank == (enum rank)rank)
        tell(&stage, paths, n, &contents.entries[i], &contents);
  for (size_t i = 0; i < n_bands; i++)
    if (contents.untold[i])
      plan_untold(&stage, pl->plan->bands[i].lane, contents.untold[i]);
done:
  free(contents.entries);
  free(contents.totals);
  free(contents.untold);
}
