/* SPDX-License-Identifier: MIT */
/* test-scan.c - rt_scan_stacks shows of every G, whatever it does, the memory that may hold its pointers.
 *
 * Each G keeps a secret in a frame of its own. Who scans must find it in the bounds told of that G, and no other's
 * there, once a scan. It is what a conservative garbage collector would rely on.
 */
#include "preempt.h"
#include "program.h"
#include "rt-preempt.h"

#include <stdatomic.h>
#include <stdint.h>

enum {
  NOT_RUN,
  PARKED,
  IN_SELECT,
  ASLEEP,
  YIELDED,
  IN_SYSCALL,
  IN_DEFERRED_CALL,
  STOPPED_BY_SIGNAL,
  N_KINDS
};

static struct rt_chan *never;
static struct rt_waitgroup ready;
static atomic_bool is_inside, stop;
static int pipe_ends[2];

static uint64_t goid_of[N_KINDS];
static int n_visits[64], n_found[N_KINDS], n_strays;
static uint64_t last_goid;
static bool in_order = true;

static uintptr_t secret(int kind)
{
  static volatile uintptr_t key = 0x5ec3e75ec3e75ec3;
  return key ^ ((uintptr_t)kind << 40);
}

static void begin(int kind, volatile uintptr_t *mine)
{
  *mine = secret(kind);
  goid_of[kind] = rt_goid();
  rt_waitgroup_done(&ready);
}

/* The frame is needed to the end: no tail call. */
static void keep(volatile uintptr_t *mine)
{
  if (*mine == 0)
    abort();
}

static void not_run(void *secret_of_mine)
{
  (void)secret_of_mine;
}
static void park(void *unused)
{
  volatile uintptr_t mine;
  (void)unused;
  begin(PARKED, &mine);
  rt_chan_recv(never, NULL);
  keep(&mine);
}
static void wait_in_select(void *unused)
{
  volatile uintptr_t mine;
  struct rt_case cases[2] = { { .chan = never, .dir = RT_RECV },
                              { .chan = never, .dir = RT_SEND } };
  (void)unused;
  begin(IN_SELECT, &mine);
  rt_select(cases, 1);
  keep(&mine);
}
static void sleep_long(void *unused)
{
  volatile uintptr_t mine;
  (void)unused;
  begin(ASLEEP, &mine);
  rt_sleep(3600000000000);
  keep(&mine);
}
static void yield_for_ever(void *unused)
{
  volatile uintptr_t mine;
  (void)unused;
  begin(YIELDED, &mine);
  while (!atomic_load(&stop))
    rt_yield();
  keep(&mine);
}
static void *read_what_never_comes(void *unused)
{
  char byte;
  atomic_store(&is_inside, true);
  return read(pipe_ends[0], &byte, 1) < 0 ? NULL : unused;
}
static void call_the_kernel(void *unused)
{
  volatile uintptr_t mine;
  begin(IN_SYSCALL, &mine);
  rt_blocking(read_what_never_comes, unused);
  keep(&mine);
}
static void park_deferred(void *unused)
{
  (void)unused;
  rt_chan_recv(never, NULL);
}
static void panic_and_park(void *unused)
{
  volatile uintptr_t mine;
  (void)unused;
  RT_FRAME(fr, { return; });
  RT_DEFER(fr, park_deferred, NULL);
  begin(IN_DEFERRED_CALL, &mine);
  rt_panic("not told");
}
static RT_PREEMPTIBLE void spin(volatile uintptr_t *mine)
{
  volatile uintptr_t copy = *mine;
  *mine = 0; /* only here, below what called it */
  while (!atomic_load_explicit(&stop, memory_order_relaxed))
    ;
  *mine = copy;
}
static void hog(void *unused)
{
  volatile uintptr_t mine;
  (void)unused;
  begin(STOPPED_BY_SIGNAL, &mine);
  spin(&mine);
}

/* The sanitizers put red zones beside what a frame holds, and know of no stopped world. */
__attribute__((no_sanitize("address"), no_sanitize("thread"))) static void
look(uint64_t goid, const void *lo, const void *hi, void *arg)
{
  (void)arg;
  if (goid < 64)
    n_visits[goid]++;
  in_order = in_order && goid > last_goid;
  last_goid = goid;
  if (goid == 1)
    return; /* it knows all of them */
  for (const volatile uintptr_t *word = lo; word < (const volatile uintptr_t *)hi; word++)
    for (int kind = 0; kind < N_KINDS; kind++)
      if (*word == secret(kind)) {
        n_found[kind] += goid_of[kind] == goid;
        n_strays += goid_of[kind] != goid;
      }
}

static void scan(void)
{
  memset(n_visits, 0, sizeof n_visits);
  memset(n_found, 0, sizeof n_found);
  n_strays = 0;
  last_goid = 0;
  rt_scan_stacks(look, NULL);
}

static void say_what_was_found(void)
{
  static const char *const names[] = { "not-run", "parked",  "select",        "asleep",
                                       "yielded", "syscall", "deferred-call", "by-signal" };
  for (int kind = 0; kind < N_KINDS; kind++)
    if (goid_of[kind])
      printf("%s:%d,%s ", names[kind], n_visits[goid_of[kind]],
             n_found[kind] ? "found" : "not found");
  printf("strays:%d main:%d %s\n", n_strays, n_visits[1], in_order ? "in order" : "out of order");
}

static void start_all(bool with_hog)
{
  void (*const fns[])(void *) = {
    park, wait_in_select, sleep_long, yield_for_ever, call_the_kernel, panic_and_park, hog
  };
  int n = with_hog ? 7 : 6;
  never = rt_chan_new(1, 0);
  rt_waitgroup_add(&ready, n);
  for (int i = 0; i < n; i++)
    rt_go(fns[i], NULL);
  rt_waitgroup_wait(&ready);
  while (!atomic_load(&is_inside))
    rt_yield();
  for (int i = 0; i < 3; i++)
    rt_yield(); /* by now everyone is where it stays */
}

static int scan_all_kinds(bool with_hog)
{
  if (pipe(pipe_ends) != 0)
    return 1;
  start_all(with_hog);
  rt_go(not_run, (void *)secret(NOT_RUN));
  goid_of[NOT_RUN] = (uint64_t)rt_num_goroutine(); /* nobody has ended, so the last one's */
  scan();
  say_what_was_found();
  return 0;
}
PROGRAM(scans)
{
  return scan_all_kinds(false);
}
PROGRAM(scans_with_a_hog)
{
  return scan_all_kinds(true);
}

#define EACH(hog)                                                                                  \
  "not-run:1,found parked:1,found select:1,found asleep:1,found yielded:1,found syscall:1,found "  \
  "deferred-call:1,found " hog "strays:0 main:1 in order\n"

static void a_secret_is_found_in_every_kind_of_g(void **state)
{
  (void)state;
  assert_prints(scans, 1, EACH(""));
}

static void what_a_stopped_g_had_in_its_frame_is_found(void **state)
{
  (void)state;
  if (UNDER_THREAD_SANITIZER) /* there is no preemption by signal with it, and the hog would never stop */
    skip();
  struct outcome o = run_program(scans_with_a_hog, 1);
  assert_string_equal(o.out, EACH("by-signal:1,found "));
}

PROGRAM(scans_again_and_again)
{
  if (pipe(pipe_ends) != 0)
    return 1;
  start_all(false);
  for (int i = 0; i < 200; i++) {
    scan();
    rt_gc();
  }
  say_what_was_found();
  return 0;
}
static void scans_among_running_gs_find_all_each_time(void **state)
{
  (void)state;
  struct outcome o = run_program(scans_again_and_again, 4);
  assert_non_null(strstr(o.out, "parked:1,found select:1,found asleep:1,found yielded:1,found "
                                "syscall:1,found deferred-call:1,found strays:0 main:1 "));
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_secret_is_found_in_every_kind_of_g),
    cmocka_unit_test(what_a_stopped_g_had_in_its_frame_is_found),
    cmocka_unit_test(scans_among_running_gs_find_all_each_time),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
