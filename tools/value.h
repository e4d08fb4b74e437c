/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The values a user writes: sizes, MACs, PCI addresses, names, numbers. */
#ifndef TOOLS_VALUE_H
#define TOOLS_VALUE_H

#include "lib/types.h"

#define VALUE_SIZE_TEXT 24

/* "256M": a whole number and K, M or G. False if it is not or overflows. */
bool value_parse_size(const char *text, uint64_t *bytes);
/* The shortest such text, "1.5G" never: the unit that divides it. */
const char *value_format_size(uint64_t bytes, char text[VALUE_SIZE_TEXT]);
/* "52:54:00:00:00:02", either case. */
bool value_parse_mac(const char *text, uint8_t mac[6]);
/* "00:02.0": bus, device, function, as enum sluice_match wants it. */
bool value_parse_pci(const char *text, uint16_t *pci);
/* A whole number from min to max, decimal. */
bool value_parse_number(const char *text, uint64_t min, uint64_t max,
			uint64_t *number);
/* As in sluice/config.h: [a-z0-9_-], 1 to SLUICE_NAME_SIZE - 1 of them. */
bool value_name_valid(const char *name);
/* Names one NIC: not a group address, not zero. */
bool value_mac_unicast(const uint8_t mac[6]);
/* A stable, locally administered MAC for a VM's NIC that names none. */
void value_derive_mac(const char *vm, unsigned nic, uint8_t mac[6]);

#endif
