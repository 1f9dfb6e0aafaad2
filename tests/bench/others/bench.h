/* SPDX-License-Identifier: MIT */
/* bench.h - what the programs in C and C++ share: one test a run, "TEST wall_ns cpu_ns" per operation. */
#pragma once
#include <stdio.h>
#include <string.h>
#include <time.h>

struct bench {
  const char *name;
  long n;
  void (*run)(long n);
};

static double bench_ns(clockid_t clock)
{
  struct timespec t;
  clock_gettime(clock, &t);
  return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

/* The program's exit code: 2 if it has no test of this name. */
static int bench_run(const struct bench *benches, size_t n_benches, const char *name)
{
  for (size_t i = 0; i < n_benches; i++) {
    const struct bench *b = &benches[i];
    if (strcmp(b->name, name) != 0)
      continue;
    double wall = bench_ns(CLOCK_MONOTONIC), cpu = bench_ns(CLOCK_PROCESS_CPUTIME_ID);
    b->run(b->n);
    wall = bench_ns(CLOCK_MONOTONIC) - wall;
    cpu = bench_ns(CLOCK_PROCESS_CPUTIME_ID) - cpu;
    printf("%s %.2f %.2f\n", name, wall / (double)b->n, cpu / (double)b->n);
    return 0;
  }
  return 2;
}
