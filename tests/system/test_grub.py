# SPDX-License-Identifier: GPL-2.0-or-later
"""Boot from a medium: GRUB and Multiboot 2 instead of QEMU's -kernel."""

from conftest import configuration, failures, payload
from iso import make_iso
from test_badinput import gives_up

SECONDS = 90


def from_iso(folder, with_bundle):
    """An edit of QEMU's command line: the same files, on an ISO."""
    def edit(command):
        for option in ("-kernel", "-initrd"):
            at = command.index(option)
            path = command[at + 1]
            command = command[:at] + command[at + 2:]
        iso = make_iso(str(folder), path if with_bundle else None)
        return [*command, "-cdrom", iso]
    return edit


def test_multiboot2(boot, tmp_path):
    box = boot(configuration(payload("mmio")), seconds=SECONDS,
               edit=from_iso(tmp_path, True))
    assert failures(box, "mmio") == []
    report = box.report()
    assert [vm["state"] for vm in report["vms"]] == ["off"]
    # The bundle is where GRUB has put it: accounted for, and not as free.
    memory = report["memory"]
    assert memory["boot_bytes"] > 0
    assert memory["total_bytes"] >= sum(
        memory[kind] for kind in ("kernel_bytes", "guest_bytes", "boot_bytes",
                                  "free_bytes"))


def test_multiboot2_without_module(boot, tmp_path):
    box = boot(configuration(payload("mmio")), seconds=SECONDS,
               edit=from_iso(tmp_path, False))
    assert gives_up(box)[0].startswith("no bundle was given")
