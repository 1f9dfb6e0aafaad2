/* SPDX-License-Identifier: MIT */
/* frame-amd64.S - calling a deferred function so that recover can tell it, and going back to a frame.
 *
 * resume[] as RT_MARK fills it: frame pointer, pc, stack pointer; then, for code of other compilers, which
 * rt_mark fills in: rbx, r12 ... r15.  gcc's receivers expect nothing of those. A shadow stack (CET) is not
 * set back, here or in a switch. So these files do not say that they are made for one (.note.gnu.property), and a loader
 * that knows of shadow stacks leaves them off in a program with this library.
 */
	.text

/* void calldefer(void (*fn)(void *), void *arg, void **call_fp)
 * Calls fn(arg) and puts this frame's address into *call_fp first.  A function was called by us, and by
 * nobody in between, if its saved frame pointer is that address and its return address calldefer_return:
 * the first alone is not enough where code is compiled without frame pointers. */
	.globl	calldefer
	.hidden	calldefer
	.type	calldefer, @function
	.globl	calldefer_return
	.hidden	calldefer_return
calldefer:
	.cfi_startproc
	.cfi_personality 0x1b, deferred_call_personality
	pushq	%rbp
	.cfi_def_cfa_offset 16
	.cfi_offset rbp, -16
	movq	%rsp, %rbp
	.cfi_def_cfa_register rbp
	movq	%rbp, (%rdx)
	movq	%rdi, %rax
	movq	%rsi, %rdi
	call	*%rax
calldefer_return:
	popq	%rbp
	.cfi_def_cfa rsp, 8
	ret
	.cfi_endproc
	.size	calldefer, . - calldefer

/* int rt_mark(void **resume): 0; and 1 when resumed there. */
	.globl	rt_mark
	.type	rt_mark, @function
rt_mark:
	.cfi_startproc
	movq	%rbp, (%rdi)
	movq	(%rsp), %rax
	movq	%rax, 8(%rdi)
	leaq	8(%rsp), %rax
	movq	%rax, 16(%rdi)
	movq	%rbx, 24(%rdi)
	movq	%r12, 32(%rdi)
	movq	%r13, 40(%rdi)
	movq	%r14, 48(%rdi)
	movq	%r15, 56(%rdi)
	xorl	%eax, %eax
	ret
	.cfi_endproc
	.size	rt_mark, . - rt_mark

/* _Noreturn void frame_resume(void **resume) */
	.globl	frame_resume
	.hidden	frame_resume
	.type	frame_resume, @function
frame_resume:
	.cfi_startproc
	movq	(%rdi), %rbp
	movq	16(%rdi), %rsp
	movq	24(%rdi), %rbx
	movq	32(%rdi), %r12
	movq	40(%rdi), %r13
	movq	48(%rdi), %r14
	movq	56(%rdi), %r15
	movl	$1, %eax
	jmp	*8(%rdi)
	.cfi_endproc
	.size	frame_resume, . - frame_resume

	.section .note.GNU-stack, "", @progbits
