/* SPDX-License-Identifier: MIT */
/* mutants.c - see mutants.h.
 *
 * A mutant is replayed from a checkpoint (a clone of the replay) shortly before the change, up to the first broken
 * rule, or to the end: so those that are seen at once cost little, and only survivors cost the rest of the trace.
 * Later numbers of the same M move along, as if the program had never written the record, or had written it twice:
 * otherwise each of these would be seen as a loss, by the number alone.
 */
#include "mutants.h"

#include "trace-replay.h"

#include <stdlib.h>
#include <string.h>

#define CHECKPOINT_EVERY 128

struct trial {
  const struct trace_event *events;
  size_t n;
  size_t first, last; /* events of the record that is changed */
  size_t other;       /* with which it is swapped */
  struct mutant mutant;
  uint64_t renumber; /* added to later numbers of that M */
};

/* ---- one change ---- */

/* The records of a string, or of a stack, go together. */
static uint16_t part_of(uint16_t kind)
{
  return kind == TRACE_STRING        ? TRACE_STRING_PART
         : kind == TRACE_STACK_BEGIN ? TRACE_STACK_PART
                                     : TRACE_KIND_NONE;
}

static size_t last_of_record(const struct trace_event *events, size_t n, size_t at)
{
  size_t last = at;
  uint16_t part = part_of(events[at].kind);
  for (size_t i = at + 1; part && i < n; i++) {
    if (events[i].m != events[at].m)
      continue;
    if (events[i].kind != part)
      break;
    last = i;
  }
  return last;
}

static bool is_of_trace(const struct trace_event *e)
{
  return trace_specs[e->kind].family == TRACE_FAMILY_META;
}

size_t mutants_next(const struct trace_event *events, size_t n, size_t at)
{
  size_t i = at + 1;
  while (i < n && (events[i].m != events[at].m || is_of_trace(&events[i])))
    i++;
  return i;
}

static void change_word(struct trace_event *e, int word, enum mutation mutation)
{
  const struct trace_arg_spec *arg = &trace_specs[e->kind].args[word];
  uint32_t up = mutation == MUTATION_DOWN ? UINT32_MAX : 1;
  if (trace_arg_is_wide(arg->type)) {
    e->d[word / 2] = mutation == MUTATION_NONE ? e->d[word / 2] == 0 : e->d[word / 2] + (int32_t)up;
  } else if (arg->type == TRACE_ARG_BOOL) {
    e->w[word] ^= 1;
  } else if (!trace_arg_is_word(arg->type)) {
    bool was_none = trace_arg_is_none(arg->type, e->w[word]) || e->w[word] == 0;
    uint32_t none = arg->type == TRACE_ARG_P   ? TRACE_NO_P
                    : arg->type == TRACE_ARG_M ? UINT32_MAX
                                               : 0;
    e->w[word] = mutation != MUTATION_NONE ? e->w[word] + up : was_none ? 7 : none;
  } else {
    do
      e->w[word] = (e->w[word] + up) % 64;
    while (!trace_word_text(arg->type, e->w[word]));
  }
}

static void change(struct trace_event *e, int field, enum mutation mutation)
{
  int up = mutation == MUTATION_DOWN ? -1 : 1;
  if (field == MUTANT_P)
    e->p = mutation != MUTATION_NONE ? (uint16_t)(e->p + up) : e->p == TRACE_NO_P ? 0 : TRACE_NO_P;
  else if (field == MUTANT_G)
    e->g = mutation != MUTATION_NONE ? e->g + (uint32_t)up : e->g == 0 ? 7 : 0;
  else
    change_word(e, field, mutation);
}

/* The content of `from` at the place of `at`. */
static struct trace_event moved(const struct trace_event *at, const struct trace_event *from)
{
  struct trace_event e = *from;
  e.ts = at->ts;
  e.seq = at->seq;
  return e;
}

/* ---- replaying a mutant ---- */

static bool belongs(const struct trial *t, size_t i)
{
  return i >= t->first && i <= t->last && t->events[i].m == t->events[t->first].m;
}

static bool apply(struct trace_replay *r, const struct trial *t, size_t i, uint64_t shift)
{
  struct trace_event e = t->events[i];
  if (i == t->other)
    e = moved(&e, &t->events[t->first]);
  if (e.m == t->events[t->first].m)
    e.seq += shift;
  return trace_replay_apply(r, &e);
}

static bool apply_twice(struct trace_replay *r, const struct trial *t)
{
  bool ok = true;
  for (int again = 0; again < 2; again++)
    for (size_t i = t->first; ok && i <= t->last; i++)
      if (belongs(t, i))
        ok = apply(r, t, i, again ? t->renumber : 0);
  return ok;
}

static bool apply_changed(struct trace_replay *r, const struct trial *t)
{
  struct trace_event e = t->events[t->first];
  switch (t->mutant.mutation) {
  case MUTATION_DELETE:
    return true;
  case MUTATION_DUPLICATE:
    return apply_twice(r, t);
  case MUTATION_SWAP:
    e = moved(&e, &t->events[t->other]);
    return trace_replay_apply(r, &e);
  default:
    change(&e, t->mutant.field, t->mutant.mutation);
    return trace_replay_apply(r, &e);
  }
}

/* True: every rule still holds. r is at event `at`, not behind the changed one. */
static bool survives(struct trace_replay *r, const struct trial *t, size_t at)
{
  bool complete = false, ok = true, whole = t->mutant.mutation <= MUTATION_DUPLICATE;
  for (size_t i = at; ok && i < t->n; i++) {
    if (i == t->first)
      ok = apply_changed(r, t);
    else if (!whole || !belongs(t, i))
      ok = apply(r, t, i, i > t->first ? t->renumber : 0);
    complete |= t->events[i].kind == TRACE_TRACE_END && ok;
  }
  return ok && trace_replay_finish(r, complete);
}

/* ---- all of them ---- */

struct hunt {
  const struct trace_event *events;
  size_t n;
  uint32_t one_in;
  uint64_t random;
  struct trace_replay *checkpoint;
  size_t checkpoint_at;
  struct mutants_count count;
  mutants_survivor survivor;
  void *arg;
};

static uint64_t next_random(uint64_t *state)
{
  uint64_t z = (*state += 0x9e3779b97f4a7c15u); /* splitmix64 */
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

static bool says_the_same(const struct trace_event *a, const struct trace_event *b)
{
  return a->kind == b->kind && a->g == b->g && a->p == b->p && a->d[0] == b->d[0] &&
         a->d[1] == b->d[1];
}

/* False: this mutant is none, or the same as another one. */
static bool prepare(const struct hunt *h, struct trial *t)
{
  const struct trace_event *e = &h->events[t->first];
  if (t->mutant.mutation >= MUTATION_UP) {
    struct trace_event changed = *e;
    change(&changed, t->mutant.field, t->mutant.mutation);
    return t->mutant.mutation == MUTATION_UP || memcmp(&changed, e, sizeof changed) != 0;
  }
  if (t->mutant.mutation == MUTATION_SWAP) {
    t->other = mutants_next(h->events, h->n, t->first);
    return !is_of_trace(e) && t->other < h->n && !says_the_same(e, &h->events[t->other]);
  }
  uint64_t n_records = 0;
  for (size_t i = t->first; i <= t->last; i++)
    n_records += belongs(t, i);
  t->renumber = t->mutant.mutation == MUTATION_DELETE ? -n_records : n_records;
  return true;
}

static void try_one(struct hunt *h, struct mutant mutant)
{
  if (h->one_in > 1 && next_random(&h->random) % h->one_in != 0)
    return;
  struct trial t = { .events = h->events, .n = h->n, .mutant = mutant, .first = mutant.at };
  t.other = h->n;
  t.last = last_of_record(h->events, h->n, mutant.at);
  if (!prepare(h, &t))
    return;
  struct trace_replay *r = trace_replay_clone(h->checkpoint);
  if (!r)
    abort();
  h->count.tried++;
  if (survives(r, &t, h->checkpoint_at)) {
    h->count.survived++;
    h->survivor(h->events, h->n, &t.mutant, h->arg);
  }
  trace_replay_free(r);
}

/* Words of two values, or of a list, and the two columns are changed once; numbers in three ways. */
static bool has_ways(uint16_t kind, int field)
{
  enum trace_arg type = field < MUTANT_P ? trace_specs[kind].args[field].type : TRACE_ARG_G;
  return type != TRACE_ARG_BOOL && !trace_arg_is_word(type);
}

static void try_event(struct hunt *h, size_t at)
{
  uint16_t kind = h->events[at].kind;
  if (kind == TRACE_STRING_PART || kind == TRACE_STACK_PART)
    return;
  for (enum mutation m = MUTATION_DELETE; m <= MUTATION_SWAP; m++)
    try_one(h, (struct mutant){ .mutation = m, .at = at });
  for (int field = 0; field < MUTANT_FIELDS; field++)
    for (enum mutation m = MUTATION_UP; mutants_field(kind, field) && m < MUTATION_LIMIT; m++)
      if (m == MUTATION_UP || has_ways(kind, field))
        try_one(h, (struct mutant){ .mutation = m, .at = at, .field = field });
}

struct mutants_count mutants_try(const struct trace_event *events, size_t n, uint32_t one_in,
                                 uint64_t seed, mutants_survivor survivor, void *arg)
{
  struct hunt h = { .events = events, .n = n, .one_in = one_in, .random = seed };
  h.survivor = survivor;
  h.arg = arg;
  h.checkpoint = trace_replay_new();
  for (size_t i = 0; h.checkpoint && i < n; i++) {
    while (i - h.checkpoint_at >= CHECKPOINT_EVERY)
      trace_replay_apply(h.checkpoint, &events[h.checkpoint_at++]);
    try_event(&h, i);
  }
  trace_replay_free(h.checkpoint);
  return h.count;
}

/* ---- names ---- */

const char *mutants_field(uint16_t kind, int field)
{
  return field == MUTANT_P ? "p" : field == MUTANT_G ? "g" : trace_specs[kind].args[field].name;
}

const char *mutants_verb(enum mutation mutation)
{
  static const char *const verbs[MUTATION_LIMIT] = { "deleted",  "duplicated", "swapped",
                                                     "one more", "one less",   "none" };
  return verbs[mutation];
}
