/* SPDX-License-Identifier: MIT */
/* keys.h - the table of actions (actions.def) at work: accelerators, bare keys, the shortcuts window. */
#pragma once
#include <gtk/gtk.h>

enum ui_group {
  UI_GROUP_FILE,
  UI_GROUP_STEP,
  UI_GROUP_MOVE,
  UI_GROUP_LOOK,
  UI_GROUPS
};

struct ui_action {
  enum ui_group group;
  const char *detailed; /* "win.lanes::m" */
  const char *title;
  const char *triggers; /* separated by blanks */
};
/* All actions; the last has a NULL title. */
extern const struct ui_action ui_actions[];

/* "Ctrl+O", or "" if the action has no key. Caller frees. */
char *ui_action_key(const struct ui_action *action);
/* Gives the application the accelerators that have a modifier (or are function keys). */
void ui_keys_set_accels(GtkApplication *application);
/* Gives a window the bare keys; they do nothing while an entry has the focus. */
void ui_keys_add_bare(GtkWindow *window);
/* Makes the shortcuts window. The caller presents it. */
GtkWindow *ui_keys_window_new(GtkWindow *parent);
