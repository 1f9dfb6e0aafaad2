/* SPDX-License-Identifier: MIT */
/* descents.c - calls the functions of all objects of descent.c in turn, from each of them on. Each panics and recovers
 * while those above it wait, so frames of every kind are gone back to with every other kind above and below. At the end
 * each ends a G beyond its frame.
 */
#include "descent.h"

#include <gmpscope/rt.h>
#include <stdio.h>

static long first;

int descend_on(int depth)
{
  return __start_descents[(first + depth) % (__stop_descents - __start_descents)](depth);
}

static int body(int argc, char **argv)
{
  long n = __stop_descents - __start_descents, good = 0;
  (void)argc, (void)argv;
  for (first = 0; first < n; first++)
    good += descend_on(0) == DEEPEST * (DEEPEST + 1);
  printf("%ld of %ld\n", good, n);
  return good != n;
}

int main(int argc, char **argv)
{
  return rt_main(argc, argv, body);
}
