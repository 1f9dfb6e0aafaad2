/* SPDX-License-Identifier: MIT */
/* os.h - the one door to the operating system: threads, futex, clocks, epoll, signals, memory.
 *
 * Everything in the runtime that depends on the kernel, or on time, goes through here, so that a
 * second implementation (a simulation with virtual time) can stand behind the same calls. Results
 * are 0 or -errno unless said otherwise. Nothing here knows of G, M or P.
 */
#pragma once
#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Before the first M of a run. */
void os_init(void);

/* Threads */
/* Stack 1 MiB, all signals as here. *thread is for who joins it: it is written when the thread may be at its end. Else
 * NULL. */
int os_thread_start(void *(*fn)(void *), void *arg, uint64_t *thread);
/* A new thread has what the kernel keeps of its maker: CPUs, namespaces, ... The template is a thread that makes others for
 * those whose own may not be passed on. Started on one that may; true: by this call. */
bool os_template_start(void);
int os_thread_start_by_template(void *(*fn)(void *), void *arg); /* -EAGAIN: there is none */
void os_template_stop(void);                                     /* when nobody asks it any more */
void os_thread_join(uint64_t thread);
void os_thread_detach(uint64_t thread);
uint64_t os_thread_self(void);
uint32_t os_tid(void);
int os_ncpu(void); /* CPUs that this process may use */
void os_yield(void);
void os_pause(void);                        /* inside a spin */
void os_stack_bounds(char **lo, char **hi); /* of the calling thread */
/* The address of the thread's errno, now. A compiler knows <errno.h>'s to be the same at every call, and keeps it over
 * a switch, whoever is inlined into whom; of this it knows nothing. */
int *os_errno(void);
#undef errno
#define errno (*os_errno())
/* First in a function that says all by its result: what fails inside is not for the program, whose G may be running. */
#define KEEPS_ERRNO const int kept_errno __attribute__((cleanup(os_errno_put_back), unused)) = errno
static inline void os_errno_put_back(const int *kept)
{
  errno = *kept;
}

/* Futex: waits while *addr == value; ns < 0 is without limit. Returns on wake, change, timeout or
 * signal. */
void os_futex_wait(_Atomic uint32_t *addr, uint32_t value, int64_t ns);
void os_futex_wake(_Atomic uint32_t *addr, int n);

/* Puts a full memory barrier into every thread of the process that runs now (the others pass one when they are
 * switched to). False: the kernel cannot, and nothing was done. */
bool os_fence_everywhere(void);

/* Clocks, ns */
int64_t os_now(void);  /* CLOCK_MONOTONIC */
int64_t os_wall(void); /* CLOCK_REALTIME */
void os_usleep(uint32_t us);
uint64_t os_entropy(void);

/* epoll. Events are edge-triggered, read and write, unless level. */
struct os_event {
  uint64_t data;
  bool readable, writable, error; /* error: hang-up or error; wakes both */
  bool
      stops; /* end of the stream, error, or urgent data: a read may end before all that is there */
};
int os_epoll_create(void);
int os_epoll_add(int epoll, int fd, uint64_t data, bool level_read_only);
int os_epoll_del(int epoll, int fd);
/* How many of out are filled, or -errno (-EINTR too). ns: 0 polls, < 0 blocks without limit. */
int os_epoll_wait(int epoll, struct os_event *out, int n, int64_t ns);
int os_eventfd(void);
void os_eventfd_signal(int fd);
void os_eventfd_drain(int fd);
void os_close(int fd);
/* fd, just made, or -1 with errno. Returns it, or a duplicate above 2 in its place, or -errno: a program that was started
 * without standard descriptors shall not write to one of these. */
int os_above_standard(int fd);
/* Another number of a socket whose close waits for its peer (SO_LINGER), for who closes that where it may last. -1: the
 * close of fd does not wait, or cannot be put off. */
int os_put_off_linger(int fd);
bool os_is_open(int fd);
bool os_is_tcp(int fd);
/* A read of the descriptor, or a small write, need not wait now, if nobody else is at it. */
bool os_is_ready(int fd, bool to_write);

/* Memory */
void *os_reserve(size_t n); /* readable and writable, not committed; NULL: none */
void os_release(void *p, size_t n);
int os_guard(void *p, size_t n,
             bool light); /* makes pages fault; light: without splitting the mapping */
size_t os_page_size(void);
size_t os_max_map_count(void);
bool os_address_space_is_limited(void); /* by ulimit -v */

/* Signals: SIGSEGV and SIGBUS go to the handler, on the thread's alternate stack; false: not ours,
 * so the one that was there before gets it. SIGQUIT goes to quit. */
typedef bool os_fault_handler(void *address, void *pc, void *fp, void *sp);
typedef void os_quit_handler(void *pc, void *fp, int sigcode, const void *context);
void os_signals_install(os_fault_handler *fault, os_quit_handler *quit);
/* The registers in a handler's context, each by its name, in Go's order. */
void os_registers(const void *context, void (*tell)(const char *name, uint64_t value));
void os_signals_restore(void);
void *os_altstack_install(void); /* for the calling thread; NULL: out of memory */
void os_altstack_remove(void *stack);

/* Preemption: SIGURG goes to the handler, on the thread's alternate stack; the handler may change where the
 * thread goes on. A handler of the program's own is called before it. */
struct os_regs {
  uintptr_t pc, sp;
};
typedef void os_preempt_handler(struct os_regs *interrupted);
int os_preempt_install(os_preempt_handler *handler);
void os_preempt_restore(void);
void os_preempt_send(uint32_t tid); /* keeps errno; no harm if the thread is gone */
bool os_preempt_open(void);         /* lets it come to the calling thread; true: it was kept out */
void os_preempt_close(void);        /* keeps it out again */

/* Writes all of it to fd, as far as it goes. Signal-safe. */
void os_write(int fd, const void *bytes, size_t n);
/* write, without SIGPIPE. */
ssize_t os_write_quietly(int fd, const void *bytes, size_t n);
/* Address at which the main executable is mapped. */
uint64_t os_load_base(void);
/* Calls fn in every child of fork() from now on, on its one thread. */
void os_at_fork(void (*fn)(void));
/* Calls fn(code) when the process ends by exit() or return from main. */
void os_at_exit(void (*fn)(int code));
