/* SPDX-License-Identifier: MIT */
/* g.c - the memory of Gs: slabs that are never freed, and lists of dead ones to use again.
 *
 * Since a struct g stays a struct g for ever, a pointer to one may be looked at by anybody at any time
 * (sysmon, dumps, a late waker): what it says may be old, but it is a G. A P keeps 32 to 64 dead Gs; what
 * is beyond goes through sched.gfree. A G on its way to a P has the promise of a stack.
 */
#include "os.h"
#include "proc.h"
#include "schedlock.h"

#include <stdlib.h>
#include <string.h>

#define SLAB_GS    64u
#define P_FREE_MAX 64u

struct gslab {
  struct gslab *_Atomic next;
  struct g gs[SLAB_GS];
};

static struct gslab *_Atomic slabs; /* oldest first: dumps show Gs in the order of their memory */
static struct gslab *last_slab;     /* sched.lock */

/* ---- the central list; sched.lock held ---- */

void gfree_push(struct g *gp)
{
  struct g **last = &sched.gfree_last[sched.n_gfree++ % AHEAD];
  gp->ahead = *last;
  *last = gp;
  glist_push(&sched.gfree, gp);
}

static struct g *gfree_pop(void)
{
  struct g *gp = glist_pop(&sched.gfree);
  fetch_ahead(gp->ahead);
  sched.n_gfree--;
  return gp;
}

static bool new_gslab(void)
{
  struct gslab *slab =
      aligned_alloc(CACHE_LINE, (sizeof *slab + CACHE_LINE - 1) / CACHE_LINE * CACHE_LINE);
  if (!slab)
    return false;
  memset(slab, 0, sizeof *slab);
  for (uint32_t i = SLAB_GS; i-- > 0;) {
    atomic_store_explicit(&slab->gs[i].status, Gdead, memory_order_relaxed);
    gfree_push(&slab->gs[i]);
  }
  sched.n_gs += SLAB_GS;
  atomic_store_explicit(last_slab ? &last_slab->next : &slabs, slab,
                        memory_order_release); /* pairs with forEachG */
  last_slab = slab;
  return true;
}

static RARELY void refill(struct p *pp)
{
  struct glist batch = { NULL }; /* in reverse, so that the P hands them out in the old order */
  lock_sched();
  bool have = sched.n_gfree > 0 || new_gslab();
  if (have && stack_promise(sched.n_gs - sched.n_gfree + P_FREE_MAX / 2))
    while (sched.n_gfree > 0 && pp->n_gfree < P_FREE_MAX / 2) {
      glist_push(&batch, gfree_pop());
      pp->n_gfree++;
    }
  unlock_sched();
  while (!glist_empty(&batch))
    glist_push(&pp->gfree, glist_pop(&batch));
}

struct g *gfget(struct m *mp)
{
  struct p *pp = mp->p;
  if (unlikely(pp->n_gfree == 0))
    refill(pp);
  struct g *gp = glist_pop(&pp->gfree);
  if (gp) {
    pp->n_gfree--;
    fetch_ahead(pp->gfree.head); /* the next one will be asked for */
  }
  return gp;
}

static RARELY void give_back(struct p *pp)
{
  lock_sched();
  while (pp->n_gfree > P_FREE_MAX / 2) {
    gfree_push(glist_pop(&pp->gfree));
    pp->n_gfree--;
  }
  unlock_sched();
}

void gfput(struct m *mp, struct g *gp)
{
  struct p *pp = mp->p;
  glist_push(&pp->gfree, gp);
  if (unlikely(++pp->n_gfree >= P_FREE_MAX))
    give_back(pp);
}

void forEachGOfAnyRun(void (*visit)(struct g *, void *), void *arg)
{
  struct gslab *slab =
      atomic_load_explicit(&slabs, memory_order_acquire); /* pairs with new_gslab */
  for (; slab; slab = atomic_load_explicit(&slab->next, memory_order_acquire))
    for (uint32_t i = 0; i < SLAB_GS; i++)
      visit(&slab->gs[i], arg);
}

struct visit_of_run {
  void (*visit)(struct g *, void *);
  void *arg;
};

static void visit_unless_left_behind(struct g *gp, void *arg)
{
  const struct visit_of_run *of_run = arg;
  if (!atomic_load_explicit(&gp->left_behind, memory_order_relaxed))
    of_run->visit(gp, of_run->arg);
}

void forEachG(void (*visit)(struct g *, void *), void *arg)
{
  struct visit_of_run of_run = { visit, arg };
  forEachGOfAnyRun(visit_unless_left_behind, &of_run);
}
