/* SPDX-License-Identifier: MIT */
/* asm-amd64.S - the first frame of a G.  The switch itself is inline, in switch-amd64.h. */
	.text

/* Jumped to with the M in rdi, on the top of a fresh stack: gstart(mp), which does not return.  It is not called, but
 * sees the return address of a call, for who walks the stack: a call would leave an entry on the CPU's return stack that
 * no ret takes off (switch-amd64.h).  The zero rbp ends a walk by frame pointers, the undefined rip one by unwind
 * tables. */
	.globl	ctx_start
	.hidden	ctx_start
	.type	ctx_start, @function
	.p2align 4
ctx_start:
	.cfi_startproc
	.cfi_undefined rip
	xorl	%ebp, %ebp
	leaq	1f(%rip), %rax
	pushq	%rax
	jmp	gstart
1:	ud2
	.cfi_endproc
	.size	ctx_start, . - ctx_start

	.section .note.GNU-stack, "", @progbits
