/* SPDX-License-Identifier: MIT */
/* sim-io.c - descriptors that become readable at a time that the program of a test sets.
 *
 * What the other side of a socket does, and when, is in no seed, so sockets and pipes are refused (os-sim.c). Behind these
 * there is nobody: each is an eventfd, to which the simulated machine adds 1 when its time has come. So netpoll has Gs in
 * hand, and what the scheduler does with them is simulated. rt_read and rt_close are the real ones, down to read(2).
 *
 * I1  A descriptor is filled at a point, or when time jumps there, whoever looks: a read that comes then finds it so,
 *     also before epoll has told it.
 * I2  epoll tells each filling once, as edge-triggered events are.
 */
#include "os.h"
#include "sim-world.h"

#include <fcntl.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define MAX_FDS      16
#define FIRST_NUMBER 200 /* above what the test itself has open: numbers are in traces */

static struct sim_fd {
  int fd; /* 0: a free slot */
  bool in_epoll, tell;
  uint64_t data;  /* what epoll says then */
  int64_t due_at; /* 0: no time is set */
} fds[MAX_FDS];

static int64_t next_at = SIM_FOR_EVER;

static struct sim_fd *find(int fd)
{
  for (int i = 0; i < MAX_FDS; i++)
    if (fds[i].fd == fd)
      return &fds[i];
  return NULL;
}

/* NULL: it is a real one. */
static struct sim_fd *find_ours(int fd)
{
  return fd >= FIRST_NUMBER ? find(fd) : NULL;
}

static void update_next(void)
{
  next_at = SIM_FOR_EVER;
  for (int i = 0; i < MAX_FDS; i++)
    if (fds[i].due_at != 0 && fds[i].due_at < next_at)
      next_at = fds[i].due_at;
}

int sim_fd_new(void)
{
  struct sim_fd *f = find(0);
  int low = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  int fd = f && low >= 0 ? fcntl(low, F_DUPFD_CLOEXEC, FIRST_NUMBER) : -1;
  if (low >= 0)
    close(low);
  if (fd < 0)
    sim_fail("no more descriptors");
  *f = (struct sim_fd){ .fd = fd };
  return fd;
}

void sim_fd_fill(int fd, int64_t at)
{
  struct sim_fd *f = find_ours(fd);
  if (!f || f->due_at != 0 || at <= 0)
    sim_fail("descriptor %d cannot be filled", fd);
  f->due_at = at;
  update_next();
}

bool sim_fd_add(int fd, uint64_t data)
{
  struct sim_fd *f = find_ours(fd);
  if (!f)
    return false;
  f->in_epoll = true;
  f->data = data;
  return true;
}

void sim_fd_del(int fd)
{
  struct sim_fd *f = find_ours(fd);
  if (!f)
    return;
  *f = (struct sim_fd){ 0 };
  update_next();
}

int64_t sim_fd_next(void)
{
  return next_at;
}

static void fill(struct sim_fd *f)
{
  uint64_t one = 1;
  f->due_at = 0;
  if (write(f->fd, &one, sizeof one) != sizeof one)
    sim_fail("descriptor %d is closed, or full", f->fd);
  f->tell = true;
}

void sim_fd_look(int64_t now)
{
  struct co *co;
  if (now < next_at)
    return;
  for (int i = 0; i < MAX_FDS; i++)
    if (fds[i].due_at != 0 && fds[i].due_at <= now)
      fill(&fds[i]);
  update_next();
  for (uint32_t i = 0; (co = co_get(i)); i++)
    if (co->state == CO_EPOLL)
      sim_wake(co);
}

int sim_fd_events(struct os_event *out, int n)
{
  int told = 0;
  for (int i = 0; i < MAX_FDS && told < n; i++) {
    struct sim_fd *f = &fds[i];
    if (!f->in_epoll || !f->tell)
      continue;
    f->tell = false;
    out[told++] = (struct os_event){ .data = f->data, .readable = true };
  }
  return told;
}
