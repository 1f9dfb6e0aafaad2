/* SPDX-License-Identifier: MIT */
/* fp-amd64.h - the control words of the floating point units: how to round, what to trap, whether denormals are zero.
 *
 * The ABI has a function keep them, and one that parks is a function as any other. So they belong to the G. What a run
 * began with is what a G starts with, and what is in the CPU wherever no G runs. A G that leaves with others puts those
 * back, and finds its own again; one that has not changed them pays two stores and a comparison, and nothing on the way
 * back. (Where a signal stops a G, preempt-amd64.S does all this.)
 *
 * Each M has a copy of its run's, for who comes back from the kernel after its run must find those still.
 * Not done: the exception flags, which the ABI lets any function change.
 */
#pragma once
#include "compiler.h"

#include <stdbool.h>
#include <stdint.h>

struct fp_control {
  uint32_t mxcsr;
  uint16_t x87;
};
#define MXCSR_FLAGS 0x3fu /* no control bits */

static ALWAYS_INLINE struct fp_control fp_now(void)
{
  struct fp_control now;
  __asm__ volatile("stmxcsr %0\n\tfnstcw %1" : "=m"(now.mxcsr), "=m"(now.x87));
  return now;
}
/* For others to begin with. */
static inline struct fp_control fp_begun(void)
{
  struct fp_control now = fp_now();
  now.mxcsr &= ~MXCSR_FLAGS;
  return now;
}
static inline void fp_set(struct fp_control control)
{
  /* fnclex: a flag that another G left would be trapped at once by who asks for traps */
  __asm__ volatile("ldmxcsr %0\n\tfnclex\n\tfldcw %1" : : "m"(control.mxcsr), "m"(control.x87));
}
static ALWAYS_INLINE bool fp_is_own(struct fp_control control, struct fp_control of_run)
{
  return unlikely(((control.mxcsr ^ of_run.mxcsr) & ~MXCSR_FLAGS) | (control.x87 ^ of_run.x87));
}
