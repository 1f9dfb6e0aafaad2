/* SPDX-License-Identifier: MIT */
/* sim-co.c - the simulation's threads: coroutines of the one thread that called rt_run.
 *
 * A coroutine is left wherever its M stands: on its own stack (g0), or on that of the G that it runs. The
 * context switch is the one that Gs use. The thread-local things of an M, its errno, C++ exceptions and getm(), are saved
 * here. Under the thread sanitizer the simulation's suite is not run: one thread has no race to be found, and that is the
 * other suites' work there. Where the stack that it left stands is told by the address sanitizer itself, at arrival.
 * Ended ones keep their slot and stack for the next.
 */
#include "os.h"
#include "sim-world.h"
#include "switch.h"

#include <errno.h>
#include <stdlib.h>

#define MAX_COS  1024u
#define CO_STACK (256u << 10)

static struct co *all_cos[MAX_COS];
static uint32_t n_cos;
static struct co *self, *left; /* who runs; whom it left to come here */

static _Thread_local bool is_here;

bool co_is_here(void)
{
  return is_here;
}

void co_begin(void)
{
  is_here = true;
  if (self)
    return; /* a later run in the same process: the thread still is the first */
  self = all_cos[n_cos++] = calloc(1, sizeof *self);
}

struct co *co_self(void)
{
  return self;
}

struct co *co_get(uint32_t i)
{
  return i < n_cos ? all_cos[i] : NULL;
}

uint32_t co_number(const struct co *co)
{
  uint32_t i = 0;
  while (all_cos[i] != co)
    i++;
  return i;
}

static void tell_leaving(struct co *from, const struct co *to)
{
#ifdef SWITCH_ASAN
  __sanitizer_start_switch_fiber(from->state == CO_ENDED ? NULL : &from->fake_stack, to->at,
                                 to->at_size);
#endif
  (void)from, (void)to;
}

static void tell_arrived(struct co *here)
{
#ifdef SWITCH_ASAN
  __sanitizer_finish_switch_fiber(here->fake_stack, &left->at, &left->at_size);
#endif
  (void)here;
}

/* The first frame of a coroutine. */
static _Noreturn __attribute__((used, noinline)) void co_entry(void)
{
  tell_arrived(self);
  setm(NULL);
  self->fn(self->arg);
  sim_end_thread();
}

/* What co_switch finds: co_entry, at a stack pointer as if it had been called. */
static void prepare(struct co *co)
{
  void **top = (void **)((uintptr_t)co->hi & ~(uintptr_t)15);
  *--top = NULL; /* the return address: none */
  struct saved_context *context = (struct saved_context *)top - 1;
  *context = (struct saved_context){ .pc = (void *)(uintptr_t)co_entry, .fp = NULL };
  co->sp = context;
  co->at = co->lo;
  co->at_size = (size_t)(co->hi - co->lo);
#ifdef SWITCH_ASAN
  __asan_unpoison_memory_region(co->lo, co->at_size); /* whoever was there did not return */
#endif
}

static struct co *unused_slot(void)
{
  for (uint32_t i = 1; i < n_cos; i++)
    if (all_cos[i]->state == CO_ENDED)
      return all_cos[i];
  struct co *co = n_cos < MAX_COS ? calloc(1, sizeof *co) : NULL;
  if (!co)
    return NULL;
  size_t page = os_page_size();
  co->lo = os_reserve(CO_STACK);
  if (!co->lo || os_guard(co->lo, page, false) != 0) {
    free(co);
    return NULL;
  }
  co->hi = co->lo + CO_STACK;
  co->lo += page;
  return all_cos[n_cos++] = co;
}

struct co *co_new(void *(*fn)(void *), void *arg)
{
  struct co *co = unused_slot();
  if (!co)
    return NULL;
  *co = (struct co){ .state = CO_READY, .lo = co->lo, .hi = co->hi, .fn = fn, .arg = arg };
  prepare(co);
  return co;
}

void co_switch(struct co *to)
{
  struct co *from = self;
  if (to == from)
    return;
  from->m = getm();
  from->saved_errno = errno;
  from->fp = fp_now();
  struct exceptions *of_thread = exceptions_of_thread();
  from->exceptions = exceptions_take(of_thread);
  left = from;
  self = to;
  tell_leaving(from, to);
  ctx_switch(&from->sp, to->sp, NULL);
  tell_arrived(from);
  setm(from->m);
  errno = from->saved_errno;
  fp_set(from->fp);
  exceptions_put(of_thread, from->exceptions);
}
