/* SPDX-License-Identifier: MIT */
/* window-actions.c - what each "win." action of actions.def does. */
#include "window-private.h"

#include "keys.h"

/* The many that only call the session: a table of (name, what to do). */
static void zoom_in(UiWindow *window)
{
  ui_session_zoom(window->session, 1.5, ui_timeline_anchor(UI_TIMELINE(window->timeline)));
}

static void zoom_out(UiWindow *window)
{
  ui_session_zoom(window->session, 1 / 1.5, ui_timeline_anchor(UI_TIMELINE(window->timeline)));
}

static void pan_left(UiWindow *window)
{
  ui_session_pan(window->session, -0.1);
}

static void pan_right(UiWindow *window)
{
  ui_session_pan(window->session, 0.1);
}

static void scroll_up(UiWindow *window)
{
  ui_timeline_scroll_lanes(UI_TIMELINE(window->timeline), -1);
}

static void scroll_down(UiWindow *window)
{
  ui_timeline_scroll_lanes(UI_TIMELINE(window->timeline), 1);
}

static void fit(UiWindow *window)
{
  ui_session_fit(window->session);
}

static void fit_event(UiWindow *window)
{
  ui_session_fit_event(window->session);
}

static void fit_all(UiWindow *window)
{
  ui_session_fit_all(window->session);
}

static void step_forward(UiWindow *window)
{
  ui_session_step(window->session, 1);
}

static void step_back(UiWindow *window)
{
  ui_session_step(window->session, -1);
}

static void lane_forward(UiWindow *window)
{
  ui_session_step_lane(window->session, 1);
}

static void lane_back(UiWindow *window)
{
  ui_session_step_lane(window->session, -1);
}

static void arrow_forward(UiWindow *window)
{
  ui_session_follow_arrow(window->session, 1);
}

static void arrow_back(UiWindow *window)
{
  ui_session_follow_arrow(window->session, -1);
}

static void first(UiWindow *window)
{
  ui_session_set_event(window->session, 0, true);
}

static void last(UiWindow *window)
{
  struct vw_trace *trace = ui_session_trace(window->session);
  if (trace && vw_event_count(trace))
    ui_session_set_event(window->session, vw_event_count(trace) - 1, true);
}

/* The span under the cursor on the lane where the event happened, else what is visible. */
static void mark(UiWindow *window)
{
  struct vw_trace *trace = ui_session_trace(window->session);
  const struct vw_view *view = ui_session_view(window->session);
  int64_t t0 = view->t0, t1 = view->t1;
  const struct trace_event *e =
      trace && view->event_no != VW_NONE ? vw_event(trace, view->event_no) : NULL;
  const long i = e ? vw_lane_of(trace, VW_LANES_M, e->m) : -1;
  if (i >= 0) {
    const struct vw_lane *lane = vw_lane(trace, VW_LANES_M, (size_t)i);
    const size_t s = vw_span_at(lane, e->ts);
    if (s < lane->n_spans && lane->spans[s].t0 <= e->ts) {
      t0 = lane->spans[s].t0;
      t1 = lane->spans[s].t1;
    }
  }
  ui_session_set_mark(window->session, t0, t1);
}

static void unmark(UiWindow *window)
{
  ui_session_set_mark(window->session, 0, 0);
}

static void undo(UiWindow *window)
{
  ui_session_undo(window->session);
}

static void redo(UiWindow *window)
{
  ui_session_redo(window->session);
}

static void search(UiWindow *window)
{
  g_action_group_change_action_state(G_ACTION_GROUP(window), "events", g_variant_new_boolean(TRUE));
  ui_events_search(UI_EVENTS(window->events));
}

static void focus_timeline(UiWindow *window)
{
  gtk_widget_grab_focus(window->timeline);
}

/* The query stands where the event list does, one of them at a time. */
static void show_query(UiWindow *window, bool is_shown)
{
  g_autoptr(GVariant) are_events_shown =
      g_action_group_get_action_state(G_ACTION_GROUP(window), "events");
  gtk_widget_set_visible(window->events, !is_shown);
  gtk_widget_set_visible(window->query, is_shown);
  gtk_widget_set_visible(window->events_slot, is_shown || g_variant_get_boolean(are_events_shown));
}

static void query(UiWindow *window)
{
  show_query(window, true);
  ui_query_focus(UI_QUERY(window->query));
}

static void close_query(UiWindow *window)
{
  show_query(window, false);
  focus_timeline(window);
}

/* One thing at a time, the nearest first: palette, query, search, mark, selection, cursor. */
static void clear(UiWindow *window)
{
  const struct vw_view *view = ui_session_view(window->session);
  if (gtk_widget_get_visible(window->palette))
    ui_palette_close(UI_PALETTE(window->palette));
  else if (gtk_widget_is_visible(window->query) && ui_query_stop(UI_QUERY(window->query)))
    return;
  else if (gtk_widget_is_visible(window->query))
    close_query(window);
  else if (ui_events_clear_search(UI_EVENTS(window->events)))
    focus_timeline(window);
  else if (view->mark_t1 > view->mark_t0)
    unmark(window);
  else if (view->selected != VW_SELECT_NONE)
    ui_session_select(window->session, VW_SELECT_NONE, 0);
  else
    ui_session_set_event(window->session, VW_NONE, false);
}

static void palette(UiWindow *window)
{
  ui_palette_open(UI_PALETTE(window->palette));
}

static void menu(UiWindow *window)
{
  gtk_menu_button_popup(GTK_MENU_BUTTON(window->menu_button));
}

static void shortcuts(UiWindow *window)
{
  gtk_window_present(ui_keys_window_new(GTK_WINDOW(window)));
}

static void about(UiWindow *window)
{
  gtk_show_about_dialog(
      GTK_WINDOW(window), "program-name", "gmpscope", "version", UI_VERSION, "comments",
      "See a Go-style scheduler think: G, M and P, live or recorded, step by step.", "license-type",
      GTK_LICENSE_MIT_X11, "logo-icon-name", "gmpscope", NULL);
}

static void close_window(UiWindow *window)
{
  gtk_window_close(GTK_WINDOW(window));
}

static const struct {
  const char *name;
  void (*run)(UiWindow *window);
  bool needs_trace;
} simple_actions[] = {
  { "open", ui_window_choose, false },
  { "cancel", ui_window_cancel_open, false },
  { "close", close_window, false },
  { "palette", palette, false },
  { "menu", menu, false },
  { "shortcuts", shortcuts, false },
  { "about", about, false },
  { "focus-timeline", focus_timeline, false },
  { "clear", clear, false },
  { "close-query", close_query, false },
  { "zoom-in", zoom_in, true },
  { "zoom-out", zoom_out, true },
  { "pan-left", pan_left, true },
  { "pan-right", pan_right, true },
  { "scroll-up", scroll_up, true },
  { "scroll-down", scroll_down, true },
  { "fit", fit, true },
  { "fit-all", fit_all, true },
  { "fit-event", fit_event, true },
  { "step-forward", step_forward, true },
  { "step-back", step_back, true },
  { "lane-forward", lane_forward, true },
  { "lane-back", lane_back, true },
  { "arrow-forward", arrow_forward, true },
  { "arrow-back", arrow_back, true },
  { "first", first, true },
  { "last", last, true },
  { "mark", mark, true },
  { "unmark", unmark, true },
  { "undo", undo, true },
  { "redo", redo, true },
  { "search", search, true },
  { "query", query, true },
};

static void on_simple(GSimpleAction *action, GVariant *parameter, gpointer data)
{
  (void)parameter;
  const char *name = g_action_get_name(G_ACTION(action));
  for (size_t i = 0; i < G_N_ELEMENTS(simple_actions); i++)
    if (g_str_equal(simple_actions[i].name, name))
      simple_actions[i].run(data);
}

/* ---- actions with a state ---- */

static const char *const lane_names[VW_LANE_KINDS] = {
  [VW_LANES_M] = "m", [VW_LANES_P] = "p", [VW_LANES_G] = "g"
};

static void change_lanes(GSimpleAction *action, GVariant *value, gpointer data)
{
  UiWindow *window = data;
  (void)action;
  for (int i = 0; i < VW_LANE_KINDS; i++)
    if (g_str_equal(lane_names[i], g_variant_get_string(value, NULL)))
      ui_session_set_lanes(window->session,
                           (enum vw_lane_kind)i); /* ui_window_sync_actions sets the state */
}

static void change_panel(GSimpleAction *action, GVariant *value, gpointer data)
{
  UiWindow *window = data;
  gtk_stack_set_visible_child_name(GTK_STACK(window->panels), g_variant_get_string(value, NULL));
  g_simple_action_set_state(action, value);
}

static void change_arrows(GSimpleAction *action, GVariant *value, gpointer data)
{
  UiWindow *window = data;
  ui_session_set_arrows(window->session, g_variant_get_boolean(value));
  g_simple_action_set_state(action, value);
}

static void change_legend(GSimpleAction *action, GVariant *value, gpointer data)
{
  UiWindow *window = data;
  gtk_revealer_set_reveal_child(GTK_REVEALER(window->legend_revealer),
                                g_variant_get_boolean(value));
  g_simple_action_set_state(action, value);
}

static void change_events(GSimpleAction *action, GVariant *value, gpointer data)
{
  UiWindow *window = data;
  g_simple_action_set_state(action, value);
  show_query(window, false); /* the list comes back, or goes with it */
}

static void change_drag_pan(GSimpleAction *action, GVariant *value, gpointer data)
{
  UiWindow *window = data;
  ui_timeline_set_drag_pans(UI_TIMELINE(window->timeline), g_variant_get_boolean(value));
  g_simple_action_set_state(action, value);
}

static const GActionEntry stateful_actions[] = {
  { "lanes", NULL, "s", "'m'", change_lanes, { 0 } },
  { "panel", NULL, "s", "'inspector'", change_panel, { 0 } },
  { "play", NULL, NULL, "false", ui_window_change_play, { 0 } },
  { "drag-pan", NULL, NULL, "false", change_drag_pan, { 0 } },
  { "arrows", NULL, NULL, "true", change_arrows, { 0 } },
  { "legend", NULL, NULL, "true", change_legend, { 0 } },
  { "events", NULL, NULL, "true", change_events, { 0 } },
};

void ui_window_add_actions(UiWindow *window)
{
  for (size_t i = 0; i < G_N_ELEMENTS(simple_actions); i++) {
    g_autoptr(GSimpleAction) action = g_simple_action_new(simple_actions[i].name, NULL);
    g_signal_connect(action, "activate", G_CALLBACK(on_simple), window);
    g_action_map_add_action(G_ACTION_MAP(window), G_ACTION(action));
  }
  g_action_map_add_action_entries(G_ACTION_MAP(window), stateful_actions,
                                  G_N_ELEMENTS(stateful_actions), window);
}

void ui_window_sync_actions(UiWindow *window)
{
  const bool has_trace = ui_session_trace(window->session) != NULL;
  for (size_t i = 0; i < G_N_ELEMENTS(simple_actions); i++) {
    GAction *action = g_action_map_lookup_action(G_ACTION_MAP(window), simple_actions[i].name);
    g_simple_action_set_enabled(G_SIMPLE_ACTION(action),
                                has_trace || !simple_actions[i].needs_trace);
  }
  GAction *lanes = g_action_map_lookup_action(G_ACTION_MAP(window), "lanes");
  g_simple_action_set_enabled(G_SIMPLE_ACTION(lanes), has_trace);
  g_simple_action_set_state(
      G_SIMPLE_ACTION(lanes),
      g_variant_new_string(lane_names[ui_session_view(window->session)->lanes]));
}
