/* SPDX-License-Identifier: MIT */
/* fuzz-chunk.c - any bytes as a chunk: decoding must survive, and what was decoded must encode and decode back. */
#include "fuzz.h"

#include "trace-chunk.h"

#include <stdlib.h>
#include <string.h>

static struct trace_event events[TRACE_CHUNK_EVENTS], again[TRACE_CHUNK_EVENTS];
static uint8_t bytes[TRACE_CHUNK_MAX_BYTES(TRACE_CHUNK_EVENTS)];

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  if (size < 2)
    return 0;
  size_t n = (data[0] | (size_t)data[1] << 8) % (TRACE_CHUNK_EVENTS + 2);
  if (!trace_chunk_decode(data + 2, size - 2, n, 1, 0, 0, events))
    return 0;
  size_t encoded = trace_chunk_encode(events, n, bytes);
  if (encoded == 0 || encoded > TRACE_CHUNK_MAX_BYTES(n))
    abort();
  if (!trace_chunk_decode(bytes, encoded, n, 1, 0, events[0].ts, again) ||
      memcmp(events, again, n * sizeof *events) != 0)
    abort();
  return 0;
}
