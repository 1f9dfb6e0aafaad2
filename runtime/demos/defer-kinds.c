/* SPDX-License-Identifier: MIT */
/* defer-kinds - which kind of record a deferred call gets, and what only a compiler decides.
 *
 * Go's compiler chooses among three kinds: open-coded (no record), on the stack, on the heap.  Here there are two, and
 * the programmer writes which: RT_DEFER lies in the frame, RT_DEFER_LOOP comes from the P's pool, as does the 9th
 * RT_DEFER of a frame.  A region for each rule:
 *   no capture, capture     the same kind: what a call captures changes nothing
 *   more returns            the same kind (in Go more than 15 deferred calls times returns end open coding)
 *   a loop                  from the pool, because the number is not known
 *   a 9th defer             from the pool, because a frame has room for 8 (in Go the 9th ends open coding)
 *
 * What to look at: the kind in each push.  What cannot be seen here is said, not played: see what it prints.
 */
#include "demo.h"

static int ran;

static void count(void *capture)
{
  ran += capture ? *(int *)capture : 1;
}

static void no_capture(void)
{
  RT_FRAME(fr, { return; });
  RT_DEFER(fr, count, NULL);
}

static void with_capture(void)
{
  int one = 1;
  RT_FRAME(fr, { return; });
  RT_DEFER(fr, count, &one);
}

static void more_returns(void)
{
  RT_FRAME(fr, { return; });
  RT_DEFER(fr, count, NULL);
  if (ran > 100)
    return;
  if (ran > 50)
    return;
}

static void in_a_loop(void)
{
  RT_FRAME(fr, { return; });
  for (int i = 0; i < 3; i++)
    RT_DEFER_LOOP(fr, count, NULL);
}

#define TWICE(x) x x
static void nine(void)
{
  RT_FRAME(fr, { return; });
  TWICE(TWICE(TWICE(RT_DEFER(fr, count, NULL);)))
  RT_DEFER(fr, count, NULL);
}

static int start(int argc, char **argv)
{
  static const struct {
    const char *name;
    void (*run)(void);
  } rules[] = { { "no capture", no_capture },
                { "capture", with_capture },
                { "more returns", more_returns },
                { "a loop", in_a_loop },
                { "a 9th defer", nine } };
  (void)argc, (void)argv;
  for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
    rt_region_begin(rules[i].name);
    rules[i].run();
    rt_region_end();
  }
  printf("%d deferred calls ran\n", ran);
  puts("facts of Go's compiler, of which nothing is left to see at run time:\n"
       "  open-coded defers have no record; a call of defer is never inlined, nor is a function "
       "with defer;\n"
       "  recover and go prevent inlining, select does not; make([]byte, 1024) does not escape");
  return 0;
}

int main(int argc, char **argv)
{
  return rt_main(argc, argv, start);
}
