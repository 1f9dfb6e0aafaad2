/* SPDX-License-Identifier: MIT */
/* trace-chunk.c - codes events as differences to what was to be expected, and back (the layout: trace-chunk.h).
 *
 * What is expected was chosen by what schedulers do: kinds follow each other in a few patterns; a transition's events
 * name the same G again and again, in word 0; the running G changes by go_start and what stops it.  So most of the eight
 * numbers are as expected, which takes two bits.  XOR, because it has no carry and no sign: words and pairs of words
 * are one thing, and what is alike in its high bits is small.
 *
 * I1  The decoder reads no byte at or after the end: it has GET_MAX bytes before it takes an event apart (the last
 *     ones from a copy with zeroes behind it), and the last event must end where the bytes end.
 * I2  It trusts none: a kind must be in the table before it is an index, time must not run over, P must fit.
 * I3  decode(encode(x)) = x for everything the table names; unused words come back as 0.
 * I4  What is expected is part of the format. A change in it, in the rules below or in the type of word 0 of an event,
 *     is a new codec.
 *
 * Not done: moving four numbers with one SSSE3 instruction (pshufb). It was tried and gained less than a twentieth.
 *
 * Cost: 6 to 8 ns an event each way; no allocation; 3 KiB of state.
 */
#include "trace-chunk.h"

#include "trace-chunk-1.h"

#include <string.h>

#define GET_MAX 32 /* bytes of the largest event, without its two widths */

/* ---- what is known of a kind ---- */

/* Masks instead of branches: all bits, or none. */
struct rule {
  uint64_t used[2];   /* bits of words that are arguments */
  uint64_t names_g;   /* the low 32 bits: word 0 is a G */
  uint32_t g_goes_on; /* the G that ran is expected to go on */
  uint32_t g_starts;  /* the G of word 0 is */
  bool is_known;
};

#define STOPS_G(number)                                                                            \
  ((number) == TRACE_GO_STOP || (number) == TRACE_GO_BLOCK || (number) == TRACE_GO_DESTROY ||      \
   (number) == TRACE_GO_SYSCALL_END_BLOCKED)
#define STARTS_G(number) ((number) == TRACE_GO_START)
#define MASK(condition)  ((condition) ? UINT32_MAX : UINT32_C(0))

/* clang-format off */
#define USED_ARG(type, name)  UINT32_MAX
#define USED_WIDE(type, name) UINT32_MAX
#define USED_HIGH             UINT32_MAX
#define USED_NONE             UINT32_C(0)
#define TYPE_ARG(type, name)  TRACE_ARG_##type
#define TYPE_WIDE(type, name) TRACE_ARG_##type
#define TYPE_NONE             TRACE_ARG_NONE
static const struct rule rules[TRACE_KIND_LIMIT] = {
#define EVENT(number, NAME, name, family, w0, w1, w2, w3, doc)                                     \
  [number] = { { USED_##w0 | (uint64_t)USED_##w1 << 32, USED_##w2 | (uint64_t)USED_##w3 << 32 },     \
               MASK(TYPE_##w0 == TRACE_ARG_G), MASK(!STARTS_G(number) && !STOPS_G(number)),          \
               MASK(STARTS_G(number)), true },
#include "events.def"
#undef EVENT
};
/* clang-format on */

/* Words 0 and 1 of an event of this kind. */
static inline uint64_t expected_low(const struct trace_chunk_state *s, uint32_t named_g,
                                    uint32_t kind)
{
  const uint64_t low = s->words[kind][0];
  return low ^ ((low ^ named_g) & rules[kind].names_g);
}

/* An event was coded or decoded; what is expected of the next one. */
static inline struct trace_expected note(struct trace_chunk_state *s, struct trace_expected last,
                                         uint32_t kind, uint32_t p, uint32_t g, int64_t ts,
                                         uint64_t low, uint64_t high)
{
  const struct rule *rule = &rules[kind];
  const uint32_t word = (uint32_t)low;
  s->kinds[last.before] = (uint8_t)kind;
  s->words[kind][0] = low;
  s->words[kind][1] = high;
  return (struct trace_expected){
    .ts = ts,
    .g = (g & rule->g_goes_on) | (word & rule->g_starts),
    .named_g = last.named_g ^ ((last.named_g ^ word) & (uint32_t)rule->names_g),
    .p = p,
    .before = kind,
  };
}

static void begin(struct trace_chunk_state *s, int64_t t_min)
{
  memset(s, 0, sizeof *s);
  s->next.ts = t_min;
}

/* ---- four numbers of the widths in a byte ---- */

/* Where the second, third and fourth number begin, and the end. */
struct places {
  uint8_t at[4];
};

/* clang-format off */
#define LEN(widths, i)  ((1 << ((widths) >> 2 * (i) & 3)) >> 1)
#define PLACES(w)  { { LEN(w, 0), LEN(w, 0) + LEN(w, 1), LEN(w, 0) + LEN(w, 1) + LEN(w, 2),        \
                       LEN(w, 0) + LEN(w, 1) + LEN(w, 2) + LEN(w, 3) } }
#define FOUR(w)    PLACES(w), PLACES((w) + 1), PLACES((w) + 2), PLACES((w) + 3)
#define SIXTEEN(w) FOUR(w), FOUR((w) + 4), FOUR((w) + 8), FOUR((w) + 12)
#define ALL_OF_64(w)  SIXTEEN(w), SIXTEEN((w) + 16), SIXTEEN((w) + 32), SIXTEEN((w) + 48)
static const struct places places[256] = { ALL_OF_64(0), ALL_OF_64(64), ALL_OF_64(128), ALL_OF_64(192) };
/* clang-format on */

static const uint32_t width_masks[4] = { 0, 0xff, 0xffff, UINT32_MAX };

typedef uint64_t two_longs __attribute__((vector_size(16)));
typedef uint32_t four_words __attribute__((vector_size(16)));

static inline void store(uint8_t *at, uint64_t n)
{
  const uint32_t word = (uint32_t)n;
  memcpy(at, &word, sizeof word);
}

static inline uint64_t load(const uint8_t *at)
{
  uint32_t n;
  memcpy(&n, at, sizeof n);
  return n;
}

/* The widths of the four halves: all four at once, each counted down from 3 by what it is smaller than. */
static inline uint8_t widths_of(uint64_t low, uint64_t high)
{
  const four_words n = (four_words)(two_longs){ low, high };
  const four_words widths =
      3 + (four_words)(n == 0) + (four_words)(n >> 8 == 0) + (four_words)(n >> 16 == 0);
  const two_longs pairs = (two_longs)widths;
  const two_longs closed = pairs | pairs >> 30;
  return (uint8_t)((closed[0] & 15) | (closed[1] & 15) << 4);
}

/* Writes up to 3 bytes more than it returns. */
static inline uint8_t *put_four(uint8_t *at, uint8_t *widths, uint64_t low, uint64_t high)
{
  *widths = widths_of(low, high);
  const struct places to = places[*widths];
  store(at, low);
  store(at + to.at[0], low >> 32);
  store(at + to.at[1], high);
  store(at + to.at[2], high >> 32);
  return at + to.at[3];
}

/* Reads 16 bytes at most. */
static inline const uint8_t *get_four(const uint8_t *at, uint8_t widths, uint64_t *low,
                                      uint64_t *high)
{
  const struct places from = places[widths];
  *low = (load(at) & width_masks[widths & 3]) |
         (load(at + from.at[0]) & width_masks[widths >> 2 & 3]) << 32;
  *high = (load(at + from.at[1]) & width_masks[widths >> 4 & 3]) |
          (load(at + from.at[2]) & width_masks[widths >> 6]) << 32;
  return at + from.at[3];
}

/* ---- coding ---- */

void trace_coder_begin(struct trace_coder *c, uint8_t *bytes, uint32_t room, int64_t t_min)
{
  c->bytes = bytes;
  c->at = bytes + 2 * (size_t)room;
  c->n = 0;
  c->room = room;
  begin(&c->state, t_min);
}

void trace_coder_add(struct trace_coder *c, const struct trace_event *events, size_t n)
{
  struct trace_chunk_state *s = &c->state;
  struct trace_expected next = s->next;
  uint8_t *at = c->at, *heads = c->bytes + c->n, *words = heads + c->room;
  for (size_t i = 0; i < n; i++) {
    const struct trace_event *e = &events[i];
    const uint32_t kind = e->kind;
    const uint64_t delta = (uint64_t)e->ts - (uint64_t)next.ts;
    const uint64_t low = e->d[0], high = e->d[1];
    const uint32_t changed = (kind ^ s->kinds[next.before]) | (e->p ^ next.p) << 8;
    at = put_four(at, &heads[i], changed | delta << 32,
                  delta >> 32 | (uint64_t)(e->g ^ next.g) << 32);
    at = put_four(at, &words[i], low ^ expected_low(s, next.named_g, kind),
                  high ^ s->words[kind][1]);
    next = note(s, next, kind, e->p, e->g, e->ts, low, high);
  }
  s->next = next;
  c->at = at;
  c->n += (uint32_t)n;
}

size_t trace_coder_end(struct trace_coder *c)
{
  uint8_t *words = c->bytes + c->room, *rest = words + c->room;
  const size_t n_rest = (size_t)(c->at - rest);
  if (c->n < c->room) { /* close the gaps */
    memmove(c->bytes + c->n, words, c->n);
    memmove(c->bytes + 2 * (size_t)c->n, rest, n_rest);
  }
  return 2 * (size_t)c->n + n_rest;
}

size_t trace_chunk_encode(const struct trace_event *events, size_t n, uint8_t *out)
{
  struct trace_coder c;
  if (n == 0 || n > TRACE_CHUNK_EVENTS)
    return 0;
  for (size_t i = 0; i < n; i++) {
    if (!trace_spec_get(events[i].kind) || (i > 0 && events[i].ts < events[i - 1].ts))
      return 0;
  }
  trace_coder_begin(&c, out, (uint32_t)n, events[0].ts);
  trace_coder_add(&c, events, n);
  return trace_coder_end(&c);
}

/* ---- decoding ---- */

struct decoding {
  struct trace_chunk_state state;
  const uint8_t *heads, *words;
  const struct trace_chunk_place *place;
  struct trace_event *out;
  size_t i; /* of the next event */
};

/* Decodes events while GET_MAX bytes are left before end. Returns where it stopped, NULL: it is no chunk. */
static const uint8_t *get_events(struct decoding *d, const uint8_t *at, const uint8_t *end)
{
  struct trace_chunk_state *s = &d->state;
  struct trace_expected next = s->next;
  const size_t n = d->place->n;
  size_t i = d->i;
  for (; i < n && end - at >= GET_MAX; i++) {
    uint64_t told, more, low, high;
    at = get_four(at, d->heads[i], &told, &more);
    at = get_four(at, d->words[i], &low, &high);
    const uint32_t changed = (uint32_t)told, kind = (changed & 0xff) ^ s->kinds[next.before];
    const uint64_t delta = told >> 32 | more << 32;
    if (kind >= TRACE_KIND_LIMIT || !rules[kind].is_known || changed > 0xffffff ||
        delta > (uint64_t)INT64_MAX - (uint64_t)next.ts)
      return NULL;
    struct trace_event *e = &d->out[i];
    e->ts = (int64_t)((uint64_t)next.ts + delta);
    e->seq = d->place->first_seq + i;
    e->m = d->place->m;
    e->g = (uint32_t)(more >> 32) ^ next.g;
    e->p = (uint16_t)(changed >> 8 ^ next.p);
    e->kind = (uint16_t)kind;
    e->pad = 0;
    e->d[0] = (low ^ expected_low(s, next.named_g, kind)) & rules[kind].used[0];
    e->d[1] = (high ^ s->words[kind][1]) & rules[kind].used[1];
    next = note(s, next, kind, e->p, e->g, e->ts, e->d[0], e->d[1]);
  }
  s->next = next;
  d->i = i;
  return at;
}

/* The last events, from a copy of the bytes that are left, at which zeroes may be read. */
static bool get_last_events(struct decoding *d, const uint8_t *at, const uint8_t *end)
{
  uint8_t copy[2 * GET_MAX] = { 0 };
  const size_t left = (size_t)(end - at);
  if (left >= GET_MAX)
    return false; /* all events are there, and bytes are left over */
  memcpy(copy, at, left);
  const uint8_t *next = copy;
  while (d->i < d->place->n && next <= copy + left) {
    next = get_events(d, next, next + GET_MAX);
    if (!next)
      return false;
  }
  return next == copy + left;
}

static bool decode(const uint8_t *bytes, size_t size, const struct trace_chunk_place *place,
                   struct trace_event *out)
{
  const size_t n = place->n;
  if (size < 2 * n)
    return false;
  struct decoding d = { .heads = bytes, .words = bytes + n, .place = place, .out = out };
  begin(&d.state, place->t_min);
  const uint8_t *end = bytes + size, *at = get_events(&d, bytes + 2 * n, end);
  return at && get_last_events(&d, at, end);
}

bool trace_chunk_codec_is_known(uint64_t codec)
{
  return codec == 1 || codec == TRACE_CHUNK_CODEC;
}

bool trace_chunk_decode(const uint8_t *bytes, size_t size, const struct trace_chunk_place *place,
                        struct trace_event *out)
{
  if (place->n == 0 || place->n > TRACE_CHUNK_EVENTS)
    return false;
  if (place->codec == 1)
    return trace_chunk_1_decode(bytes, size, place, out);
  return place->codec == TRACE_CHUNK_CODEC && decode(bytes, size, place, out);
}
