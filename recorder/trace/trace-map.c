/* SPDX-License-Identifier: MIT */
/* trace-map.c - the hash map of trace-map.h: grows at two thirds full, removes without tombstones.
 */
#include "trace-map.h"

#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>

#define FIRST_CAPACITY 16u

static uint64_t process_seed(void)
{
  uint64_t seed = 0;
  const void *random = (const void *)getauxval(AT_RANDOM);
  if (random)
    memcpy(&seed, random, sizeof seed);
  return seed;
}

static void place(struct trace_map *map, uint64_t key, uint32_t value)
{
  uint32_t i = trace_map_home(map, key);
  while (map->entries[i].value != TRACE_MAP_NONE)
    i = (i + 1) & (map->capacity - 1);
  map->entries[i] = (struct trace_map_entry){ .key = key, .value = value };
}

static bool grow(struct trace_map *map)
{
  struct trace_map bigger = { .n = map->n, .seed = map->seed };
  if (map->capacity >= 1u << 30)
    return false;
  bigger.capacity = map->capacity ? map->capacity * 2 : FIRST_CAPACITY;
  if (map->capacity == 0)
    bigger.seed = process_seed();
  bigger.entries = malloc(bigger.capacity * sizeof *bigger.entries);
  if (!bigger.entries)
    return false;
  memset(bigger.entries, 0xff, bigger.capacity * sizeof *bigger.entries); /* all TRACE_MAP_NONE */
  for (uint32_t i = 0; i < map->capacity; i++) {
    if (map->entries[i].value != TRACE_MAP_NONE)
      place(&bigger, map->entries[i].key, map->entries[i].value);
  }
  free(map->entries);
  *map = bigger;
  return true;
}

bool trace_map_put(struct trace_map *map, uint64_t key, uint32_t value)
{
  if (map->capacity > 0) {
    uint32_t i = trace_map_home(map, key);
    while (map->entries[i].value != TRACE_MAP_NONE && map->entries[i].key != key)
      i = (i + 1) & (map->capacity - 1);
    if (map->entries[i].value != TRACE_MAP_NONE) {
      map->entries[i].value = value;
      return true;
    }
  }
  if ((uint64_t)map->n * 3 >= (uint64_t)map->capacity * 2 && !grow(map))
    return false;
  place(map, key, value);
  map->n++;
  return true;
}

void trace_map_remove(struct trace_map *map, uint64_t key)
{
  if (trace_map_get(map, key) == TRACE_MAP_NONE)
    return;
  uint32_t mask = map->capacity - 1;
  uint32_t hole = trace_map_home(map, key);
  while (map->entries[hole].key != key || map->entries[hole].value == TRACE_MAP_NONE)
    hole = (hole + 1) & mask;
  /* An entry behind the hole moves into it if its home is not between the hole and itself. */
  for (uint32_t i = (hole + 1) & mask; map->entries[i].value != TRACE_MAP_NONE;
       i = (i + 1) & mask) {
    uint32_t home = trace_map_home(map, map->entries[i].key);
    if (((i - home) & mask) >= ((i - hole) & mask)) {
      map->entries[hole] = map->entries[i];
      hole = i;
    }
  }
  map->entries[hole].value = TRACE_MAP_NONE;
  map->n--;
}

void trace_map_clear(struct trace_map *map)
{
  free(map->entries);
  *map = (struct trace_map){ 0 };
}

bool trace_map_copy(struct trace_map *to, const struct trace_map *from)
{
  *to = *from;
  if (from->capacity == 0)
    return true;
  to->entries = malloc(from->capacity * sizeof *to->entries);
  if (!to->entries) {
    *to = (struct trace_map){ 0 };
    return false;
  }
  memcpy(to->entries, from->entries, from->capacity * sizeof *to->entries);
  return true;
}
