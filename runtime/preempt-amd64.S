/* SPDX-License-Identifier: MIT */
/* preempt-amd64.S - where a G goes that a signal stopped: Go's asyncPreempt.
 *
 * The handler made it look as if the interrupted instruction had called us from below its red zone: at (rsp)
 * is where to go on, and 136 bytes up is rsp as it was.  All registers of the program are its own, flags
 * and vectors too.  They are saved on the G's stack, where there is room (preempt.c asked), and
 * asyncPreempt2 runs others; it may return on another thread.
 *
 * xsave saves what XCR0 has (preempt_mask), whatever the CPU will be called; without it, fxsave.  The FPU is
 * then made as the ABI has it at a call: x87 empty. asyncPreempt2 gives it the control words that the run began with, so
 * that a G that computes with another rounding does not lend it to others (fp-amd64.h).
 *
 * The frame is told to unwinders as that of a signal: the address to go on at is not that of a call.
 */
	.text

	.globl	asyncPreempt
	.hidden	asyncPreempt
	.type	asyncPreempt, @function
	.p2align 4
asyncPreempt:
	.cfi_startproc
	.cfi_signal_frame
	.cfi_def_cfa rsp, 136
	.cfi_offset rip, -136
	pushq	%rbp
	.cfi_def_cfa_offset 144
	.cfi_offset rbp, -144
	movq	%rsp, %rbp
	.cfi_def_cfa rbp, 144
	pushfq
	cld
	pushq	%rax
	.cfi_offset rax, -160
	pushq	%rbx
	.cfi_offset rbx, -168
	pushq	%rcx
	.cfi_offset rcx, -176
	pushq	%rdx
	.cfi_offset rdx, -184
	pushq	%rsi
	.cfi_offset rsi, -192
	pushq	%rdi
	.cfi_offset rdi, -200
	pushq	%r8
	.cfi_offset r8, -208
	pushq	%r9
	.cfi_offset r9, -216
	pushq	%r10
	.cfi_offset r10, -224
	pushq	%r11
	.cfi_offset r11, -232
	pushq	%r12
	.cfi_offset r12, -240
	pushq	%r13
	.cfi_offset r13, -248
	pushq	%r14
	.cfi_offset r14, -256
	pushq	%r15
	.cfi_offset r15, -264
	subq	preempt_area(%rip), %rsp
	andq	$-64, %rsp
	movq	preempt_mask(%rip), %rax
	testq	%rax, %rax
	jz	1f
	xorl	%ecx, %ecx		/* xrstor wants a header that xsave does not write all of */
	movq	%rcx, 512(%rsp)
	movq	%rcx, 520(%rsp)
	movq	%rcx, 528(%rsp)
	movq	%rcx, 536(%rsp)
	movq	%rcx, 544(%rsp)
	movq	%rcx, 552(%rsp)
	movq	%rcx, 560(%rsp)
	movq	%rcx, 568(%rsp)
	movq	%rax, %rdx
	shrq	$32, %rdx
	xsave64	(%rsp)
	testl	$4, %eax		/* AVX: no upper halves for others to be slowed down by */
	jz	2f
	vzeroupper
	jmp	2f
1:	fxsave64 (%rsp)
2:	fninit
	call	asyncPreempt2
	movq	preempt_mask(%rip), %rax
	testq	%rax, %rax
	jz	3f
	movq	%rax, %rdx
	shrq	$32, %rdx
	xrstor64 (%rsp)
	jmp	4f
3:	fxrstor64 (%rsp)
4:	leaq	-120(%rbp), %rsp
	popq	%r15
	popq	%r14
	popq	%r13
	popq	%r12
	popq	%r11
	popq	%r10
	popq	%r9
	popq	%r8
	popq	%rdi
	popq	%rsi
	popq	%rdx
	popq	%rcx
	popq	%rbx
	popq	%rax
	popfq
	popq	%rbp
	.cfi_def_cfa rsp, 136
	ret	$128
	.cfi_endproc
	.size	asyncPreempt, . - asyncPreempt
	.globl	asyncPreempt_end
	.hidden	asyncPreempt_end
asyncPreempt_end:

	.section .note.GNU-stack, "", @progbits
