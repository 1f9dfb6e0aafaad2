/* SPDX-License-Identifier: MIT */
/* programs.h - the small concurrent programs that are simulated. */
#pragma once

struct sim_program {
  const char *name;
  void (*run)(void *);
  int code;         /* that it ends with */
  const char *says; /* that is in what it writes; NULL: it writes nothing */
};
extern const struct sim_program sim_programs[];
extern const unsigned n_sim_programs;

/* programs-handover.c */
void sim_handover_then_compute(void *unused);
void sim_handover_then_syscall(void *unused);
