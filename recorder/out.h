/* SPDX-License-Identifier: MIT */
/* out.h - what the commands print: JSON for programs, and text in which a trace cannot draw.
 *
 * Names, strings and paths in a trace are bytes that a hostile program chose.  On a terminal an escape
 * sequence in them could move the cursor, hide text or answer for the user; so every such byte passes
 * through out_text, which shows it as \n, \t or \xNN.  JSON says the same by its own escapes.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* Writes n bytes with control characters, direction marks and broken UTF-8 escaped. */
void out_text(FILE *to, const char *bytes, size_t n);
/* The same into a buffer, NUL-terminated, cut at a whole character; returns the length there. */
size_t out_escape(char *out, size_t size, const char *bytes, size_t n);
/* How many columns n bytes of UTF-8 take, counting every character as one. */
size_t out_width(const char *bytes, size_t n);
/* "1,234,567": digits in groups. Returns out, which holds 32 bytes. */
char *out_count(uint64_t n, char *out);
/* "1.5 MB". Returns out, which holds 32 bytes. */
char *out_bytes(uint64_t n, char *out);
/* "1.234567 ms", or "-" of ns for unknown (INT64_MIN). Returns out, which holds 40 bytes. */
char *out_time(int64_t ns, char *out);

/* JSON, written as it comes, two spaces a level. key is NULL in an array and at the top. */
#define OUT_JSON_DEPTH 16
struct out_json {
  FILE *to;
  int depth;
  bool has_item[OUT_JSON_DEPTH];
  char closer[OUT_JSON_DEPTH];
};
void out_json_begin(struct out_json *j, FILE *to);
void out_object(struct out_json *j, const char *key);
void out_array(struct out_json *j, const char *key);
void out_end(struct out_json *j); /* of the innermost; the outermost ends with a newline */
void out_string(struct out_json *j, const char *key, const char *text); /* NULL: null */
void out_string_n(struct out_json *j, const char *key, const char *bytes, size_t n);
void out_int(struct out_json *j, const char *key, int64_t n);
void out_uint(struct out_json *j, const char *key, uint64_t n);
void out_real(struct out_json *j, const char *key, double x);
void out_bool(struct out_json *j, const char *key, bool is);
void out_null(struct out_json *j, const char *key);
