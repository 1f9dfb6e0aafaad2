/* SPDX-License-Identifier: MIT */
/* demo.h - what the demonstrations share: which form of the story is asked for. */
#pragma once
#include "rt.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MS 1000000ll

/* The place in forms (the end is NULL) of the program's argument; 0 without one. Another word ends the program. */
static inline int demo_form(int argc, char **argv, const char *const *forms)
{
  if (argc < 2)
    return 0;
  for (int i = 0; forms[i]; i++)
    if (strcmp(argv[1], forms[i]) == 0)
      return i;
  fprintf(stderr, "%s: there is no form '%s'; there are", argv[0], argv[1]);
  for (int i = 0; forms[i]; i++)
    fprintf(stderr, "%s %s", i ? "," : "", forms[i]);
  fputs("\n", stderr);
  exit(2);
}

/* Computes for ns, as other Gs do that have something to do; may be preempted. */
static inline void demo_compute(int64_t ns)
{
  for (int64_t end = rt_now() + ns; rt_now() < end;)
    rt_safepoint();
}
