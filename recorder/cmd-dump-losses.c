/* SPDX-License-Identifier: MIT */
/* cmd-dump-losses.c - see cmd-dump.h.
 *
 * Laid side by side behind an M's last readable event, the losses that were told, the damaged chunks and the holes leave
 * nothing out: holes.c finds what they would.  So the file that is loaded tells as many lost as this one lacks.
 * Damage before an M's last readable event needs no line: the jump in the numbers is one.
 *
 * Cost: the last chunk of each M is read twice; of a file that may lack some, and of no other, every event is, which adds a
 * third to the dump.
 */
#include "cmd-dump.h"

#include "cli.h"
#include "trace-chunk.h"
#include "trace-grow.h"
#include "trace-map.h"
#include "tracefile-private.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct end_loss {
  uint32_t m;
  uint64_t first_seq, n;
  int64_t from, to;
  bool is_told; /* by table loss; else it is damage */
  size_t no;    /* in order of the table */
  char why[220];
};

struct end_losses {
  struct end_loss *at;
  size_t n, capacity;
  struct trace_map by_m; /* of an M: index into next_seqs */
  uint64_t *next_seqs;   /* behind its last readable event */
  uint32_t n_ms;
};

static bool no_memory(struct tracefile *file, struct tracefile_error *error)
{
  return tracefile_fail(error, TRACEFILE_REFUSED, tracefile_path(file), "",
                        "there is no memory for its losses");
}

/* ---- where the Ms end ---- */

/* True if an M may lack its last events: something is missing, or its last chunk cannot be read. */
static bool may_lack_ends(struct tracefile *file)
{
  sqlite3_stmt *row;
  const char *query = "SELECT id, max(first_seq) FROM chunk GROUP BY m";
  bool may = !tracefile_find_holes(file, NULL) || file->n_holes > 0;
  int code = sqlite3_prepare_v2(tracefile_db(file), query, -1, &row, NULL);
  while (!may && code == SQLITE_OK && sqlite3_step(row) == SQLITE_ROW)
    may = !tracefile_chunk_is_sound(file, sqlite3_column_int64(row, 0));
  return sqlite3_finalize(row) != SQLITE_OK || code != SQLITE_OK || may;
}

static bool note_end(struct end_losses *l, const struct trace_event *e)
{
  uint32_t i = trace_map_get(&l->by_m, e->m);
  if (i >= l->n_ms) {
    uint64_t *grown = realloc(l->next_seqs, (l->n_ms + 1) * sizeof *grown);
    if (!grown)
      return false;
    l->next_seqs = grown;
    i = l->n_ms++;
    if (!trace_map_put(&l->by_m, e->m, i))
      return false;
  }
  l->next_seqs[i] = e->seq + 1;
  return true;
}

static uint64_t end_of_m(const struct end_losses *l, uint32_t m)
{
  uint32_t i = trace_map_get(&l->by_m, m);
  return i < l->n_ms ? l->next_seqs[i] : 0;
}

/* Reads all events, so that the file knows of all its damage. */
static bool find_ends(struct end_losses *l, struct tracefile *file, struct tracefile_error *error)
{
  struct tracefile_cursor *cursor = tracefile_cursor_new(file, INT64_MIN, INT64_MAX, error);
  bool has_room = true;
  if (!cursor)
    return false;
  for (const struct trace_event *e; has_room && (e = tracefile_cursor_next(cursor));)
    has_room = note_end(l, e);
  tracefile_cursor_free(cursor);
  return has_room || no_memory(file, error);
}

/* ---- the list ---- */

static bool add(struct end_losses *l, struct end_loss *loss)
{
  if (loss->first_seq < end_of_m(l, loss->m))
    return true;
  if (!trace_grow(&l->at, &l->capacity, l->n, sizeof *l->at))
    return false;
  loss->no = l->n;
  l->at[l->n++] = *loss;
  return true;
}

static bool add_row(struct end_losses *l, sqlite3_stmt *row)
{
  struct end_loss loss = { .is_told = true,
                           .m = (uint32_t)sqlite3_column_int64(row, 0),
                           .n = (uint64_t)sqlite3_column_int64(row, 1),
                           .from = sqlite3_column_int64(row, 2),
                           .to = sqlite3_column_int64(row, 3),
                           .first_seq = (uint64_t)sqlite3_column_int64(row, 5) };
  snprintf(loss.why, sizeof loss.why, "%.200s", (const char *)sqlite3_column_text(row, 4));
  return add(l, &loss);
}

/* Losses behind the last event of an M, of those whose chunk is there. */
static const char ends_query[] =
    "SELECT m, n, coalesce(t_from, 0), coalesce(t_to, 0), why, first_seq FROM loss AS l "
    "WHERE m IS NOT NULL AND first_seq >= "
    "  (SELECT coalesce(max(c.first_seq + c.n), 0) FROM chunk AS c WHERE c.m = l.m) "
    "ORDER BY m, id";
static const char all_query[] =
    "SELECT m, n, coalesce(t_from, 0), coalesce(t_to, 0), why, first_seq FROM loss "
    "WHERE m IS NOT NULL AND first_seq IS NOT NULL ORDER BY m, id";

static bool add_told(struct end_losses *l, struct tracefile *file, const char *query,
                     struct tracefile_error *error)
{
  sqlite3 *db = tracefile_db(file);
  sqlite3_stmt *row;
  bool has_room = true;
  int code = sqlite3_prepare_v2(db, query, -1, &row, NULL);
  while (code == SQLITE_OK && has_room && sqlite3_step(row) == SQLITE_ROW)
    has_room = add_row(l, row);
  if (sqlite3_finalize(row) != SQLITE_OK || code != SQLITE_OK)
    return tracefile_fail(error, TRACEFILE_DAMAGED, tracefile_path(file), "",
                          "its losses cannot be read: %s", sqlite3_errmsg(db));
  return has_room || no_memory(file, error);
}

static int64_t clamped(int64_t t, int64_t low)
{
  return t < low ? low : t > TRACEFILE_TIME_MAX ? TRACEFILE_TIME_MAX : t;
}

static bool add_damages(struct end_losses *l, struct tracefile *file, struct tracefile_error *error)
{
  size_t n = tracefile_damages(file, NULL, 0);
  struct tracefile_damage *list = calloc(n + 1, sizeof *list);
  bool has_room = list != NULL;
  n = list ? tracefile_damages(file, list, n) : 0;
  for (size_t i = 0; has_room && i < n; i++) {
    const struct tracefile_damage *d = &list[i];
    struct end_loss loss = { .m = d->m, .first_seq = d->first_seq, .n = d->n };
    loss.from = clamped(d->t_min, 0);
    loss.to = clamped(d->t_max, loss.from);
    if (d->is_hole)
      snprintf(loss.why, sizeof loss.why, "their chunks were missing in the file");
    else
      snprintf(loss.why, sizeof loss.why, "their chunk was damaged: %s", d->why);
    if (d->is_hole || (d->n >= 1 && d->n <= TRACE_CHUNK_EVENTS))
      has_room = add(l, &loss);
  }
  free(list);
  return has_room || no_memory(file, error);
}

static int compare(const void *left, const void *right)
{
  const struct end_loss *a = left, *b = right;
  if (a->m != b->m)
    return a->m < b->m ? -1 : 1;
  if (a->first_seq != b->first_seq)
    return a->first_seq < b->first_seq ? -1 : 1;
  return a->no < b->no ? -1 : a->no > b->no;
}

/* Takes out of a sorted list what is told twice: damaged chunks whose row claims another's place, or one that nothing
 * leads to. Equal neighbours become one. */
static void tidy(struct end_losses *l)
{
  size_t kept = 0;
  uint64_t next = 0;
  for (size_t i = 0; i < l->n; i++) {
    struct end_loss loss = l->at[i], *last = kept ? &l->at[kept - 1] : NULL;
    if (!last || last->m != loss.m) {
      next = end_of_m(l, loss.m);
      last = NULL;
    }
    uint64_t twice = loss.first_seq < next ? next - loss.first_seq : 0;
    if (!loss.is_told && (twice >= loss.n || loss.first_seq > next))
      continue;
    loss.first_seq += loss.is_told ? 0 : twice;
    loss.n -= loss.is_told ? 0 : twice;
    next = loss.first_seq + loss.n > next ? loss.first_seq + loss.n : next;
    if (last && !last->is_told && !loss.is_told && strcmp(last->why, loss.why) == 0) {
      last->n += loss.n;
      last->to = loss.to > last->to ? loss.to : last->to;
    } else {
      l->at[kept++] = loss;
    }
  }
  l->n = kept;
}

/* ---- printing ---- */

/* Of Ms that are not known: they had no ring. */
static bool print_unknown(const struct end_losses *l, struct tracefile *file,
                          struct trace_text_printer *printer, struct tracefile_error *error)
{
  sqlite3 *db = tracefile_db(file);
  sqlite3_stmt *row;
  size_t no = l->n;
  int code = sqlite3_prepare_v2(
      db,
      "SELECT n, coalesce(t_from, 0), coalesce(t_to, t_from, 0), why FROM loss WHERE m IS NULL "
      "ORDER BY id",
      -1, &row, NULL);
  while (code == SQLITE_OK && sqlite3_step(row) == SQLITE_ROW) {
    char key[40], value[300];
    snprintf(key, sizeof key, CLI_META_LOST_AT_END "%zu", ++no);
    int n =
        snprintf(value, sizeof value, "m- %" PRId64 " %" PRId64 " %" PRId64 " %.200s",
                 (int64_t)sqlite3_column_int64(row, 0), (int64_t)sqlite3_column_int64(row, 1),
                 (int64_t)sqlite3_column_int64(row, 2), (const char *)sqlite3_column_text(row, 3));
    trace_text_print_meta(printer, key, value, (size_t)n);
  }
  return (sqlite3_finalize(row) == SQLITE_OK && code == SQLITE_OK) ||
         tracefile_fail(error, TRACEFILE_DAMAGED, tracefile_path(file), "",
                        "its losses cannot be read: %s", sqlite3_errmsg(db));
}

static void print(const struct end_losses *l, struct trace_text_printer *printer)
{
  for (size_t i = 0; i < l->n; i++) {
    const struct end_loss *loss = &l->at[i];
    char key[40], value[300];
    snprintf(key, sizeof key, CLI_META_LOST_AT_END "%zu", i + 1);
    int n = snprintf(value, sizeof value, "m%" PRIu32 " %" PRIu64 " %" PRId64 " %" PRId64 " %s",
                     loss->m, loss->n, loss->from, loss->to, loss->why);
    trace_text_print_meta(printer, key, value, (size_t)n);
  }
}

bool dump_end_losses(struct tracefile *file, bool is_whole, struct trace_text_printer *printer,
                     struct tracefile_error *error)
{
  struct end_losses l = { 0 };
  bool is_cut = is_whole && may_lack_ends(file);
  bool ok = (!is_cut || find_ends(&l, file, error)) &&
            add_told(&l, file, is_cut ? all_query : ends_query, error) &&
            (!is_cut || add_damages(&l, file, error));
  if (is_cut && l.n > 1)
    qsort(l.at, l.n, sizeof *l.at, compare);
  if (is_cut)
    tidy(&l);
  if (ok)
    print(&l, printer);
  ok = ok && print_unknown(&l, file, printer, error);
  trace_map_clear(&l.by_m);
  free(l.next_seqs);
  free(l.at);
  return ok;
}
