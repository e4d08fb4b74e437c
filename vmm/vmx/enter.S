/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Guest entry and exit (Intel SDM 3C, chapters 26 and 27). */

	/* struct vcpu_state: gpr[16] in encoding order; vmx.c asserts it. */
#define RAX 0 * 8
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

#define HOST_RSP 0x6c14 /* VMCS_HOST_RSP */
#define KERNEL_DS 0x10	/* vmkernel/cpu/desc.h */

	.text
/*
 * bool vmx_run_guest(uint64_t *gpr, bool launched): false when the CPU refused
 * and nothing has changed.
 *
 * The host's IF is clear: an interrupt ends guest mode all the same, and stays
 * pending. The exit has loaded GS, TR and the descriptor tables, so C code may
 * run at once; RSP travels in the VMCS.
 */
	.globl vmx_run_guest, vmx_exit
vmx_run_guest:
	pushq %rbx
	pushq %rbp
	pushq %r12
	pushq %r13
	pushq %r14
	pushq %r15
	pushq %rdi /* 0(%rsp) at the exit */
	movl $HOST_RSP, %eax
	vmwrite %rsp, %rax
	jna vmx_refused
	/* Where microcode makes it so, VERW overwrites what the CPU's buffers
	 * hold of ours (Intel: microarchitectural data sampling). */
	pushq $KERNEL_DS
	verw (%rsp)
	popq %rax
	movq %rdi, %rax
	testb %sil, %sil
	movq RCX(%rax), %rcx
	movq RDX(%rax), %rdx
	movq RBX(%rax), %rbx
	movq RBP(%rax), %rbp
	movq RSI(%rax), %rsi
	movq RDI(%rax), %rdi
	movq R8(%rax), %r8
	movq R9(%rax), %r9
	movq R10(%rax), %r10
	movq R11(%rax), %r11
	movq R12(%rax), %r12
	movq R13(%rax), %r13
	movq R14(%rax), %r14
	movq R15(%rax), %r15
	movq RAX(%rax), %rax
	jnz 1f
	vmlaunch
	jmp vmx_refused
1:	vmresume
vmx_refused:
	addq $8, %rsp
	xorl %eax, %eax
	jmp 2f
vmx_exit:
	pushq %rax
	movq 8(%rsp), %rax
	movq %rcx, RCX(%rax)
	popq %rcx
	movq %rcx, RAX(%rax)
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
	addq $8, %rsp
	/* No RET of ours is predicted from the guest's calls (Intel: retpoline,
	 * a branch target injection mitigation). */
	.rept 32
	call 3f
	int3
3:
	.endr
	addq $32 * 8, %rsp
	movl $1, %eax
2:	popq %r15
	popq %r14
	popq %r13
	popq %r12
	popq %rbp
	popq %rbx
	ret

	.section .note.GNU-stack, "", @progbits
