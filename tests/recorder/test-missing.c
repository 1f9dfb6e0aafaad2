/* SPDX-License-Identifier: MIT */
/* test-missing.c - chunks that somebody deleted from a file are noticed by whoever reads it, in exact numbers; and nothing
 * is said of a file that lacks none, of a loss that was told, or of the end of a recording that has none yet. */
#include "recorder.h"
#include "scratch.h"
#include "test.h"
#include "trace-chunk.h"
#include "writer.h"

#define N_OF_M0 (4 * TRACE_CHUNK_EVENTS + 100) /* five chunks */
#define N_OF_M1 50

static struct tracefile_error error;

static void put_event(struct rec_writer *w, uint32_t m, uint64_t seq, int64_t ts)
{
  struct trace_event e = { .ts = ts, .seq = seq, .m = m, .kind = TRACE_GO_START };
  e.w[0] = (uint32_t)seq + 1;
  assert_true(rec_writer_event(w, &e, &error));
}

/* M0 has an event every 10 ns from 0 on, M1 every 1000 ns from 5 on. */
static struct rec_writer *write_events(const char *path)
{
  struct rec_writer *w = rec_writer_new(path, true, &error);
  assert_non_null(w);
  for (uint64_t i = 0; i < N_OF_M0; i++)
    put_event(w, 0, i, (int64_t)i * 10);
  for (uint64_t i = 0; i < N_OF_M1; i++)
    put_event(w, 1, i, (int64_t)i * 1000 + 5);
  return w;
}

static const char *make_trace(void **state)
{
  const char *path = scratch_path(*state, "a.db");
  assert_true(rec_writer_finish(write_events(path), REC_TABLES_NONE, NULL, &error));
  return path;
}

/* Its recorder died when all of that was written. */
static const char *make_unfinished(void **state)
{
  const char *path = scratch_path(*state, "a.db");
  struct rec_writer *w = write_events(path);
  assert_true(rec_writer_flush(w, &error));
  rec_writer_free(w);
  return path;
}

static void run_sql(const char *path, const char *sql)
{
  sqlite3 *db;
  char *message = NULL;
  assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
  if (sqlite3_exec(db, sql, NULL, NULL, &message) != SQLITE_OK)
    fail_msg("%s", message);
  sqlite3_close(db);
}

static uint64_t read_times(struct tracefile *file, int64_t from, int64_t to)
{
  uint64_t n = 0;
  struct tracefile_cursor *c = tracefile_cursor_new(file, from, to, &error);
  assert_non_null(c);
  while (tracefile_cursor_next(c))
    n++;
  tracefile_cursor_free(c);
  return n;
}

/* Reads all, twice; what was found damaged. */
static size_t find_damages(const char *path, struct tracefile_damage *out, size_t n,
                           struct tracefile_damage_sum *sum)
{
  struct tracefile *file = tracefile_open(path, &error);
  assert_non_null(file);
  uint64_t n_events = read_times(file, INT64_MIN, INT64_MAX);
  assert_int_equal(read_times(file, INT64_MIN, INT64_MAX), n_events);
  size_t found = tracefile_damages(file, out, n);
  *sum = tracefile_damage_sum(file);
  tracefile_close(file);
  return found;
}

static void expect_one_hole(const char *path, struct tracefile_damage wanted)
{
  struct tracefile_damage hole = { 0 };
  struct tracefile_damage_sum sum;
  assert_int_equal(find_damages(path, &hole, 1, &sum), 1);
  assert_true(hole.is_hole);
  assert_int_equal(hole.m, wanted.m);
  assert_int_equal(hole.first_seq, wanted.first_seq);
  assert_int_equal(hole.n, wanted.n);
  assert_int_equal(hole.t_min, wanted.t_min);
  assert_int_equal(hole.t_max, wanted.t_max);
  assert_int_equal(sum.chunks, 0);
  assert_int_equal(sum.missing, wanted.n);
}

static void expect_no_damage(const char *path)
{
  struct tracefile_damage damage = { .why = "" };
  struct tracefile_damage_sum sum;
  if (find_damages(path, &damage, 1, &sum) != 0)
    fail_msg("%lu events of M%u from %lu on: %s", (unsigned long)damage.n, damage.m,
             (unsigned long)damage.first_seq, damage.why);
  assert_string_equal(sum.words, "");
}

static void of_a_whole_file_nothing_is_said(void **state)
{
  expect_no_damage(make_trace(state));
}

static void a_chunk_missing_in_the_middle_is_told_with_its_numbers_and_times(void **state)
{
  const char *path = make_trace(state);
  run_sql(path, "DELETE FROM chunk WHERE m = 0 AND first_seq = 4096");
  expect_one_hole(
      path, (struct tracefile_damage){
                .m = 0, .first_seq = 4096, .n = 4096, .t_min = 4095 * 10, .t_max = 8192 * 10 });
}

static void chunks_missing_side_by_side_are_one_hole(void **state)
{
  const char *path = make_trace(state);
  run_sql(path, "DELETE FROM chunk WHERE m = 0 AND first_seq IN (4096, 8192)");
  expect_one_hole(
      path, (struct tracefile_damage){
                .m = 0, .first_seq = 4096, .n = 8192, .t_min = 4095 * 10, .t_max = 12288 * 10 });
}

static void a_missing_first_chunk_is_told_from_the_ms_first_moment_on(void **state)
{
  const char *path = make_trace(state);
  run_sql(path, "DELETE FROM chunk WHERE m = 0 AND first_seq = 0");
  expect_one_hole(path, (struct tracefile_damage){
                            .m = 0, .first_seq = 0, .n = 4096, .t_min = 0, .t_max = 4096 * 10 });
}

static void a_missing_last_chunk_is_known_from_the_books(void **state)
{
  const char *path = make_trace(state);
  run_sql(path, "DELETE FROM chunk WHERE m = 0 AND first_seq = 16384");
  expect_one_hole(
      path,
      (struct tracefile_damage){
          .m = 0, .first_seq = 16384, .n = 100, .t_min = 16383 * 10, .t_max = (N_OF_M0 - 1) * 10 });
}

static void an_m_without_any_of_its_chunks_is_known_from_the_books(void **state)
{
  const char *path = make_trace(state);
  run_sql(path, "DELETE FROM chunk WHERE m = 1");
  expect_one_hole(path,
                  (struct tracefile_damage){
                      .m = 1, .first_seq = 0, .n = N_OF_M1, .t_min = 5, .t_max = 49 * 1000 + 5 });
}

static void a_question_about_other_times_hears_nothing_of_it(void **state)
{
  const char *path = make_trace(state);
  run_sql(path, "DELETE FROM chunk WHERE m = 0 AND first_seq = 8192");
  struct tracefile *file = tracefile_open(path, &error);
  assert_non_null(file);
  read_times(file, INT64_MIN, 40000);
  read_times(file, 8192 * 20, INT64_MAX);
  assert_int_equal(tracefile_damages(file, NULL, 0), 0);
  read_times(file, 100000, 100010);
  assert_int_equal(tracefile_damages(file, NULL, 0), 1);
  assert_int_equal(tracefile_first_loss(file), 8191 * 10);
  tracefile_close(file);
}

static void put_lost(struct rec_writer *w, uint64_t n, uint64_t seq, int64_t ts)
{
  struct trace_event lost = { .ts = ts, .seq = seq, .kind = TRACE_LOST, .p = TRACE_NO_P };
  lost.d[0] = n;
  lost.d[1] = (uint64_t)ts - 1;
  assert_true(rec_writer_event(w, &lost, &error));
}

/* Of M0: 0 to 9, 10 lost, 20, 7 + 8 lost (told in two ways), 36, and 5 lost at the end. Of M3 all: 4. */
static void write_losses(const char *path)
{
  struct rec_writer *w = rec_writer_new(path, true, &error);
  for (uint64_t i = 0; i < 10; i++)
    put_event(w, 0, i, (int64_t)i * 10);
  put_lost(w, 10, 20, 200);
  assert_true(rec_writer_loss(w, 0, 7, 210, 220, "records were no events", &error));
  put_lost(w, 8, 36, 400);
  assert_true(rec_writer_loss(w, 0, 5, 410, 500, "the ring was full", &error));
  assert_true(rec_writer_loss(w, 3, 4, 0, 500, "the ring was full", &error));
  assert_true(rec_writer_finish(w, REC_TABLES_NONE, NULL, &error));
}

static void losses_that_were_told_are_no_missing_chunks(void **state)
{
  const char *path = scratch_path(*state, "lossy.db");
  write_losses(path);
  expect_no_damage(path);
  run_sql(path, "DELETE FROM loss WHERE n < 9"); /* the chunks behind say it, too; the end's none */
  struct tracefile_damage holes[2];
  struct tracefile_damage_sum sum;
  assert_int_equal(find_damages(path, holes, 2, &sum), 2);
  assert_int_equal(holes[0].first_seq, 37);
  assert_int_equal(holes[0].n, 5);
  assert_int_equal(holes[1].m, 3);
  assert_int_equal(holes[1].n, 4);
}

static void a_chunk_between_two_losses_is_told_without_them(void **state)
{
  const char *path = scratch_path(*state, "lossy.db");
  write_losses(path);
  run_sql(path, "DELETE FROM chunk WHERE first_seq = 20");
  expect_one_hole(path, (struct tracefile_damage){
                            .m = 0, .first_seq = 20, .n = 1, .t_min = 200, .t_max = 210 });
}

static void the_end_of_an_unfinished_recording_is_not_judged(void **state)
{
  const char *path = make_unfinished(state);
  expect_no_damage(path);
  run_sql(path, "DELETE FROM chunk WHERE m = 0 AND first_seq = 16384"); /* as if not written yet */
  expect_no_damage(path);
  struct rec_summary summary;
  assert_true(rec_recover(path, REC_TABLES_NONE, &summary, &error));
  assert_string_equal(summary.damage.words, "");
  expect_no_damage(path);
}

/* The recorder was killed after it had told the ring's counter and before it stored the last chunk. */
static void a_ring_counter_beyond_what_a_dead_recorder_stored_is_no_damage(void **state)
{
  const char *path = make_unfinished(state);
  run_sql(path, "INSERT INTO stats VALUES('ring_emitted', 0, 20000, 'info', ''),"
                "('emitted', 0, 20000, 'info', '')");
  expect_no_damage(path);
  assert_true(rec_recover(path, REC_TABLES_NONE, NULL, &error));
  expect_no_damage(path);
}

static void
a_chunk_missing_in_an_unfinished_recording_is_told_before_and_after_its_recovery(void **state)
{
  const char *path = make_unfinished(state);
  const struct tracefile_damage wanted = {
    .m = 0, .first_seq = 8192, .n = 4096, .t_min = 8191 * 10, .t_max = 12288 * 10
  };
  run_sql(path, "DELETE FROM chunk WHERE m = 0 AND first_seq = 8192");
  expect_one_hole(path, wanted);
  struct rec_summary summary;
  assert_true(rec_recover(path, REC_TABLES_NONE, &summary, &error));
  assert_string_equal(summary.damage.words, "4096 events whose chunks are missing");
  expect_one_hole(path, wanted);
}

/* A bit of the number flips: as large a hole would be a lie. */
static void a_number_that_nobody_vouches_for_makes_no_hole(void **state)
{
  static const char flip[] =
      "UPDATE chunk SET first_seq = first_seq + 1048576 WHERE m = 0 AND first_seq = 16384";
  struct tracefile_damage damages[2];
  struct tracefile_damage_sum sum;
  const char *path = make_unfinished(state);
  run_sql(path, flip);
  assert_int_equal(find_damages(path, damages, 2, &sum), 1);
  assert_int_equal(sum.chunks, 1);
  assert_int_equal(sum.missing, 0);
  path = make_trace(state);
  run_sql(path, flip);
  assert_int_equal(find_damages(path, damages, 2, &sum), 2);
  assert_int_equal(sum.missing, 100); /* where it was */
  assert_string_equal(sum.words, "1 damaged chunk and 100 events whose chunks are missing");
}

static void a_missing_chunk_beside_a_damaged_one_is_told_apart(void **state)
{
  const char *path = make_trace(state);
  run_sql(path, "DELETE FROM chunk WHERE m = 0 AND first_seq = 12288;"
                "UPDATE chunk SET data = zeroblob(length(data)) WHERE m = 0 AND first_seq = 16384");
  struct tracefile_damage damages[2];
  struct tracefile_damage_sum sum;
  assert_int_equal(find_damages(path, damages, 2, &sum), 2);
  assert_int_equal(sum.chunks, 1);
  assert_int_equal(sum.missing, 4096);
}

static void impossible_numbers_in_the_books_and_the_losses_do_no_harm(void **state)
{
  static const char *const hostile[] = {
    "UPDATE stats SET value = -1 WHERE name = 'emitted'",
    "UPDATE stats SET value = 9223372036854775807 WHERE name = 'emitted'",
    "INSERT INTO stats VALUES('emitted', 99999999999, 5, 'info', '')",
    "UPDATE m SET t_last = NULL; DELETE FROM chunk WHERE m = 1",
    "DELETE FROM m; DELETE FROM chunk",
    "INSERT INTO loss VALUES(NULL, 0, 9223372036854775807, 9223372036854775807, 0, 0, 'x')",
    "INSERT INTO loss VALUES(NULL, -5, -5, -5, 0, 0, 'x'), (NULL, 0, -1, 5, NULL, NULL, 'x')",
    "PRAGMA ignore_check_constraints = 1; UPDATE chunk SET n = 9223372036854775807",
    "PRAGMA ignore_check_constraints = 1; UPDATE chunk SET n = -1, t_max = -1, m = -1",
    "UPDATE chunk SET lost_before = 9223372036854775807",
  };
  for (size_t i = 0; i < sizeof hostile / sizeof hostile[0]; i++) {
    struct tracefile_damage damages[8];
    struct tracefile_damage_sum sum;
    const char *path = make_trace(state);
    run_sql(path, hostile[i]);
    size_t n = find_damages(path, damages, 8, &sum);
    for (size_t k = 0; k < n && k < 8; k++)
      assert_true(!damages[k].is_hole ||
                  (damages[k].n > 0 && damages[k].t_min >= 0 &&
                   damages[k].t_min <= damages[k].t_max && damages[k].t_max <= TRACEFILE_TIME_MAX));
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    scratch_test(of_a_whole_file_nothing_is_said),
    scratch_test(a_chunk_missing_in_the_middle_is_told_with_its_numbers_and_times),
    scratch_test(chunks_missing_side_by_side_are_one_hole),
    scratch_test(a_missing_first_chunk_is_told_from_the_ms_first_moment_on),
    scratch_test(a_missing_last_chunk_is_known_from_the_books),
    scratch_test(an_m_without_any_of_its_chunks_is_known_from_the_books),
    scratch_test(a_question_about_other_times_hears_nothing_of_it),
    scratch_test(losses_that_were_told_are_no_missing_chunks),
    scratch_test(a_chunk_between_two_losses_is_told_without_them),
    scratch_test(the_end_of_an_unfinished_recording_is_not_judged),
    scratch_test(a_ring_counter_beyond_what_a_dead_recorder_stored_is_no_damage),
    scratch_test(a_chunk_missing_in_an_unfinished_recording_is_told_before_and_after_its_recovery),
    scratch_test(a_number_that_nobody_vouches_for_makes_no_hole),
    scratch_test(a_missing_chunk_beside_a_damaged_one_is_told_apart),
    scratch_test(impossible_numbers_in_the_books_and_the_losses_do_no_harm),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
