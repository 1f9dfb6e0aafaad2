/* SPDX-License-Identifier: MIT */
/* state-panel.c - Ps with their queues, the global queue, Ms, timer heaps, and the subject G's deferred calls.
 *
 * Every list is bounded (SHOWN_*) and says how many it leaves out: a state can hold a million Gs.
 * A G in a queue is a link on its own colour, the one that it has on the lanes.
 */
#include "state-panel.h"

#include "heap.h"
#include "links.h"
#include "theme.h"

#include "trace-text.h"

#define SHOWN_QUEUE 24
#define SHOWN_PS    32
#define SHOWN_MS    32

/* " G17 " on its colour, as a link. */
static void append_chip(GString *markup, const struct vw_theme *theme, uint32_t goid)
{
  char paper[8], ink[8];
  const struct vw_rgb colour = vw_palette_g(theme, goid);
  ui_theme_hex(colour, paper);
  ui_theme_hex(vw_palette_ink(theme, colour), ink);
  g_string_append_printf(
      markup,
      "%s<a href=\"g:%u\"><span background=\"%s\" foreground=\"%s\" underline=\"none\">"
      "\302\240G%u\302\240</span></a>",
      markup->len ? " " : "", goid, paper, ink, goid);
}

static void append_left_out(GString *markup, size_t n, size_t shown)
{
  if (n > shown)
    g_string_append_printf(markup, "  and %zu more", n - shown);
}

static char *queue_markup(const struct vw_theme *theme, uint32_t runnext, const uint32_t *goids,
                          size_t n)
{
  g_autoptr(GString) markup = g_string_new(NULL);
  if (runnext) {
    g_string_append(markup, "<span alpha=\"60%\">next</span>");
    append_chip(markup, theme, runnext);
    if (n)
      g_string_append(markup, " <span alpha=\"60%\">then</span>");
  }
  for (size_t i = 0; i < MIN(n, SHOWN_QUEUE); i++)
    append_chip(markup, theme, goids[i]);
  append_left_out(markup, n, SHOWN_QUEUE);
  return markup->len ? g_strdup(markup->str) : g_strdup("<span alpha=\"60%\">empty</span>");
}

static bool is_sysmon(const struct vw_trace *trace, uint32_t id)
{
  const long lane = vw_lane_of(trace, VW_LANES_M, id);
  return lane >= 0 && vw_lane(trace, VW_LANES_M, (size_t)lane)->is_sysmon;
}

/* What an M does, in the words of `gmpscope state`, with the G that it runs. */
static void append_m(GString *markup, const struct vw_trace *trace, const struct trace_m *mp,
                     const struct vw_theme *theme)
{
  const char *does = trace_m_does(mp, is_sysmon(trace, mp->id));
  g_string_append_printf(
      markup, mp->status == TRACE_MSTATUS_PARKED ? "<span alpha=\"60%%\">%s</span>" : "%s", does);
  if (!mp->g)
    return;
  append_chip(markup, theme, mp->g);
  if (mp->p == TRACE_NO_P)
    g_string_append(markup, " without a P");
}

static void write_p(UiFacts *facts, const struct vw_trace *trace, const struct trace_replay *state,
                    const struct vw_theme *theme, uint32_t id)
{
  const struct trace_p *pp = trace_replay_p(state, id);
  uint32_t goids[256];
  const size_t n = trace_replay_ring(state, id, goids, G_N_ELEMENTS(goids));
  g_autofree char *queue = queue_markup(theme, pp->runnext, goids, MIN(n, G_N_ELEMENTS(goids)));
  g_autofree char *p = ui_link('p', id, NULL);
  g_autoptr(GString) text = g_string_new(NULL);
  const struct trace_m *mp = pp->m == TRACE_NO_M ? NULL : trace_replay_m(state, pp->m);
  if (mp) {
    g_autofree char *m = ui_link('m', pp->m, NULL);
    g_string_append_printf(text, "%s ", m);
    append_m(text, trace, mp, theme);
  } else {
    g_string_append(text, ui_word(TRACE_ARG_PSTATUS, pp->status));
  }
  ui_facts_row(facts, p, text->str);
  ui_facts_row(facts, "", queue);
}

static void write_ps(UiFacts *facts, const struct vw_trace *trace, const struct trace_replay *state,
                     const struct vw_theme *theme)
{
  uint32_t ids[SHOWN_PS];
  const struct trace_world *world = trace_replay_world(state);
  const size_t n = MIN(trace_replay_ps(state, 0, ids, SHOWN_PS), SHOWN_PS);
  ui_facts_heading(facts, "Ps and their queues");
  for (size_t i = 0; i < n; i++)
    write_p(facts, trace, state, theme, ids[i]);
  if (world->n_ps > n)
    ui_facts_text(facts, "", "and %zu more", world->n_ps - n);
  uint32_t goids[SHOWN_QUEUE];
  trace_replay_global(state, goids, SHOWN_QUEUE);
  g_autofree char *shown = queue_markup(theme, 0, goids, MIN(world->n_global, SHOWN_QUEUE));
  g_autoptr(GString) markup = g_string_new(shown);
  append_left_out(markup, world->n_global, SHOWN_QUEUE);
  ui_facts_row(facts, "global", markup->str);
}

static void write_ms(UiFacts *facts, const struct vw_trace *trace, const struct trace_replay *state,
                     const struct vw_theme *theme)
{
  uint32_t ids[SHOWN_MS];
  const struct trace_world *world = trace_replay_world(state);
  const size_t n = MIN(trace_replay_ms(state, 0, ids, SHOWN_MS), SHOWN_MS);
  ui_facts_heading(facts, "Ms");
  for (size_t i = 0; i < n; i++) {
    g_autofree char *m = ui_link('m', ids[i], NULL);
    g_autoptr(GString) does = g_string_new(NULL);
    append_m(does, trace, trace_replay_m(state, ids[i]), theme);
    ui_facts_row(facts, m, does->str);
  }
  if (world->n_ms > n)
    ui_facts_text(facts, "", "and %zu more", world->n_ms - n);
}

/* What the frames of a heap's nodes mean, if there are any but plain ones. */
static void write_heap_signs(UiFacts *facts, const struct trace_heap_entry *entries, size_t n)
{
  bool has_zombie = false, has_modified = false;
  for (size_t i = 0; i < n; i++) {
    has_zombie |= entries[i].zombie;
    has_modified |= entries[i].modified;
  }
  if (has_zombie)
    ui_facts_note(facts, "<s>dashed</s>: a zombie until the heap is cleaned: stopped, or nobody "
                         "waits on its channel");
  if (has_modified)
    ui_facts_note(facts, "dotted, →: reset, and moves when the heap is mended");
}

static void write_heaps(UiFacts *facts, const struct trace_replay *state)
{
  uint32_t ids[SHOWN_PS];
  const size_t n = MIN(trace_replay_ps(state, 0, ids, SHOWN_PS), SHOWN_PS);
  bool is_first = true;
  for (size_t i = 0; i < n; i++) {
    const struct trace_p *pp = trace_replay_p(state, ids[i]);
    if (!pp->n_timers)
      continue;
    if (is_first)
      ui_facts_heading(facts, "Timer heaps, soonest left");
    is_first = false;
    struct trace_heap_entry entries[UI_HEAP_SHOWN];
    const size_t n_shown =
        MIN(trace_replay_heap(state, ids[i], entries, UI_HEAP_SHOWN), UI_HEAP_SHOWN);
    g_autofree char *timers = ui_text_many(pp->n_timers, "timer");
    g_autofree char *all = g_strdup_printf("P%u: %s", ids[i], timers);
    g_autofree char *note = pp->n_timers > n_shown
                                ? g_strdup_printf("%s, the first %zu drawn", all, n_shown)
                                : g_strdup(all);
    ui_facts_note(facts, note);
    ui_facts_widget(facts, ui_heap_new(ids[i], entries, n_shown, trace_replay_world(state)->ts));
    write_heap_signs(facts, entries, n_shown);
  }
}

static void write_panics(UiFacts *facts, const struct trace_replay *state, const struct trace_g *gp)
{
  for (uint32_t i = gp->n_panics; i-- > 0;) {
    const struct trace_panic *panic = &gp->panics[i];
    const char *value = trace_replay_string(state, panic->value, NULL);
    ui_facts_text(facts, panic->is_goexit ? "Goexit" : "panic", "%s%s, now at frame %u%s",
                  panic->is_goexit || !value ? "" : value, panic->recovered ? " (recovered)" : "",
                  panic->walked_to, panic->supersedes ? ", supersedes an older one" : "");
  }
}

static char *fn_text(struct vw_trace *trace, uint64_t fn)
{
  const char *name = vw_fn_name(trace, fn);
  return *name ? g_strdup(name) : g_strdup_printf("0x%" G_GINT64_MODIFIER "x", fn);
}

static void write_calls(UiFacts *facts, struct vw_trace *trace, const struct trace_g *gp)
{
  for (uint32_t i = gp->n_calls; i-- > 0;) {
    g_autofree char *fn = fn_text(trace, gp->calls[i].fn);
    ui_facts_text(facts, "runs now", "%s, because of %s", fn,
                  ui_word(TRACE_ARG_CAUSE, gp->calls[i].because));
  }
  for (uint32_t i = gp->n_defers; i-- > 0;) {
    g_autofree char *fn = fn_text(trace, gp->defers[i].fn);
    ui_facts_text(facts, "pending", "%s, frame %u, %s record", fn, gp->defers[i].frame,
                  ui_word(TRACE_ARG_DEFERKIND, gp->defers[i].record));
  }
}

static void write_subject(UiFacts *facts, struct vw_trace *trace, const struct trace_replay *state,
                          uint32_t goid)
{
  const struct trace_g *gp = goid ? trace_replay_g(state, goid) : NULL;
  if (!gp)
    return;
  g_autofree char *title = g_strdup_printf("Deferred calls of G%u, newest first", goid);
  ui_facts_heading(facts, title);
  if (!gp->n_defers && !gp->n_calls && !gp->n_panics)
    ui_facts_note(facts, "none");
  write_panics(facts, state, gp);
  write_calls(facts, trace, gp);
}

static void write_stop(UiFacts *facts, const struct vw_trace *trace,
                       const struct trace_world *world)
{
  if (!world->stopping && !world->stopped)
    return;
  const char *why = trace_word_text(TRACE_ARG_STWWHY, world->stop_why);
  const char *reason = vw_string(trace, world->stop_reason);
  ui_facts_text(facts, "", "The world is %sstopped%s%s%s%s%s.", world->stopped ? "" : "being ",
                why ? ": " : "", why ? why : "", *reason ? " (" : "", reason, *reason ? ")" : "");
}

void ui_state_panel_write(UiFacts *facts, UiSession *session)
{
  struct vw_trace *trace = ui_session_trace(session);
  const uint64_t no = ui_session_view(session)->event_no;
  const struct trace_replay *state = trace && no != VW_NONE ? vw_state_after(trace, no) : NULL;
  const struct vw_theme theme = ui_theme_get();
  ui_facts_begin(facts);
  if (state) {
    const struct trace_world *world = trace_replay_world(state);
    write_stop(facts, trace, world);
    write_ps(facts, trace, state, &theme);
    write_ms(facts, trace, state, &theme);
    write_subject(facts, trace, state, ui_session_subject_g(session));
    write_heaps(facts, state);
  } else if (trace) {
    ui_facts_note(facts, "Press N for the next event: here you see what the scheduler holds then.");
  }
  ui_facts_end(facts);
}
