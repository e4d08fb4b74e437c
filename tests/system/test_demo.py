# SPDX-License-Identifier: GPL-2.0-or-later
"""`make demo`, as a user starts it: it proves what it says, and reports."""

import json
import os
import subprocess
import sys

import pytest

from machine import ROOT, ledger_errors

SECONDS = 120


@pytest.fixture(scope="module")
def demo():
    path = os.path.join(ROOT, "build", "demo", "report.json")
    if os.path.exists(path):
        os.remove(path)
    run = subprocess.run([sys.executable, "demo/demo.py"], cwd=ROOT, text=True,
                         stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                         timeout=SECONDS, check=False)
    assert run.returncode == 0, run.stdout
    with open(path, encoding="utf-8") as f:
        return run.stdout, json.load(f)


def test_proofs(demo):
    text, report = demo
    assert report["demo"]["passed"]
    assert len(report["demo"]["proofs"]) >= 14
    for proof in report["demo"]["proofs"]:
        assert proof in text
    assert f"demo passed: {len(report['demo']['proofs'])} proofs" in text


def test_throughput(demo):
    _, report = demo
    rates = report["demo"]["iperf_mbit_per_s"]
    assert set(rates) == {"vm-to-vm", "vm-to-vm-reverse", "vm-to-wire",
                          "wire-to-vm"}
    assert all(rate > 0 for rate in rates.values())


def test_report(demo):
    text, report = demo
    assert ledger_errors(report) == []
    assert {port["name"] for port in report["ports"]} == {"up0", "web.0",
                                                          "client.0"}
    for word in ("exits:", "interrupts", "user space", "over the switch",
                 "the hypervisor uses"):
        assert word in text
