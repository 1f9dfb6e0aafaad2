/* SPDX-License-Identifier: MIT */
/* writer.c - events into chunks, chunks into the file.
 *
 * Each M has one open chunk, which is coded as its events come. It is closed and inserted when it holds 4096 events, when it is 100 ms old, or
 * when the next event's number is not the next one (a loss).  One transaction holds up to 64 chunks or 100 ms, so
 * a killed recorder loses at most that, and never leaves a gap within an M: chunks of an M are inserted in
 * order, and a transaction is there or not.
 *
 * Not done: bound rows (2 M a second against 50), and a thread for SQLite: inserting 24 KB a chunk costs less
 * than handing it over. Nor writing into the file without the WAL: readers that follow a recording would hold it up.
 * Cost: 18 ns an event handed over in batches: a third is coding, half writing the WAL and copying it into the file. One
 * by one it is more.
 */
#include "writer.h"

#include "clock.h"
#include "create.h"
#include "trace-grow.h"
#include "trace-map.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define CHUNK_AGE_NS       100000000
#define TRANSACTION_AGE_NS 100000000
#define TRANSACTION_CHUNKS 64
#define RUN_MAX            256 /* events looked at before they are coded: they stay in the first cache */
#define FETCH_AHEAD        1152 /* bytes; who hands over a large array has it in memory, not in a cache */

struct open_chunk {
  uint32_t m;
  struct writer_m counts;
  uint64_t lost_before;
  uint64_t first_seq;
  int64_t t_min;
  int64_t opened_at; /* our clock */
  uint8_t *bytes;    /* of a chunk of TRACE_CHUNK_EVENTS events */
  struct trace_coder coder;
};

struct rec_writer {
  sqlite3 *db;
  char *path;      /* with its folder resolved */
  bool has_older;  /* create_new put an older trace aside, and this one holds no event yet */
  bool has_events; /* in the file, for good */
  struct trace_map by_m;
  struct open_chunk **ms;
  uint32_t n_ms;
  size_t capacity;
  struct open_chunk *last; /* looked up; NULL none */
  sqlite3_stmt *insert_chunk, *insert_loss, *insert_meta, *insert_clock, *insert_stat,
      *insert_capability;
  bool in_transaction;
  int64_t transaction_since;
  uint32_t transaction_chunks;
};

static bool no_memory(const struct rec_writer *w, struct tracefile_error *error)
{
  return tracefile_fail(error, TRACEFILE_REFUSED, w->path, "", "there is not enough memory");
}

void rec_writer_replace(struct rec_writer *w)
{
  if (w->has_older)
    create_drop_older(w->path);
  w->has_older = false;
}

/* ---- transactions and rows ---- */

static bool begin(struct rec_writer *w, struct tracefile_error *error)
{
  if (w->in_transaction)
    return true;
  if (!rec_sql(w->db, w->path, "BEGIN IMMEDIATE", error))
    return false;
  w->in_transaction = true;
  w->transaction_since = rec_mono_ns();
  w->transaction_chunks = 0;
  return true;
}

static bool commit(struct rec_writer *w, struct tracefile_error *error)
{
  if (!w->in_transaction)
    return true;
  if (sqlite3_exec(w->db, "COMMIT", NULL, NULL, NULL) != SQLITE_OK)
    return rec_sql_fail(w->db, w->path, "committing", error);
  w->in_transaction = false;
  w->has_events |= w->transaction_chunks > 0;
  if (w->has_events)
    rec_writer_replace(w);
  return true;
}

/* Runs a bound statement that returns no row. */
static bool run(struct rec_writer *w, sqlite3_stmt *stmt, struct tracefile_error *error)
{
  bool ok = sqlite3_step(stmt) == SQLITE_DONE;
  if (!ok)
    rec_sql_fail(w->db, w->path, "writing", error);
  sqlite3_reset(stmt);
  sqlite3_clear_bindings(stmt);
  return ok;
}

static bool prepare(struct rec_writer *w, sqlite3_stmt **stmt, const char *sql,
                    struct tracefile_error *error)
{
  return sqlite3_prepare_v3(w->db, sql, -1, SQLITE_PREPARE_PERSISTENT, stmt, NULL) == SQLITE_OK ||
         rec_sql_fail(w->db, w->path, "preparing", error);
}

static bool prepare_all(struct rec_writer *w, struct tracefile_error *error)
{
  return prepare(w, &w->insert_chunk, "INSERT INTO chunk VALUES(NULL,?,?,?,?,?,?,?,?,?)", error) &&
         prepare(w, &w->insert_loss, "INSERT INTO loss VALUES(NULL,?,?,?,?,?,?)", error) &&
         prepare(w, &w->insert_meta, "INSERT OR REPLACE INTO meta VALUES(?,?)", error) &&
         prepare(w, &w->insert_clock, "INSERT INTO clock_sync VALUES(NULL,?,?,?,?,?)", error) &&
         prepare(w, &w->insert_stat, "INSERT OR REPLACE INTO stats VALUES(?,?,?,?,?)", error) &&
         prepare(w, &w->insert_capability, "INSERT OR REPLACE INTO capability VALUES(?,?,?)",
                 error);
}

/* ---- chunks ---- */

static bool close_chunk(struct rec_writer *w, struct open_chunk *c, struct tracefile_error *error)
{
  if (c->coder.n == 0)
    return true;
  if (!begin(w, error))
    return false;
  size_t size = trace_coder_end(&c->coder);
  const struct chunk_row row = { .m = c->m,
                                 .first_seq = c->first_seq,
                                 .n = c->coder.n,
                                 .lost_before = c->lost_before,
                                 .codec = TRACE_CHUNK_CODEC,
                                 .t_min = c->t_min,
                                 .t_max = c->counts.last_ts };
  const int64_t columns[] = {
    c->m,      (int64_t)row.first_seq,   c->coder.n,         row.t_min,
    row.t_max, (int64_t)row.lost_before, (int64_t)row.codec, chunk_row_xxh3(&row, c->bytes, size)
  };
  for (int i = 0; i < 8; i++)
    sqlite3_bind_int64(w->insert_chunk, i + 1, columns[i]);
  sqlite3_bind_blob64(w->insert_chunk, 9, c->bytes, size, SQLITE_STATIC);
  if (!run(w, w->insert_chunk, error))
    return false;
  c->coder.n = 0;
  c->lost_before = 0;
  return ++w->transaction_chunks < TRANSACTION_CHUNKS || commit(w, error);
}

#define OF_UNKNOWN -1 /* an M, or the number of its first event */

/* A row of table loss. */
struct loss {
  int64_t m, first_seq;
  uint64_t n;
  int64_t t_from, t_to;
  const char *why;
};

static bool insert_loss(struct rec_writer *w, const struct loss *loss,
                        struct tracefile_error *error)
{
  if (!begin(w, error))
    return false;
  const int64_t columns[] = { loss->m, loss->first_seq, (int64_t)loss->n, loss->t_from,
                              loss->t_to };
  for (int i = 0; i < 5; i++) {
    if (columns[i] == OF_UNKNOWN)
      sqlite3_bind_null(w->insert_loss, i + 1);
    else
      sqlite3_bind_int64(w->insert_loss, i + 1, columns[i]);
  }
  sqlite3_bind_text(w->insert_loss, 6, loss->why, -1, SQLITE_STATIC);
  return run(w, w->insert_loss, error);
}

/* The event's number is beyond the next one: what lies between is lost. */
static bool take_gap(struct rec_writer *w, struct open_chunk *c, const struct trace_event *e,
                     int64_t ts, struct tracefile_error *error)
{
  uint64_t n = e->seq - c->counts.next_seq;
  int64_t from = e->kind == TRACE_LOST ? (int64_t)e->d[1] : c->counts.last_ts;
  if (from < c->counts.last_ts || from > ts)
    from = c->counts.last_ts;
  const struct loss loss = { .m = c->m,
                             .first_seq = (int64_t)c->counts.next_seq,
                             .n = n,
                             .t_from = from,
                             .t_to = ts,
                             .why = e->kind == TRACE_LOST ? REC_LOSS_FULL : REC_LOSS_NOT_TOLD };
  if (!close_chunk(w, c, error) || !insert_loss(w, &loss, error))
    return false;
  c->lost_before += n; /* rec_writer_loss may have told of some before */
  c->counts.lost += n;
  return true;
}

static struct open_chunk *find_m(struct rec_writer *w, uint32_t m)
{
  if (w->last && w->last->m == m)
    return w->last;
  uint32_t i = trace_map_get(&w->by_m, m);
  if (i != TRACE_MAP_NONE)
    return w->last = w->ms[i];
  if (!trace_grow(&w->ms, &w->capacity, w->n_ms, sizeof(struct open_chunk *)))
    return NULL;
  struct open_chunk *c = calloc(1, sizeof *c);
  if (!c)
    return NULL;
  c->m = m;
  c->bytes = malloc(TRACE_CHUNK_MAX_BYTES(TRACE_CHUNK_EVENTS));
  if (!c->bytes || !trace_map_put(&w->by_m, m, w->n_ms)) {
    free(c->bytes);
    free(c);
    return NULL;
  }
  w->ms[w->n_ms++] = c;
  return c;
}

static bool is_known(uint16_t kind)
{
  return kind < TRACE_KIND_LIMIT && trace_specs[kind].name;
}

static bool refuse_event(struct rec_writer *w, const struct trace_event *e,
                         struct tracefile_error *error)
{
  if (!is_known(e->kind))
    return tracefile_fail(error, TRACEFILE_WRONG, w->path, "", "there is no event of kind %u",
                          e->kind);
  return tracefile_fail(error, TRACEFILE_WRONG, w->path, "", "event %llu of M%u comes out of order",
                        (unsigned long long)e->seq, e->m);
}

/* n events follow what the chunk holds; there is room. */
static bool add_to_chunk(struct rec_writer *w, struct open_chunk *c,
                         const struct trace_event *events, size_t n, struct tracefile_error *error)
{
  if (c->coder.n == 0) {
    c->first_seq = events[0].seq;
    c->t_min = events[0].ts;
    c->opened_at = rec_mono_ns();
    trace_coder_begin(&c->coder, c->bytes, TRACE_CHUNK_EVENTS, c->t_min);
  }
  trace_coder_add(&c->coder, events, n);
  c->counts.last_ts = events[n - 1].ts;
  c->counts.next_seq = events[n - 1].seq + 1;
  c->counts.stored += n;
  return c->coder.n < TRACE_CHUNK_EVENTS || close_chunk(w, c, error);
}

bool rec_writer_event(struct rec_writer *w, const struct trace_event *e,
                      struct tracefile_error *error)
{
  struct open_chunk *c = find_m(w, e->m);
  if (!c)
    return no_memory(w, error);
  if (!is_known(e->kind) || e->seq < c->counts.next_seq ||
      e->seq > (uint64_t)INT64_MAX - TRACE_CHUNK_EVENTS)
    return refuse_event(w, e, error);
  struct trace_event added = *e;
  added.ts = e->ts < TRACEFILE_TIME_MAX ? e->ts : TRACEFILE_TIME_MAX;
  if (added.ts < c->counts.last_ts) {
    added.ts = c->counts.last_ts;
    c->counts.raised++;
  }
  if (e->seq != c->counts.next_seq && !take_gap(w, c, e, added.ts, error))
    return false;
  return add_to_chunk(w, c, &added, 1, error);
}

/* How many of n events, from the first on, go into the chunk as they are. */
static size_t count_plain(const struct open_chunk *c, const struct trace_event *events, size_t n)
{
  const uint32_t m = c->m;
  const uint64_t seq = c->counts.next_seq;
  int64_t ts = c->counts.last_ts;
  size_t room = TRACE_CHUNK_EVENTS - c->coder.n, max = n < room ? n : room, i = 0;
  if (seq > (uint64_t)INT64_MAX - 2ull * TRACE_CHUNK_EVENTS)
    return 0;
  for (; i < max; i++) {
    const struct trace_event *e = &events[i];
    __builtin_prefetch((const void *)((uintptr_t)e + FETCH_AHEAD));
    if (e->m != m || e->seq != seq + i || e->ts < ts || !is_known(e->kind))
      break;
    ts = e->ts;
  }
  return ts <= TRACEFILE_TIME_MAX ? i : 0;
}

bool rec_writer_events(struct rec_writer *w, const struct trace_event *events, size_t n,
                       struct tracefile_error *error)
{
  for (size_t done = 0, plain; done < n; done += plain ? plain : 1) {
    const size_t left = n - done;
    struct open_chunk *c = find_m(w, events[done].m);
    plain = c ? count_plain(c, events + done, left < RUN_MAX ? left : RUN_MAX) : 0;
    if (plain > 0 ? !add_to_chunk(w, c, events + done, plain, error)
                  : !rec_writer_event(w, &events[done], error))
      return false;
  }
  return true;
}

/* Not before the trace begins, and not backwards. */
static void order_times(struct loss *loss)
{
  if (loss->t_from < 0)
    loss->t_from = 0;
  if (loss->t_to < loss->t_from)
    loss->t_to = loss->t_from;
}

bool rec_writer_loss(struct rec_writer *w, uint32_t m, uint64_t n, int64_t t_from, int64_t t_to,
                     const char *why, struct tracefile_error *error)
{
  struct open_chunk *c = find_m(w, m);
  if (!c)
    return no_memory(w, error);
  struct loss loss = { m, (int64_t)c->counts.next_seq, n, t_from, t_to, why };
  c->counts.next_seq += n;
  c->counts.lost += n;
  if (!close_chunk(w, c, error))
    return false;
  c->lost_before += n;
  order_times(&loss);
  return insert_loss(w, &loss, error);
}

bool rec_writer_loss_of_unknown(struct rec_writer *w, uint64_t n, int64_t t_from, int64_t t_to,
                                const char *why, struct tracefile_error *error)
{
  struct loss loss = { OF_UNKNOWN, OF_UNKNOWN, n, t_from, t_to, why };
  order_times(&loss);
  return insert_loss(w, &loss, error);
}

bool rec_writer_tick(struct rec_writer *w, struct tracefile_error *error)
{
  int64_t now = rec_mono_ns();
  for (uint32_t i = 0; i < w->n_ms; i++) {
    struct open_chunk *c = w->ms[i];
    if (c->coder.n > 0 && now - c->opened_at >= CHUNK_AGE_NS && !close_chunk(w, c, error))
      return false;
  }
  if (w->in_transaction && now - w->transaction_since >= TRANSACTION_AGE_NS)
    return commit(w, error);
  return true;
}

bool rec_writer_flush(struct rec_writer *w, struct tracefile_error *error)
{
  for (uint32_t i = 0; i < w->n_ms; i++) {
    if (!close_chunk(w, w->ms[i], error))
      return false;
  }
  return commit(w, error);
}

/* ---- facts about the trace ---- */

bool rec_writer_meta(struct rec_writer *w, const char *key, const char *value,
                     struct tracefile_error *error)
{
  if (!begin(w, error))
    return false;
  sqlite3_bind_text(w->insert_meta, 1, key, -1, SQLITE_STATIC);
  sqlite3_bind_text(w->insert_meta, 2, value, -1, SQLITE_STATIC);
  return run(w, w->insert_meta, error);
}

bool rec_writer_clock(struct rec_writer *w, int64_t ts, uint64_t ticks, int64_t mono_ns,
                      int64_t wall_ns, int64_t error_ns, struct tracefile_error *error)
{
  if (!begin(w, error))
    return false;
  const int64_t columns[] = { ts < 0 ? 0 : ts, (int64_t)ticks, mono_ns, wall_ns, error_ns };
  for (int i = 0; i < 5; i++)
    sqlite3_bind_int64(w->insert_clock, i + 1, columns[i]);
  return run(w, w->insert_clock, error);
}

bool rec_writer_stat(struct rec_writer *w, const char *name, int64_t m, uint64_t value,
                     const char *severity, const char *doc, struct tracefile_error *error)
{
  if (!begin(w, error))
    return false;
  sqlite3_bind_text(w->insert_stat, 1, name, -1, SQLITE_STATIC);
  sqlite3_bind_int64(w->insert_stat, 2, m);
  sqlite3_bind_int64(w->insert_stat, 3, (int64_t)value);
  sqlite3_bind_text(w->insert_stat, 4, severity, -1, SQLITE_STATIC);
  sqlite3_bind_text(w->insert_stat, 5, doc, -1, SQLITE_STATIC);
  return run(w, w->insert_stat, error);
}

bool rec_writer_capability(struct rec_writer *w, enum trace_family family, const char *level,
                           const char *why, struct tracefile_error *error)
{
  if (!begin(w, error))
    return false;
  sqlite3_bind_text(w->insert_capability, 1, trace_family_name(family), -1, SQLITE_STATIC);
  sqlite3_bind_text(w->insert_capability, 2, level, -1, SQLITE_STATIC);
  sqlite3_bind_text(w->insert_capability, 3, why, -1, SQLITE_STATIC);
  return run(w, w->insert_capability, error);
}

/* ---- its life ---- */

/* Takes path and makes a writer on it; path is freed in any case of failure. */
static struct rec_writer *make_writer(char *path, struct tracefile_error *error)
{
  struct rec_writer *w = calloc(1, sizeof *w);
  if (!w) {
    tracefile_fail(error, TRACEFILE_REFUSED, path, "", "there is not enough memory");
    free(path);
    return NULL;
  }
  w->path = path;
  return w;
}

static char *real_path_or_fail(const char *path, struct tracefile_error *error)
{
  char *real = tracefile_real_path(path);
  if (!real)
    tracefile_fail(error, TRACEFILE_WRONG, path, "make the folder first",
                   "its folder does not exist");
  return real;
}

struct rec_writer *rec_writer_new(const char *path, bool overwrite, struct tracefile_error *error)
{
  char *real = real_path_or_fail(path, error);
  struct rec_writer *w = real ? make_writer(real, error) : NULL;
  if (!w)
    return NULL;
  w->db = create_new(w->path, overwrite, &w->has_older, error);
  if (!w->db) {
    w->has_older = false; /* it is back */
    rec_writer_free(w);
    return NULL;
  }
  char wall[32];
  snprintf(wall, sizeof wall, "%lld", (long long)time(NULL));
  if (!prepare_all(w, error) || !rec_writer_meta(w, "made_at", wall, error) ||
      !rec_writer_meta(w, "made_by", "gmpscope", error) || !commit(w, error)) {
    rec_writer_discard(w);
    return NULL;
  }
  return w;
}

struct rec_writer *rec_writer_reopen(const char *path, struct tracefile_error *error)
{
  char *real = real_path_or_fail(path, error);
  struct rec_writer *w = real ? make_writer(real, error) : NULL;
  if (!w)
    return NULL;
  w->db = create_open(w->path, error);
  if (w->db && prepare_all(w, error))
    return w;
  rec_writer_free(w);
  return NULL;
}

void rec_writer_free(struct rec_writer *w)
{
  if (!w)
    return;
  sqlite3_stmt *const statements[] = { w->insert_chunk, w->insert_loss, w->insert_meta,
                                       w->insert_clock, w->insert_stat, w->insert_capability };
  for (size_t i = 0; i < sizeof statements / sizeof statements[0]; i++)
    sqlite3_finalize(statements[i]);
  sqlite3_close(w->db);
  if (w->has_older)
    create_restore_older(w->path);
  for (uint32_t i = 0; i < w->n_ms; i++) {
    free(w->ms[i]->bytes);
    free(w->ms[i]);
  }
  trace_map_clear(&w->by_m);
  free(w->ms);
  free(w->path);
  free(w);
}

void rec_writer_discard(struct rec_writer *w)
{
  if (!w)
    return;
  char *path = w->has_older ? NULL : strdup(w->path); /* else the older one comes back there */
  rec_writer_free(w);
  if (path)
    create_remove(path);
  free(path);
}

sqlite3 *rec_writer_db(struct rec_writer *w)
{
  return w->db;
}

const char *rec_writer_path(const struct rec_writer *w)
{
  return w->path;
}

bool rec_writer_has_events(const struct rec_writer *w)
{
  return w->has_events;
}

const struct writer_m *rec_writer_m(const struct rec_writer *w, uint32_t m)
{
  uint32_t i = trace_map_get(&w->by_m, m);
  return i == TRACE_MAP_NONE ? NULL : &w->ms[i]->counts;
}
