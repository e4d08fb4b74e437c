/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Fuzzes the network card: a hostile guest, an honest one, and a wire. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/vmm/dev/vnet_fixture.h"

#define SIZE	16
#define OP_SIZE 8

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Guest a, at its worst. */
static void hostile(const uint8_t *op)
{
	struct guest_queue *q = &a.g.queues[op[0] >> 7];
	struct vring_desc *desc = &q->desc[op[1] % SIZE];
	uint32_t value;

	memcpy(&value, op + 4, 4);
	switch (op[0] & 15) {
	case 0:
		desc->addr = a.data - 16 + op[2];
		desc->len = (uint32_t)(op[4] | op[5] << 8);
		desc->flags = op[6] & 7;
		desc->next = op[7] % (SIZE + 1);
		break;
	case 1:
		memcpy((uint8_t *)desc + (op[2] & 8), op, 8);
		break;
	case 2:
		q->avail->ring[q->avail->idx % SIZE] = op[1] % (SIZE + 1);
		q->avail->idx++;
		break;
	case 3:
		q->avail->idx = (uint16_t)value;
		break;
	case 4:
		memcpy((uint8_t *)side_hdr(&a) + (op[1] & 7), op + 2, 5);
		break;
	case 5:
		guest_set(&a.g, op[1] & 63, 1u << (op[2] & 3), value);
		break;
	case 6:
		guest_get(&a.g, op[1] & 63, 1u << (op[2] & 3));
		break;
	case 7:
		pci_config_write(&a.bus, a.g.bdf, op[1], 1u << (op[2] % 3),
				 value);
		break;
	case 8:
		pci_config_read(&a.bus, a.g.bdf, op[1], 1u << (op[2] % 3));
		break;
	case 9:
		q->avail->ring[SIZE] = (uint16_t)value;
		q->avail->flags = op[2];
		break;
	default:
		guest_kick(&a.g, op[0] >> 7);
	}
}

/* Guest a as a driver would be, more or less. */
static void orderly(const uint8_t *op)
{
	struct guest_queue *rx = &a.g.queues[QUEUE_RX];

	switch (op[0] & 7) {
	case 0:
		if (!guest_start(&a.g,
				 (op[1] & 1 ? CSUM : 0) |
					 (op[1] & 2 ? GUEST_CSUM : 0) |
					 (op[1] & 4 ? MERGEABLE : 0) |
					 (op[1] & 8 ? EVENT_IDX : 0) |
					 (op[1] & 16 ? INDIRECT : 0),
				 SIZE))
			return; /* frames are out: the reset is not over */
		break;
	case 1:
		if (a.g.queues[QUEUE_TX].size)
			side_send(&a, op[1] & 1 ? mac_b : mac_far, mac_a,
				  14 + (uint32_t)(op[2] | op[3] << 8) % 1505);
		break;
	case 2:
		if (rx->size)
			side_offer(&a, op[1] % 4, 1 + op[2] * 8u);
		break;
	case 3:
		side_send(&b, op[1] & 1 ? mac_a : mac_far, mac_b,
			  14 + (uint32_t)(op[2] | op[3] << 8) % 1505);
		break;
	case 4:
		side_offer(&b, 1, 1 + op[1] * 8u);
		break;
	case 5:
		wire_release(op[1]);
		break;
	case 6:
		plat_linux_run_work();
		break;
	default:
		/* Reset, finished or not. */
		guest_set(&a.g, VIRTIO_PCI_COMMON_STATUS, 1, 0);
	}
}

/* Whatever a guest has done to its card, a reset and a good frame work. */
static void check_alive(void)
{
	uint64_t before;

	wire_release(WIRE_LIMIT);
	while (plat_linux_run_work())
		wire_release(WIRE_LIMIT);
	if (!vnet_quiesce(a.vnet) || !vnet_quiesce(b.vnet) || !ledger_adds_up())
		abort();
	pci_reset(&a.bus);
	if (!guest_probe(&a.g, &a.vm, &a.bus, SLOT))
		abort();
	memset(side_hdr(&a), 0, HDR_LEN);
	if (!guest_start(&a.g, 0, SIZE))
		abort();
	before = wire.port.egress.delivered;
	side_send(&a, mac_far, mac_a, 100);
	if (wire_release(1) != 1 || wire.port.egress.delivered != before + 1 ||
	    a.g.queues[QUEUE_TX].used->idx != 1 || !ledger_adds_up())
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size > 4096) /* the guest's memory is small */
		return 0;
	fixture_make();
	if (!guest_start(&a.g, MERGEABLE | CSUM, SIZE) ||
	    !guest_start(&b.g, MERGEABLE, SIZE))
		abort();
	for (; size >= OP_SIZE; data += OP_SIZE, size -= OP_SIZE) {
		/* A ring or two for each start. */
		if (a.vm.next > FAKE_VM_RAM - KiB(64))
			break;
		if (data[0] & 64)
			orderly(data);
		else
			hostile(data);
	}
	check_alive();
	fixture_free();
	if (plat_linux_allocated())
		abort();
	return 0;
}
