/* SPDX-License-Identifier: MIT */
/* runtime.h - G, M, P and the scheduler's state: the data, and what every file does with it.
 *
 * What runtime2.go is to Go. The calls between the scheduler's files are in proc.h; locks in lock.h, timers in
 * timer.h, printing in print.h, the end of the process in throw.h. The three actors:
 *   G  a goroutine: a stack, a function, a status.      struct g
 *   M  a machine: one thread of the kernel.             struct m
 *   P  a processor: the right to run Gs, with a queue,  struct p
 *      a timer heap and caches; there are GOMAXPROCS of them.
 * An M needs a P to run a G.
 *
 * I1  A G is owned by exactly one: see enum gstatus. casgstatus() and its kin are the only ways on.
 * I2  A P's fields are used only by the M that holds it, except the atomics, which say their partner.
 * I3  sched.lock guards the idle lists, the global queue, and who holds a P that nobody runs.
 *     Order: hchan lock < timers lock < timer lock; sched.lock is never held while one of these is taken, nor
 *     the other way round.
 *
 * Here a G switches straight to the next G, on whose stack the M then runs; Go goes by way of g0. The price is
 * a hazard: a G that was published (put on a queue, or made ready by somebody) could be run by another M
 * before its registers are saved. So g.on_cpu is true until the M is off its stack, and who runs a G waits for
 * that, on g0, where the wait cannot become a circle (proc.c).
 *
 * The scheduler's own context, g0, is the stack of the M's thread: curg == NULL means "on g0".
 */
#pragma once
#define RT_NO_PREEMPTIBLE /* nothing of the runtime's own may be */
#include "exceptions.h"
#include "fp-amd64.h"
#include "getm-amd64.h"
#include "lock.h"
#include "preempt.h"
#include "rt.h"
#include "throw.h"
#include "timer.h"
#include "trace-event.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct trace_writer;

/* ---- States ---- */

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

/* ---- Lists of Gs, linked by g.schedlink (glist.c) ---- */

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
struct g *gqueue_pop(struct gqueue *q);

/* ---- Wait queues ---- */

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
  uint32_t run; /* in_this_run */
};

/* ---- G ---- */

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
  uint64_t gopc;   /* in the function that made it; 0: none did */
  uint64_t put_ts; /* for the trace: when it was put into runnext */
  /* For the owners of wait queues (chan, select, sync). */
  void *param;                  /* handed over by who made it ready: usually the sudog */
  struct sudog *waiting;        /* sudogs it waits on, in lock order */
  _Atomic uint32_t select_done; /* 0, or 1: some case of its select has won */
  _Atomic bool left_behind;     /* in the kernel when its run ended: it dies when it comes back */
  bool panicking;               /* one of _panic is no Goexit; counted in sched.npanicking */
  uint64_t wait_obj;            /* what it waits for (trace's OBJ), valid while Gwaiting */
  struct rt_panic *_panic;      /* newest first */
  /* Less used. */
  struct timer timer; /* for rt_sleep alone; in no heap when the G runs */
  int64_t sleep_when;
  uint64_t syscall_pc; /* where it went into a system call, and that frame: valid while Gsyscall */
  const char *syscall_fp;
  void *fake_stack;           /* address sanitizer's */
  _Atomic uint64_t wait_mark; /* since when it waits, as far as somebody looked: waiting.c */
};

static_assert(offsetof(struct g, stack) == CACHE_LINE, "what every switch looks at is one line");

/* A list of Gs is as long as it likes, and each G is a cache miss that a walk along it would wait for. g.ahead runs
 * ahead of the walk. Any G will do, since they are never freed. */
#define AHEAD 8 /* Gs */
static inline void fetch_ahead(const struct g *gp)
{
  __builtin_prefetch(gp, 1);
  __builtin_prefetch((const char *)gp + CACHE_LINE, 1);
}

/* ---- P ---- */

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
  /* Pools of what rt.h's calls need, which only the owner touches. */
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

/* ---- M ---- */

struct m {
  struct g *_Atomic curg; /* NULL: on g0; written by the M alone, by set_curg */
  struct p *_Atomic p;    /* NULL: none; taken away by sysmon while curg is in a system call */
  uint32_t trace_mask;    /* families recorded; 0: tracing is off */
  uint32_t id;
  struct trace_writer *tw; /* its ring, or NULL (tracedoor.h) */
  void *g0_sp;
  struct g *prevg;               /* just left alive; its on_cpu is cleared by who comes next */
  struct g *deadg;               /* just left dead; it and its stack are freed by who comes next */
  struct g *nextg;               /* in hand, to be run by g0 */
  struct exceptions *exceptions; /* the thread's, of C++; NULL: there is no C++ */
  bool next_inherit;
  _Atomic bool biased;   /* sched.lock is, to this M: schedlock.c */
  _Atomic bool in_sched; /* it has sched.lock by that, or is just asking */
  bool spinning;
  bool parked_locked; /* waits for its locked G; sched.lock */
  bool is_sysmon;
  bool is_main; /* the thread that called rt_run */
  _Atomic bool exited;
  bool leaving;                            /* its thread ends */
  bool blocked;                            /* asleep on its note */
  bool has_door;                           /* from tr_open to tr_close, recorded or not */
  int locks;                               /* > 0: must not be preempted or lose its P */
  int *errnop;                             /* the thread's errno */
  void (*g0_call)(struct m *, struct g *); /* to do on g0 for the G just left (mcall) */
  struct g *g0_arg;
  struct p *nextp; /* to acquire when woken */
  struct p *oldp;  /* held before the system call */
  uint32_t syscalltick;
  struct g *lockedg;
  struct fp_control fp_of_run;
  int locked_ext;         /* nesting of LockOSThread */
  const char *recover_pc; /* a recover that counted last time (recover.c) */
  void (*recover_fn)(void *);
  struct note park;
  struct m *idlelink; /* idle list */
  struct m *alllink;  /* allm */
  uint32_t tid;
  uint32_t run;     /* which rt_run it belongs to */
  uint32_t creator; /* id of the M that made it */
  uint64_t rand;
  char *g0_lo, *g0_hi;            /* bounds of the thread's stack */
  void *g0_fake_stack, *g0_fiber; /* sanitizers' */
  void *altstack;
  bool left_behind;         /* by the end of its run, in the kernel; sched.lock */
  struct exceptions before; /* the thread's, when it became an M */
  struct async async;       /* preemption by signal */
};

/* ---- The scheduler ---- */

#define MAX_PROCS 1024

struct schedt {
  /* Guards what has no atomic below. Taken by lock_sched and its kin (schedlock.h) alone. */
  struct mutex lock;
  struct m *biased_to;    /* schedlock.c, as are the next two */
  struct m *last_visitor; /* only compared */
  uint32_t visits;        /* in a row */
  struct m *midle;        /* Ms that wait for work, last parked first */
  int32_t nmidle, nmidlelocked;
  uint32_t mnext; /* next M's id */
  int32_t nmsys, nmfreed, maxmcount;
  bool has_template; /* a thread that is no M, but makes the threads of some; counted in nmsys */
  struct p *pidle;   /* last idled first */
  _Atomic int32_t npidle;
  _Atomic int32_t nmspinning;
  _Atomic uint32_t needspinning;
  struct gqueue runq;          /* the global queue */
  _Atomic uint32_t runqsize;   /* its size, readable without the lock */
  struct glist gfree;          /* dead Gs */
  uint32_t n_gfree, n_gs;      /* dead ones at hand; all that were ever made */
  struct g *gfree_last[AHEAD]; /* that were put there */
  _Atomic uint32_t
      npanicking; /* Gs that panic, and have neither recovered nor begun to say so (Go's runningPanicDefers) */
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
  _Atomic int32_t gomaxprocs; /* changes while the world is stopped; sysmon looks all the same */
  _Atomic uint32_t run;       /* counts rt_run calls */
  struct fp_control fp;       /* of the thread that called rt_run */
  struct note sysmonstop;     /* woken when the run is over */
  _Atomic uint32_t exits;     /* Ms that left; a futex */
  struct m *mfree;            /* Ms of earlier runs, to be used again */
  struct m *mended;           /* Ms of this run whose threads have ended, still in allm */
  struct m *mthreadless;      /* Ms of this run that got no thread, to be tried again */
  _Atomic bool starved;       /* a thread was refused: sysmon asks again if there is work */
  int32_t refused_with;       /* the errno then */
  _Atomic bool ended;         /* the main G returned: every M leaves */
  /* The world's lock: one stopper at a time; its waiters park (stw.c). */
  struct mutex worldlock;
  struct gqueue worldwaiters;
  bool world_taken;
  /* The central pools, from which a P's are filled. */
  struct mutex deferlock;
  struct rt_defer *deferpool;
  /* Guards the list of all tickers, in which a name for one finds its timer. */
  struct mutex tickerlock;
  struct rt_ticker *tickers;
  struct mutex sudoglock;
  struct sudog *sudogcache;
};
extern struct schedt sched;
extern struct m *_Atomic allm;    /* linked by alllink; an M is never freed while it may be read */
extern struct p *allp[MAX_PROCS]; /* [0, sched.gomaxprocs) are in use */
extern _Atomic uint64_t idle_p_mask[MAX_PROCS / 64];
extern _Atomic uint64_t timer_p_mask[MAX_PROCS / 64];

void setm(struct m *mp);
/* Only one P, so only one M in what is guarded by having a P (channels, semaphores, run queues): nothing
 * there needs an atomic read-modify-write, of which a channel's round trip has twelve of 2.4 ns. The number of
 * Ps changes with the world stopped, when nobody is in there. */
static inline bool one_p(void)
{
  return atomic_load_explicit(&sched.gomaxprocs, memory_order_relaxed) == 1;
}
/* At a queue of Gs that wait, with who is first in it, before one is put in or taken out. The end of a run drops them,
 * and their sudogs lie in their frames, whose memory the next run uses. Nor can that end take them out: the object may
 * be gone by then, in all honour. So a queue says of which run it is, and one with Gs of another is not touched, but
 * told of. (Not forgotten either: of a mutex, a wait group and an rwmutex the state counts them too.) */
static inline void in_this_run(uint32_t *run, const void *first)
{
  uint32_t now = atomic_load_explicit(&sched.run, memory_order_relaxed);
  if (!first)
    *run = now;
  else if (unlikely(*run != now))
    waited_in_another_run();
}
/* lock2 and unlock2 for what only an M with a P touches. */
static inline void lock_with_p(struct mutex *l)
{
  if (likely(one_p()) && likely(atomic_load_explicit(&l->held, memory_order_relaxed) == 0))
    atomic_store_explicit(&l->held, 1, memory_order_relaxed);
  else
    lock2(l);
}
static inline void unlock_with_p(struct mutex *l)
{
  if (likely(one_p()))
    atomic_store_explicit(&l->held, 0, memory_order_release);
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
/* For what uses the P: fatal, in words, between rt_entersyscall and rt_exitsyscall, when it may be taken at any time. */
static ALWAYS_INLINE void need_running(struct g *gp)
{
  if (unlikely(atomic_load_explicit(&gp->status, memory_order_relaxed) != Grunning))
    misplaced(gp, "the G at a door of rt.h is not running");
}
/* The same where a G is not needed, but a scheduler, which g0 has as well: without one it would only seem to work. NULL
 * on g0. */
static ALWAYS_INLINE struct g *need_m(const char *what)
{
  struct m *mp = getm();
  if (unlikely(!mp))
    not_on_a_g(what);
  return atomic_load_explicit(&mp->curg, memory_order_relaxed);
}
/* At a door that may be called from anywhere, but does more than look: not in a child of fork. */
static inline void not_in_a_child(void)
{
  if (unlikely(!getm()))
    check_forked();
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
    misplaced(gp, "casgstatus: bad incoming values");
  atomic_store_explicit(&gp->status, new, memory_order_release); /* pairs with readgstatus */
}
/* xorshift; for the owner of *state. */
uint32_t fastrand(uint64_t *state);
