/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Writes the bundle: see sluice/bundle.h for its layout. */
#ifndef TOOLS_IMAGE_H
#define TOOLS_IMAGE_H

#include "tools/payload.h"

/* How many bytes the bundle will have. */
uint64_t image_size(const struct plan *p, const struct payloads *list);

/*
 * Writes it to a file of its own beside path, then renames: path is either
 * what it was or the whole new bundle. The folder must exist.
 */
int image_write(const struct plan *p, const struct payloads *list,
		const char *path, struct fault *f);

#endif
