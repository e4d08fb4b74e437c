# SPDX-License-Identifier: GPL-2.0-or-later
"""Guests that are not Linux, as Debian packages them: iPXE and memtest86+.

Side by side in one machine: two VMs start iPXE, whose script they load by TFTP;
one goes on to a Multiboot kernel, the other to Debian's cloud kernel, both by
HTTP. The third tests its memory with memtest86+ meanwhile.
"""

import hashlib
import os
import re

import pytest

from conftest import configuration
from machine import ROOT, Machine
from http_wire import Wire

SECONDS = 150
IPXE = "build/guest/ipxe/boot/ipxe.lkrn"
DATA = bytes(i * i >> 5 & 0xff for i in range(100003))
# memtest86+'s last test, which only waits; tests 0 to 9 come before it.
WAIT = 10

SCRIPT = """#!ipxe
echo this is the script of ${{net0/mac}}
iseq ${{net0/mac}} 52:54:00:01:00:01 && goto payload ||
kernel http://10.0.2.2:{port}/cloud/vmlinuz console=ttyS0 sluice.name=linux \
sluice.wire={port} sluice.address=10.0.2.41 || poweroff
initrd http://10.0.2.2:{port}/cloud.cpio.gz
boot
:payload
kernel http://10.0.2.2:{port}/tests/exceptions.elf
boot
"""


def answer(path):
    fixed = {"data/linux": DATA, "watch/linux": b"0\n",
             "next/linux": b"poweroff\n"}
    if path in fixed:
        return fixed[path]
    try:
        with open(os.path.join(ROOT, "build/guest", path), "rb") as f:
            return f.read()
    except OSError:
        return None


def text(box, vm):
    """All that the VM said; memtest86+ knows no lines."""
    return "".join(line.text for line in list(box.lines) if line.vm == vm)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("firmware")
    (folder / "tftp").mkdir()

    def with_tftp(command):
        at = command.index("user,id=n0")
        command[at] += f",tftp={folder}/tftp,bootfile=boot.ipxe"
        return command

    config = configuration(
        {"name": "payload", "kernel": IPXE},
        {"name": "linux", "kernel": IPXE, "memory": "128M"},
        {"name": "memtest", "cpus": 2, "memory": "16M", "nics": None,
         "kernel": "build/guest/memtest/boot/memtest86+x64.bin",
         "cmdline": "console=ttyS0,115200 nopause nosm"})
    with Wire(answer) as wire:
        (folder / "tftp" / "boot.ipxe").write_text(
            SCRIPT.format(port=wire.server_port))
        with Machine(str(folder), "firmware", config, seconds=SECONDS,
                     edit=with_tftp) as box:
            box.wait_for("is off", None)
            box.wait_for(rf"#{WAIT} +\[Bit fade", "memtest")
            box.wait_for("^kernels: next ", "linux")
            yield box


@pytest.mark.parametrize("vm", ["payload", "linux"])
def test_ipxe(run, vm):
    """It drives the virtual NIC: an address by DHCP, a script by TFTP."""
    assert run.find(r"^net0: 10\.0\.2\.\d+/255\.255\.255\.0", vm)
    assert run.find(r"^tftp://10\.0\.2\.2/boot\.ipxe\.\.\. ok", vm)
    mac = "52:54:00:01:00:0" + ("1" if vm == "payload" else "2")
    assert run.find(f"^this is the script of {mac}", vm)


def test_ipxe_boots_multiboot(run):
    """The payload kernel's own verdict, as when it is booted directly."""
    (_, match), = run.find(r"^guest-result: pass (\d+) fail (\d+)$", "payload")
    assert int(match.group(1)) > 0 and match.group(2) == "0"


def test_ipxe_boots_linux(run):
    """From real mode, by the BIOS' memory map, to user space and back."""
    assert run.find(r"^kernels: release \S*cloud", "linux")
    (_, match), = run.find(r"^kernels: sum (\w+);$", "linux")
    assert match.group(1) == hashlib.sha256(DATA).hexdigest()
    (_, match), = run.find(r"^kernels: timer (\d+) (\d+);$", "linux")
    assert int(match.group(1)) > 0


def test_memtest(run):
    """It comes to the last test, by both vCPUs, without one error."""
    said = text(run, "memtest")
    # Its screen is sent now and then: short tests may not be seen.
    tests = [int(number) for number in re.findall(r"#(\d+) +\[", said)]
    assert tests[0] == 0 and tests[-1] == WAIT
    assert len(set(tests)) > 3 and tests == sorted(tests)
    assert "SMP: 2T" in said
    errors = re.findall(r"Errors: +(\d+)", said)
    assert errors and set(errors) == {"0"}
    # It knows its memory and the speed of its CPU.
    assert re.search(r"4MB - 16MB \[12MB of 15\.\dMB\]", said)
    speed = re.search(r"(\d+)MHz", said)
    assert 500 < int(speed.group(1)) < 10000


def test_nothing_wrong(run):
    assert [line.raw for line in run.lines
            if line.level in ("error", "warn")] == []
