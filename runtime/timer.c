/* SPDX-License-Identifier: MIT */
/* timer.c - the life of a timer: armed, changed, stopped, run; Go 1.23's algorithm.
 *
 * There is no thread for timers: who passes through findrunnable runs what is due, in its own heap or in
 * another's. Where a timer stands in a heap, and what becomes of an entry whose timer has changed, is in
 * timer-heap.c.
 *
 * A timer that sends on a channel matters only to who looks into the channel. So it is in a heap only while a G is
 * parked there (block_timer_chan, unblock_timer_chan); else it costs nothing, and fires in the receive, or the select,
 * that finds it due (maybe_run_chan), however late that is: nobody can tell. So a ticker that nobody receives from wakes
 * no thread, does not hold up the report of a deadlock, and can be polled without going through the scheduler.
 *
 * I1  t.lock guards a timer; ts.lock a heap's array. Order: ts.lock, then t.lock.
 * I2  t.ts is set and cleared with both held; t.state has timer_heaped exactly while t.ts is set.
 * I3  min_when_modified is no later than any modified timer's when, or 0 if there is none; so
 *     timers_wake_time() is never later than the truth.
 * I4  A timer's function runs with neither lock.
 * I5  A channel timer without blocked Gs is in no heap, or a zombie there; its t.when still says when it is due.
 *     (In Go a Reset makes a zombie a live one, whoever waits, and who looks does not run a zombie. So there a ticker
 *     that is reset between two receives may stay in its heap when nobody receives any more, and a poll after a
 *     receive finds nothing until the zombie is cleaned.)
 * I6  A value goes to a channel under send_lock, if t.seq is what it was when the timer ran; stop and reset count t.seq
 *     up and empty the channel under that lock. So what is received after them is not from before. Order: send_lock,
 *     then the channel's lock, then I1's.
 */
#include "os.h"
#include "sim.h"
#include "timer-heap.h"

/* ---- running ---- */

static void run_func(struct timer *t, timer_func *f, void *arg, uintptr_t seq, int64_t delay,
                     bool is_chan)
{
  if (!is_chan) {
    f(arg, seq, delay);
    return;
  }
  lock2(&t->send_lock);
  atomic_fetch_sub(&t->is_sending, 1);
  if (t->seq == seq) /* else it was stopped or reset meanwhile */
    f(arg, seq, delay);
  unlock2(&t->send_lock);
}

static void has_run(struct m *mp, struct timer *t)
{
  lock_timer(mp, t);
  t->running--;
  unlock_and_free(t, t->given_up && t->running == 0 && !(t->state & timer_heaped));
}

/* What becomes of the root, t, which fires: it leaves its heap, or goes on to its next time, if it has one. */
static void after_firing(struct m *mp, struct timers *ts, struct timer *t)
{
  bool free_it = false;
  t->state |= timer_modified;
  if (t->when == 0) {
    t->state |= timer_zombie;
    count_zombies(ts, 1);
  } else {
    tr_timer_modify(mp, t->id, ts->p, (uint64_t)t->when);
  }
  update_heap(mp, ts, t, TRACE_HEAPSTEP_FIRED, &free_it);
}

/* Runs t, whose lock is held and which is due: the root of ts, or a channel timer that no heap runs: ts is NULL. The
 * locks are let go meanwhile, the heap's taken again. */
static void unlock_and_run(struct m *mp, struct timers *ts, struct timer *t, int64_t now)
{
  timer_func *f = t->f;
  void *arg = t->arg;
  uintptr_t seq = t->seq;
  bool is_chan = t->is_chan, freeable = t->freeable;
  int64_t delay = now - t->when, next = 0;
  tr_timer_fire(mp, t->id, ts ? ts->p : TRACE_NO_P, (uint64_t)delay);
  if (t->period > 0 && __builtin_add_overflow(t->when, t->period * (1 + delay / t->period), &next))
    next = INT64_MAX;
  t->when = next;
  if (ts)
    after_firing(mp, ts, t);
  if (is_chan)
    atomic_fetch_add(&t->is_sending, 1);
  t->running += freeable;
  unlock_timer(t);
  if (ts)
    unlock_timers(mp, ts);
  run_func(t, f, arg, seq, delay, is_chan);
  if (freeable) /* else it may be gone, or armed anew */
    has_run(mp, t);
  if (ts)
    lock_timers(mp, ts);
}

/* Runs the root, mended first. 0: it ran; > 0: nothing is due before; -1: empty. */
static int64_t run_root(struct m *mp, struct timers *ts, int64_t now)
{
  now = MUTANT(24, now + 1000, now);
  while (ts->n > 0) {
    struct timer *t = ts->heap[0].timer;
    bool free_it = false;
    if (!stale(t) && ts->heap[0].when > now)
      return ts->heap[0].when;
    lock_timer(mp, t);
    if (update_heap(mp, ts, t, TRACE_HEAPSTEP_ROOT, &free_it)) {
      unlock_and_free(t, free_it);
      continue;
    }
    if (t->when > now) {
      int64_t when = t->when;
      unlock_timer(t);
      return when;
    }
    unlock_and_run(mp, ts, t, now);
    return 0;
  }
  return -1;
}

static bool many_zombies(struct m *mp, struct timers *ts)
{
  return ts == &((struct p *)mp->p)->timers &&
         atomic_load(&ts->zombies) > (int32_t)(atomic_load(&ts->len) / 4);
}

int64_t timers_check(struct m *mp, struct timers *ts, int64_t now, int64_t *poll_until, bool *ran)
{
  int64_t next = timers_wake_time(ts);
  if (next == 0)
    return now;
  if (now == 0)
    now = os_now();
  if (now < next && !many_zombies(mp, ts)) {
    *poll_until = next;
    return now;
  }
  lock_timers(mp, ts);
  if (ts != &((struct p *)mp->p)->timers && ts->n > 0)
    tr_timer_run_other(mp, ts->p);
  adjust(mp, ts, now, false);
  int64_t when;
  while ((when = run_root(mp, ts, now)) == 0)
    *ran = true;
  if (when > 0)
    *poll_until = when;
  if (many_zombies(mp, ts))
    adjust(mp, ts, now, true);
  unlock_timers(mp, ts);
  return now;
}

/* ---- arming and stopping ---- */

bool timer_make_room(void)
{
  struct timers *ts = &((struct p *)getm()->p)->timers;
  lock_with_p(&ts->lock);
  bool room = has_room(ts);
  unlock_with_p(&ts->lock);
  return room;
}

void timer_init(struct timer *t, uint32_t kind, timer_func *f, void *arg)
{
  t->kind = kind;
  t->f = f;
  t->arg = arg;
}

int64_t timer_when(int64_t ns)
{
  int64_t when;
  if (ns < 0)
    ns = 0;
  return __builtin_add_overflow(os_now(), ns, &when) ? INT64_MAX : when;
}

static bool is_wanted(const struct timer *t)
{
  return !t->is_chan || t->blocked > 0;
}

static bool needs_add(const struct timer *t)
{
  return !(t->state & timer_heaped) && t->when > 0 && is_wanted(t);
}

/* Into the heap of the current P, unless somebody was faster. If whoever sleeps in netpoll must know, for when; else 0. */
static int64_t add_if_needed(struct m *mp, struct timer *t, bool is_new)
{
  struct timers *ts = &((struct p *)mp->p)->timers;
  int64_t when = 0;
  bool wake = false;
  lock_timers(mp, ts);
  clean_head(mp, ts);
  if (!is_new)
    lock_timer(mp, t);
  if (needs_add(t)) {
    t->state |= timer_heaped;
    when = t->when;
    int64_t wake_time = timers_wake_time(ts);
    wake = wake_time == 0 || MUTANT(35, false, when < wake_time);
    add_heap(mp, ts, t);
  }
  if (is_new) /* nobody else saw it until the heap is unlocked */
    atomic_store_explicit(&t->astate, t->state, memory_order_release);
  else
    unlock_timer(t);
  unlock_timers(mp, ts);
  return wake ? when : 0;
}

static void maybe_add(struct m *mp, struct timer *t, bool is_new)
{
  int64_t when = add_if_needed(mp, t, is_new);
  if (when != 0)
    wake_net_poller(mp, when);
}

/* Lock held, or nobody else knows it. */
static void name_timer(struct m *mp, struct timer *t)
{
  if (mp->curg)
    t->owner = (uint32_t)getg()->goid;
  t->id = tr_timer_id();
  tr_timer_new(mp, t->id, t->kind, MUTANT(114, t->owner + 1, t->owner));
}

/* lock held; it is in a heap: true if that heap's earliest may have changed. */
static bool modify_in_heap(struct m *mp, struct timer *t, int64_t when)
{
  t->state |= timer_modified;
  if (t->state & timer_zombie) {
    count_zombies(t->ts, -1);
    t->state &= (uint8_t)~timer_zombie;
  }
  tr_timer_modify(mp, t->id, t->ts->p, (uint64_t)when);
  /* Before the look: adjust() clears min_when_modified and then looks at the states. So either it sees that this
   * timer is modified, or its 0 is seen here. (Stored only after the look, a timer could fire as late as it was
   * set before; found by simulation.) */
  atomic_store(&t->astate, t->state);
  int64_t least = atomic_load(&t->ts->min_when_modified);
  if (least != 0 && when >= least)
    return false;
  lower_min_when_modified(t->ts, when);
  return true;
}

void timer_name(struct timer *t)
{
  struct m *mp = getm();
  if (t->state & timer_heaped)
    throw("timer_name: the timer is in a heap under another name");
  tr_stamp(mp);
  name_timer(mp, t);
}

bool timer_modify(struct timer *t, int64_t when, int64_t period, timer_func *f, void *arg,
                  uintptr_t seq)
{
  struct m *mp = getm();
  bool wake = false;
  if (when <= 0)
    when = 1;
  if (t->is_chan)
    lock2(&t->send_lock);
  lock_timer(mp, t);
  if (t->id == 0)
    name_timer(mp, t);
  bool pending = t->when > 0, once = t->period == 0;
  t->period = period;
  if (f) {
    t->f = f;
    t->arg = arg;
    t->seq = seq;
  }
  t->when = when;
  if ((t->state & timer_heaped) && is_wanted(t))
    wake = modify_in_heap(mp, t, when);
  else if (t->state & timer_heaped)
    t->state |= timer_modified; /* a zombie till somebody waits for it: block_timer_chan */
  bool add = needs_add(t);
  if (t->is_chan) {
    t->seq++;
    pending |= once && atomic_load(&t->is_sending) > 0;
  }
  unlock_timer(t);
  if (t->is_chan) {
    pending |= timer_chan_drain(t);
    unlock2(&t->send_lock);
  }
  if (add)
    maybe_add(mp, t, false);
  if (MUTANT(36, false, wake))
    wake_net_poller(mp, when);
  return pending;
}

void timer_start(struct timer *t, int64_t when)
{
  struct m *mp = getm();
  tr_stamp(mp);
  if (t->id == 0)
    name_timer(mp, t);
  t->when = when > 0 ? when : 1;
  if (needs_add(t))
    maybe_add(mp, t, true);
}

bool timer_reset(struct timer *t, int64_t when, int64_t period)
{
  return timer_modify(t, when, period, NULL, NULL, 0);
}

static bool stop_locked(struct m *mp, struct timer *t)
{
  bool pending = t->when > 0;
  if (t->state & timer_heaped) {
    t->state |= timer_modified;
    if (!(t->state & timer_zombie)) {
      t->state |= timer_zombie;
      count_zombies(t->ts, 1);
      tr_timer_stop(mp, t->id, t->ts->p, pending);
    }
  }
  t->when = 0;
  if (t->is_chan) {
    t->seq++;
    pending |= t->period == 0 && atomic_load(&t->is_sending) > 0;
  }
  return pending;
}

bool timer_stop(struct timer *t)
{
  struct m *mp = getm();
  if (t->is_chan)
    lock2(&t->send_lock);
  lock_timer(mp, t);
  bool pending = stop_locked(mp, t);
  unlock_timer(t);
  if (t->is_chan) {
    pending |= timer_chan_drain(t);
    unlock2(&t->send_lock);
  }
  return pending;
}

void timer_give_up(struct timer *t)
{
  struct m *mp = getm();
  if (t->is_chan)
    timer_stop(t);
  lock_timer(mp, t);
  if (!t->is_chan)
    stop_locked(mp, t);
  t->given_up = true;
  unlock_and_free(t, !(t->state & timer_heaped) && !t->running);
}

/* ---- channel timers: who waits for them ---- */

/* Who runs that heap sees to it. */
static bool is_served(uint8_t state)
{
  return (state & (timer_heaped | timer_zombie)) == timer_heaped;
}

void maybe_run_chan(struct timer *t)
{
  if (is_served(atomic_load_explicit(&t->astate, memory_order_acquire)))
    return;
  struct m *mp = getm();
  lock_timer(mp, t);
  int64_t now = os_now();
  if (is_served(t->state) || t->when == 0 || t->when > now) {
    unlock_timer(t);
    return;
  }
  if (t->state & timer_heaped)
    t->state |= timer_modified; /* the zombie's entry does not have its next time */
  unlock_and_run(mp, NULL, t, now);
}

/* lock held; it is a zombie in a heap, and set: true as of modify_in_heap. */
static bool revive(struct m *mp, struct timer *t)
{
  if (t->state & timer_modified) /* its entry has an older time */
    return modify_in_heap(mp, t, t->when);
  count_zombies(t->ts, -1);
  t->state &= (uint8_t)~timer_zombie;
  tr_timer_wait(mp, t->id, t->ts->p, true);
  return false;
}

int64_t block_timer_chan(struct timer *t)
{
  struct m *mp = getm();
  bool wake = false;
  lock_timer(mp, t);
  t->blocked++;
  if ((t->state & timer_zombie) && t->when > 0)
    wake = MUTANT(32, false, revive(mp, t));
  bool add = needs_add(t);
  int64_t when = t->when;
  unlock_timer(t);
  if (add)
    return MUTANT(31, 0, add_if_needed(mp, t, false));
  return MUTANT(38, false, wake) ? when : 0;
}

void unblock_timer_chan(struct timer *t)
{
  struct m *mp = getm();
  lock_timer(mp, t);
  if (t->blocked == 0)
    throw("unblock_timer_chan: nobody waits");
  t->blocked--;
  if (MUTANT(33, false, !is_wanted(t)) && (t->state & timer_heaped) && !(t->state & timer_zombie)) {
    t->state |= timer_zombie; /* its time stays: it may be waited for again, or looked at */
    count_zombies(t->ts, 1);
    tr_timer_wait(mp, t->id, t->ts->p, false);
  }
  unlock_timer(t);
}
