/* SPDX-License-Identifier: MIT */
/* inside.h - Ps, an M and Gs for tests of the runtime's parts, without a scheduler that runs. */
#pragma once
#include "test.h"

#include "proc.h"

#include <stdlib.h>
#include <string.h>

/* Makes the calling thread an M with P 0 of n Ps. Tracing is off. */
static inline struct m *inside(struct m *mp, int n)
{
  memset(mp, 0, sizeof *mp);
  mp->rand = 1;
  for (int i = 0; i < n; i++) {
    struct p *pp = aligned_alloc(CACHE_LINE, sizeof *pp);
    assert_non_null(pp);
    memset(pp, 0, sizeof *pp);
    pp->id = pp->timers.p = (uint32_t)i;
    allp[i] = pp;
  }
  sched.gomaxprocs = n;
  atomic_store(&sched.lastpoll, 1);
  atomic_store(&mp->p, allp[0]);
  setm(mp);
  return mp;
}

static inline void outside(int n)
{
  setm(NULL);
  for (int i = 0; i < n; i++) {
    free(allp[i]->timers.heap);
    free(allp[i]);
    allp[i] = NULL;
  }
  sched.gomaxprocs = 0;
  sched.runq = (struct gqueue){ 0 };
  atomic_store(&sched.runqsize, 0);
}

/* n runnable Gs, numbered from 1. */
static inline struct g *runnable_gs(int n)
{
  struct g *gs = calloc((size_t)n, sizeof *gs);
  assert_non_null(gs);
  for (int i = 0; i < n; i++) {
    gs[i].goid = (uint64_t)i + 1;
    atomic_store(&gs[i].status, Grunnable);
  }
  return gs;
}
