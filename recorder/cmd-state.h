/* SPDX-License-Identifier: MIT */
/* cmd-state.h - one state of the scheduler, to be printed as text or JSON. */
#pragma once
#include "cli.h"
#include "out.h"
#include "trace-replay.h"

struct state {
  struct tracefile *file; /* for names of functions */
  const char *path;
  int64_t at; /* asked for, ns */
  const struct trace_replay *replay;
  uint64_t n_breaches;
  struct tracefile_damage_sum damage; /* up to there */
  uint32_t sysmon; /* M that its deeds give away as sysmon, also by later ones; TRACE_NO_M: none */
};

/* Ids of a kind of thing, in order; n of them. To be freed; NULL only without memory. */
typedef size_t (*state_lister)(const struct trace_replay *r, uint32_t from, uint32_t *ids,
                               size_t n);
uint32_t *state_list(const struct trace_replay *r, state_lister list, size_t *n);
/* Ids in an order that matters: idle lists, the global queue. */
typedef size_t (*state_queue)(const struct trace_replay *r, uint32_t *ids, size_t n);
uint32_t *state_order(const struct trace_replay *r, state_queue list, size_t *n);
/* Goids of a P's ring, head first. */
uint32_t *state_ring(const struct trace_replay *r, uint32_t p, size_t *n);
struct trace_heap_entry *state_heap(const struct trace_replay *r, uint32_t p, size_t *n);

/* Name given to a G, else its function's, else "". Returns out (escaped). */
#define STATE_NAME 96
char *state_g_name(const struct state *s, const struct trace_g *g, char *out);
/* "worker", or the address. */
char *state_fn_name(const struct state *s, uint64_t fn, char *out);
/* "chan \"results\"", "chan #2"; "" for none. */
char *state_object_name(const struct state *s, uint64_t obj, char *out);
/* " \"poll\"", or "" for one without a name. */
char *state_timer_name(const struct state *s, uint32_t timer, char *out);
/* "chan receive", "runnable in P1's queue" ... what a G does, in words. */
#define STATE_DOING 160
char *state_g_doing(const struct state *s, const struct trace_g *g, char *out);
/* MSTATUS of an M, sysmon's too, of which the events alone do not tell at once. */
uint32_t state_m_status(const struct state *s, const struct trace_m *m);
/* A string of the trace, escaped. */
char *state_string(const struct state *s, uint32_t id, char *out);

bool state_print_text(const struct state *s, FILE *to); /* false: out of memory */
bool state_print_json(const struct state *s, FILE *to);
