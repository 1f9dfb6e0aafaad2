/* SPDX-License-Identifier: MIT */
/* test-chan.c - channels do what Go's do. */
#include "chan.h"
#include "program.h"
#include "switch.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

static struct rt_chan *c, *c2;
static struct rt_waitgroup wg;

static void send_ints(void *n)
{
  for (int i = 0; i < (int)(intptr_t)n; i++)
    rt_chan_send(c, &i);
  rt_chan_close(c);
}

PROGRAM(unbuffered)
{
  c = rt_chan_new(sizeof(int), 0);
  rt_go(send_ints, (void *)1000);
  int sum = 0;
  for (int v; rt_chan_recv(c, &v);)
    sum += v;
  printf("%d\n", sum);
  rt_chan_free(c);
  return 0;
}
static void unbuffered_hands_over_every_value_in_order(void **state)
{
  (void)state;
  FOR_PROCS(n)
  assert_prints(unbuffered, n, "499500\n");
}

PROGRAM(buffered)
{
  c = rt_chan_new(sizeof(int), 7);
  rt_go(send_ints, (void *)100);
  int next = 0;
  for (int v; rt_chan_recv(c, &v); next++)
    if (v != next)
      printf("got %d, not %d\n", v, next);
  printf("%d %zu %zu\n", next, rt_chan_len(c), rt_chan_cap(c));
  return 0;
}
static void buffered_keeps_the_order_and_drains_after_close(void **state)
{
  (void)state;
  FOR_PROCS(n)
  assert_prints(buffered, n, "100 0 7\n");
}

PROGRAM(closed)
{
  c = rt_chan_new(sizeof(int), 2);
  int v = 5;
  rt_chan_send(c, &v);
  rt_chan_close(c);
  bool open;
  printf("%d ", rt_chan_recv(c, &v));
  printf("%d ", v);
  printf("%d ", rt_chan_recv(c, &v));
  printf("%d ", v);
  bool got = rt_chan_try_recv(c, &v, &open);
  printf("%d %d\n", got, open);
  return 0;
}
static void closed_gives_its_values_then_zeros(void **state)
{
  (void)state;
  assert_prints(closed, 1, "1 5 0 0 1 0\n");
}

PROGRAM(try_operations)
{
  c = rt_chan_new(sizeof(int), 1);
  int v = 1;
  bool open = false;
  printf("%d", rt_chan_try_recv(c, &v, &open));
  printf("%d", rt_chan_try_send(c, &v));
  printf("%d", rt_chan_try_send(c, &v));
  printf("%d", rt_chan_try_recv(c, &v, &open));
  printf("%d", open);
  printf("%d%d\n", rt_chan_try_send(NULL, &v), rt_chan_try_recv(NULL, &v, NULL));
  return 0;
}
static void try_says_whether_it_would_have_parked(void **state)
{
  (void)state;
  assert_prints(try_operations, 2, "0101100\n");
}

static void receive_one(void *unused)
{
  (void)unused;
  int v = 7;
  bool open = rt_chan_recv(c, &v);
  printf("%d %d\n", open, v);
  rt_waitgroup_done(&wg);
}
PROGRAM(close_wakes)
{
  c = rt_chan_new(sizeof(int), 0);
  rt_waitgroup_add(&wg, 3);
  for (int i = 0; i < 3; i++)
    rt_go(receive_one, NULL);
  rt_yield();
  rt_chan_close(c);
  rt_waitgroup_wait(&wg);
  return 0;
}
static void close_wakes_every_receiver_with_zero(void **state)
{
  (void)state;
  FOR_PROCS(n)
  assert_prints(close_wakes, n, "0 0\n0 0\n0 0\n");
}

PROGRAM(send_on_closed)
{
  c = rt_chan_new(sizeof(int), 1);
  rt_chan_close(c);
  rt_chan_send(c, &(int){ 1 });
  return 0;
}
PROGRAM(close_twice)
{
  c = rt_chan_new(sizeof(int), 1);
  rt_chan_close(c);
  rt_chan_close(c);
  return 0;
}
PROGRAM(close_nil)
{
  rt_chan_close(NULL);
  return 0;
}
static void close_later(void *unused)
{
  (void)unused;
  rt_chan_close(c);
}
PROGRAM(close_under_a_sender)
{
  c = rt_chan_new(sizeof(int), 0);
  rt_go(close_later, NULL);
  rt_chan_send(c, &(int){ 1 });
  return 0;
}
static void misuse_panics_with_gos_words(void **state)
{
  (void)state;
  assert_dies(send_on_closed, "", "panic: send on closed channel\n\ngoroutine 1 [running]:\n");
  assert_dies(close_under_a_sender, "",
              "panic: send on closed channel\n\ngoroutine 1 [running]:\n");
  assert_dies(close_twice, "", "panic: close of closed channel\n\ngoroutine 1 [running]:\n");
  assert_dies(close_nil, "", "panic: close of nil channel\n\ngoroutine 1 [running]:\n");
}

PROGRAM(nil_receive)
{
  rt_chan_recv(NULL, NULL);
  return 0;
}
PROGRAM(nil_send)
{
  rt_chan_send(NULL, NULL);
  return 0;
}
PROGRAM(no_sender)
{
  c = rt_chan_new(1, 0);
  rt_chan_recv(c, NULL);
  return 0;
}
static void waiting_for_ever_is_a_deadlock(void **state)
{
  (void)state;
  const char *text = "fatal error: all goroutines are asleep - deadlock!\n\ngoroutine 1 [chan ";
  assert_dies(nil_receive, "", text);
  assert_dies(nil_send, "", text);
  assert_dies(no_sender, "",
              "fatal error: all goroutines are asleep - deadlock!\n\n"
              "goroutine 1 [chan receive]:\n");
}

/* ---- a look from outside ---- */

#ifdef SWITCH_TSAN
#define LOOKED_AT 10000
#else
#define LOOKED_AT 300000
#endif
static _Atomic bool has_ended;
static _Atomic size_t most;

static void *look_at_its_length(void *unused)
{
  while (!has_ended) {
    size_t n = rt_chan_len(c);
    if (n > most)
      most = n;
  }
  return unused;
}
static void look_in_a_call(void *unused)
{
  rt_blocking(look_at_its_length, unused);
  rt_waitgroup_done(&wg);
}
static void fill(void *unused)
{
  (void)unused;
  for (int i = 0; i < LOOKED_AT; i++)
    rt_chan_send(c, &i);
}
PROGRAM(is_looked_at)
{
  pthread_t thread;
  c = rt_chan_new(sizeof(int), 16);
  rt_waitgroup_add(&wg, 1);
  rt_go(look_in_a_call, NULL);
  pthread_create(&thread, NULL, look_at_its_length, NULL);
  rt_go(fill, NULL);
  while (most == 0) /* somebody looks */
    rt_yield();
  for (int i = 0; i < LOOKED_AT; i++)
    rt_chan_recv(c, NULL);
  has_ended = true;
  rt_waitgroup_wait(&wg);
  pthread_join(thread, NULL);
  printf("%d\n", most > 0 && most <= 16);
  return 0;
}
static void len_may_be_asked_by_who_has_no_p(void **state)
{
  (void)state;
  FOR_PROCS(n)
  assert_prints(is_looked_at, n, "1\n");
}

/* Who has just received may not have let go of it yet. */
static _Atomic bool is_about_to_free, is_freed;
static void *free_it(void *chan)
{
  is_about_to_free = true;
  rt_chan_free(chan);
  is_freed = true;
  return NULL;
}
PROGRAM(is_freed_beside_its_last_user)
{
  pthread_t thread;
  struct rt_chan *mine = rt_chan_new(1, 1);
  lock_with_p(&mine->lock);
  pthread_create(&thread, NULL, free_it, mine);
  while (!is_about_to_free)
    sched_yield();
  for (int i = 0; i < 1000; i++)
    sched_yield();
  printf("%d ", is_freed);
  if (!is_freed)
    unlock_with_p(&mine->lock);
  pthread_join(thread, NULL);
  printf("%d\n", is_freed);
  return 0;
}
static void who_frees_a_channel_without_a_p_waits_for_its_last_user(void **state)
{
  (void)state;
  FOR_PROCS(n)
  assert_prints(is_freed_beside_its_last_user, n, "0 1\n");
}

static _Atomic long total;
static void produce(void *n)
{
  for (long i = 0; i < (long)n; i++)
    rt_chan_send(c, &i);
  rt_waitgroup_done(&wg);
}
static void consume(void *unused)
{
  (void)unused;
  for (long v; rt_chan_recv(c, &v);)
    atomic_fetch_add(&total, v);
  rt_chan_send(c2, &(char){ 0 });
}
PROGRAM(many)
{
  for (size_t room = 0; room <= 3; room++) {
    atomic_store(&total, 0);
    c = rt_chan_new(sizeof(long), room);
    c2 = rt_chan_new(1, 0);
    rt_waitgroup_add(&wg, 8);
    for (int i = 0; i < 8; i++) {
      rt_go(produce, (void *)500);
      rt_go(consume, NULL);
    }
    rt_waitgroup_wait(&wg);
    rt_chan_close(c);
    for (int i = 0; i < 8; i++)
      rt_chan_recv(c2, NULL);
    printf("%ld\n", atomic_load(&total));
    rt_chan_free(c);
    rt_chan_free(c2);
  }
  return 0;
}
static void many_senders_and_receivers_lose_nothing(void **state)
{
  (void)state;
  FOR_PROCS(n)
  assert_prints(many, n, "998000\n998000\n998000\n998000\n");
}

static void receive_once(void *unused)
{
  (void)unused;
  rt_chan_recv(c, NULL);
}
PROGRAM(free_waited_on)
{
  c = rt_chan_new(1, 0);
  rt_go(receive_once, NULL);
  rt_sleep(1000000);
  rt_chan_free(c);
  return 0;
}
static void freeing_a_channel_that_is_waited_on_panics(void **state)
{
  (void)state;
  assert_dies(free_waited_on, "", "panic: free of channel on which goroutines wait\n");
}

/* A ticker's too; and who panics has not stopped it. */
static struct rt_ticker *ticker;
static void receive_a_tick(void *unused)
{
  (void)unused;
  rt_chan_recv(rt_ticker_chan(ticker), NULL);
  puts("tick");
}
static void recover_and_say(void *unused)
{
  struct rt_value v;
  (void)unused;
  if (rt_recover(&v))
    puts(v.s);
}
static void free_the_ticker(void)
{
  RT_FRAME(fr, { return; });
  RT_DEFER(fr, recover_and_say, NULL);
  rt_ticker_free(ticker);
}
PROGRAM(frees_a_ticker_that_is_waited_on)
{
  ticker = rt_ticker_new(20000000);
  rt_go(receive_a_tick, NULL);
  rt_yield(); /* one P: it waits now */
  free_the_ticker();
  for (int ms = 0; ms < 20000 && rt_num_goroutine() > 1; ms++)
    rt_sleep(1000000);
  return 0;
}
static void a_ticker_that_cannot_be_freed_ticks_on(void **state)
{
  (void)state;
  assert_prints(frees_a_ticker_that_is_waited_on, 1,
                "free of channel on which goroutines wait\ntick\n");
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(unbuffered_hands_over_every_value_in_order),
    cmocka_unit_test(buffered_keeps_the_order_and_drains_after_close),
    cmocka_unit_test(closed_gives_its_values_then_zeros),
    cmocka_unit_test(try_says_whether_it_would_have_parked),
    cmocka_unit_test(close_wakes_every_receiver_with_zero),
    cmocka_unit_test(misuse_panics_with_gos_words),
    cmocka_unit_test(waiting_for_ever_is_a_deadlock),
    cmocka_unit_test(len_may_be_asked_by_who_has_no_p),
    cmocka_unit_test(who_frees_a_channel_without_a_p_waits_for_its_last_user),
    cmocka_unit_test(many_senders_and_receivers_lose_nothing),
    cmocka_unit_test(freeing_a_channel_that_is_waited_on_panics),
    cmocka_unit_test(a_ticker_that_cannot_be_freed_ticks_on),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
