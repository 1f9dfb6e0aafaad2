/* SPDX-License-Identifier: MIT */
/* facts.h - what a trace is about: strings, stacks, Gs, Ms, Ps, timers, objects, addresses of code.
 *
 * One pass over the events collects it. The finaliser writes it into the side tables; a file that has none yet
 * (it is being recorded, or its recorder died) gets it here, from its chunks, at the first question.
 */
#pragma once
#include "trace-event.h"
#include "trace-map.h"

#define FACT_UNKNOWN INT64_MIN /* a time or number not told */

struct fact_string {
  uint32_t id;
  uint32_t length; /* bytes, NUL-terminated behind them */
  char *bytes;
};
struct fact_stack {
  uint32_t id;
  uint32_t n;
  uint64_t *pcs; /* innermost first */
};
struct fact_g {
  uint32_t g, parent, name, stack; /* parent, name, stack: 0 none */
  uint64_t fn;                     /* 0 unknown */
  int64_t t_create, t_end;
};
struct fact_m {
  uint32_t m;
  int64_t tid, creator; /* FACT_UNKNOWN */
  bool is_sysmon;
  int64_t t_first, t_last; /* of its events; FACT_UNKNOWN: it has none, others name it */
  uint64_t n_events;
  uint32_t open_string, open_stack; /* index + 1 of what is being told on this M; 0 none */
  uint32_t filled;                  /* bytes or frames of it so far */
};
struct fact_p {
  uint32_t p;
  int64_t t_first, t_last;
};
struct fact_timer {
  uint32_t timer, what, owner;
  bool told; /* what and owner are known */
  int64_t t_new;
  uint64_t n_fired, n_stopped;
};
struct fact_object {
  uint64_t obj;
  uint32_t what, name, capacity;
  bool told;
  int64_t t_new;
};

struct fact_pc {
  uint64_t pc;
  bool is_return; /* seen in stacks only: the call is before it */
};

/* An array that grows, and where a key stands in it. */
#define FACT_LIST(type)                                                                            \
  struct {                                                                                         \
    struct trace_map by_key;                                                                       \
    type *at;                                                                                      \
    uint32_t n;                                                                                    \
    size_t capacity;                                                                               \
  }

struct facts {
  FACT_LIST(struct fact_string) strings;
  FACT_LIST(struct fact_stack) stacks;
  FACT_LIST(struct fact_g) gs;
  FACT_LIST(struct fact_m) ms;
  FACT_LIST(struct fact_p) ps;
  FACT_LIST(struct fact_timer) timers;
  FACT_LIST(struct fact_object) objects;
  FACT_LIST(struct fact_pc) pcs;
  uint64_t n_events;
  uint64_t n_by_family[TRACE_FAMILY_COUNT];
  uint32_t categories; /* mask in force */
  uint32_t ever_off;   /* families that were switched off at some time */
  bool begun, from_start, complete;
  uint32_t exit_code;
  uint32_t fault; /* string: the fault that was switched on for demonstration; 0 none */
};

struct facts *facts_new(void);    /* NULL: out of memory */
void facts_free(struct facts *f); /* NULL is fine */
/* The next event in time order. False: out of memory. */
bool facts_add(struct facts *f, const struct trace_event *e);
/* The same from a table's row: the first telling of an id counts. */
bool facts_put_string(struct facts *f, uint32_t id, const char *bytes, size_t n);
bool facts_put_stack(struct facts *f, uint32_t id, const uint64_t *pcs, size_t n);

/* NULL: not told. */
const struct fact_string *facts_string(const struct facts *f, uint32_t id);
const struct fact_stack *facts_stack(const struct facts *f, uint32_t id);
