/* SPDX-License-Identifier: GPL-2.0-or-later */
/* frames INTERFACE: what arrives at a guest's card, and orders from the wire.
 */
#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/*
 * An order is a frame of ethertype ORDER_TYPE whose text is "NUMBER WORDS",
 * NUMBER counting up. Each is obeyed once, and then answered by a frame
 * "NUMBER" to whoever sent it: watch        remember all frames from now on:
 * length and CRC list         print those to the console, as "frames: LENGTH
 * CRC", then "frames: end NUMBER", and watch no more send HEX...  put this
 * frame on the wire Other words go to standard output, for the shell.
 */
#define ORDER_TYPE  0x88b6 /* IEEE 802: local experiments */
#define FRAME_MAX   65536
#define RECORDS_MAX 4096
#define TAG_LEN	    4

struct record {
	uint32_t length, crc;
};

struct frames {
	int orders, all; /* sockets; all is -1 unless watching */
	struct sockaddr_ll address;
	unsigned long done; /* number of the last order */
	struct record records[RECORDS_MAX];
	unsigned count; /* of all there were */
	uint8_t frame[FRAME_MAX + TAG_LEN];
};

/* As in Ethernet and zlib (IEEE 802.3, 3.2.9). */
static uint32_t frames_crc(const uint8_t *data, size_t length)
{
	uint32_t crc = ~0u;

	for (size_t i = 0; i < length; i++) {
		crc ^= data[i];
		for (unsigned bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
	}
	return ~crc;
}

static int frames_open(struct frames *f, uint16_t type)
{
	int on = 1, size = 8 << 20;
	int s = socket(AF_PACKET, SOCK_RAW, htons(type));

	f->address.sll_family = AF_PACKET;
	f->address.sll_protocol = htons(type);
	if (s < 0 ||
	    bind(s, (struct sockaddr *)&f->address, sizeof(f->address)) ||
	    setsockopt(s, SOL_PACKET, PACKET_AUXDATA, &on, sizeof(on)) ||
	    setsockopt(s, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size))) {
		perror("frames");
		exit(1);
	}
	return s;
}

/* Linux has taken the outermost tag off and tells of it: back with it. */
static size_t frames_put_tag(struct frames *f, size_t length,
			     const struct tpacket_auxdata *aux)
{
	uint8_t *at = f->frame + 2 * ETH_ALEN;
	uint16_t tag[2] = {htons(ETH_P_8021Q), htons(aux->tp_vlan_tci)};

	if (!(aux->tp_status & TP_STATUS_VLAN_VALID) || length < 2 * ETH_ALEN)
		return length;
	if (aux->tp_status & TP_STATUS_VLAN_TPID_VALID)
		tag[0] = htons(aux->tp_vlan_tpid);
	memmove(at + TAG_LEN, at, length - 2 * ETH_ALEN);
	memcpy(at, tag, TAG_LEN);
	return length + TAG_LEN;
}

/* The length of a frame that came in, 0 for one of our own. */
static size_t frames_receive(struct frames *f, int s)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(struct tpacket_auxdata))];
	} control;
	struct sockaddr_ll from;
	struct iovec io = {f->frame, FRAME_MAX};
	struct msghdr msg = {
		.msg_name = &from,
		.msg_namelen = sizeof(from),
		.msg_iov = &io,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	ssize_t got = recvmsg(s, &msg, 0);
	size_t length = got > 0 ? (size_t)got : 0;
	struct cmsghdr *c;

	if (!length || from.sll_pkttype == PACKET_OUTGOING)
		return 0;
	for (c = CMSG_FIRSTHDR(&msg); c; c = CMSG_NXTHDR(&msg, c)) {
		struct tpacket_auxdata aux;

		if (c->cmsg_level != SOL_PACKET ||
		    c->cmsg_type != PACKET_AUXDATA)
			continue;
		memcpy(&aux, CMSG_DATA(c), sizeof(aux));
		length = frames_put_tag(f, length, &aux);
	}
	return length;
}

static void frames_record(struct frames *f)
{
	size_t length = frames_receive(f, f->all);

	if (!length)
		return;
	if (f->count < RECORDS_MAX)
		f->records[f->count] = (struct record){
			(uint32_t)length, frames_crc(f->frame, length)};
	f->count++;
}

static void frames_list(struct frames *f)
{
	/* What came before the order is read before it is obeyed. */
	struct pollfd p = {.fd = f->all, .events = POLLIN};

	while (f->all >= 0 && poll(&p, 1, 0) > 0)
		frames_record(f);
	for (unsigned i = 0; i < f->count && i < RECORDS_MAX; i++)
		fprintf(stderr, "frames: %u %08x\n", f->records[i].length,
			f->records[i].crc);
	fprintf(stderr, "frames: end %lu%s\n", f->done,
		f->count > RECORDS_MAX ? " of too many" : "");
}

static void frames_watch(struct frames *f, bool on)
{
	if (f->all >= 0)
		close(f->all);
	f->all = on ? frames_open(f, ETH_P_ALL) : -1;
	f->count = 0;
}

static void frames_send(const struct frames *f, const char *hex)
{
	uint8_t frame[1024];
	size_t length = 0;
	unsigned byte;

	for (; length < sizeof(frame) && sscanf(hex, "%2x", &byte) == 1;
	     hex += 2)
		frame[length++] = (uint8_t)byte;
	if (send(f->orders, frame, length, 0) < 0)
		perror("frames: send");
}

static void frames_obey(struct frames *f, const char *words)
{
	if (!strcmp(words, "watch")) {
		frames_watch(f, true);
	} else if (!strcmp(words, "list")) {
		frames_list(f);
		frames_watch(f, false);
	} else if (!strncmp(words, "send ", 5)) {
		frames_send(f, words + 5);
	} else {
		puts(words);
		fflush(stdout);
	}
}

static void frames_answer(const struct frames *f, const struct ethhdr *order,
			  unsigned long number)
{
	uint8_t frame[ETH_ZLEN] = {0};
	struct ethhdr header = *order;

	memcpy(header.h_dest, order->h_source, ETH_ALEN);
	memcpy(header.h_source, order->h_dest, ETH_ALEN);
	memcpy(frame, &header, ETH_HLEN);
	snprintf((char *)frame + ETH_HLEN, sizeof(frame) - ETH_HLEN, "%lu",
		 number);
	if (send(f->orders, frame, sizeof(frame), 0) < 0)
		perror("frames: answer");
}

static void frames_order(struct frames *f)
{
	size_t length = frames_receive(f, f->orders);
	char *text = (char *)f->frame + ETH_HLEN, *words;
	struct ethhdr header;
	unsigned long number;

	if (length <= ETH_HLEN)
		return;
	f->frame[length] = '\0';
	memcpy(&header, f->frame, ETH_HLEN);
	number = strtoul(text, &words, 10);
	if (number > f->done && *words == ' ') {
		f->done = number;
		/* The frame's own memory is needed for others. */
		words = strdup(words + 1);
		if (words)
			frames_obey(f, words);
		free(words);
	}
	frames_answer(f, &header, number);
}

int main(int argc, char **argv)
{
	static struct frames f;

	if (argc != 2) {
		fprintf(stderr, "usage: frames INTERFACE\n");
		return 2;
	}
	f.address.sll_ifindex = (int)if_nametoindex(argv[1]);
	f.orders = frames_open(&f, ORDER_TYPE);
	f.all = -1;
	fprintf(stderr, "frames: ready\n");
	for (;;) {
		struct pollfd p[] = {{.fd = f.orders, .events = POLLIN},
				     {.fd = f.all, .events = POLLIN}};

		if (poll(p, 2, -1) < 0)
			continue;
		if (p[1].revents)
			frames_record(&f);
		if (p[0].revents)
			frames_order(&f);
	}
}
