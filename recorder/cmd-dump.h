/* SPDX-License-Identifier: MIT */
/* cmd-dump.h - the losses at an M's end, which have no event behind them to show as a gap before it. */
#pragma once
#include "trace-text.h"
#include "tracefile.h"

/* Prints a line of meta for each (CLI_META_LOST_AT_END): what table loss tells after an M's last event; and of a damaged
 * file also what chunks behind the last readable event held, so that whoever loads the text has it in the account.
 * is_whole: all events will be printed; of a part only what the table tells is. */
bool dump_end_losses(struct tracefile *file, bool is_whole, struct trace_text_printer *printer,
                     struct tracefile_error *error);
