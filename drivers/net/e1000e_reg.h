/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Registers and descriptors of the Intel 82574L. */
#ifndef DRIVERS_NET_E1000E_REG_H
#define DRIVERS_NET_E1000E_REG_H

#include "lib/types.h"

/*
 * Section numbers are those of the "Intel 82574 GbE Controller Family
 * Datasheet", order number 317694, revision 3.4.
 */
#define E1000E_VENDOR	     0x8086
#define E1000E_DEVICE_82574L 0x10d3
#define E1000E_REGS_SIZE     0x20000 /* BAR 0 */

/* clang-format off */

/* General (10.2.2) */
#define E1000E_CTRL	0x00000 /* 10.2.2.1 */
#define   CTRL_FD			(1u << 0)
#define   CTRL_GIO_MASTER_DISABLE	(1u << 2)
#define   CTRL_ASDE			(1u << 5)  /* must be 0 */
#define   CTRL_SLU			(1u << 6)
#define   CTRL_ILOS			(1u << 7)  /* must be 0 */
#define   CTRL_FRCSPD			(1u << 11)
#define   CTRL_FRCDPLX			(1u << 12)
#define   CTRL_RST			(1u << 26) /* self-clearing */
#define   CTRL_RFCE			(1u << 27)
#define   CTRL_TFCE			(1u << 28)
#define   CTRL_VME			(1u << 30)
#define   CTRL_PHY_RST			(1u << 31)
#define E1000E_STATUS	0x00008 /* 10.2.2.2 */
#define   STATUS_FD			(1u << 0)
#define   STATUS_LU			(1u << 1)
#define   STATUS_SPEED(status)		((status) >> 6 & 3)
#define   STATUS_GIO_MASTER_ENABLE	(1u << 19)
#define E1000E_EECD	0x00010 /* 10.2.2.3 */
#define   EECD_AUTO_RD			(1u << 9) /* NVM has been read */
#define E1000E_EERD	0x00014 /* 10.2.2.4 */
#define   EERD_START			(1u << 0)
#define   EERD_DONE			(1u << 1)
#define   EERD_ADDRESS(word)		((uint32_t)(word) << 2)
#define   EERD_DATA(eerd)		((uint16_t)((eerd) >> 16))
#define E1000E_CTRL_EXT	0x00018 /* 10.2.2.5 */
#define   CTRL_EXT_TX_LS_FLOW		(1u << 22)
#define   CTRL_EXT_TX_LS		(1u << 23)
#define   CTRL_EXT_EIAME		(1u << 24)
#define   CTRL_EXT_IAME			(1u << 27)
#define   CTRL_EXT_DRV_LOAD		(1u << 28)
#define   CTRL_EXT_PBA_SUPPORT		(1u << 31)

/* PCIe (10.2.3) */
#define E1000E_GCR	0x05b00
#define   GCR_ERRATUM			(1u << 22)
#define E1000E_GCR2	0x05b64
#define   GCR2_ERRATUM			(1u << 0)

/* Interrupts (10.2.4); the causes are those of ICR, ICS, IMS, IMC, EIAC
 * and IAM alike */
#define E1000E_ICR	0x000c0 /* 10.2.4.1 */
#define E1000E_ICS	0x000c8 /* 10.2.4.4 */
#define E1000E_IMS	0x000d0 /* 10.2.4.5 */
#define E1000E_IMC	0x000d8 /* 10.2.4.6 */
#define E1000E_EIAC	0x000dc /* 10.2.4.7 */
#define E1000E_IAM	0x000e0 /* 10.2.4.8 */
#define   CAUSE_LSC			(1u << 2)
#define   CAUSE_RXO			(1u << 6)
#define   CAUSE_MDAC			(1u << 9)
#define   CAUSE_SRPD			(1u << 16)
#define   CAUSE_ACK			(1u << 17)
#define   CAUSE_MNG			(1u << 18)
#define   CAUSE_RXQ0			(1u << 20)
#define   CAUSE_TXQ0			(1u << 22)
#define   CAUSE_OTHER			(1u << 24)
#define E1000E_IVAR	0x000e4 /* 10.2.4.9 */
#define   IVAR_VALID			8u
#define   IVAR_RXQ0(vector)		((IVAR_VALID | (vector)) << 0)
#define   IVAR_TXQ0(vector)		((IVAR_VALID | (vector)) << 8)
#define   IVAR_OTHER(vector)		((IVAR_VALID | (vector)) << 16)
#define   IVAR_TX_EVERY_WRITE_BACK	(1u << 31)
#define E1000E_EITR(n)	(0x000e8 + 4 * (n)) /* 10.2.4.2 */
#define   EITR_UNIT_NS			256
#define   EITR_MAX			0xffff

/* Receive (10.2.5) */
#define E1000E_RCTL	0x00100 /* 10.2.5.1 */
#define   RCTL_EN			(1u << 1)
#define   RCTL_UPE			(1u << 3)
#define   RCTL_MPE			(1u << 4)
#define   RCTL_LPE			(1u << 5)
#define   RCTL_BAM			(1u << 15)
#define   RCTL_BSIZE_2048		(0u << 16) /* with BSEX 0 */
#define   RCTL_SECRC			(1u << 26)
#define E1000E_RDBAL	0x02800
#define E1000E_RDBAH	0x02804
#define E1000E_RDLEN	0x02808
#define E1000E_RDH	0x02810
#define E1000E_RDT	0x02818
#define E1000E_RDTR	0x02820 /* 10.2.5.10 */
#define E1000E_RXDCTL	0x02828 /* 10.2.5.11 */
#define   RXDCTL_PTHRESH(n)		((n) << 0)
#define   RXDCTL_HTHRESH(n)		((n) << 8)
#define   RXDCTL_WTHRESH(n)		((n) << 16)
#define   RXDCTL_GRAN			(1u << 24)
#define E1000E_RADV	0x0282c
#define E1000E_RSRPD	0x02c00
#define E1000E_RXCSUM	0x05000
#define   RXCSUM_IPOFLD			(1u << 8)
#define   RXCSUM_TUOFLD			(1u << 9)
#define E1000E_RFCTL	0x05008
#define   RFCTL_ISCSI_DIS		(1u << 0)
#define   RFCTL_NFSW_DIS		(1u << 6)
#define   RFCTL_NFSR_DIS		(1u << 7)
#define   RFCTL_ACK_DIS			(1u << 12)
#define   RFCTL_EXTEN			(1u << 15)
#define E1000E_MTA(n)	(0x05200 + 4 * (n)) /* 10.2.5.21 */
#define   MTA_COUNT			128
#define E1000E_RAL(n)	(0x05400 + 8 * (n)) /* 10.2.5.22 */
#define E1000E_RAH(n)	(0x05404 + 8 * (n)) /* 10.2.5.23 */
#define   RAH_AV			(1u << 31)
#define   RAR_COUNT			16
#define E1000E_MRQC	0x05818

/* Transmit (10.2.6) */
#define E1000E_TCTL	0x00400 /* 10.2.6.1 */
#define   TCTL_EN			(1u << 1)
#define   TCTL_PSP			(1u << 3)
#define   TCTL_CT(n)			((n) << 4)
#define   TCTL_CT_MASK			TCTL_CT(0xffu)
#define   TCTL_COLD(n)			((n) << 12)
#define   TCTL_COLD_MASK		TCTL_COLD(0x3ffu)
#define E1000E_TIPG	0x00410 /* 10.2.6.2 */
#define   TIPG_IPGT(n)			((n) << 0)
#define   TIPG_IPGR1(n)			((n) << 10)
#define   TIPG_IPGR2(n)			((n) << 20)
#define E1000E_TDBAL	0x03800
#define E1000E_TDBAH	0x03804
#define E1000E_TDLEN	0x03808
#define E1000E_TDH	0x03810
#define E1000E_TDT	0x03818
#define E1000E_TIDV	0x03820
#define E1000E_TXDCTL	0x03828 /* 10.2.6.11 */
#define   TXDCTL_PTHRESH(n)		((n) << 0)
#define   TXDCTL_HTHRESH(n)		((n) << 8)
#define   TXDCTL_WTHRESH(n)		((n) << 16)
#define   TXDCTL_MUST_BE_1		(1u << 22)
#define   TXDCTL_GRAN			(1u << 24)
#define E1000E_TARC0	0x03840
#define   TARC0_ERRATUM			(1u << 26)

/* Statistics (10.2.7): cleared by reading */
#define E1000E_CRCERRS	0x04000
#define E1000E_ALGNERRC	0x04004
#define E1000E_RXERRC	0x0400c
#define E1000E_MPC	0x04010
#define E1000E_RUC	0x040a4 /* undersize */
#define E1000E_RFC	0x040a8 /* undersize, bad CRC */
#define E1000E_ROC	0x040ac /* oversize */
#define E1000E_RJC	0x040b0 /* oversize, bad CRC */

/*
 * Extended receive descriptor (7.1.4). Software writes the buffer's address
 * and zeroes the rest; the NIC overwrites all of it, address included, and
 * status, errors and length share one aligned quadword, so one load sees them
 * as they were written together.
 */
struct e1000e_rx_desc {
	uint64_t address; /* written back: MRQ, IP identification, checksum */
	uint64_t report;  /* 31:0 status and errors, 47:32 length, 63:48 VLAN */
};
_Static_assert(sizeof(struct e1000e_rx_desc) == 16, "7.1.4");

#define RXD_DD		(1u << 0)
#define RXD_EOP		(1u << 1)
#define RXD_IXSM	(1u << 2)
#define RXD_L4CS	(1u << 5)
#define RXD_IPCS	(1u << 6)
#define RXD_CE		(1u << 24) /* CRC or alignment */
#define RXD_SE		(1u << 25) /* symbol */
#define RXD_SEQ		(1u << 26) /* sequence */
#define RXD_CXE		(1u << 28) /* carrier extension */
#define RXD_L4E		(1u << 29)
#define RXD_IPE		(1u << 30)
#define RXD_RXE		(1u << 31) /* data */
/* The frame's bytes are wrong; a wrong checksum is for the guest to judge. */
#define RXD_BAD_FRAME	(RXD_CE | RXD_SE | RXD_SEQ | RXD_CXE | RXD_RXE)
#define RXD_LENGTH(report) ((uint32_t)((report) >> 32) & 0xffff)

/*
 * Transmit descriptors, extended kinds (7.2.10.2 context, 7.2.10.3 data), as
 * the two quadwords that they are.
 */
struct e1000e_tx_desc {
	uint64_t low;	/* context: checksum offsets; data: buffer address */
	uint64_t high;	/* length, type, command, status, options */
};
_Static_assert(sizeof(struct e1000e_tx_desc) == 16, "7.2.10");

#define TXC_IPCSS(start)	((uint64_t)(start) << 0)
#define TXC_IPCSO(offset)	((uint64_t)(offset) << 8)
#define TXC_IPCSE(end)		((uint64_t)(end) << 16) /* last byte */
#define TXC_TUCSS(start)	((uint64_t)(start) << 32)
#define TXC_TUCSO(offset)	((uint64_t)(offset) << 40)
#define TXC_TUCSE_WHOLE_FRAME	0 /* sum to the end of the frame */
#define TXC_PAYLEN(len)		((uint64_t)(len) << 0) /* without headers */
#define TXC_TCP			(1ull << 24)
#define TXC_IPV4		(1ull << 25)
#define TXC_HDRLEN(len)		((uint64_t)(len) << 40)
#define TXC_MSS(len)		((uint64_t)(len) << 48)
#define TXD_TYPE_DATA		(1ull << 20)
#define TXD_EOP			(1ull << 24)
#define TXD_IFCS		(1ull << 25)
#define TXD_TSE			(1ull << 26) /* context and data */
#define TXD_RS			(1ull << 27)
#define TXD_DEXT		(1ull << 29)
#define TXD_DD			(1ull << 32)
#define TXD_POPTS_IXSM		(1ull << 40)
#define TXD_POPTS_TXSM		(1ull << 41)

/* clang-format on */

#endif
