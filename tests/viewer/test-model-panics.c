/* SPDX-License-Identifier: MIT */
/* test-model-panics.c - the paths of panics, step by step, to the frame that recovered or to the end. */
#include "model.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void a_recovered_panic_is_told_from_the_call_to_the_frame_that_it_returns_to(void **state)
{
  static const uint16_t kinds[] = {
    TRACE_PANIC_BEGIN,     TRACE_PANIC_WALK,  TRACE_PANIC_WALK,         TRACE_PANIC_WALK,
    TRACE_DEFER_BEGIN,     TRACE_DEFER_END,   TRACE_PANIC_WALK,         TRACE_PANIC_WALK,
    TRACE_PANIC_WALK,      TRACE_DEFER_BEGIN, TRACE_PANIC_RECOVER_CALL, TRACE_DEFER_END,
    TRACE_PANIC_RECOVERED, TRACE_DEFER_BEGIN,
  };
  (void)state;
  struct vw_trace *t = model_open("panics.trace");
  size_t n;
  const struct vw_panic_path *path = vw_panics(t, &n);
  assert_int_equal(n, 3);
  assert_int_equal(path->g, 1);
  assert_int_equal(path->outcome, VW_OUTCOME_RECOVERED);
  assert_int_equal(path->recovered_frame, 100);
  assert_int_equal(path->t0, 20);
  assert_int_equal(path->t1, 56);
  assert_int_equal(path->n_steps, sizeof kinds / sizeof kinds[0]);
  for (size_t i = 0; i < path->n_steps; i++)
    assert_int_equal(path->steps[i].kind, kinds[i]);
  vw_trace_free(t);
}

static void a_step_names_the_deferred_call_and_its_frame(void **state)
{
  (void)state;
  struct vw_trace *t = model_open("panics.trace");
  size_t n;
  const struct vw_panic_path *path = vw_panics(t, &n);
  assert_int_equal(path->steps[0].frame, 300);
  assert_int_equal(path->steps[4].frame, 200);
  assert_int_equal(path->steps[4].fn, 0xa2);
  assert_int_equal(path->steps[5].fn, 0xa2); /* its end, too */
  assert_int_equal(path->steps[9].fn, 0xa1);
  vw_trace_free(t);
}

/* A trace file as the recorder leaves it, with the table of functions that a text has not. */
static struct vw_trace *open_with_functions(const char *name, const char *functions)
{
  char path[] = "/tmp/test-model-panics-XXXXXX", command[1500], *complaint = NULL;
  struct tracefile_error error = { 0 };
  sqlite3 *db;
  close(mkstemp(path));
  unlink(path); /* the name alone is wanted */
  snprintf(command, sizeof command, "%s/recorder/gmpscope load -q %s/tests/traces/good/%s -o %s",
           getenv("GMPSCOPE_BUILD"), getenv("GMPSCOPE_SOURCE"), name, path);
  assert_int_equal(system(command), 0);
  assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
  if (sqlite3_exec(db, functions, NULL, NULL, &complaint) != SQLITE_OK)
    fail_msg("%s", complaint);
  sqlite3_close(db);
  struct vw_trace *t = vw_trace_open(path, NULL, NULL, &error);
  unlink(path);
  if (!t)
    fail_msg("%s", error.why);
  return t;
}

static void a_walks_sentence_names_the_frame_by_the_function_that_it_deferred(void **state)
{
  (void)state;
  struct vw_trace *t = open_with_functions("panic-is-recovered.trace",
                                           "INSERT INTO frame(pc, function) VALUES (11, 'mend')");
  char text[400];
  vw_sentence(t, model_find(t, TRACE_PANIC_WALK, 1), text, sizeof text);
  assert_string_equal(text, "G1's panic walks outwards and looks at the frame that deferred mend.");
  vw_sentence(t, model_find(t, TRACE_PANIC_WALK, 2), text, sizeof text);
  assert_string_equal(text, "G1's panic runs mend, a deferred call of the frame that it looks at.");
  vw_trace_free(t);
}

static struct vw_trace *open_text(const char *text)
{
  struct tracefile_error error;
  struct vw_trace *t = vw_trace_from_text(text, strlen(text), &error);
  assert_non_null(t);
  return t;
}

static void calls_that_are_left_on_the_recovered_frame_end_the_story(void **state)
{
  (void)state;
  struct vw_trace *t = model_open("panics.trace");
  size_t n;
  const struct vw_panic_path *path = vw_panics(t, &n);
  const struct vw_panic_step *last = &path->steps[path->n_steps - 1];
  assert_int_equal(last->fn, 0xa0);
  assert_int_equal(last->frame, path->recovered_frame);
  assert_true(last->no > path->end_no);
  vw_trace_free(t);
}

static void other_calls_run_because_a_frame_returns_belong_to_no_path(void **state)
{
  (void)state;
  struct vw_trace *t =
      open_text("gmpscope-trace 1\n"
                "@1 m0 p0 g1 defer_push frame=100 record=\"stack\" fn=0xa0\n"
                "@2 m0 p0 g1 defer_push frame=200 record=\"stack\" fn=0xa1\n"
                "@3 m0 p0 g1 panic_begin depth=1 frame=300\n"
                "@4 m0 p0 g1 panic_walk depth=1 frame=200 step=\"deferred call run\"\n"
                "@5 m0 p0 g1 defer_pop frame=200 record=\"stack\" fn=0xa1\n"
                "@6 m0 p0 g1 defer_begin frame=200 because=\"panic\" fn=0xa1\n"
                "@7 m0 p0 g1 panic_recover_call depth=1 verdict=\"recovers\"\n"
                "@8 m0 p0 g1 defer_end frame=200 because=\"panic\"\n"
                "@9 m0 p0 g1 panic_recovered depth=1 frame=200\n"
                /* the frame is gone; another one stands where it was */
                "@10 m0 p0 g1 defer_push frame=200 record=\"stack\" fn=0xb0\n"
                "@11 m0 p0 g1 defer_pop frame=200 record=\"stack\" fn=0xb0\n"
                "@12 m0 p0 g1 defer_begin frame=200 because=\"return\" fn=0xb0\n"
                "@13 m0 p0 g1 defer_end frame=200 because=\"return\"\n"
                "@14 m0 p0 g1 defer_pop frame=100 record=\"stack\" fn=0xa0\n"
                "@15 m0 p0 g1 defer_begin frame=100 because=\"return\" fn=0xa0\n"
                "@16 m0 p0 g1 defer_end frame=100 because=\"return\"\n");
  size_t n;
  const struct vw_panic_path *path = vw_panics(t, &n);
  assert_int_equal(n, 1);
  assert_int_equal(path->steps[path->n_steps - 1].kind, TRACE_PANIC_RECOVERED);
  vw_trace_free(t);
}

static void of_a_fatal_panic_and_those_it_took_over_one_is_fatal(void **state)
{
  (void)state;
  struct vw_trace *t =
      open_text("gmpscope-trace 1\n"
                "@1 m0 p0 g1 defer_push frame=100 record=\"stack\" fn=0xa0\n"
                "@2 m0 p0 g1 panic_begin depth=1 frame=200\n"
                "@3 m0 p0 g1 panic_walk depth=1 frame=100 step=\"deferred call run\"\n"
                "@4 m0 p0 g1 defer_pop frame=100 record=\"stack\" fn=0xa0\n"
                "@5 m0 p0 g1 defer_begin frame=100 because=\"panic\" fn=0xa0\n"
                "@6 m0 p0 g1 panic_recover_call depth=1 verdict=\"recovers\"\n"
                "@7 m0 p0 g1 panic_begin depth=2 frame=300\n"
                "@7 m0 p0 g1 panic_nested depth=2 supersedes=1\n"
                "@8 m0 p0 g1 panic_fatal depth=2\n");
  size_t n, fatal = 0;
  const struct vw_panic_path *paths = vw_panics(t, &n);
  assert_int_equal(n, 2);
  assert_int_equal(paths[0].outcome, VW_OUTCOME_ABORTED);
  assert_int_equal(paths[1].outcome, VW_OUTCOME_FATAL);
  for (size_t i = 0; i < n; i++)
    for (size_t j = 0; j < paths[i].n_steps; j++)
      fatal += paths[i].steps[j].kind == TRACE_PANIC_FATAL;
  assert_int_equal(fatal, 1);
  vw_trace_free(t);
}

static void a_panic_in_a_deferred_call_takes_the_older_one_with_it(void **state)
{
  (void)state;
  struct vw_trace *t = model_open("panics.trace");
  size_t n;
  const struct vw_panic_path *paths = vw_panics(t, &n);
  assert_string_equal(paths[1].value, "first");
  assert_int_equal(paths[1].depth, 1);
  assert_int_equal(paths[1].outcome, VW_OUTCOME_ABORTED);
  assert_string_equal(paths[2].value, "second");
  assert_int_equal(paths[2].depth, 2);
  assert_int_equal(paths[2].outcome, VW_OUTCOME_RECOVERED);
  assert_int_equal(paths[2].steps[1].kind, TRACE_PANIC_NESTED);
  vw_trace_free(t);
}

static void a_value_is_shown_without_its_control_characters(void **state)
{
  (void)state;
  struct vw_trace *t = model_open("panics.trace");
  size_t n;
  char sentence[256];
  assert_string_equal(vw_panics(t, &n)[0].value, "boom \\x1b[31m");
  vw_sentence(t, model_find(t, TRACE_PANIC_BEGIN, 0), sentence, sizeof sentence);
  assert_non_null(strstr(sentence, "panics with \"boom \\x1b[31m\""));
  vw_trace_free(t);
}

static void goexit_is_a_path_and_a_fatal_panic_ends_with_the_process(void **state)
{
  (void)state;
  struct vw_trace *t = model_open("fatal.trace");
  size_t n;
  const struct vw_panic_path *paths = vw_panics(t, &n);
  assert_int_equal(n, 2);
  assert_string_equal(paths[0].value, "Goexit");
  assert_int_equal(paths[0].outcome, VW_OUTCOME_GOEXIT);
  assert_int_equal(paths[0].g, 2);
  assert_int_equal(paths[0].n_steps, 8); /* begin, three steps, call begins and ends, a step, end */
  assert_string_equal(paths[1].value, "why?");
  assert_int_equal(paths[1].outcome, VW_OUTCOME_FATAL);
  vw_trace_free(t);
}

static void a_panic_that_the_trace_does_not_see_end_is_open(void **state)
{
  static const char text[] = "gmpscope-trace 1\n"
                             "@1 m0 p0 g1 panic_begin depth=1 frame=10\n"
                             "@9 m0 p0 g1 panic_walk depth=1 frame=5\n";
  (void)state;
  struct tracefile_error error;
  struct vw_trace *t = vw_trace_from_text(text, sizeof text - 1, &error);
  assert_non_null(t);
  size_t n;
  const struct vw_panic_path *path = vw_panics(t, &n);
  assert_int_equal(n, 1);
  assert_int_equal(path->outcome, VW_OUTCOME_OPEN);
  assert_true(path->end_no == VW_NONE);
  assert_int_equal(path->t1, 9);
  vw_trace_free(t);
}

/* A trace may push more than anybody draws; ends must still find their beginnings. */
static void a_tower_of_calls_is_cut_and_does_not_confuse_what_is_below(void **state)
{
  (void)state;
  struct vw_builder *b = vw_builder_new();
  struct trace_event e = { .p = 0, .g = 1, .kind = TRACE_REGION_BEGIN };
  for (int i = 0; i < 1000; i++, e.seq++, e.ts++)
    assert_true(vw_builder_add(b, &e));
  e.kind = TRACE_REGION_END;
  for (int i = 0; i < 1000; i++, e.seq++, e.ts++)
    assert_true(vw_builder_add(b, &e));
  struct tracefile_error error;
  struct vw_trace *t = vw_builder_finish(b, &error);
  assert_non_null(t);
  const struct vw_lane *g1 = vw_lane(t, VW_LANES_G, 0);
  assert_true(g1->n_overlays > 10 && g1->n_overlays < 1000);
  for (size_t i = 0; i < g1->n_overlays; i++) /* the outermost ends last */
    assert_int_equal(g1->overlays[i].t1, 1999 - (int64_t)i);
  vw_trace_free(t);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_recovered_panic_is_told_from_the_call_to_the_frame_that_it_returns_to),
    cmocka_unit_test(a_step_names_the_deferred_call_and_its_frame),
    cmocka_unit_test(a_walks_sentence_names_the_frame_by_the_function_that_it_deferred),
    cmocka_unit_test(calls_that_are_left_on_the_recovered_frame_end_the_story),
    cmocka_unit_test(other_calls_run_because_a_frame_returns_belong_to_no_path),
    cmocka_unit_test(of_a_fatal_panic_and_those_it_took_over_one_is_fatal),
    cmocka_unit_test(a_panic_in_a_deferred_call_takes_the_older_one_with_it),
    cmocka_unit_test(a_value_is_shown_without_its_control_characters),
    cmocka_unit_test(goexit_is_a_path_and_a_fatal_panic_ends_with_the_process),
    cmocka_unit_test(a_panic_that_the_trace_does_not_see_end_is_open),
    cmocka_unit_test(a_tower_of_calls_is_cut_and_does_not_confuse_what_is_below),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
