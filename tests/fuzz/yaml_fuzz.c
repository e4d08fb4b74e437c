/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Fuzzes the configuration's reader: a plan or one message, never both. */
#include "tools/plan.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool ok)
{
	if (!ok)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fault f = {0};
	struct plan *p = NULL;
	int err = plan_parse(&p, (const char *)data, size, &f);

	if (err) {
		/* One line of advice, and nothing a terminal would obey. */
		require(!p && f.code == EXIT_INPUT && strchr(f.text, ';'));
		for (const char *c = f.text; *c; c++)
			require((unsigned char)*c >= ' ' && *c != 0x7f);
		return 0;
	}
	require(!f.text[0] && p->config.vm_count > 0);
	for (uint32_t i = 0; i < p->config.nic_count; i++)
		require(p->nics[i].uplink < p->config.uplink_count);
	plan_free(p);
	return 0;
}
