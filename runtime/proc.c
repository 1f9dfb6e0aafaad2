/* SPDX-License-Identifier: MIT */
/* proc.c - running Gs: how one stops, and how an M comes to the next.
 *
 * A G that stops picks its successor itself, on its own stack, and switches straight to it (leave_to_next).
 * Only when there is none at hand, or it needs care, does the M go to g0, whose loop (mloop) looks
 * everywhere (findrunnable.c) and may put the thread to sleep.
 *
 * I1  Once a G is published (a status that lets others act, a queue, an unlockf) nothing of it is touched
 *     but its stack and gp->sp; and on_cpu stays true until the M is off its stack.
 * I2  Who is about to run a G with on_cpu goes to g0 first, and waits there: g0 is nobody's stack, so
 *     two Ms that each want the G that the other one leaves cannot wait for each other.
 * I3  The first thing after every switch is arrive(): it lets go of whom this M left.
 *
 * Not done: Go's mcall for every park. Two switches instead of one, but above all a detour past the
 * successor's warm state; measured by the prototype at 6 against 12 ns a yield.
 */
#include "proc.h"
#include "netpoll.h"
#include "os.h"
#include "panic.h"
#include "schedlock.h"
#include "sim.h"
#include "switch.h"
#include "tracedoor.h"

struct schedt sched;
struct m *_Atomic allm;
struct p *allp[MAX_PROCS];
_Atomic uint64_t idle_p_mask[MAX_PROCS / 64];
_Atomic uint64_t timer_p_mask[MAX_PROCS / 64];

#define GLOBAL_CHECK 61 /* every so many schedules the global queue comes first */

__attribute__((used)) _Thread_local struct m *this_m; /* used: getm-amd64.h's asm names it */

__attribute__((noinline)) void setm(struct m *mp)
{
  this_m = mp;
  __asm__ volatile("" ::: "memory"); /* stored before the next getm */
}

uint32_t fastrand(uint64_t *state)
{
  uint64_t x = *state;
  x ^= x << 13;
  x ^= x >> 7;
  x ^= x << 17;
  *state = x;
  return (uint32_t)(x >> 32);
}

/* ---- states ---- */

/* This M begins to run gp, which is in its hand. */
static ALWAYS_INLINE void start_running(struct m *mp, struct g *gp, bool inherit)
{
  struct p *pp = atomic_load_explicit(&mp->p, memory_order_relaxed);
  if (MUTANT(8, gp->m && gp->m != mp, false))
    gp->_defer = NULL;
  gp->m = mp;
  atomic_store_explicit(&gp->on_cpu, true, memory_order_relaxed);
  atomic_store_explicit(&gp->preempt, false, memory_order_relaxed);
  casgstatus(gp, Grunnable, Grunning);
  gp->seq++;
  tr_go_start(mp, (uint32_t)gp->goid, gp->seq, inherit);
  set_curg(mp, gp);
  if (!inherit)
    atomic_store_explicit(&pp->schedtick,
                          atomic_load_explicit(&pp->schedtick, memory_order_relaxed) + 1,
                          memory_order_relaxed);
}

/* A G gets its stack when it first runs, unless it took over a dead one's. */
static RARELY _Noreturn void no_stack(void)
{
  fatal("out of memory: no stack for a goroutine; give more address space (ulimit -v)");
}

static void get_stack(struct m *mp, struct g *gp)
{
  if (!gp->stack.lo && unlikely(!stackalloc(mp->p, &gp->stack)))
    no_stack();
  stack_fresh(&gp->stack);
}

static ALWAYS_INLINE void need_stack(struct m *mp, struct g *gp)
{
  if (!gp->sp)
    get_stack(mp, gp);
}

/* ---- switching ---- */

/* Frees a G that ended, now that nobody stands on its stack. */
static void reap(struct m *mp, struct g *gp)
{
  if (gp->stack.lo) {
    stack_dead(&gp->stack);
    stackfree(mp->p, &gp->stack);
    gp->stack = (struct stack){ 0 };
  }
  gp->sp = NULL;
  atomic_store_explicit(&gp->on_cpu, false, memory_order_relaxed);
  gfput(mp, gp);
}

static inline void arrive(struct m *mp)
{
  struct g *prev = mp->prevg;
  if (prev) {
    mp->prevg = NULL;
    atomic_store_explicit(&prev->on_cpu, false,
                          memory_order_release); /* pairs with can_run, execute */
  }
  if (unlikely(mp->deadg != NULL)) {
    struct g *dead = mp->deadg;
    mp->deadg = NULL;
    reap(mp, dead);
  }
}

/* Nobody stands on its stack any more, and any M may run it: so it can be switched to from a G's stack. */
static inline bool can_run(const struct g *gp)
{
  return !atomic_load_explicit(&gp->on_cpu, memory_order_acquire) && !gp->lockedm;
}

static ALWAYS_INLINE bool timers_due(struct p *pp)
{
  int64_t when = timers_wake_time(&pp->timers);
  return unlikely(when != 0) && when <= os_now();
}

static __attribute__((noinline)) struct g *pick_global(struct m *mp, struct p *pp)
{
  lock_sched_often(mp);
  tr_stamp_behind_lock(mp);
  struct g *gp = globrunqgetbatch(mp, pp);
  unlock_sched_often(mp);
  return gp;
}

/* The next G of this P, if the choice is simple; NULL: g0 must look. */
static ALWAYS_INLINE struct g *pick(struct m *mp, struct p *pp, bool *inherit)
{
  if (unlikely(atomic_load_explicit(&sched.gcwaiting, memory_order_relaxed)) || mp->lockedg)
    return NULL;
  uint32_t tick = atomic_load_explicit(&pp->schedtick, memory_order_relaxed);
  bool global = atomic_load_explicit(&sched.runqsize, memory_order_relaxed) != 0;
  if (timers_due(pp) || (global && tick % GLOBAL_CHECK == 0))
    return NULL;
  struct g *gp = runqget(mp, pp, inherit);
  return gp || !global ? gp : pick_global(mp, pp);
}

/* Leaves the G from, which is published and not curg any more, for next, or for g0 if that is NULL or must be
 * waited for. Returns when from runs again. */
static ALWAYS_INLINE void leave(struct m *mp, struct g *from, struct g *next, bool inherit)
{
  if (next == from) {
    start_running(mp, next, inherit);
    return;
  }
  mp->prevg = from;
  if (likely(next && can_run(next)) && !exceptions_any(mp->exceptions)) {
    need_stack(mp, next);
    start_running(mp, next, inherit);
    mp = switch_to_g(mp, from, next);
    arrive(mp);
  } else {
    struct exceptions mine = exceptions_take(mp->exceptions);
    mp->nextg = next;
    mp->next_inherit = inherit;
    mp = switch_to_g0(mp, from, false);
    arrive(mp);
    exceptions_put(mp->exceptions, mine);
  }
}

static ALWAYS_INLINE void leave_to_next(struct m *mp, struct g *from)
{
  bool inherit = false;
  struct g *next = pick(mp, mp->p, &inherit);
  leave(mp, from, next, inherit);
}

/* Does fn(mp, gp) on g0, when gp, the running G, is off its stack. Returns when gp runs again. */
void mcall(struct m *mp, struct g *gp, void (*fn)(struct m *, struct g *))
{
  struct exceptions mine = exceptions_take(mp->exceptions);
  mp->g0_call = fn;
  mp->g0_arg = gp;
  mp->prevg = gp;
  mp = switch_to_g0(mp, gp, false);
  arrive(mp);
  exceptions_put(mp->exceptions, mine);
}

/* ---- the loop on g0 ---- */

/* Runs gp until some G of this M comes to g0. */
void execute(struct m *mp, struct g *gp, bool inherit)
{
  while (unlikely(atomic_load_explicit(&gp->on_cpu, memory_order_acquire))) /* pairs with arrive */
    os_pause();
  need_stack(mp, gp);
  start_running(mp, gp, inherit);
  switch_from_g0(mp, gp);
  arrive(mp);
}

/* A G to run: in hand, wired to this M, or found. NULL: the thread leaves. */
static struct g *schedule(struct m *mp, bool *inherit)
{
  for (;;) {
    struct g *gp = mp->nextg;
    *inherit = mp->next_inherit;
    mp->nextg = NULL;
    if (!gp && mp->lockedg) {
      stoplockedm(mp);
      *inherit = false;
      return mp->leaving ? NULL : mp->lockedg;
    }
    tr_stamp(mp);
    if (!gp)
      gp = findrunnable(mp, inherit);
    if (!gp)
      return NULL;
    if (mp->spinning)
      resetspinning(mp);
    if (!gp->lockedm || gp->lockedm == mp)
      return gp;
    startlockedm(mp, gp);
    if (mp->leaving)
      return NULL;
  }
}

void mloop(struct m *mp)
{
  while (!mp->leaving) {
    bool inherit = false;
    struct g *gp = schedule(mp, &inherit);
    if (!gp)
      return;
    execute(mp, gp, inherit);
    while (mp->g0_call) {
      void (*call)(struct m *, struct g *) = mp->g0_call;
      mp->g0_call = NULL;
      call(mp, mp->g0_arg);
    }
  }
}

/* ---- park and ready ---- */

void gopark(bool (*unlockf)(struct g *, void *), void *lock, waitreason reason, uint64_t obj)
{
  struct m *mp = getm();
  if (unlikely(!mp))
    not_on_a_g(NULL);
  struct g *gp = mp->curg;
  if (mp->locks || atomic_load_explicit(&gp->status, memory_order_relaxed) != Grunning)
    misplaced(gp, "gopark: the M must not give up its G now");
  gp->waitreason = reason;
  gp->wait_obj = obj;
  tr_stamp_go_block(mp, reason, 0, obj);
  set_curg(mp, NULL);
  casgstatus(gp, Grunning, Gwaiting);
  if (unlockf && !unlockf(gp, lock)) {
    casgstatus(gp, Gwaiting, Grunnable);
    gp->seq++;
    tr_go_unblock(mp, (uint32_t)gp->goid, gp->seq, obj);
    start_running(mp, gp, true);
    return;
  }
  leave_to_next(mp, gp);
}

static bool parkunlock(struct g *gp, void *lock)
{
  (void)gp;
  unlock_with_p(lock);
  return true;
}

void goparkunlock(struct mutex *l, waitreason reason, uint64_t obj)
{
  gopark(parkunlock, l, reason, obj);
}

/* Waiting to runnable, in hand. stamp: now is its time. */
static ALWAYS_INLINE void make_runnable(struct m *mp, struct g *gp, uint64_t obj, bool stamp)
{
  gp->seq++;
  if (stamp)
    tr_stamp_go_unblock(mp, (uint32_t)gp->goid, gp->seq, obj);
  else
    tr_go_unblock(mp, (uint32_t)gp->goid, gp->seq, obj);
  casgstatus(gp, Gwaiting, Grunnable);
}

void goready(struct g *gp, uint64_t obj)
{
  struct m *mp = getm();
  if (unlikely(!mp))
    not_on_a_g(NULL);
  bool alone = one_p(); /* then only this M can have made it wait */
  if (!alone)
    tr_stamp_after(mp);
  make_runnable(mp, gp, obj, alone);
  struct p *pp = mp->p;
  bool handover = !alone && runqempty(pp);
  runqput(mp, pp, gp, true);
  if (handover)
    wakep_for_handover(mp, pp);
  else
    wakep(mp);
}

void goroutine_ready(void *gp, uintptr_t seq, int64_t delay)
{
  struct g *sleeper = gp;
  (void)seq, (void)delay;
  goready(sleeper, sleeper->wait_obj);
}

/* One G to the global queue for each idle P, which gets an M; the rest to this P's ring, or to the global
 * queue if there is no P. */
void injectglist(struct glist *list)
{
  struct m *mp = getm();
  struct p *pp = mp->p;
  int32_t to_start = 0;
  if (glist_empty(list))
    return;
  tr_stamp_after(mp);
  struct gqueue ready = { 0 };
  for (struct g *gp; (gp = glist_pop(list));) {
    make_runnable(mp, gp, gp->wait_obj, false);
    gqueue_push(&ready, gp);
  }
  lock_sched();
  tr_stamp_after(mp);
  int32_t idle = atomic_load(&sched.npidle);
  while (ready.size > 0 && (!pp || to_start < idle)) {
    globrunqput(mp, gqueue_pop(&ready));
    to_start++;
  }
  unlock_sched();
  for (struct g *gp; (gp = gqueue_pop(&ready));)
    runqput(mp, pp, gp, false);
  for (; to_start > 0 && atomic_load(&sched.npidle) > 0; to_start--)
    startm(mp, NULL, false);
  if (MUTANT(39, false, pp != NULL))
    wakep(mp);
}

/* ---- yield and preemption ---- */

/* Under sched.lock, so that who prints everybody's state there prints what the trace says. */
static ALWAYS_INLINE void tell_stop(struct m *mp, uint32_t why)
{
  if (likely(atomic_load_explicit(&mp->in_sched, memory_order_relaxed))) {
    tr_stamp_go_stop(mp, why, 0); /* no other M was there since this one was */
  } else {
    tr_stamp_after(mp);
    tr_go_stop(mp, why, 0);
  }
}

/* Running to runnable, at the tail of the global queue; the successor comes from the same visit to
 * sched.lock if this P's own queue has none. */
static ALWAYS_INLINE void gosched_why(struct m *mp, struct g *gp, uint32_t why)
{
  struct p *pp = mp->p;
  struct g *next = NULL;
  bool inherit = false;
  lock_sched_often(mp);
  tell_stop(mp, why);
  set_curg(mp, NULL);
  casgstatus(gp, Grunning, Grunnable);
  globrunqput(mp, gp);
  bool simple = !mp->lockedg && !atomic_load_explicit(&sched.gcwaiting, memory_order_relaxed) &&
                timers_wake_time(&pp->timers) == 0;
  if (simple && runqempty(pp))
    next = globrunqgetbatch(mp, pp);
  unlock_sched_often(mp);
  if (next != gp)
    wakep(mp);
  if (!next)
    next = pick(mp, pp, &inherit);
  leave(mp, gp, next, inherit);
}

/* Go's Gosched: to the tail of the global queue. All in one, since a yield of 12 ns feels a call. */
void rt_yield(void)
{
  struct m *mp = getm();
  struct g *gp = mp ? mp->curg : NULL;
  if (unlikely(!gp))
    not_on_a_g("rt_yield");
  if (unlikely(atomic_load_explicit(&gp->status, memory_order_relaxed) != Grunning))
    misplaced(gp, "gosched: bad g status");
  gosched_why(mp, gp, TRACE_STOP_GOSCHED);
}

void goyield(void)
{
  struct m *mp = getm();
  struct g *gp = mp->curg;
  tr_stamp_go_stop(mp, TRACE_STOP_PREEMPTED, 0);
  set_curg(mp, NULL);
  casgstatus(gp, Grunning, Grunnable);
  runqput(mp, mp->p, gp, false);
  leave_to_next(mp, gp);
}

/* The world stops: keep the place in the queue (Go 1.26). */
static void gopreempt_for_stw(struct m *mp, struct g *gp)
{
  tr_go_stop(mp, TRACE_STOP_PREEMPTED, 0);
  set_curg(mp, NULL);
  casgstatus(gp, Grunning, Grunnable);
  runqput(mp, mp->p, gp, true);
  leave(mp, gp, NULL, false);
}

void gopreempt(bool by_signal)
{
  struct m *mp = getm();
  struct g *gp = mp->curg;
  if (!gp || mp->locks || (!by_signal && readgstatus(gp) != Grunning))
    return;
  atomic_store_explicit(&gp->preempt, false, memory_order_relaxed);
  tr_stamp(mp);
  tr_preempt_taken(mp, by_signal);
  if (atomic_load(&sched.gcwaiting))
    gopreempt_for_stw(mp, gp);
  else
    gosched_why(mp, gp, TRACE_STOP_PREEMPTED);
}

bool preemptone(struct m *mp, struct p *pp, uint32_t why)
{
  struct m *target = atomic_load(&pp->m);
  if (!target || target == mp)
    return false;
  struct g *gp = atomic_load(&target->curg);
  if (!gp || (readgstatus(gp) & ~(uint32_t)Gscan) == Gsyscall)
    return false;
  bool first = !atomic_load(&gp->preempt);
  if (first) {
    tr_stamp_after(mp); /* behind the start of what curg says */
    tr_preempt_request(mp, (uint32_t)gp->goid, target->id, why);
    atomic_store(&gp->preempt, true);
  }
  preemptM(mp, target);
  return first;
}

void preemptall(struct m *mp, uint32_t why)
{
  for (int32_t i = 0; i < sched.gomaxprocs; i++)
    if (atomic_load(&allp[i]->status) == Prunning)
      preemptone(mp, allp[i], why);
}

/* ---- the first and the last of a G ---- */

/* What a G leaves behind. Not here: param, waiting and select_done, which whoever waited has put back, and
 * the timer, which rt_sleep renews. */
static void forget(struct g *gp)
{
  gp->fn = NULL;
  gp->arg = NULL;
  gp->_defer = NULL;
  gp->name = NULL;
  gp->regions = 0;
  gp->m = NULL;
}

void drop_g(struct g *gp)
{
  drop_deferred(gp); /* while its frames are there */
  stack_leave(gp);
  forget(gp);
  gp->_panic = NULL;
  gp->panicking = false; /* its run is over, and with that the count */
  gp->lockedm = NULL;
  gp->waiting = NULL;
  gp->param = NULL;
  atomic_store(&gp->select_done, 0);
  gp->timer = (struct timer){ 0 };
  atomic_store(&gp->on_cpu, false);
  atomic_store(&gp->left_behind, false);
  atomic_store(&gp->status, Gdead);
  gfree_push(gp);
}

/* A G that ends wired to its thread takes the thread with it, since nobody knows what it did to it. locked_ext stays, so that
 * who gets its P is not made from it. */
static void end_locked(struct m *mp, struct g *gp)
{
  gp->lockedm = NULL;
  mp->lockedg = NULL;
  tr_stamp_m_unlock(mp, (uint32_t)gp->goid);
  mp->leaving = true;
}

static ALWAYS_INLINE _Noreturn void end_g(void)
{
  struct g *gp = getg();
  struct m *mp = getm();
  bool inherit = false;
  drop_fp(mp);
  if (unlikely(gp->stack.canary))
    stack_check_canary(&gp->stack);
  if (gp->lockedm)
    end_locked(mp, gp);
  tr_stamp_go_destroy(mp);
  set_curg(mp, NULL);
  casgstatus(gp, Grunning, Gdead);
  count_g(mp->p, -1);
  forget(gp);
  struct g *next = mp->leaving ? NULL : pick(mp, mp->p, &inherit);
  mp->deadg = gp;
  if (!next || !can_run(next)) {
    mp->nextg = next;
    mp->next_inherit = inherit;
    switch_to_g0(mp, gp, true);
    __builtin_unreachable();
  }
  bool fresh = STACKS_RESTART && !next->sp && !next->stack.lo;
  if (fresh) { /* it takes over this stack, which is warm: no switch at all */
    next->stack = gp->stack;
    gp->stack.lo = NULL;
  }
  need_stack(mp, next);
  start_running(mp, next, inherit);
  if (fresh)
    restart_stack(mp, &next->stack);
  switch_and_forget(mp, gp, next);
}

/* Gone to by ctx_start, on a fresh stack. hot: gcc takes what never returns to be rare, and makes it small. */
_Noreturn __attribute__((used, hot)) void gstart(struct m *mp)
{
  arrived(NULL);
  arrive(mp);
  struct g *gp = mp->curg;
  gp->fn(gp->arg);
  exceptions_end(getm()->exceptions);
  end_g(); /* inline: a call would stay on the CPU's return stack */
}

_Noreturn void goexit1(void)
{
  exceptions_end(getm()->exceptions);
  end_g();
}
