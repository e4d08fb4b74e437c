/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Ports played by a test or a fuzzer, and a check of the switch's ledger. */
#ifndef TESTS_UNIT_VSWITCH_FAKE_PORT_H
#define TESTS_UNIT_VSWITCH_FAKE_PORT_H

#include <string.h>

#include "plat/linux/linux.h"
#include "vswitch/vswitch.h"

#define FAKE_FRAMES  128
#define FAKE_GOT_MAX 512

struct fake_frame {
	struct frame f;
	uint8_t head[FRAME_HEAD_SIZE];
	bool out; /* lent to the switch */
};

/* (l) under its own lock, as a real port's egress side */
struct fake_port {
	struct port port;
	struct lock lock;
	bool attached;
	bool detached_for_good;		 /* deliver() must not come any more */
	unsigned drop_every;		 /* 0: never; else a "full guest" */
	unsigned deliveries;		 /* (l) calls of deliver() */
	unsigned completions;		 /* (l) frames that came back */
	struct frame *got[FAKE_GOT_MAX]; /* (l) the newest, as a ring */
	unsigned got_count;
	struct frame *held[4096]; /* (l) if it holds */
	unsigned held_count;
	struct fake_frame frames[FAKE_FRAMES];
};

static inline struct fake_port *fake_of(struct port *port)
{
	return container_of(port, struct fake_port, port);
}

static inline void fake_deliver(struct port *port, struct frame *const *frames,
				unsigned count)
{
	struct fake_port *fake = fake_of(port);

	ASSERT(count >= 1 && count <= FRAME_BATCH_MAX);
	ASSERT(!fake->detached_for_good);
	lock_acquire(&fake->lock);
	fake->deliveries++;
	for (unsigned i = 0; i < count; i++) {
		struct frame *f = frames[i];

		ASSERT(f->source != port);
		port_count_egress(port, f);
		fake->got[fake->got_count++ % FAKE_GOT_MAX] = f;
		if (port->ops->holds) {
			ASSERT(fake->held_count < ARRAY_SIZE(fake->held));
			fake->held[fake->held_count++] = f;
			port->egress.in_flight++;
		} else if (fake->drop_every &&
			   fake->got_count % fake->drop_every == 0) {
			port_drop_egress(port, DROP_NO_BUFFER);
		} else {
			port->egress.delivered++;
		}
	}
	lock_release(&fake->lock);
}

static inline void fake_complete(struct port *port, struct frame *const *frames,
				 unsigned count)
{
	struct fake_port *fake = fake_of(port);

	lock_acquire(&fake->lock);
	for (unsigned i = 0; i < count; i++) {
		struct fake_frame *ff =
			container_of(frames[i], struct fake_frame, f);

		ASSERT(frames[i]->source == port);
		ASSERT(ff->out);
		ff->out = false;
		fake->completions++;
	}
	lock_release(&fake->lock);
}

static const struct port_ops fake_copy_ops = {
	.deliver = fake_deliver,
	.complete = fake_complete,
};

static const struct port_ops fake_hold_ops = {
	.holds = true,
	.deliver = fake_deliver,
	.complete = fake_complete,
};

/* What is held goes back. */
static inline void fake_release(struct fake_port *fake)
{
	struct frame *back[FRAME_BATCH_MAX];
	unsigned count;

	do {
		lock_acquire(&fake->lock);
		count = MIN(fake->held_count, (unsigned)FRAME_BATCH_MAX);
		fake->held_count -= count;
		memcpy(back, fake->held + fake->held_count,
		       count * sizeof(*back));
		fake->port.egress.delivered += count;
		fake->port.egress.in_flight -= count;
		lock_release(&fake->lock);
		if (count)
			port_return(back, count);
	} while (count);
}

/* The address of host number n, as a virtual NIC might have it. */
static inline void fake_mac(uint8_t mac[ETH_ADDR_LEN], unsigned n)
{
	mac[0] = 0x52;
	mac[1] = 0x54;
	mac[2] = 0x00;
	mac[3] = (uint8_t)(n >> 16);
	mac[4] = (uint8_t)(n >> 8);
	mac[5] = (uint8_t)n;
}

/* An ordinary virtual NIC with the address of host n. */
static inline void fake_init(struct fake_port *fake, const char *name,
			     unsigned n)
{
	memset(fake, 0, sizeof(*fake));
	strncpy(fake->port.name, name, PORT_NAME_SIZE - 1);
	fake->port.ops = &fake_copy_ops;
	fake->port.frame_max = 1518;
	fake->port.mac_count = 1;
	fake_mac(fake->port.macs[0], n);
	lock_init(&fake->lock, "fake port", LOCK_VNET_RX);
}

static inline void fake_init_uplink(struct fake_port *fake, const char *name)
{
	fake_init(fake, name, 0);
	fake->port.ops = &fake_hold_ops;
	fake->port.mac_count = 0;
	fake->port.trusted = true;
	fake->lock.rank = LOCK_UPLINK_TX;
}

static inline unsigned fake_free(const struct fake_port *fake)
{
	unsigned count = 0;

	for (unsigned i = 0; i < FAKE_FRAMES; i++)
		count += !fake->frames[i].out;
	return count;
}

/* A minimal frame of the port's own; NULL when all are out. */
static inline struct frame *fake_frame(struct fake_port *fake,
				       const uint8_t *to, const uint8_t *from)
{
	for (unsigned i = 0; i < FAKE_FRAMES; i++) {
		struct fake_frame *ff = &fake->frames[i];

		if (ff->out)
			continue;
		memset(ff, 0, sizeof(*ff));
		ff->out = true;
		ff->f.head = ff->head;
		ff->f.head_len = 42;
		ff->f.len = 60;
		memcpy(ff->head, to, ETH_ADDR_LEN);
		memcpy(ff->head + ETH_ADDR_LEN, from, ETH_ADDR_LEN);
		return &ff->f;
	}
	return NULL;
}

static inline uint64_t fake_sum_drops(const uint64_t *drops)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < PORT_DROP_COUNT; i++)
		sum += drops[i];
	return sum;
}

/* Does one port's ledger add up? */
static inline bool fake_ledger_ok(const struct port *port)
{
	const struct port_ingress *in = &port->ingress;
	const struct port_egress *out = &port->egress;

	return in->frames == in->forwarded + in->flooded +
				     fake_sum_drops(in->drops) &&
	       out->frames + out->segments_created - out->merged ==
		       out->delivered + out->in_flight +
			       fake_sum_drops(out->drops);
}

/* Do all of them, and the switch's? */
static inline bool fake_ledgers_ok(const struct vswitch *sw,
				   struct port *const *ports, unsigned count)
{
	uint64_t sent = 0, forwarded = 0;

	for (unsigned i = 0; i < count; i++) {
		if (!fake_ledger_ok(ports[i]))
			return false;
		sent += ports[i]->egress.frames;
		forwarded += ports[i]->ingress.forwarded;
	}
	return sent == forwarded + vswitch_copies(sw);
}

#endif
