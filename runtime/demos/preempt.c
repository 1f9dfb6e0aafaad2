/* SPDX-License-Identifier: MIT */
/* preempt - more hogs than Ps, and nobody starves.
 *
 * For P Ps there are 2 (P + 1) hogs, and each computes until main says stop. P + 1 of them call rt_safepoint in
 * their loop; P + 1 call nothing at all, but are marked RT_PREEMPTIBLE. Nobody blocks: a hog gives its P up only
 * because it must. main waits until every hog has begun, lets all come to run once more, and stops them.
 *
 * What to look at: after 10 ms sysmon asks a G to stop. A hog that calls sees that at its next call
 * (preempt_taken by_signal=0). To a hog that does not call, a SIGURG is sent; it lands at some instruction of
 * the loop, and the hog goes to the tail of the global queue, to be run later, perhaps on another M. A signal
 * that meets a hog inside rt_safepoint, which is not marked, is refused.
 *
 * With RT_DEBUG=asyncpreemptoff=1 the hogs that do not call keep their Ps until they have had enough: some end
 * before main is back, and no P is there for the others meanwhile.
 */
#include "rt.h"

#include <stdatomic.h>
#include <stdio.h>

#define ENOUGH 500000000ul

static struct rt_waitgroup begun, hogs;
static _Atomic bool stop;
static _Atomic int ended_by_themselves;

static RT_PREEMPTIBLE unsigned long count_without_a_call(unsigned long x)
{
  while (!atomic_load_explicit(&stop, memory_order_relaxed) && x < ENOUGH)
    x++;
  return x;
}

static void hog_without_calls(void *unused)
{
  (void)unused;
  rt_waitgroup_done(&begun);
  if (count_without_a_call(0) == ENOUGH)
    atomic_fetch_add(&ended_by_themselves, 1);
  rt_waitgroup_done(&hogs);
}

static void hog_with_calls(void *unused)
{
  (void)unused;
  rt_waitgroup_done(&begun);
  while (!atomic_load_explicit(&stop, memory_order_relaxed))
    rt_safepoint();
  rt_waitgroup_done(&hogs);
}

static int start(int argc, char **argv)
{
  (void)argc, (void)argv;
  int n = 2 * (rt_gomaxprocs(0) + 1);
  rt_name(&begun, "begun");
  rt_name(&hogs, "hogs");
  rt_waitgroup_add(&begun, n);
  rt_waitgroup_add(&hogs, n);
  for (int i = 0; i < n / 2; i++)
    rt_go_named("hog without calls", hog_without_calls, NULL);
  for (int i = 0; i < n / 2; i++)
    rt_go_named("hog with calls", hog_with_calls, NULL);
  rt_waitgroup_wait(&begun);
  rt_yield(); /* to the tail of the queue: every hog that waits comes first */
  rt_yield();
  atomic_store(&stop, true);
  rt_waitgroup_wait(&hogs);
  printf("more hogs than Ps, and all had their turns\n%d hogs ended before main was back\n",
         atomic_load(&ended_by_themselves));
  return 0;
}

int main(int argc, char **argv)
{
  return rt_main(argc, argv, start);
}
