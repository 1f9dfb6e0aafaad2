/* SPDX-License-Identifier: MIT */
/* test-table.c - events.def and words.def keep their own rules, and docs/events.md was made from them. */
#include "test.h"

#include "trace-replay.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Numbers of the events in the order of the table. */
static const uint32_t numbers[] = {
#define EVENT(number, NAME, name, family, w0, w1, w2, w3, doc) number,
#include "events.def"
#undef EVENT
};

static void numbers_fit_a_byte_and_grow(void **state)
{
  (void)state;
  assert_true(TRACE_KIND_LIMIT <= 256); /* a chunk stores a kind in a byte */
  uint32_t last = 0;
  for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
    assert_in_range(numbers[i], last + 1, TRACE_KIND_LIMIT - 1);
    last = numbers[i];
  }
}

static void arguments_are_never_called_like_a_column_of_a_record(void **state)
{
  (void)state;
  const char *columns[] = { "ts", "seq", "m", "p", "g", "kind" };
  for (uint32_t kind = 0; kind < TRACE_KIND_LIMIT; kind++) {
    for (int i = 0; i < 4; i++) {
      const char *name = trace_specs[kind].args[i].name;
      for (size_t c = 0; name && c < sizeof columns / sizeof columns[0]; c++) {
        if (strcmp(name, columns[c]) == 0)
          fail_msg("%s has an argument called %s", trace_specs[kind].name, name);
      }
    }
  }
}

static void arguments_of_one_event_have_different_names(void **state)
{
  (void)state;
  for (uint32_t kind = 0; kind < TRACE_KIND_LIMIT; kind++) {
    const struct trace_arg_spec *args = trace_specs[kind].args;
    for (int i = 0; i < 4; i++) {
      for (int k = i + 1; k < 4; k++)
        assert_false(args[i].name && args[k].name && strcmp(args[i].name, args[k].name) == 0);
    }
  }
}

static void wide_arguments_are_aligned_and_followed_by_their_high_half(void **state)
{
  (void)state;
  for (uint32_t kind = 0; kind < TRACE_KIND_LIMIT; kind++) {
    const struct trace_arg_spec *args = trace_specs[kind].args;
    for (int i = 0; i < 4; i++) {
      bool wide = trace_arg_is_wide(args[i].type), high = args[i].type == TRACE_ARG_HIGH;
      assert_true(!wide || i % 2 == 0);
      assert_true(!wide || args[i + 1].type == TRACE_ARG_HIGH);
      assert_true(!high || (i % 2 == 1 && trace_arg_is_wide(args[i - 1].type)));
    }
  }
}

static void kinds_are_found_by_name(void **state)
{
  (void)state;
  for (uint32_t kind = 1; kind < TRACE_KIND_LIMIT; kind++) {
    const struct trace_spec *spec = trace_spec_get(kind);
    if (spec)
      assert_int_equal(trace_kind_by_name(spec->name, strlen(spec->name)), kind);
  }
  assert_int_equal(trace_kind_by_name("go_sta", 6), TRACE_KIND_NONE);
  assert_null(trace_spec_get(0));
  assert_null(trace_spec_get(TRACE_KIND_LIMIT));
}

static void words_are_found_by_number_and_by_text(void **state)
{
  (void)state;
  for (int type = TRACE_ARG_WAIT; type <= TRACE_ARG_CHOICE; type++) {
    unsigned known = 0;
    for (uint32_t number = 0; number < 40; number++) {
      uint32_t found;
      const char *text = trace_word_text((enum trace_arg)type, number);
      if (!text)
        continue;
      known++;
      assert_true(trace_word_by_text((enum trace_arg)type, text, strlen(text), &found));
      assert_int_equal(found, number); /* so no text stands twice in a list */
    }
    assert_in_range(known, 2, 40);
  }
  assert_null(trace_word_text(TRACE_ARG_WAIT, UINT32_MAX));
  assert_null(trace_word_text(TRACE_ARG_G, 0));
}

static void families_parse(void **state)
{
  (void)state;
  uint32_t mask;
  assert_true(trace_family_parse("all", &mask));
  assert_int_equal(mask, TRACE_FAMILY_ALL);
  assert_true(trace_family_parse("timer,runq", &mask));
  assert_int_equal(mask, TRACE_FAMILY_ALWAYS | TRACE_FAMILY_TIMER | TRACE_FAMILY_RUNQ);
  assert_false(trace_family_parse("timer,", &mask));
  assert_false(trace_family_parse("tim", &mask));
}

static void rules_have_names_and_texts(void **state)
{
  (void)state;
  for (int rule = 1; rule < TRACE_RULE_LIMIT; rule++) {
    assert_non_null(trace_rule_name((enum trace_rule)rule));
    assert_non_null(trace_rule_text((enum trace_rule)rule));
  }
  assert_null(trace_rule_name(TRACE_RULE_NONE));
  assert_null(trace_rule_name(TRACE_RULE_LIMIT));
}

static char *read_all(FILE *in)
{
  size_t size = 1 << 20;
  char *text = malloc(size);
  size_t n = fread(text, 1, size - 1, in);
  text[n] = '\0';
  return text;
}

static void the_committed_page_of_events_is_up_to_date(void **state)
{
  (void)state;
  char path[2000];
  FILE *generator = popen(GEN_EVENTS_MD, "r"); /* built from this very table */
  assert_non_null(generator);
  char *fresh = read_all(generator);
  assert_int_equal(pclose(generator), 0);
  snprintf(path, sizeof path, "%s/docs/events.md", getenv("GMPSCOPE_SOURCE"));
  FILE *page = fopen(path, "r");
  if (!page)
    fail_msg("%s is missing", path);
  char *committed = read_all(page);
  fclose(page);
  if (strcmp(fresh, committed) != 0)
    fail_msg("docs/events.md is out of date: run gen-events-md > docs/events.md");
  free(fresh);
  free(committed);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(numbers_fit_a_byte_and_grow),
    cmocka_unit_test(arguments_are_never_called_like_a_column_of_a_record),
    cmocka_unit_test(arguments_of_one_event_have_different_names),
    cmocka_unit_test(wide_arguments_are_aligned_and_followed_by_their_high_half),
    cmocka_unit_test(kinds_are_found_by_name),
    cmocka_unit_test(words_are_found_by_number_and_by_text),
    cmocka_unit_test(families_parse),
    cmocka_unit_test(rules_have_names_and_texts),
    cmocka_unit_test(the_committed_page_of_events_is_up_to_date),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
