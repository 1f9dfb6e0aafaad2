/* SPDX-License-Identifier: MIT */
/* test-chunk.c - events survive the columns of a chunk, and hostile bytes do no harm.
 *
 * Events are drawn at random over the whole table, so a new line of events.def is covered by
 * itself. Every decoded buffer is exactly as long as the bytes, on the heap: a sanitizer sees one
 * byte too far. */
#include "test.h"

#include "trace-chunk.h"

#include <stdlib.h>
#include <string.h>

static uint64_t random_state;

static uint64_t random_u64(void)
{
  random_state += 0x9e3779b97f4a7c15u;
  uint64_t z = random_state;
  z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
  z = (z ^ z >> 27) * 0x94d049bb133111ebu;
  return z ^ z >> 31;
}

/* Mostly small, sometimes of any size: as real arguments are. */
static uint64_t random_value(void)
{
  return random_u64() >> random_u64() % 64;
}

static struct trace_event random_event(uint64_t seq, int64_t ts)
{
  struct trace_event e = {
    .ts = ts, .seq = seq, .m = 3, .g = (uint32_t)random_value(), .p = (uint16_t)random_value()
  };
  do
    e.kind = (uint16_t)(random_u64() % TRACE_KIND_LIMIT);
  while (!trace_spec_get(e.kind));
  for (int i = 0; i < 4; i++) {
    const struct trace_arg_spec *arg = &trace_specs[e.kind].args[i];
    if (!arg->name)
      continue;
    if (trace_arg_is_wide(arg->type))
      e.d[i / 2] = random_value();
    else
      e.w[i] = (uint32_t)random_value();
  }
  return e;
}

static void fill_random(struct trace_event *events, size_t n)
{
  int64_t ts = (int64_t)(random_value() >> 2);
  for (size_t i = 0; i < n; i++) {
    events[i] = random_event(1000 + i, ts);
    ts += (int64_t)(random_value() >> 20);
  }
}

static void random_events_survive_a_round_trip(void **state)
{
  (void)state;
  struct trace_event *events = calloc(TRACE_CHUNK_EVENTS, sizeof *events);
  struct trace_event *decoded = calloc(TRACE_CHUNK_EVENTS, sizeof *decoded);
  uint8_t *bytes = malloc(TRACE_CHUNK_MAX_BYTES(TRACE_CHUNK_EVENTS));
  for (uint64_t seed = 1; seed <= 60; seed++) {
    random_state = seed;
    size_t n =
        seed == 1 ? TRACE_CHUNK_EVENTS : 1 + random_u64() % (seed % 7 ? 300 : TRACE_CHUNK_EVENTS);
    fill_random(events, n);
    size_t size = trace_chunk_encode(events, n, bytes);
    assert_in_range(size, n, TRACE_CHUNK_MAX_BYTES(n));
    uint8_t *exact = malloc(size);
    memcpy(exact, bytes, size);
    assert_true(trace_chunk_decode(exact, size, n, 3, 1000, events[0].ts, decoded));
    assert_memory_equal(events, decoded, n * sizeof *events);
    free(exact);
  }
  free(events);
  free(decoded);
  free(bytes);
}

static void extreme_values_survive_a_round_trip(void **state)
{
  (void)state;
  struct trace_event events[2] = {
    { .ts = INT64_MIN,
      .seq = 0,
      .m = 0,
      .p = TRACE_NO_P,
      .g = UINT32_MAX,
      .kind = TRACE_GO_BLOCK,
      .w = { UINT32_MAX, 0, 0, 1u << 31 } },
    { .ts = INT64_MAX,
      .seq = 1,
      .m = 0,
      .p = 0,
      .g = 0,
      .kind = TRACE_GO_BLOCK,
      .w = { 0, UINT32_MAX, UINT32_MAX, UINT32_MAX } },
  };
  struct trace_event decoded[2];
  uint8_t bytes[TRACE_CHUNK_MAX_BYTES(2)];
  size_t size = trace_chunk_encode(events, 2, bytes);
  assert_true(trace_chunk_decode(bytes, size, 2, 0, 0, INT64_MIN, decoded));
  assert_memory_equal(events, decoded, sizeof events);
}

static void what_is_not_a_chunk_is_not_encoded(void **state)
{
  (void)state;
  struct trace_event events[2] = { { .ts = 5, .kind = TRACE_M_PARK },
                                   { .ts = 4, .kind = TRACE_M_PARK } };
  uint8_t bytes[TRACE_CHUNK_MAX_BYTES(2)];
  assert_int_equal(trace_chunk_encode(events, 2, bytes), 0); /* time goes back */
  assert_int_equal(trace_chunk_encode(events, 0, bytes), 0);
  events[0].kind = 191;
  assert_int_equal(trace_chunk_encode(events, 1, bytes), 0); /* no such kind */
  events[0].kind = 300;
  assert_int_equal(trace_chunk_encode(events, 1, bytes), 0);
}

static bool decode_copy(const uint8_t *bytes, size_t size, size_t n, struct trace_event *out)
{
  uint8_t *exact = malloc(size ? size : 1);
  memcpy(exact, bytes, size);
  bool ok = trace_chunk_decode(exact, size, n, 3, 0, 0, out);
  free(exact);
  return ok;
}

static void every_truncation_is_refused(void **state)
{
  (void)state;
  struct trace_event events[64], decoded[64];
  uint8_t bytes[TRACE_CHUNK_MAX_BYTES(64) + 1];
  random_state = 7;
  fill_random(events, 64);
  size_t size = trace_chunk_encode(events, 64, bytes);
  for (size_t cut = 0; cut < size; cut++)
    assert_false(decode_copy(bytes, cut, 64, decoded));
  bytes[size] = 0;
  assert_false(decode_copy(bytes, size + 1, 64, decoded));
  assert_false(decode_copy(bytes, size, 63, decoded));
  assert_false(decode_copy(bytes, size, TRACE_CHUNK_EVENTS + 1, decoded));
  assert_false(decode_copy(bytes, size, 0, decoded));
}

static void mutated_bytes_decode_to_known_kinds_or_are_refused(void **state)
{
  (void)state;
  struct trace_event events[64], decoded[64];
  uint8_t bytes[TRACE_CHUNK_MAX_BYTES(64)], mutated[TRACE_CHUNK_MAX_BYTES(64)];
  unsigned accepted = 0, refused = 0;
  for (uint64_t seed = 1; seed <= 20000; seed++) {
    random_state = seed;
    fill_random(events, 64);
    size_t size = trace_chunk_encode(events, 64, bytes);
    memcpy(mutated, bytes, size);
    for (size_t flips = 1 + random_u64() % 4; flips > 0; flips--)
      mutated[random_u64() % size] ^= (uint8_t)random_u64();
    if (!decode_copy(mutated, size, 64, decoded)) {
      refused++;
      continue;
    }
    accepted++;
    for (size_t i = 0; i < 64; i++) {
      assert_non_null(trace_spec_get(decoded[i].kind));
      assert_true(i == 0 || decoded[i].ts >= decoded[i - 1].ts);
    }
  }
  assert_true(accepted > 0 && refused > 0);
}

static void an_ordinary_recording_takes_few_bytes(void **state)
{
  (void)state;
  struct trace_event events[TRACE_CHUNK_EVENTS];
  uint8_t *bytes = malloc(TRACE_CHUNK_MAX_BYTES(TRACE_CHUNK_EVENTS));
  random_state = 1;
  int64_t ts = 0;
  for (uint32_t i = 0; i < TRACE_CHUNK_EVENTS; i++) { /* two Gs hand a value back and forth */
    uint32_t g = 7 + i / 4 % 2, other = 15 - g;
    struct trace_event e = { .ts = ts, .seq = i, .m = 1, .p = 1, .g = g };
    ts += i % 4 == 0 ? 150 + (int64_t)(random_u64() % 100) : 1;
    const struct trace_event step[4] = {
      { .kind = TRACE_GO_UNBLOCK, .w = { other, i / 8, 0x55aa1200, 0x7f12 } },
      { .kind = TRACE_RUNQ_PUT_NEXT, .w = { other, 0, 1, 0 } },
      { .kind = TRACE_GO_BLOCK, .w = { TRACE_WAIT_RECV, 12, 0x55aa1260, 0x7f12 } },
      { .kind = TRACE_GO_START, .g = 0, .w = { other, i / 8, 1, 0 } },
    };
    e.kind = step[i % 4].kind;
    e.g = e.kind == TRACE_GO_START ? 0 : g;
    memcpy(e.w, step[i % 4].w, sizeof e.w);
    events[i] = e;
  }
  size_t size = trace_chunk_encode(events, TRACE_CHUNK_EVENTS, bytes);
  assert_in_range(size, 1, 8 * TRACE_CHUNK_EVENTS);
  free(bytes);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(random_events_survive_a_round_trip),
    cmocka_unit_test(extreme_values_survive_a_round_trip),
    cmocka_unit_test(what_is_not_a_chunk_is_not_encoded),
    cmocka_unit_test(every_truncation_is_refused),
    cmocka_unit_test(mutated_bytes_decode_to_known_kinds_or_are_refused),
    cmocka_unit_test(an_ordinary_recording_takes_few_bytes),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
