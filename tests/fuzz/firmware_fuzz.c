/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Fuzzes what firmware and boot loader tell us: ACPI tables, PVH start info. */
#include <setjmp.h>

#include <linux/errno.h>

#include "plat/linux/linux.h"
#include "tests/fuzz/fuzz.h"
#include "vmkernel/boot/acpi.h"
#include "vmkernel/mm/mm.h"

/*
 * The first byte says which of the two. Tables are the input's, put into
 * memory one after the other with lengths and checksums made right unless the
 * input asks for the wrong ones; each mapping is a block of its own, so that
 * ASan sees a step beyond it. The start info's parser runs on memory of this
 * process: a panic is its answer to what is none.
 */
#define MEMORY_AT   0xe0000u
#define MEMORY_SIZE 0x28000u
#define TABLES_AT   0x100000u
#define TABLES_MAX  24
#define MAPPINGS    96

static uint8_t memory[MEMORY_SIZE];
static void *mappings[MAPPINGS];
static unsigned mapping_count;

/* vmkernel/boot/pvh.c, with this process's memory in place of the direct
 * map: it is no part of the shared sources for that alone. */
static jmp_buf panicked;

static void *fuzz_phys_to_virt(hpa_t pa);
#define phys_to_virt fuzz_phys_to_virt
#include "vmkernel/boot/pvh.c"
#undef phys_to_virt

static void on_panic(const char *message)
{
	longjmp(panicked, 1);
}

static void no_log(enum log_level level, const char *area, const char *line)
{
}

const void *acpi_map(hpa_t pa, uint64_t size)
{
	void *copy;

	if (pa.v < MEMORY_AT || pa.v - MEMORY_AT > MEMORY_SIZE ||
	    size > MEMORY_SIZE - (pa.v - MEMORY_AT) ||
	    mapping_count == MAPPINGS)
		return NULL;
	copy = malloc(size);
	memcpy(copy, memory + (pa.v - MEMORY_AT), size);
	mappings[mapping_count++] = copy;
	return copy;
}

static void fix_sum(uint8_t *at, uint32_t size, unsigned where)
{
	uint8_t sum = 0;

	at[where] = 0;
	for (uint32_t i = 0; i < size; i++)
		sum = (uint8_t)(sum + at[i]);
	at[where] = (uint8_t)-sum;
}

/* A table: which, how the header lies, length, and as many bytes of body. */
static size_t put_table(const uint8_t *data, size_t size, uint8_t *at,
			uint32_t *length)
{
	static const char signatures[][5] = {"APIC", "FACP", "MCFG", "HPET",
					     "DSDT", "SSDT", "XSDT", "????"};
	uint32_t body = MIN((uint32_t)(size - 3), data[2] * 2u);
	uint8_t how = data[1];

	memset(at, 0, 36);
	memcpy(at, signatures[data[0] & 7], 4);
	memcpy(at + 36, data + 3, body);
	*length = 36 + body;
	if ((how & 7) == 7)
		*length = how * 2654435761u >> (how >> 3);
	memcpy(at + 4, length, 4);
	*length = 36 + body;
	if ((how & 0x38) != 0x38)
		fix_sum(at, *length, 9);
	return 3 + body;
}

static void put_root(const uint64_t *tables, unsigned count, bool wide,
		     uint8_t how)
{
	unsigned size = wide ? 8 : 4;
	uint8_t *root = memory + 0x100, *rsdp = memory + 0x40;
	uint32_t length = 36 + count * size;
	uint64_t at = MEMORY_AT + 0x100;

	memcpy(root, wide ? "XSDT" : "RSDT", 4);
	memcpy(root + 4, &length, 4);
	for (unsigned i = 0; i < count; i++)
		memcpy(root + 36 + i * size, &tables[i], size);
	fix_sum(root, length, 9);
	memcpy(rsdp, "RSD PTR ", 8);
	rsdp[15] = wide ? 2 : 0;
	if (!wide || how & 0x40)
		memcpy(rsdp + 16, &at, 4);
	rsdp[20] = 36;
	if (wide)
		memcpy(rsdp + 24, &at, 8);
	if (how & 0x80)
		rsdp[0] ^= 1;
	fix_sum(rsdp, 20, 8);
	if (!(how & 0x20))
		fix_sum(rsdp, 36, 32);
}

static void check_acpi(int err)
{
	const struct acpi_info *a = acpi_info();

	REQUIRE(!err || err == -ENOENT || err == -EINVAL);
	REQUIRE(err || (a->cpu_count && a->ioapic_count));
	REQUIRE(a->cpu_count <= PLAT_CPUS_MAX);
	for (unsigned i = 0; i < a->cpu_count; i++) {
		REQUIRE(a->cpu_apic_ids[i] < 255);
		for (unsigned j = 0; j < i; j++)
			REQUIRE(a->cpu_apic_ids[i] != a->cpu_apic_ids[j]);
	}
	REQUIRE(a->ioapic_count <= ACPI_IOAPICS_MAX);
	REQUIRE(a->override_count <= ACPI_OVERRIDES_MAX);
	REQUIRE(a->ecam_count <= ACPI_ECAMS_MAX);
	for (unsigned i = 0; i < a->ecam_count; i++)
		REQUIRE(a->ecams[i].base.v &&
			a->ecams[i].first_bus <= a->ecams[i].last_bus);
	REQUIRE(a->s5_a <= 7 && a->s5_b <= 7);
	REQUIRE(a->reset.memory || a->reset.address <= UINT16_MAX);
	REQUIRE(a->sleep.memory || a->sleep.address <= UINT16_MAX);
}

static void fuzz_acpi(uint8_t how, const uint8_t *data, size_t size)
{
	uint64_t tables[TABLES_MAX], dsdt = 0;
	uint32_t next = TABLES_AT - MEMORY_AT, length;
	unsigned count = 0;

	memset(memory, 0, sizeof(memory));
	while (size > 3 && count < TABLES_MAX &&
	       next + 36 + 512 + 16 < MEMORY_SIZE) {
		uint8_t *at = memory + next;
		size_t taken = put_table(data, size, at, &length);

		tables[count++] = MEMORY_AT + next;
		if (!memcmp(at, "DSDT", 4))
			dsdt = MEMORY_AT + next;
		/* The FADT names the DSDT: what came before it. */
		if (!memcmp(at, "FACP", 4) && length >= 44 && dsdt) {
			memcpy(at + 40, &dsdt, 4);
			fix_sum(at, length, 9);
		}
		next += length + 3; /* alignment is not promised */
		data += taken;
		size -= taken;
	}
	put_root(tables, count, how & 8, how);
	check_acpi(acpi_init(how & 4 ? HPA(MEMORY_AT + 0x40) : HPA(0)));
	while (mapping_count)
		free(mappings[--mapping_count]);
}

/* Start info at the start, at a low address that is not 0. */
#define START_AT 0x1000u

/* Only what lies in the memory that the input fills can be read: elsewhere a
 * machine has RAM, or reads as ones. */
static void *fuzz_phys_to_virt(hpa_t pa)
{
	return memory + (pa.v - START_AT) % (MEMORY_SIZE / 2);
}

static void fuzz_pvh(const uint8_t *data, size_t size)
{
	struct hvm_start_info si;
	struct boot_info info;

	memset(memory, 0, 8192);
	memcpy(memory, data, MIN(size, (size_t)8192));
	memcpy(&si, memory, sizeof(si));
	si.magic = si.magic & 1 ? PVH_MAGIC : si.magic;
	/* What a table needs is there for at most so many entries. */
	si.memmap_count %= 2048;
	memcpy(memory, &si, sizeof(si));
	memset(&info, 0, sizeof(info));
	if (setjmp(panicked))
		return;
	pvh_parse(HPA(START_AT), &info);
	REQUIRE(si.magic == PVH_MAGIC && si.version && si.memmap_count);
	REQUIRE(info.map.ram_count <= MM_REGIONS_MAX);
	REQUIRE(info.map.reserved_count == !!info.bundle_size);
	REQUIRE(info.rsdp.v == si.rsdp);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (!size)
		return 0;
	plat_linux_log_hook = no_log;
	plat_linux_panic_hook = on_panic;
	if (data[0] & 1)
		fuzz_pvh(data + 1, size - 1);
	else
		fuzz_acpi(data[0], data + 1, size - 1);
	return 0;
}
