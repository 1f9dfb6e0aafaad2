/* SPDX-License-Identifier: MIT */
/* ledger.h - the capability ledger: how much of each family of events a trace has, and why. */
#pragma once
#include "facts.h"
#include "writer.h"

/* Writes a line for every family. asked_for: mask of families that the recording was to have. */
bool ledger_write(struct rec_writer *w, const struct facts *facts, uint32_t asked_for,
                  uint64_t lost, struct tracefile_error *error);
