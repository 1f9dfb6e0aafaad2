/* SPDX-License-Identifier: MIT */
/* test-plan-text.c - foreign text on a picture: one line, of valid and harmless characters, of bounded length. */
#include "test.h"

#include "plan.h"

#include <stdlib.h>
#include <string.h>

static void foreign_text_becomes_one_harmless_line(void **state)
{
  (void)state;
  char out[64];
  vw_display_text("a\nb\tc", 5, out, sizeof out);
  assert_string_equal(out, "a b c");
  vw_display_text("\xff\xc0\x80", 3, out, sizeof out);
  assert_string_equal(out, "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
  vw_display_text("x\xe2\x80\xaey", 5, out, sizeof out);
  assert_string_equal(out, "x\xef\xbf\xbdy");
  vw_display_text("<b>&", 4, out, sizeof out);
  assert_string_equal(out, "<b>&");
  vw_display_text("e\xcc\x81\xcc\x81\xcc\x81\xcc\x81", 9, out, sizeof out);
  assert_string_equal(out, "e\xcc\x81\xcc\x81");
  vw_display_text("\xe4\xbd\xa0\xe5\xa5\xbd", 6, out, sizeof out);
  assert_string_equal(out, "\xe4\xbd\xa0\xe5\xa5\xbd");
}

static void a_megabyte_of_text_ends_in_an_ellipsis(void **state)
{
  (void)state;
  size_t n = 1 << 20;
  char *raw = malloc(n), out[32];
  assert_non_null(raw);
  for (int byte = 1; byte < 256; byte++) {
    memset(raw, byte, n);
    size_t length = vw_display_text(raw, n, out, sizeof out);
    assert_true(length == strlen(out) && length < sizeof out);
  }
  memset(raw, 'x', n);
  assert_int_equal(vw_display_text(raw, n, out, sizeof out), 31);
  assert_string_equal(out + 28, "\xe2\x80\xa6");
  free(raw);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(foreign_text_becomes_one_harmless_line),
    cmocka_unit_test(a_megabyte_of_text_ends_in_an_ellipsis),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
