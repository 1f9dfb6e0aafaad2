/* SPDX-License-Identifier: MIT */
/* query-rows.h - an answer in CSV as a GListModel of rows.  No display. */
#pragma once
#include <gio/gio.h>
#include <stdint.h>

#define UI_TYPE_QUERY_ROW (ui_query_row_get_type())
G_DECLARE_FINAL_TYPE(UiQueryRow, ui_query_row, UI, QUERY_ROW, GObject)
/* The cell's bytes, as the command wrote them; "" beyond the row's end. Borrowed from the row. */
const char *ui_query_row_cell(UiQueryRow *row, guint column);
/* The cell as a whole number from 0 on. False: it is none. */
gboolean ui_query_row_number(UiQueryRow *row, guint column, uint64_t *number);

#define UI_TYPE_QUERY_ROWS (ui_query_rows_get_type())
G_DECLARE_FINAL_TYPE(UiQueryRows, ui_query_rows, UI, QUERY_ROWS, GObject)

/* Takes RFC 4180 with a line of names, as `gmpscope sql --csv` writes it. A second statement's answer follows the
 * first one's, its names as a row. */
UiQueryRows *ui_query_rows_new(GBytes *csv);
guint ui_query_rows_columns(UiQueryRows *rows);
/* "" for a column that has none. Borrowed. */
const char *ui_query_rows_name(UiQueryRows *rows, guint column);
/* The column of this name, or -1. */
int ui_query_rows_find(UiQueryRows *rows, const char *name);
/* Whether all values of a column are numbers (or nothing), and one is there: such columns stand to the right. */
gboolean ui_query_rows_is_number(UiQueryRows *rows, guint column);
