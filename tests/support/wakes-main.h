/* SPDX-License-Identifier: MIT */
/* wakes-main.h - Gs that panic with a deferred call that wakes who waits, as wg.Done() does; arg: the wait group. */
#pragma once
#include "rt-defer.h"

static inline void wake(void *waited)
{
  rt_waitgroup_done(waited);
}
/* The panic goes on only when the woken one has run. */
static inline void wake_and_yield(void *waited)
{
  rt_waitgroup_done(waited);
  rt_yield();
}
static inline void panic_and_wake(void *waited)
{
  RT_FRAME(fr, { return; });
  RT_DEFER(fr, wake, waited);
  rt_panic("not to be lost");
}
static inline void panic_wake_and_yield(void *waited)
{
  RT_FRAME(fr, { return; });
  RT_DEFER(fr, wake_and_yield, waited);
  rt_panic("not to be lost");
}
