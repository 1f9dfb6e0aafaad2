/* SPDX-License-Identifier: MIT */
/* idle.c - `idle [GS [SECONDS]]`: so many Gs sleep until the end; says how much CPU the process used meanwhile.
 *
 * The Gs are started and have gone to sleep before the clock starts. Exit code 1 if it was 0.5 % of a CPU or more.
 */
#include "rt.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

static int64_t end;

static void sleep_until_the_end(void *unused)
{
  (void)unused;
  rt_sleep(end - rt_now());
}

static double cpu_seconds(void)
{
  struct rusage r;
  getrusage(RUSAGE_SELF, &r);
  return (double)(r.ru_utime.tv_sec + r.ru_stime.tv_sec) +
         (double)(r.ru_utime.tv_usec + r.ru_stime.tv_usec) / 1e6;
}

static int run(int argc, char **argv)
{
  long n = argc > 1 ? atol(argv[1]) : 10000;
  double seconds = argc > 2 ? atof(argv[2]) : 10;
  end = rt_now() + (int64_t)((seconds + 2) * 1e9);
  for (long i = 0; i < n; i++)
    rt_go(sleep_until_the_end, NULL);
  rt_sleep(500000000);
  double before = cpu_seconds();
  int64_t began = rt_now();
  rt_sleep((int64_t)(seconds * 1e9));
  double percent = (cpu_seconds() - before) / ((double)(rt_now() - began) / 1e9) * 100;
  printf("idle: %ld sleeping Gs, %.3f %% of a CPU over %.0f s\n", n, percent, seconds);
  return percent < 0.5 ? 0 : 1;
}

int main(int argc, char **argv)
{
  return rt_main(argc, argv, run);
}
