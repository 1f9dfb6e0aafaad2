/* SPDX-License-Identifier: MIT */
/* trace-ring.c - makes, maps and drains the shared memory of trace-ring.h, and the emitter's slow paths.
 *
 * Waiting for room (full_blocks) ends for certain, whatever the other side is or does:
 * I1  The recorder clears full_blocks or ends the ring when it goes in order.
 * I2  A recorder that was killed is missed by kill(pid, 0), if it could be seen when the ring was opened (it cannot
 *     from another PID namespace).
 * I3  Otherwise (it is stopped, a zombie, its number was given to another, the page lies) the wait lasts PATIENCE_NS
 *     from the last time that the ring became emptier; and it can become emptier only capacity times.
 * Who finds out clears full_blocks, so that the other Ms need not find out too; from then on events are dropped and
 * counted. The kernel is asked only every YIELDS_A_LOOK yields of a writer that waits.
 * Not done: a heartbeat of the recorder in the page. A beat that goes on while nothing is taken says nothing. */
#include "trace-ring.h"

#include "trace-emit.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define SEALS         (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL)
#define MAX_STRING    65536u
#define MAX_FRAMES    128u
#define MIN_CAPACITY  1024u
#define MAX_CAPACITY  (1u << 24)
#define YIELDS_A_LOOK 64
#define PATIENCE_NS   10000000000

static uint32_t round_up_to_power_of_two(uint32_t n)
{
  uint32_t power = MIN_CAPACITY;
  while (power < n && power < MAX_CAPACITY)
    power *= 2;
  return power;
}

static int fill_control(int fd, uint32_t capacity, uint32_t max_rings)
{
  struct trace_control *control =
      mmap(NULL, TRACE_RINGS_OFFSET, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (control == MAP_FAILED)
    return -errno;
  control->magic = TRACE_CONTROL_MAGIC;
  control->abi = TRACE_ABI;
  control->header_size = sizeof *control;
  control->ring_capacity = capacity;
  control->max_rings = max_rings;
  control->ring_stride = trace_ring_stride(capacity);
  atomic_store(&control->categories, TRACE_FAMILY_ALL);
  munmap(control, TRACE_RINGS_OFFSET);
  return 0;
}

int trace_shm_create(uint32_t capacity, uint32_t max_rings)
{
  if (max_rings == 0 || max_rings > TRACE_MAX_RINGS)
    return -EINVAL;
  capacity = round_up_to_power_of_two(capacity);
  int fd = memfd_create(TRACE_MEMFD_NAME, MFD_CLOEXEC | MFD_ALLOW_SEALING);
  if (fd < 0)
    return -errno;
  int error = 0;
  if (ftruncate(fd, (off_t)trace_shm_size(capacity, max_rings)) < 0 ||
      fcntl(fd, F_ADD_SEALS, SEALS) < 0)
    error = -errno;
  else
    error = fill_control(fd, capacity, max_rings);
  if (error) {
    close(fd);
    return error;
  }
  return fd;
}

/* What is wrong with the geometry that a control page claims, or NULL. size is the memfd's true one. */
static const char *wrong_geometry(const struct trace_control *c, uint64_t size)
{
  if (c->magic != TRACE_CONTROL_MAGIC)
    return "it is not a gmpscope trace memory";
  if (c->abi != TRACE_ABI)
    return "it speaks another version of the trace memory";
  uint32_t capacity = c->ring_capacity;
  if (capacity < MIN_CAPACITY || capacity > MAX_CAPACITY || (capacity & (capacity - 1)))
    return "its ring size is impossible";
  if (c->max_rings == 0 || c->max_rings > TRACE_MAX_RINGS)
    return "its number of rings is impossible";
  if (c->ring_stride != trace_ring_stride(capacity) ||
      size < trace_shm_size(capacity, c->max_rings))
    return "it is smaller than it says";
  return NULL;
}

struct trace_control *trace_shm_map_control(int fd, const char **why)
{
  struct stat st;
  if (fstat(fd, &st) < 0 || st.st_size < (off_t)TRACE_RINGS_OFFSET) {
    *why = "it is not a gmpscope trace memory";
    return NULL;
  }
  int seals = fcntl(fd, F_GET_SEALS);
  if (seals < 0 || (seals & SEALS) != SEALS) {
    *why = "it is not sealed, so reading it would not be safe";
    return NULL;
  }
  struct trace_control *control =
      mmap(NULL, TRACE_RINGS_OFFSET, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (control == MAP_FAILED) {
    *why = strerrorname_np(errno);
    return NULL;
  }
  *why = wrong_geometry(control, (uint64_t)st.st_size);
  if (*why) {
    munmap(control, TRACE_RINGS_OFFSET);
    return NULL;
  }
  return control;
}

void trace_shm_unmap_control(struct trace_control *control)
{
  munmap(control, TRACE_RINGS_OFFSET);
}

struct trace_ring *trace_shm_map_ring(int fd, uint32_t capacity, uint64_t stride, uint32_t i)
{
  off_t offset = (off_t)(TRACE_RINGS_OFFSET + stride * i);
  void *ring =
      mmap(NULL, trace_ring_stride(capacity), PROT_READ | PROT_WRITE, MAP_SHARED, fd, offset);
  return ring == MAP_FAILED ? NULL : ring;
}

void trace_shm_unmap_ring(struct trace_ring *ring, uint32_t capacity)
{
  munmap(ring, trace_ring_stride(capacity));
}

size_t trace_ring_read(struct trace_ring *ring, uint32_t capacity, struct trace_record *out,
                       size_t n, size_t *n_records, bool *broken)
{
  const uint64_t first = atomic_load_explicit(&ring->tail, memory_order_relaxed);
  uint64_t head =
      atomic_load_explicit(&ring->head, memory_order_acquire); /* pairs with trace_publish */
  *broken = head - first > capacity;
  *n_records = 0;
  if (*broken)
    return 0;
  const struct trace_record *records = trace_ring_records(ring);
  uint64_t tail = first;
  size_t n_out = 0;
  for (; tail != head && n_out < n; tail++) {
    struct trace_record record = records[tail & (capacity - 1)], parts[TRACE_FUSED_MAX];
    if (!(record.kind & TRACE_FUSED)) {
      out[n_out++] = record;
      continue;
    }
    size_t n_parts = trace_unfuse(&record, parts);
    if (n_parts > n - n_out)
      break;
    memcpy(out + n_out, parts, n_parts * sizeof *parts);
    n_out += n_parts;
  }
  atomic_store_explicit(&ring->tail, tail, memory_order_release); /* pairs with look_at_tail */
  *n_records = tail - first;
  return n_out;
}

bool trace_ring_peek(struct trace_ring *ring, uint32_t capacity, uint64_t *ticks, bool *broken)
{
  uint64_t tail = atomic_load_explicit(&ring->tail, memory_order_relaxed);
  uint64_t head =
      atomic_load_explicit(&ring->head, memory_order_acquire); /* pairs with trace_publish */
  *broken = head - tail > capacity;
  if (head == tail || *broken)
    return false;
  *ticks = trace_ring_records(ring)[tail & (capacity - 1)].ts;
  return true;
}

/* ---- emitting ---- */

static int64_t mono_ns(void)
{
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

__attribute__((noinline)) uint64_t trace_ticks_slow(const struct trace_writer *w)
{
  if (w->clock == TRACE_CLOCK_VIRTUAL)
    return w->virtual_now(w->ts);
  return (uint64_t)mono_ns();
}

/* In a system call: the other side's time passes, and libc's clock may be a simulation's (runtime/sim-libc.c). */
static int64_t real_ns(void)
{
  struct timespec now = { 0 };
  syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* The recorder's number, or 0 if it cannot be seen from here. */
static int visible_recorder(struct trace_control *control)
{
  uint32_t pid = atomic_load(&control->recorder_pid);
  bool is_seen = pid > 0 && pid <= INT32_MAX && (kill((pid_t)pid, 0) == 0 || errno == EPERM);
  return is_seen ? (int)pid : 0;
}

void trace_writer_open(struct trace_writer *w, struct trace_ring *ring, uint32_t capacity,
                       uint32_t m, uint32_t clock, struct trace_control *waits)
{
  *w = (struct trace_writer){ .ring = ring,
                              .records = trace_ring_records(ring),
                              .head = atomic_load(&ring->head),
                              .capacity = capacity,
                              .clock = clock,
                              .p = TRACE_NO_P,
                              .waits = waits,
                              .recorder = waits ? visible_recorder(waits) : 0,
                              .patience_ns = PATIENCE_NS,
                              .emitted = atomic_load(&ring->emitted),
                              .lost = atomic_load(&ring->lost) };
  w->end = w->records + capacity;
  w->next = &w->records[w->head & (capacity - 1)];
  w->limit = atomic_load(&ring->tail) + capacity;
  ring->magic = TRACE_RING_MAGIC;
  ring->m = m;
  atomic_store_explicit(&ring->state, TRACE_RING_ACTIVE, memory_order_release);
}

/* How many records wait to be read. */
static uint64_t look_at_tail(struct trace_writer *w)
{
  /* pairs with the release in trace_ring_read: the slots before tail were copied */
  uint64_t tail = atomic_load_explicit(&w->ring->tail, memory_order_acquire);
  uint64_t filled =
      w->head - tail; /* more than capacity: whoever wrote that tail is not our recorder */
  w->limit = w->lost_pending == 0 && filled <= w->capacity ? tail + w->capacity : w->head;
  return filled;
}

void trace_begin_transition(struct trace_writer *w)
{
  w->dropping = false;
  if (trace_is_open(w))
    trace_end_open(w);
  if (w->lost_pending != 0) {
    w->dropping = look_at_tail(w) + TRACE_TRANSITION > w->capacity;
    if (w->dropping)
      return;
  }
  trace_stamp(w);
}

/* A wait for room: since when the ring has not become emptier. */
struct patience {
  uint64_t least; /* records in the ring */
  int64_t since;
};

/* True if nobody will make room any more. */
static bool is_recorder_gone(const struct trace_writer *w, uint64_t filled, struct patience *p)
{
  if (w->recorder && kill(w->recorder, 0) < 0 && errno == ESRCH)
    return true;
  int64_t now = real_ns();
  if (filled < p->least)
    *p = (struct patience){ filled, now };
  return now - p->since > w->patience_ns;
}

static bool yield_until_room(struct trace_writer *w, uint32_t n)
{
  struct patience patience = { w->capacity, real_ns() };
  uint64_t filled;
  for (uint32_t i = 1; (filled = look_at_tail(w)) + n > w->capacity; i++) {
    if (!atomic_load_explicit(&w->waits->full_blocks, memory_order_relaxed) ||
        atomic_load_explicit(&w->ring->state, memory_order_relaxed) != TRACE_RING_ACTIVE)
      return false; /* the recorder, or another M, gave up */
    if (filled > w->capacity ||
        (i % YIELDS_A_LOOK == 0 && is_recorder_gone(w, filled, &patience))) {
      atomic_store(&w->waits->full_blocks, 0);
      return false;
    }
    sched_yield();
  }
  return true;
}

/* False: there is no room, and from now on the writer drops. The program's errno is left as it is. */
static bool wait_for_room(struct trace_writer *w, uint32_t n)
{
  int saved = errno;
  bool room = yield_until_room(w, n);
  if (!room)
    w->waits = NULL;
  errno = saved;
  return room;
}

static void tell_losses(struct trace_writer *w)
{
  uint64_t n = w->lost_pending;
  w->lost_pending = 0;
  look_at_tail(w);
  trace_write(w, TRACE_LOST, n, w->lost_since);
  trace_publish(w, 1);
}

bool trace_reserve_slow(struct trace_writer *w, uint32_t n)
{
  if (trace_is_open(w)) {
    trace_end_open(w);
    return trace_reserve(w, n);
  }
  uint32_t needed = n + (w->lost_pending ? 1 : 0);
  bool room = look_at_tail(w) + needed <= w->capacity;
  if (!room && w->waits && needed <= w->capacity)
    room = wait_for_room(w, needed);
  if (!room) {
    trace_drop(w, n);
    return false;
  }
  if (w->lost_pending)
    tell_losses(w);
  return true;
}

void trace_writer_close(struct trace_writer *w)
{
  if (trace_is_open(w))
    trace_end_open(w);
  if (w->lost_pending && look_at_tail(w) < w->capacity)
    tell_losses(w);
  atomic_store_explicit(&w->ring->emitted, w->emitted, memory_order_relaxed);
  atomic_store_explicit(&w->ring->state, TRACE_RING_ENDED, memory_order_release);
  w->ring = NULL;
}

void trace_emit_string(struct trace_writer *w, uint32_t id, const char *bytes, size_t n)
{
  if (n > MAX_STRING)
    n = MAX_STRING;
  uint32_t parts = (uint32_t)((n + 15) / 16);
  if (!trace_reserve(w, 1 + parts))
    return;
  trace_write(w, TRACE_STRING, id | (uint64_t)n << 32, 0);
  trace_publish(w, 1 + parts); /* who is killed before the end has lost the rest */
  for (uint32_t i = 0; i < parts; i++) {
    size_t left = n - (size_t)i * 16;
    struct trace_record *r = trace_write(w, TRACE_STRING_PART, 0, 0);
    memcpy(r->d, bytes + (size_t)i * 16, left < 16 ? left : 16);
    trace_publish(w, 0);
  }
}

void trace_emit_stack(struct trace_writer *w, uint32_t id, const uint64_t *pcs, size_t n)
{
  if (n > MAX_FRAMES)
    n = MAX_FRAMES;
  uint32_t parts = (uint32_t)((n + 1) / 2);
  if (!trace_reserve(w, 1 + parts))
    return;
  trace_write(w, TRACE_STACK_BEGIN, id | (uint64_t)n << 32, 0);
  trace_publish(w, 1 + parts); /* who is killed before the end has lost the rest */
  for (uint32_t i = 0; i < parts; i++) {
    trace_write(w, TRACE_STACK_PART, pcs[(size_t)i * 2],
                i * 2 + 1 < n ? pcs[(size_t)i * 2 + 1] : 0);
    trace_publish(w, 0);
  }
}
