/* SPDX-License-Identifier: MIT */
/* bench-runtime.c - our side of the runtime benchmarks: the same tests under the same names as
 * go/main.go.
 *
 *   bench-runtime TEST    prints "TEST wall_ns cpu_ns" per operation; for "parked" bytes in place of cpu_ns
 *   bench-runtime TEST bursts    the same in bursts, between which the recorder can catch up, so that it loses nothing
 *
 * The program is an ordinary user of rt.h, linked against the shared runtime that is shipped,
 * tracing compiled in. `gmpscope record` around it gives the "on" column. */
#include "rt.h"

#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

struct bench {
  const char *name;
  int procs;
  long n;
  void (*run)(long n);
  long
      burst; /* operations that a ring holds the events of, with room to spare; 0: not to be had in bursts */
};

static int64_t wall_now(void)
{
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1000000000ll + t.tv_nsec;
}

static int64_t cpu_now(void)
{
  struct timespec t;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return t.tv_sec * 1000000000ll + t.tv_nsec;
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

/* As channel, but both sides wait in a select of two cases, of which one never happens. */
static void echo_select(void *arg)
{
  struct rt_chan *never = arg;
  for (;;) {
    long v;
    struct rt_case cases[] = { { .chan = ping, .dir = RT_RECV, .elem = &v },
                               { .chan = never, .dir = RT_RECV } };
    rt_select(cases, 2);
    rt_chan_send(pong, &v);
  }
}

static void selects(long n)
{
  struct rt_chan *never = rt_chan_new(sizeof(long), 0);
  ping = rt_chan_new(sizeof(long), 0);
  pong = rt_chan_new(sizeof(long), 0);
  rt_go(echo_select, never);
  for (long i = 0; i < n; i++) {
    long back;
    struct rt_case cases[] = { { .chan = pong, .dir = RT_RECV, .elem = &back },
                               { .chan = never, .dir = RT_RECV } };
    rt_chan_send(ping, &i);
    rt_select(cases, 2);
  }
}

/* Values from one G to another through a buffer of 1024. */
static void produce(void *arg)
{
  for (long i = *(long *)arg; i > 0; i--)
    rt_chan_send(ping, &i);
  rt_chan_close(ping);
}

static void buffered(long n)
{
  long v;
  ping = rt_chan_new(sizeof(long), 1024);
  rt_go(produce, &n);
  while (rt_chan_recv(ping, &v))
    continue;
}

/* A tree of Gs, ten to a node, a million leaves; each sends its sum to its parent. */
struct node {
  struct rt_chan *to;
  long number, leaves;
};

static void skynet_node(void *arg)
{
  const struct node *me = arg;
  long sum = me->number;
  if (me->leaves > 1) {
    struct rt_chan *from = rt_chan_new(sizeof(long), 0);
    struct node children[10];
    for (int i = 0; i < 10; i++) {
      long leaves = me->leaves / 10;
      children[i] =
          (struct node){ .to = from, .number = me->number + i * leaves, .leaves = leaves };
      rt_go(skynet_node, &children[i]);
    }
    sum = 0;
    for (int i = 0; i < 10; i++) {
      long part;
      rt_chan_recv(from, &part);
      sum += part;
    }
    rt_chan_free(from);
  }
  rt_chan_send(me->to, &sum);
}

static void skynet(long n)
{
  struct node root = { .to = rt_chan_new(sizeof(long), 0), .leaves = n };
  long sum;
  rt_go(skynet_node, &root);
  rt_chan_recv(root.to, &sum);
  if (sum != n * (n - 1) / 2)
    rt_panic("skynet: wrong sum");
}

/* k Gs take turns at one mutex. */
static struct
{ /* in Go's program too, the counter lies beside its mutex: its allocator puts small objects together */
  struct rt_mutex mutex;
  long counter;
} guarded;

static void locker(void *arg)
{
  for (long i = *(long *)arg; i > 0; i--) {
    rt_mutex_lock(&guarded.mutex);
    guarded.counter++;
    rt_mutex_unlock(&guarded.mutex);
  }
  rt_waitgroup_done(&group);
}

static void mutex_of(long n, int k)
{
  static long each;
  each = n / k;
  rt_waitgroup_add(&group, k);
  for (int i = 0; i < k; i++)
    rt_go(locker, &each);
  rt_waitgroup_wait(&group);
}

static void mutex2(long n)
{
  mutex_of(n, 2);
}

static void mutex8(long n)
{
  mutex_of(n, 8);
}

static void mutex64(long n)
{
  mutex_of(n, 64);
}

/* A timer is made and stopped while a million others wait. */
#define OUTSTANDING 1000000

static void prepare_timers(void)
{
  for (long i = 0; i < OUTSTANDING; i++)
    rt_after_func(3600 * 1000000000ll + i, nothing, NULL);
}

static void timer(long n)
{
  for (long i = 0; i < n; i++) {
    struct rt_timer *t = rt_after_func(1800 * 1000000000ll, nothing, NULL);
    rt_timer_stop(t);
    rt_timer_free(t);
  }
}

/* Ten deferred calls of a loop each. */
static void defer_ten(void)
{
  RT_FRAME(fr, { return; });
  for (int i = 0; i < 10; i++)
    RT_DEFER_LOOP(fr, nothing, NULL);
}

static void deferloop(long n)
{
  for (long i = 0; i < n; i += 10)
    defer_ten();
}

static void recovers(void *arg)
{
  (void)arg;
  rt_recover(NULL);
}

static __attribute__((noinline)) void panic_once(void)
{
  RT_FRAME(fr, { return; });
  RT_DEFER(fr, recovers, NULL);
  rt_panic("bench");
}

static void panics(long n)
{
  for (long i = 0; i < n; i++)
    panic_once();
}

/* Ten frames deep, one deferred call in each. */
static __attribute__((noinline)) void panic_below(int depth) // NOLINT(misc-no-recursion)
{
  RT_FRAME(fr, { return; });
  RT_DEFER(fr, nothing, NULL);
  if (depth == 0)
    rt_panic("bench");
  panic_below(depth - 1);
}

static __attribute__((noinline)) void panic_ten(void)
{
  RT_FRAME(fr, { return; });
  RT_DEFER(fr, recovers, NULL);
  panic_below(9);
}

static void panic10(long n)
{
  for (long i = 0; i < n; i++)
    panic_ten();
}

/* Memory of a G that waits. */
static void waits(void *arg)
{
  long v;
  rt_waitgroup_done(&group);
  rt_chan_recv(arg, &v);
}

static long resident_bytes(void)
{
  long pages = 0;
  FILE *file = fopen("/proc/self/statm", "r");
  if (!file || fscanf(file, "%*s %ld", &pages) != 1)
    pages = 0;
  if (file)
    fclose(file);
  return pages * 4096;
}

static long parked_growth;

static void parked(long n)
{
  struct rt_chan *never = rt_chan_new(sizeof(long), 0);
  long before = resident_bytes();
  rt_waitgroup_add(&group, (int)n);
  for (long i = 0; i < n; i++)
    rt_go(waits, never);
  rt_waitgroup_wait(&group);
  rt_yield();
  parked_growth = resident_bytes() - before;
}

/* A server that gives back what each of its connections sends. bench-echo-load, which is told the port and n by the
 * first line, makes the connections and n requests; so the CPU time is the server's alone. */
#define CONNECTIONS 64

static void serve(void *arg)
{
  int fd = (int)(intptr_t)arg;
  char buf[512];
  ssize_t n;
  while ((n = rt_read(fd, buf, sizeof buf, 0)) > 0)
    if (rt_write(fd, buf, (size_t)n, 0) < 0)
      rt_panic("echo: the connection is gone");
  rt_close(fd);
  rt_waitgroup_done(&group);
}

static void echo_tcp(long n)
{
  struct sockaddr_in at;
  socklen_t size = sizeof at;
  int fd = rt_listen("127.0.0.1:0");
  if (fd < 0 || getsockname(fd, (struct sockaddr *)&at, &size) < 0)
    rt_panic("echo: no port");
  printf("%d %ld\n", ntohs(at.sin_port), n);
  fflush(stdout);
  rt_waitgroup_add(&group, CONNECTIONS);
  for (int i = 0; i < CONNECTIONS; i++) {
    int connection = rt_accept(fd, 0);
    if (connection < 0)
      rt_panic("echo: no connection");
    rt_go(serve, (void *)(intptr_t)connection);
  }
  rt_waitgroup_wait(&group);
  rt_close(fd);
}

static const struct bench benches[] = {
  { "yield", 1, 20000000, yield, 40000 },
  { "channel", 1, 5000000, channel, 10000 },
  { "channel2p", 2, 1000000, channel, 10000 },
  { "select", 1, 3000000, selects, 8000 },
  { "buffered", 1, 20000000, buffered, 50000 },
  { "spawn", 1, 5000000, spawn, 15000 },
  { "batch", 1, 1000000, batch, 0 },
  { "skynet2p", 2, 1000000, skynet, 0 },
  { "mutex2x2p", 2, 10000000, mutex2, 200000 },
  { "mutex8x2p", 2, 10000000, mutex8, 200000 },
  { "mutex64x2p", 2, 10000000, mutex64, 200000 },
  { "timer", 1, 2000000, timer, 20000 },
  { "deferloop", 1, 20000000, deferloop, 20000 },
  { "panic", 1, 3000000, panics, 8000 },
  { "panic10", 1, 1000000, panic10, 1500 },
  { "parked", 1, 1000000, parked, 0 },
  { "echo1p", 1, 200000, echo_tcp, 0 },
  { "echo2p", 2, 200000, echo_tcp, 0 },
};

#define BURSTS       40
#define FIRST_BURSTS 6
#define PAUSE_NS     40000000

/* Without giving up the P. */
static void pause_in_place(void)
{
  for (int64_t until = wall_now() + PAUSE_NS; wall_now() < until;)
    continue;
}

/* Wall and CPU ns of some bursts, and how many operations they were. */
static long run_bursts(const struct bench *b, int64_t *wall, int64_t *cpu)
{
  for (int i = 0; i < FIRST_BURSTS; i++) { /* memory, and the ring's: once around it */
    b->run(b->burst);
    pause_in_place();
  }
  *wall = *cpu = 0;
  for (int i = 0; i < BURSTS; i++) {
    pause_in_place();
    *wall -= wall_now(), *cpu -= cpu_now();
    b->run(b->burst);
    *wall += wall_now(), *cpu += cpu_now();
  }
  return BURSTS * b->burst;
}

static int measure(int argc, char **argv)
{
  for (size_t i = 0; i < sizeof benches / sizeof benches[0]; i++) {
    const struct bench *b = &benches[i];
    if (strcmp(b->name, argv[1]) != 0)
      continue;
    rt_gomaxprocs(b->procs);
    if (b->run == batch)
      b->run(b->n); /* the first one warms memory, as on Go's side */
    if (b->run == timer)
      prepare_timers();
    int64_t wall = wall_now(), cpu = cpu_now();
    long n = b->n;
    if (argc == 3 && b->burst > 0) {
      n = run_bursts(b, &wall, &cpu);
    } else {
      b->run(n);
      wall = wall_now() - wall;
      cpu = cpu_now() - cpu;
    }
    double second = b->run == parked ? (double)parked_growth : (double)cpu;
    printf("%s %.2f %.2f\n", b->name, (double)wall / (double)n, second / (double)n);
    fflush(stdout);
    return 0;
  }
  fprintf(stderr, "bench-runtime: no such test: %s\n", argv[1]);
  return 2;
}

int main(int argc, char **argv)
{
  if (argc != 2 && argc != 3)
    return 2;
  return rt_main(argc, argv, measure);
}
