/* SPDX-License-Identifier: MIT */
/* cursor.c - all events of a file in time order, merged over the Ms, chunk by chunk.
 *
 * Each M is a stream: its chunks' rows, read at the start without their data, and at most one decoded chunk.
 * A stream's key is the time of its next event, or, before its chunk is decoded, t_min of the chunk: so a chunk
 * is decoded only when its time has come, and memory is bounded by the chunks that overlap in time.  A heap orders the
 * streams; while the first one stays before the second, next() is a compare and an increment.
 *
 * I1  Nothing of a chunk is handed out before its checksum, its codec, its number of events and the order of
 *     their times were found right. A chunk that fails is listed as damage and left out.
 * I2  A stream's chunks follow each other in seq and in time; one that does not is damage too. Where some are
 *     missing the cursor lists a hole (holes.c) at its start.
 *
 * Cost: decoding 7-8 ns and merging 2-5 ns an event.
 */
#include "tracefile-private.h"

#include <stdlib.h>
#include <string.h>

struct stream {
  uint32_t m;
  struct chunk_row *rows; /* inside cursor->rows */
  size_t n_rows, next_row;
  struct trace_event *events; /* NULL: not decoded */
  uint32_t at, n;             /* of events */
  int64_t key;                /* time of events[at], or t_min of the next chunk */
  uint64_t good_seq;          /* where the last good chunk ended */
  int64_t good_ts;
};

struct tracefile_cursor {
  struct tracefile *file;
  int64_t from, to;
  struct chunk_row *rows;
  size_t n_rows;
  struct stream *streams;
  struct stream **heap; /* least key first, then least m */
  size_t n_streams, n_heap;
  struct trace_event **spare; /* buffers that no stream uses */
  size_t n_spare;
  sqlite3_stmt *read_chunk;
  int64_t limit_ts; /* the second stream's key: the first may be handed out before it */
  uint32_t limit_m;
};

/* ---- the map of the file ---- */

static bool row_is_possible(const struct chunk_row *row)
{
  return row->m <= UINT32_MAX && row->n >= 1 && row->n <= TRACE_CHUNK_EVENTS &&
         row->first_seq <= (uint64_t)INT64_MAX - TRACE_CHUNK_EVENTS && row->t_min >= 0 &&
         row->t_min <= row->t_max && row->t_max <= TRACEFILE_TIME_MAX;
}

static bool add_row(struct tracefile_cursor *c, const struct chunk_row *row, size_t *capacity)
{
  if (c->n_rows == *capacity) {
    size_t larger = *capacity ? *capacity * 2 : 256;
    struct chunk_row *grown = realloc(c->rows, larger * sizeof *grown);
    if (!grown)
      return false;
    c->rows = grown;
    *capacity = larger;
  }
  c->rows[c->n_rows++] = *row;
  return true;
}

static bool read_map(struct tracefile_cursor *c, struct tracefile_error *error)
{
  sqlite3 *db = c->file->db;
  sqlite3_stmt *stmt;
  const char *sql = "SELECT id, m, first_seq, n, t_min, t_max, lost_before FROM chunk "
                    "WHERE t_max >= ? AND t_min <= ? ORDER BY m, first_seq, id";
  if (sqlite3_prepare_v2(db, sql, -1, &stmt, NULL) != SQLITE_OK)
    return tracefile_sql_fail(db, c->file->path, error);
  sqlite3_bind_int64(stmt, 1, c->from);
  sqlite3_bind_int64(stmt, 2, c->to);
  size_t capacity = 0;
  int rc;
  while ((rc = sqlite3_step(stmt)) == SQLITE_ROW) {
    struct chunk_row row = { .id = sqlite3_column_int64(stmt, 0),
                             .m = (uint64_t)sqlite3_column_int64(stmt, 1),
                             .first_seq = (uint64_t)sqlite3_column_int64(stmt, 2),
                             .n = (uint64_t)sqlite3_column_int64(stmt, 3),
                             .t_min = sqlite3_column_int64(stmt, 4),
                             .t_max = sqlite3_column_int64(stmt, 5),
                             .lost_before = (uint64_t)sqlite3_column_int64(stmt, 6) };
    if (!row_is_possible(&row))
      tracefile_add_damage(c->file, &row, "its row is impossible");
    else if (!add_row(c, &row, &capacity))
      break;
  }
  bool ok = rc == SQLITE_DONE;
  if (rc == SQLITE_ROW)
    tracefile_fail(error, TRACEFILE_REFUSED, c->file->path, "", "there is not enough memory");
  else if (!ok)
    tracefile_sql_fail(db, c->file->path, error);
  sqlite3_finalize(stmt);
  return ok;
}

static size_t count_ms(const struct tracefile_cursor *c)
{
  size_t n = 0;
  for (size_t i = 0; i < c->n_rows; i++)
    n += i == 0 || c->rows[i].m != c->rows[i - 1].m;
  return n;
}

static bool make_streams(struct tracefile_cursor *c)
{
  size_t n = count_ms(c);
  c->streams = calloc(n + 1, sizeof *c->streams);
  c->heap = calloc(n + 1, sizeof *c->heap);
  c->spare = calloc(n + 1, sizeof *c->spare);
  if (!c->streams || !c->heap || !c->spare)
    return false;
  for (size_t i = 0; i < c->n_rows; i++) {
    if (i == 0 || c->rows[i].m != c->rows[i - 1].m)
      c->streams[c->n_streams++] =
          (struct stream){ .m = (uint32_t)c->rows[i].m, .rows = &c->rows[i] };
    c->streams[c->n_streams - 1].n_rows++;
  }
  return true;
}

/* ---- one chunk ---- */

static const char *check_order(const struct trace_event *events, const struct chunk_row *row)
{
  /* the decoder adds unsigned deltas and checks for overflow: times do not go back */
  if (events[0].ts != row->t_min || events[row->n - 1].ts != row->t_max)
    return "its times are not those that its row says";
  return NULL;
}

/* Reads and decodes the chunk; NULL, or why it is damaged. */
static const char *read_chunk(struct tracefile_cursor *c, struct chunk_row *row,
                              struct trace_event *out)
{
  sqlite3_reset(c->read_chunk);
  sqlite3_bind_int64(c->read_chunk, 1, row->id);
  if (sqlite3_step(c->read_chunk) != SQLITE_ROW)
    return "it cannot be read";
  row->codec = (uint64_t)sqlite3_column_int64(c->read_chunk, 0);
  const void *data = sqlite3_column_blob(c->read_chunk, 2);
  int size = sqlite3_column_bytes(c->read_chunk, 2);
  if (!data || chunk_row_xxh3(row, data, (size_t)size) != sqlite3_column_int64(c->read_chunk, 1))
    return "its checksum is wrong";
  if (!trace_chunk_codec_is_known(row->codec))
    return "its coding is of a newer version";
  const struct trace_chunk_place place = chunk_row_place(row);
  if (!trace_chunk_decode(data, (size_t)size, &place, out))
    return "its coding is wrong";
  return check_order(out, row);
}

static struct trace_event *take_buffer(struct tracefile_cursor *c)
{
  if (c->n_spare > 0)
    return c->spare[--c->n_spare];
  return malloc(TRACE_CHUNK_EVENTS * sizeof(struct trace_event));
}

static void give_buffer(struct tracefile_cursor *c, struct stream *s)
{
  if (s->events)
    c->spare[c->n_spare++] = s->events;
  s->events = NULL;
}

/* Makes s->key that of the next row that can be one. False: the stream is at its end. */
static bool step_to_next_row(struct tracefile_cursor *c, struct stream *s)
{
  for (; s->next_row < s->n_rows; s->next_row++) {
    const struct chunk_row *row = &s->rows[s->next_row];
    if (row->first_seq >= s->good_seq && row->t_min >= s->good_ts) {
      s->key = row->t_min;
      return true;
    }
    tracefile_add_damage(c->file, row, "it overlaps the chunk before it");
  }
  return false;
}

/* Decodes the stream's next chunk. False: nothing of it is left (damaged, or outside the range). */
static bool decode_next(struct tracefile_cursor *c, struct stream *s)
{
  struct chunk_row *row = &s->rows[s->next_row++];
  s->events = take_buffer(c);
  const char *why = s->events ? read_chunk(c, row, s->events) : "there is not enough memory";
  sqlite3_reset(c->read_chunk);
  if (why) {
    tracefile_add_damage(c->file, row, why);
    give_buffer(c, s);
    return false;
  }
  s->good_seq = row->first_seq + row->n;
  s->good_ts = row->t_max;
  s->at = 0;
  s->n = (uint32_t)row->n;
  while (s->at < s->n && s->events[s->at].ts < c->from)
    s->at++;
  while (s->n > s->at && s->events[s->n - 1].ts > c->to)
    s->n--;
  if (s->at == s->n) {
    give_buffer(c, s);
    return false;
  }
  s->key = s->events[s->at].ts;
  return true;
}

/* ---- the heap ---- */

static bool before(const struct stream *a, const struct stream *b)
{
  return a->key < b->key || (a->key == b->key && a->m < b->m);
}

static void sift_down(struct tracefile_cursor *c, size_t i)
{
  for (;;) {
    size_t least = i;
    for (size_t child = 2 * i + 1; child <= 2 * i + 2 && child < c->n_heap; child++) {
      if (before(c->heap[child], c->heap[least]))
        least = child;
    }
    if (least == i)
      return;
    struct stream *swap = c->heap[i];
    c->heap[i] = c->heap[least];
    c->heap[least] = swap;
    i = least;
  }
}

static void find_limit(struct tracefile_cursor *c)
{
  c->limit_ts = INT64_MAX;
  c->limit_m = UINT32_MAX;
  for (size_t i = 1; i <= 2 && i < c->n_heap; i++) {
    const struct stream *s = c->heap[i];
    if (s->key < c->limit_ts || (s->key == c->limit_ts && s->m < c->limit_m)) {
      c->limit_ts = s->key;
      c->limit_m = s->m;
    }
  }
}

/* Gives the first stream its place after its key changed, or drops it. */
static void settle_first(struct tracefile_cursor *c, bool keep)
{
  if (!keep)
    c->heap[0] = c->heap[--c->n_heap];
  sift_down(c, 0);
}

/* One step of the first stream, which has nothing to hand out before the limit. Its event, if that is now the
 * first of all; NULL: look again. */
static const struct trace_event *advance(struct tracefile_cursor *c)
{
  struct stream *s = c->heap[0];
  if (s->events && s->at < s->n) {
    s->key = s->events[s->at].ts;
    sift_down(c, 0);
    if (c->heap[0] != s)
      return NULL;
    find_limit(c);
    return &s->events[s->at++];
  }
  bool exhausted = s->events != NULL;
  give_buffer(c, s);
  if (exhausted || !decode_next(c, s))
    settle_first(c, step_to_next_row(c, s));
  else
    sift_down(c, 0);
  return NULL;
}

const struct trace_event *tracefile_cursor_next(struct tracefile_cursor *c)
{
  const struct trace_event *e = NULL;
  if (c->n_heap > 0 && c->heap[0]->events && c->heap[0]->at < c->heap[0]->n) {
    struct stream *s = c->heap[0];
    e = &s->events[s->at];
    if (e->ts < c->limit_ts || (e->ts == c->limit_ts && s->m < c->limit_m)) {
      s->at++;
      return e;
    }
    e = NULL;
  }
  while (!e && c->n_heap > 0)
    e = advance(c);
  return e;
}

/* ---- its life ---- */

static bool start(struct tracefile_cursor *c, struct tracefile_error *error)
{
  if (!tracefile_find_holes(c->file, error) || !read_map(c, error))
    return false;
  tracefile_list_holes(c->file, c->from, c->to);
  const char *sql = "SELECT codec, xxh3, data FROM chunk WHERE id=?";
  if (sqlite3_prepare_v2(c->file->db, sql, -1, &c->read_chunk, NULL) != SQLITE_OK)
    return tracefile_sql_fail(c->file->db, c->file->path, error);
  if (!make_streams(c))
    return tracefile_fail(error, TRACEFILE_REFUSED, c->file->path, "",
                          "there is not enough memory");
  for (size_t i = 0; i < c->n_streams; i++) {
    if (step_to_next_row(c, &c->streams[i]))
      c->heap[c->n_heap++] = &c->streams[i];
  }
  for (size_t i = c->n_heap; i-- > 0;)
    sift_down(c, i);
  return true;
}

struct tracefile_cursor *tracefile_cursor_new(struct tracefile *file, int64_t from, int64_t to,
                                              struct tracefile_error *error)
{
  struct tracefile_cursor *c = calloc(1, sizeof *c);
  if (!c) {
    tracefile_fail(error, TRACEFILE_REFUSED, file->path, "", "there is not enough memory");
    return NULL;
  }
  c->file = file;
  c->from = from;
  c->to = to;
  c->limit_ts = INT64_MIN;
  if (!start(c, error)) {
    tracefile_cursor_free(c);
    return NULL;
  }
  return c;
}

void tracefile_cursor_free(struct tracefile_cursor *c)
{
  if (!c)
    return;
  for (size_t i = 0; i < c->n_streams; i++)
    free(c->streams[i].events);
  for (size_t i = 0; i < c->n_spare; i++)
    free(c->spare[i]);
  sqlite3_finalize(c->read_chunk);
  free(c->spare);
  free(c->heap);
  free(c->streams);
  free(c->rows);
  free(c);
}
