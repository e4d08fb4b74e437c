/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A guest that writes nonsense into its virtio rings. */
#include "tests/guest/hostile_ring/hostile_ring.h"

#include "tests/guest/lib/x86.h"

/* Some seconds of any TSC there is. */
#define WAIT_CYCLES 12000000000ull

bool ring_broken(void)
{
	uint64_t start = x86_rdtsc();

	while (!net_needs_reset()) {
		if (x86_rdtsc() - start > WAIT_CYCLES)
			return false;
		x86_pause();
	}
	return true;
}

void payload_main(void)
{
	hostile_begin();
	CHECK("the card is there", net_find());
	hostile_prove("nothing yet");
	ring_abuse_transmit();
	ring_abuse_receive();
	ring_abuse_control();
	ring_abuse_areas();
	ring_abuse_registers();
	hostile_end();
}
