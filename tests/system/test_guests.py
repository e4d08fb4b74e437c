# SPDX-License-Identifier: GPL-2.0-or-later
"""Payload guests: each checks promises of the hypervisor from inside."""

import pytest

from conftest import configuration, payload
from machine import ledger_errors

SECONDS = 90


def failures(box, vm):
    """The guest's own verdict must be there; what it says failed."""
    _, match = box.wait_for(r"^guest-result: pass (\d+) fail (\d+)", vm,
                            SECONDS)
    failed = [line.text for line, _ in box.find("^FAIL ", vm)]
    assert int(match.group(1)) > 0
    assert int(match.group(2)) == len(failed)
    return failed


@pytest.mark.parametrize("name", ["exceptions", "cpuid_msr", "apic", "mmio"])
def test_guest(boot, name):
    box = boot(configuration(payload(name, cpus=2)), seconds=SECONDS)
    assert failures(box, name) == []
    report = box.report()
    assert [vm["state"] for vm in report["vms"]] == ["off"]
    assert ledger_errors(report) == []


def test_bios(boot):
    """A kernel that starts in real mode, and at its end boots the next."""
    box = boot(configuration({"name": "bios",
                              "kernel": "build/guest/tests/bios.bzimage"}),
               seconds=SECONDS)
    assert failures(box, "bios") == []
    assert [vm["state"] for vm in box.report()["vms"]] == ["off"]
    assert box.find("^Nothing to boot: power off", "bios")


def test_guests_side_by_side(boot):
    """Four VMs on two CPUs: none sees what another does."""
    names = ["exceptions", "cpuid_msr", "apic", "mmio"]
    box = boot(configuration(*(payload(name, cpus=2 if name == "apic" else 1)
                               for name in names)), seconds=SECONDS)
    for name in names:
        assert failures(box, name) == []
    assert {vm["name"]: vm["state"] for vm in box.report()["vms"]} == {
        name: "off" for name in names}


def test_triple_fault(boot):
    """It is stopped, its registers are logged, and the other one runs on."""
    box = boot(configuration(payload("triple_fault"),
                             payload("apic", "other", cpus=2)),
               seconds=SECONDS)
    crash, _ = box.wait_for("stopped: triple fault")
    assert crash.level == "error"
    assert crash.area == "triple_fault/0"
    assert failures(box, "other") == []
    report = box.report()
    assert {vm["name"]: vm["state"] for vm in report["vms"]} == {
        "triple_fault": "crashed", "other": "off"}
    registers = " ".join(line.text for line in box.lines
                         if line.area == "triple_fault/0")
    # What the payload put into rbx and r12.
    assert "rbx 5111ce00dead0001" in registers
    assert "r12 5111ce00dead0002" in registers
    assert "cr0 " in registers and "rip " in registers
    assert box.find("still running", "triple_fault") == []
    # The other one's verdict came after the crash.
    result, _ = box.find("^guest-result", "other")[0]
    assert result.when >= crash.when
