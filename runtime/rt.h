/* SPDX-License-Identifier: MIT */
/* rt.h - goroutines, channels, timers and defer for C: the public door of libgmpscope-rt.
 *
 * What a function does is what the Go function, statement or type does that its comment names; where it differs, the
 * comment says so. Misuse panics or is fatal, as in Go and with Go's words: a panic runs deferred calls and can be
 * recovered; a fatal error ends the process with a dump, as RT_TRACEBACK says, and exit code 2. Where an object's or a
 * function's pointer may be NULL the comment says so; elsewhere it must not be.
 *
 *   G                a goroutine. P: the right to run one; M: a thread that does. Ms without a P wait.
 *   "From a G."      inside rt_main or rt_run only. Elsewhere it is a mistake, and fatal, in words, where it needs the G.
 *   "From anywhere." also on a thread that the runtime does not know, without a run, or before it.
 *   times            int64_t nanoseconds; a point in time is one of rt_now()'s.
 *   texts            NUL-terminated UTF-8; copied, unless a comment says borrowed.
 *   parks            the G waits, and its M runs others. What may park may come back on another thread.
 *   stops            so does a G that has run for 10 ms, or for whom the world waits: in any call of a function that is not
 *                    "from anywhere"; with RT_DEFER, when the frame ends. Not while it has stopped the world.
 *
 * errno: is the running G's own. A compiler keeps the address of the thread's, which is another thread's errno after a
 * call that parks; so this header's errno asks for it at every use, and so does that of <errno.h>, before or after
 * it. Other code, compiled without this header, that calls back into a function which parks must look at errno before
 * that. `errno = f();` is one use, and gcc asks before it calls f: if f parks, put its result into a variable first.
 *
 * Rounding, and what else fenv.h and -ffast-math set in the control words of the floating point units, is the G's own, too;
 * it begins with that of the thread which called rt_main or rt_run.
 *
 * C++: a G may park in a catch block, and in a destructor that an exception runs: both are its own, as errno is. A panic
 * that is recovered, and rt_goexit, end the catch blocks that they leave (where C recovers, not before the G ends). Not
 * in a program that loads its C++ runtime (libstdc++, libc++abi) later, by dlopen.
 *
 * fork: while a run is on, a child may exec or _exit, no more; a call says so there and ends the child with 2. Harmless,
 * and silent, are those that only look (rt_now, rt_goid, rt_num_goroutine, rt_chan_cap, rt_ticker_chan), that write their
 * argument alone (rt_cond_init, rt_sem_init), that tell the trace, which is the parent's, and rt_set_traceback.
 * posix_spawn, system and popen are as ever.
 * Signals: the runtime takes SIGURG, SIGQUIT if it has no handler (ignored is none, as in Go: so sh starts what ends in
 * &), and SIGSEGV and SIGBUS, of which it keeps what a G's stack that overflows causes; the rest goes to the handler that
 * was there before. A handler that the program installs later stays, also after rt_run.
 * Stacks: compile with -fstack-clash-protection, as pkg-config says, or a large frame may jump over a stack's guard.
 *
 * Environment, read when a run begins: RT_MAXPROCS=n; RT_TRACEBACK=none|single|all|system|crash;
 * RT_DEBUG=key=value,... with schedtrace=MS, scheddetail=1, asyncpreemptoff=1, sim=SEED (the deterministic simulation)
 * and, for demonstration only, faults that a correct runtime does not have: fault=sleep-blocks-m,
 * fault=lose-defers-on-preempt, fault=timer-defer-race. What it does not know is an error in words, and nothing starts
 * (Go ignores an unknown GODEBUG key).
 */
#pragma once
#include <errno.h>
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
  /* Number of Ps, at most 1024; 0: RT_MAXPROCS, else the CPUs that this process may use, in a simulation 4. A cgroup's
   * quota of CPU time is not looked at, which Go's is since 1.25. */
  int maxprocs;
  /* Bytes a G, up to 1 GiB, made a power of two of at least 16 KiB; 0: 64 KiB. Touched lazily. */
  size_t stack_size;
  /* Not 0: the deterministic simulation with this seed, as by RT_DEBUG=sim=SEED (up to 2^63 - 1); see rt_run. */
  uint64_t sim_seed;
};

/* Runs fn(argc, argv) as the main G, goid 1, and exits with its value; other Gs are dropped, as when Go's main
 * returns. Does not return, except with 1, after words on stderr, if nothing could start. From main(). */
RT_API int rt_main(int argc, char **argv, int (*fn)(int argc, char **argv));
/* Runs fn(arg) as the main G and returns 0 when it has returned and every thread of the scheduler stands still, or is
 * in a system call; so is the caller's own perhaps, for which this waits. Other Gs are dropped: their deferred calls
 * do not run. May be called again, and what there was in the last run can be used on, except channels, mutexes and the
 * like on which dropped Gs waited: they can be freed, or zeroed (initialised) anew, and all else is fatal, in words;
 * what dropped Gs had locked stays so; and what rt_after_func set is stopped, with its run. options may be NULL.
 * -errno with nothing started: -EBUSY: a run is on; -EINVAL: an impossible option, or an environment that is not
 * understood (told on stderr); -ENOMEM, -EAGAIN, -EMFILE...: what the kernel refused. Not from a G.
 * With a seed the program is started anew, from its main, with the simulation's library; this first call does not
 * return, and in the new process all runs are simulated (without a seed: with 1), with libc's clocks, sleeps and random
 * numbers for their Gs (docs/runtime.md). -EINVAL, told on stderr, where that
 * cannot be: a run without a seed was before, there are other threads, the runtime is linked statically or without
 * the simulation's library beside it, LD_PRELOAD is in use, the program has more rights than its user (setuid), or
 * /proc is not there. */
RT_API int rt_run(void (*fn)(void *), void *arg, const struct rt_options *options);

/* What errno is made of: the address of the thread's, on which the caller is now. Not to be kept. From anywhere. */
RT_API int *rt_errno_location(void);
#undef errno
#define errno (*rt_errno_location())

/* ---- Goroutines ---- */

/* The go statement: starts fn(arg) in a new G. 0, or -ENOMEM with nothing started: there is no memory for a G, or
 * no address space for its stack (ulimit -v). A thread is not needed: where the kernel gives none (ulimit -u),
 * fewer Ps run; only when for that reason nobody has run for a second it is fatal, "newosproc". Fatal "go of nil func
 * value". From a G. */
RT_API int rt_go(void (*fn)(void *), void *arg);
/* The same; name, borrowed until the G ends or NULL, is shown in dumps and traces. From a G. */
RT_API int rt_go_named(const char *name, void (*fn)(void *), void *arg);
/* runtime.Gosched: lets others run; this G goes to the tail of the global queue. From a G. */
RT_API void rt_yield(void);
/* runtime.Goexit: runs the G's deferred calls and ends it. From the main G the others go on, and when they have
 * all ended that is a deadlock, which is fatal. From a G. */
RT_API RT_NORETURN void rt_goexit(void);
/* The running G's number, the main G's being 1; 0 if the thread runs none. From anywhere. */
RT_API uint64_t rt_goid(void);
/* runtime.GOMAXPROCS: sets the number of Ps if n > 0 (more than 1024 are 1024), with the world stopped; returns
 * the previous one. Fatal if this G has stopped the world. From a G. */
RT_API int rt_gomaxprocs(int n);
/* runtime.NumGoroutine: Gs that exist. From anywhere. */
RT_API int rt_num_goroutine(void);
/* runtime.LockOSThread: wires the G to its thread until as many unlocks; no other G runs there, and one that ends
 * wired takes the thread with it; if that is the one that called rt_main or rt_run, it waits for the run's end. New
 * threads are never made from a wired one, so what the G changes of its thread stays there. From a G. */
RT_API void rt_lock_os_thread(void);
/* runtime.UnlockOSThread; without a lock it does nothing. From a G. */
RT_API void rt_unlock_os_thread(void);
/* A preemption point for a long loop without other calls, which Go's compiler would put there: a load and a
 * branch. From a G. */
RT_API void rt_safepoint(void);
/* RT_PREEMPTIBLE marks a function that may be preempted by signal at any instruction: rt-preempt.h. */

/* ---- Time ---- */

struct rt_timer;
struct rt_ticker;
struct rt_chan;

/* The monotonic clock, ns; the simulation's, in one. From anywhere. */
RT_API int64_t rt_now(void);
/* time.Sleep: parks for at least ns; returns at once if ns <= 0. Fatal without memory for its place among the timers; so
 * is a receive, or a select, from a timer's channel that parks. From a G. */
RT_API void rt_sleep(int64_t ns);
/* time.AfterFunc: after ns, fn(arg) runs in a G of its own. You own the timer: rt_timer_free. NULL: out of memory;
 * but if there is none for the G when the time has come, that is fatal. From a G. */
RT_API struct rt_timer *rt_after_func(int64_t ns, void (*fn)(void *), void *arg);
/* Timer.Stop: disarms. True if it was armed, and fn will not run; false if it was stopped before or fn was
 * started, which is not waited for. From a G. */
RT_API bool rt_timer_stop(struct rt_timer *timer);
/* Timer.Reset: arms for ns from now, also after it ran or was stopped. True if it was armed. Fatal without memory, as
 * rt_sleep. From a G. */
RT_API bool rt_timer_reset(struct rt_timer *timer, int64_t ns);
/* Stops and frees; fn, if it was started, goes on. NULL does nothing, also from anywhere; else from a G. */
RT_API void rt_timer_free(struct rt_timer *timer);
/* time.After: a channel that receives one int64_t, the time at which it was due: ns from now. Its len and cap are
 * 0, as Go's; nor does anything happen, as since Go 1.23, while no G waits on it: it is served when one looks, and
 * nobody is woken for it, so that a deadlock is one all the same. You own it: rt_chan_free, also before the time has
 * come. NULL: out of memory. From a G. */
RT_API struct rt_chan *rt_after(int64_t ns);
/* time.NewTicker: its channel receives the time every ns; a tick that nobody has taken is not followed by another,
 * and while no G waits on the channel it costs nothing, as one of rt_after.
 * You own it: rt_ticker_free. NULL: out of memory. Panics "non-positive interval for NewTicker". From a G. */
RT_API struct rt_ticker *rt_ticker_new(int64_t ns);
/* Ticker.C, borrowed: it lives as long as the ticker, and its len and cap are 0. From anywhere. */
RT_API struct rt_chan *rt_ticker_chan(struct rt_ticker *ticker);
/* Ticker.Stop: no more ticks; one not yet received is dropped. The channel stays open. From a G. */
RT_API void rt_ticker_stop(struct rt_ticker *ticker);
/* Ticker.Reset: ticks every ns from now, also after a stop. Panics "non-positive interval for Ticker.Reset". From
 * a G. */
RT_API void rt_ticker_reset(struct rt_ticker *ticker, int64_t ns);
/* Stops it and frees it and its channel, on which no G may wait (it panics). NULL does nothing, also from
 * anywhere; else from a G. */
RT_API void rt_ticker_free(struct rt_ticker *ticker);

/* ---- Channels: values are copied; a NULL channel blocks for ever, as Go's nil ---- */

/* make(chan T, capacity), for values of elem_size bytes; both may be 0. You own it: rt_chan_free. NULL: out of
 * memory. From anywhere. */
RT_API struct rt_chan *rt_chan_new(size_t elem_size, size_t capacity);
/* Frees it with what is in it. Panics "free of channel on which goroutines wait"; that nobody uses it later is
 * yours to see to. NULL does nothing. From anywhere, but the channel of a timer from a G. */
RT_API void rt_chan_free(struct rt_chan *chan);
/* chan <- *elem: parks while it is full. Panics "send on closed channel", also if it is closed meanwhile. From a
 * G. */
RT_API void rt_chan_send(struct rt_chan *chan, const void *elem);
/* *elem, ok = <-chan; elem may be NULL. Parks while it is empty. False: closed and drained, *elem zeroed. From a
 * G. */
RT_API bool rt_chan_recv(struct rt_chan *chan, void *elem);
/* select { case chan <- *elem: default: }. False: it would have parked. Panics as rt_chan_send. From a G. */
RT_API bool rt_chan_try_send(struct rt_chan *chan, const void *elem);
/* select { case *elem, *open = <-chan: default: }. False: it would have parked. True, with *open false: closed and
 * drained. elem and open may be NULL; where it would have parked *open says whether chan is there. From a G. */
RT_API bool rt_chan_try_recv(struct rt_chan *chan, void *elem, bool *open);
/* close(chan): who receives gets what is in it, then zeros. Panics "close of closed channel" and "close of nil
 * channel". From a G. */
RT_API void rt_chan_close(struct rt_chan *chan);
/* len(chan): values in it; 0 for NULL and for a timer's. It orders nothing, and is old at once. From anywhere. */
RT_API size_t rt_chan_len(const struct rt_chan *chan);
/* cap(chan); 0 for NULL and for a timer's. From anywhere. */
RT_API size_t rt_chan_cap(const struct rt_chan *chan);

enum rt_dir {
  RT_RECV,
  RT_SEND,
};
struct rt_case {
  struct rt_chan *chan; /* NULL: never ready */
  enum rt_dir dir;
  void *elem; /* to send from, or to receive into (then it may be NULL) */
  bool open;  /* set by a receive: false when the channel was closed and drained */
};
/* select without a default: parks until a case can go on, does it, and returns its index; of several that can, a
 * random one. Without a case (n <= 0) it blocks for ever. Panics "send on closed channel", and "select: too many cases"
 * beyond 65535.
 * Fatal without memory for more than 8 cases. From a G. */
RT_API int rt_select(struct rt_case *cases, int n);
/* select with a default: the same, or -1 if no case can go on now. From a G. */
RT_API int rt_select_default(struct rt_case *cases, int n);

/* ---- Synchronisation: zeroed memory is ready to use, and may be freed when no G is in it; never copied ---- */

struct rt_sema { /* a count, and Gs that wait for it to be positive; private */
  int64_t count;
  void *first, *last;
  uint32_t lock;
  uint32_t run; /* in which they wait */
};
struct rt_mutex { /* what it guards is best put behind it: that comes with the state */
  struct rt_sema sema;
  uint32_t apart[15]; /* unused: who waits or wakes works in another cache line than who takes it */
  uint32_t state;
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

/* Mutex.Lock: parks while another has it; not recursive. Who has waited for 1 ms gets it before newcomers. From a
 * G. */
RT_API void rt_mutex_lock(struct rt_mutex *mutex);
/* Mutex.Unlock, by any G. Fatal "sync: unlock of unlocked mutex". From a G. */
RT_API void rt_mutex_unlock(struct rt_mutex *mutex);
/* Mutex.TryLock: false if another has it. From a G. */
RT_API bool rt_mutex_try_lock(struct rt_mutex *mutex);
/* RWMutex.Lock, for writing: parks while others have it; meanwhile no new reader gets it. From a G. */
RT_API void rt_rwmutex_lock(struct rt_rwmutex *rw);
/* RWMutex.Unlock. Fatal "sync: Unlock of unlocked RWMutex". From a G. */
RT_API void rt_rwmutex_unlock(struct rt_rwmutex *rw);
/* RWMutex.RLock, for reading: parks while a writer has it or waits for it. From a G. */
RT_API void rt_rwmutex_rlock(struct rt_rwmutex *rw);
/* RWMutex.RUnlock. Fatal "sync: RUnlock of unlocked RWMutex". From a G. */
RT_API void rt_rwmutex_runlock(struct rt_rwmutex *rw);
/* RWMutex.TryLock: false if anybody has it. From a G. */
RT_API bool rt_rwmutex_try_lock(struct rt_rwmutex *rw);
/* RWMutex.TryRLock: false if a writer has it or waits for it. From a G. */
RT_API bool rt_rwmutex_try_rlock(struct rt_rwmutex *rw);
/* Once.Do: the first call runs fn(arg), others park until it has ended; by a panic or rt_goexit, too.
 * A nil fn panics, "runtime error: invalid memory address or nil pointer dereference". From a G. */
RT_API void rt_once_do(struct rt_once *once, void (*fn)(void *), void *arg);
/* WaitGroup.Add. Panics "sync: negative WaitGroup counter". From a G. */
RT_API void rt_waitgroup_add(struct rt_waitgroup *wg, int delta);
/* WaitGroup.Done: adds -1. From a G. */
RT_API void rt_waitgroup_done(struct rt_waitgroup *wg);
/* WaitGroup.Wait: parks until the counter is 0. Panics if it is used anew before it has returned. From a G. */
RT_API void rt_waitgroup_wait(struct rt_waitgroup *wg);
/* sync.NewCond(mutex), in your storage; the mutex is borrowed. From anywhere. */
RT_API void rt_cond_init(struct rt_cond *cond, struct rt_mutex *mutex);
/* Cond.Wait: unlocks the mutex, which the caller has, parks until it is woken, and locks it again. Look at the
 * condition in a loop. Panics if it has no mutex. From a G. */
RT_API void rt_cond_wait(struct rt_cond *cond);
/* Cond.Signal: wakes who has waited longest, if any. From a G. */
RT_API void rt_cond_signal(struct rt_cond *cond);
/* Cond.Broadcast: wakes all who wait. From a G. */
RT_API void rt_cond_broadcast(struct rt_cond *cond);
/* A counting semaphore with n permits, which Go's runtime has inside; zeroed, it has none. From anywhere. */
RT_API void rt_sem_init(struct rt_sem *sem, uint32_t n);
/* Takes a permit; parks while there is none, first come first served. From a G. */
RT_API void rt_sem_acquire(struct rt_sem *sem);
/* Gives one, by any G. From a G. */
RT_API void rt_sem_release(struct rt_sem *sem);
/* False if there is none. From a G. */
RT_API bool rt_sem_try_acquire(struct rt_sem *sem);

/* ---- Blocking work that the scheduler must know about ---- */

/* runtime.entersyscall: what follows may block the thread, so others get its P if it takes long. Until
 * rt_exitsyscall, in the same function, no other function of rt.h may be called but those "from anywhere": it is
 * fatal where it needs the scheduler. From a G. */
RT_API void rt_entersyscall(void);
/* runtime.exitsyscall: parks until there is a P. errno is as the call left it, also on another thread. Fatal
 * without rt_entersyscall. From a G. */
RT_API void rt_exitsyscall(void);
/* Both around fn(arg), whose result it returns. From a G. */
RT_API void *rt_blocking(void *(*fn)(void *), void *arg);

/* I/O through netpoll: a call that cannot go on parks the G until the kernel says that it can. -errno on failure;
 * deadline: a point in time, 0 for none, at which it gives up with -ETIMEDOUT; the descriptor can be used on. A
 * descriptor that is used here becomes non-blocking, but for 0 to 2, which others share; a write to these that finds
 * too little room in a pipe lasts until it is done, whatever the deadline, and so does a read, or an
 * accept, of what somebody else took. It is closed by rt_close, not by close. Several Gs may use one: the calls of one direction are done one
 * after the other, each as a whole. Those that are made here are above 2. In a simulation sockets and pipes are fatal, in words. */

/* net.Listen("tcp", host_port): a listening socket at "host:port", "[v6]:port" or ":port"; port 0 picks one. Without a
 * host, or with 0.0.0.0 or [::], it is of IPv6 and of IPv4, or of IPv4 alone where there is no IPv6; of a name's
 * addresses it takes the first of IPv4, if there is one. From a G. */
RT_API int rt_listen(const char *host_port);
/* Listener.Accept: the new connection's descriptor; TCP_NODELAY is set, as in Go, SO_KEEPALIVE is not, nor by rt_dial.
 * From a G. */
RT_API int rt_accept(int fd, int64_t deadline);
/* net.Dial("tcp", host_port): a connection, to the first of the name's addresses that answers. The look-up of a
 * name is not bounded by the deadline. From a G. */
RT_API int rt_dial(const char *host_port, int64_t deadline);
/* Conn.Read: bytes read, at least one; 0 at the end of the stream, for an empty packet, or if n is 0,
 * whatever the deadline, as soon as nobody else reads. From a G. */
RT_API ssize_t rt_read(int fd, void *buf, size_t n, int64_t deadline);
/* Conn.Write: n, when all are written; or -errno, when some may have been. No bytes are a packet too, where packets
 * are sent. -EPIPE comes without SIGPIPE, except on descriptors 1 and 2, as in Go. From a G. */
RT_API ssize_t rt_write(int fd, const void *buf, size_t n, int64_t deadline);
/* Conn.Close: 0, or -EBADF if it is none, or closed already. Who waits on it returns with -EBADF, and who does not
 * wait ends what he is at: the descriptor is his till then, and this parks; but not for a call that blocks, of a file
 * or of 0 to 2. From a G. */
RT_API int rt_close(int fd);

/* ---- Telling the trace what things mean; no cost when nobody records. Threads that the runtime does not know are in no
 * trace, so what they tell is not, either. Not from a signal handler. ---- */

/* Names a channel, mutex, waitgroup...: any address on which Gs wait; or a ticker, or a timer that is armed. From
 * anywhere, but a timer from a G. */
RT_API void rt_name(const void *object, const char *name);
/* trace.NewTask: begins a task, which may end in another G; its number, never 0. From anywhere. */
RT_API uint64_t rt_task_begin(const char *name);
/* Task.End. Of a task whose begin is not in the trace (it was before the recording, or on a thread that the runtime does
 * not know: these have numbers from 2^63 on) it tells nothing; another number that rt_task_begin did not return is told,
 * and gmpscope check names it. From anywhere. */
RT_API void rt_task_end(uint64_t task);
/* trace.StartRegion: the G enters a region; regions nest. From anywhere; on no G it does nothing. */
RT_API void rt_region_begin(const char *name);
/* Region.End: the G leaves the innermost; without one it does nothing. From anywhere. */
RT_API void rt_region_end(void);
/* trace.Logf: a line of text, of which 1023 bytes are kept, in a category. From anywhere. */
RT_API void rt_log(const char *category, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* ---- Looking at the process from inside ---- */

/* runtime.Stack: writes Go's goroutine dump, with the deferred calls that wait, to fd: of the caller; all: of
 * every G, with the world stopped. From a G. */
RT_API void rt_stack_dump(int fd, bool all);
/* debug.SetTraceback: what a dying process shows from now on: "none" "single" "all" "system" "crash". It only
 * raises what RT_TRACEBACK said; another word, or NULL, changes nothing. From anywhere. */
RT_API void rt_set_traceback(const char *level);
/* runtime.stopTheWorld: parks until only the calling G runs. reason, which may be NULL, is in the trace. Until
 * rt_start_the_world it must not park, yield, panic, end or stop the world again, which is fatal; it may look at the
 * process. From a G. */
RT_API void rt_stop_the_world(const char *reason);
/* runtime.startTheWorld, by the G that stopped it; else it is fatal. From a G. */
RT_API void rt_start_the_world(void);
/* runtime.GC, as the scheduler sees one: stops the world and visits every G's stack at a safe point. C's memory is
 * not touched. From a G. */
RT_API void rt_gc(void);
/* Calls visit(goid, lo, hi, arg) once for every G, with the world stopped, in no order:
 * [lo, hi) is the used part of its stack. Of a G in a system call it is all of it, and what the G has in registers
 * alone is not there; of one that has not run yet, the word that holds its argument. visit must not park, yield, panic
 * or end: that is fatal; a G that it starts may be visited or not. From a G. */
RT_API void rt_scan_stacks(void (*visit)(uint64_t goid, const void *lo, const void *hi, void *arg),
                           void *arg);

#ifdef __cplusplus
}
#endif

/* ---- Defer, panic, recover ---- */
#include "rt-defer.h"

/* ---- Preemption by signal ---- */
#include "rt-preempt.h"
