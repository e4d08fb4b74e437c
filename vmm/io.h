/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What answers at a guest's I/O ports and at addresses that are not RAM. */
#ifndef VMM_IO_H
#define VMM_IO_H

#include "vmm/vm.h"

/* size is 1, 2 or 4. Nobody there: all ones, writes are lost (counted). */
uint32_t io_port_read(struct vcpu *vcpu, uint16_t port, unsigned size);
void io_port_write(struct vcpu *vcpu, uint16_t port, unsigned size,
		   uint32_t value);
/* size is 1, 2, 4 or 8. */
uint64_t io_memory_read(struct vcpu *vcpu, gpa_t gpa, unsigned size);
void io_memory_write(struct vcpu *vcpu, gpa_t gpa, unsigned size,
		     uint64_t value);

#endif
