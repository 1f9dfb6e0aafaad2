/* SPDX-License-Identifier: MIT */
/* tracefile.c - opens a trace file as hostile input and answers what costs little: see tracefile.h.
 *
 * Sidecars.  A final file is in rollback mode and has none: if a -wal or -journal lies beside it all the same it
 * is somebody else's, and SQLite would believe it (a foreign -wal shows its own rows, quick_check says ok). So a
 * final file is opened immutable, which ignores them; a file in WAL mode needs its -wal and is opened as it is,
 * and immutable only where its folder cannot be written (read-only media) and no -wal is there.
 */
#include "facts.h"
#include "tracefile-private.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SETTINGS_MAX 10000

/* ---- URI ---- */

static bool is_plain_in_uri(unsigned char c)
{
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         strchr("/._-~", c) != NULL;
}

/* "file:/tmp/a%20b.db?mode=ro[&immutable=1]". Caller frees; NULL: out of memory. */
static char *make_uri(const char *path, bool immutable)
{
  char *uri = malloc(strlen(path) * 3 + 64);
  if (!uri)
    return NULL;
  char *at = stpcpy(uri, "file:");
  for (const unsigned char *c = (const unsigned char *)path; *c; c++) {
    if (is_plain_in_uri(*c))
      *at++ = (char)*c;
    else
      at += sprintf(at, "%%%02x", *c);
  }
  stpcpy(at, immutable ? "?mode=ro&immutable=1" : "?mode=ro");
  return uri;
}

static bool sidecar_exists(const char *path, const char *suffix)
{
  char *name = malloc(strlen(path) + strlen(suffix) + 1);
  if (!name)
    return false;
  stpcpy(stpcpy(name, path), suffix);
  struct stat st;
  bool exists = lstat(name, &st) == 0;
  free(name);
  return exists;
}

static bool folder_is_writable(const char *real_path)
{
  char *folder = strdup(real_path);
  if (!folder)
    return false;
  char *slash = strrchr(folder, '/');
  slash[slash == folder] = '\0';
  bool writable = access(folder, W_OK) == 0;
  free(folder);
  return writable;
}

/* ---- opening ---- */

static bool connect_to(struct tracefile *file, const struct tracefile_header *header,
                       struct tracefile_error *error)
{
  bool has_wal = sidecar_exists(file->path, "-wal");
  bool immutable = !header->wal || (!has_wal && !folder_is_writable(file->path));
  char *uri = make_uri(file->path, immutable);
  if (!uri)
    return tracefile_fail(error, TRACEFILE_REFUSED, file->path, "", "there is not enough memory");
  int flags = SQLITE_OPEN_READONLY | SQLITE_OPEN_NOFOLLOW | SQLITE_OPEN_PRIVATECACHE |
              SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX;
  int rc = sqlite3_open_v2(uri, &file->db, flags, NULL);
  free(uri);
  file->owns_db = true;
  if (rc != SQLITE_OK || !tracefile_harden(file->db))
    return tracefile_sql_fail(file->db, file->path, error);
  return true;
}

static bool fail_first_read(struct tracefile *file, bool wal, struct tracefile_error *error)
{
  if (wal && sqlite3_errcode(file->db) == SQLITE_CANTOPEN)
    return tracefile_fail(
        error, TRACEFILE_REFUSED, file->path,
        "copy it with its -wal file into a folder that you may write, or run gmpscope "
        "recover",
        "its recording was not finished, and its folder cannot be written");
  return tracefile_sql_fail(file->db, file->path, error);
}

static bool check_contents(struct tracefile *file, const struct tracefile_header *header,
                           struct tracefile_error *error)
{
  if (sqlite3_exec(file->db, "SELECT 1 FROM sqlite_schema LIMIT 1", NULL, NULL, NULL) != SQLITE_OK)
    return fail_first_read(file, header->wal, error);
  if (!tracefile_pin_schema(file->db, file->path, header->user_version, error))
    return false;
  return tracefile_quick_check(file->db, file->path, (int64_t)header->n_pages * header->page_size,
                               error);
}

static bool read_settings(struct tracefile *file, struct tracefile_error *error)
{
  sqlite3_stmt *stmt;
  if (sqlite3_prepare_v2(file->db, "SELECT key, value FROM meta LIMIT ?", -1, &stmt, NULL) !=
      SQLITE_OK)
    return tracefile_sql_fail(file->db, file->path, error);
  sqlite3_bind_int(stmt, 1, SETTINGS_MAX);
  int rc;
  while ((rc = sqlite3_step(stmt)) == SQLITE_ROW) {
    struct tracefile_setting *grown =
        realloc(file->settings, (file->n_settings + 1) * sizeof *grown);
    if (!grown)
      break;
    file->settings = grown;
    const char *key = (const char *)sqlite3_column_text(stmt, 0);
    const char *value = (const char *)sqlite3_column_text(stmt, 1);
    struct tracefile_setting *s = &grown[file->n_settings];
    *s = (struct tracefile_setting){ strdup(key ? key : ""), strdup(value ? value : "") };
    file->n_settings++;
    if (!s->key || !s->value)
      break;
  }
  sqlite3_finalize(stmt);
  return rc == SQLITE_DONE || tracefile_sql_fail(file->db, file->path, error);
}

struct tracefile *tracefile_open(const char *path, struct tracefile_error *error)
{
  struct tracefile_header header;
  if (!tracefile_header_read(path, &header, error))
    return NULL;
  struct tracefile *file = calloc(1, sizeof *file);
  if (!file) {
    tracefile_fail(error, TRACEFILE_REFUSED, path, "", "there is not enough memory");
    return NULL;
  }
  file->user_version = header.user_version;
  file->path = tracefile_real_path(path);
  if (!file->path) {
    tracefile_fail(error, TRACEFILE_REFUSED, path, "", "%s", strerrordesc_np(errno));
    goto undo;
  }
  if (!connect_to(file, &header, error) || !check_contents(file, &header, error) ||
      !read_settings(file, error))
    goto undo;
  tracefile_lock_down(file->db);
  return file;
undo:
  tracefile_close(file);
  return NULL;
}

struct tracefile *tracefile_adopt(sqlite3 *db, const char *path, struct tracefile_error *error)
{
  struct tracefile *file = calloc(1, sizeof *file);
  if (!file || !(file->path = strdup(path))) {
    tracefile_fail(error, TRACEFILE_REFUSED, path, "", "there is not enough memory");
    free(file);
    return NULL;
  }
  file->db = db;
  file->user_version = TRACEFILE_USER_VERSION;
  if (!read_settings(file, error)) {
    tracefile_close(file);
    return NULL;
  }
  return file;
}

void tracefile_close(struct tracefile *file)
{
  if (!file)
    return;
  for (size_t i = 0; i < file->n_settings; i++) {
    free(file->settings[i].key);
    free(file->settings[i].value);
  }
  for (size_t i = 0; i < file->n_symbols; i++) {
    free(file->symbols[i].function.bytes);
    free(file->symbols[i].file.bytes);
  }
  for (int i = 0; i < TRACE_FAMILY_COUNT; i++)
    free(file->capability_why[i]);
  facts_free(file->facts);
  free(file->settings);
  free(file->symbols);
  free(file->damages);
  free(file->holes);
  free(file->path);
  if (file->owns_db)
    sqlite3_close(file->db);
  free(file);
}

/* ---- what is known at once ---- */

bool tracefile_is_final(const struct tracefile *file)
{
  for (size_t i = 0; i < file->n_settings; i++) {
    if (strcmp(file->settings[i].key, "final") == 0)
      return strcmp(file->settings[i].value, "1") == 0;
  }
  return false;
}

const char *tracefile_path(const struct tracefile *file)
{
  return file->path;
}

sqlite3 *tracefile_db(struct tracefile *file)
{
  return file->db;
}

const char *tracefile_meta(struct tracefile *file, const char *key)
{
  for (size_t i = 0; i < file->n_settings; i++) {
    if (strcmp(file->settings[i].key, key) == 0)
      return file->settings[i].value;
  }
  return NULL;
}

/* ---- summary ---- */

static bool sum_chunks(struct tracefile *file, struct tracefile_summary *out,
                       struct tracefile_error *error)
{
  sqlite3_stmt *stmt;
  const char *sql = "SELECT m, n, t_min, t_max FROM chunk ORDER BY m, first_seq";
  if (sqlite3_prepare_v2(file->db, sql, -1, &stmt, NULL) != SQLITE_OK)
    return tracefile_sql_fail(file->db, file->path, error);
  int rc;
  int64_t last_m = -1;
  while ((rc = sqlite3_step(stmt)) == SQLITE_ROW) {
    int64_t t_min = sqlite3_column_int64(stmt, 2), t_max = sqlite3_column_int64(stmt, 3);
    if (out->n_chunks == 0 || t_min < out->t_first)
      out->t_first = t_min;
    if (out->n_chunks == 0 || t_max > out->t_last)
      out->t_last = t_max;
    out->n_chunks++;
    out->n_events += (uint64_t)sqlite3_column_int64(stmt, 1);
    out->n_ms += sqlite3_column_int64(stmt, 0) != last_m;
    last_m = sqlite3_column_int64(stmt, 0);
  }
  sqlite3_finalize(stmt);
  return rc == SQLITE_DONE || tracefile_sql_fail(file->db, file->path, error);
}

static bool ask_number(struct tracefile *file, const char *sql, uint64_t *out,
                       struct tracefile_error *error)
{
  sqlite3_stmt *stmt;
  if (sqlite3_prepare_v2(file->db, sql, -1, &stmt, NULL) != SQLITE_OK)
    return tracefile_sql_fail(file->db, file->path, error);
  int rc = sqlite3_step(stmt);
  if (rc == SQLITE_ROW)
    *out = (uint64_t)sqlite3_column_int64(stmt, 0);
  bool ok = rc == SQLITE_ROW || tracefile_sql_fail(file->db, file->path, error);
  sqlite3_finalize(stmt);
  return ok;
}

bool tracefile_summary(struct tracefile *file, struct tracefile_summary *out,
                       struct tracefile_error *error)
{
  *out = (struct tracefile_summary){ .user_version = file->user_version };
  const char *complete = tracefile_meta(file, "complete");
  out->complete = complete && strcmp(complete, "1") == 0;
  if (!sum_chunks(file, out, error) ||
      !ask_number(file, "SELECT coalesce(total(n), 0) FROM loss", &out->n_lost, error))
    return false;
  out->n_damaged = file->n_damages;
  return true;
}
