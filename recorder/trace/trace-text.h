/* SPDX-License-Identifier: MIT */
/* trace-text.h - the text form of a trace, both ways.
 *
 *   gmpscope-trace 1
 *   # a comment                                      (kept by nobody)
 *   verdict good                                      (fixtures: what the check must say;
 *   verdict bad runq.get                               the rule that the trace breaks first)
 *   meta program "echo"
 *   @0 m0 p- g0 trace_begin abi=1 from_start=1 n_procs=2
 *   @1520 m0 p0 g1 go_block why="chan receive" stack=0 obj=0x55d0c0
 *   @1520 m0 p0 g1 seq=17 go_start run_g=2 g_seq=1 inherit=1
 *
 * One line an event, in time order: ns since the start, M, P (- for none), G, [the event's number
 * in its M's ring, only where it is not the last one's plus one], its name, its arguments by name
 * in table order. Words are quoted texts, WIDE addresses (OBJ FN PC HASH BYTES) hexadecimal, no P
 * and no M a -, everything else decimal; a word's number is understood, too, and printed where the
 * list of words has none for it. A string or stack is one line, which stands for its parts too:
 *   @0 m0 p0 g1 string string=5 text="boom \n \x1b"
 *   @0 m0 p0 g1 stack_begin stack=3 frames=0x401136,0x401200
 * Bytes outside printable ASCII, and " and \, are escaped as \n \t \" \\ \xNN.
 *
 * A string that is not whole (the recording ended, or parts were lost) is the records that it is:
 *   @0 m0 p0 g1 string string=5 n_bytes=20
 *   @0 m0 p0 g1 string_part bytes0=0x2121212121212121 bytes1=0x0
 *
 * Printing what was parsed gives the same bytes.  Arguments that are left out are 0, so fixtures
 * are short. The times of a string's parts are not kept: they all get that of its first record.
 */
#pragma once
#include "trace-event.h"

#include <stdio.h>

struct trace_text_error {
  unsigned line;
  char sentence[200];
};

/* What the parser hands over, in order. A callback that returns false stops it (and parse returns
 * false with the callback's own error left to the caller: error->line is the line, sentence is
 * empty). */
struct trace_text_sink {
  bool (*meta)(void *arg, const char *key, const char *value, size_t value_length);
  bool (*event)(void *arg,
                const struct trace_event *e); /* strings and stacks come as all their records */
  bool (*verdict)(void *arg, bool good, const char *rule); /* may be NULL */
  void *arg;
};

/* Parses a whole text. False: error says the line and what is wrong with it. Hostile input is fine.
 */
bool trace_text_parse(const char *text, size_t length, const struct trace_text_sink *sink,
                      struct trace_text_error *error);

/* Prints. The printer keeps what it needs between events (each M's next number, a string under
 * way). */
struct trace_text_printer;
struct trace_text_printer *trace_text_printer_new(FILE *out);
void trace_text_printer_free(struct trace_text_printer *printer);
void trace_text_print_header(struct trace_text_printer *printer);
void trace_text_print_meta(struct trace_text_printer *printer, const char *key, const char *value,
                           size_t length);
void trace_text_print_event(struct trace_text_printer *printer, const struct trace_event *e);
/* Writes what is still held back (a string cut short by the end). */
void trace_text_printer_flush(struct trace_text_printer *printer);

/* One argument as it stands behind the = . Returns the length it would have. */
size_t trace_text_argument(const struct trace_event *e, int word, char *out, size_t n);

/* Text of the program as one line of UTF-8 without control characters: other bytes become \n, \t, \xNN.  What has no
 * room is left out, whole characters at a time.  Returns the length written; *taken, if wanted, is how many bytes were. */
size_t trace_text_printable(const char *bytes, size_t length, char *out, size_t n, size_t *taken);

/* "12.5ms", "1.2s", "@1234567", "250us", "7ns" -> ns. False: not a time. */
bool trace_time_parse(const char *text, int64_t *ns);
/* Shortest exact form for people: "1.234567 ms", "12.5 s". */
size_t trace_time_print(int64_t ns, char *out, size_t n);
