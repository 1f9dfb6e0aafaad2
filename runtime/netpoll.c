/* SPDX-License-Identifier: MIT */
/* netpoll.c - parking Gs until the kernel says that a file descriptor is ready.
 *
 * Go's netpoll.go.  Every descriptor has one poll_desc, found by its number in a table that only grows, so
 * a late event never meets freed memory; a sequence number in the epoll data tells events of a number's
 * earlier life.  Each direction has one word:
 *
 *   PD_NIL    nobody waits, nothing happened        PD_READY  it became ready, nobody has noticed
 *   PD_WAIT   a G is about to park                  else      the G that is parked
 *
 * I1  The word is the only meeting point of the waiting G and the poller; all changes are by CAS or
 *     exchange, so a notification is never lost and a G is made ready once.
 * I2  Events are edge-triggered: the word is reset before an operation is tried, never between the
 *     operation's EAGAIN and the wait.
 * I3  A read of TCP that returned less than it asked for has taken all there was, so there is no use in another before
 *     an edge (epoll(7) says so), unless something stopped it: the end of the stream, an error, the mark of urgent data.
 *     If that was there before the event which led to the read, this event told it, and set stops before the word; if
 *     not, an event of its own is still to come. Other descriptors have packets, lines or messages that end a read.
 * I4  One operation of a direction at a time has its word, from its beginning to its end (fdmutex.c).
 * I5  The end of a run ends all lives: the Gs it drops do not come back to let go. Who is in a blocking call then may
 *     still use the number, so it is not closed for him; what a later run does with it is that run's own affair.
 */
#include "netpoll.h"

#include "netpoll-desc.h"
#include "os.h"
#include "proc.h"
#include "sema.h"
#include "sim.h"
#include "tracedoor.h"
#include "user.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

enum {
  PD_NIL = 0,
  PD_READY = 1,
  PD_WAIT = 2
};

#define PAGE_FDS  256u
#define MAX_PAGES 4096u
#define BATCH     128
#define BREAK     UINT64_MAX /* epoll data of the eventfd */

static struct {
  int epoll, event;
  _Atomic bool inited;
  _Atomic int32_t waiters;
  _Atomic uint32_t woken; /* the eventfd was written and not yet drained */
  struct poll_desc *_Atomic pages[MAX_PAGES];
} poll = { .epoll = -1, .event = -1 };

/* ---- for the scheduler ---- */

int netpollinit(void)
{
  poll.epoll = os_epoll_create();
  if (poll.epoll < 0)
    return poll.epoll;
  poll.event = os_eventfd();
  int err = poll.event < 0 ? poll.event : os_epoll_add(poll.epoll, poll.event, BREAK, true);
  if (err < 0) {
    netpollclose();
    return err;
  }
  atomic_store(&poll.waiters, 0);
  atomic_store(&poll.woken, 0);
  atomic_store(&poll.inited, true);
  return 0;
}

/* I5. A number that was being closed stays open if a G was dropped in a call with it, or just back from one: a leak, but
 * no stranger is read or written. */
static void end_life(struct poll_desc *pd)
{
  if (atomic_load(&pd->closing) && !poll_is_in_a_call(pd))
    os_close(pd->fd);
  pd->registered = false;
  pd->closer = NULL;
  for (int i = 0; i < 2; i++) {
    pd->dirs[i].busy = false;
    pd->dirs[i].first = pd->dirs[i].last = NULL;
  }
}

void netpollclose(void)
{
  for (uint32_t page = 0; page < MAX_PAGES; page++)
    for (uint32_t i = 0; poll.pages[page] && i < PAGE_FDS; i++)
      if (poll.pages[page][i].registered)
        end_life(&poll.pages[page][i]);
  atomic_store(&poll.inited, false);
  if (poll.event >= 0)
    os_close(poll.event);
  if (poll.epoll >= 0)
    os_close(poll.epoll);
  poll.event = poll.epoll = -1;
}

bool netpollinited(void)
{
  return atomic_load_explicit(&poll.inited, memory_order_relaxed);
}

bool netpollAnyWaiters(void)
{
  return atomic_load(&poll.waiters) > 0;
}

void netpollAdjustWaiters(int32_t delta)
{
  atomic_fetch_add(&poll.waiters, delta);
}

void netpollBreak(struct m *mp)
{
  uint32_t not_woken = 0;
  if (!atomic_compare_exchange_strong(&poll.woken, &not_woken, 1))
    return; /* somebody did it already */
  tr_stamp(mp);
  tr_netpoll_break(mp);
  os_eventfd_signal(poll.event);
}

/* ---- the table ---- */

struct poll_desc *netpolldesc(int fd, bool make)
{
  if (fd < 0 || (uint32_t)fd >= PAGE_FDS * MAX_PAGES)
    return NULL;
  struct poll_desc *_Atomic *slot = &poll.pages[(uint32_t)fd / PAGE_FDS];
  struct poll_desc *page = atomic_load_explicit(slot, memory_order_acquire);
  if (!page && make) {
    struct poll_desc *fresh = calloc(PAGE_FDS, sizeof *fresh);
    if (!fresh)
      return NULL;
    if (atomic_compare_exchange_strong(slot, &page, fresh))
      page = fresh;
    else
      free(fresh);
  }
  return page ? &page[(uint32_t)fd % PAGE_FDS] : NULL;
}

/* ---- one direction's word ---- */

struct g *netpollunblock(struct poll_dir *dir, bool ready)
{
  uintptr_t old = atomic_load(&dir->word);
  for (;;) {
    if (old == PD_READY || (old == PD_NIL && !ready))
      return NULL;
    if (atomic_compare_exchange_weak(&dir->word, &old, ready ? PD_READY : PD_NIL))
      break;
  }
  if (old == PD_NIL || old == PD_WAIT)
    return NULL;
  netpollAdjustWaiters(-1);
  return (struct g *)old;
}

bool netpollnotice(struct poll_dir *dir)
{
  uintptr_t ready = PD_READY;
  return atomic_load(&dir->word) == ready &&
         atomic_compare_exchange_strong(&dir->word, &ready, PD_NIL);
}

static bool netpollblockcommit(struct g *gp, void *word)
{
  uintptr_t wait = PD_WAIT;
  if (!atomic_compare_exchange_strong((_Atomic uintptr_t *)word, &wait, (uintptr_t)gp))
    return false; /* it became ready, or was closed, in between */
  netpollAdjustWaiters(1);
  return true;
}

static int trouble(const struct poll_dir *dir)
{
  if (atomic_load(&dir->pd->closing))
    return -EBADF;
  return atomic_load(&dir->expired) ? -ETIMEDOUT : 0;
}

/* True when the descriptor became ready; false: look at trouble(). */
static bool netpollblock(struct poll_dir *dir)
{
  for (;;) {
    uintptr_t ready = PD_READY, nil = PD_NIL;
    if (atomic_compare_exchange_strong(&dir->word, &ready, PD_NIL))
      return true;
    if (atomic_compare_exchange_strong(&dir->word, &nil, PD_WAIT))
      break;
    if (nil != PD_READY)
      throw("netpoll: double wait");
  }
  /* Look again: whoever closes sets its flag before it looks at the word. */
  if (trouble(dir) == 0)
    gopark(netpollblockcommit, &dir->word, TRACE_WAIT_IO, obj_of(dir->pd));
  uintptr_t old = atomic_exchange(&dir->word, PD_NIL);
  if (old > PD_WAIT)
    throw("netpoll: corrupted poll_desc");
  return old == PD_READY;
}

/* ---- the poller ---- */

static void ready_one(struct m *mp, struct poll_dir *dir, uint32_t iomode, struct glist *list)
{
  struct g *gp = netpollunblock(dir, true);
  if (!gp)
    return;
  tr_stamp_after(mp); /* it may have begun to wait, or to be, since epoll told of the descriptor */
  tr_netpoll_ready(mp, (uint32_t)dir->pd->fd, iomode, (uint32_t)gp->goid);
  glist_push(list, gp);
}

static void ready_event(struct m *mp, const struct os_event *e, struct glist *list)
{
  struct poll_desc *pd = netpolldesc((int)(uint32_t)e->data, false);
  if (!pd || atomic_load(&pd->seq) != (uint32_t)(e->data >> 32))
    return; /* of an earlier life of this number */
  if (e->stops)
    atomic_store(&pd->stops, true);
  if (e->readable || e->error)
    ready_one(mp, &pd->dirs[POLL_READ], TRACE_IOMODE_READ, list);
  if (e->writable || e->error)
    ready_one(mp, &pd->dirs[POLL_WRITE], TRACE_IOMODE_WRITE, list);
}

struct glist netpoll(struct m *mp, int64_t delay)
{
  struct glist list = { NULL };
  struct os_event events[BATCH];
  int n = os_epoll_wait(poll.epoll, events, BATCH, delay);
  for (int i = 0; i < n; i++) {
    if (events[i].data != BREAK) {
      ready_event(mp, &events[i], &list);
    } else if (delay !=
               0) { /* only who sleeps drains: a poll in passing must not eat the wake-up */
      os_eventfd_drain(poll.event);
      MUTANT(11, (void)0, atomic_store(&poll.woken, 0));
    }
  }
  return list;
}

/* ---- a number's life ---- */

static void on_deadline(void *arg, uintptr_t seq, int64_t delay)
{
  (void)delay;
  struct poll_dir *dir = arg;
  lock_with_p(&dir->pd->lock);
  struct g *gp = NULL;
  if (seq == dir->timer_seq) {
    atomic_store(&dir->expired, true);
    gp = netpollunblock(dir, false);
  }
  unlock_with_p(&dir->pd->lock);
  if (gp)
    goready(gp, obj_of(dir->pd));
}

int netpollopen(struct poll_desc *pd, int fd)
{
  int flags = fcntl(fd, F_GETFL);
  if (flags < 0)
    return -errno;
  pd->fd = fd;
  uint32_t seq = atomic_fetch_add(&pd->seq, 1) + 1;
  pd->calls = POLL_CALLS_RETURN;
  pd->tcp = os_is_tcp(fd);
  atomic_store(&pd->stops, false);
  atomic_store(&pd->closing, false);
  for (int i = 0; i < 2; i++) {
    struct poll_dir *dir = &pd->dirs[i];
    if (!dir->pd) { /* the number's first life; what is set here a late timer of it may still look at */
      dir->pd = pd;
      timer_init(&dir->timer, TRACE_TIMERKIND_DEADLINE, on_deadline, dir);
    }
    dir->drained = false;
    atomic_store(&dir->calls, false);
    atomic_store(&dir->word, PD_NIL);
  }
  int err = os_epoll_add(poll.epoll, fd, (uint64_t)seq << 32 | (uint32_t)fd, false);
  if (err == -EPERM)
    pd->calls = POLL_CALLS_BLOCK;
  else if (err < 0)
    return err;
  else if (
      fd <=
      STDERR_FILENO) /* also if it is non-blocking now: the others may change that at any time */
    pd->calls = POLL_CALLS_MAY_BLOCK;
  else if (!(flags & O_NONBLOCK) && fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
    return -errno;
  pd->registered = true;
  object_new(pd, TRACE_OBJKIND_FD, (size_t)fd);
  return 0;
}

void netpollforget(struct poll_desc *pd)
{
  pd->registered = false;
  atomic_fetch_add(&pd->seq, 1);
  if (pd->calls != POLL_CALLS_BLOCK)
    os_epoll_del(poll.epoll, pd->fd);
}

int poll_wait(struct poll_desc *pd, enum poll_mode mode)
{
  struct poll_dir *dir = &pd->dirs[mode];
  if (dir->deadline != 0)
    timer_modify(&dir->timer, dir->deadline, 0, on_deadline, dir, dir->timer_seq);
  int err;
  do
    err = trouble(dir);
  while (err == 0 && !netpollblock(dir));
  return err;
}
