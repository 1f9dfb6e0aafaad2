/* SPDX-License-Identifier: MIT */
/* again.c - a program on the shipped runtime for test-sim-again.c, whose course is decided by what no seed knows of a
 * real process: where things lie, clocks, random numbers. Its first argument says by which. */
#include "rt.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <threads.h>
#include <time.h>
#include <unistd.h>

#define MS 1000000LL

static uint64_t in_main; /* a number that main took before the run */

/* A G for each number, which sleeps by it: so it shows in the trace. */
static void sleep_by(void *number)
{
  uint64_t mixed = *(uint64_t *)number * 0x9e3779b97f4a7c15u;
  rt_sleep(1 + (int64_t)(mixed >> 44));
  rt_yield();
}

static int go_by(uint64_t *numbers, size_t n)
{
  for (size_t i = 0; i < n; i++) {
    printf("%llx\n", (unsigned long long)numbers[i]);
    rt_go(sleep_by, &numbers[i]);
  }
  rt_sleep(100 * MS);
  return 0;
}

static int by_addresses(int argc, char **argv)
{
  static uint64_t numbers[10];
  (void)argc;
  rt_sleep(MS);         /* so that something has been told */
  numbers[0] = in_main; /* of main's frame */
  numbers[1] = (uintptr_t)numbers;
  numbers[2] = (uintptr_t)&argc;
  numbers[3] = (uintptr_t)argv;
  numbers[4] = (uintptr_t)rt_chan_new(8, 1);
  numbers[5] = (uintptr_t)malloc(24);
  numbers[6] = (uintptr_t)malloc(4 << 20);
  numbers[7] = (uintptr_t)printf;
  numbers[8] = (uintptr_t)strdup("text");
  numbers[9] = getauxval(AT_SYSINFO_EHDR);
  return go_by(numbers, 10);
}

static uint64_t read_clock(clockid_t id)
{
  struct timespec now = { 0 };
  clock_gettime(id, &now);
  return (uint64_t)now.tv_sec * 1000 * MS + (uint64_t)now.tv_nsec;
}

static int by_clocks(int argc, char **argv)
{
  static uint64_t numbers[9];
  struct timeval day;
  struct timespec now;
  (void)argc, (void)argv;
  rt_sleep(MS);
  numbers[0] = in_main; /* time(NULL), there */
  numbers[1] = (uint64_t)time(NULL);
  numbers[2] = read_clock(CLOCK_REALTIME);
  numbers[3] = read_clock(CLOCK_MONOTONIC);
  numbers[4] = read_clock(CLOCK_BOOTTIME);
  numbers[5] = read_clock(CLOCK_THREAD_CPUTIME_ID);
  gettimeofday(&day, NULL);
  numbers[6] = (uint64_t)day.tv_usec;
  numbers[7] = (uint64_t)clock();
  timespec_get(&now, TIME_UTC);
  numbers[8] = (uint64_t)now.tv_nsec;
  return go_by(numbers, 9);
}

uint32_t arc4random(void); /* glibc has it since 2.36, and the simulation with any */
#pragma weak arc4random

static int by_random(int argc, char **argv)
{
  static uint64_t numbers[6];
  (void)argc, (void)argv;
  numbers[0] = in_main; /* of getrandom, there */
  if (getrandom(&numbers[1], 8, 0) != 8 || getrandom(&numbers[2], 5, GRND_NONBLOCK) != 5 ||
      getentropy(&numbers[3], 8) != 0)
    return 3;
  memcpy(&numbers[4], (const void *)getauxval(AT_RANDOM), 8);
  numbers[5] = arc4random ? arc4random() : numbers[1] + 1;
  return go_by(numbers, 6);
}

/* ---- what goes another way inside where it is recorded ---- */

static void tell_time(void *what)
{
  printf("%s of G%llu at %lld\n", (const char *)what, (unsigned long long)rt_goid(),
         (long long)rt_now());
}

static void tell_itself(void *name)
{
  RT_FRAME(frame, { return; });
  struct rt_timer *timer = rt_after_func(MS, tell_time, "timer");
  rt_name(timer, name);
  for (int i = 0; i < 20; i++)
    RT_DEFER_LOOP(frame, tell_time, name);
  rt_region_begin("region");
  rt_log("log", "%s", (const char *)name);
  rt_yield();
  rt_region_end();
  rt_sleep(2 * MS);
  rt_timer_free(timer);
}

static int tells_itself(int argc, char **argv)
{
  static char *const names[] = { "one", "two", "three", "four" };
  (void)argc, (void)argv;
  for (int i = 0; i < 4; i++)
    rt_go_named(names[i], tell_itself, names[i]);
  rt_gc();
  rt_sleep(5 * MS);
  tell_time("end");
  return 0;
}

/* ---- time that a program lets pass ---- */

static int64_t passed_since(int64_t begin)
{
  return (rt_now() - begin) / MS;
}

static int sleeps(int argc, char **argv)
{
  int64_t begin = rt_now();
  struct timespec wanted = { .tv_sec = 3600 };
  (void)argc, (void)argv;
  nanosleep(&wanted, NULL);
  usleep(1000);
  sleep(2);
  thrd_sleep(&wanted, NULL);
  clock_gettime(CLOCK_MONOTONIC, &wanted);
  wanted.tv_sec += 10;
  clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &wanted, NULL);
  printf("%d\n", passed_since(begin) >= 7212001);
  int64_t before = rt_now(), between = (int64_t)read_clock(CLOCK_MONOTONIC), after = rt_now();
  printf("%d\n", before < between && between < after);
  wanted.tv_nsec = -1;
  printf("%d\n", nanosleep(&wanted, NULL) == -1 && errno == EINVAL);
  while (time(NULL) < 1700000000 + 7300) /* not at once: a sleep a round */
    usleep(100000);
  begin = rt_now();
  while (passed_since(begin) < 5) /* nor by sleeping */
    read_clock(CLOCK_MONOTONIC);
  printf("%lld\n", (long long)passed_since(begin));
  return 0;
}

static void add(void *n)
{
  for (int i = 0; i < 100; i++) {
    ++*(int *)n;
    rt_sleep(MS);
  }
}

static void *nap(void *unused)
{
  usleep(1000000);
  return unused;
}

/* In a system call, as a simulated thread sleeps, the others go on. */
static int sleeps_beside_others(int argc, char **argv)
{
  static int n;
  (void)argc, (void)argv;
  rt_go(add, &n);
  rt_blocking(nap, NULL);
  printf("%d\n", n);
  return 0;
}

/* ---- what is not the simulation's ---- */

static void *look_at_time(void *out)
{
  *(time_t *)out = time(NULL);
  return NULL;
}

static int has_a_thread(int argc, char **argv)
{
  pthread_t thread;
  time_t there = 0;
  (void)argc, (void)argv;
  if (pthread_create(&thread, NULL, look_at_time, &there) != 0)
    return 3;
  pthread_join(thread, NULL);
  printf("%d %d\n", time(NULL) < 1700000100, there > 1700000100);
  return 0;
}

static int has_children(int argc, char **argv)
{
  (void)argc, (void)argv;
  fflush(stdout);
  return system(
             "env | grep -c -e LD_PRELOAD -e GMPSCOPE_SIM; date +%Y; cat /proc/self/personality") !=
         0;
}

/* From here on personality(2) fails, here and in all that this process becomes. */
static void forbid_personality(void)
{
  struct sock_filter code[] = {
    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_personality, 0, 1),
    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  const struct sock_fprog program = { .len = 4, .filter = code };
  prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

static int says_done(int argc, char **argv)
{
  (void)argc, (void)argv;
  puts("done");
  return 0;
}

/* ---- before and after a run ---- */

static void look_in_a_run(void *virtual)
{
  *(bool *)virtual = time(NULL) < 1700000100;
}

static int asks_itself(void)
{
  bool is_virtual = false;
  bool before = time(NULL) < 1700000100;
  const struct rt_options options = { .sim_seed = 7 };
  int error = rt_run(look_in_a_run, &is_virtual, &options);
  printf("%d %d %d\n", before, is_virtual, time(NULL) < 1700000100);
  return error;
}

static const struct {
  const char *name;
  int (*fn)(int, char **);
} programs[] = {
  { "addresses", by_addresses }, { "clocks", by_clocks },
  { "random", by_random },       { "tells", tells_itself },
  { "sleeps", sleeps },          { "thread", has_a_thread },
  { "children", has_children },  { "beside", sleeps_beside_others },
  { "forbidden", says_done },
};

int main(int argc, char **argv)
{
  const char *what = argc > 1 ? argv[1] : "";
  in_main = (uintptr_t)&what;
  if (strcmp(what, "clocks") == 0)
    in_main = (uint64_t)time(NULL);
  if (strcmp(what, "random") == 0 && getrandom(&in_main, sizeof in_main, 0) < 0)
    return 3;
  if (strcmp(what, "forbidden") == 0)
    forbid_personality();
  for (size_t i = 0; i < sizeof programs / sizeof programs[0]; i++)
    if (strcmp(what, programs[i].name) == 0)
      return rt_main(argc, argv, programs[i].fn);
  return strcmp(what, "itself") == 0 ? asks_itself() : 2;
}
