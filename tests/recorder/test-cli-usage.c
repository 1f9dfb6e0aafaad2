/* SPDX-License-Identifier: MIT */
/* test-cli-usage.c - the command line itself: help everywhere, mistakes in one line, documents that keep up. */
#include "run-cli.h"
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const commands[] = {
  "record", "demo", "load", "info",   "check",   "state",
  "sql",    "dump", "view", "render", "recover", "materialise"
};
#define N_COMMANDS (sizeof commands / sizeof commands[0])

static char *read_source(const char *name)
{
  char path[4096];
  snprintf(path, sizeof path, "%s/%s", getenv("GMPSCOPE_SOURCE"), name);
  FILE *from = fopen(path, "re");
  if (!from)
    fail_msg("%s is missing", path);
  char *bytes = calloc(1, 1 << 20);
  assert_non_null(bytes);
  assert_true(fread(bytes, 1, (1 << 20) - 1, from) > 0);
  fclose(from);
  return bytes;
}

static void help_lists_every_command_and_each_explains_itself(void **state)
{
  (void)state;
  struct run all = run_cli("--help", NULL);
  assert_int_equal(all.code, 0);
  for (size_t i = 0; i < N_COMMANDS; i++) {
    char usage[80];
    snprintf(usage, sizeof usage, "Usage: gmpscope %s", commands[i]);
    struct run run = run_cli(commands[i], "--help", NULL);
    struct run same = run_cli("help", commands[i], NULL);
    assert_int_equal(run.code, 0);
    assert_string_equal(run.err, "");
    assert_int_equal(strncmp(run.out, usage, strlen(usage)), 0);
    assert_string_equal(run.out, same.out);
    assert_non_null(strstr(all.out, commands[i]));
    run_free(&run);
    run_free(&same);
  }
  run_free(&all);
}

static void help_helps_even_beside_a_mistake(void **state)
{
  (void)state;
  struct run run = run_cli("dump", "--nonsense", "--help", NULL);
  assert_int_equal(run.code, 0);
  assert_string_equal(run.err, "");
  run_free(&run);
}

static void the_version_is_told(void **state)
{
  (void)state;
  struct run run = run_cli("--version", NULL);
  assert_int_equal(run.code, 0);
  assert_int_equal(strncmp(run.out, "gmpscope ", 9), 0);
  run_free(&run);
}

static void a_misspelt_command_is_answered_with_the_right_one(void **state)
{
  (void)state;
  struct run run = run_cli("chekc", "x.db", NULL);
  run_expect_refusal(&run, 2, "chekc: there is no such command; did you mean check?");
  run_free(&run);
  run = run_cli("frobnicate", NULL);
  run_expect_refusal(&run, 2, "gmpscope --help");
  run_free(&run);
}

static void mistakes_in_options_are_usage_errors(void **state)
{
  (void)state;
  static const struct {
    const char *words[6], *says;
  } cases[] = {
    { { "dump", "x.db", "--form", "1ms" }, "did you mean --from?" },
    { { "dump", "x.db", "--from", "soon" }, "is not a time" },
    { { "dump", "x.db", "--kind", "go_blok" }, "did you mean go_block?" },
    { { "dump" }, "a FILE is missing" },
    { { "recover" }, "a FILE is missing" },
    { { "info", "a.db", "b.db" }, "no more words" },
    { { "state", "x.db" }, "add --at T" },
    { { "load", "x.txt" }, "add -o FILE" },
    { { "record" }, "the PROG to run is missing" },
    { { "record", "--tables=some", "true" }, "none of auto, all and none" },
    { { "record", "--categories=sched,foo", "true" }, "is not a list of" },
    { { "record", "--on-full=wait", "true" }, "neither drop nor block" },
    { { "record", "--for=0ms", "true" }, "longer than nothing" },
    { { "render", "x.db" }, "add -o OUT.png" },
    { { "render", "-o", "x.png" }, "no trace file was named" },
    { { "render", "x.db", "-o", "x.gif" }, "end in .png, .svg or .pdf" },
    { { "render", "x.db", "-o", "x.png", "--size=big" }, "is not a size" },
    { { "render", "x.db", "-o", "x.png", "--from=soon" }, "is not a time" },
    { { "render", "x.db", "-o", "x.png", "--theme=red" }, "light or dark" },
    { { "render", "x.db", "-o", "x.png", "--tehme" }, "there is no such option" },
    { { "render", "x.db", "-o", "x.png", "--lanes=q" }, "lanes are m, p or g" },
    { { "sql", "x.db", "SELECT 1", "--json", "--csv" }, "cannot go with --json" },
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    const char *const *w = cases[i].words;
    struct run run = run_cli(w[0], w[1], w[2], w[3], w[4], w[5], NULL);
    run_expect_refusal(&run, 2, cases[i].says);
    run_free(&run);
  }
}

static void a_full_disk_is_told(void **state)
{
  (void)state;
  char *argv[] = { (char *)"/bin/sh", (char *)"-c", NULL, NULL };
  char line[5000];
  snprintf(line, sizeof line, "exec %s --help >/dev/full", run_built("recorder/gmpscope"));
  argv[2] = line;
  struct run run = run_argv(argv, NULL, false);
  run_expect_refusal(&run, 4, "it could not be written");
  run_free(&run);
}

/* Calls with each --option that a command's help lists. */
static void each_option(const char *help, const char *command, const char *document,
                        const char *name)
{
  for (const char *at = help; (at = strstr(at, "--"));) {
    size_t n = strspn(at + 2, "abcdefghijklmnopqrstuvwxyz-");
    bool is_listed = at - help > 6 && strncmp(at - 6, "      ", 6) == 0;
    is_listed = is_listed || (at - help > 2 && strncmp(at - 2, ", ", 2) == 0 && at[-4] == '-');
    char option[64];
    snprintf(option, sizeof option, "--%.*s", (int)n, at + 2);
    if (is_listed && !strstr(document, option))
      fail_msg("%s does not mention %s of gmpscope %s", name, option, command);
    at += 2 + n;
  }
}

static void man_page_and_completions_know_every_command_and_option(void **state)
{
  (void)state;
  static const char *const names[] = { "docs/gmpscope.1", "recorder/completions/gmpscope.bash",
                                       "recorder/completions/_gmpscope" };
  for (size_t i = 0; i < 3; i++) {
    char *document = read_source(names[i]);
    char *plain = document; /* troff writes \- */
    for (char *at = document; *at; at++) {
      if (*at != '\\' || at[1] != '-')
        *plain++ = *at;
    }
    *plain = '\0';
    for (size_t c = 0; c < N_COMMANDS; c++) {
      struct run run = run_cli(commands[c], "--help", NULL);
      if (!strstr(document, commands[c]))
        fail_msg("%s does not mention %s", names[i], commands[c]);
      each_option(run.out, commands[c], document, names[i]);
      run_free(&run);
    }
    free(document);
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(help_lists_every_command_and_each_explains_itself),
    cmocka_unit_test(help_helps_even_beside_a_mistake),
    cmocka_unit_test(the_version_is_told),
    cmocka_unit_test(a_misspelt_command_is_answered_with_the_right_one),
    cmocka_unit_test(mistakes_in_options_are_usage_errors),
    cmocka_unit_test(a_full_disk_is_told),
    cmocka_unit_test(man_page_and_completions_know_every_command_and_option),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
