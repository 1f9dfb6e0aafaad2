/* SPDX-License-Identifier: MIT */
/* trace-text-parse.c - reads the text form of a trace (trace-text.h).
 *
 * One pass, line by line; the cursor (trace-text-cursor.h) never leaves its line.
 * An event's arguments may come in any order, each at most once; those left out are 0.
 *
 * Memory: one number for each M, and the longest quoted text.
 */
#include "trace-seqs.h"
#include "trace-text-cursor.h"

#include <stdlib.h>
#include <string.h>

#define MAX_STRING 65536u
#define MAX_FRAMES 128u
#define NAME_SLOTS 512u /* power of two, well above the number of kinds */
#define HEADER     "gmpscope-trace 1"

struct parser {
  struct trace_cursor c;
  unsigned line;
  const struct trace_text_sink *sink;
  struct trace_seqs seqs;
  uint64_t frames[MAX_FRAMES];
  uint8_t kinds[NAME_SLOTS]; /* kinds by hash of their name */
};

/* ---- kinds by name ---- */

static uint32_t name_hash(const char *name, size_t length)
{
  uint32_t h = 2166136261u;
  for (size_t i = 0; i < length; i++)
    h = (h ^ (uint8_t)name[i]) * 16777619u;
  return h ^ h >> 16;
}

static void learn_kinds(struct parser *p)
{
  for (uint32_t kind = 1; kind < TRACE_KIND_LIMIT; kind++) {
    const char *name = trace_specs[kind].name;
    if (!name)
      continue;
    uint32_t slot = name_hash(name, strlen(name)) % NAME_SLOTS;
    while (p->kinds[slot])
      slot = (slot + 1) % NAME_SLOTS;
    p->kinds[slot] = (uint8_t)kind;
  }
}

static uint16_t kind_by_name(const struct parser *p, struct trace_token name)
{
  uint32_t slot = name_hash(name.at, name.length) % NAME_SLOTS;
  while (p->kinds[slot] && !trace_token_is(name, trace_specs[p->kinds[slot]].name))
    slot = (slot + 1) % NAME_SLOTS;
  return p->kinds[slot];
}

/* ---- arguments ---- */

static bool take_word(struct parser *p, enum trace_arg type, uint32_t *value)
{
  if (!trace_take_text(&p->c))
    return false;
  if (trace_word_by_text(type, p->c.text, p->c.text_length, value))
    return true;
  char cited[TRACE_CITED_SIZE];
  return trace_cursor_fail(&p->c, "\"%s\" is not a word of %s",
                           trace_cite((struct trace_token){ p->c.text, p->c.text_length }, cited),
                           trace_arg_type_name(type));
}

static bool is_signed(enum trace_arg type)
{
  return type == TRACE_ARG_WHEN || type == TRACE_ARG_DUR || type == TRACE_ARG_TICKS;
}

static bool take_value(struct parser *p, const struct trace_arg_spec *arg, uint64_t *value)
{
  bool ok;
  struct trace_token here = trace_rest_of_word(&p->c);
  if (trace_arg_is_word(arg->type) && !trace_cursor_at_end(&p->c) && *p->c.at == '"') {
    uint32_t word;
    ok = take_word(p, arg->type, &word);
    *value = word;
    return ok;
  }
  if (arg->type == TRACE_ARG_P && trace_take_char(&p->c, '-')) {
    *value = TRACE_NO_P;
    ok = true;
  } else if (arg->type == TRACE_ARG_M && trace_take_char(&p->c, '-')) {
    *value = UINT32_MAX;
    ok = true;
  } else if (is_signed(arg->type)) {
    ok = trace_take_signed(&p->c, (int64_t *)value);
  } else {
    ok = trace_take_number(&p->c, trace_arg_is_wide(arg->type) ? UINT64_MAX : UINT32_MAX, value);
  }
  if (ok && (trace_cursor_at_end(&p->c) || *p->c.at == ' '))
    return true;
  char cited[TRACE_CITED_SIZE];
  return trace_cursor_fail(&p->c, "%s=%s is not a number in its range", arg->name,
                           trace_cite(here, cited));
}

static int word_by_name(const struct trace_spec *spec, struct trace_token name)
{
  for (int i = 0; i < 4; i++) {
    if (spec->args[i].name && trace_token_is(name, spec->args[i].name))
      return i;
  }
  return -1;
}

static bool take_frames(struct parser *p, size_t *n)
{
  *n = 0;
  while (!trace_cursor_at_end(&p->c) && *p->c.at != ' ') {
    if (*n == MAX_FRAMES)
      return trace_cursor_fail(&p->c, "a stack has at most %u frames", MAX_FRAMES);
    if (*n > 0 && !trace_take_char(&p->c, ','))
      return trace_cursor_fail(&p->c, "frames are separated by commas");
    if (!trace_take_number(&p->c, UINT64_MAX, &p->frames[*n]))
      return trace_cursor_fail(&p->c, "frames=: a frame must be a number of 64 bits");
    ++*n;
  }
  return true;
}

/* What the arguments of a line said beside the words of the event itself. */
struct extras {
  unsigned seen; /* bits by word, and: */
  size_t n_frames;
};
#define SEEN_TEXT   0x10u
#define SEEN_FRAMES 0x20u

static bool mark_seen(struct parser *p, struct extras *extras, unsigned bit,
                      struct trace_token name)
{
  char cited[TRACE_CITED_SIZE];
  if (extras->seen & bit)
    return trace_cursor_fail(&p->c, "%s= stands twice", trace_cite(name, cited));
  extras->seen |= bit;
  return true;
}

static bool take_argument(struct parser *p, struct trace_event *e, struct extras *extras)
{
  const struct trace_spec *spec = &trace_specs[e->kind];
  char cited[TRACE_CITED_SIZE];
  struct trace_token name = trace_take_name(&p->c);
  if (name.length == 0 || !trace_take_char(&p->c, '='))
    return trace_cursor_fail(&p->c, "NAME=VALUE must stand here, not %s",
                             trace_cite(name.length ? name : trace_rest_of_word(&p->c), cited));
  if (e->kind == TRACE_STRING && trace_token_is(name, "text"))
    return mark_seen(p, extras, SEEN_TEXT, name) && trace_take_text(&p->c);
  if (e->kind == TRACE_STACK_BEGIN && trace_token_is(name, "frames"))
    return mark_seen(p, extras, SEEN_FRAMES, name) && take_frames(p, &extras->n_frames);
  int i = word_by_name(spec, name);
  if (i < 0)
    return trace_cursor_fail(&p->c, "%s has no argument %s", spec->name, trace_cite(name, cited));
  uint64_t value;
  if (!mark_seen(p, extras, 1u << i, name) || !take_value(p, &spec->args[i], &value))
    return false;
  if (trace_arg_is_wide(spec->args[i].type))
    e->d[i / 2] = value;
  else
    e->w[i] = (uint32_t)value;
  return true;
}

/* ---- events ---- */

static bool give(struct parser *p, const struct trace_event *e)
{
  if (p->sink->event(p->sink->arg, e))
    return true;
  p->c.error->sentence[0] = '\0';
  return false;
}

static bool give_string(struct parser *p, struct trace_event *e)
{
  if (p->c.text_length > MAX_STRING)
    return trace_cursor_fail(&p->c, "a string has at most %u bytes", MAX_STRING);
  e->w[1] = (uint32_t)p->c.text_length;
  if (!give(p, e))
    return false;
  e->kind = TRACE_STRING_PART;
  for (size_t done = 0; done < p->c.text_length; done += 16) {
    size_t left = p->c.text_length - done;
    e->seq++;
    e->d[0] = e->d[1] = 0;
    memcpy(e->d, p->c.text + done, left < 16 ? left : 16);
    if (!give(p, e))
      return false;
  }
  return true;
}

static bool give_stack(struct parser *p, struct trace_event *e, size_t n_frames)
{
  e->w[1] = (uint32_t)n_frames;
  if (!give(p, e))
    return false;
  e->kind = TRACE_STACK_PART;
  for (size_t i = 0; i < n_frames; i += 2) {
    e->seq++;
    e->d[0] = p->frames[i];
    e->d[1] = i + 1 < n_frames ? p->frames[i + 1] : 0;
    if (!give(p, e))
      return false;
  }
  return true;
}

/* "p3 " or "p- ": one letter, then a number. */
static bool take_column(struct parser *p, char letter, uint64_t limit, uint64_t *value)
{
  trace_skip_spaces(&p->c);
  struct trace_token here = trace_rest_of_word(&p->c);
  char cited[TRACE_CITED_SIZE];
  if (trace_take_char(&p->c, letter)) {
    if (letter == 'p' && trace_take_char(&p->c, '-')) {
      *value = TRACE_NO_P;
      return true;
    }
    if (trace_take_number(&p->c, limit, value) && !trace_cursor_at_end(&p->c) && *p->c.at == ' ')
      return true;
  }
  return trace_cursor_fail(&p->c, "%c and a number must stand here, not %s", letter,
                           trace_cite(here, cited));
}

static bool take_columns(struct parser *p, struct trace_event *e)
{
  struct trace_token here = trace_rest_of_word(&p->c);
  uint64_t m = 0, proc = 0, g = 0;
  char cited[TRACE_CITED_SIZE];
  if (!trace_take_char(&p->c, '@') || !trace_take_signed(&p->c, &e->ts))
    return trace_cursor_fail(&p->c, "%s is not a time such as @1520", trace_cite(here, cited));
  if (!take_column(p, 'm', UINT32_MAX, &m) || !take_column(p, 'p', UINT16_MAX, &proc) ||
      !take_column(p, 'g', UINT32_MAX, &g))
    return false;
  e->m = (uint32_t)m;
  e->p = (uint16_t)proc;
  e->g = (uint32_t)g;
  return true;
}

/* [seq=N] name */
static bool take_kind(struct parser *p, struct trace_event *e, uint64_t next_seq)
{
  char cited[TRACE_CITED_SIZE];
  trace_skip_spaces(&p->c);
  struct trace_token name = trace_take_name(&p->c);
  e->seq = next_seq;
  if (trace_token_is(name, "seq") && trace_take_char(&p->c, '=')) {
    struct trace_token here = trace_rest_of_word(&p->c);
    if (!trace_take_number(&p->c, UINT64_MAX - MAX_STRING, &e->seq))
      return trace_cursor_fail(&p->c, "seq=%s is not a number in its range",
                               trace_cite(here, cited));
    trace_skip_spaces(&p->c);
    name = trace_take_name(&p->c);
  }
  e->kind = kind_by_name(p, name);
  if (e->kind == TRACE_KIND_NONE)
    return trace_cursor_fail(&p->c, "there is no event %s",
                             trace_cite(name.length ? name : trace_rest_of_word(&p->c), cited));
  return true;
}

static bool parse_event(struct parser *p)
{
  struct trace_event e = { 0 };
  struct extras extras = { 0 };
  if (!take_columns(p, &e))
    return false;
  uint64_t *next_seq = trace_seqs_of(&p->seqs, e.m);
  if (!next_seq)
    return trace_cursor_fail(&p->c, "no memory for one more M");
  if (!take_kind(p, &e, *next_seq))
    return false;
  for (trace_skip_spaces(&p->c); !trace_cursor_at_end(&p->c); trace_skip_spaces(&p->c)) {
    if (!take_argument(p, &e, &extras))
      return false;
  }
  if (extras.seen & (SEEN_TEXT | SEEN_FRAMES) && extras.seen & 2)
    return trace_cursor_fail(&p->c, "%s counts by itself what stands in the line",
                             trace_specs[e.kind].name);
  bool ok;
  if (extras.seen & SEEN_TEXT)
    ok = give_string(p, &e);
  else if (extras.seen & SEEN_FRAMES)
    ok = give_stack(p, &e, extras.n_frames);
  else
    ok = give(p, &e);
  *next_seq = e.seq + 1;
  return ok;
}

/* ---- lines ---- */

static bool end_of_line(struct parser *p)
{
  char cited[TRACE_CITED_SIZE];
  trace_skip_spaces(&p->c);
  return trace_cursor_at_end(&p->c) ||
         trace_cursor_fail(&p->c, "nothing may stand behind this, but %s does",
                           trace_cite(trace_rest_of_word(&p->c), cited));
}

static bool parse_meta(struct parser *p)
{
  char key[64];
  trace_skip_spaces(&p->c);
  struct trace_token name = trace_take_name(&p->c);
  if (name.length == 0 || name.length >= sizeof key)
    return trace_cursor_fail(&p->c, "meta needs a key of at most %zu letters and a text",
                             sizeof key - 1);
  memcpy(key, name.at, name.length);
  key[name.length] = '\0';
  trace_skip_spaces(&p->c);
  if (!trace_take_text(&p->c) || !end_of_line(p))
    return false;
  return p->sink->meta(p->sink->arg, key, p->c.text, p->c.text_length);
}

static bool parse_verdict(struct parser *p)
{
  char rule[64] = "";
  trace_skip_spaces(&p->c);
  struct trace_token word = trace_take_name(&p->c);
  bool good = trace_token_is(word, "good");
  if (!good && !trace_token_is(word, "bad"))
    return trace_cursor_fail(&p->c, "a verdict is good, or bad and a rule");
  if (!good) {
    trace_skip_spaces(&p->c);
    struct trace_token name = trace_take_name(&p->c);
    if (name.length == 0 || name.length >= sizeof rule)
      return trace_cursor_fail(&p->c, "a bad verdict names the rule that is broken first");
    memcpy(rule, name.at, name.length);
  }
  if (!end_of_line(p))
    return false;
  return !p->sink->verdict || p->sink->verdict(p->sink->arg, good, rule);
}

static bool parse_line(struct parser *p)
{
  trace_skip_spaces(&p->c);
  if (trace_cursor_at_end(&p->c) || *p->c.at == '#')
    return true;
  if (*p->c.at == '@')
    return parse_event(p);
  struct trace_token here = trace_rest_of_word(&p->c);
  struct trace_token word = trace_take_name(&p->c);
  if (trace_token_is(word, "meta"))
    return parse_meta(p);
  if (trace_token_is(word, "verdict"))
    return parse_verdict(p);
  char cited[TRACE_CITED_SIZE];
  return trace_cursor_fail(&p->c,
                           "a line is an event (@time ...), meta, verdict or # a comment, not %s",
                           trace_cite(here, cited));
}

/* Sets the cursor to the next line; false after the last. */
static bool next_line(struct parser *p, const char **rest, const char *text_end)
{
  if (*rest == text_end)
    return false;
  const char *newline = memchr(*rest, '\n', (size_t)(text_end - *rest));
  p->c.at = *rest;
  p->c.end = newline ? newline : text_end;
  p->line++;
  *rest = newline ? newline + 1 : text_end;
  return true;
}

static bool parse_lines(struct parser *p, const char *text, size_t length)
{
  const char *rest = text, *text_end = text + length;
  p->line = 0;
  if (!next_line(p, &rest, text_end) ||
      !trace_token_is((struct trace_token){ p->c.at, (size_t)(p->c.end - p->c.at) }, HEADER)) {
    p->line = 1;
    return trace_cursor_fail(&p->c, "the first line must be: " HEADER);
  }
  while (next_line(p, &rest, text_end)) {
    if (!parse_line(p))
      return false;
  }
  return true;
}

bool trace_text_parse(const char *text, size_t length, const struct trace_text_sink *sink,
                      struct trace_text_error *error)
{
  *error = (struct trace_text_error){ 0 };
  struct parser p = { .c.error = error, .sink = sink };
  learn_kinds(&p);
  bool ok = parse_lines(&p, text, length);
  error->line = p.line;
  trace_seqs_clear(&p.seqs);
  free(p.c.text);
  return ok;
}
