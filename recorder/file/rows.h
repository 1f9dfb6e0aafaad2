/* SPDX-License-Identifier: MIT */
/* rows.h - rows of the tables that are made from chunks (table_defs), one after the other. */
#pragma once
#include "schema.h"
#include "tracefile.h"

#define ROW_NULL INT64_MIN /* a value in v that is SQL's NULL */

/* A row: the event it stands for, or values computed. Texts in s are static. */
struct table_row {
  struct trace_event e;
  uint64_t no; /* number of the event */
  int64_t v[10];
  const char *s[2];
};

/* What is asked for. Rows outside may come all the same; rows inside all come. */
struct row_filter {
  int64_t from, to; /* time; of the tables with one row an event */
  int64_t m, g;     /* ROW_NULL: any */
  bool numbered;    /* row->no is wanted */
};

struct row_maker;

/* NULL: error. */
struct row_maker *row_maker_new(struct tracefile *file, enum table_id table,
                                const struct row_filter *filter, struct tracefile_error *error);
/* The next row, borrowed until the next call; NULL at the end. */
const struct table_row *row_maker_next(struct row_maker *maker);
void row_maker_free(struct row_maker *maker); /* NULL is fine */

/* Gives column i of the row as a statement's result. */
void row_result(struct tracefile *file, enum table_id table, const struct table_row *row, int i,
                sqlite3_context *context);
/* All arguments of an event in words: "why=chan receive obj=0x55d0c0". Returns the length, cut to n - 1. */
size_t row_text(struct tracefile *file, const struct trace_event *e, char *out, size_t n);
