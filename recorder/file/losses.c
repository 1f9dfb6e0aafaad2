/* SPDX-License-Identifier: MIT */
/* losses.c - where a file begins to have gaps, told to a replay before it meets them.
 *
 * A `lost` record stands behind its gap, but other Ms speak of what was lost before: of a G that the silent M
 * started, say.  The file's books know of all gaps, so a replay is told of the first one at once, and what
 * follows is not judged.  A gap shows as a chunk with lost_before, or, if the program ended with its ring full, only in
 * table loss.  Cost: one pass over the chunk table's small columns.
 */
#include "tracefile-private.h"

#include "trace-replay.h"

/* The least time at which something may be missing, NULL if nothing is. */
static const char first_gap[] =
    "SELECT MIN(t) FROM ("
    "SELECT coalesce(LAG(t_max) OVER (PARTITION BY m ORDER BY first_seq), 0) AS t, lost_before AS n FROM chunk "
    "UNION ALL SELECT coalesce(t_from, 0), n FROM loss) WHERE n > 0";

int64_t tracefile_first_loss(struct tracefile *file)
{
  int64_t first = INT64_MAX;
  sqlite3_stmt *stmt;
  if (sqlite3_prepare_v2(file->db, first_gap, -1, &stmt, NULL) != SQLITE_OK)
    return first;
  if (sqlite3_step(stmt) == SQLITE_ROW && sqlite3_column_type(stmt, 0) != SQLITE_NULL)
    first = sqlite3_column_int64(stmt, 0);
  sqlite3_finalize(stmt);
  return first;
}

struct trace_replay *tracefile_replay_new(struct tracefile *file)
{
  struct trace_replay *replay = trace_replay_new();
  int64_t first = tracefile_first_loss(file);
  if (replay && first != INT64_MAX)
    trace_replay_expect_loss(replay, first);
  return replay;
}
