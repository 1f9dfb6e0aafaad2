/* SPDX-License-Identifier: MIT */
/* chunk-1.c - writes chunks of codec 1, as gmpscope did before version 2 of the trace file. */
#include "chunk-1.h"

#include "trace-chunk-1.h"

#define MAX_KINDS TRACE_CHUNK_1_KINDS

static uint64_t zigzag(int64_t n)
{
  return ((uint64_t)n << 1) ^ (uint64_t)(n >> 63);
}

/* Most numbers take one byte or two. */
static inline uint8_t *put_varint(uint8_t *at, uint64_t n)
{
  if (n < 0x80) {
    *at = (uint8_t)n;
    return at + 1;
  }
  if (n < 0x4000) {
    at[0] = (uint8_t)(n | 0x80);
    at[1] = (uint8_t)(n >> 7);
    return at + 2;
  }
  while (n >= 0x80) {
    *at++ = (uint8_t)(n | 0x80);
    n >>= 7;
  }
  *at++ = (uint8_t)n;
  return at;
}

/* NULL: time goes back. */
static uint8_t *put_times(uint8_t *at, const struct trace_event *events, size_t n)
{
  int64_t last = events[0].ts;
  for (size_t i = 0; i < n; i++) {
    if (events[i].ts < last)
      return NULL;
    at = put_varint(at, (uint64_t)events[i].ts - (uint64_t)last);
    last = events[i].ts;
  }
  return at;
}

static uint8_t *put_runs(uint8_t *at, const struct trace_event *events, size_t n)
{
  uint32_t last_g = 0;
  for (size_t i = 0, length; i < n; i += length) {
    const struct trace_event *first = &events[i];
    length = 1;
    while (i + length < n && first[length].p == first->p && first[length].g == first->g)
      length++;
    at = put_varint(at, length);
    at = put_varint(at, (uint16_t)(first->p + 1));
    at = put_varint(at, zigzag((int32_t)(first->g - last_g)));
    last_g = first->g;
  }
  return at;
}

static uint8_t *put_narrow(uint8_t *at, const struct trace_event *events, const uint16_t *order,
                           size_t n, int word)
{
  uint32_t last = 0;
  for (size_t i = 0; i < n; i++) {
    uint32_t value = events[order[i]].w[word];
    at = put_varint(at, zigzag((int32_t)(value - last)));
    last = value;
  }
  return at;
}

static uint8_t *put_wide(uint8_t *at, const struct trace_event *events, const uint16_t *order,
                         size_t n, int half)
{
  uint64_t last = 0;
  for (size_t i = 0; i < n; i++) {
    uint64_t value = events[order[i]].d[half];
    at = put_varint(at, zigzag((int64_t)(value - last)));
    last = value;
  }
  return at;
}

static uint8_t *put_words(uint8_t *at, const struct trace_event *events,
                          const struct trace_chunk_1_order *sorted)
{
  for (uint32_t kind = 0; kind < TRACE_KIND_LIMIT; kind++) {
    const uint16_t *order = &sorted->order[sorted->start[kind]];
    size_t n = (size_t)(sorted->start[kind + 1] - sorted->start[kind]);
    for (int word = 0; n > 0 && word < 4; word++) {
      const struct trace_arg_spec *arg = &trace_specs[kind].args[word];
      if (!arg->name)
        continue;
      if (trace_arg_is_wide(arg->type))
        at = put_wide(at, events, order, n, word / 2);
      else
        at = put_narrow(at, events, order, n, word);
    }
  }
  return at;
}

size_t chunk_1_encode(const struct trace_event *events, size_t n, uint8_t *out)
{
  struct trace_chunk_1_order sorted;
  if (n == 0 || n > TRACE_CHUNK_EVENTS || !trace_chunk_1_sort(events, n, &sorted))
    return 0;
  uint8_t *at = out;
  for (size_t i = 0; i < n; i++)
    *at++ = (uint8_t)events[i].kind;
  at = put_times(at, events, n);
  if (!at)
    return 0;
  at = put_runs(at, events, n);
  at = put_words(at, events, &sorted);
  return (size_t)(at - out);
}
