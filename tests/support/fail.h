/* SPDX-License-Identifier: MIT */
/* fail.h - failure injection: the N-th call of a kind fails, or all from the N-th on.
 *
 * The linker turns the calls of what is linked statically into calls of the functions here (-Wl,--wrap=malloc and so
 * on; what libc calls inside stays as it is). Raise N until nothing fails any more: then every place was reached.
 * What is told to fail, and whether it did, lies in memory that a child shares with its parent. One file includes
 * this.
 */
#pragma once
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>

enum fail_kind {
  FAIL_MEMORY, /* malloc, calloc, realloc, aligned_alloc */
  FAIL_MMAP,
  FAIL_THREAD,
  FAIL_EPOLL, /* epoll_create1, eventfd */
  FAIL_KINDS,
};

struct fail {
  _Atomic int kind;
  _Atomic long countdown; /* 1: the next one fails */
  _Atomic bool for_good;  /* and all after it */
  _Atomic bool armed, hit;
};
static struct fail *fail;

static inline void fail_share(void)
{
  fail = mmap(NULL, sizeof *fail, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (fail == MAP_FAILED)
    abort();
}

static inline bool fails_now(enum fail_kind kind)
{
  if (!fail || !atomic_load(&fail->armed) || (int)kind != atomic_load(&fail->kind))
    return false;
  long left = atomic_fetch_sub(&fail->countdown, 1);
  bool fails = left == 1 || (left < 1 && atomic_load(&fail->for_good));
  if (fails)
    atomic_store(&fail->hit, true);
  return fails;
}

/* NOLINTBEGIN(bugprone-reserved-identifier): the linker's names */
void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t n);
void *__real_aligned_alloc(size_t align, size_t n);
void *__real_mmap64(void *at, size_t n, int prot, int flags, int fd, off_t offset);
int __real_pthread_create(pthread_t *t, const pthread_attr_t *a, void *(*fn)(void *), void *arg);
int __real_epoll_create1(int flags);
int __real_eventfd(unsigned n, int flags);

void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t n);
void *__wrap_aligned_alloc(size_t align, size_t n);
void *__wrap_mmap64(void *at, size_t n, int prot, int flags, int fd, off_t offset);
int __wrap_pthread_create(pthread_t *t, const pthread_attr_t *a, void *(*fn)(void *), void *arg);
int __wrap_epoll_create1(int flags);
int __wrap_eventfd(unsigned n, int flags);

void *__wrap_malloc(size_t n)
{
  return fails_now(FAIL_MEMORY) ? NULL : __real_malloc(n);
}
void *__wrap_calloc(size_t n, size_t size)
{
  return fails_now(FAIL_MEMORY) ? NULL : __real_calloc(n, size);
}
void *__wrap_realloc(void *p, size_t n)
{
  return fails_now(FAIL_MEMORY) ? NULL : __real_realloc(p, n);
}
void *__wrap_aligned_alloc(size_t align, size_t n)
{
  return fails_now(FAIL_MEMORY) ? NULL : __real_aligned_alloc(align, n);
}
void *__wrap_mmap64(void *at, size_t n, int prot, int flags, int fd, off_t offset)
{
  if (!fails_now(FAIL_MMAP))
    return __real_mmap64(at, n, prot, flags, fd, offset);
  errno = ENOMEM;
  return MAP_FAILED;
}
int __wrap_pthread_create(pthread_t *t, const pthread_attr_t *a, void *(*fn)(void *), void *arg)
{
  return fails_now(FAIL_THREAD) ? EAGAIN : __real_pthread_create(t, a, fn, arg);
}
int __wrap_epoll_create1(int flags)
{
  if (!fails_now(FAIL_EPOLL))
    return __real_epoll_create1(flags);
  errno = EMFILE;
  return -1;
}
int __wrap_eventfd(unsigned n, int flags)
{
  if (!fails_now(FAIL_EPOLL))
    return __real_eventfd(n, flags);
  errno = EMFILE;
  return -1;
}
/* NOLINTEND(bugprone-reserved-identifier) */
