/* SPDX-License-Identifier: MIT */
/* dump.c - goroutine dumps, in Go's format.
 *
 *   goroutine 7 [chan receive] {name: worker}:
 *   worker(...)
 *   	demo-steal:0x1a2f +0x2f
 *   deferred: unlock(0x7f3b20)
 *   created by goroutine 1
 *
 * What differs: for FILE:LINE, which is in the debug information that nobody reads here, stands the module and
 * the address that addr2line takes; and deferred calls that still wait are listed, newest first, which Go's
 * dump does not do.
 *
 * The runtime's own frames are left out below RT_TRACEBACK=system, as far as it is a library of its own.
 * Frames are walked by frame pointers between the saved one and the top of the G's stack, each checked: a
 * broken chain ends the list.
 * Works in a dying process: no malloc, no lock but the print lock.
 */
#include "options.h"
#include "panic.h"
#include "print.h"
#include "proc.h"
#include "switch.h"
#include "symtab.h"

#include <string.h>

#define MAX_FRAMES 100 /* as Go: 50 innermost, 50 outermost */

/* runtime.Stack never shows the runtime, a throw always. */
static enum detail {
  DETAIL_AS_ASKED,
  DETAIL_PLAIN,
  DETAIL_INTERNALS
} detail;

static bool show_internals(void)
{
  return detail == DETAIL_AS_ASKED ? options.traceback >= TRACEBACK_SYSTEM
                                   : detail == DETAIL_INTERNALS;
}

void dump_internals(void)
{
  detail = DETAIL_INTERNALS;
}

static const char *status_text(struct g *gp)
{
  switch (readgstatus(gp) & ~(uint32_t)Gscan) {
  case Gidle:
    return "idle";
  case Grunnable:
    return "runnable";
  case Grunning:
    return "running";
  case Gsyscall:
    return "syscall";
  case Gwaiting:
    return waitreason_text(gp->waitreason);
  default:
    return "dead";
  }
}

static void print_identity(const struct g *gp)
{
  uint32_t status = readgstatus(gp) & ~(uint32_t)Gscan;
  const struct m *mp = status == Grunning || status == Gsyscall ? gp->m : NULL;
  print_str(" gp=");
  print_hex((uint64_t)(uintptr_t)gp);
  print_str(" m=");
  if (mp) {
    print_uint(mp->id);
    print_str(" mp=");
    print_hex((uint64_t)(uintptr_t)mp);
  } else {
    print_str("nil");
  }
}

void goroutineheader(struct g *gp)
{
  print_str("goroutine ");
  print_uint(gp->goid);
  if (show_internals())
    print_identity(gp);
  print_str(" [");
  print_str(status_text(gp));
  if (gp->lockedm)
    print_str(", locked to thread");
  print_str("]");
  if (gp->name && gp->goid != 1) { /* as a label */
    print_str(" {name: ");
    print_str(gp->name);
    print_str("}");
  }
  print_str(":\n");
}

/* Go hides its runtime's frames, but for the functions that programs call. */
static bool hidden(const struct symbol *s)
{
  return s->in_runtime && !show_internals() && strncmp(s->name, "rt_", 3) != 0;
}

static void print_symbol(uint64_t pc)
{
  struct symbol s;
  symbol_of(pc, &s);
  if (hidden(&s))
    return;
  print_str(s.name);
  print_str("(...)\n\t");
  print_str(s.module);
  print_str(":");
  print_hex(s.module_offset);
  print_str(" +");
  print_hex(s.offset);
  print_str("\n");
}

/* Fills pcs with up to n return addresses from the frame fp on, innermost first. */
static size_t walk(const struct g *gp, const char *fp, uint64_t *pcs, size_t n)
{
  size_t count = 0;
  while (count < n && fp >= gp->stack.lo && fp < gp->stack.hi - 2 * sizeof(void *) &&
         (uintptr_t)fp % 8 == 0) {
    const uint64_t *frame = (const uint64_t *)(const void *)fp;
    if (frame[1] == 0)
      break;
    pcs[count++] = frame[1];
    const char *above = (const char *)(uintptr_t)frame[0];
    if (above <= fp)
      break;
    fp = above;
  }
  return count;
}

static void print_frames(const uint64_t *pcs, size_t n)
{
  for (size_t i = 0; i < n; i++) {
    if (n > MAX_FRAMES && i == MAX_FRAMES / 2) {
      print_str("...");
      print_uint(n - MAX_FRAMES);
      print_str(" frames elided...\n");
      i = n - MAX_FRAMES / 2;
    }
    print_symbol(pcs[i] - 1); /* the call, not what follows it: that may be another function */
  }
}

static void print_deferred(const struct g *gp)
{
  for (const struct rt_defer *d = gp->_defer; d; d = d->link) {
    struct symbol s;
    symbol_of((uint64_t)(uintptr_t)d->fn, &s);
    print_str("deferred: ");
    print_str(s.name);
    print_str("(");
    print_hex((uint64_t)(uintptr_t)d->arg);
    print_str(")\n");
  }
}

/* The frame pointer at which the walk begins, or NULL: the stack belongs to another thread now. */
static const char *innermost(struct g *gp)
{
  const struct m *mp = getm(); /* NULL: another thread than ours wants the dump */
  if (mp && gp == atomic_load(&mp->curg))
    return __builtin_frame_address(0);
  uint32_t status = readgstatus(gp) & ~(uint32_t)Gscan;
  if (status == Grunning || status == Gsyscall || !gp->sp || atomic_load(&gp->on_cpu))
    return NULL;
  return ((const struct saved_context *)gp->sp)->fp;
}

void tracebackg(struct g *gp)
{
  uint64_t pcs[512];
  const char *fp = innermost(gp);
  if (fp)
    print_frames(pcs, walk(gp, fp, pcs, nelem(pcs)));
  else if (!gp->sp && readgstatus(gp) == Grunnable)
    print_symbol((uint64_t)(uintptr_t)gp->fn);
  else
    print_str("\tgoroutine running on other thread; stack unavailable\n");
  print_deferred(gp);
  if (gp->goid != 1) {
    print_str("created by goroutine ");
    print_uint(gp->parent_goid);
    print_str("\n");
  }
}

static void dump_other(struct g *gp, void *me)
{
  uint32_t status = readgstatus(gp);
  if (gp == me || status == Gdead || status == Gidle)
    return;
  print_str("\n");
  goroutineheader(gp);
  tracebackg(gp);
}

void tracebackothers(struct g *me)
{
  forEachG(dump_other, me);
}

void rt_stack_dump(int fd, bool all)
{
  struct g *gp = getg();
  if (all)
    stopTheWorld(TRACE_STWWHY_STACKS, NULL);
  printlock();
  print_to(fd);
  detail = DETAIL_PLAIN;
  goroutineheader(gp);
  tracebackg(gp);
  if (all)
    tracebackothers(gp);
  detail = DETAIL_AS_ASKED;
  print_to(2);
  printunlock();
  if (all)
    startTheWorld();
}
