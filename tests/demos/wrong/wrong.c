/* SPDX-License-Identifier: MIT */
/* wrong.c - which place of the runtime is wrong: GMPSCOPE_MUTANT says it to the libraries of this folder. */
#include "sim.h"

#include <stdlib.h>

#ifndef RT_SIM
int sim_mutant;
#endif

static __attribute__((constructor)) void choose_mutant(void)
{
  const char *number = getenv("GMPSCOPE_MUTANT");
  sim_mutant = number ? atoi(number) : 0;
}
