/* SPDX-License-Identifier: MIT */
/* time.c - sleep, timers that call, and timers that send on a channel, over timer.c.
 *
 * A sleeping G needs no memory and no system call: its timer is in the G, for nothing but this: it fires before the
 * G goes on, so the G that runs, or the next one in its memory, finds it in no heap. It is armed after the G is
 * waiting (reset_for_sleep); armed before, it could make the G ready before it parked.
 * A channel timer sends without blocking: a value nobody took is not followed by another. After a stop or
 * reset the value of before is dropped, so that no stale one is received (Go 1.23). It says when it was due, however
 * late the timer ran: if nobody waited, it ran when somebody looked (timer.c, I5).
 */
#include "chan.h"
#include "fault.h"
#include "os.h"
#include "proc.h"
#include "sim.h"
#include "user.h"

#include <stdlib.h>

struct rt_timer {
  struct timer timer; /* first: freed as a timer (timer_give_up) */
  void (*fn)(void *);
  void *arg;
};

struct chan_timer {
  struct timer timer; /* first, likewise */
  struct rt_chan *chan;
};

struct rt_ticker {
  struct chan_timer *ct;
  uint32_t id;                   /* of its timer, for the trace */
  struct rt_ticker *prev, *next; /* in sched.tickers */
};

int64_t rt_now(void)
{
  return os_now();
}

static bool reset_for_sleep(struct g *gp, void *unused)
{
  (void)unused;
  timer_reset(&gp->timer, gp->sleep_when, 0);
  return true;
}

void rt_sleep(int64_t ns)
{
  struct g *gp = need_g("rt_sleep");
  if (fault_is_on(FAULT_SLEEP_BLOCKS_M)) { /* it is no place to stop at, either */
    fault_sleep(ns);
    return;
  }
  checkpreempt(gp);
  if (ns <= 0)
    return;
  timer_init(&gp->timer, TRACE_TIMERKIND_SLEEP, goroutine_ready, gp);
  if (gp->timer.owner != (uint32_t)gp->goid) /* another G slept with it, if any: */
    timer_name(&gp->timer);                  /* this is another timer, which the park tells */
  gp->sleep_when = timer_when(MUTANT(121, ns / 2, ns));
  gopark(reset_for_sleep, NULL, TRACE_WAIT_SLEEP, gp->timer.id);
  __asm__ volatile(""); /* no tail call: a dump shows who sleeps in rt_sleep */
}

/* ---- calls ---- */

static void start_go(void *arg, uintptr_t seq, int64_t delay)
{
  struct rt_timer *t = arg;
  (void)seq, (void)delay;
  if (newproc(NULL, t->fn, t->arg, (const char *)(uintptr_t)rt_after_func + 1) != 0)
    fatal("out of memory: no goroutine for a timer");
}

struct rt_timer *rt_after_func(int64_t ns, void (*fn)(void *), void *arg)
{
  checkpreempt(need_g("rt_after_func"));
  /* Not calloc: glibc's goes past the thread's cache, which costs as much as the heap. */
  struct rt_timer *t = timer_has_room() ? malloc(sizeof *t) : NULL;
  if (!t)
    return NULL;
  *t = (struct rt_timer){ .timer = { .freeable = true }, .fn = fn, .arg = arg };
  timer_init(&t->timer, TRACE_TIMERKIND_AFTER_FUNC, start_go, t);
  timer_start(&t->timer, timer_when(ns));
  return t;
}

bool rt_timer_stop(struct rt_timer *timer)
{
  checkpreempt(need_g("rt_timer_stop"));
  return timer_stop(&timer->timer);
}

bool rt_timer_reset(struct rt_timer *timer, int64_t ns)
{
  checkpreempt(need_g("rt_timer_reset"));
  return timer_reset(&timer->timer, timer_when(ns), 0);
}

void rt_timer_free(struct rt_timer *timer)
{
  if (!timer)
    return;
  checkpreempt(need_g("rt_timer_free"));
  timer_give_up(&timer->timer);
}

/* ---- channels ---- */

static void send_time(void *arg, uintptr_t seq, int64_t delay)
{
  struct chan_timer *ct = arg;
  int64_t now = os_now() - delay;
  (void)seq;
  chan_offer(ct->chan, &now);
}

static struct chan_timer *new_chan_timer(uint32_t kind)
{
  struct chan_timer *ct = timer_has_room() ? calloc(1, sizeof *ct) : NULL;
  if (!ct)
    return NULL;
  ct->chan = rt_chan_new(sizeof(int64_t), 1);
  if (!ct->chan) {
    free(ct);
    return NULL;
  }
  ct->chan->of_timer = true;
  ct->chan->timer = &ct->timer;
  ct->timer.is_chan = ct->timer.freeable = true;
  timer_init(&ct->timer, kind, send_time, ct);
  return ct;
}

bool timer_chan_drain(struct timer *t)
{
  return chan_drain(((struct chan_timer *)t)->chan);
}

struct rt_chan *rt_after(int64_t ns)
{
  checkpreempt(need_g("rt_after"));
  struct chan_timer *ct = new_chan_timer(TRACE_TIMERKIND_CHANNEL);
  if (!ct)
    return NULL;
  timer_start(&ct->timer, timer_when(ns));
  return ct->chan;
}

static void list_ticker(struct rt_ticker *ticker)
{
  lock_with_p(&sched.tickerlock);
  ticker->next = sched.tickers;
  if (ticker->next)
    ticker->next->prev = ticker;
  sched.tickers = ticker;
  unlock_with_p(&sched.tickerlock);
}

static void unlist_ticker(struct rt_ticker *ticker)
{
  lock_with_p(&sched.tickerlock);
  if (ticker->prev)
    ticker->prev->next = ticker->next;
  else
    sched.tickers = ticker->next;
  if (ticker->next)
    ticker->next->prev = ticker->prev;
  unlock_with_p(&sched.tickerlock);
}

struct rt_ticker *rt_ticker_new(int64_t ns)
{
  checkpreempt(need_g("rt_ticker_new"));
  if (ns <= 0)
    rt_panic("non-positive interval for NewTicker");
  struct rt_ticker *ticker = calloc(1, sizeof *ticker);
  if (!ticker)
    return NULL;
  ticker->ct = new_chan_timer(TRACE_TIMERKIND_TICKER);
  if (!ticker->ct) {
    free(ticker);
    return NULL;
  }
  timer_reset(&ticker->ct->timer, timer_when(ns), ns);
  ticker->id = ticker->ct->timer.id;
  list_ticker(ticker);
  return ticker;
}

struct rt_chan *rt_ticker_chan(struct rt_ticker *ticker)
{
  return ticker->ct->chan;
}

void rt_ticker_stop(struct rt_ticker *ticker)
{
  checkpreempt(need_g("rt_ticker_stop"));
  timer_stop(&ticker->ct->timer);
}

void rt_ticker_reset(struct rt_ticker *ticker, int64_t ns)
{
  checkpreempt(need_g("rt_ticker_reset"));
  if (ns <= 0)
    rt_panic("non-positive interval for Ticker.Reset");
  timer_reset(&ticker->ct->timer, timer_when(ns), ns);
}

void rt_ticker_free(struct rt_ticker *ticker)
{
  if (!ticker)
    return;
  checkpreempt(need_g("rt_ticker_free"));
  check_free(ticker->ct->chan); /* who panics has done nothing */
  timer_stop(&ticker->ct->timer);
  rt_chan_free(ticker->ct->chan);
  unlist_ticker(ticker);
  free(ticker);
}

/* ---- for the trace ---- */

static bool is_called(const struct timer *t, const void *object)
{
  return t == object;
}

static uint32_t ticker_id(const void *object)
{
  lock_with_p(&sched.tickerlock);
  const struct rt_ticker *ticker = sched.tickers;
  while (ticker && ticker != object)
    ticker = ticker->next;
  uint32_t id = ticker ? ticker->id : 0;
  unlock_with_p(&sched.tickerlock);
  return id;
}

uint32_t timer_id_of(const void *object)
{
  uint32_t id = ticker_id(object);
  return id ? id : timers_find(is_called, object);
}
