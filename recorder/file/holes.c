/* SPDX-License-Identifier: MIT */
/* holes.c - finds events whose chunks are missing: rows that somebody deleted, or that went with a page of the file.
 *
 * An M's events are numbered from 0 on, and each of them is in a chunk or told lost; so the chunks and losses of an M,
 * laid side by side, leave no hole. Where they do, a chunk is gone. That there should be more behind the last of
 * them only the books tell (stats, `emitted`), which are written when a file is made final: the end of a recording
 * that goes on, or whose recorder died, is not judged.
 *
 * A number beyond what the books tell may be a flipped bit, and would make a hole of any size: it is believed only if it
 * is a chunk's and the checksum is right.
 *
 * Not done: `ring_emitted` instead of `emitted`. A recorder that is killed while it stores the last chunks has written
 * the first and not the second; what it then lacks no chunk ever held, and gmpscope check tells of it.
 * Cost: one pass over the index chunk_by_time, once for each opened file; a checksum only where something is wrong.
 */
#include "tracefile-private.h"

#include "trace-grow.h"

#include <stdlib.h>

enum span_kind {
  SPAN_BEGIN, /* of no events: when the M's first one was */
  SPAN_CHUNK,
  SPAN_LOSS,
  SPAN_END, /* of no events: where the books end */
};

/* Numbers of an M that are accounted for. */
struct span {
  enum span_kind kind;
  uint32_t m;
  uint64_t first, end;
  int64_t t_min, t_max;
  int64_t id; /* of the row */
};

struct spans {
  struct span *at;
  size_t n, capacity;
};

static const char spans_query[] =
    "SELECT 0, m, 0, 0, t_first, t_first, 0, 0 FROM m "
    "UNION ALL SELECT 1, m, first_seq, n, t_min, t_max, lost_before, id FROM chunk "
    "UNION ALL SELECT 2, m, first_seq, n, coalesce(t_from, 0), coalesce(t_to, t_from, 0), 0, 0 "
    "FROM loss WHERE m IS NOT NULL AND first_seq IS NOT NULL "
    "UNION ALL SELECT 3, s.m, value, 0, coalesce(t_last, ?1), coalesce(t_last, ?1), 0, 0 "
    "FROM stats AS s LEFT JOIN m ON m.m = s.m WHERE ?2 AND name = 'emitted' AND s.m >= 0 "
    "ORDER BY 2, 3";

static int64_t column_time(sqlite3_stmt *row, int i)
{
  int64_t t = sqlite3_column_int64(row, i);
  return t < 0 ? 0 : t > TRACEFILE_TIME_MAX ? TRACEFILE_TIME_MAX : t;
}

static bool add_span(struct spans *spans, sqlite3_stmt *row)
{
  uint64_t m = (uint64_t)sqlite3_column_int64(row, 1);
  uint64_t first = (uint64_t)sqlite3_column_int64(row, 2);
  uint64_t n = (uint64_t)sqlite3_column_int64(row, 3);
  uint64_t lost = (uint64_t)sqlite3_column_int64(row, 6);
  enum span_kind kind = (enum span_kind)sqlite3_column_int(row, 0);
  bool is_long = n > (kind == SPAN_CHUNK ? TRACE_CHUNK_EVENTS : (uint64_t)INT64_MAX);
  if (m > UINT32_MAX || first > INT64_MAX || is_long)
    return true; /* no such row can be; the cursor says so, if it is a chunk's */
  if (!trace_grow(&spans->at, &spans->capacity, spans->n, sizeof *spans->at))
    return false;
  spans->at[spans->n++] = (struct span){ .kind = kind,
                                         .m = (uint32_t)m,
                                         .first = first - (lost < first ? lost : first),
                                         .end = first + n,
                                         .t_min = column_time(row, 4),
                                         .t_max = column_time(row, 5),
                                         .id = sqlite3_column_int64(row, 7) };
  return true;
}

static bool read_spans(struct tracefile *file, struct spans *spans, struct tracefile_error *error)
{
  sqlite3_stmt *row;
  if (sqlite3_prepare_v2(file->db, spans_query, -1, &row, NULL) != SQLITE_OK)
    return tracefile_sql_fail(file->db, file->path, error);
  sqlite3_bind_int64(row, 1, TRACEFILE_TIME_MAX);
  sqlite3_bind_int(row, 2, tracefile_is_final(file));
  int rc;
  while ((rc = sqlite3_step(row)) == SQLITE_ROW && add_span(spans, row))
    ;
  sqlite3_finalize(row);
  if (rc == SQLITE_ROW)
    return tracefile_fail(error, TRACEFILE_REFUSED, file->path, "", "there is not enough memory");
  return rc == SQLITE_DONE || tracefile_sql_fail(file->db, file->path, error);
}

bool tracefile_chunk_is_sound(struct tracefile *file, int64_t id)
{
  sqlite3_stmt *stmt;
  bool is_sound = false;
  const char *sql =
      "SELECT m, first_seq, n, lost_before, codec, t_min, t_max, xxh3, data FROM chunk WHERE id=?";
  if (sqlite3_prepare_v2(file->db, sql, -1, &stmt, NULL) != SQLITE_OK)
    return false;
  sqlite3_bind_int64(stmt, 1, id);
  if (sqlite3_step(stmt) == SQLITE_ROW) {
    const struct chunk_row row = { .m = (uint64_t)sqlite3_column_int64(stmt, 0),
                                   .first_seq = (uint64_t)sqlite3_column_int64(stmt, 1),
                                   .n = (uint64_t)sqlite3_column_int64(stmt, 2),
                                   .lost_before = (uint64_t)sqlite3_column_int64(stmt, 3),
                                   .codec = (uint64_t)sqlite3_column_int64(stmt, 4),
                                   .t_min = sqlite3_column_int64(stmt, 5),
                                   .t_max = sqlite3_column_int64(stmt, 6) };
    const void *data = sqlite3_column_blob(stmt, 8);
    size_t size = (size_t)sqlite3_column_bytes(stmt, 8);
    is_sound = data && trace_chunk_codec_is_known(row.codec) &&
               chunk_row_xxh3(&row, data, size) == sqlite3_column_int64(stmt, 7);
  }
  sqlite3_finalize(stmt);
  return is_sound;
}

/* Up to which number the M's spans are believed: the books' end, or the last sound chunk's, if it is beyond. */
static uint64_t believed_end(struct tracefile *file, const struct span *spans, size_t n)
{
  uint64_t end = 0;
  for (size_t i = 0; i < n; i++) {
    if (spans[i].kind == SPAN_END)
      end = spans[i].end;
  }
  for (size_t i = n; i-- > 0 && spans[i].end > end;) {
    if (spans[i].kind == SPAN_CHUNK && tracefile_chunk_is_sound(file, spans[i].id))
      return spans[i].end;
  }
  return end;
}

static bool add_hole(struct tracefile *file, uint32_t m, uint64_t first, uint64_t end,
                     int64_t t_min, int64_t t_max)
{
  struct tracefile_hole *grown = realloc(file->holes, (file->n_holes + 1) * sizeof *grown);
  if (!grown)
    return false;
  file->holes = grown;
  grown[file->n_holes++] = (struct tracefile_hole){
    .damage = { .is_hole = true,
                .m = m,
                .first_seq = first,
                .n = end - first,
                .t_min = t_min,
                .t_max = t_max > t_min ? t_max : t_min,
                .why = "they are in no chunk: rows of the file are missing" },
  };
  return true;
}

static bool has_hole(const struct span *spans, size_t n)
{
  uint64_t next = 0;
  for (size_t i = 0; i < n; i++) {
    if (spans[i].first > next)
      return true;
    next = spans[i].end > next ? spans[i].end : next;
  }
  return false;
}

/* The spans of one M, in order. False: out of memory. */
static bool find_in_m(struct tracefile *file, const struct span *spans, size_t n)
{
  if (!has_hole(spans, n))
    return true;
  uint64_t next = 0, limit = believed_end(file, spans, n);
  int64_t t_last = 0;
  for (size_t i = 0; i < n; i++) {
    const struct span *s = &spans[i];
    if (s->end > limit)
      continue;
    if (s->first > next && !add_hole(file, s->m, next, s->first, t_last, s->t_min))
      return false;
    /* of two that overlap one has a wrong number, and its times belong elsewhere */
    if (s->first >= next && s->t_max > t_last)
      t_last = s->t_max;
    next = s->end > next ? s->end : next;
  }
  return true;
}

bool tracefile_find_holes(struct tracefile *file, struct tracefile_error *error)
{
  struct spans spans = { 0 };
  if (file->knows_holes)
    return true;
  file->n_holes = 0; /* an earlier try may have failed half way */
  bool ok = read_spans(file, &spans, error);
  for (size_t i = 0, end; ok && i < spans.n; i = end) {
    for (end = i; end < spans.n && spans.at[end].m == spans.at[i].m;)
      end++;
    if (!find_in_m(file, spans.at + i, end - i))
      ok = tracefile_fail(error, TRACEFILE_REFUSED, file->path, "", "there is not enough memory");
  }
  free(spans.at);
  file->knows_holes = ok;
  return ok;
}
