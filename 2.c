#include <arpa/inet.h>
#include <gmpscope/rt.h>
#include <netinet/in.h>
#include <stdio.h>

#define DEADLINE (rt_now() + 5000000000)

static void serve(void *arg)
{
  char line[64];
  int fd = rt_accept(*(int *)arg, DEADLINE);
  ssize_t n;
  while (fd >= 0 && (n = rt_read(fd, line, sizeof line, DEADLINE)) > 0)
    rt_write(fd, line, (size_t)n, DEADLINE);
  rt_close(fd);
}

static int body(int argc, char **argv)
{
  (void)argc, (void)argv;
  static int listener;
  char back[64] = "", address[32];
  struct sockaddr_in bound;
  socklen_t length = sizeof bound;
  rt_gomaxprocs(1);
  listener = rt_listen("127.0.0.1:0"); /* any free port */
  getsockname(listener, (struct sockaddr *)&bound, &length);
  snprintf(address, sizeof address, "127.0.0.1:%d", ntohs(bound.sin_port));
  rt_go_named("server", serve, &listener);
  int fd = rt_dial(address, DEADLINE);
  rt_write(fd, "hello", 5, DEADLINE);
  rt_read(fd, back, sizeof back - 1, DEADLINE);
  printf("the server said: %s\n", back);
  rt_close(fd);
  rt_close(listener);
  return 0;
}

int main(int argc, char **argv)
{
  return rt_main(argc, argv, body);
}
