/* SPDX-License-Identifier: MIT */
/* syscall-handoff - a P is taken from an M that is stuck in the kernel.
 *
 * One P.  "reader" sits in a real read() of an empty pipe, wrapped in entersyscall and exitsyscall.  The P
 * stays wired to its M at first; sysmon sees that work waits, takes the P and hands it to another M, which runs
 * "worker".  When worker has counted enough it writes to the pipe: reader comes back from the kernel, finds no
 * P, and queues on the global run queue.
 *
 * What to look at: "in syscall" on the first M's lane; the steal by sysmon some 20 us to 10 ms later; the
 * second M, woken or made for the P; go_syscall_end_blocked, and the reader's way over the global queue.
 */
#include "rt.h"

#include <stdio.h>
#include <unistd.h>

static int pipe_ends[2];
static struct rt_waitgroup both;

static void done(void *waitgroup)
{
  rt_waitgroup_done(waitgroup);
}

static void reader(void *unused)
{
  (void)unused;
  RT_FRAME(fr, { return; });
  RT_DEFER(fr, done, &both);
  char byte = 0;
  rt_entersyscall();
  ssize_t n = read(pipe_ends[0], &byte, 1); /* the thread sleeps in the kernel */
  rt_exitsyscall();
  printf("reader read %zd byte: %c\n", n, byte);
}

static void worker(void *unused)
{
  (void)unused;
  RT_FRAME(fr, { return; });
  RT_DEFER(fr, done, &both);
  for (int i = 0; i < 1000; i++)
    rt_yield();
  puts("worker ran while the reader was in the kernel");
  if (write(pipe_ends[1], "x", 1) != 1)
    rt_panic("cannot write to the pipe");
}

static int start(int argc, char **argv)
{
  (void)argc, (void)argv;
  rt_gomaxprocs(1);
  if (pipe(pipe_ends) != 0)
    rt_panic("no pipe");
  rt_name(&both, "both");
  rt_waitgroup_add(&both, 2);
  rt_go_named("worker", worker, NULL);
  rt_go_named("reader", reader, NULL); /* newest first: runnext */
  rt_waitgroup_wait(&both);
  return 0;
}

int main(int argc, char **argv)
{
  return rt_main(argc, argv, start);
}
