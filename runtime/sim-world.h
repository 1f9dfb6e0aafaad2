/* SPDX-License-Identifier: MIT */
/* sim-world.h - the simulated machine: threads that are coroutines, one clock, one generator.
 *
 * For os-sim.c and for the tests, which look at the machine whenever it chooses (sim_watch).
 */
#pragma once
#include "fp-amd64.h"
#include "runtime.h"
#include "sim.h"

#define SIM_FOR_EVER INT64_MAX

enum co_state { /* of a simulated thread */
  CO_READY,     /* it could go on */
  CO_STALLED,   /* it could, but its CPU is taken away until the deadline */
  CO_SLEEPING,  /* until the deadline: usleep, or a system call that takes time */
  CO_FUTEX,     /* until woken at addr, or the deadline */
  CO_EPOLL,     /* until the eventfd is written, a descriptor is filled, or the deadline */
  CO_ENDED,     /* its slot and stack may be used again */
};

struct co {
  enum co_state state;
  bool
      is_away; /* CO_SLEEPING in a G's system call or its own code: it looks at nothing when it wakes */
  bool in_handler;        /* of a signal: no other one comes meanwhile */
  int64_t signal_at;      /* when one comes; 0: none is under way */
  uintptr_t pc;           /* in the program's own code; 0: elsewhere */
  int64_t deadline;       /* virtual ns */
  _Atomic uint32_t *addr; /* slept on */
  struct m *m;            /* the thread's M, as of its last point */
  int saved_errno;
  struct fp_control fp;
  struct exceptions exceptions;
  void *sp;       /* saved context, while another one runs */
  char *lo, *hi;  /* its own stack; NULL for the thread that began the simulation */
  const void *at; /* bounds of the stack that it stands on, for the address sanitizer */
  size_t at_size;
  void *fake_stack;
  void *(*fn)(void *);
  void *arg;
};

/* ---- sim-co.c: the coroutines ---- */

/* Makes the caller's thread the first one. */
void co_begin(void);
/* A fresh one, ready; NULL: too many, or out of memory. */
struct co *co_new(void *(*fn)(void *), void *arg);
struct co *co_self(void);
/* Leaves the running one for to; returns when somebody leaves for it. */
void co_switch(struct co *to);
/* The caller's thread is the one whose coroutines they are. */
bool co_is_here(void);
/* By number, from 0 (the first thread); NULL from the first unused one on. */
struct co *co_get(uint32_t i);
uint32_t co_number(const struct co *co);

/* ---- sim-world.c: time and choice ---- */

/* Between sim_begin and sim_end. From any thread. */
bool sim_is_under_way(void);
int64_t sim_now(void);
uint64_t sim_seed(void);
uint64_t sim_step(void);
/* The time, a little after it was last asked for; from the simulation's thread, in its signal handlers, too, and before
 * a run. */
int64_t sim_read_clock(void);
/* What stands on a wall clock at now, and how long the program has had a CPU, as each thread has one. */
int64_t sim_wall(int64_t now);
int64_t sim_cpu_time(int64_t now);
/* The caller sleeps for ns in a system call of its own; others go on meanwhile. From the simulation's thread. */
void sim_nap(int64_t ns);
/* The next number of any generator. */
uint64_t sim_mix(uint64_t *state);
/* The next of the generator; below n. */
uint32_t sim_rand(uint32_t n);
/* A time that is short as a rule, and sometimes as long as longest, each order of magnitude as likely. */
int64_t sim_duration(int64_t longest_ns);
/* A point at which another M may go on. */
void sim_point(void);
/* The caller spins: others go on if they can, and time passes. */
void sim_spin(void);
/* The caller's state is set: others go on until it was woken, or its deadline came, or a signal. */
void sim_wait(enum co_state state, _Atomic uint32_t *addr, int64_t ns);
/* The same, and a signal that interrupts it is left for later: sim_look_for_signal. */
void sim_sleep(enum co_state state, _Atomic uint32_t *addr, int64_t ns);
void sim_wake(struct co *co);
/* This seed refuses threads, and here is one to be refused. */
bool sim_refuses(void);
/* The running coroutine is over. */
_Noreturn void sim_end_thread(void);

/* ---- os-sim.c ---- */

/* From now on a run that takes no step for some seconds of real time is ended, in words. */
void sim_watch_steps(void);
/* Who asked epoll last, unless in passing and in vain, came back with a descriptor's event. */
bool sim_poller_was_told(void);

/* ---- sim-io.c: descriptors for the tests' programs ---- */

struct os_event;
/* One that nothing can be read from yet; to be closed by rt_close. */
int sim_fd_new(void);
/* An 8-byte 1 can be read from it at that time; not before the last filling has come. */
void sim_fd_fill(int fd, int64_t at);
/* For os-sim.c. False: it is none of ours. */
bool sim_fd_add(int fd, uint64_t data);
void sim_fd_del(int fd);
int sim_fd_events(struct os_event *out, int n);
/* The next filling; SIM_FOR_EVER: none. */
int64_t sim_fd_next(void);
/* Fills what is due, and wakes who sleeps in epoll for it. */
void sim_fd_look(int64_t now);

/* ---- sim-signal.c ---- */

#define SIM_FIRST_TID 1000u
/* A signal that is due interrupts the caller. */
void sim_look_for_signal(void);
void sim_take_signal(void);
/* The caller, a G, runs ns of its own code: others go on meanwhile, and a signal lands in the caller's function. */
void sim_compute(int64_t ns);
/* The same; pc: where it is meanwhile, 0 if that is no place for a signal to change anything. */
void sim_pass(int64_t ns, uintptr_t pc);

/* When the tests look: at a choice; or nobody can go on before time moves, so that every M sleeps of its
 * own will (next: when the first of them wakes, SIM_FOR_EVER if never). */
typedef void sim_watcher(bool is_quiet, int64_t next);
extern sim_watcher *sim_watch;
/* Where the step is counted, for who shares this memory; NULL: nowhere. */
extern volatile uint64_t *sim_step_out;
/* An invariant does not hold: says which, with seed and step, and ends the process with SIM_EXIT. */
_Noreturn void sim_fail(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
#define SIM_EXIT 97
/* Which place of sim.h's MUTANT is wrong; in the tests' library. */
extern int sim_mutant;
/* Runs that nobody records keep spare records in frames (sim.h, KEEPS_SPARES). */
extern bool sim_keeps_spares;
