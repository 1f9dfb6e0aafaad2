/* SPDX-License-Identifier: MIT */
/* syscall-panic - deferred calls survive whatever happens to the P during a system call.
 *
 * The article's "ghost panic": a goroutine with deferred calls is in a long system call, its M is preempted, it goes on
 * elsewhere, and its deferred calls are lost, so that nobody recovers its panic.  Here that is tried three times.
 * One P.  "victim" defers two calls and reads an empty pipe.  sysmon takes its P for "other", which stops the world and
 * visits all stacks, then writes to the pipe.  victim comes back, without a P at first, and panics.
 *
 * What to look at: two records on victim's chain before, during and after the call; the P stolen; the world stopped
 * inside the call; the same G throughout; the panic recovered, "cleanup" run.
 * With the fault lose-defers-on-preempt the chain is empty after the call: the first panic ends the program.
 */
#include "demo.h"

#include <unistd.h>

#define TIMES 3

static int pipe_ends[2], recovered, cleaned;
static struct rt_waitgroup both;

static void cleanup(void *unused)
{
  (void)unused;
  cleaned++;
}

static void recover_it(void *unused)
{
  (void)unused;
  recovered += rt_recover(NULL);
}

static void risky(void)
{
  char byte;
  RT_FRAME(fr, { return; });
  RT_DEFER(fr, cleanup, NULL);
  RT_DEFER(fr, recover_it, NULL);
  rt_entersyscall();
  ssize_t n = read(pipe_ends[0], &byte, 1);
  rt_exitsyscall();
  if (n == 1)
    rt_panic("after the system call");
}

static void victim(void *unused)
{
  (void)unused;
  for (int i = 0; i < TIMES; i++)
    risky();
  rt_waitgroup_done(&both);
}

/* Runs only when the P was taken from the system call, or has come back to whoever waits. */
static void other(void *unused)
{
  (void)unused;
  for (int i = 0; i < TIMES; i++) {
    rt_gc();
    if (write(pipe_ends[1], "x", 1) != 1)
      rt_panic("cannot write to the pipe");
    for (; cleaned == i; rt_yield()) /* until victim is done with this one, and reads anew */
      demo_compute(MS / 10);
  }
  rt_waitgroup_done(&both);
}

static int start(int argc, char **argv)
{
  (void)argc, (void)argv;
  rt_gomaxprocs(1);
  if (pipe(pipe_ends) != 0)
    rt_panic("no pipe");
  rt_name(&both, "both");
  rt_waitgroup_add(&both, 2);
  rt_go_named("other", other, NULL);
  rt_go_named("victim", victim, NULL); /* newest first: runnext */
  rt_waitgroup_wait(&both);
  printf("%d panics, %d recovered, %d cleaned up\n", TIMES, recovered, cleaned);
  return 0;
}

int main(int argc, char **argv)
{
  return rt_main(argc, argv, start);
}
