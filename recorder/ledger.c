/* SPDX-License-Identifier: MIT */
/* ledger.c - says of every family of events whether the trace has it, so that a view without such events can
 * say why it is empty instead of showing nothing. */
#include "ledger.h"

#include <stdio.h>

struct line {
  const char *level;
  char why[160];
};

static struct line judge(const struct facts *f, enum trace_family family, uint32_t asked_for,
                         uint64_t lost)
{
  struct line line = { .level = "recorded" };
  uint64_t n = f->n_by_family[__builtin_ctz(family)];
  if (!(asked_for & family)) {
    line.level = "not in this source";
    snprintf(line.why, sizeof line.why, "switched off by --categories");
  } else if (!f->begun && n == 0) {
    line.level = "not in this source";
    snprintf(line.why, sizeof line.why,
             "the trace has no such event and does not say that it could");
  } else if (f->ever_off & family) {
    line.level = "partly";
    snprintf(line.why, sizeof line.why, "switched off for a part of the time");
  } else if (f->begun && !f->from_start) {
    line.level = "partly";
    snprintf(line.why, sizeof line.why, "recording began while the program ran");
  } else if (lost > 0) {
    line.level = "partly";
    snprintf(line.why, sizeof line.why, "%llu events of all families were lost, see table loss",
             (unsigned long long)lost);
  } else if (n == 0) {
    snprintf(line.why, sizeof line.why, "nothing of the kind happened");
  } else {
    snprintf(line.why, sizeof line.why, "%llu events", (unsigned long long)n);
  }
  return line;
}

bool ledger_write(struct rec_writer *w, const struct facts *facts, uint32_t asked_for,
                  uint64_t lost, struct tracefile_error *error)
{
  for (int bit = 0; bit < TRACE_FAMILY_COUNT; bit++) {
    enum trace_family family = (enum trace_family)(1u << bit);
    struct line line = judge(facts, family, asked_for | TRACE_FAMILY_ALWAYS, lost);
    if (!rec_writer_capability(w, family, line.level, line.why, error))
      return false;
  }
  return true;
}
