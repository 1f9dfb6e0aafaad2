/* SPDX-License-Identifier: MIT */
/* session.c - the one object behind the window (session.h).
 *
 * It holds a struct vw_view, the very thing that viewer plans from, so there is no second notion of "what is
 * shown" to keep in step.  All arithmetic on ranges is viewer's (vw_view_zoom ...), where it is tested.
 *
 * Not done: a GObject property for each field.  Nobody binds to them; one signal with a mask lets a widget
 * handle "range and event moved together" once.
 */
#include "session.h"

#include "history.h"

struct _UiSession {
  GObject parent_instance;
  struct vw_trace *trace;
  struct vw_view view;
  struct ui_history history;
};

enum {
  SIGNAL_CHANGED,
  N_SIGNALS
};
static guint signals[N_SIGNALS];

G_DEFINE_TYPE(UiSession, ui_session, G_TYPE_OBJECT)

static void notify(UiSession *session, guint what)
{
  if (what)
    g_signal_emit(session, signals[SIGNAL_CHANGED], 0, what);
}

static void finalize(GObject *object)
{
  UiSession *session = UI_SESSION(object);
  g_clear_pointer(&session->trace, vw_trace_free);
  G_OBJECT_CLASS(ui_session_parent_class)->finalize(object);
}

static void ui_session_class_init(UiSessionClass *class)
{
  G_OBJECT_CLASS(class)->finalize = finalize;
  signals[SIGNAL_CHANGED] = g_signal_new("changed", UI_TYPE_SESSION, G_SIGNAL_RUN_LAST, 0, NULL,
                                         NULL, NULL, G_TYPE_NONE, 1, G_TYPE_UINT);
}

static void ui_session_init(UiSession *session)
{
  session->view.event_no = VW_NONE;
  session->view.width = 800;
  session->view.height = 400;
}

UiSession *ui_session_new(void)
{
  return g_object_new(UI_TYPE_SESSION, NULL);
}

/* ---- places ---- */

static struct ui_place place_get(const struct vw_view *view)
{
  return (struct ui_place){ .t0 = view->t0,
                            .t1 = view->t1,
                            .scroll_y = view->scroll_y,
                            .lanes = view->lanes,
                            .selected = view->selected,
                            .selected_id = view->selected_id,
                            .event_no = view->event_no };
}

static void place_put(struct vw_view *view, const struct ui_place *place)
{
  view->t0 = place->t0;
  view->t1 = place->t1;
  view->scroll_y = place->scroll_y;
  view->lanes = place->lanes;
  view->selected = place->selected;
  view->selected_id = place->selected_id;
  view->dim_others = place->selected != VW_SELECT_NONE;
  view->event_no = place->event_no;
}

/* Which parts differ: the mask to notify. */
static guint difference(const struct ui_place *a, const struct ui_place *b)
{
  guint what = 0;
  if (a->t0 != b->t0 || a->t1 != b->t1 || a->scroll_y != b->scroll_y)
    what |= UI_CHANGED_RANGE;
  if (a->lanes != b->lanes)
    what |= UI_CHANGED_LANES;
  if (a->selected != b->selected || a->selected_id != b->selected_id)
    what |= UI_CHANGED_SELECTION;
  if (a->event_no != b->event_no)
    what |= UI_CHANGED_EVENT;
  return what;
}

/* The end of every move: before is where we came from. */
static void moved(UiSession *session, const struct ui_place *before)
{
  const struct ui_place now = place_get(&session->view);
  const guint what = difference(before, &now);
  const guint kind = what & UI_CHANGED_EVENT ? UI_CHANGED_EVENT : what; /* a step may also scroll */
  if (what)
    ui_history_leave(&session->history, before, kind, g_get_monotonic_time());
  notify(session, what);
}

/* ---- trace ---- */

void ui_session_take_trace(UiSession *session, struct vw_trace *trace)
{
  g_return_if_fail(UI_IS_SESSION(session));
  struct vw_trace *old = session->trace;
  const struct vw_view shown = session->view;
  session->trace = trace;
  session->view =
      (struct vw_view){ .width = shown.width, .height = shown.height, .event_no = VW_NONE };
  if (trace) {
    vw_view_init(&session->view, trace, VW_LANES_M, shown.width, shown.height);
    vw_view_skip_start_up(&session->view, trace);
    session->view.event_no = VW_NONE;
  }
  ui_history_clear(&session->history);
  notify(session, UI_CHANGED_ALL);
  /* only now: until the notification widgets may still hold what they borrowed */
  vw_trace_free(old);
}

struct vw_trace *ui_session_trace(UiSession *session)
{
  return session->trace;
}

const struct vw_view *ui_session_view(UiSession *session)
{
  return &session->view;
}

void ui_session_set_size(UiSession *session, int width, int height)
{
  session->view.width = width;
  session->view.height = height;
}

/* ---- range ---- */

void ui_session_set_range(UiSession *session, int64_t t0, int64_t t1)
{
  g_return_if_fail(UI_IS_SESSION(session));
  if (!session->trace || t1 <= t0)
    return;
  const struct ui_place before = place_get(&session->view);
  session->view.t0 = t0;
  session->view.t1 = t1;
  vw_view_pan(&session->view, session->trace, 0); /* clamps */
  moved(session, &before);
}

void ui_session_zoom(UiSession *session, double factor, int64_t anchor)
{
  if (!session->trace)
    return;
  const struct ui_place before = place_get(&session->view);
  vw_view_zoom(&session->view, session->trace, factor, anchor);
  moved(session, &before);
}

void ui_session_pan(UiSession *session, double fraction)
{
  if (!session->trace)
    return;
  const struct ui_place before = place_get(&session->view);
  vw_view_pan(&session->view, session->trace, fraction);
  moved(session, &before);
}

void ui_session_set_scroll(UiSession *session, double scroll_y)
{
  if (!session->trace || session->view.scroll_y == scroll_y)
    return;
  session->view.scroll_y = MAX(scroll_y, 0);
  notify(session, UI_CHANGED_RANGE);
}

void ui_session_fit_span(UiSession *session, int64_t t0, int64_t t1)
{
  const int64_t margin = MAX((t1 - t0) / 10, 50);
  ui_session_set_range(session, t0 - margin, t1 + margin);
}

void ui_session_fit_all(UiSession *session)
{
  if (!session->trace)
    return;
  int64_t first, last;
  vw_time_range(session->trace, &first, &last);
  const int64_t margin = MAX((last - first) / 100, 50);
  ui_session_set_range(session, first - margin, last + margin);
}

/* Life of the selection on its own lane; false: it has no lane or never did anything. */
static bool selected_life(UiSession *session, int64_t *t0, int64_t *t1)
{
  static const enum vw_lane_kind lanes_of[] = {
    [VW_SELECT_G] = VW_LANES_G, [VW_SELECT_M] = VW_LANES_M, [VW_SELECT_P] = VW_LANES_P
  };
  if (session->view.selected == VW_SELECT_NONE)
    return false;
  const enum vw_lane_kind kind = lanes_of[session->view.selected];
  const long i = vw_lane_of(session->trace, kind, session->view.selected_id);
  if (i < 0)
    return false;
  const struct vw_lane *lane = vw_lane(session->trace, kind, (size_t)i);
  if (!lane->n_spans)
    return false;
  *t0 = lane->spans[0].t0;
  *t1 = lane->spans[lane->n_spans - 1].t1;
  return *t1 > *t0;
}

void ui_session_fit(UiSession *session)
{
  if (!session->trace)
    return;
  const struct vw_view *view = &session->view;
  int64_t t0, t1;
  if (view->mark_t1 > view->mark_t0)
    ui_session_fit_span(session, view->mark_t0, view->mark_t1);
  else if (selected_life(session, &t0, &t1))
    ui_session_fit_span(session, t0, t1);
  else
    ui_session_fit_all(session);
}

enum {
  AROUND = 12, /* events before and after the cursor's */
  DENSE = 5    /* a story below a fifth of the width: its steps are some pixels apart at best */
};

bool ui_session_fit_event(UiSession *session)
{
  const uint64_t no = session->view.event_no;
  if (!session->trace || no == VW_NONE)
    return false;
  int64_t t0, t1;
  if (!vw_panic_story_at(session->trace, no, &t0, &t1)) {
    const uint64_t last = vw_event_count(session->trace) - 1;
    t0 = vw_event(session->trace, no > AROUND ? no - AROUND : 0)->ts;
    t1 = vw_event(session->trace, MIN(no + AROUND, last))->ts;
  }
  ui_session_fit_span(session, t0, t1);
  return true;
}

bool ui_session_is_story_dense(UiSession *session)
{
  const struct vw_view *view = &session->view;
  int64_t t0, t1;
  return session->trace && view->event_no != VW_NONE &&
         vw_panic_story_at(session->trace, view->event_no, &t0, &t1) &&
         t1 - t0 < (view->t1 - view->t0) / DENSE;
}

void ui_session_set_lanes(UiSession *session, enum vw_lane_kind lanes)
{
  g_return_if_fail(lanes < VW_LANE_KINDS);
  const struct ui_place before = place_get(&session->view);
  if (before.lanes == lanes)
    return;
  session->view.lanes = lanes;
  session->view.scroll_y = 0;
  if (session->trace && session->view.event_no != VW_NONE)
    vw_view_reveal(&session->view, session->trace, session->view.event_no);
  moved(session, &before);
}

void ui_session_set_arrows(UiSession *session, bool are_shown)
{
  for (int i = 0; i < VW_ARROW_KINDS; i++)
    session->view.arrows[i] = are_shown;
  notify(session, UI_CHANGED_ARROWS);
}

void ui_session_set_mark(UiSession *session, int64_t t0, int64_t t1)
{
  if (session->view.mark_t0 == MIN(t0, t1) && session->view.mark_t1 == MAX(t0, t1))
    return;
  session->view.mark_t0 = MIN(t0, t1);
  session->view.mark_t1 = MAX(t0, t1);
  notify(session, UI_CHANGED_MARK);
}

/* ---- event and selection ---- */

void ui_session_set_event(UiSession *session, uint64_t no, bool is_revealed)
{
  if (!session->trace || (no != VW_NONE && no >= vw_event_count(session->trace)))
    return;
  const struct ui_place before = place_get(&session->view);
  session->view.event_no = no;
  if (is_revealed && no != VW_NONE)
    vw_view_reveal(&session->view, session->trace, no);
  moved(session, &before);
}

static bool is_selection_at(UiSession *session, uint64_t no)
{
  const struct vw_view *view = &session->view;
  const struct vw_filter filter = { .has_g = view->selected == VW_SELECT_G,
                                    .has_m = view->selected == VW_SELECT_M,
                                    .has_p = view->selected == VW_SELECT_P,
                                    .g = view->selected_id,
                                    .m = view->selected_id,
                                    .p = view->selected_id };
  return vw_filter_matches(session->trace, &filter, no);
}

/* Selects what of the selection's kind the event happened on, if anything. */
static void select_at(struct vw_view *view, const struct trace_event *e)
{
  bool is_there = view->selected == VW_SELECT_M;
  uint32_t id = e->m;
  if (view->selected == VW_SELECT_G) {
    is_there = e->g != 0;
    id = e->g;
  } else if (view->selected == VW_SELECT_P) {
    is_there = e->p != TRACE_NO_P;
    id = e->p;
  }
  view->selected = is_there ? view->selected : VW_SELECT_NONE;
  view->selected_id = is_there ? id : 0;
  view->dim_others = is_there;
}

void ui_session_go_to(UiSession *session, uint64_t no)
{
  if (!session->trace || no >= vw_event_count(session->trace))
    return;
  const struct ui_place before = place_get(&session->view);
  session->view.event_no = no;
  if (!is_selection_at(session, no))
    select_at(&session->view, vw_event(session->trace, no));
  vw_view_reveal(&session->view, session->trace, no);
  moved(session, &before);
}

void ui_session_select(UiSession *session, enum vw_select what, uint32_t id)
{
  const struct ui_place before = place_get(&session->view);
  session->view.selected = what;
  session->view.selected_id = what == VW_SELECT_NONE ? 0 : id;
  session->view.dim_others = what != VW_SELECT_NONE;
  moved(session, &before);
}

static bool step_by(UiSession *session, const struct vw_filter *filter, int direction)
{
  uint64_t from = session->view.event_no;
  if (from == VW_NONE) { /* begin at the left edge of what is shown */
    from = vw_event_at(session->trace, session->view.t0);
    from = from == 0 ? VW_NONE : from - (direction > 0);
  }
  const uint64_t no = vw_step(session->trace, filter, from, direction);
  if (no == VW_NONE)
    return false;
  ui_session_set_event(session, no, true);
  return true;
}

bool ui_session_step(UiSession *session, int direction)
{
  return session->trace && step_by(session, &(struct vw_filter){ 0 }, direction);
}

bool ui_session_step_lane(UiSession *session, int direction)
{
  if (!session->trace)
    return false;
  const struct vw_view *view = &session->view;
  struct vw_filter filter = { .has_g = view->selected == VW_SELECT_G,
                              .has_m = view->selected == VW_SELECT_M,
                              .has_p = view->selected == VW_SELECT_P,
                              .g = view->selected_id,
                              .m = view->selected_id,
                              .p = view->selected_id };
  if (view->selected == VW_SELECT_NONE && view->event_no != VW_NONE) { /* the event's own M */
    filter.has_m = true;
    filter.m = vw_event(session->trace, view->event_no)->m;
  }
  return step_by(session, &filter, direction);
}

bool ui_session_follow_arrow(UiSession *session, int direction)
{
  const uint64_t no = session->view.event_no;
  if (!session->trace || no == VW_NONE)
    return false;
  const long i =
      direction > 0 ? vw_arrow_out_of(session->trace, no) : vw_arrow_into(session->trace, no);
  if (i < 0)
    return false;
  size_t n;
  const struct vw_arrow *arrow = &vw_arrows(session->trace, &n)[i];
  const uint64_t there = direction > 0 ? arrow->to.no : arrow->from.no;
  if (there == VW_NONE)
    return false;
  ui_session_set_event(session, there, true);
  return true;
}

bool ui_session_follow_link(UiSession *session, const char *link)
{
  guint64 id;
  if (!link[0] || link[1] != ':' ||
      !g_ascii_string_to_unsigned(link + 2, 10, 0, G_MAXUINT64, &id, NULL))
    return false;
  switch (link[0]) {
  case 'g':
    ui_session_select(session, VW_SELECT_G, (uint32_t)id);
    return true;
  case 'm':
    ui_session_select(session, VW_SELECT_M, (uint32_t)id);
    return true;
  case 'p':
    ui_session_select(session, VW_SELECT_P, (uint32_t)id);
    return true;
  case 'e':
    ui_session_set_event(session, id, true);
    return true;
  default:
    return false;
  }
}

uint32_t ui_session_subject_g(UiSession *session)
{
  const struct vw_view *view = &session->view;
  if (view->selected == VW_SELECT_G)
    return view->selected_id;
  if (!session->trace || view->event_no == VW_NONE)
    return 0;
  return vw_event(session->trace, view->event_no)->g;
}

/* ---- history ---- */

static bool travel(UiSession *session, bool (*way)(struct ui_history *, struct ui_place *))
{
  const struct ui_place before = place_get(&session->view);
  struct ui_place there = before;
  if (!session->trace || !way(&session->history, &there))
    return false;
  place_put(&session->view, &there);
  notify(session, difference(&before, &there));
  return true;
}

bool ui_session_undo(UiSession *session)
{
  return travel(session, ui_history_undo);
}

bool ui_session_redo(UiSession *session)
{
  return travel(session, ui_history_redo);
}
