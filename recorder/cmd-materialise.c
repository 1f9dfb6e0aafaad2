/* SPDX-License-Identifier: MIT */
/* cmd-materialise.c - writes the plain tables of a trace that was recorded without them. */
#include "cmd-record.h"

int cmd_materialise(int argc, char **argv)
{
  bool quiet = false;
  const struct opt opts[] = {
    { 'q', "quiet", NULL, opt_flag, &quiet, "say nothing when all is well" },
  };
  const struct opt_command command = {
    .name = "materialise",
    .usage = "FILE",
    .doc = "Writes the tables event, g_state, wake, timer_op, ... into a trace file, for programs "
           "that know\n"
           "nothing of gmpscope. They take 15 to 20 times the room of the trace itself. gmpscope "
           "sql answers\n"
           "the same questions without them.",
    .opts = opts,
    .n_opts = COUNT_OF(opts),
    .missing = "a FILE",
    .min_words = 1,
    .max_words = 1,
  };
  struct opt_words rest;
  struct rec_summary summary;
  struct tracefile_error error;
  enum opt_outcome outcome = opt_parse(&command, argc, argv, &rest);
  if (outcome != OPT_GO)
    return cli_usage(outcome);
  if (!rec_materialise(rest.words[0], &summary, &error))
    return cli_error(&error);
  if (!quiet)
    record_tell_summary(&summary, rest.words[0]);
  return cli_tell_damage(summary.damage, rest.words[0], "not in the tables");
}
