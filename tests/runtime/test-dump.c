/* SPDX-License-Identifier: MIT */
/* test-dump.c - a goroutine dump shows every G, its frames by name, and its pending deferred calls. */
#include "program.h"

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

static bool waiter_is_parked(void)
{
  static char text[16384];
  int fd = memfd_create("dump", MFD_CLOEXEC);
  rt_stack_dump(fd, true);
  ssize_t n = pread(fd, text, sizeof text - 1, 0);
  close(fd);
  text[n > 0 ? n : 0] = '\0';
  return strstr(text, " [chan receive]");
}

static void start_waiter(void)
{
  chan = rt_chan_new(1, 0);
  rt_go_named("waiter", waiter, NULL);
  while (!waiter_is_parked())
    rt_yield();
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

static void assert_contains(const char *text, const char *part)
{
  if (!strstr(text, part))
    fail_msg("\"%s\" is not in:\n%s", part, text);
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
    assert_contains(o.out, " [chan receive] {name: waiter}:\n");
    assert_contains(o.out, "wait_for_ever(...)\n\ttest-dump:0x");
    assert_contains(o.out, "waiter(...)\n\ttest-dump:0x");
    assert_contains(o.out, "deferred: clean_up(0x0)\n");
    assert_contains(o.out, "created by goroutine 1\n");
  }
}

static void only_the_caller_is_shown_without_all(void **state)
{
  (void)state;
  struct outcome o = run_program(dump_self, 2);
  assert_contains(o.out, "goroutine 1 [running]:\n");
  assert_null(strstr(o.out, "waiter"));
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

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(all_gs_are_shown_with_frames_and_deferred_calls),
    cmocka_unit_test(only_the_caller_is_shown_without_all),
    cmocka_unit_test(a_panic_dumps_the_g_that_panicked),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
