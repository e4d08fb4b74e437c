# SPDX-License-Identifier: GPL-2.0-or-later
"""The Intel back end, on the VT-x that Bochs emulates; booted by GRUB."""

import os

import pytest

from bochs import Bochs
from conftest import configuration, failures, payload
from iso import make_iso
from machine import sluice

SECONDS = 100


@pytest.fixture
def boot_bochs(tmp_path):
    """boot_bochs(CONFIG): a Bochs that has run it. No uplinks: an i440fx has
    neither the NIC nor the interrupts that Sluice's driver wants."""
    def run(*vms, cpus=1):
        config = tmp_path / "box.yaml"
        bundle = tmp_path / "box.bundle"
        config.write_text(configuration(*vms, uplinks=()))
        build = sluice("build", "-o", str(bundle), str(config))
        assert build.returncode == 0, build.stderr
        iso = make_iso(str(tmp_path), str(bundle))
        try:
            return Bochs(str(tmp_path), iso, cpus=cpus, seconds=SECONDS)
        finally:
            os.remove(iso)
            os.remove(bundle)
    return run


def small(name, **settings):
    return payload(name, memory="16M", **settings)


def test_guests(boot_bochs):
    """All kinds of exits, interrupts, vCPUs that wake each other across CPUs,
    and a guest that dies."""
    box = boot_bochs(small("exits"), small("apic", cpus=2),
                     small("triple_fault"), cpus=2)
    box.wait_for("^2 CPUs online")
    for name in ("exits", "apic"):
        assert failures(box, name) == []
    crash, _ = box.wait_for("stopped: triple fault")
    assert crash.area == "triple_fault/0"
    registers = " ".join(line.text for line in box.lines
                         if line.area == "triple_fault/0")
    # What the payload put into rbx and r12.
    assert "rbx 5111ce00dead0001" in registers
    assert "r12 5111ce00dead0002" in registers
    vms = {vm["name"]: vm for vm in box.report()["vms"]}
    assert {name: vm["state"] for name, vm in vms.items()} == {
        "triple_fault": "crashed", "exits": "off", "apic": "off"}
    exits = vms["exits"]
    for reason in ("io", "cpuid", "nested_fault", "irq_window", "hlt",
                   "retry"):
        assert exits["exits"][reason] >= 1, reason
    assert exits["interrupts"] == 2
    # vCPUs kick each other out of the guest.
    assert vms["apic"]["exits"]["interrupt"] >= 1


def test_one_cpu(boot_bochs):
    """Guests that share it: neither finds the other's registers."""
    names = ["cpuid_msr", "exceptions"]
    states = ["state1", "state2"]
    box = boot_bochs(*(small(name) for name in names),
                     *(payload("switched_state", name, memory="16M",
                               cmdline=f"seed={i + 1} cpus=1")
                       for i, name in enumerate(states)))
    for name in (*names, *states):
        assert failures(box, name) == []
