/* SPDX-License-Identifier: MIT */
/* test-stack.c - what guards the end of a stack: light guards, protected pages, and canaries where the kernel
 * allows no more of either.
 */
#include "proc.h"
#include "program.h"

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

static void run_alone(enum stack_guard guard, void (*fn)(void *))
{
  stack_guard_by(guard);
  rt_go_named("culprit", fn, NULL);
  while (rt_num_goroutine() > 1)
    rt_yield();
  puts("not reached");
}

static __attribute__((noinline)) int fall(int depth)
{
  volatile char frame[512] = { (char)depth };
  return depth < 0 ? 0 : fall(depth + 1) + frame[0];
}
static void fall_for_ever(void *unused)
{
  (void)unused;
  fall(0);
}
/* As a frame of libc's may that is larger than a page and was not built to touch each. */
static void jump_over_pages(void *unused)
{
  (void)unused;
  *(volatile char *)(getg()->stack.lo - 12000) = 0;
}
PROGRAM(jumps_on_a_light_guard)
{
  run_alone(GUARD_LIGHT, jump_over_pages);
  return 0;
}
PROGRAM(jumps_on_protected_pages)
{
  run_alone(GUARD_MPROTECT, jump_over_pages);
  return 0;
}
PROGRAM(falls_on_a_light_guard)
{
  run_alone(GUARD_LIGHT, fall_for_ever);
  return 0;
}
PROGRAM(falls_on_a_protected_page)
{
  run_alone(GUARD_MPROTECT, fall_for_ever);
  return 0;
}
PROGRAM(overflows)
{
  run_alone(GUARD_CANARY, write_over_the_end);
  return 0;
}

PROGRAM(stays_inside)
{
  start_many(); /* stacks with pages and stacks with canaries live side by side */
  stack_guard_by(GUARD_CANARY);
  start_many();
  start_many();
  puts("done");
  return 0;
}

static void assert_contains(const char *text, const char *part)
{
  if (!strstr(text, part))
    fail_msg("\"%s\" is not in:\n%s", part, text);
}

static void assert_overflow(int (*fn)(int, char **), const char *words)
{
  struct outcome o = run_program(fn, 1);
  assert_string_equal(o.out, "");
  assert_contains(o.err, words);
  const char *dump = strstr(o.err, "\n\ngoroutine ");
  assert_non_null(dump); /* of the culprit, first */
  assert_contains(dump ? dump : "", " [running labels:{\"name\": \"culprit\"}]:\n");
  assert_true(dump && strstr(dump, " labels:{") < strchr(dump + 2, '\n'));
  assert_int_equal(o.code, 2);
}

/* Goes through a door of rt.h with so little room left on the stack, where the G may be in the middle of parking. */
static int room;
static void (*door)(void);
static struct rt_chan *chan;
static void sleep_a_little(void)
{
  rt_sleep(1);
}
static void receive(void)
{
  rt_chan_recv(chan, NULL);
}
static void dump_elsewhere(void)
{
  rt_stack_dump(1, false);
}
static void go_through_door(void *unused)
{
  (void)unused;
  char *here = __builtin_frame_address(0);
  volatile char *rest = __builtin_alloca((size_t)(here - getg()->stack.lo - room));
  *rest = 0;
  door();
  *rest = 1;
}
static void send_for_ever(void *unused)
{
  (void)unused;
  for (;;)
    rt_chan_send(chan, NULL);
}
PROGRAM(a_door_with_little_room)
{
  chan = rt_chan_new(0, 0);
  rt_go_named("culprit", go_through_door, NULL);
  rt_go(send_for_ever, NULL);
  while (rt_num_goroutine() > 2)
    rt_yield();
  return 0;
}
static void assert_told_or_enough(struct outcome *o)
{
  if (o->code == 0)
    return;
  assert_contains(o->err, "fatal error: stack overflow\n\ngoroutine ");
  assert_contains(o->err, " [running labels:{\"name\": \"culprit\"}]:\n");
  assert_int_equal(o->code, 2);
}
static void an_overflow_on_the_way_into_a_park_or_a_dump_is_told(void **state)
{
  static void (*const doors[])(void) = { rt_yield, sleep_a_little, receive, dump_elsewhere };
  (void)state;
  if (UNDER_THREAD_SANITIZER)
    skip(); /* its own calls need more room than there is, and overflow with its locks held */
  for (size_t i = 0; i < sizeof doors / sizeof doors[0]; i++) {
    int n_told = 0, n = 0;
    door = doors[i];
    for (room = 64; room < 4096; room += room < 1024 ? 32 : 256, n++) {
      struct outcome o = run_program(a_door_with_little_room, 1 + n % 2);
      assert_told_or_enough(&o);
      n_told += o.code == 2;
    }
    assert_in_range(n_told, 1, n);
  }
}

/* What is said last is said elsewhere: there may be room for the mistake, and none for its words. */
static void panic_here(void)
{
  rt_panic("with little room");
}
static void unlock_an_unlocked_one(void)
{
  static struct rt_mutex mutex;
  rt_mutex_unlock(&mutex);
}
static void last_words_need_no_room_on_the_stack(void **state)
{
  static void (*const doors[])(void) = { panic_here, unlock_an_unlocked_one };
  static const char *const words[] = {
    "panic: with little room\n\ngoroutine ",
    "fatal error: sync: unlock of unlocked mutex\n\ngoroutine "
  };
  (void)state;
  if (UNDER_THREAD_SANITIZER)
    skip();
  for (size_t i = 0; i < 2; i++) {
    int n_overflows = 0, n = 0;
    door = doors[i];
    for (room = 256; room < 8192; room += 256, n++) {
      struct outcome o = run_program(a_door_with_little_room, 1 + n % 2);
      bool overflew = strstr(o.err, "fatal error: stack overflow\n\ngoroutine ") != NULL;
      n_overflows += overflew;
      assert_contains(o.err, overflew ? "stack overflow" : words[i]);
      assert_contains(o.err, " [running labels:{\"name\": \"culprit\"}]:\n");
      assert_int_equal(o.code, 2);
    }
    assert_in_range(n_overflows, 0, n / 2);
  }
}

static void an_overflow_into_a_guard_of_either_kind_is_told(void **state)
{
  (void)state;
  assert_overflow(falls_on_a_light_guard, "fatal error: stack overflow\n");
  assert_overflow(falls_on_a_protected_page, "fatal error: stack overflow\n");
}

static void a_jump_over_a_page_is_one_into_the_guard(void **state)
{
  (void)state;
  assert_overflow(jumps_on_a_light_guard, "fatal error: stack overflow\n");
  assert_overflow(jumps_on_protected_pages, "fatal error: stack overflow\n");
}

static void a_canary_tells_of_an_overflow_when_the_g_ends(void **state)
{
  (void)state;
  assert_overflow(
      overflows,
      "fatal error: stack overflow: this goroutine has written over the end of its stack;");
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
    cmocka_unit_test(an_overflow_into_a_guard_of_either_kind_is_told),
    cmocka_unit_test(an_overflow_on_the_way_into_a_park_or_a_dump_is_told),
    cmocka_unit_test(last_words_need_no_room_on_the_stack),
    cmocka_unit_test(a_jump_over_a_page_is_one_into_the_guard),
    cmocka_unit_test(a_canary_tells_of_an_overflow_when_the_g_ends),
    cmocka_unit_test(canaries_say_nothing_of_gs_that_stay_inside),
  };
  return cmocka_run_group_tests_name("stack", tests, NULL, NULL);
}
