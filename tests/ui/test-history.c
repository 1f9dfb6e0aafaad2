/* SPDX-License-Identifier: MIT */
/* test-history.c - undo and redo of navigation. */
#include "test.h"

#include "history.h"

#define SECOND     1000000
#define MOVE       1
#define OTHER_MOVE 2

static struct ui_place at(int64_t t0)
{
  return (struct ui_place){ .t0 = t0, .t1 = t0 + 10 };
}

static void undo_goes_back_and_redo_forward_again(void **state)
{
  (void)state;
  struct ui_history history = { 0 };
  struct ui_place here = at(1);
  ui_history_leave(&history, &here, MOVE, 1 * SECOND);
  here = at(2);
  ui_history_leave(&history, &here, MOVE, 2 * SECOND);
  here = at(3);
  assert_true(ui_history_undo(&history, &here));
  assert_int_equal(here.t0, 2);
  assert_true(ui_history_undo(&history, &here));
  assert_int_equal(here.t0, 1);
  assert_false(ui_history_undo(&history, &here));
  assert_true(ui_history_redo(&history, &here));
  assert_true(ui_history_redo(&history, &here));
  assert_int_equal(here.t0, 3);
  assert_false(ui_history_redo(&history, &here));
}

static void moves_in_quick_succession_are_one(void **state)
{
  (void)state;
  struct ui_history history = { 0 };
  struct ui_place here = at(1);
  for (int i = 0; i < 50; i++) { /* a wheel, 20 ms between notches */
    here = at(i);
    ui_history_leave(&history, &here, MOVE, SECOND + i * 20000);
  }
  here = at(99);
  assert_true(ui_history_undo(&history, &here));
  assert_int_equal(here.t0, 0);
  assert_false(ui_history_undo(&history, &here));
}

static void moves_of_two_kinds_are_two_however_quick(void **state)
{
  (void)state;
  struct ui_history history = { 0 };
  struct ui_place here = at(1);
  ui_history_leave(&history, &here, MOVE, SECOND);
  here = at(2);
  ui_history_leave(&history, &here, OTHER_MOVE, SECOND + 1);
  here = at(3);
  assert_true(ui_history_undo(&history, &here));
  assert_int_equal(here.t0, 2);
  assert_true(ui_history_undo(&history, &here));
  assert_int_equal(here.t0, 1);
}

static void a_new_move_forgets_what_lay_ahead(void **state)
{
  (void)state;
  struct ui_history history = { 0 };
  struct ui_place here = at(1);
  ui_history_leave(&history, &here, MOVE, 1 * SECOND);
  here = at(2);
  assert_true(ui_history_undo(&history, &here));
  ui_history_leave(&history, &here, MOVE, 3 * SECOND);
  here = at(5);
  assert_false(ui_history_redo(&history, &here));
}

static void a_full_history_drops_the_oldest(void **state)
{
  (void)state;
  struct ui_history history = { 0 };
  struct ui_place here;
  for (int i = 0; i < UI_HISTORY_ROOM + 7; i++) {
    here = at(i);
    ui_history_leave(&history, &here, MOVE, (i + 1) * (int64_t)SECOND);
  }
  int n = 0;
  while (ui_history_undo(&history, &here))
    n++;
  assert_int_equal(n, UI_HISTORY_ROOM);
  assert_int_equal(here.t0, 7);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(undo_goes_back_and_redo_forward_again),
    cmocka_unit_test(moves_in_quick_succession_are_one),
    cmocka_unit_test(moves_of_two_kinds_are_two_however_quick),
    cmocka_unit_test(a_new_move_forgets_what_lay_ahead),
    cmocka_unit_test(a_full_history_drops_the_oldest),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
