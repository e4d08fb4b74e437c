/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between the files of the virtio PCI transport. */
#ifndef VMM_DEV_VIRTIO_PCI_PRIV_H
#define VMM_DEV_VIRTIO_PCI_PRIV_H

#include <linux/virtio_pci.h>

#include "vmm/dev/virtio_pci.h"

static inline struct virtio_pci *virtio_pci_of(struct device *dev)
{
	return container_of(dev, struct virtio_pci, dev);
}

/* Offset and width in one: a field is written by an access of its own width
 * (4.1.3.1), any other is ignored. */
#define VIRTIO_PCI_FIELD(offset, size) ((offset) << 4 | (size))

/* All with dev.lock held. True: queues have just started; then, without the
 * lock, virtio_pci_notify_all(). */
void virtio_pci_fill_common(struct virtio_pci *virtio,
			    struct virtio_pci_common_cfg *c);
bool virtio_pci_write_common(struct virtio_pci *virtio, unsigned field,
			     uint32_t value);
bool virtio_pci_update_queues(struct virtio_pci *virtio);
void virtio_pci_start_queue(struct virtio_pci *virtio, struct virtqueue *vq);
void virtio_pci_finish_reset(struct virtio_pci *virtio);

/* Sets status bits, returns the old ones. No lock needed. */
uint8_t virtio_pci_set_status(struct virtio_pci *virtio, uint8_t bits);
void virtio_pci_notify_all(struct virtio_pci *virtio);

#endif
