/* SPDX-License-Identifier: MIT */
/* plan-legend.c - the words for states, marks and arrows, and the legend's rows.
 *
 * The legend under a picture holds only what is in it: a reader learns four signs, not thirty.  The window's holds
 * what is in the trace on these lanes, so that it does not change its height while one pans.  The layout stands here, beside the planner, because the planner has to leave room for it.
 */
#include "plan-build.h"

const char *vw_state_title(enum vw_state state)
{
  switch (state) {
  case VW_STATE_NONE:
    return "not there";
  case VW_STATE_RUNNING:
    return "running a G (one colour a G)";
  case VW_STATE_SYSCALL:
    return "in a system call";
  case VW_STATE_SCHED:
    return "scheduling";
  case VW_STATE_SPINNING:
    return "spinning: looking for work";
  case VW_STATE_POLLING:
    return "asleep in netpoll";
  case VW_STATE_PARKED:
    return "parked";
  case VW_STATE_SYSMON:
    return "sysmon: watches, needs no P";
  case VW_STATE_RUNNABLE:
    return "runnable: waits for a P";
  case VW_STATE_WAITING:
    return "waiting";
  case VW_STATE_IDLE:
    return "idle";
  case VW_STATE_HANDED:
    return "handed over";
  case VW_STATE_GCSTOP:
    return "stopped: the world stops";
  case VW_STATE_CALL:
    return "deferred call";
  case VW_STATE_PANIC:
    return "panicking";
  case VW_STATE_REGION:
    return "region";
  case VW_STATE_LOST:
    return "events lost";
  case VW_STATES:
    break;
  }
  return "unknown";
}

const char *vw_mark_title(enum vw_mark_kind kind)
{
  static const char *const titles[VW_MARK_KINDS] = {
    [VW_MARK_PANIC] = "panic",
    [VW_MARK_RECOVER] = "recovered",
    [VW_MARK_FATAL] = "fatal panic",
    [VW_MARK_LOST] = "loss noticed",
    [VW_MARK_PREEMPT] = "preemption",
    [VW_MARK_RETAKE] = "P retaken",
    [VW_MARK_STEAL] = "steal",
    [VW_MARK_TIMER] = "timer fired",
    [VW_MARK_STW] = "world stopped",
    [VW_MARK_USER] = "log",
    [VW_MARK_FAULT] = "demonstrated fault",
  };
  return kind < VW_MARK_KINDS ? titles[kind] : "unknown";
}

const char *vw_arrow_title(enum vw_arrow_kind kind)
{
  static const char *const titles[VW_ARROW_KINDS] = {
    [VW_ARROW_WAKE] = "made ready, then ran",
    [VW_ARROW_PARK] = "same G: parked, ran again",
    [VW_ARROW_CREATE] = "created, then ran",
    [VW_ARROW_STEAL] = "stolen by another P",
    [VW_ARROW_MWAKE] = "M woken",
    [VW_ARROW_RETAKE] = "P went to another M",
  };
  return kind < VW_ARROW_KINDS ? titles[kind] : "unknown";
}

const char *vw_legend_text(const struct vw_legend_item *item)
{
  switch ((enum vw_legend_what)item->what) {
  case VW_LEGEND_STATE:
    return vw_state_title((enum vw_state)item->kind);
  case VW_LEGEND_ARROW:
    return vw_arrow_title((enum vw_arrow_kind)item->kind);
  case VW_LEGEND_MARK:
    break;
  }
  return vw_mark_title((enum vw_mark_kind)item->kind);
}

#define BIT(state) (1u << VW_STATE_##state)

void vw_legend_all(enum vw_lane_kind kind, uint32_t *states, uint32_t *arrows, uint32_t *marks)
{
  static const uint32_t of_kind[VW_LANE_KINDS] = {
    [VW_LANES_M] = BIT(SCHED) | BIT(SPINNING) | BIT(POLLING) | BIT(PARKED) | BIT(SYSMON),
    [VW_LANES_P] = BIT(SCHED) | BIT(IDLE) | BIT(HANDED) | BIT(GCSTOP),
    [VW_LANES_G] = BIT(RUNNABLE) | BIT(WAITING),
  };
  *states = BIT(RUNNING) | BIT(SYSCALL) | of_kind[kind] | BIT(CALL) | BIT(PANIC) | BIT(REGION) |
            BIT(LOST);
  *arrows = (1u << VW_ARROW_KINDS) - 1;
  if (kind == VW_LANES_G)
    *arrows = 1u << VW_ARROW_WAKE | 1u << VW_ARROW_CREATE;
  *marks = (1u << VW_MARK_KINDS) - 1;
}

struct vw_signs vw_signs_of(const struct vw_trace *trace, enum vw_lane_kind lanes)
{
  size_t n_arrows;
  struct vw_signs all, signs = { 0 };
  const struct vw_arrow *arrows = vw_arrows(trace, &n_arrows);
  vw_legend_all(lanes, &all.states, &all.arrows, &all.marks);
  for (size_t i = 0, n = vw_lane_count(trace, lanes); i < n; i++) {
    const struct vw_lane *lane = vw_lane(trace, lanes, i);
    for (size_t k = 0; k < lane->n_spans; k++)
      signs.states |= 1u << lane->spans[k].state;
    for (size_t k = 0; k < lane->n_overlays; k++)
      signs.states |= 1u << lane->overlays[k].state;
    for (size_t k = 0; k < lane->n_marks; k++)
      signs.marks |= 1u << lane->marks[k].kind;
  }
  for (size_t i = 0; i < n_arrows && (signs.arrows & all.arrows) != all.arrows; i++)
    if (arrows[i].to.no != VW_NONE)
      signs.arrows |= 1u << arrows[i].kind;
  signs.arrows &= all.arrows;
  return signs;
}

struct flow {
  double x, y, width, font;
};

static void flow_item(struct vw_legend *legend, struct flow *flow, enum vw_legend_what what,
                      unsigned kind)
{
  struct vw_legend_item *item = &legend->items[legend->n++];
  item->what = (uint8_t)what;
  item->kind = (uint8_t)kind;
  double swatch = VW_LEGEND_SWATCH * flow->font;
  item->w = swatch + vw_text_width(VW_ROLE_LEGEND, flow->font, vw_legend_text(item));
  if (flow->x > 12 && flow->x + item->w > flow->width - 12) {
    flow->x = 12;
    flow->y += VW_LEGEND_ROW * flow->font;
  }
  item->x = flow->x;
  item->y = flow->y;
  flow->x += item->w + 18 * flow->font;
}

void vw_legend_layout(struct vw_legend *legend, double width, double font_scale, uint32_t states,
                      uint32_t arrows, uint32_t marks)
{
  struct flow flow = {
    .x = 12, .y = 8 + VW_LEGEND_ROW * font_scale / 2, .width = width, .font = font_scale
  };
  legend->n = 0;
  for (unsigned i = VW_STATE_NONE + 1; i < VW_STATES; i++)
    if (states >> i & 1)
      flow_item(legend, &flow, VW_LEGEND_STATE, i);
  for (unsigned i = 0; i < VW_ARROW_KINDS; i++)
    if (arrows >> i & 1)
      flow_item(legend, &flow, VW_LEGEND_ARROW, i);
  for (unsigned i = 0; i < VW_MARK_KINDS; i++)
    if (marks >> i & 1)
      flow_item(legend, &flow, VW_LEGEND_MARK, i);
  legend->height = legend->n ? flow.y + VW_LEGEND_ROW * font_scale / 2 + 8 : 0;
}
