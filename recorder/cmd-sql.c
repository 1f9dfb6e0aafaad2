/* SPDX-License-Identifier: MIT */
/* cmd-sql.c - asks a trace with SQL, on a connection that can do nothing but answer.
 *
 * The connection is the hardened one of tracefile.h: no write, no attach, no pragma, no extension.  On top
 * of it stand two caps, so that a query of a stranger's can neither hang a terminal nor fill a disk: 5
 * seconds and 100,000 rows a query.  A capped answer is printed as far as it went, says so, and makes 3.
 *
 * What the virtual tables met of the chunks' damage is told after the answer, and makes 3, too. A plain table holds what
 * could be read when it was made, and no chunk is looked at for it.
 *
 * The text table is laid out from rows held in memory (capped too); --csv and --json are written as rows come.
 */
#include "cmd-sql.h"
#include "clock.h"
#include "sqltables.h"

#include <stdlib.h>
#include <string.h>

#define SECONDS_MAX      5
#define ROWS_MAX         100000
#define STEPS_A_CALLBACK 10000
#define QUERY_MAX        (1 << 20)

static int is_too_late(void *deadline)
{
  return rec_mono_ns() > *(int64_t *)deadline;
}

static bool is_blank(const char *sql)
{
  return sql[strspn(sql, " \t\r\n;")] == '\0';
}

static int sql_error(sqlite3 *db, int code)
{
  if (code == SQLITE_INTERRUPT)
    return cli_fail(TRACEFILE_DAMAGED, "sql", "ask for less, or give a time range (ts BETWEEN ...)",
                    "the answer was cut short after %d seconds", SECONDS_MAX);
  if (code == SQLITE_AUTH)
    return cli_fail(TRACEFILE_REFUSED, "sql", "only SELECT is answered here, and no WITH RECURSIVE",
                    "%s", sqlite3_errmsg(db));
  if (code == SQLITE_CORRUPT)
    return cli_fail(TRACEFILE_DAMAGED, "sql", "", "%s", sqlite3_errmsg(db));
  return cli_fail(TRACEFILE_USAGE, "sql", "gmpscope sql FILE --tables lists the tables", "%s",
                  sqlite3_errmsg(db));
}

/* Steps through the rows of one statement. */
static int answer(sqlite3 *db, sqlite3_stmt *statement, enum sql_form form)
{
  struct sql_printer *printer = sql_printer_new(form, statement, stdout);
  uint64_t n_rows = 0;
  int code = SQLITE_NOMEM;
  while (printer && (code = sqlite3_step(statement)) == SQLITE_ROW && n_rows < ROWS_MAX) {
    if (!sql_printer_row(printer, statement))
      break;
    n_rows++;
  }
  sql_printer_end(printer);
  if (code == SQLITE_ROW && n_rows == ROWS_MAX)
    return cli_fail(TRACEFILE_DAMAGED, "sql", "add LIMIT, or a condition",
                    "the answer was cut short after %d rows", ROWS_MAX);
  if (code == SQLITE_ROW || code == SQLITE_NOMEM)
    return cli_fail(TRACEFILE_REFUSED, "sql", "use --csv, or ask for less",
                    "there is no memory for the answer");
  return code == SQLITE_DONE ? TRACEFILE_OK : sql_error(db, code);
}

/* Runs every statement of a text; stops at the first that fails. */
static int run_queries(sqlite3 *db, const char *sql, enum sql_form form)
{
  int worst = TRACEFILE_OK;
  while (worst == TRACEFILE_OK && !is_blank(sql)) {
    sqlite3_stmt *statement = NULL;
    int64_t deadline = rec_mono_ns() + SECONDS_MAX * INT64_C(1000000000);
    sqlite3_progress_handler(db, STEPS_A_CALLBACK, is_too_late, &deadline);
    int code = sqlite3_prepare_v2(db, sql, -1, &statement, &sql);
    if (code != SQLITE_OK)
      worst = sql_error(db, code);
    else if (statement)
      worst = answer(db, statement, form);
    sqlite3_finalize(statement);
    sqlite3_progress_handler(db, 0, NULL, NULL);
  }
  return worst;
}

static int run_stdin(sqlite3 *db, enum sql_form form)
{
  char *sql = malloc(QUERY_MAX + 1);
  if (!sql)
    return cli_fail(TRACEFILE_REFUSED, "sql", "", "there is no memory for the query");
  size_t n = fread(sql, 1, QUERY_MAX + 1, stdin);
  int code;
  if (n > QUERY_MAX) {
    code = cli_fail(TRACEFILE_REFUSED, "standard input", "", "the queries are longer than %d bytes",
                    QUERY_MAX);
  } else {
    sql[n] = '\0';
    code = run_queries(db, sql, form);
  }
  free(sql);
  return code;
}

static const char tables_query[] =
    "SELECT tbl AS 'table', doc_en AS 'what it holds' FROM schema_doc WHERE col = '' ORDER BY tbl";

/* The query that lists the columns of a table in their order, with what schema_doc says about each. NULL: there is
 * no such table, or no memory. Its name was found in schema_doc: it is one of the schema's, not the user's text. */
static char *columns_query(sqlite3 *db, const char *table)
{
  char *probe = sqlite3_mprintf("SELECT * FROM \"%w\" LIMIT 0", table);
  sqlite3_stmt *statement = NULL;
  sqlite3_str *query = sqlite3_str_new(db);
  int n = 0;
  if (probe && sqlite3_prepare_v2(db, probe, -1, &statement, NULL) == SQLITE_OK)
    n = sqlite3_column_count(statement);
  sqlite3_str_appendall(query, "SELECT column1 AS 'column', coalesce(unit, '') AS unit, "
                               "coalesce(doc_en, '') AS 'what it holds' FROM (VALUES");
  for (int i = 0; i < n; i++)
    sqlite3_str_appendf(query, "%s(%Q,%d)", i ? "," : "", sqlite3_column_name(statement, i), i);
  sqlite3_str_appendf(
      query, ") LEFT JOIN schema_doc ON tbl = %Q AND col = column1 ORDER BY column2", table);
  sqlite3_finalize(statement);
  sqlite3_free(probe);
  char *text = sqlite3_str_finish(query);
  if (n > 0)
    return text;
  sqlite3_free(text);
  return NULL;
}

static bool is_table(sqlite3 *db, const char *table)
{
  sqlite3_stmt *statement;
  bool is = false;
  if (sqlite3_prepare_v2(db, "SELECT 1 FROM schema_doc WHERE tbl = ?1", -1, &statement, NULL) ==
      SQLITE_OK) {
    sqlite3_bind_text(statement, 1, table, -1, SQLITE_STATIC);
    is = sqlite3_step(statement) == SQLITE_ROW;
  }
  sqlite3_finalize(statement);
  return is;
}

static int describe(sqlite3 *db, const char *table, enum sql_form form)
{
  char *query = is_table(db, table) ? columns_query(db, table) : NULL;
  int code = query ? run_queries(db, query, form)
                   : cli_fail(TRACEFILE_WRONG, table, "gmpscope sql FILE --tables lists them",
                              "there is no table of this name with a description");
  sqlite3_free(query);
  return code;
}

struct sql_options {
  bool tables, as_json, as_csv;
  const char *table;
};

static int ask(const char *path, const char *query, const struct sql_options *o)
{
  struct tracefile_error error;
  struct tracefile *file = tracefile_open(path, &error);
  enum sql_form form = o->as_json ? SQL_JSON : o->as_csv ? SQL_CSV : SQL_TEXT;
  int code;
  if (!file)
    return cli_error(&error);
  if (!tracefile_enable_sql(file, &error))
    code = cli_error(&error);
  else if (o->table)
    code = describe(tracefile_db(file), o->table, form);
  else if (o->tables)
    code = run_queries(tracefile_db(file), tables_query, form);
  else if (query)
    code = run_queries(tracefile_db(file), query, form);
  else
    code = run_stdin(tracefile_db(file), form);
  if (code == TRACEFILE_OK)
    code = cli_tell_damage(tracefile_damage_sum(file), path, "the answer lacks what they held");
  tracefile_close(file);
  return code;
}

int cmd_sql(int argc, char **argv)
{
  struct sql_options o = { 0 };
  const struct opt opts[] = {
    { 0, "tables", NULL, opt_flag, &o.tables, "list the tables and what they hold" },
    { 0, "describe", "TABLE", opt_text, &o.table,
      "list the columns of a table, their units and what they hold" },
    { 0, "json", NULL, opt_flag, &o.as_json,
      "answer in JSON: an array with an object for each row" },
    { 0, "csv", NULL, opt_flag, &o.as_csv, "answer in CSV, with a line of names" },
  };
  const struct opt_command command = {
    .name = "sql",
    .usage = "FILE [QUERY] [--json|--csv]\nFILE --tables\nFILE --describe TABLE",
    .doc = "Answers SQL queries; without a QUERY they are read from the standard input. The tables "
           "event,\n"
           "g_state, m_state, p_state, wake, timer_op, runq_op, defer_op and panic_op are there "
           "even when the\n"
           "file does not hold them as plain tables. Times are in ns since the trace's start.\n\n"
           "Only SELECT is answered, within 5 seconds and 100,000 rows for each query.",
    .epilogue = "Examples:\n"
                "  gmpscope sql echo.db \"SELECT why, count(*), sum(dur)/1e6 AS ms FROM g_state\n"
                "                        WHERE state = 'waiting' GROUP BY why ORDER BY ms DESC\"\n"
                "  gmpscope sql echo.db --describe wake",
    .opts = opts,
    .n_opts = COUNT_OF(opts),
    .missing = "a FILE",
    .min_words = 1,
    .max_words = 2,
  };
  struct opt_words rest;
  enum opt_outcome outcome = opt_parse(&command, argc, argv, &rest);
  if (outcome != OPT_GO)
    return cli_usage(outcome);
  if (o.as_json && o.as_csv)
    return cli_fail(TRACEFILE_USAGE, "--csv", "give one of them", "it cannot go with --json");
  return ask(rest.words[0], rest.n > 1 ? rest.words[1] : NULL, &o);
}
