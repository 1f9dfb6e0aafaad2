/* SPDX-License-Identifier: MIT */
/* panic-forms.c - which recover counts, and what a recovery leaves alone: see panic-recover.c. */
#include "panic-forms.h"

#include "demo.h"

static void print_deferred(void *what)
{
  printf("deferred: %s\n", (const char *)what);
}

static void recover_it(void *unused)
{
  (void)unused;
  struct rt_value why;
  bool recovered = rt_recover(&why);
  printf("recover: %s\n", recovered ? why.s : "nothing");
}

static __attribute__((noinline)) bool helper(void)
{
  return rt_recover(NULL);
}

static void ask_a_helper(void *unused)
{
  (void)unused;
  printf("recover in a called function: %s\n", helper() ? "yes" : "no");
}

/* Go's `defer recover()`: what is deferred is recover itself, so its caller is no deferred function. */
static void recover_itself(void *frame)
{
  bool recovered = rt_recover_in(frame, NULL);
  printf("defer recover(): %s\n", recovered ? "yes" : "no");
}

static void panic_again(void *unused)
{
  (void)unused;
  rt_panic("second");
}

void only_a_helper_recovers(void)
{
  RT_FRAME(fr, { return; });
  RT_DEFER(fr, print_deferred, "runs all the same");
  RT_DEFER(fr, ask_a_helper, NULL);
  rt_panic("boom");
}

void recover_itself_is_deferred(void)
{
  RT_FRAME(fr, { return; });
  RT_DEFER(fr, recover_itself, __builtin_frame_address(0));
  rt_panic("boom");
}

void recover_without_a_panic(void)
{
  RT_FRAME(fr, { return; });
  RT_DEFER(fr, print_deferred, "d1");
  RT_DEFER(fr, recover_it, NULL);
}

void a_deferred_call_panics(void)
{
  RT_FRAME(fr, { return; });
  RT_DEFER(fr, recover_it, NULL);
  RT_DEFER(fr, panic_again, NULL);
  rt_panic("first");
}

static void done(void *group)
{
  rt_waitgroup_done(group);
}

static void leave(void *group)
{
  RT_FRAME(fr, { return; });
  RT_DEFER(fr, done, group);
  RT_DEFER(fr, recover_it, NULL);
  rt_goexit();
}

void goexit_is_not_recovered(void)
{
  struct rt_waitgroup group = { 0 };
  rt_waitgroup_add(&group, 1);
  rt_go_named("leaver", leave, &group);
  rt_waitgroup_wait(&group);
}

static void recovers(void)
{
  RT_FRAME(fr, { return; });
  RT_DEFER(fr, print_deferred, "of f, after the recovery");
  RT_DEFER(fr, recover_it, NULL);
  rt_panic("boom");
}

void the_caller_defers_too(void)
{
  RT_FRAME(fr, { return; });
  RT_DEFER(fr, print_deferred, "of the caller, when it returns");
  recovers();
  puts("the caller goes on");
}
