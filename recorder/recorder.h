/* SPDX-License-Identifier: MIT */
/* recorder.h - the door of the recorder: making trace files.
 *
 *   rec_record()       a program runs, its rings are drained into a file, the file is made final
 *   rec_writer_...()   the same file from events that come from elsewhere (gmpscope load, tests)
 *   rec_materialise()  makes the plain tables of a final file that was made without them
 *   rec_recover()      makes a file final whose recorder died
 *
 * Promises: emitted = stored + lost for every M, exactly (table stats says all three); a recorder
 * killed at any instant leaves a file that opens, with a gap-free prefix of every M; after an
 * orderly end there is one file. Nothing here writes to stdout or stderr. Errors are struct
 * tracefile_error: what, why, what to do. Reading is tracefile.h.
 */
#pragma once
#include "tracefile.h"

#include <sys/types.h>

enum rec_tables {
  REC_TABLES_AUTO, /* up to REC_TABLES_AUTO_MAX events */
  REC_TABLES_NONE,
  REC_TABLES_ALL,
};
/* Above this many events plain tables are made on request only. They take 20 times the room
 * of the chunks and two to three seconds a million events (measured by tests/bench/bench-file.c). */
#define REC_TABLES_AUTO_MAX 1000000u

/* What came of a recording, a load, a recovery. */
struct rec_summary {
  uint64_t emitted, stored, lost; /* events; emitted = stored + lost */
  uint64_t clock_fixups; /* events whose time was moved so that no effect precedes its cause */
  uint64_t rejected; /* records that were no events (a hostile or broken program); part of lost */
  uint32_t n_ms;
  bool complete;                      /* the program said trace_end */
  bool materialised;                  /* the plain tables were made */
  struct tracefile_damage_sum damage; /* of a file that was there before: what the tables lack */
};

/* ---- writing ---- */

struct rec_writer;

/* Makes a new file at path, mode 0600. A file that exists is replaced only if it is a gmpscope
 * trace and overwrite is set; never anything else, never through a link. NULL: error says why. */
struct rec_writer *rec_writer_new(const char *path, bool overwrite, struct tracefile_error *error);

/* Adds an event: of each M in the order of its seq, times in ns not decreasing within an M (a
 * smaller time is raised and counted). A jump of seq is a loss of that many events; if the event
 * that follows it is TRACE_LOST its interval is taken from there. False: the disk is full, ...; the
 * writer then only can be closed. */
bool rec_writer_event(struct rec_writer *w, const struct trace_event *e,
                      struct tracefile_error *error);

/* The same for n events, several times as fast: runs of one M are coded together. */
bool rec_writer_events(struct rec_writer *w, const struct trace_event *events, size_t n,
                       struct tracefile_error *error);

/* Says a fact about the trace ("program", "hostname", ...). The last one told of a key counts. */
bool rec_writer_meta(struct rec_writer *w, const char *key, const char *value,
                     struct tracefile_error *error);

/* What table loss says of a jump of seq, with a TRACE_LOST behind it and without. */
#define REC_LOSS_FULL     "the ring was full"
#define REC_LOSS_NOT_TOLD "not told"

/* Events of M m lost at its end, after its last stored one: n of them between two times. why is a
 * sentence. */
bool rec_writer_loss(struct rec_writer *w, uint32_t m, uint64_t n, int64_t t_from, int64_t t_to,
                     const char *why, struct tracefile_error *error);

/* Events lost of Ms that are not known, between two times. */
bool rec_writer_loss_of_unknown(struct rec_writer *w, uint64_t n, int64_t t_from, int64_t t_to,
                                const char *why, struct tracefile_error *error);
/* To be called every few ms while recording live: closes chunks that are 100 ms old, commits. */
bool rec_writer_tick(struct rec_writer *w, struct tracefile_error *error);

/* Ends the recording and makes the file final: order of causes, side tables, plain tables, indexes,
 * one file. Frees w. summary may be NULL. False: the file is still readable, but not final. */
bool rec_writer_finish(struct rec_writer *w, enum rec_tables tables, struct rec_summary *summary,
                       struct tracefile_error *error);

/* Gives the file up and removes it. NULL is fine. Frees w. */
void rec_writer_discard(struct rec_writer *w);

/* ---- recording a program ---- */

struct rec_options {
  const char *output; /* path of the trace file */
  bool overwrite;     /* an older trace there may be replaced */
  enum rec_tables tables;
  uint32_t categories;    /* mask of enum trace_family; 0: all */
  bool full_blocks;       /* the program waits for room instead of losing events */
  uint32_t ring_capacity; /* records a ring; 0: 131072 (4 MiB, taken only as an M writes) */
  uint32_t max_rings;     /* Ms that have a ring; 0: TRACE_MAX_RINGS. Events of others are lost */
  uint64_t sim_seed;      /* told in meta, if not 0: argv runs under the simulation (RT_DEBUG) */
  int64_t duration_ns;    /* recording stops after this, the program goes on; 0: until it ends */
  char *const *argv;      /* the program and its arguments, NULL at the end; looked up in PATH */
};

struct rec_result {
  struct rec_summary summary;
  bool uses_runtime; /* false: the program never traced; no file was left */
  bool ended;        /* the program ended; false: recording was told to stop by SIGTERM or SIGHUP */
  int wait_status;   /* as by waitpid(), when ended */
  pid_t pid;         /* of the program */
  uint32_t untraced_runs; /* how often it ran the scheduler again; a trace has the first run only */
  uint32_t untraced_processes; /* how many others ran a scheduler: a trace has the first one only */
};

/* Runs a program, records it until it ends, makes the file final. Ctrl-C is the program's business;
 * SIGTERM and SIGHUP end the recording in order and leave the program running. False: error says
 * why; result->ended and wait_status are right all the same if the program ran: the caller passes
 * its exit status on. One call at a time in a process (signal dispositions); from the main thread.
 */
bool rec_record(const struct rec_options *options, struct rec_result *result,
                struct tracefile_error *error);

/* ---- later work on a file ---- */

/* Makes the plain tables of a final file. True also if they are there already. */
bool rec_materialise(const char *path, struct rec_summary *summary, struct tracefile_error *error);

/* Makes a file final whose recorder died: everything committed is kept. True also if it is final
 * already. */
bool rec_recover(const char *path, enum rec_tables tables, struct rec_summary *summary,
                 struct tracefile_error *error);
