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

#include <stdio.h>
#include <stdlib.h>

#define CHECKPOINT_EVERY 128

struct trial {
  const struct trace_event *events;
  size_t n;
  size_t first, last; /* events of the record that is changed */
  struct mutant mutant;
  uint64_t renumber; /* added to later numbers of that M */
};

/* The events of a string, or of a stack, go together. */
static size_t last_of_record(const struct trace_event *events, size_t n, size_t at)
{
  size_t last = at, i = at;
  uint16_t part = events[at].kind == TRACE_STRING        ? TRACE_STRING_PART
                  : events[at].kind == TRACE_STACK_BEGIN ? TRACE_STACK_PART
                                                         : TRACE_KIND_NONE;
  while (part && ++i < n) {
    if (events[i].m != events[at].m)
      continue;
    if (events[i].kind != part)
      break;
    last = i;
  }
  return last;
}

static bool belongs(const struct trial *t, size_t i)
{
  return i >= t->first && i <= t->last && t->events[i].m == t->events[t->first].m;
}

static bool apply(struct trace_replay *r, const struct trial *t, size_t i, uint64_t shift)
{
  struct trace_event e = t->events[i];
  if (e.m == t->events[t->first].m)
    e.seq += shift;
  return trace_replay_apply(r, &e);
}

/* The value that a changed argument has: the next one, or of two or of a list of words another one. */
static void change(struct trace_event *e, int word)
{
  const struct trace_arg_spec *arg = &trace_specs[e->kind].args[word];
  if (trace_arg_is_wide(arg->type))
    e->d[word / 2]++;
  else if (arg->type == TRACE_ARG_BOOL)
    e->w[word] ^= 1;
  else if (!trace_arg_is_word(arg->type))
    e->w[word]++;
  else if (trace_word_text(arg->type, e->w[word] + 1))
    e->w[word]++;
  else
    e->w[word] = trace_word_text(arg->type, 0) ? 0 : 1;
}

static bool apply_changed(struct trace_replay *r, const struct trial *t)
{
  bool ok = true;
  struct trace_event e = t->events[t->first];
  switch (t->mutant.mutation) {
  case MUTATION_DELETE:
    return true;
  case MUTATION_CHANGE:
    change(&e, t->mutant.word);
    return trace_replay_apply(r, &e);
  case MUTATION_DUPLICATE:
    for (int again = 0; again < 2; again++)
      for (size_t i = t->first; ok && i <= t->last; i++)
        if (belongs(t, i))
          ok = apply(r, t, i, again ? t->renumber : 0);
    return ok;
  }
  return true;
}

/* True: every rule still holds. r is at event `at`, not behind the changed one. */
static bool survives(struct trace_replay *r, const struct trial *t, size_t at)
{
  bool complete = false, ok = true, is_change = t->mutant.mutation == MUTATION_CHANGE;
  for (size_t i = at; ok && i < t->n; i++) {
    if (i == t->first)
      ok = apply_changed(r, t);
    else if (is_change || !belongs(t, i))
      ok = apply(r, t, i, i > t->first ? t->renumber : 0);
    complete |= t->events[i].kind == TRACE_TRACE_END && ok;
  }
  return ok && trace_replay_finish(r, complete);
}

static uint64_t next_random(uint64_t *state)
{
  uint64_t z = (*state += 0x9e3779b97f4a7c15u); /* splitmix64 */
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

struct hunt {
  const struct trace_event *events;
  size_t n;
  uint32_t one_in;
  uint64_t random;
  struct trace_replay *checkpoint;
  size_t checkpoint_at;
  struct mutants_count count;
  void (*survivor)(const struct trace_event *, const struct mutant *, void *);
  void *arg;
};

static bool ends_its_m(const struct hunt *h, size_t last)
{
  for (size_t i = last + 1; i < h->n; i++)
    if (h->events[i].m == h->events[last].m)
      return false;
  return true;
}

static void try_one(struct hunt *h, struct mutant mutant)
{
  if (h->one_in > 1 && next_random(&h->random) % h->one_in != 0)
    return;
  struct trial t = { .events = h->events, .n = h->n, .mutant = mutant, .first = mutant.at };
  t.last = last_of_record(h->events, h->n, mutant.at);
  uint64_t n_records = 0;
  for (size_t i = t.first; i <= t.last; i++)
    n_records += belongs(&t, i);
  if (mutant.mutation != MUTATION_CHANGE)
    t.renumber = mutant.mutation == MUTATION_DELETE ? -n_records : n_records;
  struct trace_replay *r = trace_replay_clone(h->checkpoint);
  if (!r)
    abort();
  h->count.tried++;
  if (survives(r, &t, h->checkpoint_at)) {
    h->count.survived++;
    t.mutant.is_last = ends_its_m(h, t.last);
    h->survivor(h->events, &t.mutant, h->arg);
  }
  trace_replay_free(r);
}

static void try_event(struct hunt *h, size_t at)
{
  uint16_t kind = h->events[at].kind;
  if (kind == TRACE_STRING_PART || kind == TRACE_STACK_PART)
    return;
  try_one(h, (struct mutant){ .mutation = MUTATION_DELETE, .at = at });
  try_one(h, (struct mutant){ .mutation = MUTATION_DUPLICATE, .at = at });
  for (int word = 0; word < 4; word++)
    if (trace_specs[kind].args[word].name)
      try_one(h, (struct mutant){ .mutation = MUTATION_CHANGE, .at = at, .word = word });
}

struct mutants_count mutants_try(const struct trace_event *events, size_t n, uint32_t one_in,
                                 uint64_t seed,
                                 void (*survivor)(const struct trace_event *events,
                                                  const struct mutant *mutant, void *arg),
                                 void *arg)
{
  struct hunt h = { .events = events, .n = n, .one_in = one_in, .random = seed };
  h.survivor = survivor;
  h.arg = arg;
  h.checkpoint = trace_replay_new();
  for (size_t i = 0; i < n; i++) {
    while (i - h.checkpoint_at >= CHECKPOINT_EVERY)
      trace_replay_apply(h.checkpoint, &events[h.checkpoint_at++]);
    try_event(&h, i);
  }
  trace_replay_free(h.checkpoint);
  return h.count;
}

const char *mutants_name(const struct trace_event *events, const struct mutant *mutant, char *out,
                         size_t n)
{
  static const char *const words[] = { "deleted", "duplicated", "changed" };
  const struct trace_spec *spec = &trace_specs[events[mutant->at].kind];
  if (mutant->mutation == MUTATION_CHANGE)
    snprintf(out, n, "%s: %s %s", spec->name, spec->args[mutant->word].name, words[2]);
  else
    snprintf(out, n, "%s %s", spec->name, words[mutant->mutation]);
  return out;
}

const char *mutants_excuse(const struct trace_event *events, const struct mutant *mutant)
{
  (void)events;
  (void)mutant;
  return NULL;
}
