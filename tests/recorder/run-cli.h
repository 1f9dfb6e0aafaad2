/* SPDX-License-Identifier: MIT */
/* run-cli.h - runs the built gmpscope as a person does, and keeps what it said.
 *
 * stdout and stderr go to memory files, so nothing can block on a full pipe.  A command that hangs is ended by
 * the test's own timeout.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>

struct run {
  int code;        /* exit code; 128 + n for a signal */
  char *out, *err; /* NUL-terminated */
  size_t n_out, n_err;
};

/* Runs gmpscope with these arguments, NULL at the end. Free with run_free. */
struct run run_cli(const char *first, ...) __attribute__((sentinel));
/* The same with bytes on the standard input. */
struct run run_cli_input(const char *input, const char *first, ...) __attribute__((sentinel));
/* Any program, argv[0] a path. as_nobody: without root's rights. */
struct run run_argv(char *const argv[], const char *input, bool as_nobody);
void run_free(struct run *run);
/* True if this is root and nobody can reach what was built (not in a clone below /root, say): what root may do
 * must then be tested as nobody. run_cannot_limit: root, and no way to be nobody; such a test says so and returns. */
bool run_as_nobody(void);
bool run_cannot_limit(void);

/* Path of something in the build tree: static text, overwritten by the call after the next 8. */
const char *run_built(const char *name);
/* A new directory, removed with all that is in it by run_leave(). Becomes the working directory. */
void run_enter_new_directory(void);
void run_leave(void);
/* The same two for a group of tests. */
int run_set_up(void **state);
int run_tear_down(void **state);
/* Writes a file in it. */
void run_write(const char *name, const char *bytes, size_t n);

/* The error contract: exit code, and exactly one line "gmpscope: ..." that says this. */
void run_expect_refusal(const struct run *run, int code, const char *says);
/* Went well, with nothing to say. Frees it. */
void run_expect_silence(struct run run);
