/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Guest-linear addresses: the guest's own page tables, walked in software. */
#ifndef VMM_GUEST_WALK_H
#define VMM_GUEST_WALK_H

#include "vmm/dev/guest_mem.h"
#include "vmm/state.h"

/* What the access is for. */
#define GUEST_READ     0u
#define GUEST_WRITE    (1u << 0)
#define GUEST_FETCH    (1u << 1)
/* Made by the CPU for itself (descriptor tables, TSS): supervisor at any CPL,
 * and SMAP applies whatever RFLAGS.AC says (Intel SDM 3A, 4.6.1). */
#define GUEST_IMPLICIT (1u << 2)

/*
 * Translates one linear address (64-bit; it is truncated to 32 bits outside
 * long mode) for an access by the vCPU as it stands, and sets accessed and
 * dirty bits as a CPU would. *out may lie outside of RAM: the caller looks.
 *
 * Returns 0, or -EFAULT with *exc to inject: #PF with its error code, or
 * #GP(0) for a non-canonical address and for 5-level paging, which no VM is
 * offered. Tables outside of RAM read as "not present".
 */
int guest_walk(const struct vcpu_state *s, const struct guest_mem *mem,
	       uint64_t linear, unsigned access, gpa_t *out,
	       struct exception *exc);

/*
 * Copies between a buffer and guest-linear memory; may cross pages. Returns 0,
 * -EFAULT (see guest_walk) or -ENXIO: an address is not RAM. A write changes
 * nothing unless every page passes. len is at most PAGE_SIZE (-EINVAL).
 */
int guest_linear_read(const struct vcpu_state *s, const struct guest_mem *mem,
		      uint64_t linear, unsigned access, void *to, size_t len,
		      struct exception *exc);
int guest_linear_write(const struct vcpu_state *s, const struct guest_mem *mem,
		       uint64_t linear, unsigned access, const void *from,
		       size_t len, struct exception *exc);

/* 48-bit canonical: bits 63:47 are alike. */
static inline bool guest_canonical(uint64_t linear)
{
	return (uint64_t)((int64_t)(linear << 16) >> 16) == linear;
}

/* As much of an address as the vCPU's mode has. */
static inline uint64_t guest_linear_mask(const struct vcpu_state *s)
{
	return s->efer & EFER_LMA ? UINT64_MAX : UINT32_MAX;
}

#endif
