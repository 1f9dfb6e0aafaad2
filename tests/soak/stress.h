/* SPDX-License-Identifier: MIT */
/* stress.h - what a crew of the stress program is, and the words that crews are written in.
 *
 * A crew is a function that runs as a G: it starts Gs of its own that do one kind of thing at random, waits
 * for them, and checks what must be true whatever the order was.  A round runs several crews at once on a
 * runtime of its own.  All that is random comes from dice that are made from the round's seed: with the same
 * seed a round does the same things, though not in the same order.
 */
#pragma once
#include "rt.h"

#include <stdatomic.h>

struct dice {
  uint64_t state;
};
/* The next number. */
uint64_t roll(struct dice *d);
/* A number from lo to hi, both included. */
int roll_between(struct dice *d, int lo, int hi);
/* True once in n times. */
bool roll_once_in(struct dice *d, int n);

/* The Gs of a crew: starts fn(arg) and waits for all. */
struct team {
  struct rt_waitgroup wg;
};
/* fn calls team_done(team) as its last act, or defers it (signature of a deferred call). */
void team_start(struct team *team, void (*fn)(void *), void *arg);
void team_done(void *team);
void team_wait(struct team *team);

/* malloc that does not fail, and zeroes. */
void *need(size_t n);
/* Gives way in one of many ways: yields, sleeps, goes into the kernel, is preempted, or nothing. */
void give_way(struct dice *d);
/* Something that must hold did not: says so with the seed, dumps all Gs, ends with 2. */
_Noreturn void broken(const char *what, const char *file, int line);
#define MUST(condition)                                                                            \
  do {                                                                                             \
    if (!(condition))                                                                              \
      broken(#condition, __FILE__, __LINE__);                                                      \
  } while (0)

typedef void crew_run(struct dice *d);
/* stress-chan.c */
crew_run crew_ring, crew_mesh, crew_timeouts, crew_tickers, crew_timers;
/* stress-sync.c */
crew_run crew_mutex, crew_rwmutex, crew_cond, crew_sem, crew_once;
/* stress-life.c */
crew_run crew_panics, crew_tree, crew_deep, crew_locked, crew_spinners;
/* stress-kernel.c */
crew_run crew_calls, crew_pipes, crew_net, crew_deadlines, crew_procs, crew_world, crew_scans;
