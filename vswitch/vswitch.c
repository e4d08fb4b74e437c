/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The learning switch: its ports come and go. */
#include "vswitch/vswitch_priv.h"

#include <linux/errno.h>

#define DETACH_WAIT_NS 10000000000ull

struct vswitch *vswitch_create(const char *name)
{
	struct vswitch *sw = plat_alloc(sizeof(*sw), CACHE_LINE);

	if (!sw)
		return NULL;
	for (unsigned i = 0; i < PORT_NAME_SIZE - 1 && name[i]; i++)
		sw->name[i] = name[i];
	lock_init(&sw->lock, "switch", LOCK_SWITCH);
	sw->holder = NO_PORT;
	mactable_init(&sw->table, plat_cycles(), plat_now_ns());
	return sw;
}

void vswitch_destroy(struct vswitch *sw)
{
	if (!sw)
		return;
	ASSERT(mask_empty(&sw->attached));
	plat_free(sw, sizeof(*sw));
}

const char *vswitch_name(const struct vswitch *sw)
{
	return sw->name;
}

static bool port_address_ok(const struct port *port)
{
	uint64_t own = mac_load(port->macs[0]);

	if (port->mac_count == 0)
		return true;
	return port->mac_count <= PORT_ALLOWED_MACS && own != 0 &&
	       !mac_is_multicast(own);
}

static unsigned vswitch_free_index(const struct vswitch *sw)
{
	unsigned index = 0;

	/* Not by the mask: a port on its way out still has its place. */
	while (index < VSWITCH_PORTS_MAX && sw->ports[index])
		index++;
	return index;
}

int vswitch_attach(struct vswitch *sw, struct port *port)
{
	unsigned index;
	int err = 0;

	if (!port_address_ok(port))
		return -EINVAL;
	lock_acquire(&sw->lock);
	index = vswitch_free_index(sw);
	if (index == VSWITCH_PORTS_MAX) {
		err = -ENOSPC;
		goto out;
	}
	if (port->ops->holds && sw->holder != NO_PORT) {
		err = -EBUSY;
		goto out;
	}
	if (port->mac_count)
		err = mactable_pin(&sw->table, mac_load(port->macs[0]), index);
	if (err)
		goto out;

	if (port->ops->holds)
		sw->holder = index;
	if (port->promiscuous)
		mask_set(&sw->promiscuous, index);
	if (port->trusted)
		mask_set(&sw->trusted, index);
	if (port->mac_count > 1)
		mask_set(&sw->listed, index);
	sw->ports[index] = port;
	port->index = (uint16_t)index;
	port->vswitch = sw;
	/* Whoever sees the bit sees all of the above. */
	__atomic_thread_fence(__ATOMIC_RELEASE);
	mask_set(&sw->attached, index);
out:
	lock_release(&sw->lock);
	return err;
}

/* Returns when each CPU was seen outside of a batch, or in a later one. */
static void vswitch_wait_for_cpus(struct vswitch *sw)
{
	uint64_t start_ns = plat_now_ns();

	/* Orders the cleared bit before the look at the sequences; the other
	 * half is the exchange in vswitch_enter(). */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	for (unsigned i = 0; i < PLAT_CPUS_MAX; i++) {
		uint32_t *sequence = &sw->cpus[i].sequence;
		uint32_t seen = __atomic_load_n(sequence, __ATOMIC_ACQUIRE);

		while (seen & 1 &&
		       __atomic_load_n(sequence, __ATOMIC_ACQUIRE) == seen) {
			if (plat_now_ns() - start_ns > DETACH_WAIT_NS)
				plat_panic("switch %s: CPU %u does not leave",
					   sw->name, i);
			plat_relax();
		}
	}
}

void vswitch_detach(struct port *port)
{
	struct vswitch *sw = port->vswitch;
	unsigned index = port->index;

	ASSERT(!(sw->cpus[plat_cpu()].sequence & 1));
	lock_acquire(&sw->lock);
	mask_clear(&sw->attached, index);
	mactable_forget(&sw->table, index);
	lock_release(&sw->lock);

	vswitch_wait_for_cpus(sw);

	lock_acquire(&sw->lock);
	mask_clear(&sw->promiscuous, index);
	mask_clear(&sw->trusted, index);
	mask_clear(&sw->listed, index);
	if (sw->holder == index)
		sw->holder = NO_PORT;
	sw->ports[index] = NULL;
	port->vswitch = NULL;
	lock_release(&sw->lock);
}

struct port *vswitch_port(const struct vswitch *sw, unsigned position)
{
	unsigned index = mask_next(&sw->attached, 0);

	while (index < VSWITCH_PORTS_MAX && position--)
		index = mask_next(&sw->attached, index + 1);
	return index < VSWITCH_PORTS_MAX ? sw->ports[index] : NULL;
}

uint64_t vswitch_copies(const struct vswitch *sw)
{
	uint64_t copies = 0;

	for (unsigned i = 0; i < PLAT_CPUS_MAX; i++)
		copies += READ_ONCE(sw->cpus[i].copies);
	return copies;
}

void vswitch_table(struct vswitch *sw, struct vswitch_table *table)
{
	const struct mactable_stats *stats = &sw->table.stats;

	lock_acquire(&sw->lock);
	*table = (struct vswitch_table){
		.entries = stats->entries,
		.capacity = MACTABLE_ENTRIES,
		.learned = stats->learned,
		.moved = stats->moved,
		.evicted = stats->evicted,
	};
	lock_release(&sw->lock);
}

/* Appends mac unless it is there; returns the new count. */
static unsigned macs_add(uint8_t (*macs)[ETH_ADDR_LEN], unsigned count,
			 unsigned max, const uint8_t *mac)
{
	for (unsigned i = 0; i < MIN(count, max); i++)
		if (mac_load(macs[i]) == mac_load(mac))
			return count;
	if (count < max)
		__builtin_memcpy(macs[count], mac, ETH_ADDR_LEN);
	return count + 1;
}

unsigned vswitch_macs(struct vswitch *sw, const struct port *except,
		      uint8_t (*macs)[ETH_ADDR_LEN], unsigned max,
		      bool *promiscuous)
{
	unsigned count = 0;

	*promiscuous = false;
	lock_acquire(&sw->lock);
	for (unsigned i = mask_next(&sw->attached, 0); i < VSWITCH_PORTS_MAX;
	     i = mask_next(&sw->attached, i + 1)) {
		const struct port *port = sw->ports[i];

		if (port == except)
			continue;
		if (port->promiscuous)
			*promiscuous = true;
		for (unsigned j = 0; j < port->mac_count; j++)
			count = macs_add(macs, count, max, port->macs[j]);
	}
	lock_release(&sw->lock);
	return count;
}
