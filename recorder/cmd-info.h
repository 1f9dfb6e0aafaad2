/* SPDX-License-Identifier: MIT */
/* cmd-info.h - the facts of a trace, to be printed as text or JSON. */
#pragma once
#include "cli.h"
#include "cmd-ledger.h"
#include "out.h"

struct info {
  struct tracefile *file;
  const char *path;
  struct tracefile_summary summary;
  struct ledger ledger;
  uint64_t by_kind[TRACE_KIND_LIMIT];
  uint64_t by_family[TRACE_FAMILY_COUNT]; /* by bit */
  struct tracefile_damage_sum damage;
  uint64_t n_gs, n_ps, n_timers;
  uint64_t n_faults, n_strikes; /* fault events; those that strike a G */
  uint64_t n_bytes;             /* of the file */
  uint32_t n_procs;             /* GOMAXPROCS at the end; 0 unknown */
  int64_t exit_code;            /* that the program told with trace_end; -1 unknown */
  bool is_final, has_tables;
};

void info_print_text(const struct info *info, FILE *to);
void info_print_json(const struct info *info, FILE *to);
