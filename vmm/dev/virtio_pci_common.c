/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Virtio's common configuration registers (virtio 1.2, 4.1.4.3). */
#include <linux/virtio_config.h>
#include <string.h>

#include "vmm/dev/virtio_pci_priv.h"

#define STATUS_BITS                                                \
	(VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER |    \
	 VIRTIO_CONFIG_S_DRIVER_OK | VIRTIO_CONFIG_S_FEATURES_OK | \
	 VIRTIO_CONFIG_S_FAILED)

/* 2.1 and 3.1.1; dev.lock is held. True: the queues have just started. */
static bool virtio_pci_write_status(struct virtio_pci *virtio, uint8_t value)
{
	uint8_t set = value & STATUS_BITS & ~virtio->status;

	if (set & VIRTIO_CONFIG_S_FEATURES_OK &&
	    (virtio->accepted & ~virtio->offered ||
	     !virtio_pci_has(virtio, VIRTIO_F_VERSION_1)))
		set &= (uint8_t)~VIRTIO_CONFIG_S_FEATURES_OK;
	/* Without agreed features the device does not run. */
	if (!((virtio->status | set) & VIRTIO_CONFIG_S_FEATURES_OK))
		set &= (uint8_t)~VIRTIO_CONFIG_S_DRIVER_OK;
	virtio_pci_set_status(virtio, set);
	return virtio_pci_update_queues(virtio);
}

/* The selected queue, or NULL. */
static struct virtqueue *virtio_pci_selected(struct virtio_pci *virtio)
{
	return virtio->queue_select < virtio->queue_count
		       ? &virtio->queues[virtio->queue_select]
		       : NULL;
}

/* The common configuration block as it reads now (4.1.4.3). */
void virtio_pci_fill_common(struct virtio_pci *virtio,
			    struct virtio_pci_common_cfg *c)
{
	const struct virtqueue *vq = virtio_pci_selected(virtio);

	memset(c, 0, sizeof(*c));
	c->device_feature_select = virtio->device_select;
	if (virtio->device_select < 2)
		c->device_feature = (uint32_t)(virtio->offered >>
					       virtio->device_select * 32);
	c->guest_feature_select = virtio->driver_select;
	if (virtio->driver_select < 2)
		c->guest_feature = (uint32_t)(virtio->accepted >>
					      virtio->driver_select * 32);
	c->msix_config = virtio->config_vector;
	c->num_queues = (uint16_t)virtio->queue_count;
	c->device_status = READ_ONCE(virtio->status);
	c->config_generation = READ_ONCE(virtio->generation);
	c->queue_select = virtio->queue_select;
	if (!vq) {
		c->queue_msix_vector = VIRTIO_MSI_NO_VECTOR;
		return;
	}
	c->queue_size = vq->size;
	c->queue_msix_vector = vq->vector;
	c->queue_enable = vq->enabled;
	c->queue_notify_off = virtio->queue_select;
	c->queue_desc_lo = (uint32_t)vq->desc_gpa.v;
	c->queue_desc_hi = vq->desc_gpa.v >> 32;
	c->queue_avail_lo = (uint32_t)vq->avail_gpa.v;
	c->queue_avail_hi = vq->avail_gpa.v >> 32;
	c->queue_used_lo = (uint32_t)vq->used_gpa.v;
	c->queue_used_hi = vq->used_gpa.v >> 32;
}

static void virtio_pci_put_lo(gpa_t *gpa, uint32_t value)
{
	gpa->v = (gpa->v & ~0xffffffffull) | value;
}

static void virtio_pci_put_hi(gpa_t *gpa, uint32_t value)
{
	gpa->v = (gpa->v & 0xffffffffull) | (uint64_t)value << 32;
}

static uint16_t virtio_pci_vector(const struct virtio_pci *virtio,
				  uint32_t value)
{
	return value < virtio->dev.msix_count ? (uint16_t)value
					      : VIRTIO_MSI_NO_VECTOR;
}

/* A register of the selected queue; fixed while it is enabled. True: the queue
 * has just started. */
static bool virtio_pci_write_queue(struct virtio_pci *virtio, unsigned field,
				   uint32_t value)
{
	struct virtqueue *vq = virtio_pci_selected(virtio);

	if (!vq)
		return false;
	if (field == VIRTIO_PCI_FIELD(VIRTIO_PCI_COMMON_Q_MSIX, 2)) {
		WRITE_ONCE(vq->vector, virtio_pci_vector(virtio, value));
		return false;
	}
	if (vq->enabled)
		return false;
	switch (field) {
	case VIRTIO_PCI_FIELD(VIRTIO_PCI_COMMON_Q_SIZE, 2):
		/* A power of two up to what we offered; else as it was. */
		if (value && value <= vq->size_max && !(value & (value - 1)))
			vq->size = (uint16_t)value;
		break;
	case VIRTIO_PCI_FIELD(VIRTIO_PCI_COMMON_Q_DESCLO, 4):
		virtio_pci_put_lo(&vq->desc_gpa, value);
		break;
	case VIRTIO_PCI_FIELD(VIRTIO_PCI_COMMON_Q_DESCHI, 4):
		virtio_pci_put_hi(&vq->desc_gpa, value);
		break;
	case VIRTIO_PCI_FIELD(VIRTIO_PCI_COMMON_Q_AVAILLO, 4):
		virtio_pci_put_lo(&vq->avail_gpa, value);
		break;
	case VIRTIO_PCI_FIELD(VIRTIO_PCI_COMMON_Q_AVAILHI, 4):
		virtio_pci_put_hi(&vq->avail_gpa, value);
		break;
	case VIRTIO_PCI_FIELD(VIRTIO_PCI_COMMON_Q_USEDLO, 4):
		virtio_pci_put_lo(&vq->used_gpa, value);
		break;
	case VIRTIO_PCI_FIELD(VIRTIO_PCI_COMMON_Q_USEDHI, 4):
		virtio_pci_put_hi(&vq->used_gpa, value);
		break;
	case VIRTIO_PCI_FIELD(VIRTIO_PCI_COMMON_Q_ENABLE, 2):
		if (value != 1) /* a queue is disabled by reset only */
			break;
		vq->enabled = true;
		if (!virtio->started || virtio->halted)
			break;
		virtio_pci_start_queue(virtio, vq);
		return true;
	default:
		break;
	}
	return false;
}

/* True: some queue has just started. dev.lock is held. */
bool virtio_pci_write_common(struct virtio_pci *virtio, unsigned field,
			     uint32_t value)
{
	/* Until a reset is over nothing is taken. */
	if (virtio->resetting)
		return false;
	switch (field) {
	case VIRTIO_PCI_FIELD(VIRTIO_PCI_COMMON_DFSELECT, 4):
		virtio->device_select = value;
		break;
	case VIRTIO_PCI_FIELD(VIRTIO_PCI_COMMON_GFSELECT, 4):
		virtio->driver_select = value;
		break;
	case VIRTIO_PCI_FIELD(VIRTIO_PCI_COMMON_GF, 4):
		if (virtio->driver_select > 1 ||
		    virtio->status & VIRTIO_CONFIG_S_FEATURES_OK)
			break;
		virtio->accepted &= 0xffffffffull
				    << (1 - virtio->driver_select) * 32;
		virtio->accepted |= (uint64_t)value
				    << virtio->driver_select * 32;
		break;
	case VIRTIO_PCI_FIELD(VIRTIO_PCI_COMMON_MSIX, 2):
		WRITE_ONCE(virtio->config_vector,
			   virtio_pci_vector(virtio, value));
		break;
	case VIRTIO_PCI_FIELD(VIRTIO_PCI_COMMON_STATUS, 1):
		return virtio_pci_write_status(virtio, (uint8_t)value);
	case VIRTIO_PCI_FIELD(VIRTIO_PCI_COMMON_Q_SELECT, 2):
		virtio->queue_select = (uint16_t)value;
		break;
	default:
		return virtio_pci_write_queue(virtio, field, value);
	}
	return false;
}
