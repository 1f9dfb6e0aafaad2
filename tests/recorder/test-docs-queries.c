/* SPDX-License-Identifier: MIT */
/* test-docs-queries.c - the twenty queries of docs/trace-file.md, taken out of the page and run as a reader would:
 * with SQLite alone, on a trace in which everything that they ask about happened; and again with gmpscope sql, on the
 * same trace without plain tables. Each must return rows, and the same. */
#include "run-cli.h"
#include "test.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define QUERIES   20
#define PAGE_SIZE (1 << 18)

static char page[PAGE_SIZE];
static char *queries[QUERIES];
static int n_queries;

static void read_page(void)
{
  char path[4096];
  snprintf(path, sizeof path, "%s/docs/trace-file.md", getenv("GMPSCOPE_SOURCE"));
  FILE *from = fopen(path, "re");
  assert_non_null(from);
  assert_true(fread(page, 1, sizeof page - 1, from) > 0);
  fclose(from);
}

static void take_queries(void)
{
  for (char *at = page; (at = strstr(at, "```sql\n"));) {
    char *begin = at + strlen("```sql\n"), *end = strstr(begin, "```");
    assert_non_null(end);
    assert_true(n_queries < QUERIES);
    queries[n_queries++] = strndup(begin, (size_t)(end - begin));
    at = end + 3;
  }
}

static int set_up(void **state)
{
  (void)state;
  char text[4096];
  snprintf(text, sizeof text, "%s/tests/recorder/docs.trace", getenv("GMPSCOPE_SOURCE"));
  read_page();
  take_queries();
  run_enter_new_directory();
  run_expect_silence(run_cli("load", text, "-o", "with.db", "--tables=all", "-q", NULL));
  run_expect_silence(run_cli("load", text, "-o", "without.db", "--tables=none", "-q", NULL));
  return 0;
}

static int tear_down(void **state)
{
  (void)state;
  run_leave();
  for (int i = 0; i < n_queries; i++)
    free(queries[i]);
  return 0;
}

static void the_page_has_twenty_queries(void **state)
{
  (void)state;
  assert_int_equal(n_queries, QUERIES);
}

static void the_trace_that_they_run_on_keeps_every_rule(void **state)
{
  (void)state;
  struct run run = run_cli("check", "with.db", "without.db", NULL);
  if (run.code != 0)
    fail_msg("%s%s", run.out, run.err);
  run_free(&run);
}

static void each_returns_rows_in_plain_sqlite(void **state)
{
  (void)state;
  sqlite3 *db;
  assert_int_equal(sqlite3_open_v2("with.db", &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
  for (int i = 0; i < n_queries; i++) {
    sqlite3_stmt *statement;
    if (sqlite3_prepare_v2(db, queries[i], -1, &statement, NULL) != SQLITE_OK)
      fail_msg("query %d: %s", i + 1, sqlite3_errmsg(db));
    if (sqlite3_step(statement) != SQLITE_ROW)
      fail_msg("query %d returns no row", i + 1);
    sqlite3_finalize(statement);
  }
  sqlite3_close(db);
}

static void each_gives_the_same_without_plain_tables(void **state)
{
  (void)state;
  for (int i = 0; i < n_queries; i++) {
    struct run with = run_cli("sql", "with.db", queries[i], "--csv", NULL);
    struct run without = run_cli("sql", "without.db", queries[i], "--csv", NULL);
    if (with.code != 0 || without.code != 0)
      fail_msg("query %d: %s%s", i + 1, with.err, without.err);
    bool is_about_the_file = i == 0;
    if (!is_about_the_file && strcmp(with.out, without.out) != 0)
      fail_msg("query %d differs:\n%s\n%s", i + 1, with.out, without.out);
    run_free(&with);
    run_free(&without);
  }
}

static void no_event_is_unaccounted_for(void **state)
{
  (void)state;
  struct run run = run_cli("sql", "with.db", queries[17], "--csv", NULL);
  int n_lines = 0;
  for (char *line = strtok(run.out, "\n"); line; line = strtok(NULL, "\n")) {
    const char *last = strrchr(line, ',');
    if (n_lines++ > 0)
      assert_string_equal(last, ",0");
  }
  assert_true(n_lines > 1);
  run_free(&run);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(the_page_has_twenty_queries),
    cmocka_unit_test(the_trace_that_they_run_on_keeps_every_rule),
    cmocka_unit_test(each_returns_rows_in_plain_sqlite),
    cmocka_unit_test(each_gives_the_same_without_plain_tables),
    cmocka_unit_test(no_event_is_unaccounted_for),
  };
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
