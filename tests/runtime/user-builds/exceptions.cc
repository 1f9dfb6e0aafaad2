/* SPDX-License-Identifier: MIT */
/* exceptions.cc - Gs that park in catch blocks and in destructors that a throw runs, and panics and Goexits that leave them:
 * prints how often one saw another's exception, lost its own, or left one behind. */
#include <gmpscope/rt.h>

#include <atomic>
#include <cstdio>
#include <exception>
#include <stdexcept>
#include <string>

static std::atomic<int> n_wrong;
static rt_waitgroup wg;

static void expect(bool right)
{
  n_wrong += !right;
}

static void *nothing(void *arg)
{
  return arg;
}

static void park(int how)
{
  if (how % 3 == 0)
    rt_yield();
  else if (how % 3 == 1)
    rt_sleep(1000);
  else
    rt_blocking(nothing, nullptr);
}

struct parks_when_it_goes {
  int how;
  ~parks_when_it_goes()
  {
    expect(std::uncaught_exceptions() == 1);
    park(how);
    expect(std::uncaught_exceptions() == 1);
  }
};

static void throw_and_park(const std::string &text, int how)
{
  parks_when_it_goes guard = { how };
  throw std::runtime_error(text);
}

static void catch_and_park(const std::string &text, int how)
{
  try {
    throw_and_park(text, how);
  } catch (const std::exception &outer) {
    park(how);
    try {
      throw std::logic_error(text + "inner");
    } catch (const std::exception &inner) {
      park(how + 1);
      expect(inner.what() == text + "inner");
    }
    park(how + 2);
    expect(outer.what() == text);
    throw;
  }
}

static void work(void *id)
{
  for (int i = 0; i < 200; i++) {
    std::string text = std::to_string(reinterpret_cast<long>(id)) + "." + std::to_string(i);
    try {
      catch_and_park(text, i);
      expect(false);
    } catch (const std::exception &again) {
      rt_yield();
      expect(again.what() == text);
    }
    expect(!std::current_exception() && std::uncaught_exceptions() == 0);
  }
  rt_waitgroup_done(&wg);
}

struct counted {
  static std::atomic<int> alive;
  counted() { alive++; }
  counted(const counted &) { alive++; }
  ~counted() { alive--; }
};
std::atomic<int> counted::alive;

static void recovers(void *)
{
  rt_recover(nullptr);
}

static void panic_in_two_catch_blocks()
{
  try {
    throw counted();
  } catch (const counted &) {
    try {
      throw counted();
    } catch (const counted &) {
      rt_panic("leaves them");
    }
  }
}

static void recover_outside()
{
  RT_FRAME(fr, { return; });
  RT_DEFER(fr, recovers, nullptr);
  panic_in_two_catch_blocks();
}

/* What the scopes of deferring calls have is destroyed once each, whichever of them recovers. */
static void recover_beside_scopes(int turns)
{
  RT_FRAME(fr, { return; });
  if (turns > 0) {
    counted left;
    RT_DEFER(fr, recovers, nullptr);
  }
  counted kept;
  RT_DEFER(fr, recovers, nullptr);
  for (int i = 0; i < turns; i++) {
    counted of_turn;
    RT_DEFER_LOOP(fr, recovers, nullptr);
    if (i == turns - 1)
      rt_panic("in the last turn");
  }
  for (int i = 0; i < 3; i++) {
    counted of_turn;
    RT_DEFER_LOOP(fr, recovers, nullptr);
  }
  rt_panic("behind the loop");
}

struct panics_when_it_goes {
  volatile bool does = true; /* else a compiler sees that nobody will come to the handler */
  ~panics_when_it_goes()
  {
    if (does)
      rt_panic("leaves the throw");
  }
};

static void recover_in_a_throw()
{
  RT_FRAME(fr, { return; });
  RT_DEFER(fr, recovers, nullptr);
  try {
    panics_when_it_goes guard;
    throw 1;
  } catch (int) {
    expect(false);
  }
}

static void leave_catch_blocks(void *)
{
  try {
    throw counted();
  } catch (const counted &mine) {
    std::exception_ptr current = std::current_exception();
    for (int i = 0; i < 3; i++) {
      recover_outside();
      recover_in_a_throw();
      rt_yield();
      expect(std::uncaught_exceptions() == 0 && std::current_exception() == current);
    }
  }
  expect(!std::current_exception());
  rt_waitgroup_done(&wg);
}

/* As in a frame of C, which does not know of exceptions. */
#undef RT_FRAME_OF_CXX
#define RT_FRAME_OF_CXX(frame) (void)0
static void end_with_what_c_left(void *)
{
  RT_FRAME(fr, {
    rt_waitgroup_done(&wg);
    return;
  });
  RT_DEFER(fr, recovers, nullptr);
  panic_in_two_catch_blocks();
}

static void goexit_in_a_catch_block(void *)
{
  try {
    throw counted();
  } catch (const counted &) {
    rt_waitgroup_done(&wg);
    rt_goexit();
  }
}

static void has_none(void *)
{
  expect(!std::current_exception());
  rt_waitgroup_done(&wg);
}

static void run(void *)
{
  expect(!std::current_exception());
  recover_beside_scopes(3);
  expect(counted::alive == 0);
  rt_waitgroup_add(&wg, 8 + 4 * 20);
  for (long i = 0; i < 8; i++)
    rt_go(work, reinterpret_cast<void *>(i));
  for (int i = 0; i < 20; i++) {
    rt_go(goexit_in_a_catch_block, nullptr);
    rt_go(leave_catch_blocks, nullptr);
    rt_go(end_with_what_c_left, nullptr);
    rt_go(has_none, nullptr);
  }
  rt_waitgroup_wait(&wg);
  while (rt_num_goroutine() > 1)
    rt_yield();
  expect(counted::alive == 0);
}

int main()
{
  try {
    throw std::runtime_error("of the thread that calls rt_run");
  } catch (const std::exception &mine) {
    expect(rt_run(run, nullptr, nullptr) == 0);
    expect(std::string(mine.what()) == "of the thread that calls rt_run");
    try {
      throw;
    } catch (const std::exception &again) {
      expect(&again == &mine);
    }
  }
  std::printf("%d wrong\n", n_wrong.load());
  return 0;
}
