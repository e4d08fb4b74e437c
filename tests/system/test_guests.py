# SPDX-License-Identifier: GPL-2.0-or-later
"""Payload kernels (tests/guest) check the hypervisor's promises from inside."""

import pytest
from machine import Machine

FOLDER = "build/tests/system"
SECONDS = 90
VM = """\
  - name: {name}
    cpus: 2
    memory: 64M
    kernel: build/guest/tests/{payload}.elf
    nics: [{{network: up0, mac: "52:54:00:01:00:{mac:02x}"}}]
"""


def config(*vms):
    return "uplinks: [{name: up0}]\nvms:\n" + "".join(
        VM.format(name=name, payload=payload, mac=i + 1)
        for i, (name, payload) in enumerate(vms))


@pytest.mark.parametrize("payload", ["exceptions", "cpuid_msr", "apic",
                                     "mmio"])
def test_payload(payload):
    with Machine(FOLDER, payload, config(("guest", payload)),
                 seconds=SECONDS) as m:
        _, result = m.wait_for(r"guest-result: pass (\d+) fail (\d+)",
                               "guest")
        report = m.report()
        failures = [line.text for line, _ in m.find(r"^FAIL", "guest")]
        assert not failures
        assert int(result.group(1)) > 0 and result.group(2) == "0"
        assert report["vms"][0]["state"] == "off"


def test_triple_fault_stops_one_vm():
    """It is stopped with its registers logged; the other runs to its end."""
    with Machine(FOLDER, "triple", config(("bad", "triple_fault"),
                                          ("good", "apic")),
                 seconds=SECONDS) as m:
        m.wait_for(r"^stopped: triple fault")
        # The payload loads known values before it faults.
        m.wait_for(r"rbx 5111ce00dead0001")
        _, result = m.wait_for(r"guest-result: pass (\d+) fail 0", "good")
        report = m.report()
        assert int(result.group(1)) > 0
        assert {vm["name"]: vm["state"] for vm in report["vms"]} == {
            "bad": "crashed", "good": "off"}
