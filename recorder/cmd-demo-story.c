/* SPDX-License-Identifier: MIT */
/* cmd-demo-story.c - what happened, in a dozen lines made from the events alone.
 *
 * Two parts.  First the turns of the plot in order of time: events that are rare and carry the story (a G that parks
 * inside a deferred call, a steal, a P taken from a system call, a preemption), each in the sentence that the replay has
 * for it, and among them panics, which are tales of their own (cmd-demo-panics.c).  A kind that occurs often is told
 * TURNS_PER_KIND times and then counted, so that a flood of steals cannot bury a panic.  Then the sums: a line for each subject that
 * occurred.  Who reads on is told what happened before how often.
 */
#include "cmd-demo-panics.h"
#include "out.h"
#include "trace-text.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define TURNS_PER_KIND 4
#define TURNS_MAX      24

struct story {
  struct tracefile *file;
  struct trace_replay *replay;
  struct panic_tales *panics;
  FILE *to;
  uint64_t n[TRACE_KIND_LIMIT];
  uint32_t n_told, n_ps_first, n_ps_last, n_resized;
  uint32_t napper;           /* parked inside its deferred call, and told so; 0 none */
  uint64_t n_naps, n_starts; /* n_starts: of others, since the napper parked */
  int64_t first, last, look_at, latest;
  uint64_t n_by_panic, n_stolen, n_gs, n_ms;
  size_t best_look; /* rank of the turn to look at */
  bool has_look, has_begun;
};

/* Kinds that carry the plot, the most telling first: where to look is the first of the best. */
static const uint8_t turns[] = {
  TRACE_FAULT,           TRACE_PANIC_BEGIN,     TRACE_PANIC_NESTED,
  TRACE_PANIC_RECOVERED, TRACE_PANIC_FATAL,     TRACE_PANIC_ABORTED,
  TRACE_GOEXIT_BEGIN,    TRACE_PANIC_WALK,      TRACE_PANIC_RECOVER_CALL,
  TRACE_PROC_STEAL,      TRACE_RUNQ_STEAL,      TRACE_RUNQ_STEAL_NEXT,
  TRACE_PREEMPT_TAKEN,   TRACE_TIMER_RUN_OTHER, TRACE_RUNQ_OVERFLOW,
  TRACE_STW_BEGIN,
};

static size_t turn_rank(uint32_t kind)
{
  size_t i = 0;
  while (i < COUNT_OF(turns) && turns[i] != kind)
    i++;
  return i;
}

static void count(struct story *s, const struct trace_event *e)
{
  s->first = s->n_gs + s->n_ms == 0 && s->first == INT64_MIN ? e->ts : s->first;
  s->last = e->ts;
  s->n[e->kind]++;
  s->n_gs += e->kind == TRACE_GO_CREATE;
  s->n_ms += e->kind == TRACE_M_CREATE;
  if (e->kind == TRACE_PROCS_CHANGE) {
    s->n_ps_first = s->n_ps_first ? s->n_ps_first : e->w[1];
    s->n_ps_last = e->w[1];
    s->n_resized += e->w[0] != 0;
  }
  if (e->kind == TRACE_DEFER_BEGIN)
    s->n_by_panic += e->w[1] == TRACE_CAUSE_PANIC;
  if (e->kind == TRACE_RUNQ_STEAL)
    s->n_stolen += e->w[1];
  if (e->kind == TRACE_TIMER_FIRE && (int64_t)e->d[1] > s->latest)
    s->latest = (int64_t)e->d[1];
}

/* The sentence with "the function at 0x..." made a name, where the file knows it. */
static void name_function(struct story *s, char *sentence, size_t n)
{
  static const char at[] = "the function at 0x";
  struct tracefile_frame frame;
  char *found = strstr(sentence, at), *end = NULL, rest[400];
  uint64_t fn = found ? strtoull(found + sizeof at - 1, &end, 16) : 0;
  if (!fn || !tracefile_frame(s->file, fn, &frame) || !frame.function)
    return;
  snprintf(rest, sizeof rest, "%s%s", frame.function, end);
  snprintf(found, n - (size_t)(found - sentence), "%s", rest);
}

/* Of the story, or of a tale that is kept back. */
static void begin_line(void *story, FILE *to, int64_t ts)
{
  struct story *s = story;
  char at[40];
  if (to == s->to && !s->has_begun) {
    s->has_begun = true;
    fprintf(to, "How it went\n");
  }
  fprintf(to, "  %14s  ", out_time(ts, at));
}

static void begin_turn(struct story *s, int64_t ts)
{
  panic_tales_pause(s->panics);
  s->n_told++;
  begin_line(s, s->to, ts);
}

/* Not told: the world that stops because the program ends. */
static bool is_turn(const struct trace_event *e)
{
  return turn_rank(e->kind) < COUNT_OF(turns) &&
         !(e->kind == TRACE_STW_BEGIN && e->w[0] == TRACE_STWWHY_EXIT);
}

static void tell_turn(struct story *s, const struct trace_event *e)
{
  char sentence[400];
  if (s->n[e->kind] > TURNS_PER_KIND || s->n_told >= TURNS_MAX || !is_turn(e))
    return;
  begin_turn(s, e->ts);
  trace_sentence(s->replay, e, sentence, sizeof sentence);
  name_function(s, sentence, sizeof sentence);
  out_text(s->to, sentence, strlen(sentence));
  fputc('\n', s->to);
}

static void look_here(struct story *s, const struct trace_event *e, size_t rank)
{
  s->best_look = rank;
  s->look_at = e->ts;
  s->has_look = true;
}

/* A G parks inside a deferred call: the call has begun, and holds up nobody.  The first time tells it. */
static void tell_nap(struct story *s, const struct trace_event *e)
{
  const struct trace_g *g = trace_replay_g(s->replay, e->g);
  const char *why = trace_word_text(TRACE_ARG_WAIT, e->w[0]);
  struct tracefile_frame frame;
  if (!g || g->n_calls == 0 || s->n_naps++ > 0 || s->n_told >= TURNS_MAX)
    return;
  uint64_t fn = g->calls[g->n_calls - 1].fn;
  begin_turn(s, e->ts);
  story_put_who(s->replay, s->to, g->goid);
  fprintf(s->to, " parks (%s) inside a deferred call", why ? why : "unknown");
  if (tracefile_frame(s->file, fn, &frame) && frame.function) {
    fputs(" of ", s->to);
    out_text(s->to, frame.function, strlen(frame.function));
  }
  fputs(", which has begun and not ended.\n", s->to);
  s->napper = g->goid;
  s->n_starts = 0;
  if (turn_rank(TRACE_PROC_STEAL) < s->best_look)
    look_here(s, e, turn_rank(TRACE_PROC_STEAL));
}

static void tell_end_of_nap(struct story *s, const struct trace_event *e)
{
  const struct trace_g *g = trace_replay_g(s->replay, e->w[0]);
  s->napper = 0;
  if (!g)
    return;
  begin_turn(s, e->ts);
  story_put_who(s->replay, s->to, g->goid);
  fprintf(s->to, " goes on inside it; meanwhile others were started %" PRIu64 " time%s.\n",
          s->n_starts, cli_s(s->n_starts));
}

static void follow_naps(struct story *s, const struct trace_event *e)
{
  if (e->kind == TRACE_GO_BLOCK)
    tell_nap(s, e);
  else if (e->kind == TRACE_GO_START && s->napper && e->w[0] == s->napper)
    tell_end_of_nap(s, e);
  else if (e->kind == TRACE_GO_START)
    s->n_starts++;
}

static void note_look(struct story *s, const struct trace_event *e)
{
  size_t rank = turn_rank(e->kind);
  if (rank >= s->best_look || (e->kind == TRACE_FAULT && e->w[1] == 0))
    return; /* that a fault is on is nothing to look at; whom it strikes is */
  look_here(s, e, rank);
}

static bool read_all(struct story *s, struct tracefile_error *error)
{
  struct tracefile_cursor *cursor = tracefile_cursor_new(s->file, INT64_MIN, INT64_MAX, error);
  if (!cursor)
    return false;
  for (const struct trace_event *e; (e = tracefile_cursor_next(cursor));) {
    count(s, e);
    if (!panic_tales_event(s->panics, e))
      tell_turn(s, e);
    follow_naps(s, e);
    note_look(s, e);
    trace_replay_apply(s->replay, e);
  }
  tracefile_cursor_free(cursor);
  return true;
}

static bool is_of_panics(uint32_t kind)
{
  return kind >= TRACE_PANIC_BEGIN && kind <= TRACE_GOEXIT_END;
}

static void tell_rest(struct story *s)
{
  uint64_t n_panics = panic_tales_finish(s->panics);
  if (n_panics)
    fprintf(s->to, "  %14s  %" PRIu64 " more panic%s, not told here\n", "", n_panics,
            cli_s(n_panics));
  for (size_t i = 0; i < COUNT_OF(turns); i++) {
    uint64_t n = s->n[turns[i]];
    if (n > TURNS_PER_KIND && !is_of_panics(turns[i]))
      fprintf(s->to, "  %14s  %s happened %" PRIu64 " times in all\n", "",
              trace_specs[turns[i]].name, n);
  }
  if (s->has_begun)
    fputc('\n', s->to);
}

/* How many there were, and at the end if that is another number. */
static void tell_ps(struct story *s)
{
  fprintf(s->to, " with %" PRIu32 " P%s", s->n_ps_first, cli_s(s->n_ps_first));
  if (s->n_resized > 1)
    fprintf(s->to, " at first, %" PRIu32 " at its end", s->n_ps_last);
  else if (s->n_ps_last != s->n_ps_first)
    fprintf(s->to, ", then %" PRIu32, s->n_ps_last);
}

static void tell_defers(struct story *s)
{
  uint64_t n = s->n[TRACE_DEFER_PUSH], n_ran = s->n[TRACE_DEFER_BEGIN];
  fprintf(s->to, "%" PRIu64 " call%s deferred, %" PRIu64 " ran", n, n == 1 ? " was" : "s were",
          n_ran);
  if (s->n_by_panic)
    fprintf(s->to, ", %" PRIu64 " of them because of a panic", s->n_by_panic);
  if (s->n_naps)
    fprintf(s->to, "; a G parked %" PRIu64 " time%s inside one", s->n_naps, cli_s(s->n_naps));
  if (n > n_ran)
    fprintf(s->to, "; %" PRIu64 " %s never reached", n - n_ran, n - n_ran == 1 ? "was" : "were");
  fputs(".\n", s->to);
}

/* Begins a line, if there was any of it. */
static bool any(struct story *s, uint64_t n)
{
  if (n)
    fputs("  ", s->to);
  return n > 0;
}

static void tell_sums(struct story *s)
{
  const uint64_t *n = s->n;
  char duration[40], late[40];
  uint64_t n_steals = n[TRACE_RUNQ_STEAL] + n[TRACE_RUNQ_STEAL_NEXT];
  uint64_t n_taken = s->n_stolen + n[TRACE_RUNQ_STEAL_NEXT];
  uint64_t n_syscalls = n[TRACE_GO_SYSCALL_BEGIN], n_panics = n[TRACE_PANIC_BEGIN];
  fprintf(s->to, "In sum\n");
  if (any(s, s->n_gs + s->n_ms)) {
    fprintf(s->to, "%" PRIu64 " G%s ran on %" PRIu64 " M%s", s->n_gs, cli_s(s->n_gs), s->n_ms,
            cli_s(s->n_ms));
    tell_ps(s);
    fprintf(s->to, ", for %s.\n",
            out_time(s->first == INT64_MIN ? 0 : s->last - s->first, duration));
  }
  if (any(s, n[TRACE_GO_START]))
    fprintf(s->to,
            "Gs were started %" PRIu64 " time%s, parked %" PRIu64 " time%s, made ready %" PRIu64
            " time%s.\n",
            n[TRACE_GO_START], cli_s(n[TRACE_GO_START]), n[TRACE_GO_BLOCK],
            cli_s(n[TRACE_GO_BLOCK]), n[TRACE_GO_UNBLOCK], cli_s(n[TRACE_GO_UNBLOCK]));
  if (any(s, n_steals))
    fprintf(s->to, "%" PRIu64 " steal%s moved %" PRIu64 " G%s to a P that had none.\n", n_steals,
            cli_s(n_steals), n_taken, cli_s(n_taken));
  if (any(s, n_syscalls))
    fprintf(s->to, "%" PRIu64 " system call%s; %" PRIu64 " time%s the P was taken from one.\n",
            n_syscalls, cli_s(n_syscalls), n[TRACE_PROC_STEAL], cli_s(n[TRACE_PROC_STEAL]));
  if (any(s, n[TRACE_TIMER_FIRE]))
    fprintf(s->to, "%" PRIu64 " timer%s fired, the latest %s late; %" PRIu64 " stopped.\n",
            n[TRACE_TIMER_FIRE], cli_s(n[TRACE_TIMER_FIRE]), out_time(s->latest, late),
            n[TRACE_TIMER_STOP]);
  if (any(s, n[TRACE_DEFER_PUSH]))
    tell_defers(s);
  if (any(s, n_panics))
    fprintf(s->to, "%" PRIu64 " panic%s, %" PRIu64 " recovered.\n", n_panics, cli_s(n_panics),
            n[TRACE_PANIC_RECOVERED]);
  if (any(s, n[TRACE_NETPOLL_READY]))
    fprintf(s->to, "%" PRIu64 " time%s netpoll found a descriptor ready.\n", n[TRACE_NETPOLL_READY],
            cli_s(n[TRACE_NETPOLL_READY]));
  if (any(s, n[TRACE_PREEMPT_TAKEN]))
    fprintf(s->to, "%" PRIu64 " preemption%s.\n", n[TRACE_PREEMPT_TAKEN],
            cli_s(n[TRACE_PREEMPT_TAKEN]));
}

bool story_tell(const char *path, FILE *to, int64_t *look_at, struct tracefile_error *error)
{
  struct story *s = calloc(1, sizeof *s);
  bool is_told = false;
  if (!s)
    return tracefile_fail(error, TRACEFILE_REFUSED, path, "", "there is no memory to tell it");
  *s = (struct story){ .to = to, .first = INT64_MIN, .best_look = COUNT_OF(turns) };
  s->file = tracefile_open(path, error);
  s->replay = s->file ? tracefile_replay_new(s->file) : NULL;
  s->panics = s->replay ? panic_tales_new(s->file, s->replay, to, begin_line, s) : NULL;
  if (s->file && !s->panics)
    tracefile_fail(error, TRACEFILE_REFUSED, path, "", "there is no memory to tell it");
  if (s->panics && read_all(s, error)) {
    tell_rest(s);
    tell_sums(s);
    *look_at = s->has_look ? s->look_at : s->first + (s->last - s->first) / 2;
    is_told = true;
  }
  panic_tales_free(s->panics);
  trace_replay_free(s->replay);
  tracefile_close(s->file);
  free(s);
  return is_told;
}
