/* SPDX-License-Identifier: MIT */
/* throw.c - how the process ends when something is wrong: Go's words, a dump, a whole trace, exit code 2.
 *
 * throw is for our bugs, fatal for the user's: both show all Gs, as Go does; dopanic, after an unrecovered panic was
 * printed, as many as RT_TRACEBACK says. The first
 * thread to come here speaks; others wait for the end. The other Ms are held up as far as they listen
 * (freeze_the_world), so that the dump shows what was.
 */
#include "options.h"
#include "os.h"
#include "panic.h"
#include "print.h"
#include "proc.h"
#include "sim.h"
#include "tracedoor.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FREEZE_US 1000

static _Atomic uint32_t dying; /* tid of who speaks */

const char *waitreason_text(waitreason reason)
{
  const char *text = trace_word_text(TRACE_ARG_WAIT, reason);
  return text && *text ? text : "waiting";
}

static void flush_stdout(void)
{
  if (ftrylockfile(stdout) != 0)
    return; /* somebody is in it, perhaps for ever */
  fflush_unlocked(stdout);
  funlockfile(stdout);
}

static void freeze_the_world(struct m *mp)
{
  if (mp && !atomic_load(&sched.gcwaiting)) {
    tr_stamp(mp);
    tr_stw_begin(mp, TRACE_STWWHY_EXIT, 0);
  }
  sched.stopwait = INT32_MAX;
  atomic_store(&sched.gcwaiting, 1);
  if (mp)
    preemptall(mp, TRACE_PREEMPTWHY_STW);
  os_usleep(FREEZE_US);
}

/* True for the thread that may speak; the same one again: something is wrong with speaking itself. */
static void become_the_speaker(void)
{
  uint32_t me = os_tid(), nobody = 0;
  sim_freeze();
  if (atomic_compare_exchange_strong(&dying, &nobody, me))
    return;
  if (nobody == me) {
    os_write(2, "panic during panic\n", 19);
    _exit(2);
  }
  for (;;)
    os_usleep(1000000);
}

static _Noreturn void end(void)
{
  sim_last_words();
  tr_end(2);
  if (options.traceback >= TRACEBACK_CRASH) {
    signal(SIGABRT, SIG_DFL);
    abort();
  }
  _exit(2);
}

/* me: the G at fault, if it is one. Begins with a blank line, if there is anything to show. */
static void dump(struct g *me, bool everybody)
{
  if (me && options.traceback > TRACEBACK_NONE) {
    print_str("\n");
    goroutineheader(me);
    tracebackg(me);
  }
  if (everybody && options.traceback > TRACEBACK_NONE)
    tracebackothers(me);
}

/* The G whose own code runs here; NULL on g0, whatever G that was left for. */
static struct g *g_here(struct m *mp)
{
  struct g *gp = mp ? mp->curg : NULL;
  const char *here = __builtin_frame_address(0);
  return gp && here > gp->stack.lo && here < gp->stack.hi ? gp : NULL;
}

/* runtime_internals: frames of the runtime too, as at RT_TRACEBACK=system. Else the panics whose deferred calls have
 * brought us here are told first. */
static _Noreturn void die(const char *msg, bool runtime_internals)
{
  struct m *mp = getm();
  struct g *gp = mp ? mp->curg : NULL;
  check_forked(); /* a dump of the parent's Gs would mislead */
  become_the_speaker();
  flush_stdout();
  printlock_for_last_words();
  if (!runtime_internals && g_here(mp) && gp->_panic) {
    printpanics_in_progress(gp->_panic);
    print_str("\t");
  }
  print_str("fatal error: ");
  print_str(msg);
  print_str("\n");
  schedtrace_last();
  freeze_the_world(mp);
  if (runtime_internals && options.traceback > TRACEBACK_NONE)
    dump_internals();
  dump(gp, true);
  printunlock();
  end();
}

_Noreturn void throw(const char *msg)
{
  die(msg, true);
}

_Noreturn void fatal(const char *msg)
{
  die(msg, false);
}

void startpanic(void)
{
  become_the_speaker();
  flush_stdout();
  schedtrace_last();
  freeze_the_world(getm());
}

_Noreturn void dopanic(void)
{
  struct m *mp = getm();
  printlock_for_last_words();
  dump(mp ? mp->curg : NULL, options.traceback >= TRACEBACK_ALL);
  printunlock();
  end();
}

_Noreturn void rt_exit(int code)
{
  sim_end();
  exit(code); /* the trace's end hangs on it */
}

/* ---- from signal handlers ---- */

static void print_overflow(const struct g *gp, const void *address, const void *sp)
{
  print_str("runtime: goroutine stack exceeds ");
  print_uint((uint64_t)(gp->stack.hi - gp->stack.lo));
  print_str("-byte limit\nsp=");
  print_hex((uint64_t)(uintptr_t)sp);
  print_str(" addr=");
  print_hex((uint64_t)(uintptr_t)address);
  print_str(" stack=[");
  print_hex((uint64_t)(uintptr_t)gp->stack.lo);
  print_str(", ");
  print_hex((uint64_t)(uintptr_t)gp->stack.hi);
  print_str("]\nfatal error: stack overflow\n");
}

struct overflow {
  const void *address, *sp;
  struct g *culprit;
};

static void look_for_culprit(struct g *gp, void *arg)
{
  struct overflow *o = arg;
  if (stack_is_left(gp, o->address, o->sp))
    o->culprit = gp;
}

/* Who is on the stack: a G that parks is no curg any more, and its successor may be, while it still stands there. */
static struct g *culprit(const struct m *mp, const void *address, const void *sp)
{
  struct overflow o = { address, sp, NULL };
  struct g *gp = atomic_load(&mp->curg);
  if (mp->prevg && stack_is_left(mp->prevg, address, sp))
    return mp->prevg;
  if (gp)
    return stack_is_overflowed(gp, address, sp) ? gp : NULL;
  forEachGOfAnyRun(look_for_culprit, &o);
  return o.culprit;
}

bool on_fault(void *address, void *pc, void *fp, void *sp)
{
  const struct m *mp = getm();
  struct g *gp = mp ? culprit(mp, address, sp) : NULL;
  if (!gp)
    return false;
  become_the_speaker();
  printlock_for_last_words();
  print_overflow(gp, address, sp);
  traceback_from(gp, pc, fp);
  dump(gp, true);
  printunlock();
  end();
}

static void print_register(const char *name, uint64_t value)
{
  print_str(name);
  for (size_t n = strlen(name); n < 7; n++)
    print_str(" ");
  print_hex(value);
  print_str("\n");
}

void on_quit(void *pc, void *fp, int sigcode, const void *context)
{
  struct m *mp = getm();
  struct g *gp = mp ? atomic_load(&mp->curg) : NULL;
  become_the_speaker();
  schedtrace_last();
  freeze_the_world(mp);
  printlock_for_last_words();
  print_str("SIGQUIT: quit\nPC=");
  print_hex((uint64_t)(uintptr_t)pc);
  print_str(" m=");
  mp ? print_uint(mp->id) : print_str("nil");
  print_str(" sigcode=");
  print_int(sigcode);
  print_str("\n");
  traceback_from(gp, pc, fp);
  if (options.traceback > TRACEBACK_NONE) {
    dump_internals();
    dump(gp, true);
    print_str("\n");
    os_registers(context, print_register);
  }
  printunlock();
  end();
}
