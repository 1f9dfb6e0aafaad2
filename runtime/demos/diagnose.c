/* SPDX-License-Identifier: MIT */
/* diagnose - what schedtrace and goroutine dumps show of a scheduler, and what they hide.
 *
 * "sleeper" sleeps in its deferred call, "busy" computes; both are plain to see in every G list.
 *   summary    RT_DEBUG=schedtrace=5: a line each 5 ms at most; queue lengths and numbers of threads, and no G
 *   detail     with scheddetail=1: every P, M and G by itself; the sleeper is waiting (sleep)
 *   dumps      a goroutine dump at each level of rt_set_traceback; here, unlike Go's, with deferred calls
 *   sample     the article's way, on the article's program: schedtrace=1000, which it does not live to see
 *
 * What to look at: each SCHED line on stderr is a log on sysmon's lane at the instant it was made; the state panel
 * there has the same numbers.  A goroutine that sleeps in a deferred call is as visible as any.
 */
#include "demo.h"

static const char *const forms[] = { "summary", "detail", "dumps", "sample", NULL };
enum {
  SUMMARY,
  DETAIL,
  DUMPS,
  SAMPLE
};
static int form;
/* How long the sleeper sleeps: where somebody must find it asleep, long enough for a busy machine. */
static const int64_t sleep_ns[] = { 30 * MS, 90 * MS, 500 * MS, 100 * MS };
static bool falls_asleep;
static volatile bool slept; /* so that sleep_deferred is on the stack while it sleeps */
static struct rt_waitgroup all;

static void done(void *waitgroup)
{
  rt_waitgroup_done(waitgroup);
}

static void sleep_deferred(void *unused)
{
  (void)unused;
  falls_asleep = true;
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

static void busy(void *unused)
{
  (void)unused;
  demo_compute(30 * MS);
  rt_waitgroup_done(&all);
}

static void dump_at_each_level(void)
{
  static const char *const levels[] = { "single", "all", "system" };
  for (size_t i = 0; i < sizeof levels / sizeof levels[0]; i++) {
    printf("---- %s\n", levels[i]);
    fflush(stdout);
    rt_set_traceback(levels[i]);
    rt_stack_dump(1, true);
  }
}

static int start(int argc, char **argv)
{
  (void)argc, (void)argv;
  rt_name(&all, "all");
  rt_waitgroup_add(&all, 2);
  if (form != SAMPLE)
    rt_go_named("busy", busy, NULL);
  rt_go_named("sleeper", sleeper, NULL); /* newest first: runnext */
  do
    rt_sleep(10 * MS);
  while (form == DUMPS && !falls_asleep);
  if (form == DUMPS)
    dump_at_each_level();
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
                                       "schedtrace=1000" };
  form = demo_form(argc, argv, forms);
  ask_for(debug[form]);
  return rt_main(argc, argv, start);
}
