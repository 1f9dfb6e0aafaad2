/* SPDX-License-Identifier: MIT */
/* replay.c - what a simulated run recorded, replayed as `gmpscope check` does it, without a file between.
 *
 * The invariants (invariants.c) look at the scheduler; the replay looks at what it said it did. It shares nothing
 * with the runtime, so it sees other bugs: a wake-up told after its effect, a P that was taken without a word.
 * The rings are merged by time, and by M where times are equal, which is the order of every reader. There is no
 * second try, as the recorder has it for real clocks (recorder/order.c): in virtual time each cause must stand
 * before its effect. Nobody reads while the program runs, so a ring holds a whole run, or the run fails.
 *
 * Cost: a memfd, and 0.1 us an event.
 */
#include "replay.h"

#include "trace-fuse.h"
#include "trace-replay.h"
#include "trace-ring.h"
#include "trace-text.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define CAPACITY 262144u
#define RINGS    256u

struct source { /* the events of one M */
  struct trace_ring *ring;
  uint64_t at, n;                              /* records */
  struct trace_record events[TRACE_FUSED_MAX]; /* of the record before at */
  size_t next, n_events;
  uint64_t seq;
};

struct merge {
  struct trace_control *control;
  struct source sources[RINGS];
  uint32_t n_sources;
  uint64_t start; /* ns, of the first event */
};

int replay_memory(void)
{
  const char *why = "";
  int fd = trace_shm_create(CAPACITY, RINGS);
  struct trace_control *control = fd < 0 ? NULL : trace_shm_map_control(fd, &why);
  if (!control)
    abort();
  atomic_store(&control->requested, TRACE_STATE_ON);
  trace_shm_unmap_control(control);
  return fd;
}

static const struct trace_record *next_of(struct source *s)
{
  if (s->next == s->n_events) {
    if (s->at == s->n)
      return NULL;
    s->n_events = trace_unfuse(&trace_ring_records(s->ring)[s->at++], s->events);
    s->next = 0;
  }
  return &s->events[s->next];
}

/* Whose next event comes first; NULL: there is none left. */
static struct source *first_source(struct merge *merge)
{
  struct source *first = NULL;
  for (uint32_t i = 0; i < merge->n_sources; i++) {
    struct source *s = &merge->sources[i];
    const struct trace_record *a = next_of(s), *b = first ? next_of(first) : NULL;
    if (a && (!b || a->ts < b->ts || (a->ts == b->ts && s->ring->m < first->ring->m)))
      first = s;
  }
  return first;
}

/* False: events are missing. */
static bool open_rings(struct merge *merge, int memory)
{
  const char *why;
  bool whole = true;
  merge->control = trace_shm_map_control(memory, &why);
  if (!merge->control)
    abort();
  whole = atomic_load(&merge->control->unringed) == 0;
  while (merge->n_sources < atomic_load(&merge->control->n_rings)) {
    struct trace_ring *ring =
        trace_shm_map_ring(memory, CAPACITY, trace_ring_stride(CAPACITY), merge->n_sources);
    if (!ring)
      abort();
    uint64_t n = atomic_load(&ring->head);
    whole = whole && n <= CAPACITY && atomic_load(&ring->lost) == 0;
    merge->sources[merge->n_sources++] = (struct source){ .ring = ring, .n = n };
  }
  struct source *first = first_source(merge);
  merge->start = first ? next_of(first)->ts : 0;
  return whole;
}

static void close_rings(struct merge *merge)
{
  for (uint32_t i = 0; i < merge->n_sources; i++)
    trace_shm_unmap_ring(merge->sources[i].ring, CAPACITY);
  trace_shm_unmap_control(merge->control);
}

/* The next event, with its times since the trace's start. */
static bool take_event(struct merge *merge, struct trace_event *e)
{
  struct source *s = first_source(merge);
  const struct trace_record *record = s ? next_of(s) : NULL;
  if (!record)
    return false;
  const struct trace_spec *spec = trace_spec_get(record->kind);
  *e = (struct trace_event){ .ts = (int64_t)(record->ts - merge->start),
                             .seq = s->seq++,
                             .m = s->ring->m,
                             .g = record->g,
                             .p = record->p,
                             .kind = record->kind,
                             .d = { record->d[0], record->d[1] } };
  for (int word = 0; spec && word < 4; word += 2)
    if (spec->args[word].type == TRACE_ARG_WHEN || spec->args[word].type == TRACE_ARG_TICKS)
      e->d[word / 2] -= merge->start;
  s->next++;
  return true;
}

static bool replay(struct merge *merge, char *text, size_t n)
{
  struct trace_replay *replay = trace_replay_new();
  struct trace_event e;
  bool accepted = true;
  if (!replay)
    abort();
  while (accepted && take_event(merge, &e))
    accepted = trace_replay_apply(replay, &e);
  bool is_complete = atomic_load(&merge->control->state) == TRACE_STATE_ENDED;
  if (accepted)
    accepted = is_complete && trace_replay_finish(replay, true);
  const struct trace_breach *breach = trace_replay_breach(replay);
  if (!accepted && breach)
    snprintf(text, n, "its trace breaks %s at event %" PRIu64 " (%" PRId64 " ns, M%u): %s\n",
             trace_rule_name(breach->rule), breach->event_no, breach->event.ts, breach->event.m,
             breach->sentence);
  else if (!accepted)
    snprintf(text, n, "its trace has no end\n");
  trace_replay_free(replay);
  return accepted;
}

void replay_print(int memory, FILE *to)
{
  struct merge merge = { 0 };
  struct trace_text_printer *printer = trace_text_printer_new(to);
  struct trace_event e;
  if (!printer)
    abort();
  open_rings(&merge, memory);
  while (take_event(&merge, &e))
    trace_text_print_event(printer, &e);
  trace_text_printer_flush(printer);
  trace_text_printer_free(printer);
  close_rings(&merge);
}

bool replay_accepts(int memory, char *text, size_t n)
{
  struct merge merge = { 0 };
  bool accepted = open_rings(&merge, memory);
  if (!accepted)
    snprintf(text, n, "its trace has lost events\n");
  else
    accepted = replay(&merge, text, n);
  close_rings(&merge);
  return accepted;
}
