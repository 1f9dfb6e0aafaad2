/* SPDX-License-Identifier: MIT */
/* vw-step.c - the next or previous event that a filter lets pass.
 *
 * For each block of 1024 events there is a digest: which kinds occur, and a 1024-bit Bloom filter of the Gs, Ms, Ps
 * and timers that its events concern.  A step looks into a block only if the digest may hold what the filter wants:
 * the next event of a G that ran last a million events ago is found after a thousand look-ups.
 *
 * A text is looked for in the event's arguments first, which needs no state, and then in its sentence, which does.
 * Going back, sentences are made block by block forwards, since the replay runs forwards only: a text that
 * stands nowhere costs one replay of the trace, about a second for a million events.
 */
#include "vw-internal.h"

#include <ctype.h>
#include <stdlib.h>

#define BLOCK 1024u /* events a digest */
#define TEXT_BLOCK                                                                                 \
  8192u /* events a block of sentences made going back: an interval between two checkpoints */

struct vw_digest {
  uint64_t kinds[(TRACE_KIND_LIMIT + 63) / 64];
  uint64_t who[16];
};

/* The bit of a G, M, P or timer; neighbours get bits far from each other. */
static unsigned who_bit(enum trace_arg type, uint32_t id)
{
  return (unsigned)(((uint64_t)id * 4 + (type & 3)) * 0x9e3779b97f4a7c15u >> 54);
}
static_assert((TRACE_ARG_G & 3) != (TRACE_ARG_M & 3) && (TRACE_ARG_M & 3) != (TRACE_ARG_P & 3),
              "Gs, Ms and Ps of one number have different bits");

static void note_who(struct vw_digest *digest, enum trace_arg type, uint32_t id)
{
  unsigned bit = who_bit(type, id);
  digest->who[bit / 64] |= (uint64_t)1 << bit % 64;
}

static bool may_have(const struct vw_digest *digest, enum trace_arg type, uint32_t id)
{
  unsigned bit = who_bit(type, id);
  return digest->who[bit / 64] >> bit % 64 & 1;
}

static void note_event(struct vw_digest *digest, const struct trace_event *e)
{
  const struct trace_spec *spec = &trace_specs[e->kind];
  digest->kinds[e->kind / 64] |= (uint64_t)1 << e->kind % 64;
  note_who(digest, TRACE_ARG_G, e->g);
  note_who(digest, TRACE_ARG_M, e->m);
  note_who(digest, TRACE_ARG_P, e->p);
  for (int i = 0; i < 4; i++) {
    enum trace_arg type = spec->args[i].type;
    if (type == TRACE_ARG_G || type == TRACE_ARG_M || type == TRACE_ARG_P ||
        type == TRACE_ARG_TIMER)
      note_who(digest, type, e->w[i]);
  }
}

bool vw_digests_make(struct vw_trace *trace)
{
  trace->digests = calloc(trace->n_events / BLOCK + 1, sizeof *trace->digests);
  for (uint64_t no = 0; trace->digests && no < trace->n_events; no++)
    note_event(&trace->digests[no / BLOCK], &trace->events[no]);
  return trace->digests;
}

/* False: no event of the block can match. */
static bool block_may_match(const struct vw_digest *d, const struct vw_filter *f)
{
  if (f->has_kind && (f->kind >= TRACE_KIND_LIMIT || !(d->kinds[f->kind / 64] >> f->kind % 64 & 1)))
    return false;
  return (!f->has_g || may_have(d, TRACE_ARG_G, f->g)) &&
         (!f->has_m || may_have(d, TRACE_ARG_M, f->m)) &&
         (!f->has_p || may_have(d, TRACE_ARG_P, f->p)) &&
         (!f->has_timer || may_have(d, TRACE_ARG_TIMER, f->timer));
}

/* ---- one event ---- */

static bool names(const struct trace_event *e, enum trace_arg type, uint32_t id)
{
  const struct trace_spec *spec = &trace_specs[e->kind];
  for (int i = 0; i < 4; i++) {
    if (spec->args[i].type == type && e->w[i] == id)
      return true;
  }
  return false;
}

static bool family_passes(const struct vw_filter *f, uint16_t kind)
{
  if (f->families)
    return f->families & trace_specs[kind].family;
  return kind != TRACE_STRING && kind != TRACE_STRING_PART && kind != TRACE_STACK_BEGIN &&
         kind != TRACE_STACK_PART;
}

static bool concerns(const struct vw_filter *f, const struct trace_event *e)
{
  return (!f->has_g || e->g == f->g || names(e, TRACE_ARG_G, f->g)) &&
         (!f->has_m || e->m == f->m || names(e, TRACE_ARG_M, f->m)) &&
         (!f->has_p || e->p == f->p || names(e, TRACE_ARG_P, f->p)) &&
         (!f->has_timer || names(e, TRACE_ARG_TIMER, f->timer));
}

static bool passes(const struct vw_filter *f, const struct trace_event *e)
{
  return (!f->has_kind || e->kind == f->kind) && family_passes(f, e->kind) && concerns(f, e);
}

static bool starts_folded(const char *text, const char *folded)
{
  while (*folded && tolower((unsigned char)*text) == (unsigned char)*folded)
    text++, folded++;
  return *folded == '\0';
}

bool vw_contains(const char *text, const char *folded)
{
  do {
    if (starts_folded(text, folded))
      return true;
  } while (*text++);
  return false;
}

/* What is looked for, folded once. Longer needles than any sentence are cut, and found nowhere. */
struct needle {
  char folded[1024];
  bool is_set;
};

static struct needle fold(const char *text)
{
  struct needle needle = { .is_set = text && *text };
  for (size_t i = 0; needle.is_set && text[i] && i + 1 < sizeof needle.folded; i++)
    needle.folded[i] = (char)tolower((unsigned char)text[i]);
  return needle;
}

static bool text_passes(struct vw_trace *trace, const struct needle *needle, uint64_t no)
{
  char text[1024];
  if (!needle->is_set)
    return true;
  vw_event_text(trace, no, text, sizeof text);
  if (vw_contains(text, needle->folded))
    return true;
  vw_sentence(trace, no, text, sizeof text);
  return vw_contains(text, needle->folded);
}

/* The replay behind the sentences is a cache: a const trace stays the same to everyone who asks. */
static struct vw_trace *cache_of(const struct vw_trace *trace)
{
  return (struct vw_trace *)(uintptr_t)trace;
}

bool vw_filter_matches(const struct vw_trace *trace, const struct vw_filter *filter, uint64_t no)
{
  assert(no < trace->n_events);
  struct needle needle = fold(filter->text);
  return passes(filter, &trace->events[no]) && text_passes(cache_of(trace), &needle, no);
}

/* ---- many ---- */

/* The first match in [no, end), or VW_NONE. */
static uint64_t forward(const struct vw_trace *t, const struct vw_filter *f,
                        const struct needle *needle, uint64_t no, uint64_t end)
{
  for (; no < end; no++) {
    if (!block_may_match(&t->digests[no / BLOCK], f))
      no |= BLOCK - 1;
    else if (passes(f, &t->events[no]) && text_passes(cache_of(t), needle, no))
      return no;
  }
  return VW_NONE;
}

/* The last match in [0, end), without a text. */
static uint64_t backward(const struct vw_trace *t, const struct vw_filter *f, uint64_t end)
{
  for (uint64_t no = end; no-- > 0;) {
    if (!block_may_match(&t->digests[no / BLOCK], f))
      no &= ~(uint64_t)(BLOCK - 1);
    else if (passes(f, &t->events[no]))
      return no;
  }
  return VW_NONE;
}

/* The same with a text: the last match of the last block of sentences that has one. */
static uint64_t backward_text(const struct vw_trace *t, const struct vw_filter *f,
                              const struct needle *needle, uint64_t end)
{
  while (end > 0) {
    uint64_t start = (end - 1) / TEXT_BLOCK * TEXT_BLOCK, last = VW_NONE, no;
    for (no = start; (no = forward(t, f, needle, no, end)) != VW_NONE; no++)
      last = no;
    if (last != VW_NONE)
      return last;
    end = start;
  }
  return VW_NONE;
}

uint64_t vw_step(const struct vw_trace *trace, const struct vw_filter *filter, uint64_t from,
                 int direction)
{
  struct needle needle = fold(filter->text);
  if (direction > 0)
    return forward(trace, filter, &needle, from == VW_NONE ? 0 : from + 1, trace->n_events);
  uint64_t end = from < trace->n_events ? from : trace->n_events;
  return needle.is_set ? backward_text(trace, filter, &needle, end) : backward(trace, filter, end);
}
