/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The virtual machine control structure: fields and bits (Intel SDM 3C and 3D).
 */
#ifndef VMM_VMX_VMCS_H
#define VMM_VMX_VMCS_H

#include "lib/types.h"

/* Field encodings, appendix B. Those of a segment are two apart, in the order
 * ES, CS, SS, DS, FS, GS, LDTR, TR. */
enum vmcs_field {
	/* B.1: 16 bits */
	VMCS_VPID = 0x0000,
	VMCS_GUEST_SELECTOR = 0x0800,
	VMCS_HOST_ES = 0x0c00,
	VMCS_HOST_CS = 0x0c02,
	VMCS_HOST_SS = 0x0c04,
	VMCS_HOST_DS = 0x0c06,
	VMCS_HOST_FS = 0x0c08,
	VMCS_HOST_GS = 0x0c0a,
	VMCS_HOST_TR = 0x0c0c,
	/* B.2: 64 bits */
	VMCS_MSR_BITMAP = 0x2004,
	VMCS_TSC_OFFSET = 0x2010,
	VMCS_APIC_PAGE = 0x2012,
	VMCS_EPTP = 0x201a,
	VMCS_GUEST_PHYSICAL = 0x2400,
	VMCS_LINK = 0x2800,
	VMCS_GUEST_DEBUGCTL = 0x2802,
	VMCS_GUEST_PAT = 0x2804,
	VMCS_GUEST_EFER = 0x2806,
	VMCS_HOST_PAT = 0x2c00,
	VMCS_HOST_EFER = 0x2c02,
	/* B.3: 32 bits */
	VMCS_PIN_CONTROLS = 0x4000,
	VMCS_CPU_CONTROLS = 0x4002,
	VMCS_EXCEPTION_BITMAP = 0x4004,
	VMCS_PF_ERROR_MASK = 0x4006,
	VMCS_PF_ERROR_MATCH = 0x4008,
	VMCS_CR3_TARGETS = 0x400a,
	VMCS_EXIT_CONTROLS = 0x400c,
	VMCS_EXIT_MSR_STORES = 0x400e,
	VMCS_EXIT_MSR_LOADS = 0x4010,
	VMCS_ENTRY_CONTROLS = 0x4012,
	VMCS_ENTRY_MSR_LOADS = 0x4014,
	VMCS_ENTRY_EVENT = 0x4016,
	VMCS_ENTRY_ERROR = 0x4018,
	VMCS_TPR_THRESHOLD = 0x401c,
	VMCS_CPU2_CONTROLS = 0x401e,
	VMCS_INSTRUCTION_ERROR = 0x4400,
	VMCS_EXIT_REASON = 0x4402,
	VMCS_EXIT_EVENT = 0x4404,
	VMCS_EXIT_ERROR = 0x4406,
	VMCS_IDT_EVENT = 0x4408,
	VMCS_IDT_ERROR = 0x440a,
	VMCS_EXIT_LENGTH = 0x440c,
	VMCS_GUEST_LIMIT = 0x4800,
	VMCS_GUEST_GDTR_LIMIT = 0x4810,
	VMCS_GUEST_IDTR_LIMIT = 0x4812,
	VMCS_GUEST_RIGHTS = 0x4814,
	VMCS_GUEST_SHADOW = 0x4824, /* interruptibility state */
	VMCS_GUEST_ACTIVITY = 0x4826,
	VMCS_GUEST_SYSENTER_CS = 0x482a,
	VMCS_HOST_SYSENTER_CS = 0x4c00,
	/* B.4: natural width */
	VMCS_CR0_MASK = 0x6000,
	VMCS_CR4_MASK = 0x6002,
	VMCS_CR0_SHADOW = 0x6004,
	VMCS_CR4_SHADOW = 0x6006,
	VMCS_QUALIFICATION = 0x6400,
	VMCS_GUEST_CR0 = 0x6800,
	VMCS_GUEST_CR3 = 0x6802,
	VMCS_GUEST_CR4 = 0x6804,
	VMCS_GUEST_BASE = 0x6806,
	VMCS_GUEST_GDTR_BASE = 0x6816,
	VMCS_GUEST_IDTR_BASE = 0x6818,
	VMCS_GUEST_DR7 = 0x681a,
	VMCS_GUEST_RSP = 0x681c,
	VMCS_GUEST_RIP = 0x681e,
	VMCS_GUEST_RFLAGS = 0x6820,
	VMCS_GUEST_PENDING_DB = 0x6822,
	VMCS_GUEST_SYSENTER_ESP = 0x6824,
	VMCS_GUEST_SYSENTER_EIP = 0x6826,
	VMCS_HOST_CR0 = 0x6c00,
	VMCS_HOST_CR3 = 0x6c02,
	VMCS_HOST_CR4 = 0x6c04,
	VMCS_HOST_FS_BASE = 0x6c06,
	VMCS_HOST_GS_BASE = 0x6c08,
	VMCS_HOST_TR_BASE = 0x6c0a,
	VMCS_HOST_GDTR_BASE = 0x6c0c,
	VMCS_HOST_IDTR_BASE = 0x6c0e,
	VMCS_HOST_SYSENTER_ESP = 0x6c10,
	VMCS_HOST_SYSENTER_EIP = 0x6c12,
	VMCS_HOST_RSP = 0x6c14, /* enter.S */
	VMCS_HOST_RIP = 0x6c16,
};

/* 24.6.1 */
#define PIN_INTERRUPTS	    (1u << 0)
#define PIN_NMI		    (1u << 3)
#define PIN_VIRTUAL_NMIS    (1u << 5)
/* 24.6.2, table 24-6 */
#define CPU_IRQ_WINDOW	    (1u << 2)
#define CPU_TSC_OFFSET	    (1u << 3)
#define CPU_HLT		    (1u << 7)
#define CPU_MWAIT	    (1u << 10)
#define CPU_RDPMC	    (1u << 11)
#define CPU_CR3_WRITE	    (1u << 15)
#define CPU_CR3_READ	    (1u << 16)
#define CPU_CR8_WRITE	    (1u << 19)
#define CPU_TPR_SHADOW	    (1u << 21)
#define CPU_NMI_WINDOW	    (1u << 22)
#define CPU_IO		    (1u << 24)
#define CPU_MSR_BITMAP	    (1u << 28)
#define CPU_MONITOR	    (1u << 29)
#define CPU_CONTROLS2	    (1u << 31)
/* table 24-7 */
#define CPU2_EPT	    (1u << 1)
#define CPU2_RDTSCP	    (1u << 3)
#define CPU2_VPID	    (1u << 5)
#define CPU2_WBINVD	    (1u << 6)
#define CPU2_UNRESTRICTED   (1u << 7)
#define CPU2_INVPCID	    (1u << 12)
/* 24.7.1 */
#define EXIT_CTL_SAVE_DEBUG (1u << 2)
#define EXIT_CTL_HOST_64    (1u << 9)
#define EXIT_CTL_LOAD_PAT   (1u << 19)
#define EXIT_CTL_SAVE_EFER  (1u << 20)
#define EXIT_CTL_LOAD_EFER  (1u << 21)
/* 24.8.1 */
#define ENTRY_LOAD_DEBUG    (1u << 2)
#define ENTRY_GUEST_64	    (1u << 9)
#define ENTRY_LOAD_PAT	    (1u << 14)
#define ENTRY_LOAD_EFER	    (1u << 15)

/* Entry, exit and IDT-vectoring events (24.8.3, 24.9.2, 24.9.3). */
#define EVENT_VECTOR	    0xffu
#define EVENT_TYPE(info)    ((info) >> 8 & 7)
#define EVENT_INTERRUPT	    (0u << 8)
#define EVENT_NMI	    (2u << 8)
#define EVENT_EXCEPTION	    (3u << 8)
#define EVENT_ICEBP	    (5u << 8) /* INT1 */
#define EVENT_ERROR_VALID   (1u << 11)
#define EVENT_NMI_UNBLOCKED (1u << 12) /* of an exit: by IRET */
#define EVENT_VALID	    (1u << 31)

/* Interruptibility state (24.4.2). */
#define SHADOW_STI	    (1u << 0)
#define SHADOW_MOV_SS	    (1u << 1)
#define SHADOW_NMI	    (1u << 3)

/* Access rights (24.4.1): as in a descriptor, with a gap, and: */
#define RIGHTS_UNUSABLE	    (1u << 16)

/* Exit qualifications (27.2.1): I/O, control registers, EPT, #DB. */
#define QUAL_IO_SIZE	    7ull /* bytes less one */
#define QUAL_IO_IN	    (1ull << 3)
#define QUAL_IO_STRING	    (1ull << 4)
#define QUAL_CR_NUMBER	    0xfull
#define QUAL_CR_TYPE(q)	    ((q) >> 4 & 3) /* 0: MOV to CR */
#define QUAL_CR_GPR(q)	    ((q) >> 8 & 15)
#define QUAL_EPT_WRITE	    (1ull << 1)
#define QUAL_EPT_FETCH	    (1ull << 2)
#define QUAL_NMI_UNBLOCKED  (1ull << 12)
#define QUAL_DB		    0x600full /* B0 to B3, BD, BS, as in DR6 */

/* EPT entries (28.3.2) and the pointer to their root (24.6.11). */
#define EPT_READ	    (1ull << 0)
#define EPT_WRITE	    (1ull << 1)
#define EPT_EXEC	    (1ull << 2)
#define EPT_WRITE_BACK	    (6ull << 3)
#define EPT_LEAF	    (1ull << 7)
#define EPTP_WRITE_BACK	    6ull
#define EPTP_LEVELS_4	    (3ull << 3)

#endif
