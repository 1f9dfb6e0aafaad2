/* SPDX-License-Identifier: MIT */
/* create.c - makes the file that a writer fills: who may be overwritten, mode, settings, schema.
 *
 * I1  An older trace in its place is put aside, and goes only when the new one holds an event (writer.c): a program
 *     that was misspelt, or does not use the runtime, costs nobody a recording. Killed in between, both are there.
 *     Not done: the new file under another name until then. It would be missed where it is looked for, if the
 *     recorder is killed.
 *
 * The file is created by us, exclusively, without following a link, mode 0600: a recording may hold anything
 * that the traced program said. SQLite only ever opens what exists.  The schema is written in rollback
 * mode, then the journal becomes a WAL, so that the main file alone already says what it is.
 *
 * synchronous=NORMAL: the WAL is synced only before it is copied into the file, so a power cut loses the last
 * second and no more; OFF is 10 to 15 % faster (tests/bench/bench-file) and could lose the whole file. wal_autocheckpoint is
 * 64 MiB, so that this sync is rare, and what the WAL takes stays bounded.
 * Page size 16384: with 8192 writing chunks takes a tenth longer (tests/bench/bench-file), since each page costs four
 * system calls on its way; the smallest file is 330 KB with it, 200 KB with 8192. With 32768 half a page is lost a chunk.
 * cache_size 512 KiB: pages that are written are not read again, and a larger cache is only walked through, out of the
 * processor's own (2 MiB: a twentieth slower). A transaction that is larger is written into the WAL as it grows.
 */
#include "create.h"

#include "writer.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SETTINGS                                                                                   \
  "PRAGMA page_size=16384; PRAGMA journal_mode=DELETE; PRAGMA auto_vacuum=NONE; "                  \
  "PRAGMA temp_store=FILE; PRAGMA cache_size=-512; PRAGMA locking_mode=NORMAL"
#define WAL_SETTINGS                                                                               \
  "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA wal_autocheckpoint=4096; "           \
  "PRAGMA journal_size_limit=67108864"

/* ---- errors of the database while writing ---- */

bool rec_sql_fail(sqlite3 *db, const char *path, const char *doing, struct tracefile_error *error)
{
  int code = sqlite3_extended_errcode(db);
  switch (code & 0xff) {
  case SQLITE_FULL:
    return tracefile_fail(error, TRACEFILE_REFUSED, path,
                          "make room, then run gmpscope recover on it: what was written is kept",
                          "the disk is full (%s)", doing);
  case SQLITE_IOERR:
    return tracefile_fail(error, TRACEFILE_REFUSED, path,
                          "check the disk; give another place with -o",
                          "the disk reports an error (%s: %s, %s)", doing, sqlite3_errstr(code),
                          strerrordesc_np(sqlite3_system_errno(db)));
  case SQLITE_READONLY:
  case SQLITE_CANTOPEN:
  case SQLITE_PERM:
    return tracefile_fail(error, TRACEFILE_REFUSED, path, "give another place with -o",
                          "it cannot be written (%s)", doing);
  case SQLITE_BUSY:
  case SQLITE_LOCKED:
    return tracefile_fail(error, TRACEFILE_REFUSED, path, "close the program that uses it",
                          "another program has locked it (%s)", doing);
  default:
    return tracefile_fail(error, TRACEFILE_DAMAGED, path, "", "%s failed (%s)", doing,
                          sqlite3_errmsg(db));
  }
}

bool rec_sql(sqlite3 *db, const char *path, const char *text, struct tracefile_error *error)
{
  return sqlite3_exec(db, text, NULL, NULL, NULL) == SQLITE_OK ||
         rec_sql_fail(db, path, "writing", error);
}

/* ---- the file ---- */

static void unlink_with(const char *path, const char *suffix)
{
  char *name = NULL;
  if (asprintf(&name, "%s%s", path, suffix) >= 0)
    unlink(name);
  free(name);
}

void create_remove(const char *path)
{
  unlink(path);
  unlink_with(path, "-wal");
  unlink_with(path, "-shm");
  unlink_with(path, "-journal");
}

uint64_t create_process_start(pid_t pid)
{
  char name[40], line[1024];
  unsigned long long start = 0;
  snprintf(name, sizeof name, "/proc/%d/stat", (int)pid);
  FILE *stat = fopen(name, "re");
  const char *rest = stat && fgets(line, sizeof line, stat) ? strrchr(line, ')') : NULL;
  if (rest) /* field 22; the second, the name in (), may hold anything */
    sscanf(rest,
           ") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d %llu",
           &start);
  if (stat)
    fclose(stat);
  return start;
}

pid_t create_living_recorder(struct tracefile *file)
{
  const char *pid_text = tracefile_meta(file, "recorder_pid");
  const char *start_text = tracefile_meta(file, "recorder_start");
  pid_t pid = pid_text && !tracefile_is_final(file) ? (pid_t)atoi(pid_text) : 0;
  if (pid <= 0 || (kill(pid, 0) != 0 && errno != EPERM))
    return 0;
  uint64_t start = create_process_start(pid);
  bool is_another = start && start_text && strtoull(start_text, NULL, 10) != start;
  return is_another ? 0 : pid;
}

static pid_t living_recorder(const char *path)
{
  struct tracefile *file = tracefile_open(path, NULL);
  pid_t pid = file ? create_living_recorder(file) : 0;
  tracefile_close(file);
  return pid;
}

/* Where an older trace waits; caller frees; NULL: out of memory. Its number is ours: two recorders that want the
 * same place do not take each other's. */
static char *older_name(const char *path)
{
  char *name = NULL;
  return asprintf(&name, "%s.older-%d", path, (int)getpid()) < 0 ? NULL : name;
}

/* A trace and what SQLite puts beside it. */
static bool rename_trace(const char *from, const char *to)
{
  static const char *const suffixes[] = { "-wal", "-shm", "-journal" };
  for (size_t i = 0; i < sizeof suffixes / sizeof suffixes[0]; i++) {
    char *old = NULL, *new = NULL;
    if (asprintf(&old, "%s%s", from, suffixes[i]) >= 0 &&
        asprintf(&new, "%s%s", to, suffixes[i]) >= 0)
      rename(old, new); /* as a rule it is not there */
    free(old);
    free(new);
  }
  return rename(from, to) == 0;
}

void create_drop_older(const char *path)
{
  char *name = older_name(path);
  if (name)
    create_remove(name);
  free(name);
}

void create_restore_older(const char *path)
{
  char *name = older_name(path);
  create_remove(path);
  if (name)
    rename_trace(name, path);
  free(name);
}

static bool put_aside(const char *path, struct tracefile_error *error)
{
  char *name = older_name(path);
  bool ok = name && rename_trace(path, name);
  free(name);
  return ok ||
         tracefile_fail(error, TRACEFILE_REFUSED, path, "give another name",
                        "the older trace there cannot be put aside (%s)", strerrordesc_np(errno));
}

/* A file is there already: may it go? Then it is put aside. */
static bool make_room(const char *path, bool overwrite, struct tracefile_error *error)
{
  struct tracefile_header header;
  if (!overwrite)
    return tracefile_fail(error, TRACEFILE_REFUSED, path, "give another name, or remove it first",
                          "there is such a file already");
  if (!tracefile_header_read(path, &header, NULL))
    return tracefile_fail(error, TRACEFILE_REFUSED, path, "give another name, or remove it first",
                          "there is such a file already, and it is no gmpscope trace");
  pid_t recorder = living_recorder(path);
  if (recorder)
    return tracefile_fail(error, TRACEFILE_REFUSED, path, "give another name, or wait for its end",
                          "process %d is recording into it", (int)recorder);
  return put_aside(path, error);
}

static bool fail_create(const char *path, struct tracefile_error *error)
{
  switch (errno) {
  case ENOENT:
  case ENOTDIR:
    return tracefile_fail(error, TRACEFILE_WRONG, path, "make the folder first",
                          "its folder does not exist");
  case EACCES:
  case EPERM:
  case EROFS:
    return tracefile_fail(error, TRACEFILE_REFUSED, path, "give another place with -o",
                          "you may not write there");
  case ENOSPC:
  case EDQUOT:
    return tracefile_fail(error, TRACEFILE_REFUSED, path, "make room", "the disk is full");
  default:
    return tracefile_fail(error, TRACEFILE_REFUSED, path, "give another place with -o",
                          "it cannot be made (%s)", strerrordesc_np(errno));
  }
}

static bool create_file(const char *path, bool overwrite, bool *has_older,
                        struct tracefile_error *error)
{
  int flags = O_CREAT | O_EXCL | O_RDWR | O_NOFOLLOW | O_CLOEXEC;
  int fd = open(path, flags, 0600);
  *has_older = false;
  if (fd < 0 && errno == EEXIST) {
    if (!make_room(path, overwrite, error))
      return false;
    *has_older = true;
    fd = open(path, flags, 0600);
  }
  if (fd < 0)
    return fail_create(path, error);
  close(fd);
  return true;
}

/* ---- the schema ---- */

static bool exists(sqlite3 *db, const char *name)
{
  sqlite3_stmt *stmt;
  if (sqlite3_prepare_v2(db, "SELECT 1 FROM sqlite_schema WHERE name=?", -1, &stmt, NULL) !=
      SQLITE_OK)
    return false;
  sqlite3_bind_text(stmt, 1, name, -1, SQLITE_STATIC);
  bool found = sqlite3_step(stmt) == SQLITE_ROW;
  sqlite3_finalize(stmt);
  return found;
}

bool create_object(sqlite3 *db, const char *path, const char *name, bool *is_new,
                   struct tracefile_error *error)
{
  size_t n;
  const struct schema_object *objects = schema_objects(&n);
  *is_new = !exists(db, name);
  for (size_t i = 0; *is_new && i < n; i++) {
    if (strcmp(objects[i].name, name) == 0)
      return rec_sql(db, path, objects[i].sql, error);
  }
  return true;
}

bool create_objects(sqlite3 *db, const char *path, enum schema_part part,
                    struct tracefile_error *error)
{
  size_t n;
  bool is_new;
  const struct schema_object *objects = schema_objects(&n);
  for (size_t i = 0; i < n; i++) {
    if (objects[i].part == part && !create_object(db, path, objects[i].name, &is_new, error))
      return false;
  }
  return true;
}

static bool bind_and_step(sqlite3_stmt *stmt, const char *const *values, int n)
{
  for (int i = 0; i < n; i++)
    sqlite3_bind_text(stmt, i + 1, values[i], -1, SQLITE_STATIC);
  bool ok = sqlite3_step(stmt) == SQLITE_DONE;
  sqlite3_reset(stmt);
  return ok;
}

static bool fill_schema_doc(sqlite3 *db)
{
  sqlite3_stmt *stmt;
  if (sqlite3_prepare_v2(db, "INSERT INTO schema_doc VALUES(?,?,?,?,?)", -1, &stmt, NULL) !=
      SQLITE_OK)
    return false;
  size_t n;
  const struct schema_doc *docs = schema_docs(&n);
  bool ok = true;
  for (size_t i = 0; ok && i < n; i++) {
    const char *row[] = { docs[i].table, docs[i].column, docs[i].unit, docs[i].en, docs[i].zh };
    ok = bind_and_step(stmt, row, 5);
  }
  for (int t = 0; ok && t < TABLE_COUNT; t++) {
    const struct table_def *def = &table_defs[t];
    ok = bind_and_step(stmt, (const char *[]){ def->name, "", "", def->en, def->zh }, 5);
    for (int i = 0; ok && i < def->n_columns; i++) {
      const struct table_column *c = &def->columns[i];
      ok = bind_and_step(stmt, (const char *[]){ def->name, c->name, c->unit, c->en, c->zh }, 5);
    }
  }
  sqlite3_finalize(stmt);
  return ok;
}

static bool fill_event_kind(sqlite3 *db)
{
  sqlite3_stmt *stmt;
  if (sqlite3_prepare_v2(db, "INSERT INTO event_kind VALUES(?,?,?,?,?,?,?,?)", -1, &stmt, NULL) !=
      SQLITE_OK)
    return false;
  bool ok = true;
  for (uint32_t kind = 1; ok && kind < TRACE_KIND_LIMIT; kind++) {
    const struct trace_spec *spec = trace_spec_get(kind);
    if (!spec)
      continue;
    sqlite3_clear_bindings(stmt);
    sqlite3_bind_text(stmt, 1, spec->name, -1, SQLITE_STATIC);
    sqlite3_bind_int(stmt, 2, (int)kind);
    sqlite3_bind_text(stmt, 3, trace_family_name(spec->family), -1, SQLITE_STATIC);
    for (int word = 0, column = 4; word < 4; word++) {
      if (spec->args[word].name)
        sqlite3_bind_text(stmt, column++, spec->args[word].name, -1, SQLITE_STATIC);
    }
    sqlite3_bind_text(stmt, 8, spec->doc, -1, SQLITE_STATIC);
    ok = sqlite3_step(stmt) == SQLITE_DONE;
    sqlite3_reset(stmt);
  }
  sqlite3_finalize(stmt);
  return ok;
}

bool create_tell_version(sqlite3 *db, const char *path, struct tracefile_error *error)
{
  char ids[120];
  snprintf(ids, sizeof ids, "PRAGMA application_id=%d; PRAGMA user_version=%d",
           TRACEFILE_APPLICATION_ID, TRACEFILE_USER_VERSION);
  return rec_sql(db, path, ids, error);
}

static bool create_schema(sqlite3 *db, const char *path, struct tracefile_error *error)
{
  if (!rec_sql(db, path, SETTINGS, error) || !rec_sql(db, path, "BEGIN", error) ||
      !create_tell_version(db, path, error) || !create_objects(db, path, SCHEMA_CORE, error))
    return false;
  if (!fill_schema_doc(db) || !fill_event_kind(db))
    return rec_sql_fail(db, path, "writing", error);
  return rec_sql(db, path, "COMMIT", error) && rec_sql(db, path, WAL_SETTINGS, error);
}

sqlite3 *create_open(const char *real_path, struct tracefile_error *error)
{
  sqlite3 *db = NULL;
  int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOFOLLOW | SQLITE_OPEN_NOMUTEX;
  if (sqlite3_open_v2(real_path, &db, flags, NULL) == SQLITE_OK) {
    sqlite3_db_config(db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL);
    sqlite3_busy_timeout(db, 2000);
    return db;
  }
  rec_sql_fail(db, real_path, "opening", error);
  sqlite3_close(db);
  return NULL;
}

sqlite3 *create_new(const char *real_path, bool overwrite, bool *has_older,
                    struct tracefile_error *error)
{
  sqlite3 *db = NULL;
  if (create_file(real_path, overwrite, has_older, error)) {
    db = create_open(real_path, error);
    if (db && create_schema(db, real_path, error))
      return db;
    sqlite3_close(db);
    create_remove(real_path);
    if (error) /* nothing of it is left, so there is nothing to recover */
      snprintf(error->todo, sizeof error->todo, "make room, or give another place with -o");
  }
  if (*has_older)
    create_restore_older(real_path);
  return NULL;
}
