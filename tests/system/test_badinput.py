# SPDX-License-Identifier: GPL-2.0-or-later
"""Machines and bundles that are not right: one clear message, and an end.

What the sluice command says to a bad configuration is in test_tool.py.
"""

import os
import random
import shutil

import pytest

from conftest import configuration, payload

SECONDS = 60


def replaced(option, value):
    """An edit of QEMU's command line: another value for one option."""
    def edit(command):
        command[command.index(option) + 1] = value
        return command
    return edit


def errors(box, code=0):
    """The machine ends by itself; its complaints."""
    assert box.wait_off() == code
    assert not box.find(r"\bpanic\b")
    return [line.text for line in box.lines if line.level == "error"]


def gives_up(box):
    """The same, where the whole machine has nothing to run and says so."""
    messages = errors(box, code=1)
    assert messages[-1] == "nothing to run: powering off"
    return messages


def test_no_virtualization(boot):
    box = boot(configuration(payload("mmio")), seconds=SECONDS,
               edit=replaced("-cpu", "EPYC,-svm"))
    assert gives_up(box)[0] == (
        "cannot run virtual machines: this CPU has neither AMD's SVM nor "
        "Intel's VT-x; use a machine (or 'qemu -cpu EPYC,+svm') that has one")


def test_no_xsave(boot):
    box = boot(configuration(payload("mmio")), seconds=SECONDS,
               edit=replaced("-cpu", "EPYC,+svm,-xsave"))
    assert gives_up(box)[0].startswith(
        "cannot run virtual machines: this CPU has no XSAVE")


def test_no_nic(boot):
    def other_nic(command):
        return [word.replace("e1000e,", "e1000,") for word in command]

    box = boot(configuration(payload("mmio")), seconds=SECONDS,
               edit=other_nic)
    messages = gives_up(box)
    assert messages[0].startswith("no NIC found for uplink up0: Sluice drives")
    assert any("8086:100e" in message for message in messages), \
        "it names the NIC that is there"


def test_no_such_mac(boot):
    def other_mac(command):
        return [word.replace("mac=52:54:00:00:00:02", "mac=52:54:00:00:00:77")
                for word in command]

    box = boot(configuration(payload("mmio")), seconds=SECONDS,
               edit=other_mac)
    assert gives_up(box)[0].startswith("no NIC found for uplink up0")


def test_no_bundle(boot):
    def without(command):
        at = command.index("-initrd")
        return command[:at] + command[at + 2:]

    box = boot(configuration(payload("mmio")), seconds=SECONDS, edit=without)
    assert gives_up(box)[0].startswith("no bundle was given: pass the file")


def changed_bundle(change):
    """An edit that leaves the command as it is, and changes the bundle."""
    def edit(command):
        path = command[command.index("-initrd") + 1]
        with open(path, "r+b") as f:
            change(f, os.path.getsize(path))
        return command
    return edit


@pytest.mark.parametrize("keep,message", [
    (10, "shorter than its header"), (96, "cut short"), (4095, "cut short"),
    (0.5, "cut short"), (-1, "cut short")])
def test_truncated_bundle(boot, keep, message):
    def cut(f, size):
        f.truncate(int(size * keep) if isinstance(keep, float)
                   else size - 1 if keep < 0 else keep)

    box = boot(configuration(payload("mmio")), seconds=SECONDS,
               edit=changed_bundle(cut))
    complaint = gives_up(box)[0]
    assert complaint.startswith("the bundle is not usable: ")
    assert message in complaint


def test_not_a_bundle(boot):
    def other(f, size):
        f.write(random.Random(1).randbytes(min(size, 65536)))

    box = boot(configuration(payload("mmio")), seconds=SECONDS,
               edit=changed_bundle(other))
    assert gives_up(box)[0] == ("the bundle is not usable: This is no Sluice "
                              "bundle; give the file that 'sluice build' "
                              "wrote as the initrd.")


def test_damaged_configuration(boot):
    def flip(f, _):
        f.seek(300)
        byte = f.read(1)[0]
        f.seek(300)
        f.write(bytes([byte ^ 1]))

    box = boot(configuration(payload("mmio")), seconds=SECONDS,
               edit=changed_bundle(flip))
    assert gives_up(box)[0].startswith(
        "the bundle is not usable: The bundle's head is damaged")


def test_damaged_kernel(boot):
    """Only the VM whose kernel it is stays off."""
    def flip(f, _):
        # Payloads are stored in the order of the VMs that name them.
        f.seek(4096 + 2000)
        byte = f.read(1)[0]
        f.seek(4096 + 2000)
        f.write(bytes([byte ^ 1]))

    box = boot(configuration(payload("exceptions"), payload("mmio")),
               seconds=SECONDS, edit=changed_bundle(flip))
    box.wait_for(r"^guest-result: pass \d+ fail 0", "mmio")
    assert len(errors(box)) == 1
    line, _ = box.find("its kernel or initrd in the bundle is damaged")[0]
    assert line.area == "exceptions"
    assert not box.find(".", "exceptions")
    assert {vm["name"]: vm["state"] for vm in box.report()["vms"]} == {
        "exceptions": "crashed", "mmio": "off"}


def test_more_memory_than_there_is(boot):
    """The VM that does not fit is named; the other one runs."""
    box = boot(configuration(payload("exceptions", memory="1G"),
                             payload("mmio")), seconds=SECONDS,
               edit=replaced("-m", "512M"))
    box.wait_for(r"^guest-result: pass \d+ fail 0", "mmio")
    box.wait_off()
    line, match = box.find(r"needs 1024 MiB, the machine has (\d+) MiB left: "
                           "give it less `memory:` or the machine more")[0]
    assert (line.level, line.area) == ("error", "exceptions")
    assert int(match.group(1)) < 512
    assert not box.find(".", "exceptions")


def test_more_cpus_than_there_are(boot):
    box = boot(configuration(payload("exceptions", cpus=2), payload("mmio")),
               seconds=SECONDS, edit=replaced("-smp", "1"))
    box.wait_for(r"^guest-result: pass \d+ fail 0", "mmio")
    box.wait_off()
    line, _ = box.find("has 2 vCPUs, the machine has 1 CPUs: give it fewer "
                       "`cpus:` or the machine more")[0]
    assert (line.level, line.area) == ("error", "exceptions")
    assert not box.find(".", "exceptions")


def test_large_bundle(boot, tmp_path):
    """700 MiB: found, hashed, and handed to the guest, however QEMU put it."""
    free = shutil.disk_usage(tmp_path).free
    assert free > 2 << 30, "the test needs 2 GiB of disk"
    initrd = tmp_path / "large.initrd"
    with open(initrd, "wb") as f:
        f.truncate(700 << 20)
        for offset in range(0, 700 << 20, 64 << 20):
            f.seek(offset)
            f.write(random.Random(offset).randbytes(4096))
    box = boot(configuration(payload("mmio", memory="1G",
                                     initrd=str(initrd))), seconds=280)
    # QEMU's loading and the hash take long: it says what it is doing.
    box.wait_for("checking large.initrd, 700 MiB")
    os.remove(initrd)
    box.wait_for(r"^guest-result: pass \d+ fail 0", "mmio")
    report = box.report()
    assert report["vms"][0]["state"] == "off"
