/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The report's pure part: a switch, and a port's ledger as JSON and as text. */
#ifndef VMKERNEL_CONSOLE_REPORT_PORT_H
#define VMKERNEL_CONSOLE_REPORT_PORT_H

#include "lib/json.h"
#include "vswitch/vswitch.h"

/* An element of "ports" (sluice/control.h). At most REPORT_PORT_MAX bytes. */
#define REPORT_PORT_MAX 2048
void report_port(struct json *json, const struct port *port,
		 const char *switch_name);
/* An element of "switches"; no longer than a port's. */
void report_switch(struct json *json, const char *name,
		   const struct vswitch_table *table);
/* For people: what came, went and was dropped; cut to size bytes. */
void report_port_text(char *buf, size_t size, const struct port *port);

#endif
