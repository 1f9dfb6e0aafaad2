/* SPDX-License-Identifier: MIT */
/* sync-sem.c - a counting semaphore for programs: the one below the others, under its own name. */
#include "proc.h"
#include "sema.h"
#include "user.h"

void rt_sem_init(struct rt_sem *sem, uint32_t n)
{
  *sem = (struct rt_sem){ .sema = { .count = n } };
  object_new(sem, TRACE_OBJKIND_SEM, n);
}

void rt_sem_acquire(struct rt_sem *sem)
{
  preemption_point_of("rt_sem_acquire");
  semacquire(&sem->sema, false, TRACE_WAIT_SEMACQUIRE, obj_of(sem));
}

void rt_sem_release(struct rt_sem *sem)
{
  need_m("rt_sem_release");
  semrelease(&sem->sema, false, obj_of(sem));
  preemption_point();
}

bool rt_sem_try_acquire(struct rt_sem *sem)
{
  preemption_point_of("rt_sem_try_acquire");
  return cansemacquire(&sem->sema);
}
