/* SPDX-License-Identifier: GPL-2.0-or-later */
/* PCI configuration by port and by memory, BARs, and device registers. */
#include <linux/pci_regs.h>
#include <linux/virtio_config.h>
#include <linux/virtio_pci.h>
#include <string.h>

#include "tests/guest/lib/payload.h"
#include "tests/guest/lib/x86.h"

#define CONFIG_ADDRESS 0xcf8
#define CONFIG_DATA    0xcfc
#define VIRTIO_VENDOR  0x1af4
#define VIRTIO_NET     0x1041
#define SLOTS	       32

static volatile uint8_t *ecam; /* of bus 0 */
static unsigned nic;	       /* its slot */

static void port_select(unsigned slot, unsigned offset)
{
	x86_out32(CONFIG_ADDRESS, 1u << 31 | slot << 11 | (offset & 0xfc));
}

static uint32_t port_read(unsigned slot, unsigned offset)
{
	port_select(slot, offset);
	return x86_in32(CONFIG_DATA);
}

static void port_write(unsigned slot, unsigned offset, uint32_t value)
{
	port_select(slot, offset);
	x86_out32(CONFIG_DATA, value);
}

static volatile void *ecam_at(unsigned slot, unsigned offset)
{
	return ecam + (slot << 15) + offset;
}

static uint32_t ecam_read32(unsigned slot, unsigned offset)
{
	return *(volatile uint32_t *)ecam_at(slot, offset);
}

static uint8_t config_read8(unsigned offset)
{
	return *(volatile uint8_t *)ecam_at(nic, offset);
}

static bool sum_is_zero(const uint8_t *p, unsigned size)
{
	uint8_t sum = 0;

	while (size--)
		sum += *p++;
	return sum == 0;
}

static bool same(const void *a, const char *b, unsigned size)
{
	for (unsigned i = 0; i < size; i++)
		if (((const char *)a)[i] != b[i])
			return false;
	return true;
}

static uint64_t load64(const uint8_t *p)
{
	uint64_t value;

	memcpy(&value, p, sizeof(value));
	return value;
}

static uint32_t load32(const uint8_t *p)
{
	uint32_t value;

	memcpy(&value, p, sizeof(value));
	return value;
}

/* RSDP, XSDT, MCFG (ACPI 6.4, 5.2.5; PCI Firmware 3.2, 4.1.2). */
static const uint8_t *find_rsdp(void)
{
	for (uintptr_t p = 0xe0000; p < 0x100000; p += 16)
		if (same((void *)p, "RSD PTR ", 8) &&
		    sum_is_zero((void *)p, 20))
			return (const uint8_t *)p;
	return NULL;
}

static void check_acpi(void)
{
	const uint8_t *rsdp = find_rsdp(), *table;
	bool wide;
	unsigned entry;

	CHECK("an RSDP below 1 MiB", rsdp != NULL);
	if (!rsdp)
		payload_exit();
	wide = rsdp[15] >= 2;
	table = (const uint8_t *)(wide ? load64(rsdp + 24)
				       : (uint64_t)load32(rsdp + 16));
	entry = wide ? 8 : 4;
	CHECK("the root table's checksum",
	      sum_is_zero(table, load32(table + 4)));
	for (unsigned i = 36; i < load32(table + 4); i += entry) {
		const uint8_t *t =
			(const uint8_t *)(wide ? load64(table + i)
					       : (uint64_t)load32(table + i));

		payload_log("table %c%c%c%c", t[0], t[1], t[2], t[3]);
		payload_check("  its checksum", sum_is_zero(t, load32(t + 4)),
			      "the bytes add up to 0");
		if (same(t, "MCFG", 4))
			ecam = (volatile uint8_t *)load64(t + 44);
	}
	CHECK("MCFG names the ECAM", ecam != NULL);
	if (!ecam)
		payload_exit();
}

static void check_config(void)
{
	unsigned found = 0, differ = 0;
	uint32_t id;

	for (unsigned slot = 0; slot < SLOTS; slot++) {
		id = port_read(slot, PCI_VENDOR_ID);
		differ += id != ecam_read32(slot, PCI_VENDOR_ID);
		if (id == (VIRTIO_NET << 16 | VIRTIO_VENDOR)) {
			nic = slot;
			found++;
		}
	}
	payload_check_equal("port and ECAM name the same devices", differ, 0);
	CHECK("a host bridge in slot 0",
	      port_read(0, PCI_CLASS_REVISION) >> 16 == 0x0600);
	CHECK("a virtio network card", found >= 1);
	if (!found)
		payload_exit();
	for (unsigned i = 0; i < 256; i += 4)
		differ += port_read(nic, i) != ecam_read32(nic, i);
	payload_check_equal("port and ECAM read the same", differ, 0);
	payload_check_equal("an empty slot is all ones", port_read(30, 0),
			    0xffffffff);
	payload_check_equal("so by ECAM", ecam_read32(30, 0), 0xffffffff);

	/* Bytes and words of the data port (PCI 3.0, 3.2.2.3.2). */
	port_select(nic, PCI_VENDOR_ID);
	payload_check_equal("byte 2 by port", x86_in8(CONFIG_DATA + 2),
			    VIRTIO_NET & 0xff);
	payload_check_equal("byte 2 by ECAM", config_read8(PCI_DEVICE_ID),
			    VIRTIO_NET & 0xff);
	/* Identity is read-only. */
	port_write(nic, PCI_VENDOR_ID, 0);
	payload_check_equal("the vendor cannot be written",
			    port_read(nic, PCI_VENDOR_ID) & 0xffff,
			    VIRTIO_VENDOR);
	/* Without the enable bit the data port answers for nobody. */
	x86_out32(CONFIG_ADDRESS, nic << 11);
	CHECK("the address register's enable bit",
	      x86_in32(CONFIG_DATA) == 0xffffffff);
}

static uint64_t bar_base(unsigned bar)
{
	uint32_t low = ecam_read32(nic, PCI_BASE_ADDRESS_0 + 4 * bar);
	uint64_t base;

	if (low & PCI_BASE_ADDRESS_SPACE_IO)
		return low & ~3ull;
	base = low & ~15ull;
	if (low & PCI_BASE_ADDRESS_MEM_TYPE_64)
		base |= (uint64_t)ecam_read32(nic,
					      PCI_BASE_ADDRESS_0 + 4 * bar + 4)
			<< 32;
	return base;
}

static void bar_write(unsigned bar, uint64_t base)
{
	unsigned offset = PCI_BASE_ADDRESS_0 + 4 * bar;
	bool wide = ecam_read32(nic, offset) & PCI_BASE_ADDRESS_MEM_TYPE_64;

	*(volatile uint32_t *)ecam_at(nic, offset) = (uint32_t)base;
	if (wide)
		*(volatile uint32_t *)ecam_at(nic, offset + 4) =
			(uint32_t)(base >> 32);
}

/* All ones in, size out (PCI 3.0, 6.2.5.1); then back to where it was. */
static uint64_t bar_size(unsigned bar)
{
	uint64_t base = bar_base(bar), mask;

	bar_write(bar, ~0ull);
	mask = bar_base(bar);
	bar_write(bar, base);
	return ~(mask | ((mask >> 32) ? 0 : 0xffffffff00000000)) + 1;
}

static void check_virtio(volatile struct virtio_pci_common_cfg *common)
{
	volatile uint8_t *bytes = (volatile uint8_t *)common;
	uint32_t low, high;

	common->device_status = 0;
	payload_check_equal("status after reset", common->device_status, 0);
	common->device_feature_select = 0;
	low = common->device_feature;
	common->device_feature_select = 1;
	high = common->device_feature;
	CHECK("VIRTIO_F_VERSION_1 is offered",
	      high & 1u << (VIRTIO_F_VERSION_1 - 32));
	CHECK("the feature words differ", low != high);
	common->device_feature_select = 2;
	payload_check_equal("no features beyond", common->device_feature, 0);
	CHECK("two queues or more", common->num_queues >= 2);

	/* One register, by each kind of instruction that may be used. */
	__asm__ volatile("movl $1, %0" : "=m"(common->device_feature_select));
	payload_check_equal("MOV immediate", common->device_feature_select, 1);
	__asm__ volatile("andl $0, %0" : "+m"(common->device_feature_select));
	payload_check_equal("AND", common->device_feature_select, 0);
	__asm__ volatile("orl $1, %0" : "+m"(common->device_feature_select));
	payload_check_equal("OR", common->device_feature_select, 1);
	low = 0;
	__asm__ volatile("xchgl %0, %1"
			 : "+m"(common->device_feature_select), "+r"(low));
	payload_check_equal("XCHG takes the old value", low, 1);
	payload_check_equal("XCHG leaves the new one",
			    common->device_feature_select, 0);
	low = 1;
	__asm__ volatile("stosl"
			 :
			 : "a"(low), "D"(&common->device_feature_select)
			 : "memory");
	payload_check_equal("STOS", common->device_feature_select, 1);
	__asm__ volatile("movzbl %1, %0" : "=r"(high) : "m"(bytes[0]));
	payload_check_equal("MOVZX", high, 1);
	__asm__ volatile("cmpl $1, %1; setne %b0"
			 : "=q"(low)
			 : "m"(common->device_feature_select)
			 : "cc");
	payload_check_equal("CMP", low & 0xff, 0);
	__asm__ volatile("testl $1, %1; setnz %b0"
			 : "=q"(low)
			 : "m"(common->device_feature_select)
			 : "cc");
	payload_check_equal("TEST", low & 0xff, 1);

	/* Status bits stay as written, up to FEATURES_OK. */
	common->device_status = VIRTIO_CONFIG_S_ACKNOWLEDGE;
	common->device_status =
		VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER;
	payload_check_equal("status reads back", common->device_status,
			    VIRTIO_CONFIG_S_ACKNOWLEDGE |
				    VIRTIO_CONFIG_S_DRIVER);
	/* A driver that does not take VERSION_1 is refused (Virtio 1.2,
	 * 3.1.1, 6.1). */
	common->guest_feature_select = 1;
	common->guest_feature = 0;
	common->device_status |= VIRTIO_CONFIG_S_FEATURES_OK;
	CHECK("FEATURES_OK without VERSION_1 is refused",
	      !(common->device_status & VIRTIO_CONFIG_S_FEATURES_OK));
	common->queue_select = 0xffff;
	payload_check_equal("a queue that is not there has size 0",
			    common->queue_size, 0);
	common->queue_select = 0;
	CHECK("queue 0 has a size", common->queue_size >= 16);
	common->device_status = 0;
	payload_check_equal("status after reset", common->device_status, 0);
}

static void check_capabilities(void)
{
	unsigned types = 0, common_bar = 0;
	uint32_t common_offset = 0;
	uint64_t base, moved, size;

	CHECK("a capability list",
	      port_read(nic, PCI_COMMAND) >> 16 & PCI_STATUS_CAP_LIST);
	for (unsigned cap = config_read8(PCI_CAPABILITY_LIST), n = 0;
	     cap && n < 48; cap = config_read8(cap + 1), n++) {
		unsigned type;

		if (config_read8(cap) == PCI_CAP_ID_MSIX)
			types |= 1u << 31;
		if (config_read8(cap) != PCI_CAP_ID_VNDR)
			continue;
		type = config_read8(cap + VIRTIO_PCI_CAP_CFG_TYPE);
		types |= 1u << type;
		if (type == VIRTIO_PCI_CAP_COMMON_CFG) {
			common_bar = config_read8(cap + VIRTIO_PCI_CAP_BAR);
			common_offset =
				ecam_read32(nic, cap + VIRTIO_PCI_CAP_OFFSET);
		}
	}
	CHECK("MSI-X", types & 1u << 31);
	CHECK("common, notify, ISR and device configuration",
	      (types & 0x1e) == 0x1e);
	if (!(types & 1u << VIRTIO_PCI_CAP_COMMON_CFG))
		return;

	size = bar_size(common_bar);
	CHECK("the BAR's size is a power of two",
	      size >= 4096 && !(size & (size - 1)));
	base = bar_base(common_bar);
	CHECK("the BAR is aligned and set", base && !(base & (size - 1)));
	port_write(nic, PCI_COMMAND,
		   PCI_COMMAND_MEMORY | PCI_COMMAND_IO | PCI_COMMAND_MASTER);
	check_virtio((void *)(base + common_offset));

	/* Elsewhere it decodes there, and no longer here. */
	moved = base + size;
	bar_write(common_bar, moved);
	payload_check_equal("the BAR moved", bar_base(common_bar), moved);
	CHECK("it answers at its new place",
	      *(volatile uint16_t *)(moved + common_offset +
				     VIRTIO_PCI_COMMON_NUMQ) >= 2);
	bar_write(common_bar, base);
	port_write(nic, PCI_COMMAND, PCI_COMMAND_MASTER);
	payload_check_equal("with decoding off nobody answers",
			    *(volatile uint32_t *)(base + common_offset),
			    0xffffffff);
	port_write(nic, PCI_COMMAND,
		   PCI_COMMAND_MEMORY | PCI_COMMAND_IO | PCI_COMMAND_MASTER);
}

void payload_main(void)
{
	check_acpi();
	check_config();
	check_capabilities();
	CHECK("a hole in memory reads as all ones",
	      *(volatile uint32_t *)(uintptr_t)0xd8000000 == 0xffffffff);
}
