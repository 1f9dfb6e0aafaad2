/* SPDX-License-Identifier: MIT */
/* exceptions.h - C++'s exceptions belong to the G, not to its thread.
 *
 * A C++ runtime keeps for each thread which exceptions are caught, in a chain, and how many are on their way (the Itanium
 * ABI's __cxa_eh_globals, which libstdc++ and libc++abi share). A G that parks in a catch block, or in a destructor that
 * runs because of a throw, leaves both behind: the next G's catch would end the wrong one. So who is left with
 * something in there takes it along, on its own stack (proc.c, leave and mcall), and finds it again on whatever thread.
 *
 * A recovery leaves catch blocks, and a throw under way, without C++'s knowledge; so does a Goexit. Then they are ended as
 * a return out of them would end them (exceptions.c): those that began since the place where the G goes on. A deferring
 * call of C++ knows which those are; one of C does not, and they last until the G ends.
 *
 * An exception must not leave a deferred call: the others of its frame would be lost, and their records stay in the chain.
 * Go has nothing like it; it ends the program here as one that leaves a destructor does (deferred_call_personality).
 *
 * Costs a load and a branch a switch; in a program without C++ the pointer is NULL. Not done: a place for it in struct g,
 * with a look at every start as well.
 */
#pragma once
#include "compiler.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct exceptions {
  void *caught; /* the innermost handler's */
  unsigned int uncaught;
};

/* Weak: NULL where no C++ runtime is loaded when the program starts. */
struct exceptions *cxa_get_globals(void) __asm__("__cxa_get_globals")
    __attribute__((weak, visibility("default")));

/* The innermost handler's exception leaves it; destroyed, if in no other one. */
void cxa_end_catch(void) __asm__("__cxa_end_catch") __attribute__((weak, visibility("default")));

/* Ends the running G's catch blocks down to that of caught, or all; uncaught are still under way then. On the G's stack,
 * for destructors may run, and park. */
void exceptions_back_to(const void *caught, unsigned int uncaught);

/* In the unwind tables of who calls deferred functions: whoever looks for a handler beyond finds that there is none, and
 * C++ calls std::terminate. The statement, anywhere in a function, makes that one's table have it. */
int deferred_call_personality(int version, int actions, uint64_t thrower, void *exception,
                              void *context);
#define NO_EXCEPTION_PASSES __asm__(".cfi_personality 0x1b, deferred_call_personality")

/* The calling thread's; NULL: none. */
static inline struct exceptions *exceptions_of_thread(void)
{
  return cxa_get_globals ? cxa_get_globals() : NULL;
}
static ALWAYS_INLINE bool exceptions_any(const struct exceptions *of_thread)
{
  return unlikely(of_thread != NULL) && (of_thread->caught || of_thread->uncaught);
}
/* At the end of a G: a Goexit, or a panic that a frame of C recovered, may have left a catch block. */
static inline void exceptions_end(const struct exceptions *of_thread)
{
  if (exceptions_any(of_thread))
    exceptions_back_to(NULL, 0);
}
/* Out of the thread's, which has none then. */
static inline struct exceptions exceptions_take(struct exceptions *of_thread)
{
  struct exceptions taken = { 0 };
  if (of_thread) {
    taken = *of_thread;
    *of_thread = (struct exceptions){ 0 };
  }
  return taken;
}
static inline void exceptions_put(struct exceptions *of_thread, struct exceptions taken)
{
  if (of_thread)
    *of_thread = taken;
}
