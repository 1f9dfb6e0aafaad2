/* SPDX-License-Identifier: MIT */
/* create.h - a new trace file, or an existing one opened for writing. */
#pragma once
#include "tracefile-private.h"

#include <sys/types.h>

/* A new, empty trace with the core of the schema, in WAL mode. An older one there is put aside: *has_older says so, and
 * the caller drops or restores it. NULL: error, and all is as it was. */
sqlite3 *create_new(const char *real_path, bool overwrite, bool *has_older,
                    struct tracefile_error *error);
/* The new trace at path counts: the older one goes. */
void create_drop_older(const char *path);
/* Removes the new trace at path and puts the older one back. */
void create_restore_older(const char *path);
/* An existing file for writing. The caller has had tracefile_open look at it. */
sqlite3 *create_open(const char *real_path, struct tracefile_error *error);
/* Makes one object of the schema, unless it is there (*is_new is false then). */
bool create_object(sqlite3 *db, const char *path, const char *name, bool *is_new,
                   struct tracefile_error *error);
/* Makes all objects of a part of the schema that are not there yet. */
bool create_objects(sqlite3 *db, const char *path, enum schema_part part,
                    struct tracefile_error *error);
/* Removes a trace file and what SQLite puts beside it. */
void create_remove(const char *path);
/* The process that is recording into an unfinished trace, if it is still there; 0 otherwise. Another process that
 * got its number since is not taken for it. */
pid_t create_living_recorder(struct tracefile *file);
/* When a process was started, in the kernel's ticks since the boot; 0: unknown. */
uint64_t create_process_start(pid_t pid);
/* Says in the file that it may hold what this version writes: for a file of an older one that something is added to. */
bool create_tell_version(sqlite3 *db, const char *path, struct tracefile_error *error);
