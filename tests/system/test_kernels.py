# SPDX-License-Identifier: GPL-2.0-or-later
"""Debian's kernels on the machines that a configuration can make of one.

Generic or cloud kernel, one or two vCPUs, x2APIC or xAPIC, with KVM's clock or
without: of the sixteen, the eight that have every three of these choices in
every combination. All side by side in one machine.
"""

import hashlib
import itertools
import time

import pytest

from conftest import configuration
from machine import Machine, ledger_errors
from http_wire import Wire

SECONDS = 170
DATA = bytes(i * i >> 3 & 0xff for i in range(300001))


class Guest:
    def __init__(self, number, kernel, cpus, apic, clock):
        self.name = f"{kernel}-{cpus}-{apic}-{clock}"
        self.kernel, self.cpus, self.apic = kernel, cpus, apic
        self.clock = clock
        self.address = f"10.0.2.{20 + number}"
        # Both of these, to see two vCPUs start again by either way.
        self.reboots = kernel == "cloud" and cpus == 2

    def configuration(self, port):
        folder = "build/guest/cloud" if self.kernel == "cloud" \
            else "build/guest"
        extra = " nox2apic" if self.apic == "xapic" else ""
        extra += " no-kvmclock" if self.clock == "pm" else ""
        return {"name": self.name, "cpus": self.cpus, "memory": "128M",
                "kernel": f"{folder}/vmlinuz",
                "initrd": f"build/guest/{self.kernel}.cpio.gz",
                "cmdline": f"console=ttyS0 sluice.name={self.name} "
                           f"sluice.wire={port} "
                           f"sluice.address={self.address}{extra}"}


def half():
    """An even number of second choices: any three leave the fourth."""
    choices = [("generic", "cloud"), (1, 2), ("x2apic", "xapic"),
               ("kvm", "pm")]
    for cell in itertools.product((0, 1), repeat=4):
        if sum(cell) % 2 == 0:
            yield [choice[c] for choice, c in zip(choices, cell)]


GUESTS = [Guest(number, *cell) for number, cell in enumerate(half())]
each_guest = pytest.mark.parametrize("guest", GUESTS, ids=lambda g: g.name)


class Answers:
    """What the guests get from the wire."""

    def __init__(self):
        self.watches = {}
        self.boots = {}

    def __call__(self, path):
        what, _, name = path.partition("/")
        if what == "data":
            return DATA
        if what == "watch":  # started, then stopped
            since = self.watches.pop(name, None)
            if since is None:
                self.watches[name] = time.monotonic()
                return b"0\n"
            return f"{time.monotonic() - since:.2f}\n".encode()
        if what == "next":
            self.boots[name] = self.boots.get(name, 0) + 1
            guest, = (g for g in GUESTS if g.name == name)
            again = guest.reboots and self.boots[name] == 1
            return b"reboot\n" if again else b"poweroff\n"
        return None


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """All of them, from power-on to power-off."""
    with Wire(Answers()) as wire:
        config = configuration(*(g.configuration(wire.server_port)
                                 for g in GUESTS))
        with Machine(str(tmp_path_factory.mktemp("kernels")), "kernels",
                     config, seconds=SECONDS,
                     arguments=["--memory", "2G"]) as box:
            box.result = box.report()
            yield box


def said(run, guest, key):
    """What the guest said under this key, each time it came up."""
    return [match.group(1) for _, match in
            run.find(rf"^kernels: {key} (.*);$", guest.name)]


@each_guest
def test_what_linux_found(run, guest):
    boots = 2 if guest.reboots else 1
    assert run.find("^kernels: failed", guest.name) == []
    releases = said(run, guest, "release")
    assert len(releases) == boots
    assert all(("cloud" in release) == (guest.kernel == "cloud")
               for release in releases)
    assert said(run, guest, "cpus") == [str(guest.cpus)] * boots
    assert said(run, guest, "apic") == [guest.apic] * boots


@each_guest
def test_network(run, guest):
    """The wire's file is the same here, and came by interrupts."""
    sums = said(run, guest, "sum")
    assert sums and set(sums) == {hashlib.sha256(DATA).hexdigest()}
    for line in said(run, guest, "net"):
        assert int(line.split()[0]) > 0


@each_guest
def test_clock(run, guest):
    """Linux takes the clock it should, and three seconds are three."""
    for line in said(run, guest, "timer"):
        assert line.split()[1] == str(guest.cpus), "a tick on each CPU"
    sources = said(run, guest, "clocksource")
    if guest.clock == "kvm":
        assert set(sources) == {"kvm-clock"}
    else:
        assert sources and set(sources) <= {"tsc", "acpi_pm"}
        assert run.find("tsc: using PMTIMER reference calibration",
                        guest.name)
        assert not run.find("kvm-clock: ", guest.name)
    for line in said(run, guest, "clock"):
        before, after, wire = map(float, line.split())
        # The wire's watch ran longer, by a request and what else was going
        # on in this machine.
        assert 2.9 < after - before < wire + 0.1
        assert wire < after - before + 3


@each_guest
def test_end(run, guest):
    report, = (vm for vm in run.result["vms"] if vm["name"] == guest.name)
    assert report["state"] == "off"
    assert said(run, guest, "next") == (
        ["reboot", "poweroff"] if guest.reboots else ["poweroff"])


def test_no_complaints(run):
    """Neither Linux nor the VMkernel found anything odd."""
    bad = (r"Call Trace|BUG:|Oops|WARNING: CPU|soft lockup|rcu.*stall|"
           r"firmware bug|nobody cared|APIC error")
    for guest in GUESTS:
        assert [line.text for line, _ in run.find(bad, guest.name)] == []
    assert [line.raw for line in run.lines
            if line.level in ("error", "warn")] == []
    assert ledger_errors(run.result) == []
