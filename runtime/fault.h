/* SPDX-License-Identifier: MIT */
/* fault.h - the faults that RT_DEBUG=fault=NAME switches on, for demonstration. */
#pragma once
#include "options.h"
#include "runtime.h"

/* True in a program that asked for this fault. One load and a branch that is never taken otherwise. */
static inline bool fault_is_on(enum fault fault)
{
  return unlikely(options.fault == fault);
}
/* The fault with this name; false: there is none. */
bool fault_by_name(const char *name, enum fault *fault);
/* All names, with commas. */
const char *fault_names(void);

/* Tells the trace which fault is on, if one is. By the first M. */
void fault_begin(struct m *mp);
/* FAULT_SLEEP_BLOCKS_M: sleeps for ns with the M and the P of the running G. */
void fault_sleep(int64_t ns);
/* FAULT_LOSE_DEFERS_ON_PREEMPT: the running G came back from a system call in which it lost its P. */
void fault_lost_p(void);
/* FAULT_TIMER_DEFER_RACE: moved, in ts, was found modified by a scan. ts->lock held. */
void fault_timer_moved(struct m *mp, struct timers *ts, const struct timer *moved);
