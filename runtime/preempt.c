/* SPDX-License-Identifier: MIT */
/* preempt.c - stopping a G at any instruction: Go's asynchronous preemption.
 *
 * preemptone asks a G (gp->preempt). If it calls us, it stops at the next safe point. For a G that does not,
 * preemptM sends its M a SIGURG; the handler (land) looks where that arrived, and only if the G can be stopped
 * there, changes the interrupted registers so that it goes on in asyncPreempt (preempt-amd64.S).
 *
 * I1  The interrupted pc lies in code that was marked RT_PREEMPTIBLE. It is this that keeps malloc's locks, the
 *     runtime's own state and everything else safe, and makes all the rest that the handler reads consistent:
 *     the M is in the program's code, between two calls of the runtime.
 * I2  The handler changes nothing but the M's async and the registers. It does not write to the trace: its
 *     thread may be in the middle of that. It leaves a note, told before the M's next transition.
 * I3  An M has at most one signal on its way (signal_pending).
 * I4  Every signal that arrives leaves a refusal or is taken, and says why (words.def). Notes are few (LANDINGS):
 *     when a G gives no event for long, the refusals after the first ones are counted but not told. The last
 *     place is kept for one that is taken.
 *
 * Roads not taken: stopping anywhere and resuming before any lock is touched, as Go can by its compiler's
 * tables; C has none. A counter of "not now" in the program's hands: forgotten once, it breaks.
 * Cost: nothing until a slice is over; then a signal, 4 us, and saving 2.5 KB of registers with AVX-512.
 */
#include "preempt.h"

#include "options.h"
#include "os.h"
#include "proc.h"
#include "rt-preempt.h"
#include "sim.h"
#include "switch.h"
#include "tracedoor.h"

#include <cpuid.h>
#include <immintrin.h>

#define MAX_RANGES    256u
#define RED_ZONE      128u
#define FXSAVE_AREA   512u
#define XSAVE_HEADER  64u
#define XFEATURE_PKRU (1ull << 9)      /* of the thread, not of the computation */
#define GPRS          (17u * 8u + 64u) /* pc, rbp, flags, 14 registers; alignment */
#ifdef SWITCH_ASAN
#define FRAMES 16384u
#else
#define FRAMES                                                                                     \
  6144u /* what asyncPreempt2 may use: the scheduler, or a handler without an own stack */
#endif

/* Of a program that is built with it: it calls handlers late, with registers that are a copy. */
extern void __tsan_init(void) __attribute__((weak)); // NOLINT(bugprone-reserved-identifier)

void asyncPreempt(void);
void asyncPreempt2(void);

/* Read by asyncPreempt; set once. */
uint64_t preempt_mask; /* xsave's; 0: fxsave */
uint64_t preempt_area; /* bytes */

struct preempt_stats preempt_stats;

static struct {
  const char *_Atomic off_because; /* changes while no M runs but stragglers */
  struct mutex lock;               /* guards adding and removing ranges */
  _Atomic uint32_t n_ranges;
  struct {
    _Atomic uintptr_t lo, hi; /* hi is 0 while the range is not valid; lo is set once */
  } ranges[MAX_RANGES];
} async = { .off_because = "no scheduler runs" };

/* ---- which code ---- */

/* lock held */
static uint32_t find_range(uintptr_t lo)
{
  uint32_t n = atomic_load(&async.n_ranges), i = 0;
  while (i < n && atomic_load(&async.ranges[i].lo) != lo)
    i++;
  return i;
}

void rt_preemptible_add(const void *start, const void *stop)
{
  lock2(&async.lock);
  uint32_t i = find_range((uintptr_t)start);
  if (i < MAX_RANGES && start < stop) {
    atomic_store(&async.ranges[i].lo, (uintptr_t)start);
    atomic_store(&async.ranges[i].hi, (uintptr_t)stop);
    if (i == atomic_load(&async.n_ranges))
      atomic_store(&async.n_ranges, i + 1);
  }
  unlock2(&async.lock);
}

void rt_preemptible_remove(const void *start)
{
  lock2(&async.lock);
  uint32_t i = find_range((uintptr_t)start);
  if (i < atomic_load(&async.n_ranges))
    atomic_store(&async.ranges[i].hi, 0);
  unlock2(&async.lock);
}

static bool is_marked(uintptr_t pc)
{
  uint32_t n = atomic_load(&async.n_ranges);
  for (uint32_t i = 0; i < n; i++) { /* both loaded always: in the simulation a load is a step */
    uintptr_t hi = atomic_load(&async.ranges[i].hi), lo = atomic_load(&async.ranges[i].lo);
    if (pc >= lo && pc < hi)
      return true;
  }
  return false;
}

/* ---- the handler ---- */

/* The registers, and whatever runs on top of them until the G is off its stack. */
static bool has_room(const struct g *gp, uintptr_t sp)
{
  uintptr_t need = RED_ZONE + GPRS + preempt_area + FRAMES;
  return sp <= (uintptr_t)gp->stack.hi && sp >= (uintptr_t)gp->stack.lo + need;
}

/* wantAsyncPreempt and isAsyncSafePoint: 0, or why the G cannot be stopped here. */
static uint32_t refusal_at(struct m *mp, const struct os_regs *at)
{
  struct g *gp = atomic_load(&mp->curg);
  if (!gp)
    return TRACE_REFUSAL_ON_G0;
  if (!atomic_load(&gp->preempt))
    return TRACE_REFUSAL_NOT_WANTED;
  if (mp->locks)
    return TRACE_REFUSAL_LOCKS;
  struct p *pp = atomic_load(&mp->p);
  if (!pp || atomic_load(&pp->status) != Prunning || readgstatus(gp) != Grunning)
    return TRACE_REFUSAL_NO_P;
  if (!is_marked(at->pc))
    return TRACE_REFUSAL_NOT_MARKED;
  return has_room(gp, at->sp) ? TRACE_REFUSAL_NONE : TRACE_REFUSAL_STACK;
}

static void leave_note(struct m *mp, uint64_t pc, uint32_t refusal)
{
  struct async *a = &mp->async;
  uint32_t n = atomic_load_explicit(&a->landed, memory_order_relaxed);
  uint32_t untold = n - atomic_load_explicit(&a->told, memory_order_relaxed);
  atomic_fetch_add_explicit(&preempt_stats.landed[refusal], 1, memory_order_relaxed);
  if (!mp->trace_mask || untold + (refusal != TRACE_REFUSAL_NONE) >= LANDINGS)
    return;
  a->landings[n % LANDINGS] = (struct landing){ tr_ticks(mp), pc, refusal };
  atomic_signal_fence(memory_order_release); /* pairs with preempt_tell, on this thread */
  sim_hold();
  atomic_store_explicit(&a->landed, n + 1, memory_order_relaxed);
  sim_go_on();
}

/* As if the interrupted instruction had called fn. */
static void push_call(struct os_regs *at, void (*fn)(void))
{
  at->sp -= RED_ZONE + sizeof(uintptr_t);
  *(uintptr_t *)at->sp = at->pc;
  at->pc = (uintptr_t)fn;
}

/* doSigPreempt. In the signal handler. */
static void land(struct os_regs *at)
{
  struct m *mp = getm();
  if (!mp || !atomic_load(&mp->async.signal_pending))
    return; /* not ours */
  uint32_t refusal = refusal_at(mp, at);
  leave_note(mp, at->pc, refusal);
  if (refusal == TRACE_REFUSAL_NONE)
    push_call(at, asyncPreempt);
  atomic_fetch_add(&mp->async.gen, 1);
  atomic_store(&mp->async.signal_pending, false);
}

void preempt_tell(struct m *mp, struct async *a)
{
  sim_hold();
  while (preempt_untold(a)) {
    uint32_t i = atomic_load_explicit(&a->told, memory_order_relaxed);
    atomic_signal_fence(memory_order_acquire); /* pairs with leave_note */
    struct landing l = a->landings[i % LANDINGS];
    atomic_signal_fence(memory_order_release); /* from here on the handler may use the place */
    atomic_store_explicit(&a->told, i + 1, memory_order_relaxed);
    tr_stamp_at(mp, l.ts);
    tr_preempt_land(mp, l.refusal, l.pc);
  }
  sim_go_on();
}

/* ---- out of the handler ---- */

/* Called by asyncPreempt, on the G's stack, which is as between any two calls of the program. */
__attribute__((used)) void asyncPreempt2(void)
{
  struct m *before = getm();
  int saved_errno = *before->errnop;
  fp_set(before->fp_of_run);
  gopreempt(true);
  struct m *mp = getm();
  *mp->errnop = saved_errno;
  if (mp != before)
    atomic_fetch_add_explicit(&preempt_stats.migrated, 1, memory_order_relaxed);
}

void preemptM(struct m *mp, struct m *target)
{
  bool pending = false;
  if (async.off_because || MUTANT(118, true, atomic_load(&async.n_ranges) == 0) ||
      !atomic_compare_exchange_strong(&target->async.signal_pending, &pending, true))
    return;
  atomic_fetch_add_explicit(&preempt_stats.sent, 1, memory_order_relaxed);
  tr_preempt_send(mp, target->id);
  os_preempt_send(target->tid);
}

/* ---- the beginning and the end ---- */

static uint64_t xgetbv0(void)
{
  uint32_t lo, hi;
  __asm__ volatile("xgetbv" : "=a"(lo), "=d"(hi) : "c"(0));
  return (uint64_t)hi << 32 | lo;
}

/* What asyncPreempt saves, and how large it is. */
static void measure_registers(void)
{
  uint32_t a, b, c, d;
  if (preempt_area)
    return;
  preempt_area = FXSAVE_AREA;
  if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & bit_OSXSAVE))
    return;
  preempt_mask = xgetbv0() & ~XFEATURE_PKRU;
  preempt_area = FXSAVE_AREA + XSAVE_HEADER;
  for (uint32_t i = 2; i < 63; i++)
    if ((preempt_mask >> i & 1) && __get_cpuid_count(0xd, i, &a, &b, &c, &d) &&
        b + a > preempt_area)
      preempt_area = b + a; /* its offset and size */
}

/* CET's: a return to where no call was made would be a fault. 0 where there is none. */
static uint64_t shadow_stack(void)
{
  uint64_t ssp = 0;
  __asm__ volatile("rdsspq %0" : "+r"(ssp)); /* does nothing where it is unknown or off */
  return ssp;
}

static const char *why_not(void)
{
  if (options.asyncpreemptoff)
    return "RT_DEBUG says asyncpreemptoff=1";
  if (__tsan_init)
    return "the thread sanitizer hides the interrupted registers from signal handlers";
  if (shadow_stack() != 0)
    return "the thread has a shadow stack (CET), which knows no call that a signal made; "
           "start without GLIBC_TUNABLES=glibc.cpu.hwcaps=SHSTK";
  if (os_preempt_install(land) != 0)
    return "SIGURG cannot be handled";
  return NULL;
}

void preempt_begin(struct m *mp)
{
  measure_registers();
  async.off_because = why_not();
  preempt_minit(mp);
  if (async.off_because && tr_on(mp, TRACE_FAMILY_USER)) {
    tr_stamp(mp);
    tr_user_log(mp, tr_string_id(mp, "no preemption by signal"),
                tr_string_id(mp, async.off_because));
  }
}

void preempt_end(void)
{
  if (!async.off_because)
    os_preempt_restore();
  async.off_because = "no scheduler runs";
}

const char *preempt_off_because(void)
{
  return async.off_because;
}

void preempt_minit(struct m *mp)
{
  /* A late one may have meant the M that was here before. */
  atomic_store(&mp->async.signal_pending, false);
  if (!async.off_because)
    mp->async.was_blocked = os_preempt_open();
}

void preempt_mexit(struct m *mp)
{
  if (mp->async.was_blocked)
    os_preempt_close();
}
