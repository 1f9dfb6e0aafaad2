/* SPDX-License-Identifier: MIT */
/* cmd-ledger.h - the account of events of a trace: what each ring emitted, what is stored, what was lost.
 *
 * The three numbers come from three places: emitted from the ring's own counter, as the recorder read it
 * when it was done (stats); stored from adding up the chunks; lost from the loss table.  That they agree is
 * promise P2 (design section 10), and nothing here makes one of them out of the others.
 */
#pragma once
#include "out.h"
#include "tracefile.h"

struct ledger_ring {
  uint32_t m;
  bool emitted_is_known; /* a loaded text has no ring: nobody counted */
  uint64_t emitted, stored, lost;
  uint64_t unreadable; /* their chunks are in the file, but damaged: not in stored */
};

struct ledger_loss {
  bool m_is_known;
  uint32_t m;
  uint64_t n;
  int64_t first_seq;    /* -1 unknown */
  int64_t t_from, t_to; /* INT64_MIN unknown */
  char why[120];
};

struct ledger {
  struct ledger_ring *rings; /* by M */
  size_t n_rings;
  struct ledger_loss *losses; /* in order of the file */
  size_t n_losses;
  uint64_t stored, lost;
};

/* ledger is all zeroes before, and to be cleared after, success or not. */
bool ledger_read(struct ledger *ledger, struct tracefile *file, struct tracefile_error *error);
void ledger_clear(struct ledger *ledger);

/* Events counted as stored that turned out, when a cursor had run over the file, to be in damaged chunks. Those of missing
 * chunks were not counted. */
void ledger_take_damages(struct ledger *ledger, const struct tracefile *file);

/* All its events can be read or are told lost, or nobody counted them and all stored can be read. */
bool ledger_ring_is_equal(const struct ledger_ring *ring);
void ledger_print_loss(FILE *to, const struct ledger_loss *loss);
void ledger_json_loss(struct out_json *j, const struct ledger_loss *loss);
void ledger_json_ring(struct out_json *j, const struct ledger_ring *ring);
