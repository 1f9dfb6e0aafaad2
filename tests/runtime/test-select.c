/* SPDX-License-Identifier: MIT */
/* test-select.c - select waits for one of several channels, fairly, and leaves no trace on the others. */
#include "program.h"

static struct rt_chan *a, *b;

PROGRAM(nothing_ready)
{
  a = rt_chan_new(sizeof(int), 1);
  int v = 3;
  struct rt_case cases[] = { { a, RT_RECV, &v, false }, { NULL, RT_SEND, &v, false } };
  printf("%d ", rt_select_default(cases, 2));
  printf("%d ", rt_select_default(NULL, 0));
  rt_chan_send(a, &v);
  v = 0;
  printf("%d ", rt_select_default(cases, 2));
  printf("%d %d\n", v, cases[0].open);
  return 0;
}
static void default_runs_when_no_case_is_ready(void **state)
{
  (void)state;
  assert_prints(nothing_ready, 1, "-1 -1 0 3 1\n");
}

PROGRAM(fair)
{
  a = rt_chan_new(1, 1000);
  b = rt_chan_new(1, 1000);
  for (int i = 0; i < 1000; i++) {
    rt_chan_send(a, &(char){ 0 });
    rt_chan_send(b, &(char){ 0 });
  }
  int count[2] = { 0 };
  for (int i = 0; i < 1000; i++) {
    struct rt_case cases[] = { { a, RT_RECV, NULL, false }, { b, RT_RECV, NULL, false } };
    count[rt_select(cases, 2)]++;
  }
  printf("%s\n", count[0] > 350 && count[1] > 350 ? "fair" : "unfair");
  return 0;
}
static void ready_cases_are_picked_fairly(void **state)
{
  (void)state; /* one side below 350 of 1000: once in 10^21 */
  assert_prints(fair, 1, "fair\n");
}

static void send_to_b(void *unused)
{
  (void)unused;
  rt_chan_send(b, &(int){ 9 });
}
PROGRAM(parked)
{
  a = rt_chan_new(sizeof(int), 0);
  b = rt_chan_new(sizeof(int), 0);
  rt_go(send_to_b, NULL);
  int v = 0, w = 0;
  struct rt_case cases[] = { { a, RT_RECV, &v, false }, { b, RT_RECV, &w, false } };
  int which = rt_select(cases, 2);
  printf("%d %d %d ", which, v, w);
  rt_chan_free(a); /* would panic if the losing case were still queued */
  rt_chan_free(b);
  puts("free");
  return 0;
}
static void parked_select_is_woken_by_one_and_leaves_the_other(void **state)
{
  (void)state;
  FOR_PROCS(n)
  assert_prints(parked, n, "1 0 9 free\n");
}

static void receive_from_a(void *to)
{
  rt_chan_recv(a, to);
}
PROGRAM(sends)
{
  int v = 4;
  static int got;
  a = rt_chan_new(sizeof(int), 0);
  b = rt_chan_new(sizeof(int), 0);
  rt_go(receive_from_a, &got);
  struct rt_case cases[] = { { a, RT_SEND, &v, false }, { b, RT_RECV, NULL, false } };
  printf("%d\n", rt_select(cases, 2));
  return 0;
}
static void a_case_can_send(void **state)
{
  (void)state;
  FOR_PROCS(n)
  assert_prints(sends, n, "0\n");
}

static void close_b(void *unused)
{
  (void)unused;
  rt_chan_close(b);
}
PROGRAM(closed)
{
  a = rt_chan_new(sizeof(int), 0);
  b = rt_chan_new(sizeof(int), 0);
  rt_go(close_b, NULL);
  int v = 1;
  struct rt_case cases[] = { { a, RT_RECV, NULL, false }, { b, RT_RECV, &v, true } };
  for (int i = 0; i < 2; i++) {
    int which = rt_select(cases, 2);
    printf("%d %d %d;", which, cases[1].open, v);
  }
  return 0;
}
static void a_closed_channel_is_ready_with_zero(void **state)
{
  (void)state;
  FOR_PROCS(n)
  assert_prints(closed, n, "1 0 0;1 0 0;");
}

PROGRAM(send_closed)
{
  a = rt_chan_new(sizeof(int), 0);
  rt_chan_close(a);
  struct rt_case cases[] = { { a, RT_SEND, &(int){ 1 }, false } };
  return rt_select_default(cases, 1);
}
PROGRAM(send_closed_while_parked)
{
  a = rt_chan_new(sizeof(int), 0);
  b = rt_chan_new(sizeof(int), 0);
  rt_go(close_b, NULL);
  struct rt_case cases[] = { { a, RT_RECV, NULL, false }, { b, RT_SEND, &(int){ 1 }, false } };
  return rt_select(cases, 2);
}
static void sending_on_a_closed_channel_panics(void **state)
{
  (void)state;
  assert_dies(send_closed, "", "panic: send on closed channel\n\ngoroutine 1 [running]:\n");
  assert_dies(send_closed_while_parked, "",
              "panic: send on closed channel\n\ngoroutine 1 [running]:\n");
}

PROGRAM(no_cases)
{
  return rt_select(NULL, 0);
}
PROGRAM(only_nil)
{
  struct rt_case cases[] = { { NULL, RT_RECV, NULL, false } };
  return rt_select(cases, 1);
}
static void without_a_channel_it_waits_for_ever(void **state)
{
  (void)state;
  const char *deadlock = "fatal error: all goroutines are asleep - deadlock!\n\ngoroutine 1 ";
  char text[128];
  snprintf(text, sizeof text, "%s[select (no cases)]:\n", deadlock);
  assert_dies(no_cases, "", text);
  snprintf(text, sizeof text, "%s[select]:\n", deadlock);
  assert_dies(only_nil, "", text);
}

#define WIDE 40
static struct rt_chan *wide[WIDE];
static void feed(void *unused)
{
  (void)unused;
  for (int i = 0; i < 4000; i++)
    rt_chan_send(wide[i * 7 % WIDE], &i);
  for (int i = 0; i < WIDE; i++)
    rt_chan_close(wide[i]);
}
PROGRAM(many_cases)
{
  for (int i = 0; i < WIDE; i++)
    wide[i] = rt_chan_new(sizeof(int), 0);
  rt_go(feed, NULL);
  long sum = 0;
  int open = WIDE, v;
  struct rt_case cases[WIDE];
  for (int i = 0; i < WIDE; i++)
    cases[i] = (struct rt_case){ wide[i], RT_RECV, &v, false };
  while (open > 0) {
    int which = rt_select(cases, WIDE);
    if (cases[which].open) {
      sum += v;
    } else {
      cases[which].chan = NULL;
      open--;
    }
  }
  printf("%ld\n", sum);
  return 0;
}
static void many_cases_work_and_lose_nothing(void **state)
{
  (void)state;
  FOR_PROCS(n)
  assert_prints(many_cases, n, "7998000\n");
}

static struct rt_waitgroup both;
static void cross(void *first)
{
  struct rt_chan *x = first, *y = first == a ? b : a;
  for (int i = 0; i < 2000; i++) {
    int v = i;
    struct rt_case cases[] = { { x, RT_SEND, &v, false }, { y, RT_RECV, &v, false } };
    rt_select(cases, 2);
  }
  rt_waitgroup_done(&both);
}
PROGRAM(crossing)
{
  a = rt_chan_new(sizeof(int), 0);
  b = rt_chan_new(sizeof(int), 0);
  rt_waitgroup_add(&both, 2);
  rt_go(cross, a);
  rt_go(cross, b);
  rt_waitgroup_wait(&both);
  puts("done");
  return 0;
}
static void two_selects_on_each_others_channels_do_not_deadlock(void **state)
{
  (void)state;
  FOR_PROCS(n)
  assert_prints(crossing, n, "done\n");
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(default_runs_when_no_case_is_ready),
    cmocka_unit_test(ready_cases_are_picked_fairly),
    cmocka_unit_test(parked_select_is_woken_by_one_and_leaves_the_other),
    cmocka_unit_test(a_case_can_send),
    cmocka_unit_test(a_closed_channel_is_ready_with_zero),
    cmocka_unit_test(sending_on_a_closed_channel_panics),
    cmocka_unit_test(without_a_channel_it_waits_for_ever),
    cmocka_unit_test(many_cases_work_and_lose_nothing),
    cmocka_unit_test(two_selects_on_each_others_channels_do_not_deadlock),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
