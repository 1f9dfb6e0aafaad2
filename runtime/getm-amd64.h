/* SPDX-License-Identifier: MIT */
/* getm-amd64.h - the calling thread's M, inline.
 *
 * A G may come back from a switch on another thread, so a compiler must not keep the address of a
 * thread-local across one; C has no word for that.  So the address is computed in an asm statement that the
 * compiler may neither move over a switch nor merge with its like.  Two loads.
 *
 * Not done: a function that is never inlined.  It is portable, and was 5 % of a channel operation's profile.
 */
#pragma once

struct m;
/* proc.c; read by getm, written by setm. */
extern _Thread_local struct m *this_m
    __attribute__((visibility("hidden"), tls_model("initial-exec")));

/* NULL on a thread that the runtime does not know. Never kept across a switch. */
static inline __attribute__((always_inline)) struct m *getm(void)
{
  struct m *mp;
  __asm__ volatile("movq this_m@gottpoff(%%rip), %0\n\t"
                   "movq %%fs:(%0), %0"
                   : "=r"(mp)
                   :
                   : "memory");
  return mp;
}
