/* SPDX-License-Identifier: MIT */
/* os-sim.c - os.h in the deterministic simulation: threads, futex, clocks and epoll without a kernel.
 *
 * The other implementation is os-linux.c; memory, output and the signals of faults are the same in both, preemption's
 * is in sim-signal.c. Threads are coroutines, their order is a seeded choice (sim-world.c), and a CPU count, thread ids
 * and clocks are the same in every run. There is one epoll instance; in it are the eventfd that breaks it, and the tests' own
 * descriptors (sim-io.c). Files are read and written as always, in system calls; sockets are refused, because what the
 * other side does, and when, is in no seed.
 */
#include "os.h"

#include "sim-world.h"
#include "tracedoor.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SIM_NCPU         4
#define SIM_EPOLL        (1 << 28) /* descriptors that no kernel gives */
#define SIM_EVENT        (SIM_EPOLL + 1)
#define LONGEST_CALL     40000000
#define LONGEST_SPURIOUS 1000000
#define SPURIOUS_ONE_IN  32u
#define LONGEST_STEP_S   10 /* of real time */

static _Atomic uint32_t real_call; /* odd while a call is under way */

static struct {
  bool written;  /* the eventfd */
  uint64_t data; /* what epoll says then */
} event;

void os_init(void)
{
}

/* ---- threads ---- */

int os_thread_start(void *(*fn)(void *), void *arg, uint64_t *thread)
{
  bool is_first = co_get(1) == NULL; /* sysmon: without it there is no run */
  if (!is_first && sim_refuses()) {
    sim_choice(getm(), TRACE_CHOICE_THREAD, 2, 1);
    return -EAGAIN;
  }
  struct co *co = co_new(fn, arg);
  if (!co)
    return -EAGAIN;
  if (thread)
    *thread = co_number(co);
  sim_point();
  return 0;
}

/* A coroutine has nothing of who made it, so no template is needed. */
bool os_template_start(void)
{
  return false;
}

int os_thread_start_by_template(void *(*fn)(void *), void *arg)
{
  return os_thread_start(fn, arg, NULL);
}

void os_template_stop(void)
{
}

void os_thread_join(uint64_t thread)
{
  while (co_get((uint32_t)thread)->state != CO_ENDED)
    sim_spin();
}

void os_thread_detach(uint64_t thread)
{
  (void)thread;
}

uint64_t os_thread_self(void)
{
  return co_self() ? co_number(co_self()) : 0;
}

uint32_t os_tid(void)
{
  return SIM_FIRST_TID + (uint32_t)os_thread_self();
}

int os_ncpu(void)
{
  return SIM_NCPU;
}

void os_yield(void)
{
  sim_spin();
}

void os_pause(void)
{
  sim_spin();
}

static void real_bounds(char **lo, char **hi)
{
  pthread_attr_t attr;
  void *base = NULL;
  size_t size = 0;
  if (pthread_getattr_np(pthread_self(), &attr) != 0)
    return;
  if (pthread_attr_getstack(&attr, &base, &size) == 0) {
    *lo = base;
    *hi = (char *)base + size;
  }
  pthread_attr_destroy(&attr);
}

void os_stack_bounds(char **lo, char **hi)
{
  *lo = co_self()->lo;
  *hi = co_self()->hi;
  if (!*lo)
    real_bounds(lo, hi);
}

__attribute__((noinline)) int *os_errno(void)
{
  __asm__ volatile("" : : : "memory"); /* no function that is always the same */
  return __errno_location();
}

/* ---- futex ---- */

/* Now and then it wakes for no reason, as the kernel allows itself. */
static int64_t spurious(int64_t ns)
{
  if (sim_rand(SPURIOUS_ONE_IN) != 0)
    return ns;
  int64_t early = sim_duration(LONGEST_SPURIOUS);
  if (ns >= 0 && ns <= early)
    return ns;
  sim_choice(getm(), TRACE_CHOICE_SPURIOUS, LONGEST_SPURIOUS, (uint32_t)early);
  return early;
}

/* One thread at a time, and each sees what the last one stored. */
bool os_fence_everywhere(void)
{
  return true;
}

void os_futex_wait(_Atomic uint32_t *addr, uint32_t value, int64_t ns)
{
  if (atomic_load(addr) == value)
    sim_wait(CO_FUTEX, addr, spurious(ns));
}

/* Whoever the seed picks of those that sleep there: the kernel promises no order. */
void os_futex_wake(_Atomic uint32_t *addr, int n)
{
  for (; n > 0; n--) {
    struct co *co, *sleeper = NULL;
    uint32_t seen = 0;
    for (uint32_t i = 0; (co = co_get(i)); i++)
      if (co->state == CO_FUTEX && co->addr == addr && sim_rand(++seen) == 0)
        sleeper = co;
    if (!sleeper)
      break;
    sim_wake(sleeper);
  }
  sim_point();
}

/* ---- clocks ---- */

int64_t os_now(void)
{
  sim_point();
  return sim_now();
}

int64_t os_wall(void)
{
  return sim_wall(sim_now());
}

void os_usleep(uint32_t us)
{
  sim_wait(CO_SLEEPING, NULL, (int64_t)us * 1000);
}

/* "goroutine 7 (worker)": who runs. */
static void print_who_runs(char *text, size_t n)
{
  const struct m *mp = co_self()->m;
  const struct g *gp = mp ? atomic_load(&mp->curg) : NULL;
  if (!gp)
    snprintf(text, n, "the program");
  else if (gp->name)
    snprintf(text, n, "goroutine %llu (%.32s)", (unsigned long long)gp->goid, gp->name);
  else
    snprintf(text, n, "goroutine %llu", (unsigned long long)gp->goid);
}

/* The run has taken no step for so long. What is read here without a lock stands still. */
static _Noreturn void tell_who_hinders(void)
{
  char who[80], text[400];
  print_who_runs(who, sizeof who);
  if (atomic_load(&real_call) % 2 != 0)
    snprintf(
        text, sizeof text,
        "fatal error: simulation: a system call of %s blocks for real, so nobody can go on; run "
        "the program without the simulation\n",
        who);
  else
    snprintf(
        text, sizeof text,
        "fatal error: simulation: %s has run its own code for %d seconds without a call of rt.h, "
        "and here nobody else can go on meanwhile; call rt_safepoint in its loop, or run the "
        "program without the simulation\n",
        who, LONGEST_STEP_S);
  os_write(STDERR_FILENO, text, strlen(text));
  sim_last_words();
  tr_end(2);
  _exit(2);
}

/* A real thread. The simulation has one, so what blocks that for real, or does not come back to us, holds up all:
 * who waits for another G then waits for ever. */
static void *watch_steps(void *unused)
{
  uint64_t seen = 0;
  (void)unused;
  for (int rounds = 0; rounds < LONGEST_STEP_S; rounds++) {
    uint64_t now = sim_step();
    if (!sim_is_under_way() || now != seen)
      rounds = 0;
    seen = now;
    sleep(1);
  }
  tell_who_hinders();
}

void sim_watch_steps(void)
{
  static bool watched;
  pthread_t watcher;
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, &before); /* the program's signals are not for it */
  if (!watched && pthread_create(&watcher, NULL, watch_steps, NULL) == 0)
    pthread_detach(watcher);
  watched = true;
  pthread_sigmask(SIG_SETMASK, &before, NULL);
}

void sim_syscall_begin(void)
{
  atomic_fetch_add(&real_call, 1);
}

void sim_syscall(void)
{
  atomic_fetch_add(&real_call, 1);
  int64_t ns = sim_duration(LONGEST_CALL);
  sim_choice(getm(), TRACE_CHOICE_DELAY, LONGEST_CALL, (uint32_t)ns);
  co_self()->is_away = true;
  sim_wait(CO_SLEEPING, NULL, ns);
  co_self()->is_away = false;
}

/* ---- epoll ---- */

static bool
    poller_was_told; /* of a descriptor: who asked last, unless it was in passing and in vain */

bool sim_poller_was_told(void)
{
  return poller_was_told;
}

int os_epoll_create(void)
{
  event.written = false;
  return SIM_EPOLL;
}

void sim_refuse_io(void)
{
  fatal("simulation: sockets and pipes do real I/O, which no seed can repeat; run the program "
        "without the simulation");
}

int os_epoll_add(int epoll, int fd, uint64_t data, bool level_read_only)
{
  struct stat st;
  (void)epoll, (void)level_read_only;
  if (fd == SIM_EVENT) {
    event.data = data;
    return 0;
  }
  if (sim_fd_add(fd, data))
    return 0;
  bool says_only = fd == STDOUT_FILENO || fd == STDERR_FILENO; /* as into a file */
  if (fstat(fd, &st) == 0 && (S_ISSOCK(st.st_mode) || (S_ISFIFO(st.st_mode) && !says_only)))
    sim_refuse_io();
  return -EPERM; /* as of a file: it is read and written in system calls */
}

int os_epoll_del(int epoll, int fd)
{
  (void)epoll;
  sim_fd_del(fd);
  return 0;
}

int os_epoll_wait(int epoll, struct os_event *out, int n, int64_t ns)
{
  (void)epoll;
  sim_point();
  int told = sim_fd_events(out, n);
  if (told == 0 && !event.written && ns != 0) {
    sim_wait(CO_EPOLL, NULL, ns); /* a signal ends it, as it does in the kernel: with nothing */
    told = sim_fd_events(out, n);
  }
  if (told > 0 || ns != 0)
    poller_was_told = told > 0;
  if (event.written && told < n)
    out[told++] = (struct os_event){ .data = event.data, .readable = true };
  return told;
}

int os_eventfd(void)
{
  return SIM_EVENT;
}

void os_eventfd_signal(int fd)
{
  (void)fd;
  struct co *co;
  event.written = true;
  for (uint32_t i = 0; (co = co_get(i)); i++)
    if (co->state == CO_EPOLL)
      sim_wake(co);
  sim_point();
}

void os_eventfd_drain(int fd)
{
  (void)fd;
  sim_point();
  event.written = false;
}

void os_close(int fd)
{
  if (fd < SIM_EPOLL)
    close(fd);
}

int os_put_off_linger(int fd)
{
  (void)fd; /* there are no sockets */
  return -1;
}

bool os_is_open(int fd)
{
  return fd >= SIM_EPOLL || fcntl(fd, F_GETFD) >= 0;
}

bool os_is_ready(int fd, bool to_write)
{
  (void)fd, (void)to_write;
  return true;
}

bool os_is_tcp(int fd)
{
  (void)fd;
  return false;
}
