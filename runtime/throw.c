/* SPDX-License-Identifier: MIT */
/* throw.c - how the process ends when something is wrong: Go's words, a dump, a whole trace, exit code 2.
 *
 * throw is for our bugs, and shows all Gs, as a stack's overflow and SIGQUIT do; fatal for the user's, and fatalpanic for
 * panics that nobody recovered: these show as many as RT_TRACEBACK says, but all, if any, where it is no G's doing, such
 * as a deadlock. As in Go. The first thread to come here speaks; others wait for the end. The other Ms are held up as far
 * as they listen (freeze_the_world), so that the dump shows what was.
 *
 * Who speaks does so on a stack that is kept for that (Go: on g0's): there may be no room left on the G's.
 */
#include "options.h"
#include "os.h"
#include "panic.h"
#include "print.h"
#include "proc.h"
#include "sim.h"
#include "switch.h"
#include "tracedoor.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FREEZE_US 1000
#define STAGE     (64 << 10)

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
  if (!mp || !mp->tw)
    tr_end(2); /* it cannot be told that the others are held up */
  else if (!atomic_load(&sched.gcwaiting)) {
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

bool somebody_dies(void)
{
  return atomic_load(&dying) != 0;
}

/* Ends the trace and the process; comes back if that is to leave a core. */
static void end(void)
{
  sim_last_words();
  tr_end(2);
  if (options.traceback < TRACEBACK_CRASH)
    _exit(2);
  signal(SIGABRT, SIG_DFL);
}

enum shown {
  SHOWN_NONE,
  SHOWN_ONE, /* the thread's own */
  SHOWN_ALL
};

/* me: the G at fault, if it is one. Begins with a blank line, if there is anything to show. */
static void dump(struct g *me, enum shown shown)
{
  if (me && shown >= SHOWN_ONE) {
    print_str("\n");
    goroutineheader(me);
    tracebackg(me);
  }
  if (shown == SHOWN_ALL)
    tracebackothers(me);
}

/* The G whose own code runs here; NULL on g0, whatever G that was left for. */
static struct g *g_here(struct m *mp)
{
  struct g *gp = mp ? mp->curg : NULL;
  const char *here = __builtin_frame_address(0);
  return gp && here > gp->stack.lo && here < gp->stack.hi ? gp : NULL;
}

/* What is said before the process ends. */
struct last_words {
  void (*tell)(void *what);
  void *what;
  struct g *gp; /* the thread's, whether it is that which speaks or not; or NULL */
  enum shown shown;
};

static void speak(void *arg)
{
  const struct last_words *words = arg;
  flush_stdout();
  printlock_for_last_words();
  words->tell(words->what);
  dump(words->gp, words->shown);
  printunlock();
  end();
}

/* Of what the program is to blame for. */
static enum shown shown_of(const struct g *gp)
{
  if (options.traceback == MUTANT(123, TRACEBACK_CRASH, TRACEBACK_NONE))
    return SHOWN_NONE;
  if (!gp || options.traceback >= MUTANT(122, TRACEBACK_SYSTEM, TRACEBACK_ALL))
    return SHOWN_ALL;
  return SHOWN_ONE;
}

/* fp: the frame from which on the G's are shown. */
static _Noreturn void say(struct last_words words, const void *fp)
{
  static _Alignas(16) char stage[STAGE];
  struct m *mp = getm();
  words.gp = mp ? mp->curg : NULL;
  become_the_speaker();
  if (words.gp)
    panic_is_over(words.gp); /* who waits for that sees who speaks */
  if (g_here(mp))
    traceback_from(words.gp, NULL, fp);
  call_on_stack(stage, stage + sizeof stage, speak, &words);
  abort(); /* where it began, for who looks at the core */
}

/* Go's startpanic_m. */
static void hold_everybody(void)
{
  schedtrace_last();
  freeze_the_world(getm());
}

static void tell_panic(void *panic)
{
  hold_everybody();
  printpanics_in_progress(panic);
}

_Noreturn __attribute__((noinline)) void fatalpanic(struct rt_panic *p)
{
  say((struct last_words){ .tell = tell_panic, .what = p, .shown = shown_of(g_here(getm())) },
      __builtin_frame_address(0));
}

struct error {
  const char *msg;
  struct rt_panic *because; /* its deferred calls have brought us here: told first; or NULL */
  bool runtime_internals;   /* frames of the runtime too, as at RT_TRACEBACK=system */
};

static void tell_error(void *arg)
{
  const struct error *error = arg;
  if (error->because) {
    printpanics_in_progress(error->because);
    print_str("\t");
  }
  print_str("fatal error: ");
  print_str(error->msg);
  print_str("\n");
  hold_everybody();
  if (error->runtime_internals)
    dump_internals();
}

_Noreturn __attribute__((noinline)) void throw(const char *msg)
{
  struct error error = { .msg = msg, .runtime_internals = true };
  check_forked(); /* a dump of the parent's Gs would mislead */
  say((struct last_words){ .tell = tell_error, .what = &error, .shown = SHOWN_ALL },
      __builtin_frame_address(0));
}

_Noreturn __attribute__((noinline)) void fatal(const char *msg)
{
  const struct g *gp = g_here(getm());
  struct error error = { .msg = msg, .because = gp ? gp->_panic : NULL };
  check_forked();
  say((struct last_words){ .tell = tell_error, .what = &error, .shown = shown_of(gp) },
      __builtin_frame_address(0));
}

_Noreturn void rt_exit(int code)
{
  sim_end();
  exit(code); /* the trace's end hangs on it */
}

/* ---- from signal handlers ---- */

static void print_overflow(const struct g *gp, const void *sp)
{
  print_str("runtime: goroutine stack exceeds ");
  print_uint((uint64_t)(gp->stack.hi - gp->stack.lo));
  print_str("-byte limit\nruntime: sp=");
  print_hex((uint64_t)(uintptr_t)sp);
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
  print_overflow(gp, sp);
  dump_internals(); /* as a throw, which it is in Go */
  traceback_from(gp, pc, fp);
  dump(gp, SHOWN_ALL);
  printunlock();
  end();
  abort();
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
  dump_internals();
  dump(gp, SHOWN_ALL);
  print_str("\n");
  os_registers(context, print_register);
  printunlock();
  end();
  abort();
}
