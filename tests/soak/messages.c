/* SPDX-License-Identifier: MIT */
/* messages.c - `messages [N]`: so many channel operations, through a pipeline whose ends must agree.
 *
 * Four producers, four consumers, buffers of 0, 1, 16 and 128; each value is sent and received once (two
 * operations), and its sum must come out.
 */
#include "rt.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#define LANES 4

static struct lane {
  struct rt_chan *chan;
  int64_t n, sent, received;
} lanes[LANES];
static struct rt_waitgroup done;

static void produce(void *arg)
{
  struct lane *l = arg;
  uint64_t x = 88172645463325252u;
  for (int64_t i = 0; i < l->n; i++) {
    x ^= x << 13, x ^= x >> 7, x ^= x << 17;
    int64_t value = (int64_t)(x >> 40);
    l->sent += value;
    rt_chan_send(l->chan, &value);
  }
  rt_chan_close(l->chan);
  rt_waitgroup_done(&done);
}

static void consume(void *arg)
{
  struct lane *l = arg;
  for (int64_t value; rt_chan_recv(l->chan, &value);)
    l->received += value;
  rt_waitgroup_done(&done);
}

static int run(int argc, char **argv)
{
  static const size_t buffers[LANES] = { 0, 1, 16, 128 };
  int64_t n = argc > 1 ? atoll(argv[1]) : 1000000000, began = rt_now();
  rt_waitgroup_add(&done, 2 * LANES);
  for (int i = 0; i < LANES; i++) {
    lanes[i] =
        (struct lane){ .chan = rt_chan_new(sizeof(int64_t), buffers[i]), .n = n / LANES / 2 };
    rt_go(produce, &lanes[i]);
    rt_go(consume, &lanes[i]);
  }
  rt_waitgroup_wait(&done);
  for (int i = 0; i < LANES; i++)
    if (lanes[i].sent != lanes[i].received) {
      fprintf(stderr, "messages: lane %d lost something\n", i);
      return 1;
    }
  printf("messages: %lld operations in %.1f s\n", (long long)n, (double)(rt_now() - began) / 1e9);
  return 0;
}

int main(int argc, char **argv)
{
  return rt_main(argc, argv, run);
}
