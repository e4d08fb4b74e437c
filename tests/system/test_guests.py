# SPDX-License-Identifier: GPL-2.0-or-later
"""Payload guests: each checks promises of the hypervisor from inside."""

import socket

import pytest

from conftest import configuration, failures, payload
from machine import ledger_errors

SECONDS = 90


@pytest.mark.parametrize("name", ["exceptions", "cpuid_msr", "apic", "mmio",
                                  "exits"])
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


@pytest.mark.parametrize("name", ["nmi", "pending_window"])
def test_guest_interrupts(boot, name):
    box = boot(configuration(payload(name, cpus=2)), seconds=SECONDS)
    assert failures(box, name) == []
    assert [vm["state"] for vm in box.report()["vms"]] == ["off"]


def test_switched_state(boot):
    """Two VMs on one CPU: neither finds the other's registers."""
    def one_cpu(command):
        command[command.index("-smp") + 1] = "1"
        return command

    names = ["state1", "state2"]
    box = boot(configuration(*(payload("switched_state", name,
                                       cmdline=f"seed={i + 1} cpus=1")
                               for i, name in enumerate(names))),
               seconds=SECONDS, edit=one_cpu)
    for name in names:
        assert failures(box, name) == []


def test_endless_debug_exceptions(boot):
    """XSA-156: such a guest harms nobody but itself."""
    box = boot(configuration(payload("debug_loop"),
                             payload("ticker")), seconds=SECONDS)
    box.wait_for("debug_loop: now", "debug_loop")
    before = len(box.find("^tick ", "ticker"))
    box.wait_for("^tick ", "ticker", count=before + 10)
    assert not box.find("an endless loop", "debug_loop")


def test_panic(boot, tmp_path):
    """Registers and a backtrace with names; and `sluice run` fails."""
    path = str(tmp_path / "monitor")
    box = boot(configuration(payload("ticker")), seconds=SECONDS, arguments=[
        "--qemu-arg=-monitor", f"--qemu-arg=unix:{path},server=on,wait=off"])
    box.wait_for("^tick 3$", "ticker")
    with socket.socket(socket.AF_UNIX) as monitor:
        monitor.connect(path)
        monitor.sendall(b"nmi\n")
        assert box.wait_off() == 3
    said = [line.text for line in box.lines if line.area == "panic"]
    assert any("VMkernel exception 2: NMI" in text for text in said)
    assert any(text.startswith("rax ") for text in said)
    assert any("sched_main" in text for text in said)
    assert said[-1] == "machine stopped"
