/* SPDX-License-Identifier: MIT */
/* cmd-demo.c - the demonstrations: lists them, records one, tells what happened and how to look at it.
 *
 * demos.list stands beside the demo programs, a line for each form of each: NAME[ FORM]<TAB>sentence[<TAB>FAULT[<TAB>real]].
 * A form is the program's argument; the line without one comes first and is what the program does by itself. FAULT is
 * the fault that is worth switching on in it. real: it is about what the kernel does, of which no simulation has
 * anything. A demo is never looked for on PATH or beside this executable: one of them is called echo.
 */
#include "cmd-demo.h"
#include "cmd-record.h"
#include "out.h"

#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#define DEMOS_MAX 128

struct demo {
  char name[64];
  char form[32]; /* "": what it does by itself */
  char sentence[256];
  char fault[32]; /* "": none */
  bool real;
};

struct demos {
  struct demo list[DEMOS_MAX];
  size_t n;
};

/* What to record of one, and how. */
struct wish {
  const char *output, *fault;
  uint64_t sim_seed;
  bool quiet;
};

static bool is_name(const char *name)
{
  return name[0] && strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") == strlen(name);
}

static bool read_line(char *line, struct demo *demo)
{
  char *rest = line, *name = strsep(&rest, "\t"), *sentence = strsep(&rest, "\t");
  char *fault = strsep(&rest, "\t"), *real = strsep(&rest, "\t"), *form = strchr(name, ' ');
  if (!sentence || name[0] == '#')
    return false;
  if (form)
    *form++ = '\0';
  snprintf(demo->name, sizeof demo->name, "%.63s", name);
  snprintf(demo->form, sizeof demo->form, "%.31s", form ? form : "");
  snprintf(demo->sentence, sizeof demo->sentence, "%.255s", sentence);
  snprintf(demo->fault, sizeof demo->fault, "%.31s", fault ? fault : "");
  demo->real = real && strcmp(real, "real") == 0;
  return is_name(name) && (!form || is_name(form));
}

static void read_lines(FILE *from, struct demos *demos)
{
  char line[512];
  while (demos->n < DEMOS_MAX && fgets(line, sizeof line, from)) {
    line[strcspn(line, "\n")] = '\0';
    demos->n += read_line(line, &demos->list[demos->n]);
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
  for (size_t i = 0; i < demos->n; i++) {
    const struct demo *demo = &demos->list[i];
    printf("%s%-*s %s\n", demo->form[0] ? "  " : "", demo->form[0] ? 14 : 16,
           demo->form[0] ? demo->form : demo->name, demo->sentence);
    if (demo->fault[0])
      printf("%-16s --fault %s\n", "", demo->fault);
  }
  printf("\ngmpscope demo NAME [FORM] records one. What stands below a demo are its other forms; "
         "with\n"
         "--fault it shows what a correct scheduler does not do.\n");
}

static void list_json(const struct demos *demos)
{
  struct out_json j;
  out_json_begin(&j, stdout);
  out_array(&j, NULL);
  for (size_t i = 0; i < demos->n; i++) {
    out_object(&j, NULL);
    out_string(&j, "name", demos->list[i].name);
    out_string(&j, "form", demos->list[i].form[0] ? demos->list[i].form : NULL);
    out_string(&j, "doc", demos->list[i].sentence);
    out_string(&j, "fault", demos->list[i].fault[0] ? demos->list[i].fault : NULL);
    out_bool(&j, "real", demos->list[i].real);
    out_end(&j);
  }
  out_end(&j);
}

static const struct demo *find_demo(const struct demos *demos, const char *name, const char *form)
{
  for (size_t i = 0; i < demos->n; i++) {
    const struct demo *demo = &demos->list[i];
    if (strcmp(demo->name, name) == 0 && strcmp(demo->form, form) == 0)
      return demo;
  }
  return NULL;
}

/* name NULL: the names of all; else the forms of that one. */
static int unknown(const struct demos *demos, const char *name, const char *said, const char *why)
{
  const char *known[DEMOS_MAX];
  char todo[120];
  size_t n = 0;
  for (size_t i = 0; i < demos->n; i++) {
    const struct demo *demo = &demos->list[i];
    if (!name && !demo->form[0])
      known[n++] = demo->name;
    else if (name && strcmp(demo->name, name) == 0 && demo->form[0])
      known[n++] = demo->form;
  }
  const char *near = opt_nearest(said, known, n);
  if (near)
    snprintf(todo, sizeof todo, "did you mean %s?", near);
  return cli_fail(TRACEFILE_WRONG, said, near ? todo : "gmpscope demo lists them", "%s", why);
}

/* One of the faults that the list knows. */
static bool is_fault(const struct demos *demos, const char *fault)
{
  for (size_t i = 0; i < demos->n; i++)
    if (strcmp(demos->list[i].fault, fault) == 0)
      return fault[0];
  return false;
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

/* Of a fault, what is right and what is shown belong into one picture. */
static void suggest_comparison(const struct demo *demo, const char *output)
{
  printf("\nBeside it, in one picture, as it is without the fault\n"
         "  gmpscope demo %s%s%s -o right.db\n",
         demo->name, demo->form[0] ? " " : "", demo->form);
  suggest("render right.db", output, " --lanes=g -o both.png");
}

static int tell(const struct demo *demo, const struct wish *wish, const char *output,
                const struct rec_result *result)
{
  struct tracefile_error error;
  int64_t look_at = 0;
  char at[40];
  printf("\n%s%s%s: %s\n\n", demo->name, demo->form[0] ? " " : "", demo->form, demo->sentence);
  if (wish->fault)
    printf("  The fault %s is switched on: a correct scheduler does not behave like this.\n\n",
           wish->fault);
  if (!story_tell(output, stdout, &look_at, &error))
    return cli_error(&error);
  if (result->ended && record_exit_code(result->wait_status) != 0)
    printf("  The program ended with exit code %d.\n", record_exit_code(result->wait_status));
  snprintf(at, sizeof at, " --at @%" PRId64, look_at);
  printf("\nTo look at it\n");
  suggest("view", output, "");
  suggest("state", output, at);
  suggest("check", output, "");
  if (wish->fault)
    suggest_comparison(demo, output);
  return TRACEFILE_OK;
}

static bool name_output(const struct demo *demo, char *name, size_t n)
{
  char base[100];
  snprintf(base, sizeof base, "%s%s%s", demo->name, demo->form[0] ? "-" : "", demo->form);
  return record_default_name(base, name, n);
}

static int record_demo(const struct demo *demo, const struct wish *wish)
{
  char program[PATH_MAX], name[1024], form[sizeof demo->form];
  char *argv[] = { program, demo->form[0] ? form : NULL, NULL };
  struct rec_result result = { 0 };
  struct rec_options options = { .output = wish->output,
                                 .overwrite = wish->output != NULL,
                                 .argv = argv,
                                 .sim_seed = wish->sim_seed };
  memcpy(form, demo->form, sizeof form);
  if (!find_program(demo->name, program, sizeof program))
    return cli_fail(TRACEFILE_REFUSED, demo->name, "install or build the demonstrations",
                    "its program is not there");
  if (!wish->output && !name_output(demo, name, sizeof name))
    return cli_fail(TRACEFILE_REFUSED, demo->name, "give one with -o",
                    "no name for its trace file is free here");
  if (!wish->output)
    options.output = name;
  if ((wish->fault && !record_add_debug("fault", wish->fault)) ||
      (wish->sim_seed && !record_simulate(&options, wish->sim_seed)))
    return cli_fail(TRACEFILE_REFUSED, demo->name, "try again later", "there is no memory");
  int code = record_run(&options, false, &result);
  if (!result.uses_runtime || (code != TRACEFILE_OK && !result.ended))
    return code ? code : TRACEFILE_WRONG;
  return wish->quiet ? TRACEFILE_OK : tell(demo, wish, options.output, &result);
}

int cmd_demo(int argc, char **argv)
{
  struct wish wish = { 0 };
  bool as_json = false;
  const struct opt opts[] = {
    { 'o', "output", "FILE", opt_text, &wish.output,
      "trace file to write; an older trace there is replaced (default: NAME.db, NAME-2.db, ...)" },
    { 0, "fault", "NAME", opt_text, &wish.fault,
      "switch a fault on that a correct scheduler does not have; the list says which goes where" },
    { 0, "sim", "SEED", record_read_seed, &wish.sim_seed,
      "simulate, as record does: the same seed, the same trace" },
    { 'q', "quiet", NULL, opt_flag, &wish.quiet, "record only; do not tell what happened" },
    { 0, "json", NULL, opt_flag, &as_json, "list in JSON" },
  };
  const struct opt_command command = {
    .name = "demo",
    .usage = "[--json]\nNAME [FORM] [-o FILE] [--fault NAME] [--sim SEED]",
    .doc = "Lists the demonstrations and their forms; with a NAME, records that one and tells what "
           "happened.\n"
           "RT_MAXPROCS in the environment is the number of Ps.",
    .epilogue = "Examples:\n  gmpscope demo panic-recover -o /tmp/panic.db\n"
                "  gmpscope demo syscall-panic --fault lose-defers-on-preempt",
    .opts = opts,
    .n_opts = COUNT_OF(opts),
    .max_words = 2,
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
  const char *name = rest.words[0], *form = rest.n > 1 ? rest.words[1] : "";
  if (!find_demo(&demos, name, ""))
    return unknown(&demos, NULL, name, "there is no such demonstration");
  const struct demo *demo = find_demo(&demos, name, form);
  if (!demo)
    return unknown(&demos, name, form, "the demonstration has no such form");
  if (wish.fault && !is_fault(&demos, wish.fault))
    return cli_fail(TRACEFILE_USAGE, wish.fault, "gmpscope demo lists them",
                    "there is no such fault");
  if (wish.sim_seed && demo->real)
    return cli_fail(TRACEFILE_REFUSED, demo->name, "record it without --sim",
                    "it shows what the kernel does (signals, calls that block, I/O), which a "
                    "simulation has not");
  return record_demo(demo, &wish);
}
