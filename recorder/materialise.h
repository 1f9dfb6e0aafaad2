/* SPDX-License-Identifier: MIT */
/* materialise.h - the tables made from chunks, as plain tables that need no extension. */
#pragma once
#include "tracefile-private.h"

/* Makes those that are not there yet, each in a transaction of its own; then indexes and views. No transaction is
 * open. file is on a connection that may write. */
bool materialise(struct tracefile *file, struct tracefile_error *error);
/* True if they are all there. */
bool materialise_is_done(struct tracefile *file);
