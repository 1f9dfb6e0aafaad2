/* SPDX-License-Identifier: MIT */
/* test-text.c - the text form: what is printed parses back to the same, errors are precise, and
 * hostile text does no harm. */
#include "test.h"

#include "fixture.h"
#include "trace-text.h"

#include <stdlib.h>
#include <string.h>

struct parsed {
  struct trace_event events[6000];
  size_t n;
  char meta[200];
  char verdict[64];
  size_t stop_at; /* the sink refuses this event; 0: none */
};

static bool keep_meta(void *arg, const char *key, const char *value, size_t length)
{
  struct parsed *parsed = arg;
  snprintf(parsed->meta, sizeof parsed->meta, "%s=%.*s", key, (int)length, value);
  return true;
}

static bool keep_event(void *arg, const struct trace_event *e)
{
  struct parsed *parsed = arg;
  if (parsed->n < sizeof parsed->events / sizeof parsed->events[0])
    parsed->events[parsed->n] = *e;
  return ++parsed->n != parsed->stop_at;
}

static bool keep_verdict(void *arg, bool good, const char *rule)
{
  struct parsed *parsed = arg;
  snprintf(parsed->verdict, sizeof parsed->verdict, "%s %s", good ? "good" : "bad", rule);
  return true;
}

static bool parse(const char *text, size_t length, struct parsed *parsed,
                  struct trace_text_error *error)
{
  *parsed = (struct parsed){ .stop_at = parsed->stop_at };
  struct trace_text_sink sink = { keep_meta, keep_event, keep_verdict, parsed };
  char *exact = malloc(length ? length : 1); /* so that a sanitizer sees one byte too far */
  memcpy(exact, text, length);
  bool ok = trace_text_parse(exact, length, &sink, error);
  free(exact);
  return ok;
}

static struct parsed first, second;

static void assert_prints_back(const char *text)
{
  struct trace_text_error error;
  first.stop_at = 0;
  if (!parse(text, strlen(text), &first, &error))
    fail_msg("line %u: %s", error.line, error.sentence);
  char *printed = fixture_print(first.events, first.n);
  assert_string_equal(printed, text);
  free(printed);
}

static void printing_what_was_parsed_gives_the_same_bytes(void **state)
{
  (void)state;
  assert_prints_back(
      "gmpscope-trace 1\n"
      "@0 m0 p- g0 trace_begin abi=1 from_start=1 n_procs=2\n"
      "@0 m0 p0 g1 string string=5 text=\"boom \\n \\t \\\" \\\\ \\x1b\\xff and on\"\n"
      "@0 m0 p0 g1 stack_begin stack=3 frames=0x401136,0x401200,0xffffffffffffffff\n"
      "@1520 m0 p0 g1 go_block why=\"chan receive\" stack=0 obj=0x55d0c0\n"
      "@1520 m0 p0 g0 seq=17 go_start run_g=2 g_seq=1 inherit=1\n"
      "@1521 m4294967295 p65534 g4294967295 m_wake woken_m=- next_p=- to_spin=0\n"
      "@1522 m0 p0 g0 timer_add timer=1 heap=0 when=-5\n"
      "@1523 m0 p0 g0 go_block why=4000 stack=0 obj=0x0\n"
      "@1524 m0 p0 g0 user_log category=0 text=0\n");
}

static void the_example_of_the_header_parses(void **state)
{
  (void)state;
  const char *text =
      "gmpscope-trace 1\n# a comment\nverdict bad runq.get\nmeta program \"ec\\x68o\"\n\n"
      "@1520 m0 p0 g1 go_block why=\"chan receive\" stack=0 obj=0x55d0c0\n";
  struct trace_text_error error;
  first.stop_at = 0;
  assert_true(parse(text, strlen(text), &first, &error));
  assert_string_equal(first.meta, "program=echo");
  assert_string_equal(first.verdict, "bad runq.get");
  assert_int_equal(first.n, 1);
  assert_int_equal(first.events[0].w[0], TRACE_WAIT_RECV);
  assert_int_equal(first.events[0].d[1], 0x55d0c0);
}

static void arguments_left_out_are_zero_and_may_stand_in_any_order(void **state)
{
  (void)state;
  const char *text = "gmpscope-trace 1\n@5 m1 p2 g3 go_start inherit=1 run_g=9\n";
  struct trace_text_error error;
  first.stop_at = 0;
  assert_true(parse(text, strlen(text), &first, &error));
  const struct trace_event *e = &first.events[0];
  assert_true(e->w[0] == 9 && e->w[1] == 0 && e->w[2] == 1 && e->m == 1 && e->p == 2 && e->g == 3);
}

static void a_string_is_one_line_though_other_ms_go_on_meanwhile(void **state)
{
  (void)state;
  struct trace_event events[4] = {
    { .ts = 1, .m = 0, .seq = 0, .kind = TRACE_STRING, .w = { 5, 17 } },
    { .ts = 2,
      .m = 0,
      .seq = 1,
      .kind = TRACE_STRING_PART,
      .d = { 0x6161616161616161, 0x6161616161616161 } },
    { .ts = 3, .m = 1, .seq = 0, .kind = TRACE_M_PARK },
    { .ts = 4, .m = 0, .seq = 2, .kind = TRACE_STRING_PART, .d = { 0x62, 0 } },
  };
  char *text = fixture_print(events, 4);
  assert_string_equal(text,
                      "gmpscope-trace 1\n@1 m0 p0 g0 string string=5 text=\"aaaaaaaaaaaaaaaab\"\n"
                      "@3 m1 p0 g0 m_park\n");
  free(text);
}

static void a_string_that_is_cut_short_is_the_records_that_it_is(void **state)
{
  (void)state;
  struct trace_event events[3] = {
    { .m = 0, .seq = 0, .kind = TRACE_STRING, .w = { 5, 40 } },
    { .m = 0, .seq = 1, .kind = TRACE_STRING_PART, .d = { 0x61, 0 } },
    { .m = 0, .seq = 2, .kind = TRACE_M_PARK },
  };
  char *text = fixture_print(events, 3);
  assert_string_equal(text, "gmpscope-trace 1\n@0 m0 p0 g0 string string=5 n_bytes=40\n"
                            "@0 m0 p0 g0 string_part bytes0=0x61 bytes1=0x0\n@0 m0 p0 g0 m_park\n");
  assert_prints_back(text);
  free(text);
  text = fixture_print(events, 2); /* the end of the trace cuts it */
  assert_prints_back(text);
  free(text);
}

static void every_kind_prints_and_parses_back(void **state)
{
  (void)state;
  struct trace_event events[TRACE_KIND_LIMIT * 2];
  size_t n = 0;
  for (uint16_t kind = 1; kind < TRACE_KIND_LIMIT; kind++) {
    const struct trace_spec *spec = trace_spec_get(kind);
    for (int round = 0; spec && round < 2; round++) {
      struct trace_event e = { .ts = (int64_t)n, .seq = n, .m = 2, .p = 1, .g = 4, .kind = kind };
      for (int i = 0; i < 4; i++) {
        if (!spec->args[i].name)
          continue;
        if (trace_arg_is_wide(spec->args[i].type))
          e.d[i / 2] = round ? UINT64_MAX - 1 : 3;
        else
          e.w[i] = round ? UINT32_MAX - 1 : 3;
      }
      events[n++] = e;
    }
  }
  char *text = fixture_print(events, n);
  struct trace_text_error error;
  first.stop_at = 0;
  assert_true(parse(text, strlen(text), &first, &error));
  assert_int_equal(first.n, n);
  assert_memory_equal(first.events, events, n * sizeof events[0]);
  assert_prints_back(text);
  free(text);
}

static void an_error_names_its_line_and_what_is_wrong(void **state)
{
  (void)state;
  const struct {
    const char *text, *says;
    unsigned line;
  } cases[] = {
    { "", "the first line must be", 1 },
    { "gmpscope-trace 2\n", "the first line must be", 1 },
    { "gmpscope-trace 1\n\nhello\n", "not hello", 3 },
    { "gmpscope-trace 1\n@x m0 p0 g0 m_park\n", "@x is not a time", 2 },
    { "gmpscope-trace 1\n@99999999999999999999 m0 p0 g0 m_park\n", "is not a time", 2 },
    { "gmpscope-trace 1\n@0 m0 p70000 g0 m_park\n", "p and a number", 2 },
    { "gmpscope-trace 1\n@0 m0 p0 g4294967296 m_park\n", "g and a number", 2 },
    { "gmpscope-trace 1\n@0 m0 p0 g0 m_prak\n", "no event m_prak", 2 },
    { "gmpscope-trace 1\n@0 m0 p0 g0 \x1b[31m\n", "no event ?[31m", 2 },
    { "gmpscope-trace 1\n@0 m0 p0 g0 m_park x=1\n", "m_park has no argument x", 2 },
    { "gmpscope-trace 1\n@0 m0 p0 g0 go_start run_g=1 run_g=2\n", "run_g= stands twice", 2 },
    { "gmpscope-trace 1\n@0 m0 p0 g0 go_start run_g=4294967296\n", "run_g=4294967296 is not", 2 },
    { "gmpscope-trace 1\n@0 m0 p0 g0 go_stop why=\"tired\"\n", "\"tired\" is not a word of STOP",
      2 },
    { "gmpscope-trace 1\n@0 m0 p0 g0 string string=1 text=\"a\n", "no closing quote", 2 },
    { "gmpscope-trace 1\n@0 m0 p0 g0 string string=1 text=\"\\q\"\n", "an escape must be", 2 },
    { "gmpscope-trace 1\n@0 m0 p0 g0 string string=1 text=\"\\x4\"\n", "\\x needs two", 2 },
    { "gmpscope-trace 1\n@0 m0 p0 g0 string text=\"a\" n_bytes=1\n", "counts by itself", 2 },
    { "gmpscope-trace 1\n@0 m0 p0 g0 stack_begin frames=0x1;0x2\n", "separated by commas", 2 },
    { "gmpscope-trace 1\nmeta key value\n", "double quotes", 2 },
    { "gmpscope-trace 1\nmeta key \"a\" b\n", "nothing may stand behind this, but b", 2 },
    { "gmpscope-trace 1\nverdict bad\n", "names the rule", 2 },
    { "gmpscope-trace 1\nverdict fine\n", "a verdict is good, or bad", 2 },
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    struct trace_text_error error;
    first.stop_at = 0;
    assert_false(parse(cases[i].text, strlen(cases[i].text), &first, &error));
    if (!strstr(error.sentence, cases[i].says))
      fail_msg("case %zu: \"%s\" does not say \"%s\"", i, error.sentence, cases[i].says);
    assert_int_equal(error.line, cases[i].line);
  }
}

static void a_sink_that_refuses_stops_the_parse_without_a_sentence(void **state)
{
  (void)state;
  const char *text =
      "gmpscope-trace 1\n@0 m0 p0 g0 m_park\n@0 m0 p0 g0 m_unpark\n@0 m0 p0 g0 m_park\n";
  struct trace_text_error error;
  first.stop_at = 2;
  assert_false(parse(text, strlen(text), &first, &error));
  assert_int_equal(error.line, 3);
  assert_string_equal(error.sentence, "");
  assert_int_equal(first.n, 2);
}

static void mutated_texts_do_no_harm(void **state)
{
  (void)state;
  const char *text = "gmpscope-trace 1\nmeta a \"b\\x00\"\nverdict bad g.start\n"
                     "@0 m0 p0 g1 string string=5 text=\"boom \\n \\xff and a long text, too\"\n"
                     "@0 m0 p0 g1 stack_begin stack=3 frames=0x401136,0x401200\n"
                     "@1520 m0 p- g1 go_block why=\"chan receive\" stack=0 obj=0x55d0c0\n";
  size_t length = strlen(text);
  uint64_t x = 88172645463325252u;
  for (unsigned round = 0; round < 30000; round++) {
    char mutated[400];
    memcpy(mutated, text, length);
    for (unsigned flips = 0; flips < 1 + round % 3; flips++) {
      x ^= x << 13, x ^= x >> 7, x ^= x << 17;
      mutated[x % length] = (char)(x >> 32);
    }
    struct trace_text_error error;
    first.stop_at = 0;
    if (!parse(mutated, length - x % 40, &first, &error)) {
      assert_true(error.line >= 1 && error.sentence[0] != '\0');
      continue;
    }
    char *printed =
        fixture_print(first.events, first.n); /* what was understood prints and parses stably */
    assert_true(parse(printed, strlen(printed), &second, &error));
    assert_int_equal(second.n, first.n);
    free(printed);
  }
}

static void an_argument_is_printed_alone(void **state)
{
  (void)state;
  struct trace_event e = { .kind = TRACE_GO_BLOCK, .w = { TRACE_WAIT_SLEEP, 7, 0xab, 0 } };
  char text[32], tiny[4];
  assert_int_equal(trace_text_argument(&e, 0, text, sizeof text), 7);
  assert_string_equal(text, "\"sleep\"");
  trace_text_argument(&e, 1, text, sizeof text);
  assert_string_equal(text, "7");
  trace_text_argument(&e, 2, text, sizeof text);
  assert_string_equal(text, "0xab");
  assert_int_equal(trace_text_argument(&e, 3, text, sizeof text), 0);
  assert_int_equal(trace_text_argument(&e, 0, tiny, sizeof tiny), 7);
  assert_string_equal(tiny, "\"sl");
}

static void times_parse_exactly(void **state)
{
  (void)state;
  const struct {
    const char *text;
    int64_t ns;
  } good[] = {
    { "12.5ms", 12500000 },
    { "1.2s", 1200000000 },
    { "@1234567", 1234567 },
    { "250us", 250000 },
    { "7ns", 7 },
    { "0s", 0 },
    { "1.000000001s", 1000000001 },
    { "1.50us", 1500 },
    { "\x33\xc2\xb5s", 3000 },
    { "9223372036854775807ns", INT64_MAX },
  };
  for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
    int64_t ns = -1;
    assert_true(trace_time_parse(good[i].text, &ns));
    assert_int_equal(ns, good[i].ns);
  }
  const char *bad[] = { "",
                        "5",
                        "s",
                        "-1s",
                        "1.s",
                        ".5s",
                        "1.5ns",
                        "1.0000000001s",
                        "1 s",
                        "1m",
                        "@",
                        "@1s",
                        "9223372036854775808ns",
                        "9223372037s",
                        "1.5msx" };
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
    int64_t ns;
    if (trace_time_parse(bad[i], &ns))
      fail_msg("\"%s\" is not a time", bad[i]);
  }
}

static void times_print_shortest_and_exact(void **state)
{
  (void)state;
  const struct {
    int64_t ns;
    const char *text;
  } cases[] = {
    { 0, "0 ns" },
    { 999, "999 ns" },
    { 1000, "1 \xc2\xb5s" },
    { 1234567, "1.234567 ms" },
    { 12500000000, "12.5 s" },
    { -1500, "-1.5 \xc2\xb5s" },
    { 1000000001, "1.000000001 s" },
    { INT64_MIN, "-9223372036.854775808 s" },
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    char text[40];
    assert_int_equal(trace_time_print(cases[i].ns, text, sizeof text), strlen(cases[i].text));
    assert_string_equal(text, cases[i].text);
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(printing_what_was_parsed_gives_the_same_bytes),
    cmocka_unit_test(the_example_of_the_header_parses),
    cmocka_unit_test(arguments_left_out_are_zero_and_may_stand_in_any_order),
    cmocka_unit_test(a_string_is_one_line_though_other_ms_go_on_meanwhile),
    cmocka_unit_test(a_string_that_is_cut_short_is_the_records_that_it_is),
    cmocka_unit_test(every_kind_prints_and_parses_back),
    cmocka_unit_test(an_error_names_its_line_and_what_is_wrong),
    cmocka_unit_test(a_sink_that_refuses_stops_the_parse_without_a_sentence),
    cmocka_unit_test(mutated_texts_do_no_harm),
    cmocka_unit_test(an_argument_is_printed_alone),
    cmocka_unit_test(times_parse_exactly),
    cmocka_unit_test(times_print_shortest_and_exact),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
