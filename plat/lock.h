/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Named ticket spinlocks with one total order. */
#ifndef PLAT_LOCK_H
#define PLAT_LOCK_H

#include "plat/plat.h"

/*
 * The lock order, outermost first: a CPU that holds a lock may only take one
 * of a higher rank. Two of the same rank are never held together. lock_try()
 * is free of the order (it never waits). Kernel C code runs with interrupts
 * off, so no lock needs to mask them.
 */
enum lock_rank {
	LOCK_VM,	 /* a VM's life cycle */
	LOCK_DEVICE,	 /* a guest device's registers (config, reset) */
	LOCK_VNET_CTRL,	 /* a virtual NIC's control queue */
	LOCK_VNET_TX,	 /* a virtual NIC's transmit queue */
	LOCK_UPLINK_RX,	 /* harvesting a NIC's receive ring */
	LOCK_SWITCH,	 /* MAC table and port list changes */
	LOCK_VNET_RX,	 /* a virtual NIC's receive queue */
	LOCK_UPLINK_TX,	 /* a NIC's transmit ring */
	LOCK_INTX,	 /* the INTx wires of a guest's PCI bus */
	LOCK_MSIX,	 /* a guest device's MSI-X table */
	LOCK_IRQCHIP,	 /* a guest's I/O APIC */
	LOCK_RUNQUEUE,	 /* a CPU's run queue */
	LOCK_TIMER,	 /* a CPU's timer wheel */
	LOCK_WORK,	 /* a CPU's deferred-work list */
	LOCK_PCI,	 /* host configuration space index/data ports */
	LOCK_HEAP,	 /* plat_alloc() */
	LOCK_PAGETABLES, /* the VMkernel's page tables */
	LOCK_PAGES,	 /* the page allocator */
	LOCK_CONSOLE,	 /* log and consoles */
	LOCK_SERIAL,	 /* the terminal's output */
};

struct lock {
	_Atomic uint32_t tickets; /* low half: now serving; high half: next */
	uint16_t rank;
	uint16_t owner; /* CPU + 1, for panics; 0 when free */
	const char *name;
};

#define LOCK_INIT(lock_name, lock_rank_)                  \
	{                                                 \
		.rank = (lock_rank_), .name = (lock_name) \
	}

static inline void lock_init(struct lock *l, const char *name,
			     enum lock_rank rank)
{
	*l = (struct lock){.rank = (uint16_t)rank, .name = name};
}

/* Order check of debug builds (LOCK_CHECK); see plat/lockcheck.c. */
#ifdef LOCK_CHECK
void lock_check_acquire(struct lock *l, bool try);
void lock_check_release(struct lock *l);
#else
static inline void lock_check_acquire(struct lock *l, bool try)
{
	(void)l, (void)try;
}
static inline void lock_check_release(struct lock *l)
{
	(void)l;
}
#endif

static inline void lock_acquire(struct lock *l)
{
	uint32_t old = __atomic_fetch_add((uint32_t *)&l->tickets, 1u << 16,
					  __ATOMIC_ACQUIRE);
	uint16_t mine = old >> 16;

	lock_check_acquire(l, false);
	while (unlikely((uint16_t)old != mine)) {
		plat_relax();
		old = __atomic_load_n((uint32_t *)&l->tickets,
				      __ATOMIC_ACQUIRE);
	}
	l->owner = (uint16_t)(plat_cpu() + 1);
}

/* True when it was free and is now ours. */
static inline bool lock_try(struct lock *l)
{
	uint32_t old =
		__atomic_load_n((uint32_t *)&l->tickets, __ATOMIC_RELAXED);

	if ((uint16_t)old != old >> 16)
		return false;
	if (!__atomic_compare_exchange_n((uint32_t *)&l->tickets, &old,
					 old + (1u << 16), false,
					 __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
		return false;
	lock_check_acquire(l, true);
	l->owner = (uint16_t)(plat_cpu() + 1);
	return true;
}

static inline void lock_release(struct lock *l)
{
	uint16_t *serving = (uint16_t *)&l->tickets;

	lock_check_release(l);
	l->owner = 0;
	/* Only the holder writes the low half. */
	__atomic_store_n(serving, (uint16_t)(*serving + 1), __ATOMIC_RELEASE);
}

/* For ASSERT: does this CPU hold it? */
static inline bool lock_held(const struct lock *l)
{
	return l->owner == plat_cpu() + 1;
}

#endif
