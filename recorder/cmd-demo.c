/* SPDX-License-Identifier: MIT */
/* cmd-demo.c - the demonstrations: lists them, records one, tells what happened and how to look at it.
 *
 * demos.list stands beside the demo programs: NAME<TAB>sentence, a line each.  A demo is never looked for on
 * PATH or beside this executable: one of them is called echo.
 */
#include "cmd-demo.h"
#include "cmd-record.h"
#include "out.h"

#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#define DEMOS_MAX 64

struct demo {
  char name[64];
  char sentence[256];
};

struct demos {
  struct demo list[DEMOS_MAX];
  size_t n;
};

static bool is_name(const char *name)
{
  return name[0] && strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") == strlen(name);
}

static void read_lines(FILE *from, struct demos *demos)
{
  char line[512];
  while (demos->n < DEMOS_MAX && fgets(line, sizeof line, from)) {
    struct demo *demo = &demos->list[demos->n];
    line[strcspn(line, "\n")] = '\0';
    char *tab = strchr(line, '\t');
    if (!tab || line[0] == '#')
      continue;
    *tab = '\0';
    snprintf(demo->name, sizeof demo->name, "%.63s", line);
    snprintf(demo->sentence, sizeof demo->sentence, "%.255s", tab + 1);
    demos->n += is_name(demo->name);
  }
}

static bool read_demos(struct demos *demos)
{
  static const struct cli_place place = {
    .build_path = "runtime/demos/demos.list",
    .installed_path = GMPSCOPE_DEMODIR "/demos.list",
  };
  char path[PATH_MAX];
  FILE *from = cli_find(&place, path, sizeof path) ? fopen(path, "re") : NULL;
  demos->n = 0;
  if (!from)
    return false;
  read_lines(from, demos);
  fclose(from);
  return true;
}

static void list_text(const struct demos *demos)
{
  for (size_t i = 0; i < demos->n; i++)
    printf("%-16s %s\n", demos->list[i].name, demos->list[i].sentence);
  printf("\ngmpscope demo NAME records one.\n");
}

static void list_json(const struct demos *demos)
{
  struct out_json j;
  out_json_begin(&j, stdout);
  out_array(&j, NULL);
  for (size_t i = 0; i < demos->n; i++) {
    out_object(&j, NULL);
    out_string(&j, "name", demos->list[i].name);
    out_string(&j, "doc", demos->list[i].sentence);
    out_end(&j);
  }
  out_end(&j);
}

static const struct demo *find_demo(const struct demos *demos, const char *name)
{
  for (size_t i = 0; i < demos->n; i++) {
    if (strcmp(demos->list[i].name, name) == 0)
      return &demos->list[i];
  }
  return NULL;
}

static int unknown_demo(const struct demos *demos, const char *name)
{
  const char *names[DEMOS_MAX];
  char todo[100];
  for (size_t i = 0; i < demos->n; i++)
    names[i] = demos->list[i].name;
  const char *near = opt_nearest(name, names, demos->n);
  if (near)
    snprintf(todo, sizeof todo, "did you mean %s?", near);
  return cli_fail(TRACEFILE_WRONG, name, near ? todo : "gmpscope demo lists them",
                  "there is no such demonstration");
}

static bool find_program(const char *name, char *out, size_t n)
{
  char build[100], installed[PATH_MAX];
  snprintf(build, sizeof build, "runtime/demos/demo-%s", name);
  snprintf(installed, sizeof installed, GMPSCOPE_DEMODIR "/demo-%s", name);
  return cli_find(
      &(struct cli_place){ .build_path = build, .installed_path = installed, .executable = true },
      out, n);
}

static void suggest(const char *before, const char *file, const char *after)
{
  printf("  gmpscope %s ", before);
  out_text(stdout, file, strlen(file));
  printf("%s\n", after);
}

static int tell(const struct demo *demo, const char *output, const struct rec_result *result)
{
  struct tracefile_error error;
  int64_t look_at = 0;
  char at[40];
  printf("\n%s: %s\n\n", demo->name, demo->sentence);
  if (!story_tell(output, stdout, &look_at, &error))
    return cli_error(&error);
  if (result->ended && record_exit_code(result->wait_status) != 0)
    printf("  The program ended with exit code %d.\n", record_exit_code(result->wait_status));
  snprintf(at, sizeof at, " --at @%" PRId64, look_at);
  printf("\nTo look at it\n");
  suggest("view", output, "");
  suggest("state", output, at);
  suggest("check", output, "");
  return TRACEFILE_OK;
}

static int record_demo(const struct demo *demo, const char *output, bool quiet)
{
  char program[PATH_MAX], name[1024];
  char *argv[] = { program, NULL };
  struct rec_result result = { 0 };
  struct rec_options options = { .output = output, .overwrite = output != NULL, .argv = argv };
  if (!find_program(demo->name, program, sizeof program))
    return cli_fail(TRACEFILE_REFUSED, demo->name, "install or build the demonstrations",
                    "its program is not there");
  if (!output && !record_default_name(demo->name, name, sizeof name))
    return cli_fail(TRACEFILE_REFUSED, demo->name, "give one with -o",
                    "no name for its trace file is free here");
  if (!output)
    options.output = name;
  int code = record_run(&options, false, &result);
  if (!result.uses_runtime || (code != TRACEFILE_OK && !result.ended))
    return code ? code : TRACEFILE_WRONG;
  return quiet ? TRACEFILE_OK : tell(demo, options.output, &result);
}

int cmd_demo(int argc, char **argv)
{
  const char *output = NULL;
  bool as_json = false, quiet = false;
  const struct opt opts[] = {
    { 'o', "output", "FILE", opt_text, &output,
      "trace file to write; an older trace there is replaced (default: NAME.db, NAME-2.db, ...)" },
    { 'q', "quiet", NULL, opt_flag, &quiet, "record only; do not tell what happened" },
    { 0, "json", NULL, opt_flag, &as_json, "list in JSON" },
  };
  const struct opt_command command = {
    .name = "demo",
    .usage = "[--json]\nNAME [-o FILE]",
    .doc = "Lists the demonstrations; with a NAME, records that one and tells what happened. "
           "RT_MAXPROCS in the\n"
           "environment is the number of Ps.",
    .epilogue = "Example:\n  gmpscope demo panic-recover -o /tmp/panic.db",
    .opts = opts,
    .n_opts = COUNT_OF(opts),
    .max_words = 1,
  };
  struct opt_words rest;
  struct demos demos;
  enum opt_outcome outcome = opt_parse(&command, argc, argv, &rest);
  if (outcome != OPT_GO)
    return cli_usage(outcome);
  if (!read_demos(&demos))
    return cli_fail(TRACEFILE_REFUSED, "demos.list", "install or build the demonstrations",
                    "it is not there");
  if (rest.n == 0) {
    as_json ? list_json(&demos) : list_text(&demos);
    return TRACEFILE_OK;
  }
  const struct demo *demo = find_demo(&demos, rest.words[0]);
  return demo ? record_demo(demo, output, quiet) : unknown_demo(&demos, rest.words[0]);
}
