# SPDX-License-Identifier: GPL-2.0-or-later
"""Stock Debian guests: unmodified kernels, real drivers, real TCP.

`make demo` is the whole path with iperf3 and its report; here is what has to
hold beside it.
"""

import hashlib
import os
import time
import urllib.request

import pytest

from conftest import configuration
from machine import ROOT, MachineError, free_port, ledger_errors

SECONDS = 150
# How long guests of the emulated machine may take to boot.
BOOT = 100


def debian(name, cpus=1, extra="", **settings):
    return {"name": name, "cpus": cpus, "memory": "256M",
            "kernel": "build/guest/vmlinuz",
            "initrd": f"build/guest/{name}.cpio.gz",
            "cmdline": f"console=ttyS0 sluice.demo=1 {extra}".strip(),
            **settings}


def said(box, vm, pattern, seconds=BOOT):
    """The guest's marker; its own failures end the wait."""
    _, match = box.wait_for(rf"^sluice-demo {vm}: (?:{pattern}|(failed: .*))",
                            vm, seconds)
    if match.group(match.re.groups):
        raise MachineError(match.group(0))
    return match


def fetch(port, name):
    for attempt in range(5):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/{name}",
                                        timeout=20) as response:
                return response.read()
        except OSError:
            if attempt == 4:
                raise
            time.sleep(1)
    return None


def sums():
    with open(os.path.join(ROOT, "build/guest/data/sums"),
              encoding="ascii") as f:
        return {name: digest for digest, name in (line.split() for line in f)}


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Both VMs, from power-on to power-off: what all tests below look at."""
    from machine import Machine
    port = free_port()
    folder = str(tmp_path_factory.mktemp("debian"))
    config = configuration(debian("web"), debian("client", 2,
                                                 "sluice.iperf_seconds=1"))
    with Machine(folder, "debian", config, seconds=SECONDS, arguments=[
            "--hostfwd", f"tcp:{port}:10.0.2.15:80"]) as box:
        said(box, "web", "serving")
        box.fetched = {name: fetch(port, name) for name in sums()}
        said(box, "client", "done")
        fetch(port, "cgi-bin/poweroff")
        box.result = box.report()
        yield box


def test_two_cpus(run):
    _, match = run.wait_for(r"kernel (\S+), (\d+) CPUs", "client")
    assert match.group(2) == "2"
    _, match = run.wait_for(r"kernel (\S+), (\d+) CPUs", "web")
    assert match.group(2) == "1"


@pytest.mark.parametrize("vm,address", [("web", "10.0.2.15"),
                                        ("client", "10.0.2.16")])
def test_address_by_dhcp(run, vm, address):
    assert run.find(rf"^sluice-demo {vm}: address {address}$", vm)


@pytest.mark.parametrize("name", ["index.html", "data.bin"])
def test_wire_to_vm(run, name):
    assert hashlib.sha256(run.fetched[name]).hexdigest() == sums()[name]


@pytest.mark.parametrize("name", ["index.html", "data.bin"])
def test_vm_to_vm(run, name):
    assert run.find(rf"client: fetched {name}: \d+ bytes, sha256 matches",
                    "client")


@pytest.mark.parametrize("way", ["vm-to-vm", "vm-to-vm-reverse"])
def test_tcp_throughput(run, way):
    (_, match), = run.find(rf"client: iperf {way} ([\d.]+) Mbit/s", "client")
    assert float(match.group(1)) > 0


def test_ledger(run):
    assert ledger_errors(run.result) == []
    ports = {port["name"]: port for port in run.result["ports"]}
    assert set(ports) == {"up0", "web.0", "client.0"}
    for port in ports.values():
        assert port["ingress"]["forwarded"] > 0
        assert port["egress"]["delivered"] > 0


def test_frames_flowed(run):
    assert not run.find("failed:", "client")
    web, = (p for p in run.result["ports"] if p["name"] == "web.0")
    # data.bin alone, to the wire and to client, is that much.
    assert web["ingress"]["bytes"] > 4 << 20


def test_segmentation_is_left_to_us(run):
    """Frames longer than a wire takes, whole to the other VM and to the NIC."""
    ports = {port["name"]: port for port in run.result["ports"]}
    longest = 1518
    for name, way in (("web.0", "ingress"), ("client.0", "ingress"),
                      ("web.0", "egress"), ("up0", "egress")):
        side = ports[name][way]
        assert side["bytes"] / side["frames"] > longest, (name, way)
        assert not side.get("segments_created")


def test_guests_did_nothing_wrong(run):
    """A stock driver never hands over what the switch must refuse."""
    for port in run.result["ports"]:
        drops = {**port["ingress"]["drops"], **port["egress"]["drops"]}
        assert not drops.keys() & {"bad_chain", "bad_buffer", "bad_offload",
                                   "spoofed", "giant", "runt",
                                   "device_error"}


def test_interrupts_and_exits(run):
    nic, = run.result["nics"]
    assert nic["interrupts"]["rx"] > 0 and nic["interrupts"]["tx"] > 0
    assert nic["rx_errors"] == 0 and nic["device_nonsense"] == 0
    for vm in run.result["vms"]:
        assert vm["interrupts"] > 0 and vm["exits"]["hlt"] > 0


def test_power_off(run):
    assert [vm["state"] for vm in run.result["vms"]] == ["off", "off"]
    assert run.process.returncode == 0


def test_memory_report(run):
    memory = run.result["memory"]
    assert memory["guest_bytes"] == 512 << 20
    assert 0 < memory["kernel_bytes"] < 16 << 20


def test_reboot(boot):
    """Linux takes a PC's last way to restart: the BIOS's reset vector."""
    box = boot(configuration(debian("web", extra="rdinit=/bin/reboot -- -f")),
               seconds=SECONDS)
    box.wait_for("reboot: machine restart", "web", BOOT)
    box.wait_for("^resets$")
    # And it comes up again, with all its devices.
    box.wait_for("reboot: machine restart", "web", BOOT, count=2)
    box.wait_for("^resets$", count=2)


def test_log_is_quiet(run):
    """No error, and no warning, in a run where all goes well."""
    assert [line.raw for line in run.lines
            if line.level in ("error", "warn")] == []


def test_linux_has_no_complaints(run):
    """What Linux prints when the machine below it is odd."""
    bad = (r"Call Trace|BUG:|Oops|WARNING: CPU|soft lockup|rcu.*stall|"
           r"clocksource.*unstable|firmware bug|nobody cared|APIC error")
    for vm in ("web", "client"):
        assert [line.text for line, _ in run.find(bad, vm)] == []
