/* SPDX-License-Identifier: MIT */
/* test-dump.c - a goroutine dump shows every G, its frames by name, and its pending deferred calls. */
#include "program.h"

#include <regex.h>
#include <signal.h>
#include <sys/mman.h>

static struct rt_chan *chan;

static void clean_up(void *unused)
{
  (void)unused;
}
static __attribute__((noinline)) void wait_for_ever(void)
{
  rt_chan_recv(chan, NULL);
  __asm__ volatile("");
}
static void waiter(void *unused)
{
  (void)unused;
  RT_FRAME(fr, { return; });
  RT_DEFER(fr, clean_up, NULL);
  wait_for_ever();
}

/* In a dump of all Gs that is made now. */
static bool is_told(const char *part)
{
  static char text[65536];
  int fd = memfd_create("dump", MFD_CLOEXEC);
  rt_stack_dump(fd, true);
  ssize_t n = pread(fd, text, sizeof text - 1, 0);
  close(fd);
  text[n > 0 ? n : 0] = '\0';
  return strstr(text, part);
}
static void yield_until_told(const char *part)
{
  while (!is_told(part))
    rt_yield();
}

static __attribute__((noinline)) void start_waiter(void)
{
  chan = rt_chan_new(1, 0);
  rt_go_named("waiter", waiter, NULL);
  yield_until_told(" [chan receive labels:{");
}
PROGRAM(dump_all)
{
  start_waiter();
  rt_stack_dump(1, true);
  return 0;
}
PROGRAM(dump_self)
{
  start_waiter();
  rt_stack_dump(1, false);
  return 0;
}

/* Stopped by signal at its first instruction, and nowhere else: it has no other. The one before it is a neighbour. */
void spin_at_the_start(void *unused);
__asm__(".pushsection rt_preemptible, \"ax\", @progbits\n"
        ".type neighbour, @function\n"
        "neighbour: ret\n"
        ".size neighbour, . - neighbour\n"
        ".type spin_at_the_start, @function\n"
        "spin_at_the_start: jmp spin_at_the_start\n"
        ".size spin_at_the_start, . - spin_at_the_start\n"
        ".popsection\n");

static RT_PREEMPTIBLE void marks_the_section(void)
{
}

PROGRAM(dump_one_stopped_at_its_start)
{
  marks_the_section();
  rt_go(spin_at_the_start, NULL);
  rt_yield(); /* the only P: back when the other was stopped */
  rt_stack_dump(1, true);
  return 0;
}

static void assert_contains(const char *text, const char *part)
{
  if (!strstr(text, part))
    fail_msg("\"%s\" is not in:\n%s", part, text);
}

static void who_was_stopped_at_a_functions_start_is_in_that_function(void **state)
{
  (void)state;
#ifdef RT_LIBC_JUMP
  skip(); /* the thread sanitizer holds signals back */
#endif
  struct outcome o = run_program(dump_one_stopped_at_its_start, 1);
  assert_string_equal(o.err, "");
  assert_contains(o.out, "\nspin_at_the_start(...)\n\ttest-dump:0x");
  assert_null(strstr(o.out, "neighbour"));
  assert_int_equal(o.code, 0);
}

static void all_gs_are_shown_with_frames_and_deferred_calls(void **state)
{
  (void)state;
  FOR_PROCS(n)
  {
    struct outcome o = run_program(dump_all, n);
    assert_int_equal(o.code, 0);
    assert_contains(o.out, "goroutine 1 [running]:\n");
    assert_contains(o.out, "dump_all(...)\n\ttest-dump:0x");
    assert_contains(o.out, " [chan receive labels:{\"name\": \"waiter\"}]:\n");
    assert_contains(o.out, "wait_for_ever(...)\n\ttest-dump:0x");
    assert_contains(o.out, "waiter(...)\n\ttest-dump:0x");
    assert_contains(o.out, "deferred: clean_up(0x0)\n");
    assert_contains(o.out, "created by start_waiter in goroutine 1\n\ttest-dump:0x");
  }
}

static void only_the_caller_is_shown_without_all(void **state)
{
  (void)state;
  struct outcome o = run_program(dump_self, 2);
  assert_contains(o.out, "goroutine 1 [running]:\n");
  assert_null(strstr(o.out, "waiter"));
}

/* ---- a G in a system call, one of a timer, one with a strange name, one deep down ---- */

static int pipe_of[2];

static __attribute__((noinline)) void *read_what_never_comes(void *unused)
{
  char byte;
  return read(pipe_of[0], &byte, 1) < 0 ? NULL : unused;
}
static __attribute__((noinline)) void call_the_kernel(void *unused)
{
  rt_blocking(read_what_never_comes, unused);
  __asm__ volatile("");
}
static __attribute__((noinline)) void enter_and_call(void *unused)
{
  rt_entersyscall();
  read_what_never_comes(unused);
  rt_exitsyscall();
}
static __attribute__((noinline)) void go_deeper(int n)
{
  if (n > 0)
    go_deeper(n - 1);
  else
    rt_chan_recv(chan, NULL);
  __asm__ volatile("");
}
static void recurse(void *unused)
{
  (void)unused;
  go_deeper(150);
  __asm__ volatile("");
}
static void dump_now(void *unused)
{
  (void)unused;
  rt_stack_dump(1, true);
  _exit(0);
}
PROGRAM(dumps_all_kinds)
{
  chan = rt_chan_new(1, 0);
  if (pipe(pipe_of) != 0)
    return 1;
  rt_go(call_the_kernel, NULL);
  rt_go(enter_and_call, NULL);
  rt_go_named("a \"b\"\nc\\", waiter, NULL);
  rt_go_named("deep", recurse, NULL);
  yield_until_told(" [chan receive labels:{\"name\": \"a ");
  yield_until_told(" [chan receive labels:{\"name\": \"deep");
  yield_until_told(" [syscall]:\nrt_blocking(");
  yield_until_told(" [syscall]:\nenter_and_call(");
  rt_after_func(1000000, dump_now, NULL);
  rt_chan_recv(chan, NULL);
  return 0;
}
static void every_kind_of_g_tells_where_it_is_and_who_made_it(void **state)
{
  (void)state;
  struct outcome o = run_program(dumps_all_kinds, 2);
  assert_int_equal(o.code, 0);
  assert_contains(o.out, " [syscall]:\nrt_blocking(...)\n\t");
  assert_contains(o.out, "\ncall_the_kernel(...)\n\ttest-dump:0x");
  assert_contains(o.out, " [syscall]:\nenter_and_call(...)\n\ttest-dump:0x");
  assert_contains(o.out, " [chan receive labels:{\"name\": \"a \\\"b\\\"\\nc\\\\\"}]:\n");
  assert_contains(o.out, "\ndump_now(...)\n\ttest-dump:0x");
  assert_contains(o.out, "\ncreated by rt_after_func\n\t");
}
/* As in Go: the innermost 50 and the outermost 50. Which of the runtime's own are there differs by the build. */
static void of_many_frames_the_middle_is_left_out(void **state)
{
  (void)state;
  struct outcome o = run_program(dumps_all_kinds, 2);
  const char *deep = strstr(o.out, "labels:{\"name\": \"deep\"}]:\n");
  const char *elided = deep ? strstr(deep, " frames elided...\n") : NULL;
  assert_non_null(elided);
  int n = 0;
  for (const char *at = elided; (at = strstr(at + 1, "go_deeper(...)\n"));)
    n++;
  assert_in_range(n, 45, 49);
  assert_contains(elided, "\nrecurse(...)\n");
}

static void panic_in_waiter(void *unused)
{
  (void)unused;
  rt_panic("in another goroutine");
}
PROGRAM(dies_elsewhere)
{
  start_waiter();
  rt_go(panic_in_waiter, NULL);
  rt_chan_recv(NULL, NULL);
  return 0;
}
static void a_panic_dumps_the_g_that_panicked(void **state)
{
  (void)state;
  struct outcome o = run_program(dies_elsewhere, 2);
  assert_int_equal(o.code, 2);
  assert_contains(o.err, "panic: in another goroutine\n\ngoroutine ");
  assert_contains(o.err, "panic_in_waiter(...)\n");
  /* RT_TRACEBACK=single, as Go's default. Which number the G has depends on the P that made it. */
  const char *only = strstr(o.err, "\n\ngoroutine ");
  assert_null(strstr(only + 2, "\ngoroutine "));
}

/* ---- RT_TRACEBACK ---- */

static struct outcome die_at(const char *level, int (*fn)(int, char **))
{
  setenv("RT_TRACEBACK", level, 1);
  struct outcome o = run_program(fn, 2);
  unsetenv("RT_TRACEBACK");
  return o;
}
PROGRAM(panics)
{
  start_waiter();
  rt_panic("told");
}
static void traceback_levels_show_what_gos_do(void **state)
{
  (void)state;
  struct outcome o = die_at("none", panics);
  assert_string_equal(o.err, "panic: told\n");
  assert_int_equal(o.code, 2);
  o = die_at("single", panics);
  assert_contains(o.err, "panic: told\n\ngoroutine 1 [running]:\n");
  assert_contains(o.err, "panics(...)\n");
  assert_null(strstr(o.err, "waiter"));
  o = die_at("all", panics);
  assert_contains(o.err, "panic: told\n\ngoroutine 1 [running]:\n");
  assert_contains(o.err, "panics(...)\n");
  assert_contains(o.err, " [chan receive labels:{\"name\": \"waiter\"}]:\n");
  assert_int_equal(o.code, 2);
  o = die_at("system", panics);
  assert_contains(o.err, "panic: told\n\ngoroutine 1 gp=0x");
  assert_contains(o.err, " mp=0x");
  assert_contains(o.err, " m=nil [chan receive labels:{\"name\": \"waiter\"}]:\n");
  assert_int_equal(o.code, 2);
  o = die_at("crash", panics);
  assert_contains(o.err, " m=nil [chan receive labels:{\"name\": \"waiter\"}]:\n");
  assert_int_equal(o.code, 128 + SIGABRT);
  o = die_at("loud", panics);
  assert_string_equal(o.err,
                      "runtime: RT_TRACEBACK is 'loud'; give none, single, all, system or crash\n");
  assert_int_equal(o.code, 1);
}

PROGRAM(raises_the_level)
{
  start_waiter();
  rt_set_traceback("none"); /* may not lower it */
  rt_set_traceback("all");
  rt_set_traceback("nothing known");
  rt_set_traceback(NULL);
  rt_panic("told");
}
static void a_program_may_only_raise_the_level(void **state)
{
  (void)state;
  struct outcome o = run_program(raises_the_level, 2);
  assert_contains(o.err, "goroutine 1 [running]:\n");
  assert_contains(o.err, " [chan receive labels:{\"name\": \"waiter\"}]:\n");
}

PROGRAM(is_fatal)
{
  static struct rt_mutex mutex;
  start_waiter();
  rt_mutex_unlock(&mutex);
  return 0;
}
static void a_fatal_error_shows_what_the_level_says(void **state)
{
  (void)state;
  struct outcome o = die_at("single", is_fatal);
  assert_contains(o.err, "fatal error: sync: unlock of unlocked mutex\n\ngoroutine 1 [running]:\n");
  assert_null(strstr(o.err, "waiter"));
  assert_int_equal(o.code, 2);
  o = die_at("all", is_fatal);
  assert_contains(o.err, "fatal error: sync: unlock of unlocked mutex\n\ngoroutine 1 [running]:\n");
  assert_contains(o.err, " [chan receive labels:{\"name\": \"waiter\"}]:\n");
  assert_int_equal(o.code, 2);
  o = die_at("none", is_fatal);
  assert_string_equal(o.err, "fatal error: sync: unlock of unlocked mutex\n");
  assert_int_equal(o.code, 2);
}

PROGRAM(waits_for_ever)
{
  start_waiter();
  rt_chan_recv(NULL, NULL);
  return 0;
}
static void a_deadlock_shows_all_gs(void **state)
{
  (void)state;
  struct outcome o = die_at("single", waits_for_ever);
  assert_contains(o.err, "goroutine 1 [chan receive (nil chan)]:\n");
  assert_contains(o.err, " [chan receive labels:{\"name\": \"waiter\"}]:\n");
  assert_int_equal(o.code, 2);
}

/* Go's level is 2 then, whatever GOTRACEBACK says. */
PROGRAM(is_told_to_quit)
{
  start_waiter();
  raise(SIGQUIT);
  return 0;
}
static void a_quit_shows_all_gs_at_every_level(void **state)
{
  (void)state;
  struct outcome o = die_at("none", is_told_to_quit);
  assert_contains(o.err, "SIGQUIT: quit\nPC=");
  assert_contains(o.err, "\ngoroutine 1 gp=0x");
  assert_contains(o.err, " m=nil [chan receive labels:{\"name\": \"waiter\"}]:\n");
  assert_int_equal(o.code, 2);
}

/* ---- RT_DEBUG ---- */

static struct outcome debug_at(const char *debug, int (*fn)(int, char **))
{
  setenv("RT_DEBUG", debug, 1);
  struct outcome o = run_program(fn, 2);
  unsetenv("RT_DEBUG");
  return o;
}
/* Sleeps until two lines were printed meanwhile; of the Gs too, if they are. */
PROGRAM(sleeps)
{
  const char *last = strstr(getenv("RT_DEBUG"), "scheddetail") ? "  G1: status=4(sleep)" : "SCHED ";
  static char text[65536];
  start_waiter();
  do {
    rt_sleep(20000000);
    ssize_t n = pread(2, text, sizeof text - 1, 0);
    text[n > 0 ? n : 0] = '\0';
  } while (text[0] == '\0' || !strstr(text + 1, last));
  return 0;
}
static void assert_matches(const char *text, const char *pattern)
{
  regex_t regex;
  assert_int_equal(regcomp(&regex, pattern, REG_EXTENDED | REG_NEWLINE | REG_NOSUB), 0);
  if (regexec(&regex, text, 0, NULL, 0) != 0)
    fail_msg("no line is like \"%s\" in:\n%s", pattern, text);
  regfree(&regex);
}
#define SUMMARY                                                                                    \
  "^SCHED [0-9]+ms: gomaxprocs=2 idleprocs=[012] threads=[0-9]+ spinningthreads=[0-9]+ "           \
  "needspinning=[01] idlethreads=[0-9]+ runqueue=[0-9]+"
PROGRAM(panics_after_a_sleep)
{
  rt_sleep(1);
  rt_panic("told");
}
/* As in go1.26, which does not clear it when the goroutine runs again. */
static void the_detailed_line_has_what_a_goroutine_waited_for_last(void **state)
{
  (void)state;
  struct outcome o = debug_at("schedtrace=1000000", panics_after_a_sleep);
  assert_matches(o.err, "^  G1: status=2\\(sleep\\) m=[0-9]+ lockedm=nil$");
}

/* As go1.26 does: before a panic's message, behind a fatal error's, in detail, whatever was asked for. */
static void under_schedtrace_last_words_come_with_a_detailed_line(void **state)
{
  (void)state;
  struct outcome o = debug_at("schedtrace=1000000", panics);
  assert_matches(o.err, "^SCHED [0-9]+ms: gomaxprocs=2 idleprocs=[0-9]+ threads=[0-9]+ .* "
                        "gcwaiting=false nmidlelocked=[0-9]+ stopwait=0 sysmonwait=(true|false)$");
  const char *message = strstr(o.err, "\npanic: told\n");
  assert_non_null(message);
  const char *main_g = strstr(o.err, "\n  G1: status=2() m=");
  assert_true(main_g && main_g < message);
  assert_int_equal(o.code, 2);
  o = debug_at("schedtrace=1000000", is_fatal);
  assert_contains(o.err, "fatal error: sync: unlock of unlocked mutex\nSCHED ");
  assert_matches(o.err, "^  G2: status=4\\(chan receive\\) m=nil lockedm=nil$");
  assert_int_equal(o.code, 2);
}

/* Every pattern here was held against GODEBUG=schedtrace of go1.26. */
static void schedtrace_is_gos_line(void **state)
{
  (void)state;
  struct outcome o = debug_at("schedtrace=5", sleeps);
  assert_matches(o.err, SUMMARY " \\[ [0-9]+ [0-9]+ \\] schedticks=\\[ [0-9]+ [0-9]+ \\]$");
  assert_matches(o.err, "^SCHED 0ms: ");
  const char *second = strstr(o.err + 1, "SCHED ");
  assert_non_null(second); /* also while nothing happens */
  o = debug_at("schedtrace=5,scheddetail=1", sleeps);
  assert_matches(o.err, SUMMARY
                 " gcwaiting=false nmidlelocked=-?[0-9]+ stopwait=[0-9]+ sysmonwait=false$");
  assert_matches(
      o.err,
      "^  P1: status=[0-9] schedtick=[0-9]+ syscalltick=[0-9]+ m=([0-9]+|nil) runqsize=[0-9]+ "
      "gfreecnt=[0-9]+ timerslen=[0-9]+$");
  assert_matches(
      o.err,
      "^  M0: p=([0-9]+|nil) curg=([0-9]+|nil) mallocing=0 throwing=0 preemptoff= locks=[0-9]+ "
      "dying=0 spinning=(true|false) blocked=(true|false) lockedg=([0-9]+|nil)$");
  assert_matches(o.err, "^  G[0-9]+: status=4\\(chan receive\\) m=nil lockedm=nil$");
  assert_matches(o.err, "^  G1: status=4\\(sleep\\) m=nil lockedm=nil$");
}

static void unknown_words_in_the_environment_are_told(void **state)
{
  (void)state;
  struct outcome o = debug_at("schedtraec=5", sleeps);
  assert_contains(o.err, "runtime: RT_DEBUG: there is no key 'schedtraec'; there are schedtrace, ");
  assert_int_equal(o.code, 1);
  o = debug_at("schedtrace=often", sleeps);
  assert_contains(o.err, "runtime: RT_DEBUG: 'schedtrace=often' is not a number; ");
  assert_int_equal(o.code, 1);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(who_was_stopped_at_a_functions_start_is_in_that_function),
    cmocka_unit_test(all_gs_are_shown_with_frames_and_deferred_calls),
    cmocka_unit_test(only_the_caller_is_shown_without_all),
    cmocka_unit_test(every_kind_of_g_tells_where_it_is_and_who_made_it),
    cmocka_unit_test(of_many_frames_the_middle_is_left_out),
    cmocka_unit_test(a_panic_dumps_the_g_that_panicked),
    cmocka_unit_test(traceback_levels_show_what_gos_do),
    cmocka_unit_test(a_program_may_only_raise_the_level),
    cmocka_unit_test(a_fatal_error_shows_what_the_level_says),
    cmocka_unit_test(a_deadlock_shows_all_gs),
    cmocka_unit_test(a_quit_shows_all_gs_at_every_level),
    cmocka_unit_test(schedtrace_is_gos_line),
    cmocka_unit_test(the_detailed_line_has_what_a_goroutine_waited_for_last),
    cmocka_unit_test(under_schedtrace_last_words_come_with_a_detailed_line),
    cmocka_unit_test(unknown_words_in_the_environment_are_told),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
