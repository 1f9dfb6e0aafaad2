/* SPDX-License-Identifier: MIT */
/* test-model-arrows.c - where arrows begin and end, and walking along them. */
#include "model.h"

static const struct vw_arrow *only(const struct vw_trace *t, enum vw_arrow_kind kind, uint64_t from)
{
  size_t n;
  const struct vw_arrow *arrows = vw_arrows(t, &n);
  for (size_t i = 0; i < n; i++) {
    if (arrows[i].kind == kind && arrows[i].from.no == from)
      return &arrows[i];
  }
  fail_msg("no arrow of kind %d begins at event %llu", kind, (unsigned long long)from);
  return NULL;
}

static void a_wake_goes_from_the_waker_to_where_the_g_runs_next(void **state)
{
  (void)state;
  struct vw_trace *t = model_open("two-ms.trace");
  const struct vw_arrow *a = only(t, VW_ARROW_WAKE, model_find(t, TRACE_GO_UNBLOCK, 0));
  assert_int_equal(a->from.m, 1);
  assert_int_equal(a->from.p, 1);
  assert_int_equal(a->from.g, 2);
  assert_int_equal(a->from.ts, 70);
  assert_int_equal(a->to.no, model_find(t, TRACE_GO_START, 2));
  assert_int_equal(a->to.m, 0);
  assert_int_equal(a->to.g, 1);
  assert_int_equal(a->to.ts, 95);
  vw_trace_free(t);
}

static void a_park_goes_to_the_next_run_of_the_same_g(void **state)
{
  (void)state;
  struct vw_trace *t = model_open("two-ms.trace");
  const struct vw_arrow *a = only(t, VW_ARROW_PARK, model_find(t, TRACE_GO_BLOCK, 0));
  assert_int_equal(a->from.g, 1);
  assert_int_equal(a->to.ts, 95);
  vw_trace_free(t);
}

static void a_creation_goes_to_the_first_run(void **state)
{
  (void)state;
  struct vw_trace *t = model_open("two-ms.trace");
  const struct vw_arrow *a = only(t, VW_ARROW_CREATE, model_find(t, TRACE_GO_CREATE, 1));
  assert_int_equal(a->from.g, 1);
  assert_int_equal(a->to.g, 2);
  assert_int_equal(a->to.m, 1);
  assert_int_equal(a->to.ts, 50);
  vw_trace_free(t);
}

static void a_steal_goes_from_the_victims_p_to_the_thiefs(void **state)
{
  (void)state;
  struct vw_trace *t = model_open("two-ms.trace");
  const struct vw_arrow *a = only(t, VW_ARROW_STEAL, model_find(t, TRACE_RUNQ_STEAL, 0));
  assert_int_equal(a->from.p, 0);
  assert_int_equal(a->from.m, 0);
  assert_int_equal(a->to.p, 1);
  assert_int_equal(a->to.m, 1);
  vw_trace_free(t);
}

static void an_m_is_woken_by_the_m_that_made_it_or_found_it_parked(void **state)
{
  (void)state;
  struct vw_trace *t = model_open("two-ms.trace");
  const struct vw_arrow *made = only(t, VW_ARROW_MWAKE, model_find(t, TRACE_M_WAKE, 0));
  assert_int_equal(made->to.no, model_find(t, TRACE_M_CREATE, 1));
  const struct vw_arrow *woken = only(t, VW_ARROW_MWAKE, model_find(t, TRACE_M_WAKE, 1));
  assert_int_equal(woken->to.no, model_find(t, TRACE_M_UNPARK, 0));
  vw_trace_free(t);
}

static void a_retake_goes_from_the_m_in_the_system_call_to_the_next_holder(void **state)
{
  (void)state;
  struct vw_trace *t = model_open("syscall.trace");
  const struct vw_arrow *a = only(t, VW_ARROW_RETAKE, model_find(t, TRACE_PROC_STEAL, 0));
  assert_int_equal(a->from.m, 0);
  assert_int_equal(a->from.g, 1);
  assert_int_equal(a->from.p, 0);
  assert_int_equal(a->to.m, 2);
  assert_int_equal(a->to.p, 0);
  assert_int_equal(a->to.ts, 51);
  vw_trace_free(t);
}

static void an_arrow_whose_end_never_came_says_so(void **state)
{
  static const char text[] = "gmpscope-trace 1\n"
                             "@1 m0 p0 g1 go_create new_g=2\n"
                             "@2 m0 p0 g1 go_block why=\"sleep\"\n";
  (void)state;
  struct tracefile_error error;
  struct vw_trace *t = vw_trace_from_text(text, sizeof text - 1, &error);
  assert_non_null(t);
  size_t n;
  const struct vw_arrow *arrows = vw_arrows(t, &n);
  assert_int_equal(n, 2);
  for (size_t i = 0; i < n; i++) {
    assert_true(arrows[i].to.no == VW_NONE);
    assert_int_equal(arrows[i].to.m, TRACE_NO_M);
  }
  vw_trace_free(t);
}

static void walking_back_from_a_start_leads_to_the_waker(void **state)
{
  (void)state;
  struct vw_trace *t = model_open("two-ms.trace");
  size_t n;
  const struct vw_arrow *arrows = vw_arrows(t, &n);
  uint64_t start = model_find(t, TRACE_GO_START, 2);
  long into = vw_arrow_into(t, start);
  assert_true(into >= 0);
  assert_int_equal(arrows[into].kind, VW_ARROW_WAKE);
  long out = vw_arrow_out_of(t, arrows[into].from.no);
  assert_int_equal(arrows[out].to.no, start);
  assert_int_equal(vw_arrow_into(t, 0), -1);
  assert_int_equal(vw_arrow_out_of(t, start), -1);
  vw_trace_free(t);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_wake_goes_from_the_waker_to_where_the_g_runs_next),
    cmocka_unit_test(a_park_goes_to_the_next_run_of_the_same_g),
    cmocka_unit_test(a_creation_goes_to_the_first_run),
    cmocka_unit_test(a_steal_goes_from_the_victims_p_to_the_thiefs),
    cmocka_unit_test(an_m_is_woken_by_the_m_that_made_it_or_found_it_parked),
    cmocka_unit_test(a_retake_goes_from_the_m_in_the_system_call_to_the_next_holder),
    cmocka_unit_test(an_arrow_whose_end_never_came_says_so),
    cmocka_unit_test(walking_back_from_a_start_leads_to_the_waker),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
