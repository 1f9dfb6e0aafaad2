/* SPDX-License-Identifier: MIT */
/* print.c - text for dumps and last words: no malloc, no stdio, safe in a signal handler.
 *
 * What is printed between printlock and printunlock comes out as one piece, of one thread; the lock nests
 * within a thread, since a fault may come while the thread prints.
 */
#include "print.h"
#include "os.h"
#include "runtime.h"

#include <string.h>

static struct {
  _Atomic uint32_t owner; /* tid */
  int depth;
  int fd;
  size_t n;
  char bytes[1024];
} out = { .fd = 2 };

static void flush(void)
{
  os_write(out.fd, out.bytes, out.n);
  out.n = 0;
}

void printlock(void)
{
  uint32_t me = os_tid(), nobody = 0;
  if (atomic_load(&out.owner) != me)
    while (!atomic_compare_exchange_weak(&out.owner, &nobody, me)) {
      nobody = 0;
      os_usleep(1000);
    }
  out.depth++;
}

void printunlock(void)
{
  if (--out.depth > 0)
    return;
  flush();
  atomic_store(&out.owner, 0);
}

void printlock_for_last_words(void)
{
  printlock();
  out.depth = 1;
  print_to(2);
}

void print_reset(void)
{
  out.n = 0;
  out.depth = 0;
  out.fd = 2;
  atomic_store(&out.owner, 0);
}

void print_to(int fd)
{
  flush();
  out.fd = fd;
}

void print_bytes(const char *s, size_t n)
{
  while (n > 0) {
    size_t room = sizeof out.bytes - out.n, part = n < room ? n : room;
    memcpy(out.bytes + out.n, s, part);
    out.n += part;
    s += part;
    n -= part;
    if (out.n == sizeof out.bytes)
      flush();
  }
  if (out.depth == 0)
    flush();
}

void print_str(const char *s)
{
  print_bytes(s, strlen(s));
}

static void print_base(uint64_t n, unsigned base)
{
  char text[24], *at = text + sizeof text;
  do {
    *--at = "0123456789abcdef"[n % base];
    n /= base;
  } while (n);
  print_bytes(at, (size_t)(text + sizeof text - at));
}

void print_uint(uint64_t n)
{
  print_base(n, 10);
}

void print_int(int64_t n)
{
  if (n < 0)
    print_str("-");
  print_base(n < 0 ? -(uint64_t)n : (uint64_t)n, 10);
}

void print_hex(uint64_t n)
{
  print_str("0x");
  print_base(n, 16);
}
