/* SPDX-License-Identifier: MIT */
/* error.c - errors in words: WHAT: WHY; TODO. What comes from outside is escaped, so that a hostile name
 * cannot speak to a terminal. */
#include "tracefile-private.h"

#include <stdarg.h>
#include <stdio.h>

static void put(char *out, size_t n, size_t *at, const char *text)
{
  for (const unsigned char *c = (const unsigned char *)text; *c; c++) {
    char piece[8] = { (char)*c };
    if (*c < 0x20 || *c == 0x7f)
      snprintf(piece, sizeof piece, "\\x%02x", *c);
    for (const char *p = piece; *p; p++) {
      if (*at + 1 < n)
        out[*at] = *p;
      (*at)++;
    }
  }
}

size_t tracefile_error_text(const struct tracefile_error *error, char *out, size_t n)
{
  size_t at = 0;
  if (error->what[0]) {
    put(out, n, &at, error->what);
    put(out, n, &at, ": ");
  }
  put(out, n, &at, error->why);
  if (error->todo[0]) {
    put(out, n, &at, "; ");
    put(out, n, &at, error->todo);
  }
  if (n > 0)
    out[at < n ? at : n - 1] = '\0';
  return at;
}

bool tracefile_fail(struct tracefile_error *error, enum tracefile_code code, const char *what,
                    const char *todo, const char *why_format, ...)
{
  if (!error)
    return false;
  error->code = code;
  snprintf(error->what, sizeof error->what, "%s", what ? what : "");
  snprintf(error->todo, sizeof error->todo, "%s", todo ? todo : "");
  va_list args;
  va_start(args, why_format);
  vsnprintf(error->why, sizeof error->why, why_format, args);
  va_end(args);
  return false;
}

bool tracefile_sql_fail(sqlite3 *db, const char *path, struct tracefile_error *error)
{
  switch (sqlite3_errcode(db)) {
  case SQLITE_CORRUPT:
  case SQLITE_NOTADB:
    return tracefile_fail(error, TRACEFILE_DAMAGED, path, "make it anew, or restore a copy",
                          "the database is damaged (%s)", sqlite3_errmsg(db));
  case SQLITE_BUSY:
  case SQLITE_LOCKED:
    return tracefile_fail(error, TRACEFILE_REFUSED, path, "try again when it has finished",
                          "another program has locked it");
  case SQLITE_NOMEM:
    return tracefile_fail(error, TRACEFILE_REFUSED, path, "", "there is not enough memory");
  case SQLITE_INTERRUPT:
    return tracefile_fail(error, TRACEFILE_REFUSED, path, "", "reading it took too long");
  default:
    return tracefile_fail(error, TRACEFILE_DAMAGED, path, "", "it could not be read (%s)",
                          sqlite3_errmsg(db));
  }
}
