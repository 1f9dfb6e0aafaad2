/* SPDX-License-Identifier: MIT */
/* os-linux.c - os.h on Linux: threads, futex, clocks, epoll: what os-sim.c does in its own way. Memory and the
 * process are in os-linux-process.c, signals in os-linux-signal.c.
 *
 * Each function is the thinnest wrapper that hides the kernel's form; none keeps any state but what the kernel or libc
 * is found to be like. The time-outs of futex and epoll are in ns: epoll_pwait2 (Linux 5.11) where it exists, so that a
 * short sleep does not become a millisecond, as it does in Go, which rounds to epoll_wait's milliseconds.
 */
#include "os.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <linux/membarrier.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define THREAD_STACK (1u << 20) /* for g0 */

/* ---- threads ---- */

/* The C library puts the program's thread-local variables into each thread's stack, and only it knows how large they are
 * (glibc's name, for those who ask; elsewhere nobody needs to). */
static size_t (*least_stack)(const pthread_attr_t *); /* or NULL */

/* Not when a thread is made: dlsym waits while some thread loads a library, and that may wait for a G. */
void os_init(void)
{
  *(void **)&least_stack = dlsym(RTLD_DEFAULT, "__pthread_get_minstack");
}

static size_t stack_size(const pthread_attr_t *attr)
{
  return THREAD_STACK + (least_stack ? least_stack(attr) : 0);
}

int os_thread_start(void *(*fn)(void *), void *arg, uint64_t *thread)
{
  KEEPS_ERRNO;
  pthread_attr_t attr;
  pthread_t id;
  pthread_attr_init(&attr);
  pthread_attr_setstacksize(&attr, stack_size(&attr));
  int error = pthread_create(&id, &attr, fn, arg);
  pthread_attr_destroy(&attr);
  if (error == 0 && thread)
    *thread = (uint64_t)id;
  return -error;
}

void os_thread_join(uint64_t thread)
{
  pthread_join((pthread_t)thread, NULL);
}

void os_thread_detach(uint64_t thread)
{
  pthread_detach((pthread_t)thread);
}

uint64_t os_thread_self(void)
{
  return (uint64_t)pthread_self();
}

uint32_t os_tid(void)
{
  return (uint32_t)syscall(SYS_gettid);
}

int os_ncpu(void)
{
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) == 0)
    return CPU_COUNT(&set);
  long online = sysconf(_SC_NPROCESSORS_ONLN);
  return online > 0 ? (int)online : 1;
}

void os_yield(void)
{
  sched_yield();
}

void os_pause(void)
{
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

void os_stack_bounds(char **lo, char **hi)
{
  pthread_attr_t attr;
  void *base = NULL;
  size_t size = 0;
  *lo = *hi = NULL;
  if (pthread_getattr_np(pthread_self(), &attr) != 0)
    return;
  if (pthread_attr_getstack(&attr, &base, &size) == 0) {
    *lo = base;
    *hi = (char *)base + size;
  }
  pthread_attr_destroy(&attr);
}

__attribute__((noinline)) int *os_errno(void)
{
  __asm__ volatile("" : : : "memory"); /* no function that is always the same */
  return __errno_location();
}

/* ---- futex ---- */

static struct timespec to_timespec(int64_t ns)
{
  return (struct timespec){ .tv_sec = ns / 1000000000, .tv_nsec = ns % 1000000000 };
}

void os_futex_wait(_Atomic uint32_t *addr, uint32_t value, int64_t ns)
{
  KEEPS_ERRNO;
  struct timespec limit = to_timespec(ns < 0 ? 0 : ns);
  syscall(SYS_futex, addr, FUTEX_WAIT_PRIVATE, value, ns < 0 ? NULL : &limit, NULL, 0);
}

void os_futex_wake(_Atomic uint32_t *addr, int n)
{
  KEEPS_ERRNO;
  syscall(SYS_futex, addr, FUTEX_WAKE_PRIVATE, n, NULL, NULL, 0);
}

static bool membarrier(int command)
{
  return syscall(SYS_membarrier, command, 0, 0) == 0;
}

bool os_fence_everywhere(void)
{
  KEEPS_ERRNO;
  if (membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED))
    return true;
  /* the process must say first that it will */
  return errno == EPERM && membarrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED) &&
         membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED);
}

/* ---- clocks ---- */

static int64_t read_clock(clockid_t clock)
{
  struct timespec now;
  clock_gettime(clock, &now);
  return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

int64_t os_now(void)
{
  return read_clock(CLOCK_MONOTONIC);
}

int64_t os_wall(void)
{
  return read_clock(CLOCK_REALTIME);
}

void os_usleep(uint32_t us)
{
  struct timespec limit = to_timespec((int64_t)us * 1000);
  clock_nanosleep(CLOCK_MONOTONIC, 0, &limit, NULL);
}

uint64_t os_entropy(void)
{
  uint64_t random = 0;
  if (getrandom(&random, sizeof random, GRND_NONBLOCK) != (ssize_t)sizeof random)
    random = (uint64_t)os_now() * 0x9e3779b97f4a7c15u;
  return random;
}

/* ---- epoll ---- */

int os_epoll_create(void)
{
  return os_above_standard(epoll_create1(EPOLL_CLOEXEC));
}

int os_epoll_add(int epoll, int fd, uint64_t data, bool level_read_only)
{
  KEEPS_ERRNO;
  struct epoll_event event = { .data.u64 = data };
  event.events = level_read_only ? EPOLLIN : EPOLLIN | EPOLLOUT | EPOLLPRI | EPOLLRDHUP | EPOLLET;
  return epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) < 0 ? -errno : 0;
}

int os_epoll_del(int epoll, int fd)
{
  KEEPS_ERRNO;
  struct epoll_event unused = { 0 };
  return epoll_ctl(epoll, EPOLL_CTL_DEL, fd, &unused) < 0 ? -errno : 0;
}

/* Whole milliseconds, rounded up: waking too early would only poll again. */
static int to_ms(int64_t ns)
{
  if (ns < 0)
    return -1;
  int64_t ms = ns / 1000000 + (ns % 1000000 != 0);
  return ms > INT_MAX ? INT_MAX : (int)ms;
}

static int epoll_wait_ns(int epoll, struct epoll_event *events, int n, int64_t ns)
{
  static _Atomic bool no_pwait2;
  if (ns > 0 && !atomic_load_explicit(&no_pwait2, memory_order_relaxed)) {
    struct timespec limit = to_timespec(ns);
    int ready = epoll_pwait2(epoll, events, n, &limit, NULL);
    if (ready >= 0 || errno != ENOSYS)
      return ready;
    atomic_store_explicit(&no_pwait2, true, memory_order_relaxed);
  }
  return epoll_wait(epoll, events, n, to_ms(ns));
}

int os_epoll_wait(int epoll, struct os_event *out, int n, int64_t ns)
{
  KEEPS_ERRNO;
  struct epoll_event events[128];
  if (n > 128)
    n = 128;
  int ready = epoll_wait_ns(epoll, events, n, ns);
  if (ready < 0)
    return -errno;
  for (int i = 0; i < ready; i++) {
    uint32_t bits = events[i].events;
    out[i] = (struct os_event){ .data = events[i].data.u64,
                                .readable = bits & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR),
                                .writable = bits & (EPOLLOUT | EPOLLHUP | EPOLLERR),
                                .error = bits & EPOLLERR,
                                .stops = bits & (EPOLLRDHUP | EPOLLHUP | EPOLLERR | EPOLLPRI) };
  }
  return ready;
}

int os_eventfd(void)
{
  return os_above_standard(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
}

void os_eventfd_signal(int fd)
{
  KEEPS_ERRNO;
  uint64_t one = 1;
  while (write(fd, &one, sizeof one) < 0 && errno == EINTR)
    ;
}

void os_eventfd_drain(int fd)
{
  KEEPS_ERRNO;
  uint64_t count;
  while (read(fd, &count, sizeof count) < 0 && errno == EINTR)
    ;
}

void os_close(int fd)
{
  close(fd);
}

int os_put_off_linger(int fd)
{
  KEEPS_ERRNO;
  struct linger linger;
  socklen_t size = sizeof linger;
  if (getsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, &size) < 0 || !linger.l_onoff ||
      linger.l_linger == 0)
    return -1;
  return fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
}

bool os_is_open(int fd)
{
  KEEPS_ERRNO;
  return fcntl(fd, F_GETFD) >= 0;
}

bool os_is_ready(int fd, bool to_write)
{
  KEEPS_ERRNO;
  struct pollfd wish = { .fd = fd, .events = to_write ? POLLOUT : POLLIN };
  return poll(&wish, 1, 0) > 0;
}

bool os_is_tcp(int fd)
{
  KEEPS_ERRNO;
  int protocol = 0;
  socklen_t size = sizeof protocol;
  return getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &protocol, &size) == 0 && protocol == IPPROTO_TCP;
}
