/* SPDX-License-Identifier: MIT */
/* test-fixtures.c - every text trace of tests/traces gets the verdict that it states, and together they know
 * every event and every rule. */
#include "test.h"

#include "fixture.h"
#include "trace-replay.h"

#include <stdlib.h>
#include <string.h>

/* The first broken rule of a whole replay, TRACE_RULE_NONE if none; *breach tells more. */
static enum trace_rule replay(struct trace_replay *r, const struct trace_event *events, size_t n,
                              struct trace_breach *breach)
{
  bool complete = false;
  for (size_t i = 0; i < n; i++) {
    if (!trace_replay_apply(r, &events[i])) {
      *breach = *trace_replay_breach(r);
      return breach->rule;
    }
    complete |= events[i].kind == TRACE_TRACE_END;
  }
  if (trace_replay_finish(r, complete))
    return TRACE_RULE_NONE;
  *breach = *trace_replay_breach(r);
  return breach->rule;
}

static void check_verdict(const struct fixture *f, void *arg)
{
  (void)arg;
  struct trace_breach breach = { 0 };
  struct trace_replay *r = trace_replay_new();
  enum trace_rule rule = replay(r, f->events, f->n, &breach);
  if (!f->has_verdict)
    fail_msg("%s has no verdict", f->name);
  if (f->good && rule)
    fail_msg("%s: event %lu breaks %s: %s", f->name, (unsigned long)breach.event_no,
             trace_rule_name(rule), breach.sentence);
  if (!f->good && (!rule || strcmp(trace_rule_name(rule), f->rule) != 0))
    fail_msg("%s should break %s, but breaks %s: %s", f->name, f->rule,
             rule ? trace_rule_name(rule) : "nothing", breach.sentence);
  if (rule)
    assert_true(strlen(breach.sentence) > 20);
  /* the fixture's name says whose doing it is */
  assert_int_equal(breach.by_fault, strstr(f->name, "by-the-fault") != NULL);
  trace_replay_free(r);
}

static void every_fixture_gets_the_verdict_that_it_states(void **state)
{
  (void)state;
  assert_in_range(fixtures_each(check_verdict, NULL), 40, 10000);
}

static void check_story(const struct fixture *f, void *arg)
{
  (void)arg;
  const char *second_line = strchr(f->text, '\n') + 1;
  if (strncmp(second_line, "# ", 2) != 0)
    fail_msg("%s does not tell on top what it shows", f->name);
  bool in_good = strncmp(f->name, "good/", 5) == 0;
  if (in_good != f->good)
    fail_msg("%s lies in the wrong folder", f->name);
}

static void every_fixture_tells_its_story(void **state)
{
  (void)state;
  fixtures_each(check_story, NULL);
}

static void check_identity(const struct fixture *f, void *arg)
{
  (void)arg;
  struct trace_text_error error;
  struct fixture again = { .text = fixture_print(f->events, f->n) };
  again.length = strlen(again.text);
  if (!fixture_parse(&again, &error))
    fail_msg("%s printed does not parse: line %u: %s", f->name, error.line, error.sentence);
  assert_int_equal(again.n, f->n);
  assert_memory_equal(again.events, f->events, f->n * sizeof *f->events);
  char *text = fixture_print(again.events, again.n);
  assert_string_equal(text, again.text);
  free(text);
  fixture_clear(&again);
}

static void printing_and_parsing_a_fixture_changes_nothing(void **state)
{
  (void)state;
  fixtures_each(check_identity, NULL);
}

static void mark_kinds(const struct fixture *f, void *arg)
{
  bool *seen = arg;
  for (size_t i = 0; i < f->n; i++)
    seen[f->events[i].kind] = true;
}

static void every_kind_of_event_is_in_some_fixture(void **state)
{
  (void)state;
  bool seen[TRACE_KIND_LIMIT] = { false };
  fixtures_each(mark_kinds, seen);
  for (uint32_t kind = 1; kind < TRACE_KIND_LIMIT; kind++) {
    if (trace_spec_get(kind) && !seen[kind])
      fail_msg("no fixture has a %s", trace_specs[kind].name);
  }
}

static void mark_rules(const struct fixture *f, void *arg)
{
  bool *broken = arg;
  for (int rule = 1; !f->good && rule < TRACE_RULE_LIMIT; rule++)
    broken[rule] |= strcmp(trace_rule_name((enum trace_rule)rule), f->rule) == 0;
}

static void every_rule_is_broken_by_some_fixture(void **state)
{
  (void)state;
  bool broken[TRACE_RULE_LIMIT] = { false };
  fixtures_each(mark_rules, broken);
  for (int rule = 1; rule < TRACE_RULE_LIMIT; rule++) {
    if (!broken[rule])
      fail_msg("no fixture breaks %s", trace_rule_name((enum trace_rule)rule));
  }
}

static void check_sentences(const struct fixture *f, void *arg)
{
  (void)arg;
  struct trace_replay *r = trace_replay_new();
  for (size_t i = 0; i < f->n; i++) {
    char text[500], tiny[8];
    size_t length = trace_sentence(r, &f->events[i], text, sizeof text);
    if (length < 10 || length >= sizeof text || text[length - 1] != '.' || strstr(text, "(null)"))
      fail_msg("%s: event %zu: not a sentence: \"%s\"", f->name, i + 1, text);
    assert_int_equal(trace_sentence(r, &f->events[i], tiny, sizeof tiny), length);
    assert_memory_equal(tiny, text, sizeof tiny - 1);
    assert_int_equal(tiny[sizeof tiny - 1], '\0');
    assert_int_equal(trace_sentence(r, &f->events[i], NULL, 0), length);
    trace_replay_apply(r, &f->events[i]);
  }
  trace_replay_free(r);
}

static void every_event_says_a_whole_sentence(void **state)
{
  (void)state;
  fixtures_each(check_sentences, NULL);
}

static void assert_said(const struct fixture *f, enum trace_kind kind, uint32_t nth,
                        const char *what)
{
  struct trace_replay *r = trace_replay_new();
  char text[500] = "";
  size_t i = 0;
  for (; i < f->n && (f->events[i].kind != kind || nth-- > 0); i++)
    trace_replay_apply(r, &f->events[i]);
  assert_true(i < f->n);
  trace_sentence(r, &f->events[i], text, sizeof text);
  assert_string_equal(text, what);
  trace_replay_free(r);
}

static void check_frames_names(const struct fixture *f, void *arg)
{
  if (!strstr(f->name, "panic-is-recovered"))
    return;
  *(bool *)arg = true;
  assert_said(f, TRACE_PANIC_WALK, 0,
              "G1's panic walks outwards and skips the frame at depth 200.");
  assert_said(
      f, TRACE_PANIC_WALK, 1,
      "G1's panic walks outwards and looks at the frame that deferred the function at 0xb.");
  assert_said(
      f, TRACE_PANIC_WALK, 2,
      "G1's panic runs the function at 0xb, a deferred call of the frame that it looks at.");
  assert_said(f, TRACE_PANIC_RECOVERED, 0,
              "G1's panic is over: control goes back to the frame that deferred the function at "
              "0xb, which runs its other deferred calls and returns.");
}

static void a_panics_walk_names_a_frame_by_what_it_deferred(void **state)
{
  (void)state;
  bool is_found = false;
  fixtures_each(check_frames_names, &is_found);
  assert_true(is_found);
}

static void check_goexit(const struct fixture *f, void *arg)
{
  if (!strstr(f->name, "goexit-runs-the-defers"))
    return;
  *(bool *)arg = true;
  assert_said(f, TRACE_PANIC_WALK, 0,
              "G1's Goexit walks outwards and skips the frame at depth 200.");
  assert_said(
      f, TRACE_PANIC_WALK, 2,
      "G1's Goexit runs the function at 0xa, a deferred call of the frame that it looks at.");
}

static void a_goexits_walk_is_not_called_a_panics(void **state)
{
  (void)state;
  bool is_found = false;
  fixtures_each(check_goexit, &is_found);
  assert_true(is_found);
}

static void check_says_why(const struct fixture *f, void *arg)
{
  if (!strstr(f->name, "the-program-stops-the-world"))
    return;
  *(bool *)arg = true;
  assert_said(f, TRACE_STW_BEGIN, 0,
              "G1 began to stop the world: the program asked (\"checkpoint\").");
  assert_said(f, TRACE_STW_BEGIN, 1, "G1 began to stop the world: the program asked.");
}

static void who_stops_the_world_is_quoted(void **state)
{
  (void)state;
  bool is_found = false;
  fixtures_each(check_says_why, &is_found);
  assert_true(is_found);
}

/* A copy taken anywhere goes on exactly as the original, whatever the original does meanwhile. */
static void check_clones(const struct fixture *f, void *arg)
{
  (void)arg;
  for (size_t cut = 0; cut <= f->n; cut += 3) {
    struct trace_breach breach = { 0 }, again = { 0 };
    struct trace_replay *r = trace_replay_new();
    for (size_t i = 0; i < cut; i++)
      trace_replay_apply(r, &f->events[i]);
    struct trace_replay *copy = trace_replay_clone(r);
    assert_in_range(trace_replay_size(copy), 1, 10 << 20);
    enum trace_rule rule = replay(r, f->events + cut, f->n - cut, &breach);
    uint64_t breaches = trace_replay_breaches(r);
    trace_replay_free(r);
    assert_int_equal(replay(copy, f->events + cut, f->n - cut, &again), rule);
    assert_int_equal(trace_replay_breaches(copy), breaches);
    assert_string_equal(again.sentence, breach.sentence);
    trace_replay_free(copy);
  }
}

static void a_clone_goes_on_as_the_original_does(void **state)
{
  (void)state;
  fixtures_each(check_clones, NULL);
}

static void contradict_after_a_loss(const struct fixture *f, void *arg)
{
  struct trace_replay *r = trace_replay_new();
  trace_replay_expect_loss(r, 0);
  for (size_t i = 0; i < f->n; i++) {
    if (!trace_replay_apply(r, &f->events[i]) &&
        trace_replay_breach(r)->rule != TRACE_RULE_RECORD &&
        trace_replay_breach(r)->rule != TRACE_RULE_TIME &&
        trace_replay_breach(r)->rule != TRACE_RULE_LOST)
      fail_msg("%s: after a loss, %s must not count", f->name,
               trace_rule_name(trace_replay_breach(r)->rule));
  }
  *(size_t *)arg += 1;
  trace_replay_free(r);
}

static void after_an_expected_loss_only_single_records_can_be_wrong(void **state)
{
  (void)state;
  size_t n = 0;
  fixtures_each(contradict_after_a_loss, &n);
  assert_in_range(n, 40, 10000);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(every_fixture_gets_the_verdict_that_it_states),
    cmocka_unit_test(every_fixture_tells_its_story),
    cmocka_unit_test(printing_and_parsing_a_fixture_changes_nothing),
    cmocka_unit_test(every_kind_of_event_is_in_some_fixture),
    cmocka_unit_test(every_rule_is_broken_by_some_fixture),
    cmocka_unit_test(every_event_says_a_whole_sentence),
    cmocka_unit_test(a_panics_walk_names_a_frame_by_what_it_deferred),
    cmocka_unit_test(a_goexits_walk_is_not_called_a_panics),
    cmocka_unit_test(who_stops_the_world_is_quoted),
    cmocka_unit_test(a_clone_goes_on_as_the_original_does),
    cmocka_unit_test(after_an_expected_loss_only_single_records_can_be_wrong),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
