/* SPDX-License-Identifier: MIT */
/* chunk-1.h - chunks of codec 1, for the tests of what reads them. */
#pragma once
#include "trace-chunk.h"

#define CHUNK_1_MAX_BYTES(n) ((size_t)(n)*64 + 64)

/* As trace_chunk_encode; out holds CHUNK_1_MAX_BYTES(n). */
size_t chunk_1_encode(const struct trace_event *events, size_t n, uint8_t *out);
