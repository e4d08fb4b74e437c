/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A guest's virtio driver, as a test plays it: PCI probe, rings, doorbells. */
#ifndef TESTS_VIRTIO_GUEST_H
#define TESTS_VIRTIO_GUEST_H

#include <linux/pci_regs.h>
#include <linux/virtio_config.h>
#include <linux/virtio_net.h>
#include <linux/virtio_pci.h>
#include <linux/virtio_ring.h>

#include "fake_vm.h"
#include "vmm/dev/pci.h"

#define GUEST_QUEUES 3

/* A ring in guest memory, driver side. */
struct guest_queue {
	unsigned size;
	uint64_t desc_gpa, avail_gpa, used_gpa;
	struct vring_desc *desc;
	struct vring_avail *avail;
	struct vring_used *used;
	uint16_t next_desc; /* descriptors are handed out in a circle */
	uint16_t avail_idx; /* shadow of avail->idx */
	uint16_t used_seen;
};

struct guest_device {
	struct vm *vm;
	struct pci_bus *bus;
	unsigned bdf;
	uint64_t common, isr, config, notify; /* gpa */
	uint16_t doorbell;		      /* port */
	unsigned notify_order; /* which notify capability came first: 1 I/O */
	uint8_t msix_cap;
	uint64_t msix_table; /* gpa */
	struct guest_queue queues[GUEST_QUEUES];
};

struct guest_piece {
	uint64_t gpa;
	uint32_t len;
	bool write;
};

static inline uint64_t guest_read_mem(struct guest_device *g, uint64_t gpa,
				      unsigned size)
{
	uint64_t offset;
	unsigned bar;
	struct device *dev =
		pci_find_mem(g->bus, GPA(gpa), size, &bar, &offset);

	return dev ? dev->ops->bar_read(dev, bar, offset, size) : ~0ull;
}

static inline void guest_write_mem(struct guest_device *g, uint64_t gpa,
				   unsigned size, uint64_t value)
{
	uint64_t offset;
	unsigned bar;
	struct device *dev =
		pci_find_mem(g->bus, GPA(gpa), size, &bar, &offset);

	if (dev)
		dev->ops->bar_write(dev, bar, offset, size, value);
}

static inline void guest_write_port(struct guest_device *g, uint16_t port,
				    unsigned size, uint32_t value)
{
	uint64_t offset;
	unsigned bar;
	struct device *dev = pci_find_io(g->bus, port, size, &bar, &offset);

	if (dev)
		dev->ops->bar_write(dev, bar, offset, size, value);
}

static inline uint64_t guest_get(struct guest_device *g, unsigned reg,
				 unsigned size)
{
	return guest_read_mem(g, g->common + reg, size);
}

static inline void guest_set(struct guest_device *g, unsigned reg,
			     unsigned size, uint64_t value)
{
	guest_write_mem(g, g->common + reg, size, value);
}

static inline uint8_t guest_status(struct guest_device *g)
{
	return (uint8_t)guest_get(g, VIRTIO_PCI_COMMON_STATUS, 1);
}

static inline uint64_t guest_bar(struct guest_device *g, unsigned bar)
{
	return pci_config_read(g->bus, g->bdf, PCI_BASE_ADDRESS_0 + bar * 4,
			       4) &
	       ~0xfull;
}

/* Walks the capability list as Linux does; false: something is missing. */
static inline bool guest_probe(struct guest_device *g, struct vm *vm,
			       struct pci_bus *bus, unsigned slot)
{
	unsigned at, order = 0;

	*g = (struct guest_device){.vm = vm, .bus = bus, .bdf = slot << 3};
	at = pci_config_read(bus, g->bdf, PCI_CAPABILITY_LIST, 1);
	for (; at; at = pci_config_read(bus, g->bdf, at + 1, 1)) {
		uint8_t id = (uint8_t)pci_config_read(bus, g->bdf, at, 1);
		uint64_t bar = guest_bar(
			g, pci_config_read(bus, g->bdf, at + 4, 1) & 7);
		uint64_t gpa = bar + pci_config_read(bus, g->bdf, at + 8, 4);

		if (id == PCI_CAP_ID_MSIX) {
			g->msix_cap = (uint8_t)at;
			g->msix_table = bar;
			continue;
		}
		switch (pci_config_read(bus, g->bdf, at + 3, 1)) {
		case VIRTIO_PCI_CAP_COMMON_CFG:
			g->common = gpa;
			break;
		case VIRTIO_PCI_CAP_NOTIFY_CFG:
			order++;
			if (bar < 0x10000) {
				g->doorbell = (uint16_t)gpa;
				g->notify_order = order;
			} else {
				g->notify = gpa;
			}
			break;
		case VIRTIO_PCI_CAP_ISR_CFG:
			g->isr = gpa;
			break;
		case VIRTIO_PCI_CAP_DEVICE_CFG:
			g->config = gpa;
			break;
		default:
			break;
		}
	}
	return g->common && g->isr && g->config && g->notify && g->doorbell &&
	       g->msix_cap;
}

static inline void guest_set_master(struct guest_device *g, bool on)
{
	uint16_t command = PCI_COMMAND_IO | PCI_COMMAND_MEMORY;

	pci_config_write(g->bus, g->bdf, PCI_COMMAND, 2,
			 command | (on ? PCI_COMMAND_MASTER : 0));
}

/* MSI-X on, vector v sends data 0x40 + v to 0xfee00000. */
static inline void guest_enable_msix(struct guest_device *g)
{
	for (unsigned v = 0; v < GUEST_QUEUES + 1; v++) {
		uint64_t entry = g->msix_table + v * PCI_MSIX_ENTRY_SIZE;

		guest_write_mem(g, entry, 4, 0xfee00000);
		guest_write_mem(g, entry + 4, 4, 0);
		guest_write_mem(g, entry + 8, 4, 0x40 + v);
		guest_write_mem(g, entry + 12, 4, 0);
	}
	pci_config_write(g->bus, g->bdf, g->msix_cap + PCI_MSIX_FLAGS, 2,
			 PCI_MSIX_FLAGS_ENABLE);
}

static inline void guest_make_queue(struct guest_device *g, unsigned index,
				    unsigned size)
{
	struct guest_queue *q = &g->queues[index];

	*q = (struct guest_queue){.size = size};
	q->desc_gpa = fake_vm_alloc(g->vm, 16 * size, 16);
	q->avail_gpa = fake_vm_alloc(g->vm, 6 + 2 * size, 2);
	q->used_gpa = fake_vm_alloc(g->vm, 6 + 8 * size, 4);
	q->desc = fake_vm_ptr(g->vm, q->desc_gpa);
	q->avail = fake_vm_ptr(g->vm, q->avail_gpa);
	q->used = fake_vm_ptr(g->vm, q->used_gpa);
}

static inline void guest_enable_queue(struct guest_device *g, unsigned index)
{
	struct guest_queue *q = &g->queues[index];

	guest_set(g, VIRTIO_PCI_COMMON_Q_SELECT, 2, index);
	guest_set(g, VIRTIO_PCI_COMMON_Q_SIZE, 2, q->size);
	guest_set(g, VIRTIO_PCI_COMMON_Q_DESCLO, 4, q->desc_gpa);
	guest_set(g, VIRTIO_PCI_COMMON_Q_DESCHI, 4, q->desc_gpa >> 32);
	guest_set(g, VIRTIO_PCI_COMMON_Q_AVAILLO, 4, q->avail_gpa);
	guest_set(g, VIRTIO_PCI_COMMON_Q_AVAILHI, 4, q->avail_gpa >> 32);
	guest_set(g, VIRTIO_PCI_COMMON_Q_USEDLO, 4, q->used_gpa);
	guest_set(g, VIRTIO_PCI_COMMON_Q_USEDHI, 4, q->used_gpa >> 32);
	guest_set(g, VIRTIO_PCI_COMMON_Q_MSIX, 2, index + 1);
	guest_set(g, VIRTIO_PCI_COMMON_Q_ENABLE, 2, 1);
}

/* Up to FEATURES_OK; the device's answer. */
static inline bool guest_negotiate(struct guest_device *g, uint64_t features)
{
	guest_set(g, VIRTIO_PCI_COMMON_STATUS, 1, 0);
	guest_set(g, VIRTIO_PCI_COMMON_STATUS, 1, VIRTIO_CONFIG_S_ACKNOWLEDGE);
	guest_set(g, VIRTIO_PCI_COMMON_STATUS, 1,
		  VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER);
	for (unsigned i = 0; i < 2; i++) {
		guest_set(g, VIRTIO_PCI_COMMON_GFSELECT, 4, i);
		guest_set(g, VIRTIO_PCI_COMMON_GF, 4,
			  (uint32_t)(features >> i * 32));
	}
	guest_set(g, VIRTIO_PCI_COMMON_STATUS, 1,
		  VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER |
			  VIRTIO_CONFIG_S_FEATURES_OK);
	return guest_status(g) & VIRTIO_CONFIG_S_FEATURES_OK;
}

/* Brings the device up with queues of this size, or what it has. */
static inline bool guest_start(struct guest_device *g, uint64_t features,
			       unsigned size)
{
	guest_set_master(g, true);
	if (!guest_negotiate(g, features | 1ull << VIRTIO_F_VERSION_1))
		return false;
	guest_set(g, VIRTIO_PCI_COMMON_MSIX, 2, 0);
	for (unsigned i = 0; i < GUEST_QUEUES; i++) {
		unsigned max;

		guest_set(g, VIRTIO_PCI_COMMON_Q_SELECT, 2, i);
		max = (unsigned)guest_get(g, VIRTIO_PCI_COMMON_Q_SIZE, 2);
		if (!max)
			break;
		guest_make_queue(g, i, MIN(size, max));
		guest_enable_queue(g, i);
	}
	guest_set(g, VIRTIO_PCI_COMMON_STATUS, 1,
		  guest_status(g) | VIRTIO_CONFIG_S_DRIVER_OK);
	return true;
}

/* A chain of descriptors, made available but not rung for; its head. */
static inline uint16_t guest_post(struct guest_queue *q,
				  const struct guest_piece *pieces,
				  unsigned count)
{
	uint16_t head = q->next_desc;

	for (unsigned i = 0; i < count; i++) {
		struct vring_desc *desc = &q->desc[q->next_desc];

		q->next_desc = (uint16_t)((q->next_desc + 1) % q->size);
		*desc = (struct vring_desc){
			.addr = pieces[i].gpa,
			.len = pieces[i].len,
			.flags =
				(uint16_t)((pieces[i].write ? VRING_DESC_F_WRITE
							    : 0) |
					   (i + 1 < count ? VRING_DESC_F_NEXT
							  : 0)),
			.next = q->next_desc,
		};
	}
	q->avail->ring[q->avail_idx % q->size] = head;
	__atomic_store_n(&q->avail->idx, ++q->avail_idx, __ATOMIC_RELEASE);
	return head;
}

static inline void guest_kick(struct guest_device *g, unsigned queue)
{
	guest_write_port(g, g->doorbell, 2, queue);
}

/* Next used element; false: none. */
static inline bool guest_take(struct guest_queue *q,
			      struct vring_used_elem *elem)
{
	if (q->used_seen == __atomic_load_n(&q->used->idx, __ATOMIC_ACQUIRE))
		return false;
	*elem = q->used->ring[q->used_seen++ % q->size];
	return true;
}

#endif
