/* SPDX-License-Identifier: MIT */
/* nest.c - `nest SCRIPT`: defers, calls, panics, recovers and exits as the script says. go/nest is the same in Go.
 *
 * A script is functions, separated by '/', each a row of words; the first is where it begins:
 *
 *   dN DN  defers function N (as in a loop, or not)     cN  calls it        pN  says N
 *   xN     panics with the string vN                    eN  panics with an error of that text
 *   r      recovers, and says what                      a   recovers, and panics with that again
 *   g      Goexit                                       y w gives way; goes into the kernel
 *   sN     adds N to a variable of the function that deferred or called this one
 *   t      says that variable of its own
 *
 * A script that begins with '!' runs on the main G, others on one of their own. A panic's text is made anew each time, so
 * that only what is passed on counts as the same value.
 */
#include "rt.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MAX_STEPS 3000

/* A script that panics or exits gives nothing back: no leak is to be looked for (address sanitizer). */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
  return "detect_leaks=0";
}

struct call {
  const char *function;
  int *callers;
};

static const char *script;
static int steps;

static const char *function_at(long n)
{
  const char *at = script;
  for (; n > 0; n--)
    at = strchr(at, '/') + 1;
  return at;
}

static struct call *call_of(long n, int *callers)
{
  struct call *c = malloc(sizeof *c);
  *c = (struct call){ function_at(n), callers };
  return c;
}

static const char *text_of(long n)
{
  char *text = malloc(24);
  snprintf(text, 24, "v%ld", n);
  return text;
}

static void *sleep_a_little(void *unused)
{
  usleep(50);
  return unused;
}

static void say_recovered(bool valid, const struct rt_value *v)
{
  printf("r:%s ", valid ? v->s : "nil");
}

/* What needs no frame of the function's own. */
static void do_simply(char word, long n, int *callers, const int *mine)
{
  switch (word) {
  case 'p':
    printf("%ld ", n);
    break;
  case 'x':
    rt_panic(text_of(n));
  case 'e':
    rt_panic_value((struct rt_value){ .type = "error", .s = text_of(n) });
  case 'g':
    rt_goexit();
  case 'y':
    rt_yield();
    break;
  case 'w':
    rt_blocking(sleep_a_little, NULL);
    break;
  case 's':
    *callers += (int)n;
    break;
  case 't':
    printf("t%d ", *mine);
    break;
  default:
    abort();
  }
}

static void run(void *arg)
{
  struct call *c = arg;
  int *mine = calloc(1, sizeof *mine);
  struct rt_value v;
  RT_FRAME(fr, { return; });
  for (const char *at = c->function; *at != '\0' && *at != '/';) {
    char word = *at, *end;
    long n = strtol(at + 1, &end, 10);
    at = end + strspn(end, " ");
    if (++steps > MAX_STEPS)
      exit(0);
    if (word == 'd')
      RT_DEFER_LOOP(fr, run, call_of(n, mine));
    else if (word == 'D')
      RT_DEFER(fr, run, call_of(n, mine));
    else if (word == 'c')
      run(call_of(n, mine));
    else if (word == 'r') {
      bool valid = rt_recover(&v);
      say_recovered(valid, &v);
    } else if (word == 'a') {
      if (rt_recover(&v))
        rt_panic_value(v);
    } else
      do_simply(word, n, c->callers, mine);
  }
}

static void say_done(void *unused)
{
  (void)unused;
  printf("done ");
}

static void begin(void *arg)
{
  RT_FRAME(fr, { return; });
  RT_DEFER(fr, say_done, NULL);
  run(arg);
  printf("back ");
}

static void nest(void *text)
{
  bool on_main = *(const char *)text == '!';
  int unused = 0;
  script = (const char *)text + on_main;
  struct call *c = call_of(0, &unused);
  if (on_main)
    begin(c);
  else
    rt_go(begin, c);
  while (rt_num_goroutine() >
         1) /* nothing that a G defers may wake us: it may yet die of its panic */
    rt_yield();
  printf("end\n");
}

int main(int argc, char **argv)
{
  const struct rt_options options = { .stack_size = (size_t)4 << 20 }; /* nestings are deep */
  return argc == 2 ? rt_run(nest, argv[1], &options) : 3;
}
