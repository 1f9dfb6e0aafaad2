/* SPDX-License-Identifier: MIT */
/* marked.cc - the forms of C++ that rt-preempt.h says to mark: prints how many of them run inside the marked section. */
#include <gmpscope/rt.h>
#include <gmpscope/rt-preempt.h>

#include <cstddef>
#include <cstdio>

static int n_inside;

__attribute__((noinline)) static void look()
{
  const char *pc = static_cast<const char *>(__builtin_return_address(0));
  n_inside += pc > rt_preemptible_start_ && pc <= rt_preemptible_stop_;
}

RT_PREEMPTIBLE static void plain()
{
  look();
  __asm__ volatile(""); /* no jump instead of a call */
}

struct outside {
  void member();
  static void of_class();
};
RT_PREEMPTIBLE void outside::member()
{
  look();
  __asm__ volatile("");
}
RT_PREEMPTIBLE void outside::of_class()
{
  look();
  __asm__ volatile("");
}

namespace
{
struct of_this_file {
  RT_PREEMPTIBLE void member()
  {
    look();
    __asm__ volatile("");
  }
};
}

template <class T> [[gnu::always_inline]] inline T sum(const T *p, size_t n)
{
  T s = 0;
  for (size_t i = 0; i < n; i++)
    s += p[i];
  look();
  return s;
}
RT_PREEMPTIBLE static double sum_of_doubles(const double *p, size_t n)
{
  return sum(p, n);
}
RT_PREEMPTIBLE static int sum_of_ints(const int *p, size_t n)
{
  return sum(p, n);
}

int main()
{
  const double doubles[] = { 1, 2 };
  const int ints[] = { 1, 2 };
  outside o;
  of_this_file f;
  auto lambda = []() RT_PREEMPTIBLE {
    look();
    __asm__ volatile("");
  };
  plain();
  o.member();
  outside::of_class();
  f.member();
  lambda();
  bool right = sum_of_doubles(doubles, 2) == 3 && sum_of_ints(ints, 2) == 3;
  std::printf("%d of 7\n", right ? n_inside : -1);
  return 0;
}
