# SPDX-License-Identifier: GPL-2.0-or-later
"""A machine or a bundle that cannot do: one clear message, then power-off."""

import os
import shutil

import pytest
from machine import ROOT, Machine, sluice

FOLDER = "build/tests/system"
SECONDS = 60
CONFIG = """\
uplinks: [{{name: up0}}]
vms:
  - name: guest
    cpus: 1
    memory: {memory}
    kernel: build/guest/tests/mmio.elf
    nics: [{{network: up0, mac: "52:54:00:01:00:01"}}]
"""


def run(name, *qemu, memory="64M"):
    arguments = [word for arg in qemu for word in ("--qemu-arg", arg)]
    return Machine(FOLDER, name, CONFIG.format(memory=memory),
                   arguments=arguments, seconds=SECONDS)


def bundle(name, config):
    """The path of a bundle of this configuration."""
    path = os.path.join(ROOT, FOLDER, name + ".bundle")
    source = os.path.join(ROOT, FOLDER, name + ".yaml")
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(source, "w", encoding="utf-8") as f:
        f.write(config)
    built = sluice("build", "-o", path, source)
    assert built.returncode == 0, built.stderr
    return path


def damaged(name, change):
    """The path of a bundle that change(bytearray) has spoiled."""
    path = bundle(name, CONFIG.format(memory="64M"))
    with open(path, "rb") as f:
        data = change(bytearray(f.read()))
    with open(path + ".bad", "wb") as f:
        f.write(data)
    return path + ".bad"


def flip(offset):
    def change(data):
        data[offset] ^= 0x20
        return data
    return change


def test_no_svm():
    with run("nosvm", "-cpu", "EPYC,-svm") as m:
        m.wait_for(r"cannot run virtual machines: this CPU has no SVM; use ")
        assert m.wait_off() == 0


def test_no_nic():
    """The machine has a NIC, but not the one that the bundle asks for."""
    other = bundle("nonic", CONFIG.format(memory="64M").replace(
        "{name: up0}", '{name: up0, match: {mac: "52:54:00:00:00:77"}}'))
    with run("nonic-run", "-initrd", other) as m:
        m.wait_for(r"no NIC found for uplink up0: .*see its `match:`")
        m.wait_for(r"powering off")
        assert m.wait_off() == 0


@pytest.mark.parametrize("name,change,message", [
    ("truncated", lambda data: data[:3000], r"The bundle is cut short"),
    ("head", flip(300), r"The bundle's head is damaged"),
    ("magic", flip(0), r"the bundle is not usable: "),
])
def test_bad_bundle(name, change, message):
    bad = damaged(name, change)
    with run(name + "-run", "-initrd", bad) as m:
        m.wait_for(message)
        m.wait_for(r"powering off")
        assert m.wait_off() == 0


def test_damaged_payload():
    """Found before the VM starts; the VM is named and is left out."""
    bad = damaged("payload", flip(12000))
    with run("payload-run", "-initrd", bad) as m:
        line, _ = m.wait_for(r"its kernel or initrd in the bundle is damaged")
        assert line.area == "guest"
        assert m.report()["vms"][0]["state"] == "crashed"


def test_too_much_memory():
    with run("memory", "-m", "512M", memory="1G") as m:
        line, _ = m.wait_for(r"needs 1024 MiB, the machine has \d+ MiB left: "
                             r"give it less `memory:` or the machine more")
        assert line.area == "guest"
        assert m.wait_off() == 0


def test_large_bundle():
    """700 MiB of initrd, sparse on this disk."""
    space = shutil.disk_usage(ROOT).free
    assert space > 2 << 30, "the test needs 2 GiB of disk"
    initrd = os.path.join(ROOT, FOLDER, "large.initrd")
    os.makedirs(os.path.dirname(initrd), exist_ok=True)
    with open(initrd, "wb") as f:
        f.truncate(700 << 20)
    config = (CONFIG.format(memory="1G") + f"    initrd: {initrd}\n")
    try:
        with Machine(FOLDER, "large", config, seconds=240) as m:
            m.wait_for(r"checking large.initrd, 700 MiB")
            _, result = m.wait_for(r"guest-result: pass (\d+) fail (\d+)",
                                   "guest")
            assert result.group(2) == "0"
            assert m.wait_off() == 0
    finally:
        os.remove(initrd)
        os.remove(os.path.join(ROOT, FOLDER, "large.bundle"))
