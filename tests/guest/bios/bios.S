/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A bzImage that starts in real mode and asks the BIOS for all it has. */

/*
 * Linked into nothing: the file is the .text section, from its boot sector on.
 * Needs 64 MiB and one NIC. Ends by INT 19h, which powers off.
 */
#define SETUP_SECTORS 6
#define TICKS	      9 /* half a second */

	.text
	.code16
start:
	.org 0x1f1
	.byte SETUP_SECTORS
	.word 0
	.long 1 /* paragraphs behind the setup code */
	.word 0, 0, 0
	.word 0xaa55
	jmp setup
	.org 0x202
	.ascii "HdrS"
	.word 0x0207
	.long 0
	.word 0, 0
	.byte 0
	.byte 1 /* LOADED_HIGH */
	.org 0x22c
	.long 0xffffffff
	.org 0x238
	.long 255
	.org 0x250

passed:
	.word 0
failed:
	.word 0
range:
	.fill 20

/* The flags say whether it is so: e is equal, c is carry, and so on. */
	.macro expect condition what
	j\condition 101f
	call fail
	jmp 102f
101:	call pass
102:	.asciz "\what\r\n"
	.endm

setup:
	cld
	movw %sp, %cx
	cmpw $0x1000, %cx
	expect a "a stack"
	movw %cs, %ax
	subw $0x20, %ax
	movw %ds, %bx
	cmpw %bx, %ax
	expect e "the segments of the boot protocol"
	pushfw
	popw %ax
	testw $0x200, %ax
	expect z "interrupts are off"

	int $0x12
	cmpw $640, %ax
	expect e "INT 12h: 640 KiB"
	int $0x11
	testw $0x0e00, %ax
	expect nz "INT 11h: a serial port"

	/* The memory map: whole, and RAM adds up to 64 MiB less the hole. */
	xorl %ebx, %ebx
	xorl %ebp, %ebp
	movw $range - start, %di
1:	movl $0xe820, %eax
	movl $0x534d4150, %edx
	movl $20, %ecx
	int $0x15
	jc 4f
	cmpl $0x534d4150, %eax
	jne 2f
	cmpl $20, %ecx
	jne 2f
	cmpl $1, 16(%di)
	jne 3f
	addl 8(%di), %ebp
3:	testl %ebx, %ebx
	jnz 1b
	cmpl $(64 << 20) - (0x60 << 12), %ebp
	jmp 2f
4:	testw %sp, %sp /* not zero */
2:	expect e "INT 15h, E820h: RAM adds up"
	movl $1000, %ebx
	movl $0xe820, %eax
	movl $20, %ecx
	int $0x15
	expect c "INT 15h, E820h: beyond the end"
	xorl %ebx, %ebx
	movl $0xe820, %eax
	movl $19, %ecx
	int $0x15
	expect c "INT 15h, E820h: too little room"
	movw $0xe801, %ax
	int $0x15
	expect nc "INT 15h, E801h"
	cmpw $0x3c00, %ax
	expect e "INT 15h, E801h: 15 MiB"
	cmpw $48 * 16, %bx
	expect e "INT 15h, E801h: and 48 MiB"
	cmpw %cx, %ax
	expect e "INT 15h, E801h: twice"
	movb $0x88, %ah
	int $0x15
	cmpw $0x3c00, %ax
	expect e "INT 15h, 88h: 15 MiB"
	movw $0x2401, %ax
	int $0x15
	expect nc "INT 15h, 2401h: A20 on"
	movw $0x2402, %ax
	int $0x15
	cmpw $0x0001, %ax
	expect e "INT 15h, 2402h: it is on"
	movb $0xc0, %ah
	int $0x15
	expect c "INT 15h, C0h: no such function"
	cmpb $0x86, %ah
	expect e "INT 15h, C0h: says so"

	movb $0x02, %ah
	movb $0x80, %dl
	int $0x13
	expect c "INT 13h: no disk"
	movb $0x01, %ah
	int $0x16
	expect z "INT 16h: no key"
	movb $0x0f, %ah
	int $0x10
	cmpw $0x5003, %ax
	expect e "INT 10h: 80 columns"
	int $0x17 /* comes back */

	/* The timer's interrupt, by the 8259. */
	movb $0x00, %ah
	int $0x1a
	addw $TICKS, %dx
	movw %dx, %bp
	movw $3 * TICKS, %di
	sti
1:	hlt
	movb $0x00, %ah
	int $0x1a
	cmpw %bp, %dx
	je 2f
	decw %di
	jnz 1b
	incw %di /* not equal */
2:	expect e "the timer ticks"
	cli
	movb $0x02, %ah
	int $0x1a
	cmpb $0x60, %cl
	expect b "INT 1Ah: minutes"
	movb $0x04, %ah
	int $0x1a
	cmpb $0x20, %ch
	expect e "INT 1Ah: the century"

	movw $0xb101, %ax
	int $0x1a
	expect nc "PCI BIOS"
	cmpl $0x20494350, %edx
	expect e "PCI BIOS: signature"
	xorw %bx, %bx
	xorw %di, %di
	movw $0xb109, %ax
	int $0x1a
	cmpw $0x1b36, %cx
	expect e "PCI BIOS: vendor of 00:00.0"
	movw $0xb10a, %ax
	int $0x1a
	cmpl $0x00081b36, %ecx
	expect e "PCI BIOS: its device"
	movw $0x1af4, %dx
	movw $0x1041, %cx
	xorw %si, %si
	movw $0xb102, %ax
	int $0x1a
	expect nc "PCI BIOS: finds the NIC"
	cmpw $0x0008, %bx
	expect e "PCI BIOS: at 00:01.0"
	movw $1, %si
	movw $0xb102, %ax
	int $0x1a
	expect c "PCI BIOS: but no second one"
	movl $0x020000, %ecx
	xorw %si, %si
	movw $0xb103, %ax
	int $0x1a
	cmpw $0x0008, %bx
	expect e "PCI BIOS: finds its class"
	movw $0x3c, %di /* interrupt line: anybody's to write */
	movb $0x5a, %cl
	movw $0xb10b, %ax
	int $0x1a
	expect nc "PCI BIOS: writes a byte"
	xorw %cx, %cx
	movw $0xb108, %ax
	int $0x1a
	cmpw $0x5a, %cx
	expect e "PCI BIOS: which is there"
	movw $0xb1ff, %ax
	int $0x1a
	expect c "PCI BIOS: no such function"
	cmpb $0x81, %ah
	expect e "PCI BIOS: says so"

	movw $text_result - start, %si
	call print
	movw passed - start, %ax
	call print_number
	movw $text_fail - start, %si
	call print
	movw failed - start, %ax
	call print_number
	movw $text_end - start, %si
	call print
	int $0x19

/* The text is behind the call, and so is where it returns to; all registers are
 * kept. %cs is the setup code's, %ds the file's. */
pass:
	incw passed - start
	pushal
	movw $text_pass - start, %si
	jmp 1f
fail:
	incw failed - start
	pushal
	movw $text_failed - start, %si
1:	call print
	movw %sp, %bp
	movw 32(%bp), %si
	addw $0x200, %si
	call print
	subw $0x200, %si
	movw %si, 32(%bp)
	popal
	ret

print:
	lodsb
	testb %al, %al
	jz 1f
	movb $0x0e, %ah
	int $0x10
	jmp print
1:	ret

/* %ax, below 100. */
print_number:
	aam
	addw $0x3030, %ax
	pushw %ax
	movb %ah, %al
	movb $0x0e, %ah
	int $0x10
	popw %ax
	movb $0x0e, %ah
	int $0x10
	ret

text_pass:
	.asciz "PASS "
text_failed:
	.asciz "FAIL "
text_result:
	.asciz "guest-result: pass "
text_fail:
	.asciz " fail "
text_end:
	.asciz "\r\n"
	.org (1 + SETUP_SECTORS) * 512
	.fill 16
