/* SPDX-License-Identifier: MIT */
/* test-model-step.c - filters, stepping both ways, searching, and events in words. */
#include "model.h"

#include <stdlib.h>
#include <string.h>

/* All matches by stepping in one direction, in trace order. */
static size_t all(const struct vw_trace *t, const struct vw_filter *f, int direction, uint64_t *out)
{
  size_t n = 0;
  for (uint64_t no = VW_NONE; (no = vw_step(t, f, no, direction)) != VW_NONE;)
    out[n++] = no;
  for (size_t i = 0; direction < 0 && i < n / 2; i++) {
    uint64_t swapped = out[i];
    out[i] = out[n - 1 - i];
    out[n - 1 - i] = swapped;
  }
  return n;
}

static void holds(struct vw_trace *t, const struct vw_filter *f)
{
  size_t n = vw_event_count(t), n_matching = 0;
  uint64_t *forth = malloc(n * sizeof *forth), *back = malloc(n * sizeof *back);
  size_t n_forth = all(t, f, 1, forth), n_back = all(t, f, -1, back);
  assert_int_equal(n_forth, n_back);
  assert_memory_equal(forth, back, n_forth * sizeof *forth);
  for (uint64_t no = 0; no < n; no++) {
    if (!vw_filter_matches(t, f, no))
      continue;
    assert_true(n_matching < n_forth);
    assert_int_equal(forth[n_matching++], no);
  }
  assert_int_equal(n_matching, n_forth);
  free(forth);
  free(back);
}

static void check(struct vw_trace *t, const char *path)
{
  (void)path;
  for (uint32_t id = 0; id < 4; id++) {
    holds(t, &(struct vw_filter){ .has_g = true, .g = id });
    holds(t, &(struct vw_filter){ .has_m = true, .m = id });
    holds(t, &(struct vw_filter){ .has_p = true, .p = id });
    holds(t, &(struct vw_filter){ .has_timer = true, .timer = id });
  }
  holds(t, &(struct vw_filter){ .has_kind = true, .kind = TRACE_GO_START });
  holds(t, &(struct vw_filter){ .families = TRACE_FAMILY_META });
  holds(t, &(struct vw_filter){ .text = "start", .has_g = true, .g = 1 });
  holds(t, &(struct vw_filter){ .text = "" });
}

static void stepping_both_ways_finds_just_what_the_filter_lets_pass(void **state)
{
  (void)state;
  assert_true(model_for_each(check) >= 5);
}

static void an_event_concerns_who_it_names(void **state)
{
  (void)state;
  struct vw_trace *t = model_open("two-ms.trace");
  uint64_t unblock = model_find(t, TRACE_GO_UNBLOCK, 0);
  assert_true(vw_filter_matches(t, &(struct vw_filter){ .has_g = true, .g = 1 }, unblock));
  assert_true(vw_filter_matches(t, &(struct vw_filter){ .has_g = true, .g = 2 }, unblock));
  assert_false(vw_filter_matches(t, &(struct vw_filter){ .has_g = true, .g = 3 }, unblock));
  uint64_t wake = model_find(t, TRACE_M_WAKE, 1);
  assert_true(vw_filter_matches(t, &(struct vw_filter){ .has_m = true, .m = 0 }, wake));
  assert_true(vw_filter_matches(t, &(struct vw_filter){ .has_m = true, .m = 1 }, wake));
  vw_trace_free(t);
}

static void all_conditions_must_hold(void **state)
{
  (void)state;
  struct vw_trace *t = model_open("two-ms.trace");
  struct vw_filter f = { .has_g = true, .g = 1, .has_m = true, .m = 1 };
  uint64_t no = vw_step(t, &f, VW_NONE, 1);
  assert_int_equal(no, model_find(t, TRACE_M_WAKE, 0)); /* G1 wakes M1 */
  assert_int_equal(vw_step(t, &f, no, 1), model_find(t, TRACE_GO_UNBLOCK, 0));
  f.has_kind = true;
  f.kind = TRACE_GO_START;
  assert_true(vw_step(t, &f, VW_NONE, 1) == VW_NONE);
  vw_trace_free(t);
}

static void the_records_of_strings_are_passed_over_unless_asked_for(void **state)
{
  (void)state;
  struct vw_trace *t = model_open("two-ms.trace");
  struct vw_filter nothing = { 0 }, meta = { .families = TRACE_FAMILY_META };
  uint64_t string = model_find(t, TRACE_STRING, 0);
  assert_false(vw_filter_matches(t, &nothing, string));
  assert_true(vw_filter_matches(t, &meta, string));
  vw_trace_free(t);
}

static void a_text_is_found_in_any_case_in_arguments(void **state)
{
  (void)state;
  struct vw_trace *t = model_open("two-ms.trace");
  struct vw_filter f = { .text = "CHAN Receive" };
  uint64_t block = model_find(t, TRACE_GO_BLOCK, 0);
  assert_int_equal(vw_step(t, &f, VW_NONE, 1), block);
  f.has_kind = true;
  f.kind = TRACE_GO_BLOCK;
  assert_int_equal(vw_step(t, &f, VW_NONE, -1), block);
  f.has_kind = false;
  f.text = "Worker"; /* a name given to G2: the arguments of go_name have it */
  assert_true(vw_filter_matches(t, &f, model_find(t, TRACE_GO_NAME, 0)));
  f.text = "no such words";
  assert_true(vw_step(t, &f, VW_NONE, 1) == VW_NONE);
  assert_true(vw_step(t, &f, VW_NONE, -1) == VW_NONE);
  vw_trace_free(t);
}

static void events_are_found_by_time(void **state)
{
  (void)state;
  struct vw_trace *t = model_open("two-ms.trace");
  assert_int_equal(vw_event_at(t, -5), 0);
  assert_int_equal(vw_event_at(t, 50), model_find(t, TRACE_GO_START, 1));
  assert_int_equal(vw_event_at(t, 51), model_find(t, TRACE_GO_BLOCK, 0));
  assert_int_equal(vw_event_at(t, 111), vw_event_count(t));
  vw_trace_free(t);
}

static void an_event_in_a_list_has_its_arguments_by_name(void **state)
{
  (void)state;
  struct vw_trace *t = model_open("two-ms.trace");
  char text[200], little[10];
  size_t n = vw_event_text(t, model_find(t, TRACE_M_WAKE, 0), text, sizeof text);
  assert_string_equal(text, "m_wake woken_m=1 next_p=1 to_spin=1");
  assert_int_equal(n, strlen(text));
  vw_event_text(t, model_find(t, TRACE_GO_NAME, 0), text, sizeof text);
  assert_string_equal(text, "go_name named_g=2 name=\"worker\"");
  assert_int_equal(vw_event_text(t, model_find(t, TRACE_M_WAKE, 0), little, sizeof little), n);
  assert_string_equal(little, "m_wake wo");
  vw_trace_free(t);
}

static void every_event_has_a_sentence(struct vw_trace *t, const char *path)
{
  (void)path;
  char text[1024], little[8];
  for (uint64_t no = 0; no < vw_event_count(t); no++) {
    size_t n = vw_sentence(t, no, text, sizeof text);
    assert_true(n > 0 && strlen(text) == n);
    assert_int_equal(vw_sentence(t, no, little, sizeof little), n);
    assert_int_equal(strncmp(text, little, sizeof little - 1), 0);
    assert_int_equal(vw_sentence(t, no, NULL, 0), n);
  }
}

static void all_events_can_be_said_in_words(void **state)
{
  (void)state;
  assert_true(model_for_each(every_event_has_a_sentence) >= 5);
}

static void warnings_tell_a_fault_first_and_what_is_missing(void **state)
{
  (void)state;
  struct vw_trace *t = model_open("fatal.trace");
  assert_non_null(strstr(vw_warning(t, 0), "\"lose-defers-on-preempt\""));
  assert_null(vw_warning(t, 1));
  vw_trace_free(t);
  t = model_open("two-ms.trace");
  assert_null(vw_warning(t, 0));
  const char *why;
  assert_int_equal(vw_capability(t, TRACE_FAMILY_TIMER, &why), TRACEFILE_RECORDED);
  vw_trace_free(t);
}

static void a_rule_broken_by_a_fault_is_told_as_its_doing(void **state)
{
  static const char text[] = "gmpscope-trace 1\n"
                             "@1 m0 p0 g1 string string=1 text=\"timer-defer-race\"\n"
                             "@2 m0 p0 g1 defer_push frame=100 record=\"stack\" fn=0xa\n"
                             "@3 m0 p0 g1 fault name=1 struck_g=1 lost_defers=1\n"
                             "@4 m0 p0 g1 trace_end\n";
  (void)state;
  struct tracefile_error error;
  struct vw_trace *t = vw_trace_from_text(text, sizeof text - 1, &error);
  assert_non_null(t);
  assert_non_null(strstr(vw_warning(t, 0), "\"timer-defer-race\""));
  assert_non_null(strstr(vw_warning(t, 1), "The fault breaks the rule defer.chain"));
  vw_trace_free(t);
}

static void a_family_switched_off_is_only_partly_there(void **state)
{
  static const char text[] = "gmpscope-trace 1\n"
                             "@1 m0 p0 g1 categories mask=1025\n"
                             "@2 m0 p0 g1 trace_end\n";
  (void)state;
  struct tracefile_error error;
  struct vw_trace *t = vw_trace_from_text(text, sizeof text - 1, &error);
  assert_non_null(t);
  const char *why = NULL;
  assert_int_equal(vw_capability(t, TRACE_FAMILY_TIMER, &why), TRACEFILE_PARTLY);
  assert_true(*why != '\0');
  assert_int_equal(vw_capability(t, TRACE_FAMILY_SCHED, &why), TRACEFILE_RECORDED);
  vw_trace_free(t);
}

static void a_text_that_is_no_trace_is_refused_with_its_line(void **state)
{
  (void)state;
  struct tracefile_error error = { 0 };
  static const char wrong[] = "gmpscope-trace 1\n@1 m0 p0 g1 no_such_event\n",
                    empty[] = "gmpscope-trace 1\n";
  assert_null(vw_trace_from_text(wrong, sizeof wrong - 1, &error));
  assert_non_null(strstr(error.why, "line 2"));
  assert_null(vw_trace_from_text(empty, sizeof empty - 1, &error));
  assert_non_null(strstr(error.why, "no event"));
}

static void a_file_that_cannot_be_opened_is_refused_in_words(void **state)
{
  (void)state;
  struct tracefile_error error = { 0 };
  assert_null(vw_trace_open("/no/such/trace.db", NULL, NULL, &error));
  assert_true(error.code != TRACEFILE_OK);
  assert_non_null(strstr(error.what, "/no/such/trace.db"));
  assert_true(error.why[0] != '\0');
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(stepping_both_ways_finds_just_what_the_filter_lets_pass),
    cmocka_unit_test(an_event_concerns_who_it_names),
    cmocka_unit_test(all_conditions_must_hold),
    cmocka_unit_test(the_records_of_strings_are_passed_over_unless_asked_for),
    cmocka_unit_test(a_text_is_found_in_any_case_in_arguments),
    cmocka_unit_test(events_are_found_by_time),
    cmocka_unit_test(an_event_in_a_list_has_its_arguments_by_name),
    cmocka_unit_test(all_events_can_be_said_in_words),
    cmocka_unit_test(warnings_tell_a_fault_first_and_what_is_missing),
    cmocka_unit_test(a_rule_broken_by_a_fault_is_told_as_its_doing),
    cmocka_unit_test(a_family_switched_off_is_only_partly_there),
    cmocka_unit_test(a_file_that_cannot_be_opened_is_refused_in_words),
    cmocka_unit_test(a_text_that_is_no_trace_is_refused_with_its_line),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
