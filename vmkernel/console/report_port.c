/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The report's pure part: a switch, and a port's ledger as JSON and as text. */
#include "vmkernel/console/report_port.h"

#include "lib/fmt.h"

/* Counters change while we look: each is read once, and the sums are right at
 * a quiescent point. */
static void report_drops(struct json *json, const uint64_t *drops)
{
	json_object(json, "drops");
	for (unsigned i = 0; i < PORT_DROP_COUNT; i++) {
		uint64_t count = READ_ONCE(drops[i]);

		if (count)
			json_u64(json, port_drop_names[i], count);
	}
	json_end(json);
}

void report_port(struct json *json, const struct port *port,
		 const char *switch_name)
{
	const struct port_ingress *in = &port->ingress;
	const struct port_egress *out = &port->egress;

	json_object(json, NULL);
	json_string(json, "name", port->name);
	json_string(json, "switch", switch_name);
	json_object(json, "ingress");
	json_u64(json, "frames", READ_ONCE(in->frames));
	json_u64(json, "bytes", READ_ONCE(in->bytes));
	json_u64(json, "forwarded", READ_ONCE(in->forwarded));
	json_u64(json, "flooded", READ_ONCE(in->flooded));
	report_drops(json, in->drops);
	json_end(json);
	json_object(json, "egress");
	json_u64(json, "frames", READ_ONCE(out->frames));
	json_u64(json, "bytes", READ_ONCE(out->bytes));
	json_u64(json, "segments_created", READ_ONCE(out->segments_created));
	json_u64(json, "merged", READ_ONCE(out->merged));
	json_u64(json, "delivered", READ_ONCE(out->delivered));
	json_u64(json, "in_flight", READ_ONCE(out->in_flight));
	report_drops(json, out->drops);
	json_end(json);
	json_end(json);
}

void report_switch(struct json *json, const char *name,
		   const struct vswitch_table *table)
{
	json_object(json, NULL);
	json_string(json, "name", name);
	json_object(json, "mac_table");
	json_u64(json, "entries", table->entries);
	json_u64(json, "capacity", table->capacity);
	json_u64(json, "learned", table->learned);
	json_u64(json, "moved", table->moved);
	json_u64(json, "evicted", table->evicted);
	json_end(json);
	json_end(json);
}

void report_port_text(char *buf, size_t size, const struct port *port)
{
	size_t used = (size_t)fmt_snprintf(
		buf, size, "%s: in %lu frames, %lu bytes; out %lu, %lu",
		port->name, port->ingress.frames, port->ingress.bytes,
		port->egress.frames, port->egress.bytes);
	const char *before = "; dropped ";

	for (unsigned i = 0; i < PORT_DROP_COUNT && used < size; i++) {
		uint64_t count = port->ingress.drops[i] + port->egress.drops[i];

		if (!count)
			continue;
		used += (size_t)fmt_snprintf(buf + used, size - used,
					     "%s%s %lu", before,
					     port_drop_names[i], count);
		before = ", ";
	}
}
