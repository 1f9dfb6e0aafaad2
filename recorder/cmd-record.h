/* SPDX-License-Identifier: MIT */
/* cmd-record.h - recording, as demo does it too. */
#pragma once
#include "cli.h"
#include "recorder.h"

/* A name for the trace of a program that nothing has yet, in the working directory. False: none is free. */
bool record_default_name(const char *program, char *out, size_t n);
/* Records and tells what came of it on stderr; returns the exit code for this process. *result starts all
 * zeroes and is filled in. */
int record_run(const struct rec_options *options, bool quiet, struct rec_result *result);
/* Option reader for --tables: enum rec_tables. */
bool record_read_tables(void *to, const char *value, char *why);
/* Option reader for --sim: uint64_t, from 1 on. */
bool record_read_seed(void *to, const char *value, char *why);
/* The program that is recorded will find key=value in its RT_DEBUG, too. False: no memory. */
bool record_add_debug(const char *key, const char *value);
/* The program will run under the simulation with this seed. False: no memory. */
bool record_simulate(struct rec_options *options, uint64_t seed);
/* A wait status as a shell gives it. */
int record_exit_code(int wait_status);
/* "gmpscope: echo.db: 1,234 events of 5 Gs on 3 Ms, 0 lost" */
void record_tell_summary(const struct rec_summary *s, const char *path);
