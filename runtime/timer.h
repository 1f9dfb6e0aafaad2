/* SPDX-License-Identifier: MIT */
/* timer.h - a timer, a P's heap of them, and what is done with them (timer.c, timer-heap.c, timer-wake.c). */
#pragma once
#include "lock.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct m;

/* Runs on the M that holds the P, on no lock, and must not block. delay: how late, ns. */
typedef void timer_func(void *arg, uintptr_t seq, int64_t delay);

enum {
  timer_heaped = 1,
  timer_modified = 2,
  timer_zombie = 4
};

struct timer {            /* zero, then timer_init; embedded in its owner */
  struct mutex lock;      /* guards all below */
  _Atomic uint8_t astate; /* copy of state at the last unlock */
  uint8_t state;          /* timer_heaped | timer_modified | timer_zombie */
  bool is_chan;           /* f sends on a channel: send_lock and seq keep stale values out */
  bool freeable;          /* in memory of its own: timer_give_up may be called */
  uint32_t running; /* Ms in f, if freeable: a short period may be due again before f is done */
  bool given_up;    /* freed as soon as it is out of its heap and f is done */
  bool of_frame;    /* freeable, and its owner is a frame, which the end of a run drops */
  uint32_t blocked; /* Gs that wait on its channel; without one a channel timer needs no heap */
  uint32_t id;      /* for the trace; given when first armed */
  uint32_t kind;    /* TRACE_TIMERKIND_... */
  uint32_t owner;   /* goid of who made it */
  int64_t when;     /* ns of os_now(); 0 when not armed */
  int64_t period;   /* ns; 0: once */
  timer_func *f;
  void *arg;
  uintptr_t seq;          /* handed to f; counted up by stop and reset of a channel timer */
  struct timers *ts;      /* whose heap it is in, or NULL */
  struct mutex send_lock; /* held while f runs, for channel timers */
  _Atomic int is_sending;
};

struct timer_when { /* an entry of a heap, its key beside it */
  struct timer *timer;
  int64_t when;
};

struct timers {      /* one a P */
  struct mutex lock; /* guards heap, n, room, changes */
  uint32_t n, room;
  struct timer_when *heap; /* 4-ary, least first */
  uint32_t changes;        /* since the last timer_check event */
  uint32_t p;              /* id of the P */
  _Atomic uint32_t len;    /* n at the last unlock */
  _Atomic int32_t zombies;
  _Atomic int64_t min_when_heap;     /* heap[0].when at the last unlock, 0 if empty */
  _Atomic int64_t min_when_modified; /* no modified timer is earlier; 0: none is modified */
};

/* Makes a timer that is not armed. kind: TRACE_TIMERKIND_... Callable from anywhere. */
void timer_init(struct timer *t, uint32_t kind, timer_func *f, void *arg);
/* Gives it an id of its own for the trace, where it must be told before it is armed; else it gets one then. It is
 * in no heap. On a G. */
void timer_name(struct timer *t);
/* Arms it for when (os_now() ns; what is not > 0 is long past), then every period ns if > 0. True if it was armed before.
 * Needs a P. */
bool timer_modify(struct timer *t, int64_t when, int64_t period, timer_func *f, void *arg,
                  uintptr_t seq);
/* Makes that true which timer_has_room (proc.h) asks, or false: out of memory. */
bool timer_make_room(void);
/* Arms a new one, which nobody else knows, for when (as timer_modify), once. Needs a P. */
void timer_start(struct timer *t, int64_t when);
/* timer_modify with f, arg and seq as they are. */
bool timer_reset(struct timer *t, int64_t when, int64_t period);
/* Disarms it; a channel timer's value that nobody has received is dropped, here and by timer_modify. True if it was
 * armed, or a value was dropped. It may stay in a heap as a zombie: see timer_give_up. Needs an M. */
bool timer_stop(struct timer *t);
/* Of a channel timer, by a G that is about to look into its channel: if it is due and no heap will run it, it fires here. */
void maybe_run_chan(struct timer *t);
/* A G is about to park on its channel, which it has locked: from now on the timer is in a heap, if it is set. When it
 * has parked and unlocked, wake_net_poller must be called for the time that is returned, unless that is 0. */
int64_t block_timer_chan(struct timer *t);
/* That G goes on. */
void unblock_timer_chan(struct timer *t);
/* Drops what its channel holds; true if that was a value. send_lock held. (time.c, which knows the channel.) */
bool timer_chan_drain(struct timer *t);
/* Stops it and frees it with free() now, or as soon as it is out of its heap. */
void timer_give_up(struct timer *t);
/* now + ns without overflow; at least 1. */
int64_t timer_when(int64_t ns);

/* For the scheduler. */
/* Runs what is due. now: 0 if not known yet; returned, or 0 still. *poll_until: next timer, if any. *ran is set
 * if one ran. Needs a P. */
int64_t timers_check(struct m *mp, struct timers *ts, int64_t now, int64_t *poll_until, bool *ran);
/* When the first of a heap may be due, never later than the truth; 0: there is none. From anywhere. */
int64_t timers_wake_time(struct timers *ts);
/* All timers of a P that goes away. World stopped, sched.lock held. */
void timers_take(struct m *mp, struct timers *ts, struct timers *from);
/* The id of an armed timer for which is_it(timer, arg) holds, or 0. Looks at every heap. Needs a P. */
uint32_t timers_find(bool (*is_it)(const struct timer *, const void *arg), const void *arg);
/* The earliest timer of all Ps; INT64_MAX if there is none. */
int64_t time_sleep_until(void);
/* There is an earlier timer than whoever sleeps in netpoll knows of. */
void wake_net_poller(struct m *mp, int64_t when);
