/* SPDX-License-Identifier: MIT */
/* cmd-dump.c - prints a trace in its text form.
 *
 * A whole dump is the trace: gmpscope load makes of it a file whose dump is the same, byte for byte.  So
 * the meta lines printed are those that belong to the trace; what a file says about itself (when it was
 * made, how large its tables are) is not the trace and is made anew.  A dump with a filter is for reading.
 */
#include "cmd-dump.h"
#include "cli.h"
#include "trace-text.h"

#include <string.h>

struct filter {
  int64_t from, to, g, m, p; /* ids: -1 any */
  bool has_kinds;
  bool kinds[TRACE_KIND_LIMIT];
};

static bool suggest_kind(const char *word, char *why)
{
  const char *names[TRACE_KIND_LIMIT];
  for (uint32_t kind = 0; kind < TRACE_KIND_LIMIT; kind++)
    names[kind] = trace_specs[kind].name;
  const char *near = opt_nearest(word, names, TRACE_KIND_LIMIT);
  if (near)
    snprintf(why, 200, "there is no event \"%.60s\"; did you mean %s?", word, near);
  else
    snprintf(why, 200, "there is no event \"%.60s\" (see the table event_kind)", word);
  return false;
}

/* A string's and a stack's parts are the same thing as their first record. */
static void add_kind(struct filter *f, enum trace_kind kind)
{
  f->kinds[kind] = true;
  if (kind == TRACE_STRING)
    f->kinds[TRACE_STRING_PART] = true;
  if (kind == TRACE_STACK_BEGIN)
    f->kinds[TRACE_STACK_PART] = true;
}

/* "go_block,go_start": may be given several times. */
static bool read_kinds(void *to, const char *value, char *why)
{
  struct filter *f = to;
  f->has_kinds = true;
  for (const char *at = value;; at++) {
    size_t length = strcspn(at, ",");
    enum trace_kind kind = trace_kind_by_name(at, length);
    char word[64];
    snprintf(word, sizeof word, "%.*s", (int)(length < 60 ? length : 60), at);
    if (kind == TRACE_KIND_NONE)
      return suggest_kind(word, why);
    add_kind(f, kind);
    at += length;
    if (!*at)
      return true;
  }
}

/* True if the event names id by an argument of this type. */
static bool mentions(const struct trace_event *e, enum trace_arg type, int64_t id)
{
  const struct trace_spec *spec = &trace_specs[e->kind];
  for (int i = 0; i < 4; i++) {
    if (spec->args[i].type == type && e->w[i] == id)
      return true;
  }
  return false;
}

static bool passes(const struct filter *f, const struct trace_event *e)
{
  if (f->has_kinds && !f->kinds[e->kind])
    return false;
  if (f->g >= 0 && e->g != f->g && !mentions(e, TRACE_ARG_G, f->g))
    return false;
  if (f->m >= 0 && e->m != f->m && !mentions(e, TRACE_ARG_M, f->m))
    return false;
  return f->p < 0 || e->p == f->p || mentions(e, TRACE_ARG_P, f->p);
}

static bool print_meta(struct tracefile *file, struct trace_text_printer *printer,
                       struct tracefile_error *error)
{
  sqlite3 *db = tracefile_db(file);
  sqlite3_stmt *row;
  int code = sqlite3_prepare_v2(db, "SELECT key, value FROM meta ORDER BY key", -1, &row, NULL);
  while (code == SQLITE_OK && sqlite3_step(row) == SQLITE_ROW) {
    const char *key = (const char *)sqlite3_column_text(row, 0);
    const char *value = (const char *)sqlite3_column_text(row, 1);
    if (key && value && !cli_meta_is_of_file(key))
      trace_text_print_meta(printer, key, value, (size_t)sqlite3_column_bytes(row, 1));
  }
  code = sqlite3_finalize(row);
  if (code != SQLITE_OK)
    return tracefile_fail(error, TRACEFILE_DAMAGED, tracefile_path(file), "",
                          "its meta table cannot be read: %s", sqlite3_errmsg(db));
  return true;
}

static bool print_events(struct tracefile *file, const struct filter *f,
                         struct trace_text_printer *printer, struct tracefile_error *error)
{
  struct tracefile_cursor *cursor = tracefile_cursor_new(file, f->from, f->to, error);
  if (!cursor)
    return false;
  for (const struct trace_event *e; (e = tracefile_cursor_next(cursor)) && !ferror(stdout);) {
    if (passes(f, e))
      trace_text_print_event(printer, e);
  }
  trace_text_printer_flush(printer);
  tracefile_cursor_free(cursor);
  return true;
}

static bool is_whole(const struct filter *f)
{
  return f->from == INT64_MIN && f->to == INT64_MAX && f->g < 0 && f->m < 0 && f->p < 0 &&
         !f->has_kinds;
}

static bool print_all(struct tracefile *file, const struct filter *f, struct tracefile_error *error)
{
  struct trace_text_printer *printer = trace_text_printer_new(stdout);
  if (!printer)
    return tracefile_fail(error, TRACEFILE_REFUSED, tracefile_path(file), "",
                          "there is no memory to print it");
  trace_text_print_header(printer);
  bool is_done = print_meta(file, printer, error) &&
                 dump_end_losses(file, is_whole(f), printer, error) &&
                 print_events(file, f, printer, error);
  trace_text_printer_free(printer);
  return is_done;
}

static int dump(const char *path, const struct filter *f)
{
  struct tracefile_error error;
  struct tracefile *file = tracefile_open(path, &error);
  if (!file)
    return cli_error(&error);
  bool is_done = print_all(file, f, &error);
  struct tracefile_damage_sum damage = tracefile_damage_sum(file);
  tracefile_close(file);
  return is_done ? cli_tell_damage(damage, path, "left out") : cli_error(&error);
}

int cmd_dump(int argc, char **argv)
{
  struct filter f = { .from = INT64_MIN, .to = INT64_MAX, .g = -1, .m = -1, .p = -1 };
  const struct opt opts[] = {
    { 0, "from", "T", opt_time, &f.from, "only events at or after this time" },
    { 0, "to", "T", opt_time, &f.to, "only events at or before this time" },
    { 0, "g", "N", opt_id, &f.g, "only what G N did or what names it" },
    { 0, "m", "N", opt_id, &f.m, "only what happened on M N or names it" },
    { 0, "p", "N", opt_id, &f.p, "only what happened on P N or names it" },
    { 0, "kind", "KIND,...", read_kinds, &f, "only these events, such as go_block,go_start" },
  };
  const struct opt_command command = {
    .name = "dump",
    .usage = "FILE [--from=T] [--to=T] [--g=N] [--m=N] [--p=N] [--kind=KIND,...]",
    .doc = "Prints the text form of a trace, a line for each event. gmpscope load makes a trace "
           "file of it,\n"
           "and dumping that gives the same bytes. A dump with a filter is for reading.",
    .epilogue = "Examples:\n  gmpscope dump echo.db --g 7 --from 1ms --to 2ms\n"
                "  gmpscope dump echo.db --kind panic_begin,panic_recovered",
    .opts = opts,
    .n_opts = COUNT_OF(opts),
    .missing = "a FILE",
    .min_words = 1,
    .max_words = 1,
  };
  struct opt_words rest;
  enum opt_outcome outcome = opt_parse(&command, argc, argv, &rest);
  return outcome == OPT_GO ? dump(rest.words[0], &f) : cli_usage(outcome);
}
