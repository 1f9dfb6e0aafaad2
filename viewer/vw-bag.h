/* SPDX-License-Identifier: MIT */
/* vw-bag.h - things of many owners, thrown into one array in time order and sorted out at the end.
 *
 * Spans, overlays, marks and the steps of panics each belong to one of very many owners (a program may make
 * a million Gs).  One growing array a lane would cost a million small allocations; one array for all costs
 * an append each and one stable counting sort, after which an owner's things lie together, still in time
 * order.  The sort needs the memory twice, for a moment.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define VW_BAG_NONE    UINT32_MAX /* no such thing */
#define VW_BAG_DROPPED UINT32_MAX /* owner of a thing that the sort leaves out */

struct vw_bag { /* zeroes and a size are an empty bag */
  char *items;
  uint32_t *owners;
  size_t size; /* bytes of a thing */
  uint32_t n, capacity;
};

/* Adds a thing; VW_BAG_NONE: out of memory, or 2^32 - 1 things. */
uint32_t vw_bag_add(struct vw_bag *bag, uint32_t owner, const void *item);
static inline void *vw_bag_at(const struct vw_bag *bag, uint32_t i)
{
  return bag->items + (size_t)i * bag->size;
}
/* Sorts by rank[owner] (each below n_owners), stable. starts gets n_owners + 1 places: rank r's things are those
 * from starts[r] to starts[r + 1]. The result is the caller's to free, the bag is empty. NULL: out of memory. */
void *vw_bag_sort(struct vw_bag *bag, const uint32_t *rank, size_t n_owners, size_t *starts);
void vw_bag_clear(struct vw_bag *bag);
