/* SPDX-License-Identifier: MIT */
/* invariants.h - what must be true of the scheduler whenever it is looked at. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

/* A sim_watcher: fails (sim_fail) with a sentence about the first thing that does not hold. */
void check_invariants(bool is_quiet, int64_t next);
