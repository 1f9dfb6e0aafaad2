/* SPDX-License-Identifier: MIT */
/* test-chunk.c - events survive the coding of a chunk, and hostile bytes do no harm; codec 1 is still read.
 *
 * Events are drawn at random over the whole table, so a new line of events.def is covered by
 * itself. Every decoded buffer is exactly as long as the bytes, on the heap: a sanitizer sees one
 * byte too far. */
#include "test.h"

#include "chunk-1.h"
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

/* Decodes from memory of just this size. */
static bool decode(uint64_t codec, const uint8_t *bytes, size_t size, size_t n, uint64_t first_seq,
                   int64_t t_min, struct trace_event *out)
{
  const struct trace_chunk_place place = {
    .codec = codec, .n = n, .m = 3, .first_seq = first_seq, .t_min = t_min
  };
  uint8_t *exact = malloc(size ? size : 1);
  memcpy(exact, bytes, size);
  bool ok = trace_chunk_decode(exact, size, &place, out);
  free(exact);
  return ok;
}

typedef size_t encode_fn(const struct trace_event *events, size_t n, uint8_t *out);

static void check_round_trips(uint64_t codec, encode_fn *encode, size_t max_a_event)
{
  struct trace_event *events = calloc(TRACE_CHUNK_EVENTS, sizeof *events);
  struct trace_event *decoded = calloc(TRACE_CHUNK_EVENTS, sizeof *decoded);
  uint8_t *bytes = malloc(CHUNK_1_MAX_BYTES(TRACE_CHUNK_EVENTS));
  for (uint64_t seed = 1; seed <= 60; seed++) {
    random_state = seed;
    size_t n =
        seed == 1 ? TRACE_CHUNK_EVENTS : 1 + random_u64() % (seed % 7 ? 300 : TRACE_CHUNK_EVENTS);
    fill_random(events, n);
    size_t size = encode(events, n, bytes);
    assert_in_range(size, n, max_a_event * n + 64);
    assert_true(decode(codec, bytes, size, n, 1000, events[0].ts, decoded));
    assert_memory_equal(events, decoded, n * sizeof *events);
  }
  free(events);
  free(decoded);
  free(bytes);
}

static void random_events_survive_a_round_trip(void **state)
{
  (void)state;
  check_round_trips(TRACE_CHUNK_CODEC, trace_chunk_encode, 34);
}

static void random_events_of_codec_1_are_read(void **state)
{
  (void)state;
  check_round_trips(1, chunk_1_encode, 64);
}

static void extreme_values_survive_a_round_trip(void **state)
{
  (void)state;
  struct trace_event events[2] = {
    { .ts = INT64_MIN,
      .seq = 0,
      .m = 3,
      .p = TRACE_NO_P,
      .g = UINT32_MAX,
      .kind = TRACE_GO_BLOCK,
      .w = { UINT32_MAX, 0, 0, 1u << 31 } },
    { .ts = INT64_MAX,
      .seq = 1,
      .m = 3,
      .p = 0,
      .g = 0,
      .kind = TRACE_GO_BLOCK,
      .w = { 0, UINT32_MAX, UINT32_MAX, UINT32_MAX } },
  };
  struct trace_event decoded[2];
  uint8_t bytes[CHUNK_1_MAX_BYTES(2)];
  size_t size = trace_chunk_encode(events, 2, bytes);
  assert_true(decode(TRACE_CHUNK_CODEC, bytes, size, 2, 0, INT64_MIN, decoded));
  assert_memory_equal(events, decoded, sizeof events);
  size = chunk_1_encode(events, 2, bytes);
  assert_true(decode(1, bytes, size, 2, 0, INT64_MIN, decoded));
  assert_memory_equal(events, decoded, sizeof events);
}

/* Every width, in every one of the eight numbers, at its smallest and largest. */
static void every_width_survives_in_every_number(void **state)
{
  (void)state;
  static const uint32_t edges[] = { 0, 1, 0xff, 0x100, 0xffff, 0x10000, UINT32_MAX };
  for (int number = 0; number < 8; number++) {
    for (int i = 0; i < 7; i++) {
      uint32_t told[8] = { 0 }, p = edges[i] & 0xffff;
      told[number] = edges[i];
      const struct trace_event e = {
        .ts = (int64_t)(told[1] | (uint64_t)(told[2] & INT32_MAX) << 32),
        .m = 3,
        .p = (uint16_t)(number == 0 ? p : 0),
        .g = told[3],
        .kind = TRACE_GO_STATUS, /* four words */
        .w = { told[4], told[5], told[6], told[7] },
      };
      const struct trace_event events[2] = { { .m = 3, .kind = TRACE_GO_STATUS }, e };
      struct trace_event decoded[2];
      uint8_t bytes[TRACE_CHUNK_MAX_BYTES(2)];
      size_t size = trace_chunk_encode(events, 2, bytes);
      assert_true(decode(TRACE_CHUNK_CODEC, bytes, size, 2, 0, 0, decoded));
      decoded[1].seq = 0;
      assert_memory_equal(events, decoded, sizeof events);
    }
  }
}

static void what_no_argument_is_in_comes_back_as_0(void **state)
{
  (void)state;
  struct trace_event events[3], decoded[3];
  for (uint32_t i = 0; i < 3; i++)
    events[i] = (struct trace_event){ .kind = i == 1 ? TRACE_GO_STOP : TRACE_GO_DESTROY,
                                      .w = { i, 2, 0xdead, 0xbeef } };
  uint8_t bytes[TRACE_CHUNK_MAX_BYTES(3)];
  size_t size = trace_chunk_encode(events, 3, bytes);
  assert_true(decode(TRACE_CHUNK_CODEC, bytes, size, 3, 0, 0, decoded));
  for (int i = 0; i < 3; i++) {
    assert_int_equal(decoded[i].w[0], i == 1 ? 1 : 0);
    assert_int_equal(decoded[i].w[1], i == 1 ? 2 : 0);
    assert_int_equal(decoded[i].d[1], 0);
  }
}

static void events_added_one_by_one_make_the_same_chunk(void **state)
{
  (void)state;
  struct trace_event events[300];
  uint8_t at_once[TRACE_CHUNK_MAX_BYTES(300)];
  uint8_t *one_by_one = malloc(TRACE_CHUNK_MAX_BYTES(TRACE_CHUNK_EVENTS));
  struct trace_coder c;
  for (uint64_t seed = 1; seed <= 20; seed++) {
    random_state = seed;
    fill_random(events, 300);
    size_t size = trace_chunk_encode(events, 300, at_once);
    trace_coder_begin(&c, one_by_one, TRACE_CHUNK_EVENTS, events[0].ts);
    for (size_t i = 0, n; i < 300; i += n) {
      n = 1 + random_u64() % 3;
      n = n < 300 - i ? n : 300 - i;
      trace_coder_add(&c, &events[i], n);
    }
    assert_int_equal(trace_coder_end(&c), size);
    assert_memory_equal(at_once, one_by_one, size);
  }
  free(one_by_one);
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

static void check_truncations(uint64_t codec, encode_fn *encode)
{
  struct trace_event events[64], decoded[TRACE_CHUNK_EVENTS];
  uint8_t bytes[CHUNK_1_MAX_BYTES(64) + 64];
  random_state = 7;
  fill_random(events, 64);
  size_t size = encode(events, 64, bytes);
  assert_true(decode(codec, bytes, size, 64, 0, 0, decoded));
  for (size_t cut = 0; cut < size; cut++)
    assert_false(decode(codec, bytes, cut, 64, 0, 0, decoded));
  memset(bytes + size, 0, 64);
  for (size_t more = 1; more <= 64; more++)
    assert_false(decode(codec, bytes, size + more, 64, 0, 0, decoded));
  assert_false(decode(codec, bytes, size, 63, 0, 0, decoded));
  assert_false(decode(codec, bytes, size, TRACE_CHUNK_EVENTS + 1, 0, 0, decoded));
  assert_false(decode(codec, bytes, size, 0, 0, 0, decoded));
}

static void every_truncation_is_refused(void **state)
{
  (void)state;
  check_truncations(TRACE_CHUNK_CODEC, trace_chunk_encode);
  check_truncations(1, chunk_1_encode);
}

static void a_codec_that_is_not_known_is_refused(void **state)
{
  (void)state;
  struct trace_event events[8], decoded[8];
  uint8_t bytes[TRACE_CHUNK_MAX_BYTES(8)];
  fill_random(events, 8);
  size_t size = trace_chunk_encode(events, 8, bytes);
  for (uint64_t codec = 0; codec < 9; codec++) {
    bool is_known = codec == 1 || codec == TRACE_CHUNK_CODEC;
    assert_int_equal(trace_chunk_codec_is_known(codec), is_known);
    if (!is_known)
      assert_false(decode(codec, bytes, size, 8, 0, 0, decoded));
  }
}

/* One event of codec 2 whose first number is `changed`, four bytes, and whose time is later by `delta`, eight. */
static bool decode_one(uint32_t changed, uint64_t delta, int64_t t_min)
{
  uint8_t bytes[14] = { 0x3f, 0 };
  struct trace_event decoded;
  memcpy(bytes + 2, &changed, 4);
  memcpy(bytes + 6, &delta, 8);
  return decode(TRACE_CHUNK_CODEC, bytes, sizeof bytes, 1, 0, t_min, &decoded);
}

static void what_no_event_can_be_is_refused(void **state)
{
  (void)state;
  assert_true(decode_one(TRACE_GO_DESTROY, 5, 10));
  assert_true(decode_one(TRACE_GO_DESTROY | 0xffff00, 5, 10));
  assert_true(decode_one(TRACE_GO_DESTROY, INT64_MAX - 10, 10));
  assert_false(decode_one(TRACE_GO_DESTROY | 0x1000000, 5, 10)); /* P is larger than 16 bits */
  assert_false(decode_one(TRACE_GO_DESTROY, INT64_MAX - 9, 10)); /* time runs over */
  assert_false(decode_one(TRACE_GO_DESTROY, UINT64_MAX, 10));    /* and back */
  assert_false(decode_one(0, 5, 10));                            /* no such kinds */
  assert_false(decode_one(TRACE_KIND_LIMIT - 1, 5, 10));
  for (uint32_t kind = TRACE_KIND_LIMIT; kind < 256; kind++)
    assert_false(decode_one(kind, 5, 10));
}

static void check_mutations(uint64_t codec, encode_fn *encode)
{
  struct trace_event events[64], decoded[64];
  uint8_t bytes[CHUNK_1_MAX_BYTES(64)], mutated[CHUNK_1_MAX_BYTES(64)];
  unsigned accepted = 0, refused = 0;
  for (uint64_t seed = 1; seed <= 20000; seed++) {
    random_state = seed;
    fill_random(events, 64);
    size_t size = encode(events, 64, bytes);
    memcpy(mutated, bytes, size);
    for (size_t flips = 1 + random_u64() % 4; flips > 0; flips--)
      mutated[random_u64() % size] ^= (uint8_t)random_u64();
    if (!decode(codec, mutated, size, 64, 0, 0, decoded)) {
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

static void mutated_bytes_decode_to_known_kinds_or_are_refused(void **state)
{
  (void)state;
  check_mutations(TRACE_CHUNK_CODEC, trace_chunk_encode);
  check_mutations(1, chunk_1_encode);
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
  assert_in_range(size, 1, 5 * TRACE_CHUNK_EVENTS);
  free(bytes);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(random_events_survive_a_round_trip),
    cmocka_unit_test(random_events_of_codec_1_are_read),
    cmocka_unit_test(extreme_values_survive_a_round_trip),
    cmocka_unit_test(every_width_survives_in_every_number),
    cmocka_unit_test(what_no_argument_is_in_comes_back_as_0),
    cmocka_unit_test(events_added_one_by_one_make_the_same_chunk),
    cmocka_unit_test(what_is_not_a_chunk_is_not_encoded),
    cmocka_unit_test(every_truncation_is_refused),
    cmocka_unit_test(a_codec_that_is_not_known_is_refused),
    cmocka_unit_test(what_no_event_can_be_is_refused),
    cmocka_unit_test(mutated_bytes_decode_to_known_kinds_or_are_refused),
    cmocka_unit_test(an_ordinary_recording_takes_few_bytes),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
