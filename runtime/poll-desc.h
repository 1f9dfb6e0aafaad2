/* SPDX-License-Identifier: MIT */
/* poll-desc.h - waiting for a file descriptor; what net.c needs of netpoll.c. */
#pragma once
#include "runtime.h"

enum poll_mode {
  POLL_READ,
  POLL_WRITE
};

struct poll_desc;

/* The descriptor's poll_desc, taken into use: made non-blocking and registered if it was not.  The number
 * stays open until poll_release.  NULL with *err: -EBADF after rt_close, or what the kernel says. */
struct poll_desc *poll_acquire(int fd, int *err);
void poll_release(struct poll_desc *pd);
/* True for what epoll does not know, such as regular files: its calls block, so wrap them. */
bool poll_is_blocking(const struct poll_desc *pd);

/* One G at a time reads, and one writes; the others wait here, first come first served.  Before each operation: 0,
 * and then poll_end follows; -EBADF if it was closed meanwhile, -ETIMEDOUT if the deadline (os_now() ns, 0
 * none) is past or passes in the queue. */
int poll_begin(struct poll_desc *pd, enum poll_mode mode, int64_t deadline);
/* The last read took all there was, and nothing came since: EAGAIN is what another would get. Between poll_begin and
 * poll_end of POLL_READ, as the next. */
bool poll_is_drained(const struct poll_desc *pd);
void poll_set_drained(struct poll_desc *pd, bool drained);
/* Parks after EAGAIN until it is worth another try: 0, -EBADF or -ETIMEDOUT. */
int poll_wait(struct poll_desc *pd, enum poll_mode mode);
void poll_end(struct poll_desc *pd, enum poll_mode mode);

/* Closes: now, or when the last user lets go, and wakes those who wait. 0 or -errno. */
int poll_close(int fd);
