/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Fuzzes the switch and its uplink: any frames at any ports, and the ledger. */
#include <stdint.h>
#include <stdlib.h>

#include "tests/unit/lib/gso_packet.h"
#include "tests/unit/vswitch/fake_nic.h"
#include "tests/unit/vswitch/fake_port.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define VMS 5

/*
 * The input is a program. Each step is an operation and its operand; a batch's
 * frames take their bytes from what follows, and when that has run out, zeroes.
 */
struct fuzz {
	const uint8_t *data;
	size_t size;
	uint64_t now_ns;
	struct vswitch *sw;
	struct uplink *up;
	struct fake_nic nic;
	struct fake_port vms[VMS];
};

static struct fuzz fuzz;

static uint8_t fuzz_byte(void)
{
	if (!fuzz.size)
		return 0;
	fuzz.size--;
	return *fuzz.data++;
}

static uint16_t fuzz_word(void)
{
	uint8_t low = fuzz_byte();

	return (uint16_t)(fuzz_byte() << 8 | low);
}

/* One byte makes an address that means something; or six make any. */
static void fuzz_mac(uint8_t *mac)
{
	uint8_t what = fuzz_byte();

	if (what < 0xf0) {
		fake_mac(mac, what);
		return;
	}
	for (unsigned i = 0; i < ETH_ADDR_LEN; i++)
		mac[i] = what == 0xff ? 0xff : fuzz_byte();
}

static void fuzz_create(void)
{
	fake_nic_init(&fuzz.nic, 1 + fuzz_byte() % 80);
	fuzz.nic.dev.caps = fuzz_byte() & (NETDEV_CSUM | NETDEV_TSO);
	if (!(fuzz.nic.dev.caps & NETDEV_CSUM))
		fuzz.nic.dev.caps = 0;
	fuzz.now_ns = 1;
	plat_linux_set_time(fuzz.now_ns);
	fuzz.sw = vswitch_create("fuzz");
	fuzz.up = fuzz.nic.uplink = uplink_create(&fuzz.nic.dev, "up0");
	ASSERT(uplink_attach(fuzz.up, fuzz.sw) == 0);
	for (unsigned i = 0; i < VMS; i++) {
		struct fake_port *vm = &fuzz.vms[i];
		uint8_t policy = fuzz_byte();

		fake_init(vm, "vm", i + 1);
		vm->port.promiscuous = (policy & 7) == 7;
		vm->drop_every = policy >> 6;
		vm->port.mac_count = 1 + (policy >> 4 & 3);
		for (unsigned j = 1; j < vm->port.mac_count; j++)
			fuzz_mac(vm->port.macs[j]);
		vm->attached = vswitch_attach(fuzz.sw, &vm->port) == 0;
	}
	ASSERT(uplink_start(fuzz.up) == 0);
}

static void fuzz_destroy(void)
{
	struct port *port;

	uplink_stop(fuzz.up);
	plat_linux_run_work();
	ASSERT(fuzz.up->port.egress.in_flight == 0);
	while ((port = vswitch_port(fuzz.sw, 0)) != NULL)
		vswitch_detach(port);
	for (unsigned i = 0; i < VMS; i++) {
		ASSERT(fake_free(&fuzz.vms[i]) == FAKE_FRAMES);
		ASSERT(fuzz.vms[i].completions ==
		       fuzz.vms[i].port.ingress.frames);
	}
	uplink_destroy(fuzz.up);
	vswitch_destroy(fuzz.sw);
	ASSERT(plat_linux_allocated() == 0);
}

/* A GSO frame as a good guest makes it. */
static void fuzz_gso(struct frame *f)
{
	static struct gso_packet p;
	uint32_t head_len;
	uint8_t shape = fuzz_byte();

	p = (struct gso_packet){
		.v6 = shape & 1,
		.udp = shape & 2,
		.tags = shape >> 2 & 1,
		.tcp_flags = shape,
		.payload = 1 + fuzz_word() % 20000,
		.gso_size = (uint16_t)(fuzz_byte() * 6),
	};
	packet_build(&p, f->head, f->head + ETH_ADDR_LEN);
	head_len = 60u + fuzz_byte() % 100;
	packet_frame(&p, f, f->head, MIN(p.len, head_len),
		     1 + (shape >> 3) % 19);
}

/* What a virtual NIC promises: the head is readable as far as head_len says,
 * and so are the segments. All else is the guest's say. */
static void fuzz_frame(struct fake_port *vm, struct frame *f)
{
	static uint8_t payload[4096];
	uint8_t shape = fuzz_byte();

	fuzz_mac(f->head);
	if (shape & 1)
		fuzz_mac(f->head + ETH_ADDR_LEN);
	if (shape & 32) {
		fuzz_gso(f);
		return;
	}
	if (shape & 2)
		f->head_len = fuzz_byte();
	if (shape & 4) {
		f->flags = FRAME_CSUM_PARTIAL;
		f->csum_start = fuzz_word();
		f->csum_offset = fuzz_word();
	}
	if (shape & 8) {
		f->gso_type = fuzz_byte();
		f->gso_size = fuzz_word();
	}
	f->len = f->head_len;
	if (shape & 16) {
		f->seg_count = 1 + fuzz_byte() % FRAME_SEGS_MAX;
		for (unsigned i = 0; i < f->seg_count; i++) {
			f->segs[i].base = payload + fuzz_byte();
			f->segs[i].len = 1 + fuzz_byte();
			f->len += f->segs[i].len;
		}
	}
}

static void fuzz_send(struct fake_port *vm, uint8_t count)
{
	struct frame *batch[FRAME_BATCH_MAX];
	unsigned n = 0;

	for (; n < 1u + count % FRAME_BATCH_MAX; n++) {
		batch[n] = fake_frame(vm, vm->port.macs[0], vm->port.macs[0]);
		if (!batch[n])
			break;
		fuzz_frame(vm, batch[n]);
	}
	if (n)
		vswitch_input(&vm->port, batch, n);
}

static void fuzz_receive(uint8_t count)
{
	/* Few, or more than one interrupt's budget. */
	unsigned frames = count & 0x80 ? 600 : count % 32;
	uint8_t to[ETH_ADDR_LEN], from[ETH_ADDR_LEN];

	for (unsigned i = 0; i < frames; i++) {
		fuzz_mac(to);
		fuzz_mac(from);
		fake_nic_receive(&fuzz.nic, to, from);
	}
	uplink_interrupt(fuzz.up, NETDEV_VECTOR_RX);
	plat_linux_run_work();
}

static void fuzz_plug(struct fake_port *vm)
{
	if (vm->attached) {
		/* As a VM that ends: it waits for its frames. */
		fake_nic_finish(&fuzz.nic, FAKE_RING_MAX);
		while (uplink_reap(fuzz.up))
			fake_nic_finish(&fuzz.nic, FAKE_RING_MAX);
		if (fake_free(vm) != FAKE_FRAMES)
			return;
		vswitch_detach(&vm->port);
		vm->attached = false;
	} else {
		vm->attached = vswitch_attach(fuzz.sw, &vm->port) == 0;
	}
	vm->detached_for_good = !vm->attached;
	uplink_update_filter(fuzz.up);
}

static void fuzz_step(uint8_t op, uint8_t operand)
{
	struct fake_port *vm = &fuzz.vms[op / 8 % VMS];

	switch (op % 8) {
	case 0:
		fuzz.nic.link.up = operand & 1;
		uplink_interrupt(fuzz.up, NETDEV_VECTOR_OTHER);
		break;
	case 1:
		fuzz_receive(operand);
		break;
	case 2:
		fake_nic_finish(&fuzz.nic, operand);
		if (operand & 1)
			uplink_interrupt(fuzz.up, NETDEV_VECTOR_TX);
		break;
	case 3:
		fuzz_plug(vm);
		break;
	case 4:
		uplink_stop(fuzz.up);
		ASSERT(uplink_start(fuzz.up) == 0);
		break;
	case 5:
		fuzz.now_ns += (uint64_t)operand << 30;
		plat_linux_set_time(fuzz.now_ns);
		break;
	default:
		if (vm->attached)
			fuzz_send(vm, operand);
	}
}

static void no_log(enum log_level level, const char *area, const char *line)
{
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct port *all[VMS + 1];

	plat_linux_log_hook = no_log;
	fuzz.data = data;
	fuzz.size = size;
	fuzz_create();
	all[VMS] = &fuzz.up->port;
	for (unsigned i = 0; i < VMS; i++)
		all[i] = &fuzz.vms[i].port;
	while (fuzz.size) {
		uint8_t op = fuzz_byte();

		fuzz_step(op, fuzz_byte());
		ASSERT(fake_ledgers_ok(fuzz.sw, all, VMS + 1));
	}
	fuzz_destroy();
	return 0;
}
