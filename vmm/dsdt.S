/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The compiled DSDT, from vmm/dsdt.asl. */
	.section .rodata
	.globl dsdt_aml, dsdt_aml_end
	.balign 8
dsdt_aml:
	.incbin "dsdt.aml"
dsdt_aml_end:

	.section .note.GNU-stack, "", @progbits
