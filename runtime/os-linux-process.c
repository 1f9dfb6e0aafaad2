/* SPDX-License-Identifier: MIT */
/* os-linux-process.c - os.h on Linux: memory, output, the end of the process.
 *
 * The part of os.h that has nothing to do with time or threads, and so is the same in the simulation.
 */
#include "os.h"

#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102 /* Linux 6.13 */
#endif

/* ---- memory ---- */

void *os_reserve(size_t n)
{
  void *p =
      mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (p == MAP_FAILED)
    return NULL;
  madvise(p, n, MADV_NOHUGEPAGE); /* a stack touches one page of 64 KiB */
  return p;
}

void os_release(void *p, size_t n)
{
  munmap(p, n);
}

int os_guard(void *p, size_t n, bool light)
{
  KEEPS_ERRNO;
  int failed = light ? madvise(p, n, MADV_GUARD_INSTALL) : mprotect(p, n, PROT_NONE);
  return failed ? -errno : 0;
}

size_t os_page_size(void)
{
  return (size_t)sysconf(_SC_PAGESIZE);
}

size_t os_max_map_count(void)
{
  size_t count = 65530; /* the kernel's default */
  FILE *file = fopen("/proc/sys/vm/max_map_count", "re");
  if (!file)
    return count;
  if (fscanf(file, "%zu", &count) != 1)
    count = 65530;
  fclose(file);
  return count;
}

bool os_address_space_is_limited(void)
{
  struct rlimit limit;
  return getrlimit(RLIMIT_AS, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY;
}

/* ---- the process ---- */

ssize_t os_write_quietly(int fd, const void *bytes, size_t n)
{
  sigset_t pipe_only, old, pending;
  sigemptyset(&pipe_only);
  sigaddset(&pipe_only, SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &pipe_only, &old);
  bool was_pending = sigpending(&pending) == 0 && sigismember(&pending, SIGPIPE);
  ssize_t written = write(fd, bytes, n);
  int err = errno;
  if (written < 0 && err == EPIPE && !was_pending)
    sigtimedwait(&pipe_only, NULL, &(struct timespec){ 0 }); /* the one that this write raised */
  pthread_sigmask(SIG_SETMASK, &old, NULL);
  errno = err;
  return written;
}

void os_write(int fd, const void *bytes, size_t n)
{
  const char *at = bytes;
  while (n > 0) {
    ssize_t written = os_write_quietly(fd, at, n);
    if (written < 0 && errno == EINTR)
      continue;
    if (written <= 0)
      return;
    at += written;
    n -= (size_t)written;
  }
}

static int first_object(struct dl_phdr_info *info, size_t size, void *base)
{
  (void)size;
  *(uint64_t *)base = info->dlpi_addr;
  return 1; /* the main executable comes first */
}

uint64_t os_load_base(void)
{
  uint64_t base = 0;
  dl_iterate_phdr(first_object, &base);
  return base;
}

void os_at_fork(void (*fn)(void))
{
  pthread_atfork(NULL, NULL, fn);
}

static void call_at_exit(int code, void *fn)
{
  void (*hook)(int) = (void (*)(int))(uintptr_t)fn;
  hook(code);
}

void os_at_exit(void (*fn)(int code))
{
  on_exit(call_at_exit, (void *)(uintptr_t)fn);
}

int os_above_standard(int fd)
{
  if (fd < 0)
    return -errno;
  if (fd > STDERR_FILENO)
    return fd;
  int above = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1), err = errno;
  close(fd);
  return above < 0 ? -err : above;
}
