/* SPDX-License-Identifier: GPL-2.0-or-later */
/* An Intel 82574L played in software, behind the native mmio hooks. */
#include "tests/unit/drivers/net/fake_82574.h"

#include <string.h>

#include "drivers/net/e1000e_reg.h"

#define REG(nic, offset) ((nic)->regs[(offset) / 4])
#define STATS_END	 0x4128 /* 10.2.7: cleared by reading */

static void fake_fault(struct fake_82574 *nic, const char *what)
{
	if (!nic->fault)
		nic->fault = what;
}

static void *fake_memory(uint64_t address)
{
	return (void *)(uintptr_t)address;
}

/* Interrupts: 7.4. */

static void fake_message(struct fake_82574 *nic, uint32_t cause,
			 unsigned ivar_shift)
{
	uint32_t entry = REG(nic, E1000E_IVAR) >> ivar_shift & 0xf;

	if (!(entry & 8) || (entry & 7) >= FAKE_VECTORS) {
		fake_fault(nic, "cause enabled without a vector");
		return;
	}
	nic->messages[entry & 7]++;
	nic->told |= cause;
	if (REG(nic, E1000E_EIAC) & cause) {
		REG(nic, E1000E_ICR) &= ~cause;
		nic->told &= ~cause;
	}
	if (REG(nic, E1000E_CTRL_EXT) & CTRL_EXT_EIAME)
		REG(nic, E1000E_IMS) &= ~(REG(nic, E1000E_IAM) & cause);
}

static void fake_update_irq(struct fake_82574 *nic)
{
	const uint32_t singles = CAUSE_LSC | CAUSE_RXO | CAUSE_MDAC |
				 CAUSE_SRPD | CAUSE_ACK | CAUSE_MNG;
	uint32_t icr, due;

	/* "Other" stands for the single causes that are unmasked. */
	if (REG(nic, E1000E_ICR) & REG(nic, E1000E_IMS) & singles)
		REG(nic, E1000E_ICR) |= CAUSE_OTHER;
	icr = REG(nic, E1000E_ICR);
	nic->told &= icr;
	due = icr & REG(nic, E1000E_IMS) & ~nic->told;
	if (due & CAUSE_RXQ0)
		fake_message(nic, CAUSE_RXQ0, 0);
	if (due & CAUSE_TXQ0)
		fake_message(nic, CAUSE_TXQ0, 8);
	if (due & CAUSE_OTHER)
		fake_message(nic, CAUSE_OTHER, 16);
}

static void fake_raise(struct fake_82574 *nic, uint32_t causes)
{
	REG(nic, E1000E_ICR) |= causes;
	fake_update_irq(nic);
}

/* Sums */

static uint32_t fake_sum(const uint8_t *data, size_t len, uint32_t sum)
{
	for (size_t i = 0; i < len; i++)
		sum += i & 1 ? data[i] : (uint32_t)data[i] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

bool fake_82574_l4_good(const uint8_t *data, size_t len)
{
	const uint8_t *ip = data + 14;
	uint32_t l4_len;

	if (len < 34 || data[12] != 8 || data[13] != 0 || ip[0] != 0x45)
		return false;
	l4_len = ((uint32_t)ip[2] << 8 | ip[3]) - 20;
	if (34 + l4_len > len)
		return false;
	return fake_sum(ip + 20, l4_len,
			fake_sum(ip + 12, 8, ip[9] + l4_len)) == 0xffff;
}

/* Transmit: 7.2. */

static bool fake_tx_gather(struct fake_82574 *nic, uint64_t address,
			   uint32_t len)
{
	if (!len)
		fake_fault(nic, "empty data descriptor");
	if (len > FAKE_TX_BUFFER)
		fake_fault(nic, "descriptor beyond the transmit buffer");
	if (nic->gather_len + len > sizeof(nic->gather)) {
		fake_fault(nic, "frame too long");
		return false;
	}
	memcpy(nic->gather + nic->gather_len, fake_memory(address), len);
	nic->gather_len += len;
	return true;
}

static void fake_put16(uint8_t *p, uint32_t value)
{
	p[0] = (uint8_t)(value >> 8);
	p[1] = (uint8_t)value;
}

static uint32_t fake_get16(const uint8_t *p)
{
	return (uint32_t)p[0] << 8 | p[1];
}

/* A frame is complete: padded, and out. */
static void fake_tx_wire(struct fake_82574 *nic, const uint8_t *data,
			 uint32_t len)
{
	static struct fake_wire_frame f;

	if (len < 17)
		fake_fault(nic, "frame too short to be padded");
	if (len > 1518) {
		fake_fault(nic, "frame too long for the wire");
		return;
	}
	memcpy(f.data, data, len);
	f.len = (uint16_t)len;
	if ((REG(nic, E1000E_TCTL) & TCTL_PSP) && len < 60) {
		memset(f.data + len, 0, 60u - len);
		f.len = 60;
	}
	if (nic->wire_count < FAKE_WIRE_MAX)
		nic->wire[nic->wire_count] = f;
	nic->wire_count++;
}

static void fake_tx_plain(struct fake_82574 *nic)
{
	uint8_t *data = nic->gather;
	uint32_t len = nic->gather_len;

	if (nic->popts & 1)
		fake_fault(nic, "IP checksum is not ours to ask for");
	if (nic->popts & 2) {
		uint32_t end = nic->tucse ? nic->tucse + 1 : len;

		if (!nic->context_loaded || nic->tso.context)
			fake_fault(nic,
				   "checksum without a context of its own");
		if (nic->tucss < end && nic->tucso + 2u <= len)
			fake_put16(data + nic->tucso,
				   ~fake_sum(data + nic->tucss,
					     end - nic->tucss, 0));
		else
			fake_fault(nic, "checksum outside of the frame");
	}
	fake_tx_wire(nic, data, len);
}

/* TCP segmentation: 7.2.5, "IP and TCP/UDP headers". */

/* What the prototype header and its context must be. */
static bool fake_tso_sane(struct fake_82574 *nic)
{
	const struct fake_tso *t = &nic->tso;
	const uint8_t *ip = nic->gather + t->ipcss;
	const uint8_t *tcp = nic->gather + nic->tucss;
	bool ipv4 = t->command & 2;

	if (!t->loaded)
		fake_fault(nic, "segmentation without a context of its own");
	else if (!(t->command & 1))
		fake_fault(nic, "segmentation of something else than TCP");
	else if (nic->gather_len != t->hdrlen + t->paylen)
		fake_fault(nic, "PAYLEN and HDRLEN are not the length");
	else if (!t->mss || t->paylen <= t->mss)
		fake_fault(nic, "segmentation of a single segment");
	else if (nic->first_len < t->hdrlen)
		fake_fault(nic, "header in several descriptors");
	else if (!(nic->popts & 2) || ipv4 != (nic->popts & 1))
		fake_fault(nic, "checksum options");
	else if (nic->tucss + 20u > t->hdrlen ||
		 nic->tucso != nic->tucss + 16u || nic->tucse)
		fake_fault(nic, "TCP header out of place");
	else if (nic->tucss + (tcp[12] >> 4) * 4u != t->hdrlen)
		fake_fault(nic, "header length");
	else if (tcp[13] & 0x80)
		fake_fault(nic, "CWR on every segment");
	else if (ip[0] >> 4 != (ipv4 ? 4 : 6))
		fake_fault(nic, "IP version");
	else if (ipv4 &&
		 (t->ipcso != t->ipcss + 10u || t->ipcse != nic->tucss - 1u ||
		  fake_get16(ip + 2) || fake_get16(ip + 10)))
		fake_fault(nic, "IPv4 length or checksum not 0");
	else if (!ipv4 && fake_get16(ip + 4))
		fake_fault(nic, "IPv6 length not 0");
	else
		return true;
	return false;
}

static void fake_tso_segment(struct fake_82574 *nic, unsigned index,
			     uint32_t offset, uint32_t len)
{
	const struct fake_tso *t = &nic->tso;
	static uint8_t data[65536];
	uint8_t *ip = data + t->ipcss, *tcp = data + nic->tucss;
	uint32_t l4_len = t->hdrlen - nic->tucss + len;
	uint32_t sequence;

	memcpy(data, nic->gather, t->hdrlen);
	memcpy(data + t->hdrlen, nic->gather + t->hdrlen + offset, len);
	if (t->command & 2) {
		fake_put16(ip + 2, t->hdrlen - t->ipcss + len);
		fake_put16(ip + 4, fake_get16(ip + 4) + index);
		fake_put16(data + t->ipcso,
			   ~fake_sum(ip, t->ipcse + 1 - t->ipcss, 0));
	} else {
		fake_put16(ip + 4, t->hdrlen - t->ipcss - 40 + len);
	}
	sequence = (fake_get16(tcp + 4) << 16 | fake_get16(tcp + 6)) + offset;
	fake_put16(tcp + 4, sequence >> 16);
	fake_put16(tcp + 6, sequence);
	if (offset + len != t->paylen)
		tcp[13] &= (uint8_t)~9; /* FIN, PSH */
	/* The field has the pseudo-header but for the length. */
	fake_put16(data + nic->tucso, ~fake_sum(tcp, l4_len, l4_len));
	fake_tx_wire(nic, data, t->hdrlen + len);
}

static void fake_tx_segments(struct fake_82574 *nic)
{
	const struct fake_tso *t = &nic->tso;
	unsigned index = 0;

	if (fake_tso_sane(nic))
		for (uint32_t at = 0; at < t->paylen; at += t->mss)
			fake_tso_segment(nic, index++, at,
					 MIN(t->mss, t->paylen - at));
	nic->tso.loaded = false;
}

static void fake_tx_context(struct fake_82574 *nic, uint64_t low, uint64_t high)
{
	if (nic->gather_len)
		fake_fault(nic, "context within a frame");
	nic->tucss = low >> 32 & 0xff;
	nic->tucso = low >> 40 & 0xff;
	nic->tucse = (uint32_t)(low >> 48);
	nic->context_loaded = true;
	nic->contexts++;
	nic->tso = (struct fake_tso){
		.context = high & TXD_TSE,
		.loaded = high & TXD_TSE,
		.ipcss = low & 0xff,
		.ipcso = low >> 8 & 0xff,
		.ipcse = low >> 16 & 0xffff,
		.command = high >> 24 & 3,
		.paylen = high & 0xfffff,
		.hdrlen = high >> 40 & 0xff,
		.mss = (uint32_t)(high >> 48),
	};
}

static void fake_tx_desc(struct fake_82574 *nic, uint64_t low, uint64_t high)
{
	if (!(high & TXD_DEXT)) {
		fake_fault(nic, "legacy transmit descriptor");
		return;
	}
	if (!(high & TXD_TYPE_DATA)) {
		fake_tx_context(nic, low, high);
		return;
	}
	if (!nic->gather_len) { /* the options are the first's (7.2.10.3) */
		nic->popts = (uint8_t)(high >> 40);
		nic->segmenting = high & TXD_TSE;
		nic->first_len = high & 0xfffff;
	}
	if (nic->segmenting != !!(high & TXD_TSE))
		fake_fault(nic, "TSE on some of a frame's descriptors");
	if (!fake_tx_gather(nic, low, high & 0xfffff))
		return;
	if (!(high & TXD_EOP))
		return;
	if (!(high & TXD_IFCS))
		fake_fault(nic, "frame without FCS");
	if (nic->segmenting)
		fake_tx_segments(nic);
	else
		fake_tx_plain(nic);
	nic->gather_len = 0;
}

unsigned fake_82574_send(struct fake_82574 *nic, unsigned max)
{
	uint64_t base =
		(uint64_t)REG(nic, E1000E_TDBAH) << 32 | REG(nic, E1000E_TDBAL);
	uint32_t count = REG(nic, E1000E_TDLEN) / 16;
	bool every = REG(nic, E1000E_IVAR) & IVAR_TX_EVERY_WRITE_BACK;
	uint32_t causes = 0;
	unsigned done = 0;

	if (!(REG(nic, E1000E_TCTL) & TCTL_EN) ||
	    (REG(nic, E1000E_CTRL) & CTRL_GIO_MASTER_DISABLE))
		return 0;
	while (done < max && REG(nic, E1000E_TDH) != REG(nic, E1000E_TDT)) {
		struct e1000e_tx_desc *desc =
			(struct e1000e_tx_desc *)fake_memory(base) +
			REG(nic, E1000E_TDH);

		if (desc->high & TXD_DD)
			fake_fault(nic, "descriptor handed over as done");
		fake_tx_desc(nic, desc->low, desc->high);
		if (desc->high & TXD_RS) {
			desc->high |= TXD_DD;
			nic->reports++;
			causes = CAUSE_TXQ0;
		} else if (every) { /* what a burst may write back as well */
			desc->high |= TXD_DD;
		}
		REG(nic, E1000E_TDH) = (REG(nic, E1000E_TDH) + 1) % count;
		done++;
		nic->descriptors++;
	}
	fake_raise(nic, causes);
	return done;
}

/* Receive: 7.1. */

unsigned fake_82574_rx_room(const struct fake_82574 *nic)
{
	uint32_t count = REG(nic, E1000E_RDLEN) / 16;

	if (!count)
		return 0;
	return (REG(nic, E1000E_RDT) + count - REG(nic, E1000E_RDH)) % count;
}

static struct e1000e_rx_desc *fake_rx_desc(struct fake_82574 *nic)
{
	uint64_t base =
		(uint64_t)REG(nic, E1000E_RDBAH) << 32 | REG(nic, E1000E_RDBAL);
	struct e1000e_rx_desc *ring = fake_memory(base);

	if (!fake_82574_rx_room(nic))
		return NULL;
	return &ring[REG(nic, E1000E_RDH)];
}

bool fake_82574_write_back(struct fake_82574 *nic, uint32_t status,
			   uint16_t length)
{
	struct e1000e_rx_desc *desc = fake_rx_desc(nic);
	uint32_t count = REG(nic, E1000E_RDLEN) / 16;

	if (!desc)
		return false;
	if (desc->report)
		fake_fault(nic, "receive descriptor not cleared");
	desc->address = 0xdeadbeefdeadbeef;
	desc->report = (uint64_t)length << 32 | status;
	REG(nic, E1000E_RDH) = (REG(nic, E1000E_RDH) + 1) % count;
	fake_raise(nic, CAUSE_RXQ0);
	return true;
}

static bool fake_rx_wanted(const struct fake_82574 *nic, const uint8_t *mac)
{
	static const uint8_t broadcast[] = {255, 255, 255, 255, 255, 255};
	uint32_t rctl = REG(nic, E1000E_RCTL);

	if (!memcmp(mac, broadcast, sizeof(broadcast)))
		return rctl & RCTL_BAM;
	if (mac[0] & 1)
		return rctl & RCTL_MPE;
	if (rctl & RCTL_UPE)
		return true;
	for (unsigned i = 0; i < RAR_COUNT; i++) {
		uint32_t low = REG(nic, E1000E_RAL(i));
		uint32_t high = REG(nic, E1000E_RAH(i));

		if ((high & RAH_AV) && !memcmp(mac, &low, 4) &&
		    !memcmp(mac + 4, &high, 2))
			return true;
	}
	return false;
}

bool fake_82574_receive(struct fake_82574 *nic, const void *data, size_t len)
{
	struct e1000e_rx_desc *desc;
	uint32_t rctl = REG(nic, E1000E_RCTL);
	uint32_t status = RXD_DD | RXD_EOP;
	const uint8_t *bytes = data;

	if (!(rctl & RCTL_EN) || !(REG(nic, E1000E_STATUS) & STATUS_LU))
		return false;
	if (len < 60 || len > 1518) {
		REG(nic, len < 60 ? E1000E_RUC : E1000E_ROC)++;
		return false;
	}
	if (!fake_rx_wanted(nic, data))
		return false;
	desc = fake_rx_desc(nic);
	if (!desc) {
		REG(nic, E1000E_MPC)++;
		fake_raise(nic, CAUSE_RXO);
		return false;
	}
	if (!(rctl & RCTL_SECRC))
		fake_fault(nic, "FCS is not stripped");
	if (rctl >> 16 & 3 || rctl & 1u << 25)
		fake_fault(nic, "buffers of another size");
	if (!(REG(nic, E1000E_RFCTL) & RFCTL_EXTEN))
		fake_fault(nic, "legacy receive descriptors");
	memcpy(fake_memory(desc->address), data, len);
	if ((REG(nic, E1000E_RXCSUM) & RXCSUM_TUOFLD) && bytes[12] == 8 &&
	    bytes[13] == 0 && (bytes[23] == 6 || bytes[23] == 17)) {
		status |= RXD_IPCS | RXD_L4CS;
		if (!fake_82574_l4_good(data, len))
			status |= RXD_L4E;
	}
	return fake_82574_write_back(nic, status, (uint16_t)len);
}

/* Registers: 10.2. */

static void fake_load_nvm(struct fake_82574 *nic)
{
	memset(&REG(nic, E1000E_RAL(0)), 0, 8 * RAR_COUNT);
	if (nic->no_rar)
		return;
	memcpy(&REG(nic, E1000E_RAL(0)), nic->nvm_mac, 4);
	memcpy(&REG(nic, E1000E_RAH(0)), nic->nvm_mac + 4, 2);
	REG(nic, E1000E_RAH(0)) |= RAH_AV;
}

static void fake_reset(struct fake_82574 *nic)
{
	uint32_t link = REG(nic, E1000E_STATUS);
	uint32_t stats[(STATS_END - E1000E_CRCERRS) / 4];

	if ((REG(nic, E1000E_RCTL) & RCTL_EN) ||
	    (REG(nic, E1000E_TCTL) & TCTL_EN))
		fake_fault(nic, "reset while receiving or sending");
	/* Statistics are said to be cleared by reading only (4.6.4). */
	memcpy(stats, &REG(nic, E1000E_CRCERRS), sizeof(stats));
	memset(nic->regs, 0, sizeof(nic->regs));
	memcpy(&REG(nic, E1000E_CRCERRS), stats, sizeof(stats));
	REG(nic, E1000E_STATUS) = link | STATUS_GIO_MASTER_ENABLE;
	REG(nic, E1000E_EECD) = nic->nvm_stuck ? 0 : EECD_AUTO_RD;
	REG(nic, E1000E_CTRL) = nic->reset_stuck ? CTRL_RST : 0;
	fake_load_nvm(nic);
	nic->told = 0;
	nic->context_loaded = false;
	nic->gather_len = 0;
	nic->resets++;
	nic->master_stuck = false;
}

static void fake_read_nvm(struct fake_82574 *nic, uint32_t value)
{
	unsigned word = value >> 2 & 0x3fff;

	if (!(value & EERD_START) || word > 2) {
		fake_fault(nic, "NVM access");
		return;
	}
	REG(nic, E1000E_EERD) = (value & ~EERD_START) |
				(uint32_t)nic->nvm_mac[2 * word] << 16 |
				(uint32_t)nic->nvm_mac[2 * word + 1] << 24 |
				(nic->nvm_stuck ? 0 : EERD_DONE);
}

static uint32_t fake_read32(void *device, uint32_t offset)
{
	struct fake_82574 *nic = device;
	uint32_t value;

	if (nic->gone)
		return ~0u;
	if (offset & 3 || offset >= sizeof(nic->regs)) {
		fake_fault(nic, "read outside of BAR 0");
		return ~0u;
	}
	value = nic->regs[offset / 4];
	if (offset == E1000E_ICR) {
		/* 10.2.4.7 */
		if (REG(nic, E1000E_EIAC))
			fake_fault(nic, "ICR read with EIAC in use");
		REG(nic, E1000E_ICR) = 0;
	} else if (offset >= E1000E_CRCERRS && offset < STATS_END) {
		nic->regs[offset / 4] = 0;
	}
	return value;
}

static void fake_write_ctrl(struct fake_82574 *nic, uint32_t value)
{
	if (value & CTRL_RST) {
		fake_reset(nic);
		return;
	}
	REG(nic, E1000E_CTRL) = value;
	if ((value & CTRL_GIO_MASTER_DISABLE) && !nic->master_stuck)
		REG(nic, E1000E_STATUS) &= ~STATUS_GIO_MASTER_ENABLE;
	else
		REG(nic, E1000E_STATUS) |= STATUS_GIO_MASTER_ENABLE;
}

static void fake_write32(void *device, uint32_t offset, uint32_t value)
{
	struct fake_82574 *nic = device;

	if (nic->gone)
		return;
	if (offset & 3 || offset >= sizeof(nic->regs)) {
		fake_fault(nic, "write outside of BAR 0");
		return;
	}
	if (nic->log_count < FAKE_LOG_MAX)
		nic->log[nic->log_count++] = (struct fake_write){offset, value};
	switch (offset) {
	case E1000E_CTRL:
		fake_write_ctrl(nic, value);
		break;
	case E1000E_STATUS:
	case E1000E_EECD:
		break;
	case E1000E_EERD:
		fake_read_nvm(nic, value);
		break;
	case E1000E_ICR:
		REG(nic, E1000E_ICR) &= ~value;
		nic->told &= ~value;
		fake_update_irq(nic);
		break;
	case E1000E_ICS:
		fake_raise(nic, value);
		break;
	case E1000E_IMS:
		REG(nic, E1000E_IMS) |= value;
		fake_update_irq(nic);
		break;
	case E1000E_IMC:
		REG(nic, E1000E_IMS) &= ~value;
		break;
	case E1000E_RDLEN:
	case E1000E_TDLEN:
		if (value % 128)
			fake_fault(nic, "ring length");
		nic->regs[offset / 4] = value;
		break;
	case E1000E_RDT:
	case E1000E_TDT:
		if (value &&
		    value >= REG(nic, offset == E1000E_RDT ? E1000E_RDLEN
							   : E1000E_TDLEN) /
				     16)
			fake_fault(nic, "tail outside of the ring");
		nic->regs[offset / 4] = value;
		if (offset == E1000E_TDT && !nic->hold_tx)
			fake_82574_send(nic, ~0u);
		break;
	case E1000E_TXDCTL:
		if (!(value & TXDCTL_MUST_BE_1))
			fake_fault(nic, "TXDCTL bit 22 is 0");
		nic->regs[offset / 4] = value;
		break;
	default:
		nic->regs[offset / 4] = value;
	}
}

static const struct mmio_hooks fake_hooks = {
	.read32 = fake_read32,
	.write32 = fake_write32,
};

/* As after power-on and a boot ROM that left it sending and receiving. */
void fake_82574_init(struct fake_82574 *nic, const uint8_t *mac)
{
	memset(nic, 0, sizeof(*nic));
	memcpy(nic->nvm_mac, mac, ETH_ADDR_LEN);
	REG(nic, E1000E_STATUS) =
		STATUS_FD | STATUS_LU | 2u << 6 | STATUS_GIO_MASTER_ENABLE;
	REG(nic, E1000E_EECD) = EECD_AUTO_RD;
	REG(nic, E1000E_RCTL) = RCTL_EN | RCTL_UPE;
	REG(nic, E1000E_TCTL) = TCTL_EN;
	REG(nic, E1000E_IMS) = ~0u;
	fake_load_nvm(nic);
}

struct netdev_resources fake_82574_resources(struct fake_82574 *nic)
{
	return (struct netdev_resources){
		.regs = {.hooks = &fake_hooks,
			 .device = nic,
			 .size = sizeof(nic->regs)},
		.vendor = 0x8086,
		.device = 0x10d3,
	};
}

void fake_82574_set_link(struct fake_82574 *nic, bool up)
{
	if (up)
		REG(nic, E1000E_STATUS) |= STATUS_LU;
	else
		REG(nic, E1000E_STATUS) &= ~STATUS_LU;
	fake_raise(nic, CAUSE_LSC);
}

int fake_82574_find_write(const struct fake_82574 *nic, unsigned from,
			  uint32_t offset)
{
	for (unsigned i = from; i < nic->log_count; i++) {
		if (nic->log[i].offset == offset)
			return (int)i;
	}
	return -1;
}
