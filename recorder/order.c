/* SPDX-License-Identifier: MIT */
/* order.c - time order is made an order of causes.
 *
 * Counters of two cores may differ by some ns, and a thread may be interrupted between reading the clock and
 * publishing.  So a G can seem to start before it was made ready.  Every scheduling event of a G or P carries its
 * number in the life of that G or P: where a smaller number comes after a larger one, the event with the larger
 * one is the effect, and it is moved to just behind its cause, with everything on its M that would otherwise be
 * overtaken.  Moving one may put another before its own cause, so the finaliser checks again, a few times.
 *
 * More than 10 ms apart is no clock: a hostile or broken trace is left as it is, and the check says so.
 * Not done: keeping the original times in a column. The chunk would grow for a case that is rare; the
 * number of moved events is in stats.
 */
#include "order.h"

#include "trace-map.h"

#include <stdlib.h>
#include <string.h>

#define FARTHEST_NS 10000000
#define BUMPS_MAX   100000

/* The last event seen with a number in the life of one G or P. */
struct seen {
  uint32_t number, m;
  uint64_t seq;
  int64_t ts;
};

struct bump { /* from event seq of M m on, times are at least ts */
  uint32_t m;
  uint64_t seq;
  int64_t ts;
};

struct order_check {
  struct trace_map by_life; /* G: its id; P: 2^32 + its id */
  struct seen *seen;
  uint32_t n_seen, capacity;
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
  if (check->n_bumps == check->bumps_capacity) {
    size_t larger = check->bumps_capacity ? check->bumps_capacity * 2 : 16;
    struct bump *grown = realloc(check->bumps, larger * sizeof *grown);
    if (!grown)
      return false;
    check->bumps = grown;
    check->bumps_capacity = larger;
  }
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
  if (check->n_seen == check->capacity) {
    uint32_t larger = check->capacity ? check->capacity * 2 : 256;
    struct seen *grown = realloc(check->seen, larger * sizeof *grown);
    if (!grown)
      return TRACE_MAP_NONE;
    check->seen = grown;
    check->capacity = larger;
  }
  return trace_map_put(&check->by_life, life, check->n_seen) ? check->n_seen++ : TRACE_MAP_NONE;
}

bool order_check_add(struct order_check *check, const struct trace_event *e)
{
  uint64_t life;
  uint32_t number;
  bool restart, is_new;
  if (!life_of(e, &life, &number, &restart))
    return true;
  uint32_t i = see_life(check, life, &is_new);
  if (i == TRACE_MAP_NONE)
    return false;
  struct seen *last = &check->seen[i];
  bool is_late = !is_new && (int32_t)(number - last->number) < 0;
  /* a G is made before it does anything: a create that comes after is late, too */
  bool create_is_late = is_late && e->kind == TRACE_GO_CREATE && e->ts - last->ts <= FARTHEST_NS;
  if (is_late && (!restart || create_is_late))
    return add_bump(check, last, e);
  *last = (struct seen){ number, e->m, e->seq, e->ts };
  return true;
}

/* ---- rewriting chunks ---- */

struct rewriter {
  struct tracefile *file;
  sqlite3_stmt *find, *update;
  struct trace_event *events;
  uint8_t *bytes;
  struct chunk_row row;
  uint64_t moved;
};

static bool load_chunk(struct rewriter *r, const struct bump *bump, uint64_t seq)
{
  sqlite3_bind_int64(r->find, 1, bump->m);
  sqlite3_bind_int64(r->find, 2, (int64_t)seq);
  bool ok = sqlite3_step(r->find) == SQLITE_ROW;
  if (ok) {
    r->row = (struct chunk_row){ .id = sqlite3_column_int64(r->find, 0),
                                 .m = bump->m,
                                 .first_seq = (uint64_t)sqlite3_column_int64(r->find, 1),
                                 .n = (uint64_t)sqlite3_column_int64(r->find, 2),
                                 .t_min = sqlite3_column_int64(r->find, 3),
                                 .lost_before = (uint64_t)sqlite3_column_int64(r->find, 4),
                                 .codec = TRACE_CHUNK_CODEC };
    ok = r->row.n <= TRACE_CHUNK_EVENTS &&
         trace_chunk_decode(sqlite3_column_blob(r->find, 5),
                            (size_t)sqlite3_column_bytes(r->find, 5), r->row.n, bump->m,
                            r->row.first_seq, r->row.t_min, r->events);
  }
  sqlite3_reset(r->find);
  return ok;
}

static bool store_chunk(struct rewriter *r)
{
  size_t size = trace_chunk_encode(r->events, r->row.n, r->bytes);
  r->row.t_min = r->events[0].ts;
  r->row.t_max = r->events[r->row.n - 1].ts;
  sqlite3_bind_int64(r->update, 1, r->row.t_min);
  sqlite3_bind_int64(r->update, 2, r->row.t_max);
  sqlite3_bind_int64(r->update, 3, chunk_row_xxh3(&r->row, r->bytes, size));
  sqlite3_bind_blob64(r->update, 4, r->bytes, size, SQLITE_STATIC);
  sqlite3_bind_int64(r->update, 5, r->row.id);
  bool ok = size > 0 && sqlite3_step(r->update) == SQLITE_DONE;
  sqlite3_reset(r->update);
  return ok;
}

/* Raises times in the loaded chunk from seq on. Returns true if the next chunk needs it, too. */
static bool raise_times(struct rewriter *r, const struct bump *bump, uint64_t seq)
{
  uint64_t i = seq > r->row.first_seq ? seq - r->row.first_seq : 0;
  for (; i < r->row.n && r->events[i].ts < bump->ts; i++) {
    r->events[i].ts = bump->ts;
    r->moved++;
  }
  return i == r->row.n;
}

static bool apply_bump(struct rewriter *r, const struct bump *bump)
{
  uint64_t seq = bump->seq;
  while (load_chunk(r, bump, seq)) {
    bool goes_on = raise_times(r, bump, seq);
    if (!store_chunk(r))
      return false;
    if (!goes_on)
      return true;
    seq = r->row.first_seq + r->row.n;
  }
  return true; /* the end of the M, or a loss: nothing there to overtake */
}

bool order_apply(const struct order_check *check, struct tracefile *file, uint64_t *moved,
                 struct tracefile_error *error)
{
  static const char find[] =
      "SELECT id, first_seq, n, t_min, lost_before, data FROM chunk WHERE m=?1 AND "
      "first_seq<=?2 AND first_seq+n>?2";
  static const char update[] = "UPDATE chunk SET t_min=?, t_max=?, xxh3=?, data=? WHERE id=?";
  struct rewriter r = { .file = file };
  r.events = malloc(TRACE_CHUNK_EVENTS * sizeof *r.events);
  r.bytes = malloc(TRACE_CHUNK_MAX_BYTES(TRACE_CHUNK_EVENTS));
  bool ok = r.events && r.bytes &&
            sqlite3_prepare_v2(file->db, find, -1, &r.find, NULL) == SQLITE_OK &&
            sqlite3_prepare_v2(file->db, update, -1, &r.update, NULL) == SQLITE_OK;
  for (size_t i = 0; ok && i < check->n_bumps; i++)
    ok = apply_bump(&r, &check->bumps[i]);
  if (!ok)
    tracefile_sql_fail(file->db, file->path, error);
  *moved += r.moved;
  sqlite3_finalize(r.find);
  sqlite3_finalize(r.update);
  free(r.events);
  free(r.bytes);
  return ok;
}
