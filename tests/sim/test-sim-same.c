/* SPDX-License-Identifier: MIT */
/* test-sim-same.c - the same seed writes the same trace, byte for byte, wherever malloc puts things; another seed another one. */
#include "test.h"

#include "run.h"
#include "trace-ring.h"

#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define CAPACITY 65536u
#define RINGS    64u

/* Simulates the seed's program under a recorder that never reads; the trace memory's descriptor. */
static int record(uint64_t seed, bool stirs_heap)
{
  const char *why = "";
  int fd = trace_shm_create(CAPACITY, RINGS);
  assert_true(fd >= 0);
  struct trace_control *control = trace_shm_map_control(fd, &why);
  assert_non_null(control);
  atomic_store(&control->requested, TRACE_STATE_ON);
  fflush(NULL);
  pid_t child = fork();
  assert_true(child >= 0);
  if (child == 0) {
    struct sim_run run = sim_run_of_seed(seed, NULL);
    run.is_recorded = true;
    run.memory = fd;
    run.stirs_heap = stirs_heap;
    sim_run_here(&run);
  }
  int status;
  assert_int_equal(waitpid(child, &status, 0), child);
  assert_int_equal(status, 0);
  assert_int_equal(atomic_load(&control->clock), TRACE_CLOCK_VIRTUAL);
  trace_shm_unmap_control(control);
  return fd;
}

/* How many records both have in this ring, all equal; -1: they differ. */
static long same_ring(int a, int b, uint32_t i)
{
  uint64_t stride = trace_ring_stride(CAPACITY);
  struct trace_ring *x = trace_shm_map_ring(a, CAPACITY, stride, i);
  struct trace_ring *y = trace_shm_map_ring(b, CAPACITY, stride, i);
  assert_non_null(x);
  assert_non_null(y);
  uint64_t n = atomic_load(&x->head);
  bool same =
      n == atomic_load(&y->head) && x->m == y->m && n <= CAPACITY &&
      memcmp(trace_ring_records(x), trace_ring_records(y), n * sizeof(struct trace_record)) == 0;
  trace_shm_unmap_ring(x, CAPACITY);
  trace_shm_unmap_ring(y, CAPACITY);
  return same ? (long)n : -1;
}

/* Records in all rings, or -1 if some differ; the second run has its objects elsewhere. */
static long compare(uint64_t seed, uint64_t with)
{
  long total = 0;
  int a = record(seed, false), b = record(with, true);
  for (uint32_t i = 0; i < RINGS && total >= 0; i++) {
    long n = same_ring(a, b, i);
    total = n < 0 ? -1 : total + n;
  }
  close(a);
  close(b);
  return total;
}

static void the_same_seed_writes_the_same_bytes(void **state)
{
  (void)state;
  for (uint64_t seed = 1; seed <= 10 * n_sim_programs; seed++)
    if (sim_run_of_seed(seed, NULL).program->code == 0 && compare(seed, seed) <= 50)
      fail_msg("seed %d: the traces of two runs differ, or are empty", (int)seed);
}

static void another_seed_writes_other_bytes(void **state)
{
  (void)state;
  assert_int_equal(compare(19, 19 + 8 * n_sim_programs), -1); /* the same program on as many Ps */
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(the_same_seed_writes_the_same_bytes),
    cmocka_unit_test(another_seed_writes_other_bytes),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
