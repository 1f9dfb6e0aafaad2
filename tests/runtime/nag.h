/* SPDX-License-Identifier: MIT */
/* nag.h - for tests of preemption: a thread outside of the scheduler that asks every running G to stop, again and
 * again, as sysmon does after a slice. With slices of 10 ms there would be few preemptions to look at. */
#pragma once
#include "program.h"

#include "proc.h"
#include "switch.h"

#include <pthread.h>
#include <sched.h>
#include <sys/syscall.h>

static struct nagger {
  pthread_t thread;
  atomic_bool over;
  atomic_int tid;
  struct m m; /* stands for an M that asks; it records nothing */
} nagger;

static inline void *nag(void *unused)
{
  atomic_store(&nagger.tid, (int)syscall(SYS_gettid));
  while (!atomic_load(&nagger.over)) {
    preemptall(&nagger.m, TRACE_PREEMPTWHY_SLICE);
    usleep(200);
  }
  return unused;
}

static inline void nag_begin(void)
{
  atomic_store(&nagger.over, false);
  pthread_create(&nagger.thread, NULL, nag, NULL);
}

/* Until the kernel too has forgotten the thread: the leak sanitizer's look at exit does not like one on its way. */
static inline void nag_end(void)
{
  atomic_store(&nagger.over, true);
  pthread_join(nagger.thread, NULL);
  while (syscall(SYS_tgkill, getpid(), atomic_load(&nagger.tid), 0) == 0)
    sched_yield();
}

static inline void skip_where_it_is_off(void)
{
#ifdef SWITCH_TSAN
  print_message(
      "# preemption by signal is off: the thread sanitizer hides the interrupted registers\n");
  skip();
#endif
}

/* How many signals so far were taken (0), or refused for this reason. */
static inline uint64_t landed(uint32_t refusal)
{
  return atomic_load(&preempt_stats.landed[refusal]);
}
