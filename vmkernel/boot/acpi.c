/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the firmware's ACPI tables say of this machine. */
#include "vmkernel/boot/acpi.h"

#include <linux/errno.h>
#include <string.h>

/* ACPI 6.4, 5.2. Multi-byte fields may be anywhere: packed. */
struct acpi_rsdp {
	char signature[8];
	uint8_t checksum; /* of the first 20 bytes */
	char oem[6];
	uint8_t revision; /* 2 and up: what follows is there */
	uint32_t rsdt;
	uint32_t length;
	uint64_t xsdt;
	uint8_t checksum_all;
	uint8_t reserved[3];
} PACKED;
_Static_assert(sizeof(struct acpi_rsdp) == 36, "ACPI 6.4, 5.2.5.3");

#define RSDP_V1_SIZE 20

struct acpi_header {
	char signature[4];
	uint32_t length;
	uint8_t revision, checksum;
	char oem[6], oem_table[8];
	uint32_t oem_revision, creator, creator_revision;
} PACKED;
_Static_assert(sizeof(struct acpi_header) == 36, "ACPI 6.4, 5.2.6");

/* Generic address structure, 5.2.3.2. */
struct acpi_gas {
	uint8_t space, width, offset, access;
	uint64_t address;
} PACKED;
_Static_assert(sizeof(struct acpi_gas) == 12, "ACPI 6.4, 5.2.3.2");

#define GAS_MEMORY	   0
#define GAS_IO		   1

/* MADT, 5.2.12: entries after the header and two words. */
#define MADT_ENTRIES	   44
#define MADT_LAPIC	   0
#define MADT_IOAPIC	   1
#define MADT_OVERRIDE	   2
#define MADT_X2APIC	   9
#define LAPIC_ENABLED	   (1u << 0)
#define XAPIC_ID_LIMIT	   0xff /* that one means "all" */

/* FADT, 5.2.9: offsets, as its length varies with its age. */
#define FADT_DSDT	   40
#define FADT_SMI_CMD	   48
#define FADT_ACPI_ENABLE   52
#define FADT_PM1A_CNT	   64
#define FADT_PM1B_CNT	   68
#define FADT_PM_TMR	   76
#define FADT_FLAGS	   112
#define FADT_RESET_REG	   116
#define FADT_RESET_VALUE   128
#define FADT_X_DSDT	   140
#define FADT_X_PM1A_CNT	   172
#define FADT_X_PM1B_CNT	   184
#define FADT_X_PM_TMR	   208
#define FADT_SLEEP_CONTROL 244
#define FADT_RESET_REG_SUP (1u << 10)
#define FADT_HW_REDUCED	   (1u << 20)

#define MCFG_ENTRIES	   44
#define HPET_ADDRESS	   40
#define ACPI_TABLE_MAX	   MiB(16)
#define BIOS_AREA	   0xe0000
#define BIOS_AREA_SIZE	   0x20000

static struct acpi_info acpi;

const struct acpi_info *acpi_info(void)
{
	return &acpi;
}

static bool acpi_sum_ok(const void *data, uint64_t size)
{
	const uint8_t *bytes = data;
	uint8_t sum = 0;

	for (uint64_t i = 0; i < size; i++)
		sum += bytes[i];
	return sum == 0;
}

static uint64_t acpi_get(const struct acpi_header *table, uint32_t offset,
			 uint32_t size)
{
	uint64_t value = 0;

	/* What an older, shorter table lacks is zero. */
	if (offset <= table->length && size <= table->length - offset)
		memcpy(&value, (const uint8_t *)table + offset, size);
	return value;
}

/* A whole table, checked; NULL, logged, if it is none. */
static const struct acpi_header *acpi_table(hpa_t pa)
{
	const struct acpi_header *h = acpi_map(pa, sizeof(*h));
	uint32_t length;

	if (!h)
		return NULL;
	length = h->length;
	if (length < sizeof(*h) || length > ACPI_TABLE_MAX) {
		log_warn("acpi", "table at 0x%lx is %u bytes long: left out",
			 pa.v, length);
		return NULL;
	}
	h = acpi_map(pa, length);
	if (!h)
		return NULL;
	if (!acpi_sum_ok(h, length)) {
		log_warn("acpi", "table %.4s has a wrong checksum: left out",
			 h->signature);
		return NULL;
	}
	return h;
}

static bool acpi_is_rsdp(const void *at)
{
	return !memcmp(at, "RSD PTR ", 8) && acpi_sum_ok(at, RSDP_V1_SIZE);
}

/* 5.2.5.1: on a 16-byte boundary of the BIOS's read-only area. */
static const struct acpi_rsdp *acpi_search_rsdp(void)
{
	const uint8_t *area = acpi_map(HPA(BIOS_AREA), BIOS_AREA_SIZE);

	for (uint32_t at = 0;
	     area && at + sizeof(struct acpi_rsdp) <= BIOS_AREA_SIZE; at += 16)
		if (acpi_is_rsdp(area + at))
			return (const void *)(area + at);
	return NULL;
}

static void acpi_add_cpu(uint32_t id, uint32_t flags)
{
	if (!(flags & LAPIC_ENABLED))
		return;
	/* Some firmware lists a CPU in both forms. */
	for (unsigned i = 0; i < acpi.cpu_count; i++)
		if (acpi.cpu_apic_ids[i] == id)
			return;
	if (id >= XAPIC_ID_LIMIT || acpi.cpu_count == PLAT_CPUS_MAX) {
		log_warn("acpi", "CPU with APIC id %u is not used", id);
		return;
	}
	acpi.cpu_apic_ids[acpi.cpu_count++] = id;
}

static void acpi_add_ioapic(const struct acpi_header *madt, uint32_t at)
{
	if (acpi.ioapic_count == ACPI_IOAPICS_MAX) {
		log_warn("acpi", "more than %u I/O APICs: one is not used",
			 ACPI_IOAPICS_MAX);
		return;
	}
	acpi.ioapics[acpi.ioapic_count++] = (struct acpi_ioapic){
		.base = HPA(acpi_get(madt, at + 4, 4)),
		.gsi_base = (uint32_t)acpi_get(madt, at + 8, 4),
	};
}

static void acpi_add_override(const struct acpi_header *madt, uint32_t at)
{
	if (acpi.override_count == ACPI_OVERRIDES_MAX)
		return; /* there are 16 ISA interrupts */
	acpi.overrides[acpi.override_count++] = (struct acpi_override){
		.isa_irq = (uint8_t)acpi_get(madt, at + 3, 1),
		.gsi = (uint32_t)acpi_get(madt, at + 4, 4),
		.flags = (uint16_t)acpi_get(madt, at + 8, 2),
	};
}

static void acpi_parse_madt(const struct acpi_header *madt)
{
	uint32_t at = MADT_ENTRIES;

	while (at + 2 <= madt->length) {
		uint8_t type = (uint8_t)acpi_get(madt, at, 1);
		uint8_t length = (uint8_t)acpi_get(madt, at + 1, 1);

		if (length < 2 || length > madt->length - at) {
			log_warn("acpi", "MADT ends in a broken entry");
			return;
		}
		/* 5.2.12.2 and on: type, and the length it must have. */
		if (type == MADT_LAPIC && length >= 8)
			acpi_add_cpu((uint32_t)acpi_get(madt, at + 3, 1),
				     (uint32_t)acpi_get(madt, at + 4, 4));
		else if (type == MADT_X2APIC && length >= 16)
			acpi_add_cpu((uint32_t)acpi_get(madt, at + 4, 4),
				     (uint32_t)acpi_get(madt, at + 8, 4));
		else if (type == MADT_IOAPIC && length >= 12)
			acpi_add_ioapic(madt, at);
		else if (type == MADT_OVERRIDE && length >= 10)
			acpi_add_override(madt, at);
		at += length;
	}
}

/* PCI Firmware Specification 3.3, 4.1.2. */
static void acpi_parse_mcfg(const struct acpi_header *mcfg)
{
	for (uint32_t at = MCFG_ENTRIES; at + 16 <= mcfg->length; at += 16) {
		struct acpi_ecam ecam = {
			.base = HPA(acpi_get(mcfg, at, 8)),
			.segment = (uint16_t)acpi_get(mcfg, at + 8, 2),
			.first_bus = (uint8_t)acpi_get(mcfg, at + 10, 1),
			.last_bus = (uint8_t)acpi_get(mcfg, at + 11, 1),
		};

		if (!ecam.base.v || ecam.first_bus > ecam.last_bus ||
		    acpi.ecam_count == ACPI_ECAMS_MAX) {
			log_warn("acpi", "an MCFG entry is not used");
			continue;
		}
		acpi.ecams[acpi.ecam_count++] = ecam;
	}
}

/* A register block in its 32-bit field, or in the wider one that overrides it;
 * as a port. */
static uint16_t acpi_port(const struct acpi_header *fadt, uint32_t offset,
			  uint32_t wide_offset)
{
	uint64_t space = acpi_get(fadt, wide_offset, 1);
	uint64_t port = acpi_get(fadt, wide_offset + 4, 8);

	if (!port || space != GAS_IO)
		port = acpi_get(fadt, offset, 4);
	return port <= UINT16_MAX ? (uint16_t)port : 0;
}

static struct acpi_register acpi_register(const struct acpi_header *fadt,
					  uint32_t offset)
{
	uint64_t space = acpi_get(fadt, offset, 1);
	uint64_t address = acpi_get(fadt, offset + 4, 8);

	if (space == GAS_MEMORY)
		return (struct acpi_register){address, true};
	if (space == GAS_IO && address <= UINT16_MAX)
		return (struct acpi_register){address, false};
	return (struct acpi_register){0};
}

/* An integer of AML (20.2.3); -1: this is none, or too large. */
static int acpi_aml_byte(const uint8_t *aml, uint32_t size, uint32_t *at)
{
	uint32_t bytes;

	if (*at >= size)
		return -1;
	switch (aml[(*at)++]) {
	case 0x00: /* ZeroOp */
		return 0;
	case 0x01: /* OneOp */
		return 1;
	case 0x0a: /* BytePrefix */
		bytes = 1;
		break;
	case 0x0b: /* WordPrefix */
		bytes = 2;
		break;
	case 0x0c: /* DWordPrefix */
		bytes = 4;
		break;
	default:
		return -1;
	}
	if (bytes > size - *at)
		return -1;
	*at += bytes;
	return aml[*at - bytes];
}

/*
 * \_S5 is a package whose first two elements are the SLP_TYP values for PM1a
 * and PM1b (7.4.2). Reading it by the book takes an AML interpreter; but
 * compilers emit it as Name (_S5, Package {integers}), so its bytes can be
 * looked for, as Xen and seL4 do.
 */
static void acpi_find_s5(const struct acpi_header *table)
{
	const uint8_t *aml = (const uint8_t *)table;
	uint32_t size = table->length;

	for (uint32_t i = sizeof(*table) + 1; i + 4 < size; i++) {
		uint32_t at = i + 4;
		int a, b;

		/* NameOp, perhaps with a root prefix; then PackageOp. */
		if (memcmp(aml + i, "_S5_", 4) ||
		    (aml[i - 1] != 0x08 &&
		     (aml[i - 1] != '\\' || aml[i - 2] != 0x08)) ||
		    aml[at] != 0x12)
			continue;
		at++;
		if (at >= size)
			return;
		/* PkgLength: bits 7:6 say how many bytes follow (20.2.4);
		 * then the number of elements. */
		at += 1 + (aml[at] >> 6) + 1;
		a = acpi_aml_byte(aml, size, &at);
		b = acpi_aml_byte(aml, size, &at);
		if (a < 0 || a > 7)
			continue;
		acpi.has_s5 = true;
		acpi.s5_a = (uint8_t)a;
		/* Some leave the second out where there is no PM1b. */
		acpi.s5_b = (uint8_t)(b >= 0 && b <= 7 ? b : a);
		return;
	}
}

static void acpi_parse_fadt(const struct acpi_header *fadt)
{
	uint32_t flags = (uint32_t)acpi_get(fadt, FADT_FLAGS, 4);
	uint64_t dsdt = acpi_get(fadt, FADT_X_DSDT, 8);
	const struct acpi_header *table;

	if (flags & FADT_HW_REDUCED) {
		/* 4.1: the PM1 registers do not exist. */
		acpi.sleep = acpi_register(fadt, FADT_SLEEP_CONTROL);
	} else {
		acpi.pm1a_port =
			acpi_port(fadt, FADT_PM1A_CNT, FADT_X_PM1A_CNT);
		acpi.pm1b_port =
			acpi_port(fadt, FADT_PM1B_CNT, FADT_X_PM1B_CNT);
		acpi.pm_timer_port =
			acpi_port(fadt, FADT_PM_TMR, FADT_X_PM_TMR);
		acpi.smi_port = (uint16_t)acpi_get(fadt, FADT_SMI_CMD, 4);
		acpi.smi_enable = (uint8_t)acpi_get(fadt, FADT_ACPI_ENABLE, 1);
	}
	if (flags & FADT_RESET_REG_SUP) {
		acpi.reset = acpi_register(fadt, FADT_RESET_REG);
		acpi.reset_value = (uint8_t)acpi_get(fadt, FADT_RESET_VALUE, 1);
	}
	if (!dsdt)
		dsdt = acpi_get(fadt, FADT_DSDT, 4);
	table = dsdt ? acpi_table(HPA(dsdt)) : NULL;
	if (table && !memcmp(table->signature, "DSDT", 4))
		acpi_find_s5(table);
}

static void acpi_parse(const struct acpi_header *table)
{
	if (!memcmp(table->signature, "APIC", 4) && !acpi.cpu_count)
		acpi_parse_madt(table);
	else if (!memcmp(table->signature, "FACP", 4))
		acpi_parse_fadt(table);
	else if (!memcmp(table->signature, "MCFG", 4))
		acpi_parse_mcfg(table);
	else if (!memcmp(table->signature, "HPET", 4) &&
		 acpi_get(table, HPET_ADDRESS, 1) == GAS_MEMORY)
		acpi.hpet = HPA(acpi_get(table, HPET_ADDRESS + 4, 8));
	else if (!memcmp(table->signature, "SSDT", 4) && !acpi.has_s5)
		acpi_find_s5(table);
}

int acpi_init(hpa_t rsdp_pa)
{
	const struct acpi_rsdp *rsdp;
	const struct acpi_header *root = NULL;
	uint32_t entry_size = 8;

	acpi = (struct acpi_info){0};
	rsdp = rsdp_pa.v ? acpi_map(rsdp_pa, sizeof(*rsdp))
			 : acpi_search_rsdp();
	if (!rsdp || !acpi_is_rsdp(rsdp)) {
		log_error("acpi", "the firmware has no ACPI root pointer");
		return -ENOENT;
	}
	if (rsdp->revision >= 2 && rsdp->xsdt &&
	    acpi_sum_ok(rsdp, sizeof(*rsdp))) {
		root = acpi_table(HPA(rsdp->xsdt));
		if (root && memcmp(root->signature, "XSDT", 4))
			root = NULL;
	}
	if (!root) {
		root = rsdp->rsdt ? acpi_table(HPA(rsdp->rsdt)) : NULL;
		entry_size = 4;
		if (root && memcmp(root->signature, "RSDT", 4))
			root = NULL;
	}
	if (!root) {
		log_error("acpi", "the firmware's ACPI root table is broken");
		return -EINVAL;
	}
	for (uint32_t at = sizeof(*root); at + entry_size <= root->length;
	     at += entry_size) {
		uint64_t pa = acpi_get(root, at, entry_size);
		const struct acpi_header *table =
			pa ? acpi_table(HPA(pa)) : NULL;

		if (table)
			acpi_parse(table);
	}
	if (!acpi.cpu_count || !acpi.ioapic_count) {
		log_error("acpi", "the firmware lists no %s",
			  acpi.cpu_count ? "I/O APIC" : "CPU");
		return -ENOENT;
	}
	log_info("acpi", "%u CPUs, %u I/O APICs, power-off %s", acpi.cpu_count,
		 acpi.ioapic_count, acpi.has_s5 ? "by S5" : "unknown");
	return 0;
}
