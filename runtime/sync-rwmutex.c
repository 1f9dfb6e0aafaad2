/* SPDX-License-Identifier: MIT */
/* sync-rwmutex.c - many readers or one writer; a waiting writer keeps new readers out.
 *
 * Go's sync.RWMutex.  n_readers counts readers; a writer announces itself by taking MAX_READERS from it, so
 * that it becomes negative: readers that come now wait.  The writer waits for those who were there before,
 * which n_leaving counts down.
 *
 * Cost: one atomic addition to lock or unlock for reading while no writer is about.
 */
#include "proc.h"
#include "sema.h"

#define MAX_READERS (1 << 30)

void rt_rwmutex_rlock(struct rt_rwmutex *rw)
{
  preemption_point_of("rt_rwmutex_rlock");
  if (atomic_fetch_add(atomici32(&rw->n_readers), 1) + 1 < 0)
    semacquire(&rw->reader_sema, false, TRACE_WAIT_RWMUTEX_R, obj_of(rw));
}

bool rt_rwmutex_try_rlock(struct rt_rwmutex *rw)
{
  preemption_point_of("rt_rwmutex_try_rlock");
  int32_t n = atomic_load(atomici32(&rw->n_readers));
  while (n >= 0)
    if (atomic_compare_exchange_weak(atomici32(&rw->n_readers), &n, n + 1))
      return true;
  return false;
}

static __attribute__((noinline)) void runlock_slow(struct rt_rwmutex *rw, int32_t n)
{
  if (n == -1 || n == -MAX_READERS - 1)
    fatal("sync: RUnlock of unlocked RWMutex");
  if (atomic_fetch_sub(atomici32(&rw->n_leaving), 1) == 1)
    semrelease(&rw->writer_sema, false, obj_of(rw)); /* the last reader lets the writer in */
}

void rt_rwmutex_runlock(struct rt_rwmutex *rw)
{
  need_m("rt_rwmutex_runlock");
  int32_t n = atomic_fetch_sub(atomici32(&rw->n_readers), 1) - 1;
  if (unlikely(n < 0))
    runlock_slow(rw, n);
  preemption_point();
}

void rt_rwmutex_lock(struct rt_rwmutex *rw)
{
  rt_mutex_lock(&rw->writers);
  int32_t readers = atomic_fetch_sub(atomici32(&rw->n_readers), MAX_READERS);
  if (readers != 0 && atomic_fetch_add(atomici32(&rw->n_leaving), readers) + readers != 0)
    semacquire(&rw->writer_sema, false, TRACE_WAIT_RWMUTEX_W, obj_of(rw));
}

bool rt_rwmutex_try_lock(struct rt_rwmutex *rw)
{
  if (!rt_mutex_try_lock(&rw->writers))
    return false;
  int32_t none = 0;
  if (atomic_compare_exchange_strong(atomici32(&rw->n_readers), &none, -MAX_READERS))
    return true;
  rt_mutex_unlock(&rw->writers);
  return false;
}

void rt_rwmutex_unlock(struct rt_rwmutex *rw)
{
  need_m("rt_rwmutex_unlock");
  int32_t readers = atomic_fetch_add(atomici32(&rw->n_readers), MAX_READERS) + MAX_READERS;
  if (readers >= MAX_READERS)
    fatal("sync: Unlock of unlocked RWMutex");
  for (; readers > 0; readers--)
    semrelease(&rw->reader_sema, false, obj_of(rw));
  rt_mutex_unlock(&rw->writers);
}
