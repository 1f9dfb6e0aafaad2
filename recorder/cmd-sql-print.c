/* SPDX-License-Identifier: MIT */
/* cmd-sql-print.c - rows as an aligned table, JSON or CSV.
 *
 * The aligned table must know every row before it prints the first, so it holds them, up to HELD_MAX bytes.
 * Numbers stand to the right, text to the left; a cell longer than CELL_MAX columns is cut with "..." (the
 * other forms never cut).
 */
#include "cmd-sql.h"
#include "out.h"
#include "trace-grow.h"

#include <stdlib.h>
#include <string.h>

#define HELD_MAX   ((size_t)64 << 20)
#define CELL_MAX   100 /* columns; at most 4 bytes each */
#define CELL_BYTES ((size_t)CELL_MAX * 4)

struct cell {
  char *text;
  size_t width;
};

struct sql_printer {
  enum sql_form form;
  FILE *to;
  int n_columns;
  struct out_json json;
  /* SQL_TEXT only */
  struct cell *cells; /* names first, then row by row */
  size_t n_cells, capacity, held;
  size_t *widths;
  bool *is_number; /* every value so far is one */
};

static bool hold(struct sql_printer *p, const char *bytes, size_t n)
{
  if (!trace_grow(&p->cells, &p->capacity, p->n_cells, sizeof *p->cells))
    return false;
  char text[CELL_BYTES + 8], cut[CELL_BYTES + 16];
  size_t length = out_escape(text, sizeof text - 4, bytes, n < CELL_BYTES ? n : CELL_BYTES);
  size_t at = 0, width = 0;
  for (; at < length; at++) {
    bool begins = (text[at] & 0xc0) != 0x80;
    if (begins && width == CELL_MAX)
      break;
    width += begins;
  }
  snprintf(cut, sizeof cut, "%.*s%s", (int)at, text, at < length || n > CELL_BYTES ? "..." : "");
  struct cell *cell = &p->cells[p->n_cells];
  *cell = (struct cell){ .text = strdup(cut), .width = out_width(cut, strlen(cut)) };
  p->held += strlen(cut) + sizeof *cell + 32;
  if (!cell->text || p->held > HELD_MAX) {
    free(cell->text);
    return false;
  }
  size_t *widest = &p->widths[p->n_cells++ % (size_t)p->n_columns];
  if (cell->width > *widest)
    *widest = cell->width;
  return true;
}

static void put_csv(FILE *to, const char *bytes, size_t n)
{
  bool must_quote = false;
  for (size_t i = 0; i < n; i++)
    must_quote = must_quote || strchr(",\"\r\n", bytes[i]);
  if (!must_quote) {
    fwrite(bytes, 1, n, to);
    return;
  }
  fputc('"', to);
  for (size_t i = 0; i < n; i++) {
    if (bytes[i] == '"')
      fputc('"', to);
    fputc(bytes[i], to);
  }
  fputc('"', to);
}

static bool begin(struct sql_printer *p, sqlite3_stmt *statement)
{
  if (p->form == SQL_JSON) {
    out_json_begin(&p->json, p->to);
    out_array(&p->json, NULL);
    return true;
  }
  for (int i = 0; i < p->n_columns; i++) {
    const char *name = sqlite3_column_name(statement, i);
    size_t length = name ? strlen(name) : 0;
    if (p->form == SQL_TEXT && !hold(p, name ? name : "", length))
      return false;
    if (p->form == SQL_TEXT)
      continue;
    put_csv(p->to, name ? name : "", length);
    fputc(i + 1 < p->n_columns ? ',' : '\n', p->to);
  }
  return true;
}

static void free_printer(struct sql_printer *p)
{
  for (size_t i = 0; i < p->n_cells; i++)
    free(p->cells[i].text);
  free(p->cells);
  free(p->widths);
  free(p->is_number);
  free(p);
}

struct sql_printer *sql_printer_new(enum sql_form form, sqlite3_stmt *statement, FILE *to)
{
  struct sql_printer *p = calloc(1, sizeof *p);
  if (!p)
    return NULL;
  p->form = form;
  p->to = to;
  p->n_columns = sqlite3_column_count(statement);
  p->widths = calloc((size_t)p->n_columns + 1, sizeof *p->widths);
  p->is_number = calloc((size_t)p->n_columns + 1, sizeof *p->is_number);
  for (int i = 0; p->is_number && i < p->n_columns; i++)
    p->is_number[i] = true;
  if (!p->widths || !p->is_number || !begin(p, statement)) {
    free_printer(p);
    return NULL;
  }
  return p;
}

static void json_value(struct out_json *j, sqlite3_stmt *row, int i)
{
  const char *key = sqlite3_column_name(row, i);
  switch (sqlite3_column_type(row, i)) {
  case SQLITE_NULL:
    out_null(j, key);
    break;
  case SQLITE_INTEGER:
    out_int(j, key, sqlite3_column_int64(row, i));
    break;
  case SQLITE_FLOAT:
    out_real(j, key, sqlite3_column_double(row, i));
    break;
  default:
    out_string_n(j, key, sqlite3_column_blob(row, i), (size_t)sqlite3_column_bytes(row, i));
    break;
  }
}

bool sql_printer_row(struct sql_printer *p, sqlite3_stmt *row)
{
  if (p->form == SQL_JSON)
    out_object(&p->json, NULL);
  for (int i = 0; i < p->n_columns; i++) {
    int type = sqlite3_column_type(row, i);
    if (p->form == SQL_JSON) {
      json_value(&p->json, row, i);
      continue;
    }
    const char *text = (const char *)sqlite3_column_text(row, i);
    size_t length = text ? (size_t)sqlite3_column_bytes(row, i) : 0;
    if (p->form == SQL_TEXT) {
      p->is_number[i] = p->is_number[i] && type != SQLITE_TEXT && type != SQLITE_BLOB;
      if (!hold(p, text ? text : "", length))
        return false;
      continue;
    }
    put_csv(p->to, text ? text : "", length);
    fputc(i + 1 < p->n_columns ? ',' : '\n', p->to);
  }
  if (p->form == SQL_JSON)
    out_end(&p->json);
  return true;
}

static void print_line(const struct sql_printer *p, const struct cell *cells)
{
  for (int i = 0; i < p->n_columns; i++) {
    int pad = (int)(p->widths[i] - cells[i].width);
    bool is_last = i + 1 == p->n_columns;
    if (p->is_number[i])
      fprintf(p->to, "%*s%s%s", pad, "", cells[i].text, is_last ? "\n" : "  ");
    else
      fprintf(p->to, "%s%*s%s", cells[i].text, is_last ? 0 : pad, "", is_last ? "\n" : "  ");
  }
}

static void print_rule(const struct sql_printer *p)
{
  for (int i = 0; i < p->n_columns; i++) {
    for (size_t n = 0; n < p->widths[i]; n++)
      fputc('-', p->to);
    fputs(i + 1 < p->n_columns ? "  " : "\n", p->to);
  }
}

void sql_printer_end(struct sql_printer *p)
{
  if (!p)
    return;
  size_t n_columns = (size_t)p->n_columns;
  for (size_t at = 0; p->form == SQL_TEXT && n_columns && at + n_columns <= p->n_cells;
       at += n_columns) {
    print_line(p, &p->cells[at]);
    if (at == 0)
      print_rule(p);
  }
  if (p->form == SQL_JSON)
    out_end(&p->json);
  free_printer(p);
}
