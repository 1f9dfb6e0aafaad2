/* SPDX-License-Identifier: MIT */
/* sim-libc.c - the C library's clocks, sleeps and random numbers, as a simulated program finds them.
 *
 * A program reads the time, and seeds its random numbers, without a word to the runtime; real ones would make every run
 * another one. So these functions stand before libc's, for the program and for the libraries that it uses: the
 * clocks are the simulation's, which rt_now reads too, a sleep takes as long as it says of that time, and random bytes are
 * drawn from the seed, in a sequence of their own, so that no choice of the scheduler's is another one for that.
 * A clock is read 20 ns after it was read before: a loop that waits for a time comes to its end.
 *
 * I1  On the simulation's thread alone. Threads that the program makes itself, the runtime's watcher, and the recorder have
 *     the real ones; so has a program before and after its runs, unless the seed came from outside (RT_DEBUG, record
 *     --sim): then all of it is to be the same again, srand(time(NULL)) in main too.
 * I2  Nobody else goes on because a clock or a random number was asked for: signal handlers and allocators may, too.
 * I3  The runtime asks the kernel where it must know real time (trace-ring.c, real_ns).
 *
 * Real remain: what the C library asks within itself (deadlines of pthread_cond_timedwait and its like, mkstemp's names),
 * poll and select, the times of files, CPU time by getrusage and times, numbers of processes and threads, /dev/urandom,
 * direct system calls, and instructions (rdtsc, rdrand).
 */
#include "sim-libc.h"

#include "os.h"
#include "sim-world.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <threads.h>
#include <time.h>
#include <unistd.h>

#define SHOWN        __attribute__((visibility("default")))
#define SECOND       1000000000
#define RANDOM_BYTES 16  /* of AT_RANDOM */
#define MOST_ENTROPY 256 /* of getentropy */

static uint64_t seed_from_outside;
static _Thread_local bool is_main;

static bool is_virtual(void)
{
  return sim_is_under_way() ? co_is_here() : is_main && seed_from_outside != 0;
}

/* ---- random numbers ---- */

static uint64_t next_number(void)
{
  static uint64_t n;
  uint64_t state = sim_seed() ? sim_seed() : seed_from_outside;
  state = sim_mix(&state) ^ ++n;
  return sim_mix(&state);
}

static void draw(void *bytes, size_t n)
{
  for (size_t done = 0, part; done < n; done += part) {
    uint64_t number = next_number();
    part = n - done < sizeof number ? n - done : sizeof number;
    memcpy((char *)bytes + done, &number, part);
  }
}

SHOWN ssize_t getrandom(void *bytes, size_t n, unsigned flags)
{
  if (!is_virtual())
    return syscall(SYS_getrandom, bytes, n, flags);
  draw(bytes, n);
  return (ssize_t)n;
}

SHOWN int getentropy(void *bytes, size_t n)
{
  if (n > MOST_ENTROPY) {
    errno = EIO;
    return -1;
  }
  for (size_t done = 0; done < n;) {
    ssize_t more = getrandom((char *)bytes + done, n - done, 0);
    if (more < 0 && errno != EINTR)
      return -1;
    done += more > 0 ? (size_t)more : 0;
  }
  return 0;
}

/* glibc has these since 2.36, and its headers do not show them to everybody. */
void arc4random_buf(void *bytes, size_t n);
uint32_t arc4random(void);
uint32_t arc4random_uniform(uint32_t below);

SHOWN void arc4random_buf(void *bytes, size_t n)
{
  for (size_t done = 0, part; done < n; done += part) {
    part = n - done < MOST_ENTROPY ? n - done : MOST_ENTROPY;
    if (getentropy((char *)bytes + done, part) != 0)
      abort(); /* as libc's does: it cannot fail */
  }
}

SHOWN uint32_t arc4random(void)
{
  uint32_t number;
  arc4random_buf(&number, sizeof number);
  return number;
}

/* The first of 2^32 mod below are left out, so that each result is as likely. */
SHOWN uint32_t arc4random_uniform(uint32_t below)
{
  uint32_t number;
  if (below < 2)
    return 0;
  do
    number = arc4random();
  while (number < -below % below);
  return number % below;
}

/* ---- clocks ---- */

static int real_gettime(clockid_t id, struct timespec *out)
{
  static int (*libc)(clockid_t, struct timespec *);
  if (!libc)
    *(void **)&libc = dlsym(RTLD_NEXT, "clock_gettime");
  return libc(id, out);
}

static int real_nanosleep(clockid_t id, int flags, const struct timespec *wanted,
                          struct timespec *left)
{
  static int (*libc)(clockid_t, int, const struct timespec *, struct timespec *);
  if (!libc)
    *(void **)&libc = dlsym(RTLD_NEXT, "clock_nanosleep");
  return libc(id, flags, wanted, left);
}

/* False: a clock that the simulation does not have, another process's or a device's. */
static bool read_virtual(clockid_t id, int64_t *ns)
{
  switch (id) {
  case CLOCK_REALTIME:
  case CLOCK_REALTIME_COARSE:
  case CLOCK_REALTIME_ALARM:
  case CLOCK_TAI:
    *ns = sim_wall(sim_read_clock());
    return true;
  case CLOCK_MONOTONIC:
  case CLOCK_MONOTONIC_RAW:
  case CLOCK_MONOTONIC_COARSE:
  case CLOCK_BOOTTIME:
  case CLOCK_BOOTTIME_ALARM:
    *ns = sim_read_clock();
    return true;
  case CLOCK_PROCESS_CPUTIME_ID:
  case CLOCK_THREAD_CPUTIME_ID:
    *ns = sim_cpu_time(sim_read_clock());
    return true;
  default:
    return false;
  }
}

SHOWN int clock_gettime(clockid_t id, struct timespec *out)
{
  int64_t ns;
  if (!is_virtual() || !read_virtual(id, &ns))
    return real_gettime(id, out);
  *out = (struct timespec){ .tv_sec = ns / SECOND, .tv_nsec = ns % SECOND };
  return 0;
}

SHOWN int timespec_get(struct timespec *out, int base)
{
  return base == TIME_UTC && clock_gettime(CLOCK_REALTIME, out) == 0 ? base : 0;
}

SHOWN int gettimeofday(struct timeval *restrict out, void *restrict zone)
{
  struct timespec now;
  if (zone) /* the kernel's has said nothing for decades, and libc says so */
    memset(zone, 0, sizeof(struct timezone));
  clock_gettime(CLOCK_REALTIME, &now);
  *out = (struct timeval){ .tv_sec = now.tv_sec, .tv_usec = now.tv_nsec / 1000 };
  return 0;
}

SHOWN time_t time(time_t *out)
{
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  if (out)
    *out = now.tv_sec;
  return now.tv_sec;
}

SHOWN clock_t clock(void)
{
  struct timespec now;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return now.tv_sec * CLOCKS_PER_SEC + now.tv_nsec / (SECOND / CLOCKS_PER_SEC);
}

/* ---- sleeps ---- */

SHOWN int clock_nanosleep(clockid_t id, int flags, const struct timespec *wanted,
                          struct timespec *left)
{
  int64_t now;
  bool is_cpu_time = id == CLOCK_PROCESS_CPUTIME_ID || id == CLOCK_THREAD_CPUTIME_ID;
  if (!is_virtual() || is_cpu_time || wanted->tv_sec < 0 || wanted->tv_nsec < 0 ||
      wanted->tv_nsec >= SECOND || !read_virtual(id, &now))
    return real_nanosleep(id, flags, wanted, left); /* which refuses what is to be refused */
  bool is_long = wanted->tv_sec >= SIM_FOR_EVER / SECOND;
  int64_t ns = is_long ? SIM_FOR_EVER : wanted->tv_sec * SECOND + wanted->tv_nsec;
  if (flags & TIMER_ABSTIME)
    ns -= now;
  if (ns > 0)
    sim_nap(ns);
  return 0;
}

SHOWN int nanosleep(const struct timespec *wanted, struct timespec *left)
{
  int error = clock_nanosleep(CLOCK_MONOTONIC, 0, wanted, left);
  if (error == 0)
    return 0;
  errno = error;
  return -1;
}

SHOWN int usleep(useconds_t us)
{
  const struct timespec wanted = { .tv_sec = us / 1000000, .tv_nsec = (long)(us % 1000000) * 1000 };
  return nanosleep(&wanted, NULL);
}

SHOWN unsigned sleep(unsigned seconds)
{
  struct timespec left = { .tv_sec = seconds };
  return nanosleep(&left, &left) == 0 ? 0 : (unsigned)left.tv_sec + (left.tv_nsec >= SECOND / 2);
}

SHOWN int thrd_sleep(const struct timespec *wanted, struct timespec *left)
{
  int error = clock_nanosleep(CLOCK_REALTIME, 0, wanted, left);
  return error == 0 ? 0 : error == EINTR ? -1 : -2;
}

/* ---- from the beginning ---- */

void sim_libc_begin(uint64_t seed)
{
  is_main = true;
  seed_from_outside = seed;
  void *bytes = (void *)getauxval(AT_RANDOM); /* libc has taken its own of them */
  if (seed != 0 && bytes)
    draw(bytes, RANDOM_BYTES);
}
