/* SPDX-License-Identifier: MIT */
/* test-preempt.c - preemption by signal: where it happens, where it must not, and whom else SIGURG belongs to.
 *
 * Every hog ends when it is told to, or after so many rounds, so that a preemption that does not happen is a failure
 * and not a hang.
 */
#include "nag.h"

#include <dlfcn.h>
#include <errno.h>
#include <signal.h>
#include <stdatomic.h>

#define ALLOCATORS 12
#define ENOUGH     20000000000ul /* rounds of a hog that nobody stops: ten seconds and more */

static struct rt_waitgroup wg;
static atomic_bool stop;
static atomic_long count;

/* ---- where it must not happen ---- */

static RT_PREEMPTIBLE void allocate(long rounds)
{
  for (long i = 0; i < rounds && !atomic_load(&stop); i++) {
    char *volatile p = malloc((size_t)(i % 300) + 1);
    p[0] = (char)i;
    free(p);
  }
}
static void allocate_some(void *unused)
{
  (void)unused;
  allocate(1000000);
  rt_waitgroup_done(&wg);
}
PROGRAM(allocates)
{
  rt_waitgroup_add(&wg, ALLOCATORS);
  for (int i = 0; i < ALLOCATORS; i++)
    rt_go(allocate_some, NULL);
  nag_begin();
  rt_waitgroup_wait(&wg);
  nag_end();
  printf("%s, %s\n", landed(TRACE_REFUSAL_NOT_MARKED) > 0 ? "refused" : "never refused",
         landed(TRACE_REFUSAL_NONE) > 0 ? "taken" : "never taken");
  return 0;
}
/* Everything is marked: malloc, the runtime, all. */
PROGRAM(allocates_unchecked)
{
  rt_preemptible_add((void *)4096, (void *)(UINTPTR_MAX / 2));
  alarm(20);
  return allocates(argc, argv);
}

static void malloc_is_never_interrupted(void **state)
{
  (void)state;
  skip_where_it_is_off();
  struct outcome o = run_program(allocates, 3);
  assert_string_equal(o.err, "");
  assert_string_equal(o.out, "refused, taken\n");
  assert_int_equal(o.code, 0);
}

static void without_the_check_of_the_pc_malloc_breaks(void **state)
{
  (void)state;
  skip_where_it_is_off();
  int n_broken = 0;
  for (int i = 0; i < 30 && n_broken == 0; i++) /* mostly the first; not on a busy machine */
    n_broken += run_program(allocates_unchecked, 3).code != 0;
  assert_true(n_broken > 0);
}

static RT_PREEMPTIBLE unsigned long spin(unsigned long rounds)
{
  unsigned long i = 0;
  while (i < rounds && !atomic_load_explicit(&stop, memory_order_relaxed))
    i++;
  return i;
}

static RT_PREEMPTIBLE unsigned long spin_deep_down(unsigned long rounds)
{
  volatile char much[6000];
  much[0] = 1;
  return spin(rounds) + (unsigned long)much[0];
}
static void use_the_stack(void *unused)
{
  spin_deep_down(200000000);
  (void)unused;
  rt_waitgroup_done(&wg);
}
static void on_small_stacks(void *unused)
{
  (void)unused;
  rt_waitgroup_add(&wg, 1);
  rt_go(use_the_stack, NULL);
  nag_begin();
  rt_waitgroup_wait(&wg);
  nag_end();
}
static void with_too_little_stack_left_it_is_refused(void **state)
{
  (void)state;
  skip_where_it_is_off();
  struct rt_options options = { .maxprocs = 2, .stack_size = 16384 };
  uint64_t before = landed(TRACE_REFUSAL_STACK), taken = landed(TRACE_REFUSAL_NONE);
  assert_int_equal(rt_run(on_small_stacks, NULL, &options), 0);
  assert_true(landed(TRACE_REFUSAL_STACK) > before);
  assert_int_equal(landed(TRACE_REFUSAL_NONE), taken);
}

/* ---- what it is good for ---- */

static struct rt_waitgroup begun;

/* Who waits for begun runs again only when the hog is off the P, or on another P. */
static void hog(void *unused)
{
  rt_waitgroup_done(&begun);
  if (spin(ENOUGH) == ENOUGH)
    printf("a hog had enough\n");
  (void)unused;
  rt_waitgroup_done(&wg);
}
static void stop_the_hogs(void *unused)
{
  (void)unused;
  atomic_store(&stop, true);
  rt_waitgroup_done(&wg);
}

PROGRAM(starves_nobody)
{
  rt_waitgroup_add(&begun, 1);
  rt_waitgroup_add(&wg, 2);
  rt_go(hog, NULL);
  rt_waitgroup_wait(&begun);
  rt_go(stop_the_hogs, NULL);
  rt_waitgroup_wait(&wg);
  printf("%s by signal\n", landed(TRACE_REFUSAL_NONE) >= 1 ? "stopped" : "not stopped");
  return 0;
}
static void a_hog_on_the_only_p_lets_others_run(void **state)
{
  (void)state;
  skip_where_it_is_off();
  assert_prints(starves_nobody, 1, "stopped by signal\n");
}

static void sleep_then_stop(void *unused)
{
  rt_sleep(1000000);
  stop_the_hogs(unused);
}
PROGRAM(lets_timers_run)
{
  rt_waitgroup_add(&begun, 2);
  rt_waitgroup_add(&wg, 3);
  rt_go(sleep_then_stop, NULL);
  rt_go(hog, NULL);
  rt_go(hog, NULL);
  rt_waitgroup_wait(&wg);
  puts("done");
  return 0;
}
static void a_sleeper_wakes_among_hogs(void **state)
{
  (void)state;
  skip_where_it_is_off();
  assert_prints(lets_timers_run, 1, "done\n");
  assert_prints(lets_timers_run, 2, "done\n");
}

static void calling_hog(void *unused)
{
  (void)unused;
  for (unsigned long i = 0; i < ENOUGH && !atomic_load(&stop); i++)
    rt_safepoint();
  rt_waitgroup_done(&wg);
}
PROGRAM(stops_at_a_call)
{
  rt_waitgroup_add(&wg, 1);
  rt_go(calling_hog, NULL);
  for (int i = 0; i < 3; i++)
    rt_yield();
  atomic_store(&stop, true);
  rt_waitgroup_wait(&wg);
  printf("taken by signal: %lu\n", landed(TRACE_REFUSAL_NONE));
  return 0;
}
static void a_hog_that_calls_stops_at_a_call(void **state)
{
  (void)state;
  assert_prints(stops_at_a_call, 1, "taken by signal: 0\n");
}

PROGRAM(stops_the_world)
{
  rt_waitgroup_add(&begun, 3);
  rt_waitgroup_add(&wg, 3);
  for (int i = 0; i < 3; i++)
    rt_go(hog, NULL);
  for (int i = 0; i < 200; i++) {
    rt_stop_the_world("test");
    atomic_fetch_add(&count, 1);
    rt_start_the_world();
    if (i % 50 == 0)
      rt_gc();
  }
  atomic_store(&stop, true);
  rt_waitgroup_wait(&wg);
  printf("%ld times\n", atomic_load(&count));
  return 0;
}
static void the_world_stops_while_hogs_run(void **state)
{
  (void)state;
  skip_where_it_is_off();
  FOR_PROCS(n)
  assert_prints(stops_the_world, n, "200 times\n");
}

static void deferred_hog(void *unused)
{
  struct rt_value why;
  bool is_recovered = rt_recover(&why);
  rt_waitgroup_done(&begun);
  if (!is_recovered || spin(ENOUGH) == ENOUGH)
    puts("wrong");
  (void)unused;
}
static int panics(int unused)
{
  (void)unused;
  int result = 7;
  RT_FRAME(fr, { return result; });
  RT_DEFER(fr, deferred_hog, NULL);
  rt_panic("boom");
}
static void defers(void *unused)
{
  (void)unused;
  if (panics(0) == 7)
    puts("recovered");
  rt_waitgroup_done(&wg);
}
PROGRAM(preempts_a_deferred_call)
{
  rt_waitgroup_add(&begun, 1);
  rt_waitgroup_add(&wg, 1);
  rt_go(defers, NULL);
  rt_waitgroup_wait(&begun);
  atomic_store(&stop, true);
  rt_waitgroup_wait(&wg);
  puts(landed(TRACE_REFUSAL_NONE) > 0 ? "stopped by signal" : "not stopped");
  return 0;
}
static void a_deferred_call_is_preempted_in_the_middle_of_a_recovery(void **state)
{
  (void)state;
  skip_where_it_is_off();
  assert_prints(preempts_a_deferred_call, 1, "recovered\nstopped by signal\n");
}

PROGRAM(dumps_the_stopped)
{
  rt_waitgroup_add(&begun, 1);
  rt_waitgroup_add(&wg, 1);
  rt_go_named("the hog", hog, NULL);
  rt_waitgroup_wait(&begun);
  rt_stack_dump(1, true);
  atomic_store(&stop, true);
  rt_waitgroup_wait(&wg);
  return 0;
}
static void a_dump_shows_where_a_g_was_stopped(void **state)
{
  (void)state;
  skip_where_it_is_off();
  struct outcome o = run_program(dumps_the_stopped, 1);
  assert_int_equal(o.code, 0);
  const char *g = strstr(o.out, "labels:{\"name\": \"the hog\"}");
  assert_non_null(g);
  g = strstr(g, "asyncPreempt");
  assert_non_null(g);
  assert_non_null(strstr(g, "spin(...)")); /* its caller is missing: a leaf has no frame */
}

/* ---- SIGURG's other owners ---- */

static atomic_long n_urg;
static void on_urg(int number)
{
  (void)number;
  atomic_fetch_add(&n_urg, 1);
  errno = EBADF;
}
PROGRAM(has_a_handler)
{
  rt_waitgroup_add(&begun, 1);
  rt_waitgroup_add(&wg, 1);
  rt_go(hog, NULL);
  long before = atomic_load(&n_urg);
  raise(SIGURG);
  puts(atomic_load(&n_urg) > before ? "called" : "not called");
  rt_waitgroup_wait(&begun);
  puts(landed(TRACE_REFUSAL_NONE) > 0 ? "stopped by signal" : "not stopped");
  atomic_store(&stop, true);
  rt_waitgroup_wait(&wg);
  return 0;
}
static void the_programs_own_handler_is_still_called(void **state)
{
  (void)state;
  skip_where_it_is_off();
  signal(SIGURG, on_urg);
  assert_prints(has_a_handler, 1, "called\nstopped by signal\n");
  signal(SIGURG, SIG_DFL);
}

static void do_nothing(void *unused)
{
  (void)unused;
}
static void after_a_run_sigurg_is_as_it_was(void **state)
{
  (void)state;
  struct sigaction after;
  sigset_t urg, mask;
  sigemptyset(&urg);
  sigaddset(&urg, SIGURG);
  signal(SIGURG, on_urg);
  pthread_sigmask(SIG_BLOCK, &urg, NULL);
  assert_int_equal(rt_run(do_nothing, NULL, NULL), 0);
  pthread_sigmask(SIG_UNBLOCK, &urg, &mask);
  sigaction(SIGURG, NULL, &after);
  signal(SIGURG, SIG_DFL);
  assert_true(after.sa_handler == on_urg);
  assert_true(sigismember(&mask, SIGURG));
}

PROGRAM(may_not_signal)
{
  rt_waitgroup_add(&wg, 1);
  rt_go(calling_hog, NULL);
  nag_begin();
  for (int i = 0; i < 100; i++)
    rt_yield();
  nag_end();
  atomic_store(&stop, true);
  rt_waitgroup_wait(&wg);
  printf("%lu sent: %s\n", atomic_load(&preempt_stats.sent), preempt_off_because());
  return 0;
}
static void asyncpreemptoff_sends_no_signal(void **state)
{
  (void)state;
  setenv("RT_DEBUG", "asyncpreemptoff=1", 1);
  struct outcome o = run_program(may_not_signal, 1);
  unsetenv("RT_DEBUG");
  assert_string_equal(o.err, "");
  assert_string_equal(o.out, "0 sent: RT_DEBUG says asyncpreemptoff=1\n");
  assert_int_equal(o.code, 0);
}

/* ---- marked code of libraries ---- */

static unsigned long (*spin_in_library)(const atomic_bool *stop, unsigned long rounds);
static void hog_in_library(void *unused)
{
  (void)unused;
  rt_waitgroup_done(&begun);
  if (spin_in_library(&stop, ENOUGH) == ENOUGH)
    puts("a hog had enough");
  rt_waitgroup_done(&wg);
}
PROGRAM(spins_in_a_library)
{
  char path[512];
  snprintf(path, sizeof path, "%s/tests/runtime/libmarked-library.so", getenv("GMPSCOPE_BUILD"));
  void *library = dlopen(path, RTLD_NOW);
  if (!library) {
    puts(dlerror());
    return 1;
  }
  *(void **)&spin_in_library = dlsym(library, "spin_in_library");
  rt_waitgroup_add(&begun, 1);
  rt_waitgroup_add(&wg, 1);
  rt_go(hog_in_library, NULL);
  rt_waitgroup_wait(&begun);
  atomic_store(&stop, true);
  rt_waitgroup_wait(&wg);
  puts(landed(TRACE_REFUSAL_NONE) > 0 ? "stopped by signal" : "not stopped");
  dlclose(library);
  return 0;
}
static void code_of_a_library_that_is_loaded_late_is_marked(void **state)
{
  (void)state;
  skip_where_it_is_off();
  assert_prints(spins_in_a_library, 1, "stopped by signal\n");
}

static void short_hog(void *unused)
{
  (void)unused;
  spin(ENOUGH / 20);
  rt_waitgroup_done(&wg);
}
PROGRAM(spins_unmarked)
{
  rt_preemptible_remove(rt_preemptible_start_);
  rt_preemptible_add((void *)1, (void *)2); /* without any mark no signal is sent at all */
  rt_waitgroup_add(&wg, 1);
  rt_go(short_hog, NULL);
  nag_begin();
  rt_waitgroup_wait(&wg);
  nag_end();
  printf("%s, %lu by signal\n", landed(TRACE_REFUSAL_NOT_MARKED) > 0 ? "refused" : "not refused",
         landed(TRACE_REFUSAL_NONE));
  return 0;
}
static void code_that_is_not_marked_any_more_is_not_stopped(void **state)
{
  (void)state;
  skip_where_it_is_off();
  assert_prints(spins_unmarked, 1, "refused, 0 by signal\n");
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(malloc_is_never_interrupted),
    cmocka_unit_test(without_the_check_of_the_pc_malloc_breaks),
    cmocka_unit_test(a_hog_on_the_only_p_lets_others_run),
    cmocka_unit_test(a_sleeper_wakes_among_hogs),
    cmocka_unit_test(a_hog_that_calls_stops_at_a_call),
    cmocka_unit_test(the_world_stops_while_hogs_run),
    cmocka_unit_test(a_deferred_call_is_preempted_in_the_middle_of_a_recovery),
    cmocka_unit_test(a_dump_shows_where_a_g_was_stopped),
    cmocka_unit_test(the_programs_own_handler_is_still_called),
    cmocka_unit_test(asyncpreemptoff_sends_no_signal),
    cmocka_unit_test(code_of_a_library_that_is_loaded_late_is_marked),
    cmocka_unit_test(code_that_is_not_marked_any_more_is_not_stopped),
    /* Last: they run in this process, and leave counts and traces of threads to whoever is forked later. */
    cmocka_unit_test(with_too_little_stack_left_it_is_refused),
    cmocka_unit_test(after_a_run_sigurg_is_as_it_was),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
