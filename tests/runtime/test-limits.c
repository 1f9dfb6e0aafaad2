/* SPDX-License-Identifier: MIT */
/* test-limits.c - what there is not enough of is told in words, by the call that wanted it.
 *
 * First by injection: a program that uses a bit of everything is run again and again, each time another call
 * for memory, mappings, threads or descriptors fails. It must do its work without, or end in words; never crash,
 * hang, or do half of it. Then with the kernel's real limits.
 */
#include "fail.h"
#include "os.h"
#include "proc.h"
#include "program.h"
#include "switch.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <sched.h>
#include <signal.h>
#include <sys/resource.h>

#define MANY_CASES     40
#define MAX_PROCS_HERE 8 /* each may keep 64 dead Gs to itself */

static struct rt_waitgroup wg;
static atomic_long count;

/* ---- a program that uses a bit of everything, and takes no for an answer ---- */

static void count_up(void *unused)
{
  (void)unused;
  atomic_fetch_add(&count, 1);
}

static void *sleep_in_the_kernel(void *unused)
{
  usleep(100);
  return unused;
}

static void be_busy(void *unused)
{
  (void)unused;
  rt_yield();
  rt_blocking(sleep_in_the_kernel, NULL);
  rt_sleep(1000);
  rt_waitgroup_done(&wg);
}

static void start_gs(int n)
{
  for (int i = 0; i < n; i++) {
    rt_waitgroup_add(&wg, 1);
    int error = rt_go(be_busy, NULL);
    if (error == 0)
      continue;
    if (error != -ENOMEM && error != -EAGAIN)
      abort();
    rt_waitgroup_done(&wg);
  }
  rt_waitgroup_wait(&wg);
}

static void defer_many(void)
{
  RT_FRAME(fr, { return; });
  for (int i = 0; i < 100; i++)
    RT_DEFER_LOOP(fr, count_up, NULL);
}

static void use_timers(void)
{
  struct rt_timer *timers[50];
  for (int i = 0; i < 50; i++)
    timers[i] = rt_after_func(60000000000, count_up, NULL);
  struct rt_chan *after = rt_after(1000);
  if (after)
    rt_chan_recv(after, NULL);
  rt_chan_free(after);
  struct rt_ticker *ticker = rt_ticker_new(1000);
  if (ticker)
    rt_chan_recv(rt_ticker_chan(ticker), NULL);
  rt_ticker_free(ticker);
  for (int i = 0; i < 50; i++)
    rt_timer_free(timers[i]);
}

static void use_chans(void)
{
  struct rt_case cases[MANY_CASES];
  int value = 1;
  struct rt_chan *chan = rt_chan_new(sizeof(int), 1);
  if (!chan)
    return;
  for (int i = 0; i < MANY_CASES; i++)
    cases[i] = (struct rt_case){ .chan = chan, .dir = i % 2 ? RT_RECV : RT_SEND, .elem = &value };
  rt_select(cases, MANY_CASES);
  rt_select(cases, MANY_CASES);
  rt_chan_free(chan);
}

static void use_the_poller(void)
{
  int ends[2];
  char byte = 'x';
  if (pipe2(ends, O_CLOEXEC) != 0)
    return;
  if (rt_write(ends[1], &byte, 1, 0) == 1 && rt_read(ends[0], &byte, 1, 0) != 1)
    abort();
  rt_close(ends[0]);
  rt_close(ends[1]);
}

PROGRAM(a_bit_of_everything)
{
  start_gs(100);
  defer_many();
  use_timers();
  use_chans();
  use_the_poller();
  rt_gomaxprocs(7);
  start_gs(100);
  rt_stack_dump(open("/dev/null", O_WRONLY | O_CLOEXEC), true);
  puts("done");
  return 0;
}

/* ---- injection ---- */

static bool begins(const char *text, const char *with)
{
  return strncmp(text, with, strlen(with)) == 0;
}

static bool ended_in_words(const struct outcome *o)
{
  if (o->code == 0)
    return strcmp(o->out, "done\n") == 0 && o->err[0] == '\0';
  if (o->code == 1)
    return begins(o->err, "runtime: cannot start: ");
  return o->code == 2 && begins(o->err, "fatal error: out of memory: ");
}

static struct outcome run_armed(int (*fn)(int, char **), int maxprocs)
{
  fail->hit = false;
  fail->armed = true; /* in the child: the parent does nothing of the kind until it is over */
  struct outcome o = run_program(fn, maxprocs);
  fail->armed = false;
  return o;
}

static void fail_each(enum fail_kind kind, bool for_good)
{
  for (long n = 1;; n++) {
    fail->kind = kind;
    fail->for_good = for_good;
    fail->countdown = n;
    struct outcome o = run_armed(a_bit_of_everything, 3);
    if (!ended_in_words(&o))
      fail_msg("kind %d, call %ld%s: code %d\n%s%s", kind, n, for_good ? " and all after it" : "",
               o.code, o.out, o.err);
    if (!fail->hit) {
      print_message("# kind %d%s: %ld calls\n", kind, for_good ? ", for good" : "", n - 1);
      return;
    }
  }
}

static void memory_that_is_refused_is_told(void **state)
{
  (void)state;
  fail_each(FAIL_MEMORY, false);
  fail_each(FAIL_MEMORY, true);
}
static void mappings_that_are_refused_are_told(void **state)
{
  (void)state;
  fail_each(FAIL_MMAP, false);
  fail_each(FAIL_MMAP, true);
}
static void threads_that_are_refused_are_done_without(void **state)
{
  (void)state;
  fail_each(FAIL_THREAD, false);
  fail_each(FAIL_THREAD, true);
}
static void without_a_poller_nothing_starts(void **state)
{
  (void)state;
  fail_each(FAIL_EPOLL, false);
  fail_each(FAIL_EPOLL, true);
}

/* ---- no more threads, for a while or for good ---- */

#define REFUSALS 30 /* that must be survived */
#define LONG     1500000000

static struct rt_chan *never;

static void park(void *unused)
{
  (void)unused;
  rt_chan_recv(never, NULL);
}

static struct outcome run_with_threads(int (*fn)(int, char **), int maxprocs, int n)
{
  fail->kind = FAIL_THREAD;
  fail->for_good = true;
  fail->countdown = n;
  return run_armed(fn, maxprocs);
}

static bool were_refused(long n)
{
  return atomic_load(&fail->countdown) <= 1 - n;
}

static void wire_and_park(void *unused)
{
  rt_lock_os_thread();
  park(unused);
}

/* When all threads are wired to Gs that wait, nobody is left to wake the main G. */
PROGRAM(wires_every_thread)
{
  never = rt_chan_new(1, 0);
  for (int i = 0; i < 10; i++)
    rt_go(wire_and_park, NULL);
  rt_sleep(500000000); /* all threads are wired long before, also under a sanitizer */
  puts("awake");
  return 0;
}

static void *wait_in_the_kernel_for_ever(void *unused)
{
  for (;;)
    pause();
  return unused;
}

static void call_for_ever(void *unused)
{
  rt_blocking(wait_in_the_kernel_for_ever, unused);
}

PROGRAM(calls_on_every_thread)
{
  for (int i = 0; i < 10; i++)
    rt_go(call_for_ever, NULL);
  return (int)(intptr_t)rt_blocking(wait_in_the_kernel_for_ever, NULL);
}

static void expect_newosproc(int (*fn)(int, char **), int maxprocs)
{
  struct outcome o = run_with_threads(fn, maxprocs, 3); /* sysmon and one M get theirs */
  assert_string_equal(o.out, "");
  assert_true(begins(o.err, "runtime: failed to create new OS thread (have 3 already; errno=11)\n"
                            "runtime: may need to increase max user processes (ulimit -u), or "
                            "pids.max of the cgroup\nfatal error: newosproc\n\ngoroutine "));
  assert_non_null(strstr(o.err, "goroutine 1 "));
  assert_int_equal(o.code, 2);
}

static void out_of_threads_for_good_the_process_ends_in_gos_words(void **state)
{
  (void)state;
  for (int n = 1; n <= 3; n++) {
    expect_newosproc(wires_every_thread, n);
    expect_newosproc(calls_on_every_thread, n);
  }
}

/* In the kernel until a G has run that needs a thread; the kernel gives none at first. */
static void *wait_for_the_counter(void *unused)
{
  while (!were_refused(REFUSALS))
    sched_yield();
  atomic_store(&fail->armed, false);
  while (atomic_load(&count) == 0)
    sched_yield();
  return unused;
}

PROGRAM(waits_for_a_thread)
{
  rt_go(count_up, NULL);
  rt_blocking(wait_for_the_counter, NULL);
  puts("done");
  return 0;
}

static void a_refusal_of_threads_that_ends_is_survived(void **state)
{
  (void)state;
  for (int n = 1; n <= 3; n++) {
    struct outcome o = run_with_threads(waits_for_a_thread, n, 2); /* sysmon gets one */
    assert_string_equal(o.err, "");
    assert_string_equal(o.out, "done\n");
    assert_int_equal(o.code, 0);
  }
}

static _Atomic bool is_over;

static void yield_on(void *unused)
{
  (void)unused;
  while (!atomic_load(&is_over))
    rt_yield();
}

PROGRAM(runs_on_with_one_thread)
{
  int64_t begun = rt_now();
  rt_go(yield_on, NULL);
  rt_go(yield_on, NULL);
  while (rt_now() - begun < LONG || !were_refused(REFUSALS))
    rt_yield();
  atomic_store(&is_over, true);
  puts("done");
  return 0;
}

static void who_still_runs_is_not_killed_for_want_of_threads(void **state)
{
  (void)state;
  struct outcome o = run_with_threads(runs_on_with_one_thread, 3, 2);
  assert_string_equal(o.err, "");
  assert_string_equal(o.out, "done\n");
  assert_int_equal(o.code, 0);
}

/* ---- the kernel's limits ---- */

static size_t mapped(void)
{
  size_t pages = 0;
  FILE *file = fopen("/proc/self/statm", "re");
  if (!file || fscanf(file, "%zu", &pages) != 1)
    abort();
  fclose(file);
  return pages * (size_t)sysconf(_SC_PAGESIZE);
}

/* malloc takes 64 MB for each thread that allocates, and 128 for a moment: before there are threads it is told not to. */
static int with_one_heap(void *main_function)
{
  mallopt(M_ARENA_MAX, 1);
  return under_rt_main(main_function);
}

/* Starts Gs until no more can be started; then those must end, and as many can be started again. */
PROGRAM(fills_its_address_space)
{
  struct rlimit limit = { .rlim_max = RLIM_INFINITY };
  getrlimit(RLIMIT_AS, &limit);
  limit.rlim_cur = mapped() + (200u << 20);
  setrlimit(RLIMIT_AS, &limit);
  long started[2] = { 0 };
  int error = 0;
  for (int round = 0; round < 2; round++) {
    never = rt_chan_new(1, 0);
    while ((error = rt_go(park, NULL)) == 0)
      if (++started[round] % 100 == 0)
        rt_yield();
    while (rt_num_goroutine() > started[round] + 1)
      rt_yield();
    rt_chan_close(never);
    while (rt_num_goroutine() > 1)
      rt_yield();
  }
  printf("%d %d %d\n", error == -ENOMEM, started[0] > 1000,
         started[1] >= started[0] - 64L * MAX_PROCS_HERE);
  return 0;
}

static void a_full_address_space_is_told_by_rt_go(void **state)
{
  (void)state;
#if defined(SWITCH_ASAN) || defined(SWITCH_TSAN)
  skip(); /* which take terabytes of it */
#endif
  FOR_PROCS(n)
  assert_child_prints(with_one_heap, &(struct main_function){ fills_its_address_space }, n,
                      "1 1 1\n");
}

/* Stacks are reserved many at once; as much is left to others. */
PROGRAM(reserves_stacks)
{
  struct rlimit limit;
  getrlimit(RLIMIT_AS, &limit);
  size_t before = mapped(), taken;
  limit.rlim_cur = before + (100u << 20);
  setrlimit(RLIMIT_AS, &limit);
  never = rt_chan_new(1, 0);
  do {
    if (rt_go(park, NULL) != 0)
      return 1;
    taken = mapped() - before;
  } while (taken < 10u << 20);
  void *more = mmap(NULL, taken, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  printf("%d\n", more != MAP_FAILED);
  return 0;
}

static void stacks_leave_as_much_room_as_they_take(void **state)
{
  (void)state;
#if defined(SWITCH_ASAN) || defined(SWITCH_TSAN)
  skip();
#endif
  /* With more Ps another one might reserve some just behind the look at what is taken. */
  assert_child_prints(with_one_heap, &(struct main_function){ reserves_stacks }, 1, "1\n");
}

/* Ps that go away have some of the stacks that were promised. */
static void *take_a_nap(void *unused)
{
  usleep(2000);
  return unused;
}
static void nap_and_be_done(void *unused)
{
  rt_blocking(take_a_nap, unused);
  rt_waitgroup_done(&wg);
}
static _Atomic long n_up;
static void be_up(void *unused)
{
  n_up++;
  park(unused);
}
PROGRAM(has_fewer_ps)
{
  struct rlimit limit;
  for (int round = 0; round < 10; round++) {
    rt_waitgroup_add(&wg, 3000);
    for (int i = 0; i < 3000; i++)
      rt_go(nap_and_be_done, NULL);
    rt_waitgroup_wait(&wg);
  }
  rt_gomaxprocs(1);
  getrlimit(RLIMIT_AS, &limit);
  limit.rlim_cur = mapped() + (1u << 20);
  setrlimit(RLIMIT_AS, &limit);
  never = rt_chan_new(1, 0);
  long started = 0;
  int error;
  while ((error = rt_go(be_up, NULL)) == 0)
    started++;
  while (n_up < started)
    rt_yield();
  printf("%d\n", error);
  return 0;
}

static void a_promise_of_stacks_holds_with_fewer_ps(void **state)
{
  (void)state;
#if defined(SWITCH_ASAN) || defined(SWITCH_TSAN)
  skip();
#endif
  assert_child_prints(with_one_heap, &(struct main_function){ has_fewer_ps }, 32, "-12\n");
}

/* The mappings are used up: guards must do without. */
PROGRAM(uses_up_the_mappings)
{
  size_t page = (size_t)sysconf(_SC_PAGESIZE), n = os_max_map_count() * 2;
  stack_guard_by(GUARD_MPROTECT);
  char *all = mmap(NULL, n * page, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (all == MAP_FAILED)
    abort();
  size_t i = 0;
  while (i < n && mprotect(all + i * page, page, PROT_NONE) == 0)
    i += 2;
  long started = 0, refused = 0;
  never = rt_chan_new(1, 0);
  for (int k = 0; k < 3000; k++)
    rt_go(park, NULL) == 0 ? started++ : refused++;
  for (int k = 0; k < 10; k++)
    rt_yield(); /* each runs, so each has its stack */
  munmap(all, n * page);
  rt_chan_close(never);
  while (rt_num_goroutine() > 1)
    rt_yield();
  printf("%d %ld\n", i < n, started + refused);
  return 0;
}

static void without_mappings_stacks_are_guarded_otherwise(void **state)
{
  (void)state;
#if defined(SWITCH_ASAN) || defined(SWITCH_TSAN)
  skip(); /* which want some for themselves */
#endif
  if (os_max_map_count() > 1000000)
    skip(); /* more than one can use up */
  assert_prints(uses_up_the_mappings, 2, "1 3000\n");
}

static struct rlimit descriptors(rlim_t n)
{
  struct rlimit before, now;
  getrlimit(RLIMIT_NOFILE, &before);
  now = before;
  now.rlim_cur = n;
  setrlimit(RLIMIT_NOFILE, &now);
  return before;
}

static void without_descriptors_rt_run_says_so(void **state)
{
  (void)state;
  struct rlimit before = descriptors(3);
  int error = rt_run(count_up, NULL, NULL);
  setrlimit(RLIMIT_NOFILE, &before);
  assert_int_equal(error, -EMFILE);
  assert_int_equal(rt_run(count_up, NULL, NULL), 0);
}

int main(void)
{
  fail_share();
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(memory_that_is_refused_is_told),
    cmocka_unit_test(mappings_that_are_refused_are_told),
    cmocka_unit_test(threads_that_are_refused_are_done_without),
    cmocka_unit_test(without_a_poller_nothing_starts),
    cmocka_unit_test(out_of_threads_for_good_the_process_ends_in_gos_words),
    cmocka_unit_test(a_refusal_of_threads_that_ends_is_survived),
    cmocka_unit_test(who_still_runs_is_not_killed_for_want_of_threads),
    cmocka_unit_test(a_full_address_space_is_told_by_rt_go),
    cmocka_unit_test(stacks_leave_as_much_room_as_they_take),
    cmocka_unit_test(a_promise_of_stacks_holds_with_fewer_ps),
    cmocka_unit_test(without_mappings_stacks_are_guarded_otherwise),
    cmocka_unit_test(without_descriptors_rt_run_says_so),
  };
  return cmocka_run_group_tests_name("limits", tests, NULL, NULL);
}
