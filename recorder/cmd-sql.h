/* SPDX-License-Identifier: MIT */
/* cmd-sql.h - printing the rows of a statement: text, JSON or CSV. */
#pragma once
#include "cli.h"

enum sql_form {
  SQL_TEXT, /* columns aligned, control characters escaped; printed at the end */
  SQL_JSON,
  SQL_CSV, /* RFC 4180, lines end in \n; NULL is empty */
};

struct sql_printer;

/* NULL: out of memory. */
struct sql_printer *sql_printer_new(enum sql_form form, sqlite3_stmt *statement, FILE *to);
/* Takes the current row. False: out of memory. */
bool sql_printer_row(struct sql_printer *printer, sqlite3_stmt *statement);
/* Prints what is held back, ends the form and frees. NULL is fine. */
void sql_printer_end(struct sql_printer *printer);
