/* SPDX-License-Identifier: MIT */
/* test-session.c - the object behind the window, without a window: moving, stepping, selecting, going back. */
#include "test.h"

#include "event-model.h"
#include "session.h"
#include "vw-build.h"

#include <stdlib.h>

struct fixture {
  UiSession *session;
  struct vw_trace *trace; /* the session's */
  guint what;             /* all that was notified since it was last cleared */
};

static void on_changed(UiSession *session, guint what, gpointer data)
{
  struct fixture *fixture = data;
  (void)session;
  fixture->what |= what;
}

static int setup(void **state)
{
  struct fixture *fixture = g_new0(struct fixture, 1);
  struct tracefile_error error;
  g_autofree char *path = g_build_filename(getenv("GMPSCOPE_SOURCE"), "tests/ui/panic.trace", NULL);
  fixture->trace = vw_trace_from_text_file(path, &error);
  if (!fixture->trace)
    fail_msg("%s: %s", error.what, error.why);
  fixture->session = ui_session_new();
  ui_session_take_trace(fixture->session, fixture->trace);
  g_signal_connect(fixture->session, "changed", G_CALLBACK(on_changed), fixture);
  *state = fixture;
  return 0;
}

static int teardown(void **state)
{
  struct fixture *fixture = *state;
  g_object_unref(fixture->session);
  g_free(fixture);
  return 0;
}

static uint64_t find(struct fixture *fixture, enum trace_kind kind)
{
  const struct vw_filter filter = { .has_kind = true, .kind = kind };
  const uint64_t no = vw_step(fixture->trace, &filter, VW_NONE, 1);
  assert_true(no != VW_NONE);
  return no;
}

static const struct vw_view *view(struct fixture *fixture)
{
  return ui_session_view(fixture->session);
}

static void stepping_forward_and_back_ends_where_it_began(void **state)
{
  struct fixture *fixture = *state;
  const uint64_t panic = find(fixture, TRACE_PANIC_BEGIN);
  ui_session_set_event(fixture->session, panic, true);
  for (int i = 0; i < 10; i++)
    assert_true(ui_session_step(fixture->session, 1));
  assert_int_not_equal(view(fixture)->event_no, panic);
  for (int i = 0; i < 10; i++)
    assert_true(ui_session_step(fixture->session, -1));
  assert_int_equal(view(fixture)->event_no, panic);
}

static void there_is_no_step_past_the_last_event(void **state)
{
  struct fixture *fixture = *state;
  ui_session_set_event(fixture->session, vw_event_count(fixture->trace) - 1, true);
  assert_false(ui_session_step(fixture->session, 1));
  assert_int_equal(view(fixture)->event_no, vw_event_count(fixture->trace) - 1);
}

static void the_first_step_begins_at_the_left_edge(void **state)
{
  struct fixture *fixture = *state;
  const struct trace_event *panic = vw_event(fixture->trace, find(fixture, TRACE_PANIC_BEGIN));
  ui_session_set_range(fixture->session, panic->ts - 5, panic->ts + 1000);
  assert_true(ui_session_step(fixture->session, 1));
  assert_int_equal(vw_event(fixture->trace, view(fixture)->event_no)->kind, TRACE_PANIC_BEGIN);
}

static void lane_steps_stay_with_the_selected_g(void **state)
{
  struct fixture *fixture = *state;
  ui_session_select(fixture->session, VW_SELECT_G, 3);
  const struct vw_filter filter = { .has_g = true, .g = 3 };
  int n = 0;
  while (ui_session_step_lane(fixture->session, 1)) {
    assert_true(vw_filter_matches(fixture->trace, &filter, view(fixture)->event_no));
    n++;
  }
  assert_true(n > 5);
}

static void an_arrow_leads_from_the_wake_up_to_the_run_and_back(void **state)
{
  struct fixture *fixture = *state;
  const uint64_t wake = find(fixture, TRACE_GO_UNBLOCK);
  ui_session_set_event(fixture->session, wake, true);
  assert_true(ui_session_follow_arrow(fixture->session, 1));
  const struct trace_event *run = vw_event(fixture->trace, view(fixture)->event_no);
  assert_int_equal(run->kind, TRACE_GO_START);
  assert_int_equal(run->w[0], 2);
  assert_true(ui_session_follow_arrow(fixture->session, -1));
  const uint16_t cause = vw_event(fixture->trace, view(fixture)->event_no)->kind;
  assert_true(cause == TRACE_GO_UNBLOCK || cause == TRACE_GO_BLOCK);
}

static void a_step_out_of_sight_moves_the_range_and_keeps_its_length(void **state)
{
  struct fixture *fixture = *state;
  ui_session_set_range(fixture->session, 0, 1000);
  fixture->what = 0;
  ui_session_set_event(fixture->session, find(fixture, TRACE_PANIC_BEGIN), true);
  assert_true(view(fixture)->t0 <= 52000 && view(fixture)->t1 >= 52000);
  assert_int_equal(view(fixture)->t1 - view(fixture)->t0, 1000);
  assert_int_equal(fixture->what, UI_CHANGED_EVENT | UI_CHANGED_RANGE);
}

static void moving_only_the_cursor_notifies_of_nothing_else(void **state)
{
  struct fixture *fixture = *state;
  fixture->what = 0;
  ui_session_set_event(fixture->session, 3, false);
  assert_int_equal(fixture->what, UI_CHANGED_EVENT);
  fixture->what = 0;
  ui_session_set_event(fixture->session, 3, false);
  assert_int_equal(fixture->what, 0);
}

static void a_link_selects_what_it_names(void **state)
{
  struct fixture *fixture = *state;
  assert_true(ui_session_follow_link(fixture->session, "g:2"));
  assert_int_equal(view(fixture)->selected, VW_SELECT_G);
  assert_int_equal(view(fixture)->selected_id, 2);
  assert_true(ui_session_follow_link(fixture->session, "e:7"));
  assert_int_equal(view(fixture)->event_no, 7);
  assert_int_equal(ui_session_subject_g(fixture->session), 2);
  static const char *const wrong[] = { "", "g", "g:", "x:1", "g:-1", "g:1x", "http://x" };
  for (size_t i = 0; i < G_N_ELEMENTS(wrong); i++)
    assert_false(ui_session_follow_link(fixture->session, wrong[i]));
  ui_session_follow_link(fixture->session, "e:999999");
  assert_int_equal(view(fixture)->event_no, 7);
}

static void a_jump_takes_a_selection_along_that_has_nothing_to_do_with_it(void **state)
{
  struct fixture *fixture = *state;
  const uint64_t panic = find(fixture, TRACE_PANIC_BEGIN); /* of G2 */
  ui_session_go_to(fixture->session, panic);
  assert_int_equal(view(fixture)->event_no, panic);
  assert_int_equal(view(fixture)->selected, VW_SELECT_NONE);
  ui_session_select(fixture->session, VW_SELECT_G, 3);
  ui_session_go_to(fixture->session, panic);
  assert_int_equal(view(fixture)->selected, VW_SELECT_G);
  assert_int_equal(ui_session_subject_g(fixture->session), 2);
  const uint64_t made = find(fixture, TRACE_GO_CREATE); /* names a G, and may happen on another */
  ui_session_select(fixture->session, VW_SELECT_G, vw_event(fixture->trace, made)->w[0]);
  ui_session_go_to(fixture->session, made);
  assert_int_equal(view(fixture)->selected_id, vw_event(fixture->trace, made)->w[0]);
  ui_session_go_to(fixture->session, 0); /* on g0 */
  assert_int_equal(view(fixture)->selected, VW_SELECT_NONE);
}

static void undo_restores_lanes_selection_range_and_event(void **state)
{
  struct fixture *fixture = *state;
  const struct vw_view before = *view(fixture);
  ui_session_set_lanes(fixture->session, VW_LANES_G);
  ui_session_select(fixture->session, VW_SELECT_G, 2);
  ui_session_set_event(fixture->session, 40, true);
  for (int i = 0; i < 3; i++)
    assert_true(ui_session_undo(fixture->session));
  assert_false(ui_session_undo(fixture->session));
  assert_int_equal(view(fixture)->lanes, before.lanes);
  assert_int_equal(view(fixture)->selected, before.selected);
  assert_true(view(fixture)->event_no == before.event_no);
  for (int i = 0; i < 3; i++)
    assert_true(ui_session_redo(fixture->session));
  assert_int_equal(view(fixture)->lanes, VW_LANES_G);
  assert_int_equal(view(fixture)->selected_id, 2);
  assert_int_equal(view(fixture)->event_no, 40);
}

static void fit_prefers_the_mark_then_the_selection_then_all(void **state)
{
  struct fixture *fixture = *state;
  int64_t first, last;
  vw_time_range(fixture->trace, &first, &last);
  ui_session_select(fixture->session, VW_SELECT_G, 3);
  ui_session_set_mark(fixture->session, 20000, 10000);
  ui_session_fit(fixture->session);
  assert_true(view(fixture)->t0 <= 10000 && view(fixture)->t1 >= 20000 &&
              view(fixture)->t1 < 30000);
  ui_session_set_mark(fixture->session, 0, 0);
  ui_session_fit(fixture->session);
  assert_true(view(fixture)->t0 <= 2100 && view(fixture)->t1 >= 30000 && view(fixture)->t1 < 40000);
  ui_session_select(fixture->session, VW_SELECT_NONE, 0);
  ui_session_fit(fixture->session);
  assert_true(view(fixture)->t0 <= first && view(fixture)->t1 >= last);
}

static void without_a_trace_every_call_is_harmless(void **state)
{
  (void)state;
  g_autoptr(UiSession) session = ui_session_new();
  ui_session_zoom(session, 2, 0);
  ui_session_pan(session, 1);
  ui_session_fit(session);
  ui_session_set_event(session, 5, true);
  assert_false(ui_session_step(session, 1));
  assert_false(ui_session_step_lane(session, 1));
  assert_false(ui_session_follow_arrow(session, 1));
  assert_false(ui_session_undo(session));
  assert_true(ui_session_view(session)->event_no == VW_NONE);
}

/* ---- the rows of the event list ---- */

static uint64_t row(UiEventModel *model, guint position)
{
  g_autoptr(UiEventItem) item = g_list_model_get_item(G_LIST_MODEL(model), position);
  return ui_event_item_no(item);
}

static void without_a_filter_row_and_event_are_the_same(void **state)
{
  struct fixture *fixture = *state;
  g_autoptr(UiEventModel) model = ui_event_model_new();
  ui_event_model_set_trace(model, fixture->trace);
  assert_int_equal(g_list_model_get_n_items(G_LIST_MODEL(model)), vw_event_count(fixture->trace));
  assert_int_equal(row(model, 17), 17);
  assert_int_equal(ui_event_model_find(model, 17), 17);
  assert_null(g_list_model_get_item(G_LIST_MODEL(model), (guint)vw_event_count(fixture->trace)));
}

static void a_filter_finds_every_match_in_order_and_nothing_else(void **state)
{
  struct fixture *fixture = *state;
  g_autoptr(UiEventModel) model = ui_event_model_new();
  ui_event_model_set_trace(model, fixture->trace);
  ui_event_model_set_filter(model, "panic");
  while (ui_event_model_progress(model) < 1)
    g_main_context_iteration(NULL, TRUE);
  const guint n = g_list_model_get_n_items(G_LIST_MODEL(model));
  assert_int_equal(n, 7); /* begin, four steps, recover, recovered */
  for (guint i = 0; i < n; i++) {
    const struct trace_event *e = vw_event(fixture->trace, row(model, i));
    assert_int_equal(trace_specs[e->kind].family, TRACE_FAMILY_PANIC);
    assert_int_equal(ui_event_model_find(model, row(model, i)), i);
  }
  assert_int_equal(ui_event_model_find(model, 0), 0);
  ui_event_model_set_filter(model, "");
  assert_int_equal(g_list_model_get_n_items(G_LIST_MODEL(model)), vw_event_count(fixture->trace));
}

static void a_trace_can_go_while_its_filter_is_at_work(void **state)
{
  struct fixture *fixture = *state;
  g_autoptr(UiEventModel) model = ui_event_model_new();
  ui_event_model_set_trace(model, fixture->trace);
  ui_event_model_set_filter(model, "g2");
  ui_event_model_set_trace(model, NULL);
  assert_int_equal(g_list_model_get_n_items(G_LIST_MODEL(model)), 0);
  assert_false(g_main_context_iteration(NULL, FALSE));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
  const struct CMUnitTest tests[] = {
    TEST(stepping_forward_and_back_ends_where_it_began),
    TEST(there_is_no_step_past_the_last_event),
    TEST(the_first_step_begins_at_the_left_edge),
    TEST(lane_steps_stay_with_the_selected_g),
    TEST(an_arrow_leads_from_the_wake_up_to_the_run_and_back),
    TEST(a_step_out_of_sight_moves_the_range_and_keeps_its_length),
    TEST(moving_only_the_cursor_notifies_of_nothing_else),
    TEST(a_link_selects_what_it_names),
    TEST(a_jump_takes_a_selection_along_that_has_nothing_to_do_with_it),
    TEST(undo_restores_lanes_selection_range_and_event),
    TEST(fit_prefers_the_mark_then_the_selection_then_all),
    TEST(without_a_filter_row_and_event_are_the_same),
    TEST(a_filter_finds_every_match_in_order_and_nothing_else),
    TEST(a_trace_can_go_while_its_filter_is_at_work),
    cmocka_unit_test(without_a_trace_every_call_is_harmless),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
