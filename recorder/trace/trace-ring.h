/* SPDX-License-Identifier: MIT */
/* trace-ring.h - the shared memory between a program and its recorder: control page and rings.
 *
 * One sealed memfd (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) holds all of it:
 *
 *   offset 0                struct trace_control
 *   TRACE_RINGS_OFFSET      ring 0: struct trace_ring, then its records
 *   + ring_stride           ring 1 ...
 *
 * The file is as large as all rings together from the start, but sparse: a ring takes memory only when
 * its M writes.  One file, not one per ring: the recorder that made it, or opened it once, holds every
 * ring that will ever exist, so a program that dies at once leaves nothing behind that cannot be read.
 *
 * I1  A ring has one producer (its M) and one consumer (the recorder).  head is stored by the producer
 *     with release after the record is whole; tail by the consumer with release after it was copied.
 * I2  emitted counts every event the producer tried to write: those in the records up to head (several in a
 *     fused one, trace-fuse.h) and the lost ones, once the producer is between two emits.  So what the recorder stores
 *     is emitted - lost.
 * I3  Everything in here is hostile to the reader: the other side may write anything at any time.  Copy
 *     first, then validate the copy; never follow an offset or length that was not checked.
 *
 * Not done: a lock, a doorbell, or a thread in the program.  The recorder polls; the program never waits
 * (unless full_blocks is set, for a lossless classroom run; even then not for a recorder that is gone).
 */
#pragma once
#include "trace-event.h"

#include <stdatomic.h>

#define TRACE_CONTROL_MAGIC 0x4c525443504d4753ull /* "SGMPCTRL" */
#define TRACE_RING_MAGIC    0x474e4952504d4753ull /* "SGMPRING" */
#define TRACE_ABI           2u
#define TRACE_MAX_RINGS     1024u
#define TRACE_RINGS_OFFSET  65536u
#define TRACE_RING_HEADER   4096u /* bytes before the first record of a ring */

/* `gmpscope record` passes the memfd's number to the program in this variable. */
#define TRACE_ENV_FD     "GMPSCOPE_TRACE_FD"
#define TRACE_MEMFD_NAME "gmpscope-trace"

enum trace_clock {
  TRACE_CLOCK_TSC = 1,     /* x86 invariant TSC */
  TRACE_CLOCK_CNTVCT = 2,  /* aarch64 virtual counter */
  TRACE_CLOCK_MONO = 3,    /* clock_gettime(CLOCK_MONOTONIC), ns */
  TRACE_CLOCK_VIRTUAL = 4, /* simulation, ns */
};

enum trace_state { /* of the program's tracing; written by the program */
  TRACE_STATE_OFF = 0,
  TRACE_STATE_STARTING = 1,
  TRACE_STATE_ON = 2,
  TRACE_STATE_ENDED = 3, /* the program said trace_end, or its scheduler is gone */
};

enum trace_ring_state {
  TRACE_RING_FREE = 0,
  TRACE_RING_ACTIVE = 1,
  TRACE_RING_ENDED = 2, /* its M is gone; it will not be written again */
};

struct trace_control {
  uint64_t magic;
  uint32_t abi;
  uint32_t header_size;   /* sizeof(struct trace_control) of who made it */
  uint32_t ring_capacity; /* records a ring, a power of two */
  uint32_t max_rings;
  uint64_t ring_stride; /* bytes from one ring to the next */
  /* Written by the program. */
  _Atomic uint32_t pid;       /* 0: nobody writes yet; set by the one process that will */
  _Atomic uint32_t state;     /* enum trace_state */
  _Atomic uint32_t clock;     /* enum trace_clock */
  _Atomic uint32_t n_rings;   /* ring table entries in use */
  _Atomic uint64_t unringed;  /* events lost because no ring was left for their M */
  _Atomic uint64_t load_base; /* address at which the main executable is mapped */
  /* Written by the recorder. */
  _Atomic uint32_t requested;   /* enum trace_state: ON or OFF */
  _Atomic uint32_t categories;  /* mask of enum trace_family */
  _Atomic uint32_t full_blocks; /* producers wait for room instead of dropping */
  _Atomic uint32_t recorder_pid;
  _Atomic uint64_t recorder_start;
  /* Written by the program. */
  _Atomic uint32_t untraced_runs; /* how often it ran the scheduler again after the trace's end */
  _Atomic uint32_t untraced_processes; /* found that another one writes, and ran untraced */
  _Atomic uint64_t sim_seed;           /* of its simulation; 0: it is none */
};
static_assert(sizeof(struct trace_control) <= TRACE_RINGS_OFFSET, "the control page fits");

struct trace_ring {
  uint64_t magic;
  _Atomic uint32_t state; /* enum trace_ring_state */
  uint32_t m;             /* id of the M that writes */
  uint32_t is_sysmon;
  uint32_t pad[11];
  _Alignas(64) _Atomic uint64_t head; /* producer: records written */
  _Atomic uint64_t emitted;           /* producer: records that it tried to write */
  _Atomic uint64_t lost;              /* producer: records that it could not write */
  _Alignas(64) _Atomic uint64_t tail; /* consumer: records copied */
};
static_assert(sizeof(struct trace_ring) <= TRACE_RING_HEADER, "the ring header fits");

/* Bytes of a ring with this capacity, and of the whole memfd. */
static inline uint64_t trace_ring_stride(uint32_t capacity)
{
  return TRACE_RING_HEADER + (uint64_t)capacity * sizeof(struct trace_record);
}
static inline uint64_t trace_shm_size(uint32_t capacity, uint32_t max_rings)
{
  return TRACE_RINGS_OFFSET + trace_ring_stride(capacity) * max_rings;
}
static inline struct trace_record *trace_ring_records(struct trace_ring *ring)
{
  return (struct trace_record *)((char *)ring + TRACE_RING_HEADER);
}

/* Makes the sealed memfd, its control page filled in and state OFF, and returns its file descriptor
 * (close-on-exec), or -errno.  capacity is rounded up to a power of two.  Used by the recorder for
 * `record`, by the runtime for attach, and by tests. */
int trace_shm_create(uint32_t capacity, uint32_t max_rings);
/* Maps the control page of a memfd from outside and checks magic, ABI, sizes and seals.  On failure NULL
 * and *why says what is wrong, in words. */
struct trace_control *trace_shm_map_control(int fd, const char **why);
/* Maps ring i (header and records), or NULL with errno.  The control's geometry must have been checked
 * and is passed by value, because the other side may change it later. */
struct trace_ring *trace_shm_map_ring(int fd, uint32_t capacity, uint64_t stride, uint32_t i);
void trace_shm_unmap_control(struct trace_control *control);
void trace_shm_unmap_ring(struct trace_ring *ring, uint32_t capacity);

/* Reads up to n events (at least TRACE_FUSED_MAX) into out, each as a record of its own, and frees the room of the
 * *n_records that they were in: 0 when there are none, while a last one that does not fit whole waits for the next
 * call.  Consumer only.  A head that is impossible (behind tail, or more than capacity ahead) sets *broken and reads
 * nothing. */
size_t trace_ring_read(struct trace_ring *ring, uint32_t capacity, struct trace_record *out,
                       size_t n, size_t *n_records, bool *broken);
/* Time of the oldest record that was not read yet. Consumer only. False: there is none, or head is impossible
 * (*broken). */
bool trace_ring_peek(struct trace_ring *ring, uint32_t capacity, uint64_t *ticks, bool *broken);
