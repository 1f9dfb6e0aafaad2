/* SPDX-License-Identifier: MIT */
/* test-lock.c - the runtime's own lock by itself: nobody is let in twice, nobody sleeps for ever (then the test runs
 * into its time limit), and nobody touches a lock that its next holder freed. And sched.lock, which one M takes again and
 * again and others now and then. */
#include "test.h"

#include "os.h"
#include "schedlock.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define THREADS 4
#define ROUNDS  20000

static struct mutex lock;
static long counter; /* guarded by lock */
static pthread_barrier_t start;

/* Now and then the holder gives its CPU away, so that the others give up spinning and sleep. */
static void *count(void *unused)
{
  (void)unused;
  pthread_barrier_wait(&start);
  for (int i = 0; i < ROUNDS; i++) {
    lock2(&lock);
    long seen = counter;
    for (int yields = i % 50 == 0 ? 20 : 0; yields > 0; yields--)
      sched_yield();
    counter = seen + 1;
    unlock2(&lock);
  }
  return NULL;
}

static long count_together(void)
{
  pthread_t threads[THREADS];
  counter = 0;
  if (pthread_barrier_init(&start, NULL, THREADS) != 0)
    abort();
  for (int i = 0; i < THREADS; i++)
    if (pthread_create(&threads[i], NULL, count, NULL) != 0)
      abort();
  for (int i = 0; i < THREADS; i++)
    pthread_join(threads[i], NULL);
  pthread_barrier_destroy(&start);
  return counter;
}

/* ---- sched.lock ---- */

#define OFTEN_ROUNDS 200000

static struct m ms[THREADS]; /* these threads are Ms only by name */
static bool was_biased;      /* guarded by sched.lock, as counter is now */

static void *come_often(void *arg)
{
  struct m *mp = arg;
  setm(mp);
  pthread_barrier_wait(&start);
  for (int i = 0; i < OFTEN_ROUNDS; i++) {
    lock_sched_often(mp);
    long seen = counter;
    was_biased |= atomic_load(&mp->in_sched);
    os_pause(); /* so that who is not kept out comes in here */
    counter = seen + 1;
    unlock_sched_often(mp);
  }
  setm(NULL);
  return NULL;
}

static void *come_now_and_then(void *arg)
{
  setm(arg);
  pthread_barrier_wait(&start);
  for (int i = 0; i < ROUNDS / 100; i++) {
    lock_sched();
    long seen = counter;
    for (int yields = i % 10 == 0 ? 5 : 0; yields > 0; yields--)
      sched_yield();
    counter = seen + 1;
    unlock_sched();
    usleep(10);
  }
  setm(NULL);
  return NULL;
}

/* The first thread comes often, the others now and then. */
static long visit_together(void)
{
  pthread_t threads[THREADS];
  counter = 0;
  was_biased = false;
  lock_sched(); /* ends the bias that an earlier visit left */
  unlock_sched();
  if (pthread_barrier_init(&start, NULL, THREADS) != 0)
    abort();
  for (int i = 0; i < THREADS; i++)
    if (pthread_create(&threads[i], NULL, i == 0 ? come_often : come_now_and_then, &ms[i]) != 0)
      abort();
  for (int i = 0; i < THREADS; i++)
    pthread_join(threads[i], NULL);
  pthread_barrier_destroy(&start);
  return counter;
}
#define ALL_VISITS (OFTEN_ROUNDS + (THREADS - 1) * (long)(ROUNDS / 100))

static void who_comes_often_gets_the_bias_and_others_are_let_in_all_the_same(void **state)
{
  (void)state;
  assert_int_equal(visit_together(), ALL_VISITS);
  assert_true(was_biased || !os_fence_everywhere());
  assert_true(sched_is_unlocked());
}

static void one_at_a_time_holds_it_and_all_come_to_their_turn(void **state)
{
  (void)state;
  assert_int_equal(count_together(), THREADS * ROUNDS);
  assert_true(trylock2(&lock));
  assert_false(trylock2(&lock));
  unlock2(&lock);
}

/* The system call of the number answers ENOSYS from now on. */
static bool forbid(uint32_t number)
{
  struct sock_filter code[] = {
    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1),
    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  struct sock_fprog program = { .len = sizeof code / sizeof code[0], .filter = code };
  return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
         prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

enum {
  AS_IT_SHOULD = 0,
  NO_FILTER = 3,
  FENCED_ALL_THE_SAME = 4,
  WRONG_COUNT = 5,
  BIASED_ALL_THE_SAME = 6
};

static void where_the_kernel_has_no_membarrier_there_is_no_bias(void **state)
{
  (void)state;
  int status;
  pid_t child = fork();
  assert_true(child >= 0);
  if (child == 0)
    _exit(!forbid(SYS_membarrier)          ? NO_FILTER
          : os_fence_everywhere()          ? FENCED_ALL_THE_SAME
          : visit_together() != ALL_VISITS ? WRONG_COUNT
          : was_biased                     ? BIASED_ALL_THE_SAME
                                           : AS_IT_SHOULD);
  assert_int_equal(waitpid(child, &status, 0), child);
  assert_true(WIFEXITED(status));
  if (WEXITSTATUS(status) == NO_FILTER)
    skip();
  assert_int_equal(WEXITSTATUS(status), AS_IT_SHOULD);
}

/* As a timer that is given up: whoever comes second frees what the lock lies in, while the first is in its unlock. */
static void *take_and_free(void *arg)
{
  struct mutex *mine = arg;
  lock2(mine);
  unlock2(mine);
  free(mine);
  return NULL;
}

static void an_unlock_touches_nothing_that_the_next_holder_may_free(void **state)
{
  (void)state;
  for (int i = 0; i < 500; i++) {
    pthread_t thread;
    struct mutex *heap = calloc(1, sizeof *heap);
    assert_non_null(heap);
    lock2(heap);
    assert_int_equal(pthread_create(&thread, NULL, take_and_free, heap), 0);
    for (int yields = i % 8; yields > 0; yields--)
      sched_yield();
    unlock2(heap); /* the address sanitizer watches */
    pthread_join(thread, NULL);
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(one_at_a_time_holds_it_and_all_come_to_their_turn),
    cmocka_unit_test(who_comes_often_gets_the_bias_and_others_are_let_in_all_the_same),
    cmocka_unit_test(where_the_kernel_has_no_membarrier_there_is_no_bias),
    cmocka_unit_test(an_unlock_touches_nothing_that_the_next_holder_may_free),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
