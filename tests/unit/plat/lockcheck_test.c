/* SPDX-License-Identifier: GPL-2.0-or-later */
/* plat/lockcheck.c: right orders pass, wrong ones panic. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include "plat/linux/linux.h"
#include "plat/lock.h"

static struct lock device = LOCK_INIT("device", LOCK_DEVICE);
static struct lock sw = LOCK_INIT("switch", LOCK_SWITCH);
static struct lock rx_a = LOCK_INIT("rx a", LOCK_VNET_RX);
static struct lock rx_b = LOCK_INIT("rx b", LOCK_VNET_RX);
static jmp_buf panicked;

static void caught(const char *message)
{
	longjmp(panicked, 1);
}

/* The lock is lost after that: its ticket stays taken. */
static bool panics(void (*op)(struct lock *l), struct lock *l)
{
	bool yes = true;

	plat_linux_panic_hook = caught;
	if (!setjmp(panicked)) {
		op(l);
		yes = false;
	}
	plat_linux_panic_hook = NULL;
	return yes;
}

static void right_order(void **state)
{
	for (unsigned i = 0; i < 100; i++) {
		lock_acquire(&device);
		lock_acquire(&sw);
		lock_acquire(&rx_a);
		assert_true(lock_held(&sw));
		lock_release(&rx_a);
		lock_acquire(&rx_b);
		/* The order of release is free. */
		lock_release(&device);
		lock_release(&rx_b);
		lock_release(&sw);
		assert_false(lock_held(&sw));
	}
}

static void try_is_free_of_the_order(void **state)
{
	lock_acquire(&rx_a);
	assert_true(lock_try(&rx_b));
	assert_true(lock_try(&device));
	assert_false(lock_try(&device));
	lock_release(&rx_a);
	lock_release(&rx_b);
	lock_release(&device);
	lock_acquire(&device);
	lock_release(&device);
}

static void wrong_order_panics(void **state)
{
	struct lock outer, same, again;

	lock_init(&outer, "outer", LOCK_VM);
	lock_init(&same, "same", LOCK_SWITCH);
	lock_init(&again, "again", LOCK_WORK);
	lock_acquire(&sw);
	assert_true(panics(lock_acquire, &outer));
	assert_true(panics(lock_acquire, &same));
	lock_acquire(&again);
	assert_true(panics(lock_acquire, &again));
	lock_check_release(&again);
	lock_release(&sw);
	assert_true(panics(lock_release, &sw));
}

/* What was taken out of order by lock_try() still binds. */
static void below_any_held_panics(void **state)
{
	struct lock between;

	lock_init(&between, "between", LOCK_SWITCH);
	lock_acquire(&rx_a);
	assert_true(lock_try(&device));
	assert_true(panics(lock_acquire, &between));
	lock_release(&device);
	lock_release(&rx_a);
}

static void each_cpu_has_its_own(void **state)
{
	lock_acquire(&rx_a);
	plat_linux_set_cpu(1);
	lock_acquire(&device);
	assert_false(lock_held(&rx_a));
	lock_release(&device);
	plat_linux_set_cpu(0);
	lock_release(&rx_a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(right_order),
		cmocka_unit_test(try_is_free_of_the_order),
		cmocka_unit_test(each_cpu_has_its_own),
		cmocka_unit_test(below_any_held_panics),
		cmocka_unit_test(wrong_order_panics),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
