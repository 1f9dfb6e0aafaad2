/* SPDX-License-Identifier: MIT */
/* trace-store.c - blocks of things that never move (trace-store.h).
 *
 * Unused slots form a list: a free slot's id is the next free slot. */
#include "trace-store.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static bool add_block(struct trace_store *s)
{
  uint32_t n = s->n_blocks + 1;
  char **blocks = realloc(s->blocks, n * sizeof *blocks);
  if (!blocks)
    return false;
  s->blocks = blocks;
  uint64_t *ids = realloc(s->ids, (size_t)n * TRACE_STORE_BLOCK * sizeof *ids);
  if (!ids)
    return false;
  s->ids = ids;
  bool *is_used = realloc(s->is_used, (size_t)n * TRACE_STORE_BLOCK * sizeof *is_used);
  if (!is_used)
    return false;
  s->is_used = is_used;
  memset(is_used + (size_t)s->n_blocks * TRACE_STORE_BLOCK, 0, TRACE_STORE_BLOCK * sizeof *is_used);
  s->blocks[s->n_blocks] = calloc(TRACE_STORE_BLOCK, s->size);
  if (!s->blocks[s->n_blocks])
    return false;
  s->n_blocks = n;
  return true;
}

void *trace_store_add(struct trace_store *s, uint64_t id)
{
  if (s->n_blocks == 0)
    s->free_slot = TRACE_MAP_NONE;
  uint32_t slot = s->free_slot;
  if (slot == TRACE_MAP_NONE) {
    slot = s->n_slots;
    if (slot == s->n_blocks * TRACE_STORE_BLOCK && !add_block(s))
      return NULL;
  }
  assert(s->blocks);
  if (!trace_map_put(&s->by_id, id, slot))
    return NULL;
  if (slot == s->n_slots)
    s->n_slots++;
  else
    s->free_slot = (uint32_t)s->ids[slot];
  s->ids[slot] = id;
  s->is_used[slot] = true;
  return memset(trace_store_slot(s, slot), 0, s->size);
}

void trace_store_remove(struct trace_store *s, uint64_t id)
{
  uint32_t slot = trace_map_get(&s->by_id, id);
  if (slot == TRACE_MAP_NONE)
    return;
  trace_map_remove(&s->by_id, id);
  s->is_used[slot] = false;
  s->ids[slot] = s->free_slot;
  s->free_slot = slot;
}

void trace_store_clear(struct trace_store *s)
{
  for (uint32_t i = 0; i < s->n_blocks; i++) {
    assert(s->blocks);
    free(s->blocks[i]);
  }
  free(s->blocks);
  free(s->ids);
  free(s->is_used);
  trace_map_clear(&s->by_id);
  *s = (struct trace_store){ .size = s->size };
}

static void *copy_of(const void *bytes, size_t n)
{
  void *copy = malloc(n);
  return copy ? memcpy(copy, bytes, n) : NULL;
}

bool trace_store_copy(struct trace_store *to, const struct trace_store *from)
{
  *to = (struct trace_store){ .size = from->size };
  if (from->n_blocks == 0)
    return true;
  size_t slots = (size_t)from->n_blocks * TRACE_STORE_BLOCK;
  to->blocks = calloc(from->n_blocks, sizeof *to->blocks);
  to->ids = copy_of(from->ids, slots * sizeof *to->ids);
  to->is_used = copy_of(from->is_used, slots * sizeof *to->is_used);
  if (!to->blocks || !to->ids || !to->is_used || !trace_map_copy(&to->by_id, &from->by_id))
    goto undo;
  for (; to->n_blocks < from->n_blocks; to->n_blocks++) {
    char *block = copy_of(from->blocks[to->n_blocks], (size_t)TRACE_STORE_BLOCK * from->size);
    if (!block)
      goto undo;
    to->blocks[to->n_blocks] = block;
  }
  to->n_slots = from->n_slots;
  to->free_slot = from->free_slot;
  return true;
undo:
  trace_store_clear(to);
  return false;
}

size_t trace_store_bytes(const struct trace_store *s)
{
  size_t a_slot = s->size + sizeof *s->ids + sizeof *s->is_used;
  return (size_t)s->n_blocks * TRACE_STORE_BLOCK * a_slot +
         (size_t)s->by_id.capacity * sizeof *s->by_id.entries;
}

static int compare_ids(const void *a, const void *b)
{
  uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
  return (x > y) - (x < y);
}

/* Puts id at i of a heap of n ids whose root is the largest, and mends the heap below. */
static void sift(uint32_t *ids, size_t n, size_t i, uint32_t id)
{
  for (size_t child; (child = 2 * i + 1) < n; i = child) {
    if (child + 1 < n && ids[child + 1] > ids[child])
      child++;
    if (ids[child] <= id)
      break;
    ids[i] = ids[child];
  }
  ids[i] = id;
}

/* The n least ids: the first n that come, then only what is less than the largest of those. */
size_t trace_store_ids(const struct trace_store *s, uint32_t from, uint32_t *ids, size_t n,
                       bool (*keep)(const void *thing))
{
  size_t count = 0;
  for (uint32_t slot = 0; slot < s->n_slots && n > 0; slot++) {
    if (!s->is_used[slot] || s->ids[slot] < from || !keep(trace_store_slot(s, slot)))
      continue;
    uint32_t id = (uint32_t)s->ids[slot];
    if (count < n) {
      ids[count++] = id;
      for (size_t i = count / 2; count == n && i-- > 0;)
        sift(ids, n, i, ids[i]);
    } else if (id < ids[0]) {
      sift(ids, n, 0, id);
    }
  }
  qsort(ids, count, sizeof *ids, compare_ids);
  return count;
}
