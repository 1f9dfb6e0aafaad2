/* SPDX-License-Identifier: MIT */
/* panic.c - panic, recovery and Goexit: running deferred calls from the top of the stack.
 *
 * As in Go, the stack is not cut while a panic is in progress: deferred calls run on top of gopanic, so a
 * deferred call may park, start Gs, panic again, or look at the whole story.  Only a recovery cuts it: when
 * the deferred call that recovered has returned, control jumps back into the frame that had deferred it.
 *
 * I1  g._panic lists the panics in progress, newest first; each was raised by a deferred call of the next.
 *     Deeper (lower) frames belong to newer ones.
 * I2  A panic ends by recovery, with all older ones that its target frame lies above, or with the process.
 * I3  A recovery does not jump past a Goexit: it goes back into the Goexit's loop instead.
 *
 * When recover counts: recover.c. Cost: a panic that is recovered is about three calls.
 */
#include "panic.h"

#include "exceptions.h"
#include "print.h"
#include "proc.h"
#include "tracedoor.h"

#include <string.h>

#if defined(__SANITIZE_ADDRESS__)
#define ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ASAN 1
#endif
#endif
#ifdef ASAN
#include <sanitizer/asan_interface.h>
#endif

#define MAX_WALK 256 /* frames told between two deferred calls */

/* ---- the walk, as the trace tells it ---- */

/* The frame that called fp's, or NULL if the chain of frame pointers is broken there. */
static const char *frame_above(const struct g *gp, const char *fp)
{
  const char *above = *(const char *const *)fp;
  return above > fp && above < gp->stack.hi - sizeof(void *) && ((uintptr_t)above & 7) == 0 ? above
                                                                                            : NULL;
}

/* Where the walk goes on after fp: past the runtime's frames of an older panic to where that one was. */
static const char *walk_on(const struct g *gp, const struct rt_panic *p, const char *fp)
{
  for (const struct rt_panic *older = p->link; older; older = older->link)
    if (fp == older->call_fp)
      return older->frame->fp;
  return frame_above(gp, fp);
}

/* Tells the frames without deferred calls between where the panic is and target, then target. */
static void walk_to(struct m *mp, struct g *gp, struct rt_panic *p, const char *target)
{
  if (!tr_on(mp, TRACE_FAMILY_PANIC) || p->walked == target)
    return;
  tr_stamp(mp);
  const char *fp = p->walked;
  for (int i = 0; i < MAX_WALK && fp && fp < target; i++) {
    tr_panic_walk(mp, p->depth, frame_depth(gp, fp), TRACE_WALK_SKIPPED);
    fp = walk_on(gp, p, fp);
  }
  p->walked = target;
  if (target < gp->stack.hi)
    tr_panic_walk(mp, p->depth, frame_depth(gp, target), TRACE_WALK_FRAME);
}

/* ---- recovery ---- */

/* Without a locked instruction where no other G runs. */
static void count_panicking(uint32_t change)
{
  if (one_p())
    atomic_store_explicit(&sched.npanicking,
                          atomic_load_explicit(&sched.npanicking, memory_order_relaxed) + change,
                          memory_order_release);
  else
    atomic_fetch_add(&sched.npanicking, change);
}

static void panic_begins(struct g *gp)
{
  if (gp->panicking)
    return;
  gp->panicking = true;
  count_panicking(1);
}

void panic_is_over(struct g *gp)
{
  if (!gp->panicking)
    return;
  gp->panicking = false;
  count_panicking(UINT32_MAX);
}

static bool has_panic(const struct rt_panic *p)
{
  while (p && p->goexit)
    p = p->link;
  return p != NULL;
}

/* The newest panic was recovered by the deferred call that just returned. */
static _Noreturn void recovery(struct g *gp, struct rt_panic *p)
{
  const char *target = p->frame->fp;
  struct m *mp = getm();
  tr_stamp(mp);
  tr_panic_recovered(mp, p->depth, frame_depth(gp, target));
  struct rt_panic *older = p->link;
  for (; older && older->fp < target && !older->goexit; older = older->link)
    tr_panic_aborted(mp, older->depth, p->depth);
  gp->_panic = older;
  if (!has_panic(older))
    panic_is_over(gp);
  if (p->frame->of_cxx) /* destructors run, which may panic themselves */
    exceptions_back_to(p->frame->caught, p->frame->uncaught);
#ifdef ASAN
  __asan_handle_no_return();
#endif
  if (older && older->fp < target)
    frame_resume(older->resume); /* a Goexit (I3) */
  frame_resume(p->frame->resume);
}

/* Runs the G's deferred calls for p, until none is left. */
static void run_deferred(struct g *gp, struct rt_panic *p)
{
  while (gp->_defer) {
    p->frame = gp->_defer->frame;
    struct m *mp = getm();
    walk_to(mp, gp, p, p->frame->fp);
    tr_panic_walk(mp, p->depth, frame_depth(gp, p->frame->fp), TRACE_WALK_RUN);
    struct rt_defer d = popdefer(gp);
    p->call_fn = d.fn;
    rundefer(gp, &d, p->goexit ? TRACE_CAUSE_GOEXIT : TRACE_CAUSE_PANIC, &p->call_fp);
    if (gp->_panic != p)
      throw("bad panic stack");
    if (p->recovered)
      recovery(gp, p);
  }
  walk_to(getm(), gp, p, gp->stack.hi);
}

/* ---- printing ---- */

static void write_to_stderr(void *unused, const char *bytes, size_t n)
{
  (void)unused;
  print_bytes(bytes, n);
}

static bool same_value(const struct rt_value *a, const struct rt_value *b)
{
  return a->type && b->type && strcmp(a->type, b->type) == 0 && a->u == b->u;
}

/* Marks those whose value the next newer one has too: they are printed once. */
static void preprintpanics(struct rt_panic *p)
{
  for (; p->link; p = p->link)
    if (!p->goexit && !p->link->goexit && same_value(&p->value, &p->link->value))
      p->link->repanicked = true;
}

static void printpanic(const struct rt_panic *p)
{
  print_str("panic: ");
  value_write(&p->value, write_to_stderr, NULL);
  if (p->recovered && p->repanicked)
    print_str(" [recovered, repanicked]");
  else if (p->recovered)
    print_str(" [recovered]");
  print_str("\n");
}

static struct rt_panic *turned_round(struct rt_panic *p)
{
  struct rt_panic *done = NULL;
  while (p) {
    struct rt_panic *link = p->link;
    p->link = done;
    done = p;
    p = link;
  }
  return done;
}

/* From the oldest on; a loop, for there may be more of them than the stack has room for. */
static void printpanics(struct rt_panic *p)
{
  struct rt_panic *oldest = turned_round(p);
  const struct rt_panic *older = NULL;
  for (p = oldest; p; older = p, p = p->link) {
    if (older && older->repanicked)
      continue;
    if (older && !older->goexit)
      print_str("\t");
    if (!p->goexit)
      printpanic(p);
  }
  turned_round(oldest);
}

void printpanics_in_progress(struct rt_panic *p)
{
  preprintpanics(p);
  printpanics(p);
}

/* The value as a string of the trace. */
static uint32_t value_string(struct m *mp, const struct rt_value *value)
{
  if (!tr_on(mp, TRACE_FAMILY_PANIC))
    return 0;
  char text[512];
  value_text(value, text, sizeof text);
  return tr_string_id(mp, text);
}

static _Noreturn void nobody_recovered(struct rt_panic *p)
{
  struct m *mp = getm();
  tr_stamp(mp);
  tr_panic_fatal(mp, p->depth, value_string(mp, &p->value));
  fatalpanic(p);
}

/* ---- the doors ---- */

static void link_panic(struct g *gp, struct rt_panic *p)
{
  if (!p->goexit)
    panic_begins(gp);
  p->link = gp->_panic;
  p->depth = p->link ? p->link->depth + 1 : 1;
  gp->_panic = p;
}

/* The frame that called fp's, if the chain of frame pointers can be trusted; else fp. */
static const char *plausible_frame(const struct g *gp, const char *fp)
{
  const char *above = frame_above(gp, fp);
  return above ? above : fp;
}

static void check_can_panic(const struct m *mp, const struct rt_value *value)
{
  struct g *gp = mp ? atomic_load(&mp->curg) : NULL;
  const char *why = !gp                           ? "panic on system stack"
                    : mp->locks                   ? "panic holding locks"
                    : readgstatus(gp) != Grunning ? "panic during a system call"
                                                  : NULL;
  if (!why)
    return;
  printlock();
  print_str("panic: ");
  value_write(value, write_to_stderr, NULL);
  print_str("\n");
  printunlock();
  if (gp && !mp->locks)
    misplaced(gp, why);
  throw(why);
}

/* door: the frame of the function that the program called to panic. */
static _Noreturn __attribute__((noinline)) void gopanic(struct rt_value value, const char *door)
{
  if (!value.type)
    value = (struct rt_value){ .type = "error", .s = "panic called with nil argument" };
  struct m *mp = getm();
  check_can_panic(mp, &value);
  struct g *gp = mp->curg;
  struct rt_panic p = { .value = value, .fp = __builtin_frame_address(0) };
  p.walked = plausible_frame(gp, door);
  link_panic(gp, &p);
  tr_stamp(mp);
  tr_panic_begin(mp, p.depth, value_string(mp, &value), frame_depth(gp, p.walked), 0);
  if (p.link)
    tr_panic_nested(mp, p.depth, p.link->depth);
  run_deferred(gp, &p);
  nobody_recovered(&p);
}

void rt_panic_value(struct rt_value value)
{
  gopanic(value, __builtin_frame_address(0));
}

void rt_panic(const char *message)
{
  gopanic((struct rt_value){ .type = "string", .s = message }, __builtin_frame_address(0));
}

void panicerror(const char *message)
{
  gopanic((struct rt_value){ .type = "error", .s = message }, __builtin_frame_address(0));
}

/* What is run in the place of no function: Go's run-time error for a nil one. */
void rt_nil_function(void *arg)
{
  (void)arg;
  panicerror("runtime error: invalid memory address or nil pointer dereference");
}

void rt_goexit(void)
{
  struct g *gp = need_g("rt_goexit");
  need_running(gp);
  checkpreempt(gp);
  if (unlikely(world_is_mine())) /* said here, where the G can still be shown */
    misplaced(gp, "goexit in a stopped world");
  struct m *mp = getm();
  struct rt_panic p = { .goexit = true, .fp = __builtin_frame_address(0) };
  p.walked = plausible_frame(gp, p.fp);
  link_panic(gp, &p);
  tr_stamp(mp);
  tr_goexit_begin(mp, p.depth, frame_depth(gp, p.walked));
  (void)RT_MARK(
      p.resume); /* comes here again when a panic of a deferred call was recovered beyond us */
  gp = getg();
  run_deferred(gp, gp->_panic);
  mp = getm();
  tr_stamp(mp);
  for (struct rt_panic *older = gp->_panic->link; older; older = older->link)
    tr_panic_aborted(mp, older->depth, gp->_panic->depth);
  tr_goexit_end(mp, gp->_panic->depth);
  gp->_panic = NULL;
  panic_is_over(gp);
  goexit1();
}
