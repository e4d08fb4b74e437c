/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The QEMU command line of the machine that `sluice run` boots. */
#include "tools/qemu.h"
#include "tools/value.h"

#include <arpa/inet.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define QEMU "qemu-system-x86_64"

static int add(struct qemu_args *args, struct fault *f, const char *fmt, ...)
	PRINTF(3, 4);

static int add(struct qemu_args *args, struct fault *f, const char *fmt, ...)
{
	va_list list;
	int n;

	if (args->count == QEMU_ARGS_MAX)
		return fault_usage(f,
				   "too many arguments for QEMU; %u are "
				   "possible",
				   QEMU_ARGS_MAX);
	va_start(list, fmt);
	n = vasprintf(&args->items[args->count], fmt, list);
	va_end(list);
	if (n < 0) {
		args->items[args->count] = NULL;
		return fault_trouble(f, "out of memory");
	}
	args->count++;
	return 0;
}

static bool parse_port(const char *text, uint16_t *port)
{
	uint64_t number;

	if (!value_parse_number(text, 1, 65535, &number))
		return false;
	*port = (uint16_t)number;
	return true;
}

bool qemu_parse_forward(const char *text, struct qemu_forward *forward)
{
	char *copy = strdup(text), *rest = copy, *field[4];
	struct in_addr address;
	bool good = copy;

	for (unsigned i = 0; i < 4 && good; i++) {
		field[i] = strsep(&rest, ":");
		good = field[i];
	}
	if (good)
		good = !rest && parse_port(field[1], &forward->host_port) &&
		       inet_pton(AF_INET, field[2], &address) == 1 &&
		       parse_port(field[3], &forward->guest_port);
	if (good) {
		forward->protocol = strcmp(field[0], "tcp") == 0   ? "tcp"
				    : strcmp(field[0], "udp") == 0 ? "udp"
								   : NULL;
		good = forward->protocol;
		inet_ntop(AF_INET, &address, forward->guest,
			  sizeof(forward->guest));
	}
	free(copy);
	return good;
}

static bool mac_taken(const struct plan *p, const uint8_t mac[6])
{
	for (uint32_t i = 0; i < p->config.uplink_count; i++)
		if (p->uplinks[i].match == SLUICE_MATCH_MAC &&
		    memcmp(p->uplinks[i].mac, mac, 6) == 0)
			return true;
	for (uint32_t i = 0; i < p->config.nic_count; i++)
		if (memcmp(p->nics[i].mac, mac, 6) == 0)
			return true;
	return false;
}

/* One uplink: a network of QEMU's own and the NIC on it. */
static int add_uplink(struct qemu_args *args, const struct plan *p,
		      unsigned index, const struct qemu_options *options,
		      struct fault *f)
{
	const struct sluice_uplink *u = &p->uplinks[index];
	uint8_t mac[6] = {0x52, 0x54, 0, 0, 0, (uint8_t)(2 + index)};
	char forwards[QEMU_FORWARDS_MAX * 64] = "";
	char place[16] = "";
	size_t n = 0;
	int err;

	if (u->match == SLUICE_MATCH_PCI && u->pci >> 8)
		return fault_input(
			f, doc_line(&p->doc, "uplinks[%u].match.pci", index),
			"QEMU's machine has NICs on PCI bus 00 only; take an "
			"address like \"00:02.0\" to run it there");
	if (u->match == SLUICE_MATCH_PCI)
		snprintf(place, sizeof(place), ",addr=%02x.%x",
			 (unsigned)u->pci >> 3, (unsigned)u->pci & 7);
	if (u->match == SLUICE_MATCH_MAC)
		memcpy(mac, u->mac, sizeof(mac));
	else
		while (mac_taken(p, mac))
			mac[5] += SLUICE_UPLINKS_MAX;
	for (unsigned i = 0; i < options->forward_count && index == 0; i++) {
		const struct qemu_forward *w = &options->forwards[i];

		n += (size_t)snprintf(forwards + n, sizeof(forwards) - n,
				      ",hostfwd=%s:127.0.0.1:%u-%s:%u",
				      w->protocol, w->host_port, w->guest,
				      w->guest_port);
	}
	err = add(args, f, "-netdev");
	if (!err)
		err = add(args, f, "user,id=n%u%s", index, forwards);
	if (!err)
		err = add(args, f, "-device");
	/* Without romfile SeaBIOS would spend seconds in the NIC's iPXE. */
	if (!err)
		err = add(args, f,
			  "e1000e,netdev=n%u,mac=%02x:%02x:%02x:%02x:%02x:%02x"
			  "%s,romfile=",
			  index, mac[0], mac[1], mac[2], mac[3], mac[4], mac[5],
			  place);
	return err;
}

static int add_uplinks(struct qemu_args *args, const struct plan *p,
		       const struct qemu_options *options, struct fault *f)
{
	int err = 0;

	if (options->forward_count && !p->config.uplink_count)
		return fault_usage(f,
				   "--hostfwd needs an uplink; add it to "
				   "the configuration");
	/* Those that QEMU may place anywhere last: the others' are free. */
	for (unsigned i = 0; i < p->config.uplink_count && !err; i++)
		if (p->uplinks[i].match == SLUICE_MATCH_PCI)
			err = add_uplink(args, p, i, options, f);
	for (unsigned i = 0; i < p->config.uplink_count && !err; i++)
		if (p->uplinks[i].match != SLUICE_MATCH_PCI)
			err = add_uplink(args, p, i, options, f);
	return err;
}

int qemu_args_make(struct qemu_args *args, const struct plan *p,
		   const struct qemu_options *options, struct fault *f)
{
	char cpus[16], memory[VALUE_SIZE_TEXT];
	const char *const fixed[] = {
		QEMU,
		"-machine",
		"q35",
		"-cpu",
		"EPYC,+svm",
		"-smp",
		cpus,
		"-m",
		value_format_size(options->memory, memory),
		"-kernel",
		options->kernel,
		"-initrd",
		options->bundle,
		"-display",
		"none",
		"-nodefaults",
		"-no-reboot",
		/* A VMkernel that gives up ends QEMU, with an error. */
		"-device",
		"pvpanic",
		"-action",
		"panic=exit-failure",
		"-serial",
		"stdio",
	};
	int err = 0;

	*args = (struct qemu_args){0};
	snprintf(cpus, sizeof(cpus), "%u", options->cpus);
	for (size_t i = 0; i < ARRAY_SIZE(fixed) && !err; i++)
		err = add(args, f, "%s", fixed[i]);
	if (!err && options->control) {
		err = add(args, f, "-serial");
		if (!err)
			err = add(args, f, "file:%s", options->control);
	}
	if (!err)
		err = add_uplinks(args, p, options, f);
	if (!err && options->gdb) {
		err = add(args, f, "-gdb");
		if (!err)
			err = add(args, f, "tcp:127.0.0.1:1234");
		if (!err)
			err = add(args, f, "-S");
	}
	/* Last, so that they override: of -m or -smp QEMU takes the last. */
	for (unsigned i = 0; i < options->extra_count && !err; i++)
		err = add(args, f, "%s", options->extra[i]);
	return err;
}

void qemu_args_free(struct qemu_args *args)
{
	while (args->count)
		free(args->items[--args->count]);
}

void qemu_args_print(const struct qemu_args *args)
{
	static const char safe[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
		"0123456789_-+=,.:/@%";

	for (unsigned i = 0; i < args->count; i++) {
		const char *a = args->items[i];

		if (i)
			putchar(' ');
		if (*a && !a[strspn(a, safe)]) {
			fputs(a, stdout);
			continue;
		}
		putchar('\'');
		for (; *a; a++)
			if (*a == '\'')
				fputs("'\\''", stdout);
			else
				putchar(*a);
		putchar('\'');
	}
	putchar('\n');
}
