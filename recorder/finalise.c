/* SPDX-License-Identifier: MIT */
/* finalise.c - from a recording that has ended to one file that anybody can open. */
#include "finalise.h"

#include "create.h"

static bool seal(struct rec_writer *w, struct tracefile_error *error)
{
  if (!rec_writer_meta(w, "final", "1", error) || !rec_writer_flush(w, error))
    return false;
  return rec_sql(
      rec_writer_db(w), rec_writer_path(w),
      "PRAGMA synchronous=FULL; PRAGMA wal_checkpoint(TRUNCATE); PRAGMA journal_mode=DELETE",
      error);
}

bool finalise(struct rec_writer *w, enum rec_tables tables, struct symbols *symbols,
              struct rec_summary *summary, struct tracefile_error *error)
{
  (void)tables;
  (void)symbols;
  *summary = (struct rec_summary){ 0 };
  return rec_writer_flush(w, error) && seal(w, error);
}

bool rec_writer_finish(struct rec_writer *w, enum rec_tables tables, struct rec_summary *summary,
                       struct tracefile_error *error)
{
  struct rec_summary unused;
  bool ok = finalise(w, tables, NULL, summary ? summary : &unused, error);
  rec_writer_free(w);
  return ok;
}
