/* SPDX-License-Identifier: MIT */
/* cmd-check.c - replays a trace against every rule of the scheduler and accounts for every event.
 *
 * Three questions, in one pass: did the scheduler keep its rules (trace_replay), is the file whole (each
 * chunk's checksum, the end of the recording), and is the loss told exactly (emitted = stored + lost, for
 * each ring, from numbers that were counted in different places).
 *
 * From the first loss on the replay judges nothing: what the other Ms did depends on what was lost.  So the answer says
 * up to when it judged, and how many events it did not.  Gaps in the numbers are judged all the same
 * (cmd-check-gaps.h).
 *
 * A broken rule makes 1, a damaged or unfinished file 3, several files the largest.  A loss that is told is
 * no failure: it is listed and the answer stays 0.  What a fault switched on for demonstration broke is told as
 * its doing, and makes 1 all the same: the trace does not show the scheduler as it is.
 */
#include "cli.h"
#include "cmd-check-gaps.h"
#include "cmd-ledger.h"
#include "out.h"
#include "trace-replay.h"
#include "trace-text.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define SHOWN_DEFAULT 20

struct check {
  struct tracefile *file;
  const char *path;
  struct trace_replay *replay;
  struct tracefile_summary summary;
  struct ledger ledger;
  struct check_gaps gaps;
  int64_t first_loss;    /* from here on nothing is judged; INT64_MAX: all is */
  struct out_json *json; /* NULL: text */
  uint64_t shown_max, n_events, n_not_judged, n_broken, n_by_fault, n_damaged, n_unequal;
  bool is_final, has_fault;
};

/* The event as the text form has it, without the newline; to be freed, may be NULL. */
static char *event_text(const struct trace_event *e)
{
  char *text = NULL;
  size_t size;
  FILE *to = open_memstream(&text, &size);
  struct trace_text_printer *printer = to ? trace_text_printer_new(to) : NULL;
  if (printer) {
    trace_text_print_event(printer, e);
    trace_text_printer_flush(printer);
    trace_text_printer_free(printer);
  }
  if (to)
    fclose(to);
  if (text)
    text[strcspn(text, "\n")] = '\0';
  return text;
}

static void json_breach(struct out_json *j, const struct trace_breach *b, const char *text)
{
  out_object(j, NULL);
  out_string(j, "rule", trace_rule_name(b->rule));
  out_string(j, "sentence", b->sentence);
  out_string(j, "rule_says", trace_rule_text(b->rule));
  out_bool(j, "by_fault", b->by_fault);
  out_uint(j, "event", b->event_no);
  out_int(j, "ts", b->event.ts);
  out_uint(j, "m", b->event.m);
  out_uint(j, "seq", b->event.seq);
  out_string(j, "text", text);
  out_end(j);
}

static void tell_breach(struct check *c, const struct trace_breach *b)
{
  c->n_broken++;
  c->n_by_fault += b->by_fault;
  if (c->n_broken > c->shown_max)
    return;
  char *text = event_text(&b->event);
  if (c->json) {
    json_breach(c->json, b, text);
  } else {
    printf("  event %" PRIu64 " breaks %s%s: ", b->event_no, trace_rule_name(b->rule),
           b->by_fault ? ", by the fault that is switched on" : "");
    out_text(stdout, b->sentence, strlen(b->sentence));
    printf("\n      %s\n      (%s)\n", text ? text : "", trace_rule_text(b->rule));
  }
  free(text);
}

static void replay_one(struct check *c, const struct trace_event *e)
{
  struct trace_breach gap;
  bool is_judged = e->ts < c->first_loss;
  bool is_gap_told = c->first_loss == INT64_MAX || check_gaps_add(&c->gaps, c->replay, e, &gap);
  c->has_fault |= e->kind == TRACE_FAULT;
  c->n_not_judged += !is_judged;
  if (!trace_replay_apply(c->replay, e))
    tell_breach(c, trace_replay_breach(c->replay));
  else if (!is_judged && !is_gap_told)
    tell_breach(c, &gap);
}

static bool replay_all(struct check *c, struct tracefile_error *error)
{
  struct tracefile_cursor *cursor = tracefile_cursor_new(c->file, INT64_MIN, INT64_MAX, error);
  if (!cursor)
    return false;
  for (const struct trace_event *e; (e = tracefile_cursor_next(cursor)); c->n_events++)
    replay_one(c, e);
  tracefile_cursor_free(cursor);
  c->n_damaged = tracefile_damages(c->file, NULL, 0);
  if (!trace_replay_finish(c->replay, c->summary.complete && c->n_damaged == 0))
    tell_breach(c, trace_replay_breach(c->replay));
  return true;
}

static void tell_one_damage(struct check *c, const struct tracefile_damage *d)
{
  uint64_t last = d->first_seq + (d->n ? d->n - 1 : 0);
  char chunk[40] = "", from[40], to[40];
  if (c->json) {
    out_object(c->json, NULL);
    if (d->is_hole)
      out_null(c->json, "chunk");
    else
      out_int(c->json, "chunk", d->chunk);
    out_uint(c->json, "m", d->m);
    out_uint(c->json, "first_seq", d->first_seq);
    out_uint(c->json, "n", d->n);
    out_int(c->json, "t_min", d->t_min);
    out_int(c->json, "t_max", d->t_max);
    out_string(c->json, "why", d->why);
    out_end(c->json);
    return;
  }
  if (!d->is_hole)
    snprintf(chunk, sizeof chunk, "chunk %" PRId64, d->chunk);
  printf("  damage: %s (M%u, its events %" PRIu64 " to %" PRIu64 ", %s to %s): %s\n",
         d->is_hole ? "missing chunks" : chunk, d->m, d->first_seq, last, out_time(d->t_min, from),
         out_time(d->t_max, to), d->why);
}

static void tell_damages(struct check *c)
{
  struct tracefile_damage *list = calloc(c->n_damaged + 1, sizeof *list);
  size_t n = list ? tracefile_damages(c->file, list, c->n_damaged) : 0;
  if (c->json)
    out_array(c->json, "damage");
  for (size_t i = 0; i < n && i < c->n_damaged; i++)
    tell_one_damage(c, &list[i]);
  ledger_take_damages(&c->ledger, c->file);
  if (c->json)
    out_end(c->json);
  free(list);
}

static void tell_losses(struct check *c)
{
  if (c->json)
    out_array(c->json, "loss");
  for (size_t i = 0; i < c->ledger.n_losses; i++) {
    if (c->json)
      ledger_json_loss(c->json, &c->ledger.losses[i]);
    else if (i < c->shown_max)
      ledger_print_loss(stdout, &c->ledger.losses[i]);
  }
  if (c->json)
    out_end(c->json);
  else if (c->ledger.n_losses > c->shown_max)
    printf("  and %" PRIu64 " more losses\n", c->ledger.n_losses - c->shown_max);
}

static void tell_rings(struct check *c)
{
  if (c->json)
    out_array(c->json, "rings");
  for (size_t i = 0; i < c->ledger.n_rings; i++) {
    const struct ledger_ring *ring = &c->ledger.rings[i];
    bool is_equal = ledger_ring_is_equal(ring);
    c->n_unequal += !is_equal;
    if (c->json)
      ledger_json_ring(c->json, ring);
    else if (ring->unreadable)
      printf("  M%u: %" PRIu64 " stored event%s cannot be read\n", ring->m, ring->unreadable,
             cli_s(ring->unreadable));
    else if (!is_equal)
      printf("  M%u: %" PRIu64 " events were emitted, but %" PRIu64 " stored and %" PRIu64
             " lost are %" PRIu64 "\n",
             ring->m, ring->emitted, ring->stored, ring->lost, ring->stored + ring->lost);
  }
  if (c->json)
    out_end(c->json);
}

static int verdict(const struct check *c)
{
  if (c->n_damaged || !c->is_final)
    return TRACEFILE_DAMAGED;
  return c->n_broken || c->n_unequal ? TRACEFILE_WRONG : TRACEFILE_OK;
}

/* A demonstrated fault is told whatever it broke: nobody shall take the picture for the scheduler's. */
static void print_fault(const struct check *c)
{
  const char *name = tracefile_meta(c->file, "fault");
  printf("  recorded with the fault %s switched on for demonstration: ", name ? name : "(unknown)");
  if (c->n_broken == 0)
    printf("it broke no rule\n");
  else
    printf("%" PRIu64 " of the %" PRIu64 " broken rule%s %s its doing\n", c->n_by_fault,
           c->n_broken, cli_s(c->n_broken), c->n_by_fault == 1 ? "is" : "are");
}

static void print_what_is_wrong(const struct check *c)
{
  struct tracefile_damage_sum damage = tracefile_damage_sum(c->file);
  printf("%" PRIu64 " rule%s broken, %" PRIu64 " chunk%s damaged, ", c->n_broken,
         cli_s(c->n_broken), damage.chunks, cli_s(damage.chunks));
  if (damage.missing)
    printf("%" PRIu64 " event%s missing, ", damage.missing, cli_s(damage.missing));
  printf("%" PRIu64 " ring%s not accounted for", c->n_unequal, cli_s(c->n_unequal));
}

/* The recorder died: what it did not store is no loss that the program knows of. */
static bool was_only_cut(const struct check *c)
{
  bool was_cut = !c->is_final || tracefile_meta(c->file, "recovered");
  return was_cut && c->ledger.lost == 0 && c->n_damaged == 0;
}

/* Every event was judged: nothing was lost, or the recording was cut behind the last event. */
static bool is_all_judged(const struct check *c)
{
  return c->first_loss == INT64_MAX || (was_only_cut(c) && c->n_not_judged == 0);
}

static void print_how_far(const struct check *c)
{
  char until[40], events[32];
  if (is_all_judged(c))
    return;
  printf("%s up to %s%s%s", verdict(c) == TRACEFILE_OK ? "" : "; rules were judged",
         was_only_cut(c) ? "" : "the first loss at ", out_time(c->first_loss, until),
         was_only_cut(c) ? ", where the recording was cut" : "");
  if (c->n_not_judged)
    printf("; the %s event%s after it %s not judged", out_count(c->n_not_judged, events),
           cli_s(c->n_not_judged), c->n_not_judged == 1 ? "is" : "are");
}

static void print_verdict(const struct check *c)
{
  char events[32], lost[32];
  if (c->n_broken > c->shown_max)
    printf("  and %" PRIu64 " more broken rules\n", c->n_broken - c->shown_max);
  if (c->has_fault)
    print_fault(c);
  if (!c->is_final)
    printf("  the recording was never finished: what had been written was checked\n");
  else if (!c->summary.complete)
    printf("  the program ended without saying so (it was killed, or the recording was stopped)\n");
  out_text(stdout, c->path, strlen(c->path));
  printf(": %s event%s of %u M%s, %s lost: ", out_count(c->n_events, events), cli_s(c->n_events),
         c->summary.n_ms, cli_s(c->summary.n_ms), out_count(c->ledger.lost, lost));
  if (verdict(c) == TRACEFILE_OK)
    printf("every rule holds");
  else
    print_what_is_wrong(c);
  print_how_far(c);
  if (verdict(c) == TRACEFILE_OK)
    printf("%s emitted = stored + lost", is_all_judged(c) ? "," : ";");
  putchar('\n');
}

static void json_verdict(struct check *c)
{
  struct out_json *j = c->json;
  out_uint(j, "events", c->n_events);
  out_uint(j, "lost", c->ledger.lost);
  out_uint(j, "n_broken", c->n_broken);
  out_uint(j, "n_broken_by_fault", c->n_by_fault);
  if (is_all_judged(c))
    out_null(j, "judged_until");
  else
    out_int(j, "judged_until", c->first_loss);
  out_uint(j, "not_judged", c->n_not_judged);
  if (c->has_fault)
    out_string(j, "fault", tracefile_meta(c->file, "fault"));
  else
    out_null(j, "fault");
  out_uint(j, "n_damaged", c->n_damaged);
  out_uint(j, "n_missing", tracefile_damage_sum(c->file).missing);
  out_bool(j, "accounted", c->n_unequal == 0);
  out_bool(j, "finished", c->is_final);
  out_bool(j, "complete", c->summary.complete);
  out_int(j, "code", verdict(c));
  out_end(j);
}

static bool check_open_file(struct check *c, struct tracefile_error *error)
{
  c->replay = tracefile_replay_new(c->file);
  if (!c->replay)
    return tracefile_fail(error, TRACEFILE_REFUSED, c->path, "", "there is no memory to replay it");
  c->is_final = tracefile_is_final(c->file);
  if (!tracefile_summary(c->file, &c->summary, error) || !ledger_read(&c->ledger, c->file, error))
    return false;
  c->first_loss = tracefile_first_loss(c->file);
  if (!check_gaps_init(&c->gaps, c->file, &c->ledger))
    return tracefile_fail(error, TRACEFILE_REFUSED, c->path, "", "there is no memory to replay it");
  if (c->json) {
    out_object(c->json, NULL);
    out_string(c->json, "file", c->path);
    out_array(c->json, "broken");
  }
  bool is_read = replay_all(c, error);
  if (c->json)
    out_end(c->json);
  tell_damages(c);
  tell_losses(c);
  tell_rings(c);
  if (c->json)
    json_verdict(c);
  else
    print_verdict(c);
  return is_read;
}

static int check_file(const char *path, uint64_t shown_max, struct out_json *json)
{
  struct tracefile_error error;
  struct check c = { .path = path, .shown_max = shown_max, .json = json };
  int code;
  c.file = tracefile_open(path, &error);
  if (!c.file)
    return cli_error(&error);
  code = check_open_file(&c, &error) ? verdict(&c) : cli_error(&error);
  check_gaps_clear(&c.gaps);
  ledger_clear(&c.ledger);
  trace_replay_free(c.replay);
  tracefile_close(c.file);
  return code;
}

static int check_files(const struct opt_words *files, uint64_t shown_max, bool as_json)
{
  struct out_json json;
  int worst = TRACEFILE_OK;
  out_json_begin(&json, stdout);
  if (as_json)
    out_array(&json, NULL);
  for (int i = 0; i < files->n; i++) {
    int code = check_file(files->words[i], shown_max, as_json ? &json : NULL);
    if (code > worst)
      worst = code;
  }
  if (as_json)
    out_end(&json);
  return worst;
}

int cmd_check(int argc, char **argv)
{
  bool as_json = false, all = false;
  const struct opt opts[] = {
    { 0, "all", NULL, opt_flag, &all, "show every broken rule and loss, not the first 20 of each" },
    { 0, "json", NULL, opt_flag, &as_json,
      "answer in JSON: an array with an object for each file" },
  };
  const struct opt_command command = {
    .name = "check",
    .usage = "[--all] [--json] FILE...",
    .doc = "Replays every event against the rules of the scheduler, verifies every checksum, and "
           "accounts\n"
           "for every event of every ring: emitted = stored + lost. From the first loss on the "
           "rules are\n"
           "not judged, as what the other Ms did depends on what was lost; the answer says up to "
           "when they\n"
           "were, and of how many events they were not. A gap in an M's numbers must be told all "
           "the same.\n\n"
           "Exit status: 0 all holds; 1 a rule is broken or events are not accounted for; 3 the "
           "file is\n"
           "damaged or its recording was never finished; 4 it could not be opened.",
    .epilogue = "Example:\n  gmpscope check echo.db",
    .opts = opts,
    .n_opts = COUNT_OF(opts),
    .missing = "a FILE",
    .min_words = 1,
    .max_words = -1,
  };
  struct opt_words rest;
  enum opt_outcome outcome = opt_parse(&command, argc, argv, &rest);
  if (outcome != OPT_GO)
    return cli_usage(outcome);
  return check_files(&rest, all ? UINT64_MAX : SHOWN_DEFAULT, as_json);
}
