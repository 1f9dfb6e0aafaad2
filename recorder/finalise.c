/* SPDX-License-Identifier: MIT */
/* finalise.c - from a recording that has ended to one file that anybody can open.
 *
 *   1  order: effects behind their causes (order.c), checked again until nothing moves
 *   2  side tables, books, capability ledger, the map of the chunks: one transaction
 *   3  plain tables, if they are wanted, each in one transaction (materialise.c)
 *   4  ANALYZE, then the mark final=1
 *   5  the WAL goes into the file, the journal mode back to DELETE, all synced: one file is left
 *
 * Killed at any point of it, the file opens, and gmpscope recover does the rest: every step can be done again.
 */
#include "finalise.h"

#include "create.h"
#include "ledger.h"
#include "materialise.h"
#include "order.h"
#include "sidetables.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ORDER_ROUNDS 8

/* ---- reading what was recorded ---- */

/* One pass over all events. */
static bool read_all(struct tracefile *file, struct facts *facts, struct order_check *check,
                     struct tracefile_error *error)
{
  struct tracefile_cursor *c = tracefile_cursor_new(file, INT64_MIN, INT64_MAX, error);
  if (!c)
    return false;
  bool ok = true;
  for (const struct trace_event *e; ok && (e = tracefile_cursor_next(c));)
    ok = facts_add(facts, e) && order_check_add(check, e);
  tracefile_cursor_free(c);
  return ok ||
         tracefile_fail(error, TRACEFILE_REFUSED, file->path, "", "there is not enough memory");
}

/* Reads everything; *late: how many effects stand before their causes; they are moved. The facts, or NULL. */
static struct facts *read_and_order(struct tracefile *file, size_t *late, uint64_t *moved,
                                    struct tracefile_error *error)
{
  struct facts *facts = facts_new();
  struct order_check *check = order_check_new();
  bool ok = facts && check;
  if (!ok)
    tracefile_fail(error, TRACEFILE_REFUSED, file->path, "", "there is not enough memory");
  ok = ok && read_all(file, facts, check, error);
  *late = ok ? order_check_late(check) : 0;
  if (*late > 0)
    ok = rec_sql(file->db, file->path, "BEGIN IMMEDIATE", error) &&
         create_tell_version(file->db, file->path, error) &&
         order_apply(check, file, moved, error) && rec_sql(file->db, file->path, "COMMIT", error);
  order_check_free(check);
  if (ok)
    return facts;
  facts_free(facts);
  return NULL;
}

static struct facts *settle_order(struct tracefile *file, uint64_t *moved,
                                  struct tracefile_error *error)
{
  struct facts *facts = NULL;
  size_t late = 1;
  for (int round = 0; round < ORDER_ROUNDS && late > 0; round++) {
    facts_free(facts);
    facts = read_and_order(file, &late, moved, error);
    if (!facts)
      return NULL;
  }
  return facts;
}

/* ---- what goes into the file ---- */

static bool meta_number(struct rec_writer *w, const char *key, uint64_t n,
                        struct tracefile_error *error)
{
  char text[24];
  snprintf(text, sizeof text, "%llu", (unsigned long long)n);
  return rec_writer_meta(w, key, text, error);
}

static uint32_t asked_for(struct tracefile *file)
{
  const char *mask = tracefile_meta(file, "categories");
  return mask ? (uint32_t)strtoul(mask, NULL, 10) : TRACE_FAMILY_ALL;
}

/* A trace that was recorded with a fault switched on says so, for whoever looks at the file alone. */
static bool write_fault(struct rec_writer *w, const struct facts *facts,
                        struct tracefile_error *error)
{
  const struct fact_string *name = facts->fault ? facts_string(facts, facts->fault) : NULL;
  if (!facts->fault)
    return true;
  bool is_plain =
      name && strspn(name->bytes, "abcdefghijklmnopqrstuvwxyz0123456789-") == name->length;
  return rec_writer_meta(w, "fault", is_plain ? name->bytes : "unknown", error);
}

static bool write_summary(struct rec_writer *w, struct tracefile *file, const struct facts *facts,
                          struct rec_summary *sum, struct tracefile_error *error)
{
  sum->complete = facts->complete;
  for (uint32_t i = 0; i < facts->ms.n; i++)
    sum->n_ms += facts->ms.at[i].n_events > 0;
  return rec_writer_stat(w, "clock_fixups", -1, sum->clock_fixups,
                         sum->clock_fixups ? "clock" : "info",
                         "events moved in time so that no effect precedes its cause", error) &&
         ledger_write(w, facts, asked_for(file), sum->lost, error) &&
         write_fault(w, facts, error) &&
         rec_writer_meta(w, "complete", facts->complete ? "1" : "0", error) &&
         meta_number(w, "events", sum->stored, error) &&
         (!facts->complete || meta_number(w, "exit_code", facts->exit_code, error));
}

static bool write_sides(struct rec_writer *w, struct tracefile *file, const struct facts *facts,
                        struct symbols *symbols, struct rec_summary *sum,
                        struct tracefile_error *error)
{
  bool agrees, is_new;
  if (!rec_sql(file->db, file->path, "BEGIN IMMEDIATE", error) ||
      !sidetables_fill(file, facts, symbols, error) ||
      !sidetables_books(file, &sum->emitted, &sum->stored, &sum->lost, &agrees, error) ||
      !create_object(file->db, file->path, "chunk_by_time", &is_new, error) ||
      !rec_sql(file->db, file->path, "COMMIT", error))
    return false;
  return write_summary(w, file, facts, sum, error) && rec_writer_flush(w, error);
}

static bool are_tables_wanted(enum rec_tables tables, uint64_t n_events)
{
  return tables == REC_TABLES_ALL || (tables == REC_TABLES_AUTO && n_events <= REC_TABLES_AUTO_MAX);
}

static bool make_tables(struct tracefile *file, enum rec_tables tables, struct rec_summary *sum,
                        struct tracefile_error *error)
{
  sum->materialised = are_tables_wanted(tables, sum->stored);
  return !sum->materialised || materialise(file, error);
}

bool finalise_leave_one_file(sqlite3 *db, const char *path, struct tracefile_error *error)
{
  int rc = sqlite3_exec(db,
                        "PRAGMA synchronous=FULL; PRAGMA wal_checkpoint(TRUNCATE); "
                        "PRAGMA journal_mode=DELETE",
                        NULL, NULL, NULL);
  return rc == SQLITE_OK || rc == SQLITE_BUSY || rec_sql_fail(db, path, "closing", error);
}

static bool seal(struct rec_writer *w, struct tracefile_error *error)
{
  sqlite3 *db = rec_writer_db(w);
  const char *path = rec_writer_path(w);
  return rec_sql(db, path, "PRAGMA analysis_limit=400; ANALYZE", error) &&
         rec_writer_meta(w, "final", "1", error) && rec_writer_flush(w, error) &&
         finalise_leave_one_file(db, path, error);
}

static bool finalise_file(struct rec_writer *w, struct tracefile *file, enum rec_tables tables,
                          struct symbols *symbols, struct rec_summary *sum,
                          struct tracefile_error *error)
{
  struct facts *facts = settle_order(file, &sum->clock_fixups, error);
  if (!facts)
    return false;
  file->facts = facts; /* strings and stacks for the tables' texts; freed with file */
  sum->damage = tracefile_damage_sum(file);
  return write_sides(w, file, facts, symbols, sum, error) &&
         make_tables(file, tables, sum, error) && seal(w, error);
}

bool finalise(struct rec_writer *w, enum rec_tables tables, struct symbols *symbols,
              struct rec_summary *summary, struct tracefile_error *error)
{
  *summary = (struct rec_summary){ 0 };
  if (!rec_writer_flush(w, error) ||
      !rec_sql(rec_writer_db(w), rec_writer_path(w), "PRAGMA cache_size=-16384", error))
    return false; /* from here on pages are read again */
  struct tracefile *file = tracefile_adopt(rec_writer_db(w), rec_writer_path(w), error);
  if (!file)
    return false;
  bool ok = finalise_file(w, file, tables, symbols, summary, error);
  tracefile_close(file);
  if (ok)
    rec_writer_replace(w); /* also a trace without events */
  return ok;
}

bool rec_writer_finish(struct rec_writer *w, enum rec_tables tables, struct rec_summary *summary,
                       struct tracefile_error *error)
{
  struct rec_summary unused;
  bool ok = finalise(w, tables, NULL, summary ? summary : &unused, error);
  rec_writer_free(w);
  return ok;
}
