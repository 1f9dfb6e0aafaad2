/* SPDX-License-Identifier: MIT */
/* vw-map.h - from a 64-bit key to a 32-bit number: open addressing, linear probing, nothing is removed.
 *
 * The keys are goids, addresses and string ids out of a file, so an enemy may choose them; the hash is
 * seeded once a process.  No answer depends on the order in which it holds them.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define VW_MAP_NONE UINT32_MAX /* no such key; never a value */

struct vw_map_entry {
  uint64_t key;
  uint32_t value; /* VW_MAP_NONE: free */
};

struct vw_map { /* all zeroes is an empty map */
  struct vw_map_entry *entries;
  size_t n, capacity; /* capacity is 0 or a power of two, never more than half full */
};

/* The value, or VW_MAP_NONE. */
uint32_t vw_map_get(const struct vw_map *map, uint64_t key);
/* Adds a key that is not there. False: out of memory, nothing changed. */
bool vw_map_add(struct vw_map *map, uint64_t key, uint32_t value);
void vw_map_clear(struct vw_map *map);
