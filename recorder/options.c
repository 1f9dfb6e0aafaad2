/* SPDX-License-Identifier: MIT */
/* options.c - one loop over argv; what an option means stands in the command's table.
 *
 * --help and -h work everywhere, before anything else is looked at, so that they help even beside a
 * mistake.  Suggestions come from the edit distance with swaps (a typing error costs one).
 */
#include "options.h"
#include "cli.h"
#include "trace-text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WHY_SIZE     200
#define LONGEST_NAME 31

bool opt_flag(void *to, const char *value, char *why)
{
  (void)value;
  (void)why;
  *(bool *)to = true;
  return true;
}

bool opt_text(void *to, const char *value, char *why)
{
  if (!*value) {
    snprintf(why, WHY_SIZE, "the value is empty");
    return false;
  }
  *(const char **)to = value;
  return true;
}

bool opt_time(void *to, const char *value, char *why)
{
  if (trace_time_parse(value, to))
    return true;
  snprintf(why, WHY_SIZE, "\"%.60s\" is not a time such as 12.5ms, 1.2s or @1234567", value);
  return false;
}

bool opt_id(void *to, const char *value, char *why)
{
  char *end;
  unsigned long long n = strtoull(value, &end, 10);
  if (*value < '0' || *value > '9' || *end || n > UINT32_MAX) {
    snprintf(why, WHY_SIZE, "\"%.60s\" is not a number from 0 to 4294967295", value);
    return false;
  }
  *(int64_t *)to = (int64_t)n;
  return true;
}

static size_t min_of(size_t a, size_t b)
{
  return a < b ? a : b;
}

/* Edit distance with swaps of neighbours, of words up to LONGEST_NAME long. */
static size_t distance(const char *a, size_t n_a, const char *b, size_t n_b)
{
  size_t d[LONGEST_NAME + 1][LONGEST_NAME + 1];
  for (size_t i = 0; i <= n_a; i++)
    d[i][0] = i;
  for (size_t j = 0; j <= n_b; j++)
    d[0][j] = j;
  for (size_t i = 1; i <= n_a; i++) {
    for (size_t j = 1; j <= n_b; j++) {
      size_t change = d[i - 1][j - 1] + (a[i - 1] != b[j - 1]);
      d[i][j] = min_of(change, 1 + min_of(d[i - 1][j], d[i][j - 1]));
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        d[i][j] = min_of(d[i][j], d[i - 2][j - 2] + 1);
    }
  }
  return d[n_a][n_b];
}

const char *opt_nearest(const char *word, const char *const *names, size_t n)
{
  const char *nearest = NULL;
  size_t best = SIZE_MAX, n_word = strlen(word);
  if (n_word > LONGEST_NAME)
    return NULL;
  for (size_t i = 0; i < n; i++) {
    size_t n_name = names[i] ? strlen(names[i]) : 0;
    if (n_name == 0 || n_name > LONGEST_NAME)
      continue;
    bool begins = n_word >= 2 && strncmp(names[i], word, n_word) == 0;
    size_t off = begins ? 1 : distance(word, n_word, names[i], n_name);
    bool is_near = off <= 1 + n_name / 4 && off < n_name && off < n_word;
    if (is_near && off < best) {
      best = off;
      nearest = names[i];
    }
  }
  return nearest;
}

static void print_opt(const struct opt *opt)
{
  char left[64];
  int n = opt->letter ? snprintf(left, sizeof left, "  -%c, ", opt->letter)
                      : snprintf(left, sizeof left, "      ");
  snprintf(left + n, sizeof left - (size_t)n, "--%s%s%s", opt->name, opt->value ? "=" : "",
           opt->value ? opt->value : "");
  if (strlen(left) > 25)
    printf("%s\n%-27s%s\n", left, "", opt->doc);
  else
    printf("%-27s%s\n", left, opt->doc);
}

static void print_usage(const struct opt_command *command)
{
  const char *line = command->usage, *before = "Usage:";
  for (;;) {
    const char *end = strchr(line, '\n');
    int n = end ? (int)(end - line) : (int)strlen(line);
    printf("%s gmpscope %s%s%.*s\n", before, command->name, n ? " " : "", n, line);
    if (!end)
      break;
    line = end + 1;
    before = "      ";
  }
}

static void print_help(const struct opt_command *command)
{
  static const struct opt help = { 'h', "help", NULL, opt_flag, NULL, "print this and exit" };
  print_usage(command);
  printf("\n%s\n\nOptions:\n", command->doc);
  for (size_t i = 0; i < command->n_opts; i++)
    print_opt(&command->opts[i]);
  print_opt(&help);
  if (command->epilogue)
    printf("\n%s\n", command->epilogue);
}

/* What one walk over argv needs. */
struct parser {
  const struct opt_command *command;
  char **argv;
  int argc, at;
  int n_words;
};

static bool is_help(const char *word)
{
  return strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0;
}

static bool wants_help(const struct opt_command *command, int argc, char **argv)
{
  for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
    if (is_help(argv[i]))
      return true;
    if (command->stops_at_word && argv[i][0] != '-')
      return false;
  }
  return false;
}

static bool wrong_value(const struct parser *p, const char *option, const char *why)
{
  char todo[80];
  snprintf(todo, sizeof todo, "see gmpscope %s --help", p->command->name);
  cli_fail(TRACEFILE_USAGE, option, todo, "%s", why);
  return false;
}

static bool unknown(const struct parser *p, const char *option, const char *name)
{
  const char *names[40] = { "help" };
  size_t n = 1;
  for (size_t i = 0; i < p->command->n_opts && n < 40; i++)
    names[n++] = p->command->opts[i].name;
  const char *near = opt_nearest(name, names, n);
  char todo[120];
  if (near)
    snprintf(todo, sizeof todo, "did you mean --%s?", near);
  else
    snprintf(todo, sizeof todo, "gmpscope %s --help lists them", p->command->name);
  cli_fail(TRACEFILE_USAGE, option, todo, "%s has no such option", p->command->name);
  return false;
}

/* Applies an option. value: what was attached to it, or NULL: then the next word is taken if it needs one. */
static bool apply(struct parser *p, const struct opt *opt, const char *shown, const char *value)
{
  char why[WHY_SIZE];
  if (!opt->value && value)
    return wrong_value(p, shown, "it takes no value");
  if (opt->value && !value) {
    if (p->at + 1 >= p->argc) {
      snprintf(why, sizeof why, "it needs a value, %s", opt->value);
      return wrong_value(p, shown, why);
    }
    value = p->argv[++p->at];
  }
  return opt->read(opt->to, value, why) || wrong_value(p, shown, why);
}

static bool parse_long(struct parser *p, char *word)
{
  char *value = strchr(word, '=');
  if (value)
    *value++ = '\0';
  for (size_t i = 0; i < p->command->n_opts; i++) {
    const struct opt *opt = &p->command->opts[i];
    if (strcmp(opt->name, word + 2) == 0)
      return apply(p, opt, word, value);
  }
  return unknown(p, word, word + 2);
}

static const struct opt *find_letter(const struct opt_command *command, char letter)
{
  for (size_t i = 0; i < command->n_opts; i++) {
    if (command->opts[i].letter == letter)
      return &command->opts[i];
  }
  return NULL;
}

/* -q, -qx, -oFILE, -o FILE */
static bool parse_letters(struct parser *p, char *word)
{
  for (char *at = word + 1; *at; at++) {
    char shown[3] = { '-', *at, '\0' };
    const struct opt *opt = find_letter(p->command, *at);
    if (!opt)
      return unknown(p, shown, word + 1);
    if (opt->value)
      return apply(p, opt, shown, at[1] ? at + 1 : NULL);
    if (!apply(p, opt, shown, NULL))
      return false;
  }
  return true;
}

static void take_rest(struct parser *p)
{
  while (p->at < p->argc)
    p->argv[1 + p->n_words++] = p->argv[p->at++];
}

static bool walk(struct parser *p)
{
  for (p->at = 1; p->at < p->argc; p->at++) {
    char *word = p->argv[p->at];
    bool is_word = word[0] != '-' || !word[1];
    if (strcmp(word, "--") == 0) {
      p->at++;
      take_rest(p);
    } else if (is_word && p->command->stops_at_word) {
      take_rest(p);
    } else if (is_word) {
      p->argv[1 + p->n_words++] = word;
    } else if (!(word[1] == '-' ? parse_long(p, word) : parse_letters(p, word))) {
      return false;
    }
  }
  return true;
}

static bool count_words(const struct parser *p)
{
  const struct opt_command *c = p->command;
  char todo[80];
  snprintf(todo, sizeof todo, "see gmpscope %s --help", c->name);
  if (p->n_words < c->min_words) {
    cli_fail(TRACEFILE_USAGE, c->name, todo, "%s is missing", c->missing);
    return false;
  }
  if (c->max_words >= 0 && p->n_words > c->max_words) {
    cli_fail(TRACEFILE_USAGE, p->argv[1 + c->max_words], todo, "%s takes no more words here",
             c->name);
    return false;
  }
  return true;
}

enum opt_outcome opt_parse(const struct opt_command *command, int argc, char **argv,
                           struct opt_words *out)
{
  struct parser p = { .command = command, .argv = argv, .argc = argc };
  if (wants_help(command, argc, argv)) {
    print_help(command);
    return OPT_HELP;
  }
  if (!walk(&p) || !count_words(&p))
    return OPT_WRONG;
  if (p.n_words + 1 < argc)
    argv[1 + p.n_words] = NULL;
  *out = (struct opt_words){ .words = argv + 1, .n = p.n_words };
  return OPT_GO;
}
