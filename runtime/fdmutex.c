/* SPDX-License-Identifier: MIT */
/* fdmutex.c - whose turn it is to read from a file descriptor or to write to it, and who closes it.
 *
 * Go's internal/poll.FD with its fdMutex. Each direction has one user at a time and a queue of who comes next, in their
 * own frames. What it means to wait for the kernel is netpoll.c's.
 *
 * I1  An operation has its direction from its beginning to its end, however often it tries and waits: busy says so.
 * I2  A descriptor that is closed while an operation is under way is closed behind the last one, so the number is
 *     nobody else's before that. Who waits for a direction does not hold it: close sends him away.
 * I3  Who closes waits for that, unless somebody is in a call that may take long: closing is stored before calls are
 *     read there, and calls before closing is read in poll_call, so that one of the two sees the other.
 *
 * Cost: an operation that need not wait takes the lock twice, and costs no system call beyond itself; on 0 to 2 a poll.
 */
#include "netpoll-desc.h"
#include "os.h"
#include "proc.h"
#include "sema.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

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
    err = netpollopen(pd, fd);
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
  struct poll_desc *pd = netpolldesc(fd, true);
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
  if (netpollnotice(dir))
    dir->drained = false;
  return pd;
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

bool poll_is_drained(const struct poll_desc *pd)
{
  return pd->dirs[POLL_READ].drained && !atomic_load(&pd->stops);
}

void poll_set_drained(struct poll_desc *pd, bool drained)
{
  pd->dirs[POLL_READ].drained = drained && pd->tcp;
}

/* pd->lock held: closes the number if its last user has let go. NULL, or the G that waits for that. *lingers: as
 * os_put_off_linger. */
static struct g *close_behind_the_last(struct poll_desc *pd, int *lingers)
{
  if (!atomic_load(&pd->closing) || pd->dirs[POLL_READ].busy || pd->dirs[POLL_WRITE].busy)
    return NULL;
  struct g *closer = pd->closer;
  pd->closer = NULL;
  netpollforget(pd);
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
  struct poll_desc *pd = netpolldesc(fd, os_is_open(fd)); /* a new one, too: its user may be near */
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
  bool waits = !poll_is_in_a_call(pd); /* which may take long */
  send_away(&pd->dirs[POLL_READ], &away);
  send_away(&pd->dirs[POLL_WRITE], &away);
  close_behind_the_last(pd, &lingers);
  unlock_with_p(&pd->lock);
  for (struct g *gp; (gp = gqueue_pop(&away));)
    goready(gp, obj_of(pd));
  close_slowly(lingers);
  if (waits)
    wait_until_closed(pd, seq);
  return 0;
}
