/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vswitch/vswitch_input.c: who gets what, and a ledger that adds up. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>
#include "tests/unit/lib/gso_packet.h"
#include "tests/unit/vswitch/fake_port.h"
#include "vswitch/mactable.h"

/* The standard set: an uplink and three virtual NICs with hosts 1 to 3. */
enum {
	UP,
	A,
	B,
	C,
	PORTS
};

#define STRANGER 99 /* a host that nobody has */
#define SECOND	 1000000000ull

static const uint8_t broadcast[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
static const uint8_t multicast[6] = {0x01, 0x00, 0x5e, 0x00, 0x00, 0x12};

static struct vswitch *sw;
static struct fake_port ports[PORTS];
static unsigned warnings;
static char warning[256];

static void keep_warning(enum log_level level, const char *area,
			 const char *line)
{
	if (level != LOG_WARN)
		return;
	warnings++;
	strncpy(warning, line, sizeof(warning) - 1);
}

static int setup(void **state)
{
	warnings = 0;
	plat_linux_set_time(1);
	plat_linux_log_hook = keep_warning;
	sw = vswitch_create("net");
	fake_init_uplink(&ports[UP], "up0");
	fake_init(&ports[A], "a/0", A);
	fake_init(&ports[B], "b/0", B);
	fake_init(&ports[C], "c/0", C);
	return 0;
}

static void attach(void)
{
	for (unsigned i = 0; i < PORTS; i++) {
		assert_int_equal(vswitch_attach(sw, &ports[i].port), 0);
		ports[i].attached = true;
	}
}

static int teardown(void **state)
{
	struct port *all[PORTS], *port;
	bool ok;

	fake_release(&ports[UP]);
	for (unsigned i = 0; i < PORTS; i++)
		all[i] = &ports[i].port;
	ok = fake_ledgers_ok(sw, all, PORTS);
	for (unsigned i = 0; i < PORTS; i++)
		if (fake_free(&ports[i]) != FAKE_FRAMES)
			ok = false;
	while ((port = vswitch_port(sw, 0)) != NULL)
		vswitch_detach(port);
	vswitch_destroy(sw);
	plat_linux_set_time(0);
	plat_linux_log_hook = NULL;
	return !ok;
}

static uint8_t *mac(unsigned host)
{
	static uint8_t macs[8][ETH_ADDR_LEN];
	static unsigned next;
	uint8_t *m = macs[next++ % 8];

	fake_mac(m, host);
	return m;
}

static void send_frame(unsigned from, const uint8_t *to, const uint8_t *source)
{
	struct frame *f = fake_frame(&ports[from], to, source);

	vswitch_input(&ports[from].port, &f, 1);
}

/* From host to host; `from` is a port. */
static void send_to(unsigned from, unsigned host, unsigned source)
{
	send_frame(from, mac(host), mac(source));
}

/* How many frames each port got since the last call: "up a b c". */
static void assert_got(unsigned up, unsigned a, unsigned b, unsigned c)
{
	assert_int_equal(ports[UP].got_count, up);
	assert_int_equal(ports[A].got_count, a);
	assert_int_equal(ports[B].got_count, b);
	assert_int_equal(ports[C].got_count, c);
	for (unsigned i = 0; i < PORTS; i++)
		ports[i].got_count = 0;
}

static uint64_t *drops(unsigned port)
{
	return ports[port].port.ingress.drops;
}

static void vm_to_vm(void **state)
{
	attach();
	send_to(A, B, A); /* B's address is known before it says a word */
	assert_got(0, 0, 1, 0);
	assert_int_equal(ports[A].port.ingress.forwarded, 1);
	assert_int_equal(ports[A].port.ingress.flooded, 0);
	assert_int_equal(ports[A].port.ingress.bytes, 60);
	assert_int_equal(ports[B].port.egress.bytes, 60);
	assert_int_equal(vswitch_copies(sw), 0);
	assert_int_equal(ports[A].completions, 1);
}

static void to_the_wire_and_back(void **state)
{
	attach();
	send_to(A, STRANGER, A);
	assert_got(1, 0, 0, 0); /* unknown: the uplink only */
	assert_int_equal(ports[A].port.ingress.flooded, 1);
	assert_int_equal(vswitch_copies(sw), 1);
	assert_int_equal(ports[A].completions, 0); /* held */
	assert_int_equal(fake_free(&ports[A]), FAKE_FRAMES - 1);
	fake_release(&ports[UP]);
	assert_int_equal(ports[A].completions, 1);

	send_to(UP, A, STRANGER);
	assert_got(0, 1, 0, 0);
	send_to(A, STRANGER, A); /* learned by now */
	assert_got(1, 0, 0, 0);
	assert_int_equal(ports[A].port.ingress.forwarded, 1);
	assert_int_equal(vswitch_copies(sw), 1);
}

static void floods(void **state)
{
	attach();
	send_frame(A, broadcast, mac(A));
	assert_got(1, 0, 1, 1);
	assert_int_equal(vswitch_copies(sw), 3);
	send_frame(UP, multicast, mac(STRANGER));
	assert_got(0, 1, 1, 1);
	assert_int_equal(vswitch_copies(sw), 6);
	assert_int_equal(ports[A].port.ingress.flooded, 1);
	assert_int_equal(ports[UP].port.ingress.flooded, 1);
	assert_int_equal(ports[A].port.ingress.forwarded, 0);
}

static void nobody_there(void **state)
{
	assert_int_equal(vswitch_attach(sw, &ports[A].port), 0);
	send_frame(A, broadcast, mac(A));
	send_to(A, STRANGER, A);
	assert_int_equal(drops(A)[DROP_NO_PORT], 2);
	assert_int_equal(vswitch_attach(sw, &ports[B].port), 0);
	/* Another VM does not see other people's frames. */
	send_to(A, STRANGER, A);
	assert_int_equal(drops(A)[DROP_NO_PORT], 3);
	send_frame(A, broadcast, mac(A));
	assert_got(0, 0, 1, 0);
}

/* The wire's chatter between others stays on the wire. */
static void unknown_from_the_wire(void **state)
{
	attach();
	send_to(UP, STRANGER, STRANGER + 1);
	assert_got(0, 0, 0, 0);
	assert_int_equal(drops(UP)[DROP_NO_PORT], 1);
	send_to(UP, STRANGER + 1, STRANGER); /* both are out there */
	assert_int_equal(drops(UP)[DROP_HAIRPIN], 1);
	send_to(A, A, A);
	assert_int_equal(drops(A)[DROP_HAIRPIN], 1);
	assert_got(0, 0, 0, 0);
}

/* TCP over IPv6, from A to B. */
static struct frame *send_gso(uint32_t payload, uint16_t gso_size)
{
	static struct gso_packet packet;
	struct frame *f = fake_frame(&ports[A], mac(B), mac(A));

	packet = (struct gso_packet){
		.v6 = true, .payload = payload, .gso_size = gso_size};
	packet_build(&packet, f->head, f->head + 6);
	packet_frame(&packet, f, f->head, 128, 3);
	vswitch_input(&ports[A].port, &f, 1);
	return f;
}

static void malformed(void **state)
{
	static const uint8_t zero[6];
	struct frame *f;

	attach();
	f = fake_frame(&ports[A], broadcast, mac(A));
	f->len = f->head_len = ETH_HEADER_LEN - 1;
	vswitch_input(&ports[A].port, &f, 1);
	f = fake_frame(&ports[A], broadcast, mac(A));
	f->head_len = ETH_HEADER_LEN - 1;
	vswitch_input(&ports[A].port, &f, 1);
	assert_int_equal(drops(A)[DROP_RUNT], 2);

	f = fake_frame(&ports[A], broadcast, mac(A));
	f->len = 1519;
	vswitch_input(&ports[A].port, &f, 1);
	f = fake_frame(&ports[A], broadcast, mac(A));
	f->len = 65535 + 100;
	f->gso_type = FRAME_GSO_TCPV4;
	f->gso_size = 1448;
	vswitch_input(&ports[A].port, &f, 1);
	assert_int_equal(drops(A)[DROP_GIANT], 2);
	assert_got(0, 0, 0, 0);

	/* The shortest and the longest there may be */
	f = fake_frame(&ports[A], mac(B), mac(A));
	f->len = f->head_len = ETH_HEADER_LEN;
	vswitch_input(&ports[A].port, &f, 1);
	f = fake_frame(&ports[A], mac(B), mac(A));
	f->len = 1518;
	vswitch_input(&ports[A].port, &f, 1);
	send_gso(65515, 1428);
	assert_got(0, 0, 3, 0);

	send_frame(A, broadcast, zero);
	send_frame(A, broadcast, broadcast);
	send_frame(UP, broadcast, multicast);
	assert_int_equal(drops(A)[DROP_BAD_SOURCE], 2);
	assert_int_equal(drops(UP)[DROP_BAD_SOURCE], 1);
	assert_got(0, 0, 0, 0);
}

static void offloads(void **state)
{
	static const struct {
		uint16_t start, offset;
		bool ok;
	} cases[] = {
		{34, 6, true},		 {40, 0, true},
		{41, 0, false},		 {34, 7, false},
		{14, 26, true},		 {13, 6, false},
		{0xffff, 0xffff, false}, {34, 0xffff, false},
		{0xffdc, 6, false},
	};
	struct frame *f;
	unsigned bad = 0;

	attach();
	for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
		f = fake_frame(&ports[A], mac(B), mac(A));
		f->flags = FRAME_CSUM_PARTIAL;
		f->csum_start = cases[i].start;
		f->csum_offset = cases[i].offset;
		vswitch_input(&ports[A].port, &f, 1);
		bad += !cases[i].ok;
		assert_int_equal(drops(A)[DROP_BAD_OFFLOAD], bad);
	}
	f = fake_frame(&ports[A], mac(B), mac(A));
	f->gso_type = FRAME_GSO_TCPV4; /* and no size */
	vswitch_input(&ports[A].port, &f, 1);
	f = fake_frame(&ports[A], mac(B), mac(A));
	f->gso_type = FRAME_GSO_UDP + 1;
	f->gso_size = 1000;
	vswitch_input(&ports[A].port, &f, 1);
	assert_int_equal(drops(A)[DROP_BAD_OFFLOAD], bad + 2);
	/* Without the flag the fields mean nothing. */
	f = fake_frame(&ports[A], mac(B), mac(A));
	f->csum_start = 0xffff;
	vswitch_input(&ports[A].port, &f, 1);
	assert_int_equal(drops(A)[DROP_BAD_OFFLOAD], bad + 2);
}

/* No longer on the wire than an ordinary frame may be. */
static void gso_sizes(void **state)
{
	const struct frame *f;

	attach();
	f = send_gso(10000, 1518 - 74);
	assert_int_equal(f->gso_type, FRAME_GSO_TCPV6);
	assert_int_equal(f->header_len, 74);
	f = send_gso(1518 - 74, 1518 - 74); /* a single segment */
	assert_int_equal(f->gso_type, FRAME_GSO_NONE);
	assert_got(0, 0, 2, 0);
	send_gso(10000, 1519 - 74);
	send_gso(1519 - 74, 1519 - 74);
	send_gso(60000, 65535);
	assert_int_equal(drops(A)[DROP_GIANT], 3);
	send_gso(2049, 1); /* too many */
	assert_int_equal(drops(A)[DROP_BAD_OFFLOAD], 1);
	assert_got(0, 0, 0, 0);
}

static void reserved_group(void **state)
{
	uint8_t to[6] = {0x01, 0x80, 0xc2, 0x00, 0x00, 0x00};

	attach();
	for (unsigned i = 0; i < 16; i++) {
		to[5] = (uint8_t)i;
		send_frame(A, to, mac(A));
		send_frame(UP, to, mac(STRANGER));
	}
	assert_int_equal(drops(A)[DROP_RESERVED], 16);
	assert_int_equal(drops(UP)[DROP_RESERVED], 16);
	assert_got(0, 0, 0, 0);
	to[5] = 0x10; /* the next one is ordinary */
	send_frame(A, to, mac(A));
	assert_got(1, 0, 1, 1);
	to[0] = 0x03;
	to[5] = 0x00;
	send_frame(A, to, mac(A));
	assert_got(1, 0, 1, 1);
}

static void spoofing(void **state)
{
	attach();
	send_to(A, B, STRANGER);
	assert_int_equal(drops(A)[DROP_SPOOFED], 1);
	assert_int_equal(warnings, 1);
	assert_non_null(strstr(warning, "a/0"));
	assert_non_null(strstr(warning, "promiscuous:"));
	assert_non_null(strstr(warning, "allow_macs:"));
	assert_non_null(strstr(warning, "52:54:00:00:00:63"));
	send_to(A, B, C); /* somebody else's */
	send_to(A, B, STRANGER);
	assert_int_equal(drops(A)[DROP_SPOOFED], 3);
	assert_int_equal(warnings, 1); /* once for each port */
	send_to(B, A, STRANGER);
	assert_int_equal(warnings, 2);
	assert_got(0, 0, 0, 0);
	/* Nothing was learned from it. */
	send_to(B, C, B);
	send_to(B, STRANGER, B);
	assert_got(1, 0, 0, 1);
}

/* A VM's own address that comes from the wire: a loop, or a forgery. */
static void spoofed_from_the_wire(void **state)
{
	attach();
	send_to(UP, B, A);
	assert_int_equal(drops(UP)[DROP_SPOOFED], 1);
	assert_got(0, 0, 0, 0);
	assert_int_equal(warnings, 0); /* no setting would help */
	send_to(B, A, B);
	assert_got(0, 1, 0, 0);
}

static void allowed_addresses(void **state)
{
	fake_mac(ports[A].port.macs[1], 50);
	fake_mac(ports[B].port.macs[1], 50); /* shared, as by VRRP */
	ports[A].port.mac_count = ports[B].port.mac_count = 2;
	attach();
	/* Not seen yet: those that list it, and the wire, get it. */
	send_to(C, 50, C);
	assert_got(1, 1, 1, 0);
	send_to(A, C, 50);
	assert_got(0, 0, 0, 1);
	send_to(C, 50, C);
	assert_got(0, 1, 0, 0);
	send_to(B, C, 50); /* the other takes over */
	assert_got(0, 0, 0, 1);
	send_to(C, 50, C);
	assert_got(0, 0, 1, 0);
	send_to(UP, C, 50); /* and now a router on the wire */
	assert_got(0, 0, 0, 1);
	send_to(C, 50, C);
	assert_got(1, 0, 0, 0);
	/* C may not. */
	send_to(C, A, 50);
	assert_int_equal(drops(C)[DROP_SPOOFED], 1);
	assert_int_equal(warnings, 1);
	/* Others' unknown addresses are not for them. */
	send_to(C, STRANGER, C);
	assert_got(1, 0, 0, 0);
}

static void allowed_is_not_owned(void **state)
{
	fake_mac(ports[A].port.macs[1], B); /* B's own */
	ports[A].port.mac_count = 2;
	attach();
	send_to(A, C, B);
	assert_int_equal(drops(A)[DROP_SPOOFED], 1);
	assert_got(0, 0, 0, 0);
	vswitch_detach(&ports[B].port); /* now it may take over */
	send_to(A, C, B);
	assert_got(0, 0, 0, 1);
	send_to(C, B, C);
	assert_got(0, 1, 0, 0);
}

static void promiscuous_port(void **state)
{
	ports[C].port.promiscuous = true;
	attach();
	send_to(A, B, A); /* it listens */
	assert_got(0, 0, 1, 1);
	assert_int_equal(ports[A].port.ingress.forwarded, 1);
	assert_int_equal(vswitch_copies(sw), 1);
	send_to(A, C, A); /* once, though it is also the destination */
	assert_got(0, 0, 0, 1);
	assert_int_equal(vswitch_copies(sw), 1);
	send_to(A, STRANGER, A);
	assert_got(1, 0, 0, 1);
	assert_int_equal(vswitch_copies(sw), 3);
	send_to(UP, STRANGER, STRANGER + 1);
	assert_got(0, 0, 0, 1);
	assert_int_equal(ports[UP].port.ingress.flooded, 1);

	/* Nested hosts behind it are learned; own frames don't come back. */
	send_to(C, A, 70);
	assert_got(0, 1, 0, 0);
	send_to(A, 70, A);
	assert_got(0, 0, 0, 1);
	assert_int_equal(ports[A].port.ingress.forwarded, 3);
	send_to(C, 70, 71);
	assert_int_equal(drops(C)[DROP_HAIRPIN], 1);
	assert_got(0, 0, 0, 0);
	/* But it can't steal. */
	send_to(C, A, B);
	assert_int_equal(drops(C)[DROP_SPOOFED], 1);
	assert_int_equal(warnings, 0);
	/* What is dropped is not even overheard. */
	send_to(A, B, STRANGER);
	assert_got(0, 0, 0, 0);
}

static void two_promiscuous(void **state)
{
	ports[B].port.promiscuous = ports[C].port.promiscuous = true;
	attach();
	send_to(A, B, A);
	assert_got(0, 0, 1, 1);
	send_frame(B, broadcast, mac(B));
	assert_got(1, 1, 0, 1);
	assert_int_equal(vswitch_copies(sw), 1 + 3);
}

static void moves_on_the_wire_side(void **state)
{
	ports[C].port.promiscuous = true;
	attach();
	send_to(UP, A, STRANGER);
	assert_got(0, 1, 0, 1);
	send_to(C, A, STRANGER); /* moved from the wire to behind C */
	assert_got(0, 1, 0, 0);
	send_to(A, STRANGER, A);
	assert_got(0, 0, 0, 1);
	send_to(UP, A, STRANGER);
	assert_got(0, 1, 0, 1);
	send_to(A, STRANGER, A);
	assert_got(1, 0, 0, 1);
}

static void learned_addresses_age(void **state)
{
	ports[C].port.promiscuous = true;
	attach();
	send_to(C, A, 70);
	plat_linux_set_time(280 * SECOND);
	send_to(A, 70, A);
	assert_int_equal(ports[A].port.ingress.forwarded, 1);
	plat_linux_set_time(320 * SECOND);
	send_to(A, 70, A);
	assert_int_equal(ports[A].port.ingress.forwarded, 1);
	assert_int_equal(ports[A].port.ingress.flooded, 1);
	send_to(C, A, 70);
	plat_linux_set_time(500 * SECOND);
	send_to(C, A, 70); /* refreshed */
	plat_linux_set_time(780 * SECOND);
	send_to(A, 70, A);
	assert_int_equal(ports[A].port.ingress.forwarded, 2);
	/* Own addresses do not age. */
	plat_linux_set_time(100000 * SECOND);
	send_to(A, B, A);
	assert_int_equal(ports[A].port.ingress.forwarded, 3);
}

static void flood_of_addresses(void **state)
{
	ports[C].port.promiscuous = true;
	attach();
	for (unsigned i = 0; i < 50000; i++)
		send_to(C, A, 1000 + i);
	assert_int_equal(ports[A].got_count, 50000);
	send_to(A, B, A);
	send_to(B, A, B);
	assert_int_equal(ports[A].port.ingress.forwarded, 1);
	assert_int_equal(ports[B].port.ingress.forwarded, 1);
	send_to(A, 1000 + 49999, A);
	assert_int_equal(ports[A].port.ingress.forwarded, 2);
}

/* The wire cannot make the switch forget who is behind a VM's port, and so send
 * frames between VMs out to the wire. */
static void flood_from_the_wire(void **state)
{
	struct vswitch_table table;

	ports[C].port.promiscuous = true;
	attach();
	for (unsigned i = 0; i < 100; i++)
		send_to(C, A, 500 + i);
	for (unsigned i = 0; i < 100000; i++)
		send_to(UP, STRANGER, 100000 + i);
	for (unsigned i = 0; i < PORTS; i++)
		ports[i].got_count = 0;
	for (unsigned i = 0; i < 100; i++)
		send_to(A, 500 + i, A);
	assert_got(0, 0, 0, 100);
	assert_int_equal(ports[A].port.ingress.forwarded, 100);

	vswitch_table(sw, &table);
	assert_int_equal(table.capacity, MACTABLE_ENTRIES);
	assert_true(table.entries <= table.capacity);
	assert_int_equal(table.learned, 100100);
	/* The three static ones were not learned. */
	assert_int_equal(table.evicted, 100100 + 3 - table.entries);
	assert_int_equal(table.moved, 0);
	send_to(UP, A, 500);
	vswitch_table(sw, &table);
	assert_int_equal(table.moved, 1);
}

/* The uplink's limit: what its NIC let through a little too long. */
static void giants_from_the_wire(void **state)
{
	attach();
	for (uint32_t len = 1518; len <= 2048; len += 265) {
		struct frame *f = fake_frame(&ports[UP], mac(A), mac(STRANGER));

		f->len = len;
		vswitch_input(&ports[UP].port, &f, 1);
	}
	assert_got(0, 1, 0, 0);
	assert_int_equal(drops(UP)[DROP_GIANT], 2);
}

/* From a reserved address, and any other that is a group's. */
static void sources_that_are_groups(void **state)
{
	uint8_t from[6] = {0x01, 0x80, 0xc2, 0x00, 0x00, 0x00};

	attach();
	for (unsigned i = 0; i < 256; i++) {
		from[5] = (uint8_t)i;
		send_frame(UP, mac(A), from);
		send_frame(B, mac(A), from);
	}
	send_frame(UP, mac(A), broadcast);
	assert_int_equal(drops(UP)[DROP_BAD_SOURCE], 257);
	assert_int_equal(drops(B)[DROP_BAD_SOURCE], 256);
	assert_got(0, 0, 0, 0);
	/* Nothing was learned. */
	from[5] = 0;
	send_frame(A, from, mac(A));
	assert_int_equal(drops(A)[DROP_RESERVED], 1);
}

/* One deliver() for each output port, order kept, in whatever mix. */
static void batches(void **state)
{
	struct frame *batch[FRAME_BATCH_MAX];
	unsigned to_b = 0, to_up = 0;

	attach();
	for (unsigned i = 0; i < FRAME_BATCH_MAX; i++) {
		const uint8_t *to = i % 3 == 0	 ? mac(B)
				    : i % 3 == 1 ? mac(STRANGER)
						 : broadcast;

		if (i % 16 == 15)
			to = mac(A); /* hairpin in between */
		batch[i] = fake_frame(&ports[A], to, mac(A));
		batch[i]->cookie = i;
	}
	vswitch_input(&ports[A].port, batch, FRAME_BATCH_MAX);
	assert_int_equal(ports[UP].deliveries, 1);
	assert_int_equal(ports[B].deliveries, 1);
	assert_int_equal(ports[C].deliveries, 1);
	assert_int_equal(ports[A].deliveries, 0);
	for (unsigned i = 0; i < FRAME_BATCH_MAX; i++) {
		if (i % 16 == 15)
			continue;
		if (i % 3 != 1)
			assert_ptr_equal(ports[B].got[to_b++], batch[i]);
		if (i % 3 != 0)
			assert_ptr_equal(ports[UP].got[to_up++], batch[i]);
	}
	assert_int_equal(ports[B].got_count, to_b);
	assert_int_equal(ports[UP].got_count, to_up);
	assert_int_equal(drops(A)[DROP_HAIRPIN], 4);
	/* What the uplink does not hold came back at once. */
	assert_int_equal(ports[A].completions, FRAME_BATCH_MAX - to_up);
	fake_release(&ports[UP]);
	assert_int_equal(ports[A].completions, FRAME_BATCH_MAX);
}

/* Random traffic over many ports; the ledger must add up at every step. */

#define MANY 14

static struct fake_port many[MANY];
static uint32_t seed = 2463534242;

static uint32_t random_below(uint32_t limit)
{
	seed ^= seed << 13;
	seed ^= seed >> 17;
	seed ^= seed << 5;
	return seed % limit;
}

static void random_mac(uint8_t *to)
{
	switch (random_below(8)) {
	case 0:
		memcpy(to, broadcast, ETH_ADDR_LEN);
		break;
	case 1:
		memcpy(to, multicast, ETH_ADDR_LEN);
		break;
	case 2:
		memcpy(to, (uint8_t[]){0x01, 0x80, 0xc2, 0, 0, 0}, 6);
		to[5] = (uint8_t)random_below(32);
		break;
	case 3:
		fake_mac(to, 100 + random_below(40));
		break;
	case 4:
		for (unsigned i = 0; i < ETH_ADDR_LEN; i++)
			to[i] = (uint8_t)random_below(256);
		break;
	default:
		fake_mac(to, random_below(MANY + 1));
	}
}

static void random_frame(struct fake_port *fake, struct frame *f)
{
	random_mac(f->head);
	if (random_below(4) == 0 || !fake->port.mac_count)
		random_mac(f->head + ETH_ADDR_LEN);
	if (random_below(10) == 0)
		f->len = random_below(2000);
	if (random_below(20) == 0)
		f->head_len = (uint16_t)random_below(60);
	if (random_below(10) == 0) {
		f->flags = FRAME_CSUM_PARTIAL;
		f->csum_start = (uint16_t)random_below(60);
		f->csum_offset = (uint16_t)random_below(20);
	}
	f->gso_type = random_below(20) ? 0 : (uint8_t)random_below(6);
	f->gso_size = (uint16_t)random_below(3);
}

static void random_batch(struct fake_port *fake)
{
	struct frame *batch[FRAME_BATCH_MAX];
	unsigned count = 1 + random_below(FRAME_BATCH_MAX);
	unsigned n = 0;

	for (; n < count; n++) {
		batch[n] = fake_frame(fake, broadcast, fake->port.macs[0]);
		if (!batch[n])
			break;
		random_frame(fake, batch[n]);
	}
	if (n)
		vswitch_input(&fake->port, batch, n);
}

static void random_traffic(void **state)
{
	struct vswitch *net = vswitch_create("many");
	struct port *all[MANY];
	uint64_t now_ns = 1, sum = 0;

	fake_init_uplink(&many[0], "up");
	for (unsigned i = 1; i < MANY; i++) {
		fake_init(&many[i], "vm", i);
		many[i].port.promiscuous = i > 11;
		many[i].drop_every = i == 5 ? 3 : 0;
		if (i == 6 || i == 7) {
			fake_mac(many[i].port.macs[1], 100);
			many[i].port.mac_count = 2;
		}
	}
	for (unsigned i = 0; i < MANY; i++) {
		all[i] = &many[i].port;
		assert_int_equal(vswitch_attach(net, all[i]), 0);
		many[i].attached = true;
	}
	for (unsigned round = 0; round < 4000; round++) {
		struct fake_port *fake = &many[random_below(MANY)];

		plat_linux_set_cpu(random_below(4));
		now_ns += random_below(4) * SECOND;
		plat_linux_set_time(now_ns);
		if (!fake->attached || random_below(50) == 0) {
			/* Comes or goes, once all its frames are back. */
			fake_release(&many[0]);
			if (fake->attached)
				vswitch_detach(&fake->port);
			else
				assert_int_equal(
					vswitch_attach(net, &fake->port), 0);
			fake->attached = !fake->attached;
			fake->detached_for_good = !fake->attached;
		} else {
			random_batch(fake);
		}
		if (random_below(3) == 0)
			fake_release(&many[0]);
		assert_true(fake_ledgers_ok(net, all, MANY));
	}
	fake_release(&many[0]);
	plat_linux_set_cpu(0);
	for (unsigned i = 0; i < MANY; i++) {
		assert_int_equal(fake_free(&many[i]), FAKE_FRAMES);
		assert_int_equal(many[i].completions,
				 many[i].port.ingress.frames);
		assert_int_equal(many[i].port.egress.in_flight, 0);
		sum += many[i].port.ingress.forwarded;
		assert_true(many[i].port.ingress.flooded > 0);
	}
	assert_true(sum > 1000);
	assert_true(vswitch_copies(net) > 1000);
	for (unsigned i = 0; i < MANY; i++)
		if (many[i].attached)
			vswitch_detach(all[i]);
	vswitch_destroy(net);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(vm_to_vm),
		TEST(to_the_wire_and_back),
		TEST(floods),
		TEST(nobody_there),
		TEST(unknown_from_the_wire),
		TEST(malformed),
		TEST(offloads),
		TEST(gso_sizes),
		TEST(reserved_group),
		TEST(spoofing),
		TEST(spoofed_from_the_wire),
		TEST(allowed_addresses),
		TEST(allowed_is_not_owned),
		TEST(promiscuous_port),
		TEST(two_promiscuous),
		TEST(moves_on_the_wire_side),
		TEST(learned_addresses_age),
		TEST(flood_of_addresses),
		TEST(flood_from_the_wire),
		TEST(giants_from_the_wire),
		TEST(sources_that_are_groups),
		TEST(batches),
		TEST(random_traffic),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
