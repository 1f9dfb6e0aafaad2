/* SPDX-License-Identifier: MIT */
/* cmd-recover.c - finishes traces whose recorder was killed, or ran out of room.
 *
 * Such a file opens and can be read as it is; what it lacks are the side tables, the books, the plain tables, and being
 * one file. A file that is finished already is left as it is, so the command can be run over a whole folder. One that
 * cannot be recovered does not keep the others from it; the exit status is that of the worst.
 */
#include "cmd-record.h"

static int recover(const char *path, enum rec_tables tables, bool quiet)
{
  struct rec_summary summary;
  struct tracefile_error error;
  if (!rec_recover(path, tables, &summary, &error))
    return cli_error(&error);
  if (!quiet)
    record_tell_summary(&summary, path);
  return cli_tell_damage(summary.damage, path, "not in the tables");
}

int cmd_recover(int argc, char **argv)
{
  enum rec_tables tables = REC_TABLES_AUTO;
  bool quiet = false;
  const struct opt opts[] = {
    { 0, "tables", "auto|all|none", record_read_tables, &tables,
      "plain tables for any SQLite program" },
    { 'q', "quiet", NULL, opt_flag, &quiet, "say nothing when all is well" },
  };
  const struct opt_command command = {
    .name = "recover",
    .usage = "FILE...",
    .doc =
        "Finishes traces whose recorder was killed or found the disk full. All that it had written "
        "is kept:\n"
        "up to a tenth of a second before its end, without a gap in any M. A finished trace is "
        "left as it is.",
    .opts = opts,
    .n_opts = COUNT_OF(opts),
    .missing = "a FILE",
    .min_words = 1,
    .max_words = -1,
  };
  struct opt_words rest;
  enum opt_outcome outcome = opt_parse(&command, argc, argv, &rest);
  if (outcome != OPT_GO)
    return cli_usage(outcome);
  int worst = TRACEFILE_OK;
  for (int i = 0; i < rest.n; i++) {
    int code = recover(rest.words[i], tables, quiet);
    worst = code > worst ? code : worst;
  }
  return worst;
}
