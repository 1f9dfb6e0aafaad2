/* SPDX-License-Identifier: MIT */
/* panic.h - what defer.c, panic.c and value.c share. */
#pragma once
#include "runtime.h"

/* A panic or a Goexit in progress. It lies in the frame of gopanic or rt_goexit; newest first at g._panic. */
struct rt_panic {
  struct rt_panic *link; /* the older one, whose deferred call we are in */
  struct rt_value value;
  uint32_t depth;          /* 1 for the oldest */
  const char *fp;          /* our own frame: what is deeper was called by our deferred calls */
  void *call_fp;           /* calldefer's frame, while a deferred call runs */
  void (*call_fn)(void *); /* that deferred call */
  struct rt_frame *frame;  /* whose deferred call runs, or ran last */
  const char *walked;      /* frames up to here were looked at (for the trace) */
  bool recovered;          /* the deferred call that runs has recovered us */
  bool repanicked;         /* the newer one has the same value */
  bool goexit;
  rt_resume resume; /* of a Goexit: where its loop goes on */
};

/* Unlinks gp's newest deferred call and returns a copy; a pooled record goes back to the pool. */
struct rt_defer popdefer(struct g *gp);
/* Runs it. because: TRACE_CAUSE_... Afterwards *call_fp is stale. */
void rundefer(struct g *gp, const struct rt_defer *d, uint32_t because, void **call_fp);

/* The records of the deferred calls of a G that is dropped go back to the pool. Its frames are still as it left them. */
void drop_deferred(struct g *gp);

/* The G panics no more: it has recovered, ends, or says its last words. */
void panic_is_over(struct g *gp);

/* How deep a C frame is, for the trace. */
static inline uint32_t frame_depth(const struct g *gp, const void *fp)
{
  return (uint32_t)(gp->stack.hi - (const char *)fp);
}

/* Panics with an error of the runtime. On a G. */
_Noreturn void panicerror(const char *message);

/* All that are linked from p on, oldest first, as Go prints them when the process ends. print lock held. */
void printpanics_in_progress(struct rt_panic *p);

/* Writes a value as Go prints it, piece by piece. */
void value_write(const struct rt_value *v, void (*write)(void *to, const char *bytes, size_t n),
                 void *to);
/* The same as a string, cut to n - 1 bytes; returns its length. */
size_t value_text(const struct rt_value *v, char *text, size_t n);

/* frame-amd64.S */
void calldefer(void (*fn)(void *), void *arg, void **call_fp);
extern const char calldefer_return[];
#ifdef RT_LIBC_JUMP
#define frame_resume(resume) longjmp(resume, 1)
#else
_Noreturn void frame_resume(void **resume);
#endif
