# SPDX-License-Identifier: GPL-2.0-or-later
"""What the system tests share: configurations, and machines that end."""

import contextlib
import os
import sys

import pytest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import machine

UPLINK = '{name: up0, match: {mac: "52:54:00:00:00:02"}}'


def configuration(*vms, uplinks=(UPLINK,)):
    """YAML text of the VMs, each a dictionary of plain values."""
    text = "uplinks:\n" if uplinks else ""
    text += "".join(f"  - {uplink}\n" for uplink in uplinks)
    text += "vms:\n"
    for index, vm in enumerate(vms):
        settings = {"cpus": 1, "memory": "64M", **vm}
        if uplinks and "nics" not in settings:
            settings["nics"] = ('[{network: up0, mac: "52:54:00:01:00:'
                                f'{index + 1:02x}"}}]')
        lines = [f"{key}: {value}" for key, value in settings.items()
                 if value is not None]
        text += "  - " + "\n    ".join(lines) + "\n"
    return text


def payload(name, vm=None, **settings):
    """A VM that runs the payload kernel of tests/guest/NAME."""
    return {"name": vm or name, "kernel": f"build/guest/tests/{name}.elf",
            **settings}


def failures(box, vm, seconds=90):
    """The guest's own verdict must be there; what it says failed."""
    _, match = box.wait_for(r"^guest-result: pass (\d+) fail (\d+)", vm,
                            seconds)
    failed = [line.text for line, _ in box.find("^FAIL ", vm)]
    assert int(match.group(1)) > 0
    assert int(match.group(2)) == len(failed)
    return failed


@pytest.fixture
def boot(tmp_path):
    """boot(CONFIG, ...): a Machine, which is ended with the test."""
    machines = []

    def start(config, **options):
        box = machine.Machine(str(tmp_path), f"box{len(machines)}", config,
                              **options)
        machines.append(box)
        return box

    yield start
    for box in machines:
        box.kill()
        # Logs stay for whoever wants to know; hundreds of megabytes do not.
        with contextlib.suppress(FileNotFoundError):
            os.remove(box.bundle)
