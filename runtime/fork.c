/* SPDX-License-Identifier: MIT */
/* fork.c - what a child of fork() may do: exec, _exit, and what POSIX lets it. Not the runtime.
 *
 * The child has one thread of many. The others may have held any lock of ours, stood in the middle of any queue,
 * or been about to wake somebody; no handler before the fork could wait for all of them without stopping the
 * world at every system(). So nothing is held or repaired: the child forgets the runtime, and a call that needs
 * it says so and ends the child with 2, as throw does. What saying so takes (the print lock, whose owner is
 * gone) is made anew; signals are the program's own again; the trace stays the parent's alone.
 *
 * posix_spawn, system and popen do not come here: their child shares our memory until it execs, and runs none
 * of our code.
 *
 * A process that forks while no run is on is no child in this sense: both may call rt_run.
 */
#include "os.h"
#include "print.h"
#include "proc.h"
#include "sim.h"

#include <unistd.h>

static _Atomic bool is_child;

static void in_child(void)
{
  sim_freeze(); /* first of all, or its other threads would go on here, too */
  if (!run_is_on())
    return;
  setm(NULL);
  print_reset();
  preempt_end();
  os_signals_restore();
  atomic_store(&is_child, true);
}

void fork_watch(void)
{
  static _Atomic bool watched;
  if (!atomic_exchange(&watched, true))
    os_at_fork(in_child);
}

void check_forked(void)
{
  static const char words[] =
      "fatal error: the runtime was called in a child of fork(); there it may only exec or _exit\n";
  if (!atomic_load(&is_child))
    return;
  os_write(2, words, sizeof words - 1);
  _exit(2);
}
