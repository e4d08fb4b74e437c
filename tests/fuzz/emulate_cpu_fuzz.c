/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Fuzzes the emulator against this CPU: what it completes, the CPU does too. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "vmm/emulate.h"

/*
 * A 64-bit guest whose linear addresses are this process's: its device, its
 * data and its code are mapped here at the same places. The emulator executes
 * the instruction with accesses to a copy of the device; if it says DONE, the
 * CPU executes the same bytes from the same registers, and registers, flags and
 * memory must be alike. Not compared: what is undefined (AF after logic, all
 * but CF and ZF after bit tests), FS and GS, ports.
 */
#define DATA_AT	      0x10000000ul
#define DEVICE_AT     0x20000000ul
#define CODE_AT	      0x30000000ul
#define DATA_SIZE     0x4000u
#define DEVICE_SIZE   0x2000u
#define RAM_SIZE      0x10000u
#define CODE_GPA      0x8000u
#define DATA_GPA      0xc000u
#define CODE_OFFSET   0x800u /* in its page */
#define INSN_SIZE_MAX 15

/* Arithmetic flags and DF. */
#define FLAGS	      0xcd5u
#define FLAGS_LOGIC   (FLAGS & ~(uint64_t)RFLAGS_AF)
#define FLAGS_BITS    (uint64_t)(RFLAGS_CF | RFLAGS_ZF | RFLAGS_DF)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static _Alignas(4096) uint8_t ram[RAM_SIZE];
static uint8_t device[DEVICE_SIZE];
static uint8_t pattern[DATA_SIZE + 1024];
static struct guest_mem mem;

/* What the assembly below loads and saves. */
uint64_t native_gpr[GPR_COUNT];
uint64_t native_flags, native_stack, native_target;
void native_run(void);
void native_back(void);

#define MOV_IN(reg, at)	 "mov native_gpr+" #at "(%rip), %" #reg "\n\t"
#define MOV_OUT(reg, at) "mov %" #reg ", native_gpr+" #at "(%rip)\n\t"
#define ALL_GPRS(mov)                                                          \
	mov(rax, 0) mov(rcx, 8) mov(rdx, 16) mov(rbx, 24) mov(rsp, 32)         \
		mov(rbp, 40) mov(rsi, 48) mov(rdi, 56) mov(r8, 64) mov(r9, 72) \
			mov(r10, 80) mov(r11, 88) mov(r12, 96) mov(r13, 104)   \
				mov(r14, 112) mov(r15, 120)

/* RSP is one of the guest's while the instruction runs: signal handlers have a
 * stack of their own (ASan's). */
__asm__("	.text\n"
	"native_run:\n\t"
	"push %rbx; push %rbp; push %r12; push %r13; push %r14; push %r15\n\t"
	"push native_flags(%rip); popf\n\t"
	"mov %rsp, native_stack(%rip)\n\t" ALL_GPRS(MOV_IN)
	"jmp *native_target(%rip)\n"
	"native_back:\n\t" ALL_GPRS(MOV_OUT)
	"mov native_stack(%rip), %rsp\n\t"
	"pushf; pop native_flags(%rip); cld\n\t"
	"pop %r15; pop %r14; pop %r13; pop %r12; pop %rbp; pop %rbx\n\t"
	"ret\n");

uint64_t emulate_mmio_read(void *vcpu, gpa_t gpa, unsigned size)
{
	uint64_t value = UINT64_MAX; /* the upper bits must be ignored */

	if (gpa.v < DEVICE_AT || gpa.v + size > DEVICE_AT + DEVICE_SIZE)
		abort();
	memcpy(&value, device + (gpa.v - DEVICE_AT), size);
	return value;
}

void emulate_mmio_write(void *vcpu, gpa_t gpa, unsigned size, uint64_t value)
{
	if (gpa.v < DEVICE_AT || gpa.v + size > DEVICE_AT + DEVICE_SIZE)
		abort();
	memcpy(device + (gpa.v - DEVICE_AT), &value, size);
}

uint32_t emulate_pio_in(void *vcpu, uint16_t port, unsigned size)
{
	abort(); /* the exit was not about ports */
}

void emulate_pio_out(void *vcpu, uint16_t port, unsigned size, uint32_t value)
{
	abort();
}

static void map(uint64_t table, uint64_t linear, uint64_t gpa, uint64_t size)
{
	uint64_t *pd = (uint64_t *)(ram + 0x2000), *pt;

	pd[linear >> 21] = table | 7;
	pt = (uint64_t *)(ram + table);
	for (uint64_t i = 0; i < size / PAGE_SIZE; i++)
		pt[i] = (gpa + i * PAGE_SIZE) | 7;
}

static void *claim(uint64_t at, size_t size, int rights)
{
	void *p =
		mmap((void *)at, size, rights,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);

	if (p != (void *)at)
		abort();
	return p;
}

static void prepare(void)
{
	if (mem.count)
		return;
	guest_mem_add(&mem, GPA(0), RAM_SIZE, ram);
	*(uint64_t *)ram = 0x1007;
	*(uint64_t *)(ram + 0x1000) = 0x2007;
	map(0x3000, DATA_AT, DATA_GPA, DATA_SIZE);
	map(0x4000, DEVICE_AT, DEVICE_AT, DEVICE_SIZE);
	map(0x5000, CODE_AT, CODE_GPA, PAGE_SIZE);
	claim(DATA_AT, DATA_SIZE, PROT_READ | PROT_WRITE);
	claim(DEVICE_AT, DEVICE_SIZE, PROT_READ | PROT_WRITE);
	claim(CODE_AT, PAGE_SIZE, PROT_READ | PROT_WRITE | PROT_EXEC);
	native_target = CODE_AT + CODE_OFFSET;
	for (unsigned i = 0; i < sizeof(pattern); i++)
		pattern[i] = (uint8_t)(i * 37 + i / 251);
}

/* The instruction, and a jump to where the CPU is to come back. */
static void put_code(const uint8_t *bytes, size_t size)
{
	uint8_t *guest = ram + CODE_GPA + CODE_OFFSET;

	memset(guest, 0x90, 32);
	memcpy(guest, bytes, size);
}

static void put_native(unsigned length)
{
	static const uint8_t jump[] = {0xff, 0x25, 0, 0, 0, 0}; /* *0(%rip) */
	uint8_t *at = (uint8_t *)CODE_AT + CODE_OFFSET;
	uint64_t back = (uint64_t)native_back;

	memcpy(at, ram + CODE_GPA + CODE_OFFSET, length);
	memcpy(at + length, jump, sizeof(jump));
	memcpy(at + length + sizeof(jump), &back, sizeof(back));
}

/* Registers that make sense as addresses, as counts and as neither. */
static uint64_t make_gpr(uint8_t kind, uint8_t detail)
{
	uint64_t low = (uint64_t)(kind & 0x3f) << 8 | detail;

	switch (kind >> 6) {
	case 0:
		return DEVICE_AT + low % (DEVICE_SIZE + 16) - 8;
	case 1:
		return DATA_AT + low % DATA_SIZE;
	case 2:
		return (uint64_t)(int8_t)detail;
	default:
		return low * 0x9e3779b97f4a7c15ull;
	}
}

static uint64_t flags_defined(const struct insn *insn)
{
	uint8_t op = insn->opcode, group = insn->reg & 7;

	if (insn->map == INSN_MAP_0F)
		return op == 0xa3 || op == 0xab || op == 0xb3 || op == 0xbb ||
				       op == 0xba
			       ? FLAGS_BITS
			       : FLAGS;
	if (op < 0x40)
		group = op >> 3;
	else if (op == 0x84 || op == 0x85 || op == 0xf6 || op == 0xf7)
		return op < 0xf6 || group < 2 ? FLAGS_LOGIC : FLAGS;
	else if (op < 0x80 || op > 0x83)
		return FLAGS;
	/* OR, AND, XOR */
	return group == 1 || group == 4 || group == 6 ? FLAGS_LOGIC : FLAGS;
}

static void require(bool same, const char *what, const struct emulate_ctx *ctx)
{
	if (same)
		return;
	fprintf(stderr, "%s differ:", what);
	for (unsigned i = 0; i < ctx->insn.length; i++)
		fprintf(stderr, " %02x", ctx->bytes[i]);
	fprintf(stderr, "\n");
	for (unsigned i = 0; i < GPR_COUNT; i++)
		fprintf(stderr, "%2u emulator %016lx CPU %016lx\n", i,
			ctx->state->gpr[i], native_gpr[i]);
	fprintf(stderr, "flags emulator %lx CPU %lx\n", ctx->state->rflags,
		native_flags);
	abort();
}

static bool uses_fs_or_gs(const struct insn *insn)
{
	return insn->mem.segment >= SEG_FS;
}

static void compare(const struct emulate_ctx *ctx, uint64_t rip)
{
	const struct vcpu_state *s = ctx->state;
	uint64_t mask = flags_defined(&ctx->insn);

	put_native(ctx->insn.length);
	native_run();
	require(s->rip == rip + ctx->insn.length, "RIPs", ctx);
	require(!memcmp(s->gpr, native_gpr, sizeof(native_gpr)), "registers",
		ctx);
	require(((s->rflags ^ native_flags) & mask) == 0, "flags", ctx);
	require(!memcmp(device, (void *)DEVICE_AT, DEVICE_SIZE), "devices",
		ctx);
	require(!memcmp(ram + DATA_GPA, (void *)DATA_AT, DATA_SIZE), "data",
		ctx);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct vcpu_state s = {
		.rip = CODE_AT + CODE_OFFSET,
		.rflags = RFLAGS_FIXED | RFLAGS_IF,
		.cr0 = CR0_PE | CR0_PG | CR0_WP,
		.cr4 = CR4_PAE,
		.efer = EFER_LME | EFER_LMA | EFER_NXE,
	};
	struct emulate_ctx ctx = {.state = &s, .mem = &mem};
	uint8_t head[3 + 2 * GPR_COUNT] = {0};

	if (size < 2)
		return 0;
	prepare();
	/* The instruction comes first, its length in front of it: a short
	 * input leaves the rest zero. */
	put_code(data + 1,
		 MIN(MIN(size - 1, data[0] & 15u), (size_t)INSN_SIZE_MAX));
	if (size > 16)
		memcpy(head, data + 16, MIN(size - 16, sizeof(head)));
	for (unsigned i = 0; i < SEG_COUNT; i++)
		s.seg[i] = (struct segment){0x18, 0xc93, UINT32_MAX, 0};
	s.seg[SEG_CS] = (struct segment){0x10, 0xa9b, UINT32_MAX, 0};
	s.rflags |= (head[0] | head[1] << 8) & FLAGS;
	for (unsigned i = 0; i < GPR_COUNT; i++)
		s.gpr[i] = make_gpr(head[3 + 2 * i], head[4 + 2 * i]);
	memcpy(device, pattern + head[2], DEVICE_SIZE);
	memcpy(ram + DATA_GPA, pattern + 3 * head[2], DATA_SIZE);
	memcpy((void *)DEVICE_AT, device, DEVICE_SIZE);
	memcpy((void *)DATA_AT, ram + DATA_GPA, DATA_SIZE);
	memcpy(native_gpr, s.gpr, sizeof(native_gpr));
	native_flags = s.rflags;
	if (emulate_fetch(&ctx) != EMULATE_DONE || uses_fs_or_gs(&ctx.insn) ||
	    emulate_insn(&ctx) != EMULATE_DONE)
		return 0;
	compare(&ctx, CODE_AT + CODE_OFFSET);
	return 0;
}
