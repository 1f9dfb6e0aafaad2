/* SPDX-License-Identifier: MIT */
/* test-old-file.c - files of version 1, whose chunks are of codec 1, are read; one that a chunk of codec 2 is written
 * into says that it is of version 2.
 *
 * Such a file is made of a new one: its chunks are coded anew, and it says version 1. */
#include "chunk-1.h"
#include "chunkrow.h"
#include "recorder.h"
#include "scratch.h"
#include "test.h"
#include "writer.h"

#include <stdlib.h>
#include <string.h>

#define N_EVENTS 10000 /* on each of two Ms: chunks that are full, and one that is not */

static struct tracefile_error error;

static void put(struct rec_writer *w, uint32_t m, uint64_t seq, int64_t ts, enum trace_kind kind,
                uint32_t g, uint32_t g_seq)
{
  struct trace_event e = { .ts = ts, .seq = seq, .m = m, .kind = (uint16_t)kind, .p = (uint16_t)m };
  e.w[0] = kind == TRACE_GO_DESTROY ? 0 : g;
  e.w[1] = kind == TRACE_GO_START || kind == TRACE_GO_UNBLOCK ? g_seq : 0;
  assert_true(rec_writer_event(w, &e, &error));
}

/* Codes the chunk of a row of "SELECT id, m, first_seq, n, t_min, t_max, lost_before, data" anew. */
static void age_chunk(sqlite3_stmt *from, sqlite3_stmt *update)
{
  static struct trace_event events[TRACE_CHUNK_EVENTS];
  static uint8_t bytes[CHUNK_1_MAX_BYTES(TRACE_CHUNK_EVENTS)];
  struct chunk_row row = { .m = (uint64_t)sqlite3_column_int64(from, 1),
                           .first_seq = (uint64_t)sqlite3_column_int64(from, 2),
                           .n = (uint64_t)sqlite3_column_int64(from, 3),
                           .lost_before = (uint64_t)sqlite3_column_int64(from, 6),
                           .codec = TRACE_CHUNK_CODEC,
                           .t_min = sqlite3_column_int64(from, 4),
                           .t_max = sqlite3_column_int64(from, 5) };
  const struct trace_chunk_place place = chunk_row_place(&row);
  assert_true(trace_chunk_decode(sqlite3_column_blob(from, 7),
                                 (size_t)sqlite3_column_bytes(from, 7), &place, events));
  row.codec = 1;
  size_t size = chunk_1_encode(events, row.n, bytes);
  sqlite3_bind_int64(update, 1, chunk_row_xxh3(&row, bytes, size));
  sqlite3_bind_blob64(update, 2, bytes, size, SQLITE_STATIC);
  sqlite3_bind_int64(update, 3, sqlite3_column_int64(from, 0));
  assert_int_equal(sqlite3_step(update), SQLITE_DONE);
  sqlite3_reset(update);
}

static void age(const char *path)
{
  sqlite3 *db;
  sqlite3_stmt *from, *update;
  assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
  sqlite3_prepare_v2(db,
                     "SELECT id, m, first_seq, n, t_min, t_max, lost_before, data FROM chunk "
                     "ORDER BY +m, +id", /* all rows before the first is changed */
                     -1, &from, NULL);
  sqlite3_prepare_v2(db, "UPDATE chunk SET codec=1, xxh3=?, data=? WHERE id=?", -1, &update, NULL);
  int n = 0;
  for (; sqlite3_step(from) == SQLITE_ROW; n++)
    age_chunk(from, update);
  assert_true(n > 0);
  sqlite3_finalize(from);
  sqlite3_finalize(update);
  assert_int_equal(sqlite3_exec(db, "PRAGMA user_version=10000", NULL, NULL, NULL), SQLITE_OK);
  sqlite3_close(db);
}

static int64_t ask(const char *path, const char *sql)
{
  sqlite3 *db;
  sqlite3_stmt *stmt;
  assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
  assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &stmt, NULL), SQLITE_OK);
  assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
  int64_t n = sqlite3_column_int64(stmt, 0);
  sqlite3_finalize(stmt);
  sqlite3_close(db);
  return n;
}

/* All events of a file; returns how many. */
static size_t read_all(const char *path, uint32_t version, struct trace_event *out, size_t max)
{
  struct tracefile_summary sum;
  struct tracefile *file = tracefile_open(path, &error);
  assert_non_null(file);
  assert_true(tracefile_summary(file, &sum, &error));
  assert_int_equal(sum.user_version, version);
  struct tracefile_cursor *c = tracefile_cursor_new(file, INT64_MIN, INT64_MAX, &error);
  size_t n = 0;
  for (const struct trace_event *e; (e = tracefile_cursor_next(c)) && n < max; n++)
    out[n] = *e;
  tracefile_cursor_free(c);
  assert_int_equal(tracefile_damages(file, NULL, 0), 0);
  tracefile_close(file);
  return n;
}

static void a_file_of_version_1_is_read(void **state)
{
  const char *path = scratch_path(*state, "old.db");
  struct rec_writer *w = rec_writer_new(path, false, &error);
  for (uint64_t i = 0; i < N_EVENTS; i++) {
    for (uint32_t m = 0; m < 2; m++)
      put(w, m, i, (int64_t)(i * 10 + m), i % 3 ? TRACE_GO_NAME : TRACE_M_LOCK,
          (uint32_t)(i * 77 % 999), 0);
  }
  assert_true(rec_writer_finish(w, REC_TABLES_NONE, NULL, &error));
  struct trace_event *new = calloc(2 * N_EVENTS + 1, sizeof *new);
  struct trace_event *old = calloc(2 * N_EVENTS + 1, sizeof *old);
  assert_int_equal(read_all(path, TRACEFILE_USER_VERSION, new, 2 * N_EVENTS + 1), 2 * N_EVENTS);
  age(path);
  assert_int_equal(ask(path, "SELECT count(*) FROM chunk WHERE codec<>1"), 0);
  assert_int_equal(read_all(path, 10000, old, 2 * N_EVENTS + 1), 2 * N_EVENTS);
  assert_memory_equal(new, old, 2 * N_EVENTS * sizeof *new);
  free(new);
  free(old);
  struct rec_summary sum;
  assert_true(rec_materialise(path, &sum, &error));
  assert_int_equal(ask(path, "SELECT count(*) FROM event"), 2 * N_EVENTS);
}

static void one_that_is_recovered_with_a_change_in_its_order_becomes_version_2(void **state)
{
  const char *path = scratch_path(*state, "order.db");
  struct rec_writer *w = rec_writer_new(path, false, &error);
  put(w, 0, 0, 10, TRACE_GO_CREATE, 7, 0);
  put(w, 0, 1, 20, TRACE_GO_START, 7, 1);
  put(w, 0, 2, 205, TRACE_GO_UNBLOCK, 7, 2); /* the cause; its clock is 10 ns ahead */
  put(w, 1, 0, 195, TRACE_M_UNPARK, 0, 0);
  put(w, 1, 1, 196, TRACE_GO_START, 7, 3); /* the effect */
  put(w, 1, 2, 400, TRACE_M_PARK, 0, 0);
  assert_true(rec_writer_flush(w, &error));
  rec_writer_free(w); /* as if it had been killed */
  age(path);
  struct rec_summary sum;
  assert_true(rec_recover(path, REC_TABLES_NONE, &sum, &error));
  assert_int_equal(sum.clock_fixups, 1);
  assert_int_equal(ask(path, "SELECT codec FROM chunk WHERE m=0"), 1);
  assert_int_equal(ask(path, "SELECT codec FROM chunk WHERE m=1"), 2);
  struct trace_event events[7];
  assert_int_equal(read_all(path, TRACEFILE_USER_VERSION, events, 7), 6);
  assert_int_equal(events[4].m, 1); /* the effect stands behind its cause */
  assert_int_equal(events[4].ts, 205);
}

static void one_that_is_recovered_as_it_is_stays_version_1(void **state)
{
  const char *path = scratch_path(*state, "right.db");
  struct rec_writer *w = rec_writer_new(path, false, &error);
  put(w, 0, 0, 10, TRACE_GO_CREATE, 7, 0);
  put(w, 0, 1, 20, TRACE_GO_START, 7, 1);
  assert_true(rec_writer_flush(w, &error));
  rec_writer_free(w);
  age(path);
  struct rec_summary sum;
  struct trace_event events[3];
  assert_true(rec_recover(path, REC_TABLES_NONE, &sum, &error));
  assert_int_equal(read_all(path, 10000, events, 3), 2);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    scratch_test(a_file_of_version_1_is_read),
    scratch_test(one_that_is_recovered_with_a_change_in_its_order_becomes_version_2),
    scratch_test(one_that_is_recovered_as_it_is_stays_version_1),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
