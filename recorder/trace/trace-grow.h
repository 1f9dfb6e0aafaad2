/* SPDX-License-Identifier: MIT */
/* trace-grow.h - room for one more in an array; for whoever may include this folder.
 *
 * An array grows by half, so an append costs O(1) on average and at most a third of the memory lies idle.  Where arrays
 * are very many and very small (the replay has some for each G) another growth is worth its own code.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>

/* items: the address of the array's pointer, which may move. n of capacity things of this size are in use.
 * False: out of memory, nothing changed. */
bool trace_grow(void *items, size_t *capacity, size_t n, size_t size);
