/* SPDX-License-Identifier: MIT */
/* cmd-record.c - runs a program and keeps its trace; to the program's caller nothing changes.
 *
 * stdin, stdout and the exit status are the program's own (128 + n for a signal), so `gmpscope record --`
 * can stand before any command of a script.  What this command says goes to stderr, after the program ended.
 * Its own exit codes show only where there is no status of the program's to pass on.
 *
 * A file name chosen here is always new (echo.db, echo-2.db, ...).  One given by -o is replaced only if it
 * is an older trace; so nothing but a trace can be lost by a slip of the hand.
 */
#include "cmd-record.h"
#include "out.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define NAMES_TRIED 10000

bool record_read_tables(void *to, const char *value, char *why)
{
  static const char *const names[] = {
    [REC_TABLES_AUTO] = "auto", [REC_TABLES_NONE] = "none", [REC_TABLES_ALL] = "all"
  };
  for (size_t i = 0; i < COUNT_OF(names); i++) {
    if (strcmp(value, names[i]) == 0) {
      *(enum rec_tables *)to = (enum rec_tables)i;
      return true;
    }
  }
  snprintf(why, 200, "\"%.40s\" is none of auto, all and none", value);
  return false;
}

static bool read_categories(void *to, const char *value, char *why)
{
  if (trace_family_parse(value, to))
    return true;
  int n = snprintf(why, 200, "\"%.40s\" is not a list of: all", value);
  for (unsigned bit = 0; bit < TRACE_FAMILY_COUNT; bit++)
    n += snprintf(why + n, 200 - (size_t)n, ", %s",
                  trace_family_name((enum trace_family)(1u << bit)));
  return false;
}

bool record_read_seed(void *to, const char *value, char *why)
{
  char *end;
  errno = 0;
  unsigned long long seed = strtoull(value, &end, 10);
  if (errno || end == value || *end || *value == '-' || seed == 0 || seed > INT64_MAX) {
    snprintf(why, 200, "\"%.40s\" is no seed; give a number from 1 to 2^63-1", value);
    return false;
  }
  *(uint64_t *)to = seed;
  return true;
}

static bool read_on_full(void *to, const char *value, char *why)
{
  bool is_block = strcmp(value, "block") == 0;
  if (!is_block && strcmp(value, "drop") != 0) {
    snprintf(why, 200, "\"%.40s\" is neither drop nor block", value);
    return false;
  }
  *(bool *)to = is_block;
  return true;
}

static bool read_duration(void *to, const char *value, char *why)
{
  if (!opt_time(to, value, why))
    return false;
  if (*(int64_t *)to > 0)
    return true;
  snprintf(why, 200, "it must be longer than nothing");
  return false;
}

bool record_default_name(const char *program, char *out, size_t n)
{
  const char *slash = strrchr(program, '/');
  const char *base = slash ? slash + 1 : program;
  for (int i = 1; i < NAMES_TRIED; i++) {
    int length = i == 1 ? snprintf(out, n, "%s.db", base) : snprintf(out, n, "%s-%d.db", base, i);
    if (length < 0 || (size_t)length >= n)
      return false;
    if (access(out, F_OK) != 0)
      return true;
  }
  return false;
}

int record_exit_code(int wait_status)
{
  return WIFSIGNALED(wait_status) ? 128 + WTERMSIG(wait_status) : WEXITSTATUS(wait_status);
}

static void tell_end(const struct rec_result *result, const char *program)
{
  if (!result->ended) {
    fprintf(stderr, "gmpscope: recording stopped; the program goes on as process %d\n",
            (int)result->pid);
  } else if (WIFSIGNALED(result->wait_status)) {
    int signal = WTERMSIG(result->wait_status);
    fprintf(stderr, "gmpscope: ");
    out_text(stderr, program, strlen(program));
    fprintf(stderr, " was ended by signal %d (%s)\n", signal, cli_signal_name(signal));
  }
}

/* It is in the trace, and so many more are not. */
static void tell_untraced(uint32_t n_more, const char *program, const char *of_what,
                          const char *which)
{
  if (n_more == 0)
    return;
  fprintf(stderr, "gmpscope: ");
  out_text(stderr, program, strlen(program));
  fprintf(stderr, " ran the scheduler %s%" PRIu64 " %s is in the trace\n", of_what,
          (uint64_t)n_more + 1, which);
}

static uint64_t count_gs(const char *path)
{
  struct tracefile_error error;
  struct tracefile *file = tracefile_open(path, &error);
  sqlite3_stmt *row;
  uint64_t n = 0;
  if (!file)
    return 0;
  if (sqlite3_prepare_v2(tracefile_db(file), "SELECT count(*) FROM g", -1, &row, NULL) ==
          SQLITE_OK &&
      sqlite3_step(row) == SQLITE_ROW)
    n = (uint64_t)sqlite3_column_int64(row, 0);
  sqlite3_finalize(row);
  tracefile_close(file);
  return n;
}

void record_tell_summary(const struct rec_summary *s, const char *path)
{
  char stored[32], lost[32];
  uint64_t n_gs = count_gs(path);
  fprintf(stderr, "gmpscope: ");
  out_text(stderr, path, strlen(path));
  fprintf(stderr, ": %s event%s of %" PRIu64 " G%s on %u M%s, %s lost",
          out_count(s->stored, stored), cli_s(s->stored), n_gs, cli_s(n_gs), s->n_ms,
          cli_s(s->n_ms), out_count(s->lost, lost));
  if (s->rejected)
    fprintf(stderr, " (%" PRIu64 " were no events)", s->rejected);
  fprintf(stderr, "%s\n", s->materialised ? "" : "; gmpscope materialise makes its plain tables");
}

/* What the program's caller gets when the recording itself was in order. */
static int passed_on(const struct rec_result *result)
{
  return result->ended ? record_exit_code(result->wait_status) : TRACEFILE_OK;
}

/* 127 is what a shell or the dynamic loader says who could not start a program. */
static void tell_no_trace(const struct rec_result *result, const char *program)
{
  if (result->ended && record_exit_code(result->wait_status) == 127)
    cli_fail(TRACEFILE_WRONG, program,
             "if it misses libgmpscope-rt.so, run ldconfig or set LD_LIBRARY_PATH",
             "it may not have been able to start (exit status 127), so there is no trace");
  else
    cli_fail(TRACEFILE_WRONG, program,
             "link it with libgmpscope-rt and start it with rt_main or rt_run",
             "no run of the gmpscope runtime began in it, so there is no trace");
}

int record_run(const struct rec_options *options, bool quiet, struct rec_result *result)
{
  struct tracefile_error error;
  const char *program = options->argv[0];
  if (!rec_record(options, result, &error))
    return cli_error(&error);
  if (!result->uses_runtime) {
    if (!quiet)
      tell_no_trace(result, program);
    return passed_on(result);
  }
  if (!quiet) {
    tell_end(result, program);
    tell_untraced(result->untraced_runs, program, "", "times; only the first");
    tell_untraced(result->untraced_processes, program, "in ", "processes; only the first that did");
    record_tell_summary(&result->summary, options->output);
  }
  return passed_on(result);
}

bool record_add_debug(const char *key, const char *value)
{
  char *text = NULL;
  const char *others = getenv("RT_DEBUG");
  int n = asprintf(&text, "%s%s%s=%s", others ? others : "", others ? "," : "", key, value);
  bool ok = n > 0 && setenv("RT_DEBUG", text, 1) == 0;
  if (n > 0)
    free(text);
  return ok;
}

bool record_simulate(struct rec_options *options, uint64_t seed)
{
  char text[24];
  snprintf(text, sizeof text, "%" PRIu64, seed);
  options->full_blocks = true; /* what is lost would depend on how fast this process reads */
  return record_add_debug("sim", text);
}

static int record(const struct rec_options *o, bool quiet)
{
  char name[1024];
  struct rec_result result = { 0 };
  struct rec_options chosen = *o;
  chosen.overwrite = o->output != NULL;
  if (o->sim_seed != 0 && !record_simulate(&chosen, o->sim_seed))
    return cli_fail(TRACEFILE_REFUSED, o->argv[0], "try again later", "there is no memory");
  if (!o->output) {
    if (!record_default_name(o->argv[0], name, sizeof name))
      return cli_fail(TRACEFILE_REFUSED, o->argv[0], "give one with -o",
                      "no name for its trace file is free here");
    chosen.output = name;
  }
  return record_run(&chosen, quiet, &result);
}

int cmd_record(int argc, char **argv)
{
  struct rec_options o = { .tables = REC_TABLES_AUTO };
  bool quiet = false;
  const struct opt opts[] = {
    { 'o', "output", "FILE", opt_text, &o.output,
      "trace file to write; an older trace there is replaced (default: PROG.db, PROG-2.db, ...)" },
    { 0, "for", "DUR", read_duration, &o.duration_ns,
      "stop recording after this time; the program goes on" },
    { 0, "tables", "auto|all|none", record_read_tables, &o.tables,
      "plain tables for any SQLite program (auto: up to 1 million events)" },
    { 0, "categories", "A,B", read_categories, &o.categories,
      "record only these families of events; sched and meta always are" },
    { 0, "on-full", "drop|block", read_on_full, &o.full_blocks,
      "when a ring is full: drop and count the event (default), or make the program wait" },
    { 0, "sim", "SEED", record_read_seed, &o.sim_seed,
      "simulate: one thread, virtual time, every choice by this seed; the same seed, the same "
      "trace" },
    { 'q', "quiet", NULL, opt_flag, &quiet, "say nothing when all is well" },
  };
  const struct opt_command command = {
    .name = "record",
    .usage = "[-o FILE] [OPTION]... [--] PROG [ARG]...",
    .doc = "Runs a program that uses the gmpscope runtime, and writes its trace. The program keeps "
           "its stdin,\n"
           "stdout and stderr. Up to 1024 threads are recorded; events of more are counted as "
           "lost.\n\n"
           "Exit status: the program's own (128 + n when signal n ended it); if the recording "
           "itself failed,\n"
           "3 for a trace that is incomplete and 4 when it could not be made.",
    .epilogue =
        "Examples:\n  gmpscope record ./echo\n"
        "  gmpscope record -o slow.db --for 2s --categories sched,timer -- ./server --port 8080",
    .opts = opts,
    .n_opts = COUNT_OF(opts),
    .missing = "the PROG to run",
    .min_words = 1,
    .max_words = -1,
    .stops_at_word = true,
  };
  struct opt_words rest;
  enum opt_outcome outcome = opt_parse(&command, argc, argv, &rest);
  if (outcome != OPT_GO)
    return cli_usage(outcome);
  o.argv = rest.words;
  return record(&o, quiet);
}
