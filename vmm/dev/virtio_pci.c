/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Virtio over PCI: capabilities, and what lies behind the BARs. */
#include "vmm/dev/virtio_pci.h"

#include <linux/pci_regs.h>
#include <linux/virtio_config.h>
#include <string.h>

#include "vmm/dev/pci.h"
#include "vmm/dev/virtio_pci_priv.h"

/* BARs, and where the register blocks lie in the memory one. */
#define BAR_DOORBELL	  0 /* I/O */
#define BAR_MSIX	  1
#define BAR_REGISTERS	  2 /* memory */
#define DOORBELL_SIZE	  16
#define REGISTERS_SIZE	  KiB(16)
#define COMMON_OFFSET	  0x0000u
#define ISR_OFFSET	  0x1000u
#define CONFIG_OFFSET	  0x2000u
#define NOTIFY_OFFSET	  0x3000u
#define BLOCK_SIZE	  0x1000u
#define NOTIFY_MULTIPLIER 4u
#define PCI_VENDOR_VIRTIO 0x1af4
#define PCI_DEVICE_VIRTIO 0x1040 /* plus the type (4.1.2.1) */
#define TRANSPORT_FEATURES                                              \
	(1ull << VIRTIO_F_VERSION_1 | 1ull << VIRTIO_RING_F_EVENT_IDX | \
	 1ull << VIRTIO_RING_F_INDIRECT_DESC)

/* One vendor capability (4.1.4); returns its offset. */
static unsigned virtio_pci_add_cap(struct virtio_pci *virtio, uint8_t type,
				   uint8_t bar, uint32_t offset,
				   uint32_t length, unsigned size)
{
	struct device *dev = &virtio->dev;
	unsigned at = device_add_cap(dev, PCI_CAP_ID_VNDR, size);
	struct virtio_pci_cap cap;

	memcpy(&cap, &dev->config[at], sizeof(cap)); /* ID and next */
	cap.cap_len = (uint8_t)size;
	cap.cfg_type = type;
	cap.bar = bar;
	cap.offset = offset;
	cap.length = length;
	memcpy(&dev->config[at], &cap, sizeof(cap));
	return at;
}

/* The same doorbell twice: drivers take the first notify capability that they
 * can use, and a port write is the cheaper exit, since the CPU tells us its
 * length and operand. At the port every queue shares one address. */
static void virtio_pci_add_caps(struct virtio_pci *virtio, uint32_t config_size)
{
	uint8_t *config = virtio->dev.config, *mask = virtio->dev.config_mask;
	uint32_t multiplier = NOTIFY_MULTIPLIER;
	unsigned at;

	virtio_pci_add_cap(virtio, VIRTIO_PCI_CAP_COMMON_CFG, BAR_REGISTERS,
			   COMMON_OFFSET, sizeof(struct virtio_pci_common_cfg),
			   sizeof(struct virtio_pci_cap));
	virtio_pci_add_cap(virtio, VIRTIO_PCI_CAP_NOTIFY_CFG, BAR_DOORBELL, 0,
			   4, sizeof(struct virtio_pci_notify_cap));
	at = virtio_pci_add_cap(virtio, VIRTIO_PCI_CAP_NOTIFY_CFG,
				BAR_REGISTERS, NOTIFY_OFFSET,
				NOTIFY_MULTIPLIER * VIRTIO_PCI_QUEUES_MAX,
				sizeof(struct virtio_pci_notify_cap));
	memcpy(&config[at + VIRTIO_PCI_NOTIFY_CAP_MULT], &multiplier,
	       sizeof(multiplier));
	virtio_pci_add_cap(virtio, VIRTIO_PCI_CAP_ISR_CFG, BAR_REGISTERS,
			   ISR_OFFSET, 1, sizeof(struct virtio_pci_cap));
	virtio_pci_add_cap(virtio, VIRTIO_PCI_CAP_DEVICE_CFG, BAR_REGISTERS,
			   CONFIG_OFFSET, config_size,
			   sizeof(struct virtio_pci_cap));
	at = virtio_pci_add_cap(virtio, VIRTIO_PCI_CAP_PCI_CFG, 0, 0, 0,
				sizeof(struct virtio_pci_cfg_cap));
	virtio->pci_cfg_cap = (uint8_t)at;
	mask[at + VIRTIO_PCI_CAP_BAR] = 0xff;
	memset(&mask[at + VIRTIO_PCI_CAP_OFFSET], 0xff, 8 + 4);
}

void virtio_pci_init(struct virtio_pci *virtio, struct vm *vm,
		     const struct virtio_pci_params *params)
{
	struct device_identity id = {
		.vendor = PCI_VENDOR_VIRTIO,
		.device = (uint16_t)(PCI_DEVICE_VIRTIO + params->type),
		.subsystem_vendor = PCI_VENDOR_VIRTIO,
		/* At least 0x40: no transitional device (4.1.2.1). */
		.subsystem = (uint16_t)(0x1100),
		.class_code = params->class_code,
		.revision = 1,
		.intx = true,
	};

	memset(virtio, 0, sizeof(*virtio));
	device_init(&virtio->dev, &params->ops->device, vm, &id);
	virtio->ops = params->ops;
	virtio->offered = params->features | TRANSPORT_FEATURES;
	virtio->config = params->config;
	virtio->config_size = params->config_size;
	virtio->config_vector = VIRTIO_MSI_NO_VECTOR;
	device_add_bar(&virtio->dev, BAR_DOORBELL, DOORBELL_SIZE, true, false);
	device_add_bar(&virtio->dev, BAR_REGISTERS, REGISTERS_SIZE, false,
		       false);
	/* One vector for each queue and one for configuration changes. */
	device_add_msix(&virtio->dev, BAR_MSIX, VIRTIO_PCI_QUEUES_MAX + 1);
	virtio_pci_add_caps(virtio, params->config_size);
}

struct virtqueue *virtio_pci_add_queue(struct virtio_pci *virtio,
				       const char *name, enum lock_rank rank,
				       uint16_t size_max)
{
	struct virtqueue *vq;

	ASSERT(virtio->queue_count < VIRTIO_PCI_QUEUES_MAX);
	vq = &virtio->queues[virtio->queue_count++];
	virtqueue_init(vq, name, rank, size_max);
	vq->vector = VIRTIO_MSI_NO_VECTOR;
	return vq;
}

/* size bytes at offset of a block of register bytes; past its end: zeros. */
static uint64_t virtio_pci_read_bytes(const void *block, size_t block_size,
				      uint64_t offset, unsigned size)
{
	uint64_t value = 0;

	if (offset < block_size)
		memcpy(&value, (const uint8_t *)block + offset,
		       MIN(size, block_size - offset));
	return value;
}

uint64_t virtio_pci_bar_read(struct device *dev, unsigned bar, uint64_t offset,
			     unsigned size)
{
	struct virtio_pci *virtio = virtio_pci_of(dev);
	uint64_t at = offset % BLOCK_SIZE, value = 0;
	struct virtio_pci_common_cfg common;

	if (bar == BAR_MSIX)
		return device_msix_read(dev, offset, size);
	if (bar != BAR_REGISTERS)
		return 0; /* doorbells have nothing to say */
	switch (offset - at) {
	case COMMON_OFFSET:
		lock_acquire(&dev->lock);
		virtio_pci_finish_reset(virtio);
		virtio_pci_fill_common(virtio, &common);
		lock_release(&dev->lock);
		value = virtio_pci_read_bytes(&common, sizeof(common), at,
					      size);
		break;
	case ISR_OFFSET:
		if (at == 0)
			value = device_isr_take(dev);
		break;
	case CONFIG_OFFSET:
		value = virtio_pci_read_bytes(virtio->config,
					      virtio->config_size, at, size);
		break;
	default:
		break;
	}
	return value;
}

static void virtio_pci_doorbell(struct virtio_pci *virtio, uint64_t queue)
{
	if (queue < virtio->queue_count)
		virtio->ops->notify(virtio, (unsigned)queue);
}

static void virtio_pci_write_register(struct virtio_pci *virtio,
				      uint64_t offset, unsigned size,
				      uint64_t value)
{
	unsigned field = VIRTIO_PCI_FIELD((unsigned)offset, size);
	bool started;

	if (field == VIRTIO_PCI_FIELD(VIRTIO_PCI_COMMON_STATUS, 1) &&
	    !(value & 0xff)) {
		virtio_pci_quiesce(virtio);
		return;
	}
	lock_acquire(&virtio->dev.lock);
	started = virtio_pci_write_common(virtio, field, (uint32_t)value);
	lock_release(&virtio->dev.lock);
	if (started)
		virtio_pci_notify_all(virtio);
}

void virtio_pci_bar_write(struct device *dev, unsigned bar, uint64_t offset,
			  unsigned size, uint64_t value)
{
	struct virtio_pci *virtio = virtio_pci_of(dev);

	if (bar == BAR_DOORBELL) {
		if (offset == 0 && size >= 2)
			virtio_pci_doorbell(virtio, value & 0xffff);
		return;
	}
	if (bar == BAR_MSIX) {
		device_msix_write(dev, offset, size, value);
		return;
	}
	if (offset >= NOTIFY_OFFSET) {
		if (offset % NOTIFY_MULTIPLIER == 0)
			virtio_pci_doorbell(virtio, (offset - NOTIFY_OFFSET) /
							    NOTIFY_MULTIPLIER);
		return;
	}
	/* ISR and device configuration are read-only. */
	if (offset >= BLOCK_SIZE)
		return;
	if (size == 8) { /* two dwords */
		virtio_pci_write_register(virtio, offset, 4, (uint32_t)value);
		offset += 4;
		size = 4;
		value >>= 32;
	}
	virtio_pci_write_register(virtio, offset, size, value);
}

/* Does [offset, offset + size) touch the window's data register? And is what
 * the window points at a legal access to a BAR (4.1.4.9)? */
static bool virtio_pci_window(struct virtio_pci *virtio, unsigned offset,
			      unsigned size, struct virtio_pci_cfg_cap *cap)
{
	struct device *dev = &virtio->dev;
	unsigned data = virtio->pci_cfg_cap +
			offsetof(struct virtio_pci_cfg_cap, pci_cfg_data);
	uint64_t bar_size;

	if (offset >= data + 4 || offset + size <= data)
		return false;
	pci_config_peek(dev, virtio->pci_cfg_cap, cap, sizeof(*cap));
	if (cap->cap.bar >= PCI_BARS_MAX)
		return false;
	bar_size = dev->bars[cap->cap.bar].size;
	if (cap->cap.length != 1 && cap->cap.length != 2 &&
	    cap->cap.length != 4)
		return false;
	return cap->cap.offset % cap->cap.length == 0 &&
	       cap->cap.offset < bar_size &&
	       cap->cap.length <= bar_size - cap->cap.offset;
}

void virtio_pci_config_read(struct device *dev, unsigned offset, unsigned size)
{
	struct virtio_pci *virtio = virtio_pci_of(dev);
	struct virtio_pci_cfg_cap cap;
	uint32_t value;

	if (!virtio_pci_window(virtio, offset, size, &cap))
		return;
	value = (uint32_t)virtio_pci_bar_read(dev, cap.cap.bar, cap.cap.offset,
					      cap.cap.length);
	pci_config_poke(
		dev,
		virtio->pci_cfg_cap +
			offsetof(struct virtio_pci_cfg_cap, pci_cfg_data),
		&value, cap.cap.length);
}

void virtio_pci_config_written(struct device *dev, unsigned offset,
			       unsigned size)
{
	struct virtio_pci *virtio = virtio_pci_of(dev);
	struct virtio_pci_cfg_cap cap;
	uint32_t value = 0;
	bool started;

	if (offset < PCI_STATUS && offset + size > PCI_COMMAND) {
		lock_acquire(&dev->lock);
		started = virtio_pci_update_queues(virtio);
		lock_release(&dev->lock);
		if (started)
			virtio_pci_notify_all(virtio);
	}
	if (!virtio_pci_window(virtio, offset, size, &cap))
		return;
	memcpy(&value, cap.pci_cfg_data, cap.cap.length);
	virtio_pci_bar_write(dev, cap.cap.bar, cap.cap.offset, cap.cap.length,
			     value);
}
