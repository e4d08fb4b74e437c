# SPDX-License-Identifier: GPL-2.0-or-later
"""Two stock Debian VMs on one NIC: start, address, TCP, end, ledger."""

import hashlib
import os
import urllib.request

from machine import ROOT, Machine, free_port, ledger_errors

FOLDER = "build/tests/system"
CONFIG = """\
uplinks:
  - {name: up0, match: {mac: "52:54:00:00:00:02"}}
vms:
  - name: web
    cpus: 1
    memory: 256M
    kernel: build/guest/vmlinuz
    initrd: build/guest/web.cpio.gz
    cmdline: console=ttyS0 sluice.demo=1
    nics: [{network: up0, mac: "52:54:00:01:00:01"}]
  - name: client
    cpus: 2
    memory: 256M
    kernel: build/guest/vmlinuz
    initrd: build/guest/client.cpio.gz
    cmdline: console=ttyS0 sluice.demo=1 sluice.iperf_seconds=1
    nics: [{network: up0, mac: "52:54:00:01:00:02"}]
"""


def fetch(port, name):
    url = f"http://127.0.0.1:{port}/{name}"
    with urllib.request.urlopen(url, timeout=30) as answer:
        return answer.read()


def test_two_vms():
    port = free_port()
    forward = f"tcp:{port}:10.0.2.15:80"
    with open(os.path.join(ROOT, "build/guest/data/data.bin"), "rb") as f:
        data = f.read()
    with Machine(FOLDER, "debian", CONFIG, seconds=170,
                 arguments=["--hostfwd", forward]) as m:
        m.wait_for(r"address 10\.0\.2\.15", "web")
        m.wait_for(r"serving", "web")
        m.wait_for(r"kernel 6\.\d+.*, 2 CPUs", "client")
        m.wait_for(r"address 10\.0\.2\.16", "client")
        got = fetch(port, "data.bin")
        assert hashlib.sha256(got).digest() == hashlib.sha256(data).digest()
        m.wait_for(r"fetched data.bin: \d+ bytes, sha256 matches", "client")
        m.wait_for(r"iperf vm-to-vm-reverse [\d.]+ Mbit/s", "client")
        m.wait_for(r"is off")
        fetch(port, "cgi-bin/poweroff")
        report = m.report()
        assert not m.find(r"failed:", "client")
        for vm in ("web", "client"):
            assert not m.find(r"WARNING: CPU|BUG:|Oops|Call Trace", vm)
    assert not ledger_errors(report)
    ports = {p["name"]: p for p in report["ports"]}
    assert set(ports) == {"up0", "web.0", "client.0"}
    assert ports["web.0"]["ingress"]["forwarded"] > 1000
    assert {vm["state"] for vm in report["vms"]} == {"off"}
