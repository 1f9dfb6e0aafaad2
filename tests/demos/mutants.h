/* SPDX-License-Identifier: MIT */
/* mutants.h - wrong traces, wrong schedules and wrong texts, and the test of the demos that must see each.
 *
 * number: the place in the runtime's sources, MUTANT(number, ...); those below 101 are the simulation's
 * (tests/sim/mutants.h), which a demo must see as well.
 */
#pragma once

#define SCHED "test-demo-traces-sched"
#define DEFER "test-demo-traces"
#define TEXTS "test-demo-texts"

/* clang-format off */
static const struct {
  int number;
  const char *what, *test, *name; /* the program, and the one of its tests */
} mutants[] = {
  { 101, "a time slice is of 45 ms", SCHED, "a_time_slice_is_of_10_to_20_ms" },
  { 101, "a time slice is of 45 ms", SCHED, "a_hog_is_preempted_by_request_signal_and_landing" },
  { 102, "a time slice is of 4 ms", SCHED, "a_time_slice_is_of_10_to_20_ms" },
  { 103, "sysmon takes a call's P for a time slice, it says", SCHED, "without_a_p_a_goroutine_goes_to_the_global_queue" },
  { 104, "schedtrace prints 99 threads", TEXTS, "a_line_of_schedtrace_has_the_numbers_of_its_instant" },
  { 105, "schedtrace prints 77 idle threads", TEXTS, "a_line_of_schedtrace_has_the_numbers_of_its_instant" },
  { 106, "schedtrace prints 55 as the length of each queue", TEXTS, "a_line_of_schedtrace_has_the_numbers_of_its_instant" },
  { 107, "scheddetail prints another reason to wait", TEXTS, "scheddetail_has_every_p_m_and_g_of_its_instant" },
  { 108, "scheddetail prints no M as blocked", TEXTS, "scheddetail_has_every_p_m_and_g_of_its_instant" },
  { 109, "a dump calls who waits runnable", TEXTS, "a_dump_has_every_g_of_the_stopped_world" },
  { 110, "a dump leaves out the deferred calls", TEXTS, "the_report_of_a_deadlock_is_the_last_state" },
  { 111, "a dump says that who was made made itself", TEXTS, "a_dump_has_every_g_of_the_stopped_world" },
  { 112, "a wake-up is told for another M", SCHED, "ms_park_when_they_find_nothing_whoever_sleeps_or_polls" },
  { 113, "who is woken to run is told to be woken to look for work", SCHED, "ms_park_when_they_find_nothing_whoever_sleeps_or_polls" },
  { 114, "another G is told to own a timer", SCHED, "timers_and_deferred_calls_leave_each_other_alone" },
  { 115, "a heap is changed without its lock", SCHED, "wherever_an_m_is_interrupted_its_heap_is_not_changed" },
  { 116, "a P is told to be taken from another M", SCHED, "the_world_stops_and_starts_inside_one_call" },
  { 117, "a scan leaves out who waits", SCHED, "the_world_stops_and_starts_inside_one_call" },
  { 118, "no signal is sent to a hog", SCHED, "a_hog_is_preempted_by_request_signal_and_landing" },
  { 119, "a pool is refilled with 15 records", DEFER, "records_of_loops_come_from_pools" },
  { 120, "the poller is told to wait for ever", SCHED, "one_m_waits_in_netpoll_for_a_timer_or_a_descriptor" },
  { 121, "a sleep is half as long", DEFER, "sleep_defer_reached_parks_inside_its_deferred_call" },
  { 110, "a dump leaves out the deferred calls", TEXTS, "from_all_on_a_dying_program_shows_every_g" },
  { 122, "who dies at level all shows itself alone", TEXTS, "from_all_on_a_dying_program_shows_every_g" },
  { 123, "who dies at level none shows itself", TEXTS, "below_all_a_dying_program_hides_the_others" },
  { 124, "a dump looks at the level", TEXTS, "a_dump_has_every_g_of_the_stopped_world" },
  { 125, "at level system another M is printed", TEXTS, "from_all_on_a_dying_program_shows_every_g" },
  {   8, "a G that changes its M loses its deferred calls", SCHED, "deferred_calls_survive_the_loss_of_a_p" },
  {  20, "a Goexit can be recovered", DEFER, "only_a_direct_recover_during_a_panic_counts" },
};
/* clang-format on */
