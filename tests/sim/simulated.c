/* SPDX-License-Identifier: MIT */
/* simulated.c - a program on the shipped runtime for test-sim-record.c: what it does is its first argument. */
#include "rt.h"

#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- waits without a call ---- */

static volatile bool is_set;

static RT_PREEMPTIBLE void spin(void *unused)
{
  (void)unused;
  while (!is_set)
    ;
}

static int spins(int argc, char **argv)
{
  (void)argc, (void)argv;
  rt_go_named("spinner", spin, NULL);
  rt_yield();
  is_set = true;
  return 0;
}

/* ---- real I/O ---- */

static int reads_a_pipe(int argc, char **argv)
{
  (void)argc, (void)argv;
  int ends[2];
  char byte;
  if (pipe(ends) != 0 || write(ends[1], "x", 1) != 1)
    return 3;
  return (int)rt_read(ends[0], &byte, 1, 0);
}

static int reads_a_pipe_on_stdin(int argc, char **argv)
{
  (void)argc, (void)argv;
  int ends[2];
  char byte;
  if (pipe(ends) != 0 || dup2(ends[0], 0) != 0)
    return 3;
  return (int)rt_read(0, &byte, 1, 0);
}

static int listens(int argc, char **argv)
{
  (void)argc, (void)argv;
  return rt_listen("127.0.0.1:0") < 0;
}

/* ---- waits for minutes ---- */

#define SECOND 1000000000

static void receive(void *chan)
{
  rt_chan_recv(chan, NULL);
}

static void sleep_often(void *unused)
{
  for (;;)
    rt_sleep(SECOND);
  (void)unused;
}

static int waits(int argc, char **argv)
{
  (void)argc, (void)argv;
  rt_go(receive, rt_chan_new(0, 0));
  rt_go(sleep_often, NULL);
  rt_sleep(5 * 60LL * SECOND + SECOND / 2);
  rt_stack_dump(1, true);
  return 0;
}

/* ---- asks for the simulation itself ---- */

static struct rt_chan *numbers;

static void send(void *n)
{
  rt_sleep(1000);
  rt_chan_send(numbers, &n);
}

/* Prints an order that is the seed's alone. */
static void race(void *title)
{
  printf("%s", (const char *)title);
  numbers = rt_chan_new(sizeof(void *), 0);
  for (long i = 0; i < 8; i++)
    rt_go(send, (void *)i);
  for (int i = 0; i < 8; i++) {
    long n;
    rt_chan_recv(numbers, &n);
    printf(" %ld", n);
  }
  printf(" at %lld\n", (long long)rt_now());
  rt_chan_free(numbers);
}

static int run_with_seed(const char *text, char *title)
{
  struct rt_options options = { .maxprocs = 3, .sim_seed = strtoull(text, NULL, 10) };
  return rt_run(race, title, &options);
}

/* Each argument is a seed; 0: none. */
static int runs_with_seeds(int argc, char **argv)
{
  for (int i = 2; i < argc; i++) {
    int error = run_with_seed(argv[i], argv[i]);
    if (error)
      printf("%s: %d\n", argv[i], error);
  }
  return 0;
}

static void *wait_for_ever(void *never)
{
  while (sem_wait(never) != 0)
    ;
  return NULL;
}

static int runs_beside_a_thread(void)
{
  static sem_t never;
  pthread_t thread;
  sem_init(&never, 0, 0);
  if (pthread_create(&thread, NULL, wait_for_ever, &never) != 0)
    return 3;
  printf("%d\n", run_with_seed("7", (char[]){ "" }));
  return 0;
}

static int returns_wired(int argc, char **argv)
{
  (void)argc, (void)argv;
  rt_lock_os_thread();
  return 0;
}

/* ---- forks ---- */

#define FORKS 100

static pid_t parent;
static struct rt_waitgroup forkers;

static void yield_until_they_are_done(void *over)
{
  while (!*(bool *)over) {
    rt_yield();
    if (getpid() == parent)
      continue;
    if (write(1, "a child of fork runs another G\n", 31) != 31)
      abort();
    _exit(1);
  }
}

static void fork_often(void *unused)
{
  (void)unused;
  for (int i = 0; i < FORKS; i++) {
    int status = -1;
    pid_t child = fork();
    if (child == 0)
      _exit(0);
    rt_yield();
    if (child < 0 || waitpid(child, &status, 0) != child || status != 0)
      printf("a child ended with %d\n", status);
  }
  rt_waitgroup_done(&forkers);
}

static int forks(int argc, char **argv)
{
  static bool over;
  (void)argc, (void)argv;
  parent = getpid();
  rt_waitgroup_add(&forkers, 1);
  rt_go(yield_until_they_are_done, &over);
  rt_go(yield_until_they_are_done, &over);
  rt_go(fork_often, NULL);
  rt_waitgroup_wait(&forkers);
  over = true;
  return 0;
}

/* ---- names things in system calls, while the world is stopped now and then; and says when it ended ---- */

static int n_namers = 2;

static void name_in_calls(void *unused)
{
  static int thing;
  (void)unused;
  for (int i = 0; i < 20; i++) {
    rt_entersyscall();
    rt_name(&thing, "thing");
    rt_exitsyscall();
  }
  n_namers--;
}

static int names_in_calls(int argc, char **argv)
{
  (void)argc, (void)argv;
  rt_go(name_in_calls, NULL);
  rt_go(name_in_calls, NULL);
  while (n_namers > 0) {
    rt_gc();
    rt_yield();
  }
  rt_panic("the end");
}

static const struct {
  const char *name;
  int (*fn)(int, char **);
} programs[] = {
  { "names-in-calls", names_in_calls },
  { "forks", forks },
  { "spins", spins },
  { "reads-a-pipe", reads_a_pipe },
  { "reads-a-pipe-on-stdin", reads_a_pipe_on_stdin },
  { "listens", listens },
  { "waits", waits },
  { "returns-wired", returns_wired },
};

int main(int argc, char **argv)
{
  for (size_t i = 0; argc > 1 && i < sizeof programs / sizeof programs[0]; i++)
    if (strcmp(argv[1], programs[i].name) == 0)
      return rt_main(argc, argv, programs[i].fn);
  if (argc > 1 && strcmp(argv[1], "seeds") == 0)
    return runs_with_seeds(argc, argv);
  if (argc > 1 && strcmp(argv[1], "thread") == 0)
    return runs_beside_a_thread();
  return 2;
}
