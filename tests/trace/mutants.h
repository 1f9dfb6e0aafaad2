/* SPDX-License-Identifier: MIT */
/* mutants.h - changes one thing of a trace that keeps every rule, and looks whether the replay sees it. */
#pragma once
#include "trace-event.h"

enum mutation {
  MUTATION_DELETE,    /* a record, or a string with its parts, was never written */
  MUTATION_DUPLICATE, /* it stands there twice */
  MUTATION_CHANGE,    /* an argument is another one */
};

struct mutant {
  enum mutation mutation;
  size_t at;   /* which event, from 0 */
  int word;    /* MUTATION_CHANGE: which argument */
  bool is_last; /* the event is the last one of its M: a trace may end at any event of each M */
};

struct mutants_count {
  uint64_t tried, survived;
};

/* Tries every mutant of the events, or about one in `one_in` of them, picked from a seed; calls survivor() for each
 * that breaks no rule. The events themselves must keep every rule. */
struct mutants_count mutants_try(const struct trace_event *events, size_t n, uint32_t one_in,
                                 uint64_t seed,
                                 void (*survivor)(const struct trace_event *events,
                                                  const struct mutant *mutant, void *arg),
                                 void *arg);
/* Why a survivor says nothing that another event depends on; NULL: the replay should have seen it. */
const char *mutants_excuse(const struct trace_event *events, const struct mutant *mutant);
/* "go_block: why" ... what was changed. Returns out. */
const char *mutants_name(const struct trace_event *events, const struct mutant *mutant, char *out,
                         size_t n);
