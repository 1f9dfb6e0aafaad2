/* SPDX-License-Identifier: MIT */
/* switch-amd64.h - the context switch, inline.
 *
 * Inline, because a call would leave an entry on the CPU's return stack that no ret takes off: the function
 * that switches, and each of its callers, would then return to a mispredicted address (measured: 45 against
 * 25 ns a yield).  For the same reason the other side is reached by jmp.  What the compiler keeps in
 * registers across the switch it spills itself, for all are declared clobbered, except rbp, the frame
 * pointer, which is saved here.  The FP control words are switch.h's business.
 *
 * A saved context is, from sp up: pc, rbp (struct saved_context), then 128 bytes for a red zone.
 */
#pragma once
#include "compiler.h"

struct m;

struct saved_context { /* what g.sp points at */
  void *pc;
  void *fp;
};

/* clang-format off */
#define CTX_CLOBBERS                                                                               \
  "rax", "rbx", "rcx", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15", "memory", "cc",       \
  "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10",         \
  "xmm11", "xmm12", "xmm13", "xmm14", "xmm15"
#define CTX_SAVE                                                                                   \
  "leaq -128(%%rsp), %%rsp\n\t"                                                                    \
  "pushq %%rbp\n\t"                                                                                \
  "leaq 1f(%%rip), %%rax\n\t"                                                                      \
  "pushq %%rax\n\t"                                                                                \
  "movq %%rsp, (%%rdi)\n\t"                                                                        \
  "movq %%rsi, %%rsp\n\t"
#define CTX_BACK                                                                                   \
  "1:\n\t"                                                                                         \
  "leaq 128(%%rsp), %%rsp\n\t"
/* clang-format on */

/* Saves, switches to what was saved at to_sp, and returns the mp of who switches back. */
static ALWAYS_INLINE struct m *ctx_switch(void **save_sp, void *to_sp, struct m *mp)
{
  __asm__ volatile(CTX_SAVE "popq %%rcx\n\t"
                            "popq %%rbp\n\t"
                            "jmp *%%rcx\n" CTX_BACK
                   : "+d"(mp), "+D"(save_sp), "+S"(to_sp)
                   :
                   : CTX_CLOBBERS);
  return mp;
}

/* Saves, and calls gstart(mp) on a fresh stack; returns when somebody switches back. */
static ALWAYS_INLINE struct m *ctx_launch(void **save_sp, void *stack_hi, struct m *mp)
{
  __asm__ volatile(CTX_SAVE "movq %%rdx, %%rdi\n\t"
                            "jmp ctx_start\n" CTX_BACK
                   : "+d"(mp), "+D"(save_sp), "+S"(stack_hi)
                   :
                   : CTX_CLOBBERS);
  return mp;
}

/* Forgets the current context and calls gstart(mp) on the stack. */
static ALWAYS_INLINE __attribute__((noreturn)) void ctx_reset(void *stack_hi, struct m *mp)
{
  __asm__ volatile("movq %%rsi, %%rsp\n\t"
                   "jmp ctx_start\n"
                   :
                   : "D"(mp), "S"(stack_hi)
                   : "memory");
  __builtin_unreachable();
}

/* Calls fn(arg) on the stack, and comes back. */
static ALWAYS_INLINE void ctx_call(void *stack_hi, void (*fn)(void *), void *arg)
{
  __asm__ volatile("movq %%rsp, %%rbx\n\t"
                   "movq %%rsi, %%rsp\n\t"
                   "callq *%%rdx\n\t"
                   "movq %%rbx, %%rsp\n"
                   : "+D"(arg), "+S"(stack_hi), "+d"(fn)
                   :
                   : CTX_CLOBBERS);
}
