/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The PC's two 8259A interrupt controllers. */
#include "vmm/dev/pic.h"

#include <string.h>

#define PIC_CASCADE	 2 /* input of the first that is the second's output */
#define PIC_SPURIOUS	 7

/* ICW1 to ICW4 (8259A, "Initialization Command Words"). */
#define ICW1_INIT	 0x10
#define ICW1_ICW4	 0x01
#define ICW4_AUTO_EOI	 0x02
#define ICW4_NESTED	 0x10 /* special fully nested mode */

/* OCW2: R, SL and EOI in 7:5, level in 2:0. */
#define OCW2_EOI	 1
#define OCW2_SPECIFIC	 3
#define OCW2_ROTATE_EOI	 5
#define OCW2_ROTATE_SPEC 7
#define OCW2_SET_PRIO	 6
#define OCW2_ROTATE_ON	 4 /* in automatic EOI mode */
#define OCW2_ROTATE_OFF	 0

#define OCW3		 0x08
#define OCW3_POLL	 0x04

/* Inputs that cannot be level-triggered: timer, keyboard, cascade; RTC, FPU
 * (82371AB, 4.2.4). */
#define ELCR_FIRST	 0xf8
#define ELCR_SECOND	 0xde

/* The input of highest priority among bits, or -1. */
static int chip_highest(const struct pic_chip *chip, uint8_t bits)
{
	for (unsigned i = 0; i < 8; i++) {
		unsigned input = (chip->first + i) & 7;

		if (bits & 1u << input)
			return (int)input;
	}
	return -1;
}

/* How far behind the highest: 0 to 7; 8 for none. */
static unsigned chip_rank(const struct pic_chip *chip, int input)
{
	return input < 0 ? 8 : ((unsigned)input - chip->first) & 7;
}

/* The input that it would interrupt for now, or -1. */
static int chip_request(const struct pic_chip *chip, bool first)
{
	uint8_t isr = chip->isr;
	int input = chip_highest(chip, chip->irr & ~chip->imr);

	if (!chip->ready || input < 0)
		return -1;
	/* "Special mask mode": what is masked in service inhibits nobody. */
	if (chip->special_mask)
		isr &= ~chip->imr;
	/* "Special fully nested mode": more from the second while it is in
	 * service is let through; the second sorts them. */
	if (first && chip->special_nested && input == PIC_CASCADE)
		isr &= ~(1u << PIC_CASCADE);
	return chip_rank(chip, input) < chip_rank(chip, chip_highest(chip, isr))
		       ? input
		       : -1;
}

static void chip_set_line(struct pic_chip *chip, unsigned input, bool level)
{
	uint8_t bit = (uint8_t)(1u << input);

	/* An edge is remembered; a level, or an edge whose line has fallen
	 * before it was acknowledged, is not (8259A, figure 9). */
	if (level && (chip->elcr & bit || !(chip->lines & bit)))
		chip->irr |= bit;
	else if (!level)
		chip->irr &= ~bit;
	chip->lines = level ? chip->lines | bit : chip->lines & ~bit;
}

/* Interrupt acknowledge: the input, or -1 if it has gone. */
static int chip_acknowledge(struct pic_chip *chip, bool first)
{
	int input = chip_request(chip, first);
	uint8_t bit = (uint8_t)(1u << (input & 7));

	if (input < 0)
		return -1;
	if (!(chip->elcr & bit))
		chip->irr &= ~bit;
	if (!chip->auto_eoi)
		chip->isr |= bit;
	else if (chip->rotate_auto)
		chip->first = (input + 1) & 7;
	return input;
}

static void pic_update(struct pic *pic)
{
	bool output;

	chip_set_line(&pic->chips[0], PIC_CASCADE,
		      chip_request(&pic->chips[1], false) >= 0);
	output = chip_request(&pic->chips[0], true) >= 0;
	if (output && !pic->output) {
		WRITE_ONCE(pic->output, true);
		pic_raised(pic);
	} else if (output != pic->output) {
		WRITE_ONCE(pic->output, output);
	}
}

void pic_set_line(struct pic *pic, unsigned irq, bool level)
{
	if (irq >= PIC_INPUTS || irq == PIC_CASCADE)
		return;
	lock_acquire(&pic->lock);
	chip_set_line(&pic->chips[irq >> 3], irq & 7, level);
	pic_update(pic);
	lock_release(&pic->lock);
}

static uint8_t pic_acknowledge_locked(struct pic *pic)
{
	struct pic_chip *chip = &pic->chips[0];
	int input = chip_acknowledge(chip, true);

	if (input == PIC_CASCADE) {
		/* It must see the next request of the second as an edge. */
		chip->lines &= ~(1u << PIC_CASCADE);
		chip = &pic->chips[1];
		input = chip_acknowledge(chip, false);
	}
	/* Gone before it was acknowledged: level 7, not in service (8259A,
	 * "Interrupt Sequence"). */
	return chip->vector + (input < 0 ? PIC_SPURIOUS : input);
}

uint8_t pic_acknowledge(struct pic *pic)
{
	uint8_t vector;

	lock_acquire(&pic->lock);
	vector = pic_acknowledge_locked(pic);
	pic_update(pic);
	lock_release(&pic->lock);
	return vector;
}

static void chip_write_ocw2(struct pic_chip *chip, uint8_t value)
{
	int input = value & 7;
	unsigned command = value >> 5;

	switch (command) {
	case OCW2_EOI:
	case OCW2_ROTATE_EOI:
		input = chip_highest(chip, chip->special_mask
						   ? chip->isr & ~chip->imr
						   : chip->isr);
		if (input < 0)
			return;
		break;
	case OCW2_SPECIFIC:
	case OCW2_ROTATE_SPEC:
		break;
	case OCW2_SET_PRIO:
		chip->first = (input + 1) & 7;
		return;
	case OCW2_ROTATE_ON:
	case OCW2_ROTATE_OFF:
		chip->rotate_auto = command == OCW2_ROTATE_ON;
		return;
	default: /* no operation */
		return;
	}
	chip->isr &= ~(1u << input);
	if (command == OCW2_ROTATE_EOI || command == OCW2_ROTATE_SPEC)
		chip->first = (input + 1) & 7;
}

static void chip_write_ocw3(struct pic_chip *chip, uint8_t value)
{
	if (value & OCW3_POLL)
		chip->poll = true;
	if (value & 2) /* RR */
		chip->read_isr = value & 1;
	if (value & 0x40) /* ESMM */
		chip->special_mask = value & 0x20;
}

/* ICW1 clears the edges, the mask and all modes ("Initialization"). */
static void chip_write_icw1(struct pic_chip *chip, uint8_t value)
{
	uint8_t lines = chip->lines, elcr = chip->elcr;

	*chip = (struct pic_chip){
		.lines = lines,
		.elcr = elcr,
		.irr = lines & elcr,
		.step = 2,
		.wants_icw4 = value & ICW1_ICW4,
	};
}

static void chip_write_even(struct pic_chip *chip, uint8_t value)
{
	if (value & ICW1_INIT)
		chip_write_icw1(chip, value);
	else if (value & OCW3)
		chip_write_ocw3(chip, value);
	else
		chip_write_ocw2(chip, value);
}

static void chip_write_odd(struct pic_chip *chip, uint8_t value)
{
	switch (chip->step) {
	case 2:
		chip->vector = value & 0xf8;
		chip->step = 3;
		return;
	case 3: /* who is cascaded to whom does not change on a PC */
		chip->step = chip->wants_icw4 ? 4 : 0;
		chip->ready = !chip->wants_icw4;
		return;
	case 4:
		chip->auto_eoi = value & ICW4_AUTO_EOI;
		chip->special_nested = value & ICW4_NESTED;
		chip->step = 0;
		chip->ready = true;
		return;
	default:
		chip->imr = value;
		return;
	}
}

/* "Poll command": the read is the acknowledge. */
static uint8_t chip_read_poll(struct pic_chip *chip, bool first)
{
	int input = chip_acknowledge(chip, first);

	chip->poll = false;
	return input < 0 ? 0 : 0x80 | (uint8_t)input;
}

bool pic_has_port(uint16_t port)
{
	return (port & ~1u) == PIC_PORT_FIRST ||
	       (port & ~1u) == PIC_PORT_SECOND || (port & ~1u) == PIC_PORT_ELCR;
}

uint8_t pic_read(struct pic *pic, uint16_t port)
{
	bool second = port & 0x80;
	struct pic_chip *chip = &pic->chips[second];
	uint8_t value;

	lock_acquire(&pic->lock);
	if ((port & ~1u) == PIC_PORT_ELCR) {
		value = pic->chips[port & 1].elcr;
	} else if (chip->poll) {
		value = chip_read_poll(chip, !second);
		pic_update(pic);
	} else if (port & 1) {
		value = chip->imr;
	} else {
		value = chip->read_isr ? chip->isr : chip->irr;
	}
	lock_release(&pic->lock);
	return value;
}

void pic_write(struct pic *pic, uint16_t port, uint8_t value)
{
	struct pic_chip *chip = &pic->chips[port & 0x80 ? 1 : 0];

	lock_acquire(&pic->lock);
	if ((port & ~1u) == PIC_PORT_ELCR) {
		chip = &pic->chips[port & 1];
		chip->elcr = value & (port & 1 ? ELCR_SECOND : ELCR_FIRST);
	} else if (port & 1) {
		chip_write_odd(chip, value);
	} else {
		chip_write_even(chip, value);
	}
	pic_update(pic);
	lock_release(&pic->lock);
}

void pic_reset(struct pic *pic)
{
	lock_acquire(&pic->lock);
	for (unsigned i = 0; i < 2; i++) {
		uint8_t lines = pic->chips[i].lines;

		pic->chips[i] = (struct pic_chip){.lines = lines, .imr = 0xff};
	}
	WRITE_ONCE(pic->output, false);
	lock_release(&pic->lock);
}

void pic_init(struct pic *pic)
{
	memset(pic, 0, sizeof(*pic));
	lock_init(&pic->lock, "pic", LOCK_IRQCHIP);
	pic_reset(pic);
}
