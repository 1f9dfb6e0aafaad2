/* SPDX-License-Identifier: MIT */
/* program.h - what the simulated programs share: a main G each, that waits for its others. */
#pragma once
#include "programs.h"
#include "rt.h"
#include "sim-world.h"

#define MAIN(name)   static void name(void *unused __attribute__((unused)))
#define COUNT_OF(a)  (sizeof(a) / sizeof((a)[0]))
#define expect(what) ((what) ? (void)0 : sim_fail("the program is wrong: not true that %s", #what))

extern struct rt_waitgroup wg; /* of those that go() started */
extern struct rt_chan *in, *out;
extern int counter;

void go(void (*fn)(void *), void *arg);
void *nothing(void *arg);
/* Gs, each done with wg at its end. */
void yield_some(void *unused);
void churn(void *n);

/* programs-rest.c */
void computing(void *unused), bursts(void *unused), preempted(void *unused),
    busy_timers(void *unused);
void a_stopped_world(void *unused), two_stoppers(void *unused), selects_with_default(void *unused);
void time_outs(void *unused), call_chain(void *unused), once(void *unused), try_locks(void *unused);
void signals_of_cond(void *unused), goexits(void *unused), nested_panics(void *unused);
void long_calls(void *unused), defers_in_loops(void *unused), one_more_deadlock(void *unused);
/* programs-timers.c */
void channel_timers(void *unused), tickers_alone(void *unused);
void timers_set_earlier(void *unused), timers_of_lost_ps(void *unused);
/* programs-io.c */
void descriptors(void *unused), descriptors_at_once(void *unused),
    descriptor_and_calls(void *unused);
