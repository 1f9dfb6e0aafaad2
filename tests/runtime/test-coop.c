/* SPDX-License-Identifier: MIT */
/* test-coop.c - a G that was asked to stop does so at its next call of rt.h, whichever that is.
 *
 * One P, and another G that waits to run. Each function is called alone (of a pair
 * like lock and unlock, too: what is locked is a copy). What rt.h declares and the table lacks fails the test.
 */
#include "doors.h"
#include "program.h"

#include "proc.h"

#include <sys/socket.h>

#define LATE (rt_now() - 1)

static struct rt_chan *made, *closed;
static struct rt_timer *timer;
static struct rt_ticker *ticker;
static struct rt_mutex mutex, locked, of_cond;
static struct rt_rwmutex rw, read_locked, write_locked;
static struct rt_once once;
static struct rt_waitgroup group;
static struct rt_cond cond, nobody_waits;
static struct rt_sem sem;
static int at_end, to_write,
    listener; /* descriptors: whose peer has gone; where there is room; that nobody calls */
static atomic_bool other_has_run;

static struct rt_chan *with_room(void)
{
  static struct rt_chan *chan;
  rt_chan_free(chan);
  chan = rt_chan_new(1, 1);
  return chan;
}
static struct rt_case *a_case(void)
{
  static struct rt_case c;
  c = (struct rt_case){ .chan = closed, .dir = RT_RECV };
  return &c;
}
static void recover(void *unused)
{
  (void)unused;
  rt_recover(NULL);
}
static void panic(void)
{
  RT_FRAME(fr, { return; });
  RT_DEFER(fr, recover, NULL);
  rt_panic("x");
}
static void panic_value(void)
{
  RT_FRAME(fr, { return; });
  RT_DEFER(fr, recover, NULL);
  rt_panic_value((struct rt_value){ .type = "string", .s = "x" });
}
static void defer_nil(void)
{
  RT_FRAME(fr, { return; });
  RT_DEFER(fr, recover, NULL);
  RT_DEFER(fr, NULL, NULL);
}

enum {
  STOPS,
  GOES_ON, /* may be called from anywhere */
  NO_CALL, /* not from a G, or it does not come back */
};

/* clang-format off */
#define COPY(locked_one) (&(__typeof__(locked_one)[]){ locked_one }[0])
#define DOORS \
  DOOR(rt_errno_location, GOES_ON, rt_errno_location()) \
  DOOR(rt_main, NO_CALL, (void)0) \
  DOOR(rt_run, NO_CALL, (void)0) \
  DOOR(rt_go, STOPS, rt_go(nothing, NULL)) \
  DOOR(rt_go_named, STOPS, rt_go_named("x", nothing, NULL)) \
  DOOR(rt_yield, STOPS, rt_yield()) \
  DOOR(rt_goexit, NO_CALL, (void)0) \
  DOOR(rt_goid, GOES_ON, rt_goid()) \
  DOOR(rt_gomaxprocs, STOPS, rt_gomaxprocs(0)) \
  DOOR(rt_num_goroutine, GOES_ON, rt_num_goroutine()) \
  DOOR(rt_lock_os_thread, STOPS, rt_lock_os_thread()) \
  DOOR(rt_unlock_os_thread, STOPS, rt_unlock_os_thread()) \
  DOOR(rt_safepoint, STOPS, rt_safepoint()) \
  DOOR(rt_now, GOES_ON, rt_now()) \
  DOOR(rt_sleep, STOPS, rt_sleep(0)) \
  DOOR(rt_after_func, STOPS, rt_after_func(60000000000, nothing, NULL)) \
  DOOR(rt_timer_stop, STOPS, rt_timer_stop(timer)) \
  DOOR(rt_timer_reset, STOPS, rt_timer_reset(timer, 60000000000)) \
  DOOR(rt_timer_free, STOPS, rt_timer_free(rt_after_func(60000000000, nothing, NULL))) \
  DOOR(rt_after, STOPS, rt_chan_free(rt_after(60000000000))) \
  DOOR(rt_ticker_new, STOPS, rt_ticker_new(60000000000)) \
  DOOR(rt_ticker_chan, GOES_ON, rt_ticker_chan(ticker)) \
  DOOR(rt_ticker_stop, STOPS, rt_ticker_stop(ticker)) \
  DOOR(rt_ticker_reset, STOPS, rt_ticker_reset(ticker, 60000000000)) \
  DOOR(rt_ticker_free, STOPS, rt_ticker_free(rt_ticker_new(60000000000))) \
  DOOR(rt_chan_new, GOES_ON, (rt_chan_free(made), made = rt_chan_new(1, 1))) \
  DOOR(rt_chan_free, GOES_ON, rt_chan_free(rt_chan_new(1, 1))) \
  DOOR(rt_chan_send, STOPS, rt_chan_send(with_room(), "x")) \
  DOOR(rt_chan_recv, STOPS, rt_chan_recv(closed, NULL)) \
  DOOR(rt_chan_try_send, STOPS, rt_chan_try_send(with_room(), "x")) \
  DOOR(rt_chan_try_recv, STOPS, rt_chan_try_recv(closed, NULL, NULL)) \
  DOOR(rt_chan_close, STOPS, rt_chan_close(with_room())) \
  DOOR(rt_chan_len, GOES_ON, rt_chan_len(closed)) \
  DOOR(rt_chan_cap, GOES_ON, rt_chan_cap(closed)) \
  DOOR(rt_select, STOPS, rt_select(a_case(), 1)) \
  DOOR(rt_select_default, STOPS, rt_select_default(NULL, 0)) \
  DOOR(rt_mutex_lock, STOPS, rt_mutex_lock(COPY(mutex))) \
  DOOR(rt_mutex_unlock, STOPS, rt_mutex_unlock(COPY(locked))) \
  DOOR(rt_mutex_try_lock, STOPS, rt_mutex_try_lock(&locked)) \
  DOOR(rt_rwmutex_lock, STOPS, rt_rwmutex_lock(COPY(rw))) \
  DOOR(rt_rwmutex_unlock, STOPS, rt_rwmutex_unlock(COPY(write_locked))) \
  DOOR(rt_rwmutex_rlock, STOPS, rt_rwmutex_rlock(COPY(rw))) \
  DOOR(rt_rwmutex_runlock, STOPS, rt_rwmutex_runlock(COPY(read_locked))) \
  DOOR(rt_rwmutex_try_lock, STOPS, rt_rwmutex_try_lock(&write_locked)) \
  DOOR(rt_rwmutex_try_rlock, STOPS, rt_rwmutex_try_rlock(&write_locked)) \
  DOOR(rt_once_do, STOPS, rt_once_do(&once, nothing, NULL)) \
  DOOR(rt_waitgroup_add, STOPS, rt_waitgroup_add(&group, 0)) \
  DOOR(rt_waitgroup_done, STOPS, rt_waitgroup_done(COPY(group))) \
  DOOR(rt_waitgroup_wait, STOPS, rt_waitgroup_wait(&(struct rt_waitgroup){ 0 })) \
  DOOR(rt_cond_init, GOES_ON, rt_cond_init(&(struct rt_cond){ 0 }, &mutex)) \
  DOOR(rt_cond_wait, STOPS, rt_cond_wait(&cond)) \
  DOOR(rt_cond_signal, STOPS, rt_cond_signal(&nobody_waits)) \
  DOOR(rt_cond_broadcast, STOPS, rt_cond_broadcast(&nobody_waits)) \
  DOOR(rt_sem_init, GOES_ON, rt_sem_init(&(struct rt_sem){ 0 }, 1)) \
  DOOR(rt_sem_acquire, STOPS, rt_sem_acquire(COPY(sem))) \
  DOOR(rt_sem_release, STOPS, rt_sem_release(COPY(sem))) \
  DOOR(rt_sem_try_acquire, STOPS, rt_sem_try_acquire(COPY(sem))) \
  DOOR(rt_entersyscall, STOPS, (rt_entersyscall(), rt_exitsyscall())) /* the latter's end is the stop */ \
  DOOR(rt_exitsyscall, STOPS, (rt_entersyscall(), rt_exitsyscall())) \
  DOOR(rt_blocking, STOPS, rt_blocking(same, NULL)) \
  DOOR(rt_listen, STOPS, rt_listen("nowhere")) \
  DOOR(rt_accept, STOPS, rt_accept(listener, LATE)) \
  DOOR(rt_dial, STOPS, rt_dial("nowhere", 0)) \
  DOOR(rt_read, STOPS, rt_read(at_end, &(char){ 0 }, 1, 0)) \
  DOOR(rt_write, STOPS, rt_write(to_write, "", 0, 0)) \
  DOOR(rt_close, STOPS, rt_close(-1)) \
  DOOR(rt_name, GOES_ON, rt_name(&mutex, "x")) \
  DOOR(rt_task_begin, GOES_ON, rt_task_begin("x")) \
  DOOR(rt_task_end, GOES_ON, rt_task_end(1)) \
  DOOR(rt_region_begin, GOES_ON, rt_region_begin("x")) \
  DOOR(rt_region_end, GOES_ON, rt_region_end()) \
  DOOR(rt_log, GOES_ON, rt_log("x", "y")) \
  DOOR(rt_stack_dump, STOPS, rt_stack_dump(-1, false)) \
  DOOR(rt_set_traceback, GOES_ON, rt_set_traceback("none")) \
  DOOR(rt_stop_the_world, STOPS, (rt_stop_the_world("x"), rt_start_the_world())) \
  DOOR(rt_start_the_world, STOPS, (rt_stop_the_world("x"), rt_start_the_world())) \
  DOOR(rt_gc, STOPS, rt_gc()) \
  DOOR(rt_scan_stacks, STOPS, rt_scan_stacks(visit, NULL)) \
  DOOR(rt_panic, STOPS, panic())              /* where it goes on */ \
  DOOR(rt_panic_value, STOPS, panic_value()) \
  DOOR(rt_defer_in_frame, STOPS, defer_one()) /* at the end of the frame, as the next two */ \
  DOOR(rt_defer_pooled, STOPS, defer_in_a_loop()) \
  DOOR(rt_nil_function, STOPS, defer_nil()) \
  DOOR(rt_frame_exit, STOPS, defer_one()) \
  DOOR(rt_frame_recovered, STOPS, panic()) \
  DOOR(rt_frame_fell_through, NO_CALL, (void)0) \
  DOOR(rt_scope_begin, GOES_ON, rt_scope_begin(&(struct rt_scope){ 0 }, &(struct rt_frame){ 0 })) \
  DOOR(rt_scope_end, GOES_ON, rt_scope_end(&(struct rt_scope){ .frame = &(struct rt_frame){ 0 } })) \
  DOOR(rt_frame_of_cxx, GOES_ON, rt_frame_of_cxx(&(struct rt_frame){ 0 })) \
  DOOR(rt_mark, GOES_ON, (void)0)             /* saves registers */ \
  DOOR(rt_recover_in, GOES_ON, rt_recover(NULL)) \
  DOOR(rt_preemptible_add, GOES_ON, rt_preemptible_add((void *)1, (void *)2)) \
  DOOR(rt_preemptible_remove, GOES_ON, rt_preemptible_remove((void *)1))

#define DOOR(name, does, call) static void call_##name(void) { call; }
DOORS
#undef DOOR
static const struct door {
  const char *name;
  int does;
  void (*call)(void);
} doors[] = {
#define DOOR(name, does, call) { #name, does, call_##name },
  DOORS
#undef DOOR
};
/* clang-format on */
#define N_DOORS (sizeof doors / sizeof *doors)

static void other(void *unused)
{
  (void)unused;
  atomic_store(&other_has_run, true);
  rt_cond_broadcast(&cond);
}
static void start_the_other(void)
{
  atomic_store(&other_has_run, false);
  rt_go(other, NULL);
}

static void prepare(void)
{
  int ends[2], others[2];
  if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0 ||
      socketpair(AF_UNIX, SOCK_STREAM, 0, others) != 0)
    abort();
  at_end = ends[0];
  close(ends[1]);
  to_write = others[0];
  listener = rt_listen("127.0.0.1:0");
  closed = rt_chan_new(1, 1);
  rt_chan_close(closed);
  timer = rt_after_func(60000000000, nothing, NULL);
  ticker = rt_ticker_new(60000000000);
  rt_mutex_lock(&locked);
  rt_rwmutex_rlock(&read_locked);
  rt_rwmutex_lock(&write_locked);
  rt_waitgroup_add(&group, 1);
  rt_sem_init(&sem, 1);
  rt_mutex_lock(&of_cond);
  rt_cond_init(&cond, &of_cond);
  rt_cond_init(&nobody_waits, &of_cond);
  rt_once_do(&once, nothing, NULL);
}

/* As preemptone does, but just before the call, so that it must be this one. */
PROGRAM(is_asked_before_each_call)
{
  alarm(20);
  prepare();
  for (size_t i = 0; i < N_DOORS; i++) {
    if (doors[i].does == NO_CALL)
      continue;
    start_the_other();
    uint32_t seq = getg()->seq; /* changes whenever it starts */
    atomic_store(&getg()->preempt, true);
    doors[i].call();
    bool has_stopped = getg()->seq != seq;
    if (has_stopped != (doors[i].does == STOPS))
      printf("%s %s\n", doors[i].name, has_stopped ? "stops" : "goes on");
    rt_yield();
  }
  return 0;
}
static void a_g_that_was_asked_stops_at_its_next_call(void **state)
{
  (void)state;
  assert_prints(is_asked_before_each_call, 1, "");
}

/* As programs meet it: sysmon asks, and nobody else runs on the only P until the loop stops. */
static size_t in_a_loop;
PROGRAM(calls_in_a_loop)
{
  alarm(20);
  prepare();
  start_the_other();
  while (!atomic_load(&other_has_run))
    doors[in_a_loop].call();
  return 0;
}
static void a_loop_of_any_call_lets_others_run(void **state)
{
  (void)state;
  for (in_a_loop = 0; in_a_loop < N_DOORS; in_a_loop++) {
    if (doors[in_a_loop].does != STOPS)
      continue;
    struct outcome o = run_program(calls_in_a_loop, 1);
    if (o.code != 0)
      fail_msg("%s in a loop ended with %d: %s", doors[in_a_loop].name, o.code, o.err);
  }
}

/* The deferring calls of one frame, which does not end. */
PROGRAM(defers_in_a_loop)
{
  alarm(20);
  RT_FRAME(fr, { return 1; });
  start_the_other();
  while (!atomic_load(&other_has_run))
    RT_DEFER_LOOP(fr, nothing, NULL);
  return 0;
}
static void a_frame_that_defers_for_ever_lets_others_run(void **state)
{
  (void)state;
  assert_prints(defers_in_a_loop, 1, "");
}

/* Two that park in each turn, and wake one another in the time slice of who woke them. */
static struct rt_sem ping, pong;
static void answer(void *unused)
{
  (void)unused;
  for (;;) {
    rt_sem_acquire(&ping);
    rt_sem_release(&pong);
  }
}
PROGRAM(plays_ping_pong)
{
  alarm(20);
  rt_go(answer, NULL);
  start_the_other();
  rt_yield(); /* it has run, and comes back behind the two who play */
  start_the_other();
  while (!atomic_load(&other_has_run)) {
    rt_sem_release(&ping);
    rt_sem_acquire(&pong);
  }
  return 0;
}
static void two_who_wake_one_another_let_others_run(void **state)
{
  (void)state;
  assert_prints(plays_ping_pong, 1, "");
}

/* With the world stopped there is nobody to stop for; in a system call there is no P to give. */
PROGRAM(is_asked_where_it_cannot)
{
  alarm(20);
  prepare();
  start_the_other();
  rt_stop_the_world("x");
  atomic_store(&getg()->preempt, true);
  rt_mutex_lock(&mutex);
  rt_mutex_unlock(&mutex);
  printf("%d ", atomic_load(&other_has_run));
  rt_start_the_world();
  printf("%d ", atomic_load(&other_has_run));
  start_the_other();
  rt_entersyscall();
  atomic_store(&getg()->preempt, true);
  rt_rwmutex_rlock(&rw);
  printf("%d ", atomic_load(&other_has_run));
  rt_exitsyscall();
  printf("%d\n", atomic_load(&other_has_run));
  return 0;
}
static void it_waits_for_a_place_where_it_can_stop(void **state)
{
  (void)state;
  assert_prints(is_asked_where_it_cannot, 1, "0 1 0 1\n");
}

/* ---- the table is whole, and says what rt.h says ---- */

static const struct door *door_of(const char *name)
{
  for (size_t i = 0; i < N_DOORS; i++)
    if (strcmp(doors[i].name, name) == 0)
      return &doors[i];
  fail_msg("%s is declared, and nobody looks whether it is a stop", name);
  return NULL;
}
static void look_it_up(const char *name, const char *comment)
{
  (void)comment;
  (void)door_of(name);
}
static void compare_with_the_comment(const char *name, const char *comment)
{
  int does = door_of(name)->does;
  if (does != NO_CALL && (does == GOES_ON) != (strstr(comment, "From anywhere") != NULL))
    fail_msg("%s %s, but of it is said: %s", name, does == GOES_ON ? "goes on" : "stops", comment);
}
static void every_function_of_rt_h_is_looked_at(void **state)
{
  (void)state;
  assert_true(each_door("rt.h", compare_with_the_comment) > 70);
  assert_true(each_door("rt-defer.h", look_it_up) > 5);
  assert_true(each_door("rt-preempt.h", compare_with_the_comment) == 2);
}

/* When sysmon looks only every 10 ms, and each time finds another call: never the G between two, where it could be asked. */
static void *nap(void *unused)
{
  usleep(2000);
  atomic_store(&getg()->preempt, false);
  return unused;
}
PROGRAM(makes_short_calls)
{
  alarm(20);
  int64_t since = rt_now();
  while (rt_now() - since < 100000000)
    continue;
  rt_yield();
  start_the_other();
  while (!atomic_load(&other_has_run))
    rt_blocking(nap, NULL);
  return 0;
}
static void many_short_system_calls_do_not_keep_a_p(void **state)
{
  (void)state;
  assert_prints(makes_short_calls, 1, "");
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(every_function_of_rt_h_is_looked_at),
    cmocka_unit_test(a_g_that_was_asked_stops_at_its_next_call),
    cmocka_unit_test(it_waits_for_a_place_where_it_can_stop),
    cmocka_unit_test(a_loop_of_any_call_lets_others_run),
    cmocka_unit_test(a_frame_that_defers_for_ever_lets_others_run),
    cmocka_unit_test(two_who_wake_one_another_let_others_run),
    cmocka_unit_test(many_short_system_calls_do_not_keep_a_p),
  };
  return cmocka_run_group_tests_name("coop", tests, NULL, NULL);
}
