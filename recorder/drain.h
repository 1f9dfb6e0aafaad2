/* SPDX-License-Identifier: MIT */
/* drain.h - from a program's rings into a writer. */
#pragma once
#include "clock.h"
#include "writer.h"

#define DRAIN_BATCH 4096 /* events copied at a time */

/* One ring as the recorder knows it. Nothing in here is read back from shared memory. */
struct drain_ring {
  struct trace_ring *ring; /* NULL: not mapped yet */
  uint32_t m;
  bool broken;         /* its head was impossible: given up */
  bool any;            /* a record of it was read */
  uint64_t n_records;  /* copied out of the ring */
  uint64_t n_read;     /* events in them */
  uint64_t n_told;     /* events that its lost records told of */
  uint64_t n_rejected; /* records that were no events */
  uint64_t bad_run;    /* of them, not yet in the file */
  uint64_t n_emitted;  /* the program's count, when the books were closed */
  uint64_t n_left;     /* records that are still to be read, when recording has stopped */
  uint64_t lost_at_stop;
  uint64_t n_ready; /* records whose memory was made, on the first lap */
  int64_t last_ts;
};

struct drain {
  int fd;
  struct trace_control *control;
  uint32_t capacity, max_rings;
  uint64_t stride;
  struct rec_clock *clock;
  bool clock_is_set;
  int64_t last_sync; /* CLOCK_MONOTONIC */
  bool moved_since_sync;
  struct rec_writer *writer;
  struct drain_ring *rings; /* max_rings of them */
  uint32_t n_rings;
  uint64_t n_rejected, n_broken;
  int64_t last_ts;
  bool (*should_stop)(void *arg); /* asked every DRAIN_BATCH events; NULL: never */
  void *stop_arg;
  bool stopped;             /* what the program writes from now on is not read */
  bool all_rings_taken;     /* as a round saw */
  int64_t all_ringed_until; /* up to this time every M had a ring; 0 not known */
  struct trace_record *batch;
  struct trace_event *events; /* made of the batch, DRAIN_BATCH of them */
};

/* Takes the memfd's number (not its ownership). False: it is not trace memory, in words. */
bool drain_open(struct drain *d, int fd, struct rec_clock *clock, struct rec_writer *writer,
                struct tracefile_error *error);
void drain_close(struct drain *d);

/* Copies what the rings hold now into the writer. *moved: how many records; *fullest: the largest part of a
 * ring that was found filled, in 256ths. False: the writer failed. */
bool drain_round(struct drain *d, uint64_t *moved, unsigned *fullest,
                 struct tracefile_error *error);
/* Recording stops: what stands in the rings now is the last of it, however fast the program goes on. It drops its events
 * from now on instead of waiting for room. Done by drain_round itself as soon as should_stop says so. */
void drain_stop(struct drain *d);
/* Reads the rest and closes the books of every ring: emitted = stored + lost. gone: the program has ended;
 * otherwise what it emits from now on is not part of the recording. */
bool drain_finish(struct drain *d, bool gone, struct tracefile_error *error);
