/* SPDX-License-Identifier: MIT */
/* diagnose - what schedtrace and goroutine dumps show of a scheduler, and what they hide.
 *
 * "sleeper" sleeps in its deferred call, "waiter" receives from a channel, "busy" computes: all plain to see in every
 * G list.
 *   summary    RT_DEBUG=schedtrace=5: a line each 5 ms at most; queue lengths and numbers of threads, and no G
 *   detail     with scheddetail=1: every P, M and G by itself; the sleeper is waiting (sleep)
 *   dumps      rt_stack_dump of one instant, at each level of rt_set_traceback: it shows every G at each of them, the
 *              same; here, unlike Go's, with deferred calls
 *   sample     the article's way, on the article's program: schedtrace=1000, which it does not live to see
 *   dies-none, dies-single, dies-all, dies-system
 *              main panics and nobody recovers, at each level: this is what a level decides
 *
 * What to look at: each SCHED line on stderr is a log on sysmon's lane at the instant it was made; the state panel
 * there has the same numbers.  A goroutine that sleeps in a deferred call is as visible as any.
 * Of a program that dies: lay what it printed beside the state at the end of its trace, which is the same at each level.
 * "none" shows the panic alone, "single" the G that panicked, "all" the others with what they wait for, "system" the
 * runtime's frames, and which G is where in memory and on which M. The trace has all Gs, and the deferred calls of the
 * others, which a panic of main does not run.
 */
#include "demo.h"

#include <stdatomic.h>

#define HOUR (3600000 * MS)

static const char *const forms[] = { "summary",  "detail",      "dumps",
                                     "sample",   "dies-none",   "dies-single",
                                     "dies-all", "dies-system", NULL };
enum {
  SUMMARY,
  DETAIL,
  DUMPS,
  SAMPLE,
  DIES /* and its levels */
};
static int form;
/* How long the sleeper sleeps: where somebody must find it asleep, long enough for a busy machine. */
static const int64_t sleep_ns[] = { 30 * MS, 90 * MS, 500 * MS, 100 * MS, HOUR };
static const char *level;    /* at which it dies */
static atomic_int n_parking; /* sleeper and waiter, once they are about to */
static volatile bool slept;  /* so that sleep_deferred is on the stack while it sleeps */
static struct rt_waitgroup all;
static struct rt_chan *news;

static void done(void *waitgroup)
{
  rt_waitgroup_done(waitgroup);
}

static void sleep_deferred(void *unused)
{
  (void)unused;
  atomic_fetch_add(&n_parking, 1);
  rt_sleep(sleep_ns[form]);
  slept = true;
}

static void sleeper(void *unused)
{
  (void)unused;
  RT_FRAME(fr, { return; });
  RT_DEFER(fr, done, &all);
  RT_DEFER(fr, sleep_deferred, NULL);
  if (form == SAMPLE)
    rt_sleep(150 * MS);
}

static void waiter(void *unused)
{
  (void)unused;
  RT_FRAME(fr, { return; });
  RT_DEFER(fr, done, &all);
  atomic_fetch_add(&n_parking, 1);
  rt_chan_recv(news, NULL);
}

static void busy(void *unused)
{
  (void)unused;
  demo_compute(30 * MS);
  rt_waitgroup_done(&all);
}

/* In one stopped world, so that all are of one instant; volatile, for a compiler that would make three calls of one, each
 * at a place of its own, which the dump tells. */
static void dump_at_each_level(void)
{
  static const char *const levels[] = { "single", "all", "system" };
  rt_stop_the_world("a dump at each level");
  for (volatile size_t i = 0; i < sizeof levels / sizeof levels[0]; i++) {
    printf("---- %s\n", levels[i]);
    fflush(stdout);
    rt_set_traceback(levels[i]);
    rt_stack_dump(1, true);
  }
  rt_start_the_world();
}

static void wait_until_both_park(void)
{
  do
    rt_sleep(10 * MS);
  while ((form == DUMPS || form == DIES) && atomic_load(&n_parking) < 2);
}

static int start(int argc, char **argv)
{
  (void)argc, (void)argv;
  news = rt_chan_new(0, 0);
  rt_name(news, "news");
  rt_name(&all, "all");
  rt_waitgroup_add(&all, 3);
  if (form != SAMPLE && form != DIES)
    rt_go_named("busy", busy, NULL);
  if (form != SAMPLE)
    rt_go_named("waiter", waiter, NULL);
  rt_go_named("sleeper", sleeper, NULL); /* newest first: runnext */
  wait_until_both_park();
  if (form == DIES) {
    rt_set_traceback(level);
    rt_panic("nobody recovers this");
  }
  if (form == DUMPS)
    dump_at_each_level();
  rt_chan_close(news);
  if (form != SAMPLE)
    rt_waitgroup_wait(&all);
  puts("main exit");
  return 0;
}

/* The environment is read when the scheduler starts: what it says already comes last, and so counts. */
static void ask_for(const char *debug)
{
  char text[512];
  const char *own = getenv("RT_DEBUG");
  snprintf(text, sizeof text, "%s%s%s", debug, own ? "," : "", own ? own : "");
  setenv("RT_DEBUG", text, 1);
}

int main(int argc, char **argv)
{
  static const char *const debug[] = { "schedtrace=5", "schedtrace=5,scheddetail=1", "",
                                       "schedtrace=1000", "" };
  form = demo_form(argc, argv, forms);
  if (form >= DIES) {
    level = strchr(forms[form], '-') + 1;
    form = DIES;
    setenv("RT_TRACEBACK", "none",
           1); /* from where rt_set_traceback raises it: it lowers nothing */
  }
  ask_for(debug[form]);
  return rt_main(argc, argv, start);
}
