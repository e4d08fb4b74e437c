/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Two guests with a network card each, and an uplink, on a real switch. */
#ifndef TESTS_VNET_FIXTURE_H
#define TESTS_VNET_FIXTURE_H

#include "lib/checksum.h"
#include "plat/linux/linux.h"
#include "virtio_guest.h"
#include "vmm/dev/vnet.h"
#include "vswitch/vswitch.h"

#define SLOT	   3
#define HDR_LEN	   sizeof(struct virtio_net_hdr_v1)
#define QUEUE_RX   0
#define QUEUE_TX   1
#define QUEUE_CTRL 2
#define SPACE	   KiB(80) /* more than the longest frame */
#define WIRE_LIMIT 4096
#define F(bit)	   (1ull << (bit))
#define CSUM	   F(VIRTIO_NET_F_CSUM)
#define GUEST_CSUM F(VIRTIO_NET_F_GUEST_CSUM)
#define MERGEABLE  F(VIRTIO_NET_F_MRG_RXBUF)
#define EVENT_IDX  F(VIRTIO_RING_F_EVENT_IDX)
#define INDIRECT   F(VIRTIO_RING_F_INDIRECT_DESC)

struct side {
	struct vm vm;
	struct pci_bus bus;
	struct vnet *vnet;
	struct guest_device g;
	uint64_t hdr, data; /* gpa: a header, and SPACE to send from */
	uint64_t room;	    /* gpa: SPACE to receive into */
};

static struct side a, b;
static struct vswitch *sw;

/* An uplink that holds frames until it is told to let them go. */
static struct {
	struct port port;
	struct lock lock;
	struct frame *held[WIRE_LIMIT];
	unsigned held_count;
	void (*on_deliver)(void);
} wire;

static const uint8_t mac_a[] = {0x52, 0x54, 0, 1, 0, 0xa};
static const uint8_t mac_b[] = {0x52, 0x54, 0, 1, 0, 0xb};
static const uint8_t mac_far[] = {0x52, 0x54, 0, 9, 9, 9};

static inline void wire_deliver(struct port *port, struct frame *const *frames,
				unsigned count)
{
	lock_acquire(&wire.lock);
	for (unsigned i = 0; i < count; i++) {
		if (wire.held_count == WIRE_LIMIT)
			abort();
		port_count_egress(port, frames[i]);
		port->egress.in_flight++;
		wire.held[wire.held_count++] = frames[i];
	}
	lock_release(&wire.lock);
	if (wire.on_deliver)
		wire.on_deliver();
}

static inline void wire_complete(struct port *port, struct frame *const *frames,
				 unsigned count)
{
}

static const struct port_ops wire_ops = {
	.holds = true,
	.deliver = wire_deliver,
	.complete = wire_complete,
};

/* Up to max held frames go home, the oldest first; how many. */
static inline unsigned wire_release(unsigned max)
{
	struct frame *out[FRAME_BATCH_MAX];
	unsigned total = 0, count;

	do {
		lock_acquire(&wire.lock);
		count = MIN(MIN(max - total, wire.held_count),
			    (unsigned)FRAME_BATCH_MAX);
		memcpy(out, wire.held, count * sizeof(*out));
		wire.held_count -= count;
		memmove(wire.held, wire.held + count,
			wire.held_count * sizeof(*out));
		wire.port.egress.in_flight -= count;
		wire.port.egress.delivered += count;
		lock_release(&wire.lock);
		if (count)
			port_return(out, count);
		total += count;
	} while (count);
	return total;
}

static inline void side_make(struct side *s, const char *name,
			     const uint8_t *mac)
{
	struct vnet_params params = {.name = name};

	memcpy(params.mac, mac, ETH_ADDR_LEN);
	fake_vm_init(&s->vm);
	pci_init(&s->bus, &s->vm);
	s->vnet = vnet_create(&s->vm, &s->bus, SLOT, &params);
	if (!s->vnet || vswitch_attach(sw, vnet_port(s->vnet)) ||
	    !guest_probe(&s->g, &s->vm, &s->bus, SLOT))
		abort();
	guest_enable_msix(&s->g);
	s->hdr = fake_vm_alloc(&s->vm, 64, 64);
	s->data = fake_vm_alloc(&s->vm, SPACE, PAGE_SIZE);
	s->room = fake_vm_alloc(&s->vm, SPACE, PAGE_SIZE);
}

static inline void side_free(struct side *s)
{
	if (!vnet_quiesce(s->vnet))
		abort();
	vswitch_detach(vnet_port(s->vnet));
	vnet_destroy(s->vnet);
	fake_vm_destroy(&s->vm);
}

static inline void fixture_make(void)
{
	memset(&wire, 0, sizeof(wire));
	lock_init(&wire.lock, "wire", LOCK_UPLINK_TX);
	wire.port.ops = &wire_ops;
	wire.port.trusted = true;
	wire.port.frame_max = 65536;
	wire.port.mac_count = 1;
	memcpy(wire.port.macs[0], (uint8_t[]){0x52, 0x54, 0, 0, 0, 2}, 6);
	sw = vswitch_create("test");
	if (!sw || vswitch_attach(sw, &wire.port))
		abort();
	side_make(&a, "a", mac_a);
	side_make(&b, "b", mac_b);
}

static inline void fixture_free(void)
{
	wire.on_deliver = NULL;
	wire_release(WIRE_LIMIT);
	while (plat_linux_run_work())
		wire_release(WIRE_LIMIT);
	side_free(&a);
	side_free(&b);
	vswitch_detach(&wire.port);
	vswitch_destroy(sw);
}

/* An Ethernet frame of len bytes in guest memory, with a pattern in it. */
static inline void side_fill(struct side *s, const uint8_t *to,
			     const uint8_t *from, uint32_t len)
{
	uint8_t *frame = fake_vm_ptr(&s->vm, s->data);

	for (uint32_t i = 0; i < len; i++)
		frame[i] = (uint8_t)(i * 7 + i / 256);
	memcpy(frame, to, 6);
	memcpy(frame + 6, from, 6);
	frame[12] = 0x88;
	frame[13] = 0xb5; /* local experiments */
}

static inline struct virtio_net_hdr_v1 *side_hdr(struct side *s)
{
	return fake_vm_ptr(&s->vm, s->hdr);
}

/* Header and frame, a descriptor each, as they stand; not rung for. */
static inline uint16_t side_queue(struct side *s, uint32_t len)
{
	const struct guest_piece pieces[] = {
		{s->hdr, HDR_LEN, false},
		{s->data, len, false},
	};

	return guest_post(&s->g.queues[QUEUE_TX], pieces, 2);
}

/* One frame, whole way. */
static inline void side_send(struct side *s, const uint8_t *to,
			     const uint8_t *from, uint32_t len)
{
	side_fill(s, to, from, len);
	side_queue(s, len);
	guest_kick(&s->g, QUEUE_TX);
}

/* count receive buffers of len bytes each, from the start of the room. */
static inline void side_offer(struct side *s, unsigned count, uint32_t len)
{
	for (unsigned i = 0; i < count; i++)
		guest_post(&s->g.queues[QUEUE_RX],
			   &(struct guest_piece){s->room + i * len, len, true},
			   1);
}

static inline bool port_adds_up(const struct port *port)
{
	uint64_t in = port->ingress.forwarded + port->ingress.flooded;
	uint64_t out = port->egress.delivered + port->egress.in_flight;

	for (unsigned i = 0; i < PORT_DROP_COUNT; i++) {
		in += port->ingress.drops[i];
		out += port->egress.drops[i];
	}
	return port->ingress.frames == in &&
	       port->egress.frames + port->egress.segments_created -
			       port->egress.merged ==
		       out;
}

/* The ledger, of each port and of the switch. */
static inline bool ledger_adds_up(void)
{
	uint64_t egress = 0, forwarded = 0;
	const struct port *port;

	for (unsigned i = 0; (port = vswitch_port(sw, i)); i++) {
		if (!port_adds_up(port))
			return false;
		egress += port->egress.frames;
		forwarded += port->ingress.forwarded;
	}
	return egress == forwarded + vswitch_copies(sw);
}

#endif
