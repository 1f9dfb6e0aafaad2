/* SPDX-License-Identifier: MIT */
/* test-model-why.c - why a G does not run: waits, sleeps, run queues, system calls, and what is never told. */
#include "model.h"

#include <string.h>

static struct vw_why ask(struct vw_trace *t, uint32_t g, uint64_t no)
{
  struct vw_why why;
  assert_true(vw_why_ask(t, g, no, &why));
  return why;
}

/* The text of the nth line with this key; fails the test if there is none. */
static const struct vw_why_line *line(struct vw_trace *t, const struct vw_why *why, const char *key,
                                      unsigned nth)
{
  static struct vw_why_line lines[VW_WHY_LINES];
  const size_t n = vw_why_lines(t, why, lines);
  assert_true(n <= VW_WHY_LINES);
  for (size_t i = 0; i < n; i++)
    if (strcmp(lines[i].key, key) == 0 && nth-- == 0)
      return &lines[i];
  fail_msg("no line \"%s\"", key);
  return NULL;
}

static bool has_line(struct vw_trace *t, const struct vw_why *why, const char *key)
{
  struct vw_why_line lines[VW_WHY_LINES];
  const size_t n = vw_why_lines(t, why, lines);
  bool has = false;
  for (size_t i = 0; i < n; i++)
    has = has || strcmp(lines[i].key, key) == 0;
  return has;
}

static struct vw_trace *from_text(const char *text)
{
  struct tracefile_error error;
  struct vw_trace *t = vw_trace_from_text(text, strlen(text), &error);
  if (!t)
    fail_msg("%s", error.why);
  return t;
}

static void a_wait_on_a_channel_has_its_object_its_waker_and_its_way_back(void **state)
{
  (void)state;
  struct vw_trace *t = model_open("two-ms.trace");
  const uint64_t block = model_find(t, TRACE_GO_BLOCK, 0);
  const struct vw_why why = ask(t, 1, model_find(t, TRACE_M_PARK, 0));
  assert_int_equal(why.kind, VW_WHY_WAITS);
  assert_int_equal(why.begin_no, block);
  assert_int_equal(why.begin, 60);
  assert_int_equal(why.ready_no, model_find(t, TRACE_GO_UNBLOCK, 0));
  assert_int_equal(why.ready, 70);
  assert_int_equal(why.run_no, model_find(t, TRACE_GO_START, 2));
  assert_int_equal(why.run, 95);
  assert_int_equal(why.n_places, 1);
  assert_int_equal(why.places[0].place, TRACE_PLACE_NEXT);
  assert_int_equal(why.places[0].id, 1);
  assert_int_equal(why.places[0].n_ahead, 0);
  assert_string_equal(line(t, &why, "", 0)->text,
                      "G1 does not run: it waits: chan receive on chan #1, for 3 ns so far.");
  assert_int_equal(line(t, &why, "since", 0)->no, block);
  assert_non_null(strstr(line(t, &why, "ready", 0)->text, "70 ns: G2"));
  assert_string_equal(line(t, &why, "stood", 0)->text, "71 ns: as runnext of P1, first in line");
  assert_string_equal(line(t, &why, "runnable", 0)->text, "for 25 ns; meanwhile:");
  assert_non_null(strstr(line(t, &why, "P1", 0)->text, "ran G2 for 25 ns"));
  assert_int_equal(line(t, &why, "ran", 0)->no, why.run_no);
  assert_false(has_line(t, &why, "losses"));
  vw_trace_free(t);
}

static void a_sleeper_is_made_ready_by_its_timer(void **state)
{
  (void)state;
  struct vw_trace *t = model_open("why.trace");
  const struct vw_why why = ask(t, 1, model_find(t, TRACE_TIMER_ADD, 0));
  assert_int_equal(why.kind, VW_WHY_WAITS);
  assert_int_equal(why.begin, 31);
  assert_int_equal(why.ready, 108);
  assert_int_equal(why.run, 110);
  assert_int_equal(why.n_places, 0); /* it stayed in M0's hand */
  assert_string_equal(line(t, &why, "", 0)->text,
                      "G1 does not run: it waits: sleep on timer 1, for 1 ns so far.");
  vw_trace_free(t);
}

static void a_runnable_g_stands_behind_others_and_others_come_before_it(void **state)
{
  (void)state;
  struct vw_trace *t = model_open("why.trace");
  const struct vw_why why = ask(t, 3, model_find(t, TRACE_TIMER_NEW, 0));
  assert_int_equal(why.kind, VW_WHY_RUNNABLE);
  assert_int_equal(why.begin_no, model_find(t, TRACE_GO_CREATE, 2));
  assert_int_equal(why.ready_no, why.begin_no);
  assert_int_equal(why.run, 92);
  assert_int_equal(why.n_places, 1);
  assert_int_equal(why.places[0].n_ahead, 1);
  assert_int_equal(why.places[0].ahead[0], 2);
  assert_int_equal(why.now.n_ahead, 2);
  assert_int_equal(why.now.ahead[0], 4);
  assert_int_equal(why.now.ahead[1], 2);
  assert_int_equal(why.n_ps, 1);
  assert_int_equal(why.ps[0].n_parts, 4);
  assert_int_equal(why.ps[0].parts[0].g, 4);
  assert_int_equal(why.ps[0].parts[0].ns, 30);
  assert_int_equal(why.ps[0].parts[0].no, model_find(t, TRACE_GO_START, 1));
  assert_string_equal(line(t, &why, "", 0)->text,
                      "G3 does not run: it is runnable, and no M runs it, for 8 ns so far.");
  assert_string_equal(line(t, &why, "stood", 0)->text, "23 ns: in the run queue of P0, behind G2");
  assert_string_equal(line(t, &why, "stands", 0)->text,
                      "at this event: in the run queue of P0, behind G4 and G2");
  assert_string_equal(line(t, &why, "P0", 0)->text,
                      "ran G4 for 30 ns, ran G2 for 24 ns, ran G1 for "
                      "9 ns, was in the scheduler for 7 ns");
  assert_false(has_line(t, &why, "ready"));
  vw_trace_free(t);
}

static void a_g_that_nobody_wakes_waits_until_the_trace_ends(void **state)
{
  (void)state;
  struct vw_trace *t = model_open("why.trace");
  const struct vw_why why = ask(t, 4, vw_event_count(t) - 1);
  assert_int_equal(why.kind, VW_WHY_WAITS);
  assert_true(why.ready_no == VW_NONE && why.run_no == VW_NONE);
  assert_int_equal(why.run, 120);
  assert_int_equal(why.n_ps, 0);
  assert_string_equal(line(t, &why, "", 0)->text,
                      "G4 does not run: it waits: chan receive on chan results, for 56 ns so far.");
  assert_string_equal(line(t, &why, "ready", 0)->text,
                      "nobody made it ready until the program ended, 56 ns after it parked");
  assert_string_equal(line(t, &why, "ran", 0)->text, "not again until the program ended");
  vw_trace_free(t);
}

static void a_system_call_that_lost_its_p_leads_through_the_global_queue(void **state)
{
  (void)state;
  struct vw_trace *t = model_open("syscall.trace");
  const struct vw_why why = ask(t, 1, model_find(t, TRACE_SYSMON_RETAKE, 0));
  assert_int_equal(why.kind, VW_WHY_SYSCALL);
  assert_int_equal(why.begin, 20);
  assert_int_equal(why.ready_no, model_find(t, TRACE_GO_SYSCALL_END_BLOCKED, 0));
  assert_int_equal(why.run, 75);
  assert_int_equal(why.n_places, 1);
  assert_int_equal(why.places[0].place, TRACE_PLACE_GLOBAL);
  assert_string_equal(line(t, &why, "", 0)->text,
                      "G1 does not run: it is in a system call, for 20 ns so far.");
  assert_string_equal(line(t, &why, "stood", 0)->text,
                      "61 ns: in the global run queue, first in line");
  assert_non_null(strstr(line(t, &why, "P0", 0)->text, "ran G2 for 10 ns"));
  vw_trace_free(t);
}

static void a_system_call_that_kept_its_p_simply_goes_on(void **state)
{
  static const char text[] =
      "gmpscope-trace 1\n"
      "@0 m0 p- g0 m_create tid=100\n"
      "@0 m0 p- g0 trace_begin abi=1 from_start=1 n_procs=1\n"
      "@1 m0 p- g0 proc_status proc=0 status=\"handed over\" on_m=- p_seq=0\n"
      "@2 m0 p- g0 proc_start proc=0 p_seq=1\n"
      "@3 m0 p0 g0 go_create new_g=1 fn=0x1000\n"
      "@4 m0 p0 g1 go_start run_g=1 g_seq=1\n"
      "@5 m0 p0 g1 go_syscall_begin p_seq=1\n"
      "@9 m0 p0 g1 go_syscall_end\n"
      "@9 m0 p0 g1 trace_end\n";
  (void)state;
  struct vw_trace *t = from_text(text);
  struct vw_why why = ask(t, 1, model_find(t, TRACE_GO_SYSCALL_BEGIN, 0));
  assert_int_equal(why.kind, VW_WHY_SYSCALL);
  assert_true(why.ready_no == VW_NONE);
  assert_int_equal(why.run_no, model_find(t, TRACE_GO_SYSCALL_END, 0));
  assert_false(has_line(t, &why, "ready"));
  why = ask(t, 1, why.run_no);
  assert_int_equal(why.kind, VW_WHY_RUNS);
  vw_trace_free(t);
}

static void who_runs_or_is_not_there_is_told_so(void **state)
{
  (void)state;
  struct vw_trace *t = model_open("why.trace");
  struct vw_why why = ask(t, 4, model_find(t, TRACE_GO_START, 1));
  assert_int_equal(why.kind, VW_WHY_RUNS);
  assert_string_equal(line(t, &why, "", 0)->text, "G4 runs, for 0 ns now.");
  why = ask(t, 4, 0);
  assert_int_equal(why.kind, VW_WHY_ABSENT);
  why = ask(t, 2, vw_event_count(t) - 1); /* it ended */
  assert_int_equal(why.kind, VW_WHY_ABSENT);
  why = ask(t, 77, 0);
  assert_string_equal(line(t, &why, "", 0)->text, "G77 does not exist at this event.");
  vw_trace_free(t);
}

static void every_g_at_every_event_has_an_answer(struct vw_trace *t, const char *path)
{
  (void)path;
  struct vw_why_line lines[VW_WHY_LINES];
  for (uint64_t no = 0; no < vw_event_count(t); no++) {
    for (size_t i = 0; i < vw_lane_count(t, VW_LANES_G); i++) {
      const struct vw_why why = ask(t, vw_lane(t, VW_LANES_G, i)->id, no);
      const size_t n = vw_why_lines(t, &why, lines);
      assert_true(n >= 1 && n <= VW_WHY_LINES && *lines[0].text);
      assert_true(why.begin <= why.run || why.kind <= VW_WHY_LOST);
      for (size_t l = 0; l < n; l++)
        assert_true(*lines[l].text && (lines[l].no == VW_NONE || lines[l].no < vw_event_count(t)));
    }
  }
}

static void all_traces_can_be_asked(void **state)
{
  (void)state;
  assert_true(model_for_each(every_g_at_every_event_has_an_answer) >= 5);
}

/* The answer at an event is as long as the replay says that the G is in its state. */
static void agrees_with_the_replay(struct vw_trace *t, const char *path)
{
  static const uint32_t statuses[] = { [VW_WHY_RUNS] = TRACE_GSTATUS_RUNNING,
                                       [VW_WHY_RUNNABLE] = TRACE_GSTATUS_RUNNABLE,
                                       [VW_WHY_WAITS] = TRACE_GSTATUS_WAITING,
                                       [VW_WHY_SYSCALL] = TRACE_GSTATUS_SYSCALL };
  (void)path;
  if (vw_warning(t, 0))
    return; /* a trace that breaks a rule or lost events may say two things */
  for (uint64_t no = 0; no < vw_event_count(t); no++) {
    for (size_t i = 0; i < vw_lane_count(t, VW_LANES_G); i++) {
      const struct vw_why why = ask(t, vw_lane(t, VW_LANES_G, i)->id, no);
      const struct trace_g *gp = trace_replay_g(vw_state_after(t, no), why.g);
      if (why.kind >= VW_WHY_RUNS)
        assert_true(gp && gp->status == statuses[why.kind]);
      else
        assert_true(!gp || gp->status == TRACE_GSTATUS_DEAD || gp->status == TRACE_GSTATUS_IDLE);
    }
  }
}

static void answers_agree_with_the_replay(void **state)
{
  (void)state;
  assert_true(model_for_each(agrees_with_the_replay) >= 5);
}

/* G1 parks on M0, whose ring is full from 30 to 50; and then it enters a system call, in which its events are lost. */
static void what_was_lost_is_said(void **state)
{
  static const char text[] =
      "gmpscope-trace 1\n"
      "@0 m0 p- g0 m_create tid=100\n"
      "@0 m0 p- g0 trace_begin abi=1 from_start=1 n_procs=1\n"
      "@1 m0 p- g0 proc_status proc=0 status=\"handed over\" on_m=- p_seq=0\n"
      "@2 m0 p- g0 proc_start proc=0 p_seq=1\n"
      "@3 m0 p0 g0 go_create new_g=1 fn=0x1000\n"
      "@4 m0 p0 g1 go_start run_g=1 g_seq=1\n"
      "@20 m0 p0 g1 go_block why=\"sleep\" obj=0x1\n"
      "@50 m0 p0 g0 seq=108 lost n_lost=101 since=30\n"
      "@60 m0 p0 g0 go_unblock woken_g=1 g_seq=2 obj=0x1\n"
      "@70 m0 p0 g1 go_start run_g=1 g_seq=3\n"
      "@80 m0 p0 g1 go_syscall_begin p_seq=1\n"
      "@99 m0 p0 g1 seq=212 lost n_lost=100 since=85\n"
      "@100 m0 p0 g1 trace_end\n";
  (void)state;
  struct vw_trace *t = from_text(text);
  struct vw_why why = ask(t, 1, model_find(t, TRACE_GO_BLOCK, 0));
  assert_true(why.has_losses && !why.breaks_off);
  assert_non_null(strstr(line(t, &why, "losses", 0)->text, "events were lost meanwhile"));
  why = ask(t, 1, model_find(t, TRACE_GO_SYSCALL_BEGIN, 0));
  assert_int_equal(why.kind, VW_WHY_SYSCALL);
  assert_true(why.breaks_off && why.run_no == VW_NONE);
  assert_int_equal(why.run, 85);
  assert_string_equal(line(t, &why, "ran", 0)->text, "not again until its events are lost");
  vw_trace_free(t);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_wait_on_a_channel_has_its_object_its_waker_and_its_way_back),
    cmocka_unit_test(a_sleeper_is_made_ready_by_its_timer),
    cmocka_unit_test(a_runnable_g_stands_behind_others_and_others_come_before_it),
    cmocka_unit_test(a_g_that_nobody_wakes_waits_until_the_trace_ends),
    cmocka_unit_test(a_system_call_that_lost_its_p_leads_through_the_global_queue),
    cmocka_unit_test(a_system_call_that_kept_its_p_simply_goes_on),
    cmocka_unit_test(who_runs_or_is_not_there_is_told_so),
    cmocka_unit_test(all_traces_can_be_asked),
    cmocka_unit_test(answers_agree_with_the_replay),
    cmocka_unit_test(what_was_lost_is_said),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
