/* SPDX-License-Identifier: MIT */
/* deferred.cc - what C++ does in deferred calls and in recoveries: its first argument says what.
 *
 *   throws           an exception leaves a deferred function as its function returns: std::terminate
 *   throws-in-panic  the same as a panic runs it
 *   catches          one that is caught inside
 *   yields, panics   the destructor of an exception that a recovery ends does that; the trace keeps the rules
 */
#include <gmpscope/rt.h>

#include <cstdio>
#include <cstring>
#include <exception>
#include <unistd.h>

static void throws(void *)
{
  throw 7;
}
static void catches(void *)
{
  try {
    throws(nullptr);
  } catch (int i) {
    std::printf("caught %d ", i);
  }
}
static void recovers(void *)
{
  rt_recover(nullptr);
}
static void says_so()
{
  std::printf("terminated\n");
  std::fflush(stdout);
  _exit(3);
}

static __attribute__((noinline)) void defer(void (*fn)(void *), bool panics)
{
  RT_FRAME(fr, { return; });
  RT_DEFER(fr, recovers, nullptr);
  RT_DEFER(fr, fn, nullptr);
  if (panics)
    rt_panic("on purpose");
}
static void go_past(void (*fn)(void *), bool panics)
{
  try {
    defer(fn, panics);
  } catch (int) {
    std::printf("it left ");
  }
  std::printf("returned\n");
}

struct yields_when_it_goes {
  yields_when_it_goes() {}
  yields_when_it_goes(const yields_when_it_goes &) {}
  ~yields_when_it_goes() { rt_yield(); }
};
struct panics_when_it_goes {
  panics_when_it_goes() {}
  panics_when_it_goes(const panics_when_it_goes &) {}
  ~panics_when_it_goes() noexcept(false) { rt_panic("in a destructor"); }
};
template <class thrown> static __attribute__((noinline)) void panic_in_its_handler()
{
  try {
    throw thrown();
  } catch (const thrown &) {
    rt_panic("in the handler");
  }
}
template <class thrown> static __attribute__((noinline)) void recover_from_its_handler()
{
  RT_FRAME(fr, { return; });
  RT_DEFER(fr, recovers, nullptr);
  RT_DEFER(fr, recovers, nullptr);
  panic_in_its_handler<thrown>();
}

static int does(int, char **argv)
{
  std::set_terminate(says_so);
  if (std::strcmp(argv[1], "throws") == 0)
    go_past(throws, false);
  else if (std::strcmp(argv[1], "throws-in-panic") == 0)
    go_past(throws, true);
  else if (std::strcmp(argv[1], "catches") == 0)
    go_past(catches, true);
  else if (std::strcmp(argv[1], "yields") == 0)
    recover_from_its_handler<yields_when_it_goes>();
  else
    recover_from_its_handler<panics_when_it_goes>();
  return 0;
}

int main(int argc, char **argv)
{
  return argc > 1 ? rt_main(argc, argv, does) : 2;
}
