/* SPDX-License-Identifier: MIT */
/* test-words.c - what is typed becomes a filter; what is said becomes links. */
#include "test.h"

#include "filter.h"
#include "links.h"

#include <string.h>

static void things_families_kinds_and_words_all_hold_together(void **state)
{
  (void)state;
  struct ui_filter parsed;
  assert_true(ui_filter_parse(&parsed, " g17  M2 go_block chan results"));
  assert_true(parsed.filter.has_g);
  assert_int_equal(parsed.filter.g, 17);
  assert_true(parsed.filter.has_m);
  assert_int_equal(parsed.filter.m, 2);
  assert_true(parsed.filter.has_kind);
  assert_int_equal(parsed.filter.kind, TRACE_GO_BLOCK);
  assert_string_equal(parsed.filter.text, "chan results");
  ui_filter_clear(&parsed);
}

static void a_family_stands_for_itself_alone(void **state)
{
  (void)state;
  struct ui_filter parsed;
  assert_true(ui_filter_parse(&parsed, "timer"));
  assert_int_equal(parsed.filter.families, TRACE_FAMILY_TIMER);
  assert_null(parsed.filter.text);
  ui_filter_clear(&parsed);
}

static void nothing_typed_is_no_filter(void **state)
{
  (void)state;
  struct ui_filter parsed;
  assert_false(ui_filter_parse(&parsed, " \t "));
  ui_filter_clear(&parsed);
}

static void a_number_too_large_for_a_goid_is_a_word(void **state)
{
  (void)state;
  struct ui_filter parsed;
  assert_true(ui_filter_parse(&parsed, "g99999999999"));
  assert_false(parsed.filter.has_g);
  assert_string_equal(parsed.filter.text, "g99999999999");
  ui_filter_clear(&parsed);
}

static void assert_markup(const char *sentence, const char *expected)
{
  g_autofree char *markup = ui_links_markup(sentence);
  assert_string_equal(markup, expected);
}

static void gs_ms_and_ps_in_a_sentence_become_links(void **state)
{
  (void)state;
  assert_markup("M3 (P1) took G17.",
                "<a href=\"m:3\">M3</a> (<a href=\"p:1\">P1</a>) took <a href=\"g:17\">G17</a>.");
}

static void only_names_that_stand_alone_become_links(void **state)
{
  (void)state;
  assert_markup("GOMAXPROCS PG1 G1x _M2 M P.", "GOMAXPROCS PG1 G1x _M2 M P.");
}

static void names_of_the_program_cannot_make_markup(void **state)
{
  (void)state;
  assert_markup("<b>&\"", "&lt;b&gt;&amp;&quot;");
  g_autofree char *link = ui_link('g', 1, "</a><a href='x'>");
  assert_null(strstr(link, "href='x'"));
}

static void bytes_that_are_no_text_are_still_shown_as_text(void **state)
{
  (void)state;
  g_autofree char *clean = ui_text_clean("a\xff\n\x1b[31m\xe2\x80\xae!");
  assert_true(g_utf8_validate(clean, -1, NULL));
  assert_null(strchr(clean, '\n'));
  assert_null(strchr(clean, '\x1b'));
  assert_null(strstr(clean, "\xe2\x80\xae")); /* right-to-left override */
}

static void counts_are_grouped_by_thousands(void **state)
{
  (void)state;
  static const struct {
    uint64_t n;
    const char *text;
  } rows[] = { { 0, "0" }, { 999, "999" }, { 1000, "1,000" }, { 1234567, "1,234,567" } };
  for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
    g_autofree char *text = ui_text_count(rows[i].n);
    assert_string_equal(text, rows[i].text);
  }
}

static void one_is_not_many(void **state)
{
  (void)state;
  g_autofree char *none = ui_text_many(0, "G"), *one = ui_text_many(1, "G"),
                  *many = ui_text_many(2345, "event");
  assert_string_equal(none, "0 Gs");
  assert_string_equal(one, "1 G");
  assert_string_equal(many, "2,345 events");
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(things_families_kinds_and_words_all_hold_together),
    cmocka_unit_test(a_family_stands_for_itself_alone),
    cmocka_unit_test(nothing_typed_is_no_filter),
    cmocka_unit_test(a_number_too_large_for_a_goid_is_a_word),
    cmocka_unit_test(gs_ms_and_ps_in_a_sentence_become_links),
    cmocka_unit_test(only_names_that_stand_alone_become_links),
    cmocka_unit_test(names_of_the_program_cannot_make_markup),
    cmocka_unit_test(bytes_that_are_no_text_are_still_shown_as_text),
    cmocka_unit_test(counts_are_grouped_by_thousands),
    cmocka_unit_test(one_is_not_many),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
