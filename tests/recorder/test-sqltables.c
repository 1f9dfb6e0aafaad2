/* SPDX-License-Identifier: MIT */
/* test-sqltables.c - tables made from chunks: the same rows virtual and plain, in words, for any SQLite program. */
#include "recorder.h"
#include "scratch.h"
#include "sqltables.h"
#include "test.h"
#include "trace-text.h"

static struct tracefile_error error;

/* G1 sleeps on P0 and is woken by a timer; G2 is made, runs, panics and recovers. */
static const char story[] =
    "gmpscope-trace 1\n"
    "@0 m0 p- g0 trace_begin abi=1 from_start=1 n_procs=1\n"
    "@0 m0 p- g0 string string=1 text=\"boom\\x00tail\"\n"
    "@1 m0 p- g0 proc_status proc=0 status=\"handed over\" on_m=4294967295 p_seq=0\n"
    "@10 m0 p- g0 proc_start proc=0 p_seq=1\n"
    "@20 m0 p0 g0 go_create new_g=1 fn=0x4000\n"
    "@21 m0 p0 g0 runq_put_next put_g=1 onto_p=0\n"
    "@30 m0 p0 g0 runq_get_next got_g=1\n"
    "@40 m0 p0 g0 go_start run_g=1 g_seq=1\n"
    "@50 m0 p0 g1 timer_new timer=5 what=\"sleep\" owner_g=1\n"
    "@51 m0 p0 g1 timer_add timer=5 heap=0 when=100\n"
    "@60 m0 p0 g1 go_block why=\"sleep\"\n"
    "@110 m0 p0 g0 timer_remove timer=5 heap=0 place=0 step=\"root, fired, sifted down\"\n"
    "@111 m0 p0 g0 timer_fire timer=5 heap=0 late=11\n"
    "@112 m0 p0 g0 go_unblock woken_g=1 g_seq=2\n"
    "@113 m0 p0 g0 runq_put_next put_g=1 onto_p=0\n"
    "@120 m0 p0 g0 runq_get_next got_g=1\n"
    "@130 m0 p0 g0 go_start run_g=1 g_seq=3\n"
    "@140 m0 p0 g1 defer_push frame=64 record=\"stack\" fn=0x5000\n"
    "@150 m0 p0 g1 panic_begin depth=1 value=1 frame=128\n"
    "@160 m0 p0 g1 trace_end exit_code=0\n";

static bool take_meta(void *w, const char *key, const char *value, size_t length)
{
  (void)w, (void)key, (void)value, (void)length;
  return true;
}

static bool take_event(void *w, const struct trace_event *e)
{
  return rec_writer_event(w, e, &error);
}

static const char *write_story(void **state, enum rec_tables tables)
{
  const char *path = scratch_path(*state, tables == REC_TABLES_ALL ? "plain.db" : "chunks.db");
  struct rec_writer *w = rec_writer_new(path, true, &error);
  const struct trace_text_sink sink = { .meta = take_meta, .event = take_event, .arg = w };
  struct trace_text_error text_error;
  if (!trace_text_parse(story, strlen(story), &sink, &text_error))
    fail_msg("line %u: %s", text_error.line, text_error.sentence);
  assert_true(rec_writer_finish(w, tables, NULL, &error));
  return path;
}

/* All rows of a query as text, columns by |, rows by newline. */
static void answer(sqlite3 *db, const char *sql, char *out, size_t size)
{
  sqlite3_stmt *stmt;
  out[0] = '\0';
  if (sqlite3_prepare_v2(db, sql, -1, &stmt, NULL) != SQLITE_OK)
    fail_msg("%s: %s", sql, sqlite3_errmsg(db));
  while (sqlite3_step(stmt) == SQLITE_ROW) {
    for (int i = 0; i < sqlite3_column_count(stmt); i++) {
      size_t at = strlen(out);
      const char *text = (const char *)sqlite3_column_text(stmt, i);
      snprintf(out + at, size - at, "%s%s", i ? "|" : "", text ? text : "");
    }
    strncat(out, "\n", size - strlen(out) - 1);
  }
  sqlite3_finalize(stmt);
}

static void check(sqlite3 *db, const char *sql, const char *expected)
{
  char text[4096];
  answer(db, sql, text, sizeof text);
  assert_string_equal(text, expected);
}

static void check_story(sqlite3 *db)
{
  check(
      db, "SELECT t_start, t_end, state, why FROM g_state WHERE g=1 ORDER BY t_start",
      "20|40|runnable|\n40|60|running|\n60|112|waiting|sleep\n112|130|runnable|\n130||running|\n");
  check(db, "SELECT g, runnable_ms, waiting_ms, syscall_ms FROM v_goroutine WHERE g=1",
        "1|3.8e-05|5.2e-05|\n");
  check(db, "SELECT ts, waker_g, woken_g, why, waited, run_ts FROM wake", "112||1|sleep|52|130\n");
  check(db, "SELECT op, timer, when_ts, late, what FROM timer_op ORDER BY ts",
        "timer_new|5|||sleep\ntimer_add|5|100||\ntimer_remove|5|||\ntimer_fire|5||11|\n");
  check(db, "SELECT ts, op, record FROM defer_op", "140|defer_push|stack\n");
  check(db, "SELECT ts, depth, hex(value) FROM panic_op", "150|1|626F6F6D007461696C\n");
  check(db, "SELECT kind, g, a0 FROM event WHERE ts=60", "go_block|1|2\n");
  check(db, "SELECT count(*) FROM event WHERE g=1 AND ts BETWEEN 100 AND 145", "1\n");
  check(db, "SELECT max(no), min(no) FROM event WHERE ts>=100", "21|13\n");
  check(db, "SELECT state, m, g FROM p_state WHERE t_start=40", "running|0|1\n");
}

static void virtual_tables_tell_the_story(void **state)
{
  struct tracefile *file = tracefile_open(write_story(state, REC_TABLES_NONE), &error);
  assert_non_null(file);
  assert_true(tracefile_enable_sql(file, &error));
  check_story(tracefile_db(file));
  check(tracefile_db(file), "SELECT text FROM event WHERE ts=60", "why=sleep\n");
  check(tracefile_db(file), "SELECT g, why, dur_ms FROM v_block", "1|sleep|5.2e-05\n");
  tracefile_close(file);
}

static void plain_tables_tell_the_same_to_any_sqlite(void **state)
{
  sqlite3 *db;
  assert_int_equal(sqlite3_open(write_story(state, REC_TABLES_ALL), &db), SQLITE_OK);
  check_story(db);
  check(db, "SELECT g, why, dur_ms FROM v_block", "1|sleep|5.2e-05\n");
  sqlite3_close(db);
}

static void every_table_is_equal_row_by_row_virtual_and_plain(void **state)
{
  struct tracefile *chunks = tracefile_open(write_story(state, REC_TABLES_NONE), &error);
  struct tracefile *plain = tracefile_open(write_story(state, REC_TABLES_ALL), &error);
  assert_true(tracefile_enable_sql(chunks, &error) && tracefile_enable_sql(plain, &error));
  for (int i = 0; i < TABLE_COUNT; i++) {
    char sql[60], a[8192], b[8192];
    snprintf(sql, sizeof sql, "SELECT * FROM %s", table_defs[i].name);
    answer(tracefile_db(chunks), sql, a, sizeof a);
    answer(tracefile_db(plain), sql, b, sizeof b);
    assert_true(a[0] != '\0');
    assert_string_equal(a, b);
  }
  tracefile_close(chunks);
  tracefile_close(plain);
}

static void every_view_and_table_compiles_in_both(void **state)
{
  struct tracefile *chunks = tracefile_open(write_story(state, REC_TABLES_NONE), &error);
  assert_true(tracefile_enable_sql(chunks, &error));
  sqlite3 *plain;
  assert_int_equal(sqlite3_open(write_story(state, REC_TABLES_ALL), &plain), SQLITE_OK);
  size_t n;
  const struct schema_object *objects = schema_objects(&n);
  for (size_t i = 0; i < n; i++) {
    char sql[80], text[16384];
    if (objects[i].part == SCHEMA_INDEXES)
      continue;
    snprintf(sql, sizeof sql, "SELECT * FROM %s LIMIT 3", objects[i].name);
    answer(tracefile_db(chunks), sql, text, sizeof text);
    answer(plain, sql, text, sizeof text);
  }
  sqlite3_close(plain);
  tracefile_close(chunks);
}

static void every_column_is_documented_in_both_languages(void **state)
{
  sqlite3 *db;
  assert_int_equal(sqlite3_open(write_story(state, REC_TABLES_ALL), &db), SQLITE_OK);
  check(db,
        "SELECT count(*) FROM sqlite_schema AS s, pragma_table_info(s.name) AS c LEFT JOIN "
        "schema_doc AS d "
        "ON d.tbl=s.name AND d.col=c.name WHERE s.name IN ('event', 'g_state', 'm_state', "
        "'p_state', 'wake', "
        "'timer_op', 'runq_op', 'defer_op', 'panic_op') AND d.doc_zh IS NULL",
        "0\n");
  sqlite3_close(db);
}

static void tables_can_be_made_later_and_leave_one_file(void **state)
{
  const char *path = write_story(state, REC_TABLES_NONE);
  struct rec_summary sum;
  assert_true(rec_materialise(path, &sum, &error));
  assert_true(sum.materialised);
  sqlite3 *db;
  assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
  check_story(db);
  sqlite3_close(db);
  assert_int_not_equal(access(scratch_path(*state, "chunks.db-wal"), F_OK), 0);
  assert_true(rec_materialise(path, &sum, &error)); /* again: nothing to do */
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    scratch_test(virtual_tables_tell_the_story),
    scratch_test(plain_tables_tell_the_same_to_any_sqlite),
    scratch_test(every_table_is_equal_row_by_row_virtual_and_plain),
    scratch_test(every_view_and_table_compiles_in_both),
    scratch_test(every_column_is_documented_in_both_languages),
    scratch_test(tables_can_be_made_later_and_leave_one_file),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
