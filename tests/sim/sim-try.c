/* SPDX-License-Identifier: MIT */
/* sim-try.c - repeats what a test reported. For people, and for a debugger.
 *
 *   sim-try SEED [MUTANT]          in this process
 *   sim-try SEED MUTANT SEEDS      that many seeds from this one on, as the tests do it; SIM_TRY_PROGRAM=NAME: all
 *                                  as that program
 *   sim-try -t SEED [MUTANT]       prints what the run recorded, in the text form of traces
 */
#include "replay.h"
#include "run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

static int try_many(uint64_t seed, uint64_t n, int mutant)
{
  static char text[8192];
  uint64_t well = sim_run_many(seed, n, getenv("SIM_TRY_PROGRAM"), mutant, text, sizeof text);
  printf("%llu of %llu did well\n%s", (unsigned long long)well, (unsigned long long)n, text);
  return well != n;
}

static int print_trace(struct sim_run *run)
{
  static char text[8192];
  int status;
  run->is_recorded = true;
  sim_run_start(run);
  waitpid(run->pid, &status, 0);
  replay_print(run->memory, stdout);
  if (sim_run_ended(run, status, text, sizeof text))
    return 0;
  fputs(text, stderr);
  return 1;
}

int main(int argc, char **argv)
{
  bool trace = argc > 1 && strcmp(argv[1], "-t") == 0;
  argv += trace, argc -= trace;
  if (argc < 2) {
    fprintf(stderr, "usage: sim-try [-t] SEED [MUTANT [SEEDS]]\n");
    return 2;
  }
  uint64_t seed = strtoull(argv[1], NULL, 10);
  int mutant = argc > 2 ? atoi(argv[2]) : 0;
  if (argc > 3)
    return try_many(seed, strtoull(argv[3], NULL, 10), mutant);
  struct sim_run run = sim_run_of_seed(seed, getenv("SIM_TRY_PROGRAM"));
  run.mutant = mutant;
  if (trace)
    return print_trace(&run);
  if (run.is_recorded) /* it takes another course than one that nobody records */
    run.memory = replay_memory();
  printf("seed %llu is %s on %d Ps\n", (unsigned long long)seed, run.program->name, run.procs);
  sim_run_here(&run);
}
