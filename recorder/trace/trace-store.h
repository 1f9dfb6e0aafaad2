/* SPDX-License-Identifier: MIT */
/* trace-store.h - things of one size, found by id, that never move; private to this folder.
 *
 * A replay holds pointers to several Gs while it makes another one, so things live in blocks that stay
 * where they are.  Copying is a memcpy a block: that keeps checkpoints cheap.  Memory is what exists now,
 * never what an id says, because ids come from hostile files.
 */
#pragma once
#include "trace-map.h"

#define TRACE_STORE_BLOCK 64u /* things a block */

struct trace_store {
  struct trace_map by_id;
  char **blocks;
  uint64_t *ids;    /* by slot */
  bool *is_used;    /* by slot */
  uint32_t size;    /* bytes a thing, set by the owner before the first use */
  uint32_t n_slots; /* slots ever used */
  uint32_t n_blocks;
  uint32_t free_slot; /* some unused slot below n_slots, or TRACE_MAP_NONE */
};

static inline void *trace_store_slot(const struct trace_store *s, uint32_t slot)
{
  return s->blocks[slot / TRACE_STORE_BLOCK] + (size_t)(slot % TRACE_STORE_BLOCK) * s->size;
}
/* The thing, or NULL. */
static inline void *trace_store_find(const struct trace_store *s, uint64_t id)
{
  uint32_t slot = trace_map_get(&s->by_id, id);
  return slot == TRACE_MAP_NONE ? NULL : trace_store_slot(s, slot);
}
/* The thing in a slot below n_slots, or NULL: for going through all. */
static inline void *trace_store_at(const struct trace_store *s, uint32_t slot)
{
  return s->is_used[slot] ? trace_store_slot(s, slot) : NULL;
}
/* A new thing, all zeroes; the id must not be there. NULL: out of memory. */
void *trace_store_add(struct trace_store *s, uint64_t id);
void trace_store_remove(struct trace_store *s, uint64_t id);
void trace_store_clear(struct trace_store *s);
/* Bytes of every thing; what they point at is the owner's to copy. False: out of memory, *to is empty. */
bool trace_store_copy(struct trace_store *to, const struct trace_store *from);
size_t trace_store_bytes(const struct trace_store *s);
/* Up to n ids from `from` on, in increasing order, of the things that keep() is true of. */
size_t trace_store_ids(const struct trace_store *s, uint32_t from, uint32_t *ids, size_t n,
                       bool (*keep)(const void *thing));
