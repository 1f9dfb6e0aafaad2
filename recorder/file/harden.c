/* SPDX-License-Identifier: MIT */
/* harden.c - the hardened open: settings, limits, the schema pin, the authorizer.
 *
 * In this order, each before the next can be reached:
 *   tracefile_harden       no triggers, views, extensions, double-quoted strings; small limits
 *   tracefile_pin_schema   every row of sqlite_schema is one of ours, byte by byte; before any other query
 *   tracefile_quick_check  structure, for files small enough to wait for
 *   tracefile_lock_down    from here on SELECT is all that compiles
 *
 * Not done: repairing. A file that fails is refused in words, and nothing of it was run.
 */
#include "tracefile-private.h"

#include <string.h>
#include <time.h>

#define QUICK_CHECK_MAX  (64 << 20)
#define HEAP_LIMIT       (256 << 20)
#define CHECK_SECONDS    5
#define STEPS_A_CALLBACK 10000

bool tracefile_harden(sqlite3 *db)
{
  static const struct {
    int op, value;
  } settings[] = {
    { SQLITE_DBCONFIG_DEFENSIVE, 1 },
    { SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0 },
    { SQLITE_DBCONFIG_ENABLE_TRIGGER, 0 },
    { SQLITE_DBCONFIG_ENABLE_VIEW, 0 },
    { SQLITE_DBCONFIG_DQS_DML, 0 },
    { SQLITE_DBCONFIG_DQS_DDL, 0 },
    { SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0 },
  };
  static const struct {
    int id, value;
  } limits[] = {
    { SQLITE_LIMIT_LENGTH, 16 << 20 },
    { SQLITE_LIMIT_SQL_LENGTH, 100000 },
    { SQLITE_LIMIT_COLUMN, 100 },
    { SQLITE_LIMIT_EXPR_DEPTH, 50 },
    { SQLITE_LIMIT_COMPOUND_SELECT, 5 },
    { SQLITE_LIMIT_VDBE_OP, 25000 },
    { SQLITE_LIMIT_FUNCTION_ARG, 8 },
    { SQLITE_LIMIT_ATTACHED, 0 },
    { SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 256 },
    { SQLITE_LIMIT_VARIABLE_NUMBER, 64 },
    { SQLITE_LIMIT_TRIGGER_DEPTH, 10 },
    { SQLITE_LIMIT_WORKER_THREADS, 0 },
  };
  for (size_t i = 0; i < sizeof settings / sizeof settings[0]; i++) {
    if (sqlite3_db_config(db, settings[i].op, settings[i].value, NULL) != SQLITE_OK)
      return false;
  }
  for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i++)
    sqlite3_limit(db, limits[i].id, limits[i].value);
  sqlite3_hard_heap_limit64(HEAP_LIMIT);
  sqlite3_busy_timeout(db, 1000);
  return sqlite3_exec(db,
                      "PRAGMA cell_size_check=ON; PRAGMA mmap_size=0; PRAGMA temp_store=MEMORY;"
                      "PRAGMA cache_size=-8192",
                      NULL, NULL, NULL) == SQLITE_OK;
}

/* ---- the pin ---- */

struct pinned_row {
  const char *type, *name, *table, *sql;
};

static bool same(const char *a, const char *b)
{
  return a && b && strcmp(a, b) == 0;
}

/* ANALYZE's tables. Their text is SQLite's own and their content steers only the planner. */
static bool is_statistics(const struct pinned_row *row)
{
  static const char *const known[][2] = {
    { "sqlite_stat1", "CREATE TABLE sqlite_stat1(tbl,idx,stat)" },
    { "sqlite_stat4", "CREATE TABLE sqlite_stat4(tbl,idx,neq,nlt,ndlt,sample)" },
  };
  for (int i = 0; i < 2; i++) {
    if (same(row->type, "table") && same(row->name, known[i][0]) && same(row->sql, known[i][1]))
      return true;
  }
  return false;
}

static bool is_ours(const struct pinned_row *row, bool *core)
{
  size_t n;
  const struct schema_object *objects = schema_objects(&n);
  *core = false;
  for (size_t i = 0; i < n; i++) {
    if (same(row->name, objects[i].name) && same(row->type, objects[i].type) &&
        same(row->sql, objects[i].sql)) {
      *core = objects[i].part == SCHEMA_CORE;
      return true;
    }
  }
  return is_statistics(row);
}

static size_t n_core_objects(void)
{
  size_t n, count = 0;
  const struct schema_object *objects = schema_objects(&n);
  for (size_t i = 0; i < n; i++)
    count += objects[i].part == SCHEMA_CORE;
  return count;
}

/* A file of a newer minor version may have more plain tables and indexes; we never touch them. */
static bool may_be_newer(const struct pinned_row *row, uint32_t user_version)
{
  return user_version > TRACEFILE_USER_VERSION &&
         (same(row->type, "table") || same(row->type, "index"));
}

static bool refuse(const char *path, const char *why, const char *name,
                   struct tracefile_error *error)
{
  return tracefile_fail(error, TRACEFILE_REFUSED, path, "do not trust it; make a new recording",
                        "%s (%.80s)", why, name ? name : "no name");
}

bool tracefile_pin_schema(sqlite3 *db, const char *path, uint32_t user_version,
                          struct tracefile_error *error)
{
  sqlite3_stmt *stmt;
  if (sqlite3_prepare_v2(db, "SELECT type, name, tbl_name, sql FROM sqlite_schema", -1, &stmt,
                         NULL) != SQLITE_OK)
    return tracefile_sql_fail(db, path, error);
  size_t n_core = 0;
  bool ok = true;
  int rc = SQLITE_ROW;
  while (ok && (rc = sqlite3_step(stmt)) == SQLITE_ROW) {
    struct pinned_row row = { (const char *)sqlite3_column_text(stmt, 0),
                              (const char *)sqlite3_column_text(stmt, 1),
                              (const char *)sqlite3_column_text(stmt, 2),
                              (const char *)sqlite3_column_text(stmt, 3) };
    bool core;
    if (is_ours(&row, &core))
      n_core += core;
    else if (!may_be_newer(&row, user_version))
      ok = refuse(path, "it holds a table, view or trigger that no trace has", row.name, error);
  }
  if (ok && rc != SQLITE_DONE)
    ok = tracefile_sql_fail(db, path, error);
  sqlite3_finalize(stmt);
  if (ok && n_core != n_core_objects())
    return tracefile_fail(error, TRACEFILE_DAMAGED, path,
                          "copy the file together with its -wal file, or make a new recording",
                          "tables of a trace are missing in it");
  return ok;
}

/* ---- quick_check ---- */

static int out_of_time(void *deadline)
{
  return time(NULL) > *(time_t *)deadline;
}

bool tracefile_quick_check(sqlite3 *db, const char *path, int64_t size,
                           struct tracefile_error *error)
{
  if (size > QUICK_CHECK_MAX)
    return true;
  sqlite3_stmt *stmt;
  if (sqlite3_prepare_v2(db, "PRAGMA quick_check(1)", -1, &stmt, NULL) != SQLITE_OK)
    return tracefile_sql_fail(db, path, error);
  time_t deadline = time(NULL) + CHECK_SECONDS;
  sqlite3_progress_handler(db, STEPS_A_CALLBACK, out_of_time, &deadline);
  bool ok = sqlite3_step(stmt) == SQLITE_ROW;
  if (!ok)
    tracefile_sql_fail(db, path, error);
  const char *verdict = ok ? (const char *)sqlite3_column_text(stmt, 0) : NULL;
  if (ok && !same(verdict, "ok"))
    ok = tracefile_fail(error, TRACEFILE_DAMAGED, path, "restore a copy, or make a new recording",
                        "the database is damaged (%.200s)", verdict ? verdict : "no answer");
  sqlite3_finalize(stmt);
  sqlite3_progress_handler(db, 0, NULL, NULL);
  return ok;
}

/* ---- the authorizer ---- */

static bool pragma_is_allowed(const char *name, const char *value)
{
  static const char *const reading[] = { "data_version", "table_info",   "table_xinfo",
                                         "table_list",   "user_version", "application_id" };
  for (size_t i = 0; i < sizeof reading / sizeof reading[0]; i++) {
    if (same(name, reading[i]))
      return !value || strncmp(name, "table_", 6) == 0;
  }
  return false;
}

static int authorize(void *unused, int action, const char *a, const char *b, const char *c,
                     const char *d)
{
  (void)unused;
  (void)c;
  (void)d;
  switch (action) {
  case SQLITE_SELECT:
  case SQLITE_READ:
    return SQLITE_OK;
  case SQLITE_FUNCTION:
    return same(b, "load_extension") || same(b, "fts3_tokenizer") ? SQLITE_DENY : SQLITE_OK;
  case SQLITE_PRAGMA:
    return pragma_is_allowed(a, b) ? SQLITE_OK : SQLITE_DENY;
  default:
    return SQLITE_DENY;
  }
}

void tracefile_lock_down(sqlite3 *db)
{
  sqlite3_exec(db, "PRAGMA query_only=1", NULL, NULL, NULL);
  sqlite3_set_authorizer(db, authorize, NULL);
}
