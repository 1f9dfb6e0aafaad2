/* SPDX-License-Identifier: MIT */
/* test-panic.c - panic, recover and Goexit do what Go's do; the expected texts were printed by Go 1.26. */
#include "program.h"

static void say(void *what)
{
  printf("%s ", (const char *)what);
}
static void recover_say(void *unused)
{
  (void)unused;
  struct rt_value v;
  if (rt_recover(&v))
    printf("recovered:%s ", v.s);
  else
    printf("nothing ");
}
static void panic_with(void *message)
{
  rt_panic(message);
}

static int recovering(void)
{
  volatile int result = 1;
  RT_FRAME(fr, { return result; });
  RT_DEFER(fr, say, "first");
  RT_DEFER(fr, recover_say, NULL);
  RT_DEFER(fr, say, "last");
  result = 2;
  rt_panic("boom");
}
PROGRAM(recovers)
{
  printf("returned:%d ", recovering());
  recover_say(NULL);
  return 0;
}
static void a_recovered_panic_runs_the_rest_and_returns(void **state)
{
  (void)state;
  FOR_PROCS(n)
  assert_prints(recovers, n, "last recovered:boom first returned:2 nothing ");
}

static __attribute__((noinline)) int deep(int n)
{
  if (n < 0)
    return 0;
  if (n == 0)
    rt_panic("deep");
  volatile int below = deep(n - 1); /* no tail call */
  return below + 1;
}
static void middle(void)
{
  RT_FRAME(fr, { return; });
  RT_DEFER(fr, say, "middle");
  deep(50);
}
static void outer(void)
{
  RT_FRAME(fr, { return; });
  RT_DEFER(fr, recover_say, NULL);
  middle();
  say("not reached");
}
PROGRAM(through_frames)
{
  outer();
  say("after");
  return 0;
}
static void a_panic_runs_the_deferred_calls_of_the_frames_between(void **state)
{
  (void)state;
  assert_prints(through_frames, 1, "middle recovered:deep after ");
}

static __attribute__((noinline)) bool try_recover(void)
{
  return rt_recover(NULL);
}
static void recover_in_helper(void *unused)
{
  (void)unused;
  volatile bool recovered = try_recover();
  printf("%s ", recovered ? "wrong" : "not-direct");
}
static void deferred_in_deferred(void *unused)
{
  (void)unused;
  RT_FRAME(fr, { return; });
  RT_DEFER(fr, recover_say, NULL); /* run because of a return, not by the panic */
}
static void indirect(void)
{
  RT_FRAME(fr, { return; });
  RT_DEFER(fr, recover_say, NULL);
  RT_DEFER(fr, recover_in_helper, NULL);
  RT_DEFER(fr, deferred_in_deferred, NULL);
  rt_panic("boom");
}
PROGRAM(only_direct)
{
  indirect();
  return 0;
}
static void recover_counts_only_in_the_deferred_function_itself(void **state)
{
  (void)state;
  assert_prints(only_direct, 1, "nothing not-direct recovered:boom ");
}

/* What optimising makes of `static void f(void *arg) { recover_helper(arg); }`: a jump, which leaves nothing of f on
 * the stack. And a deferred function whose cold part, which compilers put elsewhere, recovers. */
void recover_helper(void *unused);
void jumps_to_helper(void *arg);
void recovers_in_its_cold_part(void *arg);
__asm__(
    ".text\n"
    ".type jumps_to_helper, @function\n"
    "jumps_to_helper: .cfi_startproc\n jmp recover_helper\n .cfi_endproc\n"
    ".size jumps_to_helper, . - jumps_to_helper\n"
    ".type recovers_in_its_cold_part, @function\n"
    "recovers_in_its_cold_part: .cfi_startproc\n push %rbp\n .cfi_def_cfa_offset 16\n"
    " .cfi_offset rbp, -16\n mov %rsp, %rbp\n .cfi_def_cfa_register rbp\n jmp 1f\n .cfi_endproc\n"
    ".size recovers_in_its_cold_part, . - recovers_in_its_cold_part\n"
    "1: .cfi_startproc\n .cfi_def_cfa rbp, 16\n .cfi_offset rbp, -16\n mov %rbp, %rdi\n"
    " xor %esi, %esi\n call rt_recover_in\n pop %rbp\n .cfi_def_cfa rsp, 8\n ret\n .cfi_endproc\n");
__attribute__((used, noinline)) void recover_helper(void *unused)
{
  (void)unused;
  bool recovered = rt_recover(NULL);
  printf("%s ", recovered ? "direct" : "not-direct");
}
static void jumping(void)
{
  RT_FRAME(fr, { return; });
  RT_DEFER(fr, recover_say, NULL);
  RT_DEFER(fr, recovers_in_its_cold_part, NULL);
  RT_DEFER(fr, jumps_to_helper, NULL);
  rt_panic("boom");
}
static void helper_deferred_itself(void)
{
  RT_FRAME(fr, { return; });
  RT_DEFER(fr, jumps_to_helper, NULL);
  RT_DEFER(fr, recover_helper, NULL);
  rt_panic("boom");
}
PROGRAM(a_jump)
{
  jumping();
  helper_deferred_itself();
  jumping();
  return 0;
}
static void a_function_that_the_deferred_one_jumps_to_does_not_recover(void **state)
{
  (void)state;
  assert_prints(a_jump, 1, "not-direct nothing direct not-direct not-direct nothing ");
}

static void recover_twice(void *unused)
{
  (void)unused;
  printf("%d", rt_recover(NULL));
  printf("%d ", rt_recover(NULL));
}
static void twice(void)
{
  RT_FRAME(fr, { return; });
  RT_DEFER(fr, recover_twice, NULL);
  rt_panic("boom");
}
PROGRAM(second_recover)
{
  twice();
  return 0;
}
static void a_second_recover_finds_nothing(void **state)
{
  (void)state;
  assert_prints(second_recover, 1, "10 ");
}

static void inner_panic_recovered_inside(void *unused)
{
  (void)unused;
  RT_FRAME(fr, { return; });
  RT_DEFER(fr, recover_say, NULL);
  rt_panic("second");
}
static void both_recovered(void)
{
  RT_FRAME(fr, { return; });
  RT_DEFER(fr, recover_say, NULL);
  RT_DEFER(fr, inner_panic_recovered_inside, NULL);
  rt_panic("first");
}
static void superseded(void)
{
  RT_FRAME(fr, { return; });
  RT_DEFER(fr, say, "rest");
  RT_DEFER(fr, recover_say, NULL);
  RT_DEFER(fr, panic_with, "second");
  rt_panic("first");
}
PROGRAM(nested)
{
  both_recovered();
  superseded();
  recover_say(NULL);
  return 0;
}
static void a_nested_panic_is_recovered_inside_or_supersedes(void **state)
{
  (void)state;
  assert_prints(nested, 1, "recovered:second recovered:first recovered:second rest nothing ");
}

PROGRAM(plain)
{
  rt_panic("boom\nsecond line");
}
PROGRAM(nested_fatal)
{
  RT_FRAME(fr, { return 0; });
  RT_DEFER(fr, panic_with, "second");
  rt_panic("first");
}
static void recover_then_panic(void *unused)
{
  (void)unused;
  rt_recover(NULL);
  rt_panic("second");
}
PROGRAM(recovered_then_fatal)
{
  RT_FRAME(fr, { return 0; });
  RT_DEFER(fr, recover_then_panic, NULL);
  rt_panic("first");
}
static void panic_again(void *unused)
{
  (void)unused;
  struct rt_value v;
  if (rt_recover(&v))
    rt_panic_value(v);
}
PROGRAM(repanicked)
{
  RT_FRAME(fr, { return 0; });
  RT_DEFER(fr, panic_again, NULL);
  rt_panic("first");
}
static void goexit_deferred(void *unused)
{
  (void)unused;
  rt_goexit();
}
PROGRAM(printed_chain)
{
  RT_FRAME(fr, { return 0; });
  RT_DEFER(fr, panic_with, "third");
  RT_DEFER(fr, recover_then_panic, NULL);
  rt_panic("first");
}
static void an_unrecovered_panic_prints_what_go_prints(void **state)
{
  (void)state;
  assert_dies(plain, "", "panic: boom\n\tsecond line\n\ngoroutine 1 [running]:\n");
  assert_dies(nested_fatal, "", "panic: first\n\tpanic: second\n\ngoroutine 1 [running]:\n");
  assert_dies(recovered_then_fatal, "",
              "panic: first [recovered]\n\tpanic: second\n\ngoroutine 1 [running]:\n");
  assert_dies(repanicked, "", "panic: first [recovered, repanicked]\n\ngoroutine 1 [running]:\n");
  assert_dies(
      printed_chain, "",
      "panic: first [recovered]\n\tpanic: second\n\tpanic: third\n\ngoroutine 1 [running]:\n");
}

static struct rt_value the_value;
PROGRAM(panics_with_the_value)
{
  rt_panic_value(the_value);
}
static void values_are_printed_as_go_prints_them(void **state)
{
  (void)state;
  const struct {
    struct rt_value value;
    const char *line;
  } cases[] = {
    { { .type = "int", .i = -5 }, "panic: -5\n" },
    { { .type = "uint64", .u = UINT64_MAX }, "panic: 18446744073709551615\n" },
    { { .type = "bool", .b = true }, "panic: true\n" },
    { { .type = "float64", .f = 1.5 }, "panic: 1.5\n" },
    { { .type = "float64", .f = -1e-200 }, "panic: -1e-200\n" },
    { { .type = "float64", .f = 1.0 / 3 }, "panic: 0.3333333333333333\n" },
    { { .type = "float64", .f = 123456789 }, "panic: 1.23456789e+08\n" },
    { { .type = "float64", .f = 3 }, "panic: 3\n" },
    { { .type = "error", .s = "no such file" }, "panic: no such file\n" },
    { { .type = "main.Code", .kind = RT_KIND_INT, .i = 7 }, "panic: main.Code(7)\n" },
    { { .type = "main.Text", .kind = RT_KIND_STRING, .s = "a\nb" },
      "panic: main.Text(\"a\n\tb\")\n" },
    { { .type = "*main.T", .p = (void *)0xc000012120 }, "panic: (*main.T) 0xc000012120\n" },
    { { .type = NULL }, "panic: panic called with nil argument\n" },
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    the_value = cases[i].value;
    assert_dies(panics_with_the_value, "", cases[i].line);
  }
}

static struct rt_waitgroup wg;
static void done(void *unused)
{
  (void)unused;
  rt_waitgroup_done(&wg);
}
static void recover_during_goexit(void *unused)
{
  (void)unused;
  RT_FRAME(fr, { return; });
  RT_DEFER(fr, done, NULL);
  RT_DEFER(fr, recover_say, NULL);
  rt_goexit();
}
static void panic_during_goexit_inner(void)
{
  RT_FRAME(fr, {
    say("returned");
    return;
  });
  RT_DEFER(fr, say, "rest");
  RT_DEFER(fr, recover_say, NULL);
  RT_DEFER(fr, panic_with, "in Goexit");
  rt_goexit();
}
static void panic_during_goexit(void *unused)
{
  (void)unused;
  RT_FRAME(fr, { return; });
  RT_DEFER(fr, done, NULL);
  panic_during_goexit_inner();
  say("not reached");
}
static void goexit_during_panic(void *unused)
{
  (void)unused;
  RT_FRAME(fr, { return; });
  RT_DEFER(fr, done, NULL);
  RT_DEFER(fr, recover_say, NULL);
  RT_DEFER(fr, goexit_deferred, NULL);
  rt_panic("dropped");
}
PROGRAM(goexits)
{
  void (*fns[])(void *) = { recover_during_goexit, panic_during_goexit, goexit_during_panic };
  for (int i = 0; i < 3; i++) {
    rt_waitgroup_add(&wg, 1);
    rt_go(fns[i], NULL);
    rt_waitgroup_wait(&wg);
    printf("| ");
  }
  return 0;
}
static void goexit_cannot_be_recovered_and_goes_on_after_a_panic(void **state)
{
  (void)state;
  FOR_PROCS(n)
  assert_prints(goexits, n, "nothing | recovered:in Goexit rest | nothing | ");
}

static void sleep_and_recover(void *unused)
{
  rt_sleep(500000);
  rt_yield();
  (void)unused;
  struct rt_value v;
  if (!rt_recover(&v))
    puts("lost the panic");
  rt_sleep(500000);
}
static void panicking(void *unused)
{
  (void)unused;
  RT_FRAME(fr, { return; });
  RT_DEFER(fr, done, NULL);
  RT_DEFER_LOOP(fr, sleep_and_recover, NULL);
  deep(10);
}
PROGRAM(parks_while_panicking)
{
  rt_waitgroup_add(&wg, 50);
  for (int i = 0; i < 50; i++)
    rt_go(panicking, NULL);
  rt_waitgroup_wait(&wg);
  puts("all");
  return 0;
}
static void a_panicking_g_may_park_and_move_between_threads(void **state)
{
  (void)state;
  FOR_PROCS(n)
  assert_prints(parks_while_panicking, n, "all\n");
}

static void recover_quietly(void *unused)
{
  (void)unused;
  rt_recover(NULL);
}
static void many_times(void)
{
  RT_FRAME(fr, { return; });
  RT_DEFER(fr, recover_quietly, NULL);
  rt_panic("again");
}
PROGRAM(repeats)
{
  for (int i = 0; i < 100000; i++)
    many_times();
  puts("done");
  return 0;
}
static void panics_leave_nothing_behind_on_the_stack(void **state)
{
  (void)state;
  assert_prints(repeats, 1, "done\n");
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_recovered_panic_runs_the_rest_and_returns),
    cmocka_unit_test(a_panic_runs_the_deferred_calls_of_the_frames_between),
    cmocka_unit_test(recover_counts_only_in_the_deferred_function_itself),
    cmocka_unit_test(a_function_that_the_deferred_one_jumps_to_does_not_recover),
    cmocka_unit_test(a_second_recover_finds_nothing),
    cmocka_unit_test(a_nested_panic_is_recovered_inside_or_supersedes),
    cmocka_unit_test(an_unrecovered_panic_prints_what_go_prints),
    cmocka_unit_test(values_are_printed_as_go_prints_them),
    cmocka_unit_test(goexit_cannot_be_recovered_and_goes_on_after_a_panic),
    cmocka_unit_test(a_panicking_g_may_park_and_move_between_threads),
    cmocka_unit_test(panics_leave_nothing_behind_on_the_stack),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
