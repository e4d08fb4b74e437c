/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A vCPU's local APIC: xAPIC page and x2APIC MSRs on one register file. */
#ifndef VMM_DEV_LAPIC_H
#define VMM_DEV_LAPIC_H

#include "plat/event.h"
#include "vmm/dev/guest_mem.h"

/*
 * Intel SDM 3A, chapter 11 (sections below are its own); AMD APM 2, chapter 16.
 *
 * Who may touch what. The vCPU's own CPU is the one that runs it, or would run
 * it next; it calls the functions below while the vCPU is not in guest mode.
 *   (f) fixed once the VM is made
 *   (a) any CPU, atomically
 *   (w) written by the own CPU, read by any: one word, READ_ONCE()
 *   (o) the own CPU only
 * Other CPUs use lapic_post(), lapic_deliver() and lapic_deliver_msi(); these
 * take no lock. The timer's callback only sets a flag and wakes the vCPU: what
 * it means is worked out on the own CPU, before the next entry.
 *
 * Protocol of the run loop: v = lapic_pending() before each entry; if it is not
 * -1 and the guest can take it, inject v and call lapic_accept(v). Whoever
 * posts after that check calls lapic_wake(), which must end guest mode.
 *
 * The boot processor's LINT0 is wired to the 8259; nothing is to LINT1, no
 * counter to the performance LVT, no sensor to the thermal one: these registers
 * hold what is written to them.
 */
#define LAPIC_COUNT_MAX	    16
#define LAPIC_BASE_GPA	    0xfee00000ull
#define LAPIC_MMIO_SIZE	    4096u
/* The timer's input clock, before the divider: one tick is one nanosecond. */
#define LAPIC_TIMER_KHZ	    1000000u
/* A periodic timer fires no more often than this; shorter periods skip. */
#define LAPIC_PERIOD_MIN_NS 50000u

#define MSR_APIC_BASE	    0x1bu
#define MSR_TSC_DEADLINE    0x6e0u
#define MSR_X2APIC_FIRST    0x800u
#define MSR_X2APIC_LAST	    0x8ffu
#define MSR_KVM_PV_EOI	    0x4b564d04u

#define APIC_BASE_BSP	    (1u << 8)
#define APIC_BASE_X2APIC    (1u << 10)
#define APIC_BASE_ENABLE    (1u << 11)

/* Delivery modes of ICR, MSI and I/O APIC (11.6.1, 11.11.2). */
enum lapic_mode {
	LAPIC_FIXED = 0,
	LAPIC_LOWEST = 1,
	LAPIC_SMI = 2,
	LAPIC_NMI = 4,
	LAPIC_INIT = 5,
	LAPIC_SIPI = 6,
	LAPIC_EXTINT = 7,
};

enum lapic_lvt {
	LVT_TIMER,
	LVT_THERMAL,
	LVT_PERF,
	LVT_LINT0,
	LVT_LINT1,
	LVT_ERROR,
	LVT_COUNT,
};

struct ioapic;
struct lapic;

/* The APICs of one VM. (f) but for the counters (a). */
struct lapic_set {
	unsigned count;
	struct lapic *apics[LAPIC_COUNT_MAX]; /* by APIC id */
	struct ioapic *ioapic;		      /* told of level EOIs; or NULL */
	uint64_t bad_msi;   /* MSI with nonsense in address or data */
	uint64_t bad_ipi;   /* ICR asks for what no APIC does */
	uint64_t no_target; /* nobody matched, or all of them disabled */
};

struct lapic_timer {
	struct timer event;
	bool due;	  /* (a) the event fired; look at the clock */
	bool running;	  /* (o) and all below */
	uint32_t initial; /* initial count register */
	uint64_t interval_ns;
	uint64_t step_ns; /* multiple of interval_ns, bounded from below */
	uint64_t expiry_ns;
	uint64_t deadline_tsc; /* guest TSC; 0: not armed */
};

struct lapic {
	struct lapic_set *set;	     /* (f) */
	const struct guest_mem *mem; /* (f) */
	uint32_t id;		     /* (f) both the xAPIC and x2APIC id */
	uint32_t tsc_khz;	     /* (f) */
	uint64_t tsc_offset;	     /* (o) guest TSC - plat_cycles() */

	uint32_t irr[8] CACHE_ALIGNED; /* (a) */
	uint32_t tmr[8];	       /* (a) */

	uint64_t base CACHE_ALIGNED;   /* (w) IA32_APIC_BASE */
	uint32_t tpr, ldr, dfr, svr;   /* (w) */
	uint32_t isr[8], isr_level[8]; /* (o) and all below */
	uint32_t icr_low, icr_high;
	uint32_t esr, esr_pending;
	uint32_t divide;
	uint32_t lvt[LVT_COUNT];
	struct lapic_timer timer;

	uint64_t pv_eoi_msr;
	uint8_t *pv_eoi_flag; /* in guest memory; NULL when off */
	bool pv_eoi_armed;

	uint64_t bad_access; /* MMIO of a wrong size or to no register */
};

/* A message on the APIC bus: from an ICR, an MSI or the I/O APIC. */
struct lapic_message {
	uint32_t dest;
	bool broadcast; /* dest is all ones in the sender's width */
	bool logical;
	bool level;   /* level-triggered: sets TMR, its EOI is broadcast */
	uint8_t mode; /* enum lapic_mode */
	uint8_t vector;
};

/*
 * Hooks, implemented by vmm/vcpu.c or by a test. Called on any CPU, also with
 * LOCK_IRQCHIP held: they may only take locks of higher rank.
 */
/* Something became pending (or the timer is due): if the vCPU is in guest mode
 * it must leave it, if it halts it must look. May be spurious. */
void lapic_wake(struct lapic *target);
/* event is LAPIC_NMI, LAPIC_INIT or LAPIC_SIPI (vector: page of the start
 * address). Every start-up IPI is passed on: the vCPU takes the first one after
 * INIT and ignores those that find it running, so one is as good as two. */
void lapic_signal(struct lapic *target, enum lapic_mode event, uint8_t vector);

/* While the VM is made, before any vCPU runs. id below LAPIC_COUNT_MAX; id 0
 * is the boot processor. */
void lapic_init(struct lapic *apic, struct lapic_set *set, uint32_t id,
		const struct guest_mem *mem, uint32_t tsc_khz);
/* Power-on state (11.4.7.1). Also before the VM's memory goes away. */
void lapic_reset(struct lapic *apic);
/* What INIT does: as power-on, but IA32_APIC_BASE stays (11.4.7.3). */
void lapic_init_reset(struct lapic *apic);
/* The guest's TSC jumps: an armed TSC deadline moves with it. */
void lapic_set_tsc_offset(struct lapic *apic, uint64_t offset);

/* Sets IRR; wakes if it was clear. False when software-disabled. Any CPU. */
bool lapic_post(struct lapic *apic, uint8_t vector, bool level);
/* How many APICs took it, or -EINVAL for a mode or vector that makes no sense.
 * Any CPU. */
int lapic_deliver(struct lapic_set *set, const struct lapic_message *msg);
/* address and data as on the bus (11.11). 0, or -EINVAL, counted. Any CPU. */
int lapic_deliver_msi(struct lapic_set *set, uint64_t address, uint32_t data);

/* The highest vector above the processor priority, or -1. */
int lapic_pending(struct lapic *apic);
/* vector, as lapic_pending() just returned it, was injected: IRR to ISR. */
void lapic_accept(struct lapic *apic, uint8_t vector);
/* Does an interrupt on LINT0 get through to the vCPU? The 8259's then may be
 * injected; it has its own acknowledge and EOI (11.5.1, ExtINT). */
bool lapic_takes_extint(const struct lapic *apic);
/* What a BIOS leaves behind (MultiProcessor Specification 1.4, 3.6.2.2):
 * software-enabled, the 8259 on LINT0, NMI on LINT1. */
void lapic_virtual_wire(struct lapic *apic);
/* CR8: 0 to 15. */
void lapic_set_tpr(struct lapic *apic, uint8_t cr8);
uint8_t lapic_get_tpr(const struct lapic *apic);

/* The MMIO page; offset below LAPIC_MMIO_SIZE, size 1, 2, 4 or 8. Outside of
 * xAPIC mode reads give all ones and writes are dropped. */
uint32_t lapic_read(struct lapic *apic, uint32_t offset, unsigned size);
void lapic_write(struct lapic *apic, uint32_t offset, unsigned size,
		 uint32_t value);
/* MSR_APIC_BASE, MSR_TSC_DEADLINE, MSR_X2APIC_*, MSR_KVM_PV_EOI.
 * 0, or -EPERM: the guest takes #GP(0). */
int lapic_msr_read(struct lapic *apic, uint32_t msr, uint64_t *value);
int lapic_msr_write(struct lapic *apic, uint32_t msr, uint64_t value);

#endif
