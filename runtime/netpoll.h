/* SPDX-License-Identifier: MIT */
/* netpoll.h - what the scheduler knows of the network poller.
 *
 * One M at a time sleeps in netpoll, as Go's findRunnable has it: sched.lastpoll is 0 while it
 * does, and sched.poll_until says until when. Everything that a blocked poller must hear goes by
 * netpollBreak.
 */
#pragma once
#include "runtime.h"

/* Makes the epoll instance and the eventfd, once; 0 or -errno. Called before the first M runs. */
int netpollinit(void);
/* Closes them, when a run is over. */
void netpollclose(void);
bool netpollinited(void);
/* Gs that became ready, still Gwaiting: the caller makes them runnable (injectglist, or by itself).
 * delay: ns; 0 does not block, < 0 blocks without limit. Emits netpoll_ready for each. Without
 * sched.lock. */
struct glist netpoll(struct m *mp, int64_t delay);
/* Makes the M that is blocked in netpoll return. From any M. */
void netpollBreak(struct m *mp);
/* Gs that wait in the poller, so that an idle M has reason to block in it. */
bool netpollAnyWaiters(void);
/* Adds to the count of those; called when a G parks for I/O and when it is readied. */
void netpollAdjustWaiters(int32_t delta);
