#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What the fuzzers' inputs cover: coverage.py BUILD PROGRAM...

Replays the kept corpus and build/fuzz/corpus, and prints lines and regions
covered of each file that parses what is hostile; then the functions that never
ran and the lines that did not. BUILD/coverage.txt has every file's source with
counts.
"""

import collections
import json
import os
import shutil
import subprocess
import sys

import fuzzing
from fuzzing import ROOT

# The sources that a guest, a wire, a file or firmware speaks to; each with the
# fuzzers that are meant for it.
PARSERS = (
    ("vmm/dev/virtqueue.c", "virtqueue vnet"),
    ("vmm/dev/vnet.c", "vnet"),
    ("vmm/dev/vnet_tx.c", "vnet"),
    ("vmm/dev/vnet_rx.c", "vnet"),
    ("vmm/dev/virtio_pci.c", "vnet"),
    ("vmm/dev/virtio_pci_common.c", "vnet"),
    ("vmm/dev/virtio_pci_life.c", "vnet"),
    ("vmm/dev/pci.c", "pci vnet"),
    ("vmm/dev/device.c", "pci vnet"),
    ("vmm/dev/guest_mem.c", "virtqueue walk"),
    ("vmm/dev/lapic.c", "lapic ioapic"),
    ("vmm/dev/lapic_ipi.c", "lapic"),
    ("vmm/dev/lapic_timer.c", "lapic"),
    ("vmm/dev/ioapic.c", "ioapic"),
    ("vmm/dev/uart.c", "uart"),
    ("vmm/dev/rtc.c", "clock"),
    ("vmm/dev/pvclock.c", "clock"),
    ("vmm/decode.c", "decode"),
    ("vmm/emulate.c", "emulate emulate_cpu"),
    ("vmm/emulate_alu.c", "emulate emulate_cpu"),
    ("vmm/emulate_io.c", "emulate"),
    ("vmm/emulate_operand.c", "emulate"),
    ("vmm/guest_walk.c", "walk emulate"),
    ("vmm/load/loader.c", "load"),
    ("vmm/load/loader_entry.c", "load"),
    ("vmm/load/bzimage.c", "load"),
    ("vmm/load/elf.c", "load"),
    ("vmm/load/pvh.c", "load"),
    ("vmm/load/multiboot.c", "load"),
    ("vmm/load/memmap.c", "load"),
    ("lib/bundle.c", "bundle"),
    ("lib/checksum.c", "vnet vswitch"),
    ("vswitch/vswitch.c", "vswitch"),
    ("vswitch/vswitch_input.c", "vswitch"),
    ("vswitch/mactable.c", "vswitch"),
    ("vswitch/port.c", "vswitch"),
    ("vswitch/uplink.c", "vswitch"),
    ("drivers/net/e1000e.c", "e1000e"),
    ("drivers/net/e1000e_ring.c", "e1000e"),
    ("drivers/net/netdev.c", "e1000e"),
    ("vmkernel/boot/acpi.c", "firmware"),
    ("vmkernel/boot/pvh.c", "firmware"),
    ("vmkernel/console/console.c", "console"),
    ("vmkernel/console/filter.c", "console"),
    ("tools/doc.c", "yaml"),
    ("tools/schema.c", "yaml"),
    ("tools/plan.c", "yaml"),
    ("tools/box.c", "yaml"),
    ("tools/value.c", "yaml"),
    ("tools/fault.c", "yaml"),
)


def tool(name):
    """llvm-cov or llvm-profdata, of clang's own version."""
    version = subprocess.run(["clang", "-dumpversion"], check=True, text=True,
                             capture_output=True).stdout.split(".")[0]
    for candidate in (f"{name}-{version}", name):
        if shutil.which(candidate):
            return candidate
    sys.exit(f"coverage: {name} is not there; apt-get install llvm-{version}")


def replay(build, program):
    """The program's profile over its corpora; None if it failed."""
    name = fuzzing.name_of(program)
    raw = f"{build}/{name}.profraw"
    folders = fuzzing.kept(name)
    if os.path.isdir(os.path.join(ROOT, fuzzing.BUILD, "corpus", name)):
        folders.append(f"{fuzzing.BUILD}/corpus/{name}")
    run = subprocess.run([program, "-runs=0", "-timeout=60", *folders],
                         cwd=ROOT, env={**os.environ, "LLVM_PROFILE_FILE": raw},
                         stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                         text=True, errors="replace", check=False)
    if run.returncode:
        print(run.stdout[-3000:])
        sys.exit(f"{program}: its corpus does not pass")
    return raw


def ranges(lines):
    """'3-5 9' for 3, 4, 5, 9."""
    words = []
    for line in sorted(lines):
        if words and words[-1][1] == line - 1:
            words[-1][1] = line
        else:
            words.append([line, line])
    return " ".join(f"{a}-{b}" if a != b else f"{a}" for a, b in words)


def uncovered_lines(segments):
    """Lines where a region starts or goes on that never ran. A segment is
    line, column, count, has_count, is_entry, is_gap."""
    missed, ran = set(), set()
    for at, then in zip(segments, segments[1:]):
        if not at[3] or at[5]:
            continue
        # A region that ends at the first column has nothing on that line.
        last = then[0] - (then[1] <= 1)
        lines = range(at[0], max(at[0], last) + 1)
        (ran if at[2] else missed).update(lines)
    return missed - ran


def main():
    build, programs = sys.argv[1], sys.argv[2:]
    profdata = f"{build}/fuzz.profdata"
    raw = [replay(build, program) for program in programs]
    subprocess.run([tool("llvm-profdata"), "merge", "-o", profdata, *raw],
                   cwd=ROOT, check=True)
    objects = [programs[0]]
    for program in programs[1:]:
        objects += ["-object", program]
    command = [tool("llvm-cov"), "export", *objects,
               f"-instr-profile={profdata}"]
    run = subprocess.run(command, cwd=ROOT, check=True, text=True,
                         capture_output=True)
    data = json.loads(run.stdout)["data"][0]
    with open(os.path.join(ROOT, build, "coverage.txt"), "w",
              encoding="utf-8") as text:
        subprocess.run([tool("llvm-cov"), "show", *objects,
                        f"-instr-profile={profdata}",
                        *(path for path, _ in PARSERS)],
                       cwd=ROOT, check=True, stdout=text)
    files = {os.path.relpath(f["filename"], ROOT): f for f in data["files"]}
    functions = collections.defaultdict(dict)
    for function in data["functions"]:
        path = os.path.relpath(function["filenames"][0], ROOT)
        name = function["name"].rsplit(":", 1)[-1]
        functions[path][name] = max(functions[path].get(name, 0),
                                    function["count"])
    print(f"{'file':32}{'lines':>14}{'':>7}{'regions':>14}{'':>7}  fuzzers")
    sums = [0, 0, 0, 0]
    missing = []
    for path, fuzzers in PARSERS:
        if path not in files:
            missing.append(path)
            continue
        summary = files[path]["summary"]
        row = []
        for i, kind in enumerate(("lines", "regions")):
            covered, count = summary[kind]["covered"], summary[kind]["count"]
            sums[2 * i] += covered
            sums[2 * i + 1] += count
            row.append(f"{covered:>7}/{count:<6}"
                       f"{100 * covered / max(1, count):6.1f}%")
        print(f"{path:32}{row[0]}{row[1]}  {fuzzers}")
    print(f"{'all':32}{sums[0]:>7}/{sums[1]:<6}{100 * sums[0] / sums[1]:6.1f}%"
          f"{sums[2]:>7}/{sums[3]:<6}{100 * sums[2] / sums[3]:6.1f}%")
    for path in missing:
        print(f"{path}: no fuzzer links it")
    print("\nWhat never ran:")
    for path, _ in PARSERS:
        if path not in files:
            continue
        never = sorted(name for name, count in functions[path].items()
                       if not count)
        lines = uncovered_lines(files[path]["segments"])
        if not never and not lines:
            continue
        print(f"{path}: lines {ranges(lines)}")
        if never:
            print(f"    functions: {' '.join(never)}")


if __name__ == "__main__":
    main()
