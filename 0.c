#include "rt.h"
#include <stdio.h>

static void worker(void *results)
{
  int answer = 42;
  rt_sleep(1000000); /* parks this G, not its thread */
  rt_chan_send(results, &answer);
}

static int body(int argc, char **argv)
{
  (void)argc, (void)argv;
  struct rt_chan *results = rt_chan_new(sizeof(int), 0);
  int answer;
  rt_go_named("worker", worker, results);
  rt_chan_recv(results, &answer);
  printf("%d\n", answer);
  return 0;
}

int main(int argc, char **argv)
{
  return rt_main(argc, argv, body);
}
