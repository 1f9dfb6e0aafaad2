/* SPDX-License-Identifier: MIT */
/* trace-sentence.h - what the sentences of events are built with; private to this folder.
 *
 * One function a kind, trace_say_NAME, made known from the table: a new event without a sentence does not
 * link.  They read the state before the event, so that they can say why.
 */
#pragma once
#include "trace-args.h"
#include "trace-replay.h"

#define TRACE_SAY_SLOTS 8
#define TRACE_SAY_NAME  96

struct trace_saying {
  const struct trace_replay *before;
  const struct trace_event *e;
  char *out;
  size_t n, length; /* length may pass n: what it would have */
  char names[TRACE_SAY_SLOTS][TRACE_SAY_NAME];
  unsigned next_name;
};

/* Adds to the sentence. */
__attribute__((format(printf, 2, 3))) void trace_say(struct trace_saying *s, const char *format,
                                                     ...);

/* Names, good for the next few calls: 'G7 "worker"', "P1" or "no P", "M3 (P1)", 'chan "jobs"', a quoted
 * string, a function, a time. */
const char *trace_name_g(struct trace_saying *s, uint32_t goid);
const char *trace_name_p(struct trace_saying *s, uint32_t p);
const char *trace_name_me(struct trace_saying *s);      /* the M of the event, and its P */
const char *trace_name_running(struct trace_saying *s); /* the G of the event, or its M on g0 */
const char *trace_name_object(struct trace_saying *s, uint64_t obj);
const char *trace_name_string(struct trace_saying *s, uint32_t id);
const char *trace_name_fn(struct trace_saying *s, uint64_t fn);
const char *trace_name_time(struct trace_saying *s, int64_t ns);
const char *trace_name_timer(struct trace_saying *s, uint32_t timer);
/* A word of words.def, or "?": the event need not have been checked. */
const char *trace_name_word(enum trace_arg type, uint32_t number);
/* "1 G" or "3 Gs". */
const char *trace_name_count(struct trace_saying *s, uint64_t n, const char *one);

#define TRACE_SAY(name)                                                                            \
  void trace_say_##name(struct trace_saying *s, __attribute__((unused)) struct trace_args_##name a)

#define EVENT(number, NAME, name, family, w0, w1, w2, w3, doc) TRACE_SAY(name);
#include "events.def"
#undef EVENT
