/* SPDX-License-Identifier: MIT */
/* bench-echo-load.c - asks an echo server on this machine, one thread with epoll, in a process of its own so that the
 * server's CPU time can be told apart.
 *
 *   bench-echo-load PORT REQUESTS    64 connections, each with one request of 32 bytes under way
 *
 * Ends with 1, in words, if an answer is not what was asked: then the server's figure is worth nothing. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define CONNECTIONS 64
#define SIZE        32u

struct connection {
  int fd;
  size_t answered; /* bytes of the answer that are here */
  char request[SIZE], answer[SIZE];
};

static _Noreturn void stop(const char *what)
{
  fprintf(stderr, "bench-echo-load: %s: %s\n", what, strerror(errno));
  exit(1);
}

static void ask(struct connection *c, long number)
{
  snprintf(c->request, SIZE, "request %ld", number);
  c->answered = 0;
  if (write(c->fd, c->request, SIZE) != (ssize_t)SIZE)
    stop("write");
}

/* True: the answer is whole. */
static bool take(struct connection *c)
{
  ssize_t n = read(c->fd, c->answer + c->answered, SIZE - c->answered);
  if (n <= 0)
    stop("the server is gone");
  c->answered += (size_t)n;
  if (c->answered < SIZE)
    return false;
  if (memcmp(c->answer, c->request, SIZE) != 0)
    stop("a wrong answer");
  return true;
}

static void dial(struct connection *c, int port, int epoll)
{
  struct sockaddr_in to = { .sin_family = AF_INET,
                            .sin_port = htons((uint16_t)port),
                            .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
  struct epoll_event wanted = { .events = EPOLLIN, .data.ptr = c };
  int on = 1;
  *c = (struct connection){ .fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0) };
  if (c->fd < 0 || connect(c->fd, (struct sockaddr *)&to, sizeof to) < 0)
    stop("connect");
  setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (epoll_ctl(epoll, EPOLL_CTL_ADD, c->fd, &wanted) < 0)
    stop("epoll_ctl");
}

int main(int argc, char **argv)
{
  static struct connection connections[CONNECTIONS];
  struct epoll_event ready[CONNECTIONS];
  if (argc != 3)
    return 2;
  int epoll = epoll_create1(EPOLL_CLOEXEC);
  if (epoll < 0)
    stop("epoll");
  for (int i = 0; i < CONNECTIONS; i++)
    dial(&connections[i], atoi(argv[1]), epoll);
  long wanted = atol(argv[2]), asked = 0, answered = 0;
  for (; asked < CONNECTIONS && asked < wanted; asked++)
    ask(&connections[asked], asked);
  while (answered < wanted) {
    int n = epoll_wait(epoll, ready, CONNECTIONS, -1);
    if (n < 0 && errno != EINTR)
      stop("epoll_wait");
    for (int i = 0; i < n; i++) {
      struct connection *c = ready[i].data.ptr;
      if (!take(c))
        continue;
      answered++;
      if (asked < wanted)
        ask(c, asked++);
    }
  }
  return 0; /* which closes the connections */
}
