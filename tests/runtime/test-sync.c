/* SPDX-License-Identifier: MIT */
/* test-sync.c - mutex, rwmutex, waitgroup, once, cond and semaphore. */
#include "program.h"

#include <stdatomic.h>

static struct rt_mutex mutex;
static struct rt_rwmutex rw;
static struct rt_waitgroup wg;
static struct rt_once once;
static struct rt_cond cond;
static struct rt_sem sem;
static long counter; /* guarded by mutex: not atomic on purpose */

static void start(int n, void (*fn)(void *))
{
  rt_waitgroup_add(&wg, n);
  for (int i = 0; i < n; i++)
    rt_go(fn, (void *)(intptr_t)i);
}

static void count_up(void *unused)
{
  (void)unused;
  for (int i = 0; i < 1000; i++) {
    rt_mutex_lock(&mutex);
    long seen = counter;
    if (i % 100 == 0)
      rt_yield(); /* while it is held, so that others queue */
    counter = seen + 1;
    rt_mutex_unlock(&mutex);
  }
  rt_waitgroup_done(&wg);
}
PROGRAM(contended)
{
  start(16, count_up);
  rt_waitgroup_wait(&wg);
  printf("%ld %d\n", counter, rt_mutex_try_lock(&mutex));
  return 0;
}
static void a_mutex_admits_one_at_a_time(void **state)
{
  (void)state;
  FOR_PROCS(n)
  assert_prints(contended, n, "16000 1\n");
}

static _Atomic bool stop;
static void hog(void *unused)
{
  (void)unused;
  while (!atomic_load(&stop)) {
    rt_mutex_lock(&mutex);
    for (int64_t until = rt_now() + 2000000; rt_now() < until;)
      ;
    rt_mutex_unlock(&mutex);
  }
  rt_waitgroup_done(&wg);
}
PROGRAM(starving)
{
  start(2, hog);
  for (int i = 0; i < 3; i++) {
    rt_mutex_lock(&mutex);
    rt_mutex_unlock(&mutex);
    rt_yield();
  }
  atomic_store(&stop, true);
  rt_waitgroup_wait(&wg);
  puts("got it");
  return 0;
}
static void a_waiter_gets_the_mutex_though_others_take_it_again_at_once(void **state)
{
  (void)state;
  assert_prints(starving, 1, "got it\n");
  assert_prints(starving, 2, "got it\n");
}

PROGRAM(unlock_unlocked)
{
  rt_mutex_unlock(&mutex);
  return 0;
}
PROGRAM(runlock_unlocked)
{
  rt_rwmutex_runlock(&rw);
  return 0;
}
PROGRAM(wunlock_unlocked)
{
  rt_rwmutex_unlock(&rw);
  return 0;
}
static void unlocking_what_is_not_locked_is_fatal(void **state)
{
  (void)state;
  assert_dies(unlock_unlocked, "",
              "fatal error: sync: unlock of unlocked mutex\n\ngoroutine 1 [running]:\n");
  assert_dies(runlock_unlocked, "", "fatal error: sync: RUnlock of unlocked RWMutex\n");
  assert_dies(wunlock_unlocked, "", "fatal error: sync: Unlock of unlocked RWMutex\n");
}

static _Atomic int readers, most_readers;
static void read_some(void *unused)
{
  (void)unused;
  for (int i = 0; i < 200; i++) {
    rt_rwmutex_rlock(&rw);
    int now = atomic_fetch_add(&readers, 1) + 1;
    if (now > atomic_load(&most_readers))
      atomic_store(&most_readers, now);
    rt_yield();
    atomic_fetch_sub(&readers, 1);
    rt_rwmutex_runlock(&rw);
  }
  rt_waitgroup_done(&wg);
}
static void write_some(void *unused)
{
  (void)unused;
  for (int i = 0; i < 200; i++) {
    rt_rwmutex_lock(&rw);
    if (atomic_load(&readers) != 0)
      puts("a reader beside a writer");
    counter++;
    rt_rwmutex_unlock(&rw);
    rt_yield();
  }
  rt_waitgroup_done(&wg);
}
PROGRAM(rwmutex)
{
  start(8, read_some);
  start(4, write_some);
  rt_waitgroup_wait(&wg);
  printf("%ld %s\n", counter, atomic_load(&most_readers) > 1 ? "readers together" : "one reader");
  printf("%d", rt_rwmutex_try_rlock(&rw));
  printf("%d", rt_rwmutex_try_lock(&rw));
  rt_rwmutex_runlock(&rw);
  printf("%d", rt_rwmutex_try_lock(&rw));
  printf("%d\n", rt_rwmutex_try_rlock(&rw));
  return 0;
}
static void an_rwmutex_admits_many_readers_or_one_writer(void **state)
{
  (void)state;
  FOR_PROCS(n)
  assert_prints(rwmutex, n, "800 readers together\n1010\n");
}

static void take_write_lock(void *unused)
{
  (void)unused;
  rt_rwmutex_lock(&rw);
  puts("writer");
  rt_rwmutex_unlock(&rw);
  rt_waitgroup_done(&wg);
}
PROGRAM(writer_first)
{
  rt_rwmutex_rlock(&rw);
  start(1, take_write_lock);
  while (rt_rwmutex_try_rlock(&rw)) {
    rt_rwmutex_runlock(&rw);
    rt_yield();
  }
  puts("reader kept out");
  rt_rwmutex_runlock(&rw);
  rt_waitgroup_wait(&wg);
  return 0;
}
static void a_waiting_writer_keeps_new_readers_out(void **state)
{
  (void)state;
  FOR_PROCS(n)
  assert_prints(writer_first, n, "reader kept out\nwriter\n");
}

PROGRAM(negative)
{
  rt_waitgroup_done(&wg);
  return 0;
}
PROGRAM(never_done)
{
  rt_waitgroup_add(&wg, 1);
  rt_waitgroup_wait(&wg);
  return 0;
}
static void a_waitgroup_is_checked(void **state)
{
  (void)state;
  assert_dies(negative, "", "panic: sync: negative WaitGroup counter\n\ngoroutine 1 [running]:\n");
  assert_dies(
      never_done, "",
      "fatal error: all goroutines are asleep - deadlock!\n\ngoroutine 1 [sync.WaitGroup.Wait]:\n");
}

static void wait_too(void *done)
{
  rt_waitgroup_wait(&wg);
  rt_waitgroup_done(done);
}
PROGRAM(waiters)
{
  static struct rt_waitgroup done;
  rt_waitgroup_add(&wg, 1);
  rt_waitgroup_add(&done, 10);
  for (int i = 0; i < 10; i++)
    rt_go(wait_too, &done);
  rt_sleep(1000000);
  rt_waitgroup_done(&wg);
  rt_waitgroup_wait(&done);
  puts("all");
  return 0;
}
static void a_waitgroup_wakes_all_its_waiters(void **state)
{
  (void)state;
  FOR_PROCS(n)
  assert_prints(waiters, n, "all\n");
}

static void slow_init(void *what)
{
  rt_sleep(2000000);
  counter++;
  if (what)
    rt_panic(what);
}
static void do_once(void *unused)
{
  (void)unused;
  rt_once_do(&once, slow_init, NULL);
  if (counter != 1)
    puts("returned before it was done");
  rt_waitgroup_done(&wg);
}
PROGRAM(once_many)
{
  start(10, do_once);
  rt_waitgroup_wait(&wg);
  printf("%ld\n", counter);
  return 0;
}
static void recover_quietly(void *unused)
{
  (void)unused;
  printf("%d ", rt_recover(NULL));
}
static void once_that_panics(void)
{
  RT_FRAME(fr, { return; });
  RT_DEFER(fr, recover_quietly, NULL);
  rt_once_do(&once, slow_init, (void *)(uintptr_t) "init failed");
}
PROGRAM(once_panics)
{
  once_that_panics();
  rt_once_do(&once, slow_init, NULL);
  printf("%ld\n", counter);
  return 0;
}
static void once_runs_once_even_if_it_panics(void **state)
{
  (void)state;
  FOR_PROCS(n)
  assert_prints(once_many, n, "1\n");
  assert_prints(once_panics, 2, "1 1\n");
}

static int tokens, taken;
static void take_token(void *unused)
{
  (void)unused;
  rt_mutex_lock(&mutex);
  while (tokens == 0)
    rt_cond_wait(&cond);
  tokens--;
  taken++;
  rt_mutex_unlock(&mutex);
  rt_waitgroup_done(&wg);
}
PROGRAM(conditions)
{
  rt_cond_init(&cond, &mutex);
  start(10, take_token);
  for (int i = 0; i < 5; i++) {
    rt_mutex_lock(&mutex);
    tokens++;
    rt_mutex_unlock(&mutex);
    rt_cond_signal(&cond);
    rt_yield();
  }
  rt_mutex_lock(&mutex);
  tokens += 5;
  rt_mutex_unlock(&mutex);
  rt_cond_broadcast(&cond);
  rt_waitgroup_wait(&wg);
  printf("%d %d\n", taken, tokens);
  return 0;
}
PROGRAM(waits_without_a_mutex)
{
  static struct rt_cond zero;
  rt_cond_wait(&zero);
  return 0;
}
static void a_cond_without_a_mutex_panics(void **state)
{
  (void)state;
  assert_dies(waits_without_a_mutex, "",
              "panic: sync: Cond without a mutex; rt_cond_init gives it one\n");
}
static void a_cond_wakes_one_or_all(void **state)
{
  (void)state;
  FOR_PROCS(n)
  assert_prints(conditions, n, "10 0\n");
}

static _Atomic int inside, most_inside;
static void enter(void *unused)
{
  (void)unused;
  rt_sem_acquire(&sem);
  int now = atomic_fetch_add(&inside, 1) + 1;
  if (now > atomic_load(&most_inside))
    atomic_store(&most_inside, now);
  rt_sleep(100000);
  atomic_fetch_sub(&inside, 1);
  rt_sem_release(&sem);
  rt_waitgroup_done(&wg);
}
PROGRAM(semaphores)
{
  rt_sem_init(&sem, 3);
  start(20, enter);
  rt_waitgroup_wait(&wg);
  int left = 0;
  while (rt_sem_try_acquire(&sem))
    left++;
  printf("%s %d\n", atomic_load(&most_inside) <= 3 ? "three at most" : "too many", left);
  return 0;
}
static void a_semaphore_admits_as_many_as_it_has(void **state)
{
  (void)state;
  FOR_PROCS(n)
  assert_prints(semaphores, n, "three at most 3\n");
}

static void waits_for_a_permit(void *unused)
{
  (void)unused;
  rt_sem_acquire(&sem);
  rt_waitgroup_done(&wg);
}
PROGRAM(latecomers)
{
  rt_sem_init(&sem, 0);
  start(1, waits_for_a_permit);
  rt_yield(); /* it waits */
  rt_sem_release(&sem);
  printf("%d", rt_sem_try_acquire(&sem));
  rt_waitgroup_wait(&wg);
  rt_sem_release(&sem);
  printf(" %d\n", rt_sem_try_acquire(&sem));
  return 0;
}
static void a_permit_is_given_to_who_waits_for_it_not_to_who_is_faster(void **state)
{
  (void)state;
  assert_prints(latecomers, 1, "0 1\n");
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_mutex_admits_one_at_a_time),
    cmocka_unit_test(a_waiter_gets_the_mutex_though_others_take_it_again_at_once),
    cmocka_unit_test(unlocking_what_is_not_locked_is_fatal),
    cmocka_unit_test(an_rwmutex_admits_many_readers_or_one_writer),
    cmocka_unit_test(a_waiting_writer_keeps_new_readers_out),
    cmocka_unit_test(a_waitgroup_is_checked),
    cmocka_unit_test(a_waitgroup_wakes_all_its_waiters),
    cmocka_unit_test(once_runs_once_even_if_it_panics),
    cmocka_unit_test(a_cond_wakes_one_or_all),
    cmocka_unit_test(a_cond_without_a_mutex_panics),
    cmocka_unit_test(a_semaphore_admits_as_many_as_it_has),
    cmocka_unit_test(a_permit_is_given_to_who_waits_for_it_not_to_who_is_faster),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
