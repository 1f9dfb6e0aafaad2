/* SPDX-License-Identifier: MIT */
/* sides.c - names for the numbers in events: strings, frames, stacks; and the capability ledger.
 *
 * A final file has them in tables; they are loaded whole at the first question and then found by bisection or
 * in a map, because a name is asked for at every redraw. A file that is not final has them in its events only:
 * one pass over the chunks finds them (facts.h), and it has no frames, which are resolved at the end.
 */
#include "facts.h"
#include "trace-grow.h"
#include "tracefile-private.h"

#include <stdlib.h>
#include <string.h>

#define FRAMES_MAX 128

/* ---- strings and stacks ---- */

static bool scan_events(struct tracefile *file, struct facts *f)
{
  struct tracefile_cursor *c = tracefile_cursor_new(file, INT64_MIN, INT64_MAX, NULL);
  if (!c)
    return false;
  bool ok = true;
  const struct trace_event *e;
  while (ok && (e = tracefile_cursor_next(c)))
    ok = facts_add(f, e);
  tracefile_cursor_free(c);
  return ok;
}

static void load_strings(struct tracefile *file, struct facts *f)
{
  sqlite3_stmt *stmt;
  if (sqlite3_prepare_v2(file->db, "SELECT id, text FROM string", -1, &stmt, NULL) != SQLITE_OK)
    return;
  while (sqlite3_step(stmt) == SQLITE_ROW) {
    const char *bytes = (const char *)sqlite3_column_text(stmt, 1);
    size_t n = (size_t)sqlite3_column_bytes(stmt, 1);
    if (bytes && !facts_put_string(f, (uint32_t)sqlite3_column_int64(stmt, 0), bytes, n))
      break;
  }
  sqlite3_finalize(stmt);
}

static void load_stacks(struct tracefile *file, struct facts *f)
{
  sqlite3_stmt *stmt;
  const char *sql = "SELECT stack, pc FROM stack ORDER BY stack, depth";
  if (sqlite3_prepare_v2(file->db, sql, -1, &stmt, NULL) != SQLITE_OK)
    return;
  uint64_t pcs[FRAMES_MAX];
  size_t n = 0;
  uint32_t id = 0;
  while (sqlite3_step(stmt) == SQLITE_ROW) {
    uint32_t row_id = (uint32_t)sqlite3_column_int64(stmt, 0);
    if (row_id != id && n > 0 && !facts_put_stack(f, id, pcs, n))
      break;
    n = row_id != id ? 0 : n;
    id = row_id;
    if (n < FRAMES_MAX)
      pcs[n++] = (uint64_t)sqlite3_column_int64(stmt, 1);
  }
  if (n > 0)
    facts_put_stack(f, id, pcs, n);
  sqlite3_finalize(stmt);
}

static struct facts *facts_of(struct tracefile *file)
{
  if (file->facts)
    return file->facts;
  file->facts = facts_new();
  if (!file->facts)
    return NULL;
  if (tracefile_is_final(file)) {
    load_strings(file, file->facts);
    load_stacks(file, file->facts);
  } else {
    scan_events(file, file->facts);
  }
  return file->facts;
}

const char *tracefile_string(struct tracefile *file, uint32_t id, size_t *length)
{
  const struct facts *f = id ? facts_of(file) : NULL;
  const struct fact_string *s = f ? facts_string(f, id) : NULL;
  if (length)
    *length = s ? s->length : 0;
  if (id == 0)
    return "";
  return s ? s->bytes : NULL;
}

size_t tracefile_stack(struct tracefile *file, uint32_t id, uint64_t *pcs, size_t n)
{
  const struct facts *f = id ? facts_of(file) : NULL;
  const struct fact_stack *s = f ? facts_stack(f, id) : NULL;
  if (!s)
    return 0;
  for (size_t i = 0; i < n && i < s->n; i++)
    pcs[i] = s->pcs[i];
  return s->n;
}

/* ---- frames ---- */

static struct tracefile_text copy_text(sqlite3_stmt *stmt, int column)
{
  const char *bytes = (const char *)sqlite3_column_text(stmt, column);
  return (struct tracefile_text){ bytes ? strdup(bytes) : NULL,
                                  (size_t)sqlite3_column_bytes(stmt, column) };
}

/* Rows come in the order of pc as SQLite sees it: signed. Bisection compares likewise. */
static void load_symbols(struct tracefile *file)
{
  sqlite3_stmt *stmt;
  file->has_symbols = true;
  const char *sql = "SELECT pc, function, file, line FROM frame ORDER BY pc";
  if (sqlite3_prepare_v2(file->db, sql, -1, &stmt, NULL) != SQLITE_OK)
    return;
  size_t capacity = 0;
  while (sqlite3_step(stmt) == SQLITE_ROW) {
    if (!trace_grow(&file->symbols, &capacity, file->n_symbols, sizeof *file->symbols))
      break;
    file->symbols[file->n_symbols++] =
        (struct tracefile_symbol){ .pc = (uint64_t)sqlite3_column_int64(stmt, 0),
                                   .function = copy_text(stmt, 1),
                                   .file = copy_text(stmt, 2),
                                   .line = sqlite3_column_int(stmt, 3) };
  }
  sqlite3_finalize(stmt);
}

static int compare_pc(const void *key, const void *item)
{
  int64_t a = (int64_t) * (const uint64_t *)key;
  int64_t b = (int64_t)((const struct tracefile_symbol *)item)->pc;
  return (a > b) - (a < b);
}

bool tracefile_frame(struct tracefile *file, uint64_t pc, struct tracefile_frame *out)
{
  if (!file->has_symbols)
    load_symbols(file);
  const struct tracefile_symbol *s =
      file->n_symbols ? bsearch(&pc, file->symbols, file->n_symbols, sizeof *s, compare_pc) : NULL;
  *out = (struct tracefile_frame){ 0 };
  if (!s || (!s->function.bytes && !s->file.bytes))
    return false;
  *out = (struct tracefile_frame){ s->function.bytes, s->file.bytes, s->line };
  return true;
}

/* ---- capability ledger ---- */

static enum tracefile_capability capability_by_name(const char *name)
{
  static const char *const names[] = { [TRACEFILE_NOT_IN_SOURCE] = "not in this source",
                                       [TRACEFILE_INFERRED] = "inferred",
                                       [TRACEFILE_PARTLY] = "partly",
                                       [TRACEFILE_RECORDED] = "recorded" };
  for (size_t i = 0; name && i < sizeof names / sizeof names[0]; i++) {
    if (strcmp(names[i], name) == 0)
      return (enum tracefile_capability)i;
  }
  return TRACEFILE_NOT_IN_SOURCE;
}

enum tracefile_capability tracefile_capability(struct tracefile *file, enum trace_family family,
                                               const char **why)
{
  int bit = __builtin_ctz(family | 1u << (TRACE_FAMILY_COUNT - 1));
  enum tracefile_capability level = TRACEFILE_PARTLY;
  const char *said = tracefile_is_final(file) ? "the file does not say"
                                              : "the recording is not finished: it will say";
  *why = said;
  sqlite3_stmt *stmt;
  const char *sql = "SELECT level, why FROM capability WHERE family=?";
  if (sqlite3_prepare_v2(file->db, sql, -1, &stmt, NULL) != SQLITE_OK)
    return level;
  sqlite3_bind_text(stmt, 1, trace_family_name(family), -1, SQLITE_STATIC);
  if (sqlite3_step(stmt) == SQLITE_ROW) {
    level = capability_by_name((const char *)sqlite3_column_text(stmt, 0));
    if (!file->capability_why[bit]) /* a text given out earlier stays */
      file->capability_why[bit] = copy_text(stmt, 1).bytes;
    *why = file->capability_why[bit] ? file->capability_why[bit] : "";
  }
  sqlite3_finalize(stmt);
  return level;
}
