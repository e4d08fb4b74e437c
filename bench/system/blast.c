/* SPDX-License-Identifier: GPL-2.0-or-later */
/* blast IP PAYLOAD COUNT: sends UDP datagrams, COUNT of them between markers.
 */
#include "bench/system/credit.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

/*
 * As many as fill the socket's buffer and the rings: both markers find the
 * queues between here and the wire equally full, so that the window holds the
 * whole cost of COUNT datagrams.
 */
#define WARMUP 1000u

static bool blast_send(int s, const char *data, size_t size, unsigned long n)
{
	while (n) {
		if (send(s, data, size, 0) >= 0)
			n--;
		else if (errno != ENOBUFS && errno != EINTR)
			return false;
	}
	return true;
}

int main(int argc, char **argv)
{
	static char data[PAYLOAD_MAX];
	struct sockaddr_in to = {
		.sin_family = AF_INET,
		.sin_port = htons(SINK_PORT),
	};
	size_t size = argc == 4 ? strtoul(argv[2], NULL, 10) : 0;
	unsigned long count = argc == 4 ? strtoul(argv[3], NULL, 10) : 0;
	bool good;
	int s;

	if (!size || size > sizeof(data) || !count ||
	    inet_pton(AF_INET, argv[1], &to.sin_addr) != 1) {
		fprintf(stderr, "usage: blast IP PAYLOAD COUNT\n");
		return 2;
	}
	s = socket(AF_INET, SOCK_DGRAM, 0);
	if (s < 0 || connect(s, (struct sockaddr *)&to, sizeof(to)) ||
	    !blast_send(s, data, size, WARMUP)) {
		perror("blast");
		return 1;
	}
	credit_mark();
	good = blast_send(s, data, size, count);
	credit_mark();
	if (!good)
		perror("blast");
	printf("bench: udp_send_%zu %lu %s\n", size, count,
	       good ? "good" : "bad");
	return !good;
}
