/* SPDX-License-Identifier: MIT */
/* materialise.c - fills the plain tables from the virtual ones, so that both say the same by construction.
 *
 * A table and its rows are one transaction: it is
 * there whole or not at all, and a killed recorder's file is taken up where it was left.
 */
#include "materialise.h"

#include "create.h"
#include "sqlmodule.h"
#include "writer.h"

#include <stdio.h>

#define PREFIX "chunk_as_" /* virtual event is chunk_as_event while plain event is made */

static bool fill(struct tracefile *file, const struct table_def *def, struct tracefile_error *error)
{
  bool is_new;
  char sql[120];
  if (!rec_sql(file->db, file->path, "BEGIN IMMEDIATE", error) ||
      !create_object(file->db, file->path, def->name, &is_new, error))
    return false;
  snprintf(sql, sizeof sql, "INSERT INTO main.%s SELECT * FROM " PREFIX "%s", def->name, def->name);
  if (is_new && !rec_sql(file->db, file->path, sql, error))
    return false;
  return rec_sql(file->db, file->path, "COMMIT", error);
}

bool materialise(struct tracefile *file, struct tracefile_error *error)
{
  /* The sorter of an index is fastest while its runs fit the processor's cache. Times need no second check: those of
   * the chunks had one. */
  if (!rec_sql(
          file->db, file->path,
          "PRAGMA cache_size=-8192; PRAGMA ignore_check_constraints=1; PRAGMA temp_store=MEMORY",
          error))
    return false;
  if (!sql_tables_register(file->db, file, PREFIX))
    return rec_sql_fail(file->db, file->path, "making tables", error);
  for (int i = 0; i < TABLE_COUNT; i++) {
    if (!fill(file, &table_defs[i], error))
      return false;
  }
  return rec_sql(file->db, file->path, "BEGIN IMMEDIATE", error) &&
         create_objects(file->db, file->path, SCHEMA_INDEXES, error) &&
         create_objects(file->db, file->path, SCHEMA_VIEWS, error) &&
         rec_sql(file->db, file->path, "COMMIT", error);
}

bool materialise_is_done(struct tracefile *file)
{
  sqlite3_stmt *stmt;
  const char *sql = "SELECT count(*) FROM sqlite_schema WHERE name IN ('event', 'v_loss')";
  if (sqlite3_prepare_v2(file->db, sql, -1, &stmt, NULL) != SQLITE_OK)
    return false;
  bool done = sqlite3_step(stmt) == SQLITE_ROW && sqlite3_column_int(stmt, 0) == 2;
  sqlite3_finalize(stmt);
  return done;
}
