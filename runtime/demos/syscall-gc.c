/* SPDX-License-Identifier: MIT */
/* syscall-gc - a goroutine in a system call: what becomes of its P, and why it holds up nobody.
 *
 *   scan     two Ps.  "reader" reads an empty pipe; "waiter" waits on a channel, on no queue.  Meanwhile the world is
 *            stopped twice and every stack is visited, the reader's too; then main writes to the pipe
 *   short    50 calls that return at once: the P stays wired to the M, nobody takes it
 *   busy     one P.  sysmon takes it for "worker", which writes to the pipe and then computes on: reader comes back,
 *            finds no P, goes to the global queue, and its M parks
 *   old      one P, but worker reads another pipe then: reader takes its old P back from worker's call
 *
 * What to look at: go_syscall_begin gives nothing up.  The world stops by taking the P of the reader, and starts again,
 * all within its one call.  Each way out is one of four: kept its P; the old P, which was idle; another idle P; none.
 * The G's states are syscall, running or runnable; never waiting.  There is no state of the M: its colour is the G's.
 */
#include "demo.h"

#include <unistd.h>

static const char *const forms[] = { "scan", "short", "busy", "old", NULL };
enum {
  SCAN,
  SHORT,
  BUSY,
  OLD
};
static int form, pipe_ends[2], back[2];
static _Atomic bool reading;
static struct rt_waitgroup all;
static struct rt_chan *never;

static char read_pipe(int fd)
{
  char byte = 0;
  rt_entersyscall();
  ssize_t n = read(fd, &byte, 1); /* the thread sleeps in the kernel */
  rt_exitsyscall();
  if (n != 1)
    byte = '?';
  return byte;
}

static void write_pipe(int fd)
{
  if (write(fd, "x", 1) != 1)
    rt_panic("cannot write to the pipe");
}

static void reader(void *unused)
{
  (void)unused;
  reading = true;
  printf("reader read 1 byte: %c\n", read_pipe(pipe_ends[0]));
  write_pipe(back[1]);
  rt_waitgroup_done(&all);
}

static void wait_for_nothing(void *unused)
{
  (void)unused;
  rt_chan_recv(never, NULL);
}

static void scan(void)
{
  rt_gomaxprocs(2);
  rt_go_named("waiter", wait_for_nothing, NULL);
  rt_yield();
  rt_go_named("reader", reader, NULL);
  while (!reading)
    rt_sleep(MS / 10);
  rt_sleep(2 * MS);
  rt_gc();
  rt_gc();
  write_pipe(pipe_ends[1]);
}

static void worker(void *unused)
{
  (void)unused;
  write_pipe(pipe_ends[1]);
  if (form == OLD)
    read_pipe(back[0]);
  else
    demo_compute(3 * MS); /* the reader is back before the P is free */
  rt_waitgroup_done(&all);
}

static void one_p(void)
{
  rt_gomaxprocs(1);
  rt_waitgroup_add(&all, 1);
  rt_go_named("worker", worker, NULL);
  rt_go_named("reader", reader, NULL); /* newest first: runnext */
}

static void short_calls(void)
{
  for (int i = 0; i < 50; i++) {
    rt_entersyscall();
    getppid();
    rt_exitsyscall();
  }
  puts("50 calls returned");
}

static int start(int argc, char **argv)
{
  static void (*const run[])(void) = { scan, short_calls, one_p, one_p };
  form = demo_form(argc, argv, forms);
  if (pipe(pipe_ends) != 0 || pipe(back) != 0)
    rt_panic("no pipe");
  never = rt_chan_new(0, 0);
  rt_name(never, "never");
  rt_name(&all, "all");
  rt_waitgroup_add(&all, form != SHORT);
  run[form]();
  rt_waitgroup_wait(&all);
  return 0;
}

int main(int argc, char **argv)
{
  return rt_main(argc, argv, start);
}
