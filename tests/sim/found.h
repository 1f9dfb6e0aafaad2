/* SPDX-License-Identifier: MIT */
/* found.h - the runs that found bugs of the scheduler, each told as what went wrong.
 *
 * A seed takes the same course only as long as the code takes the same steps, so an old entry may not come near its
 * bug any more; the many other seeds do. It is kept all the same: it costs a millisecond, and it names the bug.
 */
#pragma once
#include <stdint.h>

/* clang-format off */
static const struct {
  const char *program;
  int procs;
  uint64_t seed;
  const char *bug;
} found[] = {
  { "ping-pong", 2, 7068, "the same G left runnext and came back while a thief looked: the steal's time was before the put's" },
  { "ping-pong", 4, 20729, "the same, three Ms" },
  { "system-calls", 4, 18612, "a ring was drained without a CAS while thieves were at it, after a thread was refused; a G ran twice" },
  { "locked-threads", 1, 1097, "who parked last took a G whose thread was refused for a bug" },
  { "locked-threads", 1, 346, "the same, while sysmon was about to ask for a thread" },
  { "locked-threads", 4, 75767, "an M was counted as spinning after it was known that it got no P; a timer fired late" },
  { "handover-then-compute", 2, 2712730950510, "a thread was refused, and sysmon did not ask again for the Gs in the queue of a P whose G computes" },
  { "channel-timers", 3, 9911268765078, "who had slept in netpoll went on with a timer's G, and nobody slept there for the next timer" },
  { "two-stoppers", 3, 9027212, "a G was asked to stop at a time before it started" },
  { "descriptors", 2, 3461, "an M went to sleep in netpoll behind the one that the run's end had woken there, for ever" },
  { "descriptors-at-once", 8, 2423, "a G was told to be ready at a time before it was made" },
};
/* clang-format on */
