/* SPDX-License-Identifier: MIT */
/* netpoll-desc.h - what a file descriptor is to netpoll.c, which waits for it, and to fdmutex.c, which says whose turn
 * it is. For nobody else. */
#pragma once
#include "poll-desc.h"
#include "timer.h"

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
  bool drained;              /* netpoll.c, I3; who has the turn */
  _Atomic bool calls;        /* in a call that may block */
  bool busy;                 /* fdmutex.c, I1; pd->lock, as the next three */
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
  _Atomic bool stops; /* os_event's, once it was so; netpoll.c, I3 */
  _Atomic bool closing;
  struct g *closer; /* that waits for the last operation, or NULL */
  struct poll_dir dirs[2];
};

/* Somebody is in a system call with it that may take long. pd->lock held. */
static inline bool poll_is_in_a_call(const struct poll_desc *pd)
{
  const struct poll_dir *rd = &pd->dirs[POLL_READ], *wr = &pd->dirs[POLL_WRITE];
  return pd->calls == POLL_CALLS_BLOCK ? rd->busy || wr->busy : rd->calls || wr->calls;
}

/* The number's; NULL: there is no such number, or none yet and not make, or no memory. */
struct poll_desc *netpolldesc(int fd, bool make);
/* A new life of the number begins; pd->lock held. 0 or -errno. */
int netpollopen(struct poll_desc *pd, int fd);
/* Its life is over: events under way are of an earlier one. Before the number is closed; pd->lock held. */
void netpollforget(struct poll_desc *pd);
/* Leaves ready ? PD_READY : PD_NIL in the word; the G that was parked there, if any, is the caller's. */
struct g *netpollunblock(struct poll_dir *dir, bool ready);
/* True if it became ready and nobody has noticed; now somebody has. By who has the turn. */
bool netpollnotice(struct poll_dir *dir);
