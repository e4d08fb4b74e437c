/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Binary configuration, version 1: written by tools/, read by the kernel. */
#ifndef SLUICE_CONFIG_H
#define SLUICE_CONFIG_H

#include <stdint.h>

/*
 * Little endian, naturally aligned. The header is followed by the tables in
 * the order of its counts, then by the string area. Everything is re-checked
 * by lib/bundle.c before use, in the kernel as in the tools.
 */
#define SLUICE_CONFIG_MAGIC   0x47464353u /* "SCFG" */
#define SLUICE_CONFIG_VERSION 1

#define SLUICE_NAME_SIZE      32 /* with the closing NUL; [a-z0-9_-], not empty */
#define SLUICE_CMDLINE_MAX    2047
#define SLUICE_VMS_MAX	      64
#define SLUICE_UPLINKS_MAX    8
#define SLUICE_NICS_MAX	      8 /* for each VM */
#define SLUICE_VCPUS_MAX      16
#define SLUICE_MACS_MAX	      15 /* allow_macs of one NIC */
#define SLUICE_NO_PAYLOAD     0xffffffffu
#define SLUICE_MEMORY_MIN     (16ull << 20)
#define SLUICE_MEMORY_ALIGN   (2ull << 20)
#define SLUICE_MEMORY_MAX     (1ull << 40) /* a VM; sums cannot overflow */

struct sluice_config {
	uint32_t magic;
	uint32_t version;
	uint32_t size; /* of everything: header, tables, strings */
	uint32_t uplink_count;
	uint32_t vm_count;
	uint32_t nic_count;    /* of all VMs */
	uint32_t mac_count;    /* of all NICs' allow_macs */
	uint32_t strings_size; /* bytes; each string ends in NUL */
	uint32_t log_level;    /* enum log_level: 0 error to 3 debug */
	uint32_t reserved[7];  /* zero */
};

enum sluice_match {
	SLUICE_MATCH_ANY = 0, /* the first NIC that no other uplink names */
	SLUICE_MATCH_MAC = 1,
	SLUICE_MATCH_PCI = 2, /* segment 0, bus << 8 | device << 3 | function */
};

struct sluice_uplink {
	char name[SLUICE_NAME_SIZE];
	uint32_t match; /* enum sluice_match */
	uint16_t pci;
	uint8_t mac[6];
	uint32_t reserved;
};

struct sluice_vm {
	char name[SLUICE_NAME_SIZE];
	uint32_t cpus;
	uint32_t kernel;  /* payload index */
	uint32_t initrd;  /* payload index or SLUICE_NO_PAYLOAD */
	uint32_t cmdline; /* offset in the string area */
	uint64_t memory;  /* bytes, a multiple of SLUICE_MEMORY_ALIGN */
	uint32_t first_nic;
	uint32_t nic_count;
};

enum sluice_nic_flags {
	SLUICE_NIC_PROMISCUOUS = 1 << 0
};

struct sluice_nic {
	uint32_t uplink; /* index: the network it is on */
	uint32_t flags;	 /* enum sluice_nic_flags */
	uint8_t mac[6];
	uint16_t mac_count; /* allow_macs */
	uint32_t first_mac; /* index in the MAC table */
	uint32_t reserved;
};

struct sluice_mac {
	uint8_t addr[6];
	uint8_t reserved[2];
};

_Static_assert(sizeof(struct sluice_config) == 64, "ABI");
_Static_assert(sizeof(struct sluice_uplink) == 48, "ABI");
_Static_assert(sizeof(struct sluice_vm) == 64, "ABI");
_Static_assert(sizeof(struct sluice_nic) == 24, "ABI");
_Static_assert(sizeof(struct sluice_mac) == 8, "ABI");

#endif
