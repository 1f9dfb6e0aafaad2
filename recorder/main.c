/* SPDX-License-Identifier: MIT */
/* main.c - gmpscope COMMAND ...: finds the command and sees its output out.
 *
 * The list of commands is one table; help, dispatch and the suggestion for a misspelt command are made
 * from it.  gmpscope links no GTK and needs no display: what draws (view, render) is a program of its own.
 */
#include "cli.h"

#include <errno.h>
#include <string.h>

static const struct {
  const char *name;
  int (*run)(int argc, char **argv);
  const char *group; /* printed before it */
  const char *doc;
} commands[] = {
  { "record", cmd_record, "Make a trace", "run a program and write its trace" },
  { "demo", cmd_demo, NULL, "list the demonstrations, or record one and tell what happened" },
  { "load", cmd_load, NULL, "make a trace file of its text form" },
  { "info", cmd_info, "Read a trace", "counts, duration, loss, and what the trace can tell" },
  { "check", cmd_check, NULL, "replay every rule of the scheduler; list damage, loss and gaps" },
  { "state", cmd_state, NULL, "the whole state of the scheduler at a time" },
  { "sql", cmd_sql, NULL, "ask with SQL" },
  { "dump", cmd_dump, NULL, "print the text form" },
  { "view", cmd_view, "Draw a trace", "open the window" },
  { "render", cmd_render, NULL, "draw to PNG or SVG, without a display" },
  { "recover", cmd_recover, "Keep a trace", "finish a trace whose recorder was killed" },
  { "materialise", cmd_materialise, NULL, "write the tables that any SQLite program can read" },
};

static void print_help(void)
{
  printf(
      "Usage: gmpscope COMMAND [OPTION]... [ARGUMENT]...\n\n"
      "See a Go-style scheduler think: record a program, then look at every G, M and P of it.\n");
  for (size_t i = 0; i < COUNT_OF(commands); i++) {
    if (commands[i].group)
      printf("\n%s:\n", commands[i].group);
    printf("  %-13s%s\n", commands[i].name, commands[i].doc);
  }
  printf("\ngmpscope COMMAND --help tells all about a command. Times are 12.5ms, 1.2s or @1234567 "
         "(ns).\n"
         "Exit status: 0 fine, 1 wrong or not found, 2 usage, 3 damaged input, 4 refused.\n");
}

static int unknown_command(const char *name)
{
  const char *names[COUNT_OF(commands)], *near;
  char todo[80];
  for (size_t i = 0; i < COUNT_OF(commands); i++)
    names[i] = commands[i].name;
  near = opt_nearest(name, names, COUNT_OF(names));
  if (near)
    snprintf(todo, sizeof todo, "did you mean %s?", near);
  return cli_fail(TRACEFILE_USAGE, name, near ? todo : "gmpscope --help lists the commands",
                  "there is no such command");
}

static int run_command(int argc, char **argv)
{
  for (size_t i = 0; i < COUNT_OF(commands); i++) {
    if (strcmp(commands[i].name, argv[0]) == 0)
      return commands[i].run(argc, argv);
  }
  return unknown_command(argv[0]);
}

/* gmpscope help [COMMAND] */
static int help(int argc, char **argv)
{
  char flag[] = "--help";
  char *help_argv[] = { argc > 1 ? argv[1] : NULL, flag, NULL };
  if (argc > 1)
    return run_command(2, help_argv);
  print_help();
  return TRACEFILE_OK;
}

static int dispatch(int argc, char **argv)
{
  if (argc < 2)
    return cli_fail(TRACEFILE_USAGE, "gmpscope", "gmpscope --help lists them",
                    "a command is missing");
  if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "help") == 0)
    return help(argc - 1, argv + 1);
  if (strcmp(argv[1], "--version") == 0) {
    printf("gmpscope %s (trace files of version %d)\n", GMPSCOPE_VERSION, TRACEFILE_MAJOR);
    return TRACEFILE_OK;
  }
  return run_command(argc - 1, argv + 1);
}

int main(int argc, char **argv)
{
  int code = dispatch(argc, argv);
  errno = 0;
  if (fflush(stdout) != 0 || ferror(stdout)) {
    cli_fail(TRACEFILE_REFUSED, "standard output", "", "it could not be written: %s",
             errno ? strerrordesc_np(errno) : "an earlier write failed");
    return code ? code : TRACEFILE_REFUSED;
  }
  return code;
}
