/* SPDX-License-Identifier: MIT */
/* test-doors.c - every function of rt.h that needs a G says so where there is none; the others work anywhere.
 *
 * Each is called on a thread that the runtime does not know, while a run is on elsewhere and without one.
 */
#include "doors.h"
#include "program.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>

static struct rt_chan *chan;
static struct rt_timer *timer;
static struct rt_ticker *ticker;
static struct rt_mutex locked;
static struct rt_rwmutex write_locked;
static struct rt_waitgroup pending;
static struct rt_sem none_left;
static struct rt_cond cond;
static struct rt_once once;

/* What a G waits for, so that a call must make it ready. */
static struct rt_chan *awaited_chan;
static struct rt_mutex awaited_mutex, awaited_cond_mutex;
static struct rt_rwmutex awaited_rwmutex;
static struct rt_waitgroup awaited_group;
static struct rt_sem awaited_sem;
static struct rt_cond awaited_cond;

static void count(uint64_t goid, const void *lo, const void *hi, void *n)
{
  (void)goid, (void)lo, (void)hi;
  ++*(int *)n;
}
static void yield(uint64_t goid, const void *lo, const void *hi, void *arg)
{
  (void)goid, (void)lo, (void)hi, (void)arg;
  rt_yield();
}

#define DOOR(name, call)                                                                           \
  static void name(void)                                                                           \
  {                                                                                                \
    call;                                                                                          \
  }
DOOR(go, rt_go(nothing, NULL))
DOOR(go_named, rt_go_named("x", nothing, NULL))
DOOR(yields, rt_yield())
DOOR(goexits, rt_goexit())
DOOR(gomaxprocs, rt_gomaxprocs(3))
DOOR(lock_thread, rt_lock_os_thread())
DOOR(unlock_thread, rt_unlock_os_thread())
DOOR(safepoint, rt_safepoint())
DOOR(sleeps, rt_sleep(1000))
DOOR(after_func, rt_after_func(1000, nothing, NULL))
DOOR(timer_stop, rt_timer_stop(timer))
DOOR(timer_reset, rt_timer_reset(timer, 1000))
DOOR(timer_free, rt_timer_free(timer))
DOOR(after, rt_after(1000))
DOOR(ticker_new, rt_ticker_new(1000))
DOOR(ticker_stop, rt_ticker_stop(ticker))
DOOR(ticker_reset, rt_ticker_reset(ticker, 1000))
DOOR(ticker_free, rt_ticker_free(ticker))
DOOR(chan_send, rt_chan_send(chan, &(int){ 1 }))
DOOR(chan_recv, rt_chan_recv(chan, NULL))
DOOR(chan_try_send, rt_chan_try_send(chan, &(int){ 1 }))
DOOR(chan_try_recv, rt_chan_try_recv(chan, NULL, NULL))
DOOR(chan_send_nil, rt_chan_send(NULL, NULL))
DOOR(select_one, rt_select(&(struct rt_case){ .chan = chan, .dir = RT_RECV }, 1))
DOOR(select_none, rt_select(NULL, 0))
DOOR(select_default, rt_select_default(&(struct rt_case){ .chan = chan, .dir = RT_RECV }, 1))
DOOR(mutex_lock, rt_mutex_lock(&locked))
DOOR(rwmutex_lock, rt_rwmutex_lock(&write_locked))
DOOR(rwmutex_rlock, rt_rwmutex_rlock(&write_locked))
DOOR(once_do, rt_once_do(&once, nothing, NULL))
DOOR(waitgroup_wait, rt_waitgroup_wait(&pending))
DOOR(cond_wait, rt_cond_wait(&cond))
DOOR(sem_acquire, rt_sem_acquire(&none_left))
DOOR(entersyscall, rt_entersyscall())
DOOR(exitsyscall, rt_exitsyscall())
DOOR(blocking, rt_blocking(same, NULL))
DOOR(listens, rt_accept(rt_listen("127.0.0.1:0"), 0))
DOOR(reads, rt_read(0, &(char){ 0 }, 1, 0))
DOOR(writes, rt_write(1, "x", 1, 0))
DOOR(closes, rt_close(0))
DOOR(dials, rt_dial("127.0.0.1:1", 0))
DOOR(chan_close, rt_chan_close(awaited_chan))
DOOR(mutex_unlock, rt_mutex_unlock(&awaited_mutex))
DOOR(mutex_try_lock, rt_mutex_try_lock(&locked))
DOOR(rwmutex_unlock, rt_rwmutex_unlock(&awaited_rwmutex))
DOOR(waitgroup_done, rt_waitgroup_done(&awaited_group))
DOOR(cond_signal, rt_cond_signal(&awaited_cond))
DOOR(cond_broadcast, rt_cond_broadcast(&awaited_cond))
DOOR(sem_release, rt_sem_release(&awaited_sem))
DOOR(panics_with_value, rt_panic_value((struct rt_value){ .type = "int", .i = 1 }))
DOOR(panics, rt_panic("x"))
DOOR(dumps, rt_stack_dump(2, true))
DOOR(stops_world, rt_stop_the_world("x"))
DOOR(starts_world, rt_start_the_world())
DOOR(gc, rt_gc())
DOOR(scans, rt_scan_stacks(visit, NULL))

static const struct door {
  const char *name;
  void (*call)(void);
} doors[] = {
#define ENTRY(name)                                                                                \
  {                                                                                                \
#name, name                                                                                    \
  }
  ENTRY(go),
  ENTRY(go_named),
  ENTRY(yields),
  ENTRY(goexits),
  ENTRY(gomaxprocs),
  ENTRY(lock_thread),
  ENTRY(unlock_thread),
  ENTRY(safepoint),
  ENTRY(sleeps),
  ENTRY(after_func),
  ENTRY(timer_stop),
  ENTRY(timer_reset),
  ENTRY(timer_free),
  ENTRY(after),
  ENTRY(ticker_new),
  ENTRY(ticker_stop),
  ENTRY(ticker_reset),
  ENTRY(ticker_free),
  ENTRY(chan_send),
  ENTRY(chan_recv),
  ENTRY(chan_try_send),
  ENTRY(chan_try_recv),
  ENTRY(chan_send_nil),
  ENTRY(select_one),
  ENTRY(select_none),
  ENTRY(select_default),
  ENTRY(mutex_lock),
  ENTRY(rwmutex_lock),
  ENTRY(rwmutex_rlock),
  ENTRY(once_do),
  ENTRY(waitgroup_wait),
  ENTRY(cond_wait),
  ENTRY(sem_acquire),
  ENTRY(entersyscall),
  ENTRY(exitsyscall),
  ENTRY(blocking),
  ENTRY(listens),
  ENTRY(reads),
  ENTRY(writes),
  ENTRY(closes),
  ENTRY(dials),
  ENTRY(chan_close),
  ENTRY(mutex_unlock),
  ENTRY(mutex_try_lock),
  ENTRY(rwmutex_unlock),
  ENTRY(waitgroup_done),
  ENTRY(cond_signal),
  ENTRY(cond_broadcast),
  ENTRY(sem_release),
  ENTRY(panics_with_value),
  ENTRY(panics),
  ENTRY(dumps),
  ENTRY(stops_world),
  ENTRY(starts_world),
  ENTRY(gc),
  ENTRY(scans),
};
#define N_DOORS ((int)(sizeof doors / sizeof *doors))

static _Atomic int chosen;

static void *call_it(void *unused)
{
  doors[chosen].call();
  return unused;
}
static void *join(void *thread)
{
  pthread_join(*(pthread_t *)thread, NULL);
  return NULL;
}

static void await(void *what)
{
  if (what == &awaited_chan)
    rt_chan_recv(awaited_chan, NULL);
  else if (what == &awaited_mutex)
    rt_mutex_lock(&awaited_mutex);
  else if (what == &awaited_rwmutex)
    rt_rwmutex_lock(&awaited_rwmutex);
  else if (what == &awaited_group)
    rt_waitgroup_wait(&awaited_group);
  else if (what == &awaited_sem)
    rt_sem_acquire(&awaited_sem);
  else {
    rt_mutex_lock(&awaited_cond_mutex);
    rt_cond_wait(&awaited_cond);
  }
}

/* A G parks on each. */
static void start_waiters(void)
{
  awaited_chan = rt_chan_new(0, 0);
  rt_mutex_lock(&awaited_mutex);
  rt_rwmutex_lock(&awaited_rwmutex);
  rt_waitgroup_add(&awaited_group, 1);
  rt_cond_init(&awaited_cond, &awaited_cond_mutex);
  rt_gomaxprocs(1);
  rt_go(await, &awaited_chan);
  rt_go(await, &awaited_mutex);
  rt_go(await, &awaited_rwmutex);
  rt_go(await, &awaited_group);
  rt_go(await, &awaited_sem);
  rt_go(await, &awaited_cond);
  rt_yield(); /* the only P: all have run when this G does again */
  rt_gomaxprocs(2);
}

static void prepare(void)
{
  start_waiters();
  chan = rt_chan_new(sizeof(int), 0);
  timer = rt_after_func(60000000000, nothing, NULL);
  ticker = rt_ticker_new(60000000000);
  rt_mutex_lock(&locked);
  rt_rwmutex_lock(&write_locked);
  rt_waitgroup_add(&pending, 1);
  rt_sem_init(&none_left, 0);
  rt_cond_init(&cond, &locked);
}

PROGRAM(calls_from_outside)
{
  pthread_t thread;
  prepare();
  alarm(20);
  pthread_create(&thread, NULL, call_it, NULL);
  rt_blocking(join, &thread);
  return 0;
}

static bool says_so(const struct outcome *o)
{
  return o->code == 2 &&
         strstr(o->err, " called on a thread that runs no goroutine; call it from "
                        "inside rt_main or rt_run\nfatal error: not on a goroutine\n");
}

static void what_needs_a_g_says_so_on_another_thread(void **state)
{
  int n_silent = 0;
  (void)state;
  for (int i = 0; i < N_DOORS; i++) {
    atomic_store(&chosen, i);
    struct outcome o = run_program(calls_from_outside, 2);
    bool is_panic = doors[i].call == panics || doors[i].call == panics_with_value;
    bool panics_at_least = is_panic && o.code == 2 && strstr(o.err, "panic on system stack");
    if (says_so(&o) || panics_at_least)
      continue;
    o.err[200] = '\0';
    print_message("# %s: code %d: %s\n", doors[i].name, o.code, o.err);
    n_silent++;
  }
  assert_int_equal(n_silent, 0);
}

static void what_works_anywhere_works_without_a_run(void **state)
{
  struct rt_value value;
  (void)state;
  assert_int_equal(rt_goid(), 0);
  assert_true(rt_now() > 0);
  rt_num_goroutine();
  rt_set_traceback("all");
  assert_false(rt_recover(&value));
  struct rt_chan *c = rt_chan_new(8, 2);
  assert_int_equal(rt_chan_cap(c), 2);
  assert_int_equal(rt_chan_len(c), 0);
  rt_name(c, "c");
  rt_task_end(rt_task_begin("task"));
  rt_region_begin("region");
  rt_region_end();
  rt_log("category", "%d", 1);
  rt_chan_free(c);
  rt_timer_free(NULL);
  rt_ticker_free(NULL);
}

PROGRAM(stops_twice)
{
  rt_stop_the_world("once");
  rt_stop_the_world("twice");
  return 0;
}
PROGRAM(starts_what_runs)
{
  rt_start_the_world();
  return 0;
}
static void the_world_is_stopped_once_and_started_after_that(void **state)
{
  (void)state;
  assert_dies(stops_twice, "",
              "fatal error: rt_stop_the_world: this goroutine has stopped it already\n");
  assert_dies(starts_what_runs, "",
              "fatal error: rt_start_the_world: this goroutine has not stopped it\n");
}

PROGRAM(changes_the_ps_of_a_stopped_world)
{
  rt_stop_the_world("once");
  rt_gomaxprocs(7);
  return 0;
}
PROGRAM(looks_at_a_stopped_world)
{
  int n = 0;
  rt_stop_the_world("to look");
  rt_scan_stacks(count, &n);
  rt_gc();
  rt_stack_dump(1, true);
  printf("%d\n", n);
  rt_start_the_world();
  return 0;
}
static void a_stopped_world_may_be_looked_at_and_not_changed(void **state)
{
  (void)state;
  struct outcome o = run_program(looks_at_a_stopped_world, 2);
  assert_memory_equal(o.out, "goroutine 1 [running]:\n", 23);
  assert_string_equal(o.out + strlen(o.out) - 3, "\n1\n");
  assert_dies(changes_the_ps_of_a_stopped_world, "",
              "fatal error: rt_gomaxprocs: this goroutine has stopped the world; start it first\n");
}

/* ---- what must not be called just then ---- */

#define IN_A_CALL(name, call)                                                                      \
  PROGRAM(name)                                                                                    \
  {                                                                                                \
    rt_entersyscall();                                                                             \
    call;                                                                                          \
    return 0;                                                                                      \
  }
IN_A_CALL(enters_twice, rt_entersyscall())
IN_A_CALL(receives_in_a_call, rt_chan_recv(NULL, NULL))
IN_A_CALL(sleeps_in_a_call, rt_sleep(1000))
IN_A_CALL(yields_in_a_call, rt_yield())
IN_A_CALL(ends_in_a_call, rt_goexit())
IN_A_CALL(panics_in_a_call, rt_panic("lost"))

static atomic_bool p_is_taken;
static void take_p(void *unused)
{
  (void)unused;
  atomic_store(&p_is_taken, true);
}
static void ignore(void *unused)
{
  (void)unused;
}
/* Until another G runs on the one P. */
static void enter_and_lose_p(void)
{
  rt_gomaxprocs(1);
  rt_go(take_p, NULL);
  rt_entersyscall();
  while (!atomic_load(&p_is_taken))
    sched_yield();
}
/* With deferred calls of all kinds. */
#define WITHOUT_P(name, call)                                                                      \
  PROGRAM(name)                                                                                    \
  {                                                                                                \
    RT_FRAME(fr, { return 0; });                                                                   \
    RT_DEFER(fr, ignore, NULL);                                                                    \
    for (int i = 0; i < 3; i++)                                                                    \
      RT_DEFER_LOOP(fr, ignore, NULL);                                                             \
    enter_and_lose_p();                                                                            \
    call;                                                                                          \
    return 0;                                                                                      \
  }
WITHOUT_P(panics_without_p, rt_panic("lost"))
WITHOUT_P(ends_without_p, rt_goexit())
WITHOUT_P(returns_without_p, (void)0)
WITHOUT_P(defers_without_p, RT_DEFER(fr, ignore, NULL))
static void *defer_some(void *unused)
{
  RT_FRAME(fr, { return NULL; });
  for (int i = 0; i < 3; i++)
    RT_DEFER_LOOP(fr, ignore, NULL);
  return unused;
}
WITHOUT_P(defers_pooled_without_p, defer_some(NULL))
PROGRAM(leaves_without_entering)
{
  rt_exitsyscall();
  return 0;
}
/* The panic is told as well. */
static void assert_panics_in_a_call(int (*fn)(int, char **), const char *words)
{
  char lines[256];
  snprintf(lines, sizeof lines, "panic: lost\n%s", words);
  assert_dies(fn, "", lines);
}
static void between_enter_and_exit_nothing_may_be_called(void **state)
{
  static const char *const words =
      "fatal error: a function of rt.h was called between rt_entersyscall and rt_exitsyscall\n";
  (void)state;
  assert_dies(enters_twice, "", words);
  assert_dies(receives_in_a_call, "", words);
  assert_dies(sleeps_in_a_call, "", words);
  assert_dies(yields_in_a_call, "", words);
  assert_dies(ends_in_a_call, "", words);
  assert_dies(ends_without_p, "", words);
  assert_dies(returns_without_p, "", words);
  assert_dies(defers_without_p, "", words);
  assert_dies(defers_pooled_without_p, "", words);
  assert_panics_in_a_call(panics_in_a_call, words);
  assert_panics_in_a_call(panics_without_p, words);
  assert_dies(leaves_without_entering, "",
              "fatal error: rt_exitsyscall: this goroutine is in no system call\n");
}

#define IN_A_STOPPED_WORLD(name, call)                                                             \
  PROGRAM(name)                                                                                    \
  {                                                                                                \
    rt_stop_the_world("test");                                                                     \
    call;                                                                                          \
    return 0;                                                                                      \
  }
IN_A_STOPPED_WORLD(receives_in_a_stopped_world, rt_chan_recv(NULL, NULL))
IN_A_STOPPED_WORLD(sleeps_in_a_stopped_world, rt_sleep(1000))
IN_A_STOPPED_WORLD(yields_in_a_stopped_world, rt_yield())
IN_A_STOPPED_WORLD(ends_in_a_stopped_world, rt_goexit())
PROGRAM(yields_in_a_visit)
{
  rt_scan_stacks(yield, NULL);
  return 0;
}
#define MUST_NOT                                                                                   \
  "fatal error: a goroutine that has stopped the world must not wait, yield or end before it "     \
  "starts it\n"
static void who_has_stopped_the_world_must_not_give_way(void **state)
{
  (void)state;
  assert_dies(receives_in_a_stopped_world, "", MUST_NOT);
  assert_dies(sleeps_in_a_stopped_world, "", MUST_NOT);
  assert_dies(yields_in_a_stopped_world, "", MUST_NOT);
  assert_dies(ends_in_a_stopped_world, "", MUST_NOT "\ngoroutine 1 [running]:\n");
  assert_dies(yields_in_a_visit, "", MUST_NOT);
}

static void *quit(void *unused)
{
  kill(getpid(), SIGQUIT);
  pause();
  return unused;
}
static void *quit_on_another_thread(void *unused)
{
  pthread_t thread;
  sigset_t all;
  pthread_create(&thread, NULL, quit, NULL);
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, NULL);
  pause();
  return unused;
}
PROGRAM(gets_sigquit_on_a_foreign_thread)
{
  rt_blocking(quit_on_another_thread, NULL);
  return 0;
}
static void sigquit_dumps_on_whichever_thread_it_comes(void **state)
{
  (void)state;
  for (int i = 0; i < 5; i++) {
    struct outcome o = run_program(gets_sigquit_on_a_foreign_thread, 1);
    assert_int_equal(o.code, 2);
    assert_non_null(strstr(o.err, "goroutine 1 gp=0x"));
    assert_non_null(strstr(o.err, " [syscall]:\n"));
    assert_null(strstr(o.err, "panic during panic"));
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(what_needs_a_g_says_so_on_another_thread),
    cmocka_unit_test(what_works_anywhere_works_without_a_run),
    cmocka_unit_test(the_world_is_stopped_once_and_started_after_that),
    cmocka_unit_test(a_stopped_world_may_be_looked_at_and_not_changed),
    cmocka_unit_test(between_enter_and_exit_nothing_may_be_called),
    cmocka_unit_test(who_has_stopped_the_world_must_not_give_way),
    cmocka_unit_test(sigquit_dumps_on_whichever_thread_it_comes),
  };
  return cmocka_run_group_tests_name("doors", tests, NULL, NULL);
}
