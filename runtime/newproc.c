/* SPDX-License-Identifier: MIT */
/* newproc.c - making Gs. A G costs no stack until it first runs. */
#include "os.h"
#include "proc.h"
#include "tracedoor.h"

#include <errno.h>

#define GOID_BATCH 16 /* a P takes so many numbers at a time */

static uint64_t new_goid(struct p *pp)
{
  if (unlikely(pp->goidcache == pp->goidcacheend)) {
    pp->goidcache = atomic_fetch_add_explicit(&sched.goidgen, GOID_BATCH, memory_order_relaxed) + 1;
    pp->goidcacheend = pp->goidcache + GOID_BATCH;
  }
  return pp->goidcache++;
}

int newproc(const char *name, void (*fn)(void *), void *arg, const void *pc)
{
  struct m *mp = getm();
  if (unlikely(!fn))
    fatal("go of nil func value");
  struct g *me = mp->curg, *gp = gfget(mp);
  if (unlikely(!gp))
    return -ENOMEM;
  gp->goid = new_goid(mp->p);
  gp->fn = fn;
  gp->arg = arg;
  gp->name = name;
  gp->seq = 0;
  gp->parent_goid = me ? me->goid : 0;
  gp->gopc = (uint64_t)(uintptr_t)pc;
  gp->waitreason = TRACE_WAIT_NONE;
  count_g(mp->p, 1);
  uint32_t name_id = name ? tr_string_id(mp, name) : 0;
  tr_stamp_go_create(mp, (uint32_t)gp->goid, 0, (uint64_t)(uintptr_t)fn);
  if (name_id)
    tr_go_name(mp, (uint32_t)gp->goid, name_id);
  casgstatus(gp, Gdead, Grunnable);
  runqput(mp, mp->p, gp, true);
  wakep(mp);
  return 0;
}
