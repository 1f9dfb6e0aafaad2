/* SPDX-License-Identifier: MIT */
/* trace-printable.c - text of the traced program, made fit to stand in a line.
 *
 * Sentences, panels and lists all show a name through this, so that one name reads the same everywhere: what is
 * well-formed UTF-8 and no control character stays, every other byte is shown as \n, \t or \xNN.
 */
#include "trace-text.h"

#include <string.h>

/* Bytes of the UTF-8 character at s, 0 if it is none: overlong forms, surrogates and controls are none. */
static size_t character(const unsigned char *s, size_t n)
{
  if (s[0] < 0x80)
    return s[0] >= 0x20 && s[0] != 0x7f;
  size_t length = s[0] >= 0xc2 && s[0] < 0xe0   ? 2
                  : s[0] >= 0xe0 && s[0] < 0xf0 ? 3
                  : s[0] >= 0xf0 && s[0] < 0xf5 ? 4
                                                : 0;
  if (length == 0 || length > n)
    return 0;
  for (size_t i = 1; i < length; i++) {
    if ((s[i] & 0xc0) != 0x80)
      return 0;
  }
  bool is_wrong = (s[0] == 0xc2 && s[1] < 0xa0) || (s[0] == 0xe0 && s[1] < 0xa0) ||
                  (s[0] == 0xed && s[1] >= 0xa0) || (s[0] == 0xf0 && s[1] < 0x90) ||
                  (s[0] == 0xf4 && s[1] >= 0x90);
  return is_wrong ? 0 : length;
}

/* The escaped form of a byte. Returns its length. */
static size_t escape(unsigned char c, char out[4])
{
  if (c == '\n' || c == '\t') {
    out[0] = '\\';
    out[1] = c == '\n' ? 'n' : 't';
    return 2;
  }
  out[0] = '\\';
  out[1] = 'x';
  out[2] = "0123456789abcdef"[c >> 4];
  out[3] = "0123456789abcdef"[c & 15];
  return 4;
}

size_t trace_text_printable(const char *bytes, size_t length, char *out, size_t n, size_t *taken)
{
  const unsigned char *s = (const unsigned char *)bytes;
  size_t used = 0, i = 0;
  while (i < length) {
    char escaped[4];
    size_t good = character(s + i, length - i);
    const char *piece = good ? bytes + i : escaped;
    size_t n_piece = good ? good : escape(s[i], escaped);
    if (used + n_piece >= n)
      break;
    memcpy(out + used, piece, n_piece);
    used += n_piece;
    i += good ? good : 1;
  }
  if (n)
    out[used] = '\0';
  if (taken)
    *taken = i;
  return used;
}
