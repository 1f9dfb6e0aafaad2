/* SPDX-License-Identifier: MIT */
/* sim-try.c - repeats what a test reported: sim-try SEED [MUTANT [SEEDS]]. For people, and for a debugger. */
#include "run.h"

#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv)
{
  if (argc < 2) {
    fprintf(stderr, "usage: sim-try SEED [MUTANT [SEEDS]]\n");
    return 2;
  }
  uint64_t seed = strtoull(argv[1], NULL, 10);
  int mutant = argc > 2 ? atoi(argv[2]) : 0;
  if (argc > 3) {
    static char text[8192];
    uint64_t n = strtoull(argv[3], NULL, 10);
    uint64_t well = sim_run_many(seed, n, mutant, text, sizeof text);
    printf("%llu of %llu did well\n%s", (unsigned long long)well, (unsigned long long)n, text);
    return well != n;
  }
  struct sim_run run = sim_run_of_seed(seed);
  run.mutant = mutant;
  printf("seed %llu is %s on %d Ps\n", (unsigned long long)seed, run.program->name, run.procs);
  sim_run_here(&run);
}
