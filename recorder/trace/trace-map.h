/* SPDX-License-Identifier: MIT */
/* trace-map.h - a small hash map from a 64-bit key to a 32-bit number; for whoever may include this folder.
 *
 * Keys come from files and shared memory, so somebody may choose them: the hash takes a seed of the
 * process (from the kernel's AT_RANDOM), so that nobody can choose keys that collide.  No order of
 * anything depends on it, so answers stay the same from run to run.
 *
 * Open addressing, linear probing, removal by shifting back: one flat array, copied with one
 * memcpy.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TRACE_MAP_NONE UINT32_MAX /* no such key; never a value */

struct trace_map_entry {
  uint64_t key;
  uint32_t value; /* TRACE_MAP_NONE: a free entry */
  uint32_t pad;
};

struct trace_map {
  struct trace_map_entry *entries;
  uint64_t seed;
  uint32_t n;
  uint32_t capacity; /* 0 or a power of two */
};

/* An empty map is all zeroes. False: out of memory, nothing changed. */
bool trace_map_put(struct trace_map *map, uint64_t key, uint32_t value);
void trace_map_remove(struct trace_map *map, uint64_t key);
void trace_map_clear(struct trace_map *map);
bool trace_map_copy(struct trace_map *to, const struct trace_map *from);

static inline uint32_t trace_map_home(const struct trace_map *map, uint64_t key)
{
  uint64_t h = (key ^ map->seed) * 0x9e3779b97f4a7c15u;
  h = (h ^ h >> 32) * 0xd6e8feb86659fd93u;
  return (uint32_t)(h >> 32) & (map->capacity - 1);
}

/* The value, or TRACE_MAP_NONE. */
static inline uint32_t trace_map_get(const struct trace_map *map, uint64_t key)
{
  if (map->capacity == 0)
    return TRACE_MAP_NONE;
  uint32_t i = trace_map_home(map, key);
  while (map->entries[i].value != TRACE_MAP_NONE && map->entries[i].key != key)
    i = (i + 1) & (map->capacity - 1);
  return map->entries[i].value;
}
