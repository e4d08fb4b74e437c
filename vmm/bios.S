/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The BIOS services of guests that start in real mode. Runs in the guest. */
#include "vmm/load/bios.h"

/*
 * What boot loaders and boot code of kernels ask a PC's BIOS for, and no more:
 * the console is COM1, there is no disk. See bios.h for who enters it and how.
 * Services are those of the IBM PC/AT Technical Reference, the PCI BIOS
 * Specification 2.1 and ACPI 6.4, 15.1 (INT 15h, AX=E820h).
 *
 * Handlers keep all registers but their results, and give carry and zero back
 * in the flags of the caller, which lie above its far address on the stack.
 */

#define AT(label) (label - bios_image)

	/* BIOS data area: segment 0, for the IVT is there as well. */
#define BDA_COM1	0x400
#define BDA_EQUIPMENT	0x410
#define BDA_BASE_KIB	0x413
#define BDA_MODE	0x449
#define BDA_COLUMNS	0x44a
#define BDA_CRTC	0x463
#define BDA_TICKS	0x46c
#define BDA_MIDNIGHT	0x470
#define BDA_ROWS	0x484
#define BDA_CHAR_HEIGHT 0x485

#define BASE_KIB	640
#define EQUIPMENT	0x0220 /* one serial port, 80x25 colour */
#define VIDEO_MODE	3
#define COLUMNS		80
#define ROWS		25
#define TICKS_PER_DAY	0x1800b0

#define COM1		0x3f8
#define LSR		5 /* line status: data ready, transmitter empty */
#define LSR_READY	0x01
#define LSR_EMPTY	0x20

#define FLAG_CARRY	0x01
#define FLAG_ZERO	0x40
#define ERROR		0x86 /* INT 15h: no such function */

	.section .rodata
	.code16
	.balign 16
	.globl bios_image, bios_image_end
bios_image:
	jmp bios_entry
	.org bios_image + BIOS_PARAMS
params:
	.fill BIOS_PARAM_MEMORY + BIOS_MEMORY_MAX * BIOS_MEMORY_SIZE

/* Interrupt vectors that lead somewhere: number, handler. */
vectors:
	.macro vector number handler
	.word \number * 4, AT(\handler)
	.endm
	vector 0x08, int08
	vector 0x09, irq_first
	vector 0x0a, irq_first
	vector 0x0b, irq_first
	vector 0x0c, irq_first
	vector 0x0d, irq_first
	vector 0x0e, irq_first
	vector 0x0f, irq_first
	vector 0x10, int10
	vector 0x11, int11
	vector 0x12, int12
	vector 0x13, int13
	vector 0x15, int15
	vector 0x16, int16
	vector 0x18, int18
	vector 0x19, int18
	vector 0x1a, int1a
	vector 0x70, irq_second
	vector 0x71, irq_second
	vector 0x72, irq_second
	vector 0x73, irq_second
	vector 0x74, irq_second
	vector 0x75, irq_second
	vector 0x76, irq_second
	vector 0x77, irq_second
vectors_end:

bios_entry:
	cli
	cld
	xorw %ax, %ax
	movw %ax, %ds
	movw %ax, %es
	movw %ax, %ss
	movw $0x7c00, %sp

	/* All vectors to an IRET, then those above. */
	xorw %di, %di
	movw $256, %cx
1:	movw $AT(int_nothing), %ax
	stosw
	movw $BIOS_SEGMENT, %ax
	stosw
	loop 1b
	movw $AT(vectors), %si
1:	movw %cs:(%si), %di
	movw %cs:2(%si), %ax
	stosw
	addw $4, %si
	cmpw $AT(vectors_end), %si
	jb 1b

	/* The data area. */
	movw $0x400, %di
	xorw %ax, %ax
	movw $128, %cx
	rep stosw
	movw $COM1, BDA_COM1
	movw $EQUIPMENT, BDA_EQUIPMENT
	movw $BASE_KIB, BDA_BASE_KIB
	movb $VIDEO_MODE, BDA_MODE
	movw $COLUMNS, BDA_COLUMNS
	movw $0x3d4, BDA_CRTC
	movb $(ROWS - 1), BDA_ROWS
	movb $16, BDA_CHAR_HEIGHT
	call time_to_ticks

	/* 8259s: vectors 08h and 70h; only the timer and the cascade. */
	movb $0x11, %al
	outb %al, $0x20
	outb %al, $0xa0
	movb $0x08, %al
	outb %al, $0x21
	movb $0x70, %al
	outb %al, $0xa1
	movb $0x04, %al
	outb %al, $0x21
	movb $0x02, %al
	outb %al, $0xa1
	movb $0x01, %al
	outb %al, $0x21
	outb %al, $0xa1
	movb $0xfa, %al
	outb %al, $0x21
	movb $0xff, %al
	outb %al, $0xa1
	/* 8254: counter 0, square wave, 65536: 18.2 ticks a second. */
	movb $0x36, %al
	outb %al, $0x43
	xorw %ax, %ax
	outb %al, $0x40
	outb %al, $0x40
	/* COM1: 115200 baud, 8 data bits, FIFOs; the lines up. */
	movw $(COM1 + 3), %dx
	movb $0x83, %al
	outb %al, %dx
	movw $COM1, %dx
	movb $1, %al
	outb %al, %dx
	incw %dx
	decw %ax
	outb %al, %dx
	movw $(COM1 + 3), %dx
	movb $0x03, %al
	outb %al, %dx
	decw %dx
	movb $0x01, %al
	outb %al, %dx
	movw $(COM1 + 4), %dx
	movb $0x03, %al
	outb %al, %dx

	/* To the kernel (Linux, Documentation/x86/boot.rst, "Running the
	 * Kernel"): interrupts off. */
	movw %cs:AT(params) + BIOS_PARAM_DS, %ax
	movw %cs:AT(params) + BIOS_PARAM_SP, %sp
	movw %ax, %ss
	movw %ax, %ds
	movw %ax, %es
	movw %ax, %fs
	movw %ax, %gs
	ljmpw *%cs:AT(params) + BIOS_PARAM_IP

int_nothing:
	iret

/* Timer tick. */
int08:
	pushw %ds
	pushl %eax
	xorw %ax, %ax
	movw %ax, %ds
	movl BDA_TICKS, %eax
	incl %eax
	cmpl $TICKS_PER_DAY, %eax
	jb 1f
	xorl %eax, %eax
	incb BDA_MIDNIGHT
1:	movl %eax, BDA_TICKS
	int $0x1c
	movb $0x20, %al
	outb %al, $0x20
	popl %eax
	popw %ds
	iret

irq_second:
	pushw %ax
	movb $0x20, %al
	outb %al, $0xa0
	outb %al, $0x20
	popw %ax
	iret

irq_first:
	pushw %ax
	movb $0x20, %al
	outb %al, $0x20
	popw %ax
	iret

/* Video: what is written goes to COM1, all else is as on a blank screen. */
int10:
	cmpb $0x0e, %ah
	je 1f
	cmpb $0x0f, %ah
	je 2f
	cmpb $0x03, %ah
	je 3f
	cmpb $0x08, %ah
	je 4f
	iret
1:	call put_char
	iret
2:	movw $(COLUMNS << 8 | VIDEO_MODE), %ax
	movb $0, %bh
	iret
3:	movw $0x0607, %cx
	xorw %dx, %dx
	iret
4:	movw $0x0720, %ax
	iret

/* %al to COM1, which always has room here, so that the wait is a short one. */
put_char:
	pushw %cx
	pushw %dx
	pushw %ax
	movw $(COM1 + LSR), %dx
	xorw %cx, %cx
1:	inb %dx, %al
	testb $LSR_EMPTY, %al
	loopz 1b
	popw %ax
	movw $COM1, %dx
	outb %al, %dx
	popw %dx
	popw %cx
	ret

int11:
	movw $EQUIPMENT, %ax
	iret

int12:
	pushw %ds
	xorw %ax, %ax
	movw %ax, %ds
	movw BDA_BASE_KIB, %ax
	popw %ds
	iret

/* There is no disk: invalid function. */
int13:
	movb $1, %ah
	jmp return_error

return_error:
	pushw %bp
	movw %sp, %bp
	orb $FLAG_CARRY, 6(%bp)
	popw %bp
	iret

return_good:
	pushw %bp
	movw %sp, %bp
	andb $~FLAG_CARRY, 6(%bp)
	popw %bp
	iret

/* System services: memory sizes, A20. */
int15:
	cmpw $0xe820, %ax
	je int15_e820
	cmpw $0xe801, %ax
	je int15_e801
	cmpb $0x88, %ah
	je int15_88
	cmpb $0x24, %ah
	je int15_a20
	movb $ERROR, %ah
	jmp return_error

/* %ebx: which, 0 at first; to %es:%di; %ebx is then the next, 0 at the end. */
int15_e820:
	cmpl $0x534d4150, %edx /* "SMAP" */
	jne 1f
	cmpl $BIOS_MEMORY_SIZE, %ecx
	jb 1f
	cmpl %cs:AT(params) + BIOS_PARAM_COUNT, %ebx
	jae 1f
	pushw %si
	pushw %di
	imulw $BIOS_MEMORY_SIZE, %bx, %si
	addw $AT(params) + BIOS_PARAM_MEMORY, %si
	movl $BIOS_MEMORY_SIZE, %ecx
	cld
	rep movsb %cs:(%si), %es:(%di)
	popw %di
	popw %si
	movl $BIOS_MEMORY_SIZE, %ecx
	movl %edx, %eax
	incl %ebx
	cmpl %cs:AT(params) + BIOS_PARAM_COUNT, %ebx
	jb return_good
	xorl %ebx, %ebx
	jmp return_good
1:	movb $ERROR, %ah
	jmp return_error

int15_e801:
	movw %cs:AT(params) + BIOS_PARAM_15M, %ax
	movw %cs:AT(params) + BIOS_PARAM_HIGH, %bx
	movw %ax, %cx
	movw %bx, %dx
	jmp return_good

/* KiB from 1 MiB on, as far as 16 bits go. */
int15_88:
	movw %cs:AT(params) + BIOS_PARAM_15M, %ax
	jmp return_good

/* A20 is on, and stays so. */
int15_a20:
	cmpb $3, %al
	ja 1f
	je 2f
	cmpb $2, %al
	jb 3f
	movb $1, %al /* status: on */
3:	movb $0, %ah
	jmp return_good
2:	movw $3, %bx /* both ways are supported */
	jmp 3b
1:	movb $ERROR, %ah
	jmp return_error

/* Keyboard: COM1. No scan codes. */
int16:
	andb $~0x10, %ah /* the calls of enhanced keyboards */
	cmpb $1, %ah
	jb int16_read
	je int16_look
	xorw %ax, %ax /* no shift keys; nothing that can be set */
	iret

int16_read:
	sti
	pushw %dx
1:	movw $(COM1 + LSR), %dx
	inb %dx, %al
	testb $LSR_READY, %al
	jnz 2f
	/* Until the next tick, at most. */
	hlt
	jmp 1b
2:	movw $COM1, %dx
	inb %dx, %al
	popw %dx
	xorb %ah, %ah
	iret

/* Whether a key is there; a byte cannot be looked at without taking it, so the
 * answer's %ax is a blank's. */
int16_look:
	pushw %bp
	movw %sp, %bp
	pushw %dx
	movw $(COM1 + LSR), %dx
	inb %dx, %al
	popw %dx
	orb $FLAG_ZERO, 6(%bp)
	testb $LSR_READY, %al
	jz 1f
	andb $~FLAG_ZERO, 6(%bp)
1:	movw $0x0020, %ax
	popw %bp
	iret

/* Nothing more to start from. */
int18:
	pushw %cs
	popw %ds
	movw $AT(text_no_boot), %si
	cld
1:	lodsb
	testb %al, %al
	jz 2f
	call put_char
	jmp 1b
	/* Power-off: ACPI_SLEEP_S5 to ACPI_PORT_SLEEP_CONTROL. */
2:	movw $0x600, %dx
	movb $0x34, %al
	outb %al, %dx
3:	cli
	hlt
	jmp 3b
text_no_boot:
	.asciz "\r\nNothing to boot: power off\r\n"

/* Time, and PCI BIOS. */
int1a:
	cmpb $0x00, %ah
	je int1a_ticks
	cmpb $0x02, %ah
	je int1a_time
	cmpb $0x04, %ah
	je int1a_date
	cmpb $0xb1, %ah
	je int1a_pci
	jmp return_error

int1a_ticks:
	pushw %ds
	pushw $0
	popw %ds
	movw BDA_TICKS, %dx
	movw BDA_TICKS + 2, %cx
	movb BDA_MIDNIGHT, %al
	movb $0, BDA_MIDNIGHT
	popw %ds
	jmp return_good

int1a_time:
	movb $4, %al
	call read_cmos
	movb %al, %ch
	movb $2, %al
	call read_cmos
	movb %al, %cl
	movb $0, %al
	call read_cmos
	movb %al, %dh
	movb $0, %dl /* no daylight saving */
	jmp return_good

int1a_date:
	movb $0x32, %al
	call read_cmos
	movb %al, %ch
	movb $9, %al
	call read_cmos
	movb %al, %cl
	movb $8, %al
	call read_cmos
	movb %al, %dh
	movb $7, %al
	call read_cmos
	movb %al, %dl
	jmp return_good

/* %al: register; its value. The clock here never shows one in mid-update. */
read_cmos:
	outb %al, $0x70
	inb $0x71, %al
	ret

/* BCD of register %al, in binary to %eax. */
read_bcd:
	call read_cmos
	movb %al, %ah
	shrb $4, %ah
	andb $15, %al
	aad
	movzbl %al, %eax
	ret

/* The ticks since midnight: seconds * 1193182 / 65536. */
time_to_ticks:
	movb $4, %al
	call read_bcd
	imull $60, %eax, %ebx
	movb $2, %al
	call read_bcd
	addl %eax, %ebx
	imull $60, %ebx, %ebx
	movb $0, %al
	call read_bcd
	addl %ebx, %eax
	movl $1193182, %ecx
	mull %ecx
	shrdl $16, %edx, %eax
	movl %eax, BDA_TICKS
	ret

/* PCI BIOS Specification 2.1: status in %ah. */
int1a_pci:
	cmpb $0x01, %al
	je pci_check
	cmpb $0x02, %al
	je pci_find_device
	cmpb $0x03, %al
	je pci_find_class
	cmpb $0x08, %al
	jb 1f
	cmpb $0x0d, %al
	jbe pci_access
1:	movb $0x81, %ah /* function not supported */
	jmp return_error

pci_check:
	movl $0x20494350, %edx /* "PCI " */
	movw $0x0001, %ax /* configuration mechanism 1 */
	movw $0x0210, %bx
	movb $0, %cl /* the last bus */
	jmp return_good

/* %bx: bus, device and function; %di: register; then at the port in %dx. */
pci_select:
	movzwl %bx, %eax
	shll $8, %eax
	movw %di, %dx
	movb %dl, %al
	andb $0xfc, %al
	orl $0x80000000, %eax
	movw $0xcf8, %dx
	outl %eax, %dx
	movw %di, %dx
	andw $3, %dx
	addw $0xcfc, %dx
	ret

/* %al: 08h to 0dh: read or write of a byte, word or double word of %ecx. */
pci_access:
	pushw %dx
	pushw %bp
	movw %ax, %bp
	pushl %eax
	call pci_select
	andw $0xff, %bp
	subw $0x08, %bp
	addw %bp, %bp
	jmp *%cs:AT(pci_ways)(%bp)
pci_ways:
	.word AT(1f), AT(2f), AT(3f), AT(4f), AT(5f), AT(6f)
1:	inb %dx, %al
	movb %al, %cl
	jmp 7f
2:	inw %dx, %ax
	movw %ax, %cx
	jmp 7f
3:	inl %dx, %eax
	movl %eax, %ecx
	jmp 7f
4:	movb %cl, %al
	outb %al, %dx
	jmp 7f
5:	movw %cx, %ax
	outw %ax, %dx
	jmp 7f
6:	movl %ecx, %eax
	outl %eax, %dx
7:	popl %eax
	popw %bp
	popw %dx
	movb $0, %ah
	jmp return_good

/* Device %cx of vendor %dx, the %si-th; class %ecx. To %bx. */
pci_find_device:
	pushl %ecx
	pushl %edx
	pushl %ebp
	shll $16, %ecx
	movw %dx, %cx
	movl $0xffffffff, %ebp
	pushw %di
	xorw %di, %di
	jmp pci_find

pci_find_class:
	pushl %ecx
	pushl %edx
	pushl %ebp
	shll $8, %ecx
	movl $0xffffff00, %ebp
	pushw %di
	movw $8, %di

/* Register %di, as far as %ebp says, is %ecx. */
pci_find:
	pushw %si
	xorw %bx, %bx
1:	call pci_select
	inl %dx, %eax
	andl %ebp, %eax
	cmpl %ecx, %eax
	jne 2f
	subw $1, %si
	jc 3f
2:	addw $8, %bx /* functions other than 0 there are none */
	cmpw $0x100, %bx
	jb 1b
	movw $0x8600, %ax /* device not found */
	jmp 4f
3:	xorw %ax, %ax
4:	popw %si
	popw %di
	popl %ebp
	popl %edx
	popl %ecx
	testb %ah, %ah
	jz return_good
	jmp return_error
bios_image_end:
