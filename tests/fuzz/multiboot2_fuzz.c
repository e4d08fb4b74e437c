/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Fuzzes the reader of a boot loader's Multiboot 2 information. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "vmkernel/boot/multiboot2.h"

#define INFO_AT 0x9000ull

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool in_ram(const struct mm_boot_map *map, uint64_t byte)
{
	for (unsigned i = 0; i < map->ram_count; i++)
		if (byte - map->ram[i].base.v < map->ram[i].size)
			return true;
	return false;
}

static void check(const struct boot_info *info, uint64_t limit)
{
	const struct mm_boot_map *map = &info->map;
	uint64_t end = info->bundle.v + info->bundle_size;

	if (!map->ram_count || map->ram_count > MM_REGIONS_MAX ||
	    map->reserved_count >= ARRAY_SIZE(map->reserved))
		abort();
	/* Regions do not wrap, and no two share a byte. */
	for (unsigned i = 0; i < map->ram_count; i++) {
		uint64_t base = map->ram[i].base.v;
		uint64_t last = base + map->ram[i].size - 1;

		if (last < base)
			abort();
		for (unsigned k = 0; k < i; k++)
			if (base - map->ram[k].base.v < map->ram[k].size ||
			    map->ram[k].base.v - base < map->ram[i].size)
				abort();
	}
	if (info->bundle_size &&
	    (end < info->bundle.v || !in_ram(map, info->bundle.v) ||
	     !in_ram(map, end - 1)))
		abort();
	if (info->rsdp.v &&
	    (info->rsdp.v < INFO_AT + 16 || info->rsdp.v > INFO_AT + limit))
		abort();
}

/* Tags that are whole: a type, a size, and that many bytes, again and again. */
static size_t build(uint8_t *to, const uint8_t *data, size_t size)
{
	uint8_t *start = to;
	uint32_t word;

	to += 8;
	while (size > 2) {
		size_t bytes = data[1] < size - 2 ? data[1] : size - 2;

		word = data[0] & 31;
		memcpy(to, &word, 4);
		word = (uint32_t)bytes + 8;
		memcpy(to + 4, &word, 4);
		memcpy(to + 8, data + 2, bytes);
		to += ALIGN_UP(bytes + 8, 8);
		data += 2 + bytes;
		size -= 2 + bytes;
	}
	word = 8; /* the end: type 0 */
	memset(to, 0, 8);
	memcpy(to + 4, &word, 4);
	to += 8;
	word = (uint32_t)(to - start);
	memcpy(start, &word, 4);
	return word;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct boot_info info = {0};
	uint8_t *room, *copy;

	if (!size)
		return 0;
	room = calloc(1, 16 * size + 64);
	if (data[0] & 1) {
		size = build(room, data + 1, size - 1);
	} else {
		size--;
		memcpy(room, data + 1, size);
	}
	/* No longer than it is: ASan sees a read past it. */
	copy = malloc(size + !size);
	memcpy(copy, room, size);
	if (!multiboot2_parse(copy, size, HPA(INFO_AT), &info))
		check(&info, size);
	free(copy);
	free(room);
	return 0;
}
