/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Fuzzes the network card: a hostile guest, an honest one, and a wire. */
#include "tests/fuzz/fuzz.h"

#define FAKE_VM_RAM KiB(512)
#include "tests/unit/lib/gso_packet.h"
#include "tests/unit/vmm/dev/vnet_fixture.h"
#include "vmm/dev/vnet_priv.h"

#define SIZE	16
#define OP_SIZE 8

/* Any register of the card: BAR, offset and size are the guest's. */
static void hostile_bar(const uint8_t *op, uint32_t value)
{
	static const uint64_t *const bars[] = {&a.g.common, &a.g.isr,
					       &a.g.config, &a.g.notify,
					       &a.g.msix_table};
	uint64_t gpa = *bars[op[1] % ARRAY_SIZE(bars)] + (op[2] & 0x3f) +
		       (op[1] & 0x80 ? 0x800 : 0);
	unsigned size = 1u << (op[3] & 3);

	if (op[3] & 0x80)
		guest_read_mem(&a.g, gpa, size);
	else if (op[3] & 0x40)
		guest_write_port(&a.g, a.g.doorbell, MIN(size, 4u), value);
	else
		guest_write_mem(&a.g, gpa, size, (uint64_t)value << 32 | value);
}

/* The same by the window in configuration space (virtio 1.2, 4.1.4.9). */
static void hostile_window(const uint8_t *op, uint32_t value)
{
	unsigned at = pci_config_read(&a.bus, a.g.bdf, PCI_CAPABILITY_LIST, 1);
	unsigned size = 1u << (op[3] & 3);

	for (; at; at = pci_config_read(&a.bus, a.g.bdf, at + 1, 1))
		if (pci_config_read(&a.bus, a.g.bdf, at, 1) ==
			    PCI_CAP_ID_VNDR &&
		    pci_config_read(&a.bus, a.g.bdf, at + 3, 1) ==
			    VIRTIO_PCI_CAP_PCI_CFG)
			break;
	REQUIRE(at);
	pci_config_write(&a.bus, a.g.bdf, at + 4, 1, op[1] & 7);
	pci_config_write(&a.bus, a.g.bdf, at + 8, 4,
			 op[2] & 0x80 ? value : op[2] & 0x3fu);
	pci_config_write(&a.bus, a.g.bdf, at + 12, 4, size);
	if (op[3] & 0x80)
		pci_config_read(&a.bus, a.g.bdf, at + 16, MIN(size, 4u));
	else
		pci_config_write(&a.bus, a.g.bdf, at + 16, MIN(size, 4u),
				 value);
}

/* Guest a, at its worst. */
static void hostile(const uint8_t *op)
{
	unsigned queue = op[0] & 16 ? QUEUE_CTRL : op[0] >> 7;
	struct guest_queue *q = &a.g.queues[queue];
	struct vring_desc *desc = &q->desc[op[1] % SIZE];
	uint32_t value;

	memcpy(&value, op + 4, 4);
	switch (op[0] & 15) {
	case 0:
		desc->addr = a.data - 16 + op[2];
		if (op[3] & 1) /* around where memory ends, or its piece */
			desc->addr = FAKE_VM_RAM / (op[3] & 2 ? 2 : 1) - op[2];
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
	case 10:
		hostile_bar(op, value);
		break;
	case 11:
		hostile_window(op, value);
		break;
	default:
		guest_kick(&a.g, queue);
	}
}

/* What gets to the wire has an address that its port may send from, and is
 * as long as it says. */
static void check_wire(void)
{
	for (unsigned i = 0; i < wire.held_count; i++) {
		const struct frame *f = wire.held[i];
		uint32_t len = f->head_len;

		REQUIRE(f->source == vnet_port(a.vnet) ||
			f->source == vnet_port(b.vnet));
		REQUIRE(f->head_len >= ETH_HEADER_LEN &&
			f->seg_count <= FRAME_SEGS_MAX);
		REQUIRE(!memcmp(f->head + ETH_ADDR_LEN,
				f->source == vnet_port(a.vnet) ? mac_a : mac_b,
				ETH_ADDR_LEN));
		for (unsigned s = 0; s < f->seg_count; s++)
			len += f->segs[s].len;
		REQUIRE(len == f->len);
	}
}

/* A frame from the wire, to one of the two or to all. Ports copy it: it is home
 * when the call returns. */
static void wire_send(const uint8_t *op)
{
	static uint8_t head[FRAME_HEAD_SIZE], rest[1600];
	static struct frame f;
	struct frame *batch = &f;

	memset(head, op[2] & 4 ? 0xff : 0, sizeof(head));
	if (!(op[2] & 4))
		memcpy(head, op[2] & 2 ? mac_a : mac_b, ETH_ADDR_LEN);
	memcpy(head + ETH_ADDR_LEN, mac_far, ETH_ADDR_LEN);
	f = (struct frame){
		.head = head,
		.head_len = (uint16_t)(ETH_HEADER_LEN + op[3] % 100),
		.flags = op[4] & 1 ? FRAME_CSUM_VALID : 0,
		.seg_count = op[5] ? 1 : 0,
		.segs = {{rest, (uint32_t)op[5] * 6}},
	};
	f.len = f.head_len + (f.seg_count ? f.segs[0].len : 0);
	vswitch_input(&wire.port, &batch, 1);
}

#define GSO_OUT                                                         \
	(CSUM | F(VIRTIO_NET_F_HOST_TSO4) | F(VIRTIO_NET_F_HOST_TSO6) | \
	 F(VIRTIO_NET_F_HOST_ECN) | F(VIRTIO_NET_F_HOST_USO))
#define GSO_IN                                                    \
	(GUEST_CSUM | F(VIRTIO_NET_F_GUEST_TSO4) |                \
	 F(VIRTIO_NET_F_GUEST_TSO6) | F(VIRTIO_NET_F_GUEST_ECN) | \
	 F(VIRTIO_NET_F_GUEST_USO4) | F(VIRTIO_NET_F_GUEST_USO6))
#define CONTROL                                                      \
	(F(VIRTIO_NET_F_CTRL_VQ) | F(VIRTIO_NET_F_CTRL_RX) |         \
	 F(VIRTIO_NET_F_CTRL_RX_EXTRA) | F(VIRTIO_NET_F_CTRL_VLAN) | \
	 F(VIRTIO_NET_F_CTRL_MAC_ADDR) | F(VIRTIO_NET_F_GUEST_ANNOUNCE))

/* A GSO frame from s, good but for a byte of its headers. */
static void send_gso(struct side *s, const uint8_t *to, const uint8_t *from,
		     const uint8_t *op)
{
	static struct gso_packet p;

	p = (struct gso_packet){
		.v6 = op[2] & 1,
		.udp = op[2] & 2,
		.tags = op[2] >> 2 & 1,
		.tcp_flags = op[2],
		.payload = 1 + (op[4] | op[5] << 8) % 60000u,
		.gso_size = (uint16_t)(op[3] * 6),
	};
	packet_build(&p, to, from);
	memcpy(fake_vm_ptr(&s->vm, s->data), p.bytes, p.len);
	((uint8_t *)fake_vm_ptr(&s->vm, s->data))[op[6] % 100] ^= op[7];
	*side_hdr(s) = (struct virtio_net_hdr_v1){
		.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
		.gso_type = p.udp  ? VIRTIO_NET_HDR_GSO_UDP_L4
			    : p.v6 ? VIRTIO_NET_HDR_GSO_TCPV6
				   : VIRTIO_NET_HDR_GSO_TCPV4,
		.gso_size = p.gso_size,
		.csum_start = (uint16_t)p.l4,
		.csum_offset = packet_csum_offset(&p),
	};
	side_queue(s, p.len);
	guest_kick(&s->g, QUEUE_TX);
	memset(side_hdr(s), 0, HDR_LEN);
}

/* A command of a's, its data out of the operation. */
static void control(const uint8_t *op)
{
	const struct guest_piece pieces[] = {{a.data, op[1] % 8u + 1, false},
					     {a.hdr, 1, true}};

	memcpy(fake_vm_ptr(&a.vm, a.data), op + 2, 6);
	memset(fake_vm_ptr(&a.vm, a.data + 6), 0, 2);
	if (!a.g.queues[QUEUE_CTRL].size)
		return;
	guest_post(&a.g.queues[QUEUE_CTRL], pieces, 2);
	guest_kick(&a.g, QUEUE_CTRL);
	memset(side_hdr(&a), 0, HDR_LEN);
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
					 (op[1] & 16 ? INDIRECT : 0) |
					 (op[1] & 32 ? GSO_OUT : 0) |
					 (op[1] & 64 ? GSO_IN : 0) |
					 (op[1] & 128 ? CONTROL : 0),
				 SIZE))
			return; /* frames are out: the reset is not over */
		break;
	case 1:
		if (op[0] & 8 && a.g.queues[QUEUE_TX].size) {
			send_gso(&a, op[1] & 1 ? mac_b : mac_far, mac_a, op);
			break;
		}
		*side_hdr(&a) = (struct virtio_net_hdr_v1){
			.flags = op[1] & 2 ? VIRTIO_NET_HDR_F_NEEDS_CSUM : 0,
			.csum_start = op[4],
			.csum_offset = op[5] & 31,
		};
		if (a.g.queues[QUEUE_TX].size)
			side_send(&a, op[1] & 1 ? mac_b : mac_far,
				  op[1] & 4 ? mac_b : mac_a,
				  14 + (uint32_t)(op[2] | op[3] << 8) % 1505);
		break;
	case 2:
		if (rx->size)
			side_offer(&a, op[1] % 4, 1 + op[2] * 8u);
		break;
	case 3:
		if (op[0] & 8)
			send_gso(&b, op[1] & 1 ? mac_a : mac_far, mac_b, op);
		else
			side_send(&b, op[1] & 1 ? mac_a : mac_far, mac_b,
				  14 + (uint32_t)(op[2] | op[3] << 8) % 1505);
		break;
	case 4:
		if (op[0] & 8)
			control(op);
		else
			side_offer(&b, 1, 1 + op[1] * 8u);
		break;
	case 5:
		wire_release(op[1]);
		break;
	case 6:
		if (op[0] & 8)
			vswitch_announce(&wire.port);
		plat_linux_run_work();
		break;
	default:
		if (op[2] & 1) {
			wire_send(op);
			break;
		}
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
	    !guest_start(&b.g, MERGEABLE | GSO_OUT | (size & 1 ? GSO_IN : 0),
			 SIZE))
		abort();
	for (; size >= OP_SIZE; data += OP_SIZE, size -= OP_SIZE) {
		/* A ring or two for each start. */
		if (a.vm.next > FAKE_VM_RAM - KiB(8))
			break;
		if (data[0] & 64)
			orderly(data);
		else
			hostile(data);
		check_wire();
	}
	check_alive();
	fixture_free();
	if (plat_linux_allocated())
		abort();
	return 0;
}
