/* SPDX-License-Identifier: MIT */
/* drain.c - copies records out of shared memory, makes events of them, keeps the books.
 *
 * I1  A record is copied before it is looked at, and the copy is checked: its kind must be in the table. What is
 *     no event counts as lost, with a reason, so that the books still close.
 * I2  An event's number is the number of events stored and lost before it on its M. A lost record says how many
 *     were lost before it; it is believed only as far as the ring's own counter goes.
 * I3  At the end, for every ring: emitted (the program's counter) = stored + lost. What is missing then was
 *     lost because the ring was full when the program ended, or because it was killed in the middle of an
 *     event; both are said.
 *
 * I4  An M that found no ring left counts its events in one counter, without times. They are lost, too: from when the
 *     last ring may have been taken, as it was seen in a round.
 *
 * I5  A program may write faster than we read. When recording is to stop, the end of every ring is noted at once, in the
 *     middle of a round if need be, and nothing behind it is read (but for the few records of a last batch).
 *
 * A ring belongs to one M for ever; two rings of the same M (the runtime was started twice) follow each other.
 *
 * Cost: a copy of 32 bytes, a table look-up and two multiplications an event.
 */
#include "drain.h"

#include "trace-fuse.h"

#include <assert.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

#define SYNC_EVERY_NS 100000000
#define SYNC_IDLE_NS  1000000000 /* while nothing happens: each look is a row and a commit */
#define AHEAD_MIN     2048       /* records, 64 KiB */
#define AHEAD_MAX     32768      /* 1 MiB */
#define LAST_ROUNDS   4          /* one empties every ring */

/* Where WHEN and TICKS stand, by kind; from the table. */
struct time_words {
  uint8_t when, ticks; /* bit i: d[i] is one */
};
static struct time_words time_words[TRACE_KIND_LIMIT];

static void fill_time_words(void)
{
  for (uint32_t kind = 0; kind < TRACE_KIND_LIMIT; kind++) {
    for (int word = 0; word < 4; word += 2) {
      enum trace_arg type = trace_specs[kind].args[word].type;
      time_words[kind].when |= (uint8_t)((type == TRACE_ARG_WHEN) << (word / 2));
      time_words[kind].ticks |= (uint8_t)((type == TRACE_ARG_TICKS) << (word / 2));
    }
  }
}

static int64_t clamp_ts(int64_t ts)
{
  return ts < 0 ? 0 : ts > TRACEFILE_TIME_MAX ? TRACEFILE_TIME_MAX : ts;
}

/* ---- opening ---- */

bool drain_open(struct drain *d, int fd, struct rec_clock *clock, struct rec_writer *writer,
                struct tracefile_error *error)
{
  const char *why = NULL;
  *d = (struct drain){ .fd = fd, .clock = clock, .writer = writer };
  fill_time_words();
  d->control = trace_shm_map_control(fd, &why);
  if (!d->control)
    return tracefile_fail(error, TRACEFILE_REFUSED, "the program's trace memory", "", "%s", why);
  d->capacity = d->control->ring_capacity; /* checked when it was mapped, copied once */
  d->max_rings = d->control->max_rings;
  d->stride = trace_ring_stride(d->capacity);
  d->rings = calloc(d->max_rings, sizeof *d->rings);
  d->batch = malloc(DRAIN_BATCH * sizeof *d->batch);
  d->events = malloc(DRAIN_BATCH * sizeof *d->events);
  if (d->rings && d->batch && d->events)
    return true;
  drain_close(d);
  return tracefile_fail(error, TRACEFILE_REFUSED, "recording", "", "there is not enough memory");
}

void drain_close(struct drain *d)
{
  for (uint32_t i = 0; i < d->n_rings; i++) {
    assert(d->rings);
    if (d->rings[i].ring)
      trace_shm_unmap_ring(d->rings[i].ring, d->capacity);
  }
  if (d->control)
    trace_shm_unmap_control(d->control);
  free(d->rings);
  free(d->batch);
  free(d->events);
  d->control = NULL;
  d->rings = NULL;
  d->batch = NULL;
  d->events = NULL;
  d->n_rings = 0;
}

/* False: the ring is not ready yet. */
static bool ring_is_ready(struct drain *d, uint32_t i)
{
  struct drain_ring *r = &d->rings[i];
  if (!r->ring)
    r->ring = trace_shm_map_ring(d->fd, d->capacity, d->stride, i);
  if (!r->ring || r->broken)
    return false;
  return atomic_load_explicit(&r->ring->state, memory_order_acquire) != TRACE_RING_FREE;
}

/* Makes the memory that the producer comes to next on its first lap, so that it does not stop for zeroed pages: as
 * much as it wrote so far, within bounds, so that a thousand idle rings take little. Best effort. */
static void make_room_ahead(struct drain *d, uint32_t i)
{
  struct drain_ring *r = &d->rings[i];
  uint64_t ahead = r->n_records < AHEAD_MIN   ? AHEAD_MIN
                   : r->n_records < AHEAD_MAX ? r->n_records
                                              : AHEAD_MAX;
  uint64_t wanted = r->n_records + ahead < d->capacity ? r->n_records + ahead : d->capacity;
  if (wanted < r->n_ready + AHEAD_MIN && wanted < d->capacity)
    return; /* not for a page or two */
  if (wanted <= r->n_ready)
    return;
  const uint64_t records = TRACE_RINGS_OFFSET + d->stride * i + TRACE_RING_HEADER;
  const uint64_t size = sizeof(struct trace_record);
  fallocate(d->fd, 0, (off_t)(records + r->n_ready * size), (off_t)((wanted - r->n_ready) * size));
  r->n_ready = wanted;
}

/* ---- one record ---- */

/* Puts the records that were no events into the books. */
static bool flush_bad_run(struct drain *d, struct drain_ring *r, struct tracefile_error *error)
{
  uint64_t n = r->bad_run;
  r->bad_run = 0;
  return n == 0 || rec_writer_loss(d->writer, r->m, n, r->last_ts, r->last_ts,
                                   "the records were damaged: no such kind of event", error);
}

/* How many events a lost record accounts for: what it says, but no more than the ring's counter knows of. */
static uint64_t believed_loss(struct drain_ring *r, uint64_t told)
{
  uint64_t lost = atomic_load_explicit(&r->ring->lost, memory_order_relaxed);
  uint64_t untold = lost > r->n_told ? lost - r->n_told : 0;
  return told < untold ? told : untold;
}

static void convert_times(struct drain *d, struct trace_event *e)
{
  const struct time_words words = time_words[e->kind];
  for (int i = 0; i < 2; i++) {
    if (words.when >> i & 1)
      e->d[i] = (uint64_t)rec_clock_from_mono(d->clock, e->d[i]);
    if (words.ticks >> i & 1)
      e->d[i] = (uint64_t)clamp_ts(rec_clock_ns(d->clock, e->d[i]));
  }
}

static uint64_t next_seq(struct drain *d, const struct drain_ring *r)
{
  const struct writer_m *counts = rec_writer_m(d->writer, r->m);
  return counts ? counts->next_seq : 0;
}

/* Written field by field into its place: a copy of what was just written in parts would wait for all of it. */
static void make_event(struct drain *d, const struct drain_ring *r,
                       const struct trace_record *record, uint64_t seq, struct trace_event *e)
{
  e->ts = clamp_ts(rec_clock_ns(d->clock, record->ts));
  e->seq = seq;
  e->m = r->m;
  e->g = record->g;
  e->p = record->p;
  e->kind = record->kind;
  e->pad = 0;
  e->d[0] = record->d[0];
  e->d[1] = record->d[1];
  if (time_words[e->kind].when | time_words[e->kind].ticks)
    convert_times(d, e);
}

static void note_time(struct drain *d, struct drain_ring *r, int64_t ts)
{
  r->last_ts = ts > r->last_ts ? ts : r->last_ts;
  d->last_ts = ts > d->last_ts ? ts : d->last_ts;
}

/* A record that is a loss, or no event, or stands behind one that was none. */
static bool take_special(struct drain *d, struct drain_ring *r, const struct trace_record *record,
                         struct tracefile_error *error)
{
  if (!trace_spec_get(record->kind)) {
    r->n_rejected++;
    r->bad_run++;
    return true;
  }
  if (!flush_bad_run(d, r, error))
    return false;
  struct trace_event e;
  make_event(d, r, record, next_seq(d, r), &e);
  if (e.kind == TRACE_LOST) {
    uint64_t n = believed_loss(r, e.d[0]);
    r->n_told += n;
    e.seq += n;
  }
  r->any = true;
  note_time(d, r, e.ts);
  return rec_writer_event(d->writer, &e, error);
}

/* How many records of n, from the first on, are plain events; makes these of them. */
static size_t make_events(struct drain *d, struct drain_ring *r, const struct trace_record *records,
                          size_t n)
{
  const uint64_t seq = next_seq(d, r);
  size_t i = 0;
  for (; i < n && trace_spec_get(records[i].kind) && records[i].kind != TRACE_LOST; i++) {
    make_event(d, r, &records[i], seq + i, &d->events[i]);
    note_time(d, r, d->events[i].ts);
  }
  r->any |= i > 0;
  return i;
}

/* Writes the first n records of the batch. */
static bool take_batch(struct drain *d, struct drain_ring *r, size_t n,
                       struct tracefile_error *error)
{
  for (size_t i = 0, plain; i<n; i += plain> 0 ? plain : 1) {
    const struct trace_record *next = &d->batch[i];
    plain = r->bad_run == 0 ? make_events(d, r, next, n - i) : 0;
    if (plain > 0 ? !rec_writer_events(d->writer, d->events, plain, error)
                  : !take_special(d, r, next, error))
      return false;
  }
  return true;
}

/* ---- rounds ---- */

static bool meta_number(struct drain *d, const char *key, int64_t n, struct tracefile_error *error)
{
  char text[24];
  snprintf(text, sizeof text, "%lld", (long long)n);
  return rec_writer_meta(d->writer, key, text, error);
}

/* The earliest record that stands first in a ring; UINT64_MAX if all there is is broken. False: there is none. */
static bool find_first_ticks(struct drain *d, uint64_t *first)
{
  bool any = false;
  *first = UINT64_MAX;
  for (uint32_t i = 0; i < d->n_rings; i++) {
    uint64_t ticks = UINT64_MAX;
    bool broken = false;
    if (!ring_is_ready(d, i) ||
        (!trace_ring_peek(d->rings[i].ring, d->capacity, &ticks, &broken) && !broken))
      continue;
    *first = *first < ticks ? *first : ticks;
    any = true;
  }
  return any;
}

/* The trace begins with its first record. True also while there is none. */
static bool begin_trace(struct drain *d, struct tracefile_error *error)
{
  uint64_t first;
  if (!find_first_ticks(d, &first))
    return true;
  uint32_t kind = atomic_load(&d->control->clock);
  if (kind < TRACE_CLOCK_TSC || kind > TRACE_CLOCK_VIRTUAL)
    return tracefile_fail(error, TRACEFILE_REFUSED, "the program's trace memory", "",
                          "its clock is of an unknown kind (%u)", kind);
  rec_clock_begin(d->clock, kind, first);
  d->clock_is_set = true;
  return meta_number(d, "start_wall_ns", d->clock->start_wall, error) &&
         meta_number(d, "start_mono_ns", d->clock->start_mono, error);
}

static bool sync_clock(struct drain *d, struct tracefile_error *error)
{
  int64_t now = rec_mono_ns();
  if (now - d->last_sync < (d->moved_since_sync ? SYNC_EVERY_NS : SYNC_IDLE_NS))
    return true;
  d->last_sync = now;
  d->moved_since_sync = false;
  struct clock_look look;
  int64_t off = rec_clock_sync(d->clock, &look);
  if (d->clock->kind == TRACE_CLOCK_VIRTUAL)
    return true; /* the same seed gives the same file: no real clock in it */
  return rec_writer_clock(d->writer, rec_clock_from_mono(d->clock, (uint64_t)look.mono_ns),
                          look.ticks, look.mono_ns, look.wall_ns, off, error);
}

static void count_rings(struct drain *d)
{
  uint32_t n = atomic_load_explicit(&d->control->n_rings, memory_order_acquire);
  d->n_rings = n < d->n_rings ? d->n_rings : n < d->max_rings ? n : d->max_rings;
}

void drain_stop(struct drain *d)
{
  if (d->stopped)
    return;
  count_rings(d);
  d->stopped = true;
  for (uint32_t i = 0; i < d->n_rings; i++) {
    struct drain_ring *r = &d->rings[i];
    if (!ring_is_ready(d, i))
      continue;
    uint64_t head = atomic_load_explicit(&r->ring->head, memory_order_acquire);
    uint64_t filled = head - atomic_load_explicit(&r->ring->tail, memory_order_relaxed);
    r->n_left = filled < d->capacity
                    ? filled
                    : d->capacity; /* a head that is broken shows when it is read */
    r->lost_at_stop = atomic_load_explicit(&r->ring->lost, memory_order_acquire);
  }
  atomic_store(&d->control->requested, TRACE_STATE_OFF);
  atomic_store(&d->control->full_blocks, 0);
  for (uint32_t i = 0; i < d->n_rings; i++) {
    if (d->rings[i].ring)
      atomic_store(&d->rings[i].ring->state, TRACE_RING_ENDED);
  }
}

/* A record is at least one event, so reading no more events than records are left does not go beyond them, but for what
 * a fused record needs at once. */
static size_t last_batch(const struct drain_ring *r)
{
  size_t n = r->n_left < DRAIN_BATCH ? (size_t)r->n_left : DRAIN_BATCH;
  return n == 0 || n > TRACE_FUSED_MAX ? n : TRACE_FUSED_MAX;
}

static bool drain_ring(struct drain *d, struct drain_ring *r, uint64_t *moved,
                       struct tracefile_error *error)
{
  size_t n_records = 1;
  for (uint64_t left = d->capacity;
       left > 0 && n_records > 0;) { /* once round at most: the other rings wait too */
    bool broken;
    if (!d->stopped && d->should_stop && d->should_stop(d->stop_arg))
      drain_stop(d);
    size_t n_events = d->stopped ? last_batch(r) : DRAIN_BATCH;
    if (n_events == 0)
      break;
    size_t n = trace_ring_read(r->ring, d->capacity, d->batch, n_events, &n_records, &broken);
    if (broken) {
      r->broken = true;
      d->n_broken++;
      return true;
    }
    if (!take_batch(d, r, n, error))
      return false;
    r->n_read += n;
    r->n_records += n_records;
    r->n_left -= n_records < r->n_left ? n_records : r->n_left;
    *moved += n_records;
    left -= n_records < left ? n_records : left;
  }
  return flush_bad_run(d, r, error);
}

/* While there is a ring to be had, no M lacks one: up to before the look nothing was lost for that. */
static void look_for_free_rings(struct drain *d)
{
  if (!d->clock_is_set || d->all_rings_taken)
    return;
  bool is_virtual = d->clock->kind == TRACE_CLOCK_VIRTUAL; /* then our clock says nothing */
  int64_t now = is_virtual ? d->last_ts : rec_clock_from_mono(d->clock, (uint64_t)rec_mono_ns());
  d->all_rings_taken =
      atomic_load(&d->control->n_rings) >= d->max_rings || atomic_load(&d->control->unringed) > 0;
  if (!d->all_rings_taken)
    d->all_ringed_until = clamp_ts(now);
}

bool drain_round(struct drain *d, uint64_t *moved, unsigned *fullest, struct tracefile_error *error)
{
  *moved = 0;
  *fullest = 0;
  if (!d->stopped)
    count_rings(d);
  if (!(d->clock_is_set ? sync_clock(d, error) : begin_trace(d, error)))
    return false;
  look_for_free_rings(d);
  for (uint32_t i = 0; d->clock_is_set && i < d->n_rings; i++) {
    struct drain_ring *r = &d->rings[i];
    uint64_t before = *moved;
    if (!ring_is_ready(d, i))
      continue;
    if (!r->any)
      r->m = r->ring->m;
    if (!drain_ring(d, r, moved, error))
      return false;
    make_room_ahead(d, i);
    d->moved_since_sync |= *moved > before;
    unsigned filled = (unsigned)((*moved - before) * 256 / d->capacity);
    *fullest = filled > *fullest ? filled : *fullest;
  }
  return rec_writer_tick(d->writer, error);
}

/* ---- the books ---- */

/* What was emitted and is neither stored nor told lost. */
static bool close_books(struct drain *d, struct drain_ring *r, bool gone,
                        struct tracefile_error *error)
{
  bool is_whole = gone && !d->stopped;
  uint64_t lost =
      d->stopped ? r->lost_at_stop : atomic_load_explicit(&r->ring->lost, memory_order_acquire);
  uint64_t emitted = atomic_load_explicit(&r->ring->emitted, memory_order_acquire);
  uint64_t accounted = r->n_read + r->n_told;
  uint64_t at_end = lost > r->n_told ? lost - r->n_told : 0;
  if (emitted < accounted + at_end || !is_whole) /* killed between the two counters of a loss */
    emitted = accounted + at_end;
  uint64_t missing = emitted - accounted;
  if (r->broken || missing > (uint64_t)INT64_MAX / 2) {
    emitted = accounted + 1; /* how many it were its counters do not say */
    missing = at_end = 0;
    if (!rec_writer_loss(d->writer, r->m, 1, r->last_ts, d->last_ts,
                         "the ring was given up, for its counters were impossible: that, and what "
                         "came after it",
                         error))
      return false;
  }
  if (at_end > 0 && !rec_writer_loss(d->writer, r->m, at_end, r->last_ts, d->last_ts,
                                     is_whole ? "the ring was full when the program ended"
                                              : "the ring was full when the recording stopped",
                                     error))
    return false;
  if (missing > at_end &&
      !rec_writer_loss(d->writer, r->m, missing - at_end, r->last_ts, d->last_ts,
                       "the program ended in the middle of an event", error))
    return false;
  d->n_rejected += r->n_rejected;
  r->n_emitted = emitted;
  return true;
}

/* An M may have had several rings, if the runtime was started again. */
static bool tell_emitted(struct drain *d, uint32_t m, struct tracefile_error *error)
{
  uint64_t sum = 0;
  for (uint32_t i = 0; i < d->n_rings; i++)
    sum += d->rings[i].m == m ? d->rings[i].n_emitted : 0;
  return rec_writer_stat(d->writer, "ring_emitted", m, sum, "info",
                         "events that the program counted on this M", error);
}

static bool tell_stats(struct drain *d, struct tracefile_error *error)
{
  uint64_t unringed = atomic_load(&d->control->unringed);
  if (unringed > (uint64_t)INT64_MAX)
    unringed = INT64_MAX;
  if (unringed > 0 &&
      !rec_writer_loss_of_unknown(d->writer, unringed, d->all_ringed_until, d->last_ts,
                                  "no ring was left for their Ms", error))
    return false;
  return rec_writer_stat(d->writer, "unringed", -1, unringed, unringed ? "data_loss" : "info",
                         "events lost because no ring was left for their M", error) &&
         rec_writer_stat(d->writer, "rejected", -1, d->n_rejected, d->n_rejected ? "error" : "info",
                         "records that were no events; counted as lost", error) &&
         rec_writer_stat(d->writer, "broken_rings", -1, d->n_broken, d->n_broken ? "error" : "info",
                         "rings given up because their counters were impossible", error);
}

bool drain_finish(struct drain *d, bool gone, struct tracefile_error *error)
{
  uint64_t moved = 1;
  unsigned fullest;
  for (int i = 0; i < LAST_ROUNDS && moved > 0; i++) {
    if (!drain_round(d, &moved, &fullest, error))
      return false;
  }
  for (uint32_t i = 0; i < d->n_rings; i++) {
    struct drain_ring *r = &d->rings[i];
    bool was_used = r->ring && (r->any || r->broken);
    if (was_used && (!close_books(d, r, gone, error) || !tell_emitted(d, r->m, error)))
      return false;
  }
  return tell_stats(d, error);
}
