/* SPDX-License-Identifier: MIT */
/* boost-fiber.cc - Boost.Fiber, with its usual scheduler: one thread, round robin. */
#include "bench.h"

#include <boost/fiber/all.hpp>

using namespace boost::fibers;

static void yielder(long n)
{
  for (long i = 0; i < n; i++)
    boost::this_fiber::yield();
}

static void yield(long n)
{
  fiber a(yielder, n / 2), b(yielder, n / 2);
  a.join();
  b.join();
}

static void channel(long n)
{
  unbuffered_channel<long> ping, pong;
  fiber echo([&] {
    for (long v : ping)
      pong.push(v);
  });
  for (long i = 0; i < n; i++) {
    ping.push(i);
    pong.value_pop();
  }
  ping.close();
  echo.join();
}

static void spawn(long n)
{
  for (long i = 0; i < n; i++)
    fiber([] {}).join();
}

int main(int argc, char **argv)
{
  static const bench benches[] = { { "yield", 5000000, yield },
                                   { "channel", 1000000, channel },
                                   { "spawn", 1000000, spawn } };
  return argc != 2 ? 2 : bench_run(benches, sizeof benches / sizeof benches[0], argv[1]);
}
