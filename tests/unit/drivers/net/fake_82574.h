/* SPDX-License-Identifier: GPL-2.0-or-later */
/* An Intel 82574L played in software, behind the native mmio hooks. */
#ifndef TESTS_FAKE_82574_H
#define TESTS_FAKE_82574_H

#include "drivers/net/netdev.h"

#define FAKE_WIRE_MAX  512
#define FAKE_LOG_MAX   8192
#define FAKE_VECTORS   5
#define FAKE_TX_BUFFER (20 * 1024) /* PBA: 40 KiB, half for transmit */

struct fake_wire_frame {
	uint16_t len;
	uint8_t data[2048];
};

/* What a context says about TCP segmentation. */
struct fake_tso {
	bool context; /* the last one was of this kind */
	bool loaded;  /* and not used yet */
	uint32_t ipcss, ipcso, ipcse, command, paylen, hdrlen, mss;
};

struct fake_write {
	uint32_t offset, value;
};

/*
 * Written from the datasheet, not from the driver: it fetches descriptors when
 * a tail moves, gathers, sums, writes back, and keeps ICR, IMS, EIAC and IAM
 * as the 82574 does, but without moderation. What a driver must not do is
 * noted in fault (the first one stays); a test ends by asserting that it is
 * NULL. Bus addresses are pointers, as plat/linux makes them.
 */
struct fake_82574 {
	uint32_t regs[0x20000 / 4];
	const char *fault;

	/* Misbehaviour */
	bool gone;	   /* all reads are ones */
	bool reset_stuck;  /* CTRL.RST stays */
	bool nvm_stuck;	   /* EECD.AUTO_RD and EERD.DONE never come */
	bool master_stuck; /* STATUS.GIO_MASTER_ENABLE stays until reset */
	bool no_rar;	   /* RAR 0 is not loaded from the NVM */
	bool hold_tx;	   /* nothing is sent until fake_82574_send() */

	uint8_t nvm_mac[ETH_ADDR_LEN];
	unsigned resets;
	uint64_t messages[FAKE_VECTORS]; /* MSI-X, by vector */
	uint32_t told; /* causes whose message is out and not cleared yet */

	/* Transmit */
	uint32_t tucss, tucso, tucse;
	bool context_loaded;
	unsigned contexts, reports, descriptors;
	struct fake_tso tso;
	uint8_t gather[68000];
	uint32_t gather_len, first_len; /* of the first descriptor */
	uint8_t popts;
	bool segmenting;
	struct fake_wire_frame wire[FAKE_WIRE_MAX]; /* sent, oldest first */
	unsigned wire_count;

	struct fake_write log[FAKE_LOG_MAX];
	unsigned log_count;
};

void fake_82574_init(struct fake_82574 *nic, const uint8_t *mac);
struct netdev_resources fake_82574_resources(struct fake_82574 *nic);

/* A frame arrives on the wire, FCS already taken off. False: the NIC did not
 * take it (off, filtered, too short or long: counted in RUC or ROC, or no
 * descriptor: counted in MPC). */
bool fake_82574_receive(struct fake_82574 *nic, const void *data, size_t len);
/* Writes back the next receive descriptor with whatever it is told. False when
 * it owns none. */
bool fake_82574_write_back(struct fake_82574 *nic, uint32_t status,
			   uint16_t length);
/* Receive descriptors that the NIC owns. */
unsigned fake_82574_rx_room(const struct fake_82574 *nic);

/* With hold_tx: processes at most max descriptors; how many it did. */
unsigned fake_82574_send(struct fake_82574 *nic, unsigned max);

void fake_82574_set_link(struct fake_82574 *nic, bool up);
/* Is this a frame whose TCP or UDP checksum (IPv4, no options) is right? */
bool fake_82574_l4_good(const uint8_t *data, size_t len);

/* Position of the first write to offset at or after from, or -1. */
int fake_82574_find_write(const struct fake_82574 *nic, unsigned from,
			  uint32_t offset);

#endif
