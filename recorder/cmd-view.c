/* SPDX-License-Identifier: MIT */
/* cmd-view.c - view and render: become the program that draws.
 *
 * Drawing needs GTK or cairo, and this command must run where neither is installed.  So each is a program
 * of its own, found by cli_find and executed in place of this one.  The options of render are checked here
 * first, so that --help and misspelt options answer alike everywhere and without it.
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

struct render_options {
  const char *output, *size, *lanes;
  int64_t from, to;
};

/* Times go on as nanoseconds: one parser decides what 12.5ms is. */
static void build_render_argv(const struct render_options *o, char *file, char text[2][32],
                              char **argv)
{
  int n = 1;
  argv[n++] = file;
  argv[n++] = "-o";
  argv[n++] = (char *)o->output;
  const int64_t times[2] = { o->from, o->to };
  for (int i = 0; i < 2; i++) {
    bool is_open = times[i] == (i ? INT64_MAX : INT64_MIN);
    if (is_open)
      continue;
    snprintf(text[i], 32, "@%lld", (long long)times[i]);
    argv[n++] = i ? "--to" : "--from";
    argv[n++] = text[i];
  }
  if (o->size) {
    argv[n++] = "--size";
    argv[n++] = (char *)o->size;
  }
  if (o->lanes) {
    argv[n++] = "--lanes";
    argv[n++] = (char *)o->lanes;
  }
  argv[n] = NULL;
}

static int check_render(const struct render_options *o)
{
  const char *dot = o->output ? strrchr(o->output, '.') : NULL;
  unsigned width, height;
  int end = 0;
  if (!o->output)
    return cli_fail(TRACEFILE_USAGE, "render", "add -o PNG or -o SVG",
                    "the name of the picture is missing");
  if (!dot || (strcmp(dot, ".png") != 0 && strcmp(dot, ".svg") != 0))
    return cli_fail(TRACEFILE_USAGE, o->output, "end it in .png or .svg",
                    "the kind of picture is not known");
  if (o->size && (sscanf(o->size, "%5ux%5u%n", &width, &height, &end) != 2 || o->size[end]))
    return cli_fail(TRACEFILE_USAGE, o->size, "", "it is not a size such as 1600x900");
  if (o->lanes && (!strchr("mpg", o->lanes[0]) || o->lanes[1]))
    return cli_fail(TRACEFILE_USAGE, o->lanes, "", "lanes are m, p or g");
  if (o->from > o->to)
    return cli_fail(TRACEFILE_USAGE, "--from", "", "it is after --to");
  return TRACEFILE_OK;
}

static int render(const struct render_options *o, char *file)
{
  static const struct cli_place renderer = {
    .name = "gmpscope-render",
    .build_path = "viewer/paint/gmpscope-render",
    .installed_path = GMPSCOPE_LIBEXECDIR "/gmpscope-render",
    .executable = true,
  };
  struct tracefile_error error;
  char times[2][32], *argv[14];
  int code = check_render(o);
  if (code)
    return code;
  if (!opens(file, &error))
    return cli_error(&error);
  build_render_argv(o, file, times, argv);
  return become(&renderer, "install the package that draws", argv);
}

int cmd_render(int argc, char **argv)
{
  struct render_options o = { .from = INT64_MIN, .to = INT64_MAX };
  const struct opt opts[] = {
    { 'o', "output", "FILE", opt_text, &o.output, "picture to write, .png or .svg" },
    { 0, "from", "T", opt_time, &o.from, "left edge; default: the start" },
    { 0, "to", "T", opt_time, &o.to, "right edge; default: the end" },
    { 0, "size", "WxH", opt_text, &o.size, "pixels, such as 1600x900" },
    { 0, "lanes", "m|p|g", opt_text, &o.lanes, "a lane for each M, P or G" },
  };
  const struct opt_command command = {
    .name = "render",
    .usage = "FILE -o PNG|SVG [--from=T] [--to=T] [--size=WxH] [--lanes=m|p|g]",
    .doc = "Draws the picture of the window to a file. No display is needed.",
    .epilogue = "Example:\n  gmpscope render echo.db -o echo.svg --from 1ms --to 2ms --lanes p",
    .opts = opts,
    .n_opts = COUNT_OF(opts),
    .missing = "a FILE",
    .min_words = 1,
    .max_words = 1,
  };
  struct opt_words rest;
  enum opt_outcome outcome = opt_parse(&command, argc, argv, &rest);
  return outcome == OPT_GO ? render(&o, rest.words[0]) : cli_usage(outcome);
}
