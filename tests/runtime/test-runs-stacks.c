/* SPDX-License-Identifier: MIT */
/* test-runs-stacks.c - each rt_run has stacks of the size that it asks for, and the next one of that size uses them again. */
#include "program.h"

static void use_up(size_t n)
{
  char frame[2000];
  memset(frame, 0x5a, sizeof frame);
  if (n > 2200)
    use_up(n - 2200);
  __asm__ volatile("" ::"r"(frame) : "memory");
}
static void use_stack(void *n)
{
  use_up((size_t)n);
}
static void use_stack_for_ever(void *n)
{
  use_stack(n);
  rt_select(NULL, 0);
}
static void *use_it_in_the_kernel(void *n)
{
  use_stack(n);
  usleep(20000);
  return n;
}
static void block(void *n)
{
  rt_blocking(use_it_in_the_kernel, n);
}
/* Some end, some are dropped while they wait, and some while they are in the kernel. */
static void use_stacks(void *n)
{
  for (int i = 0; i < 100; i++) {
    rt_go(use_stack, n);
    rt_go(use_stack_for_ever, n);
  }
  for (int i = 0; i < 3; i++)
    rt_go(block, n);
  rt_yield();
  rt_yield();
  use_stack(n);
}
static bool run_with_stacks(size_t size)
{
  return rt_run(use_stacks, (void *)(size - 10000), &(struct rt_options){ .stack_size = size }) ==
         0;
}
static long address_space(void)
{
  char line[200];
  long kib = 0;
  FILE *status = fopen("/proc/self/status", "r");
  while (kib == 0 && fgets(line, sizeof line, status))
    sscanf(line, "VmSize: %ld kB", &kib);
  fclose(status);
  return kib << 10;
}
static int runs_of_other_sizes(void *unused)
{
  (void)unused;
  for (size_t size = 16384; size <= 1 << 21; size *= 2)
    if (!run_with_stacks(size) || !run_with_stacks(65536))
      return 1;
  return 0;
}
static void each_run_s_stacks_are_of_the_size_that_it_asks_for(void **state)
{
  (void)state;
  FOR_PROCS(n)
  assert_child_prints(runs_of_other_sizes, NULL, n, "");
}

static int runs_of_two_sizes_in_turn(void *unused)
{
  (void)unused;
  long before = 0;
  for (int i = 0; i < 60; i++) {
    if (!run_with_stacks(i % 2 ? 1 << 19 : 1 << 18))
      return 1;
    before = i == 19 ? address_space() : before;
  }
  return address_space() - before >
         1l << 30; /* once a slab of 1024 stacks was left behind each time */
}
static void runs_of_two_sizes_in_turn_use_the_same_stacks_again(void **state)
{
  (void)state;
  assert_child_prints(runs_of_two_sizes_in_turn, NULL, 2, "");
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(each_run_s_stacks_are_of_the_size_that_it_asks_for),
    cmocka_unit_test(runs_of_two_sizes_in_turn_use_the_same_stacks_again),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
