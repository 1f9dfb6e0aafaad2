/* SPDX-License-Identifier: MIT */
/* trace-text-cursor.c - tokens, numbers and quoted texts of one line (trace-text-cursor.h). */
#include "trace-text-cursor.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

/* ---- errors ---- */

/* What stands in the text at a token, fit for a terminal. */
const char *trace_cite(struct trace_token token, char out[TRACE_CITED_SIZE])
{
  size_t n = token.length < (TRACE_CITED_SIZE - 4) ? token.length : (TRACE_CITED_SIZE - 4);
  for (size_t i = 0; i < n; i++)
    out[i] = (char)(token.at[i] >= ' ' && token.at[i] <= '~' ? token.at[i] : '?');
  stpcpy(out + n, n < token.length ? "..." : "");
  return out;
}

bool trace_cursor_fail(struct trace_cursor *p, const char *format, ...)
{
  va_list args;
  va_start(args, format);
  vsnprintf(p->error->sentence, sizeof p->error->sentence, format, args);
  va_end(args);
  return false;
}

/* ---- the cursor ---- */

bool trace_cursor_at_end(const struct trace_cursor *p)
{
  return p->at == p->end;
}

void trace_skip_spaces(struct trace_cursor *p)
{
  while (!trace_cursor_at_end(p) && (*p->at == ' ' || *p->at == '\t'))
    p->at++;
}

/* Letters, digits, _ . and - : a name. Length 0 if there is none. */
struct trace_token trace_take_name(struct trace_cursor *p)
{
  struct trace_token token = { p->at, 0 };
  while (!trace_cursor_at_end(p)) {
    char c = *p->at;
    bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    if (!is_letter && !(c >= '0' && c <= '9') && c != '_' && c != '.' && c != '-')
      break;
    p->at++;
  }
  token.length = (size_t)(p->at - token.at);
  return token;
}

struct trace_token trace_rest_of_word(const struct trace_cursor *p)
{
  struct trace_token token = { p->at, 0 };
  while (p->at + token.length < p->end && p->at[token.length] != ' ')
    token.length++;
  return token;
}

bool trace_token_is(struct trace_token token, const char *word)
{
  return token.length == strlen(word) && memcmp(token.at, word, token.length) == 0;
}

bool trace_take_char(struct trace_cursor *p, char c)
{
  if (trace_cursor_at_end(p) || *p->at != c)
    return false;
  p->at++;
  return true;
}

static int digit_value(char c)
{
  if (c >= '0' && c <= '9')
    return c - '0';
  if (c >= 'a' && c <= 'f')
    return c - 'a' + 10;
  if (c >= 'A' && c <= 'F')
    return c - 'A' + 10;
  return 16;
}

/* Digits, or 0x and hexadecimal digits, up to limit. False: no number, or too large; nothing is
 * said. */
bool trace_take_number(struct trace_cursor *p, uint64_t limit, uint64_t *number)
{
  uint64_t base = 10, n = 0;
  if (p->end - p->at > 2 && p->at[0] == '0' && p->at[1] == 'x') {
    base = 16;
    p->at += 2;
  }
  const char *first = p->at;
  for (; !trace_cursor_at_end(p) && (uint64_t)digit_value(*p->at) < base; p->at++) {
    if (__builtin_mul_overflow(n, base, &n) ||
        __builtin_add_overflow(n, (uint64_t)digit_value(*p->at), &n))
      return false;
  }
  *number = n;
  return p->at > first && n <= limit;
}

bool trace_take_signed(struct trace_cursor *p, int64_t *number)
{
  uint64_t size;
  bool is_negative = trace_take_char(p, '-');
  if (!trace_take_number(p, (uint64_t)INT64_MAX + is_negative, &size))
    return false;
  *number = (int64_t)(is_negative ? 0 - size : size);
  return true;
}

/* ---- quoted text ---- */

static bool add_byte(struct trace_cursor *p, char c)
{
  if (p->text_length + 1 >= p->text_capacity) {
    size_t capacity = p->text_capacity ? p->text_capacity * 2 : 256;
    char *bigger = realloc(p->text, capacity);
    if (!bigger)
      return trace_cursor_fail(p, "no memory for a text of %zu bytes", capacity);
    p->text = bigger;
    p->text_capacity = capacity;
  }
  p->text[p->text_length++] = c;
  p->text[p->text_length] = '\0';
  return true;
}

static bool take_escape(struct trace_cursor *p)
{
  char c = '\0';
  if (!trace_cursor_at_end(p))
    c = *p->at++;
  switch (c) {
  case 'n':
    return add_byte(p, '\n');
  case 't':
    return add_byte(p, '\t');
  case '"':
  case '\\':
    return add_byte(p, c);
  case 'x':
    if (p->end - p->at >= 2 && digit_value(p->at[0]) < 16 && digit_value(p->at[1]) < 16) {
      p->at += 2;
      return add_byte(p, (char)(digit_value(p->at[-2]) * 16 + digit_value(p->at[-1])));
    }
    return trace_cursor_fail(p, "\\x needs two hexadecimal digits");
  default:
    return trace_cursor_fail(p, "an escape must be one of \\n \\t \\\" \\\\ \\xNN");
  }
}

/* A quoted text into p->text. */
bool trace_take_text(struct trace_cursor *p)
{
  p->text_length = 0;
  if (!trace_take_char(p, '"'))
    return trace_cursor_fail(p, "a text in double quotes must stand here");
  if (!add_byte(p, '\0')) /* so that text is never NULL */
    return false;
  p->text_length = 0;
  p->text[0] = '\0';
  while (!trace_cursor_at_end(p)) {
    char c = *p->at++;
    if (c == '"')
      return true;
    if (c == '\\' ? !take_escape(p) : !add_byte(p, c))
      return false;
  }
  return trace_cursor_fail(p, "the text has no closing quote");
}
