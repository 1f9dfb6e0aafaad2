/* SPDX-License-Identifier: MIT */
/* window-private.h - what window.c, window-open.c, window-play.c and window-actions.c share. */
#pragma once
#include "events.h"
#include "facts.h"
#include "palette.h"
#include "query.h"
#include "window.h"

struct _UiWindow {
  GtkApplicationWindow parent_instance;
  UiSession *session;

  /* from window.ui */
  GtkWidget *overlay, *pages, *lane_buttons, *step_buttons, *zoom_buttons, *menu_button;
  GtkWidget *title, *subtitle;
  GtkWidget *opening_label, *opening_bar, *error_what, *error_why, *error_todo, *error_open,
      *welcome_open;
  GtkWidget *warning_bar, *warning_label;
  GtkWidget *minimap_slot, *overview_label, *timeline_slot, *events_slot, *legend_slot,
      *legend_revealer;
  GtkWidget *inspector_slot, *state_slot, *why_slot, *panels, *step_label, *sentence;
  GtkWidget *range_label, *mark_label, *left_out_label, *keys_label, *play_button;

  /* put into the slots by window.c: gtk4-builder-tool can check window.ui because it has no type of ours */
  GtkWidget *timeline, *inspector, *state, *why, *events, *query, *palette;

  guint panels_tick; /* panels are written once a frame, however many steps it had */

  guint playing;    /* a source; 0: it does not play */
  bool is_own_step; /* the cursor moves because it plays */

  GCancellable *opening; /* NULL unless a trace is being opened */
  guint opening_poll;
  void (*opened)(UiWindow *window, bool is_open, gpointer data);
  gpointer opened_data;
};

/* window.c */
void ui_window_show_page(UiWindow *window, const char *name);
/* window-open.c */
void ui_window_choose(UiWindow *window);
void ui_window_cancel_open(UiWindow *window);
void ui_window_accept_drops(UiWindow *window);
/* window-play.c */
void ui_window_change_play(GSimpleAction *action, GVariant *value, gpointer data);
void ui_window_stop_playing(UiWindow *window);
/* The session changed: playing ends when somebody else moved the cursor. */
void ui_window_play_noticed(UiWindow *window, guint what);
/* window-actions.c */
void ui_window_add_actions(UiWindow *window);
void ui_window_sync_actions(UiWindow *window);
