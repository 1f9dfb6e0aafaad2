/* SPDX-License-Identifier: MIT */
/* test-fork-doors.c - every function of rt.h, called in a child of fork: it says so, or it is harmless there.
 *
 * Nothing is contended, so that a function which looks at the scheduler only when it must would get by. What rt.h
 * declares and the table lacks fails the test.
 */
#include "doors.h"
#include "program.h"

#define RETURNED 77
#define SENTENCE                                                                                   \
  "fatal error: the runtime was called in a child of fork(); there it may only exec or _exit\n"

static struct rt_chan *chan;
static struct rt_timer *timer;
static struct rt_ticker *ticker;
static struct rt_mutex mutex, locked;
static struct rt_rwmutex rw, read_locked, write_locked;
static struct rt_once once;
static struct rt_waitgroup group;
static struct rt_cond cond;
static struct rt_sem sem;

static int return_at_once(int argc, char **argv)
{
  (void)argc, (void)argv;
  return 0;
}
static struct rt_case *a_case(void)
{
  static struct rt_case c;
  c = (struct rt_case){ .chan = chan, .dir = RT_RECV };
  return &c;
}

/* A child may look, and forget what it is told; it may not do. */
enum {
  SAYS_SO,
  HARMLESS,
  PANICS
};

/* clang-format off */
#define DOORS \
  DOOR(rt_errno_location, HARMLESS, rt_errno_location()) \
  DOOR(rt_main, SAYS_SO, rt_main(0, NULL, return_at_once)) \
  DOOR(rt_run, SAYS_SO, rt_run(nothing, NULL, NULL)) \
  DOOR(rt_go, SAYS_SO, rt_go(nothing, NULL)) \
  DOOR(rt_go_named, SAYS_SO, rt_go_named("x", nothing, NULL)) \
  DOOR(rt_yield, SAYS_SO, rt_yield()) \
  DOOR(rt_goexit, SAYS_SO, rt_goexit()) \
  DOOR(rt_goid, HARMLESS, rt_goid()) \
  DOOR(rt_gomaxprocs, SAYS_SO, rt_gomaxprocs(0)) \
  DOOR(rt_num_goroutine, HARMLESS, rt_num_goroutine()) \
  DOOR(rt_lock_os_thread, SAYS_SO, rt_lock_os_thread()) \
  DOOR(rt_unlock_os_thread, SAYS_SO, rt_unlock_os_thread()) \
  DOOR(rt_safepoint, SAYS_SO, rt_safepoint()) \
  DOOR(rt_now, HARMLESS, rt_now()) \
  DOOR(rt_sleep, SAYS_SO, rt_sleep(0)) \
  DOOR(rt_after_func, SAYS_SO, rt_after_func(1, nothing, NULL)) \
  DOOR(rt_timer_stop, SAYS_SO, rt_timer_stop(timer)) \
  DOOR(rt_timer_reset, SAYS_SO, rt_timer_reset(timer, 1)) \
  DOOR(rt_timer_free, SAYS_SO, rt_timer_free(timer)) \
  DOOR(rt_after, SAYS_SO, rt_after(1)) \
  DOOR(rt_ticker_new, SAYS_SO, rt_ticker_new(1)) \
  DOOR(rt_ticker_chan, HARMLESS, rt_ticker_chan(ticker)) \
  DOOR(rt_ticker_stop, SAYS_SO, rt_ticker_stop(ticker)) \
  DOOR(rt_ticker_reset, SAYS_SO, rt_ticker_reset(ticker, 1)) \
  DOOR(rt_ticker_free, SAYS_SO, rt_ticker_free(ticker)) \
  DOOR(rt_chan_new, SAYS_SO, rt_chan_new(1, 1)) \
  DOOR(rt_chan_free, SAYS_SO, rt_chan_free(chan)) \
  DOOR(rt_chan_send, SAYS_SO, rt_chan_send(chan, "x")) \
  DOOR(rt_chan_recv, SAYS_SO, rt_chan_recv(chan, NULL)) \
  DOOR(rt_chan_try_send, SAYS_SO, rt_chan_try_send(chan, "x")) \
  DOOR(rt_chan_try_recv, SAYS_SO, rt_chan_try_recv(chan, NULL, NULL)) \
  DOOR(rt_chan_close, SAYS_SO, rt_chan_close(chan)) \
  DOOR(rt_chan_len, SAYS_SO, rt_chan_len(chan)) \
  DOOR(rt_chan_cap, HARMLESS, rt_chan_cap(chan)) \
  DOOR(rt_select, SAYS_SO, rt_select(a_case(), 1)) \
  DOOR(rt_select_default, SAYS_SO, rt_select_default(NULL, 0)) \
  DOOR(rt_mutex_lock, SAYS_SO, rt_mutex_lock(&mutex)) \
  DOOR(rt_mutex_unlock, SAYS_SO, rt_mutex_unlock(&locked)) \
  DOOR(rt_mutex_try_lock, SAYS_SO, rt_mutex_try_lock(&mutex)) \
  DOOR(rt_rwmutex_lock, SAYS_SO, rt_rwmutex_lock(&rw)) \
  DOOR(rt_rwmutex_unlock, SAYS_SO, rt_rwmutex_unlock(&write_locked)) \
  DOOR(rt_rwmutex_rlock, SAYS_SO, rt_rwmutex_rlock(&rw)) \
  DOOR(rt_rwmutex_runlock, SAYS_SO, rt_rwmutex_runlock(&read_locked)) \
  DOOR(rt_rwmutex_try_lock, SAYS_SO, rt_rwmutex_try_lock(&rw)) \
  DOOR(rt_rwmutex_try_rlock, SAYS_SO, rt_rwmutex_try_rlock(&rw)) \
  DOOR(rt_once_do, SAYS_SO, rt_once_do(&once, nothing, NULL)) \
  DOOR(rt_waitgroup_add, SAYS_SO, rt_waitgroup_add(&group, 1)) \
  DOOR(rt_waitgroup_done, SAYS_SO, rt_waitgroup_done(&group)) \
  DOOR(rt_waitgroup_wait, SAYS_SO, rt_waitgroup_wait(&(struct rt_waitgroup){ 0 })) \
  DOOR(rt_cond_init, HARMLESS, rt_cond_init(&(struct rt_cond){ 0 }, &mutex)) \
  DOOR(rt_cond_wait, SAYS_SO, rt_cond_wait(&cond)) \
  DOOR(rt_cond_signal, SAYS_SO, rt_cond_signal(&cond)) \
  DOOR(rt_cond_broadcast, SAYS_SO, rt_cond_broadcast(&cond)) \
  DOOR(rt_sem_init, HARMLESS, rt_sem_init(&(struct rt_sem){ 0 }, 1)) \
  DOOR(rt_sem_acquire, SAYS_SO, rt_sem_acquire(&sem)) \
  DOOR(rt_sem_release, SAYS_SO, rt_sem_release(&sem)) \
  DOOR(rt_sem_try_acquire, SAYS_SO, rt_sem_try_acquire(&sem)) \
  DOOR(rt_entersyscall, SAYS_SO, rt_entersyscall()) \
  DOOR(rt_exitsyscall, SAYS_SO, rt_exitsyscall()) \
  DOOR(rt_blocking, SAYS_SO, rt_blocking(same, NULL)) \
  DOOR(rt_listen, SAYS_SO, rt_listen("127.0.0.1:0")) \
  DOOR(rt_accept, SAYS_SO, rt_accept(0, 0)) \
  DOOR(rt_dial, SAYS_SO, rt_dial("127.0.0.1:1", 0)) \
  DOOR(rt_read, SAYS_SO, rt_read(0, &(char){ 0 }, 1, 0)) \
  DOOR(rt_write, SAYS_SO, rt_write(1, "", 0, 0)) \
  DOOR(rt_close, SAYS_SO, rt_close(-1)) \
  DOOR(rt_name, HARMLESS, rt_name(chan, "x")) \
  DOOR(rt_task_begin, HARMLESS, rt_task_begin("x")) \
  DOOR(rt_task_end, HARMLESS, rt_task_end(1)) \
  DOOR(rt_region_begin, HARMLESS, rt_region_begin("x")) \
  DOOR(rt_region_end, HARMLESS, rt_region_end()) \
  DOOR(rt_log, HARMLESS, rt_log("x", "y")) \
  DOOR(rt_stack_dump, SAYS_SO, rt_stack_dump(2, false)) \
  DOOR(rt_set_traceback, HARMLESS, rt_set_traceback("all")) \
  DOOR(rt_stop_the_world, SAYS_SO, rt_stop_the_world("x")) \
  DOOR(rt_start_the_world, SAYS_SO, rt_start_the_world()) \
  DOOR(rt_gc, SAYS_SO, rt_gc()) \
  DOOR(rt_scan_stacks, SAYS_SO, rt_scan_stacks(visit, NULL)) \
  DOOR(rt_panic, PANICS, rt_panic("x")) \
  DOOR(rt_panic_value, PANICS, rt_panic_value((struct rt_value){ .type = "string", .s = "x" })) \
  DOOR(rt_defer_in_frame, SAYS_SO, defer_one()) \
  DOOR(rt_defer_pooled, SAYS_SO, defer_in_a_loop()) \
  DOOR(rt_nil_function, PANICS, rt_nil_function(NULL)) \
  DOOR(rt_frame_exit, SAYS_SO, (void)0)         /* leave_a_frame_of_the_parent */ \
  DOOR(rt_frame_recovered, HARMLESS, (void)0)   /* where a recovery goes on, which a child has none of */ \
  DOOR(rt_frame_fell_through, HARMLESS, (void)0) /* ends the process anyway */ \
  DOOR(rt_scope_begin, HARMLESS, rt_scope_begin(&(struct rt_scope){ 0 }, &(struct rt_frame){ 0 })) \
  DOOR(rt_scope_end, HARMLESS, rt_scope_end(&(struct rt_scope){ .frame = &(struct rt_frame){ 0 } })) \
  DOOR(rt_frame_of_cxx, HARMLESS, rt_frame_of_cxx(&(struct rt_frame){ 0 })) \
  DOOR(rt_mark, HARMLESS, (void)0)              /* saves registers */ \
  DOOR(rt_recover_in, HARMLESS, rt_recover(NULL)) \
  DOOR(rt_preemptible_add, HARMLESS, (void)0)   /* called by the loader */ \
  DOOR(rt_preemptible_remove, HARMLESS, (void)0)

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

/* The frame is the parent's, whose deferred call the child would lose without a word. */
static pid_t leave_a_frame_of_the_parent(int said)
{
  RT_FRAME(fr, { return -1; });
  RT_DEFER(fr, nothing, NULL);
  pid_t child = fork();
  if (child == 0) {
    alarm(20);
    dup2(said, 2);
  }
  return child;
}

static pid_t fork_and_call(const struct door *door, int said)
{
  if (strcmp(door->name, "rt_frame_exit") == 0) {
    pid_t child = leave_a_frame_of_the_parent(said);
    if (child == 0)
      _exit(RETURNED);
    return child;
  }
  pid_t child = fork();
  if (child == 0) {
    alarm(20);
    dup2(said, 2);
    door->call();
    _exit(RETURNED);
  }
  return child;
}

static bool does_it(const struct door *door, int code, const char *text)
{
  if (door->does == HARMLESS)
    return code == RETURNED && text[0] == '\0';
  if (door->does == PANICS && strncmp(text, "panic: ", 7) == 0)
    text = strchr(text, '\n') ? strchr(text, '\n') + 1 : text;
  return code == 2 && strcmp(text, SENTENCE) == 0;
}

static void try_in_a_child(const struct door *door)
{
  int ends[2], status = 0;
  char text[512];
  size_t n = 0;
  if (pipe(ends) != 0)
    abort();
  pid_t child = fork_and_call(door, ends[1]);
  close(ends[1]);
  for (ssize_t got; (got = read(ends[0], text + n, sizeof text - 1 - n)) > 0;)
    n += (size_t)got;
  text[n] = '\0';
  close(ends[0]);
  waitpid(child, &status, 0);
  int code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  if (!does_it(door, code, text))
    printf("%s ended with %d: %s\n", door->name, code, text);
}

PROGRAM(tries_every_door_in_a_child)
{
  chan = rt_chan_new(1, 1);
  timer = rt_after_func(60000000000, nothing, NULL);
  ticker = rt_ticker_new(60000000000);
  rt_mutex_lock(&locked);
  rt_rwmutex_rlock(&read_locked);
  rt_rwmutex_lock(&write_locked);
  rt_waitgroup_add(&group, 2);
  rt_sem_init(&sem, 1);
  rt_cond_init(&cond, &locked);
  rt_once_do(&once, nothing, NULL);
  for (size_t i = 0; i < N_DOORS; i++)
    try_in_a_child(&doors[i]);
  return 0;
}

static void in_a_child_of_fork_every_door_says_so_or_is_harmless(void **state)
{
  (void)state;
  assert_prints(tries_every_door_in_a_child, 1, "");
  assert_prints(tries_every_door_in_a_child, 4, "");
}

/* ---- the table is whole ---- */

static bool is_in_the_table(const char *name)
{
  for (size_t i = 0; i < N_DOORS; i++)
    if (strcmp(doors[i].name, name) == 0)
      return true;
  return false;
}

static void look_it_up(const char *name, const char *comment)
{
  (void)comment;
  if (!is_in_the_table(name))
    fail_msg("%s is declared, and nobody tries it in a child of fork", name);
}

static void every_function_of_rt_h_is_tried(void **state)
{
  (void)state;
  assert_true(each_door("rt.h", look_it_up) > 70);
  assert_true(each_door("rt-defer.h", look_it_up) > 5);
  assert_true(each_door("rt-preempt.h", look_it_up) == 2);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(every_function_of_rt_h_is_tried),
    cmocka_unit_test(in_a_child_of_fork_every_door_says_so_or_is_harmless),
  };
  return cmocka_run_group_tests_name("fork-doors", tests, NULL, NULL);
}
