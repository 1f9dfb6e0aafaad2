/* SPDX-License-Identifier: MIT */
/* trace-chunk-1.c - reads chunks of codec 1, which files of version 1 have.
 *
 * Layout, one after the other, all lengths implied by n and the table:
 *   kinds     n bytes
 *   times     n varints: ts minus the one before (the first: minus t_min)
 *   P and G   runs: varint length, varint p + 1 (mod 2^16), zigzag varint g - last g
 *   words     for each kind that occurs, by number; for each argument of it, in table order: a column of
 *             zigzag varints, each the difference to the last value of that argument in this column
 * Only arguments that the table names are stored; NONE words are 0.
 *
 * The numbers of the events are sorted by kind first (a counting sort), so that every column is one tight loop.
 *
 * I1  The decoder reads no byte at or after `end`, and trusts none before it: a kind must be in the
 * table, runs must cover exactly n events, a narrow argument must fit 32 bits, time must not run
 * over, and the last column must end where the bytes end.
 */
#include "trace-chunk-1.h"

#include <string.h>

#define MAX_KINDS TRACE_CHUNK_1_KINDS

static uint64_t unzigzag(uint64_t n)
{
  return (n >> 1) ^ (0 - (n & 1));
}

bool trace_chunk_1_sort(const struct trace_event *events, size_t n,
                        struct trace_chunk_1_order *sorted)
{
  uint16_t next[MAX_KINDS] = { 0 };
  for (size_t i = 0; i < n; i++) {
    if (events[i].kind >= MAX_KINDS)
      return false;
    next[events[i].kind]++;
  }
  uint16_t sum = 0;
  for (uint32_t kind = 0; kind < MAX_KINDS; kind++) {
    if (next[kind] > 0 && !trace_spec_get(kind))
      return false;
    sorted->start[kind] = sum;
    sum = (uint16_t)(sum + next[kind]);
    next[kind] = sorted->start[kind];
  }
  sorted->start[MAX_KINDS] = sum;
  for (size_t i = 0; i < n; i++)
    sorted->order[next[events[i].kind]++] = (uint16_t)i;
  return true;
}

/* ---- each get_ returns the byte after what it read, or NULL if the bytes are wrong ---- */

static const uint8_t *get_varint_bytewise(const uint8_t *at, const uint8_t *end, uint64_t *value)
{
  uint64_t n = 0;
  for (unsigned shift = 0; shift < 64 && at < end; shift += 7) {
    uint8_t byte = *at++;
    if (shift == 63 && byte > 1)
      return NULL;
    n |= (uint64_t)(byte & 0x7f) << shift;
    if (byte < 0x80) {
      *value = n;
      return at;
    }
  }
  return NULL;
}

/* Two to eight bytes without a loop: find the last byte, cut, and close the gaps of the top bits.
 */
static inline const uint8_t *get_long_varint(const uint8_t *at, const uint8_t *end, uint64_t *value)
{
  uint64_t n;
  if (end - at < 8)
    return get_varint_bytewise(at, end, value);
  memcpy(&n, at, 8);
  uint64_t stops = ~n & 0x8080808080808080u;
  if (stops == 0)
    return get_varint_bytewise(at, end, value);
  n &= stops ^ (stops - 1); /* everything up to the first stop */
  n &= 0x7f7f7f7f7f7f7f7fu;
  n = (n & 0x007f007f007f007fu) | (n & 0x7f007f007f007f00u) >> 1;
  n = (n & 0x00003fff00003fffu) | (n & 0x3fff00003fff0000u) >> 2;
  n = (n & 0x000000000fffffffu) | (n & 0x0fffffff00000000u) >> 4;
  *value = n;
  return at + __builtin_ctzll(stops) / 8 + 1;
}

static inline const uint8_t *get_varint(const uint8_t *at, const uint8_t *end, uint64_t *value)
{
  if (at < end && *at < 0x80) {
    *value = *at;
    return at + 1;
  }
  return get_long_varint(at, end, value);
}

static const uint8_t *get_times(const uint8_t *at, const uint8_t *end, struct trace_event *out,
                                size_t n, int64_t ts)
{
  for (size_t i = 0; i < n; i++) {
    uint64_t delta;
    at = get_varint(at, end, &delta);
    if (!at || delta > (uint64_t)INT64_MAX - (uint64_t)ts)
      return NULL;
    ts = (int64_t)((uint64_t)ts + delta);
    out[i].ts = ts;
  }
  return at;
}

static const uint8_t *get_runs(const uint8_t *at, const uint8_t *end, struct trace_event *out,
                               size_t n)
{
  uint32_t g = 0;
  for (size_t i = 0; i < n;) {
    uint64_t length, p_plus_one, delta;
    if (!(at = get_varint(at, end, &length)) || !(at = get_varint(at, end, &p_plus_one)) ||
        !(at = get_varint(at, end, &delta)))
      return NULL;
    if (length == 0 || length > n - i || p_plus_one > UINT16_MAX || delta > UINT32_MAX)
      return NULL;
    g += (uint32_t)unzigzag(delta);
    for (size_t stop = i + length; i < stop; i++) {
      out[i].p = (uint16_t)(p_plus_one - 1);
      out[i].g = g;
    }
  }
  return at;
}

static const uint8_t *get_narrow(const uint8_t *at, const uint8_t *end, struct trace_event *out,
                                 const uint16_t *order, size_t n, int word)
{
  uint32_t last = 0;
  for (size_t i = 0; i < n; i++) {
    uint64_t delta;
    at = get_varint(at, end, &delta);
    if (!at || delta > UINT32_MAX)
      return NULL;
    last += (uint32_t)unzigzag(delta);
    out[order[i]].w[word] = last;
  }
  return at;
}

static const uint8_t *get_wide(const uint8_t *at, const uint8_t *end, struct trace_event *out,
                               const uint16_t *order, size_t n, int half)
{
  uint64_t last = 0;
  for (size_t i = 0; i < n; i++) {
    uint64_t delta;
    at = get_varint(at, end, &delta);
    if (!at)
      return NULL;
    last += unzigzag(delta);
    out[order[i]].d[half] = last;
  }
  return at;
}

static const uint8_t *get_words(const uint8_t *at, const uint8_t *end, struct trace_event *out,
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
        at = get_wide(at, end, out, order, n, word / 2);
      else
        at = get_narrow(at, end, out, order, n, word);
      if (!at)
        return NULL;
    }
  }
  return at;
}

bool trace_chunk_1_decode(const uint8_t *bytes, size_t size, const struct trace_chunk_place *place,
                          struct trace_event *out)
{
  const size_t n = place->n;
  if (size < n)
    return false;
  for (size_t i = 0; i < n; i++)
    out[i] = (struct trace_event){ .seq = place->first_seq + i, .m = place->m, .kind = bytes[i] };
  struct trace_chunk_1_order sorted;
  if (!trace_chunk_1_sort(out, n, &sorted))
    return false;
  const uint8_t *end = bytes + size;
  const uint8_t *at = get_times(bytes + n, end, out, n, place->t_min);
  if (at)
    at = get_runs(at, end, out, n);
  if (at)
    at = get_words(at, end, out, &sorted);
  return at == end;
}
