/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Makes the delivery of a #DB raise the next #DB, without an end. */
#include "tests/guest/lib/payload.h"
#include "tests/guest/lib/trap.h"
#include "tests/guest/lib/x86.h"

/*
 * On a CPU that delivers #DB by itself such a guest never comes to an
 * instruction, and so never to an interrupt: the machine hangs (XSA-156). The
 * same goes for #AC, which QEMU's emulation does not have: it checks no
 * alignment, so #AC has no test. (A watched stack would do as well, but QEMU
 * 7.2 itself aborts when a delivery's push hits a watchpoint.)
 */
#define VECTOR_DB 1
#define DR7_L0	  (1u << 0)
#define DR7_FIXED (1u << 10)

extern const char trap_stubs[];

/* A breakpoint on the first instruction of the #DB handler: its fault comes
 * before that instruction, each time anew. */
static void break_on_handler(void)
{
	x86_write_dr0((uint64_t)trap_stubs + VECTOR_DB * 16);
	x86_write_dr7(DR7_FIXED | DR7_L0);
}

void payload_main(void)
{
	/* A stack of its own starts at its top for each delivery. */
	trap_set_ist(VECTOR_DB, 1);
	payload_log("debug_loop: now");
	break_on_handler();
	/* Single step: the first #DB. */
	__asm__ volatile("pushfq; orq $0x100, (%%rsp); popfq; nop" ::
				 : "memory");
	payload_check("an endless loop", false, "it has no end");
}
