/* SPDX-License-Identifier: MIT */
/* cmd-view.c - view and render: become the program that draws.
 *
 * Drawing needs GTK or cairo, and this command must run where neither is installed.  So each is a program
 * of its own, found by cli_find and executed in place of this one.  Both answer by the same exit codes and
 * one-line errors as every command.
 */
#include "cli.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

static int become(const struct cli_place *place, const char *missing, char **argv)
{
  char path[4096];
  if (!cli_find(place, path, sizeof path))
    return cli_fail(TRACEFILE_REFUSED, place->name, missing, "it is not installed");
  argv[0] = path;
  fflush(NULL);
  execv(path, argv);
  return cli_fail(TRACEFILE_REFUSED, path, "", "it could not be started: %s",
                  strerrordesc_np(errno));
}

/* The program opens the file again; asking here gives the same one-line errors as every command. */
static bool opens(const char *path, struct tracefile_error *error)
{
  struct tracefile *file = tracefile_open(path, error);
  tracefile_close(file);
  return file != NULL;
}

int cmd_view(int argc, char **argv)
{
  static const struct cli_place viewer = {
    .name = "gmpscope-viewer",
    .build_path = "ui/gmpscope-viewer",
    .installed_path = GMPSCOPE_LIBEXECDIR "/gmpscope-viewer",
    .executable = true,
  };
  static const struct opt_command command = {
    .name = "view",
    .usage = "FILE",
    .doc = "Opens the window on a trace file.",
    .missing = "a FILE",
    .min_words = 1,
    .max_words = 1,
  };
  struct opt_words rest;
  struct tracefile_error error;
  enum opt_outcome outcome = opt_parse(&command, argc, argv, &rest);
  if (outcome != OPT_GO)
    return cli_usage(outcome);
  if (!opens(rest.words[0], &error))
    return cli_error(&error);
  char *viewer_argv[] = { NULL, rest.words[0], NULL };
  return become(&viewer, "install the package with the window, or use gmpscope render",
                viewer_argv);
}

/* The renderer knows its options, and answers for them: they stand there alone. */
int cmd_render(int argc, char **argv)
{
  static const struct cli_place renderer = {
    .name = "gmpscope-render",
    .build_path = "viewer/paint/gmpscope-render",
    .installed_path = GMPSCOPE_LIBEXECDIR "/gmpscope-render",
    .executable = true,
  };
  (void)argc;
  return become(&renderer, "install the package that draws", argv);
}
