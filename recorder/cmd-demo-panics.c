/* SPDX-License-Identifier: MIT */
/* cmd-demo-panics.c - each panic and each Goexit of a trace as a tale: what it ran, who recovered, how it ended.
 *
 *   G1 "main" panics with "first".
 *     Runs the deferred call panic_inside.
 *       Panics in it with "second"; "first" waits.
 *         Runs the deferred call recover_it, which recovers "second": back in the frame that deferred it.
 *     Runs the deferred call recover_it, which recovers "first": back in the frame that deferred it.
 *
 * What belongs together is one line, though it is several events: a line stays open until something else is to be told.
 * A panic in a deferred call of another stands inside it. The deferred calls that a frame runs after a recovery end
 * the tale.
 *
 * The first TALES are told where they stand. Later ones are kept back, and told only if the program dies of one: it is
 * what one wants to read, however many went before. The rest is counted. A tale that is long loses its middle, and says so.
 */
#include "cmd-demo-panics.h"
#include "out.h"
#include "trace-text.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum {
  TALES = 4,     /* told where they stand */
  OPEN = 8,      /* Gs whose panics are followed at a time */
  LINES = 12,    /* of a tale, before its end */
  DEEPEST = 5,   /* nesting that is still shown by indentation */
  VALUE_MAX = 64 /* bytes of a value */
};

struct tale {
  uint32_t g; /* 0: free */
  FILE *kept; /* NULL: it is told where it stands */
  char *text; /* of kept */
  size_t n_text;
  uint32_t n_lines, n_left_out,
      n_passed; /* n_passed: frames without deferred calls, since the last line */
  bool line_is_open, line_is_call; /* line_is_call: it tells of a deferred call, which runs still */
  uint32_t returning;              /* frame that a recovery went back to; 0 none */
};

struct panic_tales {
  struct tracefile *file;
  struct trace_replay *replay;
  FILE *to;
  story_line_begin begin;
  void *story;
  struct tale tales[OPEN];
  uint64_t n_begun, n_left_out;
  uint32_t told_g; /* whose line was the last */
};

struct panic_tales *panic_tales_new(struct tracefile *file, struct trace_replay *replay, FILE *to,
                                    story_line_begin begin, void *story)
{
  struct panic_tales *ts = calloc(1, sizeof *ts);
  if (ts)
    *ts = (struct panic_tales){
      .file = file, .replay = replay, .to = to, .begin = begin, .story = story
    };
  return ts;
}

/* ---- lines ---- */

static FILE *out_of(struct panic_tales *ts, const struct tale *t)
{
  return t->kept ? t->kept : ts->to;
}

static void close_line(struct panic_tales *ts, struct tale *t)
{
  if (t->line_is_open)
    fputs(".\n", out_of(ts, t));
  t->line_is_open = t->line_is_call = false;
}

void panic_tales_pause(struct panic_tales *ts)
{
  for (size_t i = 0; i < OPEN; i++)
    if (ts->tales[i].g && !ts->tales[i].kept)
      close_line(ts, &ts->tales[i]);
  ts->told_g = 0;
}

void story_put_who(struct trace_replay *replay, FILE *to, uint32_t goid)
{
  size_t length = 0;
  const struct trace_g *g = trace_replay_g(replay, goid);
  const char *name = g ? trace_replay_string(replay, g->name, &length) : NULL;
  fprintf(to, "G%" PRIu32, goid);
  if (!name || length == 0)
    return;
  fputs(" \"", to);
  out_text(to, name, length);
  fputc('"', to);
}

/* A new line at so many levels; it stays open. */
static FILE *new_line(struct panic_tales *ts, struct tale *t, const struct trace_event *e,
                      uint32_t level)
{
  FILE *to = out_of(ts, t);
  if (t->kept || ts->told_g == t->g)
    close_line(ts, t);
  else
    panic_tales_pause(ts);
  ts->begin(ts->story, to, e->ts);
  fprintf(to, "%*s", (int)(2 * (level < 2 * DEEPEST ? level : 2 * DEEPEST)), "");
  if (level > 0 && !t->kept && ts->told_g != t->g) {
    story_put_who(ts->replay, to, t->g);
    fputs(": ", to);
  }
  if (!t->kept)
    ts->told_g = t->g;
  t->line_is_open = true;
  t->n_lines++;
  return to;
}

/* ---- words ---- */

static void put_value(struct panic_tales *ts, FILE *to, uint32_t string)
{
  size_t length = 0;
  char text[VALUE_MAX];
  const char *value = trace_replay_string(ts->replay, string, &length);
  if (!value) {
    fputs("a value", to);
    return;
  }
  size_t n = out_escape(text, sizeof text, value, length);
  fprintf(to, "\"%s%s\"", text, length > n ? "…" : "");
}

static const struct trace_panic *panic_of(struct panic_tales *ts, uint32_t goid, uint32_t depth)
{
  const struct trace_g *g = trace_replay_g(ts->replay, goid);
  for (uint32_t i = g ? g->n_panics : 0; i-- > 0;)
    if (g->panics[i].depth == depth)
      return &g->panics[i];
  return NULL;
}

static void put_panic(struct panic_tales *ts, FILE *to, const struct trace_panic *panic)
{
  if (!panic)
    fputs("the panic", to);
  else if (panic->is_goexit)
    fputs("Goexit", to);
  else
    put_value(ts, to, panic->value);
}

static void put_function(struct panic_tales *ts, FILE *to, uint64_t fn)
{
  struct tracefile_frame frame;
  if (fn && tracefile_frame(ts->file, fn, &frame) && frame.function)
    out_text(to, frame.function, strlen(frame.function));
  else
    fprintf(to, "0x%" PRIx64, fn);
}

/* ---- which tale ---- */

static struct tale *tale_of(struct panic_tales *ts, uint32_t goid)
{
  for (size_t i = 0; i < OPEN && goid; i++)
    if (ts->tales[i].g == goid)
      return &ts->tales[i];
  return NULL;
}

static void end_tale(struct panic_tales *ts, struct tale *t)
{
  close_line(ts, t);
  if (t->kept) {
    fclose(t->kept);
    free(t->text);
    ts->n_left_out++;
  }
  *t = (struct tale){ 0 };
}

/* A free one, that of the G, or one whose panics are over. */
static struct tale *room_for(struct panic_tales *ts, uint32_t goid)
{
  struct tale *t = tale_of(ts, goid);
  for (size_t i = 0; i < OPEN && !t; i++) {
    const struct trace_g *g = trace_replay_g(ts->replay, ts->tales[i].g);
    if (!ts->tales[i].g || !g || g->n_panics == 0)
      t = &ts->tales[i];
  }
  if (t && t->g)
    end_tale(ts, t);
  return t;
}

static struct tale *begin_tale(struct panic_tales *ts, uint32_t goid)
{
  struct tale *t = room_for(ts, goid);
  if (!t) {
    ts->n_left_out++;
    return NULL;
  }
  t->g = goid;
  if (ts->n_begun++ < TALES)
    return t;
  t->kept = open_memstream(&t->text, &t->n_text);
  if (!t->kept) {
    *t = (struct tale){ 0 };
    ts->n_left_out++;
    return NULL;
  }
  return t;
}

/* The program dies of it. */
static void tell_what_was_kept(struct panic_tales *ts, struct tale *t)
{
  if (!t->kept)
    return;
  close_line(ts, t);
  fclose(t->kept);
  panic_tales_pause(ts);
  fwrite(t->text, 1, t->n_text, ts->to);
  free(t->text);
  t->kept = NULL;
  t->text = NULL;
  ts->told_g = t->g;
}

/* ---- what happens ---- */

/* Lines of a panic: twice its nesting; of what it does, one more. */
static uint32_t level_of(uint32_t depth)
{
  return depth > 0 ? 2 * (depth - 1) : 0;
}

static void tell_begin(struct panic_tales *ts, struct tale *t, const struct trace_event *e)
{
  const uint32_t depth = e->w[0];
  FILE *to = new_line(ts, t, e, level_of(depth));
  if (depth <= 1)
    story_put_who(ts->replay, to, e->g);
  if (e->kind == TRACE_GOEXIT_BEGIN) {
    fputs(depth > 1 ? "Calls Goexit in it" : " calls Goexit", to);
  } else {
    fputs(depth > 1 ? "Panics in it with " : " panics with ", to);
    put_value(ts, to, e->w[1]);
  }
  if (depth > 1) {
    const struct trace_panic *older = panic_of(ts, e->g, depth - 1);
    fputs("; ", to);
    put_panic(ts, to, older);
    fputs(older && older->recovered ? " is recovered, but not over" : " waits", to);
  }
  t->returning = 0;
}

static void tell_walk(struct panic_tales *ts, struct tale *t, const struct trace_event *e)
{
  if (e->w[2] == TRACE_WALK_SKIPPED)
    t->n_passed++;
  if (e->w[2] != TRACE_WALK_RUN)
    return;
  if (t->n_lines >= LINES) {
    close_line(ts, t);
    t->n_left_out++;
    return;
  }
  const struct trace_g *g = trace_replay_g(ts->replay, e->g);
  FILE *to = new_line(ts, t, e, level_of(e->w[0]) + 1);
  if (t->n_passed)
    fprintf(to, "Passes %" PRIu32 " frame%s without deferred calls, then runs the deferred call ",
            t->n_passed, cli_s(t->n_passed));
  else
    fputs("Runs the deferred call ", to);
  put_function(ts, to, g && g->n_defers ? g->defers[g->n_defers - 1].fn : 0);
  t->n_passed = 0;
  t->line_is_call = true;
}

/* The deferred call that this panic runs; 0 unknown. */
static uint64_t call_of(struct panic_tales *ts, uint32_t goid, uint32_t depth)
{
  const struct trace_g *g = trace_replay_g(ts->replay, goid);
  for (uint32_t i = g ? g->n_calls : 0; i-- > 0;)
    if (g->calls[i].panic_depth == depth)
      return g->calls[i].fn;
  return 0;
}

static void tell_recover(struct panic_tales *ts, struct tale *t, const struct trace_event *e)
{
  const bool counts = e->w[1] == TRACE_VERDICT_VALID;
  const char *why = trace_word_text(TRACE_ARG_VERDICT, e->w[1]);
  FILE *to = out_of(ts, t);
  if (t->line_is_call)
    fputs(counts ? ", which recovers " : ", where recover does not count: ", to);
  else if (t->n_lines >= LINES && !counts) {
    t->n_left_out++;
    return;
  } else {
    to = new_line(ts, t, e, level_of(e->w[0]) + 1);
    put_function(ts, to, call_of(ts, e->g, e->w[0]));
    fputs(counts ? " goes on, and recovers " : " goes on, and recover does not count: ", to);
  }
  if (counts)
    put_panic(ts, to, panic_of(ts, e->g, e->w[0]));
  else
    fputs(why ? why : "unknown", to);
  t->line_is_call = false;
}

static void tell_left_out(struct panic_tales *ts, struct tale *t, const struct trace_event *e,
                          uint32_t level)
{
  if (t->n_left_out == 0)
    return;
  fprintf(new_line(ts, t, e, level), "… and %" PRIu32 " more step%s", t->n_left_out,
          cli_s(t->n_left_out));
  t->n_left_out = 0;
}

static void tell_recovered(struct panic_tales *ts, struct tale *t, const struct trace_event *e)
{
  const struct trace_panic *panic = panic_of(ts, e->g, e->w[0]);
  FILE *to = out_of(ts, t);
  if (t->line_is_open && t->n_left_out == 0) {
    fputs(": back in the frame that deferred it", to);
  } else {
    tell_left_out(ts, t, e, level_of(e->w[0]) + 1);
    to = new_line(ts, t, e, level_of(e->w[0]) + 1);
    put_panic(ts, to, panic);
    fputs(" is over: back in the frame that deferred ", to);
    put_function(ts, to, panic ? panic->recovered_by : 0);
  }
  t->line_is_call = false;
  t->returning = e->w[1];
  t->n_passed = 0;
}

static void tell_aborted(struct panic_tales *ts, struct tale *t, const struct trace_event *e)
{
  FILE *to = out_of(ts, t);
  if (t->line_is_open)
    fputs("; ", to);
  else
    to = new_line(ts, t, e, level_of(e->w[0]) + 1);
  put_panic(ts, to, panic_of(ts, e->g, e->w[0]));
  fputs(" is dropped", to);
}

static void tell_end(struct panic_tales *ts, struct tale *t, const struct trace_event *e)
{
  const uint32_t level = level_of(e->w[0]) + 1;
  if (e->kind == TRACE_PANIC_FATAL)
    tell_what_was_kept(ts, t);
  tell_left_out(ts, t, e, level);
  FILE *to = new_line(ts, t, e, level);
  if (e->kind == TRACE_PANIC_FATAL)
    fputs("Nobody recovers: the program ends with exit code 2", to);
  else
    fputs("No deferred call is left: the goroutine ends", to);
}

/* What the frame had deferred before it was recovered runs as at any return. */
static void tell_rest_of_frame(struct panic_tales *ts, struct tale *t, const struct trace_event *e)
{
  if (t->returning == 0)
    return;
  if (e->kind == TRACE_DEFER_BEGIN && e->w[0] == t->returning && e->w[1] == TRACE_CAUSE_RETURN) {
    const struct trace_g *g = trace_replay_g(ts->replay, e->g);
    if (t->n_lines >= LINES)
      return;
    FILE *to = new_line(ts, t, e, level_of(g ? g->n_panics + 1 : 1) + 1);
    fputs("Runs what that frame had deferred as well, ", to);
    put_function(ts, to, e->d[1]);
    fputs(", as at any return", to);
  } else if (e->w[0] < t->returning || (e->kind == TRACE_DEFER_PUSH && e->w[0] == t->returning)) {
    t->returning = 0;
  }
}

static bool is_told(struct panic_tales *ts, struct tale *t, const struct trace_event *e)
{
  /* clang-format off */
  switch (e->kind) {
  case TRACE_PANIC_BEGIN:
  case TRACE_GOEXIT_BEGIN:       tell_begin(ts, t, e); return true;
  case TRACE_PANIC_WALK:         tell_walk(ts, t, e); return true;
  case TRACE_PANIC_RECOVER_CALL: tell_recover(ts, t, e); return true;
  case TRACE_PANIC_NESTED:       return true; /* told when it began */
  case TRACE_PANIC_RECOVERED:    tell_recovered(ts, t, e); return true;
  case TRACE_PANIC_ABORTED:      tell_aborted(ts, t, e); return true;
  case TRACE_PANIC_FATAL:
  case TRACE_GOEXIT_END:         tell_end(ts, t, e); return true;
  case TRACE_DEFER_PUSH:
  case TRACE_DEFER_BEGIN:        tell_rest_of_frame(ts, t, e); return false;
  default:                       return false;
  }
  /* clang-format on */
}

bool panic_tales_event(struct panic_tales *ts, const struct trace_event *e)
{
  const bool begins = e->kind == TRACE_PANIC_BEGIN || e->kind == TRACE_GOEXIT_BEGIN;
  if (e->kind == TRACE_PANIC_RECOVER_CALL && e->w[1] == TRACE_VERDICT_NO_PANIC)
    return false;
  struct tale *t = begins && e->w[0] <= 1 ? begin_tale(ts, e->g) : tale_of(ts, e->g);
  if (t)
    return is_told(ts, t, e);
  return e->kind >= TRACE_PANIC_BEGIN && e->kind <= TRACE_GOEXIT_END;
}

uint64_t panic_tales_finish(struct panic_tales *ts)
{
  for (size_t i = 0; i < OPEN; i++)
    if (ts->tales[i].g)
      end_tale(ts, &ts->tales[i]);
  return ts->n_left_out;
}

void panic_tales_free(struct panic_tales *ts)
{
  if (ts)
    panic_tales_finish(ts);
  free(ts);
}
