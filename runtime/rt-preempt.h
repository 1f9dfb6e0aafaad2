/* SPDX-License-Identifier: MIT */
/* rt-preempt.h - which code a signal may stop. Include rt.h.
 *
 *   static RT_PREEMPTIBLE double sum(const double *x, size_t n) { ... a long loop ... }
 *
 * A G that runs for longer than 10 ms is asked to stop. It does so at its next call of a function of rt.h that is
 * not one to call "from anywhere" (these never stop), and at the end of a frame whose deferred calls have run, but
 * not between rt_stop_the_world and rt_start_the_world; and, inside a function marked RT_PREEMPTIBLE, at any
 * instruction: SIGURG interrupts it, and it goes on later, perhaps on another thread, with every register as it was.
 *
 * A marked function, in its own code and in what the compiler inlines into it:
 *  - does not touch thread-locals, nor errno: compilers keep their addresses, which are another thread's
 *    after a stop. The G's errno itself is kept for it;
 *  - holds no lock of threads (pthread_mutex, a spinlock), nor does who calls it: the others might wait for
 *    it on the very thread that is to run it. rt_mutex is fine;
 *  - is not called from a signal handler.
 * It may call anything. While it is in a function that is not marked, it is not stopped by signal.
 *
 * A compiler may take a call of a function without effect out of a loop, marked or not: clang does where it sees all of it
 * (while (!done) spin_a_little();). What shall be stopped there has the loop inside.
 *
 * In C++ mark a plain function, a member that is defined outside of its class, a lambda, or anything in an unnamed
 * namespace. Not what other files may have a copy of (an inline function, a member defined in a class that they know, a
 * template): g++ puts only one kind of the two into a section, and says "section type conflict" where it meets both;
 * and it forgets the mark of a template. Instead let a marked plain function have the loop, or call an always_inline
 * function that has it.
 *
 * Where async preemption is off (RT_DEBUG=asyncpreemptoff=1, the thread sanitizer, a CPU with a shadow
 * stack) a marked function is like any other. SIGURG belongs to the runtime while it runs; a handler that
 * was there before is still called, for each one. A program without marked functions gets no SIGURG.
 *
 * How it is found: the mark is a section, whose bounds the linker knows for each program and library by
 * itself. So this header gives each of them a constructor that tells the runtime (and a destructor, for
 * dlclose). It is weak and hidden: one a program or library, whatever number of its files includes this.
 * Not done: looking for the section when the runtime starts. Section headers are not loaded, so it means
 * opening every library's file, if that is still there.
 */
#pragma once
#include "rt.h"

#if defined(__clang__)
#define RT_PREEMPTIBLE __attribute__((section("rt_preemptible"), noinline))
#else
#define RT_PREEMPTIBLE __attribute__((section("rt_preemptible"), noipa))
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* Code from start to stop may be preempted at any instruction. For generated code; the constructor below does
 * it for compiled code. Ignored if start is known, or after 256 of them. From anywhere but a signal handler. */
RT_API void rt_preemptible_add(const void *start, const void *stop);
/* Not any more. From anywhere but a signal handler, when no G is inside. */
RT_API void rt_preemptible_remove(const void *start);

#ifndef RT_NO_PREEMPTIBLE
extern const char rt_preemptible_start_[] __asm__("__start_rt_preemptible")
    __attribute__((weak, visibility("hidden")));
extern const char rt_preemptible_stop_[] __asm__("__stop_rt_preemptible")
    __attribute__((weak, visibility("hidden")));
void rt_preemptible_here_(void) __attribute__((weak, visibility("hidden"), constructor));
void rt_preemptible_gone_(void) __attribute__((weak, visibility("hidden"), destructor));

void rt_preemptible_here_(void)
{
  if (rt_preemptible_start_)
    rt_preemptible_add(rt_preemptible_start_, rt_preemptible_stop_);
}

void rt_preemptible_gone_(void)
{
  if (rt_preemptible_start_)
    rt_preemptible_remove(rt_preemptible_start_);
}
#endif

#ifdef __cplusplus
}
#endif
