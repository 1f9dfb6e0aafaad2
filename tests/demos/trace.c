/* SPDX-License-Identifier: MIT */
/* trace.c - see trace.h. */
#include "trace.h"

#include "run-cli.h"

#include <sqlite3.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

char *trace_out, *trace_err;
static sqlite3 *db;
static struct run last;
static char recorded[200];

static void close_last(void)
{
  sqlite3_close(db);
  db = NULL;
  run_free(&last);
}

/* Events with their texts, by G where there is one: what most questions are about. */
static const char views[] = "CREATE TEMP VIEW e AS SELECT * FROM event;"
                            "CREATE TEMP VIEW region AS SELECT b.no AS first, (SELECT min(no) FROM "
                            "event AS n WHERE n.no > b.no AND"
                            " n.g = b.g AND n.kind = 'region_end') AS last, s.text AS name FROM "
                            "event AS b JOIN string AS s ON"
                            " s.id = b.a0 WHERE b.kind = 'region_begin';"
                            "CREATE TEMP VIEW pause AS SELECT b.no AS first, (SELECT min(no) FROM "
                            "event AS n WHERE n.no > b.no AND"
                            " n.kind = 'go_start' AND n.a0 = b.g) AS last, b.g AS g, b.m AS m, b.p "
                            "AS p, x.why AS why FROM event AS b"
                            " JOIN g_state AS x ON x.g = b.g AND x.t_start = b.ts AND x.state = "
                            "'waiting' WHERE b.kind = 'go_block';"
                            "CREATE TEMP VIEW call AS SELECT b.no AS first, (SELECT min(no) FROM "
                            "event AS n WHERE n.no > b.no AND"
                            " n.g = b.g AND n.kind IN ('go_syscall_end', "
                            "'go_syscall_end_blocked')) AS last, b.g AS g, b.m AS m,"
                            " b.p AS p FROM event AS b WHERE b.kind = 'go_syscall_begin';"
                            "CREATE TEMP TABLE state (id INTEGER PRIMARY KEY, ts, json);";

static void open_trace(void)
{
  char *why = NULL;
  assert_int_equal(sqlite3_open_v2("demo.db", &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
  if (sqlite3_exec(db, views, NULL, NULL, &why) != SQLITE_OK)
    fail_msg("views: %s", why);
}

static struct run record(const char *name, const char *form, const char *fault, const char *seed)
{
  char program[600];
  snprintf(program, sizeof program, "runtime/demos/demo-%s", name);
  if (fault) {
    char debug[100];
    snprintf(debug, sizeof debug, "fault=%s", fault);
    setenv("RT_DEBUG", debug, 1);
  } else {
    unsetenv("RT_DEBUG");
  }
  if (seed)
    return run_cli("record", "-q", "--sim", seed, "-o", "demo.db", run_built(program), form, NULL);
  return run_cli("record", "-q", "--on-full=block", "-o", "demo.db", run_built(program), form,
                 NULL);
}

static void record_once(const char *demo, struct how how)
{
  char name[64] = "", form[64] = "", procs[16], seed[16];
  close_last();
  snprintf(recorded, sizeof recorded, "%s with %d Ps, fault %s, seed %d", demo,
           how.procs ? how.procs : 2, how.fault ? how.fault : "none", how.seed);
  sscanf(demo, "%63s %63s", name, form);
  snprintf(procs, sizeof procs, "%d", how.procs ? how.procs : 2);
  snprintf(seed, sizeof seed, "%d", how.seed);
  setenv("RT_MAXPROCS", procs, 1);
  last = record(name, form[0] ? form : NULL, how.fault, how.seed ? seed : NULL);
  unsetenv("RT_DEBUG");
  trace_out = last.out;
  trace_err = last.err;
  if (last.code != 0 && last.code != 2)
    fail_msg("%s: exit code %d: %s", recorded, last.code, last.err);
  struct run check = run_cli("check", "demo.db", NULL);
  if (check.code != 0 && !how.fault)
    fail_msg("%s: %s", recorded, check.out);
  run_free(&check);
  open_trace();
}

/* {NAME} becomes a query for the G of that name. */
static void put_names(const char *query, char *out, size_t n)
{
  FILE *to = fmemopen(out, n, "w");
  for (; *query; query++) {
    if (*query == '{')
      fputs("(SELECT g FROM g WHERE name = '", to);
    else if (*query == '}')
      fputs("')", to);
    else
      fputc(*query, to);
  }
  fclose(to);
}

long long trace_ask(const char *query)
{
  char whole[4000] = "";
  sqlite3_stmt *row;
  put_names(query, whole, sizeof whole);
  if (sqlite3_prepare_v2(db, whole, -1, &row, NULL) != SQLITE_OK)
    fail_msg("%s: %s", whole, sqlite3_errmsg(db));
  if (sqlite3_step(row) != SQLITE_ROW)
    fail_msg("%s: no answer: %s", recorded, whole);
  long long answer = sqlite3_column_int64(row, 0);
  sqlite3_finalize(row);
  return answer;
}

char *trace_text(const char *query)
{
  char whole[4000] = "", *text = NULL;
  size_t n;
  sqlite3_stmt *row;
  put_names(query, whole, sizeof whole);
  if (sqlite3_prepare_v2(db, whole, -1, &row, NULL) != SQLITE_OK)
    fail_msg("%s: %s", whole, sqlite3_errmsg(db));
  FILE *to = open_memstream(&text, &n);
  while (sqlite3_step(row) == SQLITE_ROW)
    fprintf(to, "%s\n", (const char *)sqlite3_column_text(row, 0));
  sqlite3_finalize(row);
  fclose(to);
  return text;
}

void trace_do(const char *format, ...)
{
  va_list arguments;
  char *why = NULL;
  va_start(arguments, format);
  char *statement = sqlite3_vmprintf(format, arguments);
  va_end(arguments);
  if (sqlite3_exec(db, statement, NULL, NULL, &why) != SQLITE_OK)
    fail_msg("%s: %s", statement, why);
  sqlite3_free(statement);
}

void trace_add_state(int id, long long ts)
{
  char at[40];
  snprintf(at, sizeof at, "@%lld", ts);
  struct run state = run_cli("state", "demo.db", "--json", "--at", at, NULL);
  assert_int_equal(state.code, 0);
  trace_do("INSERT INTO state VALUES (%d, %lld, %Q)", id, ts, state.out);
  run_free(&state);
}

int trace_tries(void)
{
  const char *text = getenv("GMPSCOPE_TRIES");
  return text ? atoi(text) : 40;
}

void trace_record(const char *demo, struct how how)
{
  for (int i = trace_tries(); i > 0; i--) {
    record_once(demo, how);
    if (!how.until || trace_ask(how.until) != 0)
      return;
  }
}

void trace_expect_(const char *query, long long answer, const char *file, int line)
{
  long long is = trace_ask(query);
  if (is == answer)
    return;
  print_message("%s:%d: %s: wanted %lld, got %lld: %s\n", file, line, recorded, answer, is, query);
  fail();
}

void trace_expect_some_(const char *query, const char *file, int line)
{
  if (trace_ask(query) > 0)
    return;
  print_message("%s:%d: %s: there is none: %s\n", file, line, recorded, query);
  fail();
}

int trace_enter(void **state)
{
  (void)state;
  run_enter_new_directory();
  return 0;
}

int trace_leave(void **state)
{
  (void)state;
  close_last();
  run_leave();
  return 0;
}

void trace_choose_tests(void)
{
  const char *name = getenv("GMPSCOPE_TEST");
  if (name)
    cmocka_set_test_filter(name);
}
