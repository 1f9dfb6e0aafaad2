/* SPDX-License-Identifier: MIT */
/* clock.c - ticks to ns, by a line that is bent every 100 ms.
 *
 * A line is used for all ticks from its base on until the next line's base, and never changed afterwards: so the
 * same ticks always give the same ns, on whatever M they stand, and time never goes back. When a new look at
 * the clocks shows that the line is e ns off, the next line begins where the old one is and runs a little
 * faster or slower, to meet the monotonic clock about one look later: no jump, no fold, and the error stays
 * below a microsecond while NTP slews and crystals drift.
 *
 * Ns 0 is the first record of the trace, not the calibration: a program takes a millisecond or ten to begin, and a
 * reader should not see them. A first record that claims another time than between the two looks is not believed.
 *
 * Not done: one line through the first and the last look. Exact at both ends, but only known at the end, and
 * chunks are written while recording.
 * Cost: two multiplications an event; ticks are at most a day from their line's base, where a double is exact
 * to the ns.
 */
#include "clock.h"

#include <time.h>
#if defined(__x86_64__)
#include <x86intrin.h>
#endif

#define CALIBRATION_NS 5000000
#define LOOKS          9
#define MAX_BEND       0.001 /* a thousandth: more is a jump, not drift */
#define FAR            4e18  /* ns; hostile ticks end here */

static uint64_t counter(void)
{
#if defined(__x86_64__)
  return __rdtsc();
#elif defined(__aarch64__)
  uint64_t ticks;
  __asm__ volatile("mrs %0, cntvct_el0" : "=r"(ticks));
  return ticks;
#else
  return 0;
#endif
}

static int64_t clock_ns(clockid_t id)
{
  struct timespec now;
  clock_gettime(id, &now);
  return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

int64_t rec_mono_ns(void)
{
  return clock_ns(CLOCK_MONOTONIC);
}

/* The look with the shortest way between two readings of the counter: no interruption fell into it. */
static struct clock_look look_at_clocks(void)
{
  struct clock_look best = { 0 };
  uint64_t narrowest = UINT64_MAX;
  for (int i = 0; i < LOOKS; i++) {
    uint64_t before = counter();
    int64_t mono = rec_mono_ns();
    uint64_t after = counter();
    if (after - before >= narrowest)
      continue;
    narrowest = after - before;
    best = (struct clock_look){ .ticks = before + narrowest / 2, .mono_ns = mono };
  }
  best.wall_ns = clock_ns(CLOCK_REALTIME);
  return best;
}

static double clamp(double value, double limit)
{
  return value > limit ? limit : value < -limit ? -limit : value;
}

static void add_line(struct rec_clock *c, uint64_t ticks, int64_t ns, double slope)
{
  c->lines[c->n_lines++ % CLOCK_LINES] =
      (struct clock_line){ .base_ticks = ticks, .base_ns = ns, .slope = slope };
}

void rec_clock_start(struct rec_clock *c)
{
  *c = (struct rec_clock){ .measured_slope = 1 };
  struct clock_look a = look_at_clocks(), b;
  do
    b = look_at_clocks();
  while (b.mono_ns - a.mono_ns < CALIBRATION_NS);
  if (b.ticks > a.ticks)
    c->measured_slope = (double)(b.mono_ns - a.mono_ns) / (double)(b.ticks - a.ticks);
  c->first = b;
}

static bool is_counter(const struct rec_clock *c)
{
  return c->kind == TRACE_CLOCK_TSC || c->kind == TRACE_CLOCK_CNTVCT;
}

/* Ns from the calibration to ticks; 0 for ticks that cannot be those of a record of a program started since. */
static int64_t since_calibration(const struct rec_clock *c, uint64_t ticks)
{
  const struct clock_look now = look_at_clocks();
  uint64_t first = is_counter(c) ? c->first.ticks : (uint64_t)c->first.mono_ns;
  uint64_t last = is_counter(c) ? now.ticks : (uint64_t)now.mono_ns;
  if (ticks < first || ticks > last)
    return 0;
  return (int64_t)((double)(ticks - first) * (is_counter(c) ? c->measured_slope : 1));
}

void rec_clock_begin(struct rec_clock *c, uint32_t kind, uint64_t ticks)
{
  c->kind = kind;
  c->n_lines = 0;
  if (kind == TRACE_CLOCK_VIRTUAL) {
    c->start_mono = (int64_t)ticks;
    c->start_wall = c->first.wall_ns;
    add_line(c, ticks, 0, 1);
    return;
  }
  int64_t later = since_calibration(c, ticks);
  c->start_mono = c->first.mono_ns + later;
  c->start_wall = c->first.wall_ns + later;
  if (!is_counter(c))
    add_line(c, (uint64_t)c->start_mono, 0, 1);
  else
    add_line(c, later ? ticks : c->first.ticks, 0, c->measured_slope);
}

int64_t rec_clock_sync(struct rec_clock *c, struct clock_look *look)
{
  *look = look_at_clocks();
  if (!is_counter(c))
    return 0;
  const struct clock_line *last = &c->lines[(c->n_lines - 1) % CLOCK_LINES];
  int64_t told = rec_clock_ns(c, look->ticks);
  int64_t is = look->mono_ns - c->start_mono;
  double run = (double)(look->ticks - last->base_ticks);
  if (run <= 0)
    return 0;
  /* true speed since the calibration, bent so that the error is gone after one more run of this length */
  double speed =
      (double)(look->mono_ns - c->first.mono_ns) / (double)(look->ticks - c->first.ticks);
  double bend = (double)(is - told) / (run * speed);
  add_line(c, look->ticks, told, speed * (1 + clamp(bend, MAX_BEND)));
  return told - is;
}

int64_t rec_clock_ns(const struct rec_clock *c, uint64_t ticks)
{
  uint32_t kept = c->n_lines < CLOCK_LINES ? c->n_lines : CLOCK_LINES;
  const struct clock_line *line = &c->lines[(c->n_lines - 1) % CLOCK_LINES];
  for (uint32_t back = 1; back < kept && ticks < line->base_ticks; back++)
    line = &c->lines[(c->n_lines - 1 - back) % CLOCK_LINES];
  int64_t distance = (int64_t)(ticks - line->base_ticks);
  if (line->slope == 1) /* exact, however far */
    return (int64_t)((uint64_t)line->base_ns + (uint64_t)distance);
  return line->base_ns + (int64_t)clamp((double)distance * line->slope, FAR);
}

int64_t rec_clock_from_mono(const struct rec_clock *c, uint64_t mono_ns)
{
  return (int64_t)(mono_ns - (uint64_t)c->start_mono);
}
