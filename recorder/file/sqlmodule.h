/* SPDX-License-Identifier: MIT */
/* sqlmodule.h - the virtual tables on any connection, under names with a prefix; for the finaliser. */
#pragma once
#include "tracefile.h"

/* file is borrowed and must live until db is closed or the names are registered anew. False: see db. */
bool sql_tables_register(sqlite3 *db, struct tracefile *file, const char *prefix);
