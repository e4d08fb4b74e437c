/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A virtual CPU: reset, requests, exceptions, the state that C code switches.
 */
#include "vmm/vcpu.h"

#include <linux/errno.h>
#include <string.h>

#include "vmkernel/cpu/cpu.h"
#include "vmkernel/cpu/regs.h"
#include "vmm/cpuid.h"
#include "vmm/emulate.h"
#include "vmm/vm.h"

#define XCR0_X87     (1ull << 0)
#define XCR0_SSE     (1ull << 1)
#define XSAVE_LEGACY 512 /* SDM 1, 13.4: then the header, 64 bytes */
#define MXCSR_RESET  0x1f80u
#define FCW_RESET    0x037f /* FNINIT; the FPU of a PC after firmware */
#define FPU_SIZE_MAX KiB(8)

uint64_t vcpu_xcr0_mask(void)
{
	static uint64_t mask;
	uint32_t out[4];

	if (!mask) {
		cpuid(0xd, 0, out);
		mask = ((uint64_t)out[3] << 32 | out[0]) & CPUID_XCR0_MASK;
	}
	return mask;
}

int world_enable_cpu(void)
{
	uint32_t out[4];

	/* No guest has XSAVES, and what firmware left there stays out of the
	 * size of their areas. */
	cpuid(0xd, 1, out);
	if (out[0] & 1u << 3)
		wrmsr(MSR_XSS, 0);
	return cpu_ops->enable();
}

static void vcpu_fpu_reset(struct vcpu *vcpu)
{
	memset(vcpu->fpu, 0, FPU_SIZE_MAX);
	*(uint16_t *)vcpu->fpu = FCW_RESET;
	*(uint32_t *)((uint8_t *)vcpu->fpu + 24) = MXCSR_RESET;
	/* XSTATE_BV: x87 and SSE come from the area, the rest is initial. */
	*(uint64_t *)((uint8_t *)vcpu->fpu + XSAVE_LEGACY) =
		XCR0_X87 | XCR0_SSE;
	vcpu->xcr0 = XCR0_X87;
}

int vcpu_fpu_init(struct vcpu *vcpu)
{
	uint32_t out[4];

	cpuid(0xd, 0, out);
	if (out[2] > FPU_SIZE_MAX)
		return -ENOSPC;
	vcpu->fpu = plat_alloc(FPU_SIZE_MAX, CACHE_LINE);
	return vcpu->fpu ? 0 : -ENOMEM;
}

/* XCR0 holds the full mask around both: a component that the guest has turned
 * off must neither stay behind nor leak to the next guest. */
static void vcpu_fpu_save(struct vcpu *vcpu)
{
	uint64_t mask = vcpu_xcr0_mask();

	xsetbv(0, mask);
	__asm__ volatile("xsave64 %0"
			 : "+m"(*(uint8_t(*)[FPU_SIZE_MAX])vcpu->fpu)
			 : "a"((uint32_t)mask), "d"((uint32_t)(mask >> 32)));
}

static void vcpu_fpu_restore(struct vcpu *vcpu)
{
	uint64_t mask = vcpu_xcr0_mask();

	xsetbv(0, mask);
	__asm__ volatile("xrstor64 %0"
			 :
			 : "m"(*(uint8_t(*)[FPU_SIZE_MAX])vcpu->fpu),
			   "a"((uint32_t)mask), "d"((uint32_t)(mask >> 32)));
	xsetbv(0, vcpu->xcr0);
}

/* CPUID 0x80000008 EBX, or 7 EDX: what protects one guest from what another
 * trained. No emulator here has it; done by AMD's guidance (document 111006).
 */
static bool vcpu_has_ibpb(void)
{
	static int has = -1;
	uint32_t out[4];

	if (has < 0) {
		cpuid(0x80000008, 0, out);
		has = out[1] >> 12 & 1;
		cpuid(0, 0, out);
		if (out[0] >= 7) {
			cpuid(7, 0, out);
			has |= out[3] >> 26 & 1;
		}
	}
	return has;
}

static bool vcpu_has_rdtscp(void)
{
	static int has = -1;
	uint32_t out[4];

	if (has < 0) {
		cpuid(0x80000001, 0, out);
		has = out[3] >> 27 & 1;
	}
	return has;
}

void vcpu_switch_out(struct vcpu *vcpu)
{
	vcpu->xcr0 = xgetbv(0); /* as in vcpu_cpuid() */
	vcpu_fpu_save(vcpu);
	vcpu->dr[0] = read_dr0();
	vcpu->dr[1] = read_dr1();
	vcpu->dr[2] = read_dr2();
	vcpu->dr[3] = read_dr3();
}

/* Only a guest that was offered SPEC_CTRL can have made it other than 0. */
void vcpu_load_spec_ctrl(const struct vcpu *vcpu)
{
	struct cpu *cpu = cpu_this();

	if (likely(cpu->spec_ctrl == vcpu->spec_ctrl))
		return;
	wrmsr(MSR_SPEC_CTRL, vcpu->spec_ctrl);
	cpu->spec_ctrl = vcpu->spec_ctrl;
}

static void vcpu_load_dr(const struct vcpu *vcpu)
{
	write_dr0(vcpu->dr[0]);
	write_dr1(vcpu->dr[1]);
	write_dr2(vcpu->dr[2]);
	write_dr3(vcpu->dr[3]);
}

void vcpu_switch_in(struct vcpu *vcpu)
{
	struct cpu *cpu = cpu_this();
	struct vcpu *last = cpu->loaded;

	if (last && last != vcpu)
		vcpu_switch_out(last);
	if (last != vcpu) {
		if ((!last || last->vm != vcpu->vm) && vcpu_has_ibpb())
			wrmsr(MSR_PRED_CMD, 1);
		vcpu_fpu_restore(vcpu);
		vcpu_load_dr(vcpu);
		if (vcpu_has_rdtscp())
			wrmsr(MSR_TSC_AUX, vcpu->tsc_aux);
		vcpu_load_spec_ctrl(vcpu);
		cpu->loaded = vcpu;
	}
	cpu_ops->load(vcpu);
}

/* Power-on and INIT state: Intel SDM 3A, table 9-1. */
static void vcpu_state_reset(struct vcpu_state *s)
{
	static const struct segment data = {0, 0x093, 0xffff, 0};
	uint32_t signature[4];

	cpuid(1, 0, signature); /* what the guest's CPUID says as well */
	memset(s, 0, sizeof(*s));
	for (unsigned i = 0; i < SEG_COUNT; i++)
		s->seg[i] = data;
	s->seg[SEG_CS] = (struct segment){0xf000, 0x09b, 0xffff, 0xffff0000};
	s->tr = (struct segment){0, 0x08b, 0xffff, 0};
	s->ldtr = (struct segment){0, 0x082, 0xffff, 0};
	s->gdtr = s->idtr = (struct table){0, 0xffff};
	s->rip = 0xfff0;
	s->rflags = RFLAGS_FIXED;
	s->cr0 = 0x60000010;
	s->dr6 = DR6_RESET;
	s->dr7 = DR7_RESET;
	s->gpr[GPR_RDX] = signature[0];
}

void vcpu_reset(struct vcpu *vcpu)
{
	vcpu_state_reset(&vcpu->state);
	vcpu->requests = 0;
	vcpu->injection.type = INJECT_NONE;
	vcpu->window = false; /* set_state() asks for none */
	vcpu->nmi_pending = false;
	vcpu->unhandled_rip = VCPU_NO_RIP;
	vcpu->state_synced = true;
	memset(vcpu->dr, 0, sizeof(vcpu->dr));
	vcpu_fpu_reset(vcpu);
	msr_reset(vcpu);
	lapic_reset(&vcpu->lapic);
	pvclock_reset(&vcpu->pvclock);
	vcpu->run = VCPU_WAIT_SIPI;
}

void vcpu_request(struct vcpu *vcpu, enum vcpu_request what)
{
	__atomic_fetch_or((uint32_t *)&vcpu->requests, what, __ATOMIC_SEQ_CST);
	sched_wake(&vcpu->world);
}

void lapic_wake(struct lapic *target)
{
	struct vcpu *vcpu = container_of(target, struct vcpu, lapic);

	sched_wake(&vcpu->world);
}

void lapic_signal(struct lapic *target, enum lapic_mode event, uint8_t vector)
{
	struct vcpu *vcpu = container_of(target, struct vcpu, lapic);

	switch (event) {
	case LAPIC_NMI:
		vcpu_request(vcpu, VCPU_REQUEST_NMI);
		break;
	case LAPIC_INIT:
		vcpu_request(vcpu, VCPU_REQUEST_INIT);
		break;
	case LAPIC_SIPI:
		vcpu->sipi_vector = vector;
		vcpu_request(vcpu, VCPU_REQUEST_SIPI);
		break;
	default:
		break;
	}
}

/* SDM 3A, table 9-1, the column of INIT. */
void vcpu_init_signal(struct vcpu *vcpu)
{
	vcpu_sync(vcpu);
	memset(vcpu->dr, 0, sizeof(vcpu->dr));
	vcpu_load_dr(vcpu);
	vcpu_state_reset(&vcpu->state);
	vcpu->injection.type = INJECT_NONE;
	vcpu->window = false; /* set_state() asks for none */
	vcpu->nmi_pending = false;
	lapic_init_reset(&vcpu->lapic);
	cpu_ops->set_state(vcpu);
	vcpu->run = VCPU_WAIT_SIPI;
}

/* SDM 3A, 9.4.4: execution begins at vector * 4 KiB in real mode. */
void vcpu_startup(struct vcpu *vcpu, uint8_t vector)
{
	if (vcpu->run != VCPU_WAIT_SIPI)
		return;
	vcpu->state.seg[SEG_CS].selector = (uint16_t)(vector << 8);
	vcpu->state.seg[SEG_CS].base = (uint64_t)vector << 12;
	vcpu->state.rip = 0;
	cpu_ops->set_state(vcpu);
	vcpu->run = VCPU_RUNNING;
}

void vcpu_sync(struct vcpu *vcpu)
{
	if (vcpu->state_synced)
		return;
	cpu_ops->sync_state(vcpu);
	vcpu->state_synced = true;
}

/* Intel SDM 3A, table 6-4. */
static bool vcpu_contributory(uint8_t vector)
{
	return vector == EXC_DE || (vector >= 10 && vector <= 13);
}

void vcpu_raise(struct vcpu *vcpu, const struct exception *exception)
{
	struct injection *in = &vcpu->injection;
	uint8_t first = in->exception.vector;

	if (in->type == INJECT_EXCEPTION) {
		if (first == EXC_DF) {
			vm_crash(vcpu, "triple fault");
			return;
		}
		if ((vcpu_contributory(first) &&
		     vcpu_contributory(exception->vector)) ||
		    (first == EXC_PF &&
		     (exception->vector == EXC_PF ||
		      vcpu_contributory(exception->vector)))) {
			in->exception = (struct exception){.vector = EXC_DF,
							   .has_error = true};
			return;
		}
	}
	in->type = INJECT_EXCEPTION;
	in->exception = *exception;
}

void vcpu_raise_ud(struct vcpu *vcpu)
{
	vcpu_raise(vcpu, &(struct exception){.vector = EXC_UD});
}

void vcpu_raise_gp(struct vcpu *vcpu)
{
	vcpu_raise(vcpu,
		   &(struct exception){.vector = EXC_GP, .has_error = true});
}

void vcpu_advance(struct vcpu *vcpu, uint64_t next_rip)
{
	uint64_t flags = vcpu->state.rflags;

	vcpu->state.rip = next_rip;
	vcpu->state.rflags = flags & ~RFLAGS_RF;
	cpu_ops->clear_shadow(vcpu);
	if (unlikely(flags & RFLAGS_TF)) {
		/* Single step: the trap that the instruction owed. */
		cpu_ops->set_dr6_bs(vcpu);
		vcpu_raise(vcpu, &(struct exception){.vector = EXC_DB});
	}
}

void vcpu_give_up(struct vcpu *vcpu, const char *why)
{
	if (vcpu->unhandled_rip == vcpu->state.rip)
		vm_crash(vcpu, why);
	vcpu->unhandled_rip = vcpu->state.rip;
}

bool vcpu_fetch(struct vcpu *vcpu, struct emulate_ctx *ctx)
{
	vcpu_sync(vcpu);
	ctx->state = &vcpu->state;
	ctx->mem = vm_memory(vcpu->vm);
	ctx->vcpu = vcpu;
	switch (emulate_fetch(ctx)) {
	case EMULATE_DONE:
		return true;
	case EMULATE_EXCEPTION:
		vcpu_raise(vcpu, &ctx->exc);
		return false;
	case EMULATE_AGAIN:
	case EMULATE_UNHANDLED:
		break;
	}
	vcpu_give_up(vcpu,
		     "runs an instruction here that Sluice cannot decode");
	return false;
}

void cpuid_host(uint32_t leaf, uint32_t subleaf, uint32_t out[4])
{
	cpuid(leaf, subleaf, out);
}

void vcpu_cpuid(struct vcpu *vcpu, uint32_t leaf, uint32_t subleaf,
		uint32_t out[4])
{
	struct cpuid_policy_input in;

	vcpu_sync(vcpu);
	in = (struct cpuid_policy_input){
		.vcpu = vcpu->index,
		.vcpu_count = vcpu->vm->vcpu_count,
		.cr4 = vcpu->state.cr4,
		/* The register itself: QEMU 7.2 has no XSETBV intercept. */
		.xcr0 = xgetbv(0),
		.apic_base = vcpu->lapic.base,
		.tsc_khz = vcpu->lapic.tsc_khz,
	};
	cpuid_guest(&in, leaf, subleaf, out);
}

void vcpu_set_tsc_offset(struct vcpu *vcpu, uint64_t offset)
{
	lapic_set_tsc_offset(&vcpu->lapic, offset);
	cpu_ops->set_tsc_offset(vcpu, offset);
}

bool vcpu_skip(struct vcpu *vcpu)
{
	uint64_t next = cpu_ops->next_rip(vcpu);
	struct emulate_ctx ctx = {.count = 0};

	if (!next) {
		/* What it does has been done: it cannot be started over. */
		vcpu->unhandled_rip = vcpu->state.rip;
		if (!vcpu_fetch(vcpu, &ctx))
			return false;
		vcpu->unhandled_rip = VCPU_NO_RIP;
		next = vcpu->state.rip + ctx.insn.length;
		if (decode_mode_of(&vcpu->state) != DECODE_64)
			next = (uint32_t)next;
	}
	vcpu_advance(vcpu, next);
	return true;
}

void vcpu_log_state(struct vcpu *vcpu)
{
	const struct vcpu_state *s = &vcpu->state;
	const char *n = vcpu->name;

	vcpu_sync(vcpu);
	log_error(n, "rip %04x:%016lx rflags %lx cpl %u",
		  s->seg[SEG_CS].selector, s->rip, s->rflags, s->cpl);
	log_error(n, "rax %016lx rbx %016lx rcx %016lx rdx %016lx",
		  s->gpr[GPR_RAX], s->gpr[GPR_RBX], s->gpr[GPR_RCX],
		  s->gpr[GPR_RDX]);
	log_error(n, "rsi %016lx rdi %016lx rbp %016lx rsp %016lx",
		  s->gpr[GPR_RSI], s->gpr[GPR_RDI], s->gpr[GPR_RBP],
		  s->gpr[GPR_RSP]);
	log_error(n, "r8  %016lx r9  %016lx r10 %016lx r11 %016lx",
		  s->gpr[GPR_R8], s->gpr[GPR_R9], s->gpr[GPR_R10],
		  s->gpr[GPR_R11]);
	log_error(n, "r12 %016lx r13 %016lx r14 %016lx r15 %016lx",
		  s->gpr[GPR_R12], s->gpr[GPR_R13], s->gpr[GPR_R14],
		  s->gpr[GPR_R15]);
	log_error(n, "cr0 %lx cr2 %lx cr3 %lx cr4 %lx efer %lx", s->cr0, s->cr2,
		  s->cr3, s->cr4, s->efer);
}
