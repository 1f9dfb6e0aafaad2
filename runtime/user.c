/* SPDX-License-Identifier: MIT */
/* user.c - names, tasks, regions and log lines: how a program tells the trace what things mean.
 *
 * Nothing here changes the program: when nobody records, each call is a load and a branch (a task's begin also counts),
 * and on a thread that the runtime does not know it does nothing. A task that was begun so is UNTOLD, and so is its end,
 * wherever that is.
 */
#include "user.h"

#include "proc.h"
#include "tracedoor.h"

#include <stdarg.h>
#include <stdio.h>

static inline bool is_told(const struct m *mp)
{
  return mp && tr_on(mp, TRACE_FAMILY_USER);
}

/* The calling M if it records the program's own events, stamped; else NULL. Its G may be in a system call, and somebody
 * about to take its P: not before told. In the simulation, where all runs take the same course, that is in each. */
static struct m *listener(void)
{
  struct m *mp = getm();
  bool listens = is_told(mp);
  struct g *gp = mp && (listens || SIM_BUILT) ? mp->curg : NULL;
  bool held = gp && hold_syscall_p(gp);
  if (!listens) {
    if (held)
      let_syscall_p_go(gp);
    return NULL;
  }
  if (held)
    tr_stamp_after(mp);
  else
    tr_stamp(mp);
  return mp;
}

static void told(const struct m *mp)
{
  if (mp->curg)
    let_syscall_p_go(mp->curg);
}

void object_new(const void *object, uint32_t objkind, size_t capacity)
{
  struct m *mp = listener();
  if (!mp)
    return;
  tr_object_new(mp, (uint64_t)(uintptr_t)object, objkind,
                capacity < UINT32_MAX ? (uint32_t)capacity : UINT32_MAX);
  told(mp);
}

/* Its G runs, so it has a P; not one in a system call, nor g0. */
static bool is_running(const struct m *mp)
{
  const struct g *gp = mp->curg;
  return gp && readgstatus(gp) == Grunning;
}

/* The trace knows an armed timer by its number, everything else by its address. In the simulation that is looked up in
 * each run, recorded or not, since the search takes locks; and before listener, which holds the G in a recorded one. */
static uint32_t armed_timer(const void *object)
{
  const struct m *mp = getm();
  return mp && (SIM_BUILT || is_told(mp)) && is_running(mp) ? timer_id_of(object) : 0;
}

void rt_name(const void *object, const char *name)
{
  if (!object)
    return;
  uint32_t timer = armed_timer(object);
  struct m *mp = listener();
  if (!mp)
    return;
  uint32_t name_id = tr_string_id(mp, name);
  if (timer)
    tr_object_new(mp, timer, TRACE_OBJKIND_TIMER, 0);
  tr_object_name(mp, timer ? timer : (uint64_t)(uintptr_t)object, name_id);
  told(mp);
}

#define UNTOLD ((uint64_t)1 << 63)

uint64_t rt_task_begin(const char *name)
{
  static _Atomic uint64_t last_task;
  uint64_t task = atomic_fetch_add_explicit(&last_task, 1, memory_order_relaxed) + 1;
  struct m *mp = listener();
  if (!mp)
    return task | UNTOLD;
  tr_task_begin(mp, task, tr_string_id(mp, name));
  told(mp);
  return task;
}

void rt_task_end(uint64_t task)
{
  struct m *mp = task & UNTOLD ? NULL : listener();
  if (!mp)
    return;
  tr_task_end(mp, task);
  told(mp);
}

void rt_region_begin(const char *name)
{
  struct m *mp = listener();
  if (!mp)
    return;
  if (mp->curg) {
    mp->curg->regions++;
    tr_region_begin(mp, tr_string_id(mp, name));
  }
  told(mp);
}

/* A region that began before anybody recorded has nothing to end. */
void rt_region_end(void)
{
  struct m *mp = listener();
  if (!mp)
    return;
  if (mp->curg && mp->curg->regions > 0) {
    mp->curg->regions--;
    tr_region_end(mp);
  }
  told(mp);
}

/* Written before the P is held (listener), since that takes its time. */
void rt_log(const char *category, const char *fmt, ...)
{
  char text[1024]; /* longer ones are cut */
  text[0] = '\0';
  if (is_told(getm())) {
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(text, sizeof text, fmt, args); /* as far as it comes, if it fails */
    va_end(args);
  }
  struct m *mp = listener();
  if (!mp)
    return;
  tr_user_log(mp, tr_string_id(mp, category), tr_string_id(mp, text));
  told(mp);
}
