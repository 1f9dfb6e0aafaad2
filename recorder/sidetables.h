/* SPDX-License-Identifier: MIT */
/* sidetables.h - the small plain tables: what the trace is about, and the books. */
#pragma once
#include "facts.h"
#include "symbols.h"
#include "tracefile-private.h"

/* Fills g, m, p, timer, object, string, stack, frame anew, in the transaction that is open. symbols: NULL none. */
bool sidetables_fill(struct tracefile *file, const struct facts *facts, struct symbols *symbols,
                     struct tracefile_error *error);
/* Fills stored and lost of table stats from the chunks and losses themselves, and the totals; reads what the
 * program counted, where it did. *agrees: emitted = stored + lost on every M. */
bool sidetables_books(struct tracefile *file, uint64_t *emitted, uint64_t *stored, uint64_t *lost,
                      bool *agrees, struct tracefile_error *error);
