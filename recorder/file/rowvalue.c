/* SPDX-License-Identifier: MIT */
/* rowvalue.c - the value of a column of a row, as the column's line in tables.c says.
 *
 * Which word of an event a column means ("heap", "put_g got_g") is looked up once for every kind. */
#include "rows.h"

#include <pthread.h>
#include <string.h>

#define MAX_COLUMNS 20
#define NO_WORD     0xff

/* By table, column and kind: the word of the argument. */
static uint8_t words[TABLE_COUNT][MAX_COLUMNS][TRACE_KIND_LIMIT];
static pthread_once_t once = PTHREAD_ONCE_INIT;

/* True if name is one of the space-separated names. */
static bool is_among(const char *name, const char *names)
{
  size_t length = strlen(name);
  for (const char *at = names; at; at = strchr(at, ' ')) {
    at += *at == ' ';
    if (strncmp(at, name, length) == 0 && (at[length] == ' ' || at[length] == '\0'))
      return true;
  }
  return false;
}

static uint8_t find_word(const struct table_column *column, const struct trace_spec *spec)
{
  int nth = column->source == COL_NTH ? column->args[0] - '0' : 0;
  for (uint8_t word = 0; word < 4; word++) {
    const char *name = spec->args[word].name;
    if (!name || (column->source != COL_NTH && !is_among(name, column->args)))
      continue;
    if (nth-- == 0)
      return word;
  }
  return NO_WORD;
}

static void fill_words(void)
{
  memset(words, NO_WORD, sizeof words);
  for (int t = 0; t < TABLE_COUNT; t++) {
    assert(table_defs[t].n_columns <= MAX_COLUMNS);
    for (int i = 0; i < table_defs[t].n_columns; i++) {
      for (uint32_t kind = 0; kind < TRACE_KIND_LIMIT; kind++) {
        const struct trace_spec *spec = trace_spec_get(kind);
        if (spec && table_defs[t].columns[i].args)
          words[t][i][kind] = find_word(&table_defs[t].columns[i], spec);
      }
    }
  }
}

static void result_number(sqlite3_context *context, int64_t value)
{
  if (value == ROW_NULL)
    sqlite3_result_null(context);
  else
    sqlite3_result_int64(context, value);
}

static void result_static(sqlite3_context *context, const char *text)
{
  if (text)
    sqlite3_result_text(context, text, -1, SQLITE_STATIC);
  else
    sqlite3_result_null(context);
}

static void result_string(struct tracefile *file, uint64_t id, sqlite3_context *context)
{
  size_t length;
  const char *text = tracefile_string(file, (uint32_t)id, &length);
  if (text)
    sqlite3_result_text(context, text, (int)length, SQLITE_TRANSIENT);
  else
    sqlite3_result_null(context);
}

static void result_argument(struct tracefile *file, const struct table_column *column,
                            const struct trace_event *e, uint8_t word, sqlite3_context *context)
{
  if (word == NO_WORD)
    return; /* NULL */
  const struct trace_spec *spec = &trace_specs[e->kind];
  enum trace_arg type = spec->args[word].type;
  uint64_t value = trace_arg_value(e, spec, word);
  struct tracefile_frame frame;
  if (column->source == COL_WORD)
    result_static(context, trace_word_text(type, (uint32_t)value));
  else if (column->source == COL_FN)
    result_static(context, tracefile_frame(file, value, &frame) ? frame.function : NULL);
  else if (column->source == COL_STR)
    result_string(file, value, context);
  else if (!trace_arg_is_none(type, value))
    sqlite3_result_int64(context, (int64_t)value);
}

static void result_text(struct tracefile *file, const struct trace_event *e,
                        sqlite3_context *context)
{
  char text[2048];
  size_t n = row_text(file, e, text, sizeof text);
  sqlite3_result_text(context, text, (int)n, SQLITE_TRANSIENT);
}

void row_result(struct tracefile *file, enum table_id table, const struct table_row *row, int i,
                sqlite3_context *context)
{
  pthread_once(&once, fill_words);
  const struct table_column *column = &table_defs[table].columns[i];
  const struct trace_event *e = &row->e;
  switch (column->source) {
  case COL_NO:
    sqlite3_result_int64(context, (int64_t)row->no);
    return;
  case COL_TS:
    sqlite3_result_int64(context, e->ts);
    return;
  case COL_M:
    sqlite3_result_int64(context, e->m);
    return;
  case COL_SEQ:
    sqlite3_result_int64(context, (int64_t)e->seq);
    return;
  case COL_P:
    result_number(context, e->p == TRACE_NO_P ? ROW_NULL : e->p);
    return;
  case COL_G:
    result_number(context, e->g == 0 ? ROW_NULL : e->g);
    return;
  case COL_KIND:
    result_static(context, trace_specs[e->kind].name);
    return;
  case COL_TEXT:
    result_text(file, e, context);
    return;
  case COL_S0:
  case COL_S1:
    result_static(context, row->s[column->source - COL_S0]);
    return;
  case COL_NTH:
  case COL_ARG:
  case COL_WORD:
  case COL_FN:
  case COL_STR:
    result_argument(file, column, e, words[table][i][e->kind], context);
    return;
  default:
    result_number(context, row->v[column->source - COL_V0]);
  }
}
