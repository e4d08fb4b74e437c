/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A virtio function's life: queues start and stop, reset, interrupts. */
#include <linux/pci_regs.h>
#include <linux/virtio_config.h>
#include <string.h>

#include "vmm/dev/virtio_pci_priv.h"

#define ISR_QUEUE 1 /* 4.1.4.5 */

static void virtio_pci_fire(struct virtio_pci *virtio, uint16_t vector,
			    uint8_t cause)
{
	struct device *dev = &virtio->dev;

	if (!READ_ONCE(dev->msix_enabled))
		device_isr_raise(dev, cause);
	else if (vector != VIRTIO_MSI_NO_VECTOR)
		device_msix_fire(dev, vector);
}

void virtio_pci_interrupt(struct virtio_pci *virtio, const struct virtqueue *vq)
{
	virtio_pci_fire(virtio, READ_ONCE(vq->vector), ISR_QUEUE);
}

/* Status bits come from the data path (NEEDS_RESET) too. */
uint8_t virtio_pci_set_status(struct virtio_pci *virtio, uint8_t bits)
{
	return __atomic_fetch_or(&virtio->status, bits, __ATOMIC_SEQ_CST);
}

/* 2.5.2 and 4.1.4.3.1: a driver reads the generation before and after. */
void virtio_pci_config_changed(struct virtio_pci *virtio, bool tell)
{
	__atomic_fetch_add(&virtio->generation, 1, __ATOMIC_SEQ_CST);
	if (tell && READ_ONCE(virtio->status) & VIRTIO_CONFIG_S_DRIVER_OK)
		virtio_pci_fire(virtio, READ_ONCE(virtio->config_vector),
				VIRTIO_PCI_ISR_CONFIG);
}

void virtio_pci_needs_reset(struct virtio_pci *virtio)
{
	uint8_t old =
		virtio_pci_set_status(virtio, VIRTIO_CONFIG_S_NEEDS_RESET);

	/* 2.1.2: a configuration change notification goes with it. */
	if (!(old & VIRTIO_CONFIG_S_NEEDS_RESET) &&
	    old & VIRTIO_CONFIG_S_DRIVER_OK)
		virtio_pci_fire(virtio, READ_ONCE(virtio->config_vector),
				VIRTIO_PCI_ISR_CONFIG);
}

void virtio_pci_start_queue(struct virtio_pci *virtio, struct virtqueue *vq)
{
	lock_acquire(&vq->lock);
	virtqueue_start(vq, vm_memory(virtio->dev.vm), virtio->accepted);
	if (vq->broken)
		virtio_pci_needs_reset(virtio);
	lock_release(&vq->lock);
}

static void virtio_pci_stop_queues(struct virtio_pci *virtio)
{
	for (unsigned i = 0; i < virtio->queue_count; i++) {
		struct virtqueue *vq = &virtio->queues[i];

		lock_acquire(&vq->lock);
		virtqueue_stop(vq);
		lock_release(&vq->lock);
	}
}

/* Starts or stops the queues as status and bus master say; dev.lock is held.
 * True: they have just started, so somebody must look at them once. */
bool virtio_pci_update_queues(struct virtio_pci *virtio)
{
	uint8_t status = READ_ONCE(virtio->status);
	bool master =
		READ_ONCE(virtio->dev.config[PCI_COMMAND]) & PCI_COMMAND_MASTER;

	if (virtio->started && !virtio->halted && !master) {
		/* A kernel that is about to be replaced (kexec) takes bus
		 * mastering away and then reuses the memory. */
		virtio->halted = true;
		virtio_pci_stop_queues(virtio);
		virtio_pci_needs_reset(virtio);
	}
	if (virtio->started || virtio->resetting || !master ||
	    !(status & VIRTIO_CONFIG_S_DRIVER_OK))
		return false;
	virtio->started = true;
	for (unsigned i = 0; i < virtio->queue_count; i++)
		if (virtio->queues[i].enabled)
			virtio_pci_start_queue(virtio, &virtio->queues[i]);
	return true;
}

/* Chains may have been there before the queues ran. No lock held. */
void virtio_pci_notify_all(struct virtio_pci *virtio)
{
	for (unsigned i = 0; i < virtio->queue_count; i++)
		virtio->ops->notify(virtio, i);
}

/* Ends a reset, if nothing is lent out any more; dev.lock is held. */
void virtio_pci_finish_reset(struct virtio_pci *virtio)
{
	if (!virtio->resetting || !virtio->ops->quiet(virtio))
		return;
	for (unsigned i = 0; i < virtio->queue_count; i++) {
		virtqueue_reset(&virtio->queues[i]);
		WRITE_ONCE(virtio->queues[i].vector, VIRTIO_MSI_NO_VECTOR);
	}
	device_isr_take(&virtio->dev);
	/* First, so that the type changes nothing more by a feature. */
	virtio->accepted = 0;
	virtio->ops->reset(virtio);
	virtio->device_select = virtio->driver_select = 0;
	WRITE_ONCE(virtio->config_vector, VIRTIO_MSI_NO_VECTOR);
	virtio->queue_select = 0;
	virtio->resetting = virtio->started = virtio->halted = false;
	__atomic_store_n(&virtio->status, 0, __ATOMIC_SEQ_CST);
}

bool virtio_pci_quiesce(struct virtio_pci *virtio)
{
	bool over;

	lock_acquire(&virtio->dev.lock);
	if (!virtio->resetting) {
		virtio->resetting = true;
		virtio_pci_stop_queues(virtio);
	}
	virtio_pci_finish_reset(virtio);
	over = !virtio->resetting && virtio->ops->quiet(virtio);
	lock_release(&virtio->dev.lock);
	return over;
}

void virtio_pci_reset(struct device *dev)
{
	virtio_pci_quiesce(virtio_pci_of(dev));
}
