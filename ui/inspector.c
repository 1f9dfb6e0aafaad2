/* SPDX-License-Identifier: MIT */
/* inspector.c - what is to be said about one event and about what is selected (inspector.h).
 *
 * Written against the replayed state after the event, so it can never say anything that `gmpscope state` would not.
 * A state is borrowed until the next vw_state_* call, and vw_sentence may make one: sentences come first.
 */
#include "inspector.h"

#include "links.h"
#include "trace-text.h"

static char link_kind(enum trace_arg type)
{
  switch (type) {
  case TRACE_ARG_G:
    return 'g';
  case TRACE_ARG_M:
    return 'm';
  case TRACE_ARG_P:
    return 'p';
  default:
    return 0;
  }
}

static char *g_link(struct vw_trace *trace, uint32_t goid)
{
  return goid ? ui_link('g', goid, vw_g_name(trace, goid)) : g_strdup("none");
}

static void write_time(UiFacts *facts, const char *key, int64_t ns)
{
  char text[64];
  trace_time_print(ns, text, sizeof text);
  ui_facts_text(facts, key, "%s", text);
}

/* "worker", or the address where no name is known. */
static void write_fn(UiFacts *facts, const char *key, struct vw_trace *trace, uint64_t fn)
{
  const char *name = vw_fn_name(trace, fn);
  if (*name)
    ui_facts_text(facts, key, "%s", name);
  else
    ui_facts_text(facts, key, "0x%" G_GINT64_MODIFIER "x", fn);
}

/* ---- the event ---- */

static void write_argument(UiFacts *facts, struct vw_trace *trace, const struct trace_event *e,
                           const struct trace_spec *spec, int word)
{
  const enum trace_arg type = spec->args[word].type;
  const uint64_t value = trace_arg_value(e, spec, word);
  const char kind = link_kind(type);
  char text[512];
  if (kind == 'g' && value != 0) {
    g_autofree char *link = g_link(trace, (uint32_t)value);
    ui_facts_row(facts, spec->args[word].name, link);
  } else if (kind && kind != 'g' && value != TRACE_NO_P && value != TRACE_NO_M) {
    g_autofree char *link = ui_link(kind, value, NULL);
    ui_facts_row(facts, spec->args[word].name, link);
  } else if (kind) {
    ui_facts_text(facts, spec->args[word].name, "none");
  } else if (type == TRACE_ARG_WHEN || type == TRACE_ARG_TICKS || type == TRACE_ARG_DUR) {
    write_time(facts, spec->args[word].name, (int64_t)value);
  } else if (type == TRACE_ARG_FN && value) {
    write_fn(facts, spec->args[word].name, trace, value);
  } else if (type == TRACE_ARG_OBJ && value) {
    vw_object_name(trace, value, text, sizeof text);
    ui_facts_text(facts, spec->args[word].name, "%s", text);
  } else {
    trace_text_argument(e, word, text, sizeof text);
    ui_facts_text(facts, spec->args[word].name, "%s", text);
  }
}

/* Where the event happened, with links. */
static void write_place(UiFacts *facts, struct vw_trace *trace, const struct trace_event *e)
{
  g_autoptr(GString) where = g_string_new(NULL);
  g_autofree char *m = ui_link('m', e->m, NULL);
  g_string_append(where, m);
  if (e->p != TRACE_NO_P) {
    g_autofree char *p = ui_link('p', e->p, NULL);
    g_string_append_printf(where, " with %s", p);
  }
  if (e->g) {
    g_autofree char *g = g_link(trace, e->g);
    g_string_append_printf(where, ", in %s", g);
  } else {
    g_string_append(where, ", on g0");
  }
  ui_facts_row(facts, "where", where->str);
}

static void write_arrow(UiFacts *facts, struct vw_trace *trace, uint64_t no, bool is_into)
{
  size_t n;
  const long i = is_into ? vw_arrow_into(trace, no) : vw_arrow_out_of(trace, no);
  if (i < 0)
    return;
  const struct vw_arrow *arrow = &vw_arrows(trace, &n)[i];
  const struct vw_arrow_end *other = is_into ? &arrow->from : &arrow->to;
  if (other->no == VW_NONE) {
    ui_facts_text(facts, "leads to", "nothing in this trace");
    return;
  }
  char took[64];
  trace_time_print(arrow->to.ts - arrow->from.ts, took, sizeof took);
  g_autofree char *link = ui_link(
      'e', other->no,
      vw_event(trace, other->no) ? trace_specs[vw_event(trace, other->no)->kind].name : NULL);
  g_autofree char *row = g_strdup_printf("%s, %s %s", link, took, is_into ? "before" : "later");
  ui_facts_row(facts, is_into ? "caused by" : "leads to", row);
}

static void write_event(UiFacts *facts, struct vw_trace *trace, uint64_t no)
{
  const struct trace_event *e = vw_event(trace, no);
  const struct trace_spec *spec = trace_spec_get(e->kind);
  if (!spec)
    return;
  ui_facts_heading(facts, spec->name);
  g_autofree char *doc = g_markup_escape_text(spec->doc, -1);
  ui_facts_note(facts, doc);
  write_place(facts, trace, e);
  write_time(facts, "time", e->ts);
  for (int word = 0; word < 4; word++)
    if (spec->args[word].name)
      write_argument(facts, trace, e, spec, word);
  write_arrow(facts, trace, no, true);
  write_arrow(facts, trace, no, false);
}

/* ---- what is selected ---- */

static void write_since(UiFacts *facts, int64_t now, int64_t since)
{
  char text[64];
  trace_time_print(now - since, text, sizeof text);
  ui_facts_text(facts, "for", "%s", text);
}

static void write_next_run(UiFacts *facts, struct vw_trace *trace, uint32_t goid, int64_t now)
{
  const long i = vw_lane_of(trace, VW_LANES_G, goid);
  if (i < 0)
    return;
  const struct vw_lane *lane = vw_lane(trace, VW_LANES_G, (size_t)i);
  for (size_t s = vw_span_at(lane, now); s < lane->n_spans; s++) {
    const struct vw_span *span = &lane->spans[s];
    if (span->state != VW_STATE_RUNNING || span->t0 <= now)
      continue;
    char wait[64];
    trace_time_print(span->t0 - now, wait, sizeof wait);
    g_autofree char *link = ui_link('e', span->no, NULL);
    g_autofree char *m = ui_link('m', span->m, NULL);
    g_autofree char *row = g_strdup_printf("in %s on %s, %s", wait, m, link);
    ui_facts_row(facts, "runs next", row);
    return;
  }
}

static void write_g_wait(UiFacts *facts, struct vw_trace *trace, const struct trace_g *gp)
{
  if (gp->status != TRACE_GSTATUS_WAITING)
    return;
  char object[256] = "";
  if (gp->obj)
    vw_object_name(trace, gp->obj, object, sizeof object);
  ui_facts_text(facts, "waits for", "%s%s%s", ui_word(TRACE_ARG_WAIT, gp->why), gp->obj ? ", " : "",
                object);
}

static void write_g_place(UiFacts *facts, const struct trace_g *gp)
{
  if (gp->status != TRACE_GSTATUS_RUNNABLE)
    return;
  static const char *const texts[] = { [TRACE_PLACE_NOWHERE] = "nowhere known",
                                       [TRACE_PLACE_HAND] = "in the hand of M%u",
                                       [TRACE_PLACE_RING] = "in the queue of P%u",
                                       [TRACE_PLACE_NEXT] = "runnext of P%u",
                                       [TRACE_PLACE_GLOBAL] = "in the global queue" };
  if (gp->place > TRACE_PLACE_GLOBAL)
    return;
  g_autofree char *number = g_strdup_printf("%u", gp->place_id);
  g_auto(GStrv) parts = g_strsplit(texts[gp->place], "%u", 2);
  g_autofree char *text = g_strconcat(parts[0], parts[1] ? number : "", NULL);
  g_autofree char *markup = ui_links_markup(text);
  ui_facts_row(facts, "stands", markup);
}

static void write_g(UiFacts *facts, struct vw_trace *trace, const struct trace_replay *state,
                    uint32_t goid)
{
  const struct trace_g *gp = trace_replay_g(state, goid);
  g_autofree char *title = g_strdup_printf("G%u %s", goid, vw_g_name(trace, goid));
  ui_facts_heading(facts, title);
  const int64_t now = trace_replay_world(state)->ts;
  if (!gp) {
    ui_facts_text(facts, "status", "it does not exist at this time");
    write_next_run(facts, trace, goid, now);
    return;
  }
  const char *status = ui_word(TRACE_ARG_GSTATUS, gp->status);
  ui_facts_text(facts, "status", "%s", status);
  write_since(facts, now, gp->since);
  write_g_wait(facts, trace, gp);
  write_g_place(facts, gp);
  if (gp->fn)
    write_fn(facts, "runs", trace, gp->fn);
  if (gp->m != TRACE_NO_M) {
    const bool is_there =
        gp->status == TRACE_GSTATUS_RUNNING || gp->status == TRACE_GSTATUS_SYSCALL;
    g_autofree char *m = ui_link('m', gp->m, NULL);
    ui_facts_row(facts, is_there ? "on" : "last on", m);
  }
  if (gp->parent) {
    g_autofree char *parent = g_link(trace, gp->parent);
    ui_facts_row(facts, "made by", parent);
  }
  if (gp->waker) {
    g_autofree char *waker = g_link(trace, gp->waker);
    ui_facts_row(facts, "made ready by", waker);
  }
  write_next_run(facts, trace, goid, now);
}

static void write_m(UiFacts *facts, struct vw_trace *trace, const struct trace_replay *state,
                    uint32_t id)
{
  const struct trace_m *mp = trace_replay_m(state, id);
  g_autofree char *title = g_strdup_printf("M%u", id);
  ui_facts_heading(facts, title);
  if (!mp) {
    ui_facts_text(facts, "status", "it does not exist at this time");
    return;
  }
  const long lane = vw_lane_of(trace, VW_LANES_M, id);
  const bool is_sysmon = lane >= 0 && vw_lane(trace, VW_LANES_M, (size_t)lane)->is_sysmon;
  if (mp->tid)
    ui_facts_text(facts, "thread", "%u", mp->tid);
  ui_facts_text(facts, "status", "%s", trace_m_does(mp, is_sysmon));
  if (is_sysmon)
    return;
  write_since(facts, trace_replay_world(state)->ts, mp->since);
  g_autofree char *g = g_link(trace, mp->g);
  ui_facts_row(facts, "runs", g);
  g_autofree char *p = mp->p == TRACE_NO_P ? g_strdup("none") : ui_link('p', mp->p, NULL);
  ui_facts_row(facts, "holds", p);
}

static void write_p(UiFacts *facts, struct vw_trace *trace, const struct trace_replay *state,
                    uint32_t id)
{
  const struct trace_p *pp = trace_replay_p(state, id);
  g_autofree char *title = g_strdup_printf("P%u", id);
  ui_facts_heading(facts, title);
  if (!pp) {
    ui_facts_text(facts, "status", "it does not exist at this time");
    return;
  }
  const char *status = ui_word(TRACE_ARG_PSTATUS, pp->status);
  ui_facts_text(facts, "status", "%s", status);
  write_since(facts, trace_replay_world(state)->ts, pp->since);
  g_autofree char *m = pp->m == TRACE_NO_M ? g_strdup("none") : ui_link('m', pp->m, NULL);
  ui_facts_row(facts, "held by", m);
  g_autofree char *next = g_link(trace, pp->runnext);
  ui_facts_row(facts, "runnext", next);
  ui_facts_text(facts, "queued", "%u", pp->n_ring);
  ui_facts_text(facts, "timers", "%u", pp->n_timers);
}

void ui_inspector_write(UiFacts *facts, UiSession *session)
{
  struct vw_trace *trace = ui_session_trace(session);
  const struct vw_view *view = ui_session_view(session);
  ui_facts_begin(facts);
  const uint64_t no = view->event_no;
  if (trace && no == VW_NONE)
    ui_facts_note(facts, "Click a bar in the timeline, or press N for the next event.");
  if (trace && no != VW_NONE) {
    write_event(facts, trace, no);
    const struct trace_replay *state = vw_state_after(trace, no);
    const uint32_t g = ui_session_subject_g(session);
    if (state && view->selected == VW_SELECT_M)
      write_m(facts, trace, state, view->selected_id);
    else if (state && view->selected == VW_SELECT_P)
      write_p(facts, trace, state, view->selected_id);
    else if (state && g)
      write_g(facts, trace, state, g);
  }
  ui_facts_end(facts);
}
