/* SPDX-License-Identifier: MIT */
/* chunkrow.h - a row of table chunk without its data, and the checksum that guards both.
 *
 * SQLite has no page checksums: a flipped bit in a valid file changes data in three of ten cases, and
 * PRAGMA quick_check says ok.  So each chunk carries XXH3 of its bytes, seeded with XXH3 of the other columns:
 * a flip in first_seq or t_min is seen as well as one in the data.
 */
#pragma once
#include "trace-chunk.h"

#include <xxhash.h>

struct chunk_row {
  int64_t id; /* not part of the checksum */
  uint64_t m, first_seq, n, lost_before, codec;
  int64_t t_min, t_max;
};

/* As stored in column xxh3. */
static inline int64_t chunk_row_xxh3(const struct chunk_row *row, const void *data, size_t size)
{
  const uint64_t columns[] = { row->m,
                               row->first_seq,
                               row->n,
                               row->lost_before,
                               row->codec,
                               (uint64_t)row->t_min,
                               (uint64_t)row->t_max };
  return (int64_t)XXH3_64bits_withSeed(data, size, XXH3_64bits(columns, sizeof columns));
}

static inline struct trace_chunk_place chunk_row_place(const struct chunk_row *row)
{
  return (struct trace_chunk_place){ .codec = row->codec,
                                     .n = row->n,
                                     .m = (uint32_t)row->m,
                                     .first_seq = row->first_seq,
                                     .t_min = row->t_min };
}
