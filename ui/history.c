/* SPDX-License-Identifier: MIT */
/* history.c - a row of places with a gap where we are now.
 *
 * I1  0 <= n_undo <= n <= UI_HISTORY_ROOM.   I2  The present place is never in the row.
 * Undo swaps the present with the newest place behind, which makes redo the same swap the other way.
 * Not done: a list of commands with inverses.  A place is 56 bytes, and putting one back cannot fail.
 */
#include "history.h"

#include <string.h>

void ui_history_clear(struct ui_history *history)
{
  memset(history, 0, sizeof *history);
}

void ui_history_leave(struct ui_history *history, const struct ui_place *here, unsigned kind,
                      int64_t now_us)
{
  const bool is_same_move = history->last_us && history->last_kind == kind &&
                            now_us - history->last_us < UI_HISTORY_PAUSE_US;
  history->last_us = now_us;
  history->last_kind = kind;
  history->n = history->n_undo;
  if (is_same_move && history->n_undo > 0)
    return;
  if (history->n_undo == UI_HISTORY_ROOM) {
    memmove(history->places, history->places + 1, (UI_HISTORY_ROOM - 1) * sizeof *here);
    history->n_undo--;
  }
  history->places[history->n_undo++] = *here;
  history->n = history->n_undo;
}

static void swap(struct ui_place *a, struct ui_place *b)
{
  const struct ui_place kept = *a;
  *a = *b;
  *b = kept;
}

bool ui_history_undo(struct ui_history *history, struct ui_place *place)
{
  if (history->n_undo == 0)
    return false;
  swap(&history->places[--history->n_undo], place);
  history->last_us = 0;
  return true;
}

bool ui_history_redo(struct ui_history *history, struct ui_place *place)
{
  if (history->n_undo == history->n)
    return false;
  swap(&history->places[history->n_undo++], place);
  history->last_us = 0;
  return true;
}
