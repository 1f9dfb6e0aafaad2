/* SPDX-License-Identifier: MIT */
/* sim-world.c - the simulated machine's one clock and one generator: who goes on, and when.
 *
 * Every M has a CPU of its own, as far as the seed wants. At each point (an atomic operation, a call of os.h)
 * a little time passes, and now and then the generator picks who goes on, among all that can. Some seeds
 * pick at every other point, some rarely, because bugs differ in what they need; and now and then an M is
 * stalled, as if the kernel had given its CPU to somebody else, so that others overtake it by far. When
 * nobody can go on, time jumps to the first deadline.
 *
 * A step is a point. The tests do not look after every one, but before anybody else goes on: when the generator chooses,
 * when somebody sleeps or spins, and before time jumps. In between one M ran alone, and what it did no other M saw.
 * Cost: the tests' programs take 0.6 ms a run with all their looks, and the fork 0.2 ms.
 *
 * I1  Nothing here depends on anything but the seed and what the program does: no address, no real clock.
 * I2  Time never goes back, and moves only here.
 * I3  A choice is written into the ring of the M that was running (TRACE_CHOICE), before it is carried out.
 * I4  To be recorded takes no step and no time: what only a recorded run does stands between sim_hold and sim_go_on, and
 *     the trace's clock is one of its own (sim_clock). So a seed means the same course either way.
 */
#include "sim-world.h"

#include "os.h"
#include "print.h"
#include "tracedoor.h"

#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#define STEP_NS        20
#define LONGEST_STALL  20000000
#define LONGEST_SPIN   1000000
#define LONGEST_ALONE  1000       /* jumps */
#define LONGEST_FINISH 20000      /* times that others go on */
#define REFUSAL_ONE_IN 4u         /* threads, in a seed that refuses */
#define EPOCH          1000000000 /* the clock begins here: 0 means "no time" in many places */
#define WALL_EPOCH     1700000000000000000 /* 2023-11-14, for ever */

static struct {
  uint64_t seed, state, step;
  int64_t now;
  uint64_t stamp;  /* the last one of the trace's clock */
  uint32_t one_in; /* points, for a choice */
  uint32_t stalls; /* one in so many choices stalls a thread; 0: none does */
  bool refuses;    /* this seed refuses to make threads */
  bool frozen;     /* somebody dies: nobody else goes on */
  bool watching;   /* inside sim_watch */
  uint32_t holds;  /* sim_hold less sim_go_on */
  _Atomic bool is_under_way;
  uint32_t alone;  /* jumps since anybody but sysmon went on, or would of its own */
  int64_t spin_ns; /* how long the next spin alone takes */
} world;

sim_watcher *sim_watch;
int sim_mutant;
bool sim_keeps_spares;
volatile uint64_t *sim_step_out;

/* ---- the generator ---- */

uint64_t sim_mix(uint64_t *state)
{
  uint64_t z = *state += 0x9e3779b97f4a7c15u; /* splitmix64 */
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

static uint64_t next_random(void)
{
  return sim_mix(&world.state);
}

uint32_t sim_rand(uint32_t n)
{
  return (uint32_t)((next_random() >> 32) * n >> 32);
}

int64_t sim_duration(int64_t longest_ns)
{
  uint32_t bits = 64 - (uint32_t)__builtin_clzll((uint64_t)longest_ns);
  int64_t below = (int64_t)1 << (1 + sim_rand(bits));
  int64_t ns = (int64_t)(next_random() % (uint64_t)below) + 1;
  return ns < longest_ns ? ns : longest_ns;
}

uint64_t os_entropy(void)
{
  return next_random();
}

int sim_begin(uint64_t seed)
{
  static const uint32_t rates[] = { 2, 4, 16, 64 }, stalls[] = { 0, 0, 512, 32 };
  world.seed = world.state = seed ? seed : 1;
  world.step = 0;
  world.frozen = false;
  if (world.now == 0)
    world.now = EPOCH;
  world.one_in = rates[sim_rand(4)];
  world.stalls = stalls[sim_rand(4)];
  world.refuses = sim_rand(8) == 0;
  world.spin_ns = STEP_NS;
  co_begin();
  atomic_store(&world.is_under_way, true);
  if (!sim_watch) /* the tests have a limit of their own, and run thousands of programs */
    sim_watch_steps();
  return 0;
}

void sim_end(void)
{
  atomic_store(&world.is_under_way, false);
}

bool sim_is_under_way(void)
{
  return atomic_load(&world.is_under_way);
}

uint64_t sim_seed(void)
{
  return world.seed;
}

uint64_t sim_step(void)
{
  return __atomic_load_n(&world.step, __ATOMIC_RELAXED); /* the watcher asks too, from outside */
}

int64_t sim_now(void)
{
  return world.now;
}

/* A clock of the trace's own, which may be ahead of the world's and never moves that. A writer counts on from its last
 * event while time stands still: so what others stamp after that is later, or what a G does in thousands of events
 * without a step would come after its effects elsewhere. */
uint64_t sim_clock(uint64_t last)
{
  uint64_t now = (uint64_t)world.now, next = world.stamp + 1;
  world.stamp = now > next ? now : next;
  if (last > world.stamp)
    world.stamp = last;
  return world.stamp;
}

static bool is_on(void)
{
  return co_self() && !world.frozen && !world.watching && world.holds == 0;
}

void sim_hold(void)
{
  world.holds++;
}

void sim_go_on(void)
{
  world.holds--;
}

/* Nobody else goes on meanwhile: it may be a signal handler that asks, or an allocator that the scheduler called. */
int64_t sim_read_clock(void)
{
  if (world.now == 0)
    world.now = EPOCH;
  return world.now += STEP_NS;
}

int64_t sim_wall(int64_t now)
{
  return WALL_EPOCH + now;
}

int64_t sim_cpu_time(int64_t now)
{
  return now - EPOCH;
}

void sim_nap(int64_t ns)
{
  const struct m *mp = getm();
  if (sim_is_under_way() && is_on() && mp && atomic_load(&mp->curg))
    sim_pass(ns, 0);
  else
    world.now = sim_read_clock() + ns;
}

/* ---- telling ---- */

void sim_choice(struct m *mp, uint32_t what, uint32_t of_n, uint32_t picked)
{
  if (mp && mp->tw && tr_on(mp, TRACE_FAMILY_META))
    tr_emit_aside(mp, TRACE_CHOICE, (uint64_t)of_n << 32 | what, picked);
}

static void watch(bool is_quiet, int64_t next)
{
  if (!sim_watch || world.watching)
    return;
  world.watching = true;
  sim_watch(is_quiet, next);
  world.watching = false;
}

void sim_freeze(void)
{
  world.frozen = true;
}

void sim_last_words(void)
{
  char text[128];
  int n = snprintf(text, sizeof text, "simulation: seed %llu, step %llu, at %lld ns\n",
                   (unsigned long long)world.seed, (unsigned long long)world.step,
                   (long long)(world.now - EPOCH));
  os_write(STDERR_FILENO, text, (size_t)n);
}

_Noreturn void sim_fail(const char *fmt, ...)
{
  char text[512];
  va_list args;
  va_start(args, fmt);
  vsnprintf(text, sizeof text, fmt, args);
  va_end(args);
  sim_freeze();
  print_str("simulation: ");
  print_str(text);
  print_str("\n");
  sim_last_words();
  tr_end(SIM_EXIT);
  _exit(SIM_EXIT);
}

/* ---- who goes on ---- */

static void look_at_deadline(struct co *co)
{
  if (co->state != CO_READY && co->state != CO_ENDED && co->deadline <= world.now)
    co->state = CO_READY; /* addr stays: it was not woken */
}

/* The n-th that can go on, without except; how many there are, if fewer. */
static uint32_t nth_ready(uint32_t n, const struct co *except, struct co **found)
{
  uint32_t ready = 0;
  struct co *co;
  for (uint32_t i = 0; (co = co_get(i)); i++) {
    look_at_deadline(co);
    if (co->state != CO_READY || co == except)
      continue;
    if (ready++ == n) {
      *found = co;
      return ready;
    }
  }
  return ready;
}

/* sysmon wakes for ever, but nothing that happens in here can wake anybody else: there is I/O under way. */
static void count_alone(int64_t next_but_sysmon)
{
  world.alone = next_but_sysmon == SIM_FOR_EVER ? world.alone + 1 : 0;
  if (world.alone > LONGEST_ALONE)
    fatal(
        "simulation: the program waits for a file descriptor, and real I/O is in no seed; run the "
        "program without the simulation");
}

/* Nobody can go on: time jumps to when somebody can. */
static void jump(void)
{
  int64_t next = SIM_FOR_EVER, next_but_sysmon = SIM_FOR_EVER;
  bool stalled = false;
  struct co *co;
  for (uint32_t i = 0; (co = co_get(i)); i++) {
    if (co->state == CO_ENDED)
      continue;
    stalled |= co->state == CO_STALLED;
    if (co->deadline < next)
      next = co->deadline;
    if (!(co->m && co->m->is_sysmon) && co->deadline < next_but_sysmon)
      next_but_sysmon = co->deadline;
  }
  int64_t next_fd = sim_fd_next();
  count_alone(next_but_sysmon < next_fd ? next_but_sysmon : next_fd);
  if (next_fd < next)
    next = next_fd;
  if (!stalled)
    watch(true, next);
  if (next == SIM_FOR_EVER)
    sim_fail("every thread sleeps for ever");
  if (next > world.now)
    world.now = next;
  sim_fd_look(world.now);
}

/* Somebody who can go on. except: not him, if others can. */
static struct co *pick(const struct co *except)
{
  struct co *found = NULL;
  uint32_t n;
  while ((n = nth_ready(UINT32_MAX, except, &found)) == 0) {
    if (except)
      return NULL;
    jump();
  }
  uint32_t picked = n > 1 ? sim_rand(n) : 0;
  nth_ready(picked, except, &found);
  if (!found)
    sim_fail("somebody who could go on cannot any more");
  if (!(found->m && found->m->is_sysmon))
    world.alone = 0;
  if (n > 1)
    sim_choice(getm(), TRACE_CHOICE_RUN, n, picked);
  return found;
}

static void count_step(void)
{
  __atomic_store_n(&world.step, world.step + 1, __ATOMIC_RELAXED);
  co_self()->m = getm();
  world.now += 1 + sim_rand(2 * STEP_NS);
  sim_fd_look(world.now);
  if (sim_step_out)
    *sim_step_out = world.step;
}

static void stall(struct co *me)
{
  int64_t ns = sim_duration(LONGEST_STALL);
  sim_choice(getm(), TRACE_CHOICE_STALL, LONGEST_STALL, (uint32_t)ns);
  me->state = CO_STALLED;
  me->deadline = world.now + ns;
}

bool sim_refuses(void)
{
  return world.refuses && sim_rand(REFUSAL_ONE_IN) == 0;
}

void sim_look_for_signal(void)
{
  const struct co *me = co_self();
  if (me->signal_at != 0 && me->signal_at <= world.now && !me->in_handler)
    sim_take_signal();
}

void sim_point(void)
{
  if (!is_on())
    return;
  sim_look_for_signal();
  count_step();
  if (sim_rand(world.one_in) != 0)
    return;
  world.spin_ns = STEP_NS;
  watch(false, 0);
  if (world.stalls && sim_rand(world.stalls) == 0)
    stall(co_self());
  co_switch(pick(NULL));
}

void sim_spin(void)
{
  if (!is_on())
    return;
  sim_look_for_signal();
  count_step();
  watch(false, 0);
  struct co *other = pick(co_self());
  if (other) {
    world.spin_ns = STEP_NS;
    co_switch(other);
    return;
  }
  world.now += world.spin_ns; /* alone: it waits for somebody who sleeps */
  if (world.spin_ns < LONGEST_SPIN)
    world.spin_ns *= 2;
}

static bool is_somebody_at_it(bool (*is_done)(const struct m *mp))
{
  const struct co *co;
  for (uint32_t i = 0; (co = co_get(i)); i++)
    if (co != co_self() && (co->state == CO_READY || co->state == CO_STALLED) && co->m &&
        !is_done(co->m))
      return true;
  return false;
}

void sim_let_finish(bool (*is_done)(const struct m *mp))
{
  if (!co_is_here() || !is_on())
    return;
  for (uint32_t i = 0; i < LONGEST_FINISH && is_somebody_at_it(is_done); i++)
    sim_spin();
}

void sim_sleep(enum co_state state, _Atomic uint32_t *addr, int64_t ns)
{
  struct co *me = co_self();
  if (!is_on())
    return;
  me->state = state;
  me->addr = addr;
  me->deadline = ns < 0 || ns > SIM_FOR_EVER - world.now ? SIM_FOR_EVER : world.now + ns;
  if (me->signal_at != 0 && me->signal_at < me->deadline)
    me->deadline = me->signal_at;
  watch(false, 0);
  co_switch(pick(NULL));
  me->addr = NULL;
}

void sim_wait(enum co_state state, _Atomic uint32_t *addr, int64_t ns)
{
  if (!is_on())
    return;
  sim_sleep(state, addr, ns);
  sim_look_for_signal();
}

void sim_wake(struct co *co)
{
  co->state = CO_READY;
  co->addr = NULL;
}

_Noreturn void sim_end_thread(void)
{
  co_self()->state = CO_ENDED;
  co_self()->m = NULL;
  co_switch(pick(NULL));
  __builtin_unreachable();
}
