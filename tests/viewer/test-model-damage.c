/* SPDX-License-Identifier: MIT */
/* test-model-damage.c - what is damaged in a file or missing from it is warned of and drawn as lost. */
#include "model.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* M0 has an event every 10 ns from 0 to 99990, in chunks of 4096, 4096 and 1808; M1 has two, in a chunk. */
static void write_text(FILE *to)
{
  fputs("gmpscope-trace 1\n@0 m0 p- g0 m_create tid=1\n@0 m1 p- g0 m_create tid=2\n", to);
  for (int i = 1; i < 10000; i++) {
    fprintf(to, "@%d m0 p- g0 clock_sync mono=1000 wall=1700000000000000000\n", i * 10);
    if (i == 5000)
      fprintf(to, "@%d m1 p- g0 clock_sync mono=1000 wall=1700000000000000000\n", i * 10);
  }
}

/* A file of it, to which this is done. */
static struct vw_trace *open_damaged(const char *sql)
{
  char path[] = "/tmp/test-model-XXXXXX", command[600];
  struct tracefile_error error = { .why = "" };
  sqlite3 *db;
  close(mkstemp(path));
  unlink(path); /* the name alone is wanted */
  snprintf(command, sizeof command, "%s/recorder/gmpscope load -q --tables none - -o %s",
           getenv("GMPSCOPE_BUILD"), path);
  FILE *load = popen(command, "w");
  assert_non_null(load);
  write_text(load);
  assert_int_equal(pclose(load), 0);
  assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
  assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
  sqlite3_close(db);
  struct vw_trace *t = vw_trace_open(path, NULL, NULL, &error);
  unlink(path);
  if (!t)
    fail_msg("%s", error.why);
  return t;
}

static bool warns(const struct vw_trace *t, const char *says)
{
  const char *warning;
  for (size_t i = 0; (warning = vw_warning(t, i)); i++) {
    if (strstr(warning, says))
      return true;
  }
  return false;
}

/* Of M m's lane. */
static bool is_lost(const struct vw_trace *t, uint32_t m, int64_t from, int64_t to)
{
  int64_t i = vw_lane_of(t, VW_LANES_M, m);
  const struct vw_lane *lane = i < 0 ? NULL : vw_lane(t, VW_LANES_M, (size_t)i);
  for (size_t k = 0; lane && k < lane->n_spans; k++) {
    const struct vw_span *s = &lane->spans[k];
    if (s->state == VW_STATE_LOST && s->t0 == from && s->t1 == to)
      return true;
  }
  return false;
}

static void of_a_whole_file_nothing_is_lost(void **state)
{
  (void)state;
  struct vw_trace *t = open_damaged("SELECT 1");
  assert_false(warns(t, "missing") || warns(t, "damaged"));
  vw_trace_free(t);
}

static void a_missing_chunk_in_the_middle_is_warned_of_and_drawn(void **state)
{
  (void)state;
  struct vw_trace *t = open_damaged("DELETE FROM chunk WHERE m = 0 AND first_seq = 4096");
  assert_true(warns(t, "the chunks of 4096 events are missing; first of M0, 4096 events from "
                       "number 4096 on."));
  assert_true(warns(t, "4096 events are missing in 1 place"));
  assert_true(is_lost(t, 0, 40950, 81920));
  vw_trace_free(t);
}

static void a_missing_last_chunk_is_warned_of_and_drawn(void **state)
{
  (void)state;
  struct vw_trace *t = open_damaged("DELETE FROM chunk WHERE m = 0 AND first_seq = 4096;"
                                    "DELETE FROM chunk WHERE m = 1");
  assert_true(warns(t, "the chunks of 4098 events are missing"));
  assert_true(warns(t, "4098 events are missing in 2 places"));
  assert_true(is_lost(t, 1, 0, 50000));
  vw_trace_free(t);
}

/* A hole is listed when reading begins, the chunk before it when it is come to. */
static void a_damaged_chunk_before_a_missing_one_is_counted_too(void **state)
{
  (void)state;
  struct vw_trace *t = open_damaged(
      "DELETE FROM chunk WHERE m = 0 AND first_seq = 8192;"
      "UPDATE chunk SET data = zeroblob(length(data)) WHERE m = 0 AND first_seq = 4096");
  assert_true(warns(t, "1 chunk of the file is damaged and left out; the first is of M0, 4096"));
  assert_true(warns(t, "the chunks of 1808 events are missing"));
  assert_true(warns(t, "5904 events are missing in 2 places"));
  vw_trace_free(t);
}

static void what_ms_without_a_ring_lost_is_warned_of(void **state)
{
  (void)state;
  struct vw_trace *t =
      open_damaged("INSERT INTO loss VALUES(NULL, NULL, NULL, 7, 2000, 90000, 'no ring was left')");
  assert_true(warns(t, "7 events of Ms that found no ring left are missing: from 2 µs on"));
  vw_trace_free(t);
  t = open_damaged("SELECT 1");
  assert_false(warns(t, "ring"));
  vw_trace_free(t);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(of_a_whole_file_nothing_is_lost),
    cmocka_unit_test(a_missing_chunk_in_the_middle_is_warned_of_and_drawn),
    cmocka_unit_test(a_missing_last_chunk_is_warned_of_and_drawn),
    cmocka_unit_test(a_damaged_chunk_before_a_missing_one_is_counted_too),
    cmocka_unit_test(what_ms_without_a_ring_lost_is_warned_of),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
