/* SPDX-License-Identifier: MIT */
/* cmd-check-gaps.c - see cmd-check-gaps.h.
 *
 * A jump that the writer met makes a row of table loss as well, so such a row is no explanation: it says what the
 * numbers say, not what the program told.  All other rows are: records that were no events, say.  Numbers of chunks that
 * are damaged or missing explain a gap, too; they are told as damage.
 *
 * Cost: a look-up an event; of a gap whose record does not account for it, a bisection and a look at the damage.
 */
#include "cmd-check-gaps.h"

#include "recorder.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static int compare(const void *left, const void *right)
{
  const struct ledger_loss *a = left, *b = right;
  if (a->m != b->m)
    return a->m < b->m ? -1 : 1;
  return a->first_seq < b->first_seq ? -1 : a->first_seq > b->first_seq;
}

bool check_gaps_init(struct check_gaps *gaps, struct tracefile *file, const struct ledger *ledger)
{
  gaps->file = file;
  gaps->told = calloc(ledger->n_losses + 1, sizeof *gaps->told);
  if (!gaps->told)
    return false;
  for (size_t i = 0; i < ledger->n_losses; i++) {
    const struct ledger_loss *loss = &ledger->losses[i];
    bool is_jump =
        strcmp(loss->why, REC_LOSS_FULL) == 0 || strcmp(loss->why, REC_LOSS_NOT_TOLD) == 0;
    if (loss->m_is_known && loss->first_seq >= 0 && !is_jump)
      gaps->told[gaps->n_told++] = *loss;
  }
  qsort(gaps->told, gaps->n_told, sizeof *gaps->told, compare);
  return true;
}

void check_gaps_clear(struct check_gaps *gaps)
{
  free(gaps->told);
  *gaps = (struct check_gaps){ 0 };
}

/* Events of the M, numbered first to end - 1, that table loss tells of. */
static uint64_t told_between(const struct check_gaps *gaps, uint32_t m, uint64_t first,
                             uint64_t end)
{
  const struct ledger_loss from = { .m = m, .first_seq = (int64_t)first };
  size_t low = 0, high = gaps->n_told;
  uint64_t sum = 0;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    if (compare(&gaps->told[middle], &from) < 0)
      low = middle + 1;
    else
      high = middle;
  }
  for (; low < gaps->n_told && gaps->told[low].m == m && (uint64_t)gaps->told[low].first_seq < end;
       low++)
    sum += gaps->told[low].n;
  return sum;
}

static bool is_damaged_between(const struct check_gaps *gaps, uint32_t m, uint64_t first,
                               uint64_t end)
{
  size_t n = tracefile_damages(gaps->file, NULL, 0);
  struct tracefile_damage *list = calloc(n + 1, sizeof *list);
  bool is_damaged = false;
  n = list ? tracefile_damages(gaps->file, list, n) : 0;
  for (size_t i = 0; !is_damaged && i < n; i++)
    is_damaged = list[i].m == m && list[i].first_seq < end && list[i].first_seq + list[i].n > first;
  free(list);
  return is_damaged;
}

bool check_gaps_add(struct check_gaps *gaps, const struct trace_replay *before,
                    const struct trace_event *e, struct trace_breach *breach)
{
  if (e->kind == TRACE_TRACE_BEGIN)
    gaps->is_from_start = e->w[1] != 0 /* from_start */;
  const struct trace_m *m = trace_replay_m(before, e->m);
  uint64_t next = m ? m->next_seq : 0;
  uint64_t told = e->kind == TRACE_LOST ? e->d[0] : 0;
  bool begins_anywhere = next == 0 && !gaps->is_from_start; /* the M has said nothing yet */
  if (begins_anywhere || e->seq - next == told)
    return true;
  if (e->seq - next == told + told_between(gaps, e->m, next, e->seq) ||
      is_damaged_between(gaps, e->m, next, e->seq))
    return true;
  *breach = (struct trace_breach){ .rule = TRACE_RULE_LOST,
                                   .event_no = trace_replay_world(before)->n_events + 1,
                                   .event = *e };
  snprintf(breach->sentence, sizeof breach->sentence,
           "M%" PRIu32 "'s event has number %" PRIu64 ", so %" PRId64
           " before it are lost, but %" PRIu64 " are told",
           e->m, e->seq, (int64_t)(e->seq - next), told);
  return false;
}
