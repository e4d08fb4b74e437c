/* SPDX-License-Identifier: GPL-2.0-or-later */
/* CPUID, MSRs and control registers say and take what the policy allows. */
#include <asm/kvm_para.h>

#include "tests/guest/lib/payload.h"
#include "tests/guest/lib/trap.h"
#include "tests/guest/lib/x86.h"

#define EXC_UD	      6
#define EXC_GP	      13

#define MSR_TSC	      0x10
#define MSR_APIC_BASE 0x1b
#define MSR_PAT	      0x277
#define MSR_EFER      0xc0000080
#define MSR_STAR      0xc0000081
#define MSR_LSTAR     0xc0000082
#define MSR_SFMASK    0xc0000084
#define MSR_FS_BASE   0xc0000100
#define MSR_GS_BASE   0xc0000101
#define MSR_KGS_BASE  0xc0000102
#define MSR_AMD_PMU   0xc0010000 /* PERF_CTL0, the first of eight */
#define MSR_VM_HSAVE  0xc0010117

#define EFER_SCE      (1ull << 0)
#define EFER_LMA      (1ull << 10)
#define EFER_SVME     (1ull << 12)
#define CR0_PE	      (1ull << 0)
#define CR0_TS	      (1ull << 3)
#define CR0_NW	      (1ull << 29)
#define CR0_CD	      (1ull << 30)
#define CR0_PG	      (1ull << 31)
#define CR4_PAE	      (1ull << 5)
#define CR4_PGE	      (1ull << 7)
#define CR4_LA57      (1ull << 12)
#define CR4_VMXE      (1ull << 13)
#define CR4_OSXSAVE   (1ull << 18)

#define NON_CANONICAL (1ull << 63)

static uint32_t msr;
static uint64_t value;

static void do_rdmsr(void)
{
	value = x86_rdmsr(msr);
}

static void do_wrmsr(void)
{
	x86_wrmsr(msr, value);
}

static void expect_gp(const char *name, void (*fn)(void))
{
	const struct trap *t = trap_catch(fn, false);

	payload_check(name, t && t->vector == EXC_GP && t->error == 0,
		      "#GP(0) came");
}

static void expect_ud(const char *name, void (*fn)(void))
{
	const struct trap *t = trap_catch(fn, false);

	payload_check(name, t && t->vector == EXC_UD, "#UD came");
}

static void refuse_write(const char *name, uint32_t index, uint64_t bad)
{
	uint64_t before = x86_rdmsr(index);

	msr = index;
	value = bad;
	expect_gp(name, do_wrmsr);
	payload_check_equal("  it kept its value", x86_rdmsr(index), before);
}

static void keep_write(const char *name, uint32_t index, uint64_t good)
{
	uint64_t before = x86_rdmsr(index);

	x86_wrmsr(index, good);
	payload_check_equal(name, x86_rdmsr(index), good);
	x86_wrmsr(index, before);
}

static void check_cpuid(void)
{
	struct cpuid basic = x86_cpuid(0, 0), leaf = x86_cpuid(1, 0);
	struct cpuid hyper, extended = x86_cpuid(0x80000001, 0);

	CHECK("the highest basic leaf", basic.eax >= 0xd);
	CHECK("the hypervisor bit", leaf.ecx & 1u << 31);
	CHECK("no VMX", !(leaf.ecx & 1u << 5));
	CHECK("no MONITOR", !(leaf.ecx & 1u << 3));
	CHECK("x2APIC", leaf.ecx & 1u << 21);
	CHECK("TSC deadline timer", leaf.ecx & 1u << 24);
	CHECK("an APIC", leaf.edx & 1u << 9);
	payload_check_equal("the APIC id", leaf.ebx >> 24, 0);
	CHECK("no SVM", !(extended.ecx & 1u << 2));
	CHECK("no SKINIT", !(extended.ecx & 1u << 12));
	CHECK("long mode", extended.edx & 1u << 29);
	CHECK("no-execute", extended.edx & 1u << 20);
	payload_check_equal(
		"the SVM leaf is empty",
		x86_cpuid(0x8000000a, 0).eax | x86_cpuid(0x8000000a, 0).edx, 0);

	hyper = x86_cpuid(0x40000000, 0);
	CHECK("the hypervisor leaf's range",
	      hyper.eax >= 0x40000001 && hyper.eax < 0x40000100);
	CHECK("its signature is KVM's", hyper.ebx == 0x4b4d564b &&
						hyper.ecx == 0x564b4d56 &&
						hyper.edx == 0x4d);
	hyper = x86_cpuid(0x40000001, 0);
	CHECK("a paravirtual clock", hyper.eax & 1 << KVM_FEATURE_CLOCKSOURCE2);

	/* OSXSAVE mirrors CR4 (Intel SDM 2A, CPUID). */
	if (leaf.ecx & 1u << 26) {
		uint64_t cr4 = x86_read_cr4();

		x86_write_cr4(cr4 | CR4_OSXSAVE);
		CHECK("CPUID.OSXSAVE follows CR4, set",
		      x86_cpuid(1, 0).ecx & 1u << 27);
		x86_write_cr4(cr4 & ~CR4_OSXSAVE);
		CHECK("CPUID.OSXSAVE follows CR4, clear",
		      !(x86_cpuid(1, 0).ecx & 1u << 27));
		x86_write_cr4(cr4);
	}
}

static void check_unknown_msrs(void)
{
	static const uint32_t unknown[] = {0x12345,    0x3fff,	   0xc0001fff,
					   0xc0011fff, 0x80000000, 0x4b565000};

	for (unsigned i = 0; i < ARRAY_SIZE(unknown); i++) {
		msr = unknown[i];
		payload_log("MSR 0x%x", msr);
		expect_gp("  RDMSR of an unknown one", do_rdmsr);
		expect_gp("  WRMSR of an unknown one", do_wrmsr);
	}
	/* Linux marks these without asking whether they are there. */
	for (unsigned i = 0; i < 8; i++) {
		msr = MSR_AMD_PMU + i;
		value = 0;
		if (trap_catch(do_rdmsr, false) || trap_catch(do_wrmsr, false))
			break;
	}
	payload_check_equal("AMD's PMU registers are tolerated", msr,
			    MSR_AMD_PMU + 7);
}

static void check_msrs(void)
{
	uint64_t efer = x86_rdmsr(MSR_EFER), base = x86_rdmsr(MSR_APIC_BASE);

	CHECK("EFER: long mode is active", efer & EFER_LMA);
	CHECK("EFER: no SVME to see", !(efer & EFER_SVME));
	keep_write("EFER.SCE can be set", MSR_EFER, efer | EFER_SCE);
	refuse_write("EFER: SVME", MSR_EFER, efer | EFER_SVME);
	refuse_write("EFER: a reserved bit", MSR_EFER, efer | 1ull << 20);
	refuse_write("EFER: LME off while paging", MSR_EFER,
		     efer & ~(1ull << 8));

	payload_check_equal("APIC_BASE: address", base & ~0xfffull, 0xfee00000);
	CHECK("APIC_BASE: boot processor, enabled", (base & 0x900) == 0x900);
	refuse_write("APIC_BASE: a reserved bit", MSR_APIC_BASE, base | 1);

	keep_write("STAR", MSR_STAR, 0x0023001000000000);
	keep_write("LSTAR", MSR_LSTAR, 0xffffffff81000000);
	keep_write("SFMASK", MSR_SFMASK, 0x47700);
	keep_write("FS_BASE", MSR_FS_BASE, 0x00007f0000001000);
	keep_write("GS_BASE", MSR_GS_BASE, 0xffff888000001000);
	keep_write("KERNEL_GS_BASE", MSR_KGS_BASE, 0xffff888000002000);
	keep_write("PAT", MSR_PAT, 0x0407050600070106);
	refuse_write("PAT: a type that is none", MSR_PAT, 0x0407050600070102);
	refuse_write("LSTAR: not canonical", MSR_LSTAR, NON_CANONICAL);
	refuse_write("FS_BASE: not canonical", MSR_FS_BASE, NON_CANONICAL);
	refuse_write("GS_BASE: not canonical", MSR_GS_BASE, NON_CANONICAL);
	refuse_write("KERNEL_GS_BASE: not canonical", MSR_KGS_BASE,
		     NON_CANONICAL);
	msr = MSR_VM_HSAVE;
	value = 0x1000;
	expect_gp("VM_HSAVE_PA is not there", do_wrmsr);
}

static void set_cr8_reserved(void)
{
	x86_write_cr8(16);
}

static void set_xcr0_none(void)
{
	__asm__ volatile("xsetbv" ::"c"(0), "a"(0), "d"(0));
}

static void set_xcr0_avx_alone(void)
{
	__asm__ volatile("xsetbv" ::"c"(0), "a"(5), "d"(0));
}

static void set_xcr0_unknown(void)
{
	__asm__ volatile("xsetbv" ::"c"(0), "a"(3), "d"(0x40000000));
}

static void set_xcr1(void)
{
	__asm__ volatile("xsetbv" ::"c"(1), "a"(3), "d"(0));
}

static uint64_t control_value; /* what these two write */

static void set_cr0(void)
{
	x86_write_cr0(control_value);
}

static void set_cr4(void)
{
	x86_write_cr4(control_value);
}

static void expect_bad_cr0(const char *name, uint64_t clear, uint64_t set)
{
	uint64_t cr0 = x86_read_cr0();

	control_value = (cr0 & ~clear) | set;
	expect_gp(name, set_cr0);
	payload_check_equal("  and it is as before", x86_read_cr0(), cr0);
}

static void expect_bad_cr4(const char *name, uint64_t clear, uint64_t set)
{
	uint64_t cr4 = x86_read_cr4();

	control_value = (cr4 & ~clear) | set;
	expect_gp(name, set_cr4);
	payload_check_equal("  and it is as before", x86_read_cr4(), cr4);
}

/* Intel SDM 2B, MOV to control registers; AMD APM 2, 3.1. */
static void check_control_values(void)
{
	uint64_t cr0 = x86_read_cr0(), cr4 = x86_read_cr4();

	expect_bad_cr0("CR0: paging without protection", CR0_PE, 0);
	expect_bad_cr0("CR0: NW without CD", CR0_CD, CR0_NW);
	expect_bad_cr0("CR0: paging off in 64-bit code", CR0_PG, 0);
	expect_bad_cr0("CR0: a bit above 31", 0, 1ull << 32);
	expect_bad_cr4("CR4: PAE off in long mode", CR4_PAE, 0);
	expect_bad_cr4("CR4: 5-level paging, in long mode", 0, CR4_LA57);
	expect_bad_cr4("CR4: VMXE, of another vendor", 0, CR4_VMXE);
	expect_bad_cr4("CR4: a reserved bit", 0, 1ull << 15);
	expect_bad_cr4("CR4: a bit above 31", 0, 1ull << 40);
	/* And good ones are taken. */
	x86_write_cr0(cr0 | CR0_TS);
	payload_check_equal("CR0: TS is set", x86_read_cr0(), cr0 | CR0_TS);
	__asm__ volatile("clts");
	payload_check_equal("CLTS clears it", x86_read_cr0(), cr0 & ~CR0_TS);
	__asm__ volatile("lmsw %w0" ::"r"((uint32_t)cr0 | (uint32_t)CR0_TS));
	payload_check_equal("LMSW sets it", x86_read_cr0(), cr0 | CR0_TS);
	x86_write_cr0(cr0);
	x86_write_cr4(cr4 ^ CR4_PGE);
	payload_check_equal("CR4: PGE changes", x86_read_cr4(), cr4 ^ CR4_PGE);
	x86_write_cr4(cr4);
}

static void check_control_registers(void)
{
	uint64_t cr4 = x86_read_cr4();

	check_control_values();

	x86_write_cr8(9);
	payload_check_equal("CR8 reads back", x86_read_cr8(), 9);
	x86_write_cr8(0);
	expect_gp("CR8: a reserved bit", set_cr8_reserved);

	if (x86_cpuid(1, 0).ecx & 1u << 26) {
		x86_write_cr4(cr4 | CR4_OSXSAVE);
		expect_gp("XSETBV: x87 off", set_xcr0_none);
		expect_gp("XSETBV: AVX without SSE", set_xcr0_avx_alone);
		expect_gp("XSETBV: a feature that is not there",
			  set_xcr0_unknown);
		expect_gp("XSETBV: XCR1", set_xcr1);
		x86_write_cr4(cr4);
	}
}

static void do_vmrun(void)
{
	__asm__ volatile("vmrun" ::"a"(0));
}

static void do_hypercall(void)
{
	/* A hypercall that no hypervisor has; whatever it says, it returns. */
	uint64_t result = 0x7fffffff;

	/* Each vendor's own instruction; the other one's is #UD. */
	if (x86_cpuid(0, 0).ebx == 0x756e6547) /* "Genu" */
		__asm__ volatile("vmcall" : "+a"(result)::"memory");
	else
		__asm__ volatile("vmmcall" : "+a"(result)::"memory");
	value = result;
}

static void do_clgi(void)
{
	__asm__ volatile("clgi");
}

static void do_monitor(void)
{
	__asm__ volatile("monitor" ::"a"(&msr), "c"(0), "d"(0));
}

static void do_rdpmc(void)
{
	__asm__ volatile("rdpmc" ::"c"(0x7fffffff) : "eax", "edx");
}

static void check_instructions(void)
{
	expect_ud("VMRUN", do_vmrun);
	expect_ud("CLGI", do_clgi);
	expect_ud("MONITOR", do_monitor);
	expect_gp("RDPMC of no counter", do_rdpmc);
	payload_check("a hypercall of no call",
		      !trap_catch(do_hypercall, false) && (int64_t)value < 0,
		      "it returned an error");
	__asm__ volatile("wbinvd" ::: "memory");
	CHECK("WBINVD goes by", true);
}

static void check_clock(void)
{
	static struct pvclock {
		uint32_t version, pad;
		uint64_t tsc_timestamp, system_time;
		uint32_t multiplier;
		int8_t shift;
		uint8_t flags, pad2[2];
	} clock __attribute__((aligned(32)));
	uint64_t last = x86_rdtsc(), now;
	bool monotonic = true;

	for (int i = 0; i < 1000; i++) {
		if (i % 16 == 0)
			x86_cpuid(0, 0); /* an exit in between */
		now = x86_rdtsc();
		monotonic &= now > last;
		last = now;
	}
	CHECK("the TSC never goes back", monotonic);
	now = x86_rdmsr(MSR_TSC);
	payload_check("MSR_TSC agrees with RDTSC",
		      now > last && x86_rdtsc() > now, "it lies between");

	if (!(x86_cpuid(0x40000001, 0).eax & 1 << KVM_FEATURE_CLOCKSOURCE2))
		return;
	x86_wrmsr(MSR_KVM_SYSTEM_TIME_NEW, (uint64_t)&clock | 1);
	x86_cpuid(0, 0);
	CHECK("the paravirtual clock is filled in",
	      clock.version && !(clock.version & 1) && clock.multiplier);
	CHECK("its time stamp is not ahead",
	      clock.tsc_timestamp <= x86_rdtsc());
	x86_wrmsr(MSR_KVM_SYSTEM_TIME_NEW, 0);
	msr = MSR_KVM_SYSTEM_TIME_NEW;
	value = 0xfffffffffffff001; /* no memory there */
	payload_check("a clock outside of memory",
		      !trap_catch(do_wrmsr, false) ||
			      trap_log[0].vector == EXC_GP,
		      "taken or refused, but survived");
	x86_wrmsr(MSR_KVM_SYSTEM_TIME_NEW, 0);
}

void payload_main(void)
{
	check_cpuid();
	check_unknown_msrs();
	check_msrs();
	check_control_registers();
	check_instructions();
	check_clock();
}
