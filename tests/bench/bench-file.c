/* SPDX-License-Identifier: MIT */
/* bench-file.c - speed and size of the trace file.
 *
 *   bench-file FOLDER [EVENTS]        default 8 million events on 4 Ms, like those of a busy scheduler
 *
 * Prints one line a figure: what, rate in M/s of CPU time of one core, and where it makes sense bytes an event.
 * The events are made in memory before the clock starts; the bound rows are a quarter of the same events, seven columns,
 * one INSERT an event, WAL, synchronous=OFF, in transactions of 100000: what a recorder without chunks would do. Rows and
 * ingest take turns, ROUNDS times; what is told is the median. Both end with all of it copied from the WAL into the file.
 *
 * "from rings into the file" is all that a recorder does: records copied out of shared memory, ticks made times, written.
 */
#include "drain.h"
#include "recorder.h"
#include "sqltables.h"
#include "trace-chunk.h"
#include "trace-replay.h"
#include "writer.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define N_MS     4
#define ROUNDS   5
#define HANDED   4096  /* events handed over at a time */
#define CAPACITY 65536 /* records of a ring, all of which are drained at once */

static struct tracefile_error error;
static uint64_t n_events = 8000000;

static _Noreturn void stop(const char *what)
{
  char text[700];
  tracefile_error_text(&error, text, sizeof text);
  fprintf(stderr, "%s: %s\n", what, text);
  exit(1);
}

static double cpu_seconds(void)
{
  struct timespec t;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void print_rate(const char *what, uint64_t n, double seconds)
{
  printf("%-52s %8.2f M/s\n", what, (double)n / seconds / 1e6);
  fflush(stdout);
}

/* ---- events: a G is readied, queued, taken, run, and blocks, on each of the Ms ---- */

struct mill {
  uint64_t random;
  int64_t ts;
  uint64_t seq[N_MS];
  uint32_t index[N_MS], g_seq;
};

static uint32_t pick(struct mill *m, uint32_t below)
{
  m->random ^= m->random << 13;
  m->random ^= m->random >> 7;
  m->random ^= m->random << 17;
  return (uint32_t)(m->random >> 20) % below;
}

static struct trace_event *put(struct mill *m, struct trace_event *e, uint32_t on, uint32_t g,
                               enum trace_kind kind, uint64_t lo, uint64_t hi)
{
  *e = (struct trace_event){ .ts = m->ts++,
                             .seq = m->seq[on]++,
                             .m = on,
                             .g = g,
                             .p = (uint16_t)on,
                             .kind = (uint16_t)kind,
                             .d = { lo, hi } };
  return e + 1;
}

/* Six events of one M; returns behind them. */
static struct trace_event *mill_round(struct mill *m, struct trace_event *e)
{
  uint32_t on = pick(m, N_MS), g = 2 + pick(m, 20000), other = 2 + pick(m, 20000);
  uint64_t obj = 0x55d0c0000000u + 96u * pick(m, 4000);
  m->ts += 20 + pick(m, 400);
  e = put(m, e, on, g, TRACE_GO_UNBLOCK, other | (uint64_t)m->g_seq++ << 32, obj);
  e = put(m, e, on, g, TRACE_RUNQ_PUT_NEXT, other, on);
  m->ts += 10 + pick(m, 200);
  e = put(m, e, on, g, TRACE_GO_BLOCK, TRACE_WAIT_RECV, obj);
  m->ts += 10;
  e = put(m, e, on, 0, TRACE_RUNQ_GET_NEXT, other, 0);
  e = put(m, e, on, 0, TRACE_GO_START, other | (uint64_t)m->g_seq++ << 32, 1);
  return put(m, e, on, other, TRACE_RUNQ_PUT, g | (uint64_t)m->index[on]++ << 32, on);
}

static struct trace_event *make_events(void)
{
  struct mill m = { .random = 88172645463325252u };
  n_events -= n_events % 6;
  struct trace_event *events = malloc((n_events + 6) * sizeof *events);
  if (!events)
    exit(1);
  for (struct trace_event *e = events; e < events + n_events;)
    e = mill_round(&m, e);
  return events;
}

/* ---- figures ---- */

static int compare_doubles(const void *left, const void *right)
{
  const double a = *(const double *)left, b = *(const double *)right;
  return (a > b) - (a < b);
}

static double median(double *values)
{
  qsort(values, ROUNDS, sizeof *values, compare_doubles);
  return values[ROUNDS / 2];
}

/* Seconds an event. */
static double bench_rows(const char *path, const struct trace_event *events)
{
  sqlite3 *db;
  sqlite3_stmt *stmt;
  uint64_t n = n_events / 4;
  sqlite3_open(path, &db);
  sqlite3_exec(db,
               "PRAGMA page_size=16384; PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF;"
               "CREATE TABLE e(ts INT, m INT, p INT, g INT, kind INT, a INT, b INT)",
               NULL, NULL, NULL);
  sqlite3_prepare_v2(db, "INSERT INTO e VALUES(?,?,?,?,?,?,?)", -1, &stmt, NULL);
  double since = cpu_seconds();
  for (uint64_t i = 0; i < n; i++) {
    if (i % 100000 == 0)
      sqlite3_exec(db, i ? "COMMIT; BEGIN" : "BEGIN", NULL, NULL, NULL);
    const struct trace_event *e = &events[i];
    const int64_t columns[] = {
      e->ts, e->m, e->p, e->g, e->kind, (int64_t)e->d[0], (int64_t)e->d[1]
    };
    for (int c = 0; c < 7; c++)
      sqlite3_bind_int64(stmt, c + 1, columns[c]);
    sqlite3_step(stmt);
    sqlite3_reset(stmt);
  }
  sqlite3_exec(db, "COMMIT", NULL, NULL, NULL);
  sqlite3_finalize(stmt);
  sqlite3_close(db); /* copies the WAL */
  double seconds = cpu_seconds() - since;
  unlink(path);
  return seconds / (double)n;
}

/* Seconds an event. The writer is to be finished. */
static double bench_ingest(struct rec_writer *w, const struct trace_event *events)
{
  double since = cpu_seconds();
  for (uint64_t i = 0; i < n_events; i += HANDED) {
    const uint64_t left = n_events - i;
    if (!rec_writer_events(w, &events[i], left < HANDED ? left : HANDED, &error))
      stop("ingest");
  }
  if (!rec_writer_flush(w, &error))
    stop("ingest");
  if (sqlite3_wal_checkpoint_v2(rec_writer_db(w), NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL) !=
      SQLITE_OK)
    stop("checkpoint");
  return (cpu_seconds() - since) / (double)n_events;
}

/* Leaves the file of the last round. */
static void bench_writing(const char *path, const char *rows_path, const struct trace_event *events)
{
  double rows[ROUNDS], ingest[ROUNDS], finish[ROUNDS];
  for (int round = 0; round < ROUNDS; round++) {
    rows[round] = bench_rows(rows_path, events);
    struct rec_writer *w = rec_writer_new(path, true, &error);
    if (!w)
      stop("writer");
    ingest[round] = bench_ingest(w, events);
    double since = cpu_seconds();
    if (!rec_writer_finish(w, REC_TABLES_NONE, NULL, &error))
      stop("finish");
    finish[round] = (cpu_seconds() - since) / (double)n_events;
  }
  const double row = median(rows), event = median(ingest);
  print_rate("bound rows, for comparison", 1, row);
  print_rate("ingest: events into the file", 1, event);
  printf("%-52s %8.1f times bound rows\n", "", row / event);
  print_rate("finalise without plain tables", 1, median(finish));
  struct stat st;
  stat(path, &st);
  printf("%-52s %8.2f bytes an event\n", "file", (double)st.st_size / (double)n_events);
}

/* ---- from rings ---- */

/* Fills a ring with a part of the events of its M, from *next on. */
static void fill_ring(struct trace_ring *ring, const struct trace_event *events, uint64_t *next)
{
  struct trace_record *records = trace_ring_records(ring);
  uint64_t head = atomic_load(&ring->head);
  const uint64_t until = head + CAPACITY;
  for (; *next < n_events && head < until; ++*next) {
    const struct trace_event *e = &events[*next];
    if (e->m != ring->m)
      continue;
    records[head++ & (CAPACITY - 1)] = (struct trace_record){
      .ts = (uint64_t)e->ts + 1, .kind = e->kind, .p = e->p, .g = e->g, .d = { e->d[0], e->d[1] }
    };
  }
  atomic_store(&ring->emitted, head);
  atomic_store(&ring->head, head);
}

static struct trace_ring *open_ring(struct drain *d, int fd, uint32_t m)
{
  struct trace_ring *ring = trace_shm_map_ring(fd, d->capacity, d->stride, m);
  if (!ring)
    exit(1);
  ring->magic = TRACE_RING_MAGIC;
  ring->m = m;
  atomic_store(&ring->state, TRACE_RING_ACTIVE);
  return ring;
}

static void bench_drain(const char *path, const struct trace_event *events)
{
  struct rec_clock clock;
  struct drain d;
  struct trace_ring *rings[N_MS];
  uint64_t next[N_MS] = { 0 }, n = 0, moved = 1;
  unsigned fullest;
  int fd = trace_shm_create(CAPACITY, N_MS);
  struct rec_writer *w = rec_writer_new(path, true, &error);
  rec_clock_start(&clock);
  if (!w || fd < 0 || !drain_open(&d, fd, &clock, w, &error))
    stop("drain");
  for (uint32_t m = 0; m < N_MS; m++)
    rings[m] = open_ring(&d, fd, m);
  atomic_store(&d.control->clock, TRACE_CLOCK_TSC);
  atomic_store(&d.control->n_rings, N_MS);
  double seconds = 0;
  for (; moved > 0; n += moved) {
    for (uint32_t m = 0; m < N_MS; m++)
      fill_ring(rings[m], events, &next[m]);
    double since = cpu_seconds();
    if (!drain_round(&d, &moved, &fullest, &error))
      stop("drain");
    seconds += cpu_seconds() - since;
  }
  if (n != n_events)
    stop("drain: not all");
  print_rate("from rings into the file", n, seconds);
  for (uint32_t m = 0; m < N_MS; m++)
    trace_shm_unmap_ring(rings[m], CAPACITY);
  drain_close(&d);
  close(fd);
  rec_writer_discard(w);
}

/* ---- reading ---- */

static void bench_decode(struct tracefile *file)
{
  static struct trace_event out[TRACE_CHUNK_EVENTS];
  sqlite3_stmt *stmt;
  double seconds = 0;
  uint64_t n = 0;
  sqlite3_prepare_v2(tracefile_db(file), "SELECT codec, n, m, first_seq, t_min, data FROM chunk",
                     -1, &stmt, NULL);
  while (sqlite3_step(stmt) == SQLITE_ROW) {
    const struct trace_chunk_place place = { .codec = (uint64_t)sqlite3_column_int64(stmt, 0),
                                             .n = (uint64_t)sqlite3_column_int64(stmt, 1),
                                             .m = (uint32_t)sqlite3_column_int64(stmt, 2),
                                             .first_seq = (uint64_t)sqlite3_column_int64(stmt, 3),
                                             .t_min = sqlite3_column_int64(stmt, 4) };
    const void *bytes = sqlite3_column_blob(stmt, 5);
    double since = cpu_seconds();
    if (!trace_chunk_decode(bytes, (size_t)sqlite3_column_bytes(stmt, 5), &place, out))
      stop("decode");
    seconds += cpu_seconds() - since;
    n += place.n;
  }
  sqlite3_finalize(stmt);
  print_rate("decode alone", n, seconds);
}

static void bench_cursor(struct tracefile *file)
{
  double since = cpu_seconds();
  struct tracefile_cursor *c = tracefile_cursor_new(file, INT64_MIN, INT64_MAX, &error);
  uint64_t n = 0, sum = 0;
  for (const struct trace_event *e; (e = tracefile_cursor_next(c)); n++)
    sum += (uint64_t)e->ts ^ e->w[0];
  tracefile_cursor_free(c);
  if (n != n_events || sum == 42)
    stop("cursor");
  print_rate("decode and merge in time order", n, cpu_seconds() - since);
}

static void bench_query(struct tracefile *file, const char *what, const char *sql, uint64_t n)
{
  sqlite3_stmt *stmt;
  double since = cpu_seconds();
  if (sqlite3_prepare_v2(tracefile_db(file), sql, -1, &stmt, NULL) != SQLITE_OK) {
    fprintf(stderr, "%s\n", sqlite3_errmsg(tracefile_db(file)));
    exit(1);
  }
  uint64_t rows = 0;
  while (sqlite3_step(stmt) == SQLITE_ROW) {
    for (int i = 0; i < sqlite3_column_count(stmt); i++)
      sqlite3_column_int64(stmt, i);
    rows++;
  }
  sqlite3_finalize(stmt);
  double seconds = cpu_seconds() - since;
  print_rate(what, n ? n : rows, seconds);
}

static void bench_materialise(const char *path)
{
  double since = cpu_seconds();
  struct rec_summary sum;
  if (!rec_materialise(path, &sum, &error))
    stop("materialise");
  print_rate("plain tables made", n_events, cpu_seconds() - since);
  struct stat st;
  stat(path, &st);
  printf("%-52s %8.2f bytes an event\n", "file with plain tables",
         (double)st.st_size / (double)n_events);
}

int main(int argc, char **argv)
{
  if (argc < 2)
    return 2;
  if (argc > 2)
    n_events = strtoull(argv[2], NULL, 10);
  char path[600], other[600], sql[200];
  snprintf(path, sizeof path, "%s/bench-file.db", argv[1]);
  snprintf(other, sizeof other, "%s/bench-rows.db", argv[1]);
  unlink(path);
  unlink(other);
  struct trace_event *events = make_events();
  bench_writing(path, other, events);
  bench_drain(other, events);
  int64_t end = events[n_events - 1].ts;
  free(events);
  struct tracefile *file = tracefile_open(path, &error);
  if (!file || !tracefile_enable_sql(file, &error))
    stop("open");
  bench_decode(file);
  bench_cursor(file);
  bench_query(file, "SQL, whole scan of seven columns",
              "SELECT ts, m, p, g, kind, a0, a1 FROM event", 0);
  bench_query(file, "SQL, predicate over all events", "SELECT count(*) FROM event WHERE a0=777",
              n_events);
  snprintf(sql, sizeof sql, "SELECT ts, kind FROM event WHERE ts BETWEEN %lld AND %lld",
           (long long)(end / 2), (long long)(end / 2 + end / 20));
  bench_query(file, "SQL, range of time", sql, 0);
  bench_query(file, "SQL, texts of the events", "SELECT ts, text FROM event WHERE m=0", 0);
  bench_query(file, "SQL, g_state computed (events read)", "SELECT count(*) FROM g_state",
              n_events);
  tracefile_close(file);
  bench_materialise(path);
  unlink(path);
  return 0;
}
