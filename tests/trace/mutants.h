/* SPDX-License-Identifier: MIT */
/* mutants.h - changes one thing of a trace that keeps every rule, and looks whether the replay sees it. */
#pragma once
#include "trace-event.h"

enum mutation {
  MUTATION_DELETE,    /* a record, or a string with its parts, was never written */
  MUTATION_DUPLICATE, /* it stands there twice */
  MUTATION_SWAP, /* it stands behind the next record of its M, neither being of the trace itself */
  MUTATION_UP,   /* a field is larger by one; of two, or of a list of words, it is the next one */
  MUTATION_DOWN, /* it is smaller by one */
  MUTATION_NONE, /* it is 0, or none, or a value far from what it was */
  MUTATION_LIMIT,
};

/* Fields: the words 0 to 3 of the record, and what it says of its M. */
#define MUTANT_P      4
#define MUTANT_G      5
#define MUTANT_FIELDS 6

struct mutant {
  enum mutation mutation;
  size_t at; /* which event, from 0 */
  int field; /* from MUTATION_UP on */
};

struct mutants_count {
  uint64_t tried, survived;
};

typedef void (*mutants_survivor)(const struct trace_event *events, size_t n,
                                 const struct mutant *mutant, void *arg);

/* Tries every mutant of the events, or about one in `one_in` of them, picked from a seed; calls survivor() for each
 * that breaks no rule. The events themselves must keep every rule, and none may be a choice of the simulation. */
struct mutants_count mutants_try(const struct trace_event *events, size_t n, uint32_t one_in,
                                 uint64_t seed, mutants_survivor survivor, void *arg);
/* The next record of the same M that is not of the trace itself (META); n: there is none. */
size_t mutants_next(const struct trace_event *events, size_t n, size_t at);
/* "why" ... of a kind's field; NULL: it has no such field. */
const char *mutants_field(uint16_t kind, int field);
/* "deleted" ... */
const char *mutants_verb(enum mutation mutation);
