/* SPDX-License-Identifier: MIT */
/* schema.h - the SQL text of a trace file, as data: who writes a file and who opens one read the
 * same lines.
 *
 * The writer executes these texts; the hardened open compares every row of sqlite_schema with them,
 * byte by byte, before it asks the file anything (harden.c).  Column tables give CREATE TABLE, the
 * virtual tables' declarations, the values themselves and the rows of schema_doc, so that none of
 * them can disagree.
 *
 * Rules of the schema: STRICT tables; NULL is unknown or none; times are ns since the trace's
 * start, in INTEGER columns checked to lie in 0 ... 2^62-1 (two of them can be added without
 * leaving 64 bits); words instead of numbers wherever a person reads; no table, column or meaning
 * is ever taken away or changed.
 */
#pragma once
#include "trace-event.h"

enum schema_part {
  SCHEMA_CORE,    /* there from the first transaction on */
  SCHEMA_TABLES,  /* plain tables made from the chunks; names are also virtual tables */
  SCHEMA_INDEXES, /* made when the recording ends */
  SCHEMA_VIEWS,   /* for people */
};

/* One object of the file. */
struct schema_object {
  enum schema_part part;
  const char *type; /* "table", "index", "view": as sqlite_schema says */
  const char *name;
  const char *sql;
};

/* All objects a file may hold, in the order of creation. Static. */
const struct schema_object *schema_objects(size_t *n);

/* One line of schema_doc for a table that is not made from chunks. */
struct schema_doc {
  const char *table, *column, *unit, *en, *zh;
};
const struct schema_doc *schema_docs(size_t *n);

/* ---- tables made from chunks ---- */

/* Where a column's value comes from. */
enum table_source {
  COL_NO, /* number of the event in time order, from 1 */
  COL_TS,
  COL_M,
  COL_SEQ,
  COL_P,
  COL_G,
  COL_KIND, /* name of the event */
  COL_TEXT, /* all arguments, spelled */
  COL_NTH,  /* value of the n-th argument; args is "0" ... "3" */
  COL_ARG,  /* value of the first of the arguments named in args that the event has */
  COL_WORD, /* the same, as the text of a word */
  COL_FN,   /* the same, as a function's name */
  COL_STR,  /* the same, as the text of a string */
  COL_V0,   /* row->v[0], computed */
  COL_V1,
  COL_V2,
  COL_V3,
  COL_V4,
  COL_V5,
  COL_V6,
  COL_V7,
  COL_V8,
  COL_V9,
  COL_S0, /* row->s[0], computed */
  COL_S1,
};

struct table_column {
  const char *name;
  const char *type; /* "INTEGER", "TEXT"; with CHECK where it has one */
  enum table_source source;
  const char *args; /* argument names, separated by spaces; NULL */
  const char *unit; /* "ns", "" */
  const char *en, *zh;
};

enum table_id {
  TABLE_EVENT,
  TABLE_G_STATE,
  TABLE_M_STATE,
  TABLE_P_STATE,
  TABLE_WAKE,
  TABLE_TIMER_OP,
  TABLE_RUNQ_OP,
  TABLE_DEFER_OP,
  TABLE_PANIC_OP,
  TABLE_COUNT,
};

struct table_def {
  const char *name;
  const char *en, *zh;
  enum trace_family family; /* one row for each event of it; 0: rows are computed */
  const struct table_column *columns;
  int n_columns;
};
extern const struct table_def table_defs[TABLE_COUNT];
