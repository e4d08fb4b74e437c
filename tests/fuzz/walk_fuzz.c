/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Fuzzes the guest page walker: any tables, against a model of its own. */
#include <linux/errno.h>

#include "tests/fuzz/fuzz.h"
#include "vmm/guest_walk.h"

/*
 * 16 pages of RAM hold nothing but page tables that the input writes: entries
 * point anywhere, at themselves too. The model below follows Intel SDM 3A, 4.3
 * to 4.6, one bit at a time and without the walker's tables. Also asserted:
 * accessed and dirty bits where the model has them, no other byte changed, and
 * nothing changed by a fault.
 */
#define PAGES	  16u
#define RAM_SIZE  (PAGES * PAGE_SIZE)
#define RAM_AT	  0x10000u /* guest-physical: below it is nothing */
#define HEAD_SIZE 16
#define PATCH	  10

#define ACCESSED  0x20u
#define DIRTY	  0x40u

static _Alignas(4096) uint8_t ram[RAM_SIZE], expected[RAM_SIZE];
static struct guest_mem mem;

struct model {
	bool fault;
	bool gp;	/* else #PF */
	uint32_t error; /* of the #PF */
	uint64_t gpa;
	unsigned count; /* entries met, and where their accessed bit is */
	uint64_t entry[4];
	bool marked[4];
	/* A PAE PDPTE is an entry of a lower level too: marking that one sets
	 * what is reserved in the other. CPUs differ, so nothing is compared.
	 */
	bool aliased;
};

/* The model has a memory of its own, that starts as the guest's. */
static bool load(uint64_t gpa, unsigned size, uint64_t *value)
{
	*value = 0;
	if (gpa < RAM_AT || gpa - RAM_AT > RAM_SIZE - size)
		return false;
	memcpy(value, expected + (gpa - RAM_AT), size);
	return true;
}

static void model_fault(struct model *m, const struct vcpu_state *s,
			unsigned access, uint32_t error)
{
	bool pae = s->cr4 & CR4_PAE;

	m->fault = true;
	m->error = error;
	if (access & GUEST_WRITE)
		m->error |= 2;
	if (s->cpl == 3 && !(access & GUEST_IMPLICIT))
		m->error |= 4;
	/* Bit 4 is reported only where fetches can be forbidden. */
	if (access & GUEST_FETCH &&
	    ((pae && s->efer & EFER_NXE) || s->cr4 & CR4_SMEP))
		m->error |= 16;
}

static void model_walk(struct model *m, const struct vcpu_state *s,
		       uint64_t linear, unsigned access)
{
	bool long_mode = s->efer & EFER_LMA;
	bool pae = long_mode || s->cr4 & CR4_PAE;
	unsigned size = pae ? 8 : 4, level = long_mode ? 4 : pae ? 3 : 2;
	bool user = s->cpl == 3 && !(access & GUEST_IMPLICIT);
	bool w = true, u = true, x = true;
	uint64_t table, entry = 0, reserved;

	*m = (struct model){0};
	if (!long_mode)
		linear = (uint32_t)linear;
	if (!(s->cr0 & CR0_PG)) {
		m->gpa = linear;
		return;
	}
	if (long_mode && (s->cr4 & CR4_LA57 ||
			  (linear >> 47 != 0 && linear >> 47 != 0x1ffff))) {
		m->fault = m->gp = true;
		return;
	}
	table = long_mode ? s->cr3 & 0xffffffffff000
		: pae	  ? s->cr3 & 0xffffffe0
			  : s->cr3 & 0xfffff000;
	for (;; level--) {
		unsigned bits = pae ? 9 : 10, shift = 12 + bits * (level - 1);
		uint64_t index = linear >> shift & ((1u << bits) - 1);
		bool pdpte = pae && !long_mode && level == 3;
		bool large;

		if (pdpte)
			index &= 3;
		if (!load(table + index * size, size, &entry) || !(entry & 1)) {
			model_fault(m, s, access, 0);
			return;
		}
		large = entry & 0x80 && (level == 2 ? pae || s->cr4 & CR4_PSE
						    : level == 3 && long_mode);
		reserved = 0;
		if (pdpte)
			reserved = 0x1e6 | 0xfff0000000000000;
		else if (pae && !long_mode)
			reserved = 0x7ff0000000000000;
		if (pae && !(s->efer & EFER_NXE))
			reserved |= 1ull << 63;
		if (long_mode && level == 4)
			reserved |= 0x80;
		/* Below a large page's size; bit 12 is PAT. */
		if (large && pae)
			reserved |= ((1ull << shift) - 1) & ~0x1fffull;
		else if (large)
			reserved |= 1u << 21;
		if (entry & reserved) {
			model_fault(m, s, access, 1 | 8);
			return;
		}
		m->aliased |= pae && !long_mode && m->count &&
			      m->entry[0] == table + index * size;
		m->entry[m->count] = table + index * size;
		m->marked[m->count++] = !pdpte;
		if (!pdpte) {
			w &= entry >> 1 & 1;
			u &= entry >> 2 & 1;
			x &= !(pae && entry >> 63);
		}
		if (large || level == 1) {
			uint64_t mask = (1ull << shift) - 1;

			table = entry & 0xffffffffff000 & ~mask;
			if (large && !pae)
				table |= (entry >> 13 & 0xff) << 32;
			m->gpa = table | (linear & mask);
			break;
		}
		table = entry & 0xffffffffff000;
	}
	/* 4.6.1: fetches, then user, then supervisor. */
	if (access & GUEST_FETCH &&
	    (!x || (user && !u) || (!user && u && s->cr4 & CR4_SMEP)))
		model_fault(m, s, access, 1);
	else if (user && (!u || (access & GUEST_WRITE && !w)))
		model_fault(m, s, access, 1);
	else if (!user && access & GUEST_WRITE && !w && s->cr0 & CR0_WP)
		model_fault(m, s, access, 1);
	else if (!user && !(access & GUEST_FETCH) && u && s->cr4 & CR4_SMAP &&
		 (access & GUEST_IMPLICIT || !(s->rflags & RFLAGS_AC)))
		model_fault(m, s, access, 1);
}

/* What the model changes in memory. */
static void model_mark(const struct model *m, unsigned access)
{
	for (unsigned i = 0; !m->fault && i < m->count; i++) {
		uint8_t *at = expected + (m->entry[i] - RAM_AT);

		if (!m->marked[i])
			continue;
		*at |= ACCESSED;
		if (i == m->count - 1 && access & GUEST_WRITE)
			*at |= DIRTY;
	}
}

static void check_walk(const struct vcpu_state *s, uint64_t linear,
		       unsigned access)
{
	struct exception exc = {0};
	struct model m;
	gpa_t gpa;
	int err;

	memcpy(expected, ram, RAM_SIZE);
	model_walk(&m, s, linear, access);
	if (m.aliased)
		return;
	model_mark(&m, access);
	err = guest_walk(s, &mem, linear, access, &gpa, &exc);
	REQUIRE(!memcmp(ram, expected, RAM_SIZE));
	if (!m.fault) {
		REQUIRE(!err && gpa.v == m.gpa);
		return;
	}
	REQUIRE(err == -EFAULT && exc.has_error);
	if (m.gp) {
		REQUIRE(exc.vector == EXC_GP && !exc.error);
		return;
	}
	REQUIRE(exc.vector == EXC_PF && exc.error == m.error &&
		exc.address == (linear & guest_linear_mask(s)));
}

static bool in_ram(uint64_t gpa, size_t len)
{
	return gpa >= RAM_AT && gpa - RAM_AT <= RAM_SIZE - len;
}

/* A copy is a walk for each page, and then all of the bytes or none. */
static void check_copy(const struct vcpu_state *s, uint64_t linear,
		       unsigned access, size_t len)
{
	size_t done = 0, first = PAGE_SIZE - (linear & (PAGE_SIZE - 1));
	uint8_t bytes[64], seen[64];
	uint64_t at[2] = {0};
	struct exception exc;
	int err, wanted = len ? 0 : -EINVAL;

	memset(bytes, 0x5a, sizeof(bytes));
	memcpy(expected, ram, RAM_SIZE);
	for (unsigned i = 0; !wanted && done < len; i++) {
		size_t piece = i ? len - first : MIN(first, len);
		struct model m;

		model_walk(&m, s, linear + done, access);
		if (m.aliased)
			return;
		model_mark(&m, access);
		at[i] = m.gpa;
		if (m.fault)
			wanted = -EFAULT;
		else if (!in_ram(m.gpa, piece))
			wanted = -ENXIO;
		done += piece;
	}
	for (size_t i = 0; !wanted && i < len; i++) {
		uint64_t gpa = i < first ? at[0] + i : at[1] + i - first;
		uint8_t *byte = expected + (gpa - RAM_AT);

		seen[i] = *byte;
		if (access & GUEST_WRITE)
			*byte = bytes[i];
	}
	err = access & GUEST_WRITE ? guest_linear_write(s, &mem, linear, access,
							bytes, len, &exc)
				   : guest_linear_read(s, &mem, linear, access,
						       bytes, len, &exc);
	REQUIRE(err == wanted && !memcmp(ram, expected, RAM_SIZE));
	if (!err && !(access & GUEST_WRITE))
		REQUIRE(!memcmp(bytes, seen, len));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const unsigned accesses[] = {
		GUEST_READ,
		GUEST_WRITE,
		GUEST_FETCH,
		GUEST_READ | GUEST_IMPLICIT,
		GUEST_WRITE | GUEST_IMPLICIT,
	};
	struct vcpu_state s = {0};
	uint64_t linear;
	unsigned access;

	if (size < HEAD_SIZE)
		return 0;
	if (!mem.count)
		guest_mem_add(&mem, GPA(RAM_AT), RAM_SIZE, ram);
	memset(ram, 0, RAM_SIZE);
	s.cr0 = CR0_PE | (data[0] & 1 ? 0 : CR0_PG) |
		(data[0] & 2 ? CR0_WP : 0);
	s.efer = (data[0] & 4 ? EFER_LME | EFER_LMA : 0) |
		 (data[0] & 8 ? EFER_NXE : 0);
	s.cr4 = (data[0] & (4 | 16) ? CR4_PAE : 0) |
		(data[0] & 32 ? CR4_PSE : 0) | (data[0] & 64 ? CR4_SMEP : 0) |
		(data[0] & 128 ? CR4_SMAP : 0) |
		((data[1] & 0xf0) == 0xf0 ? CR4_LA57 : 0);
	s.cpl = data[1] & 3;
	s.rflags = data[1] & 4 ? RFLAGS_AC : 0;
	access = accesses[(data[2] & 7) % ARRAY_SIZE(accesses)];
	s.cr3 = RAM_AT + (uint64_t)(data[3] % (PAGES + 1)) * PAGE_SIZE +
		(data[4] & 0xf8u);
	memcpy(&linear, data + 8, 8);
	/* Entries: where, and a value whose frame is mostly one of ours. */
	for (const uint8_t *p = data + HEAD_SIZE; p + PATCH <= data + size;
	     p += PATCH) {
		uint64_t entry;
		uint16_t at;

		memcpy(&at, p, 2);
		memcpy(&entry, p + 2, 8);
		if (!(p[7] & 0x0f))
			entry = (entry & ~0xffffffffff000ull) |
				(RAM_AT + (uint64_t)(p[4] % PAGES) * PAGE_SIZE);
		memcpy(ram + (at & (RAM_SIZE - 8)), &entry, 8);
	}
	check_walk(&s, linear, access);
	check_copy(&s, linear, access, data[5] % 64);
	return 0;
}
