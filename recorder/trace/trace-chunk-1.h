/* SPDX-License-Identifier: MIT */
/* trace-chunk-1.h - decoding of codec 1; private to this folder. */
#pragma once
#include "trace-chunk.h"

/* As trace_chunk_decode; place->n is 1 ... TRACE_CHUNK_EVENTS. */
bool trace_chunk_1_decode(const uint8_t *bytes, size_t size, const struct trace_chunk_place *place,
                          struct trace_event *out);
