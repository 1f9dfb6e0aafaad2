/* SPDX-License-Identifier: MIT */
/* plan-note.c - what a picture had no room for, in words.
 *
 * A plan never samples and never drops in silence: arrows that would run into one thick line, labels that do not fit,
 * spans narrower than a pixel are counted where they are left out (I1, I3), and told here.  The window shows the
 * sentence in its status line.  A still picture, which can be neither scrolled nor zoomed, has a line for it above
 * the legend, and there the lanes that are below its edge come first.
 *
 * Not told: the arrow of each G from where it parked to where it ran next on one lane.  Its bar says that at any zoom.
 */
#include "plan-build.h"

#include <stdio.h>

/* "12,345" */
static void count_text(size_t n, char out[32])
{
  char digits[24];
  int length = snprintf(digits, sizeof digits, "%zu", n), at = 0;
  for (int i = 0; i < length; i++) {
    if (i && (length - i) % 3 == 0)
      out[at++] = ',';
    out[at++] = digits[i];
  }
  out[at] = '\0';
}

/* "wake arrows", or "arrows" of several kinds. */
static const char *arrows_name(uint32_t kinds)
{
  static const char *const names[VW_ARROW_KINDS] = {
    [VW_ARROW_WAKE] = "wake arrows",     [VW_ARROW_PARK] = "park arrows",
    [VW_ARROW_CREATE] = "create arrows", [VW_ARROW_STEAL] = "steal arrows",
    [VW_ARROW_MWAKE] = "M wake arrows",  [VW_ARROW_RETAKE] = "retake arrows",
  };
  for (unsigned i = 0; i < VW_ARROW_KINDS; i++)
    if (kinds == 1u << i)
      return names[i];
  return "arrows";
}

static size_t add(char *out, size_t n, size_t length, const char *text)
{
  size_t room = n - length;
  int wanted = snprintf(out + length, room, "%s", text);
  return length + ((size_t)wanted < room ? (size_t)wanted : room - 1);
}

size_t vw_plan_left_out(const struct vw_plan *plan, char *out, size_t n)
{
  size_t shown = 0, length = 0;
  char part[96], a[32], b[32];
  out[0] = '\0';
  for (size_t i = 0; i < plan->n_arrows; i++)
    shown += plan->hidden_kinds >> plan->arrows[i].kind & 1;
  if (plan->hidden_arrows) {
    count_text(plan->hidden_arrows, a);
    count_text(plan->hidden_arrows + shown, b);
    snprintf(part, sizeof part, "%s of %s %s", a, b, arrows_name(plan->hidden_kinds));
    length = add(out, n, length, part);
  }
  if (plan->hidden_labels) {
    count_text(plan->hidden_labels, a);
    snprintf(part, sizeof part, "%s%s label%s", length ? ", " : "", a,
             plan->hidden_labels == 1 ? "" : "s");
    length = add(out, n, length, part);
  }
  if (length)
    length = add(out, n, length, " not drawn");
  if (plan->merged_spans) {
    count_text(plan->merged_spans, a);
    snprintf(part, sizeof part, "%s%s spans merged", length ? "; " : "", a);
    length = add(out, n, length, part);
  }
  return length ? add(out, n, length, ": zoom in") : 0;
}

/* Lanes whose bar is not wholly above the edge. */
static size_t lanes_below(const struct vw_planner *pl, double bottom)
{
  size_t n = pl->layout.n_lanes, first = pl->plan->n_bands ? pl->plan->bands[0].lane : 0;
  for (size_t i = first; i < n; i++)
    if (vw_planner_bar_y(pl, i) + vw_planner_bar_h(pl) > bottom)
      return n - i;
  return 0;
}

void vw_plan_note(struct vw_planner *pl, double spare)
{
  struct vw_plan *plan = pl->plan;
  double height = VW_LEGEND_ROW * pl->font + 4;
  char text[320] = "", lanes[96] = "", count[32];
  size_t length = plan->view.show_legend ? vw_plan_left_out(plan, text, sizeof text) : 0;
  bool all_fit =
      !length && lanes_below(pl, pl->layout.bottom + spare) == 0; /* if there is no note */
  double edge = plan->view.height - (double)plan->legend -
                height; /* a low picture's strip may reach above bottom */
  if (plan->view.is_still && !all_fit)
    plan->more_lanes = lanes_below(pl, edge < pl->layout.bottom ? edge : pl->layout.bottom);
  if (plan->more_lanes) {
    count_text(plan->more_lanes, count);
    snprintf(lanes, sizeof lanes, "\xe2\x80\xa6 %s more lane%s%s", count,
             plan->more_lanes == 1 ? "" : "s", length ? " \xc2\xb7 " : "");
  }
  if (!length && !*lanes)
    return;
  char line[sizeof lanes + sizeof text];
  snprintf(line, sizeof line, "%s%s", lanes, text);
  vw_text_fit(VW_ROLE_LEGEND, pl->font, line, plan->view.width - 24);
  plan->note = vw_planner_text(pl, line);
  plan->note_height = (float)height;
  plan->legend += plan->note_height;
}
