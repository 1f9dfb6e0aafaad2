/* SPDX-License-Identifier: MIT */
/* rt.h - goroutines, channels, timers and defer for C: the public door of libgmpscope-rt.
 *
 * Semantics are Go's unless a comment says otherwise; so is misuse: it panics, with Go's words.
 *
 *   "from a G"        inside rt_main or rt_run only; on another thread the process ends with a
 * message. "from anywhere"   also on a thread that the runtime does not know, or before it started.
 *   times             int64_t nanoseconds; points in time are rt_now()'s.
 *
 * fork: while a run is on, a child may exec or _exit, no more; a call that needs the scheduler says so there and
 * ends the child with 2. posix_spawn, system and popen are as ever.
 * Signals: the runtime takes SIGURG, SIGQUIT if nobody did, and SIGSEGV and SIGBUS, of which it keeps what hits the
 * guard of a G's stack; the rest goes to the handler that was there before. A handler that the program installs
 * later stays, also after rt_run.
 *
 * Environment: RT_MAXPROCS=n; RT_TRACEBACK=none|single|all|system|crash; RT_DEBUG=key=value,...
 * with schedtrace=MS, scheddetail=1, asyncpreemptoff=1, and, for demonstration only, faults that a correct
 * runtime does not have: fault=sleep-blocks-m, fault=lose-defers-on-preempt, fault=timer-defer-race. An
 * unknown key is an error, in words.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#if defined(__GNUC__) && !defined(__clang__)
#define RT_API __attribute__((visibility("default"), noplt)) /* called by one jump less */
#elif defined(__GNUC__)
#define RT_API __attribute__((visibility("default")))
#else
#define RT_API
#endif
#define RT_NORETURN __attribute__((noreturn))

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Life of a program ---- */

struct rt_options {
  int maxprocs;      /* number of Ps; 0: RT_MAXPROCS, else the CPUs this process may use */
  size_t stack_size; /* bytes a G, rounded up to pages; 0: 64 KiB. Reserved, touched lazily */
  uint64_t sim_seed; /* for a program that runs with the simulation's library; else it must be 0 */
};

/* Runs fn as the main G. When it returns, the process exits with its value; other Gs are dropped.
 * Does not return, except with 1 after a message on stderr if the scheduler could not start. From
 * main(). */
RT_API int rt_main(int argc, char **argv, int (*fn)(int argc, char **argv));
/* Runs fn(arg) as the main G and returns 0 when it returned and every thread of the scheduler
 * stopped at a safe point; other Gs are dropped, their stacks without unwinding. -errno if the
 * scheduler could not start; -EBUSY if it runs already; -EINVAL for an impossible option. options
 * may be NULL. May be called again. Not from a G. A deadlock or an unrecovered panic inside ends
 * the process with code 2. */
RT_API int rt_run(void (*fn)(void *), void *arg, const struct rt_options *options);

/* ---- Goroutines ---- */

/* Starts fn(arg) in a new G. 0, or -ENOMEM with nothing started: there is no memory for a G, or no address space for its
 * stack (ulimit -v). A thread is not needed: where the kernel gives none (ulimit -u), fewer Ps run. From a G. */
RT_API int rt_go(void (*fn)(void *), void *arg);
/* The same; name is shown in dumps and traces, and is borrowed until the G ends. */
RT_API int rt_go_named(const char *name, void (*fn)(void *), void *arg);
/* runtime.Gosched: lets others run; this G goes to the tail of the global queue. From a G. */
RT_API void rt_yield(void);
/* Runs the G's deferred calls and ends it. From a G; from the main G the others go on. */
RT_API RT_NORETURN void rt_goexit(void);
/* The running G's number; the main G's is 1. 0 when not on a G. From anywhere. */
RT_API uint64_t rt_goid(void);
/* Sets the number of Ps if n > 0 (at most 1024), stopping the world; returns the previous one. From
 * a G. */
RT_API int rt_gomaxprocs(int n);
/* Gs that exist. From anywhere. */
RT_API int rt_num_goroutine(void);
/* Wires the running G to its thread until as many unlocks; the thread runs no other G. From a G. */
RT_API void rt_lock_os_thread(void);
RT_API void rt_unlock_os_thread(void);
/* A preemption point for a long loop: a load and a branch. From a G. */
RT_API void rt_safepoint(void);
/* RT_PREEMPTIBLE marks a function that may be preempted by signal at any instruction: rt-preempt.h. */

/* ---- Time ---- */

struct rt_timer;
struct rt_ticker;
struct rt_chan;

/* Monotonic clock, ns. From anywhere. */
RT_API int64_t rt_now(void);
/* Parks the running G for at least ns; returns at once if ns <= 0. From a G. */
RT_API void rt_sleep(int64_t ns);
/* After ns, fn(arg) runs in a G of its own. You own the timer: rt_timer_free. NULL: out of memory.
 * From a G. */
RT_API struct rt_timer *rt_after_func(int64_t ns, void (*fn)(void *), void *arg);
/* Disarms; true if it was armed (fn will not run), false if it ran or was stopped before. From a G.
 */
RT_API bool rt_timer_stop(struct rt_timer *timer);
/* Arms anew for ns from now; true if it was armed. From a G. */
RT_API bool rt_timer_reset(struct rt_timer *timer, int64_t ns);
/* Stops and frees. NULL is fine. From a G. */
RT_API void rt_timer_free(struct rt_timer *timer);
/* A channel that receives one int64_t, the time at which it was due: ns from now. As in Go its len and
 * cap are 0. You own it: rt_chan_free, which is safe also before the time has come. NULL: out of memory.
 * From a G. */
RT_API struct rt_chan *rt_after(int64_t ns);
/* A ticker: its channel receives the time every ns, late ticks dropped; its len and cap are 0. Panics if
 * ns <= 0. From a G. */
RT_API struct rt_ticker *rt_ticker_new(int64_t ns);
/* Borrowed: lives as long as the ticker. */
RT_API struct rt_chan *rt_ticker_chan(struct rt_ticker *ticker);
/* No more ticks; a tick not yet received is dropped. The channel stays open. */
RT_API void rt_ticker_stop(struct rt_ticker *ticker);
RT_API void rt_ticker_reset(struct rt_ticker *ticker, int64_t ns);
/* Stops it and frees it and its channel. NULL is fine. */
RT_API void rt_ticker_free(struct rt_ticker *ticker);

/* ---- Channels: from a G; a NULL channel blocks for ever, as in Go ---- */

/* NULL only when out of memory. You own it. */
RT_API struct rt_chan *rt_chan_new(size_t elem_size, size_t capacity);
/* Panics if a G waits on it. NULL is fine. */
RT_API void rt_chan_free(struct rt_chan *chan);
/* Copies *elem in; parks while full. Panics "send on closed channel". */
RT_API void rt_chan_send(struct rt_chan *chan, const void *elem);
/* Copies out to *elem, if not NULL; parks while empty. false: closed and drained, *elem zeroed. */
RT_API bool rt_chan_recv(struct rt_chan *chan, void *elem);
/* false: it would have parked. */
RT_API bool rt_chan_try_send(struct rt_chan *chan, const void *elem);
/* false: nothing there, and it would have parked; else *open, if given, as rt_chan_recv's result.
 */
RT_API bool rt_chan_try_recv(struct rt_chan *chan, void *elem, bool *open);
/* Panics "close of closed channel" and "close of nil channel". */
RT_API void rt_chan_close(struct rt_chan *chan);
/* 0 for NULL. */
RT_API size_t rt_chan_len(const struct rt_chan *chan);
RT_API size_t rt_chan_cap(const struct rt_chan *chan);

enum rt_dir {
  RT_RECV,
  RT_SEND,
};
struct rt_case {
  struct rt_chan *chan; /* NULL: never ready */
  enum rt_dir dir;
  void *elem; /* to send from, or to receive into (may be NULL) */
  bool open;  /* set after a receive: false when the channel was closed */
};
/* Parks until one case can go on, picked fairly if several can; its index. n == 0 blocks for ever.
 */
RT_API int rt_select(struct rt_case *cases, int n);
/* The same, or -1 if none is ready. */
RT_API int rt_select_default(struct rt_case *cases, int n);

/* ---- Synchronisation: zero-initialised values are ready to use; from a G ---- */

struct rt_sema { /* a count, and Gs that wait for it to be positive; private */
  uint32_t value, n_waiters, lock;
  void *first, *last;
};
struct rt_mutex {
  uint32_t state;
  struct rt_sema sema;
};
struct rt_rwmutex {
  struct rt_mutex writers;
  struct rt_sema writer_sema, reader_sema;
  int32_t n_readers, n_leaving;
};
struct rt_once {
  uint32_t done;
  struct rt_mutex mutex;
};
struct rt_waitgroup {
  uint64_t state;
  struct rt_sema sema;
};
struct rt_cond {
  struct rt_mutex *mutex;
  struct rt_sema queue;
};
struct rt_sem {
  struct rt_sema sema;
};

/* sync.Mutex. Unlocking an unlocked one is fatal, as in Go. */
RT_API void rt_mutex_lock(struct rt_mutex *mutex);
RT_API void rt_mutex_unlock(struct rt_mutex *mutex);
RT_API bool rt_mutex_try_lock(struct rt_mutex *mutex);
/* sync.RWMutex: a waiting writer keeps new readers out. */
RT_API void rt_rwmutex_lock(struct rt_rwmutex *rw);
RT_API void rt_rwmutex_unlock(struct rt_rwmutex *rw);
RT_API void rt_rwmutex_rlock(struct rt_rwmutex *rw);
RT_API void rt_rwmutex_runlock(struct rt_rwmutex *rw);
RT_API bool rt_rwmutex_try_lock(struct rt_rwmutex *rw);
RT_API bool rt_rwmutex_try_rlock(struct rt_rwmutex *rw);
/* fn(arg) runs once; everyone returns after it has. */
RT_API void rt_once_do(struct rt_once *once, void (*fn)(void *), void *arg);
/* sync.WaitGroup. Panics "sync: negative WaitGroup counter". */
RT_API void rt_waitgroup_add(struct rt_waitgroup *wg, int delta);
RT_API void rt_waitgroup_done(struct rt_waitgroup *wg);
RT_API void rt_waitgroup_wait(struct rt_waitgroup *wg);
/* sync.Cond over a mutex, which wait unlocks and locks again. */
RT_API void rt_cond_init(struct rt_cond *cond, struct rt_mutex *mutex);
RT_API void rt_cond_wait(struct rt_cond *cond);
RT_API void rt_cond_signal(struct rt_cond *cond);
RT_API void rt_cond_broadcast(struct rt_cond *cond);
/* A counting semaphore: n permits. */
RT_API void rt_sem_init(struct rt_sem *sem, uint32_t n);
RT_API void rt_sem_acquire(struct rt_sem *sem);
RT_API void rt_sem_release(struct rt_sem *sem);
RT_API bool rt_sem_try_acquire(struct rt_sem *sem);

/* ---- Blocking work that the scheduler must know about ---- */

/* Around any call that may block the thread; between the two no other rt_ function may be called.
 * From a G. */
RT_API void rt_entersyscall(void);
RT_API void rt_exitsyscall(void);
/* The same, wrapped: returns fn(arg). */
RT_API void *rt_blocking(void *(*fn)(void *), void *arg);

/* Non-blocking I/O through netpoll. -errno on failure; deadline in rt_now() ns, 0 for none:
 * -ETIMEDOUT. */
/* A listening TCP socket at "host:port"; port 0 picks one. */
RT_API int rt_listen(const char *host_port);
RT_API int rt_accept(int fd, int64_t deadline);
RT_API int rt_dial(const char *host_port, int64_t deadline);
/* Bytes, 0 at the end of the stream. */
RT_API ssize_t rt_read(int fd, void *buf, size_t n, int64_t deadline);
/* Writes all n bytes unless it fails. */
RT_API ssize_t rt_write(int fd, const void *buf, size_t n, int64_t deadline);
/* Wakes whoever waits on it, with -EBADF. */
RT_API int rt_close(int fd);

/* ---- Telling the trace what things mean; no cost when nobody records ---- */

/* Names a channel, mutex, timer or waitgroup. */
RT_API void rt_name(const void *object, const char *name);
RT_API uint64_t rt_task_begin(const char *name);
RT_API void rt_task_end(uint64_t task);
RT_API void rt_region_begin(const char *name);
RT_API void rt_region_end(void);
RT_API void rt_log(const char *category, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* ---- Looking at the process from inside ---- */

/* Writes Go's goroutine dump to fd; all: of every G, with the world stopped. From a G. */
RT_API void rt_stack_dump(int fd, bool all);
/* "none" "single" "all" "system" "crash"; may only raise what RT_TRACEBACK said. From anywhere. */
RT_API void rt_set_traceback(const char *level);
/* Between the two only the calling G runs. Not nested. From a G. */
RT_API void rt_stop_the_world(const char *reason);
RT_API void rt_start_the_world(void);
/* A GC's stop-the-world and stack scan, as the scheduler sees it. From a G. */
RT_API void rt_gc(void);
/* Calls visit once for every G, with the world stopped, in the order in which they were made: [lo, hi) is the used
 * part of its stack, whole if the G is in a system call; of a G that has not run yet, the word that holds its argument.
 * visit must not call rt_ functions that may park. From a G. */
RT_API void rt_scan_stacks(void (*visit)(uint64_t goid, const void *lo, const void *hi, void *arg),
                           void *arg);

#ifdef __cplusplus
}
#endif

/* ---- Defer, panic, recover ---- */
#include "rt-defer.h"

/* ---- Preemption by signal ---- */
#include "rt-preempt.h"
