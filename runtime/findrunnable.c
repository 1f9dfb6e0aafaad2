/* SPDX-License-Identifier: MIT */
/* findrunnable.c - where an M looks for a G, and how it goes to sleep when there is none.
 *
 * The order is Go's: the world's stop, own timers, one in 61 the global queue, own queue, global queue,
 * netpoll without blocking, other Ps' queues (four passes; their timers and runnext only on the last).
 * Then the P is given up, and after that everything is looked at once more (wake.c, I3); then one M sleeps
 * in netpoll until the next timer, and the others on their notes.
 *
 * handoffp must start an M in every situation in which this would return a G.
 */
#include "netpoll.h"
#include "os.h"
#include "proc.h"
#include "schedlock.h"
#include "sim.h"
#include "tracedoor.h"

#define GLOBAL_CHECK 61
#define STEAL_PASSES 4

struct search {
  int64_t now;        /* 0: not looked at yet */
  int64_t poll_until; /* earliest timer; 0: none */
  bool was_spinning;
  bool *inherit; /* the G found was in runnext */
};

static void earlier(int64_t *until, int64_t when)
{
  if (when != 0 && (*until == 0 || when < *until))
    *until = when;
}

static void become_spinning(struct m *mp)
{
  mp->spinning = true;
  atomic_fetch_add(&sched.nmspinning, 1);
  atomic_store(&sched.needspinning, 0);
  tr_stamp(mp);
  tr_m_spinning_begin(mp);
}

static struct g *global_one(struct m *mp)
{
  lock_sched();
  tr_stamp_after(mp);
  struct g *gp = globrunqget(mp);
  unlock_sched();
  return gp;
}

static struct g *global_batch(struct m *mp, struct p *pp)
{
  if (atomic_load(&sched.runqsize) == 0)
    return NULL;
  lock_sched();
  tr_stamp_after(mp);
  struct g *gp = globrunqgetbatch(mp, pp);
  unlock_sched();
  return gp;
}

/* The first of the list, made runnable, in hand; the others on queues. */
static struct g *first_ready(struct m *mp, struct glist *list)
{
  struct g *gp = glist_pop(list);
  injectglist(list);
  tr_stamp_after(mp);
  gp->seq++;
  tr_go_unblock(mp, (uint32_t)gp->goid, gp->seq, gp->wait_obj);
  casgstatus(gp, Gwaiting, Grunnable);
  return gp;
}

/* Only if somebody waits there, nobody sleeps in it, and nobody else does just this. */
static struct g *poll_now(struct m *mp)
{
  if (!netpollinited() || !netpollAnyWaiters() || atomic_load(&sched.lastpoll) == 0 ||
      atomic_exchange(&sched.polling_net, 1) != 0)
    return NULL;
  struct glist list = netpoll(mp, 0);
  atomic_store(&sched.polling_net, 0);
  return glist_empty(&list) ? NULL : first_ready(mp, &list);
}

/* ---- stealing ---- */

static uint32_t gcd(uint32_t a, uint32_t b)
{
  while (b) {
    uint32_t rest = a % b;
    a = b;
    b = rest;
  }
  return a;
}

static bool mask_bit(const _Atomic uint64_t *mask, uint32_t i)
{
  return atomic_load(&mask[i / 64]) >> (i % 64) & 1;
}

/* Runs the due timers of another P; true if one ran. */
static bool steal_timers(struct m *mp, struct p *victim, struct search *s)
{
  int64_t until = 0;
  bool ran = false;
  s->now = timers_check(mp, &victim->timers, s->now, &until, &ran);
  earlier(&s->poll_until, until);
  return ran;
}

/* One visit. *again: timers ran, so everything may have changed. */
static struct g *visit(struct m *mp, struct p *victim, bool last, struct search *s, bool *again)
{
  struct p *pp = mp->p;
  if (last && MUTANT(23, false, mask_bit(timer_p_mask, victim->id)) &&
      steal_timers(mp, victim, s)) {
    struct g *gp = runqget(mp, pp, s->inherit); /* the timers may have readied one here */
    if (gp)
      return gp;
    *again = true;
  }
  return mask_bit(idle_p_mask, victim->id) ? NULL : runqsteal(mp, pp, victim, last);
}

static struct g *steal_work(struct m *mp, struct search *s, bool *again)
{
  struct p *pp = mp->p;
  uint32_t n = (uint32_t)sched.gomaxprocs;
  for (int pass = 0; pass < STEAL_PASSES; pass++) {
    uint32_t at = fastrand(&mp->rand) % n, step = fastrand(&mp->rand) % n + 1;
    while (gcd(step, n) != 1)
      step = step % n + 1;
    sim_choice(mp, TRACE_CHOICE_VICTIM, n, at);
    for (uint32_t i = 0; i < n; i++, at = (at + step) % n) {
      if (atomic_load(&sched.gcwaiting)) {
        *again = true;
        return NULL;
      }
      if (allp[at] == pp)
        continue;
      struct g *gp = visit(mp, allp[at], pass == STEAL_PASSES - 1, s, again);
      if (gp)
        return gp;
    }
  }
  return NULL;
}

static bool may_spin(const struct m *mp)
{
  int32_t busy = sched.gomaxprocs - atomic_load(&sched.npidle);
  return mp->spinning || 2 * atomic_load(&sched.nmspinning) < busy;
}

/* ---- giving the P up ---- */

/* Under sched.lock, the last look with a P. True: the P is idle now. False: *gp, or look again. */
static bool give_up_p(struct m *mp, struct g **gp)
{
  struct p *pp = mp->p;
  *gp = NULL;
  lock_sched();
  tr_stamp_after(mp);
  if (atomic_load(&sched.gcwaiting) || (*gp = globrunqgetbatch(mp, pp)) != NULL) {
    unlock_sched();
    return false;
  }
  if (!mp->spinning && atomic_load(&sched.needspinning)) {
    unlock_sched();
    become_spinning(mp);
    return false;
  }
  pidleput(mp, releasep(mp));
  unlock_sched();
  return true;
}

/* Takes an idle P, to go back to work. */
static bool regain_p(struct m *mp, bool spin)
{
  lock_sched();
  tr_stamp_after(mp);
  struct p *pp = spin ? pidlegetSpinning(mp) : pidleget(mp);
  unlock_sched();
  if (!pp)
    return false;
  acquirep(mp, pp);
  if (spin)
    become_spinning(mp);
  return true;
}

static bool work_somewhere(void)
{
  if (atomic_load(&sched.runqsize) != 0)
    return true;
  for (int32_t i = 0; i < sched.gomaxprocs; i++)
    if (!mask_bit(idle_p_mask, (uint32_t)i) && !runqempty(allp[i]))
      return true;
  return false;
}

static void look_at_timers(struct search *s)
{
  for (int32_t i = 0; i < sched.gomaxprocs; i++)
    if (MUTANT(25, false, mask_bit(timer_p_mask, (uint32_t)i)))
      earlier(&s->poll_until, timers_wake_time(&allp[i]->timers));
}

/* Without a P: the second look of wake.c's I3. True: there is work, and a P for it. */
static bool look_again(struct m *mp, struct search *s)
{
  if (mp->spinning) {
    mp->spinning = false;
    tr_stamp(mp);
    tr_m_spinning_end(mp, false);
    if (atomic_fetch_sub(&sched.nmspinning, 1) <= 0)
      throw("findrunnable: negative nmspinning");
  } else if (atomic_load(&sched.needspinning) == 0) {
    return false;
  }
  if (MUTANT(3, false, work_somewhere()) && regain_p(mp, true))
    return true;
  look_at_timers(s);
  return false;
}

/* ---- sleeping ---- */

/* As the only one, sleeps in netpoll. True: this M has a P again, and maybe *gp. */
static bool poll_blocking(struct m *mp, struct search *s, struct g **gp)
{
  *gp = NULL;
  atomic_store(&sched.poll_until, s->poll_until);
  int64_t delay = -1;
  if (s->poll_until != 0) {
    delay = s->poll_until - os_now();
    if (delay < 0)
      delay = 0;
  }
  tr_stamp_after(mp);
  tr_m_poll_begin(mp, MUTANT(120, UINT64_MAX, (uint64_t)delay));
  struct glist list = netpoll(mp, delay);
  uint32_t n = 0;
  for (const struct g *each = list.head; each; each = each->schedlink)
    n++;
  s->now = os_now();
  tr_stamp(mp);
  tr_m_poll_end(mp, n);
  atomic_store(&sched.poll_until, 0);
  atomic_store(&sched.lastpoll, s->now);
  if (!regain_p(mp, false)) {
    injectglist(&list);
    return false;
  }
  if (!glist_empty(&list))
    *gp = first_ready(mp, &list);
  else if (s->was_spinning)
    become_spinning(mp);
  return true;
}

/* Without a P and without hope: true when there is one again, and maybe *gp. */
static bool sleep_for_work(struct m *mp, struct search *s, struct g **gp)
{
  *gp = NULL;
  bool wants_poll = netpollinited() && (netpollAnyWaiters() || s->poll_until != 0);
  int64_t last = wants_poll ? atomic_exchange(&sched.lastpoll, 0) : 0;
  /* The run's end breaks the poll once, and that may have been for another M, which this one follows. */
  if (last != 0 && MUTANT(42, false, atomic_load(&sched.ended))) {
    atomic_store(&sched.lastpoll, last);
  } else if (last != 0) {
    if (poll_blocking(mp, s, gp))
      return true;
  } else if (s->poll_until != 0 && netpollinited()) {
    int64_t until = atomic_load(&sched.poll_until);
    if (until == 0 || until > s->poll_until)
      MUTANT(34, (void)0, netpollBreak(mp));
  }
  stopm(mp);
  return !mp->leaving;
}

/* ---- all together ---- */

/* What this P and the queues have at hand, without stealing. */
static struct g *look_near(struct m *mp, struct search *s)
{
  struct p *pp = mp->p;
  bool ran = false;
  *s->inherit = false;
  s->now = timers_check(mp, &pp->timers, 0, &s->poll_until, &ran);
  uint32_t tick = atomic_load_explicit(&pp->schedtick, memory_order_relaxed);
  if (tick % GLOBAL_CHECK == 0 && atomic_load(&sched.runqsize) != 0) {
    struct g *gp = global_one(mp);
    if (gp)
      return gp;
  }
  struct g *gp = runqget(mp, pp, s->inherit);
  if (!gp)
    gp = global_batch(mp, pp);
  return gp ? gp : poll_now(mp);
}

/* What other Ps have. *again: start over. */
static struct g *look_far(struct m *mp, struct search *s, bool *again)
{
  if (sched.gomaxprocs == 1 || !may_spin(mp))
    return NULL;
  if (!mp->spinning)
    become_spinning(mp);
  return steal_work(mp, s, again);
}

struct g *findrunnable(struct m *mp, bool *inherit)
{
  while (!mp->leaving) {
    struct search s = { .inherit = inherit };
    bool again = false;
    if (!mp->p) {
      stopm(mp);
      continue;
    }
    if (atomic_load(&sched.gcwaiting)) {
      gcstopm(mp);
      continue;
    }
    tr_stamp(mp);
    struct g *gp = look_near(mp, &s);
    if (!gp)
      gp = look_far(mp, &s, &again);
    if (gp)
      return gp;
    if (again)
      continue;
    s.was_spinning = mp->spinning;
    if (!give_up_p(mp, &gp)) {
      if (gp)
        return gp;
      continue;
    }
    if (look_again(mp, &s))
      continue;
    if (sleep_for_work(mp, &s, &gp) && gp)
      return gp;
  }
  return NULL;
}
