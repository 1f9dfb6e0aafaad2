/* SPDX-License-Identifier: MIT */
/* exceptions.c - what a recovery and a Goexit do with the C++ exceptions of the frames that they leave.
 *
 * A throw that a destructor's panic leaves behind has nobody who could free its exception: the ABI has no call that takes
 * one back from an unwinder which will not be resumed. So it leaks; it is no longer counted as under way. And what an inner
 * handler catches that an outer one has thrown on (throw;) is one exception, with a count that lies elsewhere in each C++
 * runtime: a panic between the two is not seen to leave the inner one, so the exception lasts until the G ends.
 */
#include "exceptions.h"

#include "rt.h"

#include <unwind.h>

void rt_frame_of_cxx(struct rt_frame *frame)
{
  const struct exceptions *now = exceptions_of_thread();
  frame->of_cxx = now != NULL;
  if (now) {
    frame->caught = now->caught;
    frame->uncaught = now->uncaught;
  }
}

void exceptions_back_to(const void *caught, unsigned int uncaught)
{
  struct exceptions *now; /* another thread's, if a destructor parked */
  while ((now = exceptions_of_thread()) && now->caught && now->caught != caught)
    cxa_end_catch();
  if (now)
    now->uncaught = uncaught;
}

__attribute__((used)) int deferred_call_personality(int version, int actions, uint64_t thrower,
                                                    void *exception, void *context)
{
  (void)version, (void)thrower, (void)exception, (void)context;
  return actions & _UA_SEARCH_PHASE ? _URC_FATAL_PHASE1_ERROR : _URC_CONTINUE_UNWIND;
}
