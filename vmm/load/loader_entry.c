/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The state in which a kernel is entered: flat segments, 32 or 64 bits. */
#include "vmm/load/loader_priv.h"

/* Selectors of the Linux boot protocol: __BOOT_CS and __BOOT_DS. */
#define ENTRY_CS	  0x10
#define ENTRY_DS	  0x18

/* Access bytes: code, data and busy 32-bit or 64-bit TSS, present, accessed. */
#define ENTRY_CODE	  (0x9bu | SEG_ATTR_G)
#define ENTRY_DATA	  (0x93u | SEG_ATTR_G | SEG_ATTR_DB)
#define ENTRY_TSS	  0x8bu
#define ENTRY_LDT	  0x82u

#define ENTRY_TSS_LIMIT	  0x67 /* without I/O bitmap */

/* Long-mode page tables (Intel SDM 3A, 4.5). */
#define ENTRY_PTE_TABLE	  0x03ull /* present, writable */
#define ENTRY_PTE_2M	  0x83ull /* also a page */
#define ENTRY_PTES	  512
#define ENTRY_DIRECTORIES 4 /* of 1 GiB each */

static void loader_entry_common(struct vcpu_state *entry, uint64_t rip,
				uint16_t code)
{
	const struct segment data = {
		.selector = ENTRY_DS,
		.attrib = ENTRY_DATA,
		.limit = UINT32_MAX,
	};

	*entry = (struct vcpu_state){
		.rip = rip,
		.rflags = RFLAGS_FIXED,
		.cr0 = CR0_PE | CR0_ET | CR0_NE,
		.dr6 = DR6_RESET,
		.dr7 = DR7_RESET,
		.tr = {.attrib = ENTRY_TSS, .limit = ENTRY_TSS_LIMIT},
		.ldtr = {.attrib = ENTRY_LDT},
	};
	for (unsigned i = 0; i < SEG_COUNT; i++)
		entry->seg[i] = data;
	entry->seg[SEG_CS].selector = ENTRY_CS;
	entry->seg[SEG_CS].attrib = code;
}

void loader_entry_32(struct vcpu_state *entry, uint64_t rip)
{
	loader_entry_common(entry, rip, ENTRY_CODE | SEG_ATTR_DB);
}

/* Writes count entries of a zeroed table, each step further than the last. */
static int loader_put_entries(struct loader *l, uint64_t table, unsigned count,
			      uint64_t entry, uint64_t step)
{
	int err = 0;

	for (unsigned i = 0; !err && i < count; i++, entry += step)
		err = loader_copy(l, table + i * sizeof(entry), &entry,
				  sizeof(entry));
	return err;
}

/* One PML4, one PDPT, and a directory of 2 MiB pages for each GiB. */
static int loader_make_tables(struct loader *l, uint64_t *root)
{
	uint64_t size = (2 + ENTRY_DIRECTORIES) * PAGE_SIZE, pml4, pdpt, pd;
	int err = loader_place_info(l, size, PAGE_SIZE, &pml4);

	if (err)
		return err;
	pdpt = pml4 + PAGE_SIZE;
	pd = pdpt + PAGE_SIZE;
	*root = pml4;
	err = loader_zero(l, pml4, size);
	if (!err)
		err = loader_put_entries(l, pml4, 1, pdpt | ENTRY_PTE_TABLE, 0);
	if (!err)
		err = loader_put_entries(l, pdpt, ENTRY_DIRECTORIES,
					 pd | ENTRY_PTE_TABLE, PAGE_SIZE);
	/* The directories adjoin, and so does what they map. */
	if (!err)
		err = loader_put_entries(l, pd, ENTRY_DIRECTORIES * ENTRY_PTES,
					 ENTRY_PTE_2M, MiB(2));
	return err;
}

int loader_entry_64(struct loader *l, uint64_t rip)
{
	/* Null, unused, 64-bit code, data: flat (Intel SDM 3A, 3.4.5). */
	static const uint64_t gdt[] = {
		0,
		0,
		0x00af9b000000ffff,
		0x00cf93000000ffff,
	};
	uint64_t gdt_gpa, root;
	int err = loader_place_info(l, sizeof(gdt), 8, &gdt_gpa);

	if (!err)
		err = loader_copy(l, gdt_gpa, gdt, sizeof(gdt));
	if (!err)
		err = loader_make_tables(l, &root);
	if (err)
		return err;
	loader_entry_common(l->entry, rip, ENTRY_CODE | SEG_ATTR_L);
	l->entry->cr0 |= CR0_PG | CR0_WP;
	l->entry->cr3 = root;
	l->entry->cr4 = CR4_PAE;
	l->entry->efer = EFER_LME | EFER_LMA;
	l->entry->gdtr.base = gdt_gpa;
	l->entry->gdtr.limit = sizeof(gdt) - 1;
	return 0;
}
