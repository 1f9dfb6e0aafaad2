/* SPDX-License-Identifier: MIT */
/* asm-amd64.S - the context switch.
 *
 * Saved, from the lower address up: pc, r15, r14, r13, r12, rbx, rbp.  It ends in jmp, not ret: the return
 * stack of the CPU knows nothing of the other side, and a mispredicted ret costs three times as much
 * (7.7 against 2.5 ns).  The FP control words are not saved; C code hardly ever changes them, and Go
 * does not save them either.  struct saved_context in switch.h says the same layout.
 */
	.text

/* struct m *ctx_switch(void **save_sp, void *to_sp, struct m *mp)
 * Saves, switches, and returns mp on the other side. */
	.globl	ctx_switch
	.hidden	ctx_switch
	.type	ctx_switch, @function
	.p2align 4
ctx_switch:
	.cfi_startproc
	popq	%rcx
	.cfi_adjust_cfa_offset -8
	.cfi_register rip, rcx
	pushq	%rbp
	pushq	%rbx
	pushq	%r12
	pushq	%r13
	pushq	%r14
	pushq	%r15
	pushq	%rcx
	movq	%rsp, (%rdi)
	movq	%rsi, %rsp
	movq	%rdx, %rax
	popq	%rcx
	popq	%r15
	popq	%r14
	popq	%r13
	popq	%r12
	popq	%rbx
	popq	%rbp
	jmp	*%rcx
	.cfi_endproc
	.size	ctx_switch, . - ctx_switch

/* struct m *ctx_launch(void **save_sp, void *stack_hi, struct m *mp)
 * Saves, and calls gstart(mp) on a fresh stack; returns when somebody switches back. */
	.globl	ctx_launch
	.hidden	ctx_launch
	.type	ctx_launch, @function
	.p2align 4
ctx_launch:
	.cfi_startproc
	popq	%rcx
	.cfi_adjust_cfa_offset -8
	.cfi_register rip, rcx
	pushq	%rbp
	pushq	%rbx
	pushq	%r12
	pushq	%r13
	pushq	%r14
	pushq	%r15
	pushq	%rcx
	movq	%rsp, (%rdi)
	movq	%rsi, %rdi
	movq	%rdx, %rsi
	jmp	ctx_reset
	.cfi_endproc
	.size	ctx_launch, . - ctx_launch

/* _Noreturn void ctx_reset(void *stack_hi, struct m *mp)
 * Forgets the current context and calls gstart(mp) on the stack. */
	.globl	ctx_reset
	.hidden	ctx_reset
	.type	ctx_reset, @function
	.p2align 4
ctx_reset:
	.cfi_startproc
	.cfi_undefined rip
	movq	%rdi, %rsp
	xorl	%ebp, %ebp
	movq	%rsi, %rdi
	call	gstart
	ud2
	.cfi_endproc
	.size	ctx_reset, . - ctx_reset

	.section .note.GNU-stack, "", @progbits
