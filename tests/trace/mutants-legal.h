/* SPDX-License-Identifier: MIT */
/* mutants-legal.h - which mutants are traces as right as the one that they were made from. */
#pragma once
#include "mutants.h"

/* Why nothing in the trace can tell the mutant from a true one; NULL: the replay should have seen it. */
const char *mutants_legal(const struct trace_event *events, size_t n, const struct mutant *mutant);
