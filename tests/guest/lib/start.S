/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Multiboot 1 entry, long mode, second CPU, trap stubs. */

#define CODE64	0x08
#define DATA	0x10
#define USER_DS 0x1b
#define USER_CS 0x23
#define CODE32	0x28
#define ABSENT	0x30
#define TSS	0x38

	.section .multiboot, "a"
	.balign 4
	/* Multiboot 0.6.96, 3.1: magic, flags (2: memory information) */
	.long 0x1badb002, 2, -(0x1badb002 + 2)

	.section .text
	.code32
	.globl start
start:
	cli
	cld
	movl $stack_top, %esp
	movl %ebx, multiboot_info
	movl %eax, multiboot_magic

	/* Identity map of 4 GiB, 2 MiB pages: present, writable, user. */
	movl $page_pd, %edi
	movl $0x87, %eax
	movl $2048, %ecx
1:	movl %eax, (%edi)
	movl $0, 4(%edi)
	addl $0x200000, %eax
	addl $8, %edi
	loop 1b
	movl $page_pdpt, %edi
	movl $(page_pd + 7), %eax
	movl $4, %ecx
1:	movl %eax, (%edi)
	addl $0x1000, %eax
	addl $8, %edi
	loop 1b
	movl $(page_pdpt + 7), page_pml4
	/* The tests' own pages: 512 at 512 GiB, none there yet. */
	movl $(window_pdpt + 7), page_pml4 + 8
	movl $(window_pd + 7), window_pdpt
	movl $(payload_window_pt + 7), window_pd
	movl $tss, %eax
	movw %ax, gdt_tss + 2
	shrl $16, %eax
	movb %al, gdt_tss + 4
	movb %ah, gdt_tss + 7
	call long_mode
	ljmp $CODE64, $start64

/* Paging on, IA-32e: EFER.LME and NXE, CR4.PAE, CR0.PG and WP (Intel SDM
 * 3A, 10.8.5). */
long_mode:
	movl %cr4, %eax
	orl $0x620, %eax /* PAE, OSFXSR, OSXMMEXCPT */
	movl %eax, %cr4
	movl $page_pml4, %eax
	movl %eax, %cr3
	movl $0xc0000080, %ecx
	rdmsr
	orl $0x900, %eax
	wrmsr
	lgdt gdt_pointer
	movl %cr0, %eax
	andl $0x9ffffffb, %eax /* caches on, no x87 emulation */
	orl $0x80010002, %eax  /* PG, WP, MP */
	movl %eax, %cr0
	ret

	.code64
start64:
	movl $DATA, %eax
	movl %eax, %ds
	movl %eax, %es
	movl %eax, %ss
	xorl %eax, %eax
	movl %eax, %fs
	movl %eax, %gs
	movl $TSS, %eax
	ltr %ax
	movq $stack_top, %rsp
	call payload_start
1:	cli
	hlt
	jmp 1b

/*
 * The second CPU: payload_ap_trampoline is copied to a page below 1 MiB by
 * whoever sends the start-up IPI; CS:IP is page << 8 : 0.
 */
	.globl payload_ap_trampoline, payload_ap_trampoline_end
	.code16
payload_ap_trampoline:
	cli
	movw %cs, %ax
	movw %ax, %ds
	lgdtl ap_gdt_pointer - payload_ap_trampoline
	movl %cr0, %eax
	orl $1, %eax
	movl %eax, %cr0
	ljmpl $CODE32, $ap_start32
	.balign 4
ap_gdt_pointer:
	.word gdt_end - gdt - 1
	.long gdt
payload_ap_trampoline_end:

	.code32
ap_start32:
	movl $DATA, %eax
	movl %eax, %ds
	movl %eax, %ss
	movl $ap_stack_top, %esp
	call long_mode
	ljmp $CODE64, $ap_start64
	.code64
ap_start64:
	movl $DATA, %eax
	movl %eax, %ds
	movl %eax, %es
	movl %eax, %ss
	movq $ap_stack_top, %rsp
	call payload_ap_start
1:	cli
	hlt
	jmp 1b

/* One stub of 16 bytes for each vector: error code (or 0), vector. */
	.balign 16
	.globl trap_stubs
trap_stubs:
	.set vector, 0
	.rept 256
	.balign 16
	.if !(vector == 8 || (vector >= 10 && vector <= 14) || vector == 17 || \
	      vector == 21)
	pushq $0
	.endif
	pushq $vector
	jmp trap_entry
	.set vector, vector + 1
	.endr

trap_entry:
	pushq %rax
	pushq %rcx
	pushq %rdx
	pushq %rbx
	pushq %rbp
	pushq %rsi
	pushq %rdi
	pushq %r8
	pushq %r9
	pushq %r10
	pushq %r11
	pushq %r12
	pushq %r13
	pushq %r14
	pushq %r15
	cld
	movq %rsp, %rdi
	movq %rsp, %rbp
	andq $-16, %rsp
	call trap_handle
	movq %rbp, %rsp
	popq %r15
	popq %r14
	popq %r13
	popq %r12
	popq %r11
	popq %r10
	popq %r9
	popq %r8
	popq %rdi
	popq %rsi
	popq %rbp
	popq %rbx
	popq %rdx
	popq %rcx
	popq %rax
	addq $16, %rsp
	iretq
	.globl trap_stubs_end
trap_stubs_end:

/*
 * bool trap_run(void (*fn)(void), bool user): calls fn in ring 0 or 3; true
 * when a trap ended it (trap_handle() sends us to trap_landing).
 */
	.globl trap_run, trap_landing
trap_run:
	pushq %rbx
	pushq %rbp
	pushq %r12
	pushq %r13
	pushq %r14
	pushq %r15
	subq $8, %rsp
	movq %rsp, trap_resume_rsp
	testb %sil, %sil
	jnz 1f
	call *%rdi
	xorl %eax, %eax
	jmp 2f
1:	pushq $USER_DS
	pushq $user_stack_top - 8
	pushq $2 /* flags: interrupts off */
	pushq $USER_CS
	pushq %rdi
	iretq
trap_landing:
	movl $1, %eax
2:	addq $8, %rsp
	popq %r15
	popq %r14
	popq %r13
	popq %r12
	popq %rbp
	popq %rbx
	ret

	.section .data
	.balign 16
gdt:
	.quad 0
	.quad 0x00af9b000000ffff /* 08: 64-bit code */
	.quad 0x00cf93000000ffff /* 10: data */
	.quad 0x00cff3000000ffff /* 18: user data */
	.quad 0x00affb000000ffff /* 20: user 64-bit code */
	.quad 0x00cf9b000000ffff /* 28: 32-bit code */
	.quad 0x00cf13000000ffff /* 30: data, not present */
gdt_tss:
	.quad 0x0000890000000067, 0 /* 38: 64-bit TSS, base filled in */
gdt_end:
gdt_pointer:
	.word gdt_end - gdt - 1
	.long gdt

	.balign 16
	.globl tss
tss:				 /* Intel SDM 3A, 8.7 */
	.long 0
	.quad trap_stack_top, 0, 0 /* RSP0 to RSP2 */
	.quad 0
	.quad ist_stack_top /* IST1 */
	.fill 6, 8, 0
	.quad 0
	.word 0, 0x68

	.globl multiboot_info, multiboot_magic
multiboot_info:
	.long 0
multiboot_magic:
	.long 0

	.section .bss
	.balign 4096
	.globl payload_window_pt
page_pml4:
	.skip 4096
page_pdpt:
	.skip 4096
page_pd:
	.skip 4 * 4096
window_pdpt:
	.skip 4096
window_pd:
	.skip 4096
payload_window_pt:
	.skip 4096
	.skip 16384
stack_top:
	.skip 8192
trap_stack_top:
	.skip 8192
	.globl ist_stack_top
ist_stack_top:
	.skip 8192
user_stack_top:
	.skip 8192
ap_stack_top:
	.globl trap_resume_rsp
trap_resume_rsp:
	.skip 8
