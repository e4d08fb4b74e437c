/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Local APIC: registers, priorities, acceptance and end of interrupt. */
#include "vmm/dev/lapic.h"

#include <linux/errno.h>
#include <string.h>

#include "plat/plat.h"
#include "vmm/dev/ioapic.h"
#include "vmm/dev/lapic_priv.h"

/* Registers: MMIO offset / 16, and MSR - 0x800 (Intel SDM 3A, tables 11-1 and
 * 11-6). */
enum lapic_reg {
	REG_ID = 0x02,
	REG_VERSION = 0x03,
	REG_TPR = 0x08,
	REG_PPR = 0x0a,
	REG_EOI = 0x0b,
	REG_LDR = 0x0d,
	REG_DFR = 0x0e, /* xAPIC only */
	REG_SVR = 0x0f,
	REG_ISR = 0x10,
	REG_TMR = 0x18,
	REG_IRR = 0x20,
	REG_ESR = 0x28,
	REG_ICR = 0x30,
	REG_ICR_HIGH = 0x31, /* xAPIC only */
	REG_LVT_TIMER = 0x32,
	REG_LVT_ERROR = 0x37,
	REG_TIMER_INITIAL = 0x38,
	REG_TIMER_CURRENT = 0x39,
	REG_TIMER_DIVIDE = 0x3e,
	REG_SELF_IPI = 0x3f, /* x2APIC only */
};

/* Integrated APIC, highest LVT entry 5, no directed EOI (11.4.8). */
#define LAPIC_VERSION	(0x14u | (LVT_COUNT - 1) << 16)
#define SVR_RESET	0xffu
#define SVR_WRITABLE	0x3ffu
#define DFR_RESET	0xffffffffu
#define ICR_BUSY	(1u << 12) /* delivery status: always idle here */
/* 11.12.9; a write of the delivery status is let pass, as AMD does. */
#define ICR_RESERVED	0xfff32000u
#define PV_EOI_ENABLE	1u
#define PV_EOI_RESERVED 2u

/* LVT bits the guest may write; status and remote IRR it may write in vain. */
#define LVT_READ_ONLY	(1u << 12 | 1u << 14)
static const uint32_t lvt_writable[LVT_COUNT] = {
	[LVT_TIMER] = 0x700ff,	 /* vector, mask, mode */
	[LVT_THERMAL] = 0x107ff, /* vector, delivery mode, mask */
	[LVT_PERF] = 0x107ff,
	[LVT_LINT0] = 0x1a7ff, /* and polarity, trigger mode */
	[LVT_LINT1] = 0x1a7ff,
	[LVT_ERROR] = 0x100ff,
};

static int bits_highest(const uint32_t *bits)
{
	for (int i = 7; i >= 0; i--) {
		uint32_t word = __atomic_load_n(&bits[i], __ATOMIC_ACQUIRE);

		if (word)
			return i * 32 + 31 - __builtin_clz(word);
	}
	return -1;
}

static bool bits_test(const uint32_t *bits, uint8_t n)
{
	return __atomic_load_n(&bits[n / 32], __ATOMIC_RELAXED) &
	       1u << (n % 32);
}

/* Returns the old value. */
static bool bits_set(uint32_t *bits, uint8_t n)
{
	uint32_t bit = 1u << (n % 32);

	return __atomic_fetch_or(&bits[n / 32], bit, __ATOMIC_SEQ_CST) & bit;
}

static void bits_clear(uint32_t *bits, uint8_t n)
{
	__atomic_fetch_and(&bits[n / 32], ~(1u << (n % 32)), __ATOMIC_SEQ_CST);
}

bool lapic_post(struct lapic *apic, uint8_t vector, bool level)
{
	/* 11.4.7.2: software-disabled, it takes only INIT, NMI and SIPI. */
	if (!(READ_ONCE(apic->svr) & SVR_ENABLE))
		return false;
	/* TMR first: whoever sees the IRR bit must find it right. */
	if (level)
		bits_set(apic->tmr, vector);
	else if (bits_test(apic->tmr, vector))
		bits_clear(apic->tmr, vector);
	if (!bits_set(apic->irr, vector))
		lapic_wake(apic);
	return true;
}

void lapic_error(struct lapic *apic, uint32_t bit)
{
	uint8_t vector = apic->lvt[LVT_ERROR] & 0xff;

	if (apic->esr_pending & bit)
		return;
	apic->esr_pending |= bit;
	if (vector < LAPIC_VECTOR_MIN)
		apic->esr_pending |= ESR_RECEIVE_VECTOR;
	else if (!(apic->lvt[LVT_ERROR] & LVT_MASKED))
		lapic_post(apic, vector, false);
}

void lapic_lvt_fire(struct lapic *apic, enum lapic_lvt entry)
{
	uint32_t lvt = apic->lvt[entry];

	if (lvt & LVT_MASKED)
		return;
	if ((lvt & 0xff) < LAPIC_VECTOR_MIN)
		lapic_error(apic, ESR_RECEIVE_VECTOR);
	else
		lapic_post(apic, lvt & 0xff, false);
}

/* 11.8.5: the highest vector in service goes; the I/O APIC hears of it if it
 * came in as level-triggered (TMR may have changed since). */
static void lapic_eoi(struct lapic *apic)
{
	int vector = bits_highest(apic->isr);
	uint32_t bit;

	if (vector < 0)
		return;
	bit = 1u << (vector % 32);
	apic->isr[vector / 32] &= ~bit;
	if (apic->isr_level[vector / 32] & bit) {
		apic->isr_level[vector / 32] &= ~bit;
		if (apic->set->ioapic)
			ioapic_eoi(apic->set->ioapic, (uint8_t)vector);
	}
}

/*
 * KVM's paravirtual EOI (Linux, Documentation/virt/kvm/x86/msr.rst): bit 0 of
 * a byte in guest memory says "no EOI needed: clear me instead". Whether the
 * guest has done so is looked up before anything that depends on ISR.
 */
static void pv_eoi_sync(struct lapic *apic)
{
	if (__atomic_load_n(apic->pv_eoi_flag, __ATOMIC_ACQUIRE) & 1)
		return;
	apic->pv_eoi_armed = false;
	lapic_eoi(apic);
}

/* The guest shall do a true EOI, because something waits for it. */
static void pv_eoi_disarm(struct lapic *apic)
{
	if (!apic->pv_eoi_armed)
		return;
	apic->pv_eoi_armed = false;
	__atomic_store_n(apic->pv_eoi_flag, 0, __ATOMIC_RELEASE);
}

static void pv_eoi_arm(struct lapic *apic)
{
	__atomic_store_n(apic->pv_eoi_flag, 1, __ATOMIC_RELEASE);
	apic->pv_eoi_armed = true;
}

/* What happened since the last look: timer events, EOIs in memory. */
static void lapic_sync(struct lapic *apic)
{
	if (READ_ONCE(apic->timer.due))
		lapic_timer_update(apic);
	if (apic->pv_eoi_armed)
		pv_eoi_sync(apic);
}

/* Processor priority (11.8.3.1). */
static uint32_t lapic_ppr(const struct lapic *apic)
{
	int vector = bits_highest(apic->isr);
	uint32_t class = vector < 0 ? 0 : vector & 0xf0;

	return (apic->tpr & 0xf0) >= class ? apic->tpr : class;
}

int lapic_pending(struct lapic *apic)
{
	int vector;

	lapic_sync(apic);
	vector = bits_highest(apic->irr);
	if (vector < 0)
		return -1;
	pv_eoi_disarm(apic);
	return vector >> 4 > (int)(lapic_ppr(apic) >> 4) ? vector : -1;
}

void lapic_accept(struct lapic *apic, uint8_t vector)
{
	uint32_t bit = 1u << (vector % 32);
	bool level;

	/* After this line a new post of the vector may change TMR again. */
	level = bits_test(apic->tmr, vector);
	bits_clear(apic->irr, vector);
	apic->isr[vector / 32] |= bit;
	if (level)
		apic->isr_level[vector / 32] |= bit;
	else
		apic->isr_level[vector / 32] &= ~bit;
	if (apic->pv_eoi_flag && !level && bits_highest(apic->irr) < 0)
		pv_eoi_arm(apic);
}

bool lapic_takes_extint(const struct lapic *apic)
{
	uint32_t lvt = apic->lvt[LVT_LINT0];

	if (!(apic->base & APIC_BASE_ENABLE))
		return true; /* 11.4.3: the pin is INTR again */
	return !(lvt & LVT_MASKED) && (lvt >> 8 & 7) == LAPIC_EXTINT;
}

void lapic_virtual_wire(struct lapic *apic)
{
	WRITE_ONCE(apic->svr, SVR_RESET | SVR_ENABLE);
	apic->lvt[LVT_LINT0] = LAPIC_EXTINT << 8;
	apic->lvt[LVT_LINT1] = LAPIC_NMI << 8;
}

void lapic_set_tpr(struct lapic *apic, uint8_t cr8)
{
	WRITE_ONCE(apic->tpr, (uint32_t)(cr8 & 0xf) << 4);
}

uint8_t lapic_get_tpr(const struct lapic *apic)
{
	return (uint8_t)(apic->tpr >> 4);
}

/* Registers: those that read back what was written or a constant first. */
static int reg_read(struct lapic *apic, unsigned reg, bool x2apic,
		    uint32_t *value)
{
	switch (reg) {
	case REG_ID:
		*value = x2apic ? apic->id : apic->id << 24;
		return 0;
	case REG_VERSION:
		*value = LAPIC_VERSION;
		return 0;
	case REG_TPR:
		*value = apic->tpr;
		return 0;
	case REG_PPR:
		*value = lapic_ppr(apic);
		return 0;
	case REG_LDR:
		/* 11.12.10.2: derived from the id, cluster and bit. */
		*value = x2apic ? (apic->id >> 4) << 16 | 1u << (apic->id & 15)
				: apic->ldr;
		return 0;
	case REG_SVR:
		*value = apic->svr;
		return 0;
	case REG_ISR ... REG_ISR + 7:
		*value = apic->isr[reg - REG_ISR];
		return 0;
	case REG_TMR ... REG_TMR + 7:
		*value = __atomic_load_n(&apic->tmr[reg - REG_TMR],
					 __ATOMIC_RELAXED);
		return 0;
	case REG_IRR ... REG_IRR + 7:
		*value = __atomic_load_n(&apic->irr[reg - REG_IRR],
					 __ATOMIC_RELAXED);
		return 0;
	case REG_ESR:
		*value = apic->esr;
		return 0;
	case REG_ICR:
		*value = apic->icr_low;
		return 0;
	case REG_LVT_TIMER ... REG_LVT_ERROR:
		*value = apic->lvt[reg - REG_LVT_TIMER];
		return 0;
	case REG_TIMER_INITIAL:
		*value = apic->timer.initial;
		return 0;
	case REG_TIMER_CURRENT:
		*value = lapic_timer_current(apic);
		return 0;
	case REG_TIMER_DIVIDE:
		*value = apic->divide;
		return 0;
	case REG_DFR:
		*value = apic->dfr;
		return x2apic ? -EPERM : 0;
	case REG_ICR_HIGH:
		*value = apic->icr_high;
		return x2apic ? -EPERM : 0;
	case REG_EOI: /* write-only */
		*value = 0;
		return x2apic ? -EPERM : 0;
	default:
		*value = 0;
		return -EPERM;
	}
}

static void lvt_write(struct lapic *apic, enum lapic_lvt entry, uint32_t value)
{
	uint32_t old = apic->lvt[entry];

	value &= lvt_writable[entry];
	if (!(apic->svr & SVR_ENABLE)) /* 11.4.7.2: masked while disabled */
		value |= LVT_MASKED;
	if (entry != LVT_TIMER) {
		apic->lvt[entry] = value;
		return;
	}
	lapic_timer_update(apic); /* what was due was due under the old rule */
	apic->lvt[entry] = value;
	lapic_timer_lvt_written(apic, old);
}

static void svr_write(struct lapic *apic, uint32_t value)
{
	WRITE_ONCE(apic->svr, value & SVR_WRITABLE);
	if (apic->svr & SVR_ENABLE)
		return;
	for (unsigned i = 0; i < LVT_COUNT; i++)
		lvt_write(apic, i, apic->lvt[i]);
}

/* Bits of a register that an x2APIC write must leave zero (11.12.1.3). */
static uint32_t reg_reserved(unsigned reg)
{
	switch (reg) {
	case REG_TPR:
	case REG_SELF_IPI:
		return ~0xffu;
	case REG_EOI:
	case REG_ESR:
		return ~0u;
	case REG_SVR:
		return ~SVR_WRITABLE;
	case REG_ICR:
		return ICR_RESERVED;
	case REG_LVT_TIMER ... REG_LVT_ERROR:
		return ~(lvt_writable[reg - REG_LVT_TIMER] | LVT_READ_ONLY);
	case REG_TIMER_DIVIDE:
		return ~0xbu;
	default:
		return 0;
	}
}

static int reg_write(struct lapic *apic, unsigned reg, bool x2apic,
		     uint32_t value)
{
	if (x2apic && (value & reg_reserved(reg)))
		return -EPERM;
	switch (reg) {
	case REG_TPR:
		WRITE_ONCE(apic->tpr, value & 0xff);
		return 0;
	case REG_EOI:
		lapic_eoi(apic);
		return 0;
	case REG_SVR:
		svr_write(apic, value);
		return 0;
	case REG_ESR: /* 11.5.3: a write latches what has come up since */
		apic->esr = apic->esr_pending;
		apic->esr_pending = 0;
		return 0;
	case REG_ICR:
		apic->icr_low = value & ~ICR_BUSY;
		lapic_ipi_send(apic);
		return 0;
	case REG_LVT_TIMER ... REG_LVT_ERROR:
		lvt_write(apic, reg - REG_LVT_TIMER, value);
		return 0;
	case REG_TIMER_INITIAL:
		lapic_timer_set_initial(apic, value);
		return 0;
	case REG_TIMER_DIVIDE:
		lapic_timer_set_divide(apic, value & 0xb);
		return 0;
	case REG_SELF_IPI:
		if (!x2apic)
			return -EPERM;
		if (value < LAPIC_VECTOR_MIN)
			lapic_error(apic, ESR_SEND_VECTOR);
		else
			lapic_post(apic, (uint8_t)value, false);
		return 0;
	case REG_LDR:
	case REG_DFR:
	case REG_ICR_HIGH:
		if (x2apic)
			return -EPERM;
		if (reg == REG_LDR)
			WRITE_ONCE(apic->ldr, value & 0xff000000u);
		else if (reg == REG_DFR) /* 27:0 read as ones (11.6.2.2) */
			WRITE_ONCE(apic->dfr, value | 0x0fffffffu);
		else
			apic->icr_high = value & 0xff000000u;
		return 0;
	case REG_ID: /* read-only, as in processors of today */
	case REG_VERSION:
	case REG_PPR:
	case REG_ISR ... REG_ISR + 7:
	case REG_TMR ... REG_TMR + 7:
	case REG_IRR ... REG_IRR + 7:
	case REG_TIMER_CURRENT:
		return x2apic ? -EPERM : 0;
	default:
		return -EPERM;
	}
}

static bool lapic_is_xapic(const struct lapic *apic)
{
	return (apic->base & (APIC_BASE_ENABLE | APIC_BASE_X2APIC)) ==
	       APIC_BASE_ENABLE;
}

uint32_t lapic_read(struct lapic *apic, uint32_t offset, unsigned size)
{
	unsigned byte = offset & 0xf;
	uint32_t value;

	if (!lapic_is_xapic(apic))
		return ~0u;
	/* 11.4.1: only aligned 32-bit accesses are defined; parts of the
	 * register are given to those who ask anyway. */
	if (offset >= LAPIC_MMIO_SIZE || size > 4 || byte + size > 4) {
		apic->bad_access++;
		return 0;
	}
	lapic_sync(apic);
	if (reg_read(apic, offset >> 4, false, &value) < 0) {
		apic->bad_access++;
		lapic_error(apic, ESR_REGISTER);
	}
	return value >> (byte * 8);
}

void lapic_write(struct lapic *apic, uint32_t offset, unsigned size,
		 uint32_t value)
{
	if (!lapic_is_xapic(apic))
		return;
	if (offset >= LAPIC_MMIO_SIZE || size != 4 || offset & 0xf) {
		apic->bad_access++;
		return;
	}
	lapic_sync(apic);
	if (reg_write(apic, offset >> 4, false, value) < 0) {
		apic->bad_access++;
		lapic_error(apic, ESR_REGISTER);
	}
}

static void lapic_reset_registers(struct lapic *apic)
{
	lapic_timer_reset(apic);
	WRITE_ONCE(apic->svr, SVR_RESET); /* first: nothing more is posted */
	for (unsigned i = 0; i < 8; i++) {
		__atomic_store_n(&apic->irr[i], 0, __ATOMIC_RELAXED);
		__atomic_store_n(&apic->tmr[i], 0, __ATOMIC_RELAXED);
		apic->isr[i] = apic->isr_level[i] = 0;
	}
	WRITE_ONCE(apic->tpr, 0);
	WRITE_ONCE(apic->ldr, 0);
	WRITE_ONCE(apic->dfr, DFR_RESET);
	apic->icr_low = apic->icr_high = 0;
	apic->esr = apic->esr_pending = 0;
	apic->divide = 0;
	for (unsigned i = 0; i < LVT_COUNT; i++)
		apic->lvt[i] = LVT_MASKED;
	pv_eoi_disarm(apic);
}

/* 11.12.5.1, figure 11-27: out of x2APIC mode only by way of disabled. */
static int base_write(struct lapic *apic, uint64_t value)
{
	const uint64_t flags = APIC_BASE_ENABLE | APIC_BASE_X2APIC;
	uint64_t now = apic->base & flags, next = value & flags;

	/*
	 * The page cannot be moved: no system does, and over RAM there would
	 * be no exit. BSP is ours to say: what is written there is ignored.
	 */
	if ((value & ~(flags | APIC_BASE_BSP)) != LAPIC_BASE_GPA)
		return -EPERM;
	if (next == APIC_BASE_X2APIC)
		return -EPERM;
	if (now == flags && next == APIC_BASE_ENABLE)
		return -EPERM;
	if (now == 0 && next == flags)
		return -EPERM;
	if (next == now)
		return 0;
	if (next == 0) /* 11.4.3: when it comes back, it is as after reset */
		lapic_reset_registers(apic);
	if (next == flags)
		apic->icr_high = 0;
	WRITE_ONCE(apic->base, (apic->base & ~flags) | next);
	return 0;
}

static int pv_eoi_write(struct lapic *apic, uint64_t value)
{
	uint8_t *flag = NULL;

	if (value & PV_EOI_RESERVED)
		return -EPERM;
	if (value & PV_EOI_ENABLE) {
		flag = guest_range(apic->mem, GPA(value & ~3ull), 4);
		if (!flag)
			return -EPERM;
	}
	pv_eoi_disarm(apic);
	apic->pv_eoi_msr = value;
	apic->pv_eoi_flag = flag;
	return 0;
}

int lapic_msr_read(struct lapic *apic, uint32_t msr, uint64_t *value)
{
	uint32_t low;

	lapic_sync(apic);
	switch (msr) {
	case MSR_APIC_BASE:
		*value = apic->base;
		return 0;
	case MSR_TSC_DEADLINE:
		lapic_timer_update(apic); /* masked, it expires silently */
		*value = apic->timer.deadline_tsc;
		return 0;
	case MSR_KVM_PV_EOI:
		*value = apic->pv_eoi_msr;
		return 0;
	}
	if (msr < MSR_X2APIC_FIRST || msr > MSR_X2APIC_LAST ||
	    !lapic_is_x2apic(apic) ||
	    reg_read(apic, msr - MSR_X2APIC_FIRST, true, &low) < 0)
		return -EPERM;
	*value = low;
	if (msr - MSR_X2APIC_FIRST == REG_ICR)
		*value |= (uint64_t)apic->icr_high << 32;
	return 0;
}

int lapic_msr_write(struct lapic *apic, uint32_t msr, uint64_t value)
{
	unsigned reg = msr - MSR_X2APIC_FIRST;

	lapic_sync(apic);
	switch (msr) {
	case MSR_APIC_BASE:
		return base_write(apic, value);
	case MSR_TSC_DEADLINE:
		lapic_timer_set_deadline(apic, value);
		return 0;
	case MSR_KVM_PV_EOI:
		return pv_eoi_write(apic, value);
	}
	if (msr < MSR_X2APIC_FIRST || msr > MSR_X2APIC_LAST ||
	    !lapic_is_x2apic(apic))
		return -EPERM;
	if (reg == REG_ICR) {
		if (value & ICR_RESERVED)
			return -EPERM;
		apic->icr_high = (uint32_t)(value >> 32);
	} else if (value >> 32) {
		return -EPERM;
	}
	return reg_write(apic, reg, true, (uint32_t)value);
}

void lapic_set_tsc_offset(struct lapic *apic, uint64_t offset)
{
	uint64_t deadline;

	lapic_timer_update(apic);
	apic->tsc_offset = offset;
	deadline = apic->timer.deadline_tsc;
	if (deadline)
		lapic_timer_set_deadline(apic, deadline);
}

void lapic_init_reset(struct lapic *apic)
{
	lapic_sync(apic);
	lapic_reset_registers(apic);
}

void lapic_reset(struct lapic *apic)
{
	lapic_reset_registers(apic);
	apic->pv_eoi_msr = 0;
	apic->pv_eoi_flag = NULL;
	WRITE_ONCE(apic->base, LAPIC_BASE_GPA | APIC_BASE_ENABLE |
				       (apic->id == 0 ? APIC_BASE_BSP : 0));
}

void lapic_init(struct lapic *apic, struct lapic_set *set, uint32_t id,
		const struct guest_mem *mem, uint32_t tsc_khz)
{
	ASSERT(id < LAPIC_COUNT_MAX && id == set->count && tsc_khz);
	memset(apic, 0, sizeof(*apic));
	apic->set = set;
	apic->mem = mem;
	apic->id = id;
	apic->tsc_khz = tsc_khz;
	lapic_timer_init(apic);
	lapic_reset(apic);
	set->apics[id] = apic;
	set->count = id + 1;
}
