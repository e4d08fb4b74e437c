/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The report: what the machine has done since it started. */
#ifndef VMKERNEL_CONSOLE_REPORT_H
#define VMKERNEL_CONSOLE_REPORT_H

/* Writes one line of JSON (include/sluice/control.h) to the control port, and a
 * summary to the log. Any CPU, no lock held; a call while another CPU is at it
 * does nothing. */
void report_write(void);

#endif
