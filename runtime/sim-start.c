/* SPDX-License-Identifier: MIT */
/* sim-start.c - a process begins with the simulation's library: what sim-exec.c made for it goes no further.
 *
 * Its children are other programs, and real: they load no library of ours, and lie where they like. This one has its
 * addresses already. So both are undone before any of the program's code runs.
 */
#include "options.h"
#include "sim-libc.h"
#include "sim.h"

#include <stdlib.h>
#include <sys/personality.h>
#include <unistd.h>

static void put_persona_back(const char *text)
{
  int now = personality(SIM_ASK_PERSONA);
  unsigned long before = strtoul(text, NULL, 16);
  if (now >= 0 && (unsigned long)now != before)
    personality(before);
}

__attribute__((constructor)) static void begin(void)
{
  char why[256];
  const char *start = getenv(SIM_ENV_START);
  if (!start)
    return; /* somebody preloads it by hand */
  put_persona_back(start);
  unsetenv("LD_PRELOAD");
  unsetenv(SIM_ENV_START);
  unsetenv(SIM_ENV_EVEN);
  /* what it does not understand is told when the run begins */
  sim_libc_begin(options_read(why, sizeof why) ? options.sim_seed : 0);
}
