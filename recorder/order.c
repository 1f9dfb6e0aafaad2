/* SPDX-License-Identifier: MIT */
/* order.c - time order is made an order of causes.
 *
 * Counters of two cores may differ by some ns, and a thread may be interrupted between reading the clock and
 * publishing.  So a G can seem to start before it was made ready.  Every scheduling event of a G or P carries its
 * number in the life of that G or P: where a smaller number comes after a larger one, the event with the larger
 * one is the effect, and it is moved to just behind its cause, with everything on its M that would otherwise be
 * overtaken.  Moving one may put another before its own cause, so the finaliser checks again, a few times.
 * What stands in a right order already is never moved: the number of a G that ended may be another G's soon after.
 *
 * More than 10 ms apart is no clock: a hostile or broken trace is left as it is, and the check says so.
 * Not done: keeping the original times in a column. The chunk would grow for a case that is rare; the
 * number of moved events is in stats.
 * Cost: a look-up for each event with a number; moving is one pass over the chunks that it touches.
 */
#include "order.h"

#include "trace-grow.h"
#include "trace-map.h"

#include <stdlib.h>

#define FARTHEST_NS 10000000
#define BUMPS_MAX   (1u << 20)

/* The last event seen with a number in the life of one G or P. A number of a G may be given to another one, whose life
 * begins anew. */
struct seen {
  uint32_t number, m;
  uint64_t seq;
  int64_t ts;
  bool is_begun; /* its create, or a status of it, was seen */
  bool is_over;  /* the G ended */
};

struct bump { /* from event seq of M m on, times are at least ts */
  uint32_t m;
  uint64_t seq;
  int64_t ts;
};

struct order_check {
  struct trace_map by_life; /* G: its id; P: 2^32 + its id */
  struct seen *seen;
  uint32_t n_seen;
  size_t capacity;
  struct bump *bumps;
  size_t n_bumps, bumps_capacity;
};

struct order_check *order_check_new(void)
{
  return calloc(1, sizeof(struct order_check));
}

void order_check_free(struct order_check *check)
{
  if (!check)
    return;
  trace_map_clear(&check->by_life);
  free(check->seen);
  free(check->bumps);
  free(check);
}

size_t order_check_late(const struct order_check *check)
{
  return check->n_bumps;
}

/* Which life an event belongs to and its number there. restart: numbers begin anew. False: to none. */
static bool life_of(const struct trace_event *e, uint64_t *life, uint32_t *number, bool *restart)
{
  const uint64_t p_life = (uint64_t)1 << 32 | e->w[0];
  *restart = false;
  switch (e->kind) {
  case TRACE_GO_START:
  case TRACE_GO_UNBLOCK:
    *life = e->w[0];
    *number = e->w[1];
    return true;
  case TRACE_GO_SYSCALL_END_BLOCKED:
    *life = e->g;
    *number = e->w[0];
    return true;
  case TRACE_PROC_START:
  case TRACE_PROC_STOP:
  case TRACE_PROC_STEAL:
    *life = p_life;
    *number = e->w[1];
    return true;
  case TRACE_GO_CREATE:
    *life = e->w[0];
    *number = 0;
    *restart = true;
    return true;
  case TRACE_GO_STATUS:
    *life = e->w[0];
    *number = e->w[3];
    *restart = true;
    return true;
  case TRACE_PROC_STATUS:
    *life = p_life;
    *number = e->w[3];
    *restart = true;
    return true;
  default:
    return false;
  }
}

static bool add_bump(struct order_check *check, const struct seen *effect,
                     const struct trace_event *cause)
{
  if (cause->ts - effect->ts > FARTHEST_NS || check->n_bumps == BUMPS_MAX || effect->m == cause->m)
    return true;
  if (!trace_grow(&check->bumps, &check->bumps_capacity, check->n_bumps, sizeof *check->bumps))
    return false;
  /* equal times are ordered by M */
  int64_t ts = cause->ts + (effect->m < cause->m);
  check->bumps[check->n_bumps++] = (struct bump){ effect->m, effect->seq, ts };
  return true;
}

/* Index of a life, made if new; TRACE_MAP_NONE: out of memory. */
static uint32_t see_life(struct order_check *check, uint64_t life, bool *is_new)
{
  uint32_t i = trace_map_get(&check->by_life, life);
  *is_new = i == TRACE_MAP_NONE;
  if (!*is_new)
    return i;
  if (!trace_grow(&check->seen, &check->capacity, check->n_seen, sizeof *check->seen))
    return TRACE_MAP_NONE;
  return trace_map_put(&check->by_life, life, check->n_seen) ? check->n_seen++ : TRACE_MAP_NONE;
}

static void end_life(struct order_check *check, uint32_t g)
{
  uint32_t i = trace_map_get(&check->by_life, g);
  if (i != TRACE_MAP_NONE)
    check->seen[i].is_over = true;
}

bool order_check_add(struct order_check *check, const struct trace_event *e)
{
  uint64_t life;
  uint32_t number;
  bool restart, is_new;
  if (e->kind == TRACE_GO_DESTROY)
    end_life(check, e->g);
  if (!life_of(e, &life, &number, &restart))
    return true;
  uint32_t i = see_life(check, life, &is_new);
  if (i == TRACE_MAP_NONE)
    return false;
  struct seen *last = &check->seen[i];
  bool is_next_life = is_new || last->is_over;
  bool is_late = !is_next_life && (int32_t)(number - last->number) < 0;
  /* a G is made before it does anything: a create that comes after is late, too */
  bool create_is_late =
      is_late && e->kind == TRACE_GO_CREATE && !last->is_begun && e->ts - last->ts <= FARTHEST_NS;
  if (is_late && (!restart || create_is_late))
    return add_bump(check, last, e);
  bool is_begun = restart || (!is_next_life && last->is_begun);
  *last = (struct seen){ number, e->m, e->seq, e->ts, is_begun, false };
  return true;
}

/* ---- rewriting chunks ----
 *
 * One walk over the chunks, M by M, with the bumps in the same order. Times are raised across a loss, too: the next
 * chunk must not begin before this one ends. */

struct rewriter {
  struct tracefile *file;
  sqlite3_stmt *rows, *find, *update;
  struct trace_event *events;
  uint8_t *bytes;
  struct chunk_row row;
  const struct bump *bump, *end; /* not yet come to */
  int64_t floor;                 /* times of this M are at least this, from here on */
  uint64_t moved;
};

static int compare_bumps(const void *left, const void *right)
{
  const struct bump *a = left, *b = right;
  if (a->m != b->m)
    return a->m < b->m ? -1 : 1;
  return a->seq < b->seq ? -1 : a->seq > b->seq;
}

static bool load_chunk(struct rewriter *r)
{
  sqlite3_bind_int64(r->find, 1, r->row.id);
  const struct trace_chunk_place place = chunk_row_place(&r->row);
  bool ok = sqlite3_step(r->find) == SQLITE_ROW &&
            trace_chunk_decode(sqlite3_column_blob(r->find, 0),
                               (size_t)sqlite3_column_bytes(r->find, 0), &place, r->events);
  sqlite3_reset(r->find);
  return ok;
}

static bool store_chunk(struct rewriter *r)
{
  size_t size = trace_chunk_encode(r->events, r->row.n, r->bytes);
  r->row.codec = TRACE_CHUNK_CODEC; /* it may have been an older one */
  r->row.t_min = r->events[0].ts;
  r->row.t_max = r->events[r->row.n - 1].ts;
  sqlite3_bind_int64(r->update, 1, r->row.t_min);
  sqlite3_bind_int64(r->update, 2, r->row.t_max);
  sqlite3_bind_int64(r->update, 3, TRACE_CHUNK_CODEC);
  sqlite3_bind_int64(r->update, 4, chunk_row_xxh3(&r->row, r->bytes, size));
  sqlite3_bind_blob64(r->update, 5, r->bytes, size, SQLITE_STATIC);
  sqlite3_bind_int64(r->update, 6, r->row.id);
  bool ok = size > 0 && sqlite3_step(r->update) == SQLITE_DONE;
  sqlite3_reset(r->update);
  return ok;
}

/* True if a bump has come by event seq of the chunk's M. */
static bool is_bump_due(const struct rewriter *r, uint64_t seq)
{
  return r->bump < r->end && r->bump->m == r->row.m && r->bump->seq <= seq;
}

/* Raises times in the loaded chunk. Returns how many. */
static uint64_t raise_times(struct rewriter *r)
{
  uint64_t before = r->moved;
  for (uint64_t i = 0; i < r->row.n; i++) {
    for (; is_bump_due(r, r->row.first_seq + i); r->bump++)
      r->floor = r->bump->ts > r->floor ? r->bump->ts : r->floor;
    if (r->events[i].ts < r->floor) {
      r->events[i].ts = r->floor;
      r->moved++;
    }
  }
  return r->moved - before;
}

static void take_row(struct rewriter *r)
{
  uint32_t m = (uint32_t)sqlite3_column_int64(r->rows, 1);
  if (m != r->row.m)
    r->floor = INT64_MIN;
  r->row = (struct chunk_row){ .id = sqlite3_column_int64(r->rows, 0),
                               .m = m,
                               .first_seq = (uint64_t)sqlite3_column_int64(r->rows, 2),
                               .n = (uint64_t)sqlite3_column_int64(r->rows, 3),
                               .t_min = sqlite3_column_int64(r->rows, 4),
                               .lost_before = (uint64_t)sqlite3_column_int64(r->rows, 5),
                               .codec = (uint64_t)sqlite3_column_int64(r->rows, 6) };
  while (r->bump < r->end && r->bump->m < m) /* of an M whose chunks are damaged */
    r->bump++;
}

static bool rewrite(struct rewriter *r)
{
  int step;
  while ((step = sqlite3_step(r->rows)) == SQLITE_ROW) {
    take_row(r);
    bool is_concerned = r->floor > r->row.t_min || is_bump_due(r, r->row.first_seq + r->row.n - 1);
    if (is_concerned && load_chunk(r) && raise_times(r) > 0 && !store_chunk(r))
      return false;
  }
  return step == SQLITE_DONE;
}

static bool prepare(struct rewriter *r, sqlite3_stmt **stmt, const char *sql)
{
  return sqlite3_prepare_v2(r->file->db, sql, -1, stmt, NULL) == SQLITE_OK;
}

bool order_apply(struct order_check *check, struct tracefile *file, uint64_t *moved,
                 struct tracefile_error *error)
{
  /* the sort reads all rows before the first is given, so updates do not disturb it */
  static const char rows[] =
      "SELECT id, m, first_seq, n, t_min, lost_before, codec FROM chunk ORDER BY m, first_seq, id";
  static const char find[] = "SELECT data FROM chunk WHERE id=?";
  static const char update[] =
      "UPDATE chunk SET t_min=?, t_max=?, codec=?, xxh3=?, data=? WHERE id=?";
  if (check->n_bumps > 0)
    qsort(check->bumps, check->n_bumps, sizeof *check->bumps, compare_bumps);
  struct rewriter r = {
    .file = file, .bump = check->bumps, .end = check->bumps + check->n_bumps, .floor = INT64_MIN
  };
  r.events = malloc(TRACE_CHUNK_EVENTS * sizeof *r.events);
  r.bytes = malloc(TRACE_CHUNK_MAX_BYTES(TRACE_CHUNK_EVENTS));
  bool ok = r.events && r.bytes && prepare(&r, &r.rows, rows) && prepare(&r, &r.find, find) &&
            prepare(&r, &r.update, update) && rewrite(&r);
  if (!ok)
    tracefile_sql_fail(file->db, file->path, error);
  *moved += r.moved;
  sqlite3_finalize(r.rows);
  sqlite3_finalize(r.find);
  sqlite3_finalize(r.update);
  free(r.events);
  free(r.bytes);
  return ok;
}
