/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The virtio 1.x PCI transport, under a device type such as vnet. */
#ifndef VMM_DEV_VIRTIO_PCI_H
#define VMM_DEV_VIRTIO_PCI_H

#include "vmm/dev/device.h"
#include "vmm/dev/virtqueue.h"

/*
 * Virtio 1.2, sections 2 to 4.1. The transport owns the registers and starts
 * and stops the queues; the device type moves the data.
 *
 * Locks: the function's own lock (LOCK_DEVICE) guards the registers. Queues
 * are started and stopped under it and their own. The data path takes only a
 * queue's lock: a queue that runs has all it needs.
 *
 * Reset (2.4.1) must not finish while buffers are lent out: the queues stop at
 * once, and the status reads as it was, until the device type says that it is
 * quiet. Queues run from DRIVER_OK on while the guest lets us be bus master;
 * when it takes that back, they stop until the next reset.
 */
#define VIRTIO_PCI_QUEUES_MAX 3

struct virtio_pci;

/* The device_ops seam, one floor up: what differs between device types. */
struct virtio_ops {
	struct device_ops device; /* those of virtio_pci.c: VIRTIO_DEVICE_OPS */
	/* A doorbell for this queue, below queue_count; also once when the
	 * queues start. It may not run (yet). No lock held. */
	void (*notify)(struct virtio_pci *virtio, unsigned queue);
	/* Queues have stopped: is nothing lent out any more? Takes back what
	 * has come home; device lock held. */
	bool (*quiet)(struct virtio_pci *virtio);
	/* A reset ends; device lock held. */
	void (*reset)(struct virtio_pci *virtio);
};

/* (d) dev.lock, (a) atomic */
struct virtio_pci {
	struct device dev; /* first */
	const struct virtio_ops *ops;
	uint64_t offered;
	uint64_t accepted;  /* (d); fixed from FEATURES_OK to reset */
	const void *config; /* device configuration, the type's */
	uint8_t generation; /* (a) of it: counts its changes */
	unsigned config_size;
	unsigned queue_count;
	uint8_t pci_cfg_cap; /* offset of the configuration window */

	uint32_t device_select, driver_select; /* (d) feature words */
	uint16_t config_vector;		       /* (d) read without */
	uint16_t queue_select;		       /* (d) */
	uint8_t status;	      /* (d), but NEEDS_RESET by anyone */
	bool resetting;	      /* (d) status 0 is asked for */
	bool started, halted; /* (d) queues run; bus master gone */
	struct virtqueue queues[VIRTIO_PCI_QUEUES_MAX];
};

/* What a device type's ops table starts with. */
#define VIRTIO_DEVICE_OPS(device_name)                            \
	{                                                         \
		.name = (device_name), .reset = virtio_pci_reset, \
		.bar_read = virtio_pci_bar_read,                  \
		.bar_write = virtio_pci_bar_write,                \
		.config_written = virtio_pci_config_written,      \
		.config_read = virtio_pci_config_read,            \
	}

void virtio_pci_reset(struct device *dev);
uint64_t virtio_pci_bar_read(struct device *dev, unsigned bar, uint64_t offset,
			     unsigned size);
void virtio_pci_bar_write(struct device *dev, unsigned bar, uint64_t offset,
			  unsigned size, uint64_t value);
void virtio_pci_config_written(struct device *dev, unsigned offset,
			       unsigned size);
void virtio_pci_config_read(struct device *dev, unsigned offset, unsigned size);

struct virtio_pci_params {
	const struct virtio_ops *ops;
	uint16_t type;	     /* VIRTIO_ID_* */
	uint32_t class_code; /* PCI class */
	uint64_t features;   /* of the type; VERSION_1, EVENT_IDX and
			      * INDIRECT_DESC come by themselves */
	const void *config;  /* device configuration, kept by the caller */
	unsigned config_size;
};

/* Describes the function; then virtio_pci_add_queue() in order of index, then
 * pci_add(). */
void virtio_pci_init(struct virtio_pci *virtio, struct vm *vm,
		     const struct virtio_pci_params *params);
struct virtqueue *virtio_pci_add_queue(struct virtio_pci *virtio,
				       const char *name, enum lock_rank rank,
				       uint16_t size_max);

/* Begins a reset if there is none under way, and says whether it is over. */
bool virtio_pci_quiesce(struct virtio_pci *virtio);

/* Was this feature bit negotiated? From start() to reset. */
static inline bool virtio_pci_has(const struct virtio_pci *virtio, unsigned bit)
{
	return virtio->accepted >> bit & 1;
}

/* Interrupts for a queue's used buffers. Any CPU, any lock below LOCK_INTX. */
void virtio_pci_interrupt(struct virtio_pci *virtio,
			  const struct virtqueue *vq);
/* The device configuration is another now; tell: by an interrupt, too. Any CPU,
 * any lock below LOCK_INTX. */
void virtio_pci_config_changed(struct virtio_pci *virtio, bool tell);
/* A queue is broken: says so to the driver, once until the next reset. */
void virtio_pci_needs_reset(struct virtio_pci *virtio);

#endif
