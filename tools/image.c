/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Writes the bundle: see sluice/bundle.h for its layout. */
#include "tools/image.h"
#include "tools/ui.h"
#include "lib/bundle.h"
#include "lib/sha256.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define IMAGE_PIECE MiB(1)

/* The largest head that the limits allow fits the format's. */
_Static_assert(sizeof(struct sluice_bundle) +
			       SLUICE_BUNDLE_PAYLOADS_MAX *
				       sizeof(struct sluice_payload) +
			       sizeof(struct plan) <
		       SLUICE_BUNDLE_HEAD_MAX,
	       "head");

struct image {
	int fd;
	const char *path; /* of the unfinished file, for messages */
	struct ui_progress progress;
	uint64_t size;
	char *piece;
};

/* The unfinished file, for the handler of signals that end the program. */
static char image_unfinished[PATH_MAX];

static void image_interrupted(int sig)
{
	unlink(image_unfinished);
	raise(sig); /* SA_RESETHAND: this time it ends us */
}

static const int image_signals[] = {SIGINT, SIGTERM, SIGHUP};

static void image_catch(struct sigaction before[])
{
	const struct sigaction ours = {
		.sa_handler = image_interrupted,
		.sa_flags = (int)SA_RESETHAND,
	};

	for (size_t i = 0; i < ARRAY_SIZE(image_signals); i++) {
		sigaction(image_signals[i], NULL, &before[i]);
		if (before[i].sa_handler != SIG_IGN)
			sigaction(image_signals[i], &ours, NULL);
	}
}

static void image_release(const struct sigaction before[])
{
	for (size_t i = 0; i < ARRAY_SIZE(image_signals); i++)
		sigaction(image_signals[i], &before[i], NULL);
}

static uint32_t image_config_offset(const struct payloads *list)
{
	return (uint32_t)(sizeof(struct sluice_bundle) +
			  list->count * sizeof(struct sluice_payload));
}

static uint64_t image_first_payload(const struct plan *p,
				    const struct payloads *list)
{
	return ALIGN_UP((uint64_t)image_config_offset(list) + p->config.size,
			SLUICE_BUNDLE_ALIGN);
}

uint64_t image_size(const struct plan *p, const struct payloads *list)
{
	uint64_t at = image_first_payload(p, list);

	/* The last payload ends the file, unpadded. */
	for (unsigned i = 0; i < list->count; i++)
		at = ALIGN_UP(at, SLUICE_BUNDLE_ALIGN) + list->items[i].size;
	return at;
}

static int image_put(const struct image *m, const void *data, size_t size,
		     uint64_t offset, struct fault *f)
{
	const char *from = data;

	while (size) {
		ssize_t n = pwrite(m->fd, from, size, (off_t)offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return fault_trouble(f, "%s: %s", m->path,
					     strerror(errno));
		from += n;
		size -= (size_t)n;
		offset += (uint64_t)n;
	}
	return 0;
}

/* Copies a payload to its place and fills in its hash. */
static int image_copy(struct image *m, const struct payload *from,
		      struct sluice_payload *to, struct fault *f)
{
	uint64_t done = 0;
	struct sha256 hash;
	int err = 0;

	sha256_init(&hash);
	while (done < to->size && !err) {
		ssize_t n =
			pread(from->fd, m->piece,
			      MIN(to->size - done, IMAGE_PIECE), (off_t)done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return fault_trouble(f, "%s: %s", from->path,
					     strerror(errno));
		if (n == 0)
			return fault_trouble(f,
					     "%s became shorter while it was "
					     "read; start again when it is "
					     "complete",
					     from->path);
		sha256_update(&hash, m->piece, (size_t)n);
		err = image_put(m, m->piece, (size_t)n, to->offset + done, f);
		done += (uint64_t)n;
		ui_progress_step(&m->progress, to->offset + done, m->size);
	}
	sha256_final(&hash, to->sha256);
	return err;
}

/* The file's name without its folder, cut and made printable. */
static void image_name(char name[SLUICE_PAYLOAD_NAME_SIZE], const char *path)
{
	const char *base = strrchr(path, '/');
	size_t i;

	base = base ? base + 1 : path;
	for (i = 0; base[i] && i < SLUICE_PAYLOAD_NAME_SIZE - 1; i++)
		name[i] = base[i] >= ' ' && base[i] <= '~' ? base[i] : '?';
	name[i] = 0;
}

static char *put(char *to, const void *data, size_t size)
{
	memcpy(to, data, size);
	return to + size;
}

/* The configuration's tables, in the order of sluice/config.h. */
static void image_config(char *to, const struct plan *p)
{
	const struct sluice_config *c = &p->config;

	to = put(to, c, sizeof(*c));
	to = put(to, p->uplinks, c->uplink_count * sizeof(p->uplinks[0]));
	to = put(to, p->vms, c->vm_count * sizeof(p->vms[0]));
	to = put(to, p->nics, c->nic_count * sizeof(p->nics[0]));
	to = put(to, p->macs, c->mac_count * sizeof(p->macs[0]));
	put(to, p->strings, c->strings_size);
}

static int image_fill(struct image *m, const struct plan *p,
		      const struct payloads *list, struct fault *f)
{
	uint32_t offset = image_config_offset(list);
	uint32_t head_size = offset + p->config.size;
	struct sluice_bundle *h = calloc(1, head_size);
	struct sluice_payload *table = (struct sluice_payload *)(h + 1);
	uint64_t at = image_first_payload(p, list);
	struct sha256 hash;
	int err = 0;

	if (!h)
		return fault_trouble(f, "out of memory");
	for (unsigned i = 0; i < list->count && !err; i++) {
		image_name(table[i].name, list->items[i].path);
		table[i].offset = ALIGN_UP(at, SLUICE_BUNDLE_ALIGN);
		table[i].size = list->items[i].size;
		at = table[i].offset + table[i].size;
		err = image_copy(m, &list->items[i], &table[i], f);
	}
	memcpy(h->magic, SLUICE_BUNDLE_MAGIC, sizeof(h->magic));
	h->version = SLUICE_BUNDLE_VERSION;
	h->head_size = head_size;
	h->size = m->size;
	h->payload_count = list->count;
	h->config_offset = offset;
	h->config_size = p->config.size;
	image_config((char *)h + offset, p);
	sha256_init(&hash);
	sha256_update(&hash, h, head_size);
	sha256_final(&hash, h->head_sha256);
	if (!err)
		err = image_put(m, h, head_size, 0, f);
	free(h);
	return err;
}

/* The kernel's own reader must take what was written. */
static int image_verify(const struct image *m, struct fault *f)
{
	void *data = mmap(NULL, m->size, PROT_READ, MAP_SHARED, m->fd, 0);
	const char *why;
	struct bundle b;
	int err = 0;

	if (data == MAP_FAILED)
		return fault_trouble(f, "%s: %s", m->path, strerror(errno));
	if (bundle_open(&b, data, m->size, &why) != 0)
		err = fault_trouble(f,
				    "the new bundle is refused: %s This is an "
				    "error in sluice; please report it",
				    why);
	munmap(data, m->size);
	return err;
}

static int image_make(struct image *m, const struct plan *p,
		      const struct payloads *list, struct fault *f)
{
	mode_t mask = umask(0);
	int err;

	umask(mask);
	m->piece = malloc(IMAGE_PIECE);
	if (!m->piece)
		return fault_trouble(f, "out of memory");
	ui_progress_start(&m->progress, "writing the bundle");
	err = image_fill(m, p, list, f);
	ui_progress_end(&m->progress);
	free(m->piece);
	if (!err)
		err = image_verify(m, f);
	if (!err && fchmod(m->fd, 0666 & ~mask) != 0)
		err = fault_trouble(f, "%s: %s", m->path, strerror(errno));
	return err;
}

int image_write(const struct plan *p, const struct payloads *list,
		const char *path, struct fault *f)
{
	struct image m = {.size = image_size(p, list)};
	struct sigaction before[ARRAY_SIZE(image_signals)];
	int err;

	if (snprintf(image_unfinished, sizeof(image_unfinished), "%s.XXXXXX",
		     path) >= (int)sizeof(image_unfinished))
		return fault_usage(f, "%.64s...: the path is too long", path);
	m.path = image_unfinished;
	m.fd = mkstemp(image_unfinished);
	if (m.fd < 0)
		return fault_trouble(f, "%s cannot be written: %s", path,
				     strerror(errno));
	image_catch(before);
	err = image_make(&m, p, list, f);
	if (close(m.fd) != 0 && !err)
		err = fault_trouble(f, "%s: %s", path, strerror(errno));
	if (!err && rename(image_unfinished, path) != 0)
		err = fault_trouble(f, "%s: %s", path, strerror(errno));
	if (err)
		unlink(image_unfinished);
	image_release(before);
	return err;
}
