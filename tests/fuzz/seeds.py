#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Writes first inputs for the fuzzers whose inputs have a form: seeds.py DIR.

Kernels of each kind, bundles, configurations, ACPI tables, PVH start info: the
kept corpus began from these. Run it again, with 'make fuzz-seeds', when a
format has changed; 'make fuzz-corpus' then keeps what is of use.
"""

import glob
import os
import re
import struct
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))


def pad(data, size):
    return data + bytes(size - len(data))


def bzimage(**fields):
    """Documentation/x86/boot.rst; one setup sector, a small kernel."""
    value = {"setup_sects": 1, "boot_flag": 0xaa55, "version": 0x20f,
             "loadflags": 1, "xloadflags": 1, "relocatable": 1,
             "alignment": 0x1000, "pref": 0x100000, "init_size": 0x2000,
             "cmdline": 2047, "initrd_max": 0x7fffffff, **fields}
    image = bytearray(0x400 + 0x300)
    for index in range(0x400, len(image)):
        image[index] = index * 3 & 0xff
    image[0x200:0x202] = b"\xeb\x66"
    image[0x202:0x206] = b"HdrS"
    for at, form, name in ((0x1f1, "B", "setup_sects"),
                           (0x1fe, "<H", "boot_flag"),
                           (0x206, "<H", "version"),
                           (0x211, "B", "loadflags"),
                           (0x22c, "<I", "initrd_max"),
                           (0x230, "<I", "alignment"),
                           (0x234, "B", "relocatable"),
                           (0x236, "<H", "xloadflags"),
                           (0x238, "<I", "cmdline"),
                           (0x258, "<Q", "pref"),
                           (0x260, "<I", "init_size")):
        struct.pack_into(form, image, at, value[name])
    return bytes(image)


MULTIBOOT = 0x1badb002


def multiboot_header(flags, *addresses):
    return struct.pack("<III", MULTIBOOT, flags,
                       -(MULTIBOOT + flags) & 0xffffffff) + \
        struct.pack(f"<{len(addresses)}I", *addresses)


def elf(bits, segments, entry, extra=b""):
    """segments: type, address, bytes, memory size; extra stands after the
    program headers."""
    wide = bits == 64
    header, entry_size = (64, 56) if wide else (52, 32)
    at = header + entry_size * len(segments) + len(extra)
    table, content = b"", extra
    for kind, address, data, size in segments:
        if wide:
            table += struct.pack("<IIQQQQQQ", kind, 7, at, address, address,
                                 len(data), size, 4)
        else:
            table += struct.pack("<8I", kind, at, address, address, len(data),
                                 size, 7, 4)
        content += data
        at += len(data)
    ident = pad(b"\x7fELF" + bytes([2 if wide else 1, 1, 1]), 16)
    head = struct.pack("<HHIQQQIHHHHHH" if wide else "<HHIIIIIHHHHHH", 2,
                       62 if wide else 3, 1, entry, header, 0, 0, header,
                       entry_size, len(segments), 0, 0, 0)
    return ident + head + table + content


def kernels():
    note = struct.pack("<III", 4, 4, 18) + b"Xen\0" + \
        struct.pack("<I", 0x100010)
    note8 = struct.pack("<III", 4, 8, 18) + b"Xen\0" + \
        struct.pack("<Q", 0x100010)
    other = struct.pack("<III", 4, 4, 1) + b"GNU\0" + bytes(4)
    code = bytes(range(64)) * 2
    yield bzimage()
    yield bzimage(relocatable=0)
    yield bzimage(pref=0x300000, alignment=0x200000)
    yield bzimage(setup_sects=0)
    yield bzimage(version=0x20b)
    yield bzimage(xloadflags=0)
    yield bzimage(cmdline=4)
    yield bzimage(init_size=4)
    yield bzimage(init_size=0x40000000)
    for bits in (32, 64):
        load = (1, 0x100000, code, 0x400)
        for body in (note, other + note, note8):
            yield elf(bits, [load, (4, 0, body, len(body))], 0x100000)
        yield elf(bits, [load, (1, 0x100200, code, 128),
                         (4, 0, note, len(note))], 0x100000)
        yield elf(bits, [load, (4, 0, other, len(other))], 0x100000)
        yield elf(bits, [load, (1, 0x200000, code, 0x1000)], 0x100004,
                  multiboot_header(3))
        yield elf(bits, [load], 0x900004, multiboot_header(0))
        yield elf(bits, [(1, 0xb0000, code, 128), (4, 0, note, len(note))],
                  0xb0000)
    flat = (0x10000, 0x100000, 0x100000, 0x100080, 0x100200, 0x100020)
    yield pad(multiboot_header(*flat), 128)
    yield bytes(32) + pad(multiboot_header(0x10000, 0x100020, 0x100000, 0,
                                           0, 0x100040), 128)
    yield pad(multiboot_header(0x10008, *flat[1:]), 128)
    yield pad(multiboot_header(0), 64)
    yield b"no kernel at all"


def bundle(uplinks, vms, nics, macs, payloads, how):
    """uplinks: name, match; vms: name, nics of it; nics: MACs of each."""
    config_at = 96 + 96 * payloads
    strings = b"console=ttyS0\0"
    tables = b""
    for index, (name, match) in enumerate(uplinks):
        tables += struct.pack("<32sIH6sI", name, match, index << 3,
                              b"\x52\x54\0\0\0" + bytes([index + 1]), 0)
    first = 0
    for index, (name, count) in enumerate(vms):
        tables += struct.pack("<32sIIIIQII", name, 1 + index % 4,
                              index % max(1, payloads), 0xffffffff, 0,
                              64 << 20, first, count)
        first += count
    at = 0
    for index in range(nics):
        tables += struct.pack("<II6sHII", 0, index & 1,
                              b"\x52\x54\0\0\x01" + bytes([index + 1]), macs,
                              at, 0)
        at += macs
    for index in range(at):
        tables += struct.pack("<6s2x", b"\x52\x54\0\0\x02" +
                              bytes([index + 1]))
    size = 64 + len(tables) + len(strings)
    config = struct.pack("<9I28x", 0x47464353, 1, size, len(uplinks), len(vms),
                         nics, at, len(strings), 3) + tables + strings
    head = config_at + size
    table, body = b"", b""
    start = (head + 4095) & ~4095
    for index in range(payloads):
        table += struct.pack("<QQ32s48s", start + len(body), 16, bytes(32),
                             b"vmlinuz")
        body += pad(b"payload", 16 if index == payloads - 1 else 4096)
    whole = start + len(body)
    header = struct.pack("<B7sIIQIIII32s24x", how, b"LUICEB1", 1, head, whole,
                         payloads, config_at, size, 0, bytes(32))
    return pad(header + table + config, start) + body


def heads(uplinks, vms, nics, macs, payloads):
    whole = bundle(uplinks, vms, nics, macs, payloads, 31)
    return whole[:struct.unpack_from("<I", whole, 12)[0]]


def bundles():
    up = [(b"up0", 1)]
    for how in (15, 9, 11, 0):
        yield bundle(up, [(b"web", 1)], 1, 0, 1, how)
    # Heads alone; the fuzzer adds pages.
    yield heads(up, [(b"web", 1)], 1, 0, 1)
    yield heads(up + [(b"up1", 2)], [(b"web", 1), (b"b-c", 1)], 2, 1, 2)
    yield bundle(up + [(b"up1", 2), (b"up2", 0)], [(b"web", 1), (b"b-c", 2)],
                 3, 2, 2, 15)
    yield bundle([], [(b"web", 0)], 0, 0, 1, 15)
    yield bundle(up, [], 0, 0, 1, 15)


def configurations():
    for path in glob.glob(os.path.join(ROOT, "examples", "*.yaml")):
        with open(path, "rb") as file:
            yield file.read()
    one = b"vms:\n  - {name: a, memory: 64M, kernel: k, cpus: 1}\n"
    yield one
    yield b"log_level: debug\n" + one
    yield b"uplinks:\n  - {name: up0, match: {pci: \"00:02.0\"}}\n" \
        b"  - name: up1\n" + one.replace(
            b"cpus: 1", b"cpus: 2, initrd: i, cmdline: 'x y',\n    nics: ["
            b"{network: up0, promiscuous: true, allow_macs: "
            b"[\"52:54:00:01:00:07\"]},\n           {network: up1, "
            b"mac: \"52:54:00:01:00:09\"}]")
    yield one.replace(b"kernel", b"cmdline: " + b"x" * 2048 + b", kernel")
    yield one.replace(b"64M", b"2048G")
    for name in (b"Web", b"a.b", b"'a b'", b"a" * 32, b"0-_", b"''"):
        yield one.replace(b"name: a", b"name: " + name)
    yield one.replace(b"64M", b"65M")
    yield one.replace(b"64M", b"1M")
    yield one + one[5:]
    for match in (b"mac: \"52:54:00:00:00:02\"", b"pci: \"00:02.0\""):
        yield b"uplinks:\n" + b"".join(
            b"  - {name: up%d, match: {%s}}\n" % (n, match)
            for n in range(2)) + one
    # The texts of the unit test are cases by themselves.
    test = os.path.join(ROOT, "tests/unit/tools/plan_test.c")
    with open(test, encoding="utf-8") as file:
        text = file.read()
    for match in re.finditer(r'(?:"(?:[^"\\\n]|\\.)*"\s*)+', text):
        joined = "".join(re.findall(r'"((?:[^"\\\n]|\\.)*)"', match.group()))
        joined = joined.encode().decode("unicode_escape").encode("latin-1")
        if b"vms" in joined and len(joined) < 2000:
            yield joined


def table(kind, body, how=0):
    body = pad(body, (len(body) + 1) & ~1)[:510]
    return bytes([kind, how, len(body) // 2]) + body


def firmware():
    madt = bytes.fromhex("0000e0fe01000000" "0008000001000000"
                         "0008010201000000" "09100000080000000100000000000000"
                         "010c00000000c0fe00000000" "020a0000020000000000")
    dsdt = b"\x08_S5_\x12\x0a\x04\x0a\x05\x0b\x06\x00\x00\x00"
    dsdt2 = b"\0\x08\\_S5_\x12\x04\x02\x01\x00"
    fadt = bytearray(220)
    struct.pack_into("<I", fadt, 48 - 36, 0xb2)
    struct.pack_into("<I", fadt, 64 - 36, 0x604)
    struct.pack_into("<I", fadt, 76 - 36, 0x608)
    struct.pack_into("<I", fadt, 112 - 36, 1 << 10)
    struct.pack_into("<BBBBQB", fadt, 116 - 36, 1, 8, 0, 1, 0xcf9, 15)
    reduced = bytearray(fadt)
    struct.pack_into("<I", reduced, 112 - 36, 1 << 10 | 1 << 20)
    struct.pack_into("<BBBBQ", reduced, 244 - 36, 1, 8, 0, 1, 0x600)
    mcfg = bytes(8) + struct.pack("<QHBBI", 0xb0000000, 0, 0, 255, 0)
    hpet = bytes(4) + struct.pack("<BBBBQ", 0, 64, 0, 0, 0xfed00000)
    for how in (0x00, 0x04, 0x08, 0x0c, 0x2c, 0x4c):
        yield bytes([how]) + table(4, dsdt) + table(1, bytes(fadt)) + \
            table(0, madt) + table(2, mcfg) + table(3, hpet)
    yield b"\x0c" + table(4, dsdt2) + table(1, bytes(reduced)) + \
        table(0, madt) + table(5, dsdt)
    yield b"\x0c" + table(0, madt + madt[28:40] * 9, 0x38)
    yield b"\x0c" + table(0, madt) + table(2, mcfg * 8) + table(7, b"x")
    cpus = b"".join(bytes([0, 8, n, n, 1, 0, 0, 0]) for n in range(62))
    yield b"\x0c" + table(0, bytes(8) + cpus) + table(0, madt)
    many = b"".join(struct.pack("<BBHIIIBBH", 1, 12, n, 0xfec00000, n, 0x0a02,
                                n, n, 0) for n in range(20))
    yield b"\x0c" + table(0, bytes(8) + cpus[:8] + many)
    x2 = b"".join(struct.pack("<BBHIII", 9, 16, 0, n * 16, 1, n)
                  for n in range(28))
    yield b"\x0c" + table(0, bytes(8) + x2 + madt[32:])
    regions = b"".join(struct.pack("<QQII", n << 24, 1 << 20, 1, 0)
                       for n in range(70))
    yield b"\1" + pad(struct.pack("<IIIIQQQQII", 1, 1, 0, 0, 0, 0, 0, 0x1040,
                                  70, 0), 0x40) + regions
    start = struct.pack("<IIIIQQQQII", 1, 1, 0, 1, 0x1100, 0, 0xf0000,
                        0x1200, 3, 0)
    yield b"\1" + pad(pad(start, 0x100) +
                      struct.pack("<QQQQ", 1 << 24, 4096, 0, 0), 0x200) + \
        struct.pack("<QQII", 0, 0xa0000, 1, 0) + \
        struct.pack("<QQII", 1 << 20, 1 << 30, 1, 0) + \
        struct.pack("<QQII", 1 << 32, 1 << 30, 2, 0)


def console():
    yield b"\x0bhello\nworld\x22\x1b[1mbold\x1b[0m\n"
    yield b"\x04ab\rc\x24d\b\b\b\x83\xa0"
    yield b"\x0f\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80\xc2\x85\xed\xa0\x80\n"
    yield b"\x0d\x1b]0;title\x07ok\x1b\\\n"
    yield b"\x62\x1d2\x62\x1dn\x62\x1d?\x62\x1dr\x62\x1dq\x63abc\xc5\xa0"
    yield b"\xe0x\xe1\xc3\x80\x0b\x1b[2J\x1b[K\x1b[31m"


def virtqueue():
    """A long queue; an indirect table, whole or in pieces; made available, and
    popped."""
    for count in (1, 16, 25, 32, 255):
        for pieces in (0, 9, 255):
            for readable in (0, 2, 255):
                yield bytes([15, 10, 0, 0, 0, 0, 0, 0,
                             30, 0, count, 1, pieces, readable, 0, 0,
                             3, 0, 0, 0, 0, 0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0])
    for wrong in range(3):
        rings = bytearray(8)
        rings[0:2] = 15, 6
        rings[2 + wrong] = 255
        yield bytes(rings) + bytes([7, 0, 0, 0, 0, 0, 0, 0])


def vnet():
    """A queue that is not there, selected and looked at; then some traffic."""
    select = bytes([5, 0x16, 1, 0, 5, 0, 0, 0])
    look = b"".join(bytes([6, at, 1, 0, 0, 0, 0, 0])
                    for at in (0x18, 0x1a, 0x1c, 0x20))
    yield select + look
    offer = bytes([0x42, 3, 200, 0, 0, 0, 0, 0])
    send = bytes([0x41, 1, 100, 0, 0, 0, 0, 0])
    back = bytes([0x43, 1, 100, 0, 0, 0, 0, 0])
    yield offer + send + back + bytes([0x45, 8, 0, 0, 0, 0, 0, 0])
    yield offer + bytes([0x47, 0, 3, 50, 1, 9, 0, 0]) + b"x"


def main():
    with_options = [(kernel + bytes([options]))
                    for kernel in kernels() for options in (0, 1)]
    for name, inputs in (("load", with_options), ("bundle", bundles()),
                         ("yaml", configurations()), ("firmware", firmware()),
                         ("console", console()), ("vnet", vnet()),
                         ("virtqueue", virtqueue())):
        folder = os.path.join(sys.argv[1], name)
        os.makedirs(folder, exist_ok=True)
        for index, data in enumerate(inputs):
            with open(os.path.join(folder, f"seed-{index}"), "wb") as file:
                file.write(data)


if __name__ == "__main__":
    main()
