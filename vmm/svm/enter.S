/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Guest entry and exit (AMD APM 2, 15.5). */

	/* struct vcpu_state: gpr[16] in encoding order; svm.c asserts it. */
#define RCX 1 * 8
#define RDX 2 * 8
#define RBX 3 * 8
#define RBP 5 * 8
#define RSI 6 * 8
#define RDI 7 * 8
#define R8 8 * 8
#define R9 9 * 8
#define R10 10 * 8
#define R11 11 * 8
#define R12 12 * 8
#define R13 13 * 8
#define R14 14 * 8
#define R15 15 * 8

	.text
/*
 * void svm_run_guest(uint64_t vmcb_pa, uint64_t *gpr, uint64_t host_vmcb_pa)
 *
 * GIF is clear, so nothing is taken here. The host's IF must be set for VMRUN
 * (an interrupt would not end guest mode otherwise; 15.21.1), and the host's
 * VMLOAD comes before any C code: until then FS, GS, TR, LDTR and the system
 * call MSRs are the guest's. RAX and RSP travel in the VMCB.
 */
	.globl svm_run_guest
svm_run_guest:
	pushq %rbx
	pushq %rbp
	pushq %r12
	pushq %r13
	pushq %r14
	pushq %r15
	pushq %rdx /* 16(%rsp) at the exit */
	pushq %rdi /* 8(%rsp) */
	pushq %rsi /* 0(%rsp) */
	movq %rdi, %rax
	movq %rsi, %rdi
	movq RCX(%rdi), %rcx
	movq RDX(%rdi), %rdx
	movq RBX(%rdi), %rbx
	movq RBP(%rdi), %rbp
	movq RSI(%rdi), %rsi
	movq R8(%rdi), %r8
	movq R9(%rdi), %r9
	movq R10(%rdi), %r10
	movq R11(%rdi), %r11
	movq R12(%rdi), %r12
	movq R13(%rdi), %r13
	movq R14(%rdi), %r14
	movq R15(%rdi), %r15
	movq RDI(%rdi), %rdi
	sti
	vmload %rax
	.globl svm_vmrun
svm_vmrun:
	vmrun %rax
	vmsave %rax
	movq 16(%rsp), %rax
	vmload %rax
	cli
	popq %rax
	movq %rcx, RCX(%rax)
	movq %rdx, RDX(%rax)
	movq %rbx, RBX(%rax)
	movq %rbp, RBP(%rax)
	movq %rsi, RSI(%rax)
	movq %rdi, RDI(%rax)
	movq %r8, R8(%rax)
	movq %r9, R9(%rax)
	movq %r10, R10(%rax)
	movq %r11, R11(%rax)
	movq %r12, R12(%rax)
	movq %r13, R13(%rax)
	movq %r14, R14(%rax)
	movq %r15, R15(%rax)
	addq $16, %rsp
	cmpb $0, svm_fill_rsb(%rip)
	jne 2f
1:	popq %r15
	popq %r14
	popq %r13
	popq %r12
	popq %rbp
	popq %rbx
	cld
	ret
	/* No RET of ours is predicted from the guest's calls (AMD: software
	 * techniques for managing speculation, V2-3). Off in emulation, where
	 * it would only be counted. */
2:	.rept 32
	call 3f
	int3
3:
	.endr
	addq $32 * 8, %rsp
	jmp 1b

	.section .note.GNU-stack, "", @progbits
