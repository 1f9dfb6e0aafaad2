/* SPDX-License-Identifier: MIT */
/* rowstate.h - rows computed from the replayed state: g_state, m_state, p_state, wake. */
#pragma once
#include "rows.h"

struct row_states;

/* NULL: out of memory. */
struct row_states *row_states_new(enum table_id table);
void row_states_free(struct row_states *s); /* NULL is fine */
/* Takes events from the cursor until a row is whole; at the end, what is still open. NULL: no more. */
const struct table_row *row_states_next(struct row_states *s, struct tracefile_cursor *cursor);
