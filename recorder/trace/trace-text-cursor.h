/* SPDX-License-Identifier: MIT */
/* trace-text-cursor.h - reads the pieces that a line of the text form is made of; private to this
 * folder.
 *
 * The text is hostile: lengths, not NULs, end things; numbers are checked against a limit; what an
 * error cites of the text is cut short and stripped of control characters, because it ends on a
 * terminal.
 */
#pragma once
#include "trace-text.h"

struct trace_cursor {
  const char *at;
  const char *end; /* of the line; never passed */
  char
      *text; /* the last quoted text, unescaped, NUL-terminated; freed by the owner of the cursor */
  size_t text_length, text_capacity;
  struct trace_text_error *error; /* borrowed: where the sentence goes */
};

/* A piece of the text, not terminated. */
struct trace_token {
  const char *at;
  size_t length;
};

#define TRACE_CITED_SIZE 44
/* A token as an error may show it. Returns out. */
const char *trace_cite(struct trace_token token, char out[TRACE_CITED_SIZE]);
/* Says what is wrong, and returns false. */
__attribute__((format(printf, 2, 3))) bool trace_cursor_fail(struct trace_cursor *p,
                                                             const char *format, ...);

bool trace_cursor_at_end(const struct trace_cursor *p);
bool trace_token_is(struct trace_token token, const char *word);
/* What stands here up to the next space, without taking it: for errors. */
struct trace_token trace_rest_of_word(const struct trace_cursor *p);

/* The takers move the cursor behind what they took. Those that return false without a word in the
 * error are trace_take_char, _number and _signed: the caller knows better what should have stood
 * there. */
void trace_skip_spaces(struct trace_cursor *p);
/* Letters, digits, _ . and - ; length 0 if there are none. */
struct trace_token trace_take_name(struct trace_cursor *p);
bool trace_take_char(struct trace_cursor *p, char c);
/* Decimal, or hexadecimal behind 0x, up to limit. */
bool trace_take_number(struct trace_cursor *p, uint64_t limit, uint64_t *number);
bool trace_take_signed(struct trace_cursor *p, int64_t *number);
/* A text in double quotes, into p->text. */
bool trace_take_text(struct trace_cursor *p);
