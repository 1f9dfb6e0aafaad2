/* SPDX-License-Identifier: MIT */
/* million.c - `million [N]`: so many Gs are parked at once, each with a stack of its own, then all end.
 *
 * At the kernel's default of 65,530 mappings a process, this holds only if a guard costs no mapping, or gives way
 * to something that costs none. Says what it took: time, and memory a G.
 */
#include "rt.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct rt_chan *gate;
static struct rt_waitgroup parked, done;
static _Atomic long sum;
static long n_gs;

static void wait_at_the_gate(void *number)
{
  volatile long mine = (long)number; /* on the stack while it waits */
  rt_waitgroup_done(&parked);
  rt_chan_recv(gate, NULL);
  atomic_fetch_add(&sum, mine);
  rt_waitgroup_done(&done);
}

static long resident_bytes(void)
{
  long pages = 0, total = 0;
  FILE *file = fopen("/proc/self/statm", "re");
  if (!file || fscanf(file, "%ld %ld", &total, &pages) != 2)
    pages = 0;
  if (file)
    fclose(file);
  return pages * sysconf(_SC_PAGESIZE);
}

static int run(int argc, char **argv)
{
  n_gs = argc > 1 ? atol(argv[1]) : 1000000;
  gate = rt_chan_new(0, 0);
  long before = resident_bytes();
  int64_t began = rt_now();
  rt_waitgroup_add(&parked, (int)n_gs);
  rt_waitgroup_add(&done, (int)n_gs);
  for (long i = 0; i < n_gs; i++) {
    int error = rt_go(wait_at_the_gate, (void *)i);
    if (error != 0) {
      fprintf(stderr, "million: rt_go, after %ld: %s\n", i, strerror(-error));
      return 1;
    }
    if (i % 1000 == 999)
      rt_yield();
  }
  rt_waitgroup_wait(&parked);
  int64_t stood = rt_now();
  long bytes = resident_bytes() - before;
  rt_chan_close(gate);
  rt_waitgroup_wait(&done);
  printf("million: %ld parked in %.1f s at %ld bytes each, ended in %.1f s\n", n_gs,
         (double)(stood - began) / 1e9, bytes / n_gs, (double)(rt_now() - stood) / 1e9);
  return sum == n_gs * (n_gs - 1) / 2 ? 0 : 1;
}

int main(int argc, char **argv)
{
  return rt_main(argc, argv, run);
}
