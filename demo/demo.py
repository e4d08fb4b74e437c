#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The demonstration: two stock Debian VMs share one NIC that Sluice drives.

Boots the hypervisor in QEMU, proves the network path with real TCP and prints
a report; all of it also in build/demo/report.json. Any failure: exit code 1,
with the reason and the last lines of the machine's log.
"""

import contextlib
import hashlib
import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(ROOT, "tests", "system"))
import machine

FOLDER = os.path.join(ROOT, "build", "demo")
SECONDS = 110
WEB_ADDRESS = "10.0.2.15"
CLIENT_ADDRESS = "10.0.2.16"
GUEST_CMDLINE = "console=ttyS0 sluice.demo=1"
RUNS = {
    "vm-to-vm": "VM to VM (client sends, web receives)",
    "vm-to-vm-reverse": "VM to VM (web sends, client receives)",
    "vm-to-wire": "VM to wire (client sends)",
    "wire-to-vm": "wire to VM (client receives)",
}

CONFIG = """\
# Written by demo/demo.py.
uplinks:
  - {{name: up0, match: {{mac: "52:54:00:00:00:02"}}}}
vms:
  - name: web
    cpus: 1
    memory: 256M
    kernel: build/guest/vmlinuz
    initrd: build/guest/web.cpio.gz
    cmdline: {cmdline}
    nics: [{{network: up0, mac: "52:54:00:01:00:01"}}]
  - name: client
    cpus: 2
    memory: 256M
    kernel: build/guest/vmlinuz
    initrd: build/guest/client.cpio.gz
    cmdline: {cmdline} sluice.iperf_port={port}
    nics: [{{network: up0, mac: "52:54:00:01:00:02"}}]
"""


class Demo:
    """Proofs as they come in, and what goes into report.json."""

    def __init__(self):
        self.start = time.monotonic()
        self.proofs = []
        self.results = {}

    def prove(self, what, **figures):
        self.proofs.append(what)
        self.results.update(figures)
        print(f"  {time.monotonic() - self.start:5.1f} s  {what}", flush=True)


@contextlib.contextmanager
def iperf_server(port):
    """iperf3 on the machine beyond the NIC: QEMU's 10.0.2.2 is its loopback."""
    with subprocess.Popen(["iperf3", "-s", "-B", "127.0.0.1", "-p", str(port)],
                          stdout=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL) as process:
        try:
            yield
        finally:
            process.terminate()


def expected_sums():
    with open(os.path.join(ROOT, "build", "guest", "data", "sums"),
              encoding="ascii") as f:
        return {name: digest for digest, name in
                (line.split() for line in f)}


def fetch(port, name, tries=5):
    """From web, through the forwarded port: over the wire and the NIC."""
    for attempt in range(tries):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/{name}",
                                        timeout=15) as response:
                return response.read()
        except (urllib.error.URLError, OSError) as error:
            if attempt == tries - 1:
                raise machine.MachineError(
                    f"cannot fetch {name} from web: {error}") from None
            time.sleep(1)
    return None


def marker(box, vm, text):
    line, match = box.wait_for(f"sluice-demo {vm}: (?:{text})", vm)
    return line, match


def client_result(box, text):
    """The client's next result; its own failures end the demo at once."""
    line, match = marker(box, "client", f"({text})|(failed: .*)|(no .*)")
    if not match.group(1):
        raise box.error(f"client: {line.text.split(': ', 1)[1]}")
    return match


def run(box, demo, web_port):
    sums = expected_sums()
    for vm, address in (("web", WEB_ADDRESS), ("client", CLIENT_ADDRESS)):
        line, _ = marker(box, vm, "user space")
        demo.prove(f"{vm}: user space {line.when:.2f} s after power-on",
                   **{f"{vm}_user_space_seconds": round(line.when, 3)})
        _, match = marker(box, vm, r"address (\S+)|no (.*)")
        if match.group(1) != address:
            raise box.error(f"{vm} has no address by DHCP")
        demo.prove(f"{vm}: address {address} by DHCP through the NIC")

    marker(box, "web", "serving")
    for name in ("index.html", "data.bin"):
        content = fetch(web_port, name)
        if hashlib.sha256(content).hexdigest() != sums[name]:
            raise box.error(f"wire to VM: {name} came with a wrong sha256")
        demo.prove(f"wire to VM: this machine fetched {name} from web, "
                   f"{len(content)} bytes, sha256 matches")
    for name in ("index.html", "data.bin"):
        match = client_result(
            box, rf"fetched {name.replace('.', '[.]')}: (\d+) bytes, sha256 "
            "matches")
        demo.prove(f"VM to VM: client fetched {name} from web, "
                   f"{match.group(2)} bytes, sha256 matches")
    rates = {}
    for key, text in RUNS.items():
        match = client_result(box, rf"iperf {key} ([\d.]+) Mbit/s")
        rates[key] = float(match.group(2))
        if not rates[key] > 0:
            raise box.error(f"iperf3, {text}: nothing arrived")
        demo.prove(f"iperf3, {text}: {rates[key]:.0f} Mbit/s")
    demo.results["iperf_mbit_per_s"] = rates

    client_result(box, "done")
    fetch(web_port, "cgi-bin/poweroff", 1)
    report = box.report()
    for vm in report["vms"]:
        if vm["state"] != "off":
            raise box.error(f"{vm['name']} is {vm['state']}, not off")
    demo.prove("all VMs powered off, and then the machine did")
    errors = machine.ledger_errors(report)
    if errors:
        raise box.error("the ledger does not add up: " + "; ".join(errors))
    demo.prove(f"the ledger of all {len(report['ports'])} ports adds up, and "
               "over the switch")
    return report


def counts(table):
    return ", ".join(f"{name} {n}" for name, n in
                     sorted(table.items(), key=lambda item: -item[1])
                     if n) or "none"


def print_report(report, demo):
    print("\nPorts: frames and bytes in (from the port) and out (to it)")
    for port in report["ports"]:
        ins, outs = port["ingress"], port["egress"]
        print(f"  {port['name']}")
        print(f"    in   {ins['frames']} frames, {ins['bytes']} bytes = "
              f"{ins['forwarded']} forwarded + {ins['flooded']} flooded + "
              f"{sum(ins['drops'].values())} dropped "
              f"({counts(ins['drops'])})")
        print(f"    out  {outs['frames']} frames, {outs['bytes']} bytes; "
              f"+ {outs['segments_created']} segments - {outs['merged']} "
              f"merged = {outs['delivered']} delivered + "
              f"{outs['in_flight']} in flight + "
              f"{sum(outs['drops'].values())} dropped "
              f"({counts(outs['drops'])})")
    sent = sum(p["egress"]["frames"] for p in report["ports"])
    forwarded = sum(p["ingress"]["forwarded"] for p in report["ports"])
    print(f"  over the switch: {sent} frames to ports = {forwarded} forwarded "
          f"+ {report['copies']} copies by flooding")

    print("\nVirtual machines")
    for vm in report["vms"]:
        seconds = demo.results[f"{vm['name']}_user_space_seconds"]
        print(f"  {vm['name']}: user space {seconds:.2f} s after power-on, "
              f"{vm['interrupts']} interrupts to it, "
              f"{sum(vm['exits'].values())} exits")
        print(f"    exits: {counts(vm['exits'])}")
    print("\nNIC")
    for nic in report["nics"]:
        print(f"  {nic['name']}: interrupts {counts(nic['interrupts'])}; "
              f"{nic['rx_missed']} frames missed, {nic['rx_errors']} bad")
    memory = report["memory"]
    print(f"\nMemory: the hypervisor uses {memory['kernel_bytes'] / 2**20:.1f} "
          f"MiB; the VMs have {memory['guest_bytes'] / 2**20:.0f} MiB")


def main():
    os.chdir(ROOT)
    demo = Demo()
    print("Two Debian VMs, web and client, on one e1000e that Sluice drives:")
    web_port, iperf_port = machine.free_port(), machine.free_port()
    config = CONFIG.format(cmdline=GUEST_CMDLINE, port=iperf_port)
    box = None
    try:
        with iperf_server(iperf_port), machine.Machine(
                FOLDER, "demo", config, seconds=SECONDS,
                arguments=["--hostfwd",
                           f"tcp:{web_port}:{WEB_ADDRESS}:80"]) as box:
            report = run(box, demo, web_port)
    except (machine.MachineError, OSError) as error:
        print(f"\ndemo failed: {error}")
        if box and not getattr(error, "lines", None):
            for line in box.lines[-machine.LAST_LINES:]:
                print(f"  {line.raw}")
        return 1
    print_report(report, demo)
    report["demo"] = {"passed": True, "proofs": demo.proofs, **demo.results,
                      "seconds": round(time.monotonic() - demo.start, 1)}
    path = os.path.join(FOLDER, "report.json")
    with open(path, "w", encoding="utf-8") as f:
        json.dump(report, f, indent=2)
        f.write("\n")
    print(f"\ndemo passed: {len(demo.proofs)} proofs in "
          f"{report['demo']['seconds']} s; {os.path.relpath(path)} has it all")
    return 0


if __name__ == "__main__":
    sys.exit(main())
