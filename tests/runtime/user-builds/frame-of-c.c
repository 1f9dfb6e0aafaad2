/* SPDX-License-Identifier: MIT */
/* frame-of-c.c - a frame that knows of no exceptions, for exceptions.cc. */
#include <gmpscope/rt.h>

static void recovers(void *unused)
{
  (void)unused;
  rt_recover(NULL);
}

void recover_in_c(void (*fn)(void));
void recover_in_c(void (*fn)(void))
{
  RT_FRAME(fr, { return; });
  RT_DEFER(fr, recovers, NULL);
  fn();
}
