#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Counts machine instructions per UDP packet, native and in a Sluice VM.

One emulated machine, one NIC, one guest image, booted twice: on the bare
machine, with Linux's own driver of the NIC, and as a VM under Sluice. A QEMU
plugin (icnt.c) counts what is executed between two markers in the guest's load
generators. Exit code: 0 all measured and every work below twice native, 1 not.
"""

import argparse
import contextlib
import json
import os
import re
import signal
import socket
import statistics
import subprocess
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
BUILD = os.path.join(ROOT, "build")
OUT = os.path.join(BUILD, "bench")
QEMU = "qemu-system-x86_64"
# The parts that both contenders share.
MACHINE = ["-machine", "q35", "-cpu", "EPYC,+svm", "-accel", "tcg", "-smp", "1",
           "-m", "768M", "-display", "none", "-nodefaults", "-no-reboot"]
NIC_MAC = "52:54:00:00:00:02"
WORKS = ("udp_send_18", "udp_send_1472", "udp_recv_18", "udp_recv_1472")
CONTENDERS = ("native", "sluice")
LIMIT = 2.0
BOOT_SECONDS = 150
TOP = 15

CONFIG = """\
uplinks:
  - {{name: up0, match: {{mac: "{mac}"}}}}
vms:
  - name: bench
    cpus: 1
    memory: 256M
    kernel: build/guest/vmlinuz
    initrd: build/bench/initramfs.cpio.gz
    cmdline: {cmdline}
    nics: [{{network: up0, mac: "52:54:00:01:00:01"}}]
"""


class BenchError(Exception):
    """Why there is no measurement, in a sentence or with the console's end."""


def run(*command):
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True,
                          timeout=120, check=False)
    if done.returncode:
        raise BenchError(f"{command[0]} failed:\n{done.stdout}{done.stderr}")
    return done.stdout


def free_ports(count):
    """UDP ports of 127.0.0.1 that nobody has; held until all are chosen."""
    sockets = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
               for _ in range(count)]
    try:
        for s in sockets:
            s.bind(("127.0.0.1", 0))
        return [s.getsockname()[1] for s in sockets]
    finally:
        for s in sockets:
            s.close()


def write_symbols(path):
    """The VMkernel's text symbols by address, for the plugin."""
    lines = run("nm", "-n", "build/sluice.elf").splitlines()
    with open(path, "w", encoding="ascii") as f:
        f.writelines(line + "\n" for line in lines
                     if re.match(r"[0-9a-f]+ [tT] ", line))


def boot_arguments(contender, cmdline):
    if contender == "native":
        return ["-kernel", "build/guest/vmlinuz",
                "-initrd", "build/bench/initramfs.cpio.gz",
                "-append", cmdline]
    config = os.path.join(OUT, "sluice.yaml")
    bundle = os.path.join(OUT, "sluice.bundle")
    with open(config, "w", encoding="ascii") as f:
        f.write(CONFIG.format(mac=NIC_MAC, cmdline=cmdline))
    run("./sluice", "build", "--output", bundle, config)
    return ["-kernel", "build/sluice.elf", "-initrd", bundle]


def end(process):
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def boot(contender, options):
    """One boot, all works; its console's text and the windows counted."""
    base = os.path.join(OUT, contender)
    symbols = base + ".symbols"
    plugin = f"{OUT}/icnt.so,out={base}.windows"
    if contender == "sluice":
        write_symbols(symbols)
        plugin += f",symbols={symbols}"
    near, far = free_ports(2)
    wire = ("dgram,id=n0,local.type=inet,local.host=127.0.0.1,"
            f"local.port={near},remote.type=inet,remote.host=127.0.0.1,"
            f"remote.port={far}")
    cmdline = (f"console=ttyS0 bench.runs={options.runs} "
               f"bench.count={options.count}")
    command = [QEMU, *MACHINE, "-plugin", plugin,
               "-serial", f"file:{base}.console", "-netdev", wire,
               "-device", f"e1000e,netdev=n0,mac={NIC_MAC},romfile=",
               *boot_arguments(contender, cmdline)]
    flood = qemu = None
    deadline = time.monotonic() + BOOT_SECONDS
    try:
        flood = subprocess.Popen([f"{OUT}/flood", str(far), str(near)])
        with open(base + ".qemu", "w", encoding="utf-8") as log:
            qemu = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log,
                                    stdin=subprocess.DEVNULL)
        try:
            qemu.wait(max(1, deadline - time.monotonic()))
            late = False
        except subprocess.TimeoutExpired:
            late = True
    finally:
        for process in (qemu, flood):
            if process:
                end(process)
    text = ""
    for name in (base + ".console", base + ".qemu"):
        with open(name, encoding="utf-8", errors="replace") as f:
            text += f.read()
    if late or "bench: done" not in text:
        last = "\n".join("  " + s for s in text.splitlines()[-25:])
        raise BenchError(f"{contender}: the machine did not finish"
                         f"{' in time' if late else ''}:\n{last}")
    with open(base + ".windows", encoding="ascii") as f:
        return text, [json.loads(line) for line in f]


def values_of(window, count):
    guest, host = window["guest"], window["host"]
    if not guest["insns"]:  # native: no VMRUN was ever executed
        guest, host = host, {"insns": 0, "rep_bytes": 0}
    return {"insns_per_packet": (guest["insns"] + host["insns"]) / count,
            "own_insns_per_packet": host["insns"] / count,
            "exits_per_packet": window["exits"] / count,
            "emulated_us_per_packet": window["ns"] / 1000 / count,
            "rep_bytes_per_packet":
                (guest["rep_bytes"] + host["rep_bytes"]) / count,
            "own_rep_bytes_per_packet": host["rep_bytes"] / count}


def measure(contender, options):
    """Rows of the result, and instructions per packet by function and work."""
    print(f"bench: {contender}: {options.runs} runs of each work",
          file=sys.stderr, flush=True)
    text, windows = boot(contender, options)
    done = re.findall(r"bench: (udp_\w+) (\d+) (good|bad)", text)
    if len(done) != len(windows):
        raise BenchError(f"{contender}: {len(done)} runs, but "
                         f"{len(windows)} windows of the plugin")
    samples = {work: [] for work in WORKS}
    profile = {work: {} for work in WORKS}
    for (work, count, result), window in zip(done, windows):
        if result != "good" or work not in samples:
            print(f"bench: {contender}: a run of {work} failed",
                  file=sys.stderr)
            continue
        samples[work].append(values_of(window, int(count)))
        for name, n in window["functions"].items():
            profile[work].setdefault(name, []).append(n / int(count))
    rows = []
    for work in WORKS:
        if len(samples[work]) < options.runs:
            raise BenchError(f"{contender}: only {len(samples[work])} of "
                             f"{options.runs} runs of {work}")
        for metric in samples[work][0]:
            if contender == "native" and metric.startswith(("own", "exits")):
                continue
            runs = [round(sample[metric], 2) for sample in samples[work]]
            rows.append({"work": work, "contender": contender,
                         "metric": metric, "median": statistics.median(runs),
                         "min": min(runs), "max": max(runs), "runs": runs})
    for functions in profile.values():
        for name, each in functions.items():
            functions[name] = round(sum(each) / options.runs, 1)
    return rows, profile


def find(rows, work, contender, metric):
    for row in rows:
        if (row["work"], row["contender"], row["metric"]) == \
                (work, contender, metric):
            return row
    raise BenchError(f"no {metric} of {contender}'s {work}")


def spread(row):
    return f"{row['median']:,.0f} ({row['min']:,.0f} to {row['max']:,.0f})"


def print_table(rows):
    """The table of docs/performance.md; the largest ratio to native."""
    worst = 0
    print("\n| work | native | Sluice | ratio | of it the VMkernel's | exits "
          "| string bytes, native | Sluice | of it the VMkernel's |")
    print("|---|---|---|---|---|---|---|---|---|")
    for work in WORKS:
        native = find(rows, work, "native", "insns_per_packet")
        total = find(rows, work, "sluice", "insns_per_packet")
        ratio = total["median"] / native["median"]
        worst = max(worst, ratio)
        median = [find(rows, work, *key)["median"] for key in (
            ("sluice", "own_insns_per_packet"), ("sluice", "exits_per_packet"),
            ("native", "rep_bytes_per_packet"),
            ("sluice", "rep_bytes_per_packet"),
            ("sluice", "own_rep_bytes_per_packet"))]
        print(f"| {work} | {spread(native)} | {spread(total)} | {ratio:.2f} | "
              f"{median[0]:,.0f} | {median[1]:.2f} | {median[2]:,.0f} | "
              f"{median[3]:,.0f} | {median[4]:,.0f} |")
    return worst


def print_profile(profile):
    for work in WORKS:
        functions = sorted(profile[work].items(), key=lambda item: -item[1])
        total = sum(profile[work].values())
        print(f"\nThe VMkernel's instructions per packet, {work}: {total:,.0f}")
        for name, n in functions[:TOP]:
            print(f"{n:10,.1f}  {name}")
        rest = sum(n for _, n in functions[TOP:])
        print(f"{rest:10,.1f}  ({max(0, len(functions) - TOP)} others)")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=5, metavar="N",
                        help="runs of each work (default: 5)")
    parser.add_argument("--count", type=int, default=4000, metavar="N",
                        help="packets in a run (default: 4000)")
    parser.add_argument("--profile", action="store_true",
                        help="print the VMkernel's most executed functions")
    options = parser.parse_args()
    os.makedirs(OUT, exist_ok=True)
    result = os.path.join(OUT, "system.json")
    rows = []
    profile = {}
    try:
        # An old one must not pass for this run's.
        with contextlib.suppress(FileNotFoundError):
            os.remove(result)
        for contender in CONTENDERS:
            new, profile = measure(contender, options)
            rows += new
        with open(result, "w", encoding="ascii") as f:
            json.dump({"rows": rows, "profile": profile}, f, indent=1)
            f.write("\n")
        worst = print_table(rows)
        if options.profile:
            print_profile(profile)
    except (BenchError, OSError, subprocess.TimeoutExpired,
            ValueError) as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    print(f"\nInstructions per packet, median of {options.runs} runs of "
          f"{options.count} packets (lowest to highest).")
    if worst >= LIMIT:
        print(f"bench: {worst:.2f} times native is too much; the limit is "
              f"{LIMIT:g}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
