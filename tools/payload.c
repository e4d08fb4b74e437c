/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The files that the VMs name: opened, looked at, each listed once. */
#include "tools/payload.h"
#include "tools/look.h"
#include "tools/value.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define KERNEL_KINDS                                                          \
	"a Linux bzImage (vmlinuz), an ELF with a PVH note or a Multiboot 1 " \
	"kernel"

/* key is "kernel" or "initrd"; the line is its value's. */
static int payload_stat(struct payload *item, const char *key, unsigned line,
			struct fault *f)
{
	struct stat st;

	if (fstat(item->fd, &st) != 0)
		return fault_trouble(f, "%s: %s", item->path, strerror(errno));
	if (!S_ISREG(st.st_mode))
		return fault_input(f, line,
				   "%s '%s' is no regular file; name the file "
				   "itself",
				   key, item->path);
	if (st.st_size == 0)
		return fault_input(f, line,
				   "%s '%s' is empty; make or download it anew",
				   key, item->path);
	item->device = st.st_dev;
	item->inode = st.st_ino;
	item->size = (uint64_t)st.st_size;
	return 0;
}

static int payload_add(struct payloads *list, const char *path, const char *key,
		       unsigned line, uint32_t *index, struct fault *f)
{
	struct payload item = {.path = path};
	int err;

	/* A FIFO's open would wait for its writer. */
	item.fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (item.fd < 0)
		return fault_input(f, line,
				   "%s '%s' cannot be opened: %s; check the "
				   "path (it starts at the current directory)",
				   key, path, strerror(errno));
	err = payload_stat(&item, key, line, f);
	if (err)
		goto out;
	for (unsigned i = 0; i < list->count; i++) {
		if (list->items[i].device == item.device &&
		    list->items[i].inode == item.inode) {
			*index = i;
			goto out;
		}
	}
	*index = list->count;
	list->items[list->count++] = item;
	return 0;
out:
	close(item.fd);
	return err;
}

static int payload_look(const struct payload *item, unsigned line,
			struct fault *f)
{
	switch (look_at_kernel(item->fd, item->size)) {
	case LOOK_BZIMAGE:
	case LOOK_PVH:
	case LOOK_MULTIBOOT:
		return 0;
	case LOOK_BZIMAGE_OLD:
		return fault_input(f, line,
				   "kernel '%s' is a Linux from before 2.4, or "
				   "a zImage; take a bzImage of a later one",
				   item->path);
	case LOOK_BZIMAGE_CUT:
		return fault_input(f, line,
				   "kernel '%s' is cut short; copy or download "
				   "it anew",
				   item->path);
	case LOOK_ELF:
		return fault_input(
			f, line,
			"kernel '%s' is an ELF file without a PVH "
			"note or Multiboot 1 header; give " KERNEL_KINDS,
			item->path);
	case LOOK_IO:
		return fault_trouble(f, "%s: %s", item->path, strerror(errno));
	default:
		return fault_input(
			f, line, "kernel '%s' is no kernel; give " KERNEL_KINDS,
			item->path);
	}
}

static int payload_vm(struct payloads *list, struct plan *p, unsigned index,
		      struct fault *f)
{
	const struct box_vm *from = &p->box->vms[index];
	unsigned line = doc_line(&p->doc, "vms[%u].kernel", index);
	struct sluice_vm *vm = &p->vms[index];
	char text[VALUE_SIZE_TEXT];
	uint64_t size;
	int err;

	err = payload_add(list, from->kernel, "kernel", line, &vm->kernel, f);
	if (!err)
		err = payload_look(&list->items[vm->kernel], line, f);
	if (err)
		return err;
	size = list->items[vm->kernel].size;
	if (from->initrd) {
		err = payload_add(list, from->initrd, "initrd",
				  doc_line(&p->doc, "vms[%u].initrd", index),
				  &vm->initrd, f);
		if (err)
			return err;
		size += list->items[vm->initrd].size;
	}
	if (size > vm->memory)
		return fault_input(
			f, doc_line(&p->doc, "vms[%u].memory", index),
			"kernel and initrd of VM '%s' do not fit "
			"into its memory of %s; give it more",
			vm->name, value_format_size(vm->memory, text));
	return 0;
}

int payloads_open(struct payloads *list, struct plan *p, struct fault *f)
{
	int err = 0;

	list->count = 0;
	for (unsigned i = 0; i < p->config.vm_count && !err; i++)
		err = payload_vm(list, p, i, f);
	return err;
}

void payloads_close(struct payloads *list)
{
	while (list->count)
		close(list->items[--list->count].fd);
}
