/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Entry of the boot CPU (PVH or Multiboot 2, 32-bit) and of the others (SIPI,
 * 16-bit). */

#define IMAGE_BASE 0xffffffff80000000
#define PHYS(sym) ((sym) - IMAGE_BASE)

#define CR0_BOOT 0x80050033 /* PG AM WP NE ET MP PE */
#define CR4_BOOT 0x000000a0 /* PGE PAE */
#define MSR_EFER 0xc0000080
#define EFER_BOOT 0x901 /* NXE LME SCE */
#define MSR_GS_BASE 0xc0000101
#define BOOT_CS 0x08
#define BOOT_DS 0x10
#define TRAMPOLINE 0x8000 /* vmkernel/cpu/smp.c */
#define MULTIBOOT2_MAGIC 0xe85250d6

	/* Xen's ELF note: the 32-bit entry point (Xen, docs/misc/pvh.pandoc). */
	.section .note.pvh, "a", @note
	.balign 4
	.long 4, 8, 18 /* name size, value size, XEN_ELFNOTE_PHYS32_ENTRY */
	.asciz "Xen"
	.quad PHYS(boot_entry)

	/* Multiboot 2 Specification 2.0, 3.1: in the file's first 32 KiB, as it
	 * is in .text. The ELF's own entry point is PVH's. */
	.section .multiboot2, "a"
	.balign 8
multiboot2_header:
	.long MULTIBOOT2_MAGIC, 0 /* i386, protected mode */
	.long multiboot2_end - multiboot2_header
	.long -(MULTIBOOT2_MAGIC + (multiboot2_end - multiboot2_header))
	.word 1, 0 /* information request: */
	.long 12, 6 /* memory map */
	.balign 8
	.word 3, 0 /* entry address */
	.long 12, PHYS(boot_entry_multiboot2)
	.balign 8
	.word 6, 0 /* modules start at pages */
	.long 8
	.word 0, 0 /* end */
	.long 8
multiboot2_end:

	.section .boot, "ax"
	.code32
	.globl boot_entry
/* In: protected mode, flat segments, no paging, interrupts off; EBX = the
 * physical address of struct hvm_start_info, or of Multiboot 2's information,
 * and then EAX = its magic (3.3). */
boot_entry:
	xorl %eax, %eax
boot_entry_multiboot2:
	cld
	movl %eax, %esi /* boot_main()'s second argument, from here on */
	movl %ebx, %ebp
	movl $PHYS(boot_stack_top), %esp

	/* Page directories: the first 4 GiB in 2 MiB pages. */
	movl $PHYS(boot_pd), %edi
	movl $0x83, %eax /* present, writable, large */
	xorl %ecx, %ecx
1:	movl %eax, (%edi,%ecx,8)
	movl $0, 4(%edi,%ecx,8)
	addl $0x200000, %eax
	incl %ecx
	cmpl $2048, %ecx
	jne 1b

	movl $PHYS(boot_pd) + 3, %eax
	movl %eax, PHYS(boot_pdpt) + 0
	movl %eax, PHYS(boot_pdpt_image) + 510 * 8 /* -2 GiB */
	addl $0x1000, %eax
	movl %eax, PHYS(boot_pdpt) + 8
	addl $0x1000, %eax
	movl %eax, PHYS(boot_pdpt) + 16
	addl $0x1000, %eax
	movl %eax, PHYS(boot_pdpt) + 24
	movl $PHYS(boot_pdpt) + 3, %eax
	movl %eax, PHYS(boot_pml4) + 0	     /* identity, until mm_init() */
	movl %eax, PHYS(boot_pml4) + 256 * 8 /* DIRECT_BASE */
	movl $PHYS(boot_pdpt_image) + 3, %eax
	movl %eax, PHYS(boot_pml4) + 511 * 8 /* IMAGE_BASE */

	call enter_long_mode
	.code64
	movabsq $boot_stack_top, %rsp
	movabsq $boot_cpu, %rax /* per-CPU data and the stack canary */
	movq %rax, %rdx
	shrq $32, %rdx
	movl $MSR_GS_BASE, %ecx
	wrmsr
	movl %ebp, %edi
	movl %esi, %esi
	xorl %ebp, %ebp
	movabsq $boot_main, %rax
	call *%rax
1:	hlt
	jmp 1b

	.code32
/* Turns paging and long mode on with boot_pml4 and "returns" in 64-bit mode
 * at the image's address. */
enter_long_mode:
	movl $CR4_BOOT, %eax
	movl %eax, %cr4
	movl $PHYS(boot_pml4), %eax
	movl %eax, %cr3
	movl $MSR_EFER, %ecx
	movl $EFER_BOOT, %eax
	xorl %edx, %edx
	wrmsr
	movl $CR0_BOOT, %eax
	movl %eax, %cr0
	lgdt PHYS(boot_gdt_pointer)
	popl %ecx
	ljmp $BOOT_CS, $PHYS(1f)
	.code64
1:	movl $BOOT_DS, %eax
	movl %eax, %ds
	movl %eax, %es
	movl %eax, %ss
	xorl %eax, %eax
	movl %eax, %fs
	movl %eax, %gs
	movabsq $IMAGE_BASE, %rax
	addq %rcx, %rax
	jmp *%rax

	.balign 8
boot_gdt:
	.quad 0
	.quad 0x00af9b000000ffff /* 64-bit code */
	.quad 0x00cf93000000ffff /* data */
	.quad 0x00cf9b000000ffff /* 32-bit code, for the trampoline */
boot_gdt_end:
boot_gdt_pointer:
	.word boot_gdt_end - boot_gdt - 1
	.long PHYS(boot_gdt)

/* Copied to TRAMPOLINE. A start-up IPI lands here in real mode. */
	.code16
	.globl trampoline_start, trampoline_end
trampoline_start:
	cli
	cld
	xorw %ax, %ax
	movw %ax, %ds
	lgdtl TRAMPOLINE + (tramp_gdt_pointer - trampoline_start)
	movl %cr0, %eax
	orl $1, %eax
	movl %eax, %cr0
	ljmpl $0x18, $(TRAMPOLINE + (tramp32 - trampoline_start))
	.code32
tramp32:
	movl $BOOT_DS, %eax
	movl %eax, %ds
	movl %eax, %es
	movl %eax, %ss
	movl $(TRAMPOLINE + 0xff0), %esp
	movl $PHYS(ap_entry), %eax
	jmp *%eax
	.balign 8
tramp_gdt_pointer:
	.word boot_gdt_end - boot_gdt - 1
	.long PHYS(boot_gdt)
trampoline_end:

ap_entry:
	call enter_long_mode
	.code64
	/* smp_boot: stack top, struct cpu, CR3 (vmkernel/cpu/smp.c). The boot
	 * tables do not map the stack. */
	movabsq $smp_boot, %rbx
	movq 16(%rbx), %rax
	movq %rax, %cr3
	movq 0(%rbx), %rsp
	movq 8(%rbx), %rax
	movq %rax, %rdx
	shrq $32, %rdx
	movl $MSR_GS_BASE, %ecx
	wrmsr
	xorl %ebp, %ebp
	movabsq $smp_main, %rax
	call *%rax
1:	hlt
	jmp 1b

/* _Noreturn void boot_switch_stack(void *top, void (*fn)(void)) */
	.globl boot_switch_stack
boot_switch_stack:
	movq %rdi, %rsp
	xorl %ebp, %ebp
	call *%rsi
	ud2

	.bss
	.balign 4096
	.globl boot_pml4
boot_pml4:	 .skip 4096
boot_pdpt:	 .skip 4096
boot_pdpt_image: .skip 4096
boot_pd:	 .skip 4 * 4096
boot_stack:	 .skip 16384
boot_stack_top:

	.section .note.GNU-stack, "", @progbits
