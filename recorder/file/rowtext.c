/* SPDX-License-Identifier: MIT */
/* rowtext.c - an event's arguments in words, for column event.text and for people.
 *
 * What is none is left out: a stack of 0, no object, no P. Bytes of the traced program are escaped.
 * By hand instead of snprintf: it is made for every event when tables are made, and costs 100 ns this way. */
#include "rows.h"
#include "trace-text.h"

#include <string.h>

#define STRING_SHOWN 200

struct text {
  char *at, *end;
};

static void add_char(struct text *t, char c)
{
  if (t->at < t->end)
    *t->at++ = c;
}

static void add_bytes(struct text *t, const char *bytes, size_t n)
{
  size_t room = (size_t)(t->end - t->at);
  n = n < room ? n : room;
  memcpy(t->at, bytes, n);
  t->at += n;
}

static void add_string(struct text *t, const char *s)
{
  add_bytes(t, s, strlen(s));
}

static void add_number(struct text *t, uint64_t n)
{
  char digits[20];
  int i = sizeof digits;
  do
    digits[--i] = (char)('0' + n % 10);
  while (n /= 10);
  add_bytes(t, digits + i, sizeof digits - (size_t)i);
}

static void add_hex(struct text *t, uint64_t n)
{
  char digits[16];
  int i = sizeof digits;
  do
    digits[--i] = "0123456789abcdef"[n & 15];
  while (n >>= 4);
  add_string(t, "0x");
  add_bytes(t, digits + i, sizeof digits - (size_t)i);
}

static void add_time(struct text *t, int64_t ns)
{
  char words[40];
  size_t n = trace_time_print(ns, words, sizeof words);
  add_bytes(t, words, n < sizeof words ? n : sizeof words - 1);
}

static void add_quoted(struct text *t, const char *bytes, size_t n)
{
  add_char(t, '"');
  for (size_t i = 0; i < n && i < STRING_SHOWN; i++) {
    unsigned char c = (unsigned char)bytes[i];
    if (c < 0x20 || c == 0x7f) {
      add_string(t, "\\x");
      add_char(t, "0123456789abcdef"[c >> 4]);
      add_char(t, "0123456789abcdef"[c & 15]);
    } else {
      if (c == '"' || c == '\\')
        add_char(t, '\\');
      add_char(t, (char)c);
    }
  }
  add_string(t, n > STRING_SHOWN ? "...\"" : "\"");
}

static void add_prefixed(struct text *t, char prefix, uint64_t n)
{
  add_char(t, prefix);
  add_number(t, n);
}

static void add_code(struct text *t, struct tracefile *file, uint64_t pc)
{
  struct tracefile_frame frame;
  if (tracefile_frame(file, pc, &frame) && frame.function)
    add_string(t, frame.function);
  else
    add_hex(t, pc);
}

static void add_value(struct text *t, struct tracefile *file, enum trace_arg type, uint64_t value)
{
  size_t length;
  const char *text;
  switch (type) {
  case TRACE_ARG_G:
    add_prefixed(t, 'G', value);
    return;
  case TRACE_ARG_M:
    add_prefixed(t, 'M', value);
    return;
  case TRACE_ARG_P:
    add_prefixed(t, 'P', value);
    return;
  case TRACE_ARG_BOOL:
    add_string(t, value ? "yes" : "no");
    return;
  case TRACE_ARG_FN:
  case TRACE_ARG_PC:
    add_code(t, file, value);
    return;
  case TRACE_ARG_STR:
    text = tracefile_string(file, (uint32_t)value, &length);
    if (text)
      add_quoted(t, text, length);
    else
      add_number(t, value);
    return;
  case TRACE_ARG_WHEN:
  case TRACE_ARG_TICKS:
  case TRACE_ARG_DUR:
    add_time(t, (int64_t)value);
    return;
  case TRACE_ARG_OBJ:
  case TRACE_ARG_HASH:
  case TRACE_ARG_BYTES:
  case TRACE_ARG_MASK:
    add_hex(t, value);
    return;
  default:
    text = trace_arg_is_word(type) ? trace_word_text(type, (uint32_t)value) : NULL;
    if (text)
      add_string(t, text);
    else
      add_number(t, value);
  }
}

size_t row_text(struct tracefile *file, const struct trace_event *e, char *out, size_t n)
{
  struct text t = { out, out + n - 1 };
  const struct trace_spec *spec = trace_spec_get(e->kind);
  for (int word = 0; spec && word < 4; word++) {
    const struct trace_arg_spec *arg = &spec->args[word];
    uint64_t value = arg->name ? trace_arg_value(e, spec, word) : 0;
    if (!arg->name || trace_arg_is_none(arg->type, value))
      continue;
    if (t.at > out)
      add_char(&t, ' ');
    add_string(&t, arg->name);
    add_char(&t, '=');
    add_value(&t, file, arg->type, value);
  }
  *t.at = '\0';
  return (size_t)(t.at - out);
}
