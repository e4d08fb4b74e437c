/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who gets an interrupt: destinations, the ICR, MSIs. */
#include "vmm/dev/lapic_priv.h"

#include <linux/errno.h>

/* ICR, low half (Intel SDM 3A, 11.6.1) */
#define ICR_LOGICAL	(1u << 11)
#define ICR_LEVEL	(1u << 14)
#define ICR_TRIGGER	(1u << 15)
#define ICR_MODE(low)	((low) >> 8 & 7)
#define ICR_TARGET(low) ((low) >> 18 & 3)

enum icr_target {
	TARGET_DEST,
	TARGET_SELF,
	TARGET_ALL,
	TARGET_OTHERS,
};

/* MSI address and data (11.11) */
#define MSI_ADDRESS_BASE 0xfeeull /* bits 63:20 */
#define MSI_REDIRECT	 (1u << 3)
#define MSI_LOGICAL	 (1u << 2)
#define MSI_LEVEL	 (1u << 14)
#define MSI_TRIGGER	 (1u << 15)

static void ipi_count(uint64_t *counter)
{
	__atomic_fetch_add(counter, 1, __ATOMIC_RELAXED);
}

/* 11.6.2.2 (flat and cluster), 11.12.10.2 (x2APIC: id 3:0 picks the bit, the
 * rest is the cluster). */
static bool ipi_match_logical(const struct lapic *target, uint32_t dest)
{
	uint32_t ldr;

	if (lapic_is_x2apic(target))
		return dest >> 16 == target->id >> 4 &&
		       (dest & 1u << (target->id & 15));
	if (dest > 0xff)
		return false;
	ldr = READ_ONCE(target->ldr) >> 24;
	if (READ_ONCE(target->dfr) >> 28 == 0xf)
		return dest & ldr;
	return dest >> 4 == ldr >> 4 && (dest & ldr & 0xf);
}

static bool ipi_match(const struct lapic *target,
		      const struct lapic_message *msg)
{
	if (!(READ_ONCE(target->base) & APIC_BASE_ENABLE))
		return false;
	if (msg->broadcast)
		return true;
	return msg->logical ? ipi_match_logical(target, msg->dest)
			    : msg->dest == target->id;
}

/*
 * The lowest task priority wins (11.6.2.4). Among equals the vector decides,
 * as in processors that hash it: a vector stays with one CPU, and its caches.
 */
static struct lapic *ipi_lowest(struct lapic_set *set,
				const struct lapic_message *msg,
				const struct lapic *except)
{
	struct lapic *best[LAPIC_COUNT_MAX];
	unsigned count = 0, lowest = 0x100;

	for (unsigned i = 0; i < set->count; i++) {
		struct lapic *target = set->apics[i];
		unsigned tpr;

		if (target == except || !ipi_match(target, msg) ||
		    !(READ_ONCE(target->svr) & SVR_ENABLE))
			continue;
		tpr = READ_ONCE(target->tpr) & 0xff;
		if (tpr < lowest) {
			lowest = tpr;
			count = 0;
		}
		if (tpr == lowest)
			best[count++] = target;
	}
	return count ? best[msg->vector % count] : NULL;
}

static bool ipi_mode_valid(const struct lapic_message *msg)
{
	switch (msg->mode) {
	case LAPIC_FIXED:
	case LAPIC_LOWEST:
		return msg->vector >= LAPIC_VECTOR_MIN;
	case LAPIC_NMI:
	case LAPIC_INIT:
	case LAPIC_SIPI:
		return true;
	default: /* no SMM, no 8259, and the reserved one */
		return false;
	}
}

/* As lapic_deliver(), but not to except (or NULL). */
static int ipi_deliver(struct lapic_set *set, const struct lapic_message *msg,
		       const struct lapic *except)
{
	int accepted = 0;

	if (!ipi_mode_valid(msg))
		return -EINVAL;
	if (msg->mode == LAPIC_LOWEST) {
		struct lapic *target = ipi_lowest(set, msg, except);

		if (target)
			accepted = lapic_post(target, msg->vector, msg->level);
	} else {
		for (unsigned i = 0; i < set->count; i++) {
			struct lapic *target = set->apics[i];

			if (target == except || !ipi_match(target, msg))
				continue;
			if (msg->mode == LAPIC_FIXED) {
				accepted += lapic_post(target, msg->vector,
						       msg->level);
				continue;
			}
			lapic_signal(target, msg->mode, msg->vector);
			accepted++;
		}
	}
	if (!accepted)
		ipi_count(&set->no_target);
	return accepted;
}

int lapic_deliver(struct lapic_set *set, const struct lapic_message *msg)
{
	return ipi_deliver(set, msg, NULL);
}

int lapic_deliver_msi(struct lapic_set *set, uint64_t address, uint32_t data)
{
	struct lapic_message msg = {
		.dest = address >> 12 & 0xff,
		.broadcast = (address >> 12 & 0xff) == 0xff,
		.logical = address & MSI_LOGICAL,
		.level = data & MSI_TRIGGER,
		.mode = data >> 8 & 7,
		.vector = data & 0xff,
	};

	if (address >> 20 != MSI_ADDRESS_BASE || msg.mode == LAPIC_SIPI)
		goto bad;
	/* Level-triggered and not asserted: nothing happened. */
	if (msg.level && !(data & MSI_LEVEL))
		return 0;
	/* 11.11.1: the hint asks for one processor of a logical group. */
	if ((address & MSI_REDIRECT) && msg.logical && msg.mode == LAPIC_FIXED)
		msg.mode = LAPIC_LOWEST;
	if (ipi_deliver(set, &msg, NULL) < 0)
		goto bad;
	return 0;
bad:
	ipi_count(&set->bad_msi);
	return -EINVAL;
}

void lapic_ipi_send(struct lapic *apic)
{
	bool x2apic = lapic_is_x2apic(apic);
	uint32_t low = apic->icr_low;
	struct lapic_message msg = {
		.dest = x2apic ? apic->icr_high : apic->icr_high >> 24,
		.logical = low & ICR_LOGICAL,
		.mode = ICR_MODE(low),
		.vector = low & 0xff,
	};
	const struct lapic *except = NULL;

	msg.broadcast = msg.dest == (x2apic ? 0xffffffffu : 0xffu);

	/* INIT level de-assert: a no-op since the Pentium 4 (11.6.1). */
	if (msg.mode == LAPIC_INIT && (low & ICR_TRIGGER) && !(low & ICR_LEVEL))
		return;
	if (!ipi_mode_valid(&msg)) {
		if (msg.mode == LAPIC_FIXED || msg.mode == LAPIC_LOWEST)
			lapic_error(apic, ESR_SEND_VECTOR);
		goto bad;
	}

	switch (ICR_TARGET(low)) {
	case TARGET_SELF:
		if (msg.mode == LAPIC_FIXED)
			lapic_post(apic, msg.vector, false);
		else if (msg.mode == LAPIC_NMI)
			lapic_signal(apic, LAPIC_NMI, 0);
		else
			goto bad;
		return;
	case TARGET_ALL:
		/* Table 11-3; NMI works on processors and Linux uses it. */
		if (msg.mode != LAPIC_FIXED && msg.mode != LAPIC_NMI)
			goto bad;
		msg.broadcast = true;
		break;
	case TARGET_OTHERS:
		msg.broadcast = true;
		except = apic;
		break;
	case TARGET_DEST:
		break;
	}
	ipi_deliver(apic->set, &msg, except);
	return;
bad:
	ipi_count(&apic->set->bad_ipi);
}
