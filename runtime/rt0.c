/* SPDX-License-Identifier: MIT */
/* rt0.c - the life of a run: starting the scheduler on the caller's thread, and getting it back.
 *
 * The thread that calls rt_run becomes M0. Its main G may end on any M; then the world is stopped, every M
 * leaves its loop, and M0 comes back out of mloop and returns. Ms that are inside a system call are left
 * behind: they find out when they come back (syscall.c), and end.
 *
 * What outlives a run: Gs, free stacks, Ms whose threads have ended, Ps with their dead Gs and records of deferred calls. A G
 * that is in the kernel then is left behind: it is of no run, until it comes back and dies. What a run begins with is set in
 * schedinit.
 */
#include "exceptions.h"
#include "fault.h"
#include "netpoll.h"
#include "options.h"
#include "os.h"
#include "proc.h"
#include "schedlock.h"
#include "sim.h"
#include "switch.h"
#include "tracedoor.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LAST_YIELDS   1000
#define LAST_PAUSES   20
#define LAST_PAUSE_US 1000
#define LOOK_AGAIN_NS 1000000

static struct {
  _Atomic bool running;
  void (*fn)(void *);
  void *arg;
} run;

bool run_is_on(void)
{
  return atomic_load(&run.running);
}

/* ---- the beginning ---- */

static int32_t pick_maxprocs(const struct rt_options *asked)
{
  if (asked && asked->maxprocs > 0)
    return asked->maxprocs;
  int32_t n = options.maxprocs ? options.maxprocs : os_ncpu();
  return n > MAX_PROCS ? MAX_PROCS : n;
}

static void reset_ps(void)
{
  for (int32_t i = 0; i < MAX_PROCS && allp[i]; i++) {
    struct p *pp = allp[i];
    atomic_store(&pp->status, Pdead);
    atomic_store(&pp->m, NULL);
    atomic_store(&pp->schedtick, 0);
    atomic_store(&pp->syscalltick, 0);
    atomic_store(&pp->ngs, 0);
    atomic_store(&pp->vain_wakes, 0);
    pp->goidcache = pp->goidcacheend = 0;
    pp->seq = 0;
    pp->link = NULL;
    memset(&pp->sysmontick, 0xff, sizeof pp->sysmontick);
  }
  memset(idle_p_mask, 0, sizeof idle_p_mask);
  memset(timer_p_mask, 0, sizeof timer_p_mask);
}

static void schedinit(void)
{
  lock_sched(); /* against stragglers of the last run */
  reset_ps();
  atomic_fetch_add(&sched.run, 1);
  atomic_store(&sched.ended, false);
  sched.fp = fp_begun();
  sched.midle = sched.mthreadless = sched.mended = NULL;
  atomic_store(&sched.starved, false);
  sched.nmidle = sched.nmidlelocked = sched.nmsys = sched.nmfreed = 0;
  sched.has_template = false;
  sched.mnext = 0;
  sched.last_visitor = NULL;
  sched.pidle = NULL;
  atomic_store(&sched.npidle, 0);
  atomic_store(&sched.nmspinning, 0);
  atomic_store(&sched.needspinning, 0);
  sched.runq = (struct gqueue){ 0 };
  atomic_store(&sched.runqsize, 0);
  atomic_store(&sched.npanicking, 0);
  atomic_store(&sched.goidgen, 0);
  atomic_store(&sched.lastpoll, os_now());
  atomic_store(&sched.poll_until, 0);
  atomic_store(&sched.polling_net, 0);
  atomic_store(&sched.gcwaiting, 0);
  atomic_store(&sched.sysmonwait, 0);
  noteclear(&sched.stopnote);
  noteclear(&sched.sysmonnote);
  noteclear(&sched.sysmonstop);
  sched.gomaxprocs = 0;
  sched.worldwaiters = (struct gqueue){ 0 };
  sched.world_taken = false;
  atomic_store(&allm, NULL);
  unlock_sched();
}

static struct m *start_m0(int32_t n)
{
  struct p *none;
  lock_sched();
  struct m *mp = allocm();
  unlock_sched();
  if (!mp)
    return NULL;
  mp->is_main = true;
  minit(mp, UINT32_MAX);
  tr_begin(mp, (uint32_t)n);
  fault_begin(mp);
  preempt_begin(mp);
  lock_sched();
  int error = procresize(mp, n, &none);
  unlock_sched();
  if (error)
    return NULL;
  /* Go's runtime ran Gs of its own before main; at tick 0 main's first yield would find itself first. */
  atomic_store(&allp[0]->schedtick, 1);
  return mp;
}

static int start_sysmon(struct m *creator)
{
  lock_sched();
  struct m *mp = allocm();
  if (mp) {
    mp->is_sysmon = true;
    sched.nmsys++;
  }
  unlock_sched();
  if (!mp)
    return -ENOMEM;
  tr_stamp(creator);
  tr_m_wake(creator, mp->id, TRACE_NO_P, false);
  int error = newm(creator, mp);
  if (error) {
    lock_sched();
    mput_threadless(mp);
    unlock_sched();
  }
  return error;
}

/* ---- the end ---- */

/* sched.lock held: everybody who sleeps finds out. */
static void wake_everybody(struct m *mp)
{
  for (struct m *idle; (idle = mget());)
    notewakeup(&idle->park);
  for (struct m *each = atomic_load(&allm); each; each = each->alllink)
    if (each->parked_locked) {
      each->parked_locked = false;
      sched.nmidlelocked--;
      notewakeup(&each->park);
    }
  notewakeup(&sched.sysmonstop);
  wake_sysmon();
  if (netpollinited())
    netpollBreak(mp);
}

/* The main G is done: on its own stack, for the last time. */
static _Noreturn void end_run(void)
{
  stopTheWorld(TRACE_STWWHY_EXIT, NULL);
  struct m *mp = getm();
  lock_sched();
  atomic_store(&sched.ended, true);
  wake_everybody(mp);
  unlock_sched();
  releasem(mp);
  mp->leaving = true;
  goexit1();
}

/* Go's runtime.main: a G may panic just now whose deferred call has woken us, as wg.Done() does. It shall be heard. Go yields
 * a thousand times; a thread that was kept from its CPU needs more. */
static void let_panics_be_told(void)
{
  if (world_is_mine()) /* nobody else runs */
    return;
  for (int i = 1; i <= LAST_YIELDS && atomic_load(&sched.npanicking) > 0; i++) {
    rt_yield();
    if (i % (LAST_YIELDS / LAST_PAUSES) == 0)
      os_usleep(LAST_PAUSE_US);
  }
  if (somebody_dies())
    gopark(NULL, NULL, TRACE_WAIT_PANIC, 0);
}

static void main_start(void *unused)
{
  (void)unused;
  run.fn(run.arg);
  exceptions_end(getm()->exceptions);
  let_panics_be_told();
  end_run();
}

/* True: it will not touch the scheduler any more, or only after it asked. */
static bool is_gone(struct m *mp)
{
  struct g *gp = atomic_load(&mp->curg);
  return mp->is_main || atomic_load(&mp->exited) ||
         (gp && (readgstatus(gp) & ~(uint32_t)Gscan) == Gsyscall);
}

static bool all_gone(void)
{
  bool gone = true;
  lock_sched();
  for (struct m *mp = atomic_load(&allm); mp; mp = mp->alllink)
    gone = gone && is_gone(mp);
  unlock_sched();
  return gone;
}

static void wait_for_the_others(void)
{
  for (;;) {
    uint32_t seen = atomic_load(&sched.exits);
    if (all_gone())
      return;
    os_futex_wait(&sched.exits, seen, LOOK_AGAIN_NS);
  }
}

/* Takes an M that ended back for a later run. sched.lock held. */
static void recycle_ms(void)
{
  struct m *next;
  for (struct m *mp = atomic_load(&allm); mp; mp = next) {
    next = mp->alllink;
    mp->left_behind = !atomic_load(&mp->exited) && !mp->is_main;
    if (mp->left_behind)
      continue; /* a straggler keeps its own until it ends (mexit) */
    mp->idlelink = sched.mfree;
    sched.mfree = mp;
  }
  sched.mended = NULL;
  atomic_store(&allm, NULL);
}

static void drop(struct g *gp, void *unused)
{
  uint32_t status = readgstatus(gp);
  (void)unused;
  if (status == Gwaiting || status == Grunnable)
    drop_g(gp);
  else if (status != Gdead)
    atomic_store(&gp->left_behind, true); /* until it drops itself (syscall.c) */
}

static void drop_timers(struct timers *ts)
{
  for (uint32_t i = 0; i < ts->n; i++) {
    struct timer *t = ts->heap[i].timer;
    t->state = 0;
    if (!t->is_chan) /* else who looks into the channel in a later run finds it due (timer.c, I5) */
      t->when = 0;
    t->ts = NULL;
    atomic_store(&t->astate, 0);
    if (t->given_up || t->of_frame)
      free(t);
  }
  free(ts->heap);
  *ts = (struct timers){ .p = ts->p };
}

static void drop_queue(struct p *pp)
{
  uint32_t tail = atomic_load(&pp->runqtail);
  atomic_store(&pp->runnext, NULL);
  atomic_store(&pp->runqhead, tail);
  pp->runqhead_seen = tail;
  pp->runnext_seen = false;
}

static void clean_up(void)
{
  lock_sched();
  for (int32_t i = 0; i < MAX_PROCS && allp[i]; i++) {
    drop_timers(&allp[i]->timers);
    drop_queue(allp[i]);
    stack_empty_cache(allp[i]);
  }
  forEachG(drop, NULL);
  recycle_ms();
  unlock_sched();
}

static void leave(struct m *m0)
{
  let_go_of_p(m0);
  wait_for_the_others();
  os_template_stop();
  tr_end(0);
  unminit(m0);
  preempt_end();
  clean_up();
  netpollclose();
  os_signals_restore();
}

/* The run could not begin; nobody but sysmon, if at all, was started. */
static int give_up(int error)
{
  struct m *m0 = getm();
  atomic_store(&sched.ended, true);
  notewakeup(&sched.sysmonstop);
  wait_for_the_others();
  tr_end(1);
  if (m0)
    unminit(m0);
  preempt_end();
  clean_up();
  netpollclose();
  os_signals_restore();
  return error;
}

/* ---- the door ---- */

static int start(int32_t n, size_t stack_size)
{
  os_init();
  schedinit();
  tr_init();
  stack_init(stack_size);
  int error = netpollinit();
  if (error)
    return error; /* the next run is the first that is traced */
  os_signals_install(on_fault, on_quit);
  struct m *m0 = start_m0(n);
  error = m0 ? start_sysmon(m0) : -ENOMEM;
  if (!error)
    error = newproc("main", main_start, NULL, NULL);
  if (error)
    return give_up(error);
  mloop(m0);
  mwedge(m0);
  leave(m0);
  return 0;
}

static bool is_possible(const struct rt_options *asked)
{
  return !asked || (asked->maxprocs >= 0 && asked->maxprocs <= MAX_PROCS &&
                    asked->stack_size <= (size_t)1 << 30);
}

int rt_run(void (*fn)(void *), void *arg, const struct rt_options *asked)
{
  char why[256];
  check_forked();
  if (!fn || !is_possible(asked))
    return -EINVAL;
  if (getm() || atomic_exchange(&run.running, true))
    return -EBUSY;
  int error = -EINVAL;
  if (options_read(why, sizeof why)) {
    fork_watch();
    run.fn = fn;
    run.arg = arg;
    error = sim_begin(asked && asked->sim_seed ? asked->sim_seed : options.sim_seed);
    if (!error)
      error = start(pick_maxprocs(asked), asked ? asked->stack_size : 0);
    sim_end();
  } else {
    fprintf(stderr, "runtime: %s\n", why);
  }
  atomic_store(&run.running, false);
  return error;
}

struct main_call {
  int argc;
  char **argv;
  int (*fn)(int argc, char **argv);
  int result;
};

/* On g0, whose stack is large enough for what programs do at exit. */
static void exit_on_g0(struct m *mp, struct g *gp)
{
  (void)gp;
  const struct main_call *call = run.arg;
  set_curg(mp, NULL);
  rt_exit(call->result);
}

static void call_main(void *arg)
{
  struct main_call *call = arg;
  call->result = call->fn(call->argc, call->argv);
  struct g *gp = need_g("the end of rt_main");
  let_panics_be_told();
  mcall(getm(), gp, exit_on_g0);
}

int rt_main(int argc, char **argv, int (*fn)(int argc, char **argv))
{
  struct main_call call = { .argc = argc, .argv = argv, .fn = fn };
  int error = rt_run(call_main, &call, NULL);
  if (error != -EINVAL)
    fprintf(stderr, "runtime: cannot start: %s\n", strerror(-error));
  return 1;
}
