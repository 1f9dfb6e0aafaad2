/* SPDX-License-Identifier: MIT */
/* trace-chunk-1.h - decoding of codec 1; for trace-chunk.c, and for the tests, which still write it. */
#pragma once
#include "trace-chunk.h"

/* Numbers of events by kind: those of kind k are order[start[k]] ... order[start[k + 1] - 1]. */
#define TRACE_CHUNK_1_KINDS 256
struct trace_chunk_1_order {
  uint16_t order[TRACE_CHUNK_EVENTS];
  uint16_t start[TRACE_CHUNK_1_KINDS + 1];
};
/* False: a kind is not in the table. */
bool trace_chunk_1_sort(const struct trace_event *events, size_t n,
                        struct trace_chunk_1_order *sorted);

/* As trace_chunk_decode; place->n is 1 ... TRACE_CHUNK_EVENTS. */
bool trace_chunk_1_decode(const uint8_t *bytes, size_t size, const struct trace_chunk_place *place,
                          struct trace_event *out);
