# SPDX-License-Identifier: GPL-2.0-or-later
"""One emulated machine that runs Sluice: boot it, watch it, read its report.

For the demo, the system tests and the counting bench. Every wait has a bound;
a failure carries the last lines of the machine's output.
"""

import contextlib
import json
import os
import re
import shlex
import signal
import socket
import subprocess
import threading
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
LAST_LINES = 40
# The VMkernel's own lines: "[    1.234567] info  area: text".
LOG_LINE = re.compile(r"\[ *(\d+\.\d+)\] (\w+) +(\S[^:]*): (.*)")
CONSOLE_LINE = re.compile(r"([a-z0-9_-]+)\| (.*)")
# The console's prefix key, and the last line of a report's summary.
ESCAPE = "\x1d"
REPORT_END = r"^memory: \d+ KiB VMkernel"
# QEMU says once for each CPU what its emulation lacks.
NOISE = "warning: TCG doesn't support requested feature"


class MachineError(Exception):
    """What went wrong, in a sentence; lines are the end of the output."""

    def __init__(self, reason, lines=()):
        super().__init__(reason)
        self.reason = reason
        self.lines = list(lines)[-LAST_LINES:]

    def __str__(self):
        return "\n".join([self.reason, *("  " + s for s in self.lines)])


class Line:
    """One line of output: who said it, when (seconds since power-on)."""

    def __init__(self, when, raw):
        self.when = when
        self.raw = raw
        self.vm = self.level = self.area = None
        self.text = raw
        console, log = CONSOLE_LINE.match(raw), LOG_LINE.match(raw)
        if console:
            self.vm, self.text = console.groups()
        elif log:
            self.level, self.area, self.text = log.group(2, 3, 4)


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def sluice(*arguments, timeout=120):
    """Runs ./sluice, the program at hand; its CompletedProcess."""
    return subprocess.run([os.path.join(ROOT, "sluice"), *arguments],
                          cwd=ROOT, capture_output=True, text=True,
                          timeout=timeout, check=False)


class Machine:
    """./sluice run on a configuration, as a context manager.

    edit, if given, makes QEMU's command line another one: it is called with
    what 'sluice run' would start, and QEMU runs without it. The bundle is
    there by then, and may be changed as well.

    With keys, type() is the terminal's keyboard; vms then names the VMs in
    the configuration's order, and the first one has it.
    """

    def __init__(self, folder, name, config, *, arguments=(), edit=None,
                 seconds=110, keys=False, vms=()):
        os.makedirs(folder, exist_ok=True)
        base = os.path.join(folder, name)
        self.control = base + ".control"
        self.bundle = base + ".bundle"
        self.config = base + ".yaml"
        with open(self.config, "w", encoding="utf-8") as f:
            f.write(config)
        with contextlib.suppress(FileNotFoundError):
            os.remove(self.control)
        self.deadline = time.monotonic() + seconds
        command = ["run", "--control", self.control, "--output",
                   self.bundle, *arguments]
        if edit:
            command = edit(self._qemu_command(command))
        else:
            command = [os.path.join(ROOT, "sluice"), *command, "--log",
                       base + ".log", "--timeout", str(int(seconds) + 5),
                       self.config]
        self.lines = []
        self.vms = list(vms)
        self.focus = 0
        self.power_on = None
        self._new_line = threading.Condition()
        self._ended = False
        self.process = subprocess.Popen(
            command, cwd=ROOT,
            stdin=subprocess.PIPE if keys else subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            errors="replace")
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        if edit:
            self.power_on = time.monotonic()
        else:
            self._watch_power()

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.kill()

    def _qemu_command(self, command):
        for run in (sluice("build", "-o", self.bundle, self.config),
                    sluice(*command, "--dry-run", self.config)):
            if run.returncode:
                raise MachineError(f"sluice failed: {run.stderr.strip()}")
        return shlex.split(run.stdout)

    def _children(self):
        pid = self.process.pid
        try:
            with open(f"/proc/{pid}/task/{pid}/children",
                      encoding="ascii") as f:
                return [int(child) for child in f.read().split()]
        except OSError:
            return []

    def _watch_power(self):
        """Power-on is when QEMU starts: the bundle has been written."""
        while self.process.poll() is None and not self._children():
            if time.monotonic() > self.deadline:
                raise self.error("QEMU did not start in time")
            time.sleep(0.005)
        self.power_on = time.monotonic()

    def _read(self):
        for raw in self.process.stdout:
            raw = raw.rstrip("\r\n")
            if NOISE in raw:
                continue
            when = time.monotonic() - (self.power_on or time.monotonic())
            with self._new_line:
                self.lines.append(Line(when, raw))
                self._new_line.notify_all()
        with self._new_line:
            self._ended = True
            self._new_line.notify_all()

    def error(self, reason):
        return MachineError(reason, [line.raw for line in self.lines])

    def find(self, pattern, vm=None):
        """(Line, match) of all lines so far: a VM's, or the VMkernel's."""
        found = [(line, re.search(pattern, line.text))
                 for line in list(self.lines) if line.vm == vm]
        return [(line, match) for line, match in found if match]

    def wait_for(self, pattern, vm=None, seconds=None, count=1, area=None):
        """The first such line (or the count-th), as soon as there is one: of
        a VM, or of the VMkernel, about this area if given."""
        deadline = self.deadline
        if seconds is not None:
            deadline = min(deadline, time.monotonic() + seconds)
        who = vm or "the VMkernel"
        seen = 0
        with self._new_line:
            while True:
                for line in self.lines[seen:]:
                    if line.vm == vm and area in (None, line.area):
                        match = re.search(pattern, line.text)
                        if match:
                            count -= 1
                            if not count:
                                return line, match
                    if line.vm is None and re.search(r"\bpanic\b", line.text):
                        raise self.error("the VMkernel panicked")
                seen = len(self.lines)
                if self._ended:
                    raise self.error(f"the machine ended before {who} said "
                                     f"'{pattern}'")
                left = deadline - time.monotonic()
                if left <= 0:
                    raise self.error(f"{who} did not say '{pattern}' in time")
                self._new_line.wait(min(left, 1))

    def type(self, text, vm=None):
        """Keys, to this VM or to whoever has the keyboard."""
        if vm:
            steps = (self.vms.index(vm) - self.focus) % len(self.vms)
            text = f"{ESCAPE}n" * steps + text
            self.focus = self.vms.index(vm)
        self.process.stdin.write(text)
        self.process.stdin.flush()

    def report_now(self, seconds=20):
        """The VMkernel's report while the machine runs."""
        before = len(self.find(REPORT_END))
        self.type(ESCAPE + "r")
        self.wait_for(REPORT_END, seconds=seconds, count=before + 1)
        return read_report(self.control)

    def wait_off(self):
        """Until the machine has powered itself off; its exit code."""
        try:
            code = self.process.wait(
                max(0.1, self.deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            raise self.error("the machine did not power off in time") from None
        self._reader.join(5)
        return code

    def report(self):
        """The VMkernel's report; the machine must be off."""
        if self.wait_off():
            raise self.error(f"it ended with code {self.process.returncode}")
        return read_report(self.control)

    def kill(self):
        """Whatever still runs of it."""
        children = self._children()
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(5)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
                for child in children:
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(child, signal.SIGKILL)
        self._reader.join(5)
        if self.process.stdin:
            with contextlib.suppress(OSError):
                self.process.stdin.close()


def read_report(path):
    try:
        with open(path, encoding="utf-8") as f:
            text = f.read()
    except FileNotFoundError:
        raise MachineError("there is no report: the second serial port said "
                           "nothing") from None
    for line in reversed(text.splitlines()):
        try:
            document = json.loads(line)
        except ValueError as error:
            raise MachineError(f"the report is not JSON: {error}",
                               [line[-500:]]) from None
        if document.get("type") == "report":
            return document
    raise MachineError("there is no report on the second serial port",
                       text.splitlines())


def ledger_errors(report):
    """What does not add up, as sentences; the equations of vswitch/port.h."""
    errors = []
    forwarded = received = 0
    for port in report["ports"]:
        name, ins, outs = port["name"], port["ingress"], port["egress"]
        drops = sum(ins["drops"].values())
        if ins["frames"] != ins["forwarded"] + ins["flooded"] + drops:
            errors.append(
                f"{name}: {ins['frames']} frames came in, but "
                f"{ins['forwarded']} forwarded + {ins['flooded']} flooded + "
                f"{drops} dropped")
        drops = sum(outs["drops"].values())
        left = outs["frames"] + outs["segments_created"] - outs["merged"]
        if left != outs["delivered"] + outs["in_flight"] + drops:
            errors.append(
                f"{name}: {left} frames to go out, but {outs['delivered']} "
                f"delivered + {outs['in_flight']} in flight + {drops} dropped")
        if outs["in_flight"]:
            errors.append(f"{name}: {outs['in_flight']} frames still in "
                          "flight")
        forwarded += ins["forwarded"]
        received += outs["frames"]
    if received != forwarded + report["copies"]:
        errors.append(f"over the switch: {received} frames sent to ports, but "
                      f"{forwarded} forwarded + {report['copies']} copies")
    return errors
