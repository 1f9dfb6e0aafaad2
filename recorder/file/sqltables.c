/* SPDX-License-Identifier: MIT */
/* sqltables.c - event, g_state, timer_op ... as eponymous virtual tables.
 *
 * A query decodes the chunks that its time range needs and no more; equality on m or g is handed down too.
 * Column event.text is made by these tables alone, and only for who names it (HIDDEN): in the plain table it would be
 * half of the bytes, and it says nothing that kind and a0 ... a3 do not.
 * They only read, have no state between queries, and are innocuous: they may stand in views.
 * Where the file has a plain table of the same name SQLite takes that one, so a query is the same text in both cases.
 */
#include "sqltables.h"

#include "rows.h"
#include "sqlmodule.h"
#include "tracefile-private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
  PLAN_FROM = 1,
  PLAN_TO = 2,
  PLAN_M = 4,
  PLAN_G = 8,
  PLAN_NUMBERED = 16
};

struct binding { /* given to SQLite with a module */
  struct tracefile *file;
  enum table_id table;
};

struct sql_table {
  sqlite3_vtab base; /* first: SQLite's part */
  struct tracefile *file;
  enum table_id table;
};

struct sql_cursor {
  sqlite3_vtab_cursor base;
  struct row_maker *maker;
  const struct table_row *row;
  int64_t rowid;
};

static int connect(sqlite3 *db, void *aux, int argc, const char *const *argv, sqlite3_vtab **out,
                   char **message)
{
  (void)argc;
  (void)argv;
  (void)message;
  const struct binding *binding = aux;
  const struct table_def *def = &table_defs[binding->table];
  char sql[1024];
  size_t at = (size_t)snprintf(sql, sizeof sql, "CREATE TABLE x(");
  for (int i = 0; i < def->n_columns; i++)
    at +=
        (size_t)snprintf(sql + at, sizeof sql - at, "%s%s %s%s", i ? "," : "", def->columns[i].name,
                         def->columns[i].type[0] == 'T' ? "TEXT" : "INTEGER",
                         def->columns[i].source == COL_TEXT ? " HIDDEN" : "");
  assert(at + 2 < sizeof sql);
  memcpy(sql + at, ")", 2);
  int rc = sqlite3_declare_vtab(db, sql);
  if (rc != SQLITE_OK)
    return rc;
  sqlite3_vtab_config(db, SQLITE_VTAB_INNOCUOUS);
  struct sql_table *table = sqlite3_malloc(sizeof *table);
  if (!table)
    return SQLITE_NOMEM;
  *table = (struct sql_table){ .file = binding->file, .table = binding->table };
  *out = &table->base;
  return SQLITE_OK;
}

static int disconnect(sqlite3_vtab *table)
{
  sqlite3_free(table);
  return SQLITE_OK;
}

/* ---- planning ---- */

/* What a constraint can be handed down as; 0: nothing. */
static int plan_of(const struct table_def *def, const struct sqlite3_index_constraint *c)
{
  if (!c->usable || c->iColumn < 0)
    return 0;
  enum table_source source = def->columns[c->iColumn].source;
  bool is_equal = c->op == SQLITE_INDEX_CONSTRAINT_EQ;
  if (source == COL_TS &&
      (c->op == SQLITE_INDEX_CONSTRAINT_GE || c->op == SQLITE_INDEX_CONSTRAINT_GT))
    return PLAN_FROM;
  if (source == COL_TS &&
      (c->op == SQLITE_INDEX_CONSTRAINT_LE || c->op == SQLITE_INDEX_CONSTRAINT_LT))
    return PLAN_TO;
  if (source == COL_M && is_equal)
    return PLAN_M;
  if (source == COL_G && is_equal)
    return PLAN_G;
  return 0;
}

/* Column number of the event's number, or -1. */
static int number_column(const struct table_def *def)
{
  return def->columns[0].source == COL_NO ? 0 : -1;
}

static int best_index(sqlite3_vtab *base, sqlite3_index_info *info)
{
  const struct table_def *def = &table_defs[((struct sql_table *)base)->table];
  int plan = 0, n = 0;
  double rows = 1e7;
  for (int bit = PLAN_FROM; bit <= PLAN_G; bit *= 2) { /* arguments come in the order of the bits */
    for (int i = 0; i < info->nConstraint; i++) {
      if (plan & bit || plan_of(def, &info->aConstraint[i]) != bit)
        continue;
      info->aConstraintUsage[i].argvIndex = ++n;
      plan |= bit;
      rows /= 4;
    }
  }
  if (number_column(def) == 0 && info->colUsed & 1)
    plan |= PLAN_NUMBERED;
  info->idxNum = plan;
  info->estimatedCost = rows;
  info->estimatedRows = (sqlite3_int64)rows;
  if (info->nOrderBy == 1 && !info->aOrderBy[0].desc && info->aOrderBy[0].iColumn >= 0) {
    enum table_source source = def->columns[info->aOrderBy[0].iColumn].source;
    info->orderByConsumed = source == COL_TS || source == COL_NO;
  }
  return SQLITE_OK;
}

/* ---- reading ---- */

static int open_cursor(sqlite3_vtab *base, sqlite3_vtab_cursor **out)
{
  (void)base;
  struct sql_cursor *c = sqlite3_malloc(sizeof *c);
  if (!c)
    return SQLITE_NOMEM;
  *c = (struct sql_cursor){ .maker = NULL };
  *out = &c->base;
  return SQLITE_OK;
}

static int close_cursor(sqlite3_vtab_cursor *base)
{
  struct sql_cursor *c = (struct sql_cursor *)base;
  row_maker_free(c->maker);
  sqlite3_free(c);
  return SQLITE_OK;
}

static int next(sqlite3_vtab_cursor *base)
{
  struct sql_cursor *c = (struct sql_cursor *)base;
  c->row = row_maker_next(c->maker);
  c->rowid++;
  return SQLITE_OK;
}

static bool is_integer(sqlite3_value *value)
{
  return sqlite3_value_numeric_type(value) == SQLITE_INTEGER;
}

/* Values that are no integers are not handed down: SQLite compares them itself. */
static void read_plan(int plan, sqlite3_value **argv, struct row_filter *filter)
{
  int64_t *const targets[] = { &filter->from, &filter->to, &filter->m, &filter->g };
  for (int i = 0; i < 4; i++) {
    if (!(plan & 1 << i))
      continue;
    if (is_integer(*argv))
      *targets[i] = sqlite3_value_int64(*argv);
    argv++;
  }
  filter->numbered = plan & PLAN_NUMBERED;
}

static int filter(sqlite3_vtab_cursor *base, int plan, const char *unused, int argc,
                  sqlite3_value **argv)
{
  (void)unused;
  (void)argc;
  struct sql_cursor *c = (struct sql_cursor *)base;
  struct sql_table *table = (struct sql_table *)base->pVtab;
  struct row_filter wanted = { .from = INT64_MIN, .to = INT64_MAX, .m = ROW_NULL, .g = ROW_NULL };
  read_plan(plan, argv, &wanted);
  row_maker_free(c->maker);
  struct tracefile_error error;
  c->rowid = 0;
  c->maker = row_maker_new(table->file, table->table, &wanted, &error);
  if (c->maker)
    return next(base);
  sqlite3_free(table->base.zErrMsg);
  table->base.zErrMsg = sqlite3_mprintf("%s", error.why);
  return SQLITE_ERROR;
}

static int at_end(sqlite3_vtab_cursor *base)
{
  return ((struct sql_cursor *)base)->row == NULL;
}

static int column(sqlite3_vtab_cursor *base, sqlite3_context *context, int i)
{
  const struct sql_table *table = (const struct sql_table *)base->pVtab;
  row_result(table->file, table->table, ((struct sql_cursor *)base)->row, i, context);
  return SQLITE_OK;
}

static int rowid(sqlite3_vtab_cursor *base, sqlite3_int64 *out)
{
  *out = ((struct sql_cursor *)base)->rowid;
  return SQLITE_OK;
}

static const sqlite3_module module = {
  .iVersion = 0,
  .xConnect = connect, /* no xCreate: eponymous only */
  .xBestIndex = best_index,
  .xDisconnect = disconnect,
  .xOpen = open_cursor,
  .xClose = close_cursor,
  .xFilter = filter,
  .xNext = next,
  .xEof = at_end,
  .xColumn = column,
  .xRowid = rowid,
};

/* ---- making them known ---- */

bool sql_tables_register(sqlite3 *db, struct tracefile *file, const char *prefix)
{
  for (int i = 0; i < TABLE_COUNT; i++) {
    char name[40];
    struct binding *binding = malloc(sizeof *binding);
    if (!binding)
      return false;
    *binding = (struct binding){ file, (enum table_id)i };
    snprintf(name, sizeof name, "%s%s", prefix, table_defs[i].name);
    /* frees binding when it fails, too */
    if (sqlite3_create_module_v2(db, name, &module, binding, free) != SQLITE_OK)
      return false;
  }
  return true;
}

/* The file's own views are refused (ENABLE_VIEW is off): these are ours, in the connection only. */
static bool create_views(sqlite3 *db)
{
  size_t n;
  const struct schema_object *objects = schema_objects(&n);
  for (size_t i = 0; i < n; i++) {
    if (objects[i].part != SCHEMA_VIEWS)
      continue;
    char *sql = sqlite3_mprintf("CREATE TEMP %s", objects[i].sql + strlen("CREATE "));
    int rc = sql ? sqlite3_exec(db, sql, NULL, NULL, NULL) : SQLITE_NOMEM;
    sqlite3_free(sql);
    if (rc != SQLITE_OK)
      return false;
  }
  return true;
}

/* SQLite connects a virtual table at its first use, by statements that the authorizer would deny. */
static bool connect_all(sqlite3 *db)
{
  for (int i = 0; i < TABLE_COUNT; i++) {
    char sql[60];
    snprintf(sql, sizeof sql, "SELECT 1 FROM %s LIMIT 0", table_defs[i].name);
    if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
      return false;
  }
  return true;
}

bool tracefile_enable_sql(struct tracefile *file, struct tracefile_error *error)
{
  if (file->has_schema_sql)
    return true;
  sqlite3_set_authorizer(file->db, NULL, NULL);
  bool ok = sqlite3_exec(file->db, "PRAGMA query_only=0", NULL, NULL, NULL) == SQLITE_OK &&
            sql_tables_register(file->db, file, "") && connect_all(file->db) &&
            create_views(file->db);
  if (!ok)
    tracefile_sql_fail(file->db, file->path, error);
  tracefile_lock_down(file->db);
  file->has_schema_sql = ok;
  return ok;
}
