/* SPDX-License-Identifier: MIT */
/* net.c - TCP sockets and other descriptors whose waiting is the poller's.
 *
 * Each operation is tried first, and parks only after EAGAIN; but a read that can only get EAGAIN is not tried
 * (netpoll.c, I3), which saves a server of short requests every second read.  The calls themselves do not block, so they
 * are not wrapped as system calls (Go wraps them): a read of a ready socket takes about a microsecond.
 * Regular files, which epoll does not know, are wrapped; so are descriptors 0 to 2, which are left blocking, as Go leaves
 * them: who else has them open, the shell say, or printf, would get EAGAIN. They are only tried when poll(2) says so.
 *
 * Errors are returned as -errno. A peer that is gone is -EPIPE or -ECONNRESET, not a signal (os_write_quietly).
 */
#include "os.h"
#include "poll-desc.h"
#include "proc.h"
#include "sim.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* ---- one operation, tried until it succeeds, fails or times out ---- */

struct operation {
  ssize_t (*try)(int fd, const struct operation *op); /* as the system call: -1 and errno */
  int fd;
  void *buf;
  size_t n;
};

static ssize_t try_read(int fd, const struct operation *op)
{
  return read(fd, op->buf, op->n);
}

/* As Go: writing to who does not read any more is an error, except on standard output and standard error, where it is
 * the end of the program, which a filter expects. */
static ssize_t try_write(int fd, const struct operation *op)
{
  if (fd == STDOUT_FILENO || fd == STDERR_FILENO)
    return write(fd, op->buf, op->n);
  ssize_t n = send(fd, op->buf, op->n, MSG_NOSIGNAL);
  return n < 0 && errno == ENOTSOCK ? os_write_quietly(fd, op->buf, op->n) : n;
}

static ssize_t try_accept(int fd, const struct operation *op)
{
  (void)op;
  int new_fd = os_above_standard(accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC));
  if (new_fd < 0)
    errno = -new_fd;
  return new_fd;
}

/* Connects, or learns how the connecting that an earlier try began has ended. */
static ssize_t try_connect(int fd, const struct operation *op)
{
  if (connect(fd, op->buf, (socklen_t)op->n) == 0 || errno == EISCONN)
    return 0;
  if (errno == EINPROGRESS || errno == EALREADY)
    errno = EAGAIN;
  return -1;
}

static ssize_t attempt_in_syscall(const struct operation *op)
{
  entersyscall();
  ssize_t n = op->try(op->fd, op);
  int err = errno;
  exitsyscall();
  return n < 0 ? -err : n;
}

static ssize_t attempt_shared(struct poll_desc *pd, const struct operation *op, enum poll_mode mode)
{
  if (!os_is_ready(op->fd, mode == POLL_WRITE))
    return -EAGAIN;
  ssize_t n = poll_call(pd, mode, true) ? attempt_in_syscall(op) : -EBADF;
  poll_call(pd, mode, false);
  return n;
}

static ssize_t attempt(struct poll_desc *pd, const struct operation *op, enum poll_mode mode)
{
  enum poll_calls calls = poll_calls_of(pd);
  if (calls == POLL_CALLS_MAY_BLOCK)
    return attempt_shared(pd, op, mode);
  if (calls == POLL_CALLS_BLOCK)
    return attempt_in_syscall(op);
  ssize_t n = op->try(op->fd, op);
  return n < 0 ? -errno : n;
}

/* Tries until it succeeds or fails; between poll_begin and poll_end. */
static ssize_t until_done(struct poll_desc *pd, const struct operation *op, enum poll_mode mode)
{
  ssize_t n;
  do {
    n = attempt(pd, op, mode);
    if (n == -EAGAIN && (n = poll_wait(pd, mode)) == 0)
      n = -EINTR;
  } while (n == -EINTR);
  return n;
}

static ssize_t run(const struct operation *op, enum poll_mode mode, int64_t deadline)
{
  int err;
  checkpreempt(need_g(NULL));
  struct poll_desc *pd = poll_begin(op->fd, mode, deadline, &err);
  if (!pd)
    return err;
  ssize_t n = until_done(pd, op, mode);
  poll_end(pd, mode);
  return n;
}

static ssize_t read_some(struct poll_desc *pd, const struct operation *op)
{
  ssize_t n = poll_is_drained(pd) ? poll_wait(pd, POLL_READ) : 0;
  if (n == 0)
    n = until_done(pd, op, POLL_READ);
  if (n >= 0)
    poll_set_drained(pd, n > 0 && (size_t)n < op->n);
  return n;
}

/* As Go: room for nothing is filled at once, whatever is there and however late it is. */
ssize_t rt_read(int fd, void *buf, size_t n, int64_t deadline)
{
  struct operation op = { try_read, fd, buf, n };
  int err;
  checkpreempt(need_g(NULL));
  struct poll_desc *pd = poll_begin(fd, POLL_READ, n > 0 ? deadline : 0, &err);
  if (!pd)
    return err;
  ssize_t got = n > 0 ? read_some(pd, &op) : 0;
  poll_end(pd, POLL_READ);
  return got;
}

/* As Go: nothing, too, is written, once: it may be a packet. */
ssize_t rt_write(int fd, const void *buf, size_t n, int64_t deadline)
{
  int err;
  size_t done = 0;
  ssize_t written;
  checkpreempt(need_g("rt_write"));
  struct poll_desc *pd = poll_begin(fd, POLL_WRITE, deadline, &err);
  if (!pd)
    return err;
  do {
    struct operation op = { try_write, fd, (char *)(uintptr_t)buf + done, n - done };
    written = until_done(pd, &op, POLL_WRITE);
    done += written > 0 ? (size_t)written : 0;
  } while (written > 0 && done < n);
  poll_end(pd, POLL_WRITE);
  if (written < 0)
    return written;
  return done == n ? (ssize_t)n : -EIO; /* it took nothing, and said nothing */
}

int rt_close(int fd)
{
  checkpreempt(need_g("rt_close"));
  return poll_close(fd);
}

static void set_nodelay(int fd)
{
  int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

int rt_accept(int fd, int64_t deadline)
{
  struct operation op = { .try = try_accept, .fd = fd };
  ssize_t accepted = run(&op, POLL_READ, deadline);
  if (accepted >= 0)
    set_nodelay((int)accepted);
  return (int)accepted;
}

/* ---- addresses ---- */

struct lookup {
  char host[256]; /* empty: any address */
  char port[32];
  bool passive;
  bool numeric;
  struct addrinfo *found;
  int result; /* of getaddrinfo */
};

/* A port's number is in 16 bits; getaddrinfo would leave out the others. Names are its business. */
static bool is_port(const char *text)
{
  return strspn(text, "0123456789") != strlen(text) || strtoul(text, NULL, 10) <= UINT16_MAX;
}

/* "host:port", "[v6]:port", ":port". False: it is none. */
static bool split_host_port(const char *host_port, struct lookup *l)
{
  const char *colon = strrchr(host_port, ':');
  if (!colon || !is_port(colon + 1))
    return false;
  size_t n = (size_t)(colon - host_port), n_port = strlen(colon + 1);
  if (n >= 2 && host_port[0] == '[' && colon[-1] == ']') {
    host_port++;
    n -= 2;
  } else if (memchr(host_port, ':', n)) {
    return false; /* "::1:0" might be either */
  }
  if (n >= sizeof l->host || n_port >= sizeof l->port)
    return false;
  memcpy(l->host, host_port, n);
  l->host[n] = '\0';
  memcpy(l->port, colon + 1, n_port + 1);
  return true;
}

static void *look_up(void *arg)
{
  struct lookup *l = arg;
  struct addrinfo hints = { .ai_socktype = SOCK_STREAM,
                            .ai_flags = (l->passive ? AI_PASSIVE : 0) |
                                        (l->numeric ? AI_NUMERICHOST | AI_NUMERICSERV : 0) };
  l->result = getaddrinfo(l->host[0] ? l->host : NULL, l->port, &hints, &l->found);
  return NULL;
}

/* Names take the resolver, which blocks and wants more stack than a G has: a thread of its own does it. */
static int look_up_name(struct lookup *l)
{
  uint64_t thread;
  l->numeric = false;
  entersyscall();
  int err = os_thread_start(look_up, l, &thread);
  if (err == 0)
    os_thread_join(thread);
  exitsyscall();
  return err;
}

/* 0, or -errno. On success l->found is the caller's. */
static int resolve(const char *host_port, bool passive, struct lookup *l)
{
  *l = (struct lookup){ .passive = passive, .numeric = true };
  sim_refuse_io();
  if (!host_port || !split_host_port(host_port, l))
    return -EINVAL;
  look_up(l);
  if (l->result == EAI_NONAME) {
    int err = look_up_name(l);
    if (err < 0)
      return err;
  }
  switch (l->result) {
  case 0:
    return 0;
  case EAI_MEMORY:
    return -ENOMEM;
  case EAI_AGAIN:
    return -EAGAIN;
  default:
    return -EADDRNOTAVAIL;
  }
}

/* With dual, on IPv6 and IPv4 alike. */
static int listen_on(const struct sockaddr *at, socklen_t size, bool dual)
{
  int fd = os_above_standard(socket(at->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (fd < 0)
    return fd;
  int on = 1, v6_only = !dual;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (at->sa_family == AF_INET6)
    setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &v6_only, sizeof v6_only);
  if (bind(fd, at, size) == 0 && listen(fd, SOMAXCONN) == 0)
    return fd;
  int err = -errno;
  close(fd);
  return err;
}

/* All addresses, whichever family's "any" it is: of both families, as in Go. */
static int listen_on_any(const struct addrinfo *ai)
{
  const struct sockaddr_in *v4 = (const struct sockaddr_in *)ai->ai_addr;
  const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)ai->ai_addr;
  struct sockaddr_in6 both = { .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_ANY_INIT };
  both.sin6_port = ai->ai_family == AF_INET ? v4->sin_port : v6->sin6_port;
  int fd = listen_on((const struct sockaddr *)&both, sizeof both, true);
  if (fd != -EAFNOSUPPORT && fd != -EADDRNOTAVAIL)
    return fd;
  struct sockaddr_in only_v4 = { .sin_family = AF_INET, .sin_port = both.sin6_port };
  return listen_on((const struct sockaddr *)&only_v4, sizeof only_v4, false);
}

static bool is_any(const struct addrinfo *ai)
{
  if (ai->ai_family == AF_INET6)
    return IN6_IS_ADDR_UNSPECIFIED(&((const struct sockaddr_in6 *)ai->ai_addr)->sin6_addr);
  return ((const struct sockaddr_in *)ai->ai_addr)->sin_addr.s_addr == htonl(INADDR_ANY);
}

static int connect_to(const struct addrinfo *ai, int64_t deadline)
{
  int fd = os_above_standard(socket(ai->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (fd < 0)
    return fd;
  struct operation op = { try_connect, fd, ai->ai_addr, ai->ai_addrlen };
  ssize_t err = run(&op, POLL_WRITE, deadline);
  if (err < 0) {
    rt_close(fd);
    return (int)err;
  }
  set_nodelay(fd);
  return fd;
}

/* As Go: of a name's addresses the first of IPv4, if there is one, and no other. */
int rt_listen(const char *host_port)
{
  struct lookup l;
  checkpreempt(need_g("rt_listen"));
  int fd = resolve(host_port, true, &l);
  if (fd < 0)
    return fd;
  const struct addrinfo *ai = l.found;
  while (ai->ai_next && ai->ai_family != AF_INET)
    ai = ai->ai_next;
  if (ai->ai_family != AF_INET)
    ai = l.found;
  fd = is_any(ai) ? listen_on_any(ai) : listen_on(ai->ai_addr, ai->ai_addrlen, false);
  freeaddrinfo(l.found);
  return fd;
}

int rt_dial(const char *host_port, int64_t deadline)
{
  struct lookup l;
  checkpreempt(need_g("rt_dial"));
  int fd = resolve(host_port, false, &l);
  if (fd < 0)
    return fd;
  fd = -EADDRNOTAVAIL;
  for (const struct addrinfo *ai = l.found; ai && fd < 0; ai = ai->ai_next)
    fd = connect_to(ai, deadline);
  freeaddrinfo(l.found);
  return fd;
}
