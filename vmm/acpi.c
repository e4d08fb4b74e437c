/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Builds a VM's ACPI tables: hardware-reduced, no legacy PC below. */
#include "vmm/acpi.h"

#include <string.h>

#include <linux/errno.h>

#include "vmm/dev/pmtimer.h"
#include "vmm/layout.h"

/* ACPI 6.4; sections at each table. All fields little endian, unaligned. */
struct acpi_rsdp { /* 5.2.5.3 */
	char signature[8];
	uint8_t checksum; /* of the first 20 bytes */
	char oem_id[6];
	uint8_t revision;
	uint32_t rsdt;
	uint32_t length;
	uint64_t xsdt;
	uint8_t extended_checksum;
	uint8_t reserved[3];
} PACKED;

struct acpi_header { /* 5.2.6 */
	char signature[4];
	uint32_t length;
	uint8_t revision;
	uint8_t checksum;
	char oem_id[6];
	char oem_table_id[8];
	uint32_t oem_revision;
	char creator_id[4];
	uint32_t creator_revision;
} PACKED;

struct acpi_xsdt { /* 5.2.8 */
	struct acpi_header header;
	uint64_t fadt, madt, mcfg;
} PACKED;

struct acpi_gas { /* 5.2.3.2: generic address */
	uint8_t space;
	uint8_t bit_width;
	uint8_t bit_offset;
	uint8_t access_size;
	uint64_t address;
} PACKED;

struct acpi_fadt { /* 5.2.9 */
	struct acpi_header header;
	uint32_t facs, dsdt;
	uint8_t reserved;
	uint8_t profile;
	uint8_t fixed_hardware[30]; /* offsets 46 to 75: none here */
	uint32_t pm_timer;
	uint8_t fixed_hardware2[11]; /* offsets 80 to 90 */
	uint8_t pm_timer_size;
	uint8_t fixed_hardware3[16]; /* offsets 92 to 107 */
	uint8_t century;	     /* CMOS index */
	uint16_t boot_flags;
	uint8_t reserved2;
	uint32_t flags;
	struct acpi_gas reset;
	uint8_t reset_value;
	uint16_t arm_boot_flags;
	uint8_t minor;
	uint64_t x_facs, x_dsdt;
	struct acpi_gas fixed_blocks[5]; /* offsets 148 to 207: none here */
	struct acpi_gas x_pm_timer;
	struct acpi_gas fixed_blocks2[2]; /* offsets 220 to 243 */
	struct acpi_gas sleep_control, sleep_status;
	uint64_t hypervisor;
} PACKED;

struct acpi_madt_lapic { /* 5.2.12.2 */
	uint8_t type, length;
	uint8_t processor;
	uint8_t apic_id;
	uint32_t flags;
} PACKED;

struct acpi_madt_ioapic { /* 5.2.12.3 */
	uint8_t type, length;
	uint8_t id;
	uint8_t reserved;
	uint32_t address;
	uint32_t gsi_base;
} PACKED;

struct acpi_madt { /* 5.2.12 */
	struct acpi_header header;
	uint32_t lapic_address;
	uint32_t flags;
	struct acpi_madt_ioapic ioapic;
	struct acpi_madt_lapic lapic[ACPI_CPUS_MAX]; /* as many as there are */
} PACKED;

struct acpi_mcfg { /* PCI Firmware Specification 3.2, 4.1.2 */
	struct acpi_header header;
	uint64_t reserved;
	uint64_t base;
	uint16_t segment;
	uint8_t first_bus, last_bus;
	uint32_t reserved2;
} PACKED;

_Static_assert(sizeof(struct acpi_rsdp) == 36, "ACPI");
_Static_assert(sizeof(struct acpi_header) == 36, "ACPI");
_Static_assert(sizeof(struct acpi_fadt) == 276, "ACPI");
_Static_assert(offsetof(struct acpi_fadt, flags) == 112, "ACPI");
_Static_assert(offsetof(struct acpi_fadt, pm_timer) == 76, "ACPI");
_Static_assert(offsetof(struct acpi_fadt, pm_timer_size) == 91, "ACPI");
_Static_assert(offsetof(struct acpi_fadt, century) == 108, "ACPI");
_Static_assert(offsetof(struct acpi_fadt, x_dsdt) == 140, "ACPI");
_Static_assert(offsetof(struct acpi_fadt, x_pm_timer) == 208, "ACPI");
_Static_assert(offsetof(struct acpi_fadt, sleep_control) == 244, "ACPI");
_Static_assert(sizeof(struct acpi_madt_lapic) == 8, "ACPI");
_Static_assert(sizeof(struct acpi_madt_ioapic) == 12, "ACPI");
_Static_assert(sizeof(struct acpi_mcfg) == 60, "ACPI");

#define GAS_SYSTEM_IO	    1
#define GAS_ACCESS_BYTE	    1
#define GAS_ACCESS_DWORD    3

#define FADT_PROFILE_SERVER 4
#define FADT_CENTURY	    0x32
#define FADT_NO_VGA	    (1u << 2) /* 5.2.9.3 */
#define FADT_NO_ASPM	    (1u << 4)
#define FADT_WBINVD	    (1u << 0) /* 5.2.9, table 5.10 */
#define FADT_PWR_BUTTON	    (1u << 4) /* no fixed one */
#define FADT_SLP_BUTTON	    (1u << 5)
#define FADT_RESET	    (1u << 10)
#define FADT_HW_REDUCED	    (1u << 20)

#define MADT_LAPIC	    0
#define MADT_IOAPIC	    1
#define MADT_LAPIC_ENABLED  1
#define MADT_PCAT_COMPAT    1

/* Where each table goes; the DSDT has the rest. */
#define ACPI_RSDP_AT	    GUEST_ACPI_BASE
#define ACPI_XSDT_AT	    (GUEST_ACPI_BASE + 0x40)
#define ACPI_FADT_AT	    (GUEST_ACPI_BASE + 0x100)
#define ACPI_MADT_AT	    (GUEST_ACPI_BASE + 0x300)
#define ACPI_MCFG_AT	    (GUEST_ACPI_BASE + 0x500)
#define ACPI_DSDT_AT	    (GUEST_ACPI_BASE + 0x1000)

/* The byte that makes all of them add up to 0. */
static uint8_t acpi_checksum(const void *table, size_t size)
{
	const uint8_t *byte = table;
	uint8_t sum = 0;

	while (size--)
		sum += *byte++;
	return -sum;
}

static struct acpi_header acpi_header(const char *signature, size_t length,
				      uint8_t revision)
{
	struct acpi_header header = {
		.length = length,
		.revision = revision,
		.oem_id = {'S', 'L', 'U', 'I', 'C', 'E'},
		.oem_table_id = {'S', 'L', 'U', 'I', 'C', 'E', 'V', 'M'},
		.oem_revision = 1,
		.creator_id = {'S', 'L', 'C', 'E'},
		.creator_revision = 1,
	};

	memcpy(header.signature, signature, sizeof(header.signature));
	return header;
}

static int acpi_write(const struct guest_mem *mem, uint64_t gpa,
		      struct acpi_header *table)
{
	table->checksum = 0;
	table->checksum = acpi_checksum(table, table->length);
	return guest_write(mem, GPA(gpa), table, table->length);
}

/*
 * Hardware-reduced ACPI ignores all fixed hardware (4.1), so its guests need
 * not look at the PM timer; Linux and memtest86+ do, which otherwise have
 * nothing to calibrate an AMD CPU's TSC against.
 */
static int acpi_write_fadt(const struct guest_mem *mem, uint16_t pm_timer)
{
	const struct acpi_gas port = {
		.space = GAS_SYSTEM_IO,
		.bit_width = 8,
		.access_size = GAS_ACCESS_BYTE,
	};
	struct acpi_fadt fadt = {
		.header = acpi_header("FACP", sizeof(fadt), 6),
		.profile = FADT_PROFILE_SERVER,
		.century = FADT_CENTURY,
		.boot_flags = FADT_NO_VGA | FADT_NO_ASPM,
		.flags = FADT_WBINVD | FADT_PWR_BUTTON | FADT_SLP_BUTTON |
			 FADT_RESET | FADT_HW_REDUCED,
		.reset = port,
		.reset_value = ACPI_RESET_VALUE,
		.pm_timer = pm_timer,
		.pm_timer_size = PMTIMER_PORTS,
		.x_pm_timer = {.space = GAS_SYSTEM_IO,
			       .bit_width = 32,
			       .access_size = GAS_ACCESS_DWORD,
			       .address = pm_timer},
		.minor = 4,
		.x_dsdt = ACPI_DSDT_AT,
		.sleep_control = port,
		.sleep_status = port,
	};

	fadt.reset.address = ACPI_PORT_RESET;
	fadt.sleep_control.address = ACPI_PORT_SLEEP_CONTROL;
	fadt.sleep_status.address = ACPI_PORT_SLEEP_STATUS;
	return acpi_write(mem, ACPI_FADT_AT, &fadt.header);
}

/*
 * APIC IDs below 255 are type 0 entries in x2APIC mode as well (5.2.12.12); a
 * type 9 entry on top would make Linux count that CPU twice.
 */
static int acpi_write_madt(const struct guest_mem *mem, unsigned cpus)
{
	size_t size = offsetof(struct acpi_madt, lapic) +
		      cpus * sizeof(struct acpi_madt_lapic);
	struct acpi_madt madt = {
		.header = acpi_header("APIC", size, 5),
		.lapic_address = GUEST_LAPIC_BASE,
		.flags = MADT_PCAT_COMPAT, /* there are 8259s: mask them */
		.ioapic = {.type = MADT_IOAPIC,
			   .length = sizeof(struct acpi_madt_ioapic),
			   .id = GUEST_IOAPIC_ID,
			   .address = GUEST_IOAPIC_BASE},
	};

	for (unsigned i = 0; i < cpus; i++)
		madt.lapic[i] = (struct acpi_madt_lapic){
			.type = MADT_LAPIC,
			.length = sizeof(struct acpi_madt_lapic),
			.processor = i,
			.apic_id = i,
			.flags = MADT_LAPIC_ENABLED,
		};
	return acpi_write(mem, ACPI_MADT_AT, &madt.header);
}

static int acpi_write_mcfg(const struct guest_mem *mem)
{
	struct acpi_mcfg mcfg = {
		.header = acpi_header("MCFG", sizeof(mcfg), 1),
		.base = GUEST_ECAM_BASE,
		.last_bus = GUEST_ECAM_SIZE / MiB(1) - 1, /* 1 MiB each */
	};

	return acpi_write(mem, ACPI_MCFG_AT, &mcfg.header);
}

static int acpi_write_xsdt(const struct guest_mem *mem)
{
	struct acpi_xsdt xsdt = {
		.header = acpi_header("XSDT", sizeof(xsdt), 1),
		.fadt = ACPI_FADT_AT,
		.madt = ACPI_MADT_AT,
		.mcfg = ACPI_MCFG_AT,
	};

	return acpi_write(mem, ACPI_XSDT_AT, &xsdt.header);
}

static int acpi_write_rsdp(const struct guest_mem *mem)
{
	struct acpi_rsdp rsdp = {
		.signature = {'R', 'S', 'D', ' ', 'P', 'T', 'R', ' '},
		.oem_id = {'S', 'L', 'U', 'I', 'C', 'E'},
		.revision = 2,
		.length = sizeof(rsdp),
		.xsdt = ACPI_XSDT_AT,
	};

	rsdp.checksum = acpi_checksum(&rsdp, 20);
	rsdp.extended_checksum = acpi_checksum(&rsdp, sizeof(rsdp));
	return guest_write(mem, GPA(ACPI_RSDP_AT), &rsdp, sizeof(rsdp));
}

int acpi_build(const struct guest_mem *mem, unsigned cpus, uint16_t pm_timer,
	       const void *dsdt, size_t dsdt_size, gpa_t *rsdp)
{
	struct acpi_header header;
	int err;

	if (cpus == 0 || cpus > ACPI_CPUS_MAX || dsdt_size < sizeof(header))
		return -EINVAL;
	if (dsdt_size > GUEST_ACPI_END - ACPI_DSDT_AT)
		return -ENOSPC;
	memcpy(&header, dsdt, sizeof(header));
	if (memcmp(header.signature, "DSDT", 4) || header.length != dsdt_size)
		return -EINVAL;
	err = guest_write(mem, GPA(ACPI_DSDT_AT), dsdt, dsdt_size);
	if (!err)
		err = acpi_write_fadt(mem, pm_timer);
	if (!err)
		err = acpi_write_madt(mem, cpus);
	if (!err)
		err = acpi_write_mcfg(mem);
	if (!err)
		err = acpi_write_xsdt(mem);
	if (!err)
		err = acpi_write_rsdp(mem);
	if (!err)
		*rsdp = GPA(ACPI_RSDP_AT);
	return err;
}
