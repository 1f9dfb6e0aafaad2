/* SPDX-License-Identifier: MIT */
/* cmd-demo.h - telling a trace as a short story. */
#pragma once
#include "cli.h"

/* Prints what happened in a trace: who ran, what waited, what was stolen, fired, deferred and recovered.
 * *look_at becomes a time worth looking at. False: error. */
bool story_tell(const char *path, FILE *to, int64_t *look_at, struct tracefile_error *error);
