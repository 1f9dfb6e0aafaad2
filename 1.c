#include <gmpscope/rt.h>
#include <stdio.h>

static void say(void *text)
{
  printf("deferred: %s\n", (const char *)text);
}

static void on_panic(void *result)
{
  struct rt_value why;
  if (rt_recover(&why))
    *(volatile int *)result = -1;
}

static int divide(int a, int b)
{
  volatile int result = 0;
  RT_FRAME(fr, { return result; });
  RT_DEFER(fr, say, "runs last");
  RT_DEFER(fr, on_panic, (void *)&result);
  RT_DEFER(fr, say, "runs first");
  if (b == 0)
    rt_panic("integer divide by zero");
  result = a / b;
  return result;
}

static int body(int argc, char **argv)
{
  (void)argc, (void)argv;
  printf("7 / 2 = %d\n", divide(7, 2));
  printf("7 / 0 = %d\n", divide(7, 0));
  return 0;
}

int main(int argc, char **argv)
{
  return rt_main(argc, argv, body);
}
