# SPDX-License-Identifier: GPL-2.0-or-later
"""Hostile guests beside two Debian VMs that move data all the while.

One machine. web and client are stock Debian; client fetches two megabytes from
web again and again, and compares their SHA-256. Beside them each hostile
payload gets its cue in turn, does its worst, and proves after each abuse that a
good frame still gets to the wire and to web. Meanwhile every transfer must be
complete, and the VMkernel's code and constants stay what they are.
"""

import os
import re
import shutil
import socket
import subprocess
import tempfile
import time

import pytest

from conftest import configuration, payload
from machine import ROOT, Machine, ledger_errors

SECONDS = 118
BOOT = 60
# One payload's turn.
TURN = 45
WEB_HOST = 15  # 10.0.2.15
QUEUES = ("tx", "rx", "ctrl")
QUEUE_FAULTS = ("tx_", "rx_", "ctrl_")
PAYLOADS = {"hostile_ring": 1, "hostile_frame": 1, "hostile_race": 2,
            "hostile_pci": 1, "hostile_cpu": 1}
# By hostile_stop's case: what the guest cannot go on from.
STOPS = [
    "stopped: runs code outside of its memory",
    "stopped: takes an interrupt or exception with its tables or stack "
    "outside of its memory",
    "stopped: takes an interrupt or exception with its tables or stack "
    "outside of its memory",
    "stopped: touches device memory with an instruction that Sluice does not "
    "emulate",
    "stopped: takes an interrupt or exception with its tables or stack "
    "outside of its memory",
    "stopped: touches device memory with an instruction that Sluice does not "
    "emulate",
    "stopped: touches device memory with an instruction that Sluice does not "
    "emulate",
]


def stop_name(case):
    return f"stop{case}"


def debian(name, extra=""):
    return {"name": name, "memory": "256M",
            "kernel": "build/guest/vmlinuz",
            "initrd": f"build/guest/{name}.cpio.gz",
            "cmdline": f"console=ttyS0 sluice.demo=1 {extra}".strip()}


def machine_vms():
    return [
        *(payload(name, cpus=cpus, cmdline=f"gate=1 peer={WEB_HOST}")
          for name, cpus in PAYLOADS.items()),
        *(payload("hostile_stop", stop_name(case), memory="16M",
                  cmdline=f"gate=1 case={case}")
          for case in range(len(STOPS))),
        debian("web"), debian("client", "sluice.fetch_loop=1")]


def monitor(path, command):
    """One command for QEMU's monitor; its answer."""
    with socket.socket(socket.AF_UNIX) as s:
        s.settimeout(20)
        s.connect(path)
        text = b""
        for part in (None, command):
            if part:
                text = b""
                s.sendall(part.encode() + b"\n")
            while not text.endswith(b"(qemu) "):
                got = s.recv(4096)
                assert got, "QEMU closed its monitor"
                text += got
    return text.decode(errors="replace")


def constant_segments():
    """(physical address, size, offset in the file) of what nobody writes."""
    readelf = subprocess.run(
        ["readelf", "-lW", os.path.join(ROOT, "build/sluice.elf")],
        check=True, capture_output=True, text=True).stdout
    # Type, offset, virtual, physical, size in the file, in memory, flags.
    found = re.findall(r"LOAD +(0x\w+) 0x\w+ (0x\w+) (0x\w+) 0x\w+ (R[ W][ E])",
                       readelf)
    return [(int(at, 16), int(size, 16), int(offset, 16))
            for offset, at, size, flags in found if "W" not in flags]


def kernel_memory(monitor_path, folder):
    """The VMkernel's code and constants, from the machine's memory."""
    parts = []
    for at, size, _ in constant_segments():
        path = os.path.join(folder, f"{at:x}")
        answer = monitor(monitor_path, f'pmemsave {at} {size} "{path}"')
        assert "rror" not in answer, answer
        with open(path, "rb") as f:
            parts.append(f.read())
        os.remove(path)
    return parts


def kernel_file():
    with open(os.path.join(ROOT, "build/sluice.elf"), "rb") as f:
        image = f.read()
    return [image[offset:offset + size]
            for _, size, offset in constant_segments()]


def transfers(box):
    """(right, wrong) so far."""
    counts = box.find(r"client: loop: (\d+) right, (\d+) wrong", "client")
    return tuple(map(int, counts[-1][1].groups())) if counts else (0, 0)


def wait_transfers(box, more, seconds=30):
    want = sum(transfers(box)) + more
    box.wait_for(rf"client: loop: ({'|'.join(str(want + i) for i in range(9))})"
                 r" right", "client", seconds)


def turn(box, vm):
    """The VM's cue, and its end; transfers meanwhile."""
    start, before = time.monotonic(), transfers(box)
    box.type("x", vm)
    line, _ = box.wait_for(r"^is (off|crashed)$", seconds=TURN, area=vm)
    return {"seconds": time.monotonic() - start,
            "transfers": transfers(box)[0] - before[0],
            "end": line.text}


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = str(tmp_path_factory.mktemp("hostile"))
    # A socket's name must be short.
    sockets = tempfile.mkdtemp()
    path = os.path.join(sockets, "monitor")
    vms = machine_vms()
    try:
        with Machine(folder, "hostile", configuration(*vms), seconds=SECONDS,
                     keys=True, vms=[vm["name"] for vm in vms],
                     arguments=["--qemu-arg=-monitor", "--qemu-arg="
                                f"unix:{path},server=on,wait=off"]) as box:
            box.wait_for(r"client: loop: 2 right", "client", BOOT)
            box.memory = [kernel_memory(path, folder)]
            box.reports = [box.report_now()]
            box.turns = {vm["name"]: turn(box, vm["name"])
                         for vm in vms if vm["name"].startswith(
                             ("hostile", "stop"))}
            wait_transfers(box, 2)
            box.memory.append(kernel_memory(path, folder))
            box.reports.append(box.report_now())
            box.type("\n", "client")
            box.result = box.report()
            yield box
    finally:
        shutil.rmtree(sockets)


def vm_report(run, name):
    return next(vm for vm in run.result["vms"] if vm["name"] == name)


@pytest.mark.parametrize("name", PAYLOADS)
def test_answers(run, name):
    """What the guest says of the answers that it got."""
    (_, match), = run.find(r"^guest-result: pass (\d+) fail (\d+)", name)
    assert [line.text for line, _ in run.find("^FAIL ", name)] == []
    assert int(match.group(1)) > 20 and int(match.group(2)) == 0
    assert vm_report(run, name)["state"] == "off"


@pytest.mark.parametrize("name", PAYLOADS)
def test_counters(run, name):
    """Each wrong is counted by name, and each queue's exactly."""
    wanted = {}
    for _, match in run.find(r"^expect (\w+) (\w+) (\d+)$", name):
        kind, what, count = match.groups()
        key = f"{kind}_{what}" if kind in QUEUES else what
        wanted[kind, key] = wanted.get((kind, key), 0) + int(count)
    faults = vm_report(run, name)["faults"]
    port, = (p for p in run.result["ports"] if p["name"] == f"{name}.0")
    drops = port["ingress"]["drops"]
    for (kind, key), count in wanted.items():
        got = (drops if kind == "drop" else faults).get(key, 0)
        assert got == count if kind in QUEUES else got >= count, key
    # The race's faults are as they come; all others were foretold.
    if name != "hostile_race":
        assert {key for key in faults if key.startswith(QUEUE_FAULTS)} == {
            key for kind, key in wanted if kind in QUEUES}


@pytest.mark.parametrize("case", range(len(STOPS)))
def test_stopped_with_reason(run, case):
    name = stop_name(case)
    assert vm_report(run, name)["state"] == "crashed"
    reasons = [line.text for line in run.lines
               if line.area == f"{name}/0" and line.level == "error"
               and line.text.startswith("stopped: ")]
    assert reasons == [STOPS[case]]
    assert run.find("^FAIL", name) == []


def test_transfers_are_complete(run):
    right, wrong = transfers(run)
    assert wrong == 0
    assert right >= 10
    assert run.find("client: failed", "client") == []
    # They went on while the longer ones were at it.
    slow = {name: turn for name, turn in run.turns.items()
            if turn["seconds"] > 4}
    assert [name for name, turn in slow.items() if not turn["transfers"]] == []


def test_kernel_is_unchanged(run):
    """Code and constants, byte by byte: as loaded, before and after."""
    before, after = run.memory
    assert len(before) >= 2 and sum(map(len, before)) > 100000
    assert before == kernel_file()
    assert after == before


def test_kernel_memory_is_the_same(run):
    before, after = (report["memory"] for report in run.reports)
    assert after["kernel_bytes"] == before["kernel_bytes"]
    assert after["guest_bytes"] == before["guest_bytes"]


def test_ledger(run):
    assert ledger_errors(run.result) == []


def test_no_panic(run):
    assert run.find(r"\bpanic\b|assert", None) == []
    assert run.process.returncode == 0
    errors = [line for line in run.lines if line.level == "error"
              and not line.area.startswith("stop")]
    assert [line.raw for line in errors] == []


@pytest.mark.parametrize("vm", ["web", "client"])
def test_neighbours_notice_nothing(run, vm):
    assert vm_report(run, vm)["state"] == "off"
    bad = (r"Call Trace|BUG:|Oops|WARNING: CPU|soft lockup|rcu.*stall|"
           r"clocksource.*unstable|NETDEV WATCHDOG|APIC error")
    assert [line.text for line, _ in run.find(bad, vm)] == []
    faults = vm_report(run, vm)["faults"]
    assert [key for key in faults if key.startswith(QUEUE_FAULTS)] == []
