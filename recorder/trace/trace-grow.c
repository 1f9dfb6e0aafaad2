/* SPDX-License-Identifier: MIT */
/* trace-grow.c - see trace-grow.h. The pointer is copied as bytes, because it may be one to any type. */
#include "trace-grow.h"

#include <stdlib.h>
#include <string.h>

bool trace_grow(void *items, size_t *capacity, size_t n, size_t size)
{
  if (n < *capacity)
    return true;
  size_t wanted = *capacity + *capacity / 2 + 16, bytes;
  void *old, *bigger;
  memcpy(&old, items, sizeof old);
  if (__builtin_mul_overflow(wanted, size, &bytes) || !(bigger = realloc(old, bytes)))
    return false;
  memcpy(items, &bigger, sizeof bigger);
  *capacity = wanted;
  return true;
}
