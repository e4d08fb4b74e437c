/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One of each exit, the same on either vendor's CPU: ports, CPUID, device
 * memory, an interrupt, HLT, control registers. */
#include <asm/kvm_para.h>

#include "tests/guest/lib/apic.h"
#include "tests/guest/lib/payload.h"
#include "tests/guest/lib/trap.h"
#include "tests/guest/lib/x86.h"

#define EXC_UD	       6
#define EXC_GP	       13

#define UART_SCRATCH   0x3ff /* a byte that keeps what is written */
#define UART_UNUSED    0x2f8
#define CONFIG_ADDRESS 0xcf8
#define CONFIG_DATA    0xcfc
#define ECAM_BASE      0xe0000000ull
#define HOLE	       0xd8000000ull
#define APIC_MMIO      0xfee00000ull

#define VECTOR_SELF    0x51
#define VECTOR_TIMER   0x61
#define TIMER_TICKS    100000

#define KVMK	       0x4b4d564bu

#define CR0_PE	       (1ull << 0)
#define CR0_NE	       (1ull << 5)
#define CR0_NW	       (1ull << 29)
#define CR0_CD	       (1ull << 30)
#define CR4_TSD	       (1ull << 2)
#define CR4_VMXE       (1ull << 13)

static volatile unsigned count[256];
static uint64_t bad_value;

static void on_interrupt(const struct trap_frame *frame)
{
	count[frame->vector]++;
	apic_eoi();
}

static void check_ports(void)
{
	static const char out[] = "Sluice";
	char in[sizeof(out)] = {0};
	const char *from = out;
	char *to = in;
	uint64_t size = sizeof(out);
	uint64_t rax = 0x1122334455667788;

	x86_out8(UART_SCRATCH, 0x5a);
	payload_check_equal("OUT and IN of a byte", x86_in8(UART_SCRATCH),
			    0x5a);
	x86_out32(CONFIG_ADDRESS, 1u << 31);
	payload_check_equal("OUT and IN of four", x86_in32(CONFIG_ADDRESS),
			    1u << 31);
	payload_check_equal("nobody's port", x86_in8(UART_UNUSED), 0xff);
	/* A byte leaves the rest of RAX alone; four clear its upper half. */
	__asm__ volatile("inb %w1, %b0" : "+a"(rax) : "Nd"(UART_SCRATCH));
	payload_check_equal("IN of a byte into RAX", rax, 0x112233445566775a);
	__asm__ volatile("inl %w1, %k0" : "+a"(rax) : "Nd"(CONFIG_ADDRESS));
	payload_check_equal("IN of four into RAX", rax, 1u << 31);

	__asm__ volatile("rep outsb"
			 : "+S"(from), "+c"(size)
			 : "d"(UART_SCRATCH)
			 : "memory");
	payload_check("REP OUTS", size == 0 && from == out + sizeof(out),
		      "it ran to its end");
	x86_out8(UART_SCRATCH, 'x');
	size = sizeof(in);
	__asm__ volatile("rep insb"
			 : "+D"(to), "+c"(size)
			 : "d"(UART_SCRATCH)
			 : "memory");
	payload_check("REP INS",
		      size == 0 && in[0] == 'x' && in[sizeof(in) - 1] == 'x',
		      "every byte was read");
}

static void check_cpuid(void)
{
	struct cpuid r = x86_cpuid(1, 0);

	CHECK("CPUID: a hypervisor", r.ecx & 1u << 31);
	CHECK("CPUID: no VMX", !(r.ecx & 1u << 5));
	CHECK("CPUID: no SVM", !(x86_cpuid(0x80000001, 0).ecx & 1u << 2));
	r = x86_cpuid(KVM_CPUID_SIGNATURE, 0);
	payload_check_equal("CPUID: KVM's interface", r.ebx, KVMK);
}

static void check_memory(void)
{
	volatile uint32_t *hole = (volatile uint32_t *)HOLE;
	uint32_t value;

	payload_check_equal(
		"the APIC's version",
		*(volatile uint32_t *)(APIC_MMIO + APIC_VERSION) & 0xff, 0x14);
	x86_out32(CONFIG_ADDRESS, 1u << 31);
	value = *(volatile uint32_t *)ECAM_BASE;
	payload_check_equal("ECAM and port", value, x86_in32(CONFIG_DATA));
	payload_check_equal("a byte of it", *(volatile uint8_t *)ECAM_BASE,
			    value & 0xff);
	__asm__ volatile("movzwl %1, %0"
			 : "=r"(value)
			 : "m"(*(volatile uint16_t *)ECAM_BASE));
	payload_check_equal("MOVZX of a word", value,
			    x86_in32(CONFIG_DATA) & 0xffff);
	*hole = 1;
	payload_check_equal("nobody's memory", *hole, 0xffffffff);
}

static void check_interrupt(void)
{
	apic_send(0, ICR_SELF | ICR_ASSERT | VECTOR_SELF);
	payload_check_equal("with IF clear it waits", count[VECTOR_SELF], 0);
	CHECK("  requested", apic_bit(APIC_IRR, VECTOR_SELF));
	/* The instruction after STI still comes first. */
	__asm__ volatile("sti; movl %1, %k0; nop; cli"
			 : "=r"(bad_value)
			 : "m"(count[VECTOR_SELF])
			 : "memory");
	payload_check_equal("the shadow of STI", (uint32_t)bad_value, 0);
	payload_check_equal("then it comes, once", count[VECTOR_SELF], 1);
	CHECK("  no longer requested", !apic_bit(APIC_IRR, VECTOR_SELF));

	apic_write(APIC_TIMER_DIV, DIVIDE_BY_16);
	apic_write(APIC_LVT_TIMER, VECTOR_TIMER);
	apic_write(APIC_TIMER_INIT, TIMER_TICKS);
	while (!count[VECTOR_TIMER])
		x86_sti_hlt();
	payload_check_equal("HLT until the timer", count[VECTOR_TIMER], 1);
}

static void do_write_cr0(void)
{
	x86_write_cr0(bad_value);
}

static void do_write_cr4(void)
{
	x86_write_cr4(bad_value);
}

static void do_vmxon(void)
{
	__asm__ volatile("vmxon %0" ::"m"(bad_value));
}

static void expect(const char *name, void (*fn)(void), unsigned vector)
{
	const struct trap *t = trap_catch(fn, false);

	payload_check(name, t && t->vector == vector, "the exception came");
}

/* VMX keeps some bits for itself: the guest must not see it. */
static void check_control_registers(void)
{
	uint64_t cr0 = x86_read_cr0(), cr4 = x86_read_cr4();

	x86_write_cr0(cr0 ^ CR0_NE);
	payload_check_equal("CR0.NE changes", x86_read_cr0(), cr0 ^ CR0_NE);
	x86_write_cr0(cr0 | CR0_CD);
	payload_check_equal("CR0.CD is set", x86_read_cr0(), cr0 | CR0_CD);
	x86_write_cr0(cr0);
	payload_check_equal("both are back", x86_read_cr0(), cr0);
	x86_write_cr4(cr4 | CR4_TSD);
	payload_check_equal("CR4.TSD is set", x86_read_cr4(), cr4 | CR4_TSD);
	x86_write_cr4(cr4);
	payload_check_equal("CR4 is back, without VMXE", x86_read_cr4(),
			    cr4 & ~CR4_VMXE);
	expect("VMXON", do_vmxon, EXC_UD);
	bad_value = cr4 | CR4_VMXE;
	expect("CR4.VMXE is refused", do_write_cr4, EXC_GP);
	bad_value = (cr0 | CR0_NW) & ~CR0_CD;
	expect("CR0.NW without CD is refused", do_write_cr0, EXC_GP);
	bad_value = (cr0 ^ CR0_NE) & ~CR0_PE;
	expect("CR0.PG without PE is refused", do_write_cr0, EXC_GP);
	payload_check_equal("CR0 after that", x86_read_cr0(), cr0);
}

void payload_main(void)
{
	trap_on_interrupt(VECTOR_SELF, on_interrupt);
	trap_on_interrupt(VECTOR_TIMER, on_interrupt);
	apic_enable(false);
	check_ports();
	check_cpuid();
	check_memory();
	check_interrupt();
	check_control_registers();
}
