/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Exception and interrupt entry: one stub per vector, one common path. */

	.text
	.macro stub vector, has_error
	.balign 16
stub_\vector:
	.if !\has_error
	pushq $0
	.endif
	pushq $\vector
	jmp trap_common
	.endm

	.altmacro
	.macro stub_n n
	.if \n == 8 || (\n >= 10 && \n <= 14) || \n == 17 || \n == 21 || \n == 29 || \n == 30
	stub \n, 1
	.else
	stub \n, 0
	.endif
	.endm
	.macro address_n n
	.quad stub_\n
	.endm

	.set i, 0
	.rept 256
	stub_n %i
	.set i, i + 1
	.endr

/* Saves struct trap_frame (traps.h) and calls trap_handle(). The kernel has
 * one privilege level and GS never changes, so there is nothing to swap. */
trap_common:
	cld
	pushq %rax
	pushq %rbx
	pushq %rcx
	pushq %rdx
	pushq %rsi
	pushq %rdi
	pushq %rbp
	pushq %r8
	pushq %r9
	pushq %r10
	pushq %r11
	pushq %r12
	pushq %r13
	pushq %r14
	pushq %r15
	movq %rsp, %rdi
	movq %rsp, %rbx
	andq $-16, %rsp
	call trap_handle
	movq %rbx, %rsp
	popq %r15
	popq %r14
	popq %r13
	popq %r12
	popq %r11
	popq %r10
	popq %r9
	popq %r8
	popq %rbp
	popq %rdi
	popq %rsi
	popq %rdx
	popq %rcx
	popq %rbx
	popq %rax
	addq $16, %rsp
	iretq

	.section .rodata
	.balign 8
	.globl trap_stubs
trap_stubs:
	.set i, 0
	.rept 256
	address_n %i
	.set i, i + 1
	.endr

/* Retpolines: no indirect branch of ours is predicted from what a guest
 * trained (AMD and Intel guidance on Spectre variant 2). */
	.macro thunk reg
	.section .text.__x86_indirect_thunk_\reg, "ax"
	.globl __x86_indirect_thunk_\reg
__x86_indirect_thunk_\reg:
	call 2f
1:	pause
	lfence
	jmp 1b
2:	movq %\reg, (%rsp)
	ret
	.endm
	.irp reg, rax, rbx, rcx, rdx, rsi, rdi, rbp, r8, r9, r10, r11, r12, r13, r14, r15
	thunk \reg
	.endr
/* clang names its one thunk differently. */
	.section .text.__llvm_external_retpoline_r11, "ax"
	.globl __llvm_external_retpoline_r11
__llvm_external_retpoline_r11:
	jmp __x86_indirect_thunk_r11

	.section .note.GNU-stack, "", @progbits
