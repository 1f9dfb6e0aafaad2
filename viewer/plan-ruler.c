/* SPDX-License-Identifier: MIT */
/* plan-ruler.c - ticks at nice steps, in one unit.
 *
 * Steps are 1, 2 or 5 times a power of ten ns.  All labels of a ruler have the same unit and as many decimals,
 * so that the eye compares digits and not units.  Where that would take more than three decimals, the ruler
 * shows the distance from a round base time, and the corner shows the base: "1.234567 s +" over "20 ns".
 */
#include "plan-build.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

struct unit {
  int64_t ns;
  const char *name;
};
static const struct unit units[] = {
  { 1000000000, "s" }, { 1000000, "ms" }, { 1000, "\xc2\xb5s" }, { 1, "ns" }
};

static int64_t nice_step(double least)
{
  int64_t power = 1;
  while (power < INT64_MAX / 100 && (double)power * 10 <= least)
    power *= 10;
  for (int i = 0; i < 2; i++, power *= 10) {
    if ((double)power >= least)
      return power;
    if ((double)power * 2 >= least)
      return power * 2;
    if ((double)power * 5 >= least)
      return power * 5;
  }
  return power;
}

static int decimals_of(int64_t step, int64_t unit)
{
  int n = 0;
  for (int64_t part = unit; n < 9 && step % part != 0; part /= 10)
    n++;
  return n;
}

static const struct unit *unit_for(int64_t size)
{
  size_t i = 0;
  while (i < 3 && size < units[i].ns)
    i++;
  return &units[i];
}

static void number(char *out, size_t n, int64_t t, const struct unit *unit, int decimals)
{
  uint64_t size = t < 0 ? -(uint64_t)t : (uint64_t)t, whole = size / (uint64_t)unit->ns;
  uint64_t rest = size % (uint64_t)unit->ns;
  int64_t part = unit->ns;
  for (int i = 0; i < decimals; i++)
    part /= 10;
  const char *minus = t < 0 ? "\xe2\x88\x92" : "";
  if (decimals)
    snprintf(out, n, "%s%" PRIu64 ".%0*" PRIu64 " %s", minus, whole, decimals,
             rest / (uint64_t)(part ? part : 1), unit->name);
  else
    snprintf(out, n, "%s%" PRIu64 " %s", minus, whole, unit->name);
}

static int64_t floor_to(int64_t t, int64_t step)
{
  int64_t rest = t % step;
  if (rest < 0)
    rest += step;
  return __builtin_sub_overflow(t, rest, &t) ? INT64_MIN : t;
}

struct ruler {
  int64_t step, base;
  int minors; /* per step */
  const struct unit *unit;
  int decimals;
};

static void choose(struct ruler *r, const struct vw_view *view, double least_ns)
{
  r->step = nice_step(least_ns);
  int64_t lead = r->step;
  while (lead >= 10)
    lead /= 10;
  r->minors = lead == 2 ? 4 : 5;
  int64_t size = view->t1 > -(view->t0 + 1) ? view->t1 : -(view->t0 + 1);
  r->base = 0;
  r->unit = unit_for(size);
  r->decimals = decimals_of(r->step, r->unit->ns);
  if (r->decimals <= 3)
    return;
  int64_t round = r->step < INT64_MAX / 100000 ? r->step * 100 : r->step;
  while (round % 10 == 0 && round / 10 > view->t1 - view->t0)
    round /= 10;
  int64_t power = 1;
  while (power < round)
    power *= 10;
  r->base = floor_to(view->t0, power);
  r->unit = unit_for(view->t1 - r->base);
  r->decimals = decimals_of(r->step, r->unit->ns);
}

static void tick(struct vw_planner *pl, const struct ruler *r, int64_t t, double major_px)
{
  double x = vw_planner_x(pl, t);
  if (x < pl->left || x > pl->right)
    return;
  struct vw_tick *tick = VW_PUSH(pl, ticks);
  if (!tick)
    return;
  *tick = (struct vw_tick){ .x = (float)x, .text = UINT32_MAX };
  if (t % r->step != 0)
    return;
  char text[48];
  number(text, sizeof text, t - r->base, r->unit, r->decimals);
  if (x + vw_text_width(VW_ROLE_TICK, pl->font, text) + 6 > pl->right ||
      vw_text_width(VW_ROLE_TICK, pl->font, text) + 8 > major_px)
    text[0] = '\0';
  uint32_t offset = vw_planner_text(pl, text);
  pl->plan->ticks[pl->plan->n_ticks - 1].text = offset;
}

static void base_note(struct vw_planner *pl, const struct ruler *r)
{
  char text[64], base[48];
  int64_t fine = r->base;
  const struct unit *unit = unit_for(fine < 0 ? -(fine + 1) : fine);
  number(base, sizeof base, fine, unit, 9);
  int decimals = 0;
  for (int64_t part = unit->ns; decimals < 9 && part > 1 && fine % part != 0; part /= 10)
    decimals++;
  number(base, sizeof base, fine, unit, decimals);
  snprintf(text, sizeof text, "%s +", base);
  for (size_t i = 0; i < pl->plan->n_labels; i++) /* it takes the place of the corner's word */
    if (pl->plan->labels[i].role == VW_ROLE_NOTE)
      pl->plan->labels[i] = pl->plan->labels[--pl->plan->n_labels];
  double w = vw_text_width(VW_ROLE_NOTE, pl->font, text);
  double x = pl->left - 10 - w;
  vw_planner_label(pl, VW_ROLE_NOTE, x > 4 ? x : 4, pl->layout.top / 2,
                   pl->left - (x > 4 ? x : 4) - 4, text, UINT32_MAX);
}

bool vw_tick_word(const struct vw_plan *plan, const struct vw_tick *tick, double *x0, double *x1)
{
  if (tick->text == UINT32_MAX || !plan->texts[tick->text])
    return false;
  double font = plan->view.font_scale > 0 ? plan->view.font_scale : 1;
  *x0 = (double)tick->x + VW_TICK_GAP;
  *x1 = *x0 + vw_text_width(VW_ROLE_TICK, font, plan->texts + tick->text);
  return true;
}

static bool is_free(const struct vw_plan *plan, double left, double w)
{
  double x0, x1;
  for (size_t i = 0; i < plan->n_ticks; i++)
    if (vw_tick_word(plan, &plan->ticks[i], &x0, &x1) && left < x1 && x0 < left + w)
      return false;
  return true;
}

double vw_ruler_room(const struct vw_plan *plan, double from, double to, double w)
{
  double middle = floor((from + to - w) / 2), best = NAN;
  if (middle >= from && is_free(plan, middle, w))
    return middle;
  for (size_t i = 0; i < plan->n_ticks; i++) { /* else right behind a word, or right before one */
    double x0, x1;
    if (!vw_tick_word(plan, &plan->ticks[i], &x0, &x1))
      continue;
    double tries[] = { ceil(x1), floor(x0 - w) };
    for (int k = 0; k < 2; k++)
      if (tries[k] >= from && tries[k] + w <= to && is_free(plan, tries[k], w) &&
          !(fabs(tries[k] - middle) >= fabs(best - middle)))
        best = tries[k];
  }
  return best;
}

void vw_plan_ruler(struct vw_planner *pl)
{
  const struct vw_view *view = &pl->plan->view;
  struct ruler r;
  choose(&r, view, 96 * pl->font / pl->scale);
  int64_t minor = r.step / r.minors ? r.step / r.minors : 1;
  int64_t t = floor_to(view->t0, r.step);
  double major_px = (double)r.step * pl->scale;
  if (r.base)
    base_note(pl, &r);
  for (int guard = 0; t <= view->t1 && guard < 4096 && !pl->failed; guard++) {
    tick(pl, &r, t, major_px);
    if (__builtin_add_overflow(t, minor, &t))
      break;
  }
}
