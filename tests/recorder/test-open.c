/* SPDX-License-Identifier: MIT */
/* test-open.c - opening files that are no traces, damaged, hostile, or not finished. */
#include "recorder.h"
#include "scratch.h"
#include "test.h"

#include <sys/stat.h>
#include <sys/wait.h>

static struct tracefile_error error;

static void put_event(struct rec_writer *w, uint32_t m, uint64_t seq, int64_t ts)
{
  struct trace_event e = { .ts = ts, .seq = seq, .m = m, .kind = TRACE_GO_START };
  e.w[0] = (uint32_t)seq + 1;
  assert_true(rec_writer_event(w, &e, &error));
}

/* A final trace of n events on two Ms. */
static const char *make_trace(void **state, const char *name, uint64_t n)
{
  const char *path = scratch_path(*state, name);
  struct rec_writer *w = rec_writer_new(path, true, &error);
  assert_non_null(w);
  for (uint64_t i = 0; i < n; i++)
    put_event(w, (uint32_t)(i & 1), i / 2, (int64_t)i * 10);
  assert_true(rec_writer_finish(w, REC_TABLES_NONE, NULL, &error));
  return path;
}

static void refused(const char *path, enum tracefile_code code, const char *why)
{
  struct tracefile *file = tracefile_open(path, &error);
  if (file || error.code != code || !strstr(error.why, why))
    print_message("%s: wanted %d \"%s\", got %d \"%s\"\n", path, code, why,
                  file ? 0 : (int)error.code, file ? "opened" : error.why);
  assert_null(file);
  assert_int_equal(error.code, code);
  assert_non_null(strstr(error.why, why));
}

static void write_bytes(const char *path, const char *bytes, size_t n)
{
  FILE *f = fopen(path, "w");
  assert_int_equal(fwrite(bytes, 1, n, f), n);
  fclose(f);
}

static void run_sql(const char *path, const char *sql)
{
  sqlite3 *db;
  assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
  char *message = NULL;
  if (sqlite3_exec(db, sql, NULL, NULL, &message) != SQLITE_OK)
    print_message("%s\n", message);
  assert_null(message);
  sqlite3_close(db);
}

static void each_thing_that_is_no_trace_gets_its_own_answer(void **state)
{
  const char *path = scratch_path(*state, "x");
  refused(path, TRACEFILE_WRONG, "no such file");
  refused(*state, TRACEFILE_REFUSED, "a directory");
  refused("/dev/zero", TRACEFILE_REFUSED, "a device");
  write_bytes(path, "", 0);
  refused(path, TRACEFILE_DAMAGED, "empty");
  write_bytes(path, "dear reader, this is a letter", 29);
  refused(path, TRACEFILE_REFUSED, "no database");
  write_bytes(path, "SQLite format 3", 16);
  refused(path, TRACEFILE_DAMAGED, "cut short");
  unlink(path);
  run_sql(path, "CREATE TABLE chunk(id); PRAGMA user_version=10000");
  refused(path, TRACEFILE_REFUSED, "another program's database");
  unlink(path);
  assert_int_equal(mkfifo(path, 0600), 0);
  refused(path, TRACEFILE_REFUSED, "a pipe");
}

static void a_link_is_not_followed(void **state)
{
  const char *path = make_trace(state, "real.db", 10), *link = scratch_path(*state, "link.db");
  assert_int_equal(symlink(path, link), 0);
  refused(link, TRACEFILE_REFUSED, "symbolic link");
}

/* In a child that is nobody, since root may read everything. */
static void a_file_without_permission_says_so(void **state)
{
  const char *path = make_trace(state, "mine.db", 10);
  chmod(*state, 0755);
  chmod(path, 0);
  pid_t child = fork();
  if (child == 0) {
    bool is_nobody = geteuid() != 0 || setresuid(65534, 65534, 65534) == 0;
    bool said_so = !tracefile_open(path, &error) && error.code == TRACEFILE_REFUSED &&
                   strstr(error.why, "may not read it");
    _exit(is_nobody && said_so ? 0 : 1);
  }
  int status;
  waitpid(child, &status, 0);
  assert_int_equal(status, 0);
}

static void a_newer_major_version_is_refused_and_names_itself(void **state)
{
  const char *path = make_trace(state, "new.db", 10);
  run_sql(path, "PRAGMA user_version=30300");
  refused(path, TRACEFILE_REFUSED, "version 3.3");
}

static void a_newer_minor_version_with_a_table_more_opens(void **state)
{
  const char *path = make_trace(state, "minor.db", 10);
  char sql[80];
  snprintf(sql, sizeof sql, "CREATE TABLE colour(g, name); PRAGMA user_version=%d",
           TRACEFILE_USER_VERSION + 100);
  run_sql(path, sql);
  struct tracefile *file = tracefile_open(path, &error);
  assert_non_null(file);
  tracefile_close(file);
}

static void a_file_left_in_the_middle_of_a_change_is_not_read_half_changed(void **state)
{
  const char *path = make_trace(state, "half.db", 3000);
  write_bytes(scratch_path(*state, "half.db-journal"), "", 0); /* of a change that was finished */
  struct tracefile *file = tracefile_open(path, &error);
  assert_non_null(file);
  tracefile_close(file);
  write_bytes(scratch_path(*state, "half.db-journal"), "what was there before", 21);
  refused(path, TRACEFILE_DAMAGED, "in the middle of a change");
}

static void a_file_cut_at_any_half_kilobyte_is_refused(void **state)
{
  const char *path = make_trace(state, "cut.db", 3000);
  struct stat st;
  stat(path, &st);
  for (off_t size = st.st_size - 512; size > 0; size -= 512) {
    assert_int_equal(truncate(path, size), 0);
    assert_null(tracefile_open(path, &error));
  }
}

static void hostile_schemas_are_refused_before_anything_runs(void **state)
{
  static const char *const hostile[] = {
    "CREATE VIEW trap AS WITH RECURSIVE r(x) AS (SELECT 1 UNION ALL SELECT x+1 FROM r) SELECT x "
    "FROM r",
    "ALTER TABLE meta RENAME TO meta2; CREATE VIEW meta AS SELECT key, value FROM meta2",
    "CREATE TRIGGER t AFTER INSERT ON note BEGIN DELETE FROM chunk; END",
    "CREATE TABLE bomb(a, b AS (zeroblob(400000000)))",
    "CREATE INDEX odd ON chunk(abs(t_min))",
    "CREATE VIRTUAL TABLE f USING fts5(x)",
    "DROP TABLE chunk; CREATE TABLE chunk(id INTEGER PRIMARY KEY, m, first_seq, n, t_min, t_max, "
    "lost_before, codec, xxh3, data)",
  };
  for (size_t i = 0; i < sizeof hostile / sizeof hostile[0]; i++) {
    const char *path = make_trace(state, "hostile.db", 10);
    run_sql(path, hostile[i]);
    refused(path, TRACEFILE_REFUSED, "no trace has");
  }
  const char *path = make_trace(state, "poor.db", 10);
  run_sql(path, "DROP TABLE loss");
  refused(path, TRACEFILE_DAMAGED, "missing");
}

static void the_connection_answers_selects_and_nothing_else(void **state)
{
  struct tracefile *file = tracefile_open(make_trace(state, "ro.db", 10), &error);
  sqlite3 *db = tracefile_db(file);
  assert_int_equal(sqlite3_exec(db, "SELECT count(*) FROM chunk", NULL, NULL, NULL), SQLITE_OK);
  static const char *const denied[] = {
    "DELETE FROM chunk",          "CREATE TEMP TABLE t(x)",
    "ATTACH ':memory:' AS a",     "PRAGMA writable_schema=1",
    "PRAGMA query_only=0",        "BEGIN IMMEDIATE",
    "SELECT load_extension('x')", "VACUUM",
    "UPDATE meta SET value=1",
  };
  for (size_t i = 0; i < sizeof denied / sizeof denied[0]; i++)
    assert_int_not_equal(sqlite3_exec(db, denied[i], NULL, NULL, NULL), SQLITE_OK);
  tracefile_close(file);
}

static uint64_t count_events(struct tracefile *file)
{
  uint64_t n = 0;
  struct tracefile_cursor *c = tracefile_cursor_new(file, INT64_MIN, INT64_MAX, &error);
  assert_non_null(c);
  while (tracefile_cursor_next(c))
    n++;
  tracefile_cursor_free(c);
  return n;
}

/* What a reader sees of a damaged file must be: refused, or chunk listed as damaged, or exactly the truth. */
static void bits_flipped_anywhere_in_the_chunks_are_never_believed(void **state)
{
  const char *path = make_trace(state, "flip.db", 20000);
  struct stat st;
  stat(path, &st);
  char *good = malloc((size_t)st.st_size);
  FILE *f = fopen(path, "r");
  assert_int_equal(fread(good, 1, (size_t)st.st_size, f), st.st_size);
  fclose(f);
  uint64_t random = 88172645463325252u;
  int n_listed = 0;
  for (int i = 0; i < 300; i++) {
    random ^= random << 13, random ^= random >> 7, random ^= random << 17;
    size_t bit = random % ((size_t)st.st_size * 8);
    good[bit / 8] ^= (char)(1 << bit % 8);
    write_bytes(path, good, (size_t)st.st_size);
    good[bit / 8] ^= (char)(1 << bit % 8);
    struct tracefile *file = tracefile_open(path, &error);
    if (!file)
      continue;
    struct tracefile_cursor *c = tracefile_cursor_new(file, INT64_MIN, INT64_MAX, &error);
    uint64_t n = 0;
    for (const struct trace_event *e; c && (e = tracefile_cursor_next(c)); n++)
      assert_true(e->ts == (int64_t)(e->seq * 2 + e->m) * 10 && e->w[0] == e->seq + 1);
    tracefile_cursor_free(c);
    size_t damaged = tracefile_damages(file, NULL, 0);
    n_listed += damaged > 0;
    assert_true(!c || n == 20000 || damaged > 0);
    tracefile_close(file);
  }
  assert_true(n_listed > 20); /* or the flips missed the chunks */
  free(good);
}

/* The control: without the checksum the same kind of damage passes. */
static void a_changed_chunk_with_a_recomputed_row_is_what_the_checksum_guards(void **state)
{
  const char *path = make_trace(state, "swap.db", 20000);
  run_sql(path, "UPDATE chunk SET t_min=t_min+1 WHERE id=1");
  struct tracefile *file = tracefile_open(path, &error);
  assert_non_null(file); /* SQLite sees nothing wrong */
  assert_true(count_events(file) < 20000);
  struct tracefile_damage damage;
  assert_int_equal(tracefile_damages(file, &damage, 1), 1);
  assert_string_equal(damage.why, "its checksum is wrong");
  tracefile_close(file);
}

static void an_unfinished_recording_opens_and_can_be_recovered(void **state)
{
  const char *path = scratch_path(*state, "live.db");
  struct rec_writer *w = rec_writer_new(path, false, &error);
  for (uint64_t i = 0; i < 300000; i++) /* more than a transaction's worth */
    put_event(w, 0, i, (int64_t)i);
  struct tracefile *file = tracefile_open(path, &error);
  assert_non_null(file);
  assert_false(tracefile_is_final(file));
  assert_int_equal(count_events(file), 64 * 4096);
  tracefile_close(file);
  rec_writer_discard(w);
}

static void only_the_main_file_of_an_unfinished_recording_says_what_is_missing(void **state)
{
  const char *path = scratch_path(*state, "live.db"), *copy = scratch_path(*state, "copy.db");
  struct rec_writer *w = rec_writer_new(path, false, &error);
  put_event(w, 0, 0, 0);
  char command[1200];
  snprintf(command, sizeof command, "cp %s %s", path, copy);
  assert_int_equal(system(command), 0);
  struct tracefile *file = tracefile_open(copy, &error);
  assert_non_null(file); /* it is a trace, with nothing in it yet */
  assert_false(tracefile_is_final(file));
  tracefile_close(file);
  rec_writer_discard(w);
}

static void a_foreign_wal_beside_a_final_file_is_ignored(void **state)
{
  const char *path = make_trace(state, "a.db", 100);
  char wal[600];
  snprintf(wal, sizeof wal, "%s-wal", path);
  const char *other = scratch_path(*state, "b.db");
  struct rec_writer *w = rec_writer_new(other, false, &error);
  for (uint64_t i = 0; i < 300000; i++)
    put_event(w, 0, i, (int64_t)i);
  char command[1400];
  snprintf(command, sizeof command, "cp %s-wal %s", other, wal);
  assert_int_equal(system(command), 0);
  struct tracefile *file = tracefile_open(path, &error);
  assert_non_null(file);
  assert_int_equal(count_events(file), 100);
  tracefile_close(file);
  rec_writer_discard(w);
}

static void errors_read_as_one_line_without_control_characters(void **state)
{
  (void)state;
  char text[700];
  tracefile_fail(&error, TRACEFILE_WRONG, "evil\033[2J\nname", "check the name",
                 "there is no such file");
  tracefile_error_text(&error, text, sizeof text);
  assert_string_equal(text, "evil\\x1b[2J\\x0aname: there is no such file; check the name");
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    scratch_test(each_thing_that_is_no_trace_gets_its_own_answer),
    scratch_test(a_link_is_not_followed),
    scratch_test(a_file_without_permission_says_so),
    scratch_test(a_newer_major_version_is_refused_and_names_itself),
    scratch_test(a_newer_minor_version_with_a_table_more_opens),
    scratch_test(a_file_left_in_the_middle_of_a_change_is_not_read_half_changed),
    scratch_test(a_file_cut_at_any_half_kilobyte_is_refused),
    scratch_test(hostile_schemas_are_refused_before_anything_runs),
    scratch_test(the_connection_answers_selects_and_nothing_else),
    scratch_test(bits_flipped_anywhere_in_the_chunks_are_never_believed),
    scratch_test(a_changed_chunk_with_a_recomputed_row_is_what_the_checksum_guards),
    scratch_test(an_unfinished_recording_opens_and_can_be_recovered),
    scratch_test(only_the_main_file_of_an_unfinished_recording_says_what_is_missing),
    scratch_test(a_foreign_wal_beside_a_final_file_is_ignored),
    scratch_test(errors_read_as_one_line_without_control_characters),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
