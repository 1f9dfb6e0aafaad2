/* SPDX-License-Identifier: MIT */
/* waiting.c - for how many minutes a G has waited, which a dump says.
 *
 * Go writes the time when its collector finds a G waiting for the first time, not when the G parks: a park does not pay for
 * what hardly anybody asks. So here: sysmon looks at all Gs once a minute, and rt_gc when it is called. A dump then tells
 * whole minutes since that look, so up to one too few.
 *
 * A mark belongs to one wait, and is not taken away when that ends: it has a key that another wait does not have, made of
 * what is counted anyway when a G starts, becomes runnable or comes back from a system call. Key and time are in one word:
 * a G has room for no more.
 */
#include "os.h"
#include "proc.h"

#define SECOND_NS 1000000000
#define MIX       0x9e3779b97f4a7c15u
/* Looks at what its owner may be changing: a wrong key is that of no wait, or of a wait that just ends. */
#define PEEKS __attribute__((no_sanitize("thread")))

/* 0: it does not wait. */
static PEEKS uint32_t key_of(const struct g *gp)
{
  uint32_t status = readgstatus(gp) & ~(uint32_t)Gscan;
  const struct m *mp = gp->m;
  uint64_t key = gp->goid << 32 | gp->seq;
  if (status == Gsyscall && mp) /* its calls are told apart by its P's count of them */
    key += (mp->syscalltick + 1) * MIX;
  else if (status != Gwaiting)
    return 0;
  return (uint32_t)(key * MIX >> 32) | 1;
}

static uint32_t seconds_of(int64_t now)
{
  return (uint32_t)(now / SECOND_NS);
}

static void mark(struct g *gp, void *now)
{
  uint32_t key = key_of(gp);
  if (key == 0 || key == atomic_load_explicit(&gp->wait_mark, memory_order_relaxed) >> 32)
    return;
  atomic_store_explicit(&gp->wait_mark, (uint64_t)key << 32 | seconds_of(*(const int64_t *)now),
                        memory_order_relaxed);
}

void mark_waiters(int64_t now)
{
  forEachG(mark, &now);
}

uint32_t waited_minutes(const struct g *gp, int64_t now)
{
  uint32_t key = key_of(gp);
  uint64_t mark = atomic_load_explicit(&gp->wait_mark, memory_order_relaxed);
  return key != 0 && key == mark >> 32 ? (seconds_of(now) - (uint32_t)mark) / 60 : 0;
}
