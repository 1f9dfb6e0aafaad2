/* SPDX-License-Identifier: MIT */
/* pth.c - GNU Portable Threads: its channel is a message port, through which a message goes by reference. */
#include "bench.h"

#include <pth.h>

static void *yielder(void *arg)
{
  for (long i = *(long *)arg; i > 0; i--)
    pth_yield(NULL);
  return NULL;
}

static void yield(long n)
{
  long half = n / 2;
  pth_t a = pth_spawn(PTH_ATTR_DEFAULT, yielder, &half);
  pth_t b = pth_spawn(PTH_ATTR_DEFAULT, yielder, &half);
  pth_join(a, NULL);
  pth_join(b, NULL);
}

static pth_msgport_t ping, pong;

static pth_message_t *take(pth_msgport_t port, pth_event_t arrived)
{
  pth_message_t *message;
  while (!(message = pth_msgport_get(port)))
    pth_wait(arrived);
  return message;
}

static void *echo(void *arg)
{
  pth_event_t arrived = pth_event(PTH_EVENT_MSG, ping);
  for (long i = *(long *)arg; i > 0; i--)
    pth_msgport_put(pong, take(ping, arrived));
  pth_event_free(arrived, PTH_FREE_THIS);
  return NULL;
}

static void channel(long n)
{
  pth_message_t message;
  memset(&message, 0, sizeof message);
  ping = pth_msgport_create("ping");
  pong = pth_msgport_create("pong");
  pth_event_t arrived = pth_event(PTH_EVENT_MSG, pong);
  pth_t other = pth_spawn(PTH_ATTR_DEFAULT, echo, &n);
  for (long i = 0; i < n; i++) {
    pth_msgport_put(ping, &message);
    take(pong, arrived);
  }
  pth_join(other, NULL);
}

static void *nothing(void *arg)
{
  return arg;
}

static void spawn(long n)
{
  for (long i = 0; i < n; i++)
    pth_join(pth_spawn(PTH_ATTR_DEFAULT, nothing, NULL), NULL);
}

int main(int argc, char **argv)
{
  static const struct bench benches[] = { { "yield", 500000, yield },
                                          { "channel", 200000, channel },
                                          { "spawn", 200000, spawn } };
  if (argc != 2 || !pth_init())
    return 2;
  return bench_run(benches, sizeof benches / sizeof benches[0], argv[1]);
}
