/* SPDX-License-Identifier: MIT */
/* errno.c - errno is the running G's after every call that may bring it to another thread. Nothing here hides errno from
 * the compiler: whether that keeps its address over the call is what is asked. <errno.h> comes before rt.h, or after it,
 * or not at all, as the program is built.
 */
#ifdef ERRNO_FIRST
#include <errno.h>
#endif
#include <gmpscope/rt.h>
#ifdef ERRNO_LAST
#include <errno.h>
#endif
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define ROUNDS  1000
#define WORKERS 8

static struct rt_waitgroup group;
static struct rt_mutex mutex;
static struct rt_sem sem;
static struct rt_chan *turn, *rest;
static int pipes[2];
static int wrong, moved;

static void count(int *counter, bool add)
{
  if (add)
    __atomic_fetch_add(counter, 1, __ATOMIC_RELAXED);
}

static void *keep_the_thread(void *unused)
{
  sched_yield();
  errno = ERANGE;
  return unused;
}

/* What anybody writes: clear it, convert, wait for something, call, look. And what was set before a wait is there after
 * it. */
#define WORKER(door, ...)                                                                          \
  static void door(void *arg)                                                                      \
  {                                                                                                \
    const int mine = 1000 + (int)(intptr_t)arg;                                                    \
    for (int i = 0; i < ROUNDS; i++) {                                                             \
      pid_t before = gettid();                                                                     \
      errno = 0;                                                                                   \
      count(&wrong, strtol("5", NULL, 10) != 5 || errno != 0);                                     \
      __VA_ARGS__;                                                                                 \
      count(&wrong, close(-1) == 0 || errno != EBADF);                                             \
      errno = mine;                                                                                \
      rt_yield();                                                                                  \
      count(&wrong, errno != mine);                                                                \
      count(&moved, gettid() != before);                                                           \
    }                                                                                              \
    rt_waitgroup_done(&group);                                                                     \
  }

WORKER(yields, rt_yield())
WORKER(sleeps, rt_sleep(1))
WORKER(locks, rt_mutex_lock(&mutex); rt_yield(); rt_mutex_unlock(&mutex))
WORKER(acquires, rt_sem_acquire(&sem); rt_yield(); rt_sem_release(&sem))
WORKER(sends_and_receives, char c = 0; rt_chan_send(turn, &c); rt_yield(); rt_chan_recv(turn, &c))
WORKER(selects, struct rt_case cases[] = { { .chan = rest, .dir = RT_RECV },
                                           { .chan = turn, .dir = RT_SEND, .elem = &(char){ 0 } } };
       count(&wrong, rt_select(cases, 2) != 1); rt_yield(); rt_chan_recv(turn, NULL))
WORKER(writes_and_reads, char c = 0; count(&wrong, rt_write(pipes[1], &c, 1, 0) != 1);
       count(&wrong, rt_read(pipes[0], &c, 1, 0) != 1))
WORKER(blocks, count(&wrong, rt_blocking(keep_the_thread, NULL) != NULL || errno != ERANGE))
WORKER(is_in_the_kernel, rt_entersyscall(); sched_yield(); errno = EDOM; rt_exitsyscall();
       count(&wrong, errno != EDOM))

static void (*const doors[])(void *) = {
  yields,  sleeps,           locks,  acquires,         sends_and_receives,
  selects, writes_and_reads, blocks, is_in_the_kernel,
};

/* Until somebody has come to another thread. */
static void crowd(void (*door)(void *))
{
  moved = 0;
  do {
    rt_waitgroup_add(&group, WORKERS);
    for (intptr_t each = 0; each < WORKERS; each++)
      rt_go(door, (void *)each);
    rt_waitgroup_wait(&group);
  } while (moved == 0);
}

static int body(int argc, char **argv)
{
  (void)argc, (void)argv;
  if (pipe(pipes) != 0)
    return 1;
  turn = rt_chan_new(1, 2);
  rest = rt_chan_new(0, 0);
  rt_sem_init(&sem, 2);
  for (size_t i = 0; i < sizeof doors / sizeof *doors; i++)
    crowd(doors[i]);
  printf("%d wrong\n", wrong);
  return 0;
}

int main(int argc, char **argv)
{
  return rt_main(argc, argv, body);
}
