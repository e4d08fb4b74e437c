/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Executes one instruction of a guest that touches MMIO or an I/O port. */
#ifndef VMM_EMULATE_H
#define VMM_EMULATE_H

#include "vmm/decode.h"
#include "vmm/dev/guest_mem.h"

/* Iterations of a REP string instruction in one call. */
#define EMULATE_REP_MAX 64

enum emulate_result {
	/* One step: state is past the instruction, or, under TF, past one
	 * iteration of it. The caller ends the interrupt shadow and raises #DB
	 * if TF is set. */
	EMULATE_DONE,
	EMULATE_AGAIN,	   /* enter the guest with state as it is */
	EMULATE_EXCEPTION, /* inject ctx->exc, then as EMULATE_AGAIN */
	EMULATE_UNHANDLED, /* nothing changed; ctx->bytes says what it was */
};

/* What the exit was about. Only that is done: bytes that have changed since
 * are the guest's to run into once more. */
enum emulate_cause {
	EMULATE_MMIO,
	EMULATE_PIO
};

struct emulate_ctx {
	/* In. */
	struct vcpu_state *state;
	const struct guest_mem *mem;
	void *vcpu; /* for the hooks */
	enum emulate_cause cause;
	/* In, if the CPU delivers them (decode assists), else count is 0. */
	uint8_t bytes[INSN_LENGTH_MAX];
	uint8_t count;
	/* Out. */
	struct insn insn;
	struct exception exc;
};

/*
 * Fetches the instruction at CS:RIP and decodes it into ctx->insn. For MMIO,
 * and for any exit that needs a length. EMULATE_DONE, EMULATE_EXCEPTION, or
 * EMULATE_UNHANDLED: vector-encoded, or not in RAM. state is unchanged.
 */
enum emulate_result emulate_fetch(struct emulate_ctx *ctx);

/* Executes ctx->insn. */
enum emulate_result emulate_insn(struct emulate_ctx *ctx);

/*
 * Link-time hooks: vmm/exits.c, or a test. size is 1, 2, 4 or, for MMIO, 8;
 * gpa is not RAM, need not be aligned, and the access stays within its page.
 * Bits of a value above size are zero when written, ignored when read.
 */
uint64_t emulate_mmio_read(void *vcpu, gpa_t gpa, unsigned size);
void emulate_mmio_write(void *vcpu, gpa_t gpa, unsigned size, uint64_t value);
uint32_t emulate_pio_in(void *vcpu, uint16_t port, unsigned size);
void emulate_pio_out(void *vcpu, uint16_t port, unsigned size, uint32_t value);

#endif
