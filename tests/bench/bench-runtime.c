/* SPDX-License-Identifier: MIT */
/* bench-runtime.c - our side of the runtime benchmarks: the same tests under the same names as
 * go/main.go.
 *
 *   bench-runtime TEST    prints "TEST wall_ns cpu_ns" per operation
 *
 * The program is an ordinary user of rt.h, linked against the shared runtime that is shipped,
 * tracing compiled in. `gmpscope record` around it gives the "on" column. */
#include "rt.h"

#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

struct bench {
  const char *name;
  int procs;
  long n;
  void (*run)(long n);
};

static int64_t wall_now(void)
{
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1000000000ll + t.tv_nsec;
}

static int64_t cpu_now(void)
{
  struct rusage r;
  getrusage(RUSAGE_SELF, &r);
  return (r.ru_utime.tv_sec + r.ru_stime.tv_sec) * 1000000000ll +
         (r.ru_utime.tv_usec + r.ru_stime.tv_usec) * 1000ll;
}

static struct rt_waitgroup group;

static void yielder(void *arg)
{
  for (long i = *(long *)arg; i > 0; i--)
    rt_yield();
  rt_waitgroup_done(&group);
}

/* Two Gs yield to each other on one P. */
static void yield(long n)
{
  static long half;
  half = n / 2;
  rt_waitgroup_add(&group, 2);
  rt_go(yielder, &half);
  rt_go(yielder, &half);
  rt_waitgroup_wait(&group);
}

static struct rt_chan *ping, *pong;

static void echo(void *arg)
{
  (void)arg;
  long v;
  while (rt_chan_recv(ping, &v))
    rt_chan_send(pong, &v);
}

/* A value goes through one unbuffered channel and comes back through another. */
static void channel(long n)
{
  ping = rt_chan_new(sizeof(long), 0);
  pong = rt_chan_new(sizeof(long), 0);
  rt_go(echo, NULL);
  for (long i = 0; i < n; i++) {
    long back;
    rt_chan_send(ping, &i);
    rt_chan_recv(pong, &back);
  }
}

static void nothing(void *arg)
{
  (void)arg;
}

/* One G starts another, which ends at once; then the next. */
static void spawn(long n)
{
  for (long i = 0; i < n; i++) {
    rt_go(nothing, NULL);
    rt_yield();
  }
}

static void done(void *arg)
{
  (void)arg;
  rt_waitgroup_done(&group);
}

/* A million Gs are made first and run then. */
static void batch(long n)
{
  rt_waitgroup_add(&group, (int)n);
  for (long i = 0; i < n; i++)
    rt_go(done, NULL);
  rt_waitgroup_wait(&group);
}

static const struct bench benches[] = {
  { "yield", 1, 20000000, yield },      { "channel", 1, 5000000, channel },
  { "channel2p", 2, 1000000, channel }, { "spawn", 1, 5000000, spawn },
  { "batch", 1, 1000000, batch },
};

static int measure(int argc, char **argv)
{
  (void)argc;
  for (size_t i = 0; i < sizeof benches / sizeof benches[0]; i++) {
    const struct bench *b = &benches[i];
    if (strcmp(b->name, argv[1]) != 0)
      continue;
    rt_gomaxprocs(b->procs);
    if (b->run == batch)
      b->run(b->n); /* the first one warms memory, as on Go's side */
    int64_t wall = wall_now(), cpu = cpu_now();
    b->run(b->n);
    wall = wall_now() - wall;
    cpu = cpu_now() - cpu;
    printf("%s %.2f %.2f\n", b->name, (double)wall / (double)b->n, (double)cpu / (double)b->n);
    fflush(stdout);
    return 0;
  }
  fprintf(stderr, "usage: bench-runtime yield|channel|channel2p|spawn|batch\n");
  return 2;
}

int main(int argc, char **argv)
{
  if (argc != 2)
    return 2;
  return rt_main(argc, argv, measure);
}
