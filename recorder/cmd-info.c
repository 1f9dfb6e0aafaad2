/* SPDX-License-Identifier: MIT */
/* cmd-info.c - what a trace is: where it comes from, how much there is of what, what was lost, what it can tell.
 *
 * Every number is counted from the events or read from the file's own tables; nothing is guessed.  What a
 * trace does not say is left out of the text and null in JSON.
 */
#include "cmd-info.h"

#include <sys/stat.h>

static bool count_kinds(struct info *info, struct tracefile_error *error)
{
  struct tracefile_cursor *cursor = tracefile_cursor_new(info->file, INT64_MIN, INT64_MAX, error);
  if (!cursor)
    return false;
  for (const struct trace_event *e; (e = tracefile_cursor_next(cursor));) {
    const struct trace_spec *spec = trace_spec_get(e->kind);
    if (!spec)
      continue;
    info->by_kind[e->kind]++;
    info->by_family[__builtin_ctz(spec->family)]++;
    if (e->kind == TRACE_TRACE_END)
      info->exit_code = e->w[0];
    if (e->kind == TRACE_TRACE_BEGIN)
      info->n_procs = e->w[2];
    if (e->kind == TRACE_PROCS_CHANGE)
      info->n_procs = e->w[1];
    if (e->kind == TRACE_FAULT)
      info->n_faults++, info->n_strikes += e->w[1] != 0;
  }
  tracefile_cursor_free(cursor);
  info->damage = tracefile_damage_sum(info->file);
  ledger_take_damages(&info->ledger, info->file);
  return true;
}

/* How many rows a small table has; 0 also if it cannot be read. */
static uint64_t count_rows(struct tracefile *file, const char *query)
{
  sqlite3_stmt *row;
  uint64_t n = 0;
  if (sqlite3_prepare_v2(tracefile_db(file), query, -1, &row, NULL) == SQLITE_OK &&
      sqlite3_step(row) == SQLITE_ROW)
    n = (uint64_t)sqlite3_column_int64(row, 0);
  sqlite3_finalize(row);
  return n;
}

static bool read_info(struct info *info, struct tracefile_error *error)
{
  struct stat file;
  info->n_bytes = stat(info->path, &file) == 0 ? (uint64_t)file.st_size : 0;
  info->is_final = tracefile_is_final(info->file);
  info->exit_code = -1;
  if (!tracefile_summary(info->file, &info->summary, error) ||
      !ledger_read(&info->ledger, info->file, error))
    return false;
  info->n_gs = count_rows(info->file, "SELECT count(*) FROM g");
  info->n_ps = count_rows(info->file, "SELECT count(*) FROM p");
  info->n_timers = count_rows(info->file, "SELECT count(*) FROM timer");
  info->has_tables =
      count_rows(info->file, "SELECT count(*) FROM sqlite_schema WHERE name = 'event'") > 0;
  return count_kinds(info, error);
}

static int info(const char *path, bool as_json)
{
  struct tracefile_error error;
  struct info info = { .path = path, .file = tracefile_open(path, &error) };
  int code;
  if (!info.file)
    return cli_error(&error);
  if (!read_info(&info, &error)) {
    code = cli_error(&error);
  } else {
    as_json ? info_print_json(&info, stdout) : info_print_text(&info, stdout);
    code = cli_tell_damage(info.damage, path, "not counted");
  }
  ledger_clear(&info.ledger);
  tracefile_close(info.file);
  return code;
}

int cmd_info(int argc, char **argv)
{
  bool as_json = false;
  const struct opt opts[] = {
    { 0, "json", NULL, opt_flag, &as_json, "answer in JSON" },
  };
  const struct opt_command command = {
    .name = "info",
    .usage = "FILE [--json]",
    .doc = "Tells what a trace is: the program, the machine, the duration, how many events of each "
           "kind, what\n"
           "each ring emitted, stored and lost, and which families of events the trace can tell "
           "about.",
    .epilogue = "Example:\n  gmpscope info echo.db",
    .opts = opts,
    .n_opts = COUNT_OF(opts),
    .missing = "a FILE",
    .min_words = 1,
    .max_words = 1,
  };
  struct opt_words rest;
  enum opt_outcome outcome = opt_parse(&command, argc, argv, &rest);
  return outcome == OPT_GO ? info(rest.words[0], as_json) : cli_usage(outcome);
}
