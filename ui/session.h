/* SPDX-License-Identifier: MIT */
/* session.h - what the window looks at: one trace, one range of time, one event, one selection.
 *
 * Widgets never talk to each other.  They call a setter here and listen to one signal:
 *   changed(UiSession *, guint what)     what: a mask of enum ui_changed
 * A setter notifies only on change, so a listener may call setters without running in circles.
 *
 * I1  The range is valid whenever there is a trace: t0 < t1, clamped by viewer.
 * I2  Each jump of a person is one entry of the undo history; small moves in a row are one (history.h).
 */
#pragma once
#include "plan.h"

#include <glib-object.h>

enum ui_changed {
  UI_CHANGED_TRACE = 1 << 0,
  UI_CHANGED_RANGE = 1 << 1,     /* time or vertical scroll */
  UI_CHANGED_EVENT = 1 << 2,     /* the cursor */
  UI_CHANGED_SELECTION = 1 << 3, /* the G, M or P */
  UI_CHANGED_LANES = 1 << 4,
  UI_CHANGED_MARK = 1 << 5,
  UI_CHANGED_ARROWS = 1 << 6,
  UI_CHANGED_ALL = (1 << 7) - 1,
};

#define UI_TYPE_SESSION (ui_session_get_type())
G_DECLARE_FINAL_TYPE(UiSession, ui_session, UI, SESSION, GObject)

UiSession *ui_session_new(void);
/* Moves a trace in, frees the one before, shows it from where its first G comes up. NULL closes. */
void ui_session_take_trace(UiSession *session, struct vw_trace *trace);
/* Borrowed until the next take; NULL when none is open. */
struct vw_trace *ui_session_trace(UiSession *session);
/* What is shown. Borrowed. width and height are the timeline's, last told by set_size. */
const struct vw_view *ui_session_view(UiSession *session);
void ui_session_set_size(UiSession *session, int width, int height);

/* Time. Setters clamp; anchor is a time that stays where it is on the screen. */
void ui_session_set_range(UiSession *session, int64_t t0, int64_t t1);
void ui_session_zoom(UiSession *session, double factor, int64_t anchor);
void ui_session_pan(UiSession *session, double fraction);
void ui_session_set_scroll(UiSession *session, double scroll_y);
/* The marked area if there is one, else the selection's life, else all. */
void ui_session_fit(UiSession *session);
void ui_session_fit_all(UiSession *session);
/* What the cursor's event is part of: the story of a panic, else the events around it. False: there is no cursor. */
bool ui_session_fit_event(UiSession *session);
/* Whether the cursor's event is of a panic whose story takes so little of what is shown that steps are told apart by
 * nothing but their sentences. */
bool ui_session_is_story_dense(UiSession *session);
void ui_session_fit_span(UiSession *session, int64_t t0, int64_t t1);

void ui_session_set_lanes(UiSession *session, enum vw_lane_kind lanes);
void ui_session_set_arrows(UiSession *session, bool are_shown);

/* The marked area; equal ends clear it. */
void ui_session_set_mark(UiSession *session, int64_t t0, int64_t t1);

/* The cursor. VW_NONE clears. To reveal it moves the range as little as needed. */
void ui_session_set_event(UiSession *session, uint64_t no, bool is_revealed);
/* The same, revealed, for a jump (a search, the list): a selection that has nothing to do with the event gives way to
 * the event's own, so that the panels tell of what was jumped to. */
void ui_session_go_to(UiSession *session, uint64_t no);
/* VW_SELECT_NONE clears. */
void ui_session_select(UiSession *session, enum vw_select what, uint32_t id);
/* Next (1) or previous (-1) event of all, or of the selected lane. False: there is none. */
bool ui_session_step(UiSession *session, int direction);
bool ui_session_step_lane(UiSession *session, int direction);
/* Along the arrow out of (1) or into (-1) the event. False: there is none. */
bool ui_session_follow_arrow(UiSession *session, int direction);
/* Follows "g:17", "m:2", "p:0" or "e:1234" (links.h). False: not one of these. */
bool ui_session_follow_link(UiSession *session, const char *link);
/* The G that panels tell about: the selected one, else the event's; 0 none. */
uint32_t ui_session_subject_g(UiSession *session);

bool ui_session_undo(UiSession *session);
bool ui_session_redo(UiSession *session);
