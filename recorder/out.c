/* SPDX-License-Identifier: MIT */
/* out.c - escaping, counting, and a JSON writer that needs no memory.
 *
 * UTF-8 is decoded by the letter: overlong forms, surrogates and cut sequences are broken, and each of
 * their bytes is shown by itself.  JSON has no way to carry a broken byte; it gets U+FFFD in its place.
 */
#include "out.h"
#include "trace-text.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

/* Length of the character at bytes (n > 0 left) and its code point; 0: broken. */
static size_t decode_utf8(const char *bytes, size_t n, uint32_t *code)
{
  static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
  uint8_t lead = (uint8_t)bytes[0];
  size_t length = lead < 0x80 ? 1 : lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (length == 1) {
    *code = lead;
    return 1;
  }
  if (lead < 0xc2 || lead > 0xf4 || length > n)
    return 0;
  uint32_t c = lead & (0x7fu >> length);
  for (size_t i = 1; i < length; i++) {
    if (((uint8_t)bytes[i] & 0xc0) != 0x80)
      return 0;
    c = c << 6 | ((uint8_t)bytes[i] & 0x3f);
  }
  if (c < least[length] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
    return 0;
  *code = c;
  return length;
}

/* Controls, and marks that turn the direction of the text around them. */
static bool is_unsafe(uint32_t c)
{
  return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x200e || c == 0x200f || c == 0x2028 ||
         c == 0x2029 || (c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069);
}

/* One character, escaped if it must be. Returns how many bytes it was. */
static size_t escape_one(const char *bytes, size_t n, char *out, size_t *n_out)
{
  uint32_t code = 0;
  size_t length = decode_utf8(bytes, n, &code);
  if (length && !is_unsafe(code)) {
    memcpy(out, bytes, length);
    *n_out = length;
    return length;
  }
  if (code == '\n' || code == '\t') {
    *n_out = (size_t)sprintf(out, code == '\n' ? "\\n" : "\\t");
    return 1;
  }
  if (length == 0)
    length = 1;
  *n_out = 0;
  for (size_t i = 0; i < length; i++)
    *n_out += (size_t)sprintf(out + *n_out, "\\x%02x", (uint8_t)bytes[i]);
  return length;
}

void out_text(FILE *to, const char *bytes, size_t n)
{
  char piece[20];
  for (size_t at = 0, n_piece; at < n;) {
    at += escape_one(bytes + at, n - at, piece, &n_piece);
    fwrite(piece, 1, n_piece, to);
  }
}

size_t out_escape(char *out, size_t size, const char *bytes, size_t n)
{
  char piece[20];
  size_t used = 0;
  for (size_t at = 0, n_piece; at < n; used += n_piece) {
    at += escape_one(bytes + at, n - at, piece, &n_piece);
    if (used + n_piece >= size)
      break;
    memcpy(out + used, piece, n_piece);
  }
  out[used] = '\0';
  return used;
}

size_t out_width(const char *bytes, size_t n)
{
  size_t width = 0;
  for (size_t i = 0; i < n; i++)
    width += ((uint8_t)bytes[i] & 0xc0) != 0x80;
  return width;
}

char *out_count(uint64_t n, char *out)
{
  char digits[24];
  int n_digits = snprintf(digits, sizeof digits, "%" PRIu64, n);
  char *at = out;
  for (int i = 0; i < n_digits; i++) {
    if (i > 0 && (n_digits - i) % 3 == 0)
      *at++ = ',';
    *at++ = digits[i];
  }
  *at = '\0';
  return out;
}

char *out_bytes(uint64_t n, char *out)
{
  static const char *const units[] = { "bytes", "kB", "MB", "GB", "TB" };
  double x = (double)n;
  size_t unit = 0;
  while (x >= 1000 && unit + 1 < sizeof units / sizeof units[0]) {
    x /= 1000;
    unit++;
  }
  snprintf(out, 32, unit ? "%.1f %s" : "%.0f %s", x, units[unit]);
  return out;
}

char *out_time(int64_t ns, char *out)
{
  if (ns == INT64_MIN)
    snprintf(out, 40, "-");
  else
    trace_time_print(ns, out, 40);
  return out;
}

static void put_json_text(FILE *to, const char *bytes, size_t n)
{
  fputc('"', to);
  for (size_t at = 0; at < n;) {
    uint32_t code = 0;
    size_t length = decode_utf8(bytes + at, n - at, &code);
    if (length == 0)
      fputs("\\ufffd", to);
    else if (code == '"' || code == '\\')
      fprintf(to, "\\%c", (int)code);
    else if (is_unsafe(code))
      fprintf(to, "\\u%04x", code);
    else
      fwrite(bytes + at, 1, length, to);
    at += length ? length : 1;
  }
  fputc('"', to);
}

void out_json_begin(struct out_json *j, FILE *to)
{
  *j = (struct out_json){ .to = to };
}

/* Comma, newline, indent and key of the next item. */
static void begin_item(struct out_json *j, const char *key)
{
  if (j->depth > 0) {
    fputs(j->has_item[j->depth - 1] ? ",\n" : "\n", j->to);
    j->has_item[j->depth - 1] = true;
    fprintf(j->to, "%*s", 2 * j->depth, "");
  }
  if (key) {
    put_json_text(j->to, key, strlen(key));
    fputs(": ", j->to);
  }
}

static void open_level(struct out_json *j, const char *key, const char *brackets)
{
  begin_item(j, key);
  fputc(brackets[0], j->to);
  if (j->depth < OUT_JSON_DEPTH) {
    j->has_item[j->depth] = false;
    j->closer[j->depth++] = brackets[1];
  }
}

void out_object(struct out_json *j, const char *key)
{
  open_level(j, key, "{}");
}

void out_array(struct out_json *j, const char *key)
{
  open_level(j, key, "[]");
}

void out_end(struct out_json *j)
{
  j->depth--;
  if (j->has_item[j->depth])
    fprintf(j->to, "\n%*s", 2 * j->depth, "");
  fputc(j->closer[j->depth], j->to);
  if (j->depth == 0)
    fputc('\n', j->to);
}

void out_string_n(struct out_json *j, const char *key, const char *bytes, size_t n)
{
  begin_item(j, key);
  put_json_text(j->to, bytes, n);
}

void out_string(struct out_json *j, const char *key, const char *text)
{
  if (text)
    out_string_n(j, key, text, strlen(text));
  else
    out_null(j, key);
}

void out_int(struct out_json *j, const char *key, int64_t n)
{
  begin_item(j, key);
  fprintf(j->to, "%" PRId64, n);
}

void out_uint(struct out_json *j, const char *key, uint64_t n)
{
  begin_item(j, key);
  fprintf(j->to, "%" PRIu64, n);
}

void out_real(struct out_json *j, const char *key, double x)
{
  begin_item(j, key);
  if (isfinite(x))
    fprintf(j->to, "%.17g", x);
  else
    fputs("null", j->to);
}

void out_bool(struct out_json *j, const char *key, bool is)
{
  begin_item(j, key);
  fputs(is ? "true" : "false", j->to);
}

void out_null(struct out_json *j, const char *key)
{
  begin_item(j, key);
  fputs("null", j->to);
}
