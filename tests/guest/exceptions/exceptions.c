/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Every exception arrives with the vector, error code and addresses it should.
 */
#include "tests/guest/lib/payload.h"
#include "tests/guest/lib/trap.h"
#include "tests/guest/lib/x86.h"

#define EXC_DE	      0
#define EXC_DB	      1
#define EXC_BP	      3
#define EXC_UD	      6
#define EXC_NM	      7
#define EXC_DF	      8
#define EXC_NP	      11
#define EXC_SS	      12
#define EXC_GP	      13
#define EXC_PF	      14

/* Page-fault error code (Intel SDM 3A, 4.7). */
#define PF_P	      1
#define PF_W	      2
#define PF_U	      4
#define PF_RSVD	      8
#define PF_I	      16

/* Error codes that name a gate: vector << 3 | IDT, and EXT where it was an
 * exception that needed it (Intel SDM 3A, 6.13). */
#define ERROR_EXT     1
#define ERROR_IDT     2
#define GATE(vector)  ((vector) << 3 | ERROR_IDT)

#define CR0_TS	      (1ull << 3)
#define DR6_B0	      (1ull << 0)
#define DR6_BS	      (1ull << 14)
#define DR6_INIT      0xffff0ff0

#define NON_CANONICAL "0x8000000000000000"

/* Where the instruction under test is, and the one after it. */
#define AT(name, insn)                      \
	".globl at_" #name ", after_" #name \
	"\n"                                \
	"at_" #name ": " insn               \
	"\n"                                \
	"after_" #name ":\n"
#define LEAVE "int $0x80\n"

#define CASE(name, insn)                                               \
	extern const char at_##name[], after_##name[];                 \
	void case_##name(void);                                        \
	__asm__(".text\n.globl case_" #name "\ncase_" #name ":\n" insn \
		"\nret\n")

CASE(divide, "xorl %edx, %edx\n xorl %ecx, %ecx\n" AT(divide, "divl %ecx"));
CASE(breakpoint, AT(breakpoint, "int3"));
CASE(undefined, AT(undefined, "ud2"));
CASE(no_device, AT(no_device, "fninit"));
CASE(protection,
     "movabsq $" NON_CANONICAL ", %rax\n" AT(protection, "movq (%rax), %rcx"));
CASE(selector, "movl $0x78, %eax\n" AT(selector, "movl %eax, %ds"));
CASE(not_present, "movl $0x30, %eax\n" AT(not_present, "movl %eax, %es"));
CASE(stack, "movl $0x30, %eax\n" AT(stack, "movl %eax, %ss"));
CASE(soft_int, AT(soft_int, "int $0x81"));
CASE(privileged, AT(privileged, "hlt"));
CASE(port, AT(port, "outb %al, $0x80"));
CASE(leave, AT(leave, "int $0x80"));
CASE(step, "pushfq\n orq $0x100, (%rsp)\n popfq\n" AT(step, "nop") "nop\nnop");
CASE(watched, AT(watched, "nop"));
CASE(store, "movq test_address, %rax\n" AT(store, "movb $1, (%rax)") LEAVE);
CASE(load, "movq test_address, %rax\n" AT(load, "movb (%rax), %cl") LEAVE);
CASE(fetch, "movq test_address, %rax\n" AT(fetch, "call *%rax"));

/* What CASE(store), (load) and (fetch) touch. */
void *test_address;

/*
 * Under QEMU's emulation (seen with 7.2) an error code that names an IDT gate
 * is the vector times 16, not 8, and without EXT; and a fault for a reserved
 * bit lacks P.
 */
static bool error_fits(unsigned vector, uint64_t got, uint64_t expected)
{
	if (got == expected)
		return true;
	if (vector == EXC_PF)
		return expected & PF_RSVD && got == (expected & ~PF_P);
	expected &= ~(uint64_t)ERROR_EXT;
	return expected & ERROR_IDT && got == (expected - 2) * 2 + 2;
}

static void expect(const char *name, void (*fn)(void), bool user,
		   unsigned vector, uint64_t error, const char *rip)
{
	const struct trap *t = trap_catch(fn, user);

	if (!t) {
		payload_check(name, false, "an exception came");
		return;
	}
	if (t->vector == vector && error_fits(vector, t->error, error) &&
	    t->rip == (uint64_t)rip && t->cs == (user ? USER_CS : KERNEL_CS)) {
		payload_check(name, true, "");
		return;
	}
	payload_log("%s: vector %u, error 0x%lx, rip 0x%lx (0x%lx), cs 0x%lx",
		    name, t->vector, t->error, t->rip, (uint64_t)rip, t->cs);
	payload_check(name, false, "vector, error code, rip and cs are right");
}

static void expect_page_fault(const char *name, void (*fn)(void), bool user,
			      uint64_t pte, uint64_t error, const char *rip)
{
	/* A page of its own each time: no stale translation helps. */
	static unsigned slot;
	uint8_t *page = payload_window_map(slot++, pte);

	test_address = page + 0x123;
	expect(name, fn, user, EXC_PF, error,
	       fn == case_fetch ? (const char *)test_address : rip);
	payload_check_equal("  its address in CR2", trap_log[0].cr2,
			    (uint64_t)test_address);
}

static void check_faults(void)
{
	expect("#DE in ring 0", case_divide, false, EXC_DE, 0, at_divide);
	expect("#DE in ring 3", case_divide, true, EXC_DE, 0, at_divide);
	expect("#BP in ring 0", case_breakpoint, false, EXC_BP, 0,
	       after_breakpoint);
	expect("#BP in ring 3", case_breakpoint, true, EXC_BP, 0,
	       after_breakpoint);
	expect("#UD in ring 0", case_undefined, false, EXC_UD, 0, at_undefined);
	expect("#UD in ring 3", case_undefined, true, EXC_UD, 0, at_undefined);
	expect("#GP for an address in ring 0", case_protection, false, EXC_GP,
	       0, at_protection);
	expect("#GP for an address in ring 3", case_protection, true, EXC_GP, 0,
	       at_protection);
	expect("#GP for a selector", case_selector, false, EXC_GP, 0x78,
	       at_selector);
	expect("#GP for a gate of ring 0", case_soft_int, true, EXC_GP,
	       GATE(0x81), at_soft_int);
	expect("#GP for HLT in ring 3", case_privileged, true, EXC_GP, 0,
	       at_privileged);
	expect("#GP for OUT in ring 3", case_port, true, EXC_GP, 0, at_port);
	expect("#NP for a segment", case_not_present, false, EXC_NP, ABSENT_DS,
	       at_not_present);
	expect("#SS for a segment", case_stack, false, EXC_SS, ABSENT_DS,
	       at_stack);
	expect("INT n from ring 3", case_leave, true, TRAP_LEAVE, 0,
	       after_leave);

	x86_write_cr0(x86_read_cr0() | CR0_TS);
	expect("#NM in ring 0", case_no_device, false, EXC_NM, 0, at_no_device);
	expect("#NM in ring 3", case_no_device, true, EXC_NM, 0, at_no_device);
	x86_write_cr0(x86_read_cr0() & ~CR0_TS);
	payload_check("FNINIT with CR0.TS clear",
		      !trap_catch(case_no_device, false), "no exception");
}

static void check_page_faults(void)
{
	static uint8_t backing[PAGE_SIZE] __attribute__((aligned(4096)));
	uint64_t frame = (uint64_t)backing;

	expect_page_fault("#PF load, ring 0", case_load, false, 0, 0, at_load);
	expect_page_fault("#PF load, ring 3", case_load, true, 0, PF_U,
			  at_load);
	expect_page_fault("#PF store, ring 0", case_store, false, 0, PF_W,
			  at_store);
	expect_page_fault("#PF store, ring 3", case_store, true, 0, PF_W | PF_U,
			  at_store);
	expect_page_fault("#PF store to a read-only page, ring 0", case_store,
			  false, frame | PTE_P, PF_P | PF_W, at_store);
	expect_page_fault("#PF store to a read-only page, ring 3", case_store,
			  true, frame | PTE_P | PTE_U, PF_P | PF_W | PF_U,
			  at_store);
	expect_page_fault("#PF load of a supervisor's page", case_load, true,
			  frame | PTE_P | PTE_W, PF_P | PF_U, at_load);
	expect_page_fault("#PF fetch from a no-execute page, ring 0",
			  case_fetch, false, frame | PTE_P | PTE_NX,
			  PF_P | PF_I, NULL);
	expect_page_fault("#PF fetch from a no-execute page, ring 3",
			  case_fetch, true, frame | PTE_P | PTE_U | PTE_NX,
			  PF_P | PF_U | PF_I, NULL);
	/* Bit 51 is beyond any physical address width there is today. */
	expect_page_fault("#PF for a reserved bit", case_load, false,
			  frame | PTE_P | 1ull << 51, PF_P | PF_RSVD, at_load);
}

static void check_debug(void)
{
	static uint64_t watched;
	const struct trap *t;

	x86_write_dr6(DR6_INIT);
	/* The flag set by POPFQ acts after the next instruction. */
	expect("#DB single step in ring 0", case_step, false, EXC_DB, 0,
	       after_step);
	payload_check("  DR6.BS", trap_log[0].dr6 & DR6_BS, "BS is set");
	x86_write_dr6(DR6_INIT);
	expect("#DB single step in ring 3", case_step, true, EXC_DB, 0,
	       after_step);
	payload_check("  DR6.BS", trap_log[0].dr6 & DR6_BS, "BS is set");

	/* Breakpoint 0 on an instruction: L0, R/W0 00 (Intel SDM 3B, 18.2.4) */
	x86_write_dr6(DR6_INIT);
	x86_write_dr0((uint64_t)at_watched);
	x86_write_dr7(0x401);
	payload_check_equal("DR0 reads back", x86_read_dr0(),
			    (uint64_t)at_watched);
	payload_check_equal("DR7 reads back", x86_read_dr7(), 0x401);
	expect("#DB instruction breakpoint", case_watched, false, EXC_DB, 0,
	       at_watched);
	payload_check("  DR6.B0", trap_log[0].dr6 & DR6_B0, "B0 is set");

	/* A watched store: R/W0 01, LEN0 00; reported after it. */
	x86_write_dr6(DR6_INIT);
	test_address = &watched;
	x86_write_dr0((uint64_t)&watched);
	x86_write_dr7(0x10401);
	expect("#DB watched store", case_store, false, EXC_DB, 0, after_store);
	payload_check("  DR6.B0", trap_log[0].dr6 & DR6_B0, "B0 is set");
	payload_check_equal("  the store took place", watched, 1);
	x86_write_dr7(0x400);
	t = trap_catch(case_watched, false);
	payload_check("no #DB with DR7 clear", !t, "no exception");
}

/* Faults itself, once, while the first exception is being handled. */
static void fault_in_handler(struct trap_frame *frame)
{
	trap_hook = NULL;
	case_load();
}

static void check_nested(void)
{
	const struct trap *t;

	test_address = payload_window_map(500, 0);
	trap_hook = fault_in_handler;
	t = trap_catch(case_divide, false);
	payload_check("#PF in the handler of #DE",
		      t && trap_count == 2 && trap_log[0].vector == EXC_DE &&
			      trap_log[1].vector == EXC_PF,
		      "both arrived, in order");
	payload_check_equal("  its address in CR2", trap_log[1].cr2,
			    (uint64_t)test_address);

	/* #PF whose gate is not present: #NP, and that makes #DF. */
	trap_set_gate(EXC_PF, false);
	t = trap_catch(case_load, false);
	trap_set_gate(EXC_PF, true);
	payload_check("#DF when #PF cannot be delivered",
		      t && trap_count == 1 && t->vector == EXC_DF &&
			      t->error == 0,
		      "one #DF, error code 0");
	/* #UD is benign: the second fault is delivered, no #DF. */
	trap_set_gate(EXC_UD, false);
	expect("#NP when #UD cannot be delivered", case_undefined, false,
	       EXC_NP, GATE(EXC_UD) | ERROR_EXT, at_undefined);
	trap_set_gate(EXC_UD, true);
}

void payload_main(void)
{
	check_faults();
	check_page_faults();
	check_debug();
	check_nested();
}
