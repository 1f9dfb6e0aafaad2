/* SPDX-License-Identifier: MIT */
/* sqltables.h - event, g_state, timer_op ... as tables in SQL, decoded from the chunks while they
 * are read. */
#pragma once
#include "schema.h"
#include "tracefile.h"

/* Makes the tables of table_defs known to a connection as virtual tables that read from file: where
 * the file has a plain table of that name, that one is used.  With views, the file's views v_...
 * are there too, from our own text.  After it the connection answers any SELECT and refuses all
 * else (authorizer). For `gmpscope sql` and the viewer's SQL box; the caller sets its own progress
 * handler and row cap. */
bool tracefile_enable_sql(struct tracefile *file, struct tracefile_error *error);
