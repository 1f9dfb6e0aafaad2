/* SPDX-License-Identifier: MIT */
/* query-rows.c - an answer in CSV, taken apart once (query-rows.h).
 *
 * CSV and not JSON: GLib reads no JSON, and the command writes CSV row by row, so a cut answer still has whole rows.
 * The text is taken apart in place, in one copy; a row is an object only while somebody looks at it, so an answer of a
 * hundred thousand rows costs its text and eight bytes a cell.
 *
 * I1  Cell c of row r (0: the names) is cells[starts[r] + c], up to cells[starts[r + 1]].
 */
#include "query-rows.h"

#include <string.h>

struct _UiQueryRow {
  GObject parent_instance;
  UiQueryRows *rows; /* owned: a row may outlive the view's model */
  guint no;
};
G_DEFINE_TYPE(UiQueryRow, ui_query_row, G_TYPE_OBJECT)

struct _UiQueryRows {
  GObject parent_instance;
  char *text;       /* quotes taken off, each cell ends in a NUL */
  GPtrArray *cells; /* into text */
  GArray *starts;   /* of guint */
  guint n_columns;
};
static void init_list(GListModelInterface *list);
G_DEFINE_TYPE_WITH_CODE(UiQueryRows, ui_query_rows, G_TYPE_OBJECT,
                        G_IMPLEMENT_INTERFACE(G_TYPE_LIST_MODEL, init_list))

static guint n_lines(UiQueryRows *rows)
{
  return rows->starts->len - 1;
}

static const char *cell(UiQueryRows *rows, guint line, guint column)
{
  const guint at = g_array_index(rows->starts, guint, line) + column;
  return line < n_lines(rows) && at < g_array_index(rows->starts, guint, line + 1)
             ? g_ptr_array_index(rows->cells, at)
             : "";
}

/* ---- a row ---- */

const char *ui_query_row_cell(UiQueryRow *row, guint column)
{
  return cell(row->rows, row->no + 1, column);
}

gboolean ui_query_row_number(UiQueryRow *row, guint column, uint64_t *number)
{
  guint64 value;
  if (!g_ascii_string_to_unsigned(ui_query_row_cell(row, column), 10, 0, G_MAXINT64, &value, NULL))
    return FALSE;
  *number = value;
  return TRUE;
}

static void row_finalize(GObject *object)
{
  g_clear_object(&UI_QUERY_ROW(object)->rows);
  G_OBJECT_CLASS(ui_query_row_parent_class)->finalize(object);
}

static void ui_query_row_class_init(UiQueryRowClass *class)
{
  G_OBJECT_CLASS(class)->finalize = row_finalize;
}

static void ui_query_row_init(UiQueryRow *row)
{
  (void)row;
}

/* ---- the rows ---- */

static GType get_item_type(GListModel *list)
{
  (void)list;
  return UI_TYPE_QUERY_ROW;
}

static guint get_n_items(GListModel *list)
{
  const guint n = n_lines(UI_QUERY_ROWS(list));
  return n ? n - 1 : 0;
}

static gpointer get_item(GListModel *list, guint no)
{
  if (no >= get_n_items(list))
    return NULL;
  UiQueryRow *row = g_object_new(UI_TYPE_QUERY_ROW, NULL);
  row->rows = g_object_ref(UI_QUERY_ROWS(list));
  row->no = no;
  return row;
}

static void init_list(GListModelInterface *list)
{
  list->get_item_type = get_item_type;
  list->get_n_items = get_n_items;
  list->get_item = get_item;
}

guint ui_query_rows_columns(UiQueryRows *rows)
{
  return rows->n_columns;
}

const char *ui_query_rows_name(UiQueryRows *rows, guint column)
{
  return cell(rows, 0, column);
}

int ui_query_rows_find(UiQueryRows *rows, const char *name)
{
  for (guint i = 0; i < rows->n_columns; i++)
    if (g_str_equal(cell(rows, 0, i), name))
      return (int)i;
  return -1;
}

gboolean ui_query_rows_is_number(UiQueryRows *rows, guint column)
{
  gboolean is_any = FALSE;
  for (guint line = 1; line < n_lines(rows); line++) {
    const char *text = cell(rows, line, column);
    char *end;
    if (!*text)
      continue;
    g_ascii_strtod(text, &end);
    if (*end || !strchr("-.0123456789", *text))
      return FALSE;
    is_any = TRUE;
  }
  return is_any;
}

/* ---- taking apart ---- */

/* Reads the cell at s, takes its quotes off in place, and ends it.  Returns what follows its delimiter, which is in
 * *delimiter: ',' '\n' or NUL at the end. */
static char *take_cell(UiQueryRows *rows, char *s, const char *end, char *delimiter)
{
  g_ptr_array_add(rows->cells, s);
  char *to = s;
  gboolean is_quoted = FALSE;
  for (; s < end; s++) {
    if (*s == '"') {
      if (is_quoted && s + 1 < end && s[1] == '"')
        *to++ = *++s;
      else
        is_quoted = !is_quoted;
    } else if (!is_quoted && (*s == ',' || *s == '\n')) {
      break;
    } else {
      *to++ = (char)(*s ? *s : ' '); /* a NUL within a text would hide the rest */
    }
  }
  *delimiter = (char)(s < end ? *s : '\0');
  *to = '\0';
  return s < end ? s + 1 : s;
}

static void take_apart(UiQueryRows *rows, gsize length)
{
  char *s = rows->text, *end = rows->text + length;
  guint start = 0;
  g_array_append_val(rows->starts, start);
  while (s < end) {
    char delimiter = ',';
    while (delimiter == ',')
      s = take_cell(rows, s, end, &delimiter);
    rows->n_columns = MAX(rows->n_columns, rows->cells->len - start);
    start = rows->cells->len;
    g_array_append_val(rows->starts, start);
  }
}

static void rows_finalize(GObject *object)
{
  UiQueryRows *rows = UI_QUERY_ROWS(object);
  g_ptr_array_unref(rows->cells);
  g_array_unref(rows->starts);
  g_free(rows->text);
  G_OBJECT_CLASS(ui_query_rows_parent_class)->finalize(object);
}

static void ui_query_rows_class_init(UiQueryRowsClass *class)
{
  G_OBJECT_CLASS(class)->finalize = rows_finalize;
}

static void ui_query_rows_init(UiQueryRows *rows)
{
  rows->cells = g_ptr_array_new();
  rows->starts = g_array_new(FALSE, FALSE, sizeof(guint));
}

UiQueryRows *ui_query_rows_new(GBytes *csv)
{
  UiQueryRows *rows = g_object_new(UI_TYPE_QUERY_ROWS, NULL);
  gsize length;
  const char *bytes = g_bytes_get_data(csv, &length);
  rows->text = g_malloc(length + 1);
  if (length)
    memcpy(rows->text, bytes, length);
  rows->text[length] = '\0';
  take_apart(rows, length);
  return rows;
}
