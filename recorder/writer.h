/* SPDX-License-Identifier: MIT */
/* writer.h - what the parts of the recorder see of the writer (recorder.h is its door). */
#pragma once
#include "recorder.h"

/* Losses and counts of one M, as the writer has them. */
struct writer_m {
  uint64_t next_seq; /* of the next event: stored + lost so far */
  uint64_t stored, lost;
  int64_t last_ts;
  uint64_t raised; /* times that would have gone back within the M */
  bool seen;
};

sqlite3 *rec_writer_db(struct rec_writer *w);
const char *rec_writer_path(const struct rec_writer *w);
/* Some event is in the file, whatever becomes of the rest. */
bool rec_writer_has_events(const struct rec_writer *w);
/* The trace counts: an older one that was put aside for it goes. Done by itself with the first event in the file. */
void rec_writer_replace(struct rec_writer *w);
/* NULL: nothing was written for it yet. Borrowed until the next event. */
const struct writer_m *rec_writer_m(const struct rec_writer *w, uint32_t m);

/* A point of the clocks, see clock_sync in the schema. */
bool rec_writer_clock(struct rec_writer *w, int64_t ts, uint64_t ticks, int64_t mono_ns,
                      int64_t wall_ns, int64_t error_ns, struct tracefile_error *error);
/* A count for table stats; m -1: of all. severity: "info", "data_loss", "clock", "error". */
bool rec_writer_stat(struct rec_writer *w, const char *name, int64_t m, uint64_t value,
                     const char *severity, const char *doc, struct tracefile_error *error);
/* A family's line of the capability ledger. */
bool rec_writer_capability(struct rec_writer *w, enum trace_family family, const char *level,
                           const char *why, struct tracefile_error *error);
/* What SQLite says about its last failure, in words: disk full, read-only, ... Returns false. */
bool rec_sql_fail(sqlite3 *db, const char *path, const char *doing, struct tracefile_error *error);
/* Runs text of our own. */
bool rec_sql(sqlite3 *db, const char *path, const char *text, struct tracefile_error *error);
/* Writes what is held back and commits. */
bool rec_writer_flush(struct rec_writer *w, struct tracefile_error *error);
/* Closes the connection and frees w. The file stays as it is, unless an older trace still waits for its end: then
 * that one is put back in its place. */
void rec_writer_free(struct rec_writer *w);
/* Opens an existing trace, already found good by tracefile_open, for writing. */
struct rec_writer *rec_writer_reopen(const char *path, struct tracefile_error *error);
