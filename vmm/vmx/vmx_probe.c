/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Is VT-x there, with all that we need, and turning it on. */
#include <linux/errno.h>
#include <string.h>

#include "vmkernel/cpu/regs.h"
#include "vmkernel/mm/mm.h"
#include "vmm/cpu_ops.h"
#include "vmm/vmx/vmx_priv.h"

/* Intel SDM 4, table 2-2; SDM 3D, appendix A. */
#define MSR_FEATURE_CONTROL   0x03au
#define MSR_ARCH_CAPABILITIES 0x10au
#define MSR_VMX_BASIC	      0x480u
#define MSR_VMX_CR0_FIXED0    0x486u
#define MSR_VMX_CR0_FIXED1    0x487u
#define MSR_VMX_CR4_FIXED0    0x488u
#define MSR_VMX_CR4_FIXED1    0x489u
#define MSR_VMX_CPU2	      0x48bu
#define MSR_VMX_EPT_VPID      0x48cu
#define MSR_VMX_TRUE_PIN      0x48du
#define MSR_VMX_TRUE_CPU      0x48eu
#define MSR_VMX_TRUE_EXIT     0x48fu
#define MSR_VMX_TRUE_ENTRY    0x490u

#define FEATURE_CONTROL_LOCK  (1ull << 0)
#define FEATURE_CONTROL_VMXON (1ull << 2) /* outside of SMX */
#define BASIC_REVISION	      0x7fffffffull
#define BASIC_TRUE_CONTROLS   (1ull << 55)
#define ARCH_RDCL_NO	      (1ull << 0)
#define ARCH_SKIP_L1D_FLUSH   (1ull << 3)
#define CR4_VMXE	      (1ull << 13)

/* A.10 */
#define EPT_CAP_LEVELS_4      (1ull << 6)
#define EPT_CAP_WRITE_BACK    (1ull << 14)
#define EPT_CAP_2M	      (1ull << 16)
#define EPT_CAP_1G	      (1ull << 17)
#define EPT_CAP_INVEPT	      (1ull << 20)
#define EPT_CAP_INVEPT_ALL    (1ull << 26)
#define EPT_CAP_INVVPID	      (1ull << 32)
#define EPT_CAP_INVVPID_ALL   (1ull << 42)
#define EPT_CAP_NEEDED                                                         \
	(EPT_CAP_LEVELS_4 | EPT_CAP_WRITE_BACK | EPT_CAP_2M | EPT_CAP_INVEPT | \
	 EPT_CAP_INVEPT_ALL)
#define EPT_CAP_VPID   (EPT_CAP_INVVPID | EPT_CAP_INVVPID_ALL)

#define INVALIDATE_ALL 2ull /* of INVEPT and INVVPID: all contexts */

struct vmx vmx;

/*
 * A control word, by the MSR that says which bits must be one (low half) and
 * which may be (high half; A.2 to A.5). False: one that we need may not.
 */
static bool vmx_controls(uint32_t msr, uint32_t need, uint32_t want,
			 uint32_t *controls)
{
	uint64_t allowed = rdmsr(msr);
	uint32_t must = (uint32_t)allowed, may = (uint32_t)(allowed >> 32);

	*controls = need | (want & may) | must;
	return !(need & ~may);
}

/* An instruction that the guest's CPUID offers must not be #UD for lack of its
 * control. */
static uint32_t vmx_instruction_controls(void)
{
	uint32_t out[4], need = 0;

	cpuid(0x80000001, 0, out);
	if (out[3] & 1u << 27)
		need |= CPU2_RDTSCP;
	cpuid(0, 0, out);
	if (out[0] < 7)
		return need;
	cpuid(7, 0, out);
	if (out[2] & 1u << 22) /* RDPID */
		need |= CPU2_RDTSCP;
	if (out[1] & 1u << 10)
		need |= CPU2_INVPCID;
	return need;
}

static bool vmx_find_controls(void)
{
	uint32_t windows = CPU_IRQ_WINDOW | CPU_NMI_WINDOW;
	uint32_t need2 = CPU2_EPT | CPU2_UNRESTRICTED | CPU2_WBINVD |
			 vmx_instruction_controls();

	if (!vmx_controls(MSR_VMX_TRUE_PIN,
			  PIN_INTERRUPTS | PIN_NMI | PIN_VIRTUAL_NMIS, 0,
			  &vmx.pin) ||
	    !vmx_controls(MSR_VMX_TRUE_CPU,
			  windows | CPU_TSC_OFFSET | CPU_HLT | CPU_MWAIT |
				  CPU_RDPMC | CPU_CR8_WRITE | CPU_TPR_SHADOW |
				  CPU_IO | CPU_MSR_BITMAP | CPU_MONITOR |
				  CPU_CONTROLS2,
			  0, &vmx.cpu) ||
	    !vmx_controls(MSR_VMX_CPU2, need2, CPU2_VPID, &vmx.cpu2) ||
	    !vmx_controls(MSR_VMX_TRUE_EXIT,
			  EXIT_CTL_SAVE_DEBUG | EXIT_CTL_HOST_64 |
				  EXIT_CTL_LOAD_PAT | EXIT_CTL_SAVE_EFER |
				  EXIT_CTL_LOAD_EFER,
			  0, &vmx.exit) ||
	    !vmx_controls(MSR_VMX_TRUE_ENTRY,
			  ENTRY_LOAD_DEBUG | ENTRY_LOAD_PAT | ENTRY_LOAD_EFER,
			  0, &vmx.entry))
		return false;
	vmx.cpu &= ~windows; /* when asked for */
	return !(vmx.cpu & (CPU_CR3_WRITE | CPU_CR3_READ));
}

/* L1TF: on affected CPUs a guest reads what the first-level cache holds, by
 * translations of its own making (Intel: deep dive on L1 terminal fault). */
static bool vmx_must_flush_l1d(void)
{
	uint64_t capabilities = 0;
	uint32_t out[4];

	cpuid(0, 0, out);
	if (out[0] < 7)
		return false;
	cpuid(7, 0, out);
	if (out[3] & 1u << 29)
		capabilities = rdmsr(MSR_ARCH_CAPABILITIES);
	return out[3] & 1u << 28 &&
	       !(capabilities & (ARCH_RDCL_NO | ARCH_SKIP_L1D_FLUSH));
}

const char *vmx_probe(void)
{
	uint64_t basic, ept, control;
	uint32_t out[4];

	cpuid(1, 0, out);
	if (!(out[2] & 1u << 5))
		return cpu_ops_absent;
	control = rdmsr(MSR_FEATURE_CONTROL);
	if (control & FEATURE_CONTROL_LOCK &&
	    !(control & FEATURE_CONTROL_VMXON))
		return "VT-x is disabled by the firmware; turn on "
		       "virtualization (VT-x) in its set-up";
	basic = rdmsr(MSR_VMX_BASIC);
	vmx.revision = (uint32_t)(basic & BASIC_REVISION);
	if (!(basic & BASIC_TRUE_CONTROLS) || !vmx_find_controls())
		goto too_old;
	ept = rdmsr(MSR_VMX_EPT_VPID);
	if ((ept & EPT_CAP_NEEDED) != EPT_CAP_NEEDED)
		goto too_old;
	if ((ept & EPT_CAP_VPID) != EPT_CAP_VPID)
		vmx.cpu2 &= ~CPU2_VPID;
	vmx.giant_pages = ept & EPT_CAP_1G;
	vmx.flush_l1d = vmx_must_flush_l1d();
	return NULL;
too_old:
	return "this CPU's VT-x has no EPT with unrestricted guests; a CPU "
	       "from 2010 or later has it";
}

/* The bitmap is the same for every VM: each MSR exits but those that are the
 * guest's own. */
static int vmx_init_bitmap(void)
{
	if (vmx.msr_bitmap)
		return 0;
	vmx.msr_bitmap = plat_alloc(PAGE_SIZE, PAGE_SIZE);
	if (!vmx.msr_bitmap)
		return -ENOMEM;
	memset(vmx.msr_bitmap, 0xff, PAGE_SIZE);
	vmx_open_msrs(vmx.msr_bitmap);
	return 0;
}

/* A.7, A.8: bits of FIXED0 must be one, those not in FIXED1 must be zero. */
static bool vmx_fixed_ok(uint64_t cr, uint32_t fixed0, uint32_t fixed1)
{
	return !(rdmsr(fixed0) & ~cr) && !(cr & ~rdmsr(fixed1));
}

/* 23.7, 24.11.5 */
int vmx_enable(void)
{
	struct vmx_cpu *cpu = &vmx.cpus[plat_cpu()];
	uint64_t control = rdmsr(MSR_FEATURE_CONTROL);
	hpa_t region = mm_alloc_pages(0, MM_KERNEL);
	bool failed;

	if (!region.v || vmx_init_bitmap() < 0)
		return -ENOMEM;
	if (!(control & FEATURE_CONTROL_LOCK))
		wrmsr(MSR_FEATURE_CONTROL,
		      control | FEATURE_CONTROL_LOCK | FEATURE_CONTROL_VMXON);
	else if (!(control & FEATURE_CONTROL_VMXON))
		return -EPERM; /* this one only: firmware set CPUs apart */
	write_cr4(read_cr4() | CR4_VMXE);
	if (!vmx_fixed_ok(read_cr0(), MSR_VMX_CR0_FIXED0, MSR_VMX_CR0_FIXED1) ||
	    !vmx_fixed_ok(read_cr4(), MSR_VMX_CR4_FIXED0, MSR_VMX_CR4_FIXED1))
		return -ENODEV;
	*(uint32_t *)phys_to_virt(region) = vmx.revision;
	__asm__ volatile("vmxon %1; setna %0"
			 : "=q"(failed)
			 : "m"(region.v)
			 : "cc", "memory");
	if (failed)
		return -EIO;
	cpu->vmxon = region;
	/* What firmware, or a kernel before us, may have left. */
	vmx_invalidate_ept();
	vmx_invalidate_vpid();
	return 0;
}

void vmx_invalidate_ept(void)
{
	const uint64_t descriptor[2] = {0};
	bool failed;

	__asm__ volatile("invept %2, %1; setna %0"
			 : "=q"(failed)
			 : "r"(INVALIDATE_ALL), "m"(descriptor)
			 : "cc", "memory");
	ASSERT(!failed);
}

void vmx_invalidate_vpid(void)
{
	const uint64_t descriptor[2] = {0};
	bool failed;

	if (!(vmx.cpu2 & CPU2_VPID))
		return; /* each entry and exit does */
	__asm__ volatile("invvpid %2, %1; setna %0"
			 : "=q"(failed)
			 : "r"(INVALIDATE_ALL), "m"(descriptor)
			 : "cc", "memory");
	ASSERT(!failed);
}
