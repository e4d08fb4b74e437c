/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Fuzzes the 82574L driver with hostile registers and descriptors. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "drivers/net/e1000e_reg.h"
#include "drivers/net/netdev.h"
#include "lib/gso.h"
#include "tests/unit/lib/gso_packet.h"

/*
 * The input is a script: operations of the uplink, mixed with writes of the
 * device to its rings and answers to register reads. Whatever the device does,
 * frames out of poll() lie in memory that may be read and have a length that
 * may be, and reap() gives back what was sent, in order, and each once.
 */
#define SENT_MAX 512

struct fuzz {
	const uint8_t *data;
	size_t size;
	bool starting; /* reset and NVM answer well, or start() takes long */
	uint32_t regs[0x20000 / 4];
	struct frame tx[64];
	struct frame *sent[SENT_MAX];
	unsigned sent_head, sent_tail;
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint32_t fuzz_take(struct fuzz *z, unsigned bytes)
{
	uint32_t value = 0;

	for (; bytes; bytes--, z->data++, z->size--) {
		if (!z->size)
			return value;
		value = value << 8 | *z->data;
	}
	return value;
}

static void fuzz_check(bool good)
{
	if (!good)
		abort();
}

static uint32_t fuzz_read32(void *device, uint32_t offset)
{
	struct fuzz *z = device;

	fuzz_check(offset % 4 == 0 && offset < sizeof(z->regs));
	if (z->starting) {
		if (offset == E1000E_CTRL || offset == E1000E_STATUS)
			return 0;
		if (offset == E1000E_EECD)
			return EECD_AUTO_RD;
		if (offset == E1000E_EERD)
			return EERD_DONE | fuzz_take(z, 2) << 16;
	}
	/* Its bus master stops; that it does not is the unit tests' part. */
	if (offset == E1000E_STATUS)
		return fuzz_take(z, 4) & ~STATUS_GIO_MASTER_ENABLE;
	return fuzz_take(z, 4);
}

static void fuzz_write32(void *device, uint32_t offset, uint32_t value)
{
	struct fuzz *z = device;

	fuzz_check(offset % 4 == 0 && offset < sizeof(z->regs));
	z->regs[offset / 4] = value;
}

static const struct mmio_hooks fuzz_hooks = {
	.read32 = fuzz_read32,
	.write32 = fuzz_write32,
};

/* The device writes a descriptor, or many alike, wherever on a ring. */
static void fuzz_scribble(struct fuzz *z, uint32_t base_low, uint32_t base_high,
			  unsigned count)
{
	uint64_t *ring =
		(uint64_t *)(uintptr_t)((uint64_t)z->regs[base_high / 4] << 32 |
					z->regs[base_low / 4]);
	unsigned at = fuzz_take(z, 1);
	uint64_t low = fuzz_take(z, 4), high = fuzz_take(z, 4);
	uint64_t length = fuzz_take(z, 2);

	for (; count; count--, at = (at + 1) % 256) {
		ring[2 * at] = low << 32 | high;
		ring[2 * at + 1] = length << 32 | high;
	}
}

/* As the uplink hands it over: what gso_check() has passed. */
static bool fuzz_tso(struct fuzz *z, struct frame *f, uint8_t *head)
{
	static const uint8_t mac[ETH_ADDR_LEN] = {2};
	static struct gso_packet p;
	uint8_t shape = (uint8_t)fuzz_take(z, 1);

	p = (struct gso_packet){
		.v6 = shape & 1,
		.tags = shape >> 1 & 1,
		.tcp_flags = (uint8_t)~TCP_CWR & shape,
		.payload = 2 + fuzz_take(z, 2) % 65000,
		.gso_size = 1000,
	};
	packet_build(&p, mac, mac);
	packet_frame(&p, f, head, MIN(p.len, 128u), 1 + shape % 19);
	return gso_check(f);
}

static void fuzz_transmit(struct fuzz *z, struct netdev *dev)
{
	static uint8_t heads[64][FRAME_HEAD_SIZE];
	static uint8_t memory[4096];
	struct frame *batch[64];
	unsigned count = fuzz_take(z, 1) % 65, taken;

	for (unsigned i = 0; i < count; i++) {
		struct frame *f = &z->tx[i];
		uint8_t shape = (uint8_t)fuzz_take(z, 1);

		f->gso_type = FRAME_GSO_NONE;
		if (shape % 8 == 7 && fuzz_tso(z, f, heads[i])) {
			batch[i] = f;
			continue;
		}
		f->head = memory;
		f->head_len = (uint16_t)(14 + (shape & 63));
		f->seg_count = (uint8_t)(shape % (FRAME_SEGS_MAX + 1));
		f->len = f->head_len;
		for (unsigned s = 0; s < f->seg_count; s++) {
			f->segs[s] = (struct frame_seg){memory + s, 1 + s};
			f->len += 1 + s;
		}
		f->flags = shape >> 7;
		f->csum_start = (uint16_t)fuzz_take(z, 2);
		f->csum_offset = (uint16_t)fuzz_take(z, 1);
		batch[i] = f;
	}
	taken = dev->ops->transmit(dev, batch, count);
	fuzz_check(taken <= count);
	for (unsigned i = 0; i < taken; i++)
		z->sent[z->sent_tail++ % SENT_MAX] = batch[i];
	fuzz_check(z->sent_tail - z->sent_head <= 255);
}

static unsigned fuzz_reap(struct fuzz *z, struct netdev *dev, unsigned max)
{
	struct frame *frames[256];
	unsigned count = dev->ops->reap(dev, frames, max);

	fuzz_check(count <= max && count <= z->sent_tail - z->sent_head);
	for (unsigned i = 0; i < count; i++)
		fuzz_check(frames[i] == z->sent[z->sent_head++ % SENT_MAX]);
	return count;
}

static void fuzz_poll(struct fuzz *z, struct netdev *dev)
{
	struct frame *frames[256];
	unsigned max = fuzz_take(z, 1);
	unsigned count = dev->ops->poll(dev, frames, max);

	fuzz_check(count <= max && count <= FRAME_BATCH_MAX);
	for (unsigned i = 0; i < count; i++) {
		const struct frame *f = frames[i];
		volatile uint8_t sum = 0;

		fuzz_check(f->len >= ETH_HEADER_LEN && f->len <= 2048 &&
			   f->head_len == f->len && !f->seg_count &&
			   !f->gso_size && !(f->flags & ~FRAME_CSUM_VALID));
		for (uint32_t b = 0; b < f->len; b++)
			sum = (uint8_t)(sum + f->head[b]);
	}
}

static void fuzz_restart(struct fuzz *z, struct netdev *dev)
{
	dev->ops->stop(dev);
	while (fuzz_reap(z, dev, 255))
		;
	fuzz_check(z->sent_head == z->sent_tail);
	z->starting = true;
	fuzz_check(dev->ops->start(dev) == 0);
	z->starting = false;
}

static void fuzz_step(struct fuzz *z, struct netdev *dev)
{
	uint8_t macs[16][ETH_ADDR_LEN] = {{2}};
	struct netdev_link link;
	uint32_t op = fuzz_take(z, 1);

	switch (op % 10) {
	case 0:
		fuzz_transmit(z, dev);
		break;
	case 1:
		fuzz_reap(z, dev, fuzz_take(z, 1));
		break;
	case 2:
		fuzz_poll(z, dev);
		break;
	case 3:
		fuzz_scribble(z, E1000E_RDBAL, E1000E_RDBAH, 1);
		break;
	case 4:
		fuzz_scribble(z, E1000E_RDBAL, E1000E_RDBAH, 1 + op);
		break;
	case 5:
		fuzz_scribble(z, E1000E_TDBAL, E1000E_TDBAH, 1);
		break;
	case 6:
		fuzz_scribble(z, E1000E_TDBAL, E1000E_TDBAH, 1 + op);
		break;
	case 7:
		dev->ops->irq_ack(dev, op / 10 % 3);
		dev->ops->irq_enable(dev, op / 10 % 3, op & 1);
		break;
	case 8:
		dev->ops->link(dev, &link);
		dev->ops->filter(dev, (const uint8_t(*)[ETH_ADDR_LEN])macs,
				 op % 17, op & 1);
		break;
	case 9:
		fuzz_restart(z, dev);
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct fuzz fuzz;
	struct fuzz *z = &fuzz;
	struct netdev_resources res = {
		.regs = {.hooks = &fuzz_hooks,
			 .device = z,
			 .size = sizeof(z->regs)},
		.vendor = E1000E_VENDOR,
		.device = E1000E_DEVICE_82574L,
	};
	struct netdev *dev;

	z->data = data;
	z->size = size;
	z->sent_head = z->sent_tail = 0;
	z->starting = true;
	dev = netdev_attach(&res);
	if (!dev)
		return 0;
	fuzz_check(!(dev->mac[0] & 1));
	fuzz_restart(z, dev);
	while (z->size)
		fuzz_step(z, dev);
	dev->ops->stop(dev);
	while (fuzz_reap(z, dev, 255))
		;
	fuzz_check(z->sent_head == z->sent_tail);
	netdev_detach(dev);
	return 0;
}
