/* SPDX-License-Identifier: MIT */
/* sysmon.c - the M without a P that watches the others.
 *
 * Every 20 us while there is something to do, less and less often (up to 10 ms) while there is not, it
 * takes Ps from system calls that last, asks Gs that run for 10 ms to stop, and polls the network if nobody
 * did for 10 ms. When all Ps are idle it sleeps until somebody wakes it (deep sleep). It does not run
 * timers: they only bound its sleep.
 *
 * Where the kernel refuses a thread, Go's process ends. Ours goes on with fewer Ps, and sysmon asks again while work
 * waits (start_if_starved). Only if for STUCK_NS every thread is refused and nobody runs a G, so that nothing but
 * another process could help, it ends with Go's words.
 */
#include "netpoll.h"
#include "options.h"
#include "os.h"
#include "print.h"
#include "proc.h"
#include "schedlock.h"
#include "sim.h"
#include "tracedoor.h"

#define SHORTEST_US    20
#define LONGEST_US     10000
#define IDLE_ROUNDS    50
#define WATCH_US       1000 /* longest while a P hands over without waking anybody: wake.c, I6 */
#define TRIAL_NS       10000000 /* so often it is tried whether it should: wake.c, I7 */
#define SLICE_NS       MUTANT(101, 45000000, MUTANT(102, 4000000, 10000000)) /* forcePreemptNS */
#define ASK_AGAIN_NS   1000000 /* a signal may come when the G cannot be stopped */
#define LONG_CALL_NS   10000000
#define POLL_AFTER_NS  10000000
#define STUCK_NS       1000000000
#define STUCK_REFUSALS 20 /* at least: a round may come late */
#define DEEP_NS        60000000000
#define MARK_NS        60000000000 /* so often it is looked who waits: waiting.c */
#define TRACED_DEEP_NS 1000000000  /* the clock is told every second */

struct round {
  struct m *mp;
  int64_t now;
  uint32_t idle; /* rounds in which nothing was retaken */
  uint32_t delay_us;
  uint32_t told_us;   /* the delay that the trace knows of; 0: of a deep sleep, or of none yet */
  bool watching;      /* some P hands over alone */
  bool slice_is_over; /* of the P that is looked at */
  int64_t next_mark;
  struct { /* nobody ran since that time, and every thread was refused */
    int64_t since;
    uint32_t refusals;
    uint64_t ran; /* what_ran() then */
  } stuck;
};

/* Go's incidlelocked. sysmon is not counted as an M that runs; while it has a P or Gs in hand it must be, or
 * who parks meanwhile finds everybody asleep and reports a deadlock. Without sched.lock. */
static void count_as_running(bool runs)
{
  lock_sched();
  sched.nmidlelocked += runs ? -1 : 1;
  if (!runs)
    checkdead();
  unlock_sched();
}

static bool work_waits(const struct p *pp)
{
  return !runqempty(pp) || atomic_load(&sched.npidle) + atomic_load(&sched.nmspinning) == 0;
}

/* Under the G's scan bit: has this call lasted long enough to cost it its P? If so, sysmon counts as running. A G whose
 * time slice is used up, and that is in some call whenever it is looked at, cannot be asked to stop: it loses its P in this
 * one (Go's sysretake), or it would keep it for ever by many short ones. */
static bool call_is_long(struct p *pp, void *arg)
{
  struct round *r = arg;
  uint32_t tick = atomic_load(&pp->syscalltick);
  if (pp->sysmontick.syscalltick != tick) {
    pp->sysmontick.syscalltick = tick;
    pp->sysmontick.syscallwhen = r->now;
    if (!r->slice_is_over)
      return false; /* a call that we see for the first time */
  }
  bool is_long = r->now - pp->sysmontick.syscallwhen >= LONG_CALL_NS;
  if (!work_waits(pp) && !is_long)
    return false;
  tr_stamp(r->mp);
  tr_sysmon_retake(
      r->mp, pp->id,
      MUTANT(103, TRACE_RETAKE_SLICE, is_long ? TRACE_RETAKE_LONG : TRACE_RETAKE_SYSCALL));
  count_as_running(true);
  return true;
}

static void watch_slice(struct round *r, struct p *pp)
{
  uint32_t tick = atomic_load(&pp->schedtick);
  r->slice_is_over = false;
  if (pp->sysmontick.schedtick != tick) {
    pp->sysmontick.schedtick = tick;
    pp->sysmontick.schedwhen = r->now;
    return;
  }
  if (r->now - pp->sysmontick.schedwhen < SLICE_NS)
    return;
  r->slice_is_over = true;
  tr_stamp(r->mp);
  if (preemptone(r->mp, pp, TRACE_PREEMPTWHY_SLICE))
    tr_sysmon_retake(r->mp, pp->id, TRACE_RETAKE_SLICE);
  pp->sysmontick.schedwhen = r->now - SLICE_NS + ASK_AGAIN_NS;
}

/* A G that was handed over still lies there since the last round: somebody else must run it. */
static void watch_handover(struct round *r, struct p *pp)
{
  if (!may_have_handed_over_alone(pp))
    return;
  uint32_t puts = atomic_load_explicit(&pp->nextputs, memory_order_relaxed);
  bool stuck = puts == pp->sysmontick.nextputs &&
               atomic_load_explicit(&pp->runnext, memory_order_relaxed) != NULL;
  pp->sysmontick.nextputs = puts;
  r->watching = true;
  if (MUTANT(17, false, stuck)) {
    atomic_store_explicit(&pp->vain_wakes, 0, memory_order_relaxed);
    count_as_running(true);
    wakep(r->mp);
    count_as_running(false);
  } else if (r->now - pp->sysmontick.trialwhen >= TRIAL_NS) {
    pp->sysmontick.trialwhen = r->now;
    try_waking_again(pp);
  }
}

/* How many Ps were taken from system calls. */
static uint32_t retake(struct round *r)
{
  uint32_t n = 0;
  r->watching = false;
  for (int32_t i = 0; i < sched.gomaxprocs; i++) {
    struct p *pp = allp[i];
    if (!pp || atomic_load(&pp->status) != Prunning)
      continue;
    watch_slice(r, pp);
    watch_handover(r, pp);
    if (take_syscall_p(r->mp, pp, call_is_long, r)) {
      n++;
      handoffp(r->mp, pp);
      count_as_running(false);
    }
  }
  return n;
}

static void poll_if_nobody_does(struct round *r)
{
  int64_t last = atomic_load(&sched.lastpoll);
  if (!netpollinited() || !netpollAnyWaiters() || last == 0 || r->now - last < POLL_AFTER_NS ||
      !atomic_compare_exchange_strong(&sched.lastpoll, &last, r->now))
    return;
  count_as_running(true);
  struct glist list = netpoll(r->mp, 0);
  uint32_t n = 0;
  for (const struct g *gp = list.head; gp; gp = gp->schedlink)
    n++;
  tr_stamp(r->mp);
  tr_sysmon_netpoll(r->mp, n);
  injectglist(&list);
  count_as_running(false);
}

/* It changes when a G starts, or comes back from a system call. */
static uint64_t what_ran(void)
{
  uint64_t n = 0;
  for (int32_t i = 0; i < sched.gomaxprocs; i++)
    n += atomic_load(&allp[i]->schedtick) + atomic_load(&allp[i]->syscalltick);
  return n;
}

/* Go's newosproc, when it is refused. */
static _Noreturn void out_of_threads(void)
{
  lock_sched();
  int32_t n = mcount(), error = sched.refused_with;
  unlock_sched();
  printlock();
  print_str("runtime: failed to create new OS thread (have ");
  print_int(n);
  print_str(" already; errno=");
  print_int(error);
  print_str(")\nruntime: may need to increase max user processes (ulimit -u), or pids.max of the "
            "cgroup");
  if (os_address_space_is_limited())
    print_str(", or the address space (ulimit -v)");
  print_str("\n");
  printunlock();
  throw("newosproc");
}

/* A thread was refused again. */
static void watch_refusals(struct round *r)
{
  uint64_t ran = what_ran();
  bool all_idle = atomic_load(&sched.npidle) == sched.gomaxprocs;
  if (!all_idle || r->stuck.refusals == 0 || ran != r->stuck.ran) {
    r->stuck.refusals = all_idle;
    r->stuck.since = r->now;
    r->stuck.ran = ran;
    return;
  }
  if (++r->stuck.refusals >= STUCK_REFUSALS && r->now - r->stuck.since >= STUCK_NS)
    out_of_threads();
}

/* True: there is an M in netpoll, which takes an idle P when it is woken. */
static bool wake_who_polls(struct round *r)
{
  if (atomic_load(&sched.lastpoll) != 0)
    return false;
  netpollBreak(r->mp);
  return true;
}

/* There is work for one more: in a queue, that of a P whose G does not stop too, or a timer. */
static bool wants_an_m(const struct round *r)
{
  for (int32_t i = 0; i < sched.gomaxprocs; i++)
    if (!runqempty(allp[i]))
      return true;
  return atomic_load(&sched.runqsize) != 0 || time_sleep_until() <= r->now;
}

/* Work, or a timer, that found no thread waits for ever if every M is in a system call, or wired to a G that waits:
 * ask for a thread again. One that spins, since it wakes the next one if there is more. */
static void start_if_starved(struct round *r)
{
  if (!atomic_load(&sched.starved) || atomic_load(&sched.npidle) == 0 || !wants_an_m(r) ||
      wake_who_polls(r)) {
    r->stuck.refusals = 0;
    return;
  }
  count_as_running(true); /* before starved says that nobody needs to ask */
  atomic_store(&sched.starved, false);
  if (sched.gomaxprocs == 1)
    startm(r->mp, NULL, false);
  else
    wakep(r->mp);
  count_as_running(false);
  if (atomic_load(&sched.starved))
    watch_refusals(r);
  else
    r->stuck.refusals = 0;
}

/* A G waits for the network, and there is no thread to sleep in netpoll for it: sysmon polls. */
static bool polls_alone(void)
{
  return netpollinited() && netpollAnyWaiters() && atomic_load(&sched.lastpoll) != 0;
}

static bool all_quiet(void)
{
  if (options.schedtrace_ms > 0)
    return false; /* somebody wants a line each so many ms, quiet or not */
  if (atomic_load(&sched.starved) && (atomic_load(&sched.runqsize) > 0 || polls_alone()))
    return false;
  return atomic_load(&sched.gcwaiting) || atomic_load(&sched.npidle) == sched.gomaxprocs;
}

/* Sleeps until somebody takes an idle P or makes a system call, or the next timer. */
static void sleep_deeply(struct round *r)
{
  int64_t next = time_sleep_until();
  lock_sched();
  if (next <= r->now || !all_quiet() || atomic_load(&sched.ended)) {
    unlock_sched();
    return;
  }
  atomic_store(&sched.sysmonwait, 1);
  unlock_sched();
  int64_t longest = SIM_BUILT || r->mp->trace_mask ? TRACED_DEEP_NS : DEEP_NS;
  int64_t delay = next - r->now < longest ? next - r->now : longest;
  tr_stamp(r->mp);
  tr_sysmon_sleep(r->mp, (uint64_t)delay, true);
  r->told_us = 0;
  notetsleep_unless(&sched.sysmonnote, delay, tr_end_is_another_s);
  lock_sched();
  atomic_store(&sched.sysmonwait, 0);
  noteclear(&sched.sysmonnote);
  unlock_sched();
  r->idle = 0;
  r->delay_us = SHORTEST_US;
}

static void mark_if_due(struct round *r)
{
  if (r->now < r->next_mark)
    return;
  if (r->next_mark != 0)
    mark_waiters(r->now);
  r->next_mark = r->now + MARK_NS;
}

static void choose_delay(struct round *r)
{
  if (r->idle == 0)
    r->delay_us = SHORTEST_US;
  else if (r->idle > IDLE_ROUNDS)
    r->delay_us *= 2;
  uint32_t longest = r->watching ? WATCH_US : LONGEST_US;
  if (r->delay_us > longest)
    r->delay_us = longest;
  if (r->delay_us == r->told_us)
    return;
  r->told_us = r->delay_us;
  tr_stamp(r->mp);
  tr_sysmon_sleep(r->mp, (uint64_t)r->delay_us * 1000, false);
}

/* Between two rounds. False: the run is over. */
static bool doze(struct round *r)
{
  if (notetsleep(&sched.sysmonstop, (int64_t)r->delay_us * 1000))
    return false;
  r->now = os_now();
  return true;
}

void sysmon(struct m *mp)
{
  struct round r = { .mp = mp, .delay_us = SHORTEST_US };
  for (;;) {
    choose_delay(&r);
    if (!doze(&r)) {
      tr_end_for_another(mp);
      return;
    }
    if (all_quiet())
      sleep_deeply(&r);
    r.now = os_now();
    lock2(&sched.sysmonlock);
    poll_if_nobody_does(&r);
    r.idle = retake(&r) != 0 ? 0 : r.idle + 1;
    start_if_starved(&r);
    mark_if_due(&r);
    schedtrace(r.mp, r.now);
    unlock2(&sched.sysmonlock);
    tr_sync_clocks(mp, false);
    tr_end_for_another(mp);
  }
}
