/* SPDX-License-Identifier: MIT */
/* test-stack.c - what guards the end of a stack, where the kernel allows no more guard pages.
 *
 * With guard pages an overflow is a fault, which test-sched looks at. Without, it is the canary's business.
 */
#include "program.h"
#include "runtime.h"

#define MANY 200

static struct rt_waitgroup all_done;

/* As a local array would that is too large by one word. */
static void write_over_the_end(void *unused)
{
  (void)unused;
  *(volatile uint64_t *)getg()->stack.lo = 0;
}

static __attribute__((noinline)) int sum_deeply(int depth)
{
  volatile char frame[64] = { 1 };
  return depth == 0 ? frame[0] : frame[0] + sum_deeply(depth - 1);
}

static void stay_inside(void *unused)
{
  (void)unused;
  if (sum_deeply(20) != 21)
    abort();
  rt_yield();
  rt_waitgroup_done(&all_done);
}

static void start_many(void)
{
  rt_waitgroup_add(&all_done, MANY);
  for (int i = 0; i < MANY; i++)
    rt_go(stay_inside, NULL);
  rt_waitgroup_wait(&all_done);
}

PROGRAM(overflows)
{
  stack_guard_by_canary();
  rt_go(write_over_the_end, NULL);
  while (rt_num_goroutine() > 1)
    rt_yield();
  puts("not reached");
  return 0;
}

PROGRAM(stays_inside)
{
  start_many(); /* stacks with pages and stacks with canaries live side by side */
  stack_guard_by_canary();
  start_many();
  start_many();
  puts("done");
  return 0;
}

static void a_canary_tells_of_an_overflow_when_the_stack_is_freed(void **state)
{
  (void)state;
  struct outcome o = run_program(overflows, 1);
  static const char line[] = "fatal error: stack overflow: a goroutine that ended had written over "
                             "the end of its stack (ask for more by rt_options.stack_size)\n";
  assert_string_equal(o.out, "");
  o.err[strlen(line)] = '\0';
  assert_string_equal(o.err, line);
  assert_int_equal(o.code, 2);
}

static void canaries_say_nothing_of_gs_that_stay_inside(void **state)
{
  (void)state;
  FOR_PROCS(n)
  assert_prints(stays_inside, n, "done\n");
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_canary_tells_of_an_overflow_when_the_stack_is_freed),
    cmocka_unit_test(canaries_say_nothing_of_gs_that_stay_inside),
  };
  return cmocka_run_group_tests_name("stack", tests, NULL, NULL);
}
