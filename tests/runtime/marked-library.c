/* SPDX-License-Identifier: MIT */
/* marked-library.c - a library with a marked function, which test-preempt.c loads. */
#include "rt.h"

#include <stdatomic.h>

RT_API unsigned long spin_in_library(const atomic_bool *stop, unsigned long rounds);

RT_PREEMPTIBLE unsigned long spin_in_library(const atomic_bool *stop, unsigned long rounds)
{
  unsigned long i = 0;
  while (i < rounds && !atomic_load_explicit(stop, memory_order_relaxed))
    i++;
  return i;
}
