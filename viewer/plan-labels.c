/* SPDX-License-Identifier: MIT */
/* plan-labels.c - words on rectangles.
 *
 * A word never leaves its rectangle, and rectangles of a row never overlap, so words never do.  When there are
 * more than VW_PLAN_LABELS the widest rectangles keep theirs: those are what the eye lands on.
 */
#include "plan-build.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
  PAD = 5,
  LEAST = 20
};

struct candidate {
  float w;
  uint32_t rect;
};

static const char *short_title(enum vw_state state)
{
  switch (state) {
  case VW_STATE_SCHED:
    return "scheduling";
  case VW_STATE_SPINNING:
    return "spinning";
  case VW_STATE_POLLING:
    return "netpoll";
  case VW_STATE_PARKED:
    return "parked";
  case VW_STATE_RUNNABLE:
    return "runnable";
  case VW_STATE_IDLE:
    return "idle";
  case VW_STATE_HANDED:
    return "handed over";
  case VW_STATE_GCSTOP:
    return "stopped";
  case VW_STATE_LOST:
    return "events lost";
  default:
    return "";
  }
}

static void where_text(const struct vw_span *s, char *out, size_t n)
{
  if (s->m == TRACE_NO_M)
    out[0] = '\0';
  else if (s->p == TRACE_NO_P)
    snprintf(out, n, "M%u", s->m);
  else
    snprintf(out, n, "M%u P%u", s->m, s->p);
}

static void span_text(struct vw_planner *pl, const struct vw_span *s, char *out, size_t n)
{
  bool g_lane = pl->plan->view.lanes == VW_LANES_G;
  out[0] = '\0';
  switch ((enum vw_state)s->state) {
  case VW_STATE_RUNNING:
  case VW_STATE_SYSCALL:
    if (!g_lane && s->g)
      vw_g_text(pl->trace, s->g, out, n);
    else if (s->state == VW_STATE_SYSCALL)
      snprintf(out, n, "system call");
    else
      where_text(s, out, n);
    break;
  case VW_STATE_WAITING: {
    const char *why = trace_word_text(TRACE_ARG_WAIT, s->why);
    snprintf(out, n, "%s", why && *why ? why : "waiting");
    break;
  }
  case VW_STATE_SYSMON:
    vw_sysmon_text(s, out, n);
    break;
  default:
    snprintf(out, n, "%s", short_title((enum vw_state)s->state));
  }
}

/* Words on what is a thin line would clutter: they need room round them. */
static bool is_quiet(uint8_t state)
{
  return state == VW_STATE_PARKED || state == VW_STATE_IDLE || state == VW_STATE_HANDED ||
         state == VW_STATE_POLLING || state == VW_STATE_SYSMON;
}

/* Cuts text to what still says something. "G1..." might be any of eleven Gs, so a G keeps its whole number or gets
 * no word; half a state's word says nothing. */
static bool shorten(struct vw_planner *pl, const struct vw_rect *r, double room, char *text)
{
  if (vw_text_width(VW_ROLE_SPAN, pl->font, text) <= room)
    return true;
  double em = vw_role_size(VW_ROLE_SPAN) * pl->font;
  if (r->is_overlay)
    return room > 3 * em;
  char *space = text[0] == 'G' && r->g ? strchr(text, ' ') : NULL;
  if (!space)
    return false;
  char letter = *space;
  *space = '\0';
  double number = vw_text_width(VW_ROLE_SPAN, pl->font, text);
  if (number + 3.5 * em <= room)
    *space = letter; /* room for some of the name */
  return number <= room;
}

static bool put_label(struct vw_planner *pl, uint32_t index)
{
  const struct vw_rect *r = &pl->plan->rects[index];
  const struct vw_lane *lane = vw_lane(pl->trace, pl->plan->view.lanes, r->lane);
  char text[192];
  if (r->is_overlay)
    vw_overlay_text(pl->trace, &lane->overlays[r->span], text, sizeof text);
  else
    span_text(pl, &lane->spans[r->span], text, sizeof text);
  double room = r->w - 2 * PAD;
  if (!*text || (is_quiet(r->state) && vw_text_width(VW_ROLE_SPAN, pl->font, text) > room / 1.6))
    return true;
  bool dimmed = r->dimmed;
  if (!shorten(pl, r, room, text) ||
      !vw_planner_label(pl, VW_ROLE_SPAN, r->x + PAD, r->y + r->h / 2, room, text, index))
    return false;
  pl->plan->labels[pl->plan->n_labels - 1].dimmed = dimmed;
  return true;
}

static int widest_first(const void *a, const void *b)
{
  const struct candidate *x = a, *y = b;
  if (x->w != y->w)
    return x->w < y->w ? 1 : -1;
  return (x->rect > y->rect) - (x->rect < y->rect);
}

void vw_plan_labels(struct vw_planner *pl)
{
  size_t n = 0, shown = 0;
  struct candidate *wide = malloc((pl->plan->n_rects + 1) * sizeof *wide);
  if (!wide) {
    pl->failed = true;
    return;
  }
  for (size_t i = 0; i < pl->plan->n_rects; i++) {
    const struct vw_rect *r = &pl->plan->rects[i];
    if (r->w >= LEAST * pl->font && r->h >= 12 && r->count == 1)
      wide[n++] = (struct candidate){ .w = r->w, .rect = (uint32_t)i };
  }
  qsort(wide, n, sizeof *wide, widest_first);
  for (size_t i = 0; i < n && !pl->failed; i++) {
    size_t before = pl->plan->n_labels;
    if (shown == VW_PLAN_LABELS || !put_label(pl, wide[i].rect))
      pl->plan->hidden_labels++;
    shown += pl->plan->n_labels - before;
  }
  free(wide);
}
