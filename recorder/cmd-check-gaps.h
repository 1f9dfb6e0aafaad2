/* SPDX-License-Identifier: MIT */
/* cmd-check-gaps.h - is each gap in an M's numbers told, and as large as it is told? (rule "lost")
 *
 * The replay has that rule, but judges nothing from the first loss on, and every gap is one.  The numbers need no
 * trust in what the scheduler did, so check judges them to the end of the trace.
 */
#pragma once
#include "cmd-ledger.h"
#include "trace-replay.h"

struct check_gaps {
  struct tracefile *file;
  struct ledger_loss *told; /* losses that have no `lost` record, by M and number */
  size_t n_told;
  bool is_from_start; /* trace_begin said so: numbers begin at 0 */
};

/* gaps is all zeroes before, and to be cleared after, success or not. False: out of memory. */
bool check_gaps_init(struct check_gaps *gaps, struct tracefile *file, const struct ledger *ledger);
void check_gaps_clear(struct check_gaps *gaps);
/* To be asked of every event, before the replay applies it. False: e's number is not the next one of its M and the file
 * does not say why: no `lost` record of just that size, no row of table loss, no damage.  *breach then tells it. */
bool check_gaps_add(struct check_gaps *gaps, const struct trace_replay *before,
                    const struct trace_event *e, struct trace_breach *breach);
