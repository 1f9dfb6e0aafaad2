/* SPDX-License-Identifier: MIT */
/* test-render.c - the program gmpscope-render: exit codes, the one line on stderr, and that no display is needed. */
#include "test.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

static char folder[] = "/tmp/test-render-XXXXXX";
static char said[4000];

/* Runs a program of the build in the folder, without a display; returns its exit code, and what it said. */
static int run(const char *program, const char *arguments)
{
  char command[2000];
  snprintf(command, sizeof command, "cd %s && env -u DISPLAY -u WAYLAND_DISPLAY %s/%s %s 2>&1",
           folder, getenv("GMPSCOPE_BUILD"), program, arguments);
  FILE *out = popen(command, "r");
  assert_non_null(out);
  size_t n = fread(said, 1, sizeof said - 1, out);
  said[n] = '\0';
  return WEXITSTATUS(pclose(out));
}

static int render(const char *arguments)
{
  return run("viewer/paint/gmpscope-render", arguments);
}

static bool exists(const char *name)
{
  char path[200];
  struct stat st;
  snprintf(path, sizeof path, "%s/%s", folder, name);
  return stat(path, &st) == 0 && st.st_size > 0;
}

static bool is_one_line_of_error(void)
{
  return strncmp(said, "gmpscope: ", 10) == 0 && strchr(said, '\n') == said + strlen(said) - 1;
}

static int begin(void **state)
{
  (void)state;
  char arguments[1000];
  if (!mkdtemp(folder))
    return -1;
  snprintf(arguments, sizeof arguments,
           "load %s/tests/traces/good/panic-is-recovered.trace -o t.db", getenv("GMPSCOPE_SOURCE"));
  return run("recorder/gmpscope", arguments);
}

static int end(void **state)
{
  (void)state;
  char command[100];
  snprintf(command, sizeof command, "rm -rf %s", folder);
  return system(command);
}

static void paints_png_svg_and_pdf_of_every_kind_of_lane(void **state)
{
  (void)state;
  assert_int_equal(render("t.db -o m.png"), 0);
  assert_int_equal(render("t.db -o p.svg --lanes=p --theme=dark"), 0);
  assert_int_equal(
      render("t.db -o g.pdf --lanes=g --select=g1 --dim --arrows=wake,park --size=700x400"), 0);
  assert_string_equal(said, "");
  assert_true(exists("m.png") && exists("p.svg") && exists("g.pdf"));
}

/* What the SVG says of itself; overwritten by the next call. */
static char *words_of(const char *name)
{
  char command[300];
  static char words[20000];
  snprintf(command, sizeof command, "sed -n '/<title>/,/<\\/desc>/p' %s/%s", folder, name);
  FILE *from = popen(command, "r");
  assert_non_null(from);
  words[fread(words, 1, sizeof words - 1, from)] = '\0';
  pclose(from);
  return words;
}

static int count(const char *text, const char *what)
{
  int n = 0;
  for (const char *at = text; (at = strstr(at, what)); at++)
    n++;
  return n;
}

/* The slow one lasts a million times as long: beside it the span of G1 in the other has no room for a word. */
static void two_traces_stand_one_below_the_other_on_one_scale(void **state)
{
  (void)state;
  char command[500];
  snprintf(command, sizeof command,
           "sed 's/^@[0-9]*/&000000/' %s/tests/traces/good/%s >%s/slow.trace",
           getenv("GMPSCOPE_SOURCE"), "panic-is-recovered.trace", folder);
  assert_int_equal(system(command), 0);
  assert_int_equal(run("recorder/gmpscope", "load slow.trace -q -o slow.db"), 0);
  assert_int_equal(render("t.db t.db -o same.svg"), 0);
  assert_int_equal(count(words_of("same.svg"), "<title>t.db; t.db</title>"), 1);
  assert_int_equal(count(words_of("same.svg"), "\nG1\n"), 2);
  assert_int_equal(render("t.db slow.db -o scale.svg"), 0);
  assert_int_equal(count(words_of("scale.svg"), "<title>t.db; slow.db</title>"), 1);
  assert_int_equal(count(words_of("scale.svg"), "\nG1\n"), 1);
  assert_int_equal(render("t.db slow.db -o both.png --size=800x600"), 0);
  assert_int_equal(render("t.db slow.db -o both.pdf --lanes=g"), 0);
  assert_true(exists("both.png") && exists("both.pdf"));
  assert_int_not_equal(render("t.db none.db -o x.png"), 0);
  assert_true(is_one_line_of_error());
  assert_false(exists("x.png"));
}

static void lanes_without_room_are_told_of_and_it_is_no_failure(void **state)
{
  (void)state;
  assert_int_equal(render("t.db -o low.png --size=700x80"), 0);
  assert_true(is_one_line_of_error());
  assert_non_null(strstr(said, "lanes are below the edge of the picture"));
  assert_true(exists("low.png"));
}

static void a_wrong_call_is_one_line_and_exit_code_2(void **state)
{
  (void)state;
  static const char *const wrong[] = { "",
                                       "t.db",
                                       "t.db -o x.bmp",
                                       "t.db -o x.png --size=0x0",
                                       "t.db -o x.png --size=99999999x2",
                                       "t.db -o x.png --lanes=q",
                                       "t.db -o x.png --from=yesterday",
                                       "t.db -o x.png --from=2s --to=1s",
                                       "t.db -o x.png --select=z9",
                                       "t.db -o x.png --arrows=wake,,fly",
                                       "t.db -o x.png --no-such-option",
                                       "t.db -o",
                                       "t.db t.db t.db -o x.png",
                                       "t.db -o x.png --font-scale=nan" };
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
    assert_int_equal(render(wrong[i]), 2);
    assert_true(is_one_line_of_error());
  }
  assert_false(exists("x.png"));
}

static void what_cannot_be_read_or_written_is_said_and_leaves_no_picture(void **state)
{
  (void)state;
  assert_int_not_equal(render("none.db -o x.png"), 0);
  assert_true(is_one_line_of_error());
  assert_int_not_equal(render("/etc/passwd -o x.png"), 0);
  assert_true(is_one_line_of_error());
  assert_int_not_equal(render("/tmp -o x.png"), 0);
  assert_true(is_one_line_of_error());
  assert_int_equal(render("t.db -o /no-such-folder/x.png"), 4);
  assert_true(is_one_line_of_error());
  assert_int_equal(render("t.db -o x.png --select=g4000"), 1);
  assert_true(is_one_line_of_error());
  assert_false(exists("x.png"));
}

static void a_file_without_events_is_named(void **state)
{
  (void)state;
  char path[200];
  snprintf(path, sizeof path, "%s/empty.trace", folder);
  FILE *to = fopen(path, "we");
  assert_non_null(to);
  fputs("gmpscope-trace 1\n", to);
  fclose(to);
  assert_int_equal(run("recorder/gmpscope", "load empty.trace -q -o empty.db"), 0);
  assert_int_equal(render("empty.db -o x.png"), 1);
  assert_true(is_one_line_of_error());
  assert_non_null(strstr(said, "empty.db: it holds no event"));
  assert_false(exists("x.png"));
}

static void a_cursor_behind_the_last_event_is_refused(void **state)
{
  (void)state;
  assert_int_equal(render("t.db -o x.png --at=100s"), 1);
  assert_true(is_one_line_of_error());
  assert_non_null(strstr(said, "t.db: there is no event at or after 100s: the last one is at "));
  assert_false(exists("x.png"));
  assert_int_equal(render("t.db -o at.png --at=@20"), 0);
  assert_true(exists("at.png"));
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(paints_png_svg_and_pdf_of_every_kind_of_lane),
    cmocka_unit_test(two_traces_stand_one_below_the_other_on_one_scale),
    cmocka_unit_test(lanes_without_room_are_told_of_and_it_is_no_failure),
    cmocka_unit_test(a_wrong_call_is_one_line_and_exit_code_2),
    cmocka_unit_test(what_cannot_be_read_or_written_is_said_and_leaves_no_picture),
    cmocka_unit_test(a_file_without_events_is_named),
    cmocka_unit_test(a_cursor_behind_the_last_event_is_refused),
  };
  return cmocka_run_group_tests(tests, begin, end);
}
