/* SPDX-License-Identifier: MIT */
/* finalise.h - from a recording that has ended to one file that anybody can open. */
#pragma once
#include "symbols.h"
#include "writer.h"

/* Everything that rec_writer_finish says, with names from symbols (NULL: none). Does not free w. */
bool finalise(struct rec_writer *w, enum rec_tables tables, struct symbols *symbols,
              struct rec_summary *summary, struct tracefile_error *error);

/* The WAL into the file, the journal mode back to DELETE, all synced. A viewer that has the file open keeps it in
 * WAL mode: it is whole and final all the same, so that is no error. */
bool finalise_leave_one_file(sqlite3 *db, const char *path, struct tracefile_error *error);
