/* SPDX-License-Identifier: MIT */
/* options.h - the command line of one command, from one table.
 *
 * A command says its options once, in a table; parsing, --help and the sentence about a misspelt option
 * are made from it.  How a value is read is a function (opt_text, opt_time, ...), so a new type of value is
 * a new function and nothing else.
 *
 * I1  Options and words may be mixed; "--" ends the options; "-" is a word.
 * I2  A word in the wrong place is an error told in one line, never ignored.
 * I3  Long names are never abbreviated: a new option must not break an old script.
 *
 * Not done: getopt_long. It prints its own sentences to stderr and cannot suggest.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Reads a value into *to. False: it is not one; then why (200 bytes) says what was expected. */
typedef bool (*opt_reader)(void *to, const char *value, char *why);

bool opt_flag(void *to, const char *value, char *why); /* bool *: becomes true */
bool opt_text(void *to, const char *value, char *why); /* const char **: borrowed from argv */
bool opt_time(void *to, const char *value, char *why); /* int64_t *: ns */
bool opt_id(void *to, const char *value, char *why);   /* int64_t *: 0 ... 2^32-1 */

struct opt {
  char letter;       /* 0: none */
  const char *name;  /* "output" */
  const char *value; /* "FILE" in the help; NULL: takes none */
  opt_reader read;
  void *to;
  const char *doc; /* one sentence, without a full stop */
};

struct opt_command {
  const char *name;     /* "record" */
  const char *usage;    /* what follows "gmpscope record", a line each */
  const char *doc;      /* paragraphs for --help */
  const char *epilogue; /* examples; NULL none */
  const struct opt *opts;
  size_t n_opts;
  int min_words, max_words; /* max -1: any number */
  const char *missing;      /* "a FILE": what to say when there are too few words */
  bool stops_at_word;       /* everything from the first word on belongs to another program */
};

struct opt_words { /* in argv's memory, NULL-terminated */
  char **words;
  int n;
};

enum opt_outcome {
  OPT_GO,    /* words are filled in */
  OPT_HELP,  /* the help was printed to stdout: exit 0 */
  OPT_WRONG, /* a line was printed to stderr: exit 2 */
};

/* argv[0] is the command's name; argv is reordered. */
enum opt_outcome opt_parse(const struct opt_command *command, int argc, char **argv,
                           struct opt_words *out);

/* The name most like word, or NULL if none is near. names holds n, in which NULLs are passed over. */
const char *opt_nearest(const char *word, const char *const *names, size_t n);
