/* SPDX-License-Identifier: MIT */
/* test-writer.c - what is written comes back: events, gaps, order, one file. */
#include "recorder.h"
#include "scratch.h"
#include "test.h"
#include "trace-chunk.h"
#include "writer.h"

#include <dirent.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

static struct tracefile_error error;

static struct trace_event make_event(uint32_t m, uint64_t seq, int64_t ts)
{
  struct trace_event e = {
    .ts = ts, .seq = seq, .m = m, .g = (uint32_t)(seq % 7), .p = (uint16_t)(m & 3)
  };
  e.kind = seq % 3 ? TRACE_GO_START : TRACE_GO_BLOCK;
  e.w[0] = (uint32_t)(seq * 2654435761u) % 18;
  e.w[1] = (uint32_t)seq;
  if (e.kind == TRACE_GO_BLOCK)
    e.d[1] = 0x55d0c0ffee00u + seq * 64;
  else
    e.w[2] = seq & 1;
  return e;
}

static int files_in(const char *folder)
{
  int n = 0;
  DIR *d = opendir(folder);
  for (struct dirent *entry; (entry = readdir(d));)
    n += entry->d_name[0] != '.';
  closedir(d);
  return n;
}

static void events_of_three_ms_come_back_in_time_order(void **state)
{
  const char *path = scratch_path(*state, "three.db");
  struct rec_writer *w = rec_writer_new(path, false, &error);
  assert_non_null(w);
  for (uint64_t i = 0; i < 10000; i++) {
    for (uint32_t m = 0; m < 3; m++) {
      struct trace_event e = make_event(m, i, (int64_t)(i * 10 + (m * 7919 + i * 31) % 10));
      assert_true(rec_writer_event(w, &e, &error));
    }
  }
  assert_true(rec_writer_finish(w, REC_TABLES_NONE, NULL, &error));

  struct tracefile *file = tracefile_open(path, &error);
  assert_non_null(file);
  assert_true(tracefile_is_final(file));
  struct tracefile_cursor *c = tracefile_cursor_new(file, INT64_MIN, INT64_MAX, &error);
  assert_non_null(c);
  uint64_t n = 0, next_seq[3] = { 0 };
  int64_t last_ts = -1;
  uint32_t last_m = 0;
  for (const struct trace_event *e; (e = tracefile_cursor_next(c)); n++) {
    assert_true(e->ts > last_ts || (e->ts == last_ts && e->m >= last_m));
    assert_int_equal(e->seq, next_seq[e->m]++);
    struct trace_event made = make_event(e->m, e->seq, e->ts);
    assert_memory_equal(e, &made, sizeof made);
    last_ts = e->ts;
    last_m = e->m;
  }
  assert_int_equal(n, 30000);
  tracefile_cursor_free(c);
  tracefile_close(file);
}

static void a_clean_end_leaves_exactly_one_file_that_only_its_owner_reads(void **state)
{
  const char *path = scratch_path(*state, "one.db");
  struct rec_writer *w = rec_writer_new(path, false, &error);
  struct trace_event e = make_event(0, 0, 5);
  assert_true(rec_writer_event(w, &e, &error));
  assert_true(rec_writer_finish(w, REC_TABLES_NONE, NULL, &error));
  assert_int_equal(files_in(*state), 1);
  struct stat st;
  assert_int_equal(stat(path, &st), 0);
  assert_int_equal(st.st_mode & 0777, 0600);
}

static void a_jump_of_the_number_is_a_loss_of_exactly_that_many(void **state)
{
  const char *path = scratch_path(*state, "gap.db");
  struct rec_writer *w = rec_writer_new(path, false, &error);
  struct trace_event e = make_event(4, 0, 100);
  assert_true(rec_writer_event(w, &e, &error));
  struct trace_event lost = { .ts = 900, .seq = 18, .m = 4, .kind = TRACE_LOST, .p = TRACE_NO_P };
  lost.d[0] = 17;
  lost.d[1] = 250;
  assert_true(rec_writer_event(w, &lost, &error));
  assert_true(rec_writer_finish(w, REC_TABLES_NONE, NULL, &error));
  struct tracefile *file = tracefile_open(path, &error);
  struct tracefile_summary summary;
  assert_true(tracefile_summary(file, &summary, &error));
  assert_int_equal(summary.n_events, 2);
  assert_int_equal(summary.n_lost, 17);
  tracefile_close(file);
}

/* Events of three Ms in runs, with losses, times that go back, and full chunks. */
static size_t make_mixed(struct trace_event *events, size_t max)
{
  uint64_t seq[3] = { 0 }, x = 88172645463325252u;
  int64_t ts = 1000;
  for (size_t i = 0; i < max;) {
    x ^= x << 13, x ^= x >> 7, x ^= x << 17;
    const uint32_t m = x % 3;
    const size_t run = 1 + (x >> 8) % 700;
    seq[m] += (x >> 20) % 16 == 0 ? 5 : 0; /* a loss */
    for (size_t k = 0; k < run && i < max; k++, i++) {
      const bool goes_back = (x >> 24) % 16 == 0 && k == run / 2;
      ts += (int64_t)(x >> 32) % 50;
      events[i] = make_event(m, seq[m]++, goes_back ? ts - 900 : ts);
    }
  }
  return max;
}

static void write_mixed(const char *path, const struct trace_event *events, size_t n, size_t batch,
                        uint64_t raised[3])
{
  struct rec_writer *w = rec_writer_new(path, false, &error);
  for (size_t i = 0; i < n; i += batch) {
    size_t left = n - i < batch ? n - i : batch;
    assert_true(batch == 1 ? rec_writer_event(w, &events[i], &error)
                           : rec_writer_events(w, &events[i], left, &error));
  }
  for (uint32_t m = 0; m < 3; m++)
    raised[m] = rec_writer_m(w, m)->raised;
  assert_true(rec_writer_finish(w, REC_TABLES_NONE, NULL, &error));
}

/* The rows of table chunk, less their ids, as text that differs if any differs. */
static char *read_chunks(const char *path)
{
  sqlite3 *db;
  sqlite3_stmt *stmt;
  assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
  assert_int_equal(
      sqlite3_prepare_v2(db,
                         "SELECT group_concat(m || ' ' || first_seq || ' ' || n || ' ' || "
                         "t_min || ' ' || t_max || ' ' || lost_before || ' ' || xxh3) "
                         "FROM (SELECT * FROM chunk ORDER BY m, first_seq)",
                         -1, &stmt, NULL),
      SQLITE_OK);
  assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
  char *text = strdup((const char *)sqlite3_column_text(stmt, 0));
  sqlite3_finalize(stmt);
  sqlite3_close(db);
  return text;
}

static void events_in_batches_make_the_same_chunks(void **state)
{
  enum {
    N = 50000
  };
  struct trace_event *events = calloc(N, sizeof *events);
  size_t n = make_mixed(events, N);
  uint64_t singly[3], together[3];
  const char *one = scratch_path(*state, "one.db"), *all = scratch_path(*state, "all.db");
  write_mixed(one, events, n, 1, singly);
  write_mixed(all, events, n, 4096, together);
  assert_memory_equal(singly, together, sizeof singly);
  assert_true(singly[0] + singly[1] + singly[2] > 0);
  char *of_one = read_chunks(one), *of_all = read_chunks(all);
  assert_string_equal(of_one, of_all);
  assert_true(strlen(of_one) > 300); /* a dozen chunks */
  free(of_one);
  free(of_all);
  free(events);
}

static void a_file_that_is_no_trace_is_never_overwritten(void **state)
{
  const char *path = scratch_path(*state, "letter.txt");
  FILE *f = fopen(path, "w");
  fputs("dear reader", f);
  fclose(f);
  assert_null(rec_writer_new(path, true, &error));
  assert_int_equal(error.code, TRACEFILE_REFUSED);
  char text[20] = "";
  f = fopen(path, "r");
  assert_non_null(fgets(text, sizeof text, f));
  fclose(f);
  assert_string_equal(text, "dear reader");
}

static void
an_older_trace_is_replaced_only_when_asked_and_comes_back_for_one_without_events(void **state)
{
  const char *path = scratch_path(*state, "again.db");
  assert_true(
      rec_writer_finish(rec_writer_new(path, false, &error), REC_TABLES_NONE, NULL, &error));
  assert_null(rec_writer_new(path, false, &error));
  struct rec_writer *w = rec_writer_new(path, true, &error);
  assert_non_null(w);
  rec_writer_discard(w);
  assert_int_equal(files_in(*state), 1);
  struct tracefile *older = tracefile_open(path, &error);
  assert_non_null(older);
  assert_true(tracefile_is_final(older));
  tracefile_close(older);
}

static void events_out_of_order_and_of_no_kind_are_refused_in_words(void **state)
{
  struct rec_writer *w = rec_writer_new(scratch_path(*state, "order.db"), false, &error);
  struct trace_event e = make_event(0, 5, 5);
  assert_true(rec_writer_event(w, &e, &error));
  e.seq = 4;
  assert_false(rec_writer_event(w, &e, &error));
  assert_non_null(strstr(error.why, "out of order"));
  struct trace_event two[2] = { make_event(0, 6, 6), make_event(0, 6, 7) };
  assert_false(rec_writer_events(w, two, 2, &error));
  assert_non_null(strstr(error.why, "event 6 of M0 comes out of order"));
  e.seq = 7;
  e.kind = 191;
  assert_false(rec_writer_event(w, &e, &error));
  assert_false(rec_writer_events(w, &e, 1, &error));
  assert_non_null(strstr(error.why, "no event of kind 191"));
  rec_writer_discard(w);
}

/* A limit on the size of files stands for a full disk. */
static void a_full_disk_is_told_in_words_and_what_was_written_is_kept(void **state)
{
  const char *path = scratch_path(*state, "full.db");
  struct rlimit before, tight = { .rlim_cur = 3 << 20, .rlim_max = RLIM_INFINITY };
  getrlimit(RLIMIT_FSIZE, &before);
  tight.rlim_max = before.rlim_max;
  signal(SIGXFSZ, SIG_IGN);
  struct rec_writer *w = rec_writer_new(path, false, &error);
  setrlimit(RLIMIT_FSIZE, &tight);
  bool ok = true;
  for (uint64_t i = 0; ok && i < 5000000; i++) {
    struct trace_event e = make_event(0, i, (int64_t)i * 3);
    ok = rec_writer_event(w, &e, &error);
  }
  setrlimit(RLIMIT_FSIZE, &before);
  assert_false(ok);
  assert_int_equal(error.code, TRACEFILE_REFUSED);
  assert_non_null(strstr(error.why, "disk"));
  rec_writer_free(w);
  struct rec_summary sum;
  assert_true(rec_recover(path, REC_TABLES_NONE, &sum, &error));
  assert_true(sum.stored > 0 && sum.stored % TRACE_CHUNK_EVENTS == 0);
  assert_int_equal(files_in(*state), 1);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    scratch_test(events_of_three_ms_come_back_in_time_order),
    scratch_test(a_clean_end_leaves_exactly_one_file_that_only_its_owner_reads),
    scratch_test(a_jump_of_the_number_is_a_loss_of_exactly_that_many),
    scratch_test(events_in_batches_make_the_same_chunks),
    scratch_test(a_file_that_is_no_trace_is_never_overwritten),
    scratch_test(an_older_trace_is_replaced_only_when_asked_and_comes_back_for_one_without_events),
    scratch_test(a_full_disk_is_told_in_words_and_what_was_written_is_kept),
    scratch_test(events_out_of_order_and_of_no_kind_are_refused_in_words),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
