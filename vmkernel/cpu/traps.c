/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The IDT, exceptions of the VMkernel itself, and the panic. */
#include "vmkernel/cpu/traps.h"

#include <stdarg.h>

#include "lib/fmt.h"
#include "plat/plat.h"
#include "vmkernel/console/ksyms.h"
#include "vmkernel/console/log.h"
#include "vmkernel/cpu/cpu.h"
#include "vmkernel/cpu/power.h"
#include "vmkernel/cpu/regs.h"
#include "vmkernel/irq/irq.h"

#define TRAP_VECTORS 32
#define VECTOR_NMI   2
#define VECTOR_DF    8
#define VECTOR_MC    18

extern const uint64_t trap_stubs[256];

static struct idt_gate idt[256] __attribute__((aligned(4096)));

static const char *const trap_names[TRAP_VECTORS] = {
	[0] = "#DE divide error",
	[1] = "#DB debug",
	[2] = "NMI",
	[3] = "#BP breakpoint",
	[4] = "#OF overflow",
	[5] = "#BR bound range",
	[6] = "#UD invalid opcode",
	[7] = "#NM device not available",
	[8] = "#DF double fault",
	[10] = "#TS invalid TSS",
	[11] = "#NP segment not present",
	[12] = "#SS stack",
	[13] = "#GP general protection",
	[14] = "#PF page fault",
	[16] = "#MF x87",
	[17] = "#AC alignment check",
	[18] = "#MC machine check",
	[19] = "#XF SIMD",
};

void traps_init(void)
{
	for (unsigned v = 0; v < 256; v++) {
		uint64_t at = trap_stubs[v];

		idt[v] = (struct idt_gate){
			.offset_low = (uint16_t)at,
			.selector = KERNEL_CS,
			.type = 0x8e,
			.offset_mid = (uint16_t)(at >> 16),
			.offset_high = (uint32_t)(at >> 32),
		};
	}
	/* These come at any moment, even with a stack that is not ours or is
	 * full: they get stacks of their own. */
	idt[VECTOR_NMI].ist = IST_NMI;
	idt[VECTOR_DF].ist = IST_DF;
	idt[VECTOR_MC].ist = IST_MC;
}

void traps_load(void)
{
	struct desc_pointer p = {sizeof(idt) - 1, (uint64_t)idt};

	__asm__ volatile("lidt %0" ::"m"(p));
}

static void trap_log_registers(const struct trap_frame *f)
{
	char where[64];

	ksyms_format(f->rip, where, sizeof(where));
	log_error("panic", "cpu %u rip %016lx %s error %lx", plat_cpu(), f->rip,
		  where, f->error);
	log_error("panic", "rax %016lx rbx %016lx rcx %016lx rdx %016lx",
		  f->rax, f->rbx, f->rcx, f->rdx);
	log_error("panic", "rsi %016lx rdi %016lx rbp %016lx rsp %016lx",
		  f->rsi, f->rdi, f->rbp, f->rsp);
	log_error("panic", "r8  %016lx r9  %016lx r10 %016lx r11 %016lx", f->r8,
		  f->r9, f->r10, f->r11);
	log_error("panic", "r12 %016lx r13 %016lx r14 %016lx r15 %016lx",
		  f->r12, f->r13, f->r14, f->r15);
	log_error("panic", "cr0 %lx cr2 %016lx cr3 %lx cr4 %lx rflags %lx",
		  read_cr0(), read_cr2(), read_cr3(), read_cr4(), f->rflags);
}

/* Everybody else halts in the NMI's handler (log_panic_begin()). */
static _Noreturn void trap_stop(void)
{
	for (unsigned i = 0; i < plat_cpu_count(); i++)
		if (i != plat_cpu() && cpu_at(i)->online)
			apic_nmi(i);
	log_error("panic", "machine stopped");
	power_tell_failure();
	for (;;)
		__asm__ volatile("cli; hlt");
}

void trap_handle(struct trap_frame *f)
{
	const char *name;

	if (f->vector >= TRAP_VECTORS) {
		irq_dispatch((unsigned)f->vector);
		return;
	}
	name = trap_names[f->vector];
	log_panic_begin();
	log_error("panic", "VMkernel exception %lu: %s", f->vector,
		  name ? name : "reserved");
	trap_log_registers(f);
	backtrace_log(f->rbp, f->rip);
	trap_stop();
}

_Noreturn void plat_panic(const char *fmt, ...)
{
	struct trap_frame f = {0};
	char text[200];
	va_list args;

	log_panic_begin();
	va_start(args, fmt);
	fmt_vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	log_error("panic", "%s", text);
	/* The caller's registers as far as C still has them. */
	__asm__ volatile(
		"movq %%rbx, %0; movq %%r12, %1; movq %%r13, %2;"
		"movq %%r14, %3; movq %%r15, %4; movq %%rsp, %5;"
		"movq %%rbp, %6; pushfq; popq %7"
		: "=m"(f.rbx), "=m"(f.r12), "=m"(f.r13), "=m"(f.r14),
		  "=m"(f.r15), "=m"(f.rsp), "=m"(f.rbp), "=r"(f.rflags));
	f.rip = (uint64_t)__builtin_return_address(0);
	trap_log_registers(&f);
	backtrace_log((uint64_t)__builtin_frame_address(0), f.rip);
	trap_stop();
}

/* The compiler's stack protector found the canary changed. */
_Noreturn void __stack_chk_fail(void);
_Noreturn void __stack_chk_fail(void)
{
	plat_panic("stack smashed");
}
