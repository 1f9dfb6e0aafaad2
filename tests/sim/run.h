/* SPDX-License-Identifier: MIT */
/* run.h - simulates one program with one seed, in a process of its own. */
#pragma once
#include "programs.h"
#include "sim-world.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct sim_run {
  const struct sim_program *program;
  uint64_t seed;
  int procs;
  int mutant;         /* 0: none */
  bool is_recorded;   /* its trace is replayed */
  bool exits;         /* its main G ends the process, whatever others are doing */
  sim_watcher *watch; /* looks in place of the invariants; NULL: they do */
  bool
      stirs_heap; /* objects lie elsewhere than in a process that has just begun; nothing else may change */
  pid_t pid;
  int out;                 /* what it wrote */
  int memory;              /* what it recorded, if so */
  volatile uint64_t *step; /* where it is; shared */
};

/* Which program, with how many Ps, a seed means; only: no, this program. */
struct sim_run sim_run_of_seed(uint64_t seed, const char *only);
/* The program of that name; its trace is replayed. */
struct sim_run sim_run_of(const char *program, int procs, uint64_t seed);
/* Simulates in the calling process, and ends it. If it is to be recorded, then into its memory. */
_Noreturn void sim_run_here(const struct sim_run *run);
/* Starts a child that does. */
void sim_run_start(struct sim_run *run);
/* Starts it and waits for its end: sim_run_ended. */
bool sim_run_alone(struct sim_run *run, char *text, size_t n);
/* After it ended with this wait status: true if it did what it should; else text says what it did. */
bool sim_run_ended(struct sim_run *run, int status, char *text, size_t n);

/* Simulates many seeds, on all CPUs, from first on, each as the program it means, or all as only, if given; stops at
 * the first that fails, whose report is in text, and returns how many did well before. */
uint64_t sim_run_many(uint64_t first, uint64_t n, const char *only, int mutant, char *text,
                      size_t text_size);
