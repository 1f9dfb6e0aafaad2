/* SPDX-License-Identifier: MIT */
/* simulated.c - a program on the shipped runtime for test-sim-record.c: what it does is its first argument. */
#include "rt.h"

#include <string.h>

/* ---- waits without a call ---- */

static volatile bool is_set;

static RT_PREEMPTIBLE void spin(void *unused)
{
  (void)unused;
  while (!is_set)
    ;
}

static int spins(int argc, char **argv)
{
  (void)argc, (void)argv;
  rt_go_named("spinner", spin, NULL);
  rt_yield();
  is_set = true;
  return 0;
}

static const struct {
  const char *name;
  int (*fn)(int, char **);
} programs[] = { { "spins", spins } };

int main(int argc, char **argv)
{
  for (size_t i = 0; argc > 1 && i < sizeof programs / sizeof programs[0]; i++)
    if (strcmp(argv[1], programs[i].name) == 0)
      return rt_main(argc, argv, programs[i].fn);
  return 2;
}
