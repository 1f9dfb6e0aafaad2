/* SPDX-License-Identifier: MIT */
/* sim.h - what the scheduler's sources say to the deterministic simulation; in the shipped build, nothing.
 *
 * The simulation is a second library made of the same sources: os-sim.c stands behind os.h, and its
 * <stdatomic.h> (gmpscope-sim/) makes every atomic operation of the runtime a point at which another M
 * may go on. So the sources need no hooks for that, and the shipped objects do not differ by a byte.
 * What remains to be said is here. Which library a program runs with is decided when it is loaded
 * (sim-exec.c). Not done: a table of functions behind os.h. It would cost a load and a branch an atomic.
 *
 * MUTANT(n, broken, right) is right, always, except in the tests' library, which can be told to be wrong
 * at place n: the test driver proves with it that it finds bugs. The lists are tests/sim/mutants.h and, from 101
 * on, tests/demos/mutants.h.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

struct m;

/* Asked before a run begins. 0: go on (seed 0 asks for nothing); -errno: told on stderr why not. The shipped
 * library starts the program anew under the simulation's and does not return if that succeeds. */
int sim_begin(uint64_t seed);

/* What sim-exec.c tells sim-start.c, beside LD_PRELOAD: the personality that the program had, in hex, and filling. */
#define SIM_ENV_START   "GMPSCOPE_SIM_START"
#define SIM_ENV_EVEN    "GMPSCOPE_SIM_EVEN"
#define SIM_ASK_PERSONA 0xffffffffu /* as personality(2) has it */

#ifdef RT_SIM
/* The run that sim_begin let begin is over, or the program's end has begun. */
void sim_end(void);
/* A G goes into what stands for a system call. If that blocks for real, nobody can go on, and it is told. */
void sim_syscall_begin(void);
/* A G has come back from what stands for a system call: lets the time pass that it took. */
void sim_syscall(void);
/* The program wants a socket, or another real one: fatal, in words. */
void sim_refuse_io(void);
/* Writes a choice that the generator made outside of the simulation. what: TRACE_CHOICE_... */
void sim_choice(struct m *mp, uint32_t what, uint32_t of_n, uint32_t picked);
/* Between the two no time passes and nobody else goes on: for what only a recorded run does, which is to take the same
 * course as another one. */
void sim_hold(void);
void sim_go_on(void);
/* The process ends: the others go on, until is_done holds for the M of each that is awake; not for ever. */
void sim_let_finish(bool (*is_done)(const struct m *mp));
/* The clock of the trace's writers, each time a later one; last: when the next event of the one that asks would be. */
uint64_t sim_clock(uint64_t last);
/* A number for a new object, by which such objects may be put in order: in the simulation where it lies decides nothing. */
uint64_t sim_order(const void *object);
/* Puts what is the same in every run in the place of addresses in an event's words. */
void sim_name_addresses(uint32_t kind, uint64_t *lo, uint64_t *hi);
/* Address of the main executable, as sim_name_addresses tells it. */
uint64_t sim_load_base(void);
/* Moves what tracing has mapped to where it is in nobody's way; where it is now, NULL for NULL. */
void *sim_put_aside(void *mapped, size_t n);
/* What tracing keeps, beside the program's heap; NULL: no memory. */
void *sim_alloc(size_t n);
static inline void sim_free(void *p)
{
  (void)p;
}
/* The process dies: nobody else goes on from here; tells seed and step. */
void sim_freeze(void);
void sim_last_words(void);
#define SIM_BUILT true
/* Of the run that is on. */
uint64_t sim_seed(void);
#else
static inline void sim_end(void)
{
}
static inline void sim_syscall_begin(void)
{
}
static inline void sim_syscall(void)
{
}
static inline void sim_refuse_io(void)
{
}
static inline void sim_choice(struct m *mp, uint32_t what, uint32_t of_n, uint32_t picked)
{
  (void)mp, (void)what, (void)of_n, (void)picked;
}
static inline void sim_hold(void)
{
}
static inline void sim_go_on(void)
{
}
static inline void sim_let_finish(bool (*is_done)(const struct m *mp))
{
  (void)is_done;
}
static inline uint64_t sim_clock(uint64_t last)
{
  (void)last;
  return 0;
}
static inline uint64_t sim_order(const void *object)
{
  return (uint64_t)(uintptr_t)object;
}
static inline void sim_name_addresses(uint32_t kind, uint64_t *lo, uint64_t *hi)
{
  (void)kind, (void)lo, (void)hi;
}
static inline uint64_t sim_load_base(void)
{
  return 0;
}
static inline void *sim_put_aside(void *mapped, size_t n)
{
  (void)n;
  return mapped;
}
static inline void *sim_alloc(size_t n)
{
  return malloc(n);
}
static inline void sim_free(void *p)
{
  free(p);
}
static inline void sim_freeze(void)
{
}
static inline void sim_last_words(void)
{
}
#define SIM_BUILT false
static inline uint64_t sim_seed(void)
{
  return 0;
}
#endif

/* Loops of deferred calls keep records in the frame, as long as nobody records. In the simulation they do not, so that its
 * runs take the same course either way; but in the tests' library, which is to simulate that too. */
#if defined(RT_MUTANTS) && defined(RT_SIM)
extern bool sim_keeps_spares;
#define KEEPS_SPARES sim_keeps_spares
#else
#define KEEPS_SPARES (!SIM_BUILT)
#endif

#ifdef RT_MUTANTS
extern int sim_mutant; /* which place is wrong; 0: none (sim-world.h) */
#define MUTANT(n, broken, right) (sim_mutant == (n) ? (broken) : (right))
#else
#define MUTANT(n, broken, right) (right)
#endif
