/* SPDX-License-Identifier: MIT */
/* trace-text-print.c - writes the text form of a trace (trace-text.h).
 *
 * Nearly every event is formatted into a small buffer and written at once.  The exception is a
 * string or a stack, which is one line but many records: from its first record on, events are held
 * back until its last part has come (other Ms go on meanwhile), then it is written at the place of
 * its first record.
 *
 * I1  A string that is not whole, or whose parts differ in P or G, is written as the records that
 * it is: nothing is lost, and parsing gives it back. I2  At most MAX_HELD events are held; then the
 * string is given up as not whole. I3  A line carries seq= exactly when the parser would not guess
 * it.
 */
#include "trace-grow.h"
#include "trace-seqs.h"
#include "trace-text.h"

#include <stdlib.h>
#include <string.h>

#define MAX_STRING 65536u
#define MAX_FRAMES 128u
#define MAX_HELD   65536u
#define LINE_SIZE  640 /* four columns, a name, and four arguments with their names, generously */

struct held {
  struct trace_event e;
  bool taken; /* it is part of a string that was written */
};

struct trace_text_printer {
  FILE *out;
  struct trace_seqs seqs;
  struct held *held; /* [first, n_held) are held back; held[first] begins a string */
  size_t first, n_held, held_capacity;
  size_t looked_at; /* up to here held[] was searched for parts of that string */
  uint32_t n_found; /* parts found */
};

/* ---- pieces ---- */

static char *put_text(char *at, const char *text)
{
  return stpcpy(at, text);
}

static char *put_number(char *at, uint64_t n)
{
  char digits[20];
  int count = 0;
  do {
    digits[count++] = (char)('0' + n % 10);
    n /= 10;
  } while (n > 0);
  while (count > 0)
    *at++ = digits[--count];
  return at;
}

static char *put_signed(char *at, int64_t n)
{
  if (n < 0)
    *at++ = '-';
  return put_number(at, n < 0 ? 0 - (uint64_t)n : (uint64_t)n);
}

static char *put_hex(char *at, uint64_t n)
{
  int shift = n == 0 ? 0 : (63 - __builtin_clzll(n)) / 4 * 4;
  at = put_text(at, "0x");
  for (; shift >= 0; shift -= 4)
    *at++ = "0123456789abcdef"[n >> shift & 15];
  return at;
}

/* At most four bytes. */
static char *put_escaped(char *at, uint8_t c)
{
  if (c == '\n')
    return put_text(at, "\\n");
  if (c == '\t')
    return put_text(at, "\\t");
  if (c == '"' || c == '\\') {
    *at++ = '\\';
    *at++ = (char)c;
    return at;
  }
  if (c >= ' ' && c <= '~') {
    *at++ = (char)c;
    return at;
  }
  *at++ = '\\';
  *at++ = 'x';
  *at++ = "0123456789abcdef"[c >> 4];
  *at++ = "0123456789abcdef"[c & 15];
  return at;
}

static bool is_hexadecimal(enum trace_arg type)
{
  return type == TRACE_ARG_OBJ || type == TRACE_ARG_FN || type == TRACE_ARG_PC ||
         type == TRACE_ARG_HASH || type == TRACE_ARG_BYTES;
}

static bool is_signed(enum trace_arg type)
{
  return type == TRACE_ARG_WHEN || type == TRACE_ARG_DUR || type == TRACE_ARG_TICKS;
}

static char *put_value(char *at, enum trace_arg type, uint64_t value)
{
  const char *word = trace_arg_is_word(type) ? trace_word_text(type, (uint32_t)value) : NULL;
  if (word) {
    *at++ = '"';
    at = put_text(at, word);
    *at++ = '"';
    return at;
  }
  if ((type == TRACE_ARG_P && value == TRACE_NO_P) || (type == TRACE_ARG_M && value == UINT32_MAX))
    return put_text(at, "-");
  if (is_hexadecimal(type))
    return put_hex(at, value);
  return is_signed(type) ? put_signed(at, (int64_t)value) : put_number(at, value);
}

size_t trace_text_argument(const struct trace_event *e, int word, char *out, size_t n)
{
  char text[LINE_SIZE];
  const struct trace_spec *spec = trace_spec_get(e->kind);
  char *end = text;
  if (spec && spec->args[word].name)
    end = put_value(text, spec->args[word].type, trace_arg_value(e, spec, word));
  size_t length = (size_t)(end - text);
  if (n > 0) {
    size_t kept = length < n ? length : n - 1;
    memcpy(out, text, kept);
    out[kept] = '\0';
  }
  return length;
}

/* ---- lines ---- */

/* "@1520 m0 p0 g1 [seq=17] name"; the M's next event is expected n_records later. */
static char *put_columns(struct trace_text_printer *p, char *at, const struct trace_event *e,
                         uint64_t n_records)
{
  *at++ = '@';
  at = put_signed(at, e->ts);
  at = put_number(put_text(at, " m"), e->m);
  at = put_text(at, " p");
  if (e->p == TRACE_NO_P)
    *at++ = '-';
  else
    at = put_number(at, e->p);
  at = put_number(put_text(at, " g"), e->g);
  uint64_t *next_seq = trace_seqs_of(&p->seqs, e->m);
  if (!next_seq || *next_seq != e->seq)
    at = put_number(put_text(at, " seq="), e->seq);
  if (next_seq)
    *next_seq = e->seq + n_records;
  *at++ = ' ';
  return put_text(at, trace_specs[e->kind].name);
}

static void print_plain(struct trace_text_printer *p, const struct trace_event *e)
{
  char line[LINE_SIZE];
  const struct trace_spec *spec = trace_spec_get(e->kind);
  if (!spec) {
    fprintf(p->out, "# an event of kind %u, which this version does not know, stood here\n",
            e->kind);
    return;
  }
  char *at = put_columns(p, line, e, 1);
  for (int i = 0; i < 4; i++) {
    if (!spec->args[i].name)
      continue;
    *at++ = ' ';
    at = put_text(at, spec->args[i].name);
    *at++ = '=';
    at = put_value(at, spec->args[i].type, trace_arg_value(e, spec, i));
  }
  *at++ = '\n';
  fwrite(line, 1, (size_t)(at - line), p->out);
}

static void print_bytes(struct trace_text_printer *p, const char *bytes, size_t n)
{
  char piece[16 * 4];
  while (n > 0) {
    char *at = piece;
    size_t some = n < 16 ? n : 16;
    for (size_t i = 0; i < some; i++)
      at = put_escaped(at, (uint8_t)bytes[i]);
    fwrite(piece, 1, (size_t)(at - piece), p->out);
    bytes += some;
    n -= some;
  }
}

/* ---- strings and stacks ---- */

static bool begins_something(const struct trace_event *e)
{
  return e->kind == TRACE_STRING || e->kind == TRACE_STACK_BEGIN;
}

/* How many part records follow; UINT32_MAX: more than a writer ever writes. */
static uint32_t parts_of(const struct trace_event *e)
{
  if (e->kind == TRACE_STRING)
    return e->w[1] <= MAX_STRING ? (e->w[1] + 15) / 16 : UINT32_MAX;
  return e->w[1] <= MAX_FRAMES ? (e->w[1] + 1) / 2 : UINT32_MAX;
}

/* Whether e is part i of what begins with `begin`, as a parser would make it. */
static bool is_part(const struct trace_event *begin, uint32_t i, const struct trace_event *e)
{
  bool is_string = begin->kind == TRACE_STRING;
  if (e->kind != (is_string ? TRACE_STRING_PART : TRACE_STACK_PART) || e->p != begin->p ||
      e->g != begin->g || e->seq != begin->seq + 1 + i)
    return false;
  static const uint8_t zeroes[16];
  uint32_t used = is_string ? begin->w[1] - i * 16 : (begin->w[1] - i * 2) * 8;
  return used >= 16 || memcmp((const uint8_t *)e->d + used, zeroes, 16 - used) == 0;
}

enum progress {
  WHOLE,
  UNDER_WAY,
  NEVER
};

/* Looks at what was held since the last look. */
static enum progress look_for_parts(struct trace_text_printer *p)
{
  const struct trace_event *begin = &p->held[p->first].e;
  uint32_t n_parts = parts_of(begin);
  if (n_parts == UINT32_MAX)
    return NEVER;
  for (; p->n_found < n_parts && p->looked_at < p->n_held; p->looked_at++) {
    const struct trace_event *e = &p->held[p->looked_at].e;
    if (e->m != begin->m)
      continue;
    if (!is_part(begin, p->n_found, e))
      return NEVER;
    p->n_found++;
  }
  if (p->n_found == n_parts)
    return WHOLE;
  return p->n_held - p->first > MAX_HELD ? NEVER : UNDER_WAY;
}

/* Bytes of a string, or frames of a stack, that stand in its part i. */
static void print_part(struct trace_text_printer *p, const struct trace_event *begin, uint32_t i,
                       const struct trace_event *e)
{
  if (begin->kind == TRACE_STRING) {
    uint32_t left = begin->w[1] - i * 16;
    print_bytes(p, (const char *)e->d, left < 16 ? left : 16);
    return;
  }
  char text[64], *at = text;
  if (i > 0)
    *at++ = ',';
  at = put_hex(at, e->d[0]);
  if (i * 2 + 1 < begin->w[1]) {
    *at++ = ',';
    at = put_hex(at, e->d[1]);
  }
  fwrite(text, 1, (size_t)(at - text), p->out);
}

static void print_whole(struct trace_text_printer *p)
{
  const struct trace_event *begin = &p->held[p->first].e;
  uint32_t n_parts = parts_of(begin);
  bool is_string = begin->kind == TRACE_STRING;
  char line[LINE_SIZE];
  char *at = put_columns(p, line, begin, 1 + (uint64_t)n_parts);
  at = put_number(put_text(at, is_string ? " string=" : " stack="), begin->w[0]);
  at = put_text(at, is_string ? " text=\"" : " frames=");
  fwrite(line, 1, (size_t)(at - line), p->out);
  uint32_t done = 0;
  for (size_t i = p->first + 1; done < n_parts; i++) {
    if (p->held[i].e.m != begin->m)
      continue;
    print_part(p, begin, done++, &p->held[i].e);
    p->held[i].taken = true;
  }
  fputs(is_string ? "\"\n" : "\n", p->out);
}

/* ---- holding back ---- */

static void next_held(struct trace_text_printer *p)
{
  p->first++;
  p->looked_at = p->first + 1;
  p->n_found = 0;
}

/* Writes what need not wait any longer; all of it if nothing more will come. */
static void release(struct trace_text_printer *p, bool nothing_comes)
{
  for (; p->first < p->n_held; next_held(p)) {
    const struct held *h = &p->held[p->first];
    if (h->taken)
      continue;
    enum progress progress = begins_something(&h->e) ? look_for_parts(p) : NEVER;
    if (progress == UNDER_WAY && !nothing_comes)
      return;
    if (progress == WHOLE)
      print_whole(p);
    else
      print_plain(p, &h->e);
  }
  p->first = p->n_held = 0;
  p->looked_at = 1;
}

static bool hold(struct trace_text_printer *p, const struct trace_event *e)
{
  if (p->n_held == p->held_capacity && p->first > p->n_held / 2) {
    memmove(p->held, p->held + p->first, (p->n_held - p->first) * sizeof *p->held);
    p->n_held -= p->first;
    p->looked_at -= p->first;
    p->first = 0;
  }
  if (!trace_grow(&p->held, &p->held_capacity, p->n_held, sizeof *p->held))
    return false;
  p->held[p->n_held++] = (struct held){ .e = *e };
  return true;
}

/* ---- the door ---- */

struct trace_text_printer *trace_text_printer_new(FILE *out)
{
  struct trace_text_printer *p = calloc(1, sizeof *p);
  if (!p)
    return NULL;
  p->out = out;
  p->looked_at = 1;
  return p;
}

void trace_text_printer_free(struct trace_text_printer *p)
{
  if (!p)
    return;
  trace_seqs_clear(&p->seqs);
  free(p->held);
  free(p);
}

void trace_text_print_header(struct trace_text_printer *p)
{
  fputs("gmpscope-trace 1\n", p->out);
}

void trace_text_print_meta(struct trace_text_printer *p, const char *key, const char *value,
                           size_t length)
{
  fprintf(p->out, "meta %s \"", key);
  print_bytes(p, value, length);
  fputs("\"\n", p->out);
}

void trace_text_print_event(struct trace_text_printer *p, const struct trace_event *e)
{
  if (p->n_held == 0 && !begins_something(e)) {
    print_plain(p, e);
    return;
  }
  if (!hold(p, e)) { /* no memory: what is held goes out as the records that it is */
    release(p, true);
    print_plain(p, e);
    return;
  }
  release(p, false);
}

void trace_text_printer_flush(struct trace_text_printer *p)
{
  release(p, true);
}
