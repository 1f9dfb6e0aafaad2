/* SPDX-License-Identifier: MIT */
/* test-traced.c - what a recorded program does at its edges: it ends slowly, runs twice, gets no threads.
 *
 * The test is its own program: called with a name, it is the program of that name; called without, it records
 * itself by that name with the built gmpscope, and lets gmpscope check say whether the trace keeps every rule.
 */
#include "traced.h"

#include "rt.h"

#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define CALLERS 6

/* ---- a program whose exit is slow, and needs threads that it did not have before ---- */

static atomic_int n_alive, n_inside, n_back;
static atomic_bool trace_is_over;

/* Registered before the runtime's own, so it runs after that: the trace has its end. */
static void exit_slowly(void)
{
  atomic_store(&trace_is_over, true);
  while (atomic_load(&n_back) < CALLERS)
    sched_yield();
}

/* All of them are in a system call at once, so each needs a thread. */
static void call_with_all_the_others(void *unused)
{
  (void)unused;
  atomic_fetch_add(&n_alive, 1);
  while (!atomic_load(&trace_is_over))
    rt_yield();
  rt_entersyscall();
  atomic_fetch_add(&n_inside, 1);
  while (atomic_load(&n_inside) < CALLERS)
    sched_yield();
  rt_exitsyscall();
  atomic_fetch_add(&n_back, 1);
}

static int ends_slowly(int argc, char **argv)
{
  (void)argc, (void)argv;
  for (int i = 0; i < CALLERS; i++)
    rt_go(call_with_all_the_others, NULL);
  while (atomic_load(&n_alive) == 0) /* without yielding: so another M runs them */
    sched_yield();
  return 0;
}

/* ---- a program that gets no thread any more ---- */

static struct rt_waitgroup all_done;

static void *read_clock_often(void *unused)
{
  for (int i = 0; i < 1000; i++)
    getppid();
  return unused;
}

static void work_a_little(void *arg)
{
  struct rt_chan *chan = arg;
  for (int i = 0; i < 20; i++) {
    rt_chan_send(chan, &i);
    rt_blocking(read_clock_often, NULL);
    rt_sleep(1000);
  }
  rt_waitgroup_done(&all_done);
}

static void take_all(void *arg)
{
  int got;
  while (rt_chan_recv(arg, &got))
    rt_yield();
}

static struct rlimit usual;

/* From now on no thread is made. */
static bool refuse_threads(void)
{
  if (getrlimit(RLIMIT_NPROC, &usual) != 0)
    return false;
  const struct rlimit none = { 1, usual.rlim_max }; /* this process is one already */
  return setrlimit(RLIMIT_NPROC, &none) == 0;
}

static int gets_no_threads(int argc, char **argv)
{
  (void)argc, (void)argv;
  if (!refuse_threads())
    return 3;
  struct rt_chan *chan = rt_chan_new(sizeof(int), 4);
  rt_go(take_all, chan);
  rt_waitgroup_add(&all_done, 10);
  for (int i = 0; i < 10; i++)
    rt_go(work_a_little, chan);
  rt_waitgroup_wait(&all_done);
  rt_chan_close(chan);
  return setrlimit(RLIMIT_NPROC, &usual); /* the leak sanitizer wants a thread at exit */
}

/* One P, in a system call that ends only when the other G has run: that one needs a thread, which is
 * refused at first, and granted later. */
static atomic_bool may_leave;

static void let_leave(void *unused)
{
  (void)unused;
  atomic_store(&may_leave, true);
}

static int gets_a_thread_late(int argc, char **argv)
{
  (void)argc, (void)argv;
  if (!refuse_threads())
    return 3;
  rt_go(let_leave, NULL);
  rt_entersyscall();
  for (int i = 0; !atomic_load(&may_leave); i++) {
    usleep(1000);
    if (i == 50) /* after sysmon has tried */
      setrlimit(RLIMIT_NPROC, &usual);
  }
  rt_exitsyscall();
  return 0;
}

/* Not even sysmon gets one: the run cannot begin; once it can, it does. */
static void do_nothing(void *unused)
{
  (void)unused;
}

static int begins_late(void)
{
  if (!refuse_threads() || rt_run(do_nothing, NULL, NULL) != -EAGAIN)
    return 3;
  setrlimit(RLIMIT_NPROC, &usual);
  return -rt_run(do_nothing, NULL, NULL);
}

/* ---- a program that runs the scheduler twice ---- */

static void yield_once(void *unused)
{
  (void)unused;
  rt_yield();
}

/* ---- a G that never blocks, but has safe points ---- */

static void stop_the_other(void *unused)
{
  (void)unused;
  atomic_store(&may_leave, true);
}

static int is_preempted(int argc, char **argv)
{
  (void)argc, (void)argv;
  rt_gomaxprocs(1);
  rt_go(stop_the_other, NULL);
  while (!atomic_load(&may_leave))
    rt_safepoint();
  return 0;
}

/* ---- programs that die on a signal ---- */

static int overflow(int depth)
{
  volatile char frame[512] = { (char)depth };
  return depth < 0 ? 0 : overflow(depth + 1) + frame[0];
}
static int overflows(int argc, char **argv)
{
  (void)argv;
  return overflow(argc);
}
static int is_told_to_quit(int argc, char **argv)
{
  (void)argc, (void)argv;
  return raise(SIGQUIT);
}

/* Forbidden, and fatal; but nothing is told that did not happen. */
static int parks_in_a_call(int argc, char **argv)
{
  (void)argc, (void)argv;
  rt_entersyscall();
  rt_chan_recv(NULL, NULL);
  return 0;
}
static int yields_in_a_call(int argc, char **argv)
{
  (void)argc, (void)argv;
  rt_entersyscall();
  rt_yield();
  return 0;
}

/* ---- programs that a thread of their own ends, which has no ring ---- */

static const char *how;

static void *end_the_program(void *unused)
{
  if (strstr(how, "exits"))
    exit(3);
  if (strstr(how, "starts-a-g"))
    rt_go(yield_once, NULL);
  if (strstr(how, "panics"))
    rt_panic("on a thread of the program's own");
  return unused;
}

static void yield_for_ever(void *unused)
{
  (void)unused;
  for (;;)
    rt_yield();
}

/* While the others are busy, or all asleep. */
static int is_ended_by_a_thread(int argc, char **argv)
{
  (void)argc;
  how = argv[1];
  pthread_t thread;
  if (strstr(how, "busy"))
    for (int i = 0; i < 3; i++)
      rt_go(yield_for_ever, NULL);
  if (pthread_create(&thread, NULL, end_the_program, NULL) != 0)
    return 4;
  rt_sleep(INT64_MAX);
  return 5;
}

/* ---- a program that looks at stacks while it has stopped the world ---- */

static void look(uint64_t goid, const void *lo, const void *hi, void *arg)
{
  (void)goid, (void)lo, (void)hi;
  ++*(int *)arg;
}
static void wait_for_ever(void *unused)
{
  (void)unused;
  rt_chan_recv(NULL, NULL);
}
static int scans_a_stopped_world(int argc, char **argv)
{
  int seen = 0;
  (void)argc, (void)argv;
  rt_go(wait_for_ever, NULL);
  rt_stop_the_world("to look");
  rt_scan_stacks(look, &seen);
  rt_gc();
  rt_start_the_world();
  return seen != 2;
}

/* ---- a run whose first thread is in a system call when it ends ---- */

static atomic_bool is_in_the_call, is_on_another, has_counted;

static int n_threads(void)
{
  int n = 0;
  DIR *tasks = opendir("/proc/self/task");
  while (tasks && readdir(tasks))
    n++;
  if (tasks)
    closedir(tasks);
  return n;
}

static void *stay_until_another_has_ended(void *unused)
{
  atomic_store(&is_in_the_call, true);
  while (!atomic_load(&is_on_another))
    sched_yield();
  int n = n_threads();
  atomic_store(&has_counted, true);
  while (n_threads() >= n)
    sched_yield();
  return unused;
}

/* There is one thread yet, and one P: while main waits, this runs on the thread that main was on. */
static void keep_the_first_thread(void *chan)
{
  rt_chan_send(chan, NULL);
  rt_blocking(stay_until_another_has_ended, NULL);
}

static void return_on_another(void *ok)
{
  struct rt_chan *chan = rt_chan_new(0, 0);
  rt_go(keep_the_first_thread, chan);
  rt_chan_recv(chan, NULL);
  while (!atomic_load(&is_in_the_call)) /* it was preempted */
    rt_yield();
  *(bool *)ok = gettid() != getpid();
  atomic_store(&is_on_another, true);
  while (!atomic_load(&has_counted))
    sched_yield();
}

static int comes_back_late(void)
{
  bool ok = false;
  return rt_run(return_on_another, &ok, NULL) != 0 || !ok;
}

/* ---- a run that gets no descriptors, and one that does ---- */

static int gets_descriptors_late(void)
{
  struct rlimit usual_files;
  int next = dup(0);
  if (next < 0 || close(next) != 0 || getrlimit(RLIMIT_NOFILE, &usual_files) != 0)
    return 3;
  const struct rlimit none = { (rlim_t)next, usual_files.rlim_max };
  if (setrlimit(RLIMIT_NOFILE, &none) != 0 || rt_run(yield_once, NULL, NULL) != -EMFILE)
    return 3;
  return setrlimit(RLIMIT_NOFILE, &usual_files) != 0 || rt_run(yield_once, NULL, NULL) != 0;
}

/* ---- a log that cannot be written as it is ---- */

static int logs_no_character(int argc, char **argv)
{
  (void)argc, (void)argv;
  rt_log("test", "%ls", L"\xd800");
  return 0;
}

/* ---- the tests ---- */

static int run_as(const char *name, int argc, char **argv)
{
  if (strcmp(name, "ends-slowly") == 0) {
    atexit(exit_slowly);
    return rt_main(argc, argv, ends_slowly);
  }
  if (strcmp(name, "runs-twice") == 0)
    return -rt_run(yield_once, NULL, NULL) - rt_run(yield_once, NULL, NULL);
  if (strcmp(name, "no-threads") == 0)
    return rt_main(argc, argv, gets_no_threads);
  if (strcmp(name, "late-thread") == 0)
    return rt_main(argc, argv, gets_a_thread_late);
  if (strcmp(name, "begins-late") == 0)
    return begins_late();
  if (strcmp(name, "preempted") == 0)
    return rt_main(argc, argv, is_preempted);
  if (strcmp(name, "overflows") == 0)
    return rt_main(argc, argv, overflows);
  if (strcmp(name, "parks-in-a-call") == 0)
    return rt_main(argc, argv, parks_in_a_call);
  if (strcmp(name, "yields-in-a-call") == 0)
    return rt_main(argc, argv, yields_in_a_call);
  if (strcmp(name, "scans-a-stopped-world") == 0)
    return rt_main(argc, argv, scans_a_stopped_world);
  if (strncmp(name, "a-thread-", 9) == 0)
    return rt_main(argc, argv, is_ended_by_a_thread);
  if (strcmp(name, "comes-back-late") == 0)
    return comes_back_late();
  if (strcmp(name, "descriptors-late") == 0)
    return gets_descriptors_late();
  if (strcmp(name, "logs-no-character") == 0)
    return rt_main(argc, argv, logs_no_character);
  if (strcmp(name, "is-told-to-quit") == 0)
    return rt_main(argc, argv, is_told_to_quit);
  return 4;
}

static void nobody_emits_after_the_end_was_told(void **state)
{
  (void)state;
  static const char *const procs[] = { "2", "4", "8" };
  for (int i = 0; i < 3; i++) {
    record_and_check("ends-slowly", procs[i]);
    struct run dump = run_cli("dump", "t.db", NULL);
    const char *end = strstr(dump.out, " trace_end ");
    assert_non_null(end);
    assert_null(strstr(end, " go_syscall_begin ")); /* all of them were after it */
    assert_null(strstr(end, " m_create "));
    run_free(&dump);
  }
}

static void a_run_after_the_end_is_told_to_be_missing(void **state)
{
  (void)state;
  struct run run = record("runs-twice", "2"), dump = run_cli("dump", "t.db", NULL);
  assert_keeps_every_rule("runs-twice");
  assert_non_null(strstr(run.err, "only the first is in the trace"));
  assert_non_null(strstr(dump.out, "untraced_runs"));
  assert_int_equal(count_lines_with(dump.out, " trace_begin "), 1);
  run_free(&run);
  run_free(&dump);
}

static void a_program_that_gets_no_threads_runs_on_with_those_that_it_has(void **state)
{
  (void)state;
  if (run_cannot_limit())
    return;
  record_and_check("no-threads", "4");
  struct run dump = run_cli("dump", "t.db", NULL);
  assert_true(count_lines_with(dump.out, " go_create ") == 12);
  assert_true(count_lines_with(dump.out, " m_create ") <= 6); /* what there was before the limit */
  run_free(&dump);
}

static void a_thread_that_was_refused_is_asked_for_again(void **state)
{
  (void)state;
  if (run_cannot_limit())
    return;
  record_and_check("late-thread", "1");
}

static void a_run_that_cannot_begin_gives_everything_back(void **state)
{
  (void)state;
  if (run_cannot_limit())
    return;
  char *argv[] = { self, (char[]){ "begins-late" }, NULL };
  struct run run = run_argv(argv, NULL, run_as_nobody());
  assert_string_equal(run.err, "");
  assert_int_equal(run.code, 0);
  run_free(&run);
}

static void a_safe_point_gives_way_to_who_waits(void **state)
{
  (void)state;
  record_and_check("preempted", "2");
  struct run dump = run_cli("dump", "t.db", NULL);
  assert_true(count_lines_with(dump.out, " preempt_taken by_signal=0") >= 1);
  run_free(&dump);
}

/* From its first sleep on; and no G waits for a timer of the one that had its memory before. */
static void who_dies_leaves_a_whole_trace(void **state)
{
  static const char *const names[] = { "overflows", "is-told-to-quit", "parks-in-a-call",
                                       "yields-in-a-call" };
  (void)state;
  for (int i = 0; i < 4; i++) {
    struct run run = record_code(names[i], "2", 2);
    assert_keeps_every_rule(names[i]);
    struct run dump = run_cli("dump", "t.db", NULL);
    assert_int_equal(count_lines_with(dump.out, " trace_end exit_code=2\n"), 1);
    run_free(&run);
    run_free(&dump);
  }
}

static void assert_info_has(const char *name, const char *what, const char *value)
{
  struct run info = run_cli("info", "t.db", NULL);
  char text[64];
  snprintf(text, sizeof text, "\n  %-19s%s\n", what, value);
  if (!strstr(info.out, text))
    fail_msg("%s: not \"%s\" but:\n%s%s", name, text + 1, info.out, info.err);
  run_free(&info);
}

static void a_thread_of_the_programs_own_may_end_it_and_its_trace_is_whole(void **state)
{
  static const char *const names[] = { "a-thread-exits",           "a-thread-exits-busy",
                                       "a-thread-starts-a-g",      "a-thread-panics",
                                       "a-thread-starts-a-g-busy", "a-thread-panics-busy" };
  (void)state;
  for (int i = 0; i < 6; i++)
    for (int n = 0; n < 4; n++) {
      int code = i < 2 ? 3 : 2;
      struct run run = record_code(names[i], n % 2 ? "2" : "1", code);
      run_free(&run);
      assert_keeps_every_rule(names[i]);
      assert_info_has(names[i], "exit_code", code == 3 ? "3" : "2");
      assert_info_has(names[i], "complete", "1");
    }
}

static void sysmon_tells_its_interval_first(void **state)
{
  (void)state;
  struct run run = record("runs-twice", "2"), dump = run_cli("dump", "t.db", "--m", "1", NULL);
  const char *made = strstr(dump.out, " m_create ");
  const char *line_after = made ? strchr(made, '\n') : NULL;
  assert_non_null(line_after);
  const char *sleep = strstr(line_after, " sysmon_sleep delay=20000 deep=0\n");
  assert_non_null(sleep);
  assert_ptr_equal(strchr(line_after + 1, '\n'), strchr(sleep, '\n')); /* in the next line */
  run_free(&run);
  run_free(&dump);
}

static void scans_in_a_world_that_the_program_stopped_keep_the_rules(void **state)
{
  (void)state;
  record_and_check("scans-a-stopped-world", "1");
  record_and_check("scans-a-stopped-world", "2");
}

/* Its G is dropped, and it tells nothing more of that; but the end. */
static void a_first_thread_that_comes_back_too_late_tells_the_end(void **state)
{
  (void)state;
  record_and_check("comes-back-late", "1");
  assert_info_has("comes-back-late", "exit_code", "0");
}

static void a_run_that_could_not_begin_leaves_the_trace_to_the_next(void **state)
{
  (void)state;
  record_and_check("descriptors-late", "2");
  struct run dump = run_cli("dump", "t.db", NULL);
  assert_null(strstr(dump.out, "untraced_runs"));
  assert_int_equal(count_lines_with(dump.out, " trace_begin "), 1);
  run_free(&dump);
}

static void a_log_that_cannot_be_written_is_told_as_far_as_it_comes(void **state)
{
  (void)state;
  record_and_check("logs-no-character", "1");
  struct run dump = run_cli("dump", "t.db", NULL);
  assert_int_equal(count_lines_with(dump.out, " g1 user_log "), 1);
  run_free(&dump);
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_first_thread_that_comes_back_too_late_tells_the_end),
    cmocka_unit_test(a_run_that_could_not_begin_leaves_the_trace_to_the_next),
    cmocka_unit_test(a_log_that_cannot_be_written_is_told_as_far_as_it_comes),
    cmocka_unit_test(nobody_emits_after_the_end_was_told),
    cmocka_unit_test(a_run_after_the_end_is_told_to_be_missing),
    cmocka_unit_test(a_program_that_gets_no_threads_runs_on_with_those_that_it_has),
    cmocka_unit_test(a_thread_that_was_refused_is_asked_for_again),
    cmocka_unit_test(a_run_that_cannot_begin_gives_everything_back),
    cmocka_unit_test(a_safe_point_gives_way_to_who_waits),
    cmocka_unit_test(who_dies_leaves_a_whole_trace),
    cmocka_unit_test(scans_in_a_world_that_the_program_stopped_keep_the_rules),
    cmocka_unit_test(a_thread_of_the_programs_own_may_end_it_and_its_trace_is_whole),
    cmocka_unit_test(sysmon_tells_its_interval_first),
  };
  if (argc > 1)
    return run_as(argv[1], argc, argv);
  return RUN_TRACED("traced", tests);
}
