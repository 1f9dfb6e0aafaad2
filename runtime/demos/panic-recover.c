/* SPDX-License-Identifier: MIT */
/* panic-recover - three deferred calls, and one of them recovers.
 *
 * f defers three calls and panics.  They run last deferred first: "d3" looks on, the second recovers, and
 * then the panic is over; the remaining one, "d1", runs as at any return.  f returns to its caller, whose own
 * deferred call is untouched until it returns itself.  In between lies g, which defers nothing: the panic
 * skips its frame.
 *
 * What to look at: the walk of the panic from the frame that panicked over g to f; the recover call that counts;
 * the jump back to f, and why "d1" runs because of "return", not of "panic".  A recover in a helper does not
 * count: watch its verdict.
 *
 * The other forms ask when recover counts (panic-forms.c):
 *   helper           only a function called by the deferred one recovers: it does not count, exit code 2
 *   defer-recover    `defer recover()`: it does not count either, exit code 2
 *   no-panic         recover finds nothing, and nothing is changed
 *   nested           a deferred call panics: the newer panic supersedes the older, one recover ends both
 *   goexit           Goexit runs the deferred calls too, but recover finds nothing: the goroutine ends
 *   caller           with a caller that defers: its record is still on the list after the recovery
 */
#include "demo.h"
#include "panic-forms.h"

static void print_deferred(void *what)
{
  printf("deferred: %s\n", (const char *)what);
}

static __attribute__((noinline)) bool recover_in_helper(void)
{
  struct rt_value why;
  return rt_recover(&why);
}

static void look_on(void *what)
{
  bool recovered = recover_in_helper();
  printf("deferred: %s, recover in a helper: %s\n", (const char *)what, recovered ? "yes" : "no");
}

static void recover_it(void *unused)
{
  (void)unused;
  struct rt_value why;
  if (rt_recover(&why))
    printf("recovered: %s\n", why.s);
}

static __attribute__((noinline)) void g(void)
{
  rt_panic("boom");
}

static int f(void)
{
  volatile int result = 0;
  RT_FRAME(fr, { return result; });
  RT_DEFER(fr, print_deferred, "d1");
  RT_DEFER(fr, recover_it, NULL);
  RT_DEFER(fr, look_on, "d3");
  result = 42;
  g();
  puts("not reached");
  return 0;
}

static void caller(void *unused)
{
  (void)unused;
  RT_FRAME(fr, { return; });
  RT_DEFER(fr, print_deferred, "of the caller");
  printf("f returned %d\n", f());
}

static int start(int argc, char **argv)
{
  static const char *const forms[] = { "recovered", "helper", "defer-recover", "no-panic",
                                       "nested",    "goexit", "caller",        NULL };
  static void (*const run[])(void) = { NULL,
                                       only_a_helper_recovers,
                                       recover_itself_is_deferred,
                                       recover_without_a_panic,
                                       a_deferred_call_panics,
                                       goexit_is_not_recovered,
                                       the_caller_defers_too };
  int form = demo_form(argc, argv, forms);
  if (run[form])
    run[form]();
  else
    caller(NULL);
  puts("main exit");
  return 0;
}

int main(int argc, char **argv)
{
  return rt_main(argc, argv, start);
}
