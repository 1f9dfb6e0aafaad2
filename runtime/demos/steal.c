/* SPDX-License-Identifier: MIT */
/* steal - one P makes all the work, the others come and take half.
 *
 * "flood" starts 400 goroutines in one go: they pile up in its own P's ring of 256, and when that is full, half
 * of it moves to the global queue.  Each computes for a moment.  The other Ps have nothing: their Ms spin, look into
 * the global queue, and steal half of the ring.
 *
 * What to look at: ring and global queue filling up; the first M woken to spin; each steal with thief, victim and
 * number; runnext, which is stolen only as the last resort.
 */
#include "rt.h"

#include <stdatomic.h>
#include <stdio.h>

#define TASKS 400

static struct rt_waitgroup tasks;
static _Atomic unsigned long sum;

static void task(void *n)
{
  unsigned long x = (unsigned long)n;
  for (int i = 0; i < 20000; i++)
    x = x * 6364136223846793005u + 1442695040888963407u;
  atomic_fetch_add(&sum, x & 0xff);
  rt_waitgroup_done(&tasks);
}

static void flood(void *unused)
{
  (void)unused;
  for (long i = 0; i < TASKS; i++)
    rt_go_named("task", task, (void *)i);
  rt_waitgroup_done(&tasks);
}

static int start(int argc, char **argv)
{
  (void)argc, (void)argv;
  rt_name(&tasks, "tasks");
  rt_waitgroup_add(&tasks, TASKS + 1);
  rt_go_named("flood", flood, NULL);
  rt_waitgroup_wait(&tasks);
  printf("%d tasks done, sum %lu\n", TASKS, atomic_load(&sum));
  return 0;
}

int main(int argc, char **argv)
{
  return rt_main(argc, argv, start);
}
