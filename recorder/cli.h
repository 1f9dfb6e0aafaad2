/* SPDX-License-Identifier: MIT */
/* cli.h - what the commands of gmpscope share: their list, how they fail, where companions are found.
 *
 * A command is a function from argc and argv to an exit code (enum tracefile_code).  It prints what was
 * asked for to stdout and, if it fails, exactly one line to stderr: "gmpscope: WHAT: WHY; what to do".
 */
#pragma once
#include "options.h"
#include "tracefile.h"

#include <stdio.h>

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

int cmd_record(int argc, char **argv);
int cmd_info(int argc, char **argv);
int cmd_check(int argc, char **argv);
int cmd_dump(int argc, char **argv);
int cmd_load(int argc, char **argv);
int cmd_state(int argc, char **argv);
int cmd_sql(int argc, char **argv);
int cmd_recover(int argc, char **argv);
int cmd_materialise(int argc, char **argv);
int cmd_demo(int argc, char **argv);
int cmd_view(int argc, char **argv);
int cmd_render(int argc, char **argv);

/* Prints the error in one line to stderr and returns its exit code. */
int cli_error(const struct tracefile_error *error);
/* The same, made on the spot; what to do may be "". */
int cli_fail(enum tracefile_code code, const char *what, const char *todo, const char *why_format,
             ...) __attribute__((format(printf, 4, 5)));
/* For a command that went through: says what of the file could not be read and what became of it ("left out"); its exit
 * code. TRACEFILE_OK and silence if nothing was damaged. */
int cli_tell_damage(struct tracefile_damage_sum damage, const char *path, const char *what_became);
/* Exit code of a command whose options were not OPT_GO. */
static inline int cli_usage(enum opt_outcome outcome)
{
  return outcome == OPT_HELP ? TRACEFILE_OK : TRACEFILE_USAGE;
}
/* "s" unless n is 1. */
static inline const char *cli_s(uint64_t n)
{
  return n == 1 ? "" : "s";
}

/* True for the facts of meta that a file says about itself, made anew for each: not part of the trace. */
bool cli_meta_is_of_file(const char *key);

/* The text form tells losses by gaps in the numbers of an M's events; one after its last event has nothing to stand
 * before, so it is told as meta lost_at_end.K "mM N FROM TO why", or "m- ..." where the M had no ring. */
#define CLI_META_LOST_AT_END "lost_at_end."
/* "Killed"; never NULL. */
const char *cli_signal_name(int signal);

/* Finds a companion file: name beside this executable, build_path in the build tree that it stands in,
 * installed_path, and name on PATH if it is a program.  False: nowhere. */
struct cli_place {
  const char *name;           /* "gmpscope-viewer"; NULL: only by the paths below */
  const char *build_path;     /* "ui/gmpscope-viewer" */
  const char *installed_path; /* absolute */
  bool executable;            /* it must be one */
};
bool cli_find(const struct cli_place *place, char *out, size_t n);
