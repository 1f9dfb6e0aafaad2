/* SPDX-License-Identifier: MIT */
/* mutants-legal.c - the one table of what the replay cannot see, by nature, with the reason for each.
 *
 * A row says which mutants it is about, and, where only some of them are legal, a predicate says which. Whatever no row
 * is about must be caught: so a row that is too wide hides a rule that is lost, and the predicates are as narrow as is
 * easily said.
 */
#include "mutants-legal.h"

#include <string.h>

#define DELETED    (1u << MUTATION_DELETE)
#define DUPLICATED (1u << MUTATION_DUPLICATE)
#define SWAPPED    (1u << MUTATION_SWAP)
#define UP         (1u << MUTATION_UP)
#define DOWN       (1u << MUTATION_DOWN)
#define NONE       (1u << MUTATION_NONE)
#define OTHER      (UP | DOWN | NONE)
#define ANY        (DELETED | DUPLICATED | SWAPPED | OTHER)

struct place {
  const struct trace_event *events;
  size_t n, at;
  const struct mutant *mutant;
};

/* ---- predicates: which of a row's mutants are legal ---- */

static const struct trace_event *event(const struct place *x)
{
  return &x->events[x->at];
}

static const struct trace_event *next_of_m(const struct place *x)
{
  size_t next = mutants_next(x->events, x->n, x->at);
  return next < x->n ? &x->events[next] : NULL;
}

static bool names(const struct trace_event *e, enum trace_arg type, uint64_t id)
{
  const struct trace_spec *spec = &trace_specs[e->kind];
  for (int i = 0; i < 4; i++)
    if (spec->args[i].type == type && trace_arg_value(e, spec, i) == id)
      return true;
  return (type == TRACE_ARG_G && e->g == id) || (type == TRACE_ARG_P && e->p == id) ||
         (type == TRACE_ARG_M && e->m == id);
}

static bool is_named_after(const struct place *x, enum trace_arg type, uint64_t id)
{
  for (size_t i = x->at + 1; i < x->n; i++)
    if (names(&x->events[i], type, id))
      return true;
  return false;
}

static bool ends_its_m(const struct place *x)
{
  return !next_of_m(x);
}

static bool before_the_beginning(const struct place *x)
{
  for (size_t i = 0; i < x->at; i++)
    if (x->events[i].kind == TRACE_TRACE_BEGIN)
      return false;
  return true;
}

static bool next_is_alike(const struct place *x)
{
  const struct trace_event *next = next_of_m(x);
  return next && next->kind == event(x)->kind;
}

/* What the program says of itself, and what sysmon says of its sleep. */
static bool is_remark(const struct trace_event *e)
{
  return trace_specs[e->kind].family == TRACE_FAMILY_USER || e->kind == TRACE_SYSMON_SLEEP;
}

static bool either_is_remark(const struct place *x)
{
  const struct trace_event *next = next_of_m(x);
  return is_remark(event(x)) || (next && is_remark(next));
}

/* Whether an M visits its heap, or another one, anew. */
static bool begins_a_visit(uint16_t kind)
{
  return kind == TRACE_GO_START || kind == TRACE_M_SPINNING_BEGIN || kind == TRACE_M_SPINNING_END ||
         kind == TRACE_TIMER_RUN_OTHER || kind == TRACE_PROC_START;
}

static bool fires_with(const struct place *x, size_t fire, int step)
{
  const struct trace_event *e = &x->events[fire];
  for (size_t i = fire + (size_t)step; i < x->n; i += (size_t)step) { /* -1 wraps to the end */
    if (x->events[i].m != e->m)
      continue;
    if (begins_a_visit(x->events[i].kind))
      return false;
    if (x->events[i].kind == TRACE_TIMER_FIRE && x->events[i].w[1] == e->w[1])
      return e->w[1] != TRACE_NO_P; /* who fires in a receive has a clock of its own */
  }
  return false;
}

/* The timer fires alone on its M's visit of the heap, or not at all as it was set here: no other one says by which look
 * at the clock. */
static bool fires_alone(const struct place *x)
{
  for (size_t i = x->at; i < x->n; i++) {
    const struct trace_event *e = &x->events[i];
    if (i > x->at && (e->kind == TRACE_TIMER_MODIFY || e->kind == TRACE_TIMER_STOP) &&
        e->w[0] == event(x)->w[0])
      return true;
    if (e->kind == TRACE_TIMER_FIRE && e->w[0] == event(x)->w[0])
      return !fires_with(x, i, -1) && !fires_with(x, i, 1);
  }
  return true;
}

enum waited {
  WAITED_NOTHING,
  WAITED_CHAN,
  WAITED_OTHER
};

static enum waited waited_for(uint32_t why)
{
  return why == TRACE_WAIT_RECV || why == TRACE_WAIT_SEND         ? WAITED_CHAN
         : why >= TRACE_WAIT_COND && why <= TRACE_WAIT_SEMACQUIRE ? WAITED_OTHER
                                                                  : WAITED_NOTHING;
}

static uint64_t waited_object(const struct trace_event *e)
{
  return e->kind == TRACE_GO_BLOCK ? e->d[1] : e->d[0];
}

static bool obj_is_blocked_on_last(const struct place *x)
{
  for (size_t i = x->at + 1; i < x->n; i++)
    if (x->events[i].kind == TRACE_GO_BLOCK && x->events[i].d[1] == waited_object(event(x)))
      return false;
  return true;
}

static bool reason_fits(const struct place *x)
{
  uint32_t was = event(x)->w[0], is = was + 1;
  if (was == TRACE_WAIT_SEND)
    return obj_is_blocked_on_last(x); /* a channel is gone where something else is */
  return waited_for(was) && waited_for(was) == waited_for(is);
}

static bool was_to_spin(const struct place *x)
{
  return event(x)->w[2] == 1;
}

static bool runs_nothing(const struct place *x)
{
  const struct trace_event *next = next_of_m(x);
  return !next || trace_specs[next->kind].family != TRACE_FAMILY_TIMER ||
         next->kind == TRACE_TIMER_RUN_OTHER;
}

static bool is_skipped(const struct place *x)
{
  return event(x)->w[2] == TRACE_WALK_SKIPPED;
}

static bool did_not_recover(const struct place *x)
{
  return event(x)->w[1] != TRACE_VERDICT_VALID;
}

static bool never_fires(const struct place *x)
{
  for (size_t i = x->at; i < x->n; i++)
    if (x->events[i].kind == TRACE_TIMER_FIRE && x->events[i].w[0] == event(x)->w[0])
      return false;
  return true;
}

static bool next_takes_idle_p(const struct place *x)
{
  const struct trace_event *next = next_of_m(x);
  return next && next->kind == TRACE_PROC_UNIDLE;
}

static bool next_breaks(const struct place *x)
{
  const struct trace_event *next = next_of_m(x);
  return next && next->kind == TRACE_NETPOLL_BREAK;
}

/* What else is done when a program, or the world, starts. */
static bool next_starts_too(const struct place *x)
{
  const struct trace_event *next = next_of_m(x);
  return next_is_alike(x) ||
         (next && ((next->kind == TRACE_M_WAKE && next->w[1] == TRACE_NO_P) ||
                   next->kind == TRACE_PROC_RESTART || next->kind == TRACE_STW_END));
}

static bool next_ends_its_m(const struct place *x)
{
  size_t next = mutants_next(x->events, x->n, x->at);
  return next < x->n && mutants_next(x->events, x->n, next) == x->n;
}

static bool only_idles_its_p(const struct place *x)
{
  size_t next = x->at;
  while ((next = mutants_next(x->events, x->n, next)) < x->n)
    if (x->events[next].kind != TRACE_PROC_STOP && x->events[next].kind != TRACE_PROC_IDLE)
      return false;
  return true;
}

static bool next_landed(const struct place *x)
{
  const struct trace_event *next = next_of_m(x);
  return next && next->kind == TRACE_PREEMPT_LAND;
}

static bool of_nothing(const struct place *x)
{
  return event(x)->kind == TRACE_TIMER_CHECK && event(x)->w[1] == 0;
}

static bool next_cleans(const struct place *x)
{
  const struct trace_event *next = next_of_m(x);
  return next && (next->kind == TRACE_TIMER_REMOVE || next->kind == TRACE_TIMER_UPDATE);
}

static bool next_is_no_defer(const struct place *x)
{
  const struct trace_event *next = next_of_m(x);
  return next && !(trace_specs[next->kind].family & (TRACE_FAMILY_DEFER | TRACE_FAMILY_PANIC));
}

static bool next_ends_defer(const struct place *x)
{
  const struct trace_event *next = next_of_m(x);
  return next && next->kind == TRACE_DEFER_END;
}

static bool is_set_again(const struct place *x)
{
  for (size_t i = x->at + 1; i < x->n; i++)
    if (names(&x->events[i], TRACE_ARG_TIMER, event(x)->w[0]))
      return x->events[i].kind == TRACE_TIMER_MODIFY || x->events[i].kind == TRACE_TIMER_STOP;
  return true;
}

static bool is_select(const struct place *x)
{
  return event(x)->w[0] == TRACE_WAIT_SELECT;
}

static bool panics_again(const struct place *x)
{
  for (size_t i = x->at + 1; i < x->n; i++) {
    if (x->events[i].g != event(x)->g)
      continue;
    if (x->events[i].kind == TRACE_DEFER_END || x->events[i].kind == TRACE_PANIC_BEGIN)
      return x->events[i].kind == TRACE_PANIC_BEGIN;
  }
  return false;
}

static bool spins_at_once(const struct place *x)
{
  for (size_t i = x->at + 1; i < x->n; i++)
    if (x->events[i].m == event(x)->w[0] && x->events[i].kind == TRACE_PROC_START) {
      size_t next = mutants_next(x->events, x->n, i);
      return next == x->n || x->events[next].kind == TRACE_M_SPINNING_BEGIN;
    }
  return true;
}

static bool stays_on_m(const struct place *x)
{
  for (size_t i = x->at + 1; i < x->n; i++)
    if (x->events[i].g == event(x)->g &&
        (x->events[i].m != event(x)->m || x->events[i].kind == TRACE_GO_DESTROY))
      return false;
  return true;
}

/* The G that is made ready waited in a select. */
static bool ends_a_select(const struct place *x)
{
  for (size_t i = x->at; i-- > 0;)
    if (x->events[i].kind == TRACE_GO_BLOCK && x->events[i].g == event(x)->w[0])
      return x->events[i].w[0] == TRACE_WAIT_SELECT;
  return false;
}

/* All deferred calls from this one on are popped later; of a swap, the next one too. */
static bool is_popped(const struct place *x)
{
  bool is_one = x->mutant->mutation == MUTATION_DELETE || x->mutant->mutation >= MUTATION_UP;
  int depth = is_one ? 1 : 2;
  for (size_t i = x->at + 1; depth > 0 && i < x->n; i++)
    if (x->events[i].g == event(x)->g)
      depth += (x->events[i].kind == TRACE_DEFER_PUSH) - (x->events[i].kind == TRACE_DEFER_POP);
  return depth <= 0;
}

/* The thing that the event changes is not spoken of again: the deferred call is not run, the timer not looked at, the
 * G not woken, and so on; the trace ends before. */
static bool ends_the_story(const struct place *x)
{
  const struct trace_event *e = event(x);
  bool is_whole = x->mutant->mutation < MUTATION_UP;
  switch (e->kind) {
  case TRACE_DEFER_PUSH:
  case TRACE_DEFER_END:
    return !is_popped(x) && (is_whole || x->mutant->field < MUTANT_P);
  case TRACE_GO_BLOCK:
    for (size_t i = x->at + 1; i < x->n; i++)
      if (x->events[i].kind == TRACE_GO_UNBLOCK && x->events[i].w[0] == e->g)
        return false;
    return !is_whole && x->mutant->field < MUTANT_P;
  case TRACE_TIMER_ADD:
  case TRACE_TIMER_MODIFY:
  case TRACE_TIMER_STOP:
  case TRACE_TIMER_UPDATE:
  case TRACE_TIMER_REMOVE:
    return !is_named_after(x, TRACE_ARG_TIMER, e->w[0]) && x->mutant->field < MUTANT_P;
  case TRACE_M_WAKE:
    return !is_named_after(x, TRACE_ARG_M, e->w[0]) && !is_whole && x->mutant->field < MUTANT_P;
  case TRACE_OBJECT_NEW:
    return obj_is_blocked_on_last(x) && x->mutant->field < MUTANT_P;
  case TRACE_PROC_IDLE:
    return x->mutant->mutation == MUTATION_DELETE && !is_named_after(x, TRACE_ARG_P, e->w[0]);
  default:
    return false;
  }
}

/* ---- the table ---- */

static const struct row {
  uint16_t kind;     /* TRACE_KIND_NONE: any */
  const char *field; /* NULL: any */
  uint32_t mutations;
  bool (*is_legal)(const struct place *x); /* NULL: all of them */
  const char *why;
} rows[] = {
#define ROW(kind, field, mutations, is_legal, why)                                                 \
  { TRACE_##kind, field, mutations, is_legal, why },
#include "mutants-legal.def"
#undef ROW
};

const char *mutants_legal(const struct trace_event *events, size_t n, const struct mutant *mutant)
{
  struct place x = { events, n, mutant->at, mutant };
  uint16_t kind = events[mutant->at].kind;
  const char *field = mutant->mutation < MUTATION_UP ? NULL : mutants_field(kind, mutant->field);
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    const struct row *row = &rows[i];
    if ((row->kind == TRACE_KIND_NONE || row->kind == kind) &&
        (row->mutations & 1u << mutant->mutation) &&
        (!row->field || !field || strcmp(row->field, field) == 0) &&
        (!row->is_legal || row->is_legal(&x)))
      return row->why;
  }
  return NULL;
}
