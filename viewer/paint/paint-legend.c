/* SPDX-License-Identifier: MIT */
/* paint-legend.c - the strip that explains the signs, each drawn as it looks in the picture. */
#include "paint-private.h"

#include <math.h>

static void item_sample(struct paint *p, const struct vw_legend_item *item, double x, double y)
{
  double w = 20 * p->font;
  switch ((enum vw_legend_what)item->what) {
  case VW_LEGEND_STATE:
    paint_state_swatch(p, (enum vw_state)item->kind, x, y - 6, w, 12);
    break;
  case VW_LEGEND_ARROW:
    paint_arrow_sample(p, (enum vw_arrow_kind)item->kind, x, y, x + w);
    break;
  case VW_LEGEND_MARK:
    paint_mark_glyph(p, (enum vw_mark_kind)item->kind, x + w / 2 + 3, y, 4.5);
    break;
  }
}

void paint_legend(struct paint *p, const struct vw_legend *legend, double x, double y)
{
  paint_source(p->cr, paint_chrome(p->theme, PAINT_GUTTER), 1);
  cairo_rectangle(p->cr, x, y, p->plan->view.width, legend->height);
  cairo_fill(p->cr);
  paint_source(p->cr, paint_chrome(p->theme, PAINT_LINE), 1);
  cairo_rectangle(p->cr, x, y, p->plan->view.width, 1);
  cairo_fill(p->cr);
  for (size_t i = 0; i < legend->n; i++) {
    const struct vw_legend_item *item = &legend->items[i];
    double middle = (double)(int)(y + item->y), swatch = VW_LEGEND_SWATCH * p->font;
    item_sample(p, item, x + item->x, middle);
    paint_source(p->cr, paint_chrome(p->theme, PAINT_TEXT), 1);
    paint_text(p->painter, p->cr, p->theme, VW_ROLE_LEGEND, x + item->x + swatch, middle,
               item->w - swatch, vw_legend_text(item));
  }
}

void paint_note(struct paint *p, double y)
{
  const struct vw_plan *plan = p->plan;
  paint_source(p->cr, paint_chrome(p->theme, PAINT_GUTTER), 1);
  cairo_rectangle(p->cr, 0, y, plan->view.width, (double)plan->note_height);
  cairo_fill(p->cr);
  paint_source(p->cr, paint_chrome(p->theme, PAINT_LINE), 1);
  cairo_rectangle(p->cr, 0, y, plan->view.width, 1);
  cairo_fill(p->cr);
  paint_source(p->cr, paint_chrome(p->theme, PAINT_MUTED), 1);
  paint_text(p->painter, p->cr, p->theme, VW_ROLE_LEGEND, 12,
             floor(y + (double)plan->note_height / 2) + 1, plan->view.width - 24,
             plan->texts + plan->note);
}
