/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Fuzzes the PC's interrupt controllers and timer: any register program. */
#include <stdint.h>
#include <stdlib.h>

#include "plat/linux/linux.h"
#include "vmm/dev/pic.h"
#include "vmm/dev/pit.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct pic pic;
static struct pit pit;
static uint64_t now;

void pic_raised(struct pic *p)
{
	if (!pic_pending(p))
		abort();
}

void pit_interrupt(struct pit *p)
{
	pic_set_line(&pic, 0, false);
	pic_set_line(&pic, 0, true);
}

/* Vectors lie where ICW2 has put them, and what is in service is masked out
 * of the requests unless the guest wants otherwise. */
static void acknowledge(void)
{
	uint8_t vector = pic_acknowledge(&pic);

	if ((vector & 0xf8) != pic.chips[0].vector &&
	    (vector & 0xf8) != pic.chips[1].vector)
		abort();
}

static void check(void)
{
	for (unsigned i = 0; i < 2; i++)
		if (pic.chips[i].first > 7 || pic.chips[i].step > 4)
			abort();
	for (unsigned i = 0; i < 3; i++)
		if (pit.counters[i].count < 1 || pit.counters[i].count > 65536)
			abort();
	/* Bounded work: never more than one interrupt in so much time. */
	if (pit.next_ns && pit.next_ns < now)
		abort();
}

/* Four bytes an action: what, and a value. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint16_t pic_ports[] = {0x20, 0x21,  0xa0,
					     0xa1, 0x4d0, 0x4d1};

	now = 1000000000;
	plat_linux_set_time(now);
	pic_init(&pic);
	pit_init(&pit);
	for (; size >= 4; data += 4, size -= 4) {
		uint16_t port = pic_ports[data[1] % 6];
		uint16_t pit_port =
			data[1] & 7 ? PIT_PORT + (data[1] & 3) : PIT_PORT_B;

		switch (data[0] % 8) {
		case 0:
			pic_write(&pic, port, data[2]);
			break;
		case 1:
			pic_read(&pic, port);
			break;
		case 2:
			pic_set_line(&pic, data[1], data[2] & 1);
			break;
		case 3:
			acknowledge();
			break;
		case 4:
			pit_write(&pit, pit_port, data[2]);
			break;
		case 5:
			pit_read(&pit, pit_port);
			break;
		default: /* up to 16 s; runs at most what is due */
			now += (uint64_t)(data[2] | data[3] << 8) << 18;
			plat_linux_set_time(now);
			if (plat_linux_run_timers() > 2)
				abort();
			break;
		}
		check();
	}
	pic_reset(&pic);
	pit_reset(&pit);
	if (pic_pending(&pic) || plat_linux_next_timer() != UINT64_MAX)
		abort();
	return 0;
}
