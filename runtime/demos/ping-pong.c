/* SPDX-License-Identifier: MIT */
/* ping-pong - two goroutines and a ball.
 *
 * The ball is an int on two unbuffered channels.  Each player receives it, counts it up, and sends it back, 1000
 * times.  A third goroutine plays the referee: it waits in a select for the end, or for a time limit.
 *
 * What to look at: a sender that finds its partner waiting copies the ball into the partner's variable and
 * makes it ready in runnext; when the sender then blocks, the partner runs at once, on the same M, in the rest
 * of the same time slice (inherit).  With several Ps: why the pair hardly ever leaves its P.
 */
#include "rt.h"

#include <stdio.h>

#define RALLIES 1000

static struct rt_chan *ping, *pong, *end;

static void player(struct rt_chan *from, struct rt_chan *to)
{
  int ball;
  while (rt_chan_recv(from, &ball)) {
    ball++;
    if (ball >= 2 * RALLIES) {
      rt_chan_send(end, &ball);
      return;
    }
    rt_chan_send(to, &ball);
  }
}

static void left(void *unused)
{
  (void)unused;
  player(ping, pong);
}

static void right(void *unused)
{
  (void)unused;
  player(pong, ping);
}

static int start(int argc, char **argv)
{
  (void)argc, (void)argv;
  ping = rt_chan_new(sizeof(int), 0);
  pong = rt_chan_new(sizeof(int), 0);
  end = rt_chan_new(sizeof(int), 0);
  rt_name(ping, "ping");
  rt_name(pong, "pong");
  rt_name(end, "end");
  rt_go_named("left", left, NULL);
  rt_go_named("right", right, NULL);
  int ball = 0;
  rt_chan_send(ping, &ball);
  struct rt_chan *limit = rt_after(10 * 1000000000ll);
  struct rt_case cases[] = { { end, RT_RECV, &ball, false }, { limit, RT_RECV, NULL, false } };
  int which = rt_select(cases, 2);
  rt_chan_free(limit);
  printf(which == 0 ? "the ball was hit %d times\n" : "time limit, %d\n", ball);
  return which;
}

int main(int argc, char **argv)
{
  return rt_main(argc, argv, start);
}
