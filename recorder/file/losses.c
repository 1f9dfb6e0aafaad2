/* SPDX-License-Identifier: MIT */
/* losses.c - where a file begins to have gaps, told to a replay before it meets them.
 *
 * A `lost` record stands behind its gap, but other Ms speak of what was lost before: of a G that the silent M
 * started, say.  The file's books know of all gaps, so a replay is told of the first one at once, and what
 * follows is not judged.  A gap shows as a chunk with lost_before, or, if the program ended with its ring full, only in
 * table loss; or as a hole where chunks are missing (holes.c).
 *
 * A recorder that was killed, or is still at work, has stored one M up to now and another up to a moment before:
 * what is known of all of them ends where the first of them ends.
 * Families that --categories left out are told to it, too: rules that need them are not checked.
 * Cost: one pass over the chunk table's small columns.
 */
#include "tracefile-private.h"

#include "trace-replay.h"

#include <stdlib.h>

/* The least time at which something may be missing, NULL if nothing is. */
static const char first_gap[] = "SELECT MIN(t) FROM ("
                                "SELECT coalesce(LAG(t_max) OVER (PARTITION BY m ORDER BY "
                                "first_seq), 0) AS t, lost_before AS n FROM chunk "
                                "UNION ALL SELECT coalesce(t_from, 0), n FROM loss) WHERE n > 0";

/* The time up to which every M is stored. */
static const char first_end[] =
    "SELECT MIN(t) + 1 FROM (SELECT MAX(t_max) AS t FROM chunk GROUP BY m)";

static int64_t ask_time(struct tracefile *file, const char *sql)
{
  int64_t time = INT64_MAX;
  sqlite3_stmt *stmt;
  if (sqlite3_prepare_v2(file->db, sql, -1, &stmt, NULL) != SQLITE_OK)
    return time;
  if (sqlite3_step(stmt) == SQLITE_ROW && sqlite3_column_type(stmt, 0) != SQLITE_NULL)
    time = sqlite3_column_int64(stmt, 0);
  sqlite3_finalize(stmt);
  return time;
}

int64_t tracefile_first_loss(struct tracefile *file)
{
  int64_t gap = ask_time(file, first_gap);
  bool has_holes = tracefile_find_holes(file, NULL);
  for (size_t i = 0; has_holes && i < file->n_holes; i++) {
    int64_t since = file->holes[i].damage.t_min;
    gap = since < gap ? since : gap;
  }
  bool was_cut = !tracefile_is_final(file) || tracefile_meta(file, "recovered");
  int64_t end = was_cut ? ask_time(file, first_end) : INT64_MAX;
  return gap < end ? gap : end;
}

struct trace_replay *tracefile_replay_new(struct tracefile *file)
{
  struct trace_replay *replay = trace_replay_new();
  int64_t first = tracefile_first_loss(file);
  const char *families = tracefile_meta(file, "categories");
  if (replay && first != INT64_MAX)
    trace_replay_expect_loss(replay, first);
  if (replay && families)
    trace_replay_expect_families(replay, (uint32_t)strtoul(families, NULL, 10));
  return replay;
}
