/* SPDX-License-Identifier: MIT */
/* tracefile-private.h - struct tracefile, for the files of recorder/file and for the finaliser. */
#pragma once
#include "chunkrow.h"
#include "schema.h"
#include "tracefile.h"

struct facts; /* facts.h */

struct tracefile_setting {
  char *key, *value;
};

/* Text borrowed by callers until close. */
struct tracefile_text {
  char *bytes;
  size_t length;
};

struct tracefile_symbol {
  uint64_t pc;
  struct tracefile_text function, file;
  int line;
};

struct tracefile_hole {
  struct tracefile_damage damage;
  bool is_listed; /* among the file's damages */
};

struct tracefile {
  sqlite3 *db;
  char *path;
  bool owns_db;
  uint32_t user_version;
  struct tracefile_setting *settings; /* table meta, read at open */
  size_t n_settings;
  struct tracefile_damage *damages;
  size_t n_damages;
  struct tracefile_hole *holes; /* of the whole file, by M and number; found by the first cursor */
  size_t n_holes;
  bool knows_holes;
  struct facts *facts;              /* strings, stacks: made at the first question */
  struct tracefile_symbol *symbols; /* table frame, by pc; loaded at the first question */
  size_t n_symbols;
  bool has_symbols;
  char *capability_why[TRACE_FAMILY_COUNT];
  bool has_schema_sql;
};

/* A tracefile on a connection of the caller's own, which is trusted and stays the caller's. NULL: error. */
struct tracefile *tracefile_adopt(sqlite3 *db, const char *path, struct tracefile_error *error);

/* damage.c: lists a damaged chunk, once. */
void tracefile_add_damage(struct tracefile *file, const struct chunk_row *row, const char *why);
/* Lists the holes that these times touch, each once. */
void tracefile_list_holes(struct tracefile *file, int64_t from, int64_t to);

/* holes.c: finds the events whose chunks are missing, once. */
bool tracefile_find_holes(struct tracefile *file, struct tracefile_error *error);
/* Its checksum is right and its coding known: all of the row is as it was written. Reads all of it. */
bool tracefile_chunk_is_sound(struct tracefile *file, int64_t id);

/* What SQLite said last about this connection, as an error of ours. Returns false. */
bool tracefile_sql_fail(sqlite3 *db, const char *path, struct tracefile_error *error);

/* header.c: what the first bytes of a file say, before SQLite sees it. */
struct tracefile_header {
  uint32_t application_id, user_version, page_size, n_pages;
  bool wal; /* still in WAL mode: not made final */
};
/* False: error says what kind of thing it is instead. Reads at most 100 bytes. */
bool tracefile_header_read(const char *path, struct tracefile_header *out,
                           struct tracefile_error *error);

/* The path with its directory resolved, so that SQLite's no-link rule is about the file itself. Caller frees;
 * NULL with errno. */
char *tracefile_real_path(const char *path);

/* harden.c: settings and limits before the first statement; then the schema compared with ours; then checks. */
bool tracefile_harden(sqlite3 *db);
bool tracefile_pin_schema(sqlite3 *db, const char *path, uint32_t user_version,
                          struct tracefile_error *error);
bool tracefile_quick_check(sqlite3 *db, const char *path, int64_t size,
                           struct tracefile_error *error);
/* From now on the connection only answers SELECTs. */
void tracefile_lock_down(sqlite3 *db);
