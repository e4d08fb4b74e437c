/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Walks the page tables of a guest, and reaches its memory through them. */
#include "vmm/guest_walk.h"

#include <linux/errno.h>

/*
 * References: Intel SDM 3A, 4.3 to 4.6; AMD APM 2, chapter 5.
 *
 * The tables belong to the guest, whose other vCPUs may change them at any
 * moment. Each entry is therefore loaded once, judged by that copy, and has
 * its accessed and dirty bits set by compare-and-swap against that copy: if it
 * changed meanwhile, the walk starts over, WALK_TRIES times at most. After that
 * the last translation stands, as one that the TLB had held would.
 *
 * MAXPHYADDR is taken as 52, the most there is, so that no address bit is
 * reserved. A guest that sets one finds no RAM there, which is all that matters
 * to the hypervisor.
 */
#define WALK_TRIES  4
#define WALK_LEVELS 4

#define PTE_P	    (1ull << 0)
#define PTE_W	    (1ull << 1)
#define PTE_U	    (1ull << 2)
#define PTE_A	    (1ull << 5)
#define PTE_D	    (1ull << 6)
#define PTE_PS	    (1ull << 7)
#define PTE_NX	    (1ull << 63)
#define PTE_FRAME   0x000ffffffffff000ull /* bits 51:12 */

/* Page-fault error code (Intel SDM 3A, figure 4-12). */
#define PF_P	    (1u << 0)
#define PF_W	    (1u << 1)
#define PF_U	    (1u << 2)
#define PF_R	    (1u << 3)
#define PF_I	    (1u << 4)

/* How the tables of one paging mode look. levels[0] is the root. */
struct walk_mode {
	unsigned levels;
	unsigned entry_size;
	struct {
		uint8_t shift;	   /* lowest linear bit of the index */
		uint8_t bits;	   /* of the index */
		bool leaf;	   /* may map a large page, by PTE_PS */
		bool bare;	   /* has no W, U, A bits (PAE PDPTE) */
		uint64_t reserved; /* must be zero, when not a large page */
		uint64_t large_reserved;
	} level[WALK_LEVELS];
};

static const struct walk_mode walk_32 = {
	.levels = 2,
	.entry_size = 4,
	.level =
		{
			/* PSE-36: bits 20:13 are address bits 39:32, 21 is
			   reserved. */
			{.shift = 22,
			 .bits = 10,
			 .leaf = true,
			 .large_reserved = 1ull << 21},
			{.shift = 12, .bits = 10},
		},
};

/* Bits 62:52 are reserved with PAE, ignored with 4 levels. */
#define PAE_HIGH 0x7ff0000000000000ull
static const struct walk_mode walk_pae = {
	.levels = 3,
	.entry_size = 8,
	.level =
		{
			{.shift = 30,
			 .bits = 2,
			 .bare = true,
			 .reserved = PAE_HIGH | PTE_NX | 0x1e6},
			{.shift = 21,
			 .bits = 9,
			 .leaf = true,
			 .reserved = PAE_HIGH,
			 .large_reserved = PAE_HIGH | 0x1fe000},
			{.shift = 12, .bits = 9, .reserved = PAE_HIGH},
		},
};

static const struct walk_mode walk_64 = {
	.levels = 4,
	.entry_size = 8,
	.level =
		{
			{.shift = 39, .bits = 9, .reserved = PTE_PS},
			{.shift = 30,
			 .bits = 9,
			 .leaf = true,
			 .large_reserved = 0x3fffe000},
			{.shift = 21,
			 .bits = 9,
			 .leaf = true,
			 .large_reserved = 0x1fe000},
			{.shift = 12, .bits = 9},
		},
};

/* One walk's trail: what was read where. */
struct walk_trail {
	unsigned count;
	struct {
		void *entry;
		uint64_t value;
		bool bare;
	} step[WALK_LEVELS];
};

static const struct walk_mode *walk_mode_of(const struct vcpu_state *s)
{
	if (s->efer & EFER_LMA)
		return &walk_64;
	return s->cr4 & CR4_PAE ? &walk_pae : &walk_32;
}

static bool walk_is_user(const struct vcpu_state *s, unsigned access)
{
	return s->cpl == 3 && !(access & GUEST_IMPLICIT);
}

static int walk_fault(const struct vcpu_state *s, uint64_t linear,
		      unsigned access, uint32_t error, struct exception *exc)
{
	bool has_nx = s->cr4 & CR4_PAE && s->efer & EFER_NXE;

	if (access & GUEST_WRITE)
		error |= PF_W;
	if (walk_is_user(s, access))
		error |= PF_U;
	if (access & GUEST_FETCH && (has_nx || s->cr4 & CR4_SMEP))
		error |= PF_I;
	*exc = (struct exception){
		.vector = EXC_PF,
		.has_error = true,
		.error = error,
		.address = linear,
	};
	return -EFAULT;
}

/* May the vCPU do this, when rights are those of all levels taken together? */
static bool walk_permits(const struct vcpu_state *s, unsigned access,
			 bool writable, bool user, bool nx)
{
	if (access & GUEST_FETCH && nx)
		return false;
	if (walk_is_user(s, access))
		return user && (writable || !(access & GUEST_WRITE));
	if (access & GUEST_WRITE && !writable && s->cr0 & CR0_WP)
		return false;
	if (!user)
		return true;
	if (access & GUEST_FETCH)
		return !(s->cr4 & CR4_SMEP);
	return !(s->cr4 & CR4_SMAP) ||
	       (s->rflags & RFLAGS_AC && !(access & GUEST_IMPLICIT));
}

static void *walk_load(const struct guest_mem *mem, uint64_t gpa, unsigned size,
		       uint64_t *value)
{
	void *entry = guest_range(mem, GPA(gpa), size);

	if (!entry)
		return NULL;
	if (size == 4)
		*value = __atomic_load_n((uint32_t *)entry, __ATOMIC_RELAXED);
	else
		*value = __atomic_load_n((uint64_t *)entry, __ATOMIC_RELAXED);
	return entry;
}

static bool walk_swap(void *entry, unsigned size, uint64_t old, uint64_t new)
{
	uint32_t old32 = (uint32_t)old;

	if (old == new)
		return true;
	if (size == 4)
		return __atomic_compare_exchange_n(
			(uint32_t *)entry, &old32, (uint32_t) new, false,
			__ATOMIC_RELAXED, __ATOMIC_RELAXED);
	return __atomic_compare_exchange_n((uint64_t *)entry, &old, new, false,
					   __ATOMIC_RELAXED, __ATOMIC_RELAXED);
}

/* False: an entry is not what it was when it was read. */
static bool walk_mark(const struct walk_trail *trail, unsigned size,
		      unsigned access)
{
	for (unsigned i = 0; i < trail->count; i++) {
		uint64_t old = trail->step[i].value, new = old | PTE_A;

		if (trail->step[i].bare)
			continue;
		if (i == trail->count - 1 && access & GUEST_WRITE)
			new |= PTE_D;
		if (!walk_swap(trail->step[i].entry, size, old, new))
			return false;
	}
	return true;
}

static uint64_t walk_large_base(const struct walk_mode *mode, uint64_t value,
				uint64_t page)
{
	uint64_t base = value & PTE_FRAME & ~(page - 1);

	if (mode == &walk_32)
		base |= (value >> 13 & 0xff) << 32;
	return base;
}

/* One walk from the root; *trail holds what it met. */
static int walk_once(const struct vcpu_state *s, const struct guest_mem *mem,
		     const struct walk_mode *mode, uint64_t linear,
		     unsigned access, gpa_t *out, struct walk_trail *trail,
		     struct exception *exc)
{
	/* PAE: CR3 31:5 (4.4.1); otherwise a page. */
	uint64_t table = s->cr3 & (mode == &walk_pae  ? 0xffffffe0ull
				   : mode == &walk_32 ? 0xfffff000ull
						      : PTE_FRAME);
	bool writable = true, user = true, nx = false;

	trail->count = 0;
	for (unsigned i = 0; i < mode->levels; i++) {
		uint64_t page = 1ull << mode->level[i].shift;
		uint64_t index = linear >> mode->level[i].shift &
				 ((1u << mode->level[i].bits) - 1);
		uint64_t value, reserved;
		bool leaf;
		void *entry = walk_load(mem, table + index * mode->entry_size,
					mode->entry_size, &value);

		if (!entry || !(value & PTE_P))
			return walk_fault(s, linear, access, 0, exc);
		leaf = mode->level[i].leaf && value & PTE_PS &&
		       (mode != &walk_32 || s->cr4 & CR4_PSE);
		reserved = leaf ? mode->level[i].large_reserved
				: mode->level[i].reserved;
		if (mode->entry_size == 8 && !(s->efer & EFER_NXE))
			reserved |= PTE_NX;
		if (value & reserved)
			return walk_fault(s, linear, access, PF_P | PF_R, exc);
		if (!mode->level[i].bare) {
			writable &= !!(value & PTE_W);
			user &= !!(value & PTE_U);
			nx |= mode->entry_size == 8 && value & PTE_NX;
		}
		trail->step[i].entry = entry;
		trail->step[i].value = value;
		trail->step[i].bare = mode->level[i].bare;
		trail->count++;
		if (leaf || i == mode->levels - 1) {
			table = walk_large_base(mode, value, page);
			if (!leaf)
				table = value & PTE_FRAME;
			table |= linear & (page - 1);
			break;
		}
		table = value & PTE_FRAME;
	}
	if (!walk_permits(s, access, writable, user, nx))
		return walk_fault(s, linear, access, PF_P, exc);
	*out = GPA(table);
	return 0;
}

int guest_walk(const struct vcpu_state *s, const struct guest_mem *mem,
	       uint64_t linear, unsigned access, gpa_t *out,
	       struct exception *exc)
{
	const struct walk_mode *mode = walk_mode_of(s);
	struct walk_trail trail;
	int err = 0;

	linear &= guest_linear_mask(s);
	if (!(s->cr0 & CR0_PG)) {
		*out = GPA(linear);
		return 0;
	}
	if (mode == &walk_64 &&
	    (s->cr4 & CR4_LA57 || !guest_canonical(linear))) {
		*exc = (struct exception){.vector = EXC_GP, .has_error = true};
		return -EFAULT;
	}
	for (unsigned i = 0; i < WALK_TRIES; i++) {
		err = walk_once(s, mem, mode, linear, access, out, &trail, exc);
		if (err || walk_mark(&trail, mode->entry_size, access))
			break;
	}
	return err;
}

/* The two pages, at most, that [linear, linear + len) lies in. */
struct walk_span {
	gpa_t gpa[2];
	size_t len[2];
};

static int walk_span_of(const struct vcpu_state *s, const struct guest_mem *mem,
			uint64_t linear, unsigned access, size_t len,
			struct walk_span *span, struct exception *exc)
{
	size_t first = PAGE_SIZE - (linear & (PAGE_SIZE - 1));
	int err;

	if (len == 0 || len > PAGE_SIZE)
		return -EINVAL;
	span->len[0] = MIN(first, len);
	span->len[1] = len - span->len[0];
	for (unsigned i = 0; i < 2 && span->len[i]; i++) {
		err = guest_walk(s, mem, linear + (i ? first : 0), access,
				 &span->gpa[i], exc);
		if (err)
			return err;
		if (!guest_range(mem, span->gpa[i], span->len[i]))
			return -ENXIO;
	}
	return 0;
}

int guest_linear_read(const struct vcpu_state *s, const struct guest_mem *mem,
		      uint64_t linear, unsigned access, void *to, size_t len,
		      struct exception *exc)
{
	struct walk_span span;
	uint8_t *at = to;
	int err = walk_span_of(s, mem, linear, access, len, &span, exc);

	for (unsigned i = 0; !err && i < 2 && span.len[i]; i++) {
		err = guest_read(mem, span.gpa[i], at, span.len[i]);
		at += span.len[i];
	}
	return err;
}

int guest_linear_write(const struct vcpu_state *s, const struct guest_mem *mem,
		       uint64_t linear, unsigned access, const void *from,
		       size_t len, struct exception *exc)
{
	struct walk_span span;
	const uint8_t *at = from;
	int err = walk_span_of(s, mem, linear, access | GUEST_WRITE, len, &span,
			       exc);

	for (unsigned i = 0; !err && i < 2 && span.len[i]; i++) {
		err = guest_write(mem, span.gpa[i], at, span.len[i]);
		at += span.len[i];
	}
	return err;
}
