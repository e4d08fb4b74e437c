/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The report: what the machine has done since it started. */
#include "vmkernel/console/report.h"

#include "lib/fmt.h"
#include "plat/plat.h"
#include "sluice/control.h"
#include "vmkernel/boot/network.h"
#include "vmkernel/console/report_port.h"
#include "vmkernel/console/report_vm.h"
#include "vmkernel/console/serial.h"
#include "vmkernel/mm/mm.h"
#include "vmm/vm.h"
#include "vswitch/uplink.h"

/* Written out after each element, and no element comes near it. */
#define REPORT_BUFFER 4096
_Static_assert(REPORT_BUFFER > REPORT_PORT_MAX, "an element must fit");
#define REPORT_LINE 200

static char report_buffer[REPORT_BUFFER];
static _Atomic bool report_busy;

static void report_flush(struct json *json)
{
	size_t length;
	const char *text = json_take(json, &length);

	serial_write_control(text, length);
}

static void report_ports(struct json *json)
{
	uint64_t copies = 0;

	json_array(json, "ports");
	for (unsigned i = 0; i < network_count(); i++) {
		const struct vswitch *sw = network_uplink(i)->port.vswitch;
		const struct port *port;

		for (unsigned k = 0; sw && (port = vswitch_port(sw, k)); k++) {
			report_port(json, port, vswitch_name(sw));
			report_flush(json);
		}
		copies += sw ? vswitch_copies(sw) : 0;
	}
	json_end(json);
	json_u64(json, "copies", copies);
}

static void report_switches(struct json *json)
{
	json_array(json, "switches");
	for (unsigned i = 0; i < network_count(); i++) {
		struct vswitch *sw = network_uplink(i)->port.vswitch;
		struct vswitch_table table;

		if (!sw)
			continue;
		vswitch_table(sw, &table);
		report_switch(json, vswitch_name(sw), &table);
		report_flush(json);
	}
	json_end(json);
}

static void report_vms(struct json *json)
{
	json_array(json, "vms");
	for (unsigned i = 0; i < vm_count(); i++) {
		report_vm(json, vm_at(i));
		report_flush(json);
	}
	json_end(json);
}

static void report_nic(struct json *json, struct uplink *uplink)
{
	static const char *const vectors[NETDEV_VECTORS_MAX] = {
		[NETDEV_VECTOR_RX] = "rx",
		[NETDEV_VECTOR_TX] = "tx",
		[NETDEV_VECTOR_OTHER] = "other",
	};
	const struct netdev *dev = uplink->dev;
	const struct netdev_stats *stats = &dev->stats;
	const uint8_t *mac = dev->mac;
	struct netdev_link link;
	char text[24];

	fmt_snprintf(text, sizeof(text), "%02x:%02x:%02x:%02x:%02x:%02x",
		     mac[0], mac[1], mac[2], mac[3], mac[4], mac[5]);
	uplink_link(uplink, &link);
	json_object(json, NULL);
	json_string(json, "name", uplink->port.name);
	json_string(json, "driver", dev->ops->name);
	json_string(json, "mac", text);
	json_u64(json, "link_mbps", link.up ? link.mbps : 0);
	json_object(json, "interrupts");
	for (unsigned v = 0; v < NETDEV_VECTORS_MAX; v++)
		json_u64(json, vectors[v], READ_ONCE(stats->interrupts[v]));
	json_end(json);
	json_u64(json, "rx_errors", READ_ONCE(stats->rx_errors));
	json_u64(json, "rx_missed", READ_ONCE(stats->rx_missed));
	json_u64(json, "rx_runts", READ_ONCE(stats->rx_runts));
	json_u64(json, "rx_giants", READ_ONCE(stats->rx_giants));
	json_u64(json, "tx_tail_writes", READ_ONCE(stats->tx_tail_writes));
	json_u64(json, "device_nonsense", READ_ONCE(stats->device_nonsense));
	json_end(json);
}

static void report_memory(struct json *json, const struct mm_stats *mm)
{
	json_object(json, "memory");
	json_u64(json, "total_bytes", mm->total_bytes);
	json_u64(json, "kernel_bytes", mm->kernel_bytes);
	json_u64(json, "guest_bytes", mm->guest_bytes);
	json_u64(json, "boot_bytes", mm->boot_bytes);
	json_u64(json, "free_bytes", mm->free_bytes);
	json_end(json);
}

static void report_control(const struct mm_stats *mm)
{
	struct json json;

	json_init(&json, report_buffer, sizeof(report_buffer));
	json_object(&json, NULL);
	json_u64(&json, "version", SLUICE_CONTROL_VERSION);
	json_string(&json, "type", "report");
	json_u64(&json, "uptime_ns", plat_now_ns());
	report_ports(&json);
	report_switches(&json);
	report_flush(&json);
	report_vms(&json);
	json_array(&json, "nics");
	for (unsigned i = 0; i < network_count(); i++) {
		report_nic(&json, network_uplink(i));
		report_flush(&json);
	}
	json_end(&json);
	report_memory(&json, mm);
	json_end(&json);
	report_flush(&json);
	serial_write_control("\n", 1);
	if (json.cut)
		log_error("report", "an element did not fit its buffer");
}

static void report_summary(const struct mm_stats *mm)
{
	char line[REPORT_LINE];

	for (unsigned i = 0; i < network_count(); i++) {
		const struct vswitch *sw = network_uplink(i)->port.vswitch;
		const struct port *port;

		for (unsigned k = 0; sw && (port = vswitch_port(sw, k)); k++) {
			report_port_text(line, sizeof(line), port);
			log_info("report", "%s", line);
		}
	}
	for (unsigned i = 0; i < vm_count(); i++) {
		const struct vm *vm = vm_at(i);
		uint64_t exits = 0;

		for (unsigned r = 0; r < EXIT_REASON_COUNT; r++)
			exits += vm_exit_count(vm, (enum exit_reason)r);
		log_info("report", "%s: %s, %lu exits, %lu interrupts",
			 vm_name(vm), vm_state_name(vm), exits,
			 vm_interrupts(vm));
	}
	log_info("report",
		 "memory: %lu KiB VMkernel, %lu MiB VMs, %lu MiB free",
		 mm->kernel_bytes >> 10, mm->guest_bytes >> 20,
		 mm->free_bytes >> 20);
}

void report_write(void)
{
	struct mm_stats mm;

	if (__atomic_exchange_n((bool *)&report_busy, true, __ATOMIC_ACQUIRE))
		return;
	mm_stats(&mm);
	if (serial_has_control())
		report_control(&mm);
	report_summary(&mm);
	__atomic_store_n((bool *)&report_busy, false, __ATOMIC_RELEASE);
}
