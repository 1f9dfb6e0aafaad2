/* SPDX-License-Identifier: MIT */
/* traceclock.c - which clock a trace has, and what that shows beside the system's, told now and then (clock_sync).
 *
 * The CPU's counter where it is invariant: a read costs 7 ns. The recorder makes ns of its ticks by these pairs.
 */
#include "os.h"
#include "sim.h"
#include "trace-emit-fused.h"
#include "tracedoor.h"

#if defined(__x86_64__)
#include <cpuid.h>
#endif

#define SYNC_PERIOD_NS 1000000000
#define SYNC_TRIES     10
#define SYNC_WINDOW    1000 /* ticks between the two clocks read */

static _Atomic int64_t last_sync;

uint32_t tr_pick_clock(void)
{
  if (SIM_BUILT)
    return TRACE_CLOCK_VIRTUAL;
#if defined(__x86_64__)
  unsigned a, b, c, d;
  if (__get_cpuid(0x80000007, &a, &b, &c, &d) && (d & (1u << 8)))
    return TRACE_CLOCK_TSC; /* invariant */
  return TRACE_CLOCK_MONO;
#elif defined(__aarch64__)
  return TRACE_CLOCK_CNTVCT;
#else
  return TRACE_CLOCK_MONO;
#endif
}

/* Not a point of the simulation: it takes the same course whether it is recorded or not. */
static int64_t mono_now(void)
{
  return SIM_BUILT ? (int64_t)sim_clock(0) : os_now();
}

void tr_sync_clocks(struct m *mp, bool now)
{
  if (!tr_on(mp, TRACE_FAMILY_META) || !mp->tw)
    return;
  int64_t mono = mono_now();
  int64_t last = atomic_load(&last_sync);
  if (!now && mono - last < SYNC_PERIOD_NS)
    return;
  atomic_store(&last_sync, mono);
  if (trace_is_open(mp->tw))
    trace_end_open(mp->tw);
  int64_t wall = 0;
  for (int i = 0; i < SYNC_TRIES; i++) {
    wall = os_wall();
    trace_stamp(mp->tw);
    mono = mono_now();
    if (trace_ticks(mp->tw) - mp->tw->ts < SYNC_WINDOW)
      break;
  }
  tr_clock_sync(mp, (uint64_t)mono, (uint64_t)wall);
}
