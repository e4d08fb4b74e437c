/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The 82574L driver's hot paths: transmit, reap and poll. */
#include "drivers/net/e1000e_priv.h"
#include "lib/gso.h"
#include "plat/plat.h"

#define TX_DESCS_EXTRA 3u /* context, head, pad */
/* Of one descriptor: less than the NIC's transmit buffer (20 KiB, 10.2.2.14),
 * which must hold all of it. */
#define TX_DATA_MAX    8192u
#define TX_RS_INTERVAL 32u
#define CONTEXT_LOADED (1u << 16)

/* Asks for a report on the newest descriptor. */
static void e1000e_ring_mark(struct e1000e_tx *tx, uint32_t next)
{
	uint32_t last = next - 1;

	tx->ring[last & RING_MASK].high |= TXD_RS;
	tx->marks[tx->mark_tail++ & RING_MASK] = last;
}

static uint32_t e1000e_ring_put(struct e1000e_tx *tx, uint32_t next,
				uint64_t low, uint64_t high)
{
	struct e1000e_tx_desc *desc = &tx->ring[next & RING_MASK];

	desc->low = low;
	desc->high = high;
	return next + 1;
}

/*
 * TXD_POPTS_TXSM after the NIC knows where the checksum goes, 0 when it cannot
 * do it (the frame then leaves with its checksum unfinished, and harms nobody
 * but its sender; nothing but the head may be written to). The NIC keeps one
 * context, of whichever queue loaded it last (7.2.6): with a single queue it
 * is ours and need not be repeated. It is used by the data descriptors that
 * follow it, so those before it on the ring are not disturbed.
 */
static uint64_t e1000e_ring_context(struct e1000e_tx *tx, uint32_t *next,
				    const struct frame *f)
{
	uint32_t start = f->csum_start;
	uint32_t offset = start + f->csum_offset;
	uint32_t want = CONTEXT_LOADED | offset << 8 | start;

	if (unlikely(offset + 2 > f->head_len || offset > 0xff))
		return 0;
	if (want != tx->context) {
		*next = e1000e_ring_put(tx, *next,
					TXC_TUCSS(start) | TXC_TUCSO(offset) |
						TXC_TUCSE_WHOLE_FRAME,
					TXD_DEXT);
		tx->context = want;
	}
	return TXD_POPTS_TXSM;
}

/*
 * TCP segmentation (7.2.5 and 7.2.10.2): a context for each frame, for it holds
 * the payload's length. The NIC writes lengths, identification, sequence
 * numbers and checksums into the headers that it repeats; it wants the IP
 * length and checksum zero, and the pseudo-header's sum without the length.
 */
static uint64_t e1000e_ring_tso(struct e1000e_tx *tx, uint32_t *next,
				struct frame *f)
{
	uint8_t *ip = f->head + f->l3_start;
	uint64_t command = TXD_DEXT | TXD_TSE | TXC_TCP;
	uint64_t options = TXD_TSE | TXD_POPTS_TXSM;
	uint64_t ip_sum = 0;

	gso_change_length(f, f->len - f->csum_start, 0);
	if (gso_is_ipv4(f)) {
		ip[2] = ip[3] = 0;
		ip[10] = ip[11] = 0;
		command |= TXC_IPV4;
		options |= TXD_POPTS_IXSM;
		ip_sum = TXC_IPCSO(f->l3_start + 10u) |
			 TXC_IPCSE(f->csum_start - 1u);
	} else {
		ip[4] = ip[5] = 0;
	}
	*next = e1000e_ring_put(
		tx, *next,
		TXC_IPCSS(f->l3_start) | ip_sum | TXC_TUCSS(f->csum_start) |
			TXC_TUCSO(f->csum_start + f->csum_offset) |
			TXC_TUCSE_WHOLE_FRAME,
		command | TXC_PAYLEN(f->len - f->header_len) |
			TXC_HDRLEN(f->header_len) | TXC_MSS(f->gso_size));
	tx->context = 0;
	return options;
}

/* A payload segment of any length. */
static uint32_t e1000e_ring_seg(struct e1000e_tx *tx, uint32_t next,
				const struct frame_seg *seg, uint64_t type)
{
	uint64_t at = plat_dma_addr(seg->base).v;
	uint32_t left = seg->len;

	for (; unlikely(left > TX_DATA_MAX);
	     left -= TX_DATA_MAX, at += TX_DATA_MAX)
		next = e1000e_ring_put(tx, next, at, type | TX_DATA_MAX);
	return e1000e_ring_put(tx, next, at, type | left);
}

/* The caller has seen to the room. Returns the new next. */
static uint32_t e1000e_ring_frame(struct e1000e_tx *tx, uint32_t next,
				  struct frame *f)
{
	uint64_t type = TXD_TYPE_DATA | TXD_DEXT | TXD_IFCS;

	/* The options belong to the first data descriptor by the book
	 * (7.2.10.3); repeated on all, as every descriptor may carry them. */
	if (unlikely(f->gso_type != FRAME_GSO_NONE))
		type |= e1000e_ring_tso(tx, &next, f);
	else if (f->flags & FRAME_CSUM_PARTIAL)
		type |= e1000e_ring_context(tx, &next, f);

	next = e1000e_ring_put(tx, next, plat_dma_addr(f->head).v,
			       type | f->head_len);
	for (unsigned i = 0; i < f->seg_count; i++)
		next = e1000e_ring_seg(tx, next, &f->segs[i], type);
	if (unlikely(f->len < TX_LEN_MIN))
		next = e1000e_ring_put(tx, next, tx->pad_iova,
				       type | (TX_LEN_MIN - f->len));
	tx->ring[(next - 1) & RING_MASK].high |= TXD_EOP;
	return next;
}

/*
 * Reports (RS) are asked for on the last descriptor of a batch, so that every
 * frame is reported in the end, and every TX_RS_INTERVAL descriptors of a long
 * one, so that the ring and the guests' buffers come back in steps; each report
 * is a write to memory and a cause for an interrupt, so no more than that.
 */
unsigned e1000e_ring_transmit(struct netdev *dev, struct frame *const *frames,
			      unsigned count)
{
	struct e1000e *nic = e1000e_of(dev);
	struct e1000e_tx *tx = &nic->tx;
	uint32_t next = tx->next, marked = next;
	unsigned sent;

	if (unlikely(!nic->running))
		return 0;
	for (sent = 0; sent < count; sent++) {
		struct frame *f = frames[sent];
		struct e1000e_tx_slot *slot;

		if (next - tx->clean + f->seg_count + f->len / TX_DATA_MAX +
			    TX_DESCS_EXTRA >
		    RING_ROOM)
			break;
		next = e1000e_ring_frame(tx, next, f);
		slot = &tx->slots[tx->slot_tail++ & RING_MASK];
		slot->frame = f;
		slot->end = next;
		if (next - marked >= TX_RS_INTERVAL) {
			e1000e_ring_mark(tx, next);
			marked = next;
		}
	}
	if (!sent)
		return 0;
	if (marked != next)
		e1000e_ring_mark(tx, next);
	tx->next = next;
	/* The NIC may fetch as soon as the tail moves, so the descriptors and
	 * heads must be in memory before: mmio_write32() orders them. */
	e1000e_write(nic, E1000E_TDT, next & RING_MASK);
	dev->stats.tx_tail_writes++;
	return sent;
}

/* Has the NIC reported on something that is not reaped yet? */
bool e1000e_ring_tx_pending(const struct e1000e_tx *tx)
{
	uint32_t last;

	if (tx->done != tx->clean)
		return true;
	if (tx->mark_head == tx->mark_tail)
		return false;
	last = tx->marks[tx->mark_head & RING_MASK];
	return READ_ONCE(tx->ring[last & RING_MASK].high) & TXD_DD;
}

/*
 * Only descriptors that we marked and the NIC still owes are looked at, in
 * order, and only for DD (the other status bits are about half duplex and
 * reserved): a lying NIC can return frames early but none twice.
 */
unsigned e1000e_ring_reap(struct netdev *dev, struct frame **frames,
			  unsigned max)
{
	struct e1000e_tx *tx = &e1000e_of(dev)->tx;
	unsigned count = 0;

	while (tx->mark_head != tx->mark_tail) {
		uint32_t last = tx->marks[tx->mark_head & RING_MASK];

		if (!(READ_ONCE(tx->ring[last & RING_MASK].high) & TXD_DD))
			break;
		tx->done = last + 1;
		tx->mark_head++;
	}
	while (count < max && tx->clean != tx->done) {
		struct e1000e_tx_slot *slot =
			&tx->slots[tx->slot_head++ & RING_MASK];

		tx->clean = slot->end;
		frames[count++] = slot->frame;
	}
	return count;
}

/* Receive */

static void e1000e_ring_arm(struct e1000e_rx *rx, uint32_t index)
{
	struct e1000e_rx_desc *desc = &rx->ring[index & RING_MASK];

	desc->address = rx->buffers_iova +
			(uint64_t)(index & RING_MASK) * RX_BUFFER_SIZE;
	desc->report = 0;
}

/* Gives back what the last poll() lent. */
static void e1000e_ring_rearm(struct e1000e *nic)
{
	struct e1000e_rx *rx = &nic->rx;

	if (rx->armed == rx->next)
		return;
	for (; rx->armed != rx->next; rx->armed++)
		e1000e_ring_arm(rx, rx->armed);
	/* One descriptor short of a full circle, else it would look empty. The
	 * write orders the descriptors before it, as in transmit. */
	e1000e_write(nic, E1000E_RDT, (rx->armed - 1) & RING_MASK);
}

static void e1000e_ring_reject(struct e1000e *nic, uint32_t status)
{
	struct e1000e_rx *rx = &nic->rx;

	/* RCTL.LPE is 0, so no frame is longer than 1522 bytes, FCS and all
	 * (10.2.5.1), and none longer than a buffer; the descriptors of one
	 * that is are dropped up to its last. What is a bit too long all the
	 * same is the switch's to drop: an emulated NIC leaves the FCS out of
	 * that sum. */
	if (!(status & RXD_EOP)) {
		rx->split = true;
		nic->dev.stats.device_nonsense++;
	} else if (rx->split) {
		rx->split = false;
		nic->dev.stats.device_nonsense++;
	} else if (status & RXD_BAD_FRAME) {
		e1000e_count(&nic->dev.stats.rx_errors, 1);
	} else { /* a length that cannot be */
		nic->dev.stats.device_nonsense++;
	}
}

/* 7.1.10: the NIC checked the L4 checksum (and IP's, if it says so), and found
 * nothing wrong. */
static uint8_t e1000e_ring_flags(uint32_t status)
{
	uint32_t about = status & (RXD_L4CS | RXD_IXSM | RXD_L4E | RXD_IPE);

	return about == RXD_L4CS ? FRAME_CSUM_VALID : 0;
}

bool e1000e_ring_rx_pending(const struct e1000e_rx *rx)
{
	return READ_ONCE(rx->ring[rx->next & RING_MASK].report) & RXD_DD;
}

unsigned e1000e_ring_poll(struct netdev *dev, struct frame **frames,
			  unsigned max)
{
	struct e1000e *nic = e1000e_of(dev);
	struct e1000e_rx *rx = &nic->rx;
	uint32_t next, end;
	unsigned count = 0;

	if (unlikely(!nic->running))
		return 0;
	e1000e_ring_rearm(nic);
	next = rx->next;
	/* Bounds the descriptors too, good or bad: a NIC that floods us with
	 * nonsense must not hold the CPU. */
	end = next + MIN(max, FRAME_BATCH_MAX);
	for (; next != end; next++) {
		uint32_t index = next & RING_MASK;
		uint64_t report = READ_ONCE(rx->ring[index].report);
		uint32_t status = (uint32_t)report;
		uint32_t len = RXD_LENGTH(report);
		struct frame *f;

		if (!(status & RXD_DD))
			break;
		/* The frame's bytes were written before its descriptor; they
		 * are to be read after it. */
		__atomic_thread_fence(__ATOMIC_ACQUIRE);
		if (unlikely((status & (RXD_EOP | RXD_BAD_FRAME)) != RXD_EOP ||
			     len - ETH_HEADER_LEN >
				     RX_BUFFER_SIZE - ETH_HEADER_LEN ||
			     rx->split)) {
			e1000e_ring_reject(nic, status);
			continue;
		}
		f = &rx->frames[count];
		f->head = rx->buffers + (size_t)index * RX_BUFFER_SIZE;
		f->len = len;
		f->head_len = (uint16_t)len;
		f->flags = e1000e_ring_flags(status);
		f->gso_type = FRAME_GSO_NONE;
		f->gso_size = 0;
		f->seg_count = 0;
		frames[count++] = f;
	}
	rx->next = next;
	return count;
}

void e1000e_ring_reset(struct e1000e *nic)
{
	struct e1000e_rx *rx = &nic->rx;
	struct e1000e_tx *tx = &nic->tx;

	rx->next = rx->armed = 0;
	rx->split = false;
	for (uint32_t i = 0; i < RING_SIZE; i++)
		e1000e_ring_arm(rx, i);
	tx->next = tx->done = tx->clean = 0;
	tx->slot_head = tx->slot_tail = 0;
	tx->mark_head = tx->mark_tail = 0;
	tx->context = 0;
}

void e1000e_ring_abandon(struct e1000e *nic)
{
	nic->tx.done = nic->tx.next;
	nic->tx.mark_head = nic->tx.mark_tail;
}
