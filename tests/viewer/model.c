/* SPDX-License-Identifier: MIT */
/* model.c - see model.h. */
#include "model.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *source(void)
{
  const char *path = getenv("GMPSCOPE_SOURCE");
  return path ? path : ".";
}

struct vw_trace *model_open(const char *name)
{
  char path[500];
  struct tracefile_error error = { 0 };
  snprintf(path, sizeof path, "%s/tests/viewer/traces/%s", source(), name);
  struct vw_trace *trace = vw_trace_from_text_file(path, &error);
  if (!trace)
    fail_msg("%s: %s", path, error.why);
  return trace;
}

static unsigned for_each_in(const char *folder, void (*fn)(struct vw_trace *, const char *))
{
  struct dirent **names;
  char path[800];
  snprintf(path, sizeof path, "%s/%s", source(), folder);
  int n = scandir(path, &names, NULL, alphasort);
  unsigned opened = 0;
  for (int i = 0; i < n; i++) {
    struct tracefile_error error;
    snprintf(path, sizeof path, "%s/%s/%s", source(), folder, names[i]->d_name);
    struct vw_trace *trace =
        strstr(names[i]->d_name, ".trace") ? vw_trace_from_text_file(path, &error) : NULL;
    free(names[i]);
    if (!trace)
      continue;
    fn(trace, path);
    vw_trace_free(trace);
    opened++;
  }
  if (n >= 0)
    free(names);
  return opened;
}

unsigned model_for_each(void (*fn)(struct vw_trace *trace, const char *path))
{
  return for_each_in("tests/traces/good", fn) + for_each_in("tests/traces/bad", fn) +
         for_each_in("tests/viewer/traces", fn);
}

uint64_t model_find(const struct vw_trace *trace, enum trace_kind kind, unsigned n)
{
  struct vw_filter filter = { .has_kind = true, .kind = kind, .families = TRACE_FAMILY_ALL };
  uint64_t no = vw_step(trace, &filter, VW_NONE, 1);
  while (n-- > 0 && no != VW_NONE)
    no = vw_step(trace, &filter, no, 1);
  assert_true(no != VW_NONE);
  return no;
}

/* ---- what always holds ---- */

static void check_span(struct vw_trace *trace, const struct vw_span *s)
{
  int64_t first, last;
  vw_time_range(trace, &first, &last);
  assert_true(s->t0 >= first && s->t0 <= s->t1 && s->t1 <= last);
  assert_true(s->no < vw_event_count(trace));
  assert_true(s->state > VW_STATE_NONE && s->state < VW_STATES);
  assert_true(s->end_no == VW_NONE || s->end_no < vw_event_count(trace));
  if (s->end_no == VW_NONE)
    assert_int_equal(s->t1, last);
  else if (vw_event(trace, s->end_no)->kind != TRACE_LOST && s->state != VW_STATE_LOST)
    assert_true(s->t1 <= vw_event(trace, s->end_no)->ts);
}

/* Who is said to run on a lane is said to run there by the G's own lane too. */
static void check_g_agrees(const struct vw_trace *trace, const struct vw_span *s)
{
  long i = vw_lane_of(trace, VW_LANES_G, s->g);
  assert_true(i >= 0);
  const struct vw_lane *lane = vw_lane(trace, VW_LANES_G, (size_t)i);
  size_t at = vw_span_at(lane, s->t0);
  assert_true(at < lane->n_spans);
  assert_int_equal(lane->spans[at].state, s->state);
  assert_int_equal(lane->spans[at].m, s->m);
}

/* What a P's lane shows is what the State panel, which asks the replay, says of it. */
static void check_p_agrees(struct vw_trace *trace, const struct vw_span *s)
{
  const struct trace_p *p = trace_replay_p(vw_state_after(trace, s->no), s->p);
  assert_non_null(p);
  assert_int_equal(s->state == VW_STATE_IDLE, p->status == TRACE_PSTATUS_IDLE);
  assert_int_equal(s->state == VW_STATE_HANDED, p->status == TRACE_PSTATUS_HANDED);
  assert_int_equal(s->state == VW_STATE_GCSTOP, p->status == TRACE_PSTATUS_GCSTOP);
}

static void check_lane(struct vw_trace *trace, const struct vw_lane *lane)
{
  for (size_t i = 0; i < lane->n_spans; i++) {
    const struct vw_span *s = &lane->spans[i];
    check_span(trace, s);
    assert_true(i == 0 || lane->spans[i - 1].t1 <= s->t0);
    if (s->t1 > s->t0) {
      assert_int_equal(vw_span_at(lane, s->t0), i);
      assert_int_equal(vw_span_at(lane, s->t1 - 1), i);
    }
  }
  for (size_t i = 0; i < lane->n_overlays; i++) {
    check_span(trace, &lane->overlays[i]);
    assert_true(i == 0 || lane->overlays[i - 1].t0 <= lane->overlays[i].t0);
  }
  for (size_t i = 0; i < lane->n_marks; i++) {
    assert_true(lane->marks[i].kind < VW_MARK_KINDS);
    assert_int_equal(lane->marks[i].ts, vw_event(trace, lane->marks[i].no)->ts);
    assert_true(i == 0 || lane->marks[i - 1].ts <= lane->marks[i].ts);
  }
}

static void check_lanes(struct vw_trace *trace)
{
  for (enum vw_lane_kind kind = 0; kind < VW_LANE_KINDS; kind++) {
    for (size_t i = 0; i < vw_lane_count(trace, kind); i++) {
      const struct vw_lane *lane = vw_lane(trace, kind, i);
      check_lane(trace, lane);
      assert_int_equal(vw_lane_of(trace, kind, lane->id), i);
      assert_true(i == 0 || vw_lane(trace, kind, i - 1)->id < lane->id);
    }
  }
}

/* Only of a trace that breaks no rule: a broken one may have two Ms run one G. */
static void check_agreement(struct vw_trace *trace)
{
  for (enum vw_lane_kind kind = VW_LANES_M; kind <= VW_LANES_P; kind++) {
    for (size_t i = 0; i < vw_lane_count(trace, kind); i++) {
      const struct vw_lane *lane = vw_lane(trace, kind, i);
      for (size_t j = 0; j < lane->n_spans; j++) {
        if (lane->spans[j].state == VW_STATE_RUNNING && lane->spans[j].t1 > lane->spans[j].t0)
          check_g_agrees(trace, &lane->spans[j]);
        if (kind == VW_LANES_P && lane->spans[j].state != VW_STATE_LOST)
          check_p_agrees(trace, &lane->spans[j]);
      }
    }
  }
}

static void check_arrows(const struct vw_trace *trace)
{
  size_t n;
  const struct vw_arrow *arrows = vw_arrows(trace, &n);
  for (size_t i = 0; i < n; i++) {
    const struct vw_arrow *a = &arrows[i];
    assert_true(i == 0 || arrows[i - 1].from.ts <= a->from.ts);
    assert_int_equal(a->from.ts, vw_event(trace, a->from.no)->ts);
    assert_int_equal(arrows[vw_arrow_out_of(trace, a->from.no)].from.no, a->from.no);
    if (a->to.no == VW_NONE)
      continue;
    assert_true(a->to.no >= a->from.no && a->to.ts >= a->from.ts);
    assert_int_equal(arrows[vw_arrow_into(trace, a->to.no)].to.no, a->to.no);
  }
}

static void check_panics(const struct vw_trace *trace)
{
  size_t n;
  const struct vw_panic_path *paths = vw_panics(trace, &n);
  for (size_t i = 0; i < n; i++) {
    const struct vw_panic_path *p = &paths[i];
    assert_true(p->n_steps > 0 && p->steps[0].no == p->begin_no);
    assert_true(p->t0 <= p->t1);
    assert_true((p->end_no == VW_NONE) == (p->outcome == VW_OUTCOME_OPEN));
    for (size_t j = 1; j < p->n_steps; j++)
      assert_true(p->steps[j - 1].no < p->steps[j].no);
    size_t own =
        p->n_steps; /* steps up to the end; behind it, what the frame still runs after a recovery */
    while (p->outcome == VW_OUTCOME_RECOVERED && p->steps[own - 1].no > p->end_no) {
      own--;
      assert_int_equal(p->steps[own].kind, TRACE_DEFER_BEGIN);
      assert_int_equal(p->steps[own].frame, p->recovered_frame);
    }
    if (p->end_no != VW_NONE && p->outcome != VW_OUTCOME_ABORTED)
      assert_int_equal(p->steps[own - 1].no, p->end_no);
  }
}

static bool has_warning(const struct vw_trace *trace, const char *part)
{
  const char *warning;
  for (size_t i = 0; (warning = vw_warning(trace, i)); i++) {
    if (strstr(warning, part))
      return true;
  }
  return false;
}

void model_check(struct vw_trace *trace)
{
  check_lanes(trace);
  check_arrows(trace);
  check_panics(trace);
  if (!has_warning(trace, "breaks the rule") && !has_warning(trace, "missing"))
    check_agreement(trace);
}

/* ---- lanes as text ---- */

static const char *const state_names[VW_STATES] = {
  "NONE",    "RUNNING", "SYSCALL", "SCHED",  "SPINNING", "POLLING", "PARKED", "SYSMON", "RUNNABLE",
  "WAITING", "IDLE",    "HANDED",  "GCSTOP", "CALL",     "PANIC",   "REGION", "LOST",
};

static const char *as_text(const struct vw_span *spans, size_t n)
{
  static char text[4096];
  size_t used = 0;
  text[0] = '\0';
  for (size_t i = 0; i < n && used < sizeof text; i++) {
    const struct vw_span *s = &spans[i];
    char who[16] = "";
    if (s->g)
      snprintf(who, sizeof who, " g%u", s->g);
    used += (size_t)snprintf(text + used, sizeof text - used, "%s%s%s %lld-%lld", i ? "|" : "",
                             state_names[s->state], who, (long long)s->t0, (long long)s->t1);
  }
  return text;
}

static const struct vw_lane *lane_of(const struct vw_trace *trace, enum vw_lane_kind kind,
                                     uint32_t id)
{
  long i = vw_lane_of(trace, kind, id);
  assert_true(i >= 0);
  return vw_lane(trace, kind, (size_t)i);
}

const char *model_spans(const struct vw_trace *trace, enum vw_lane_kind kind, uint32_t id)
{
  const struct vw_lane *lane = lane_of(trace, kind, id);
  return as_text(lane->spans, lane->n_spans);
}

const char *model_overlays(const struct vw_trace *trace, enum vw_lane_kind kind, uint32_t id)
{
  const struct vw_lane *lane = lane_of(trace, kind, id);
  return as_text(lane->overlays, lane->n_overlays);
}
