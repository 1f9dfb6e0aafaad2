/* SPDX-License-Identifier: MIT */
/* test-query.c - the command as a child process, and its answers taken apart. */
#include "test.h"

#include "command.h"
#include "query-rows.h"

#include <string.h>

static UiQueryRows *rows_of(const char *csv)
{
  g_autoptr(GBytes) bytes = g_bytes_new(csv, strlen(csv));
  return ui_query_rows_new(bytes);
}

static const char *cell(UiQueryRows *rows, guint line, guint column)
{
  static char text[64];
  g_autoptr(UiQueryRow) row = g_list_model_get_item(G_LIST_MODEL(rows), line);
  assert_non_null(row);
  g_strlcpy(text, ui_query_row_cell(row, column), sizeof text);
  return text;
}

static void an_answer_has_names_rows_and_cells(void **state)
{
  (void)state;
  g_autoptr(UiQueryRows) rows = rows_of("no,why,ms\n1,chan receive,2.5\n2,,-3e2\n");
  assert_int_equal(ui_query_rows_columns(rows), 3);
  assert_int_equal(g_list_model_get_n_items(G_LIST_MODEL(rows)), 2);
  assert_string_equal(ui_query_rows_name(rows, 1), "why");
  assert_int_equal(ui_query_rows_find(rows, "ms"), 2);
  assert_int_equal(ui_query_rows_find(rows, "m"), -1);
  assert_string_equal(cell(rows, 0, 1), "chan receive");
  assert_string_equal(cell(rows, 1, 1), "");
  assert_true(ui_query_rows_is_number(rows, 2));
  assert_false(ui_query_rows_is_number(rows, 1));
  assert_null(g_list_model_get_item(G_LIST_MODEL(rows), 2));
}

static void quotes_commas_and_lines_within_a_cell_stay(void **state)
{
  (void)state;
  g_autoptr(UiQueryRows) rows = rows_of("\"a,b\",\"c\"\"d\"\n\"1\n2\",\"\"\n");
  assert_int_equal(ui_query_rows_columns(rows), 2);
  assert_string_equal(ui_query_rows_name(rows, 0), "a,b");
  assert_string_equal(ui_query_rows_name(rows, 1), "c\"d");
  assert_int_equal(g_list_model_get_n_items(G_LIST_MODEL(rows)), 1);
  assert_string_equal(cell(rows, 0, 0), "1\n2");
  assert_string_equal(cell(rows, 0, 1), "");
}

static void rows_of_other_widths_and_cut_ends_are_taken_as_they_are(void **state)
{
  (void)state;
  g_autoptr(UiQueryRows) rows = rows_of("a\n1\nx,y\n2,3\n4,");
  assert_int_equal(ui_query_rows_columns(rows), 2);
  assert_string_equal(ui_query_rows_name(rows, 1), "");
  assert_int_equal(g_list_model_get_n_items(G_LIST_MODEL(rows)), 4);
  assert_string_equal(cell(rows, 0, 1), "");
  assert_string_equal(cell(rows, 2, 1), "3");
  assert_string_equal(cell(rows, 3, 1), "");
  g_autoptr(UiQueryRows) open = rows_of("\"never closed\n1\n");
  assert_int_equal(ui_query_rows_columns(open), 1);
  assert_int_equal(g_list_model_get_n_items(G_LIST_MODEL(open)), 0);
}

static void nothing_at_all_is_no_column_and_no_row(void **state)
{
  (void)state;
  g_autoptr(UiQueryRows) rows = rows_of("");
  assert_int_equal(ui_query_rows_columns(rows), 0);
  assert_int_equal(g_list_model_get_n_items(G_LIST_MODEL(rows)), 0);
  g_autoptr(UiQueryRows) names = rows_of("a,b\n");
  assert_int_equal(ui_query_rows_columns(names), 2);
  assert_int_equal(g_list_model_get_n_items(G_LIST_MODEL(names)), 0);
}

static void only_whole_numbers_from_0_on_are_numbers_of_events(void **state)
{
  (void)state;
  static const char *const none[] = { "-1", "1.5", "0x1", "", "one", "9223372036854775808" };
  uint64_t number = 7;
  g_autoptr(UiQueryRows) good = rows_of("no\n72\n");
  g_autoptr(UiQueryRow) row = g_list_model_get_item(G_LIST_MODEL(good), 0);
  assert_true(ui_query_row_number(row, 0, &number));
  assert_int_equal(number, 72);
  for (size_t i = 0; i < G_N_ELEMENTS(none); i++) {
    g_autofree char *csv = g_strdup_printf("no,x\n%s,1\n", none[i]);
    g_autoptr(UiQueryRows) rows = rows_of(csv);
    g_autoptr(UiQueryRow) bad = g_list_model_get_item(G_LIST_MODEL(rows), 0);
    assert_false(ui_query_row_number(bad, 0, &number));
    assert_int_equal(number, 72);
  }
}

/* ---- the child ---- */

struct heard {
  struct ui_answer *answer;
  GError *error;
  bool is_done;
};

static void on_answer(GObject *source, GAsyncResult *result, gpointer data)
{
  struct heard *heard = data;
  (void)source;
  heard->answer = ui_command_run_finish(result, &heard->error);
  heard->is_done = true;
}

static struct heard run(GCancellable *cancellable, const char *const *argv)
{
  struct heard heard = { 0 };
  ui_command_run_async(argv, cancellable, on_answer, &heard);
  while (!heard.is_done)
    g_main_context_iteration(NULL, TRUE);
  return heard;
}

static bool out_is(const struct ui_answer *answer, const char *text)
{
  gsize n;
  const void *bytes = g_bytes_get_data(answer->out, &n);
  return n == strlen(text) && (n == 0 || memcmp(bytes, text, n) == 0);
}

static void what_it_writes_and_its_code_come_back(void **state)
{
  (void)state;
  g_autoptr(GCancellable) never = g_cancellable_new();
  struct heard heard =
      run(never, (const char *const[]){ "/bin/sh", "-c", "echo \"$1\"; echo no >&2; exit 3", "sh",
                                        "a b; 'c' $(d)", NULL });
  assert_null(heard.error);
  assert_true(out_is(heard.answer, "a b; 'c' $(d)\n")); /* a word stays a word */
  assert_string_equal(heard.answer->err, "no\n");
  assert_int_equal(heard.answer->code, 3);
  assert_false(heard.answer->is_cut || heard.answer->is_cancelled);
  ui_answer_free(heard.answer);
}

static void a_program_that_is_not_there_is_an_error_in_words(void **state)
{
  (void)state;
  g_autoptr(GCancellable) never = g_cancellable_new();
  struct heard heard = run(never, (const char *const[]){ "/no/such/gmpscope", NULL });
  assert_null(heard.answer);
  assert_non_null(strstr(heard.error->message, "/no/such/gmpscope"));
  g_clear_error(&heard.error);
}

static void an_endless_answer_is_cut_at_a_lines_end(void **state)
{
  (void)state;
  g_autoptr(GCancellable) never = g_cancellable_new();
  struct heard heard =
      run(never, (const char *const[]){ "/bin/sh", "-c", "exec yes 1234567890", NULL });
  gsize n;
  const char *bytes = g_bytes_get_data(heard.answer->out, &n);
  assert_true(heard.answer->is_cut);
  assert_int_equal(heard.answer->code, -1);
  assert_true(n > UI_ANSWER_MAX - 4096 && n % 11 == 0 && bytes[n - 1] == '\n');
  ui_answer_free(heard.answer);
}

static gboolean cancel(gpointer cancellable)
{
  g_cancellable_cancel(cancellable);
  return G_SOURCE_REMOVE;
}

static void a_cancel_ends_a_child_that_would_never_end(void **state)
{
  (void)state;
  g_autoptr(GCancellable) cancellable = g_cancellable_new();
  g_idle_add(cancel, cancellable);
  struct heard heard =
      run(cancellable, (const char *const[]){ "/bin/sh", "-c", "exec tail -f /dev/null", NULL });
  assert_true(heard.answer->is_cancelled);
  assert_int_equal(heard.answer->code, -1);
  ui_answer_free(heard.answer);
  heard =
      run(cancellable, (const char *const[]){ "/bin/sh", "-c", "exec tail -f /dev/null", NULL });
  assert_true(heard.answer->is_cancelled); /* cancelled before it began */
  ui_answer_free(heard.answer);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(an_answer_has_names_rows_and_cells),
    cmocka_unit_test(quotes_commas_and_lines_within_a_cell_stay),
    cmocka_unit_test(rows_of_other_widths_and_cut_ends_are_taken_as_they_are),
    cmocka_unit_test(nothing_at_all_is_no_column_and_no_row),
    cmocka_unit_test(only_whole_numbers_from_0_on_are_numbers_of_events),
    cmocka_unit_test(what_it_writes_and_its_code_come_back),
    cmocka_unit_test(a_program_that_is_not_there_is_an_error_in_words),
    cmocka_unit_test(an_endless_answer_is_cut_at_a_lines_end),
    cmocka_unit_test(a_cancel_ends_a_child_that_would_never_end),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
