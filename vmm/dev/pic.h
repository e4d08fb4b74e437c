/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The PC's two 8259A interrupt controllers. */
#ifndef VMM_DEV_PIC_H
#define VMM_DEV_PIC_H

#include "plat/lock.h"

/*
 * Intel 8259A datasheet (order number 231468), in 8086 mode, the second one
 * cascaded to input 2 of the first; with the edge/level registers (ELCR) of
 * Intel's chipsets (82371AB datasheet, 4.2.4). For guests that boot by a BIOS.
 * Until it is initialized (ICW1 to ICW4) it interrupts nobody, so the others
 * need not know of it.
 *
 * Its output goes to LINT0 of the boot processor: whoever runs that vCPU asks
 * pic_pending(), and then acknowledges.
 */
#define PIC_PORT_FIRST	0x20u  /* and the port after it */
#define PIC_PORT_SECOND 0xa0u  /* likewise */
#define PIC_PORT_ELCR	0x4d0u /* first; 0x4d1: second */
#define PIC_INPUTS	16

struct pic_chip {
	uint8_t lines; /* level of each input */
	uint8_t irr, isr, imr;
	uint8_t elcr;	/* 1: level-triggered */
	uint8_t vector; /* of input 0; a multiple of 8 */
	uint8_t first;	/* input of highest priority */
	uint8_t step;	/* the ICW that comes next at the odd port, or 0 */
	bool wants_icw4;
	bool ready; /* initialized */
	bool auto_eoi, rotate_auto, special_mask, special_nested;
	bool read_isr, poll;
};

struct pic {
	struct lock lock; /* LOCK_IRQCHIP; protects all below */
	struct pic_chip chips[2];
	bool output; /* written under lock, read by any */
};

/* Hook: the output went up. Called on any CPU, with LOCK_IRQCHIP held. */
void pic_raised(struct pic *pic);

void pic_init(struct pic *pic);
/* Power-on state; the inputs keep their levels. */
void pic_reset(struct pic *pic);
/* Level of an input, 0 to PIC_INPUTS - 1 (others and 2 are ignored). Any CPU.
 */
void pic_set_line(struct pic *pic, unsigned irq, bool level);
static inline bool pic_pending(const struct pic *pic)
{
	return READ_ONCE(pic->output);
}
/* The CPU's interrupt acknowledge: the vector. Any time: with nothing pending
 * it is the spurious one. */
uint8_t pic_acknowledge(struct pic *pic);

bool pic_has_port(uint16_t port);
/* port: one that it has. */
uint8_t pic_read(struct pic *pic, uint16_t port);
void pic_write(struct pic *pic, uint16_t port, uint8_t value);

#endif
