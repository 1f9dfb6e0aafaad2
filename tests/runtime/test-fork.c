/* SPDX-License-Identifier: MIT */
/* test-fork.c - programs that fork, from Gs and from other threads, while everything else goes on.
 *
 * The test is its own program: called with a name, it is the program of that name, so that it can be recorded
 * by the built gmpscope too. What a child says and how it ends is told by its parent on stdout.
 */
#include "run-cli.h"
#include "test.h"

#include "rt.h"

#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define N(array) (sizeof(array) / sizeof *(array))
#define FORKS    100
#define SENTENCE                                                                                   \
  "fatal error: the runtime was called in a child of fork(); there it may only exec or _exit\n"
#define PANIC        "panic: in the child\n"
#define FAILED(what) (fprintf(stderr, "line %d: %s\n", __LINE__, (what)), exit(1))

extern char **environ;
static struct rt_waitgroup wg;
static struct rt_chan *chan;
static struct rt_mutex mutex;
static struct rt_timer *timer;
static _Atomic bool over;

/* ---- what a child may try ---- */

static void nothing(void *unused)
{
  (void)unused;
}
static void do_go(void)
{
  rt_go(nothing, NULL);
}
static void do_sleep(void)
{
  rt_sleep(1000);
}
static void do_yield(void)
{
  rt_yield();
}
static void do_send(void)
{
  rt_chan_send(chan, &(int){ 1 });
}
static void do_select(void)
{
  struct rt_case c = { .chan = chan, .dir = RT_RECV };
  rt_select(&c, 1);
}
static void do_lock(void)
{
  rt_mutex_lock(&mutex); /* which the parent holds */
}
static void do_timer(void)
{
  rt_timer_reset(timer, 1000000);
}
static void do_dump(void)
{
  rt_stack_dump(2, true);
}
static void do_stop(void)
{
  rt_stop_the_world("test");
}
static void do_call(void)
{
  rt_entersyscall();
}
static void do_read(void)
{
  char byte;
  rt_read(0, &byte, 1, 0);
}
static void do_goexit(void)
{
  rt_goexit();
}
static void do_panic(void)
{
  rt_panic("in the child");
}
static void do_run(void)
{
  rt_run(nothing, NULL, NULL);
}
static void do_lock_thread(void)
{
  rt_lock_os_thread();
}
static void (*const calls[])(void) = { do_go,   do_sleep,  do_yield, do_send, do_select,
                                       do_lock, do_timer,  do_dump,  do_stop, do_call,
                                       do_read, do_goexit, do_panic, do_run,  do_lock_thread };

/* Forks; the child does the call, and must say the sentence (a panic its message before) and end with 2, soon. */
static void fork_and_call(void (*call)(void))
{
  int said[2];
  char text[512];
  if (pipe(said) != 0)
    FAILED("pipe");
  pid_t child = fork();
  if (child == 0) {
    alarm(20);
    dup2(said[1], 2);
    call();
    _exit(99);
  }
  close(said[1]);
  size_t n = 0;
  for (ssize_t got; (got = read(said[0], text + n, sizeof text - 1 - n)) > 0;)
    n += (size_t)got;
  text[n] = '\0';
  close(said[0]);
  int status = 0;
  waitpid(child, &status, 0);
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 2)
    FAILED("the child ended otherwise");
  const char *sentence = call == do_panic && n > strlen(PANIC) ? text + strlen(PANIC) : text;
  if (strcmp(sentence, SENTENCE) != 0)
    FAILED(text);
}

/* ---- what goes on meanwhile ---- */

static void churn(void *unused)
{
  (void)unused;
  while (!atomic_load(&over)) {
    int value = 0;
    void *memory = malloc(100);
    rt_chan_try_send(chan, &value);
    rt_chan_try_recv(chan, &value, NULL);
    rt_sleep(1000);
    rt_timer_free(rt_after_func(1000, nothing, NULL));
    free(memory);
    rt_yield();
  }
  rt_waitgroup_done(&wg);
}

static void begin(void)
{
  chan = rt_chan_new(sizeof(int), 1);
  timer = rt_after_func(60000000000, nothing, NULL);
  rt_mutex_lock(&mutex);
  rt_waitgroup_add(&wg, 10);
  for (int i = 0; i < 10; i++)
    rt_go(churn, NULL);
}

static void end(void)
{
  atomic_store(&over, true);
  rt_waitgroup_wait(&wg);
  rt_timer_free(timer);
  puts("whole");
}

/* ---- programs ---- */

static int calls_in_children(int argc, char **argv)
{
  (void)argc, (void)argv;
  begin();
  for (size_t i = 0; i < FORKS; i++) {
    fork_and_call(calls[i % N(calls)]);
    rt_yield();
  }
  end();
  return 0;
}

static int returns_in_the_child(int argc, char **argv)
{
  (void)argc, (void)argv;
  begin();
  int status;
  pid_t child = fork();
  if (child == 0)
    return 7; /* out of the main G: the scheduler would end the run */
  waitpid(child, &status, 0);
  printf("%d ", WEXITSTATUS(status));
  end();
  return 0;
}

static void *fork_from_outside(void *unused)
{
  for (size_t i = 0; i < FORKS; i++)
    fork_and_call(calls[i % N(calls)]);
  return unused;
}

static void *join(void *thread)
{
  pthread_join(*(pthread_t *)thread, NULL);
  return NULL;
}

static int foreign_thread_forks(int argc, char **argv)
{
  (void)argc, (void)argv;
  pthread_t thread;
  begin();
  pthread_create(&thread, NULL, fork_from_outside, NULL);
  rt_blocking(join, &thread);
  end();
  return 0;
}

static void fork_and_exec(void)
{
  int status = 0;
  pid_t child = fork();
  if (child == 0) {
    execl("/bin/sh", "sh", "-c", "exit 5", (char *)NULL);
    _exit(99);
  }
  if (waitpid(child, &status, 0) != child || WEXITSTATUS(status) != 5)
    FAILED("fork and exec");
}

static void *start_others(void *unused)
{
  char *argv[] = { (char[]){ "sh" }, (char[]){ "-c" }, (char[]){ "exit 4" }, NULL }, word[8] = "";
  int status = 0;
  pid_t child;
  if (WEXITSTATUS(system("exit 3")) != 3)
    FAILED("system");
  FILE *p = popen("echo hi", "r");
  if (!p || !fgets(word, sizeof word, p) || strcmp(word, "hi\n") != 0 || pclose(p) != 0)
    FAILED("popen");
  if (posix_spawn(&child, "/bin/sh", NULL, NULL, argv, environ) != 0 ||
      waitpid(child, &status, 0) != child || WEXITSTATUS(status) != 4)
    FAILED("posix_spawn");
  fork_and_exec();
  return unused;
}

static void start_some(void *unused)
{
  (void)unused;
  for (int i = 0; i < 5; i++)
    rt_blocking(start_others, NULL);
  fork_and_exec();
  rt_waitgroup_done(&wg);
}

static int starts_programs(int argc, char **argv)
{
  (void)argc, (void)argv;
  begin();
  rt_waitgroup_add(&wg, 4);
  for (int i = 0; i < 4; i++)
    rt_go(start_some, NULL);
  rt_sleep(1000000);
  end();
  return 0;
}

static int quits_in_the_child(int argc, char **argv)
{
  (void)argc, (void)argv;
  int status;
  pid_t child = fork();
  if (child == 0) {
    raise(SIGQUIT);
    _exit(99);
  }
  waitpid(child, &status, 0);
  printf("%d whole\n", WIFSIGNALED(status) && WTERMSIG(status) == SIGQUIT);
  return 0;
}

static void yield_often(void *unused)
{
  (void)unused;
  for (int i = 0; i < 200; i++)
    rt_yield();
  rt_waitgroup_done(&wg);
}
static void run_some_gs(void *unused)
{
  rt_waitgroup_add(&wg, 8);
  for (int i = 0; i < 8; i++)
    rt_go(yield_often, unused);
  rt_waitgroup_wait(&wg);
}
static int run_three_times(void)
{
  int failed = 0;
  for (int i = 0; i < 3; i++)
    failed += rt_run(run_some_gs, NULL, NULL) != 0;
  return failed;
}
/* No run is on when it forks, so all of them may run, at once. */
static int runs_in_every_process(void)
{
  pid_t children[3];
  int failed = 0, status;
  for (int i = 0; i < 3; i++)
    if ((children[i] = fork()) == 0)
      _exit(run_three_times());
  failed += run_three_times();
  for (int i = 0; i < 3; i++)
    failed += waitpid(children[i], &status, 0) != children[i] || status != 0;
  printf("%d whole\n", failed);
  return failed;
}

static const struct program {
  const char *name;
  int (*fn)(int, char **);
  const char *out;
} programs[] = {
  { "calls_in_children", calls_in_children, "whole\n" },
  { "returns_in_the_child", returns_in_the_child, "2 whole\n" },
  { "foreign_thread_forks", foreign_thread_forks, "whole\n" },
  { "starts_programs", starts_programs, "whole\n" },
  { "quits_in_the_child", quits_in_the_child, "1 whole\n" },
};

/* ---- tests ---- */

static void run_plain(const char *name)
{
  char *argv[] = { (char[]){ "/proc/self/exe" }, strdup(name), NULL };
  char *self = realpath("/proc/self/exe", NULL);
  argv[0] = self;
  for (size_t i = 0; i < N(programs); i++) {
    if (strcmp(programs[i].name, name) != 0)
      continue;
    struct run r = run_argv(argv, NULL, false);
    if (strcmp(name, "returns_in_the_child") != 0)
      assert_string_equal(r.err, "");
    assert_string_equal(r.out, programs[i].out);
    assert_int_equal(r.code, 0);
    run_free(&r);
  }
  free(self);
  free(argv[1]);
}

static void run_recorded(const char *name)
{
  char *self = realpath("/proc/self/exe", NULL);
  run_enter_new_directory();
  struct run r = run_cli("record", "-o", "fork.db", "--on-full=block", "--tables=none", "--", self,
                         name, NULL);
  assert_int_equal(r.code, 0);
  assert_non_null(strstr(r.out, "whole\n"));
  run_free(&r);
  r = run_cli("check", "fork.db", NULL);
  if (r.code != 0)
    fail_msg("%s%s", r.out, r.err);
  run_free(&r);
  run_leave();
  free(self);
}

static void a_call_in_a_child_says_so_and_does_not_hang(void **state)
{
  (void)state;
  run_plain("calls_in_children");
}
static void a_childs_main_that_returns_says_so(void **state)
{
  (void)state;
  run_plain("returns_in_the_child");
}
static void a_thread_without_a_g_may_fork_too(void **state)
{
  (void)state;
  run_plain("foreign_thread_forks");
}
static void programs_start_by_fork_exec_spawn_system_and_popen(void **state)
{
  (void)state;
  run_plain("starts_programs");
}
static void a_childs_signals_are_the_programs_own(void **state)
{
  (void)state;
  run_plain("quits_in_the_child");
}
static void children_leave_no_mark_in_the_parents_trace(void **state)
{
  (void)state;
  run_recorded("calls_in_children");
  run_recorded("starts_programs");
  run_recorded("foreign_thread_forks");
}

static void of_several_processes_one_is_recorded_and_that_is_told(void **state)
{
  (void)state;
#ifdef RT_LIBC_JUMP
  skip(); /* the thread sanitizer takes no new threads after a fork */
#endif
  char *self = realpath("/proc/self/exe", NULL);
  run_enter_new_directory();
  struct run r = run_cli("record", "-o", "fork.db", "--", self, "runs_in_every_process", NULL);
  assert_string_equal(r.out, "0 whole\n");
  assert_int_equal(r.code, 0);
  assert_non_null(strstr(
      r.err, " ran the scheduler in 4 processes; only the first that did is in the trace\n"));
  run_free(&r);
  r = run_cli("check", "fork.db", NULL);
  if (r.code != 0)
    fail_msg("%s%s", r.out, r.err);
  run_free(&r);
  r = run_cli("info", "fork.db", NULL);
  assert_non_null(strstr(r.out, "untraced_processes"));
  run_free(&r);
  run_leave();
  free(self);
}

static void do_nothing_but_fork(void *unused)
{
  (void)unused;
}
/* Nothing runs here, so the child is a program like any other. */
static void a_child_of_a_process_without_a_run_may_run(void **state)
{
  int status;
  (void)state;
#ifdef RT_LIBC_JUMP
  skip(); /* the thread sanitizer takes no new threads after a fork */
#endif
  assert_int_equal(rt_run(do_nothing_but_fork, NULL, NULL), 0);
  pid_t child = fork();
  if (child == 0)
    _exit(rt_run(nothing, NULL, NULL) == 0 ? 0 : 1);
  waitpid(child, &status, 0);
  assert_int_equal(status, 0);
}

int main(int argc, char **argv)
{
  if (argc == 2 && strcmp(argv[1], "runs_in_every_process") == 0)
    return runs_in_every_process();
  for (size_t i = 0; argc == 2 && i < N(programs); i++)
    if (strcmp(programs[i].name, argv[1]) == 0)
      return rt_main(argc, argv, programs[i].fn);
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_call_in_a_child_says_so_and_does_not_hang),
    cmocka_unit_test(a_childs_main_that_returns_says_so),
    cmocka_unit_test(a_thread_without_a_g_may_fork_too),
    cmocka_unit_test(programs_start_by_fork_exec_spawn_system_and_popen),
    cmocka_unit_test(a_childs_signals_are_the_programs_own),
    cmocka_unit_test(children_leave_no_mark_in_the_parents_trace),
    cmocka_unit_test(of_several_processes_one_is_recorded_and_that_is_told),
    cmocka_unit_test(a_child_of_a_process_without_a_run_may_run),
  };
  return cmocka_run_group_tests_name("fork", tests, NULL, NULL);
}
