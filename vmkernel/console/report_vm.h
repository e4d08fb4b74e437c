/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One virtual machine's part of the report. */
#ifndef VMKERNEL_CONSOLE_REPORT_VM_H
#define VMKERNEL_CONSOLE_REPORT_VM_H

#include "lib/json.h"

struct vm;

/* The VM's element of "vms" (include/sluice/control.h). */
void report_vm(struct json *json, struct vm *vm);

#endif
