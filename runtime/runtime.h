/* SPDX-License-Identifier: MIT */
/* runtime.h - G, M, P, the scheduler's state, and the calls between the files of the runtime.
 *
 * What runtime2.go is to Go.  The three actors:
 *   G  a goroutine: a stack, a function, a status.      struct g
 *   M  a machine: one thread of the kernel.             struct m
 *   P  a processor: the right to run Gs, with a queue,  struct p
 *      a timer heap and caches; there are GOMAXPROCS of them.
 * An M needs a P to run a G.
 *
 * I1  A G is owned by exactly one: see enum gstatus.  casgstatus() and its kin are the only ways
 * on. I2  A P's fields are used only by the M that holds it, except the atomics, which say their
 * partner. I3  sched.lock guards the idle lists, the global queue, and who holds a P that nobody
 * runs. Order: hchan lock < timers lock < timer lock; sched.lock is never held while one of these
 * is taken, nor the other way round.
 *
 * Here a G switches straight to the next G, on whose stack the M then runs; Go goes by way of g0.
 * The price is a hazard: a G that was published (put on a queue, or made ready by somebody) could
 * be run by another M before its registers are saved.  So g.on_cpu is true until the M is off its
 * stack, and who runs a G waits for that, on g0, where the wait cannot become a circle (proc.c).
 *
 * The scheduler's own context, g0, is the stack of the M's thread: curg == NULL means "on g0".
 */
#pragma once
#define RT_NO_PREEMPTIBLE /* nothing of the runtime's own may be */
#include "getm-amd64.h"
#include "preempt.h"
#include "rt.h"
#include "trace-event.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define likely(x)   __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)
/* For what is on the way of every switch: gcc would rather call it, and save six registers for that. */
#define ALWAYS_INLINE inline __attribute__((always_inline))
#define nelem(a)      (sizeof(a) / sizeof((a)[0]))
#define CACHE_LINE    64

struct g;
struct m;
struct p;
struct trace_writer;

/* ---- Locks and notes (lock.c)
 * -------------------------------------------------------------------- */

/* A runtime lock: short critical sections, never held across a park. Zero is unlocked. */
struct mutex {
  _Atomic uint32_t key; /* 0 unlocked, 1 locked, 2 locked and somebody sleeps */
};
void lock2_slow(struct mutex *l);
void unlock2_slow(struct mutex *l);
static inline void lock2(struct mutex *l)
{
  uint32_t unlocked = 0;
  if (unlikely(!atomic_compare_exchange_strong_explicit(&l->key, &unlocked, 1, memory_order_acquire,
                                                        memory_order_relaxed)))
    lock2_slow(l);
}
static inline bool trylock2(struct mutex *l)
{
  uint32_t unlocked = 0;
  return atomic_compare_exchange_strong_explicit(&l->key, &unlocked, 1, memory_order_acquire,
                                                 memory_order_relaxed);
}
static inline void unlock2(struct mutex *l)
{
  if (unlikely(atomic_exchange_explicit(&l->key, 0, memory_order_release) == 2))
    unlock2_slow(l);
}

/* A one-shot event: cleared, slept on by one thread, woken once by another. */
struct note {
  _Atomic uint32_t key; /* 0 cleared, 1 woken */
};
void noteclear(struct note *n);
void notewakeup(struct note *n);
void notesleep(struct note *n);
/* Sleeps at most ns; true if it was woken. */
bool notetsleep(struct note *n, int64_t ns);

/* ---- States
 * ---------------------------------------------------------------------------------------- */

enum gstatus {    /* who owns a G */
  Gidle = 0,      /* its creator */
  Grunnable = 1,  /* the run queue it is on, or the M that has it in hand; nobody executes it */
  Grunning = 2,   /* the M that executes it, which holds a P and the stack; on no queue */
  Gsyscall = 3,   /* the M inside the system call holds the stack; sysmon may take the P */
  Gwaiting = 4,   /* the wait queue it is on, under that queue's lock; waitreason says why */
  Gdead = 6,      /* the free list, or the M making or unmaking it */
  Gscan = 0x1000, /* a lock bit over Gsyscall: who set it may take the P; exitsyscall waits */
};

enum pstatus {  /* who owns a P */
  Pidle = 0,    /* the idle list, or in transit from there; its queue is empty on the list */
  Prunning = 1, /* an M, which runs a G or schedules; also while that G is in a system call */
  Pgcstop = 3,  /* whoever stopped the world; it keeps its queue */
  Pdead = 4,    /* procresize, for a later growth */
};

/* Why a G waits, and why it stopped: the words of words.def (TRACE_WAIT_..., TRACE_STOP_...). */
typedef uint32_t waitreason;
/* The text that Go's dump shows in brackets. */
const char *waitreason_text(waitreason reason);

/* ---- Lists of Gs, linked by g.schedlink
 * ---------------------------------------------------------------- */

struct glist { /* a stack */
  struct g *head;
};
struct gqueue { /* first in, first out */
  struct g *head, *tail;
  uint32_t size;
};
bool glist_empty(const struct glist *l);
void glist_push(struct glist *l, struct g *gp);
struct g *glist_pop(struct glist *l);
void gqueue_push(struct gqueue *q, struct g *gp);
void gqueue_push_front(struct gqueue *q, struct g *gp);
struct g *gqueue_pop(struct gqueue *q);

/* ---- Timers (timer.c)
 * ------------------------------------------------------------------------------------ */

/* Runs on the M that holds the P, on no lock, and must not block. delay: how late, ns. */
typedef void timer_func(void *arg, uintptr_t seq, int64_t delay);

enum {
  timer_heaped = 1,
  timer_modified = 2,
  timer_zombie = 4
};

struct timer {            /* zero, then timer_init; embedded in its owner */
  struct mutex lock;      /* guards all below */
  _Atomic uint8_t astate; /* copy of state at the last unlock */
  uint8_t state;          /* timer_heaped | timer_modified | timer_zombie */
  bool is_chan;           /* f sends on a channel: send_lock and seq keep stale values out */
  bool freeable;          /* in memory of its own: timer_give_up may be called */
  uint32_t
      running;   /* Ms in f, for a freeable one: a short period may be due again before f is done */
  bool given_up; /* freed as soon as it is out of its heap and f is done */
  uint32_t id;   /* for the trace; given when first armed */
  uint32_t kind; /* TRACE_TIMERKIND_... */
  uint32_t owner; /* goid of who made it */
  int64_t when;   /* ns of os_now(); 0 when not armed */
  int64_t period; /* ns; 0: once */
  timer_func *f;
  void *arg;
  uintptr_t seq;          /* handed to f; counted up by stop and reset of a channel timer */
  struct timers *ts;      /* whose heap it is in, or NULL */
  struct mutex send_lock; /* held while f runs, for channel timers */
  _Atomic int is_sending;
};

struct timer_when { /* an entry of a heap, its key beside it */
  struct timer *timer;
  int64_t when;
};

struct timers {      /* one a P */
  struct mutex lock; /* guards heap, n, room, changes */
  uint32_t n, room;
  struct timer_when *heap; /* 4-ary, least first */
  uint32_t changes;        /* since the last timer_check event */
  uint32_t p;              /* id of the P */
  _Atomic uint32_t len;    /* n at the last unlock */
  _Atomic int32_t zombies;
  _Atomic int64_t min_when_heap;     /* heap[0].when at the last unlock, 0 if empty */
  _Atomic int64_t min_when_modified; /* no modified timer is earlier; 0: none is modified */
};

/* Makes a timer that is not armed. kind: TRACE_TIMERKIND_... Callable from anywhere. */
void timer_init(struct timer *t, uint32_t kind, timer_func *f, void *arg);
/* Arms it for when (os_now() ns, > 0), then every period ns if > 0. True if it was armed before.
 * Needs a P. */
bool timer_modify(struct timer *t, int64_t when, int64_t period, timer_func *f, void *arg,
                  uintptr_t seq);
/* There is memory for one timer more on this P, which the next timer_modify may count on. */
bool timer_has_room(void);
/* Arms a new one, which nobody else knows, for when, once. Needs a P. */
void timer_start(struct timer *t, int64_t when);
/* timer_modify with f, arg and seq as they are. */
bool timer_reset(struct timer *t, int64_t when, int64_t period);
/* Disarms it. True if it was armed. It may stay in a heap as a zombie: see timer_give_up. Needs an
 * M. */
bool timer_stop(struct timer *t);
/* Stops it and frees it with free() now, or as soon as it is out of its heap. */
void timer_give_up(struct timer *t);
/* now + ns without overflow; at least 1. */
int64_t timer_when(int64_t ns);

/* ---- Wait queues
 * -------------------------------------------------------------------------------------------- */

struct sudog { /* a G on a wait list; from acquireSudog, or in the G's own frame */
  struct g *g;
  struct sudog *next, *prev;
  void *elem;      /* where the value comes from or goes to */
  uint64_t ticket; /* for whom uses it (semaphores: handed over) */
  int64_t acquiretime;
  struct sudog *waitlink; /* g.waiting, or the same address's list */
  struct sudog *waittail;
  struct rt_chan *c;
  uint32_t case_index; /* of a select */
  bool is_select;      /* g.select_done must be won before waking */
  bool success;        /* woken by a value, not by close */
};
struct waitq {
  struct sudog *first, *last;
};

/* ---- G
 * ------------------------------------------------------------------------------------------------------
 */

struct stack {
  char *lo, *hi; /* lo is above the guard */
  void *fiber;   /* thread sanitizer's, which lives as long as the stack */
  bool canary;   /* its guard is a word at lo, which only stack.c writes */
};

/* A G that only starts, runs and ends touches the first two cache lines and, when it is made, a word of the third: a
 * million Gs that wait to run are a million misses a line. */
struct g {
  _Alignas(CACHE_LINE) void *sp; /* saved by ctx_switch; NULL: has not run, has no stack */
  _Atomic uint32_t status;       /* enum gstatus */
  _Atomic bool on_cpu;           /* an M is still on its stack */
  _Atomic bool preempt;          /* asked to stop; checked at safe points */
  bool in_scan;
  bool goexiting;
  struct g *schedlink;
  struct m *m; /* that runs it, or in whose system call it is */
  uint64_t goid;
  void (*fn)(void *);
  void *arg;
  uint32_t seq;            /* for the trace: counts start, unblock, syscall_end_blocked */
  uint32_t waitreason : 8; /* TRACE_WAIT_... */
  uint32_t regions : 24;   /* open user regions */
  _Alignas(CACHE_LINE) struct stack stack;
  struct m *lockedm; /* LockOSThread */
  struct g *ahead;   /* a hint: a G AHEAD places behind it in the list, or once was; or NULL */
  const char *name;  /* borrowed from the caller of rt_go_named, or NULL */
  struct rt_defer *_defer; /* newest first */
  _Alignas(CACHE_LINE) uint64_t parent_goid;
  uint64_t put_ts; /* for the trace: when it was put into runnext */
  /* For the owners of wait queues (chan, select, sync). */
  void *param;                  /* handed over by who made it ready: usually the sudog */
  struct sudog *waiting;        /* sudogs it waits on, in lock order */
  _Atomic uint32_t select_done; /* 0, or 1: some case of its select has won */
  uint64_t wait_obj;            /* what it waits for (trace's OBJ), valid while Gwaiting */
  struct rt_panic *_panic;      /* newest first */
  /* Less used. */
  struct timer timer; /* for sleep */
  int64_t sleep_when;
  uint64_t syscall_pc;
  void *fake_stack; /* address sanitizer's */
};

/* A list of Gs is as long as it likes, and each G is a cache miss that a walk along it would wait for. g.ahead runs
 * ahead of the walk. Any G will do, since they are never freed. */
#define AHEAD 8 /* Gs */
static inline void fetch_ahead(const struct g *gp)
{
  __builtin_prefetch(gp, 1);
  __builtin_prefetch((const char *)gp + CACHE_LINE, 1);
}

/* ---- P
 * ----------------------------------------------------------------------------------------------------
 */

#define RUNQ_SIZE  256u
#define DEFER_POOL 32u /* records of deferred calls that a P keeps */

struct p {
  /* The ring: the owner adds at the tail, anyone takes from the head by CAS. */
  _Alignas(CACHE_LINE) _Atomic uint32_t runqhead;
  _Alignas(CACHE_LINE) _Atomic uint32_t runqtail; /* release by the owner, acquire by thieves */
  struct g *_Atomic runnext; /* put by the owner, taken by the owner or, late, by a thief */
  uint32_t runqhead_seen;    /* head as the owner last left it: it differs if somebody stole */
  bool runnext_seen;         /* the owner put one into runnext and did not take it */
  bool preempt;
  struct m *_Atomic m; /* that holds it; also while its G is in a system call */
  uint32_t id;
  _Atomic uint32_t status;      /* enum pstatus */
  _Atomic uint32_t schedtick;   /* counts execute()s; written by the owner */
  _Atomic uint32_t syscalltick; /* counts system calls ended or taken */
  _Atomic uint32_t nextputs;    /* counts puts into runnext; written by the owner */
  _Atomic uint32_t vain_wakes;  /* wake.c: Ms woken for a hand-over since one was worth it */
  uint32_t seq;                 /* for the trace: counts start, stop, steal */
  struct p *link;               /* idle list */
  struct m *oldm;               /* ran it before the world stopped */
  uint64_t goidcache, goidcacheend;
  _Atomic int32_t
      ngs; /* Gs made here less Gs ended here; the sum over all Ps is how many there are */
  struct glist gfree;
  uint32_t n_gfree;
  void *stack_cache; /* stacks without a G, last used first */
  uint32_t n_stacks;
  uint64_t rand;
  /* For rtlib: pools that only the owner touches. */
  struct rt_defer
      *deferpool[DEFER_POOL + RT_FRAME_SPARES]; /* the last are never used, but copied */
  uint32_t n_deferpool;
  struct sudog *sudogcache; /* linked by next */
  uint32_t n_sudogs;
  /* sysmon's notes about it. */
  struct {
    uint32_t schedtick, syscalltick, nextputs;
    int64_t schedwhen, syscallwhen, trialwhen;
  } sysmontick;
  _Alignas(CACHE_LINE) struct timers timers;
  struct g *_Atomic runq[RUNQ_SIZE];
};

/* ---- M
 * ----------------------------------------------------------------------------------------------------
 */

struct m {
  struct g *_Atomic curg; /* NULL: on g0; written by the M alone, by set_curg */
  struct p *_Atomic p;    /* NULL: none; taken away by sysmon while curg is in a system call */
  uint32_t trace_mask;    /* families recorded; 0: tracing is off */
  uint32_t id;
  struct trace_writer *tw; /* its ring, or NULL (tracedoor.h) */
  void *g0_sp;
  struct g *prevg; /* just left alive; its on_cpu is cleared by who comes next */
  struct g *deadg; /* just left dead; it and its stack are freed by who comes next */
  struct g *nextg; /* in hand, to be run by g0 */
  bool next_inherit;
  bool spinning;
  bool parked_locked; /* waits for its locked G; sched.lock */
  bool is_sysmon;
  bool is_main; /* the thread that called rt_run */
  _Atomic bool exited;
  bool leaving;                            /* its thread ends */
  bool blocked;                            /* asleep on its note */
  int locks;                               /* > 0: must not be preempted or lose its P */
  int *errnop;                             /* the thread's errno */
  void (*g0_call)(struct m *, struct g *); /* to do on g0 for the G just left (mcall) */
  struct g *g0_arg;
  struct p *nextp; /* to acquire when woken */
  struct p *oldp;  /* held before the system call */
  uint32_t syscalltick;
  struct g *lockedg;
  int locked_ext; /* nesting of LockOSThread */
  struct note park;
  struct m *idlelink; /* idle list */
  struct m *alllink;  /* allm */
  uint32_t tid;
  uint32_t run;     /* which rt_run it belongs to */
  uint32_t creator; /* id of the M that made it */
  uint64_t thread;  /* pthread_t */
  uint64_t rand;
  char *g0_lo, *g0_hi;            /* bounds of the thread's stack */
  void *g0_fake_stack, *g0_fiber; /* sanitizers' */
  void *altstack;
  struct async async; /* preemption by signal */
};

/* ---- The scheduler
 * ------------------------------------------------------------------------------------------- */

#define MAX_PROCS 1024

struct schedt {
  struct mutex lock; /* guards what has no atomic below */
  struct m *midle;   /* Ms that wait for work, last parked first */
  int32_t nmidle, nmidlelocked;
  uint32_t mnext; /* next M's id */
  int32_t nmsys, nmfreed, maxmcount;
  struct p *pidle; /* last idled first */
  _Atomic int32_t npidle;
  _Atomic int32_t nmspinning;
  _Atomic uint32_t needspinning;
  struct m *_Atomic stamper;   /* was the last to stamp under lock, by tr_stamp_locked; or NULL */
  struct gqueue runq;          /* the global queue */
  _Atomic uint32_t runqsize;   /* its size, readable without the lock */
  struct glist gfree;          /* dead Gs */
  uint32_t n_gfree, n_gs;      /* dead ones at hand; all that were ever made */
  struct g *gfree_last[AHEAD]; /* that were put there */
  _Atomic uint64_t goidgen;
  _Atomic int64_t lastpoll;     /* time of the last netpoll; 0 while an M is blocked in it */
  _Atomic int64_t poll_until;   /* until when that M sleeps; 0: no limit */
  _Atomic uint32_t polling_net; /* somebody polls without blocking */
  _Atomic uint32_t gcwaiting;   /* the world is being, or is, stopped */
  int32_t stopwait;             /* Ps still to stop */
  struct note stopnote;
  _Atomic uint32_t sysmonwait; /* sysmon sleeps deeply */
  struct note sysmonnote;
  struct mutex sysmonlock;
  _Atomic int32_t n_syscall_no_p;
  _Atomic int32_t gomaxprocs; /* changes while the world is stopped; sysmon looks all the same */
  _Atomic uint32_t run;       /* counts rt_run calls */
  struct note sysmonstop;     /* woken when the run is over */
  _Atomic uint32_t exits;     /* Ms that left; a futex */
  struct m *mfree;            /* Ms of earlier runs, to be used again */
  struct m *mthreadless;      /* Ms of this run that got no thread, to be tried again */
  _Atomic bool starved;       /* a thread was refused: sysmon asks again if there is work */
  _Atomic bool ended;         /* the main G returned: every M leaves */
  /* The world's lock: one stopper at a time; its waiters park (stw.c). */
  struct mutex worldlock;
  struct gqueue worldwaiters;
  bool world_taken;
  /* For rtlib: central pools. */
  struct mutex deferlock;
  struct rt_defer *deferpool;
  struct mutex sudoglock;
  struct sudog *sudogcache;
};
extern struct schedt sched;
extern struct m *_Atomic allm;    /* linked by alllink; an M is never freed while it may be read */
extern struct p *allp[MAX_PROCS]; /* [0, sched.gomaxprocs) are in use */
extern _Atomic uint64_t idle_p_mask[MAX_PROCS / 64];
extern _Atomic uint64_t timer_p_mask[MAX_PROCS / 64];

void setm(struct m *mp);
_Noreturn void not_on_a_g(const char *what); /* below */
_Noreturn void throw(const char *msg);       /* below */
/* Only one P, so only one M in what is guarded by having a P (channels, semaphores, run queues): nothing
 * there needs an atomic read-modify-write, of which a channel's round trip has twelve of 2.4 ns. The number of
 * Ps changes with the world stopped, when nobody is in there. */
static inline bool one_p(void)
{
  return atomic_load_explicit(&sched.gomaxprocs, memory_order_relaxed) == 1;
}
/* lock2 and unlock2 for what only an M with a P touches. */
static inline void lock_with_p(struct mutex *l)
{
  if (likely(one_p()) && likely(atomic_load_explicit(&l->key, memory_order_relaxed) == 0))
    atomic_store_explicit(&l->key, 1, memory_order_relaxed);
  else
    lock2(l);
}
static inline void unlock_with_p(struct mutex *l)
{
  if (likely(one_p()))
    atomic_store_explicit(&l->key, 0, memory_order_release);
  else
    unlock2(l);
}
/* The running G; NULL on g0. */
static ALWAYS_INLINE struct g *getg(void)
{
  struct m *mp = getm();
  if (unlikely(!mp))
    not_on_a_g(NULL);
  return atomic_load_explicit(&mp->curg, memory_order_relaxed);
}
/* The same at a door of rt.h, whose name is what: ends the process, in words, where there is no G. */
static inline struct g *need_g(const char *what)
{
  struct m *mp = getm();
  struct g *gp = mp ? atomic_load_explicit(&mp->curg, memory_order_relaxed) : NULL;
  if (unlikely(!gp))
    not_on_a_g(what);
  return gp;
}
static inline void set_curg(struct m *mp, struct g *gp)
{
  atomic_store_explicit(&mp->curg, gp,
                        memory_order_release); /* pairs with sysmon's and dumps' loads */
}
/* Keeps the G on this M and P until releasem. */
static inline struct m *acquirem(void)
{
  struct m *mp = getm();
  mp->locks++;
  return mp;
}
static inline void releasem(struct m *mp)
{
  mp->locks--;
}
static inline uint32_t readgstatus(const struct g *gp)
{
  return atomic_load_explicit(&gp->status, memory_order_acquire);
}
/* From the state old, which is checked, to new. Only by the G's owner. */
static ALWAYS_INLINE void casgstatus(struct g *gp, enum gstatus old, enum gstatus new)
{
  /* Only the owner changes a status, so no CAS is needed to leave one, except Gsyscall (syscall.c). */
  if (unlikely(atomic_load_explicit(&gp->status, memory_order_relaxed) != (uint32_t)old))
    throw("casgstatus: bad incoming values");
  atomic_store_explicit(&gp->status, new, memory_order_release); /* pairs with readgstatus */
}
/* xorshift; for the owner of *state. */
uint32_t fastrand(uint64_t *state);

/* ---- What blocks and wakes Gs (proc.c)
 * --------------------------------------------------------------------------- */

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
/* runtime.Gosched: to the tail of the global queue. */
void gosched(void);
/* To the tail of this P's queue (for hand-offs; traced as a yield). */
void goyield(void);
/* Stops the running G, which was asked to; by_signal: or else at a call. */
void gopreempt(bool by_signal);
/* Does it if so. A load and a branch. */
static inline void checkpreempt(struct g *gp)
{
  if (unlikely(atomic_load_explicit(&gp->preempt, memory_order_relaxed)))
    gopreempt(false);
}
/* At the doors that a program may call in a loop without ever parking. Also on g0, where it does nothing. */
static inline void preemption_point(void)
{
  struct g *gp = getg();
  if (gp)
    checkpreempt(gp);
}
/* Starts fn(arg) in a new G: 0, or -ENOMEM. name: borrowed, or NULL. Needs a P. */
int newproc(const char *name, void (*fn)(void *), void *arg);
/* Ends the running G; its deferred calls have run. */
_Noreturn void goexit1(void);

/* Around a call that may block the thread (syscall.c). */
void entersyscall(void);
void exitsyscall(void);

/* ---- Inside the scheduler
 * ------------------------------------------------------------------------------------------ */

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
/* Starts its thread: 0 or -errno, and then it is as if it had never been. */
int newm(struct m *creator, struct m *mp);
void minit(struct m *mp, uint32_t id); /* on the M's own thread */
void unminit(struct m *mp);            /* the thread goes back to what it was */
void let_go_of_p(struct m *mp);
void mexit(struct m *mp);  /* the same */
void mpark(struct m *mp);  /* sleeps on its note */
void mleave(struct m *mp); /* the run is over */
void *mstart(void *mp);    /* what an M's thread runs */

/* wake.c */
void mput(struct m *mp);         /* sched.lock held */
struct m *mget(void);            /* sched.lock held */
struct m *mget_threadless(void); /* sched.lock held: an M that newm could not start, or NULL */
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

/* timer.c */
int64_t timers_check(struct m *mp, struct timers *ts, int64_t now, int64_t *poll_until, bool *ran);
int64_t timers_wake_time(struct timers *ts);
void timers_take(struct m *mp, struct timers *ts, struct timers *from);
int64_t time_sleep_until(void);
void wake_net_poller(struct m *mp, int64_t when);

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

/* sysmon.c */
void sysmon(struct m *mp);

/* stw.c */
void stopTheWorld(uint32_t why); /* TRACE_STWWHY_... */
void startTheWorld(void);

/* stack.c */
bool stackalloc(struct p *pp, struct stack *s); /* false: out of memory, which promises keep away */
void stackfree(struct p *pp, struct stack *s);
/* There will be a stack for each of so many Gs. False: no address space. sched.lock held. */
bool stack_promise(uint32_t n_gs);
void stack_init(size_t size);
/* The G whose guard holds addr, or NULL. Signal-safe. */
struct g *stack_guard_hit(const void *addr);
/* For tests: from now on a new stack is guarded as if the kernel had nothing better. */
enum stack_guard {
  GUARD_LIGHT,
  GUARD_MPROTECT,
  GUARD_CANARY,
};
void stack_guard_by(enum stack_guard kind);
/* At the end of a G whose stack has one: if it was written over, the end of the process, in words. On the G. */
void stack_check_canary(const struct stack *s);

/* g.c: all Gs that ever were; they are never freed. */
/* One G more, or less, at pp. By its owner. */
static inline void count_g(struct p *pp, int32_t change)
{
  atomic_store_explicit(&pp->ngs, atomic_load_explicit(&pp->ngs, memory_order_relaxed) + change,
                        memory_order_relaxed);
}
struct g *gfget(struct m *mp);
void gfput(struct m *mp, struct g *gp);
void gfree_push(struct g *gp); /* to the central list; sched.lock held */
void forEachG(void (*visit)(struct g *, void *), void *arg);

/* ---- The end (throw.c, print.c, dump.c)
 * ---------------------------------------------------------------------------- */

/* Our bug: prints "fatal error: msg", dumps every G, ends the trace, exits with 2. */
_Noreturn void throw(const char *msg);
/* The user's: the same without the runtime's own frames. */
_Noreturn void fatal(const char *msg);
/* What the signals come to. */
bool on_fault(void *address, void *pc, void *fp, void *sp);
void on_quit(void *pc, int sigcode);
/* Before a panic is printed: from here on this thread alone speaks; the program's own output is flushed. */
void startpanic(void);
/* After it was printed: dumps as RT_TRACEBACK says, ends the trace, exits with 2. */
_Noreturn void dopanic(void);
/* The user called what only a G may call: throws, after saying so. what: the function, or NULL. */
_Noreturn void not_on_a_g(const char *what);
/* fork.c: from now on a child of fork() is told of; ends the process, in words, if this is one. */
void fork_watch(void);
void check_forked(void);
/* Ends the trace and the process. */
_Noreturn void rt_exit(int code);

/* After a fork: whoever held the print lock is not here. */
void print_reset(void);
/* Printing without malloc or stdio, to stderr or the fd of the dump; signal-safe. */
void printlock(void);
void printunlock(void);
void print_to(int fd);
void print_str(const char *s);
void print_bytes(const char *s, size_t n);
void print_int(int64_t n);
void print_uint(uint64_t n);
void print_hex(uint64_t n);
void print_float(double d);
/* From now on dumps are as detailed as at RT_TRACEBACK=system. */
void dump_internals(void);
/* "goroutine 7 [chan receive]:" and its frames. */
void goroutineheader(struct g *gp);
void tracebackg(struct g *gp);
/* All Gs, the running one first if me. */
void tracebackothers(struct g *me);
