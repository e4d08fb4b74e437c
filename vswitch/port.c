/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What all ports share: names of drops, and the way back of frames. */
#include "vswitch/port.h"

const char *const port_drop_names[PORT_DROP_COUNT] = {
	[DROP_RUNT] = "runt",
	[DROP_GIANT] = "giant",
	[DROP_BAD_SOURCE] = "bad_source",
	[DROP_SPOOFED] = "spoofed",
	[DROP_BAD_OFFLOAD] = "bad_offload",
	[DROP_BAD_CHAIN] = "bad_chain",
	[DROP_RESERVED] = "reserved",
	[DROP_NO_PORT] = "no_port",
	[DROP_HAIRPIN] = "hairpin",
	[DROP_DOWN] = "down",
	[DROP_NO_BUFFER] = "no_buffer",
	[DROP_TOO_BIG] = "too_big",
	[DROP_BAD_BUFFER] = "bad_buffer",
	[DROP_FILTERED] = "filtered",
	[DROP_DEVICE_ERROR] = "device_error",
};

void port_return(struct frame *const *frames, unsigned count)
{
	unsigned first = 0;

	while (first < count) {
		struct port *source = frames[first]->source;
		unsigned end = first + 1;

		/* Read before complete(): after it, the frames are gone. */
		while (end < count && frames[end]->source == source)
			end++;
		source->ops->complete(source, frames + first, end - first);
		first = end;
	}
}
