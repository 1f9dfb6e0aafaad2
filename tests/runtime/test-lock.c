/* SPDX-License-Identifier: MIT */
/* test-lock.c - the runtime's own lock by itself: nobody is let in twice, nobody sleeps for ever (then the test runs
 * into its time limit), and nobody touches a lock that its next holder freed. */
#include "test.h"

#include "lock.h"
#include "os.h"

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
    if (i % 2)
      unlock2(&lock);
    else
      unlock2_release(&lock);
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
  WRONG_COUNT = 5
};

static void it_works_where_the_kernel_has_no_membarrier(void **state)
{
  (void)state;
  int status;
  pid_t child = fork();
  assert_true(child >= 0);
  if (child == 0)
    _exit(!forbid(SYS_membarrier)                      ? NO_FILTER
          : os_fence_everywhere()                      ? FENCED_ALL_THE_SAME
          : count_together() == THREADS * (long)ROUNDS ? AS_IT_SHOULD
                                                       : WRONG_COUNT);
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
    cmocka_unit_test(it_works_where_the_kernel_has_no_membarrier),
    cmocka_unit_test(an_unlock_touches_nothing_that_the_next_holder_may_free),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
