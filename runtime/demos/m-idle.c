/* SPDX-License-Identifier: MIT */
/* m-idle - what makes an M sleep: it found nothing to run. Nothing else has to come together for that.
 *
 *   bursts       four tasks, then nothing for 2 ms, three times: Ms wake, spin, work, and park
 *   sleep        the only goroutine sleeps: one M waits in netpoll until its timer is due
 *   poll         the only goroutine waits for a descriptor: one M waits in netpoll without a limit
 *   neither      four tasks, then main computes: Ms park though nobody sleeps and nobody polls
 *   nanosleep    the contrast: a sleep in the kernel, which is a system call and keeps its thread
 *
 * What to look at: an M parks on its note after an empty findRunnable (its spinning ends, found=0, and its P is idle);
 * the poller, of which there is one at most; each wake-up names the M that is woken, and for which P.  sysmon's rounds
 * look at Ps and never at an idle M.  A sleeping goroutine is waiting, and not in a system call.
 */
#include "demo.h"

#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

static const char *const forms[] = { "bursts", "sleep", "poll", "neither", "nanosleep", NULL };
enum {
  BURSTS,
  SLEEP,
  POLL,
  NEITHER,
  NANOSLEEP
};
static struct rt_waitgroup tasks;

static void task(void *unused)
{
  (void)unused;
  demo_compute(MS / 2);
  rt_waitgroup_done(&tasks);
}

static void burst(void)
{
  rt_region_begin("burst");
  rt_waitgroup_add(&tasks, 4);
  for (int i = 0; i < 4; i++)
    rt_go_named("task", task, NULL);
  rt_waitgroup_wait(&tasks);
  rt_region_end();
}

static void wait_for_a_descriptor(void)
{
  uint64_t n;
  struct itimerspec in_3ms = { .it_value.tv_nsec = 3 * MS };
  int fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
  if (fd < 0 || timerfd_settime(fd, 0, &in_3ms, NULL) != 0 || rt_read(fd, &n, sizeof n, 0) < 0)
    rt_panic("no timer of the kernel to wait for");
  rt_close(fd);
}

static void sleep_in_the_kernel(void)
{
  rt_entersyscall();
  nanosleep(&(struct timespec){ .tv_nsec = 3 * MS }, NULL);
  rt_exitsyscall();
}

static int start(int argc, char **argv)
{
  int form = demo_form(argc, argv, forms);
  rt_name(&tasks, "tasks");
  for (int i = 0; i < 3; i++) {
    if (form == BURSTS || form == NEITHER)
      burst();
    if (form == BURSTS || form == SLEEP)
      rt_sleep(2 * MS);
    else if (form == NEITHER)
      demo_compute(2 * MS);
    else if (form == POLL)
      wait_for_a_descriptor();
    else
      sleep_in_the_kernel();
  }
  printf("%s: over\n", forms[form]);
  return 0;
}

int main(int argc, char **argv)
{
  return rt_main(argc, argv, start);
}
