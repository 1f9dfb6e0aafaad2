/* SPDX-License-Identifier: MIT */
/* cmd-ledger.c - reads the account; see cmd-ledger.h. */
#include "cmd-ledger.h"

#include <inttypes.h>
#include <stdlib.h>

#define LOSSES_MAX (1u << 20) /* a hostile file may claim any number */

/* One query of ours, row by row. */
typedef bool (*row_reader)(struct ledger *ledger, sqlite3_stmt *row);

static bool read_rows(struct ledger *ledger, struct tracefile *file, const char *sql,
                      row_reader read, struct tracefile_error *error)
{
  sqlite3 *db = tracefile_db(file);
  sqlite3_stmt *statement;
  int code = sqlite3_prepare_v2(db, sql, -1, &statement, NULL);
  bool has_room = true;
  while (code == SQLITE_OK || code == SQLITE_ROW) {
    code = sqlite3_step(statement);
    if (code == SQLITE_ROW && !(has_room = read(ledger, statement)))
      break;
  }
  sqlite3_finalize(statement);
  if (!has_room)
    return tracefile_fail(error, TRACEFILE_REFUSED, tracefile_path(file), "",
                          "there is no memory for its account");
  if (code != SQLITE_DONE)
    return tracefile_fail(error, TRACEFILE_DAMAGED, tracefile_path(file), "",
                          "its account cannot be read: %s", sqlite3_errmsg(db));
  return true;
}

static int64_t column(sqlite3_stmt *row, int i, int64_t unknown)
{
  return sqlite3_column_type(row, i) == SQLITE_NULL ? unknown : sqlite3_column_int64(row, i);
}

static bool add_loss(struct ledger *ledger, sqlite3_stmt *row)
{
  struct ledger_loss *grown;
  if (ledger->n_losses >= LOSSES_MAX)
    return false;
  grown = realloc(ledger->losses, (ledger->n_losses + 1) * sizeof *grown);
  if (!grown)
    return false;
  ledger->losses = grown;
  struct ledger_loss *loss = &grown[ledger->n_losses++];
  *loss = (struct ledger_loss){
    .m_is_known = sqlite3_column_type(row, 0) != SQLITE_NULL,
    .m = (uint32_t)sqlite3_column_int64(row, 0),
    .n = (uint64_t)sqlite3_column_int64(row, 2),
    .first_seq = column(row, 1, -1),
    .t_from = column(row, 3, INT64_MIN),
    .t_to = column(row, 4, INT64_MIN),
  };
  out_escape(loss->why, sizeof loss->why, (const char *)sqlite3_column_text(row, 5),
             (size_t)sqlite3_column_bytes(row, 5));
  ledger->lost += loss->n;
  return true;
}

static bool add_ring(struct ledger *ledger, sqlite3_stmt *row)
{
  struct ledger_ring *grown;
  if (ledger->n_rings >= LOSSES_MAX)
    return false;
  grown = realloc(ledger->rings, (ledger->n_rings + 1) * sizeof *grown);
  if (!grown)
    return false;
  ledger->rings = grown;
  struct ledger_ring *ring = &grown[ledger->n_rings++];
  *ring = (struct ledger_ring){
    .m = (uint32_t)sqlite3_column_int64(row, 0),
    .emitted_is_known = sqlite3_column_type(row, 1) != SQLITE_NULL,
    .emitted = (uint64_t)sqlite3_column_int64(row, 1),
    .stored = (uint64_t)sqlite3_column_int64(row, 2),
    .lost = (uint64_t)sqlite3_column_int64(row, 3),
  };
  ledger->stored += ring->stored;
  return true;
}

bool ledger_read(struct ledger *ledger, struct tracefile *file, struct tracefile_error *error)
{
  static const char losses[] = "SELECT m, first_seq, n, t_from, t_to, why FROM loss ORDER BY id";
  static const char rings[] =
      "SELECT ms.m, (SELECT value FROM stats AS s WHERE s.name = 'ring_emitted' AND s.m = ms.m), "
      "  coalesce((SELECT sum(n) FROM chunk AS c WHERE c.m = ms.m), 0), "
      "  coalesce((SELECT sum(n) FROM loss AS l WHERE l.m = ms.m), 0) "
      "FROM (SELECT m FROM chunk UNION SELECT m FROM loss WHERE m IS NOT NULL "
      "      UNION SELECT m FROM stats WHERE name = 'ring_emitted' AND m >= 0) AS ms ORDER BY ms.m";
  return read_rows(ledger, file, losses, add_loss, error) &&
         read_rows(ledger, file, rings, add_ring, error);
}

void ledger_clear(struct ledger *ledger)
{
  free(ledger->losses);
  free(ledger->rings);
  *ledger = (struct ledger){ 0 };
}

static void take_unreadable(struct ledger *ledger, uint32_t m, uint64_t n)
{
  for (size_t i = 0; i < ledger->n_rings; i++) {
    struct ledger_ring *ring = &ledger->rings[i];
    if (ring->m != m)
      continue;
    uint64_t taken = n < ring->stored ? n : ring->stored; /* a hostile row may claim any number */
    ring->stored -= taken;
    ring->unreadable += taken;
    ledger->stored -= taken;
  }
}

void ledger_take_damages(struct ledger *ledger, const struct tracefile *file)
{
  size_t n = tracefile_damages(file, NULL, 0);
  struct tracefile_damage *list = calloc(n + 1, sizeof *list);
  n = list ? tracefile_damages(file, list, n) : 0;
  for (size_t i = 0; i < n; i++) {
    if (!list[i].is_hole)
      take_unreadable(ledger, list[i].m, list[i].n);
  }
  free(list);
}

bool ledger_ring_is_equal(const struct ledger_ring *ring)
{
  return ring->unreadable == 0 &&
         (!ring->emitted_is_known || ring->emitted == ring->stored + ring->lost);
}

void ledger_print_loss(FILE *to, const struct ledger_loss *loss)
{
  char count[32], from[40], until[40];
  fprintf(to, "  lost: %s event%s", out_count(loss->n, count), loss->n == 1 ? "" : "s");
  if (loss->m_is_known)
    fprintf(to, " of M%u", loss->m);
  if (loss->first_seq >= 0)
    fprintf(to, " from its number %" PRId64 " on", loss->first_seq);
  if (loss->t_from != INT64_MIN || loss->t_to != INT64_MIN)
    fprintf(to, ", between %s and %s", out_time(loss->t_from, from), out_time(loss->t_to, until));
  fprintf(to, ": %s\n", loss->why);
}

static void json_time(struct out_json *j, const char *key, int64_t ts)
{
  if (ts == INT64_MIN)
    out_null(j, key);
  else
    out_int(j, key, ts);
}

void ledger_json_loss(struct out_json *j, const struct ledger_loss *loss)
{
  out_object(j, NULL);
  if (loss->m_is_known)
    out_uint(j, "m", loss->m);
  else
    out_null(j, "m");
  if (loss->first_seq >= 0)
    out_int(j, "first_seq", loss->first_seq);
  else
    out_null(j, "first_seq");
  out_uint(j, "n", loss->n);
  json_time(j, "t_from", loss->t_from);
  json_time(j, "t_to", loss->t_to);
  out_string(j, "why", loss->why);
  out_end(j);
}

void ledger_json_ring(struct out_json *j, const struct ledger_ring *ring)
{
  out_object(j, NULL);
  out_uint(j, "m", ring->m);
  if (ring->emitted_is_known)
    out_uint(j, "emitted", ring->emitted);
  else
    out_null(j, "emitted");
  out_uint(j, "stored", ring->stored);
  out_uint(j, "lost", ring->lost);
  out_uint(j, "unreadable", ring->unreadable);
  out_bool(j, "equal", ledger_ring_is_equal(ring));
  out_end(j);
}
