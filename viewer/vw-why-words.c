/* SPDX-License-Identifier: MIT */
/* vw-why-words.c - why a G does not run, in sentences (viewer.h).
 *
 * What an event says is said by its own sentence, as everywhere; here are only the words between.
 */
#include "trace-text.h"
#include "vw-internal.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct writer {
  struct vw_trace *trace;
  const struct vw_why *why;
  struct vw_why_line *lines;
  size_t n;
};

__attribute__((format(printf, 2, 3))) static void put(struct vw_why_line *line, const char *format,
                                                      ...)
{
  const size_t length = strlen(line->text);
  va_list args;
  va_start(args, format);
  vsnprintf(line->text + length, sizeof line->text - length, format, args);
  va_end(args);
}

static struct vw_why_line *begin(struct writer *w, const char *key, uint64_t no)
{
  struct vw_why_line *line = &w->lines[w->n++];
  *line = (struct vw_why_line){ .no = no };
  snprintf(line->key, sizeof line->key, "%s", key);
  return line;
}

static void put_time(struct vw_why_line *line, int64_t ns)
{
  char text[64];
  trace_time_print(ns, text, sizeof text);
  put(line, "%s", text);
}

static void put_event(struct writer *w, struct vw_why_line *line, uint64_t no)
{
  char sentence[400];
  vw_sentence(w->trace, no, sentence, sizeof sentence);
  put_time(line, vw_event(w->trace, no)->ts);
  put(line, ": %s", sentence);
}

/* What the end of the trace is. */
static const char *end_words(const struct writer *w)
{
  return w->why->breaks_off        ? "its events are lost"
         : w->trace->facts.has_end ? "the program ended"
                                   : "the trace ends; of what came later it does not tell";
}

/* ---- the answer itself ---- */

static void put_wait(struct writer *w, struct vw_why_line *line)
{
  const struct trace_event *e = vw_event(w->trace, w->why->begin_no);
  const bool is_block = e->kind == TRACE_GO_BLOCK;
  const bool is_status = e->kind == TRACE_GO_STATUS_WAIT;
  const uint32_t reason = is_block ? e->w[0] : is_status ? e->w[1] : 0;
  const char *word = trace_word_text(TRACE_ARG_WAIT, reason);
  put(line, "it waits: %s", word && *word ? word : "for what is not told");
  if ((!is_block && !is_status) || !e->d[1])
    return;
  char object[256];
  vw_object_name(w->trace, e->d[1], object, sizeof object);
  put(line, " on %s", object);
}

static void answer(struct writer *w)
{
  const struct vw_why *why = w->why;
  const int64_t ts = vw_event(w->trace, why->no)->ts;
  struct vw_why_line *line = begin(w, "", VW_NONE);
  put(line, "G%u ", why->g);
  if (*vw_g_name(w->trace, why->g))
    put(line, "\"%s\" ", vw_g_name(w->trace, why->g));
  if (why->kind == VW_WHY_ABSENT) {
    put(line, "does not exist at this event.");
    return;
  }
  if (why->kind == VW_WHY_LOST) {
    put(line, "may run or not: events were lost here.");
    return;
  }
  put(line, why->kind == VW_WHY_RUNS ? "runs, for " : "does not run: ");
  if (why->kind == VW_WHY_WAITS)
    put_wait(w, line);
  else if (why->kind == VW_WHY_SYSCALL)
    put(line, "it is in a system call");
  else if (why->kind == VW_WHY_RUNNABLE)
    put(line, "it is runnable, and no M runs it");
  if (why->kind != VW_WHY_RUNS)
    put(line, ", for ");
  put_time(line, ts - (why->kind == VW_WHY_RUNNABLE ? why->ready : why->begin));
  put(line, why->kind == VW_WHY_RUNS ? " now." : " so far.");
}

/* ---- what it rests on ---- */

static void since(struct writer *w)
{
  put_event(w, begin(w, "since", w->why->begin_no), w->why->begin_no);
}

static void put_function(struct writer *w, struct vw_why_line *line, uint64_t fn)
{
  const char *name = vw_fn_name(w->trace, fn), *source = vw_fn_place(w->trace, fn);
  if (*name)
    put(line, "%s", name);
  else
    put(line, "the function at 0x%" PRIx64, fn);
  if (*source && strcmp(source, name) != 0)
    put(line, " (%s)", source);
}

/* Its function.  Where in it would be in the event's call stack, which no trace holds yet. */
static void place_in_source(struct writer *w)
{
  const struct trace_replay *state = vw_history_before(w->trace, w->why->begin_no + 1);
  const struct trace_g *gp = state ? trace_replay_g(state, w->why->g) : NULL;
  if (!gp || !gp->fn)
    return;
  const bool is_new = vw_event(w->trace, w->why->begin_no)->kind == TRACE_GO_CREATE;
  struct vw_why_line *line = begin(w, "where", VW_NONE);
  put(line, is_new ? "before the first line of " : "in ");
  put_function(w, line, gp->fn);
  if (!is_new)
    put(line, " or what it called; the trace holds no call stack that tells the line");
}

static void ready(struct writer *w)
{
  const struct vw_why *why = w->why;
  if (why->ready_no == why->begin_no)
    return; /* it was runnable from the start */
  struct vw_why_line *line = begin(w, "ready", why->ready_no);
  if (why->ready_no != VW_NONE) {
    put_event(w, line, why->ready_no);
    return;
  }
  if (why->run_no != VW_NONE) {
    w->n--; /* from a system call it simply went on */
    return;
  }
  put(line,
      why->kind == VW_WHY_SYSCALL ? "it did not come back until " : "nobody made it ready until ");
  put(line, "%s, ", end_words(w));
  put_time(line, why->run - why->begin);
  put(line, " after it %s", why->kind == VW_WHY_SYSCALL ? "entered the call" : "parked");
}

static void put_ahead(struct vw_why_line *line, const struct vw_why_place *stood)
{
  if (stood->place <= TRACE_PLACE_HAND)
    return;
  put(line, stood->n_ahead ? ", behind " : ", first in line");
  const uint32_t named = stood->n_ahead < VW_WHY_AHEAD ? stood->n_ahead : VW_WHY_AHEAD;
  for (uint32_t i = 0; i < named; i++)
    put(line, "%sG%u", i == 0 ? "" : i + 1 == stood->n_ahead ? " and " : ", ", stood->ahead[i]);
  if (stood->n_ahead > named)
    put(line, " and %u more", stood->n_ahead - named);
}

static void put_place(struct vw_why_line *line, const struct vw_why_place *stood)
{
  switch (stood->place) {
  case TRACE_PLACE_NOWHERE:
    put(line, "on no queue that the trace tells of");
    break;
  case TRACE_PLACE_HAND:
    put(line, "in the hand of M%u", stood->id);
    break;
  case TRACE_PLACE_RING:
    put(line, "in the run queue of P%u", stood->id);
    break;
  case TRACE_PLACE_NEXT:
    put(line, "as runnext of P%u", stood->id);
    break;
  case TRACE_PLACE_GLOBAL:
    put(line, "in the global run queue");
    break;
  }
}

static void place(struct writer *w, const struct vw_why_place *stood)
{
  struct vw_why_line *line = begin(w, "stood", stood->no);
  put_time(line, vw_event(w->trace, stood->no)->ts);
  put(line, ": ");
  put_place(line, stood);
  put_ahead(line, stood);
}

static void places(struct writer *w)
{
  const struct vw_why *why = w->why;
  const char *reason = NULL;
  if (why->ready_no == VW_NONE)
    return;
  if (why->kind == VW_WHY_RUNNABLE) {
    struct vw_why_line *line = begin(w, "stands", VW_NONE);
    put(line, "at this event: ");
    put_place(line, &why->now);
    put_ahead(line, &why->now);
  }
  for (uint32_t i = 0; i < why->n_places; i++)
    place(w, &why->places[i]);
  if (why->has_more)
    put(begin(w, "stood", VW_NONE),
        "then it was moved on, or it stood there for too many events to "
        "look through: see the state at later events");
  if (vw_capability(w->trace, TRACE_FAMILY_RUNQ, &reason) != TRACEFILE_RECORDED)
    put(begin(w, "queues", VW_NONE), "%s", reason ? reason : "run queues are not in this trace");
}

static void doing(struct vw_why_line *line, const struct vw_why_part *part)
{
  switch (part->state) {
  case VW_STATE_RUNNING:
    put(line, "ran G%u for ", part->g);
    break;
  case VW_STATE_SYSCALL:
    put(line, "was held by G%u in a system call for ", part->g);
    break;
  case VW_STATE_IDLE:
    put(line, "was idle for ");
    break;
  case VW_STATE_HANDED:
    put(line, "was on its way from one M to another for ");
    break;
  case VW_STATE_GCSTOP:
    put(line, "was stopped with the world for ");
    break;
  case VW_STATE_LOST:
    put(line, "did what is lost for ");
    break;
  default:
    put(line, "was in the scheduler for ");
  }
  put_time(line, part->ns);
}

static void p_did(struct writer *w, const struct vw_why_p *p)
{
  char key[16];
  snprintf(key, sizeof key, "P%u", p->id);
  struct vw_why_line *line = begin(w, key, p->parts[0].no);
  for (uint32_t i = 0; i < p->n_parts; i++) {
    put(line, "%s", i ? ", " : "");
    doing(line, &p->parts[i]);
  }
  if (p->n_others == 0)
    return;
  put(line, ", and other things for ");
  put_time(line, p->others_ns);
}

static void runnable(struct writer *w)
{
  const struct vw_why *why = w->why;
  if (why->ready_no == VW_NONE)
    return;
  struct vw_why_line *line = begin(w, "runnable", why->ready_no);
  put(line, "for ");
  put_time(line, why->run - why->ready);
  put(line, why->n_ps ? "; meanwhile:" : "");
  for (uint32_t i = 0; i < why->n_ps; i++)
    p_did(w, &why->ps[i]);
  if (why->n_more_ps)
    put(begin(w, "more Ps", VW_NONE), "%u, which are not told of here", why->n_more_ps);
}

static void ran(struct writer *w)
{
  const struct vw_why *why = w->why;
  struct vw_why_line *line = begin(w, "ran", why->run_no);
  if (why->run_no != VW_NONE)
    put_event(w, line, why->run_no);
  else
    put(line, "not again until %s", end_words(w));
}

size_t vw_why_lines(struct vw_trace *trace, const struct vw_why *why,
                    struct vw_why_line lines[VW_WHY_LINES])
{
  struct writer w = { trace, why, lines, 0 };
  answer(&w);
  if (why->kind == VW_WHY_ABSENT || why->kind == VW_WHY_LOST)
    return w.n;
  since(&w);
  if (why->kind == VW_WHY_RUNS)
    return w.n;
  place_in_source(&w);
  ready(&w);
  places(&w);
  runnable(&w);
  ran(&w);
  if (why->has_losses)
    put(begin(&w, "losses", VW_NONE), "events were lost meanwhile: what they told is missing here");
  return w.n;
}
