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

static void runs_on(void *)
{
}

/* What the blocks of deferring calls have is destroyed once each, whichever place the recovery goes to: that of the last
 * call whose block has not ended. */
static void recover_in_the_last_turn()
{
  RT_FRAME(fr, { return; });
  {
    counted left;
    RT_DEFER(fr, recovers, nullptr);
  }
  counted kept;
  RT_DEFER(fr, runs_on, nullptr);
  for (int i = 0; i < 3; i++) {
    counted of_turn;
    RT_DEFER_LOOP(fr, runs_on, nullptr);
    if (i == 2)
      rt_panic("in the last turn");
  }
}
static void recover_behind_loops()
{
  RT_FRAME(fr, { return; });
  counted kept;
  RT_DEFER(fr, recovers, nullptr);
  for (int i = 0; i < 3; i++) {
    counted of_turn;
    for (int k = 0; k < 3; k++) {
      counted of_inner;
      RT_DEFER_LOOP(fr, runs_on, nullptr);
    }
    if (i == 1)
      continue;
    RT_DEFER_LOOP(fr, runs_on, nullptr);
  }
  rt_panic("behind the loops");
}
static void recover_behind_the_only_block(bool deferred)
{
  RT_FRAME(fr, { return; });
  if (deferred) {
    counted left;
    RT_DEFER(fr, recovers, nullptr);
  }
  if (!deferred)
    RT_DEFER(fr, recovers, nullptr);
  rt_panic("behind the block");
}
static void recover_behind_a_block_that_threw()
{
  RT_FRAME(fr, { return; });
  try {
    counted left;
    RT_DEFER(fr, recovers, nullptr);
    throw 1;
  } catch (int) {
  }
  rt_panic("behind the handler");
}
static void recover_in_a_handler()
{
  RT_FRAME(fr, { return; });
  try {
    throw counted();
  } catch (const counted &) {
    RT_DEFER(fr, recovers, nullptr);
    rt_panic("in the handler");
  }
}
static void recover_behind_a_handler()
{
  RT_FRAME(fr, { return; });
  try {
    throw counted();
  } catch (const counted &) {
    RT_DEFER(fr, recovers, nullptr);
  }
  rt_panic("behind the handler");
}
static void panics(void *)
{
  rt_panic("when the function has returned");
}
static void recover_a_second_time()
{
  RT_FRAME(fr, { return; });
  {
    RT_DEFER(fr, recovers, nullptr);
  }
  {
    RT_DEFER(fr, panics, nullptr);
  }
  counted kept;
  RT_DEFER(fr, recovers, nullptr);
  rt_panic("first");
}
static void recover_from_a_destructor()
{
  struct panics_once {
    bool *has;
    ~panics_once()
    {
      expect(!*has);
      *has = true;
      rt_panic("on the way out");
    }
  };
  bool has = false;
  RT_FRAME(fr, { return; });
  for (int i = 0; i < 3; i++)
    RT_DEFER_LOOP(fr, recovers, nullptr);
  counted kept;
  RT_DEFER(fr, runs_on, nullptr);
  {
    panics_once left = { &has };
    RT_DEFER(fr, runs_on, nullptr);
    rt_panic("in the block");
  }
}
static void recover_behind_a_handler_once_more()
{
  RT_FRAME(fr, { return; });
  RT_DEFER(fr, recovers, nullptr);
  RT_DEFER(fr, panics, nullptr);
  try {
    throw counted();
  } catch (const counted &) {
    RT_DEFER(fr, recovers, nullptr);
    rt_panic("in the handler");
  }
}
static int recover_when_all_are_gone()
{
  volatile int result = 0;
  RT_FRAME(fr, { return result; });
  RT_DEFER(fr, recovers, nullptr);
  counted kept;
  RT_DEFER(fr, panics, nullptr);
  result = 7;
  return 0;
}
static void recover_beside_blocks()
{
  void (*const ways[])() = {
    recover_in_the_last_turn,
    recover_behind_loops,
    [] { recover_behind_the_only_block(true); },
    [] { recover_behind_the_only_block(false); },
    recover_behind_a_block_that_threw,
    recover_in_a_handler,
    recover_behind_a_handler,
    recover_a_second_time,
    recover_from_a_destructor,
    recover_behind_a_handler_once_more,
    [] { expect(recover_when_all_are_gone() == 7); },
  };
  for (auto way : ways) {
    way();
    expect(counted::alive == 0 && !std::current_exception());
    try {
      throw counted();
    } catch (const counted &) {
      std::exception_ptr current = std::current_exception();
      way();
      expect(counted::alive == 1 && std::current_exception() == current);
    }
    expect(counted::alive == 0);
  }
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

extern "C" void recover_in_c(void (*fn)()); /* frame-of-c.c */

static void end_with_what_c_left(void *)
{
  recover_in_c(panic_in_two_catch_blocks);
  rt_waitgroup_done(&wg);
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
  recover_beside_blocks();
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
  recover_in_c(panic_in_two_catch_blocks); /* so does the main G's end */
}

int main()
{
  try {
    throw std::runtime_error("of the thread that calls rt_run");
  } catch (const std::exception &mine) {
    expect(rt_run(run, nullptr, nullptr) == 0);
    expect(counted::alive == 0);
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
