/* SPDX-License-Identifier: MIT */
/* cmd-state.c - the whole state of the scheduler at a time: replays up to it and prints what stands.
 *
 * The state at T is the one after every event at or before T.  It is the validator's own state, so what is
 * shown here is what gmpscope check judged.
 */
#include "cmd-state.h"
#include "trace-text.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define RING_MAX 256 /* entries of a P's ring */

uint32_t *state_list(const struct trace_replay *r, state_lister list, size_t *n)
{
  size_t room = 64;
  uint32_t *ids = malloc(room * sizeof *ids);
  *n = 0;
  while (ids) {
    uint32_t from = *n ? ids[*n - 1] + 1 : 0;
    size_t got = *n && from == 0 ? 0 : list(r, from, ids + *n, room - *n);
    *n += got < room - *n ? got : room - *n;
    if (*n < room)
      break;
    uint32_t *grown = realloc(ids, 2 * room * sizeof *ids);
    if (!grown) {
      free(ids);
      return NULL;
    }
    ids = grown;
    room *= 2;
  }
  return ids;
}

uint32_t *state_order(const struct trace_replay *r, state_queue list, size_t *n)
{
  size_t room =
      trace_replay_world(r)->n_gs + trace_replay_world(r)->n_ps + trace_replay_world(r)->n_ms;
  uint32_t *ids = malloc((room + 1) * sizeof *ids);
  *n = ids ? list(r, ids, room) : 0;
  return ids;
}

uint32_t *state_ring(const struct trace_replay *r, uint32_t p, size_t *n)
{
  uint32_t *ids = malloc(RING_MAX * sizeof *ids);
  *n = ids ? trace_replay_ring(r, p, ids, RING_MAX) : 0;
  return ids;
}

struct trace_heap_entry *state_heap(const struct trace_replay *r, uint32_t p, size_t *n)
{
  const struct trace_p *the_p = trace_replay_p(r, p);
  size_t room = the_p ? the_p->n_timers : 0;
  struct trace_heap_entry *entries = malloc((room + 1) * sizeof *entries);
  *n = entries ? trace_replay_heap(r, p, entries, room) : 0;
  return entries;
}

char *state_string(const struct state *s, uint32_t id, char *out)
{
  size_t length = 0;
  const char *text = trace_replay_string(s->replay, id, &length);
  out_escape(out, STATE_NAME, text ? text : "", text ? length : 0);
  return out;
}

char *state_fn_name(const struct state *s, uint64_t fn, char *out)
{
  struct tracefile_frame frame;
  if (fn && tracefile_frame(s->file, fn, &frame) && frame.function)
    out_escape(out, STATE_NAME, frame.function, strlen(frame.function));
  else if (fn)
    snprintf(out, STATE_NAME, "0x%" PRIx64, fn);
  else
    out[0] = '\0';
  return out;
}

char *state_g_name(const struct state *s, const struct trace_g *g, char *out)
{
  return g->name ? state_string(s, g->name, out) : state_fn_name(s, g->fn, out);
}

char *state_object_name(const struct state *s, uint64_t obj, char *out)
{
  uint32_t what, name, ordinal;
  out[0] = '\0';
  if (!obj)
    return out;
  if (!trace_replay_object(s->replay, obj, &what, &name, &ordinal)) {
    bool is_timer = obj <= UINT32_MAX && trace_replay_timer(s->replay, (uint32_t)obj);
    snprintf(out, STATE_NAME, is_timer ? "timer T%" PRIu64 : "0x%" PRIx64, obj);
    return out;
  }
  const char *kind = trace_word_text(TRACE_ARG_OBJKIND, what);
  char text[STATE_NAME];
  bool is_of_a_kind = kind && what != TRACE_OBJKIND_OTHER;
  if (name)
    snprintf(out, STATE_NAME, "%s%s\"%.70s\"", is_of_a_kind ? kind : "", is_of_a_kind ? " " : "",
             state_string(s, name, text));
  else
    snprintf(out, STATE_NAME, "%s #%u", kind ? kind : "object", ordinal);
  return out;
}

char *state_timer_name(const struct state *s, uint32_t timer, char *out)
{
  uint32_t what, name = 0, ordinal;
  char text[STATE_NAME];
  out[0] = '\0';
  if (trace_replay_object(s->replay, timer, &what, &name, &ordinal) && name)
    snprintf(out, STATE_NAME, " \"%.70s\"", state_string(s, name, text));
  return out;
}

static void runnable_where(const struct trace_g *g, char *out)
{
  switch (g->place) {
  case TRACE_PLACE_HAND:
    snprintf(out, STATE_DOING, "runnable, in M%u's hand", g->place_id);
    break;
  case TRACE_PLACE_RING:
    snprintf(out, STATE_DOING, "runnable, in P%u's queue", g->place_id);
    break;
  case TRACE_PLACE_NEXT:
    snprintf(out, STATE_DOING, "runnable, P%u's runnext", g->place_id);
    break;
  case TRACE_PLACE_GLOBAL:
    snprintf(out, STATE_DOING, "runnable, in the global queue");
    break;
  case TRACE_PLACE_NOWHERE:
    snprintf(out, STATE_DOING, "runnable, on no queue that the trace tells of");
    break;
  }
}

static void running_where(const struct trace_g *g, const char *doing, char *out)
{
  if (g->p == TRACE_NO_P)
    snprintf(out, STATE_DOING, "%s on M%u, without a P", doing, g->m);
  else
    snprintf(out, STATE_DOING, "%s on M%u with P%u", doing, g->m, g->p);
}

char *state_g_doing(const struct state *s, const struct trace_g *g, char *out)
{
  char object[STATE_NAME];
  const char *why;
  switch (g->status) {
  case TRACE_GSTATUS_RUNNABLE:
    runnable_where(g, out);
    break;
  case TRACE_GSTATUS_RUNNING:
    running_where(g, "running", out);
    break;
  case TRACE_GSTATUS_SYSCALL:
    running_where(g, "in a system call", out);
    break;
  case TRACE_GSTATUS_WAITING:
    why = trace_word_text(TRACE_ARG_WAIT, g->why);
    state_object_name(s, g->obj, object);
    snprintf(out, STATE_DOING, "waiting: %s%s%s", why && *why ? why : "unknown",
             object[0] ? " on " : "", object);
    break;
  default:
    why = trace_word_text(TRACE_ARG_GSTATUS, g->status);
    snprintf(out, STATE_DOING, "%s", why ? why : "unknown");
    break;
  }
  return out;
}

uint32_t state_m_status(const struct state *s, const struct trace_m *m)
{
  bool is_sysmon = m->id == s->sysmon && m->status == TRACE_MSTATUS_RUNNING;
  return is_sysmon ? TRACE_MSTATUS_SYSMON : m->status;
}

static bool is_deed_of_sysmon(const struct trace_event *e)
{
  return e->kind == TRACE_SYSMON_RETAKE || e->kind == TRACE_SYSMON_NETPOLL ||
         e->kind == TRACE_SYSMON_SLEEP;
}

/* Nobody but sysmon does these, and it is sysmon from its first event on: so a later one tells too. */
static bool find_sysmon(struct state *s, struct tracefile_error *error)
{
  if (s->sysmon != TRACE_NO_M || s->at == INT64_MAX)
    return true;
  struct tracefile_cursor *cursor = tracefile_cursor_new(s->file, s->at + 1, INT64_MAX, error);
  if (!cursor)
    return false;
  for (const struct trace_event *e; s->sysmon == TRACE_NO_M && (e = tracefile_cursor_next(cursor));)
    s->sysmon = is_deed_of_sysmon(e) ? e->m : TRACE_NO_M;
  tracefile_cursor_free(cursor);
  return true;
}

static bool replay_to(struct state *s, struct trace_replay *replay, struct tracefile_error *error)
{
  struct tracefile_cursor *cursor = tracefile_cursor_new(s->file, INT64_MIN, s->at, error);
  if (!cursor)
    return false;
  for (const struct trace_event *e; (e = tracefile_cursor_next(cursor));) {
    s->n_breaches += !trace_replay_apply(replay, e);
    s->sysmon = is_deed_of_sysmon(e) ? e->m : s->sysmon;
  }
  tracefile_cursor_free(cursor);
  s->damage = tracefile_damage_sum(s->file);
  return find_sysmon(s, error);
}

/* True for a time at which chunks are missing: the trace went on there. */
static bool is_in_hole(struct state *s)
{
  struct tracefile_cursor *cursor = tracefile_cursor_new(s->file, s->at, s->at, NULL);
  tracefile_cursor_free(cursor);
  return tracefile_damage_sum(s->file).missing > 0;
}

/* A time outside the trace has an answer, but rarely the one that was meant. */
static bool is_within(struct state *s, struct tracefile_error *error)
{
  struct tracefile_summary summary;
  char first[40], last[40];
  if (!tracefile_summary(s->file, &summary, error))
    return false;
  if (summary.n_events == 0)
    return tracefile_fail(error, TRACEFILE_WRONG, s->path, "",
                          "it holds no event, so there is no state");
  if ((s->at >= summary.t_first && s->at <= summary.t_last) || is_in_hole(s))
    return true;
  return tracefile_fail(error, TRACEFILE_WRONG, s->path, "ask for a time in between",
                        "the trace goes from %s to %s", out_time(summary.t_first, first),
                        out_time(summary.t_last, last));
}

static int print_state(struct state *s, bool as_json)
{
  struct tracefile_error error;
  struct trace_replay *replay = tracefile_replay_new(s->file);
  bool is_replayed = replay && is_within(s, &error) && replay_to(s, replay, &error);
  s->replay = replay;
  bool is_printed =
      is_replayed && (as_json ? state_print_json(s, stdout) : state_print_text(s, stdout));
  trace_replay_free(replay);
  if (!replay || (is_replayed && !is_printed))
    return cli_fail(TRACEFILE_REFUSED, s->path, "", "there is no memory for its state");
  return is_replayed ? TRACEFILE_OK : cli_error(&error);
}

static int state(const char *path, int64_t at, bool as_json)
{
  struct tracefile_error error;
  struct state s = {
    .path = path, .at = at, .sysmon = TRACE_NO_M, .file = tracefile_open(path, &error)
  };
  if (!s.file)
    return cli_error(&error);
  int code = print_state(&s, as_json);
  tracefile_close(s.file);
  bool is_damaged = s.damage.words[0];
  if (code != TRACEFILE_OK || (!is_damaged && !s.n_breaches))
    return code;
  return cli_fail(TRACEFILE_DAMAGED, path, "gmpscope check tells more",
                  "up to there %s%s%" PRIu64 " rule%s broken: the state may be wrong",
                  s.damage.words, is_damaged ? " could not be read, and " : "", s.n_breaches,
                  s.n_breaches == 1 ? " is" : "s are");
}

int cmd_state(int argc, char **argv)
{
  int64_t at = INT64_MIN;
  bool as_json = false;
  const struct opt opts[] = {
    { 0, "at", "T", opt_time, &at, "the time: 12.5ms, 1.2s, or @1234567 (ns)" },
    { 0, "json", NULL, opt_flag, &as_json, "answer in JSON" },
  };
  const struct opt_command command = {
    .name = "state",
    .usage = "FILE --at T [--json]",
    .doc = "Prints the state of the scheduler after the last event at or before T: what every G "
           "does and why,\n"
           "each P's runnext and queue in order, the global queue, the idle lists, who spins and "
           "who polls,\n"
           "each timer heap as a tree, and the defer chain and panics of each G that has any.",
    .epilogue = "Example:\n  gmpscope state echo.db --at 12.5ms",
    .opts = opts,
    .n_opts = COUNT_OF(opts),
    .missing = "a FILE",
    .min_words = 1,
    .max_words = 1,
  };
  struct opt_words rest;
  enum opt_outcome outcome = opt_parse(&command, argc, argv, &rest);
  if (outcome != OPT_GO)
    return cli_usage(outcome);
  if (at == INT64_MIN)
    return cli_fail(TRACEFILE_USAGE, "state", "add --at T", "the time is missing");
  return state(rest.words[0], at, as_json);
}
