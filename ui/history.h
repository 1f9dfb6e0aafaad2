/* SPDX-License-Identifier: MIT */
/* history.h - where a person has been: undo and redo of navigation.  Plain C, no clock of its own. */
#pragma once
#include "plan.h"

#define UI_HISTORY_ROOM     128
#define UI_HISTORY_PAUSE_US 600000 /* moves of a kind closer together than this are one */

struct ui_place {
  int64_t t0, t1;
  double scroll_y;
  enum vw_lane_kind lanes;
  enum vw_select selected;
  uint32_t selected_id;
  uint64_t event_no;
};

struct ui_history { /* places[0 .. n_undo) lie behind, [n_undo .. n) ahead, oldest first */
  struct ui_place places[UI_HISTORY_ROOM];
  int n_undo, n;
  int64_t last_us;
  unsigned last_kind;
};

void ui_history_clear(struct ui_history *history);
/* Call with the place before a move: it is kept, unless the last move was of the same kind and just now. Forgets what
 * lay ahead. */
void ui_history_leave(struct ui_history *history, const struct ui_place *here, unsigned kind,
                      int64_t now_us);
/* Swaps *place for the one before or after it. False, and untouched: there is none. */
bool ui_history_undo(struct ui_history *history, struct ui_place *place);
bool ui_history_redo(struct ui_history *history, struct ui_place *place);
