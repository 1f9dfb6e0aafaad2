/* SPDX-License-Identifier: MIT */
/* switch.h - switching between stacks, and what the sanitizers must be told about it.
 *
 * Four ways on: a G to a G (switch_to_g), a G to a fresh G on another stack, on its own (restart_stack), and between a
 * G and the thread's own stack, g0. A fifth comes back by itself (call_on_stack). All tell the address sanitizer which
 * stack comes next, and the thread sanitizer which fiber; nothing of them is anywhere else in the runtime. A fiber lives
 * as long as a stack, not as a G: so a fresh G on a dead one's stack needs no switch.
 *
 * The thread's errno and its floating point control belong to the G: they are saved and restored here.
 */
#pragma once
#include "runtime.h"
#if defined(__x86_64__)
#include "switch-amd64.h"
#else
#error "the context switch exists for x86_64 only"
#endif

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SWITCH_ASAN 1
#endif
#if __has_feature(thread_sanitizer)
#define SWITCH_TSAN 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__)
#define SWITCH_ASAN 1
#endif
#if defined(__SANITIZE_THREAD__)
#define SWITCH_TSAN 1
#endif
#ifdef SWITCH_ASAN
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#include <sanitizer/lsan_interface.h>
#endif
#ifdef SWITCH_TSAN
#include <sanitizer/tsan_interface.h>
#endif

/* First C function of a G, called on its fresh stack (proc.c). */
_Noreturn void gstart(struct m *mp);

static inline void leave_for(void **fake, const char *lo, const char *hi, void *fiber)
{
#ifdef SWITCH_ASAN
  __sanitizer_start_switch_fiber(fake, lo, (size_t)(hi - lo));
#endif
#ifdef SWITCH_TSAN
  __tsan_switch_to_fiber(fiber, 0);
#endif
  (void)fake, (void)lo, (void)hi, (void)fiber;
}

static inline void arrived(void *fake)
{
#ifdef SWITCH_ASAN
  __sanitizer_finish_switch_fiber(fake, NULL, NULL);
#endif
  (void)fake;
}

/* A stack is about to be used afresh. */
static inline void stack_fresh(struct stack *s)
{
#ifdef SWITCH_ASAN
  __asan_unpoison_memory_region(s->lo, (size_t)(s->hi - s->lo));
#endif
#ifdef SWITCH_TSAN
  if (!s->fiber)
    s->fiber = __tsan_create_fiber(0);
#endif
  (void)s;
}

/* A stack's G ended. The thread sanitizer's picture of its calls would only grow, so it goes. */
static inline void stack_dead(struct stack *s)
{
#ifdef SWITCH_TSAN
  if (s->fiber)
    __tsan_destroy_fiber(s->fiber);
  s->fiber = NULL;
#endif
  (void)s;
}

/* A stack was made: what only it points to is not leaked. */
static inline void stack_made(struct stack *s)
{
#ifdef SWITCH_ASAN
  __lsan_register_root_region(s->lo, (size_t)(s->hi - s->lo));
#endif
  (void)s;
}

/* The thread's own stack: while the thread is on a G's, the leak sanitizer looks there alone, and what only the
 * program's own frames below rt_main point to would seem to be leaked. */
static inline void thread_begins(struct m *mp)
{
#ifdef SWITCH_ASAN
  __lsan_register_root_region(mp->g0_lo, (size_t)(mp->g0_hi - mp->g0_lo));
#endif
#ifdef SWITCH_TSAN
  mp->g0_fiber = __tsan_get_current_fiber();
#endif
  (void)mp;
}

static inline void thread_ends(struct m *mp)
{
#ifdef SWITCH_ASAN
  __lsan_unregister_root_region(mp->g0_lo, (size_t)(mp->g0_hi - mp->g0_lo));
#endif
  (void)mp;
}

/* What is the G's own of the thread, while it is away. */
struct belongings {
  int saved_errno;
  bool has_fp;
  struct fp_control fp;
};
static ALWAYS_INLINE struct belongings take_along(const struct m *mp)
{
  struct belongings mine = { .saved_errno = *mp->errnop, .fp = fp_now() };
  mine.has_fp = fp_is_own(mine.fp, mp->fp_of_run);
  if (mine.has_fp)
    fp_set(mp->fp_of_run);
  return mine;
}
static ALWAYS_INLINE void put_back(const struct m *mp, struct belongings mine)
{
  if (unlikely(mine.has_fp))
    fp_set(mine.fp);
  *mp->errnop = mine.saved_errno;
}
/* A G that dies leaves nothing behind. */
static ALWAYS_INLINE void drop_fp(const struct m *mp)
{
  if (fp_is_own(fp_now(), mp->fp_of_run))
    fp_set(mp->fp_of_run);
}

/* From the G from, which lives on, to the G to on its saved or fresh stack. Returns when from runs again, on
 * whichever M that is. */
static ALWAYS_INLINE struct m *switch_to_g(struct m *mp, struct g *from, struct g *to)
{
  struct belongings mine = take_along(mp);
  leave_for(&from->fake_stack, to->stack.lo, to->stack.hi, to->stack.fiber);
  mp = to->sp ? ctx_switch(&from->sp, to->sp, mp) : ctx_launch(&from->sp, to->stack.hi, mp);
  arrived(from->fake_stack);
  put_back(mp, mine);
  return mp;
}

/* From the G from to g0. from_dies: its stack is not needed any more. */
static ALWAYS_INLINE struct m *switch_to_g0(struct m *mp, struct g *from, bool from_dies)
{
  struct belongings mine = take_along(mp);
  leave_for(from_dies ? NULL : &from->fake_stack, mp->g0_lo, mp->g0_hi, mp->g0_fiber);
  mp = ctx_switch(&from->sp, mp->g0_sp, mp);
  arrived(from->fake_stack);
  put_back(mp, mine);
  return mp;
}

/* From g0 to a G. Returns when a G of this M switches to g0. */
static ALWAYS_INLINE void switch_from_g0(struct m *mp, struct g *to)
{
  leave_for(&mp->g0_fake_stack, to->stack.lo, to->stack.hi, to->stack.fiber);
  if (to->sp)
    ctx_switch(&mp->g0_sp, to->sp, mp);
  else
    ctx_launch(&mp->g0_sp, to->stack.hi, mp);
  arrived(mp->g0_fake_stack);
}

/* From a G that died to another one. */
static ALWAYS_INLINE _Noreturn void switch_and_forget(struct m *mp, struct g *from, struct g *to)
{
  leave_for(NULL, to->stack.lo, to->stack.hi, to->stack.fiber);
  if (to->sp)
    ctx_switch(&from->sp, to->sp, mp);
  else
    ctx_launch(&from->sp, to->stack.hi, mp);
  __builtin_unreachable();
}

/* From a G that died to a fresh one that takes over its stack, s, on which we are. */
#ifdef SWITCH_TSAN
#define STACKS_RESTART false
#else
#define STACKS_RESTART true
#endif
static ALWAYS_INLINE _Noreturn void restart_stack(struct m *mp, struct stack *s)
{
  stack_fresh(s);
  leave_for(NULL, s->lo, s->hi, s->fiber);
  ctx_reset(s->hi, mp);
}

struct errand {
  void (*fn)(void *);
  void *arg;
};

static inline void run_errand(void *arg)
{
  const struct errand *errand = arg;
#ifdef SWITCH_ASAN
  const void *from;
  size_t size;
  __sanitizer_finish_switch_fiber(NULL, &from, &size);
#endif
  errand->fn(errand->arg);
#ifdef SWITCH_ASAN
  __sanitizer_start_switch_fiber(NULL, from, size);
#endif
}

/* fn(arg) on another stack, from whatever stack. For the thread sanitizer it stays the same fiber. */
static inline void call_on_stack(char *lo, char *hi, void (*fn)(void *), void *arg)
{
  struct errand errand = { fn, arg };
  void *fake = NULL;
#ifdef SWITCH_ASAN
  __sanitizer_start_switch_fiber(&fake, lo, (size_t)(hi - lo));
#endif
  ctx_call(hi, run_errand, &errand);
  arrived(fake);
  (void)lo;
}
