/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The PVH note, and what the registers hold at its entry. */

	/* Xen, public/elfnote.h: XEN_ELFNOTE_PHYS32_ENTRY, 18. */
	.section .note.Xen, "a", @note
	.balign 4
	.long 2f - 1f
	.long 4f - 3f
	.long 18
1:	.asciz "Xen"
2:	.balign 4
3:	.long pvh_start
4:	.balign 4

	.section .text
	.code32
	.globl pvh_start
pvh_start:
	/* No stack yet, and every register but EBX may be changed. */
	movl %cr0, %eax
	movl %eax, pvh_cr0
	movl %cr4, %eax
	movl %eax, pvh_cr4
	movl $pvh_stack_top, %esp
	pushfl
	popl pvh_eflags
	movl $1, pvh_entered
	jmp start

	/* Not .bss: written before anybody could clear that. */
	.section .data
	.balign 4
	.globl pvh_cr0, pvh_cr4, pvh_eflags, pvh_entered
pvh_cr0:
	.long 0
pvh_cr4:
	.long 0
pvh_eflags:
	.long 0
pvh_entered:
	.long 0
	.skip 16
pvh_stack_top:

	.section .note.GNU-stack, "", @progbits
