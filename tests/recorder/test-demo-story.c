/* SPDX-License-Identifier: MIT */
/* test-demo-story.c - panics as a demo's story tells them: whole, short, and the one that ends the program always. */
#include "test.h"

#include "cmd-demo.h"
#include "run-cli.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

/* ---- traces, written as text ---- */

static FILE *script;
static int64_t now;
static char *script_text;
static size_t n_script;

static __attribute__((format(printf, 1, 2))) void add(const char *format, ...)
{
  va_list args;
  va_start(args, format);
  fprintf(script, "@%lld m0 p0 ", (long long)(now += 1000));
  vfprintf(script, format, args);
  fputc('\n', script);
  va_end(args);
}

static void begin_trace(void)
{
  now = 1000;
  script = open_memstream(&script_text, &n_script);
  fputs("gmpscope-trace 1\n"
        "@10 m0 p- g0 trace_begin abi=1 from_start=1 n_procs=1\n"
        "@20 m0 p- g0 m_create tid=100 creator_m=-\n"
        "@21 m0 p- g0 string string=1 text=\"boom\"\n"
        "@22 m0 p- g0 string string=2 text=\"again\"\n"
        "@23 m0 p- g0 string string=3 text=\"a \\x1b[31mcolour, and a text that is longer than "
        "what a "
        "line has room for\"\n"
        "@30 m0 p- g0 proc_status proc=0 status=\"handed over\" on_m=- p_seq=0\n"
        "@40 m0 p- g0 proc_start proc=0 p_seq=1\n",
        script);
  add("g0 go_create new_g=1 fn=0x1000");
  add("g0 go_create new_g=2 fn=0x2000");
  add("g0 go_start run_g=1 g_seq=1");
}

static void panic(int depth, int value)
{
  add("g1 panic_begin depth=%d value=%d frame=%d", depth, value, 300 + depth);
  if (depth > 1)
    add("g1 panic_nested depth=%d supersedes=%d", depth, depth - 1);
}

static void run(int depth, int frame, int fn)
{
  add("g1 panic_walk depth=%d frame=%d step=\"deferred call run\"", depth, frame);
  add("g1 defer_pop frame=%d record=\"stack\" fn=0x%x", frame, (unsigned)fn);
  add("g1 defer_begin frame=%d because=\"panic\" fn=0x%x", frame, (unsigned)fn);
}

static void recovered_panic(int value)
{
  add("g1 defer_push frame=100 record=\"stack\" fn=0xa");
  panic(1, value);
  run(1, 100, 0xa);
  add("g1 panic_recover_call depth=1 verdict=\"recovers\"");
  add("g1 defer_end frame=100 because=\"panic\"");
  add("g1 panic_recovered depth=1 frame=100");
}

/* The story of what was added, to be freed. */
static char *story(void)
{
  char *text = NULL;
  size_t n = 0;
  int64_t look_at;
  struct tracefile_error error;
  fclose(script);
  run_write("story.trace", script_text, n_script);
  free(script_text);
  struct run loaded = run_cli("load", "story.trace", "-q", "-o", "story.db", NULL);
  assert_string_equal(loaded.err, "");
  assert_int_equal(loaded.code, 0);
  run_free(&loaded);
  FILE *to = open_memstream(&text, &n);
  assert_true(story_tell("story.db", to, &look_at, &error));
  fclose(to);
  return text;
}

/* The words of its lines between "How it went" and "In sum", without their times. */
static char *turns(void)
{
  char *whole = story(), *words = calloc(1, strlen(whole) + 1);
  assert_ptr_equal(strstr(whole, "How it went\n"), whole);
  assert_non_null(strstr(whole, "\n\nIn sum\n"));
  char *at = strchr(whole, '\n') + 1, *end = strstr(whole, "\n\nIn sum\n");
  while (at < end) {
    size_t n = strcspn(at, "\n");
    assert_true(n > 18);
    strncat(words, at + 18, n - 18 + 1);
    at += n + 1;
  }
  free(whole);
  return words;
}

static void assert_turns(const char *wanted)
{
  char *words = turns();
  assert_string_equal(words, wanted);
  free(words);
}

/* ---- */

static void what_belongs_together_is_one_line(void **state)
{
  (void)state;
  begin_trace();
  add("g1 defer_push frame=100 record=\"stack\" fn=0xb");
  recovered_panic(1);
  add("g1 defer_pop frame=100 record=\"stack\" fn=0xb");
  add("g1 defer_begin frame=100 because=\"return\" fn=0xb");
  add("g1 defer_end frame=100 because=\"return\"");
  assert_turns(
      "G1 panics with \"boom\".\n"
      "  Runs the deferred call 0xa, which recovers \"boom\": back in the frame that deferred it.\n"
      "  Runs what that frame had deferred as well, 0xb, as at any return.\n");
}

static void a_panic_in_a_deferred_call_stands_inside_it(void **state)
{
  (void)state;
  begin_trace();
  add("g1 defer_push frame=100 record=\"stack\" fn=0xa");
  add("g1 defer_push frame=200 record=\"stack\" fn=0xb");
  panic(1, 1);
  run(1, 200, 0xb);
  panic(2, 2);
  add("g1 panic_walk depth=2 frame=302 step=\"frame skipped\"");
  add("g1 panic_walk depth=2 frame=100 step=\"frame visited\"");
  run(2, 100, 0xa);
  add("g1 panic_recover_call depth=2 verdict=\"recovers\"");
  add("g1 defer_end frame=100 because=\"panic\"");
  add("g1 panic_recovered depth=2 frame=100");
  add("g1 panic_aborted depth=1 by_depth=2");
  assert_turns("G1 panics with \"boom\".\n"
               "  Runs the deferred call 0xb.\n"
               "    Panics in it with \"again\"; \"boom\" waits.\n"
               "      Passes 1 frame without deferred calls, then runs the deferred call 0xa, "
               "which recovers "
               "\"again\": back in the frame that deferred it; \"boom\" is dropped.\n");
}

static void a_recover_that_does_not_count_says_why(void **state)
{
  (void)state;
  begin_trace();
  add("g1 defer_push frame=100 record=\"stack\" fn=0xa");
  panic(1, 1);
  run(1, 100, 0xa);
  add("g1 panic_recover_call depth=1 verdict=\"not called directly by a deferred function\"");
  add("g1 defer_end frame=100 because=\"panic\"");
  add("g1 panic_fatal depth=1 value=1");
  assert_turns("G1 panics with \"boom\".\n"
               "  Runs the deferred call 0xa, where recover does not count: not called directly by "
               "a deferred "
               "function.\n"
               "  Nobody recovers: the program ends with exit code 2.\n");
}

/* The call parks, others run and something else is told: who goes on is said. */
static void a_tale_goes_on_after_others_spoke(void **state)
{
  (void)state;
  begin_trace();
  add("g1 defer_push frame=100 record=\"stack\" fn=0xa");
  panic(1, 1);
  run(1, 100, 0xa);
  add("g1 go_block why=\"sleep\" obj=0");
  add("g0 go_start run_g=2 g_seq=1");
  add("g2 panic_recover_call depth=0 verdict=\"no panic\"");
  add("g2 go_destroy");
  add("g0 go_unblock woken_g=1 g_seq=1");
  add("g0 go_start run_g=1 g_seq=2");
  add("g1 panic_recover_call depth=1 verdict=\"recovers\"");
  add("g1 defer_end frame=100 because=\"panic\"");
  add("g1 panic_recovered depth=1 frame=100");
  char *words = turns();
  assert_non_null(strstr(
      words, "G1 panics with \"boom\".\n  Runs the deferred call 0xa.\nG1 parks (sleep) inside"));
  assert_non_null(strstr(words, "G2 called recover, but it does not count: no panic.\n"));
  assert_non_null(strstr(
      words, "  G1: 0xa goes on, and recovers \"boom\": back in the frame that deferred it.\n"));
  free(words);
}

static void of_many_panics_the_one_that_ends_the_program_is_told(void **state)
{
  (void)state;
  begin_trace();
  for (int i = 0; i < 7; i++)
    recovered_panic(1);
  panic(1, 2);
  add("g1 panic_fatal depth=1 value=2");
  char *words = turns();
  int n_begun = 0;
  for (const char *at = words; (at = strstr(at, "G1 panics with \"boom\".\n")); at++)
    n_begun++;
  assert_int_equal(n_begun, 4);
  assert_non_null(strstr(
      words, "G1 panics with \"again\".\n  Nobody recovers: the program ends with exit code 2.\n"
             "3 more panics, not told here\n"));
  free(words);
}

static void a_long_tale_loses_its_middle_and_says_so(void **state)
{
  (void)state;
  begin_trace();
  for (int i = 0; i < 40; i++)
    add("g1 defer_push frame=100 record=\"pool\" fn=0xa");
  panic(1, 1);
  for (int i = 0; i < 40; i++) {
    run(1, 100, 0xa);
    add("g1 defer_end frame=100 because=\"panic\"");
  }
  add("g1 panic_fatal depth=1 value=1");
  char *words = turns();
  assert_non_null(strstr(words, "  Runs the deferred call 0xa.\n  … and 29 more steps.\n"
                                "  Nobody recovers: the program ends with exit code 2.\n"));
  free(words);
}

static void goexit_is_no_panic(void **state)
{
  (void)state;
  begin_trace();
  add("g1 defer_push frame=100 record=\"stack\" fn=0xa");
  add("g1 goexit_begin depth=1 frame=300");
  run(1, 100, 0xa);
  add("g1 panic_recover_call depth=1 verdict=\"Goexit cannot be recovered\"");
  add("g1 defer_end frame=100 because=\"panic\"");
  add("g1 goexit_end depth=1");
  add("g1 go_destroy");
  assert_turns(
      "G1 calls Goexit.\n"
      "  Runs the deferred call 0xa, where recover does not count: Goexit cannot be recovered.\n"
      "  No deferred call is left: the goroutine ends.\n");
}

static void a_value_cannot_draw_and_is_cut(void **state)
{
  (void)state;
  begin_trace();
  recovered_panic(3);
  char *words = turns();
  assert_null(strchr(words, '\x1b'));
  assert_non_null(strstr(words, "G1 panics with \"a \\x1b[31mcolour, and a text that is longer"));
  assert_non_null(strstr(words, "…\".\n"));
  free(words);
}

static int set_up(void **state)
{
  (void)state;
  run_enter_new_directory();
  return 0;
}

static int tear_down(void **state)
{
  (void)state;
  run_leave();
  return 0;
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(what_belongs_together_is_one_line),
    cmocka_unit_test(a_panic_in_a_deferred_call_stands_inside_it),
    cmocka_unit_test(a_recover_that_does_not_count_says_why),
    cmocka_unit_test(a_tale_goes_on_after_others_spoke),
    cmocka_unit_test(of_many_panics_the_one_that_ends_the_program_is_told),
    cmocka_unit_test(a_long_tale_loses_its_middle_and_says_so),
    cmocka_unit_test(goexit_is_no_panic),
    cmocka_unit_test(a_value_cannot_draw_and_is_cut),
  };
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
