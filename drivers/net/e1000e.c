/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Driver of the Intel 82574L gigabit NIC, one queue each way, MSI-X. */
#include "drivers/net/e1000e.h"

#include <linux/errno.h>
#include <string.h>

#include "drivers/net/e1000e_priv.h"
#include "plat/plat.h"

/*
 * Set-up and interrupts are here, the hot paths in e1000e_ring.c.
 *
 * Life cycle: attach (registers are only read), start, traffic, stop, reap
 * until empty, detach; start and stop may repeat. Section numbers are of the
 * datasheet named in e1000e_reg.h.
 *
 * Who calls what: the contract in netdev.h. tx is the transmit lock's, rx the
 * receive lock's; they share no cache line. Registers written by both sides
 * (IMS, IMC, ICS) are write-1 registers, so nobody reads, modifies and writes
 * what the other side changes.
 *
 * Transmit ring: indices run freely, masked at use.
 *
 *	clean            done             next
 *	  | finished, to   | with the NIC   | free
 *	  | be reaped      |                |
 *
 * Receive ring: the same.
 *
 *	armed            next
 *	  | lent by poll() | with the NIC ...
 *
 * The NIC is not trusted: a descriptor it wrote is loaded once and checked,
 * and no index or address is ever taken from it. What it can do to us is lose
 * frames and invent them.
 *
 * Interrupts. Each vector masks itself when its message is sent (EIAC clears
 * the cause, IAM the mask) and stays masked until irq_enable(). No edge can
 * be lost: a cause that comes up while masked stays in ICR and fires when IMS
 * is written; and work whose cause was spent on an earlier message (a budget
 * ran out) is found in the ring by irq_enable() and raised again by ICS.
 */
#define OTHER_CAUSES                                                   \
	(CAUSE_LSC | CAUSE_RXO | CAUSE_MDAC | CAUSE_SRPD | CAUSE_ACK | \
	 CAUSE_MNG)

#define CAPS			 (NETDEV_CSUM | NETDEV_RX_CSUM | NETDEV_TSO)

/*
 * Interrupt moderation (10.2.4.2): the least time between two messages of a
 * vector. Receive: what a frame may wait for company. Transmit: completions
 * are also reaped on the way, so the interrupt is a fallback.
 */
#define E1000E_RX_INTERVAL_NS	 20000u
#define E1000E_TX_INTERVAL_NS	 250000u
#define E1000E_OTHER_INTERVAL_NS 1000000u

#define EITR_OF(ns) \
	((ns) / EITR_UNIT_NS > EITR_MAX ? EITR_MAX : (ns) / EITR_UNIT_NS)

/* Bounds of our own; the datasheet gives none but the microsecond. */
#define RESET_SETTLE_NS	   2000u /* 10.2.2.1: hands off for 1 us */
#define RESET_TIMEOUT_NS   100000000u
#define NVM_TIMEOUT_NS	   100000000u
#define EERD_TIMEOUT_NS	   10000000u
#define QUIESCE_TIMEOUT_NS 10000000u

static void e1000e_change(const struct e1000e *nic, uint32_t reg,
			  uint32_t clear, uint32_t set)
{
	e1000e_write(nic, reg, (e1000e_read(nic, reg) & ~clear) | set);
}

/* Until the masked register has the value: 0 or -ETIMEDOUT. The register is
 * read once more after the deadline: we may have been off the CPU. */
static int e1000e_wait(const struct e1000e *nic, uint32_t reg, uint32_t mask,
		       uint32_t value, uint64_t timeout_ns)
{
	uint64_t deadline = plat_now_ns() + timeout_ns;
	bool late;

	do {
		late = plat_now_ns() > deadline;
		if ((e1000e_read(nic, reg) & mask) == value)
			return 0;
		plat_relax();
	} while (!late);
	return -ETIMEDOUT;
}

static void e1000e_delay(uint64_t ns)
{
	uint64_t end = plat_now_ns() + ns;

	while (plat_now_ns() < end)
		plat_relax();
}

static void e1000e_irq_enable(struct netdev *dev, enum netdev_vector v, bool on)
{
	static const uint32_t causes[NETDEV_VECTORS_MAX] = {
		[NETDEV_VECTOR_RX] = CAUSE_RXQ0,
		[NETDEV_VECTOR_TX] = CAUSE_TXQ0,
		/* "Other" is raised by a single cause that is unmasked too. */
		[NETDEV_VECTOR_OTHER] = CAUSE_OTHER | CAUSE_LSC,
	};
	struct e1000e *nic = e1000e_of(dev);

	if (!nic->running)
		return;
	/* Work that is in memory now and whose cause is spent is raised again;
	 * what comes after this look has a cause of its own. Before IMS, so
	 * that both make one message. */
	if (on &&
	    ((v == NETDEV_VECTOR_RX && e1000e_ring_rx_pending(&nic->rx)) ||
	     (v == NETDEV_VECTOR_TX && e1000e_ring_tx_pending(&nic->tx))))
		e1000e_write(nic, E1000E_ICS, causes[v]);
	e1000e_write(nic, on ? E1000E_IMS : E1000E_IMC, causes[v]);
}

/* The register is cleared by reading, so each event is added once, whichever
 * CPU comes first: irq_ack() and link() may do so at the same time. It stops at
 * 2^32 - 1, which is also what a NIC that is gone reads as. */
static void e1000e_harvest(const struct e1000e *nic, uint32_t reg,
			   uint64_t *counter)
{
	uint32_t events = e1000e_read(nic, reg);

	if (events != ~0u)
		e1000e_count(counter, events);
}

/* What the NIC has dropped by itself. */
static void e1000e_harvest_drops(const struct e1000e *nic,
				 struct netdev_stats *stats)
{
	e1000e_harvest(nic, E1000E_MPC, &stats->rx_missed);
	e1000e_harvest(nic, E1000E_CRCERRS, &stats->rx_errors);
	e1000e_harvest(nic, E1000E_ALGNERRC, &stats->rx_errors);
	e1000e_harvest(nic, E1000E_RXERRC, &stats->rx_errors);
	e1000e_harvest(nic, E1000E_RUC, &stats->rx_runts);
	e1000e_harvest(nic, E1000E_RFC, &stats->rx_runts);
	e1000e_harvest(nic, E1000E_ROC, &stats->rx_giants);
	e1000e_harvest(nic, E1000E_RJC, &stats->rx_giants);
}

static void e1000e_harvest_missed(struct e1000e *nic)
{
	e1000e_harvest_drops(nic, &nic->dev.stats);
}

static void e1000e_irq_ack(struct netdev *dev, enum netdev_vector v)
{
	struct e1000e *nic = e1000e_of(dev);

	dev->stats.interrupts[v]++;
	/* The queues' vectors acknowledge and mask themselves. "Other" does
	 * not: its cause would come back as long as the single causes stand.
	 * Cleared by writing, as ICR must not be read with EIAC in use
	 * (10.2.4.7): that would take the queues' causes away. */
	if (v != NETDEV_VECTOR_OTHER || !nic->running)
		return;
	e1000e_write(nic, E1000E_IMC, CAUSE_OTHER | CAUSE_LSC);
	e1000e_write(nic, E1000E_ICR, CAUSE_OTHER | OTHER_CAUSES);
	e1000e_harvest_missed(nic);
}

static void e1000e_write_address(const struct e1000e *nic, unsigned n,
				 const uint8_t *mac)
{
	/* Never a valid entry with half an address. */
	e1000e_write(nic, E1000E_RAH(n), 0);
	if (!mac)
		return;
	e1000e_write(nic, E1000E_RAL(n),
		     (uint32_t)mac[3] << 24 | (uint32_t)mac[2] << 16 |
			     (uint32_t)mac[1] << 8 | mac[0]);
	e1000e_write(nic, E1000E_RAH(n),
		     RAH_AV | (uint32_t)mac[5] << 8 | mac[4]);
}

static void e1000e_write_filter(const struct e1000e *nic)
{
	for (unsigned i = 0; i < NETDEV_FILTER_MAX; i++)
		e1000e_write_address(nic, 1 + i,
				     i < nic->filter_count ? nic->filter_macs[i]
							   : NULL);
}

/* 10.2.5.1. No bad, no long packets; buffers of 2048 bytes; no VLAN filter. */
static uint32_t e1000e_rctl(const struct e1000e *nic)
{
	return RCTL_EN | RCTL_MPE | RCTL_BAM | RCTL_BSIZE_2048 | RCTL_SECRC |
	       (nic->promiscuous ? RCTL_UPE : 0);
}

static void e1000e_filter(struct netdev *dev,
			  const uint8_t (*macs)[ETH_ADDR_LEN], unsigned count,
			  bool promiscuous)
{
	struct e1000e *nic = e1000e_of(dev);

	nic->promiscuous = promiscuous || count > NETDEV_FILTER_MAX;
	nic->filter_count = (uint8_t)MIN(count, NETDEV_FILTER_MAX);
	if (nic->filter_count)
		memcpy(nic->filter_macs, macs,
		       (size_t)nic->filter_count * ETH_ADDR_LEN);
	if (!nic->running) /* start() will */
		return;
	e1000e_write_filter(nic);
	e1000e_write(nic, E1000E_RCTL, e1000e_rctl(nic));
}

static void e1000e_link(struct netdev *dev, struct netdev_link *link)
{
	static const uint16_t mbps[] = {10, 100, 1000, 1000};
	struct e1000e *nic = e1000e_of(dev);
	uint32_t status = e1000e_read(nic, E1000E_STATUS);

	*link = (struct netdev_link){0};
	if (status == ~0u || !(status & STATUS_LU))
		return;
	link->up = true;
	link->full_duplex = status & STATUS_FD;
	link->mbps = mbps[STATUS_SPEED(status)];
	/* Linux's driver (e1000_watchdog_task()) leaves segmentation to
	 * software on slow links, "to avoid some hardware issues". */
	WRITE_ONCE(dev->caps, link->mbps < 1000 ? CAPS & ~NETDEV_TSO : CAPS);
	e1000e_harvest_missed(nic);
}

/* 3.1.3.10: no new requests to memory, and the outstanding ones finished. */
static int e1000e_quiesce(const struct e1000e *nic)
{
	e1000e_write(nic, E1000E_IMC, ~0u);
	e1000e_change(nic, E1000E_RCTL, RCTL_EN, 0);
	e1000e_change(nic, E1000E_TCTL, TCTL_EN, 0);
	e1000e_change(nic, E1000E_CTRL, 0, CTRL_GIO_MASTER_DISABLE);
	return e1000e_wait(nic, E1000E_STATUS, STATUS_GIO_MASTER_ENABLE, 0,
			   QUIESCE_TIMEOUT_NS);
}

/* 4.6.1, 4.6.2: a global reset, with interrupts masked before and after. */
static int e1000e_reset(struct e1000e *nic)
{
	int err;

	/* Not quiet in time is no reason to stop (3.1.3.10): the reset ends
	 * what is going on. */
	if (e1000e_quiesce(nic))
		log_warn("e1000e", "bus master still busy before reset");
	e1000e_change(nic, E1000E_CTRL, 0, CTRL_RST);
	e1000e_delay(RESET_SETTLE_NS);
	err = e1000e_wait(nic, E1000E_CTRL, CTRL_RST, 0, RESET_TIMEOUT_NS);
	if (err) {
		log_error("e1000e", "reset does not end");
		return err;
	}
	/* The NVM's contents are in place, the MAC address among them. */
	err = e1000e_wait(nic, E1000E_EECD, EECD_AUTO_RD, EECD_AUTO_RD,
			  NVM_TIMEOUT_NS);
	if (err) {
		log_error("e1000e", "NVM is not read after reset");
		return err;
	}
	e1000e_write(nic, E1000E_IMC, ~0u);
	/* All masked and EIAC 0: clears every cause (10.2.4.1). */
	e1000e_write(nic, E1000E_EIAC, 0);
	(void)e1000e_read(nic, E1000E_ICR);
	return 0;
}

/* Bits that Intel's own drivers set on the 82574 for its errata (PCIe
 * completions, transmit arbitration); the datasheet has them as reserved. */
static void e1000e_errata(const struct e1000e *nic)
{
	e1000e_change(nic, E1000E_GCR, 0, GCR_ERRATUM);
	e1000e_change(nic, E1000E_GCR2, 0, GCR2_ERRATUM);
	e1000e_change(nic, E1000E_TARC0, 0, TARC0_ERRATUM);
	e1000e_change(nic, E1000E_CTRL_EXT, CTRL_EXT_TX_LS,
		      CTRL_EXT_TX_LS_FLOW);
}

/*
 * 4.6.3.2: the internal PHY negotiates by itself after power-on; with SLU the
 * MAC takes speed and duplex from it. No flow control (a pause frame would let
 * one guest stop the others), VLAN tags stay in the frame.
 */
static void e1000e_setup_link(const struct e1000e *nic)
{
	e1000e_change(nic, E1000E_CTRL,
		      CTRL_GIO_MASTER_DISABLE | CTRL_ASDE | CTRL_ILOS |
			      CTRL_FRCSPD | CTRL_FRCDPLX | CTRL_RFCE |
			      CTRL_TFCE | CTRL_VME | CTRL_PHY_RST,
		      CTRL_SLU);
}

/* 4.6.5, but for RCTL.EN, which comes last of all. */
static void e1000e_setup_receive(struct e1000e *nic)
{
	uint64_t ring = plat_dma_addr(nic->rx.ring).v;

	e1000e_write_address(nic, 0, nic->dev.mac);
	e1000e_write_filter(nic);
	for (unsigned i = 0; i < MTA_COUNT; i++)
		e1000e_write(nic, E1000E_MTA(i), 0);

	/* One queue, extended descriptors, and none of the filters that raise
	 * causes of their own (an acknowledgement is one of "other"). */
	e1000e_write(nic, E1000E_MRQC, 0);
	e1000e_write(nic, E1000E_RFCTL,
		     RFCTL_ISCSI_DIS | RFCTL_NFSW_DIS | RFCTL_NFSR_DIS |
			     RFCTL_ACK_DIS | RFCTL_EXTEN);
	e1000e_write(nic, E1000E_RSRPD, 0);
	e1000e_write(nic, E1000E_RXCSUM, RXCSUM_IPOFLD | RXCSUM_TUOFLD);

	e1000e_write(nic, E1000E_RDBAL, (uint32_t)ring);
	e1000e_write(nic, E1000E_RDBAH, (uint32_t)(ring >> 32));
	e1000e_write(nic, E1000E_RDLEN,
		     RING_SIZE * sizeof(struct e1000e_rx_desc));
	e1000e_write(nic, E1000E_RDH, 0);
	e1000e_write(nic, E1000E_RDT, RING_ROOM);
	/* Moderation is EITR's alone. Each descriptor is written back at once;
	 * prefetched when 32 are left and 4 can be had. */
	e1000e_write(nic, E1000E_RDTR, 0);
	e1000e_write(nic, E1000E_RADV, 0);
	e1000e_write(nic, E1000E_RXDCTL,
		     RXDCTL_GRAN | RXDCTL_WTHRESH(1) | RXDCTL_HTHRESH(4) |
			     RXDCTL_PTHRESH(32));
}

/* 4.6.6. */
static void e1000e_setup_transmit(struct e1000e *nic)
{
	uint64_t ring = plat_dma_addr(nic->tx.ring).v;

	e1000e_write(nic, E1000E_TDBAL, (uint32_t)ring);
	e1000e_write(nic, E1000E_TDBAH, (uint32_t)(ring >> 32));
	e1000e_write(nic, E1000E_TDLEN,
		     RING_SIZE * sizeof(struct e1000e_tx_desc));
	e1000e_write(nic, E1000E_TDH, 0);
	e1000e_write(nic, E1000E_TDT, 0);
	/* WTHRESH 0: a descriptor with RS is written back at once, the others
	 * not at all. TIDV is for descriptors with IDE, which we have none of,
	 * but must not be 0. */
	e1000e_write(nic, E1000E_TIDV, 1);
	e1000e_write(nic, E1000E_TXDCTL,
		     TXDCTL_MUST_BE_1 | TXDCTL_GRAN | TXDCTL_WTHRESH(0) |
			     TXDCTL_HTHRESH(1) | TXDCTL_PTHRESH(31));
	e1000e_write(nic, E1000E_TIPG,
		     TIPG_IPGT(8) | TIPG_IPGR1(2) | TIPG_IPGR2(10));
	e1000e_change(nic, E1000E_TCTL, TCTL_CT_MASK | TCTL_COLD_MASK,
		      TCTL_EN | TCTL_PSP | TCTL_CT(0x0f) | TCTL_COLD(0x3f));
}

/* 7.4, 10.2.4: three vectors, all still masked. */
static void e1000e_setup_interrupts(const struct e1000e *nic)
{
	e1000e_write(nic, E1000E_IVAR,
		     IVAR_RXQ0((uint32_t)NETDEV_VECTOR_RX) |
			     IVAR_TXQ0((uint32_t)NETDEV_VECTOR_TX) |
			     IVAR_OTHER((uint32_t)NETDEV_VECTOR_OTHER) |
			     IVAR_TX_EVERY_WRITE_BACK);
	e1000e_write(nic, E1000E_EITR(NETDEV_VECTOR_RX),
		     EITR_OF(E1000E_RX_INTERVAL_NS));
	e1000e_write(nic, E1000E_EITR(NETDEV_VECTOR_TX),
		     EITR_OF(E1000E_TX_INTERVAL_NS));
	e1000e_write(nic, E1000E_EITR(NETDEV_VECTOR_OTHER),
		     EITR_OF(E1000E_OTHER_INTERVAL_NS));
	e1000e_write(nic, E1000E_EIAC, CAUSE_RXQ0 | CAUSE_TXQ0);
	e1000e_write(nic, E1000E_IAM, CAUSE_RXQ0 | CAUSE_TXQ0);
	e1000e_change(nic, E1000E_CTRL_EXT, CTRL_EXT_IAME,
		      CTRL_EXT_EIAME | CTRL_EXT_PBA_SUPPORT);
}

static void e1000e_free(struct e1000e *nic)
{
	struct e1000e_rx *rx = &nic->rx;
	struct e1000e_tx *tx = &nic->tx;

	plat_free(rx->ring, RING_SIZE * sizeof(*rx->ring));
	plat_free(rx->buffers, (size_t)RING_SIZE * RX_BUFFER_SIZE);
	plat_free(tx->ring, RING_SIZE * sizeof(*tx->ring));
	plat_free(tx->pad, TX_LEN_MIN);
	rx->ring = NULL;
	rx->buffers = NULL;
	tx->ring = NULL;
	tx->pad = NULL;
}

/* Kept from the first start() to detach. Alignment: 16 by 7.1.8 and 7.2.4, a
 * page for the IOMMU's sake. */
static int e1000e_alloc(struct e1000e *nic)
{
	struct e1000e_rx *rx = &nic->rx;
	struct e1000e_tx *tx = &nic->tx;

	if (rx->ring)
		return 0;
	rx->ring = plat_alloc(RING_SIZE * sizeof(*rx->ring), PAGE_SIZE);
	rx->buffers = plat_alloc((size_t)RING_SIZE * RX_BUFFER_SIZE, PAGE_SIZE);
	tx->ring = plat_alloc(RING_SIZE * sizeof(*tx->ring), PAGE_SIZE);
	tx->pad = plat_alloc(TX_LEN_MIN, CACHE_LINE);
	if (!rx->ring || !rx->buffers || !tx->ring || !tx->pad) {
		e1000e_free(nic);
		return -ENOMEM;
	}
	rx->buffers_iova = plat_dma_addr(rx->buffers).v;
	tx->pad_iova = plat_dma_addr(tx->pad).v;
	return 0;
}

static int e1000e_start(struct netdev *dev)
{
	struct e1000e *nic = e1000e_of(dev);
	int err;

	ASSERT(!nic->running && nic->tx.slot_head == nic->tx.slot_tail);
	if (e1000e_read(nic, E1000E_STATUS) == ~0u)
		return -ENODEV; /* nothing there: all reads are ones */
	err = e1000e_alloc(nic);
	if (err)
		return err;
	err = e1000e_reset(nic);
	if (err)
		return err;
	e1000e_errata(nic);
	e1000e_setup_link(nic);
	/* 4.6.4: reading clears them. What was there is nobody's. */
	e1000e_harvest_drops(nic, &(struct netdev_stats){0});
	e1000e_ring_reset(nic);
	e1000e_setup_receive(nic);
	e1000e_setup_transmit(nic);
	e1000e_setup_interrupts(nic);
	/* 10.2.2.5: tells management firmware that the NIC has a driver. */
	e1000e_change(nic, E1000E_CTRL_EXT, 0, CTRL_EXT_DRV_LOAD);
	/* 4.6.5.1: "only after all other setup is accomplished". */
	e1000e_write(nic, E1000E_RCTL, e1000e_rctl(nic));
	nic->running = true;
	return 0;
}

static void e1000e_stop(struct netdev *dev)
{
	struct e1000e *nic = e1000e_of(dev);

	if (!nic->running)
		return;
	e1000e_harvest_missed(nic);
	if (e1000e_quiesce(nic)) {
		/* Nothing less than a reset is sure to end its DMA. */
		log_error("e1000e", "bus master does not stop: resetting");
		e1000e_reset(nic);
	}
	e1000e_change(nic, E1000E_CTRL_EXT, CTRL_EXT_DRV_LOAD, 0);
	nic->running = false;
	e1000e_ring_abandon(nic);
}

static const struct netdev_ops e1000e_ops = {
	.name = "e1000e",
	.start = e1000e_start,
	.stop = e1000e_stop,
	.transmit = e1000e_ring_transmit,
	.reap = e1000e_ring_reap,
	.poll = e1000e_ring_poll,
	.irq_enable = e1000e_irq_enable,
	.irq_ack = e1000e_irq_ack,
	.link = e1000e_link,
	.filter = e1000e_filter,
};

static bool e1000e_mac_usable(const uint8_t *mac)
{
	static const uint8_t zero[ETH_ADDR_LEN];

	return !(mac[0] & 1) && memcmp(mac, zero, ETH_ADDR_LEN) != 0;
}

/* NVM words 0 to 2 (10.2.2.4), low byte first. */
static bool e1000e_read_nvm_mac(const struct e1000e *nic, uint8_t *mac)
{
	for (unsigned word = 0; word < 3; word++) {
		uint16_t data;

		e1000e_write(nic, E1000E_EERD, EERD_START | EERD_ADDRESS(word));
		if (e1000e_wait(nic, E1000E_EERD, EERD_DONE, EERD_DONE,
				EERD_TIMEOUT_NS))
			return false;
		data = EERD_DATA(e1000e_read(nic, E1000E_EERD));
		mac[2 * word] = (uint8_t)data;
		mac[2 * word + 1] = (uint8_t)(data >> 8);
	}
	return e1000e_mac_usable(mac);
}

/* 10.2.5.23: the NIC loads entry 0 from its NVM; ask the NVM if it did not. */
static bool e1000e_read_mac(const struct e1000e *nic, uint8_t *mac)
{
	uint32_t low = e1000e_read(nic, E1000E_RAL(0));
	uint32_t high = e1000e_read(nic, E1000E_RAH(0));

	for (unsigned i = 0; i < 4; i++)
		mac[i] = (uint8_t)(low >> 8 * i);
	mac[4] = (uint8_t)high;
	mac[5] = (uint8_t)(high >> 8);
	return ((high & RAH_AV) && e1000e_mac_usable(mac)) ||
	       e1000e_read_nvm_mac(nic, mac);
}

struct netdev *e1000e_attach(const struct netdev_resources *res)
{
	struct e1000e *nic;

	if (res->regs.size < E1000E_REGS_SIZE) {
		log_error("e1000e", "BAR 0 has %u bytes, expected %u",
			  res->regs.size, E1000E_REGS_SIZE);
		return NULL;
	}
	nic = plat_alloc(sizeof(*nic), _Alignof(struct e1000e));
	if (!nic)
		return NULL;
	nic->dev.ops = &e1000e_ops;
	nic->dev.res = *res;
	nic->dev.caps = CAPS;
	nic->dev.frame_max = FRAME_MAX;
	if (!e1000e_read_mac(nic, nic->dev.mac)) {
		log_error("e1000e", "no usable MAC address in the NIC");
		plat_free(nic, sizeof(*nic));
		return NULL;
	}
	return &nic->dev;
}

void e1000e_detach(struct netdev *dev)
{
	struct e1000e *nic = e1000e_of(dev);

	ASSERT(!nic->running && nic->tx.slot_head == nic->tx.slot_tail);
	e1000e_free(nic);
	plat_free(nic, sizeof(*nic));
}
