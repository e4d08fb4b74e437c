/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Fuzzes the emulator: any bytes, registers and page tables of a guest. */
#include "tests/fuzz/fuzz.h"
#include "vmm/emulate.h"

#define RAM_SIZE MiB(1)
#define CODE	 0x8000

static _Alignas(4096) uint8_t ram[RAM_SIZE];
static struct guest_mem mem;
static uint64_t noise;
static unsigned accesses;

/* What the hooks promise to vmm/exits.c. */
static void check(gpa_t gpa, unsigned size)
{
	if ((size != 1 && size != 2 && size != 4 && size != 8) ||
	    gpa.v / PAGE_SIZE != (gpa.v + size - 1) / PAGE_SIZE ||
	    guest_range(&mem, gpa, size))
		abort();
	accesses++;
}

uint64_t emulate_mmio_read(void *vcpu, gpa_t gpa, unsigned size)
{
	check(gpa, size);
	return noise;
}

void emulate_mmio_write(void *vcpu, gpa_t gpa, unsigned size, uint64_t value)
{
	check(gpa, size);
	if (size < 8 && value >> (8 * size))
		abort();
}

uint32_t emulate_pio_in(void *vcpu, uint16_t port, unsigned size)
{
	accesses++;
	return noise;
}

void emulate_pio_out(void *vcpu, uint16_t port, unsigned size, uint32_t value)
{
	if (size < 4 && value >> (8 * size))
		abort();
	accesses++;
}

/* Tables that map the first GiB to itself, by 2 MiB pages; the input then
 * writes into them. */
static void make_tables(bool long_mode)
{
	uint64_t *t = (uint64_t *)ram;

	memset(ram, 0, 0x4000);
	t[0x200] = 0x2007;
	t[0x400] = long_mode ? 0x3007 : 0x3001;
	for (unsigned i = 0; i < 512; i++)
		t[0x600 + i] = (uint64_t)i << 21 | 0x87;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint64_t efers[] = {0, EFER_NXE, EFER_LMA | EFER_LME,
					 EFER_LMA | EFER_LME | EFER_NXE};
	struct vcpu_state s = {0}, before;
	struct emulate_ctx ctx = {.state = &s, .mem = &mem};
	enum emulate_result result;
	uint8_t head[16];
	bool untouched;

	if (size < sizeof(head))
		return 0;
	if (!mem.count)
		guest_mem_add(&mem, GPA(0), RAM_SIZE, ram);
	memcpy(head, data, sizeof(head));
	data += sizeof(head);
	size -= sizeof(head);
	s.efer = efers[head[0] & 3];
	s.cr0 = (s.efer & EFER_LMA || head[0] & 4 ? CR0_PE : 0) |
		(s.efer & EFER_LMA || (head[0] & 12) == 12 ? CR0_PG : 0) |
		(head[0] & 16 ? CR0_WP : 0);
	s.cr4 = (s.efer & EFER_LMA || head[0] & 32 ? CR4_PAE : 0) |
		(head[0] & 64 ? CR4_PSE | CR4_SMAP : 0);
	ctx.cause = head[0] & 128 ? EMULATE_PIO : EMULATE_MMIO;
	s.cr3 = s.efer & EFER_LMA ? 0x1000 : 0x2000;
	s.cpl = head[1] & 3;
	memcpy(&s.rflags, head + 2, 3);
	s.rip = CODE;
	for (unsigned i = 0; i < SEG_COUNT; i++)
		s.seg[i] = (struct segment){
			.attrib = 0x93 | (head[5] & 0x0c) | head[6] << 9,
			.limit = (uint32_t)head[7] << 24 | 0xffffff,
			.base = i >= SEG_FS ? (uint64_t)head[8] << 40 : 0};
	s.seg[SEG_CS].attrib |= 8;
	if (head[8] & 0x80) /* code to the segment's end */
		s.seg[SEG_CS].limit = CODE + (head[8] & 15);
	s.tr = (struct segment){
		.attrib = head[9], .limit = 0x1000, .base = 0x9000};
	for (unsigned i = 0; i < GPR_COUNT; i++)
		s.gpr[i] = (uint64_t)head[10 + i % 6] << (head[i] & 63);
	memcpy(&noise, head + 8, 8);
	make_tables(s.efer & EFER_LMA);
	memcpy(ram + CODE, data, size < 64 ? size : 64);
	for (size_t i = 64; i + 10 <= size; i += 10) {
		uint16_t at;

		memcpy(&at, data + i, 2);
		memcpy(ram + (at & 0x7ff8), data + i + 2, 8);
	}
	before = s;
	accesses = 0;
	result = emulate_fetch(&ctx);
	REQUIRE(!memcmp(&s, &before, sizeof(s)));
	if (result != EMULATE_DONE)
		return 0;
	result = emulate_insn(&ctx);
	/* Undone but for what a repeated string instruction has completed. */
	untouched = !accesses && !memcmp(&s, &before, sizeof(s));
	REQUIRE(result != EMULATE_UNHANDLED || untouched);
	if (result != EMULATE_DONE && ctx.insn.rep == INSN_REP_NONE)
		REQUIRE(untouched);
	/* Bounded, and a fault has an error code where it must. */
	REQUIRE(accesses <= 16 * EMULATE_REP_MAX);
	if (result == EMULATE_EXCEPTION)
		REQUIRE(ctx.exc.has_error == (ctx.exc.vector != EXC_UD));
	if (result == EMULATE_AGAIN || result == EMULATE_EXCEPTION)
		REQUIRE(s.rip == before.rip);
	/* LOCK is for read-modify-write of memory: no port, no string. */
	if (ctx.insn.lock && (ctx.cause == EMULATE_PIO || !ctx.insn.has_mem))
		REQUIRE(result != EMULATE_DONE);
	/* Past the instruction, or, under TF, past one step of it. */
	if (result == EMULATE_DONE && s.rip == before.rip)
		REQUIRE(before.rflags & RFLAGS_TF);
	return 0;
}
