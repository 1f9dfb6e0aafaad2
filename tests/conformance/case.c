/* SPDX-License-Identifier: MIT */
/* case.c - the words of case.h. */
#include "case.h"

struct rt_chan *ints(size_t capacity)
{
  struct rt_chan *c = rt_chan_new(sizeof(int), capacity);
  if (!c)
    abort();
  return c;
}

void put(struct rt_chan *c, int value)
{
  rt_chan_send(c, &value);
}

int take(struct rt_chan *c)
{
  int value;
  rt_chan_recv(c, &value);
  return value;
}

void say_take(struct rt_chan *c)
{
  int value = -1;
  bool open = rt_chan_recv(c, &value);
  say("%d %s ", value, open ? "true" : "false");
}

void go(void (*fn)(void *), void *arg)
{
  if (rt_go(fn, arg) != 0)
    abort();
}

void settle(void)
{
  for (int i = 0; i < 20; i++)
    rt_yield();
}

void recover_say(void *unused)
{
  struct rt_value v;
  (void)unused;
  if (rt_recover(&v))
    say("recovered: %s ", v.s);
  else
    say("nothing ");
}

void say_word(void *text)
{
  say("%s ", (const char *)text);
}

static void recover_if_any(void *ok)
{
  struct rt_value v;
  if (rt_recover(&v)) {
    *(bool *)ok = false;
    say("recovered: %s ", v.s);
  }
}

void catch_panic(void (*fn)(void *), void *arg)
{
  bool ok = true;
  RT_FRAME(fr, { return; });
  RT_DEFER(fr, recover_if_any, &ok);
  fn(arg);
  if (ok)
    say("ok ");
}
