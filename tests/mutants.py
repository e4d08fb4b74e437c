#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""mutants.py [NAME...]: takes checks out, one at a time; a test must fail.

A check without a test that fails when it is gone is a check that somebody will
take out. Each mutant below is one edit of one file in a copy of the tree; the
copy is built, and the unit test named with it must fail. With names, only the
mutants whose name contains one of them.
"""

import collections
import os
import shutil
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BUILD_SECONDS = 300
TEST_SECONDS = 90
DEV = "vmm/dev/"

# search stands exactly once in file; test is tests/unit/TEST_test.c.
Mutant = collections.namedtuple("Mutant", "name file search replace test")

VIRTQUEUE = [
    ("descriptor's address is in RAM", "if (!base || chain->count ==",
     "if (chain->count =="),
    ("descriptor has bytes", "if (!desc->len)\n", "if (0)\n"),
    ("chain ends", "if (length++ == vq->size)", "if (length++ == 4096)"),
    ("readable before writable", "if (!write && chain->count >", "if (0 && 1 >"),
    ("index is at most the queue ahead",
     "if ((uint16_t)(vq->avail_seen - vq->published) > vq->size) {",
     "if (0) {"),
    ("head is in the table", "if (head >= vq->size)", "if (0)"),
    ("head is not out already", "if (virtqueue_test_out(vq, head))", "if (0)"),
    ("next is in the table", "if (desc.next >= entries)", "if (0)"),
    ("indirect was agreed on", "if (!vq->indirect || desc->flags &",
     "if (desc->flags &"),
    ("indirect is not nested", "table = nested ? NULL\n",
     "table = 0 ? NULL\n"),
    ("rings are in RAM", "!vq->desc || !vq->avail || !vq->used ||", ""),
    ("rings are aligned", "vq->desc_gpa.v % VRING_DESC_ALIGN_SIZE ||", ""),
    ("broken queue stays broken", "if (!vq->running || vq->broken)\n\t\t"
     "return 0;", "if (!vq->running)\n\t\treturn 0;"),
]

MUTANTS = [
    *(Mutant(f"virtqueue: {name}", DEV + "virtqueue.c", search, replace,
             DEV + "virtqueue") for name, search, replace in VIRTQUEUE),
    Mutant("virtqueue: descriptor is copied before it is checked",
           DEV + "virtqueue.c",
           "err = virtqueue_add_seg(vq, chain, &desc);",
           "err = virtqueue_add_seg(vq, chain, (const void *)(table + "
           "index * sizeof(desc)));", DEV + "vnet_race"),
    Mutant("guest memory: length is within the range", DEV + "guest_mem.c",
           "*len = MIN(*len, range->size - offset);", "", DEV + "guest_mem"),
    Mutant("vnet: GSO was agreed on", DEV + "vnet_tx.c",
           "if (hdr->gso_type != VIRTIO_NET_HDR_GSO_NONE)", "if (0)",
           DEV + "vnet"),
    Mutant("vnet: head is a copy", DEV + "vnet_tx.c",
           "frame->head = slot->store;",
           "frame->head = chain->segs[chain->count - 1].base;",
           DEV + "vnet_race"),
    Mutant("vnet: bad frame is given back", DEV + "vnet_tx.c",
           "virtqueue_push(vnet->tx, chain->head, 0);\n\t}", "}",
           DEV + "vnet"),
    Mutant("vnet: no end to what one doorbell does", DEV + "vnet_tx.c",
           "budget -= popped;", "", DEV + "vnet"),
    Mutant("vnet: reset waits for frames in flight", DEV + "vnet_tx.c",
           "if (__atomic_load_n(&vnet->in_flight, __ATOMIC_ACQUIRE) ||\n",
           "if (\n", DEV + "vnet"),
    Mutant("vnet: receive buffer has room for a header", DEV + "vnet_rx.c",
           "if (chain->read_count || chain->write_len < VNET_HDR_LEN)",
           "if (chain->read_count)", DEV + "vnet"),
    Mutant("vnet: receive buffer is for writing", DEV + "vnet_rx.c",
           "if (chain->read_count || chain->write_len < VNET_HDR_LEN)",
           "if (chain->write_len < VNET_HDR_LEN)", DEV + "vnet"),
    Mutant("vnet: header is written before its chain is given back",
           DEV + "vnet_rx.c",
           "vnet_sink_put_header(sink, &hdr);\n\treturn 0;",
           "virtqueue_publish(sink->vnet->rx);\n"
           "\tvnet_sink_put_header(sink, &hdr);\n\treturn 0;",
           DEV + "vnet_race"),
    Mutant("virtio: features were offered", DEV + "virtio_pci_common.c",
           "(virtio->accepted & ~virtio->offered ||", "(0 ||",
           DEV + "virtio_pci"),
    Mutant("virtio: running queue is not moved", DEV + "virtio_pci_common.c",
           "if (vq->enabled)\n\t\treturn false;", "", DEV + "virtio_pci"),
    Mutant("virtio: queue's size is a power of two",
           DEV + "virtio_pci_common.c",
           "value <= vq->size_max && !(value & (value - 1)))", "1)",
           DEV + "virtio_pci"),
    Mutant("virtio: window ends with the BAR", DEV + "virtio_pci.c",
           "cap->cap.offset < bar_size &&\n\t       "
           "cap->cap.length <= bar_size - cap->cap.offset;", "1;",
           DEV + "virtio_pci"),
    Mutant("PCI: BAR is decoded in its window only", DEV + "pci.c",
           "return bar->base >= low && bar->base < high &&\n\t       "
           "bar->size <= high - bar->base;", "(void)low;\n(void)high;\n"
           "return true;", DEV + "pci"),
    Mutant("PCI: access lies within the BAR", DEV + "pci.c",
           "if (size <= end - address) {", "if (1) {", DEV + "pci"),
    Mutant("PCI: read-only bits", DEV + "pci.c",
           "uint8_t mask = dev->config_mask[offset + i];",
           "uint8_t mask = 0xff;", DEV + "pci"),
    Mutant("MSI-X: entry is in the table", DEV + "device.c",
           "if (index >= dev->msix_count)\n\t\treturn; /*",
           "if (0)\n\t\treturn; /*", DEV + "pci"),
    Mutant("MSI: address is the APICs'", DEV + "lapic_ipi.c",
           "if (address >> 20 != MSI_ADDRESS_BASE ||", "if (", DEV + "lapic"),
    Mutant("IPI: vector is none of the exceptions'", DEV + "lapic_ipi.c",
           "return msg->vector >= LAPIC_VECTOR_MIN;", "return true;",
           DEV + "lapic"),
    Mutant("timer: no more than so many ticks", DEV + "lapic_timer.c",
           "t->step_ns = ns * ticks;", "t->step_ns = ns;\n\t(void)ticks;",
           DEV + "lapic_timer"),
    Mutant("page walk: table is in RAM", "vmm/guest_walk.c",
           "if (!entry || !(value & PTE_P))", "if (!(value & PTE_P))",
           "vmm/guest_walk"),
    Mutant("page walk: rights", "vmm/guest_walk.c",
           "if (!walk_permits(s, access, writable, user, nx))", "if (0)",
           "vmm/guest_walk"),
    Mutant("emulator: bytes that have become another instruction",
           "vmm/emulate.c", "if (ctx->cause != EMULATE_MMIO)", "if (0)",
           "vmm/emulate"),
    Mutant("emulator: operand that has become RAM", "vmm/emulate.c",
           "if (emulate_operand_is_ram(&op))", "if (0)", "vmm/emulate"),
    Mutant("emulator: rights to a port", "vmm/emulate_io.c",
           "if (io_permit(ctx, port, size))", "if (0)", "vmm/emulate"),
    Mutant("emulator: no end to a string", "vmm/emulate_io.c",
           "i < EMULATE_REP_MAX; i++", "i < ~0u; i++", "vmm/emulate"),
    Mutant("switch: checksum field is in the head",
           "vswitch/vswitch_input.c",
           "return frame_offload_ok(f) ? NOT_DROPPED : DROP_BAD_OFFLOAD;",
           "return NOT_DROPPED;", "vswitch/vswitch_input"),
    Mutant("switch: frame is not too long", "vswitch/vswitch_input.c",
           "if (f->len > max)", "if (0)", "vswitch/vswitch_input"),
    Mutant("switch: frame has a header", "vswitch/vswitch_input.c",
           "if (f->head_len < ETH_HEADER_LEN || f->len < f->head_len)",
           "if (0)", "vswitch/vswitch_input"),
    Mutant("switch: source address", "vswitch/vswitch_input.c",
           "if (!from->promiscuous && !port_lists(from, mac)) {", "if (0) {",
           "vswitch/vswitch_input"),
]


def run(command, folder, seconds):
    """Its exit code and output; None: it did not end."""
    try:
        done = subprocess.run(command, cwd=folder, text=True, errors="replace",
                              stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=seconds,
                              check=False)
    except subprocess.TimeoutExpired as error:
        return None, f"no end after {error.timeout} s"
    return done.returncode, done.stdout


def program(mutant):
    return f"build/native/tests/unit/{mutant.test}_test"


def build(folder, targets):
    return run(["make", "--no-print-directory", f"-j{os.cpu_count() or 1}",
                *targets], folder, BUILD_SECONDS)


def copy_tree(folder):
    """What git knows of, as it is now: the rest is not part of a build."""
    files = subprocess.run(["git", "ls-files", "-z", "--cached", "--others",
                            "--exclude-standard"], cwd=ROOT, check=True,
                           stdout=subprocess.PIPE).stdout.decode().split("\0")
    for name in filter(None, files):
        source = os.path.join(ROOT, name)
        if not os.path.isfile(source):
            continue
        os.makedirs(os.path.join(folder, os.path.dirname(name)), exist_ok=True)
        shutil.copy2(source, os.path.join(folder, name))
    # A mutant may leave a variable or a function unused.
    path = os.path.join(folder, "mk/flags.mk")
    with open(path, encoding="utf-8") as f:
        text = f.read()
    with open(path, "w", encoding="utf-8") as f:
        f.write(text.replace("-Werror ", ""))


def complaint(mutant, folder):
    """None when the mutant was found out; else why not."""
    path = os.path.join(folder, mutant.file)
    with open(path, encoding="utf-8") as f:
        text = f.read()
    if text.count(mutant.search) != 1:
        return (f"{mutant.file} has the text to replace "
                f"{text.count(mutant.search)} times, not once")
    try:
        with open(path, "w", encoding="utf-8") as f:
            f.write(text.replace(mutant.search, mutant.replace))
        code, output = build(folder, [program(mutant)])
        if code != 0:
            return f"it does not build:\n{output[-2000:]}"
        code, output = run([os.path.join(folder, program(mutant))], folder,
                           TEST_SECONDS)
        return "its test passes all the same" if code == 0 else None
    finally:
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)


def main():
    names = sys.argv[1:]
    mutants = [m for m in MUTANTS
               if not names or any(name in m.name for name in names)]
    if not mutants:
        sys.exit("no mutant has such a name")
    start = time.monotonic()
    survivors = 0
    with tempfile.TemporaryDirectory() as folder:
        copy_tree(folder)
        programs = sorted({program(m) for m in mutants})
        code, output = build(folder, programs)
        if code != 0:
            sys.exit(f"the tests do not build:\n{output[-2000:]}")
        for path in programs:
            code, output = run([os.path.join(folder, path)], folder,
                               TEST_SECONDS)
            if code != 0:
                sys.exit(f"{path} fails as it is:\n{output[-2000:]}")
        for mutant in mutants:
            why = complaint(mutant, folder)
            survivors += why is not None
            print(f"{'SURVIVED' if why else 'found'}  {mutant.name}"
                  + (f": {why}" if why else ""), flush=True)
    print(f"{len(mutants) - survivors} of {len(mutants)} mutants found in "
          f"{time.monotonic() - start:.0f} s")
    return 1 if survivors else 0


if __name__ == "__main__":
    sys.exit(main())
