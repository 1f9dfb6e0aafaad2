/* SPDX-License-Identifier: MIT */
/* tracedoor.c - the slow side of tracedoor.h: the trace memory and the rings.
 *
 * The trace memory is a memfd that our recorder made and we inherited. It is checked as if it came from an
 * enemy, since whoever started us chose it; a bad one is ignored, and the program runs untraced.
 * Each M claims one ring, for ever. An M that finds none left counts its events in control->unringed.
 *
 * A record's p and g are read from the M at the time of the event, so they cannot disagree with it:
 * events of a transition are emitted before m.p and m.curg change if they belong to the old state.
 *
 * Tracing begins with the first rt_run and is over with its end, or with exit(). Later runs are counted in
 * control->untraced_runs, so that the recorder can tell. After fork the child has no tracing: the rings belong
 * to the parent. Of several processes that inherited the memory (children that were forked before any run, the commands of
 * a shell) the first takes it, for ever; the others are counted in control->untraced_processes.
 *
 * The end. An exit may last, and the other Ms go on meanwhile, but after trace_end nobody emits:
 * I1  Each M looks at trace.ended where it stamps, that is once a transition, and is silent from then on. So
 *     what it emitted is a prefix of what it did, and ends between two transitions.
 * I2  The prefixes fit together: an M that reacts to another one stamps after it saw the other's doing (see
 *     tracedoor.h), so where the other was silent already, it reads `ended` too.
 * I3  Who is in the middle of a transition then may have published it and not told it yet, while somebody else told
 *     his answer to it. He is given END_GRACE_US to say it, before trace_end; the process goes on to its end whatever he
 *     does, so a thread that is kept from the CPU for longer leaves its last transition untold. In the simulation he is
 *     given what he needs (hear_out); but who dies there, by a panic or a throw, is alone at once.
 * Not done: to go on until the process is gone. The M that exits does not come back to its loop, so its P and its G
 * would stay in the picture for ever; and whether the last events are kept would be chance.
 */
#include "tracedoor.h"

#include "os.h"
#include "sim.h"
#include "trace-emit-fused.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define END_GRACE_US 1000
#define TELL_MS      1000 /* sysmon is at work again every 10 ms, if it is given a CPU */

struct door { /* an M's way into its ring; mp->tw points to the writer */
  struct trace_writer writer;
  struct trace_ring *ring;
};

enum ending {
  NOT_ENDED,
  END_IS_TOLD,  /* trace_end was, or is about to be, emitted */
  END_IS_WANTED /* + exit code, by who has no ring */
};

static struct {
  struct trace_control *control; /* NULL: nobody records */
  int fd;
  uint32_t capacity, max_rings;
  uint32_t clock;
  _Atomic uint64_t ended;                          /* enum ending */
  _Atomic uint32_t teller;                         /* tid of who tells the end */
  _Atomic int32_t n_open;                          /* Ms with a ring */
  _Alignas(CACHE_LINE) _Atomic uint32_t timer_ids; /* what is above is read at each event */
} trace;

/* ---- events ---- */

static inline void set_place(struct m *mp, struct trace_writer *w)
{
  const struct p *pp = atomic_load_explicit(&mp->p, memory_order_relaxed);
  const struct g *gp = atomic_load_explicit(&mp->curg, memory_order_relaxed);
  w->p = pp ? (uint16_t)pp->id : TRACE_NO_P;
  w->g = gp ? (uint32_t)gp->goid : 0;
}

/* No ring, no room, a loss to be told, or an open record to be ended. */
static RARELY void emit_slow(struct m *mp, enum trace_kind kind, uint64_t lo, uint64_t hi)
{
  struct trace_writer *w = mp->tw;
  if (!w) {
    if (trace.control) /* else hear_out asks */
      atomic_fetch_add_explicit(&trace.control->unringed, 1, memory_order_relaxed);
    return;
  }
  if (w->dropping) {
    trace_drop(w, 1);
    return;
  }
  set_place(mp, w);
  sim_name_addresses(kind, &lo, &hi);
  trace_emit(w, kind, lo, hi);
}

static inline bool is_ready(const struct trace_writer *w)
{
  return likely(w != NULL) && trace_is_ready(w, 1);
}

/* Calls nothing on the usual way, so it saves no registers either. */
void tr_emit(struct m *mp, enum trace_kind kind, uint64_t lo, uint64_t hi)
{
  struct trace_writer *w = mp->tw;
  if (unlikely(!is_ready(w))) {
    emit_slow(mp, kind, lo, hi);
    return;
  }
  set_place(mp, w);
  sim_name_addresses(kind, &lo, &hi);
  trace_write(w, kind, lo, hi);
  trace_publish(w, 1);
}

void tr_emit_lead(struct m *mp, enum trace_lead lead, enum trace_kind kind, uint64_t lo,
                  uint64_t hi)
{
  struct trace_writer *w = mp->tw;
  if (unlikely(!is_ready(w))) {
    emit_slow(mp, kind, lo, hi);
    return;
  }
  set_place(mp, w);
  sim_name_addresses(kind, &lo, &hi);
  trace_open_lead(w, lead, w->ts, kind, lo, hi);
}

void tr_emit_put_global(struct m *mp, uint64_t lo)
{
  if (unlikely(!mp->tw || !trace_fuse_put_global(mp->tw, lo)))
    emit_slow(mp, TRACE_RUNQ_PUT_GLOBAL, lo, 0);
}

void tr_emit_put_next(struct m *mp, uint64_t lo, uint64_t hi)
{
  if (unlikely(!mp->tw || !trace_fuse_put_next(mp->tw, lo, hi)))
    emit_slow(mp, TRACE_RUNQ_PUT_NEXT, lo, hi);
}

static RARELY void emit_get_first(struct m *mp, enum trace_get get, enum trace_kind kind,
                                  uint64_t lo, uint64_t hi)
{
  struct trace_writer *w = mp->tw;
  if (w && trace_is_open(w))
    trace_end_open(w);
  if (unlikely(!is_ready(w) || mp->curg)) {
    emit_slow(mp, kind, lo, hi);
    return;
  }
  set_place(mp, w);
  trace_open_with_get(w, get, (uint32_t)lo, trace_get_place(get, lo, hi));
}

void tr_emit_get(struct m *mp, enum trace_get get, enum trace_kind kind, uint64_t lo, uint64_t hi)
{
  if (unlikely(!mp->tw || !trace_fuse_get(mp->tw, get, (uint32_t)lo, trace_get_place(get, lo, hi))))
    emit_get_first(mp, get, kind, lo, hi);
}

void tr_emit_start(struct m *mp, uint64_t lo, uint64_t hi)
{
  if (unlikely(!mp->tw || !trace_fuse_start(mp->tw, lo, hi)))
    emit_slow(mp, TRACE_GO_START, lo, hi);
}

/* relaxed: who silenced another M happened before we saw what that one did, and so did the store to ended */
static inline bool has_ended(void)
{
  return atomic_load_explicit(&trace.ended, memory_order_relaxed) != NOT_ENDED;
}

uint64_t tr_ticks(const struct m *mp)
{
  return mp->tw ? trace_ticks(mp->tw) : 0;
}

uint64_t tr_time_slow(const struct m *mp)
{
  return mp->tw ? mp->tw->ts : 0;
}

void tr_stamp_at(struct m *mp, uint64_t ticks)
{
  struct trace_writer *w = mp->tw;
  if (!w || ticks <= w->ts)
    return;
  if (trace_is_open(w))
    trace_end_open(w);
  w->ts = ticks;
}

void tr_emit_aside(struct m *mp, enum trace_kind kind, uint64_t lo, uint64_t hi)
{
  if (!mp->tw)
    return;
  struct trace_writer *w = mp->tw;
  if (trace_is_open(w))
    trace_end_open(w);
  uint64_t ts = w->ts;
  set_place(mp, w);
  trace_emit(w, kind, lo, hi);
  if (w->ts == ts + 1) /* else something was lost */
    w->ts = ts;
}

static RARELY void stamp_rarely(struct m *mp)
{
  if (has_ended()) {
    tr_silence(mp); /* the transition before is whole */
    return;
  }
  if (preempt_untold(&mp->async))
    preempt_tell(mp, &mp->async);
  if (mp->tw)
    trace_begin_transition(mp->tw);
}

/* By one instruction, into a ring that has room, with nothing to be told before. */
static ALWAYS_INLINE bool can_stamp_quickly(struct m *mp, const struct trace_writer *w)
{
  return !has_ended() && w && trace_is_ready(w, 1) && trace_clock_is_quick(w) &&
         !preempt_untold(&mp->async);
}

void tr_stamp_slow(struct m *mp)
{
  struct trace_writer *w = mp->tw;
  if (unlikely(!can_stamp_quickly(mp, w)))
    stamp_rarely(mp);
  else
    trace_stamp_to(w, trace_quick_ticks());
}

static RARELY void stamp_and_emit_slow(struct m *mp, enum trace_lead lead, enum trace_kind kind,
                                       uint64_t lo, uint64_t hi)
{
  stamp_rarely(mp);
  if (mp->trace_mask) /* else the trace has ended */
    tr_emit_lead(mp, lead, kind, lo, hi);
}

void tr_emit_stamped_lead(struct m *mp, enum trace_lead lead, enum trace_kind kind, uint64_t lo,
                          uint64_t hi)
{
  struct trace_writer *w = mp->tw;
  if (unlikely(!can_stamp_quickly(mp, w))) {
    stamp_and_emit_slow(mp, lead, kind, lo, hi);
    return;
  }
  set_place(mp, w);
  sim_name_addresses(kind, &lo, &hi);
  uint64_t now = trace_quick_ticks();
  trace_open_lead(w, lead, now > w->ts ? now : w->ts, kind, lo, hi);
}

void tr_stamp_after_slow(struct m *mp)
{
#if defined(__x86_64__)
  __builtin_ia32_lfence(); /* earlier loads have their values before the clock is read */
#elif defined(__aarch64__)
  __asm__ volatile("isb" ::: "memory");
#endif
  tr_stamp_slow(mp);
}

void tr_stamp_behind_lock_slow(struct m *mp)
{
  if (!atomic_load_explicit(&mp->in_sched, memory_order_relaxed))
    tr_stamp_after_slow(mp);
}

void tr_emit_string(struct m *mp, uint32_t id, const char *bytes, size_t n)
{
  set_place(mp, mp->tw);
  trace_emit_string(mp->tw, id, bytes, n);
}

uint32_t tr_timer_id(void)
{
  if (!trace.control)
    return 1;
  return atomic_fetch_add_explicit(&trace.timer_ids, 1, memory_order_relaxed) + 1;
}

/* ---- the trace memory ---- */

/* The number in the variable, or -1. The variable goes, so that children do not inherit it. */
static int take_env_fd(void)
{
  const char *text = getenv(TRACE_ENV_FD);
  if (!text)
    return -1;
  char *end;
  errno = 0;
  long fd = strtol(text, &end, 10);
  bool good = errno == 0 && end != text && *end == '\0' && fd > 2 && fd < 1 << 20;
  unsetenv(TRACE_ENV_FD);
  return good ? (int)fd : -1;
}

/* Copies the geometry and checks the copy: the page may change under us. */
static bool copy_geometry(void)
{
  struct stat st;
  trace.capacity = trace.control->ring_capacity;
  trace.max_rings = trace.control->max_rings;
  if (trace.capacity < 1024 || (trace.capacity & (trace.capacity - 1)) ||
      trace.capacity > 1u << 24 || trace.max_rings > TRACE_MAX_RINGS)
    return false;
  return fstat(trace.fd, &st) == 0 &&
         (uint64_t)st.st_size >= trace_shm_size(trace.capacity, trace.max_rings);
}

static void forget_in_child(void)
{
  struct m *mp = getm();
  atomic_store(&trace.ended, END_IS_TOLD);
  trace.control = NULL;
  if (mp)
    mp->trace_mask = 0;
}

/* False: another process writes, or did. */
static bool take_memory(void)
{
  uint32_t nobody = 0;
  bool taken = atomic_compare_exchange_strong(&trace.control->pid, &nobody, (uint32_t)getpid());
  if (!taken)
    atomic_fetch_add(&trace.control->untraced_processes, 1);
  return taken;
}

static void end_at_exit(int exit_code);

static void watch_process(void)
{
  pthread_atfork(NULL, NULL, forget_in_child);
  os_at_exit(end_at_exit);
}

void tr_init(void)
{
  static bool was_here;
  int fd = take_env_fd();
  const char *why;
  if (SIM_BUILT && !was_here) /* who exits lets the others finish, recorded or not */
    watch_process();
  was_here = true;
  if (trace.control &&
      atomic_load(&trace.control->state) != TRACE_STATE_STARTING) /* the first run began */
    atomic_fetch_add(&trace.control->untraced_runs, 1);
  if (fd < 0 || trace.control || fcntl(fd, F_SETFD, FD_CLOEXEC) < 0)
    return;
  trace.fd = fd;
  trace.control = sim_put_aside(trace_shm_map_control(fd, &why), TRACE_RINGS_OFFSET);
  if (!trace.control)
    return;
  if (!copy_geometry() || atomic_load(&trace.control->requested) != TRACE_STATE_ON ||
      !take_memory()) {
    trace_shm_unmap_control(trace.control);
    trace.control = NULL;
    return;
  }
  trace.clock = tr_pick_clock();
  atomic_store(&trace.control->clock, trace.clock);
  atomic_store(&trace.control->sim_seed, sim_seed());
  atomic_store(&trace.control->load_base, SIM_BUILT ? sim_load_base() : os_load_base());
  atomic_store(&trace.control->state, TRACE_STATE_STARTING);
  if (!SIM_BUILT)
    watch_process();
}

bool tr_wanted(void)
{
  return trace.control && !atomic_load(&trace.ended);
}

static struct trace_ring *claim_ring(void)
{
  uint32_t i = atomic_fetch_add(&trace.control->n_rings, 1);
  if (i >= trace.max_rings) {
    atomic_store(&trace.control->n_rings, trace.max_rings);
    return NULL;
  }
  const uint64_t stride = trace_ring_stride(trace.capacity);
  return sim_put_aside(trace_shm_map_ring(trace.fd, trace.capacity, stride, i), stride);
}

/* It is to be told by sysmon, which begins only now. */
static bool end_is_untold(void)
{
  return trace.control && atomic_load(&trace.control->state) != TRACE_STATE_ENDED;
}

void tr_open(struct m *mp)
{
  mp->has_door = true;
  if (!tr_wanted() && !(mp->is_sysmon && end_is_untold()))
    return;
  struct trace_ring *ring = claim_ring();
  struct door *door = ring ? sim_alloc(sizeof *door) : NULL;
  if (door) {
    door->ring = ring;
    ring->is_sysmon = mp->is_sysmon;
    trace_writer_open(&door->writer, ring, trace.capacity, mp->id, trace.clock,
                      atomic_load(&trace.control->full_blocks) ? trace.control : NULL);
    door->writer.virtual_now = sim_clock;
    atomic_fetch_add(&trace.n_open, 1);
  }
  mp->tw = door ? &door->writer : NULL;
  mp->trace_mask =
      (atomic_load(&trace.control->categories) & TRACE_FAMILY_ALL) | TRACE_FAMILY_ALWAYS;
}

void tr_silence(struct m *mp)
{
  mp->trace_mask = 0;
  if (mp->tw && trace_is_open(mp->tw))
    trace_end_open(mp->tw);
}

void tr_close(struct m *mp)
{
  struct door *door = (struct door *)mp->tw;
  mp->has_door = false;
  mp->trace_mask = 0;
  mp->tw = NULL;
  if (!door)
    return;
  atomic_fetch_sub(&trace.n_open, 1);
  if (door->writer.ring) /* else tr_end closed it */
    trace_writer_close(&door->writer);
  trace_shm_unmap_ring(door->ring, trace.capacity);
  sim_free(door);
}

void tr_begin(struct m *mp, uint32_t n_procs)
{
  if (!tr_on(mp, TRACE_FAMILY_META))
    return;
  tr_trace_begin(mp, TRACE_ABI, true, n_procs);
  tr_sync_clocks(mp, true);
  atomic_store(&trace.control->state, TRACE_STATE_ON);
}

/* The simulation's other Ms do not go on from here, so what they have begun to tell is told for them. */
static void end_open_of_all(void)
{
  for (const struct m *mp = atomic_load(&allm); SIM_BUILT && mp; mp = mp->alllink)
    if (mp->tw && trace_is_open(mp->tw))
      trace_end_open(mp->tw);
}

static void tell_end(struct m *mp, int exit_code)
{
  atomic_store(&trace.teller, os_tid());
  if (!SIM_BUILT && atomic_load(&trace.n_open) > (mp && mp->tw ? 1 : 0))
    os_usleep(END_GRACE_US); /* I3; in the simulation end_at_exit has heard them */
  end_open_of_all();
  if (mp && mp->tw) {
    mp->trace_mask = TRACE_FAMILY_ALL | TRACE_FAMILY_ALWAYS; /* it may be silent already */
    tr_sync_clocks(mp, true);
    if (trace_is_open(mp->tw))
      trace_end_open(mp->tw);
    trace_stamp(mp->tw);      /* not tr_stamp: the others have ended, this M ends here */
    mp->tw->dropping = false; /* the end is told if there is room for it alone */
    tr_trace_end(mp, (uint32_t)exit_code);
    mp->trace_mask = 0;
    trace_writer_close(mp->tw); /* the memory stays the M's: this may be a signal handler */
  }
  atomic_store(&trace.control->state, TRACE_STATE_ENDED);
}

/* The thread that ends the process has no ring: it is not the runtime's, or came when there was none left. And if nobody
 * has one, there is nothing to wait for. */
static void have_end_told(void)
{
  for (int ms = 0; ms < TELL_MS && atomic_load(&trace.n_open) > 0 &&
                   atomic_load(&trace.control->state) != TRACE_STATE_ENDED;
       ms++) {
    os_futex_wake(&sched.sysmonnote.key, 1); /* the note is left alone: that is its owners' */
    os_usleep(1000);
  }
  atomic_store(&trace.control->state, TRACE_STATE_ENDED);
}

bool tr_end_is_another_s(void)
{
  return atomic_load(&trace.ended) >= END_IS_WANTED;
}

void tr_end_for_another(struct m *mp)
{
  uint64_t wanted = atomic_load(&trace.ended);
  if (likely(wanted < END_IS_WANTED) || !mp->tw ||
      !atomic_compare_exchange_strong(&trace.ended, &wanted, END_IS_TOLD))
    return;
  tell_end(mp, (int)(uint32_t)(wanted - END_IS_WANTED));
}

/* Or the caller is who tells it. */
static bool end_is_told(void)
{
  return atomic_load(&trace.control->state) == TRACE_STATE_ENDED ||
         atomic_load(&trace.teller) == os_tid();
}

/* Another one tells it just now, or wants it told: the process shall not end before, by who comes behind him. */
static void let_end_be_told(void)
{
  for (int ms = 0; ms < TELL_MS && !end_is_told(); ms++)
    os_usleep(1000);
}

static bool end_begins(uint64_t how)
{
  uint64_t not_yet = NOT_ENDED;
  return atomic_compare_exchange_strong(&trace.ended, &not_yet, how);
}

void tr_end(int exit_code)
{
  struct m *mp = getm();
  bool can_tell = SIM_BUILT || (mp && mp->tw);
  if (!trace.control && !SIM_BUILT)
    return;
  if (!end_begins(can_tell ? END_IS_TOLD : END_IS_WANTED + (uint64_t)(uint32_t)exit_code)) {
    if (trace.control && mp)
      tr_end_for_another(mp);
    if (trace.control && !SIM_BUILT)
      let_end_be_told();
  } else if (trace.control) {
    can_tell ? tell_end(mp, exit_code) : have_end_told();
  }
}

static bool is_silent(const struct m *mp)
{
  return (mp->trace_mask & TRACE_FAMILY_ALL) == 0;
}

/* I3 in the simulation, where nobody goes on by himself. A run that is not recorded goes the same way, so its Ms are made
 * to stamp, too. */
static void hear_out(void)
{
  for (struct m *mp = atomic_load(&allm); mp && !trace.control; mp = mp->alllink)
    if (mp->has_door)
      mp->trace_mask = TRACE_FAMILY_ALL | TRACE_FAMILY_ALWAYS;
  sim_let_finish(is_silent);
}

static void end_at_exit(int status)
{
  int exit_code = status & 0xff; /* that is what others see of it */
  if (!SIM_BUILT) {
    tr_end(exit_code);
    return;
  }
  if (!end_begins(END_IS_TOLD))
    return;
  hear_out();
  if (trace.control)
    tell_end(getm(), exit_code);
}
