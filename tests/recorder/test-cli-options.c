/* SPDX-License-Identifier: MIT */
/* test-cli-options.c - the parser of command lines, and the nearest word. */
#include "options.h"
#include "test.h"

#include <string.h>

struct values {
  bool loud;
  const char *output;
  int64_t from, g;
};

static enum opt_outcome parse(struct values *v, bool stops_at_word, char **argv,
                              struct opt_words *rest)
{
  const struct opt opts[] = {
    { 'l', "loud", NULL, opt_flag, &v->loud, "be loud" },
    { 'o', "output", "FILE", opt_text, &v->output, "where to" },
    { 0, "from", "T", opt_time, &v->from, "from when" },
    { 0, "g", "N", opt_id, &v->g, "which" },
  };
  const struct opt_command command = {
    .name = "try",
    .usage = "",
    .doc = "",
    .opts = opts,
    .n_opts = 4,
    .missing = "a FILE",
    .min_words = 1,
    .max_words = stops_at_word ? -1 : 2,
    .stops_at_word = stops_at_word,
  };
  int argc = 0;
  while (argv[argc])
    argc++;
  return opt_parse(&command, argc, argv, rest);
}

#define ARGV(...) ((char *[]){ strdupa("try"), __VA_ARGS__, NULL })
#define A(text)   strdupa(text)

static void options_and_words_may_be_mixed(void **state)
{
  (void)state;
  struct values v = { 0 };
  struct opt_words rest;
  char **argv =
      ARGV(A("one"), A("--output=x.db"), A("--from"), A("12.5ms"), A("two"), A("-l"), A("--g=7"));
  assert_int_equal(parse(&v, false, argv, &rest), OPT_GO);
  assert_true(v.loud);
  assert_string_equal(v.output, "x.db");
  assert_int_equal(v.from, 12500000);
  assert_int_equal(v.g, 7);
  assert_int_equal(rest.n, 2);
  assert_string_equal(rest.words[0], "one");
  assert_string_equal(rest.words[1], "two");
  assert_null(rest.words[2]);
}

static void letters_may_be_joined_and_carry_a_value(void **state)
{
  (void)state;
  struct values v = { 0 };
  struct opt_words rest;
  assert_int_equal(parse(&v, false, ARGV(A("-lox.db"), A("-")), &rest), OPT_GO);
  assert_true(v.loud);
  assert_string_equal(v.output, "x.db");
  assert_string_equal(rest.words[0], "-");
}

static void after_two_dashes_everything_is_a_word(void **state)
{
  (void)state;
  struct values v = { 0 };
  struct opt_words rest;
  assert_int_equal(parse(&v, false, ARGV(A("--"), A("-l"), A("--help")), &rest), OPT_GO);
  assert_false(v.loud);
  assert_int_equal(rest.n, 2);
  assert_string_equal(rest.words[1], "--help");
}

static void options_behind_the_program_are_the_programs(void **state)
{
  (void)state;
  struct values v = { 0 };
  struct opt_words rest;
  assert_int_equal(
      parse(&v, true, ARGV(A("-l"), A("./prog"), A("-o"), A("--help"), A("--")), &rest), OPT_GO);
  assert_true(v.loud);
  assert_null(v.output);
  assert_int_equal(rest.n, 4);
  assert_string_equal(rest.words[2], "--help");
  assert_string_equal(rest.words[3], "--");
}

static void mistakes_are_refused(void **state)
{
  (void)state;
  struct values v = { 0 };
  struct opt_words rest;
  assert_int_equal(parse(&v, false, ARGV(A("--lou"), A("f")), &rest), OPT_WRONG);
  assert_int_equal(parse(&v, false, ARGV(A("-z"), A("f")), &rest), OPT_WRONG);
  assert_int_equal(parse(&v, false, ARGV(A("--loud=yes"), A("f")), &rest), OPT_WRONG);
  assert_int_equal(parse(&v, false, ARGV(A("f"), A("--output")), &rest), OPT_WRONG);
  assert_int_equal(parse(&v, false, ARGV(A("f"), A("--output=")), &rest), OPT_WRONG);
  assert_int_equal(parse(&v, false, ARGV(A("f"), A("--from"), A("soon")), &rest), OPT_WRONG);
  assert_int_equal(parse(&v, false, ARGV(A("f"), A("--g=-1")), &rest), OPT_WRONG);
  assert_int_equal(parse(&v, false, ARGV(A("f"), A("--g=4294967296")), &rest), OPT_WRONG);
  assert_int_equal(parse(&v, false, ARGV(A("-l")), &rest), OPT_WRONG);
  assert_int_equal(parse(&v, false, ARGV(A("1"), A("2"), A("3")), &rest), OPT_WRONG);
}

static void the_nearest_word_is_one_slip_away(void **state)
{
  (void)state;
  static const char *const names[] = { "record", "render", NULL, "state", "sql" };
  assert_string_equal(opt_nearest("recrod", names, 5), "record");
  assert_string_equal(opt_nearest("rendr", names, 5), "render");
  assert_string_equal(opt_nearest("stat", names, 5), "state");
  assert_string_equal(opt_nearest("sqll", names, 5), "sql");
  assert_string_equal(opt_nearest("rec", names, 5), "record");
  assert_null(opt_nearest("attach", names, 5));
  assert_null(opt_nearest("", names, 5));
  assert_null(opt_nearest("a-word-that-is-much-longer-than-any-name-of-an-option", names, 5));
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(options_and_words_may_be_mixed),
    cmocka_unit_test(letters_may_be_joined_and_carry_a_value),
    cmocka_unit_test(after_two_dashes_everything_is_a_word),
    cmocka_unit_test(options_behind_the_program_are_the_programs),
    cmocka_unit_test(mistakes_are_refused),
    cmocka_unit_test(the_nearest_word_is_one_slip_away),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
