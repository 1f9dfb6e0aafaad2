/* SPDX-License-Identifier: MIT */
/* vw-bag.c - see vw-bag.h. An append is amortised O(1), the sort O(things + owners). */
#include "vw-bag.h"

#include "trace-grow.h"

#include <stdlib.h>
#include <string.h>

static bool make_room(struct vw_bag *bag)
{
  size_t capacity = bag->capacity, same = bag->capacity;
  if (bag->n < capacity)
    return true;
  if (capacity > UINT32_MAX / 2 || !trace_grow(&bag->items, &capacity, bag->n, bag->size) ||
      !trace_grow(&bag->owners, &same, bag->n, sizeof *bag->owners))
    return false;
  bag->capacity = (uint32_t)capacity;
  return true;
}

uint32_t vw_bag_add(struct vw_bag *bag, uint32_t owner, const void *item)
{
  if (!make_room(bag))
    return VW_BAG_NONE;
  memcpy(vw_bag_at(bag, bag->n), item, bag->size);
  bag->owners[bag->n] = owner;
  return bag->n++;
}

/* starts[r + 1] counts the things of rank r, then becomes where they begin. */
static void find_starts(const struct vw_bag *bag, const uint32_t *rank, size_t n_owners,
                        size_t *starts)
{
  memset(starts, 0, (n_owners + 1) * sizeof *starts);
  for (uint32_t i = 0; i < bag->n; i++) {
    if (bag->owners[i] != VW_BAG_DROPPED)
      starts[rank[bag->owners[i]] + 1]++;
  }
  for (size_t r = 0; r < n_owners; r++)
    starts[r + 1] += starts[r];
}

void *vw_bag_sort(struct vw_bag *bag, const uint32_t *rank, size_t n_owners, size_t *starts)
{
  find_starts(bag, rank, n_owners, starts);
  char *sorted = malloc(starts[n_owners] * bag->size + 1);
  if (!sorted)
    return NULL;
  for (uint32_t i = 0; i < bag->n; i++) {
    if (bag->owners[i] != VW_BAG_DROPPED)
      memcpy(sorted + starts[rank[bag->owners[i]]]++ * bag->size, vw_bag_at(bag, i), bag->size);
  }
  memmove(starts + 1, starts, n_owners * sizeof *starts); /* each had moved to the next one's */
  starts[0] = 0;
  vw_bag_clear(bag);
  return sorted;
}

void vw_bag_clear(struct vw_bag *bag)
{
  free(bag->items);
  free(bag->owners);
  *bag = (struct vw_bag){ .size = bag->size };
}
