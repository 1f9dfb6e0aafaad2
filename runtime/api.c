/* SPDX-License-Identifier: MIT */
/* api.c - rt.h's calls about Gs that are no more than a name for the scheduler's. */
#include "os.h"
#include "print.h"
#include "proc.h"

/* On a thread that the runtime does not know these cannot work: say so, instead of crashing. */
_Noreturn void not_on_a_g(const char *what)
{
  check_forked();
  printlock();
  print_str("runtime: ");
  print_str(what ? what : "a function of rt.h");
  print_str(" called on a thread that runs no goroutine; call it from inside rt_main or rt_run\n");
  printunlock();
  throw("not on a goroutine");
}

_Noreturn void misplaced(const struct g *gp, const char *otherwise)
{
  struct m *mp = getm();
  if (gp && (readgstatus(gp) & ~(uint32_t)Gscan) == Gsyscall)
    fatal("a function of rt.h was called between rt_entersyscall and rt_exitsyscall");
  if (mp && mp->locks && atomic_load(&sched.gcwaiting))
    fatal("a goroutine that has stopped the world must not wait, yield or end before it starts it");
  throw(otherwise);
}

_Noreturn void waited_in_another_run(void)
{
  fatal("use of a channel, mutex or the like on which goroutines of an earlier rt_run waited");
}

int *rt_errno_location(void)
{
  return os_errno();
}

int rt_go(void (*fn)(void *), void *arg)
{
  checkpreempt(need_g("rt_go"));
  return newproc(NULL, fn, arg, __builtin_return_address(0));
}

int rt_go_named(const char *name, void (*fn)(void *), void *arg)
{
  checkpreempt(need_g("rt_go_named"));
  return newproc(name, fn, arg, __builtin_return_address(0));
}

uint64_t rt_goid(void)
{
  struct m *mp = getm();
  struct g *gp = mp ? mp->curg : NULL;
  return gp ? gp->goid : 0;
}

int rt_num_goroutine(void)
{
  int32_t n = 0;
  for (int i = 0; i < MAX_PROCS && allp[i]; i++)
    n += atomic_load_explicit(&allp[i]->ngs, memory_order_relaxed);
  return n > 0 ? n : 0; /* one may have ended between two looks */
}

void rt_safepoint(void)
{
  checkpreempt(need_g("rt_safepoint"));
}
