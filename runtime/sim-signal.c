/* SPDX-License-Identifier: MIT */
/* sim-signal.c - SIGURG in the simulation, and the program's own code, in which it matters where it lands.
 *
 * A signal is under way for a seeded time. Then it interrupts its thread at the next point that this comes to: in the
 * middle of the scheduler, asleep on a futex or in epoll, in a system call, or in code of the program. The handler is
 * the real one (preempt.c), and it decides. If it makes the thread go on in asyncPreempt, that is done without the
 * registers, which a coroutine keeps anyway.
 *
 * Code of the program is what the simulation cannot look into: it takes no virtual time, and no signal lands there, in
 * RT_PREEMPTIBLE code neither. A program that wants both says sim_compute(ns), as those of the tests do; one that waits in a
 * loop for what another G does is told after some seconds (os-sim.c), since it would wait for ever.
 * Not done: counting instructions with the CPU's own counters. Containers seldom have them, and they do not repeat: so
 * a signal cannot be made to land at the same instruction in each run.
 */
#include "os.h"
#include "sim-world.h"

#include <stdint.h>

#define LONGEST_WAY 1000000
#define BELOW       256 /* the handler writes a return address below the red zone */

void asyncPreempt2(void);

static os_preempt_handler *handler;

int os_preempt_install(os_preempt_handler *wanted)
{
  handler = wanted;
  return 0;
}

void os_preempt_restore(void)
{
  handler = NULL;
}

bool os_preempt_open(void)
{
  return false;
}

void os_preempt_close(void)
{
}

static bool is_asleep(const struct co *co)
{
  return co->state == CO_SLEEPING || co->state == CO_FUTEX || co->state == CO_EPOLL;
}

void os_preempt_send(uint32_t tid)
{
  struct co *co = co_get(tid - SIM_FIRST_TID);
  if (!handler || !co || co->state == CO_ENDED || co->signal_at != 0)
    return;
  int64_t ns = sim_duration(LONGEST_WAY);
  sim_choice(getm(), TRACE_CHOICE_SIGNAL, LONGEST_WAY, (uint32_t)ns);
  co->signal_at = sim_now() + ns;
  if (is_asleep(co) && co->deadline > co->signal_at)
    co->deadline = co->signal_at;
  sim_point();
}

/* On the thread that it came to, which may be another one afterwards. */
void sim_take_signal(void)
{
  char below[BELOW];
  struct co *me = co_self();
  uintptr_t pc = me->pc ? me->pc : (uintptr_t)sim_take_signal;
  struct os_regs at = { .pc = pc, .sp = (uintptr_t)below + sizeof below };
  me->signal_at = 0;
  me->pc = 0;
  if (!handler)
    return;
  me->in_handler = true;
  handler(&at);
  me->in_handler = false;
  if (at.pc != pc)
    asyncPreempt2();
}

void sim_pass(int64_t ns, uintptr_t pc)
{
  while (ns > 0) {
    struct co *me = co_self();
    int64_t before = sim_now();
    me->pc = pc;
    me->is_away = true;
    sim_sleep(CO_SLEEPING, NULL, ns);
    me->is_away = false;
    ns -= sim_now() - before;
    sim_look_for_signal(); /* from here on it may be another thread */
    co_self()->pc = 0;
  }
}

void sim_compute(int64_t ns)
{
  sim_pass(ns, (uintptr_t)__builtin_return_address(0));
}
