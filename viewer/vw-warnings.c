/* SPDX-License-Identifier: MIT */
/* vw-warnings.c - what a person must know before believing the picture, one sentence each.
 *
 * In order of how much it changes what one sees: a fault switched on, events missing, rules broken, families that
 * the source does not have, a recording that did not end.
 */
#include "trace-grow.h"
#include "trace-text.h"
#include "vw-internal.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

__attribute__((format(printf, 2, 3))) static bool warn(struct vw_trace *t, const char *format, ...)
{
  va_list args;
  char *text;
  if (!trace_grow(&t->warnings, &t->warnings_capacity, t->n_warnings, sizeof *t->warnings))
    return false;
  va_start(args, format);
  int length = vasprintf(&text, format, args);
  va_end(args);
  if (length < 0)
    return false;
  t->warnings[t->n_warnings++] = text;
  return true;
}

static bool warn_fault(struct vw_trace *t)
{
  return !t->facts.has_fault ||
         warn(t,
              "The program ran with the fault \"%s\" switched on, for demonstration: a correct "
              "runtime does not behave like this.",
              vw_string(t, t->facts.fault));
}

static bool warn_lost(struct vw_trace *t)
{
  const struct vw_facts *f = &t->facts;
  return f->n_loss_places == 0 ||
         warn(t,
              "%" PRIu64 " %s missing in %" PRIu64 " %s: what happened there is unknown and "
              "shown as lost.",
              f->n_lost, f->n_lost == 1 ? "event is" : "events are", f->n_loss_places,
              f->n_loss_places == 1 ? "place" : "places");
}

/* Events of Ms beyond the last ring: of no lane, so nothing can be drawn as lost. */
static bool warn_unringed(struct vw_trace *t)
{
  sqlite3_stmt *row;
  int64_t n = 0, since = 0;
  const char *sql = "SELECT sum(n), min(coalesce(t_from, 0)) FROM loss WHERE m IS NULL";
  if (t->file && sqlite3_prepare_v2(tracefile_db(t->file), sql, -1, &row, NULL) == SQLITE_OK) {
    if (sqlite3_step(row) == SQLITE_ROW) {
      n = sqlite3_column_int64(row, 0);
      since = sqlite3_column_int64(row, 1);
    }
    sqlite3_finalize(row);
  }
  char at[40];
  trace_time_print(since, at, sizeof at);
  return n <= 0 ||
         warn(t,
              "%" PRId64 " %s of Ms that found no ring left %s missing: from %s on Ms may "
              "run that are not shown.",
              n, n == 1 ? "event" : "events", n == 1 ? "is" : "are", at);
}

/* The file's first damage of a sort: a hole, or a chunk. False: it has none. */
static bool find_damage(const struct vw_trace *t, bool is_hole, struct tracefile_damage *out)
{
  size_t n = t->file ? tracefile_damages(t->file, NULL, 0) : 0;
  struct tracefile_damage *list = n ? calloc(n, sizeof *list) : NULL;
  bool is_found = false;
  n = list ? tracefile_damages(t->file, list, n) : 0;
  for (size_t i = 0; i < n && !is_found; i++) {
    is_found = list[i].is_hole == is_hole;
    *out = list[i];
  }
  free(list);
  return is_found;
}

static bool warn_damage(struct vw_trace *t)
{
  struct tracefile_damage first;
  if (!find_damage(t, false, &first))
    return true;
  uint64_t n = tracefile_damage_sum(t->file).chunks;
  return warn(t,
              "%" PRIu64 " %s of the file %s damaged and left out; the first is of M%u, %" PRIu64
              " %s from number %" PRIu64 " on: %s.",
              n, n == 1 ? "chunk" : "chunks", n == 1 ? "is" : "are", first.m, first.n,
              first.n == 1 ? "event" : "events", first.first_seq, first.why);
}

static bool warn_missing(struct vw_trace *t)
{
  struct tracefile_damage first;
  if (!find_damage(t, true, &first))
    return true;
  uint64_t n = tracefile_damage_sum(t->file).missing;
  return warn(t,
              "The file is damaged: the chunks of %" PRIu64
              " %s are missing; first of M%u, %" PRIu64 " %s from number %" PRIu64 " on.",
              n, n == 1 ? "event" : "events", first.m, first.n, first.n == 1 ? "event" : "events",
              first.first_seq);
}

static bool warn_breach(struct vw_trace *t)
{
  const struct vw_facts *f = &t->facts;
  if (f->n_breaches == 0)
    return true;
  char more[64] = "", sentence[sizeof f->breach.sentence * 4];
  if (f->n_breaches > 1)
    snprintf(more, sizeof more, ", and %" PRIu64 " more", f->n_breaches - 1);
  trace_text_printable(f->breach.sentence, strnlen(f->breach.sentence, sizeof f->breach.sentence),
                       sentence, sizeof sentence, NULL);
  return warn(t, "%s the rule %s at event %" PRIu64 ": %s%s.",
              f->breach.by_fault ? "The fault breaks" : "The trace breaks",
              trace_rule_name(f->breach.rule), f->breach.event_no, sentence, more);
}

/* ---- capability ---- */

enum tracefile_capability vw_capability(const struct vw_trace *trace, enum trace_family family,
                                        const char **why)
{
  *why = "";
  if (trace->file)
    return tracefile_capability(trace->file, family, why);
  if (trace->facts.families & family)
    return TRACEFILE_RECORDED;
  *why = "it was switched off for at least a part of the time";
  return TRACEFILE_PARTLY;
}

static const char *capability_text(enum tracefile_capability capability)
{
  switch (capability) {
  case TRACEFILE_NOT_IN_SOURCE:
    return "not in this trace";
  case TRACEFILE_INFERRED:
    return "inferred, not recorded";
  case TRACEFILE_PARTLY:
    return "recorded for a part only";
  case TRACEFILE_RECORDED:
    break;
  }
  return "recorded";
}

static bool warn_families(struct vw_trace *t)
{
  static const struct {
    enum trace_family family;
    const char *title;
  } families[] = {
#define X(NAME, bit, name, title) { TRACE_FAMILY_##NAME, title },
    TRACE_FAMILIES(X)
#undef X
  };
  for (size_t i = 0; i < sizeof families / sizeof families[0]; i++) {
    const char *why;
    enum tracefile_capability capability = vw_capability(t, families[i].family, &why);
    bool has_reason = why && *why;
    if (capability != TRACEFILE_RECORDED &&
        !warn(t, "Events of \"%s\" are %s%s%s.", families[i].title, capability_text(capability),
              has_reason ? ": " : "", has_reason ? why : ""))
      return false;
  }
  return true;
}

static bool warn_end(struct vw_trace *t)
{
  if (t->file && !tracefile_is_final(t->file))
    return warn(t, "The file is not finished: it is still being recorded, or its recorder died.");
  return t->facts.has_end ||
         warn(t,
              "The program did not say that it ended: recording stopped before, or it was killed.");
}

bool vw_warnings_make(struct vw_trace *t)
{
  return warn_fault(t) && warn_lost(t) && warn_unringed(t) && warn_damage(t) && warn_missing(t) &&
         warn_breach(t) && warn_families(t) && warn_end(t);
}

const char *vw_warning(const struct vw_trace *trace, size_t i)
{
  return i < trace->n_warnings ? trace->warnings[i] : NULL;
}
