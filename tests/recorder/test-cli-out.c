/* SPDX-License-Identifier: MIT */
/* test-cli-out.c - what a trace may say to a terminal, and what JSON makes of it. */
#include "out.h"
#include "test.h"

#include <stdlib.h>
#include <string.h>

static void expect_text(const char *bytes, size_t n, const char *shown)
{
  char out[200], *text = NULL;
  size_t size;
  FILE *to = open_memstream(&text, &size);
  out_text(to, bytes, n);
  fclose(to);
  assert_string_equal(text, shown);
  assert_int_equal(out_escape(out, sizeof out, bytes, n), strlen(shown));
  assert_string_equal(out, shown);
  free(text);
}

static void a_terminal_gets_no_control_characters(void **state)
{
  (void)state;
  expect_text("plain", 5, "plain");
  expect_text("a\nb\tc", 5, "a\\nb\\tc");
  expect_text("\x1b[31m", 5, "\\x1b[31m");
  expect_text("nul\0nul", 7, "nul\\x00nul");
  expect_text("\xc2\x9b"
              "2J",
              4, "\\xc2\\x9b2J"); /* C1 control */
  expect_text("\xe2\x80\xae"
              "abc",
              6,
              "\\xe2\\x80\\xae"
              "abc"); /* right-to-left override */
  expect_text("\x7f", 1, "\\x7f");
}

static void good_utf8_passes_and_broken_is_shown_by_its_bytes(void **state)
{
  (void)state;
  expect_text("\xe4\xb8\xad\xf0\x9f\x98\x80", 7, "\xe4\xb8\xad\xf0\x9f\x98\x80");
  expect_text("\xc0\xaf", 2, "\\xc0\\xaf");          /* overlong */
  expect_text("\xed\xa0\x80", 3, "\\xed\\xa0\\x80"); /* surrogate */
  expect_text("\xe4\xb8", 2, "\\xe4\\xb8");          /* cut */
  expect_text("\xff"
              "a",
              2, "\\xffa");
  expect_text("\xf4\x90\x80\x80", 4, "\\xf4\\x90\\x80\\x80"); /* above U+10FFFF */
}

static void an_escaped_text_is_cut_at_a_whole_character(void **state)
{
  (void)state;
  char out[6];
  assert_int_equal(out_escape(out, sizeof out, "abcd\x1b", 5), 4);
  assert_string_equal(out, "abcd");
  assert_int_equal(out_escape(out, sizeof out, "abc\xe4\xb8\xad", 6), 3);
  assert_string_equal(out, "abc");
}

static void numbers_are_grouped_and_bytes_have_units(void **state)
{
  (void)state;
  char out[32];
  assert_string_equal(out_count(0, out), "0");
  assert_string_equal(out_count(999, out), "999");
  assert_string_equal(out_count(1000, out), "1,000");
  assert_string_equal(out_count(UINT64_MAX, out), "18,446,744,073,709,551,615");
  assert_string_equal(out_bytes(999, out), "999 bytes");
  assert_string_equal(out_bytes(1500000, out), "1.5 MB");
}

static void json_nests_and_escapes(void **state)
{
  (void)state;
  char *text = NULL;
  size_t size;
  FILE *to = open_memstream(&text, &size);
  struct out_json j;
  out_json_begin(&j, to);
  out_object(&j, NULL);
  out_string_n(&j, "a\"b", "x\n\\\"\xff\0", 6);
  out_array(&j, "list");
  out_int(&j, NULL, INT64_MIN);
  out_uint(&j, NULL, UINT64_MAX);
  out_real(&j, NULL, 0.5);
  out_bool(&j, NULL, true);
  out_null(&j, NULL);
  out_end(&j);
  out_object(&j, "empty");
  out_end(&j);
  out_string(&j, "none", NULL);
  out_end(&j);
  fclose(to);
  assert_string_equal(text, "{\n"
                            "  \"a\\\"b\": \"x\\u000a\\\\\\\"\\ufffd\\u0000\",\n"
                            "  \"list\": [\n"
                            "    -9223372036854775808,\n"
                            "    18446744073709551615,\n"
                            "    0.5,\n"
                            "    true,\n"
                            "    null\n"
                            "  ],\n"
                            "  \"empty\": {},\n"
                            "  \"none\": null\n"
                            "}\n");
  free(text);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_terminal_gets_no_control_characters),
    cmocka_unit_test(good_utf8_passes_and_broken_is_shown_by_its_bytes),
    cmocka_unit_test(an_escaped_text_is_cut_at_a_whole_character),
    cmocka_unit_test(numbers_are_grouped_and_bytes_have_units),
    cmocka_unit_test(json_nests_and_escapes),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
