/* SPDX-License-Identifier: MIT */
/* trace-seqs.h - the number that the next event of each M has, for who reads or writes events in order.
 * Private to recorder/trace. Zero is empty. Cost: a hash look-up an event. */
#pragma once
#include "trace-map.h"

struct trace_seqs {
  struct trace_map index; /* M -> its place in next */
  uint64_t *next;
  uint32_t n;
  size_t capacity;
};

/* Where m's number is kept, 0 at first; valid until the next call. NULL: out of memory. */
uint64_t *trace_seqs_of(struct trace_seqs *s, uint32_t m);
void trace_seqs_clear(struct trace_seqs *s);
