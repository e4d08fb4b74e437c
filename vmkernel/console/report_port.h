/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The report's pure part: a port's ledger as JSON and as a line of text. */
#ifndef VMKERNEL_CONSOLE_REPORT_PORT_H
#define VMKERNEL_CONSOLE_REPORT_PORT_H

#include "lib/json.h"
#include "vswitch/port.h"

/* An element of "ports" (sluice/control.h). At most REPORT_PORT_MAX bytes. */
#define REPORT_PORT_MAX 2048
void report_port(struct json *json, const struct port *port,
		 const char *switch_name);
/* For people: what came, went and was dropped; cut to size bytes. */
void report_port_text(char *buf, size_t size, const struct port *port);

#endif
