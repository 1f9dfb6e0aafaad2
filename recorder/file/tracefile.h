/* SPDX-License-Identifier: MIT */
/* tracefile.h - a trace file, opened as hostile input and read in time order.
 *
 * A trace file is one SQLite database (application_id "GMPS").  Its chunks are the truth: 4096
 * events of one M each, coded by recorder/trace/trace-chunk.h and guarded by XXH3.  Everything else
 * in it is made from them.  This library is the only reader: recorder (check, dump, sql, ...) and
 * viewer both use it, so the rules of the hardened open exist once.
 *
 * I1  Nothing here writes to the file, follows a link, runs SQL text out of the file, or trusts a
 * length. I2  A damaged chunk is left out, listed (tracefile_damage), and never silently believed; so is
 * a missing one.
 * I3  Events come out ordered by (ts, M, seq).  The recorder has made that a right order of causes.
 *
 * Not thread-safe; open the file once a thread.
 */
#pragma once
#include "trace-event.h"

#include <sqlite3.h>

/* "GMPS" */
#define TRACEFILE_APPLICATION_ID 0x474D5053
#define TRACEFILE_MAJOR          2 /* 2: chunks of codec 2 */
#define TRACEFILE_MINOR          1 /* 1: timer_wait */
#define TRACEFILE_PATCH          0
#define TRACEFILE_USER_VERSION   (TRACEFILE_MAJOR * 10000 + TRACEFILE_MINOR * 100 + TRACEFILE_PATCH)

enum tracefile_code { /* the command line's exit codes (design section 9) */
  TRACEFILE_OK = 0,
  TRACEFILE_WRONG = 1, /* the thing asked about is wrong, or not found */
  TRACEFILE_USAGE = 2,
  TRACEFILE_DAMAGED = 3, /* damaged or incomplete; what could be read was */
  TRACEFILE_REFUSED = 4, /* permission, version, busy, not a trace */
};

/* Times in a file lie in 0 ... this: 2^62 - 1, so that two can be added. */
#define TRACEFILE_TIME_MAX ((int64_t)4611686018427387903)

struct tracefile_error {
  enum tracefile_code code;
  char what[200]; /* "/tmp/x.db"                                   */
  char why[300];  /* "it is not a gmpscope trace (another program's database)" */
  char todo[200]; /* "give a file made by gmpscope record"; "" none */
};

/* Writes "WHAT: WHY; TODO" for one line on stderr or in a dialog; control characters are escaped.
 */
size_t tracefile_error_text(const struct tracefile_error *error, char *out, size_t n);
/* Fills *error in. Returns false, so that callers can `return tracefile_fail(...)`. */
bool tracefile_fail(struct tracefile_error *error, enum tracefile_code code, const char *what,
                    const char *todo, const char *why_format, ...)
    __attribute__((format(printf, 5, 6)));

struct tracefile;
struct trace_replay;

/* Opens for reading. NULL: error says what, why and what to do. A file that is still being
 * recorded, or whose recorder died, opens too; tracefile_is_final() tells. */
struct tracefile *tracefile_open(const char *path, struct tracefile_error *error);
void tracefile_close(struct tracefile *file); /* NULL is fine */

bool tracefile_is_final(const struct tracefile *file);
const char *tracefile_path(const struct tracefile *file);
/* The connection, hardened and read-only, for queries with text of our own. Borrowed. */
sqlite3 *tracefile_db(struct tracefile *file);

struct tracefile_summary {
  uint64_t n_events, n_lost, n_chunks, n_damaged;
  uint32_t n_ms;
  int64_t t_first, t_last; /* ns; of the stored events */
  uint32_t user_version;
  bool complete; /* the program said trace_end */
};
/* Cheap: from the chunk table's columns and stats. */
bool tracefile_summary(struct tracefile *file, struct tracefile_summary *out,
                       struct tracefile_error *error);
/* Value of a meta key, NUL-terminated, borrowed until close; NULL: none. */
const char *tracefile_meta(struct tracefile *file, const char *key);

/* Reading in time order. */
struct tracefile_cursor;
/* Events with from <= ts <= to; INT64_MIN and INT64_MAX for all. NULL: error. */
struct tracefile_cursor *tracefile_cursor_new(struct tracefile *file, int64_t from, int64_t to,
                                              struct tracefile_error *error);
/* The next event, borrowed until the next call; NULL at the end. */
const struct trace_event *tracefile_cursor_next(struct tracefile_cursor *cursor);
void tracefile_cursor_free(struct tracefile_cursor *cursor);

/* Time from which events may be missing: they were lost while recording, or their chunks are missing, or the recorder was killed or is
 * still at work and has not stored all Ms up to the same moment. INT64_MAX: none are. */
int64_t tracefile_first_loss(struct tracefile *file);
/* A replay for this file's events, which knows of the losses before it meets them. NULL: out of memory. The
 * caller frees it with trace_replay_free. */
struct trace_replay *tracefile_replay_new(struct tracefile *file);

/* A chunk that could not be read; or a hole: events in an M's row of numbers that no chunk holds and nobody told lost.
 */
struct tracefile_damage {
  bool is_hole;
  int64_t chunk; /* id of its row; 0 of a hole */
  uint32_t m;
  uint64_t first_seq, n; /* a damaged chunk's may be any numbers */
  int64_t t_min, t_max;
  const char *why; /* static text */
};
/* What cursors of this file found damaged so far; all of it after a cursor ran over everything. */
size_t tracefile_damages(const struct tracefile *file, struct tracefile_damage *out, size_t n);
struct tracefile_damage_sum {
  uint64_t chunks;  /* damaged ones */
  uint64_t missing; /* events of the holes */
  char words[120];  /* "2 damaged chunks and 4096 events whose chunks are missing"; "" none */
};
struct tracefile_damage_sum tracefile_damage_sum(const struct tracefile *file);

/* Side tables. Text is borrowed until close, NUL-terminated, raw bytes of the traced program:
 * escape it. */
const char *tracefile_string(struct tracefile *file, uint32_t id, size_t *length);
struct tracefile_frame {
  const char *function; /* "worker"; NULL unknown */
  const char *file;     /* NULL unknown */
  int line;             /* 0 unknown */
};
/* What stands at an address of code. False: nothing is known. */
bool tracefile_frame(struct tracefile *file, uint64_t pc, struct tracefile_frame *out);
/* Frames of a stack, innermost first; returns how many it has. */
size_t tracefile_stack(struct tracefile *file, uint32_t id, uint64_t *pcs, size_t n);

enum tracefile_capability {
  TRACEFILE_NOT_IN_SOURCE,
  TRACEFILE_INFERRED,
  TRACEFILE_PARTLY,
  TRACEFILE_RECORDED,
};
/* Capability ledger: how much of an event family this trace has; why is a text, borrowed. */
enum tracefile_capability tracefile_capability(struct tracefile *file, enum trace_family family,
                                               const char **why);
