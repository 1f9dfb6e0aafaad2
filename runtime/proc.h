/* SPDX-License-Identifier: MIT */
/* proc.h - the calls between the files of the scheduler. What they work on is in runtime.h. */
#pragma once
#include "runtime.h"

/* ---- What blocks and wakes Gs (proc.c, syscall.c) ---- */

/* Parks the running G: waiting, then unlockf(gp, lock), if given, on the G's own stack. From then
 * on anybody may make it ready. If unlockf says false the G goes on at once. obj: what it waits
 * for, for the trace (address of a channel, mutex ...; a timer's id; 0). Not on g0. */
void gopark(bool (*unlockf)(struct g *, void *), void *lock, waitreason reason, uint64_t obj);
/* gopark that releases a runtime lock. */
void goparkunlock(struct mutex *l, waitreason reason, uint64_t obj);
/* Makes a waiting G runnable: into this P's runnext, and wakes a P if one is idle. Needs a P; on a
 * G or on g0. */
void goready(struct g *gp, uint64_t obj);
/* Makes many runnable, as netpoll does; with or without a P. Empties the list. */
void injectglist(struct glist *list);
/* To the tail of this P's queue (for hand-offs; traced as a yield). */
void goyield(void);
/* Stops the running G, which was asked to; by_signal: or else at a call. Not while it must keep its M, nor in a system
 * call: it is asked again after that. */
void gopreempt(bool by_signal);
/* Does it if so. A load and a branch. */
static inline void checkpreempt(struct g *gp)
{
  if (unlikely(atomic_load_explicit(&gp->preempt, memory_order_relaxed)))
    gopreempt(false);
}
/* At every door of rt.h that is not for use from anywhere: there a G that was asked to stop does so. At the beginning,
 * or at the end where something is given back that others wait for; nothing of the runtime's is held. Also on g0, where
 * it does nothing. Where a G is needed: checkpreempt(need_g(door)). */
static inline void preemption_point_of(const char *door)
{
  struct g *gp = need_m(door);
  if (gp)
    checkpreempt(gp);
}
static inline void preemption_point(void)
{
  struct g *gp = getg();
  if (gp)
    checkpreempt(gp);
}
/* Starts fn(arg) in a new G: 0, or -ENOMEM. name: borrowed, or NULL. pc: in who asks for it. Needs a P. */
int newproc(const char *name, void (*fn)(void *), void *arg, const void *pc);
/* Ends the running G; its deferred calls have run. */
_Noreturn void goexit1(void);
/* Ends one that the end of a run drops, or that comes back from the kernel after that. Nobody stands on its stack.
 * sched.lock held. */
void drop_g(struct g *gp);

/* There is memory for one timer more on this P: the next timer that the G arms may count on it, if it does not stop
 * before. Needs a P. */
static ALWAYS_INLINE bool timer_has_room(void)
{
  const struct timers *ts = &((struct p *)getm()->p)->timers;
  return likely(atomic_load_explicit(&ts->len, memory_order_relaxed) <
                ts->room) || /* others only take from it */
         timer_make_room();
}

/* Around a call that may block the thread (syscall.c). pc, fp: where, and its frame, which lives until exitsyscall. */
void reentersyscall(const void *pc, const void *fp);
static ALWAYS_INLINE void entersyscall(void)
{
  reentersyscall(__builtin_return_address(0), *(const void *const *)__builtin_frame_address(0));
}
void exitsyscall(void);
/* Around an event of a G that may be in a system call: its M's P stays what it is meanwhile. True: it is in one. By the G
 * itself. */
bool hold_syscall_p(struct g *gp);
void let_syscall_p_go(struct g *gp);
/* Closes what os_put_off_linger gave, if anything. */
void close_slowly(int fd);

/* ---- Inside the scheduler, file by file ---- */

/* runq.c */
void runqput(struct m *mp, struct p *pp, struct g *gp, bool next);
struct g *runqget(struct m *mp, struct p *pp, bool *inherit);
bool runqempty(const struct p *pp);
uint32_t runqlen(const struct p *pp);
struct g *runqsteal(struct m *mp, struct p *pp, struct p *victim, bool steal_runnext);
void globrunqput(struct m *mp, struct g *gp); /* sched.lock held */
struct g *globrunqget(struct m *mp);          /* sched.lock held; one */
struct g *globrunqgetbatch(struct m *mp,
                           struct p *pp);   /* sched.lock held; many, the first returned */
void runqdrain(struct m *mp, struct p *pp); /* sched.lock held; to the global queue */

/* findrunnable.c: a G to run, or NULL when the run is over. On g0, with a P; may park the M. */
struct g *findrunnable(struct m *mp, bool *inherit);
bool pollwork(void);

/* m.c */
/* A fresh M, not in allm. sched.lock held. NULL: out of memory. */
struct m *allocm(void);
/* Starts its thread: 0 or -errno; then the caller takes back the P that it was given, and after that leaves it to
 * mput_threadless. */
int newm(struct m *creator, struct m *mp);
void minit(struct m *mp, uint32_t id); /* on the M's own thread */
void unminit(struct m *mp);            /* the thread goes back to what it was */
void let_go_of_p(struct m *mp);
void mexit(struct m *mp);  /* the same */
void mwedge(struct m *mp); /* M0, which left its loop, until the run is over */
void mpark(struct m *mp);  /* sleeps on its note */
void mleave(struct m *mp); /* the run is over */
void *mstart(void *mp);    /* what an M's thread runs */

/* wake.c */
void mput(struct m *mp); /* sched.lock held */
struct m *mget(void);    /* sched.lock held */
/* An M that newm could not start waits for another try: a new M each time would let the list of them grow without end.
 * sched.lock held. NULL: there is none. */
void mput_threadless(struct m *mp);
struct m *mget_threadless(void);
void stopm(struct m *mp);
void startm(struct m *mp, struct p *pp, bool spinning);
void handoffp(struct m *mp, struct p *pp);
bool wakep_of_many(struct m *mp);
static ALWAYS_INLINE bool wakep(struct m *mp) /* true: it woke one */
{
  return one_p() ? false : wakep_of_many(mp);
}
void wakep_for_handover(struct m *mp, struct p *pp);
void wakep_before_block(struct m *mp, struct p *pp);
bool may_have_handed_over_alone(const struct p *pp);
void try_waking_again(struct p *pp); /* by sysmon */
void resetspinning(struct m *mp);
void stoplockedm(struct m *mp);
void startlockedm(struct m *mp, struct g *gp);
void gcstopm(struct m *mp);
void checkdead(void);     /* sched.lock held */
int32_t mcount(void);     /* sched.lock held */
void mloop(struct m *mp); /* the scheduler's loop on g0; returns when the run is over */

/* p.c */
void acquirep(struct m *mp, struct p *pp);
struct p *releasep(struct m *mp);
void pidleput(struct m *mp, struct p *pp); /* sched.lock held */
struct p *pidleget(struct m *mp);          /* sched.lock held */
struct p *pidlegetSpinning(struct m *mp);  /* sched.lock held */
/* World stopped, sched.lock held. Ps with work, linked, not this M's, in *runnable. 0 or -ENOMEM. */
int procresize(struct m *mp, int32_t n, struct p **runnable);
void gcstopp(struct m *mp, struct p *pp); /* sched.lock held; a P in hand stops */

/* rt0.c: between the beginning and the end of rt_run. */
bool run_is_on(void);

/* syscall.c: takes pp from the M whose G is in a system call; false: it is not in one. The P is Pidle, in hand. */
bool take_syscall_p(struct m *mp, struct p *pp, bool (*wanted)(struct p *, void *), void *arg);
void wake_sysmon(void); /* sched.lock held */

/* proc.c, for g0 */
void execute(struct m *mp, struct g *gp, bool inherit);
void mcall(struct m *mp, struct g *gp, void (*fn)(struct m *, struct g *));
void goroutine_ready(void *gp, uintptr_t seq, int64_t delay); /* a timer_func */
void preemptall(struct m *mp, uint32_t why);
bool preemptone(struct m *mp, struct p *pp, uint32_t why);

/* schedtrace.c: what RT_DEBUG=schedtrace asks for, if it is due */
void schedtrace(struct m *mp, int64_t now);
void schedtrace_last(void); /* in a process that dies */

/* sysmon.c */
void sysmon(struct m *mp);

/* waiting.c: for how long Gs wait */
void mark_waiters(int64_t now);
uint32_t waited_minutes(const struct g *gp, int64_t now); /* 0: or nobody has looked yet */

/* stw.c */
/* why: TRACE_STWWHY_...; reason: what the program says, or NULL. On a G, which must not park until startTheWorld. */
void stopTheWorld(uint32_t why, const char *reason);
void startTheWorld(void);
/* The running G has stopped the world, and has not started it yet. */
bool world_is_mine(void);

/* stack.c */
bool stackalloc(struct p *pp, struct stack *s); /* false: out of memory, which promises keep away */
void stackfree(struct p *pp, struct stack *s);
/* There will be a stack for each of so many Gs. False: no address space. sched.lock held. */
bool stack_promise(uint32_t n_gs);
/* This run's stacks: of size bytes, 0 for the default, rounded up to a power of two. Before its first G. */
void stack_init(size_t size);
/* At the end of a run, and later for who was in the kernel then: takes a G's stack, of whatever size, if it has one; and
 * all that a P kept. */
void stack_leave(struct g *gp);
void stack_empty_cache(struct p *pp);
/* Whether gp, which runs here, came out of its stack, by what a fault tells: the address, and the stack pointer then. The
 * former is in its guard; or the latter is below its stack, where other stacks are, or nothing. Signal-safe. */
bool stack_is_overflowed(const struct g *gp, const void *address, const void *sp);
/* The same of any G: it came out of the stack that it stands on into that one's guard. Signal-safe. */
bool stack_is_left(const struct g *gp, const void *address, const void *sp);
/* For tests: from now on a new stack is guarded as if the kernel had nothing better. */
enum stack_guard {
  GUARD_LIGHT,
  GUARD_MPROTECT,
  GUARD_CANARY,
};
void stack_guard_by(enum stack_guard kind);
/* At the end of a G whose stack has one: if it was written over, the end of the process, in words. On the G. */
void stack_check_canary(const struct stack *s);

/* One G more, or less, at pp. By its owner. */
static inline void count_g(struct p *pp, int32_t change)
{
  atomic_store_explicit(&pp->ngs, atomic_load_explicit(&pp->ngs, memory_order_relaxed) + change,
                        memory_order_relaxed);
}
/* g.c */
struct g *gfget(struct m *mp);
void gfput(struct m *mp, struct g *gp);
void gfree_push(struct g *gp); /* to the central list; sched.lock held */
/* Dead ones too, since no G is ever freed; but not those that an earlier run left behind in the kernel. */
void forEachG(void (*visit)(struct g *, void *), void *arg);
/* Those as well. */
void forEachGOfAnyRun(void (*visit)(struct g *, void *), void *arg);
