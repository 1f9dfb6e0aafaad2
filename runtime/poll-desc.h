/* SPDX-License-Identifier: MIT */
/* poll-desc.h - waiting for a file descriptor; what net.c needs of fdmutex.c and netpoll.c. */
#pragma once
#include "runtime.h"

enum poll_mode {
  POLL_READ,
  POLL_WRITE
};

struct poll_desc;

/* An operation begins, and has the descriptor until poll_end: the number stays open, and nobody else reads (or writes)
 * from the first try to the last. Others wait here, first come first served. The descriptor is made non-blocking, if it
 * is not one of the standard ones, and registered. deadline: os_now() ns, 0 none. NULL with *err: -EBADF after rt_close,
 * also while it waited; -ETIMEDOUT if the deadline is past or passes in the queue; or what the kernel says. */
struct poll_desc *poll_begin(int fd, enum poll_mode mode, int64_t deadline, int *err);
/* What reads and writes of it do when they cannot go on. */
enum poll_calls {
  POLL_CALLS_RETURN, /* EAGAIN */
  POLL_CALLS_BLOCK,  /* epoll does not know it, as regular files */
  POLL_CALLS_MAY_BLOCK /* it does; but O_NONBLOCK would be other processes' too: what a program was started with */
};
enum poll_calls poll_calls_of(const struct poll_desc *pd);
/* A call of a POLL_CALLS_MAY_BLOCK begins, or has ended: who closes does not wait for it. False: somebody closes, so there
 * shall be none. */
bool poll_call(struct poll_desc *pd, enum poll_mode mode, bool begins);

/* The last read took all there was, and nothing came since: EAGAIN is what another would get. Between poll_begin and
 * poll_end of POLL_READ, as the next. */
bool poll_is_drained(const struct poll_desc *pd);
void poll_set_drained(struct poll_desc *pd, bool drained);
/* Parks after EAGAIN until it is worth another try: 0, -EBADF or -ETIMEDOUT. */
int poll_wait(struct poll_desc *pd, enum poll_mode mode);
void poll_end(struct poll_desc *pd, enum poll_mode mode);

/* Sends away those who wait, and closes when the last operation has ended, for which it waits, but not for one that
 * blocks. 0 or -errno. */
int poll_close(int fd);
