/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Descriptor tables: GDT, TSS, IDT (AMD APM 2, chapter 4 and 8). */
#ifndef VMKERNEL_CPU_DESC_H
#define VMKERNEL_CPU_DESC_H

#include "lib/types.h"

#define KERNEL_CS 0x08
#define KERNEL_DS 0x10
#define TSS_SEL	  0x18

enum ist {
	IST_NONE,
	IST_NMI,
	IST_DF,
	IST_MC,
	IST_COUNT
};

/* APM 2, figure 12-8. */
struct tss {
	uint32_t reserved0;
	uint64_t rsp[3];
	uint64_t reserved1;
	uint64_t ist[7]; /* ist[0] is IST 1 */
	uint64_t reserved2;
	uint16_t reserved3;
	uint16_t iomap_base;
} PACKED;
_Static_assert(sizeof(struct tss) == 104, "APM 2, figure 12-8");

struct gdt {
	uint64_t entry[5]; /* null, code, data, TSS (two) */
};

/* APM 2, figure 4-24. */
struct idt_gate {
	uint16_t offset_low;
	uint16_t selector;
	uint8_t ist;
	uint8_t type; /* 0x8e: present, interrupt gate */
	uint16_t offset_mid;
	uint32_t offset_high;
	uint32_t reserved;
};
_Static_assert(sizeof(struct idt_gate) == 16, "APM 2, figure 4-24");

struct desc_pointer {
	uint16_t limit;
	uint64_t base;
} PACKED;

#endif
