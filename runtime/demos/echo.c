/* SPDX-License-Identifier: MIT */
/* echo - a TCP server and its clients in one process, without a thread that waits for the network.
 *
 * "server" accepts 4 connections and starts an "echo" goroutine for each; every "client" dials, sends 50 lines and
 * reads each back.  All reads and writes go through the poller: who must wait parks (IO wait), and exactly one M
 * sleeps in epoll for all of them.
 *
 * What to look at: reads parked on a descriptor; the one M in netpoll, what it brings back, and who runs the
 * Gs that became ready; how a client's write makes its server goroutine ready a little later.
 */
#include "rt.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#define CLIENTS 4
#define LINES   50

static struct rt_waitgroup clients;
static char address[32];
static int echoed[CLIENTS];

static void echo(void *fd_)
{
  int fd = (int)(intptr_t)fd_;
  char buf[64];
  for (ssize_t n; (n = rt_read(fd, buf, sizeof buf, 0)) > 0;)
    if (rt_write(fd, buf, (size_t)n, 0) < 0)
      break;
  rt_close(fd);
}

static void server(void *listener)
{
  for (int fd; (fd = rt_accept((int)(intptr_t)listener, 0)) >= 0;)
    rt_go_named("echo", echo, (void *)(intptr_t)fd);
}

static void client(void *n)
{
  int id = (int)(intptr_t)n, fd = rt_dial(address, 0);
  char line[16], back[16];
  for (int i = 0; i < LINES && fd >= 0; i++) {
    size_t length = (size_t)snprintf(line, sizeof line, "%d:%05d\n", id, i);
    if (rt_write(fd, line, length, 0) < 0 || rt_read(fd, back, length, 0) != (ssize_t)length)
      break;
    echoed[id] += memcmp(line, back, length) == 0;
  }
  rt_close(fd);
  rt_waitgroup_done(&clients);
}

static int start(int argc, char **argv)
{
  (void)argc, (void)argv;
  int listener = rt_listen("127.0.0.1:0");
  struct sockaddr_in at = { 0 };
  socklen_t size = sizeof at;
  if (listener < 0 || getsockname(listener, (struct sockaddr *)&at, &size) != 0)
    rt_panic("cannot listen on 127.0.0.1");
  snprintf(address, sizeof address, "127.0.0.1:%d", ntohs(at.sin_port));
  rt_go_named("server", server, (void *)(intptr_t)listener);
  rt_waitgroup_add(&clients, CLIENTS);
  for (intptr_t i = 0; i < CLIENTS; i++)
    rt_go_named("client", client, (void *)i);
  rt_waitgroup_wait(&clients);
  rt_close(listener);
  for (int i = 0; i < CLIENTS; i++)
    printf("client %d: %d of %d lines came back\n", i, echoed[i], LINES);
  return 0;
}

int main(int argc, char **argv)
{
  return rt_main(argc, argv, start);
}
