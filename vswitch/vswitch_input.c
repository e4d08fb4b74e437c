/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The learning switch at work: checks, look-up, grouping, flooding. */
#include "lib/gso.h"
#include "vswitch/vswitch_priv.h"

#define NOT_DROPPED PORT_DROP_COUNT

/* One call of vswitch_input(), on its stack. */
struct vswitch_batch {
	struct vswitch *sw;
	struct port *from;
	struct port_mask attached; /* the snapshot, without the port itself */
	struct port_mask promiscuous;
	struct port_mask outputs; /* all takers */
	struct port_mask takers[FRAME_BATCH_MAX];
};

/* Ingress: one frame */

/* What is asked for lies within the head: that is the part of the frame that
 * its source can no longer change, and that is written to. */
static bool frame_offload_ok(struct frame *f)
{
	if (f->flags & FRAME_CSUM_PARTIAL &&
	    (f->csum_start < ETH_HEADER_LEN ||
	     (uint32_t)f->csum_start + f->csum_offset + 2 > f->head_len))
		return false;
	return likely(f->gso_type == FRAME_GSO_NONE) || gso_check(f);
}

static enum port_drop vswitch_check_frame(const struct port *from,
					  struct frame *f)
{
	if (f->head_len < ETH_HEADER_LEN || f->len < f->head_len)
		return DROP_RUNT;
	if (unlikely(f->gso_type != FRAME_GSO_NONE) && f->len > GSO_LEN_MAX)
		return DROP_GIANT;
	/* It may turn a GSO frame into an ordinary one. */
	if (!frame_offload_ok(f))
		return DROP_BAD_OFFLOAD;
	return gso_wire_len(f) > from->frame_max ? DROP_GIANT : NOT_DROPPED;
}

static bool port_lists(const struct port *port, uint64_t mac)
{
	for (unsigned i = 0; i < port->mac_count; i++)
		if (mac_load(port->macs[i]) == mac)
			return true;
	return false;
}

static void vswitch_hint(const struct vswitch *sw, struct port *from,
			 const uint8_t *source)
{
	if (from->spoof_logged)
		return;
	from->spoof_logged = true;
	log_warn(sw->name,
		 "%s sent from %02x:%02x:%02x:%02x:%02x:%02x, which is not its "
		 "address: dropped. If it may, list the address under its "
		 "nic's allow_macs: or give it promiscuous: true",
		 from->name, source[0], source[1], source[2], source[3],
		 source[4], source[5]);
}

/* False when the address is another port's own. */
static bool vswitch_learn(struct vswitch *sw, const struct port *from,
			  uint64_t mac)
{
	uint64_t entry = mactable_find(&sw->table, mac);

	if (entry) {
		bool here = mactable_port(entry) == from->index;

		if (here && mactable_fresh(&sw->table, entry))
			return true;
		if (mactable_static(entry))
			return here;
	}
	lock_acquire(&sw->lock);
	mactable_learn(&sw->table, mac, from->index);
	lock_release(&sw->lock);
	return true;
}

static enum port_drop vswitch_check_source(struct vswitch *sw,
					   struct port *from,
					   const uint8_t *source)
{
	uint64_t mac = mac_load(source);

	if (mac == 0 || mac_is_multicast(mac))
		return DROP_BAD_SOURCE;
	if (!from->trusted) {
		/* The port's own address is pinned to it already. */
		if (from->mac_count && mac == mac_load(from->macs[0]))
			return NOT_DROPPED;
		if (!from->promiscuous && !port_lists(from, mac)) {
			vswitch_hint(sw, from, source);
			return DROP_SPOOFED;
		}
	}
	return vswitch_learn(sw, from, mac) ? NOT_DROPPED : DROP_SPOOFED;
}

/* 01:80:c2:00:00:00 to 0f: for the bridge itself, IEEE 802.1Q 8.6.3. */
static inline bool mac_is_reserved(uint64_t mac)
{
	return (mac & 0xf0ffffffffffull) == 0xc28001;
}

/* Trusted ports, and those that list the address. */
static struct port_mask vswitch_unknown(const struct vswitch_batch *b,
					uint64_t mac)
{
	const struct vswitch *sw = b->sw;
	struct port_mask takers = mask_and(&sw->trusted, &b->attached);
	struct port_mask listed = mask_and(&sw->listed, &b->attached);

	for (unsigned i = mask_next(&listed, 0); i < VSWITCH_PORTS_MAX;
	     i = mask_next(&listed, i + 1))
		if (port_lists(sw->ports[i], mac))
			mask_set(&takers, i);
	return takers;
}

/* Sets the takers and counts; or returns why it is dropped. */
static enum port_drop vswitch_route(struct vswitch_batch *b, uint64_t mac,
				    struct port_mask *takers)
{
	struct port_ingress *counters = &b->from->ingress;
	uint64_t entry;

	if (mac_is_multicast(mac)) {
		if (mac_is_reserved(mac))
			return DROP_RESERVED;
		*takers = b->attached;
	} else if ((entry = mactable_find(&b->sw->table, mac)) != 0) {
		unsigned to = mactable_port(entry);

		if (to == b->from->index)
			return DROP_HAIRPIN;
		if (mask_test(&b->attached, to)) {
			*takers = b->promiscuous;
			mask_set(takers, to);
			counters->forwarded++;
			return NOT_DROPPED;
		}
		/* It went while we looked. */
		*takers = vswitch_unknown(b, mac);
	} else {
		*takers = vswitch_unknown(b, mac);
	}
	mask_add(takers, &b->promiscuous);
	if (mask_empty(takers))
		return DROP_NO_PORT;
	counters->flooded++;
	return NOT_DROPPED;
}

static enum port_drop vswitch_classify(struct vswitch_batch *b, struct frame *f,
				       struct port_mask *takers)
{
	enum port_drop why = vswitch_check_frame(b->from, f);

	if (why == NOT_DROPPED)
		why = vswitch_check_source(b->sw, b->from,
					   f->head + ETH_ADDR_LEN);
	if (why == NOT_DROPPED)
		why = vswitch_route(b, mac_load(f->head), takers);
	return why;
}

/* Egress: what of the batch goes to one port */

static unsigned vswitch_deliver(const struct vswitch_batch *b, unsigned index,
				struct frame *const *frames, unsigned count)
{
	struct port *port = b->sw->ports[index];
	struct frame *out[FRAME_BATCH_MAX];
	unsigned n = 0;

	for (unsigned i = 0; i < count; i++)
		if (mask_test(&b->takers[i], index))
			out[n++] = frames[i];
	port->ops->deliver(port, out, n);
	return n;
}

/* Those that copy first; the one that holds takes the frames away. Returns how
 * many frames were handed over. */
static unsigned vswitch_deliver_all(struct vswitch_batch *b, unsigned holder,
				    struct frame *const *frames, unsigned count)
{
	unsigned handed = 0;
	bool held = holder != NO_PORT && mask_test(&b->outputs, holder);

	if (held)
		mask_clear(&b->outputs, holder);
	for (unsigned i = mask_next(&b->outputs, 0); i < VSWITCH_PORTS_MAX;
	     i = mask_next(&b->outputs, i + 1))
		handed += vswitch_deliver(b, i, frames, count);
	if (held)
		handed += vswitch_deliver(b, holder, frames, count);
	return handed;
}

static void vswitch_return(const struct vswitch_batch *b, unsigned holder,
			   struct frame *const *frames, unsigned count)
{
	struct frame *back[FRAME_BATCH_MAX];
	unsigned n = 0;

	for (unsigned i = 0; i < count; i++)
		if (holder == NO_PORT || !mask_test(&b->takers[i], holder))
			back[n++] = frames[i];
	if (n)
		port_return(back, n);
}

static struct vswitch_cpu *vswitch_enter(struct vswitch *sw)
{
	struct vswitch_cpu *cpu = &sw->cpus[plat_cpu()];

	ASSERT(!(cpu->sequence & 1));
	/* A full barrier: from here on vswitch_detach() waits for us, so the
	 * ports must not be looked at before. */
	__atomic_exchange_n(&cpu->sequence, cpu->sequence + 1,
			    __ATOMIC_SEQ_CST);
	return cpu;
}

static void vswitch_leave(struct vswitch_cpu *cpu)
{
	__atomic_store_n(&cpu->sequence, cpu->sequence + 1, __ATOMIC_RELEASE);
}

/* The MAC table's clock, at most once in its tick. */
static void vswitch_age(struct vswitch *sw)
{
	uint64_t now_ns = plat_now_ns();

	if (likely(!mactable_due(&sw->table, now_ns)))
		return;
	lock_acquire(&sw->lock);
	mactable_sweep(&sw->table, now_ns);
	lock_release(&sw->lock);
}

static void vswitch_snapshot(struct vswitch_batch *b)
{
	static const struct port_mask all = {{~0ull, ~0ull}};

	b->attached = mask_and(&b->sw->attached, &all);
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	mask_clear(&b->attached, b->from->index);
	b->promiscuous = mask_and(&b->sw->promiscuous, &b->attached);
	b->outputs = (struct port_mask){{0}};
}

void vswitch_input(struct port *from, struct frame *const *frames,
		   unsigned count)
{
	struct vswitch *sw = from->vswitch;
	struct port_ingress *counters = &from->ingress;
	uint64_t forwarded = counters->forwarded;
	struct vswitch_batch b;
	struct vswitch_cpu *cpu;
	unsigned holder;

	ASSERT(count >= 1 && count <= FRAME_BATCH_MAX);
	vswitch_age(sw);
	cpu = vswitch_enter(sw);
	b.sw = sw;
	b.from = from;
	vswitch_snapshot(&b);
	holder = READ_ONCE(sw->holder);

	for (unsigned i = 0; i < count; i++) {
		struct frame *f = frames[i];
		enum port_drop why;

		f->source = from;
		counters->frames++;
		counters->bytes += f->len;
		b.takers[i] = (struct port_mask){{0}};
		why = vswitch_classify(&b, f, &b.takers[i]);
		if (unlikely(why != NOT_DROPPED))
			port_drop_ingress(from, why);
		else
			mask_add(&b.outputs, &b.takers[i]);
	}
	/* Of a forwarded frame's takers one is the destination. */
	cpu->copies += vswitch_deliver_all(&b, holder, frames, count) -
		       (counters->forwarded - forwarded);
	vswitch_return(&b, holder, frames, count);
	vswitch_leave(cpu);
}

void vswitch_announce(struct port *from)
{
	struct vswitch_batch b = {.sw = from->vswitch, .from = from};
	struct vswitch_cpu *cpu = vswitch_enter(b.sw);

	vswitch_snapshot(&b);
	for (unsigned i = mask_next(&b.attached, 0); i < VSWITCH_PORTS_MAX;
	     i = mask_next(&b.attached, i + 1))
		if (b.sw->ports[i]->ops->announce)
			b.sw->ports[i]->ops->announce(b.sw->ports[i]);
	vswitch_leave(cpu);
}
