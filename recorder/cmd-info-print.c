/* SPDX-License-Identifier: MIT */
/* cmd-info-print.c - the facts of a trace as text and as JSON.
 *
 * The text puts first what decides whether to go on reading: where the trace is from, how long, what was
 * lost.  All of the meta table follows, so that a fact this version does not know is shown all the same.
 */
#include "cmd-info.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

#define BAR 30

static const char *const family_titles[TRACE_FAMILY_COUNT] = {
#define X(NAME, bit, name, title) [bit] = title,
  TRACE_FAMILIES(X)
#undef X
};

static const char *const level_names[] = {
  [TRACEFILE_NOT_IN_SOURCE] = "not in this source",
  [TRACEFILE_INFERRED] = "inferred",
  [TRACEFILE_PARTLY] = "partly",
  [TRACEFILE_RECORDED] = "recorded",
};

/* Calls with each row of meta, by key. */
typedef void (*meta_reader)(void *to, const char *key, const char *value, size_t length);

static void each_meta(struct tracefile *file, meta_reader read, void *to)
{
  sqlite3_stmt *row;
  if (sqlite3_prepare_v2(tracefile_db(file), "SELECT key, value FROM meta ORDER BY key", -1, &row,
                         NULL) != SQLITE_OK)
    return;
  while (sqlite3_step(row) == SQLITE_ROW) {
    const char *key = (const char *)sqlite3_column_text(row, 0);
    const char *value = (const char *)sqlite3_column_text(row, 1);
    if (key && value)
      read(to, key, value, (size_t)sqlite3_column_bytes(row, 1));
  }
  sqlite3_finalize(row);
}

/* Facts that are numbers for programs, in words for people. */
static void date_text(int64_t seconds, char *out, size_t n)
{
  time_t t = (time_t)seconds;
  struct tm tm;
  if (!gmtime_r(&t, &tm) || strftime(out, n, "%Y-%m-%d %H:%M:%S UTC", &tm) == 0)
    snprintf(out, n, "%" PRId64, seconds);
}

static void wait_text(int status, char *out, size_t n)
{
  if (WIFSIGNALED(status))
    snprintf(out, n, "ended by signal %d (%s)", WTERMSIG(status),
             cli_signal_name(WTERMSIG(status)));
  else
    snprintf(out, n, "exit code %d", WEXITSTATUS(status));
}

/* True if the fact has words of its own. */
static bool spell(const char *key, const char *value, char *out, size_t n)
{
  char *end;
  long long number = strtoll(value, &end, 10);
  if (*end || end == value)
    return false;
  if (strcmp(key, "start_wall_ns") == 0)
    date_text(number / 1000000000, out, n);
  else if (strcmp(key, "made_at") == 0)
    date_text(number, out, n);
  else if (strcmp(key, "wait_status") == 0)
    wait_text((int)number, out, n);
  else
    return false;
  return true;
}

static void print_fact(void *to, const char *key, const char *value, size_t length)
{
  char spelled[100];
  size_t n_key = strlen(key);
  if (spell(key, value, spelled, sizeof spelled)) {
    value = spelled;
    length = strlen(spelled);
  }
  fputs("  ", to);
  out_text(to, key, n_key);
  fprintf(to, "%*s ", n_key < 18 ? (int)(18 - n_key) : 0, "");
  out_text(to, value, length);
  fputc('\n', to);
}

static void print_head(const struct info *info, FILE *to)
{
  const struct tracefile_summary *s = &info->summary;
  char count[32], lost[32], duration[40], bytes[32];
  out_text(to, info->path, strlen(info->path));
  fprintf(to, "\n  %s event%s in %s; %s lost\n", out_count(s->n_events, count), cli_s(s->n_events),
          out_time(s->n_events ? s->t_last - s->t_first : 0, duration),
          out_count(info->ledger.lost, lost));
  fprintf(to, "  %" PRIu64 " G%s, %u M%s, %" PRIu64 " P%s, %" PRIu64 " timer%s\n", info->n_gs,
          cli_s(info->n_gs), s->n_ms, cli_s(s->n_ms), info->n_ps, cli_s(info->n_ps), info->n_timers,
          cli_s(info->n_timers));
  if (info->n_procs)
    fprintf(to, "  GOMAXPROCS %u%s\n", info->n_procs,
            info->by_kind[TRACE_PROCS_CHANGE] > 1 ? " at the end; it changed" : "");
  if (!info->is_final)
    fprintf(to, "  the recording was never finished, or still goes on\n");
  else if (!s->complete)
    fprintf(
        to,
        "  the program ended without saying so (it was killed, or the recording was stopped)\n");
  else if (info->exit_code >= 0)
    fprintf(to, "  the program ended with exit code %" PRId64 "\n", info->exit_code);
  if (info->n_faults) {
    const char *fault = tracefile_meta(info->file, "fault");
    fprintf(to,
            "  recorded with the fault %s switched on for demonstration; it struck %" PRIu64
            " time%s\n",
            fault ? fault : "(not known yet)", info->n_strikes, cli_s(info->n_strikes));
  }
  fprintf(to, "  format %u.%u.%u, %s, %s\n", s->user_version / 10000, s->user_version / 100 % 100,
          s->user_version % 100, info->has_tables ? "with plain tables" : "without plain tables",
          out_bytes(info->n_bytes, bytes));
}

static void print_families(const struct info *info, FILE *to)
{
  uint64_t most = 1;
  for (int i = 0; i < TRACE_FAMILY_COUNT; i++)
    most = info->by_family[i] > most ? info->by_family[i] : most;
  fprintf(to, "\nEvents\n");
  for (int bit = 0; bit < TRACE_FAMILY_COUNT; bit++) {
    char count[32];
    uint64_t n = info->by_family[bit];
    if (n == 0)
      continue;
    fprintf(to, "  %-8s %14s  ", trace_family_name((enum trace_family)(1u << bit)),
            out_count(n, count));
    for (uint64_t i = 0; i < (n * BAR + most - 1) / most; i++)
      fputs("\u2588", to);
    fprintf(to, "\n");
    for (uint32_t kind = 0; kind < TRACE_KIND_LIMIT; kind++) {
      const struct trace_spec *spec = trace_spec_get(kind);
      if (spec && spec->family == 1u << bit && info->by_kind[kind])
        fprintf(to, "    %-22s %14s\n", spec->name, out_count(info->by_kind[kind], count));
    }
  }
}

static void print_rings(const struct info *info, FILE *to)
{
  char emitted[32], stored[32], lost[32];
  if (info->ledger.n_rings == 0)
    return;
  fprintf(to, "\nRings       emitted =       stored +         lost\n");
  for (size_t i = 0; i < info->ledger.n_rings; i++) {
    const struct ledger_ring *r = &info->ledger.rings[i];
    fprintf(to, "  M%-4u %12s   %12s   %12s%s\n", r->m,
            r->emitted_is_known ? out_count(r->emitted, emitted) : "unknown",
            out_count(r->stored, stored), out_count(r->lost, lost),
            ledger_ring_is_equal(r) ? "" : "   NOT EQUAL: run gmpscope check");
  }
  for (size_t i = 0; i < info->ledger.n_losses && i < 10; i++)
    ledger_print_loss(to, &info->ledger.losses[i]);
  if (info->ledger.n_losses > 10)
    fprintf(to, "  and %zu more losses (gmpscope check --all)\n", info->ledger.n_losses - 10);
}

static void print_capabilities(const struct info *info, FILE *to)
{
  fprintf(to, "\nWhat it can tell\n");
  for (int bit = 0; bit < TRACE_FAMILY_COUNT; bit++) {
    const char *why = NULL;
    enum trace_family family = (enum trace_family)(1u << bit);
    enum tracefile_capability level = tracefile_capability(info->file, family, &why);
    fprintf(to, "  %-8s %-31s %s", trace_family_name(family), family_titles[bit],
            level_names[level]);
    if (why && *why && level != TRACEFILE_RECORDED) {
      fputs(": ", to);
      out_text(to, why, strlen(why));
    }
    fputc('\n', to);
  }
}

void info_print_text(const struct info *info, FILE *to)
{
  print_head(info, to);
  fprintf(to, "\nRecording\n");
  each_meta(info->file, print_fact, to);
  print_families(info, to);
  print_rings(info, to);
  print_capabilities(info, to);
}

static void json_fact(void *to, const char *key, const char *value, size_t length)
{
  out_string_n(to, key, value, length);
}

static void json_head(const struct info *info, struct out_json *j)
{
  const struct tracefile_summary *s = &info->summary;
  char version[40];
  snprintf(version, sizeof version, "%u.%u.%u", s->user_version / 10000,
           s->user_version / 100 % 100, s->user_version % 100);
  out_string(j, "file", info->path);
  out_string(j, "format", version);
  out_bool(j, "finished", info->is_final);
  out_bool(j, "complete", s->complete);
  out_bool(j, "tables", info->has_tables);
  out_uint(j, "bytes", info->n_bytes);
  if (info->exit_code >= 0)
    out_int(j, "exit_code", info->exit_code);
  else
    out_null(j, "exit_code");
  if (info->n_faults)
    out_string(j, "fault", tracefile_meta(info->file, "fault"));
  else
    out_null(j, "fault");
  out_uint(j, "fault_strikes", info->n_strikes);
  out_uint(j, "events", s->n_events);
  out_uint(j, "lost", info->ledger.lost);
  out_uint(j, "damaged_chunks", info->damage.chunks);
  out_uint(j, "missing_events", info->damage.missing);
  out_int(j, "t_first", s->n_events ? s->t_first : 0);
  out_int(j, "t_last", s->n_events ? s->t_last : 0);
  out_uint(j, "gs", info->n_gs);
  out_uint(j, "ms", s->n_ms);
  out_uint(j, "ps", info->n_ps);
  out_uint(j, "timers", info->n_timers);
  if (info->n_procs)
    out_uint(j, "gomaxprocs", info->n_procs);
  else
    out_null(j, "gomaxprocs");
}

static void json_counts(const struct info *info, struct out_json *j)
{
  out_object(j, "families");
  for (int bit = 0; bit < TRACE_FAMILY_COUNT; bit++)
    out_uint(j, trace_family_name((enum trace_family)(1u << bit)), info->by_family[bit]);
  out_end(j);
  out_object(j, "kinds");
  for (uint32_t kind = 0; kind < TRACE_KIND_LIMIT; kind++) {
    if (info->by_kind[kind])
      out_uint(j, trace_specs[kind].name, info->by_kind[kind]);
  }
  out_end(j);
}

static void json_capabilities(const struct info *info, struct out_json *j)
{
  out_object(j, "capabilities");
  for (int bit = 0; bit < TRACE_FAMILY_COUNT; bit++) {
    const char *why = NULL;
    enum trace_family family = (enum trace_family)(1u << bit);
    out_object(j, trace_family_name(family));
    out_string(j, "level", level_names[tracefile_capability(info->file, family, &why)]);
    out_string(j, "why", why);
    out_end(j);
  }
  out_end(j);
}

void info_print_json(const struct info *info, FILE *to)
{
  struct out_json j;
  out_json_begin(&j, to);
  out_object(&j, NULL);
  json_head(info, &j);
  out_object(&j, "meta");
  each_meta(info->file, json_fact, &j);
  out_end(&j);
  json_counts(info, &j);
  out_array(&j, "rings");
  for (size_t i = 0; i < info->ledger.n_rings; i++)
    ledger_json_ring(&j, &info->ledger.rings[i]);
  out_end(&j);
  out_array(&j, "losses");
  for (size_t i = 0; i < info->ledger.n_losses; i++)
    ledger_json_loss(&j, &info->ledger.losses[i]);
  out_end(&j);
  json_capabilities(info, &j);
  out_end(&j);
}
