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
 * I4  An operation has its direction from its beginning to its end, however often it tries and waits, as under Go's
 *     fdMutex: busy says so. A descriptor that is closed while an operation is under way is closed behind the last one,
 *     so the number is nobody else's before that. Who waits for a direction does not hold it: close sends him away.
 * I5  The end of a run ends all lives: the Gs it drops do not come back to let go.
 *
 * Cost: an operation that need not wait costs no system call beyond itself, and takes the lock twice; a wait is a park.
 */
#include "netpoll.h"

#include "os.h"
#include "poll-desc.h"
#include "proc.h"
#include "sema.h"
#include "sim.h"
#include "tracedoor.h"
#include "user.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
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

struct turn { /* a G that waits for its turn; in its frame */
  struct g *gp;
  struct turn *next;
  uintptr_t ticket;
  int64_t deadline;
  int result; /* 0: it has the turn; else -errno */
};

struct poll_dir {
  struct poll_desc *pd;
  _Atomic uintptr_t word;
  bool drained;              /* I3; who has the turn */
  _Atomic bool calls;        /* in a call that may block */
  bool busy;                 /* I4; pd->lock, as the next three */
  struct turn *first, *last; /* Gs whose turn comes later */
  uintptr_t tickets;         /* given to them */
  int64_t deadline;          /* of the operation under way; 0 none; who has the turn */
  _Atomic bool expired;
  struct timer timer;
  uintptr_t timer_seq; /* an expiry with another number is stale */
};

struct poll_desc {
  struct mutex lock; /* guards all but dirs' words; only an M with a P takes it */
  int fd;
  _Atomic uint32_t seq; /* of this life of the number */
  bool registered;
  enum poll_calls calls;
  bool tcp;
  _Atomic bool stops; /* os_event's, once it was so; I3 */
  _Atomic bool closing;
  struct g *closer; /* that waits for the last operation, or NULL */
  struct poll_dir dirs[2];
};

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

/* I5. A G that was dropped in a blocking call may still use the number, which then stays open: a leak, but no stranger
 * is read or written. */
static void end_life(struct poll_desc *pd)
{
  bool busy = pd->dirs[POLL_READ].busy || pd->dirs[POLL_WRITE].busy;
  if (atomic_load(&pd->closing) && !(busy && pd->calls != POLL_CALLS_RETURN))
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

/* NULL: no such number, or no memory. */
static struct poll_desc *desc_of(int fd, bool make)
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

/* Leaves ready ? PD_READY : PD_NIL in the word; the G that was parked there, if any, is the caller's. */
static struct g *netpollunblock(struct poll_dir *dir, bool ready)
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
  struct poll_desc *pd = desc_of((int)(uint32_t)e->data, false);
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

/* ---- for net.c ---- */

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

/* A new life of the number begins; pd->lock held. 0 or -errno. */
static int register_desc(struct poll_desc *pd, int fd)
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
    dir->drained = dir->calls = false;
    atomic_store(&dir->word, PD_NIL);
  }
  int err = os_epoll_add(poll.epoll, fd, (uint64_t)seq << 32 | (uint32_t)fd, false);
  if (err == -EPERM)
    pd->calls = POLL_CALLS_BLOCK;
  else if (err < 0)
    return err;
  else if (!(flags & O_NONBLOCK) && fd <= STDERR_FILENO)
    pd->calls = POLL_CALLS_MAY_BLOCK;
  else if (!(flags & O_NONBLOCK) && fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
    return -errno;
  pd->registered = true;
  object_new(pd, TRACE_OBJKIND_FD, (size_t)fd);
  return 0;
}

enum poll_calls poll_calls_of(const struct poll_desc *pd)
{
  return pd->calls;
}

/* poll_close stores closing, and reads this. */
bool poll_call(struct poll_desc *pd, enum poll_mode mode, bool begins)
{
  atomic_store(&pd->dirs[mode].calls, begins);
  return !atomic_load(&pd->closing);
}

/* pd->lock held. */
static struct turn *dequeue_turn(struct poll_dir *dir, uintptr_t ticket)
{
  struct turn **at = &dir->first, *before = NULL;
  for (; *at && ticket && (*at)->ticket != ticket; at = &(*at)->next)
    before = *at;
  struct turn *found = *at;
  if (!found)
    return NULL;
  *at = found->next;
  if (dir->last == found)
    dir->last = before;
  return found;
}

/* Found by its ticket, since the G may be past its waiting, and its frame gone. */
static void on_turn_deadline(void *arg, uintptr_t ticket, int64_t delay)
{
  struct poll_dir *dir = arg;
  (void)delay;
  lock_with_p(&dir->pd->lock);
  struct turn *turn = dequeue_turn(dir, ticket);
  struct g *gp = turn ? turn->gp : NULL;
  if (turn)
    turn->result = -ETIMEDOUT;
  unlock_with_p(&dir->pd->lock);
  if (gp)
    goready(gp, obj_of(dir->pd));
}

/* A timer of its own, since one that is stopped may stay in its heap: the G's is in none when the G runs. NULL: out
 * of memory. */
static struct timer *turn_timer(struct poll_dir *dir, uintptr_t ticket, int64_t deadline)
{
  struct timer *t = timer_has_room() ? calloc(1, sizeof *t) : NULL;
  if (!t)
    return NULL;
  t->freeable = t->of_frame = true;
  t->seq = ticket;
  timer_init(t, TRACE_TIMERKIND_DEADLINE, on_turn_deadline, dir);
  timer_name(t);
  t->when = deadline; /* armed when the G has parked */
  return t;
}

struct turn_wait {
  struct poll_dir *dir;
  struct timer *timer; /* or NULL */
};

static bool arm_and_unlock(struct g *gp, void *arg)
{
  const struct turn_wait *wait = arg;
  struct mutex *lock = &wait->dir->pd->lock; /* the frame may be gone once it is released */
  (void)gp;
  if (wait->timer)
    timer_start(wait->timer, wait->timer->when);
  unlock_with_p(lock);
  return true;
}

/* pd->lock held, and released: parks until the turn comes. 0 with the turn taken, or -errno. */
static int wait_for_turn(struct poll_dir *dir, int64_t deadline)
{
  struct turn turn = { .gp = getg(), .ticket = ++dir->tickets, .deadline = deadline };
  struct turn_wait wait = { dir, deadline ? turn_timer(dir, turn.ticket, deadline) : NULL };
  if (deadline && !wait.timer) {
    unlock_with_p(&dir->pd->lock);
    return -ENOMEM;
  }
  if (dir->last)
    dir->last->next = &turn;
  else
    dir->first = &turn;
  dir->last = &turn;
  gopark(arm_and_unlock, &wait, TRACE_WAIT_IO, obj_of(dir->pd));
  if (wait.timer)
    timer_give_up(wait.timer);
  return turn.result;
}

/* pd->lock held. */
static void have_turn(struct poll_dir *dir, int64_t deadline)
{
  dir->busy = true;
  dir->deadline = deadline;
  dir->timer_seq++;
  atomic_store_explicit(&dir->expired, false, memory_order_relaxed);
}

/* 0 with the turn taken; -errno. */
static int take_turn(struct poll_desc *pd, int fd, struct poll_dir *dir, int64_t deadline)
{
  int err = 0;
  lock_with_p(&pd->lock);
  if (!pd->registered)
    err = register_desc(pd, fd);
  else if (atomic_load(&pd->closing))
    err = -EBADF;
  else if (dir->busy)
    return wait_for_turn(dir, deadline);
  if (err == 0)
    have_turn(dir, deadline);
  unlock_with_p(&pd->lock);
  return err;
}

struct poll_desc *poll_begin(int fd, enum poll_mode mode, int64_t deadline, int *err)
{
  struct poll_desc *pd = desc_of(fd, true);
  if (!pd) { /* the number may be beyond what we have room for */
    *err = fcntl(fd, F_GETFD) < 0 ? -errno : -ENOMEM;
    return NULL;
  }
  struct poll_dir *dir = &pd->dirs[mode];
  *err = take_turn(pd, fd, dir, deadline);
  if (*err != 0)
    return NULL;
  if (deadline != 0 && deadline <= os_now()) {
    *err = -ETIMEDOUT;
    poll_end(pd, mode);
    return NULL;
  }
  uintptr_t ready = PD_READY;
  if (atomic_load(&dir->word) == ready &&
      atomic_compare_exchange_strong(&dir->word, &ready, PD_NIL))
    dir->drained = false;
  return pd;
}

bool poll_is_drained(const struct poll_desc *pd)
{
  return pd->dirs[POLL_READ].drained && !atomic_load(&pd->stops);
}

void poll_set_drained(struct poll_desc *pd, bool drained)
{
  pd->dirs[POLL_READ].drained = drained && pd->tcp;
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

/* pd->lock held: closes the number if its last user has let go. NULL, or the G that waits for that. *lingers: as
 * os_put_off_linger. */
static struct g *close_behind_the_last(struct poll_desc *pd, int *lingers)
{
  if (!atomic_load(&pd->closing) || pd->dirs[POLL_READ].busy || pd->dirs[POLL_WRITE].busy)
    return NULL;
  struct g *closer = pd->closer;
  pd->closer = NULL;
  pd->registered = false;
  atomic_fetch_add(&pd->seq, 1); /* events under way are of an earlier life */
  if (pd->calls != POLL_CALLS_BLOCK)
    os_epoll_del(poll.epoll, pd->fd);
  *lingers = os_put_off_linger(pd->fd);
  os_close(pd->fd); /* under the lock, since the number may be somebody's at once */
  return closer;
}

void poll_end(struct poll_desc *pd, enum poll_mode mode)
{
  struct poll_dir *dir = &pd->dirs[mode];
  int lingers = -1;
  if (dir->deadline != 0)
    timer_stop(&dir->timer);
  lock_with_p(&pd->lock);
  struct turn *next = dequeue_turn(dir, 0);
  struct g *gp = next ? next->gp : NULL;
  dir->busy = false;
  if (next)
    have_turn(dir, next->deadline);
  else
    gp = close_behind_the_last(pd, &lingers);
  unlock_with_p(&pd->lock);
  close_slowly(lingers);
  if (gp)
    goready(gp, obj_of(pd));
}

/* pd->lock held: who waits, for the descriptor or for his turn, to be made ready after the unlock. */
static void send_away(struct poll_dir *dir, struct gqueue *away)
{
  struct g *gp = netpollunblock(dir, false);
  if (gp)
    gqueue_push(away, gp);
  for (struct turn *turn; (turn = dequeue_turn(dir, 0));) {
    turn->result = -EBADF;
    gqueue_push(away, turn->gp);
  }
}

/* Until the number's life seq is over. */
static void wait_until_closed(struct poll_desc *pd, uint32_t seq)
{
  lock_with_p(&pd->lock);
  if (atomic_load(&pd->seq) != seq) {
    unlock_with_p(&pd->lock);
    return;
  }
  pd->closer = getg();
  goparkunlock(&pd->lock, TRACE_WAIT_SEMACQUIRE, obj_of(pd));
}

/* pd->lock held: of a number that nobody used here. */
static int close_unknown(int fd, int *lingers)
{
  *lingers = os_put_off_linger(fd);
  return close(fd) < 0 ? -errno : 0;
}

int poll_close(int fd)
{
  struct poll_desc *pd = desc_of(fd, os_is_open(fd)); /* a new one, too: its user may be near */
  struct gqueue away = { 0 };
  int lingers = -1;
  if (!pd)
    return close(fd) < 0 ? -errno : 0;
  lock_with_p(&pd->lock);
  if (!pd->registered || atomic_load(&pd->closing)) {
    int err = pd->registered ? -EBADF : close_unknown(fd, &lingers);
    unlock_with_p(&pd->lock);
    close_slowly(lingers);
    return err;
  }
  atomic_store(&pd->closing, true);
  uint32_t seq = atomic_load(&pd->seq);
  bool blocks = pd->calls == POLL_CALLS_BLOCK || pd->dirs[0].calls || pd->dirs[1].calls;
  send_away(&pd->dirs[POLL_READ], &away);
  send_away(&pd->dirs[POLL_WRITE], &away);
  close_behind_the_last(pd, &lingers);
  unlock_with_p(&pd->lock);
  for (struct g *gp; (gp = gqueue_pop(&away));)
    goready(gp, obj_of(pd));
  close_slowly(lingers);
  if (!blocks) /* else the last may stay away for long */
    wait_until_closed(pd, seq);
  return 0;
}
