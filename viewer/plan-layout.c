/* SPDX-License-Identifier: MIT */
/* plan-layout.c - how tall the lanes are, and which stands where.
 *
 * A lane is, from top to bottom: a strip for marks, so that they never stand on a word; the bar of its spans;
 * rows for overlays, as many as it ever needs (at most four); and, where a panic walks, its stage: a row for
 * each callout.  Heights depend on the trace alone, not on the time shown, so nothing jumps while panning.
 *
 * Only lanes with more than a bar are listed, so a hundred thousand lanes of Gs cost nothing.  Above
 * SCANNED lanes overlays get no rows of their own and are drawn as a strip on the bar.
 */
#include "plan-build.h"

#include <stdlib.h>

enum {
  SCANNED = 4096,
  ROWS = 4, /* a panic, its deferred call, the panic in that, and what recovers it */
  LOOKED_AT = 64,
  PANICS = 10000
};

static uint32_t overlay_rows(const struct vw_lane *lane)
{
  uint32_t deepest = 0;
  if (lane->n_overlays == 0)
    return 0;
  for (size_t i = 0; i < lane->n_overlays && i < LOOKED_AT; i++)
    if (lane->overlays[i].depth > deepest)
      deepest = lane->overlays[i].depth;
  return deepest + 1 < ROWS ? deepest + 1 : ROWS;
}

static int by_lane(const void *a, const void *b)
{
  const struct vw_extra *x = a, *y = b;
  return (x->lane > y->lane) - (x->lane < y->lane);
}

/* One entry a lane, the most of each. */
static void merge_extras(struct vw_layout *layout)
{
  size_t n = 0;
  qsort(layout->extras, layout->n_extras, sizeof *layout->extras, by_lane);
  for (size_t i = 0; i < layout->n_extras; i++) {
    struct vw_extra *e = &layout->extras[i];
    struct vw_extra *last = n ? &layout->extras[n - 1] : NULL;
    if (!last || last->lane != e->lane) {
      layout->extras[n++] = *e;
      continue;
    }
    last->rows = e->rows > last->rows ? e->rows : last->rows;
    last->steps = e->steps > last->steps ? e->steps : last->steps;
  }
  layout->n_extras = n;
}

static double extra_height(const struct vw_layout *layout, const struct vw_extra *e)
{
  return e->rows * layout->row_h + (e->steps ? e->steps * layout->step_h + 6 : 0);
}

static void list_extras(struct vw_layout *layout, const struct vw_trace *trace,
                        enum vw_lane_kind kind)
{
  size_t n_panics, room;
  const struct vw_panic_path *panics = vw_panics(trace, &n_panics);
  if (n_panics > PANICS)
    n_panics = PANICS;
  size_t scanned = layout->n_lanes <= SCANNED ? layout->n_lanes : 0;
  room = scanned + n_panics;
  layout->extras = calloc(room + 1, sizeof *layout->extras);
  layout->failed = !layout->extras;
  if (layout->failed)
    return;
  for (size_t i = 0; i < scanned; i++) {
    uint32_t rows = overlay_rows(vw_lane(trace, kind, i));
    if (rows)
      layout->extras[layout->n_extras++] = (struct vw_extra){ .lane = (uint32_t)i, .rows = rows };
  }
  for (size_t i = 0; i < n_panics; i++) {
    struct vw_callout callouts[VW_STAGE_ROWS];
    long lane = vw_panic_lane(trace, kind, &panics[i]);
    uint32_t steps = (uint32_t)vw_panic_callouts(panics, n_panics, i, callouts);
    if (lane >= 0 && steps)
      layout->extras[layout->n_extras++] =
          (struct vw_extra){ .lane = (uint32_t)lane, .steps = steps };
  }
  merge_extras(layout);
}

/* The height that was asked for, else as much as lets all lanes be seen, within what is pleasant. */
static double lane_height(const struct vw_layout *layout, const struct vw_view *view, double font,
                          double extra)
{
  if (view->lane_height > 0)
    return view->lane_height < 12 ? 12 : view->lane_height;
  double room = layout->bottom - layout->top - extra;
  double fit = layout->n_lanes ? room / (double)layout->n_lanes : 0;
  double least = 22 * font, normal = 34 * font, most = 46 * font;
  if (fit < least)
    return layout->n_lanes > 24 ? least : normal;
  return fit > most ? most : (double)(int)fit;
}

void vw_layout_init(struct vw_layout *layout, const struct vw_trace *trace,
                    const struct vw_view *view, double legend)
{
  double font = view->font_scale > 0 ? view->font_scale : 1;
  *layout = (struct vw_layout){ .top = (double)(int)(28 * font),
                                .n_lanes = vw_lane_count(trace, view->lanes) };
  layout->bottom = view->height - legend;
  list_extras(layout, trace, view->lanes);
  bool compact = view->lane_height > 0 && view->lane_height < 28;
  layout->row_h = (double)(int)((compact ? 14 : 18) * font);
  layout->step_h = (double)(int)((compact ? 16 : 19) * font);
  double extra = 0;
  for (size_t i = 0; i < layout->n_extras; i++) {
    layout->extras[i].before = extra;
    extra += extra_height(layout, &layout->extras[i]);
  }
  layout->lane_h = lane_height(layout, view, font, extra);
  layout->strip = layout->lane_h < 28 ? 5 : 9;
  layout->total = layout->lane_h * (double)layout->n_lanes + extra;
}

void vw_layout_clear(struct vw_layout *layout)
{
  free(layout->extras);
  *layout = (struct vw_layout){ 0 };
}

/* Index of the first extra at or after a lane. */
static size_t extra_from(const struct vw_layout *layout, size_t lane)
{
  size_t low = 0, high = layout->n_extras;
  while (low < high) {
    size_t mid = low + (high - low) / 2;
    if (layout->extras[mid].lane < lane)
      low = mid + 1;
    else
      high = mid;
  }
  return low;
}

double vw_layout_y(const struct vw_layout *layout, size_t lane)
{
  size_t i = extra_from(layout, lane);
  double before = 0;
  if (i < layout->n_extras)
    before = layout->extras[i].before;
  else if (i > 0)
    before = layout->extras[i - 1].before + extra_height(layout, &layout->extras[i - 1]);
  return layout->lane_h * (double)lane + before;
}

const struct vw_extra *vw_layout_extra(const struct vw_layout *layout, size_t lane)
{
  size_t i = extra_from(layout, lane);
  return i < layout->n_extras && layout->extras[i].lane == lane ? &layout->extras[i] : NULL;
}
