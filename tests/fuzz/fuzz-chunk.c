/* SPDX-License-Identifier: MIT */
/* fuzz-chunk.c - any bytes as a chunk, of each codec: decoding must survive, and what was decoded must encode and
 * decode back. */
#include "fuzz.h"

#include "trace-chunk.h"

#include <stdlib.h>
#include <string.h>

static struct trace_event events[TRACE_CHUNK_EVENTS], again[TRACE_CHUNK_EVENTS];
static uint8_t bytes[TRACE_CHUNK_MAX_BYTES(TRACE_CHUNK_EVENTS)];

static void try_codec(uint64_t codec, size_t n, const uint8_t *data, size_t size)
{
  struct trace_chunk_place place = { .codec = codec, .n = n, .m = 1 };
  if (!trace_chunk_decode(data, size, &place, events))
    return;
  size_t encoded = trace_chunk_encode(events, n, bytes);
  if (encoded == 0 || encoded > TRACE_CHUNK_MAX_BYTES(n))
    abort();
  place.codec = TRACE_CHUNK_CODEC;
  place.t_min = events[0].ts;
  if (!trace_chunk_decode(bytes, encoded, &place, again) ||
      memcmp(events, again, n * sizeof *events) != 0)
    abort();
}

/* Two bytes say how many events, then come the bytes of the chunk. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  if (size < 2)
    return 0;
  size_t n = (data[0] | (size_t)data[1] << 8) % (TRACE_CHUNK_EVENTS + 2);
  try_codec(1, n, data + 2, size - 2);
  try_codec(TRACE_CHUNK_CODEC, n, data + 2, size - 2);
  return 0;
}
