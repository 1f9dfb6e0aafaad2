/* SPDX-License-Identifier: MIT */
/* bench-event.c - what an event costs beside the reading of the clock, which is most of it.
 *
 *   bench-event event|rdtsc    prints "TEST wall_ns cpu_ns" per operation
 *
 * The ring is as large as the recorder makes it, and always has room: this thread takes the records as well, by moving
 * the tail. */
#include "trace-emit.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define CAPACITY   262144u
#define OPERATIONS 100000000u
#define TURN       4096u /* events between two looks of the reader */

static double now_of(clockid_t clock)
{
  struct timespec t;
  clock_gettime(clock, &t);
  return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

/* The sum keeps the compiler from leaving the loop out. */
static uint64_t rdtsc(struct trace_writer *w)
{
  uint64_t sum = 0;
  for (uint32_t i = 0; i < OPERATIONS; i++)
    sum ^= trace_ticks(w);
  return sum;
}

static uint64_t event(struct trace_writer *w)
{
  for (uint32_t done = 0; done < OPERATIONS; done += TURN) {
    for (uint32_t i = 0; i < TURN; i++) {
      trace_stamp(w);
      trace_go_block(w, TRACE_WAIT_RECV, 0, i);
    }
    atomic_store_explicit(&w->ring->tail, w->head, memory_order_release);
  }
  return w->lost;
}

static bool open_writer(struct trace_writer *w)
{
  const char *why = NULL;
  int fd = trace_shm_create(CAPACITY, 1);
  struct trace_control *control = fd < 0 ? NULL : trace_shm_map_control(fd, &why);
  struct trace_ring *ring =
      control ? trace_shm_map_ring(fd, CAPACITY, control->ring_stride, 0) : NULL;
  if (!ring)
    return false;
  trace_writer_open(w, ring, CAPACITY, 0, TRACE_CLOCK_TSC, NULL);
  return true;
}

int main(int argc, char **argv)
{
  struct trace_writer w;
  if (argc != 2 || (strcmp(argv[1], "event") != 0 && strcmp(argv[1], "rdtsc") != 0))
    return 2;
  if (!open_writer(&w)) {
    fprintf(stderr, "bench-event: no memory for a ring\n");
    return 1;
  }
  bool is_event = argv[1][0] == 'e';
  if (is_event)
    event(&w); /* touches the ring's pages */
  double wall = now_of(CLOCK_MONOTONIC), cpu = now_of(CLOCK_PROCESS_CPUTIME_ID);
  uint64_t result = is_event ? event(&w) : rdtsc(&w);
  wall = now_of(CLOCK_MONOTONIC) - wall;
  cpu = now_of(CLOCK_PROCESS_CPUTIME_ID) - cpu;
  if (is_event && result != 0) {
    fprintf(stderr, "bench-event: events were lost\n");
    return 1;
  }
  printf("%s %.2f %.2f\n", argv[1], wall / OPERATIONS, cpu / OPERATIONS);
  return 0;
}
