/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sink IP PAYLOAD COUNT RUN: receives UDP datagrams, COUNT between markers. */
#include "bench/system/credit.h"

#include <arpa/inet.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>

/*
 * In flight at most; flood's host keeps them all in the 208 KB of QEMU's own
 * socket, at the 2,304 bytes that Linux charges for a full frame.
 */
#define WINDOW	   80u
#define GRANT	   40u /* a credit each so many: its cost is spread over them */
#define WARMUP	   1000u /* before the first marker */

#define TIMEOUT_MS 1000

struct sink {
	int socket;
	struct credit credit;
	uint32_t allowed;
	uint32_t got;
};

static bool sink_grant(struct sink *s, uint32_t allowed)
{
	s->allowed = allowed;
	s->credit.allowed = htonl(allowed);
	return send(s->socket, &s->credit, sizeof(s->credit), 0) > 0;
}

/* Until so many were received in all; false: none came for a while. */
static bool sink_receive(struct sink *s, uint32_t until)
{
	static char data[PAYLOAD_MAX];

	while (s->got < until) {
		if (recv(s->socket, data, sizeof(data), 0) < 0)
			return false;
		s->got++;
		if (s->got + WINDOW - s->allowed >= GRANT &&
		    !sink_grant(s, s->got + WINDOW))
			return false;
	}
	return true;
}

static bool sink_open(struct sink *s, const char *ip)
{
	struct sockaddr_in here = {
		.sin_family = AF_INET,
		.sin_port = htons(SINK_PORT),
	};
	struct sockaddr_in there = {
		.sin_family = AF_INET,
		.sin_port = htons(CREDIT_PORT),
	};
	struct timeval timeout = {.tv_sec = TIMEOUT_MS / 1000};

	s->socket = socket(AF_INET, SOCK_DGRAM, 0);
	return s->socket >= 0 && inet_pton(AF_INET, ip, &there.sin_addr) == 1 &&
	       !bind(s->socket, (struct sockaddr *)&here, sizeof(here)) &&
	       !connect(s->socket, (struct sockaddr *)&there, sizeof(there)) &&
	       !setsockopt(s->socket, SOL_SOCKET, SO_RCVTIMEO, &timeout,
			   sizeof(timeout));
}

int main(int argc, char **argv)
{
	uint32_t size, count;
	struct sink s = {0};
	bool good;

	if (argc != 5) {
		fprintf(stderr, "usage: sink IP PAYLOAD COUNT RUN\n");
		return 2;
	}
	size = (uint32_t)strtoul(argv[2], NULL, 10);
	count = (uint32_t)strtoul(argv[3], NULL, 10);
	s.credit = (struct credit){
		.magic = htonl(CREDIT_MAGIC),
		.run = htonl((uint32_t)strtoul(argv[4], NULL, 10)),
		.payload = htonl(size),
	};
	if (!sink_open(&s, argv[1]) || !sink_grant(&s, WINDOW)) {
		perror("sink");
		return 1;
	}
	good = sink_receive(&s, WARMUP);
	/* Credits go on to the end, so both markers find as many in flight. */
	credit_mark();
	good = good && sink_receive(&s, WARMUP + count);
	credit_mark();
	printf("bench: udp_recv_%u %u %s\n", size, count,
	       good ? "good" : "bad");
	/* What is still in flight must not meet the next run. */
	good = good && sink_receive(&s, s.allowed);
	return !good;
}
