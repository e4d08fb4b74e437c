/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vmkernel/boot/acpi.c on tables made here, whole and broken. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <linux/errno.h>
#include "plat/linux/linux.h"
#include "vmkernel/boot/acpi.h"

/* The machine's memory, and what was mapped: each mapping is a heap block of
 * its own, so that ASan sees a read past it. */
#define MEMORY_BASE  0xe0000
#define MEMORY_SIZE  0x40000
#define MAPPINGS_MAX 200

static uint8_t memory[MEMORY_SIZE];
static void *mappings[MAPPINGS_MAX];
static unsigned mapping_count;
static uint32_t next_free;

const void *acpi_map(hpa_t pa, uint64_t size)
{
	void *copy;

	if (pa.v < MEMORY_BASE || pa.v > MEMORY_BASE + MEMORY_SIZE ||
	    size > MEMORY_BASE + MEMORY_SIZE - pa.v)
		return NULL;
	assert_true(mapping_count < MAPPINGS_MAX);
	copy = malloc(size);
	memcpy(copy, memory + (pa.v - MEMORY_BASE), size);
	mappings[mapping_count++] = copy;
	return copy;
}

static void unmap_all(void)
{
	while (mapping_count)
		free(mappings[--mapping_count]);
}

static uint8_t *at(uint64_t pa)
{
	return memory + (pa - MEMORY_BASE);
}

static void put(uint64_t pa, uint64_t value, unsigned size)
{
	memcpy(at(pa), &value, size);
}

static void fix_sum(uint64_t pa, uint32_t size, unsigned where)
{
	uint8_t sum = 0;

	at(pa)[where] = 0;
	for (uint32_t i = 0; i < size; i++)
		sum += at(pa)[i];
	at(pa)[where] = (uint8_t)-sum;
}

/* A table with this body after its header. */
static uint64_t add_table(const char *signature, const void *body,
			  uint32_t size)
{
	uint64_t pa = MEMORY_BASE + next_free;

	memset(at(pa), 0, 36);
	memcpy(at(pa), signature, 4);
	put(pa + 4, 36 + size, 4);
	memcpy(at(pa) + 36, body, size);
	fix_sum(pa, 36 + size, 9);
	next_free +=
		ALIGN_UP(36 + size, 16) + 3; /* alignment is not promised */
	return pa;
}

static uint64_t add_root(const uint64_t *tables, unsigned count, bool wide)
{
	uint8_t body[64];
	unsigned size = wide ? 8 : 4;

	for (unsigned i = 0; i < count; i++)
		memcpy(body + i * size, &tables[i], size);
	return add_table(wide ? "XSDT" : "RSDT", body, count * size);
}

static void set_rsdp(uint64_t pa, uint64_t xsdt, uint64_t rsdt)
{
	memset(at(pa), 0, 36);
	memcpy(at(pa), "RSD PTR ", 8);
	at(pa)[15] = xsdt ? 2 : 0;
	put(pa + 16, rsdt, 4);
	put(pa + 20, 36, 4);
	put(pa + 24, xsdt, 8);
	fix_sum(pa, 20, 8);
	fix_sum(pa, 36, 32);
}

static const uint8_t madt_body[] = {
	0,    0,  0xe0, 0xfe, 1, 0, 0,	  0, /* local APIC, flags */
	0,    8,  0,	0,    1, 0, 0,	  0, /* CPU 0 */
	0,    8,  1,	2,    1, 0, 0,	  0, /* CPU 2 */
	0,    8,  2,	4,    0, 0, 0,	  0, /* CPU 4: not enabled */
	0,    8,  3,	6,    2, 0, 0,	  0, /* CPU 6: may come online later */
	9,    16, 0,	0,    8, 0, 0,	  0,	1,    0, 0, 0,
	4,    0,  0,	0, /* CPU 8 */
	9,    16, 0,	0,    2, 0, 0,	  0,	1,    0, 0, 0,
	1,    0,  0,	0, /* 2 again */
	9,    16, 0,	0,    0, 1, 0,	  0,	1,    0, 0, 0,
	9,    0,  0,	0, /* 256: too high */
	1,    12, 0,	0,    0, 0, 0xc0, 0xfe, 0,    0, 0, 0, /* I/O APIC */
	1,    12, 1,	0,    0, 0, 0xc1, 0xfe, 24,   0, 0, 0, /* another */
	2,    10, 0,	0,    2, 0, 0,	  0,	0,    0, /* IRQ 0 is GSI 2 */
	2,    10, 0,	9,    9, 0, 0,	  0,	0x0d, 0, /* IRQ 9: high, level
							  */
	0x80, 5,  1,	2,    3,			 /* somebody's own */
	4,    6,  0xff, 0,    0, 1,			 /* NMI */
};

static const uint8_t dsdt_body[] =
	{
		0x08, '_',  'S', '4',  '_', 0x12, 4,	2,
		0x0a, 3,    0, /* not this one */
		'x',  '_',  'S', '5',  '_', 0x12, 4,	2,
		0,    0, /* no Name */
		0x08, '\\', '_', 'S',  '5', '_',  0x12, 0x0a,
		4,    0x0a, 5,	 0x0b, 6,   0,	  0,	0,
};

static const uint8_t mcfg_body[] = {
	0, 0, 0, 0, 0,	  0, 0, 0, 0, 0, 0, 0xb0, 0, 0,	   0,
	0, 0, 0, 0, 0xff, 0, 0, 0, 0, 1, 0, 0,	  0, 0xc0, 0,
	0, 0, 7, 0, 4,	  3, 0, 0, 0, 0, 0, 0,	  0, 0,
};

static const uint8_t hpet_body[20] = {[8] = 0, 0, 0xd0, 0xfe};

/* The FADT's fields by their offset in the table. */
static uint8_t fadt_body[244 + 12 - 36];

static void fadt_put(unsigned offset, uint64_t value, unsigned size)
{
	memcpy(fadt_body + offset - 36, &value, size);
}

struct machine {
	uint64_t madt, fadt, mcfg, hpet, dsdt, root, rsdp;
};

static struct machine m;

static int setup(void **state)
{
	memset(memory, 0, sizeof(memory));
	memset(fadt_body, 0, sizeof(fadt_body));
	next_free = 0x20000;
	m.madt = add_table("APIC", madt_body, sizeof(madt_body));
	m.mcfg = add_table("MCFG", mcfg_body, sizeof(mcfg_body) - 4);
	m.hpet = add_table("HPET", hpet_body, sizeof(hpet_body));
	m.dsdt = add_table("DSDT", dsdt_body, sizeof(dsdt_body));
	fadt_put(40, m.dsdt, 4);
	fadt_put(48, 0xb2, 4);
	fadt_put(52, 2, 1);
	fadt_put(64, 0x604, 4);
	fadt_put(76, 0x608, 4);
	fadt_put(112, 1 << 10, 4);
	fadt_put(116, 0x01 | 8 << 8, 4);
	fadt_put(120, 0xcf9, 8);
	fadt_put(128, 0x0f, 1);
	m.fadt = add_table("FACP", fadt_body, sizeof(fadt_body));
	m.root =
		add_root((uint64_t[]){m.fadt, m.madt, m.mcfg, m.hpet}, 4, true);
	m.rsdp = 0xf1230;
	set_rsdp(m.rsdp, m.root, 0);
	return 0;
}

static int teardown(void **state)
{
	unmap_all();
	return 0;
}

static void check_all(void)
{
	const struct acpi_info *a = acpi_info();

	assert_int_equal(a->cpu_count, 3);
	assert_int_equal(a->cpu_apic_ids[0], 0);
	assert_int_equal(a->cpu_apic_ids[1], 2);
	assert_int_equal(a->cpu_apic_ids[2], 8);
	assert_int_equal(a->ioapic_count, 2);
	assert_int_equal(a->ioapics[0].base.v, 0xfec00000);
	assert_int_equal(a->ioapics[1].gsi_base, 24);
	assert_int_equal(a->override_count, 2);
	assert_int_equal(a->overrides[0].isa_irq, 0);
	assert_int_equal(a->overrides[0].gsi, 2);
	assert_int_equal(a->overrides[1].flags, 0x0d);
	assert_int_equal(a->ecam_count, 1);
	assert_int_equal(a->ecams[0].base.v, 0xb0000000);
	assert_int_equal(a->ecams[0].last_bus, 255);
	assert_int_equal(a->hpet.v, 0xfed00000);
	assert_int_equal(a->pm1a_port, 0x604);
	assert_int_equal(a->pm1b_port, 0);
	assert_int_equal(a->pm_timer_port, 0x608);
	assert_int_equal(a->smi_port, 0xb2);
	assert_int_equal(a->smi_enable, 2);
	assert_true(a->has_s5);
	assert_int_equal(a->s5_a, 5);
	assert_int_equal(a->s5_b, 6);
	assert_int_equal(a->reset.address, 0xcf9);
	assert_false(a->reset.memory);
	assert_int_equal(a->reset_value, 0x0f);
}

static void by_xsdt(void **state)
{
	assert_int_equal(acpi_init(HPA(m.rsdp)), 0);
	check_all();
}

static void by_search(void **state)
{
	assert_int_equal(acpi_init(HPA(0)), 0);
	check_all();
}

static void by_rsdt(void **state)
{
	uint64_t rsdt = add_root((uint64_t[]){m.fadt, m.madt, m.mcfg, m.hpet},
				 4, false);

	set_rsdp(m.rsdp, 0, rsdt);
	assert_int_equal(acpi_init(HPA(m.rsdp)), 0);
	check_all();
	/* Also when the XSDT turns out to be broken. */
	set_rsdp(m.rsdp, m.root, rsdt);
	at(m.root)[9]++;
	assert_int_equal(acpi_init(HPA(m.rsdp)), 0);
	check_all();
}

static void no_rsdp(void **state)
{
	memset(at(m.rsdp), 0, 8);
	assert_int_equal(acpi_init(HPA(0)), -ENOENT);
	assert_int_equal(acpi_init(HPA(m.rsdp)), -ENOENT);
	assert_int_equal(acpi_init(HPA(0x10)), -ENOENT); /* not mapped */
	/* Not on a 16-byte boundary; a wrong checksum. */
	set_rsdp(m.rsdp + 8, m.root, 0);
	assert_int_equal(acpi_init(HPA(0)), -ENOENT);
	set_rsdp(m.rsdp, m.root, 0);
	at(m.rsdp)[9]++;
	assert_int_equal(acpi_init(HPA(0)), -ENOENT);
}

static void broken_root(void **state)
{
	at(m.root)[0] = 'Y';
	fix_sum(m.root, 36 + 4 * 8, 9);
	assert_int_equal(acpi_init(HPA(m.rsdp)), -EINVAL);
	put(m.root + 4, 12, 4);
	assert_int_equal(acpi_init(HPA(m.rsdp)), -EINVAL);
	put(m.root + 4, 0xffffffff, 4);
	assert_int_equal(acpi_init(HPA(m.rsdp)), -EINVAL);
}

/* A table with a wrong checksum is as good as none. */
static void broken_tables(void **state)
{
	at(m.mcfg)[40]++;
	at(m.fadt)[200]++;
	assert_int_equal(acpi_init(HPA(m.rsdp)), 0);
	assert_int_equal(acpi_info()->ecam_count, 0);
	assert_int_equal(acpi_info()->pm1a_port, 0);
	assert_false(acpi_info()->has_s5);
	assert_int_equal(acpi_info()->cpu_count, 3);
	at(m.madt)[40]++;
	assert_int_equal(acpi_init(HPA(m.rsdp)), -ENOENT);
}

/* Every length an entry may claim, at the table's very end. */
static void madt_entry_lengths(void **state)
{
	for (unsigned length = 0; length < 256; length++) {
		uint8_t body[8 + 8 + 12 + 2] = {
			[8] = 0, 8, 0, 3, 1, [16] = 1, 12, [28] = 0};
		uint64_t pa;

		body[29] = (uint8_t)length;
		next_free = 0x30000;
		pa = add_table("APIC", body, sizeof(body));
		set_rsdp(m.rsdp, add_root(&pa, 1, true), 0);
		assert_int_equal(acpi_init(HPA(m.rsdp)), 0);
		assert_int_equal(acpi_info()->cpu_count, 1);
		assert_int_equal(acpi_info()->cpu_apic_ids[0], 3);
		unmap_all();
	}
}

/* As old as they come: the table ends before most fields. */
static void short_fadt(void **state)
{
	uint64_t tables[] = {add_table("FACP", fadt_body, 116 - 36), m.madt};

	set_rsdp(m.rsdp, add_root(tables, 2, true), 0);
	assert_int_equal(acpi_init(HPA(m.rsdp)), 0);
	assert_int_equal(acpi_info()->pm1a_port, 0x604);
	assert_int_equal(acpi_info()->reset.address, 0);
	assert_true(acpi_info()->has_s5);
}

static void hardware_reduced(void **state)
{
	uint64_t tables[2] = {0, m.madt};

	fadt_put(112, 1 << 20, 4);
	fadt_put(140, m.dsdt, 8);
	fadt_put(244, 0, 4); /* memory */
	fadt_put(248, 0xfed40000, 8);
	tables[0] = add_table("FACP", fadt_body, sizeof(fadt_body));
	set_rsdp(m.rsdp, add_root(tables, 2, true), 0);
	assert_int_equal(acpi_init(HPA(m.rsdp)), 0);
	assert_int_equal(acpi_info()->pm1a_port, 0);
	assert_int_equal(acpi_info()->sleep.address, 0xfed40000);
	assert_true(acpi_info()->sleep.memory);
	assert_int_equal(acpi_info()->reset.address, 0);
	assert_true(acpi_info()->has_s5);
}

/* The wide PM1a field counts, if it is a port. */
static void wide_registers(void **state)
{
	uint64_t tables[2] = {0, m.madt};

	fadt_put(172, 1, 4);
	fadt_put(176, 0x1804, 8);
	fadt_put(208, 0, 4); /* memory: we want a port */
	fadt_put(212, 0xfed50000, 8);
	tables[0] = add_table("FACP", fadt_body, sizeof(fadt_body));
	set_rsdp(m.rsdp, add_root(tables, 2, true), 0);
	assert_int_equal(acpi_init(HPA(m.rsdp)), 0);
	assert_int_equal(acpi_info()->pm1a_port, 0x1804);
	assert_int_equal(acpi_info()->pm_timer_port, 0x608);
}

/* The package cut at every byte: not found, and never read past. */
static void s5_cut(void **state)
{
	static const uint8_t aml[] = {0x08, '_', 'S',  '5', '_', 0x12, 0x06, 4,
				      0x0a, 7,	 0x0c, 7,   0,	 0,    0};

	for (unsigned size = 0; size <= sizeof(aml); size++) {
		uint64_t tables[2] = {0, m.madt};

		next_free = 0x30000;
		fadt_put(40, add_table("DSDT", aml, size), 4);
		tables[0] = add_table("FACP", fadt_body, 116 - 36);
		set_rsdp(m.rsdp, add_root(tables, 2, true), 0);
		assert_int_equal(acpi_init(HPA(m.rsdp)), 0);
		/* Enough once the first number is there. */
		assert_int_equal(acpi_info()->has_s5, size >= 10);
		if (size >= 10)
			assert_int_equal(acpi_info()->s5_a, 7);
		unmap_all();
	}
}

static void s5_in_ssdt(void **state)
{
	static const uint8_t aml[] = {0x08, '_', 'S', '5', '_',
				      0x12, 4,	 2,   1,   0};
	uint64_t tables[2] = {add_table("SSDT", aml, sizeof(aml)), m.madt};

	set_rsdp(m.rsdp, add_root(tables, 2, true), 0);
	assert_int_equal(acpi_init(HPA(m.rsdp)), 0);
	assert_true(acpi_info()->has_s5);
	assert_int_equal(acpi_info()->s5_a, 1);
	assert_int_equal(acpi_info()->s5_b, 0);
}

/* More of everything than there is room for. */
static void crowds(void **state)
{
	static uint8_t body[8 + 250 * 8 + 20 * 12 + 40 * 10];
	uint32_t size = 8;
	uint64_t pa;

	for (unsigned i = 0; i < 250; i++, size += 8)
		memcpy(body + size, (uint8_t[8]){0, 8, 0, (uint8_t)i, 1}, 8);
	for (unsigned i = 0; i < 20; i++, size += 12)
		memcpy(body + size, (uint8_t[12]){1, 12}, 12);
	for (unsigned i = 0; i < 40; i++, size += 10)
		memcpy(body + size, (uint8_t[10]){2, 10}, 10);
	pa = add_table("APIC", body, size);
	set_rsdp(m.rsdp, add_root(&pa, 1, true), 0);
	assert_int_equal(acpi_init(HPA(m.rsdp)), 0);
	assert_int_equal(acpi_info()->cpu_count, PLAT_CPUS_MAX);
	assert_int_equal(acpi_info()->ioapic_count, ACPI_IOAPICS_MAX);
	assert_int_equal(acpi_info()->override_count, ACPI_OVERRIDES_MAX);
}

static void silent(enum log_level level, const char *area, const char *line)
{
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(by_xsdt),
		TEST(by_search),
		TEST(by_rsdt),
		TEST(no_rsdp),
		TEST(broken_root),
		TEST(broken_tables),
		TEST(madt_entry_lengths),
		TEST(short_fadt),
		TEST(hardware_reduced),
		TEST(wide_registers),
		TEST(s5_cut),
		TEST(s5_in_ssdt),
		TEST(crowds),
	};

	plat_linux_log_hook = silent;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
