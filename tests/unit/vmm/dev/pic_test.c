/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vmm/dev/pic.c by the 8259A datasheet: priorities, modes, cascade. */
#include "vmm/dev/pic.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#define FIRST  0x20
#define SECOND 0xa0

static struct pic pic;
static unsigned raised;

void pic_raised(struct pic *p)
{
	assert_ptr_equal(p, &pic);
	assert_true(lock_held(&p->lock));
	raised++;
}

static void initialize(uint8_t icw4)
{
	static const uint8_t base[] = {0x08, 0x70}, cascade[] = {4, 2};

	for (unsigned i = 0; i < 2; i++) {
		uint16_t port = i ? SECOND : FIRST;

		pic_write(&pic, port, 0x11);
		pic_write(&pic, port + 1, base[i]);
		pic_write(&pic, port + 1, cascade[i]);
		pic_write(&pic, port + 1, icw4);
		pic_write(&pic, port + 1, 0);
	}
}

static int setup(void **state)
{
	pic_init(&pic);
	initialize(0x01);
	raised = 0;
	return 0;
}

static uint8_t isr(uint16_t port)
{
	pic_write(&pic, port, 0x0b);
	return pic_read(&pic, port);
}

static uint8_t irr(uint16_t port)
{
	pic_write(&pic, port, 0x0a);
	return pic_read(&pic, port);
}

static void edge(unsigned irq)
{
	pic_set_line(&pic, irq, false);
	pic_set_line(&pic, irq, true);
}

static void test_uninitialized(void **state)
{
	pic_init(&pic);
	for (unsigned irq = 0; irq < 32; irq++)
		edge(irq);
	assert_false(pic_pending(&pic));
	assert_int_equal(raised, 0);
	assert_int_equal(pic_read(&pic, FIRST + 1), 0xff);
	/* An initialization that is not finished is none. */
	pic_write(&pic, FIRST, 0x11);
	pic_write(&pic, FIRST + 1, 0x08);
	pic_write(&pic, FIRST + 1, 0x04);
	edge(1);
	assert_false(pic_pending(&pic));
	pic_write(&pic, FIRST + 1, 0x01);
	assert_true(pic_pending(&pic));
	/* Edges from before ICW1 are forgotten. */
	assert_int_equal(irr(FIRST), 0x02);
}

static void test_edge(void **state)
{
	edge(4);
	assert_true(pic_pending(&pic));
	assert_int_equal(raised, 1);
	assert_int_equal(irr(FIRST), 0x10);
	assert_int_equal(pic_acknowledge(&pic), 0x0c);
	assert_int_equal(irr(FIRST), 0);
	assert_int_equal(isr(FIRST), 0x10);
	/* Still up: no further edge, also not after the EOI. */
	pic_set_line(&pic, 4, true);
	pic_write(&pic, FIRST, 0x20);
	assert_int_equal(isr(FIRST), 0);
	assert_false(pic_pending(&pic));
	/* One that falls before it is acknowledged gives IR7, not in service.
	 */
	edge(4);
	pic_set_line(&pic, 4, false);
	assert_false(pic_pending(&pic));
	assert_int_equal(pic_acknowledge(&pic), 0x0f);
	assert_int_equal(isr(FIRST), 0);
}

static void test_level(void **state)
{
	pic_write(&pic, 0x4d1, 0x08); /* IRQ 11 */
	assert_int_equal(pic_read(&pic, 0x4d1), 0x08);
	pic_set_line(&pic, 11, true);
	assert_int_equal(pic_acknowledge(&pic), 0x73);
	assert_int_equal(irr(SECOND), 0x08);
	pic_write(&pic, SECOND, 0x20);
	pic_write(&pic, FIRST, 0x20);
	/* As long as the line is up, and no longer. */
	assert_true(pic_pending(&pic));
	pic_set_line(&pic, 11, false);
	assert_false(pic_pending(&pic));
	/* Timer, keyboard and cascade, RTC and FPU are edges for good. */
	pic_write(&pic, 0x4d0, 0xff);
	pic_write(&pic, 0x4d1, 0xff);
	assert_int_equal(pic_read(&pic, 0x4d0), 0xf8);
	assert_int_equal(pic_read(&pic, 0x4d1), 0xde);
}

static void test_priority(void **state)
{
	edge(5);
	edge(3);
	assert_int_equal(pic_acknowledge(&pic), 0x0b);
	assert_false(pic_pending(&pic)); /* 5 is lower than 3, in service */
	edge(1);
	assert_true(pic_pending(&pic)); /* 1 is not */
	assert_int_equal(pic_acknowledge(&pic), 0x09);
	assert_int_equal(isr(FIRST), 0x0a);
	pic_write(&pic, FIRST, 0x20); /* ends the highest */
	assert_int_equal(isr(FIRST), 0x08);
	pic_write(&pic, FIRST, 0x63); /* ends 3 */
	assert_int_equal(isr(FIRST), 0);
	assert_int_equal(pic_acknowledge(&pic), 0x0d);
	pic_write(&pic, FIRST, 0x20);
	pic_write(&pic, FIRST, 0x20); /* nothing is in service */
	assert_int_equal(isr(FIRST), 0);
}

static void test_mask(void **state)
{
	pic_write(&pic, FIRST + 1, 0xef);
	assert_int_equal(pic_read(&pic, FIRST + 1), 0xef);
	edge(3);
	assert_false(pic_pending(&pic));
	assert_int_equal(irr(FIRST), 0x08); /* kept for later */
	edge(4);
	assert_int_equal(pic_acknowledge(&pic), 0x0c);
	pic_write(&pic, FIRST, 0x20);
	pic_write(&pic, FIRST + 1, 0xff);
	assert_false(pic_pending(&pic));
	pic_write(&pic, FIRST + 1, 0x00);
	assert_int_equal(pic_acknowledge(&pic), 0x0b);
}

static void test_cascade(void **state)
{
	edge(12);
	edge(8);
	assert_int_equal(irr(FIRST), 0x04);
	assert_int_equal(pic_acknowledge(&pic), 0x70);
	assert_int_equal(isr(FIRST), 0x04);
	assert_int_equal(isr(SECOND), 0x01);
	edge(1); /* above the second's */
	assert_int_equal(pic_acknowledge(&pic), 0x09);
	pic_write(&pic, FIRST, 0x20);
	pic_write(&pic, SECOND, 0x20);
	assert_false(pic_pending(&pic)); /* the cascade is in service still */
	pic_write(&pic, FIRST, 0x62);
	assert_int_equal(pic_acknowledge(&pic), 0x74);
	pic_write(&pic, SECOND, 0x20);
	pic_write(&pic, FIRST, 0x20);
	assert_false(pic_pending(&pic));
	/* No wire leads to input 2. */
	edge(2);
	assert_false(pic_pending(&pic));
	/* What the second withdraws is spurious there. */
	edge(9);
	pic_write(&pic, SECOND + 1, 0xff);
	assert_false(pic_pending(&pic));
}

static void test_special_nested(void **state)
{
	initialize(0x11);
	edge(12);
	assert_int_equal(pic_acknowledge(&pic), 0x74);
	edge(9); /* higher, on the second: it gets through */
	assert_int_equal(pic_acknowledge(&pic), 0x71);
	edge(13);
	assert_false(pic_pending(&pic));
}

static void test_auto_eoi(void **state)
{
	initialize(0x03);
	edge(5);
	assert_int_equal(pic_acknowledge(&pic), 0x0d);
	assert_int_equal(isr(FIRST), 0);
	edge(6);
	assert_int_equal(pic_acknowledge(&pic), 0x0e);
	/* Rotating: the one that was served is last. */
	pic_write(&pic, FIRST, 0x80);
	edge(3);
	assert_int_equal(pic_acknowledge(&pic), 0x0b);
	edge(3);
	edge(7);
	assert_int_equal(pic_acknowledge(&pic), 0x0f);
	assert_int_equal(pic_acknowledge(&pic), 0x0b);
	pic_write(&pic, FIRST, 0x00);
}

static void test_rotation(void **state)
{
	pic_write(&pic, FIRST, 0xc3); /* 3 is the lowest, so 4 the highest */
	edge(1);
	edge(3);
	edge(6);
	assert_int_equal(pic_acknowledge(&pic), 0x0e);
	pic_write(&pic, FIRST, 0xa0); /* EOI, and 6 is the lowest: 7 first */
	assert_int_equal(pic_acknowledge(&pic), 0x09);
	pic_write(&pic, FIRST, 0xe1); /* EOI of 1, which is the lowest */
	assert_int_equal(isr(FIRST), 0);
	edge(1);
	assert_int_equal(pic_acknowledge(&pic), 0x0b);
}

static void test_special_mask(void **state)
{
	edge(1);
	assert_int_equal(pic_acknowledge(&pic), 0x09);
	edge(6);
	assert_false(pic_pending(&pic));
	/* What is in service and masked lets the others through. */
	pic_write(&pic, FIRST + 1, 0x02);
	assert_false(pic_pending(&pic));
	pic_write(&pic, FIRST, 0x68);
	assert_true(pic_pending(&pic));
	assert_int_equal(pic_acknowledge(&pic), 0x0e);
	pic_write(&pic, FIRST, 0x20); /* not the masked one */
	assert_int_equal(isr(FIRST), 0x02);
	pic_write(&pic, FIRST, 0x48);
	edge(6);
	assert_false(pic_pending(&pic));
}

static void test_poll(void **state)
{
	edge(5);
	pic_write(&pic, FIRST, 0x0c);
	assert_int_equal(pic_read(&pic, FIRST), 0x85);
	assert_int_equal(isr(FIRST), 0x20);
	assert_false(pic_pending(&pic));
	pic_write(&pic, FIRST, 0x20);
	pic_write(&pic, FIRST, 0x0c);
	assert_int_equal(pic_read(&pic, FIRST), 0);
}

static void test_reset(void **state)
{
	edge(1);
	pic_write(&pic, 0x4d0, 0x20);
	pic_reset(&pic);
	assert_false(pic_pending(&pic));
	assert_int_equal(pic_read(&pic, 0x4d0), 0);
	assert_int_equal(pic_read(&pic, FIRST + 1), 0xff);
	initialize(0x01);
	assert_false(pic_pending(&pic)); /* the line is up, but no edge came */
	pic_set_line(&pic, 1, true);
	assert_false(pic_pending(&pic));
	edge(1);
	assert_true(pic_pending(&pic));
}

static void test_ports(void **state)
{
	unsigned count = 0;

	for (unsigned port = 0; port < 0x10000; port++)
		count += pic_has_port((uint16_t)port);
	assert_int_equal(count, 6);
	assert_true(pic_has_port(0x20) && pic_has_port(0x21) &&
		    pic_has_port(0xa0) && pic_has_port(0xa1) &&
		    pic_has_port(0x4d0) && pic_has_port(0x4d1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_uninitialized, setup),
		cmocka_unit_test_setup(test_edge, setup),
		cmocka_unit_test_setup(test_level, setup),
		cmocka_unit_test_setup(test_priority, setup),
		cmocka_unit_test_setup(test_mask, setup),
		cmocka_unit_test_setup(test_cascade, setup),
		cmocka_unit_test_setup(test_special_nested, setup),
		cmocka_unit_test_setup(test_auto_eoi, setup),
		cmocka_unit_test_setup(test_rotation, setup),
		cmocka_unit_test_setup(test_special_mask, setup),
		cmocka_unit_test_setup(test_poll, setup),
		cmocka_unit_test_setup(test_reset, setup),
		cmocka_unit_test(test_ports),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
