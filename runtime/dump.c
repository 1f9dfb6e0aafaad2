/* SPDX-License-Identifier: MIT */
/* dump.c - goroutine dumps, in Go's format.
 *
 *   goroutine 7 [chan receive labels:{"name": "worker"}]:
 *   worker(...)
 *   	demo-steal:0x1a2f +0x2f
 *   deferred: unlock(0x7f3b20)
 *   created by body in goroutine 1
 *   	demo-steal:0x1b40 +0x51
 *
 * What differs: for FILE:LINE, which is in the debug information that nobody reads here, stands the module and
 * the address that addr2line takes; deferred calls that still wait are listed, newest first, which Go's dump does
 * not do; and a name is always shown as Go shows a label when GODEBUG=tracebacklabels=1 asks for it.
 *
 * The runtime's own frames are left out below RT_TRACEBACK=system, as far as it is a library of its own.
 * Frames are walked by frame pointers between the saved one and the top of the G's stack, each checked: a
 * broken chain ends the list.
 * Works in a dying process: no malloc, no lock but the print lock.
 */
#include "options.h"
#include "os.h"
#include "panic.h"
#include "print.h"
#include "proc.h"
#include "sim.h"
#include "switch.h"
#include "symtab.h"

#include <string.h>

#define MAX_FRAMES 100 /* as Go: 50 innermost, 50 outermost */
/* Reads stacks that their threads may be writing, when the process dies before the world could be stopped. */
#define PEEKS __attribute__((no_sanitize("thread")))

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

/* Where a signal found the running G, in a process that dies. */
static struct {
  const struct g *gp;
  uint64_t pc;
  const char *fp;
} interrupted;

/* Who overflowed in the middle of parking still runs. */
static const char *status_text(struct g *gp)
{
  uint32_t status = readgstatus(gp) & ~(uint32_t)Gscan;
  if (gp == interrupted.gp && status != Gsyscall)
    status = Grunning;
  switch (status) {
  case Gidle:
    return "idle";
  case Grunnable:
    return "runnable";
  case Grunning:
    return "running";
  case Gsyscall:
    return "syscall";
  case Gwaiting:
    return MUTANT(109, "runnable", waitreason_text(gp->waitreason));
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
    print_uint(MUTANT(125, 9, mp->id));
    print_str(" mp=");
    print_hex((uint64_t)(uintptr_t)mp);
  } else {
    print_str("nil");
  }
}

/* As Go quotes a label: a name must not look like a part of the dump. */
static void print_quoted(const char *text)
{
  print_str("\"");
  for (; *text; text++) {
    char c = *text;
    if (c == '"' || c == '\\')
      print_str("\\");
    if (c == '\n')
      print_str("\\n");
    else if ((unsigned char)c < ' ')
      print_str("?");
    else
      print_bytes(text, 1);
  }
  print_str("\"");
}

void goroutineheader(struct g *gp)
{
  print_str("goroutine ");
  print_uint(gp->goid);
  if (show_internals())
    print_identity(gp);
  print_str(" [");
  print_str(status_text(gp));
  uint32_t minutes = waited_minutes(gp, os_now());
  if (minutes > 0) {
    print_str(", ");
    print_uint(minutes);
    print_str(" minutes");
  }
  if (gp->lockedm)
    print_str(", locked to thread");
  if (gp->name && gp->goid != 1) {
    print_str(" labels:{\"name\": ");
    print_quoted(gp->name);
    print_str("}");
  }
  print_str("]:\n");
}

/* Go hides its runtime's frames, but for the functions that programs call. */
static bool hidden(const struct symbol *s)
{
  return s->in_runtime && !show_internals() && strncmp(s->name, "rt_", 3) != 0;
}

static void print_location(const struct symbol *s)
{
  print_str("\t");
  print_str(s->module);
  print_str(":");
  print_hex(s->module_offset);
  print_str(" +");
  print_hex(s->offset);
  print_str("\n");
}

static void print_symbol(uint64_t pc)
{
  struct symbol s;
  symbol_of(pc, &s);
  if (hidden(&s))
    return;
  print_str(s.name);
  print_str("(...)\n");
  print_location(&s);
}

/* A frame's return address; *fp becomes the frame above it, NULL after the last. 0: it is no frame. */
static PEEKS uint64_t next_frame(const struct g *gp, const char **fp)
{
  const char *at = *fp;
  *fp = NULL;
  if (!at || at < gp->stack.lo || at >= gp->stack.hi - 2 * sizeof(void *) || (uintptr_t)at % 8 != 0)
    return 0;
  const uint64_t *frame = (const uint64_t *)(const void *)at;
  const char *above = (const char *)(uintptr_t)frame[0];
  *fp = above > at ? above : NULL;
  return frame[1];
}

static size_t count_frames(const struct g *gp, const char *fp)
{
  size_t n = 0;
  while (next_frame(gp, &fp))
    n++;
  return n;
}

void asyncPreempt(void); /* preempt-amd64.S */
extern const char asyncPreempt_end[];

/* Whose frame is next was stopped by signal: its pc is where it goes on, not behind a call, maybe a function's first. */
static bool in_async_preempt(uint64_t pc)
{
  return pc >= (uint64_t)(uintptr_t)asyncPreempt && pc < (uint64_t)(uintptr_t)asyncPreempt_end;
}

/* From the frame fp on, innermost first. n_above: frames that were printed already. */
static void print_frames(const struct g *gp, const char *fp, size_t n_above)
{
  size_t n = count_frames(gp, fp) + n_above;
  bool stopped = false;
  for (size_t i = n_above; i < n; i++) {
    uint64_t pc = next_frame(gp, &fp);
    if (n > MAX_FRAMES && i == MAX_FRAMES / 2) {
      print_str("...");
      print_uint(n - MAX_FRAMES);
      print_str(" frames elided...\n");
    }
    if (n <= MAX_FRAMES || i < MAX_FRAMES / 2 || i >= n - MAX_FRAMES / 2)
      print_symbol(stopped ? pc : pc - 1); /* the call, not what follows it: that may be another
                                              function */
    stopped = in_async_preempt(pc);
  }
}

static void print_deferred(const struct g *gp)
{
  for (const struct rt_defer *d = MUTANT(110, NULL, gp->_defer); d; d = d->link) {
    struct symbol s;
    symbol_of((uint64_t)(uintptr_t)d->fn, &s);
    print_str("deferred: ");
    print_str(s.name);
    print_str("(");
    print_hex((uint64_t)(uintptr_t)d->arg);
    print_str(")\n");
  }
}

void traceback_from(const struct g *gp, const void *pc, const void *fp)
{
  interrupted.gp = gp;
  interrupted.pc = (uint64_t)(uintptr_t)pc;
  interrupted.fp = fp;
}

/* Where the walk begins. */
struct innermost {
  const char *fp; /* NULL: the stack belongs to another thread now */
  uint64_t pc;    /* in the function whose frame that is, if it is to be told first; else 0 */
};

static struct innermost innermost(struct g *gp)
{
  const struct m *mp = getm(); /* NULL: another thread than ours wants the dump */
  uint32_t status = readgstatus(gp) & ~(uint32_t)Gscan;
  if (gp == interrupted.gp)
    return (struct innermost){ interrupted.fp, interrupted.pc };
  if (mp && gp == atomic_load(&mp->curg))
    return (struct innermost){ __builtin_frame_address(0), 0 };
  if (status == Gsyscall)
    return (struct innermost){ gp->syscall_fp, gp->syscall_pc - 1 };
  if (status == Grunning || !gp->sp || atomic_load(&gp->on_cpu))
    return (struct innermost){ NULL, 0 };
  return (struct innermost){ ((const struct saved_context *)gp->sp)->fp, 0 };
}

/* As Go tells it: of a timer's function nobody knows the goroutine. */
static void print_created_by(const struct g *gp)
{
  struct symbol s;
  if (gp->goid == 1)
    return;
  symbol_of(gp->gopc - 1, &s);
  print_str("created by ");
  print_str(s.name);
  if (gp->parent_goid) {
    print_str(" in goroutine ");
    print_uint(MUTANT(111, gp->goid, gp->parent_goid));
  }
  print_str("\n");
  print_location(&s);
}

void tracebackg(struct g *gp)
{
  struct innermost from = innermost(gp);
  if (from.pc)
    print_symbol(from.pc);
  if (from.fp)
    print_frames(gp, from.fp, from.pc != 0);
  else if (!gp->sp && readgstatus(gp) == Grunnable)
    print_symbol((uint64_t)(uintptr_t)gp->fn);
  else
    print_str("\tgoroutine running on other thread; stack unavailable\n");
  print_deferred(gp);
  print_created_by(gp);
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
  struct g *gp = need_g("rt_stack_dump");
  checkpreempt(gp);
  bool stop = all && !world_is_mine();
  if (stop)
    stopTheWorld(TRACE_STWWHY_STACKS, NULL);
  printlock();
  print_to(fd);
  detail = MUTANT(124, DETAIL_AS_ASKED, DETAIL_PLAIN);
  goroutineheader(gp);
  tracebackg(gp);
  if (all)
    tracebackothers(gp);
  detail = DETAIL_AS_ASKED;
  print_to(2);
  printunlock();
  if (stop)
    startTheWorld();
}
