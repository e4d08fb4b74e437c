# SPDX-License-Identifier: GPL-2.0-or-later
"""Kernels that are no bzImage: PVH and Multiboot 1, and what they are told."""

from conftest import configuration, failures, payload

SECONDS = 60
# The payloads know it, and how their module's bytes run.
MODULE_SIZE = 100001


def module(folder):
    path = folder / "module.bin"
    path.write_bytes(bytes((i * 7 + (i >> 8)) & 0xff
                           for i in range(MODULE_SIZE)))
    return str(path)


def test_pvh(boot, tmp_path):
    """A 64-bit ELF and a 32-bit one, each with a note, entered by it."""
    vms = {"pvh64": "pvh.elf64", "pvh32": "pvh.elf"}
    box = boot(configuration(*(
        {"name": name, "kernel": f"build/guest/tests/{file}",
         "initrd": module(tmp_path), "cmdline": "kind=pvh quiet  two=2"}
        for name, file in vms.items())), seconds=SECONDS)
    for name in vms:
        assert failures(box, name) == []
    assert [vm["state"] for vm in box.report()["vms"]] == ["off", "off"]


def test_multiboot(boot, tmp_path):
    box = boot(configuration(payload("multiboot", initrd=module(tmp_path),
                                     cmdline="kind=1 quiet  two=2")),
               seconds=SECONDS)
    assert failures(box, "multiboot") == []
    assert [vm["state"] for vm in box.report()["vms"]] == ["off"]
