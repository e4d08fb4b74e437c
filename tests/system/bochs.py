# SPDX-License-Identifier: GPL-2.0-or-later
"""One machine in Bochs, which emulates Intel's VT-x: boot an ISO, read what
it says.

Bochs 2.7 as Debian has it: with its debugger, which waits for a "c", and on a
terminal, which this module plays. It ends by itself when the machine turns
itself off, always with code 1.
"""

import contextlib
import os
import pty
import re
import subprocess
import threading
import time

from machine import Line, MachineError, read_report

SHARE = "/usr/share/bochs"
CONFIG = """\
config_interface: textconfig
display_library: term
cpu: model=broadwell_ult, count={cpus}, ips=100000000, ignore_bad_msrs=1
memory: guest=512, host=512
romimage: file={share}/BIOS-bochs-latest
vgaromimage: file={share}/VGABIOS-lgpl-latest
ata0: enabled=1, ioaddr1=0x1f0, ioaddr2=0x3f0, irq=14
ata0-master: type=cdrom, path="{iso}", status=inserted
boot: cdrom
com1: enabled=1, mode=file, dev="{serial}"
com2: enabled=1, mode=file, dev="{control}"
pci: enabled=1, chipset=i440fx
clock: sync=none, time0=local
speaker: enabled=0
sound: waveoutdrv=dummy, waveindrv=dummy, midioutdrv=dummy
log: "{log}"
panic: action=fatal
error: action=ignore
info: action=ignore
debug: action=ignore
"""
# A line of the serial port may still be on its way into the file.
POLL_SECONDS = 0.1


class Bochs:
    """A run, from power-on to power-off, with what it left."""

    def __init__(self, folder, iso, *, cpus=1, seconds=100):
        base = os.path.join(folder, "bochs")
        self.serial = base + ".serial"
        self.control = base + ".control"
        self.log = base + ".log"
        for path in (self.serial, self.control):
            with contextlib.suppress(FileNotFoundError):
                os.remove(path)
        with open(base + ".rc", "w", encoding="utf-8") as f:
            f.write(CONFIG.format(share=SHARE, cpus=cpus, iso=iso,
                                  serial=self.serial, control=self.control,
                                  log=self.log))
        with open(base + ".go", "w", encoding="utf-8") as f:
            f.write("c\n")
        master, terminal = pty.openpty()
        self.process = subprocess.Popen(
            ["bochs-bin", "-q", "-f", base + ".rc", "-rc", base + ".go"],
            stdin=terminal, stdout=terminal, stderr=terminal,
            env={**os.environ, "TERM": "xterm"}, start_new_session=True)
        os.close(terminal)
        screen = threading.Thread(target=self._swallow, args=(master,),
                                  daemon=True)
        screen.start()
        ended = self._wait(time.monotonic() + seconds)
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        screen.join(5)
        os.close(master)
        self.lines = [Line(0, raw) for raw in self._text().splitlines()]
        if not ended:
            raise self.error(f"it did not turn itself off in {seconds} s")

    @staticmethod
    def _swallow(master):
        """A terminal that nobody reads would stop it."""
        with contextlib.suppress(OSError):
            while os.read(master, 65536):
                pass

    def _text(self):
        with contextlib.suppress(FileNotFoundError):
            with open(self.serial, encoding="utf-8", errors="replace") as f:
                return f.read()
        return ""

    def _wait(self, deadline):
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                return True
            if "panic: machine stopped" in self._text():
                return False
            time.sleep(POLL_SECONDS)
        return False

    def error(self, reason):
        lines = [line.raw for line in self.lines]
        if not lines:
            with contextlib.suppress(FileNotFoundError):
                with open(self.log, encoding="utf-8", errors="replace") as f:
                    lines = f.read().splitlines()
        return MachineError(reason, lines)

    def find(self, pattern, vm=None):
        """(Line, match) of all lines: a VM's, or the VMkernel's."""
        found = [(line, re.search(pattern, line.text))
                 for line in self.lines if line.vm == vm]
        return [(line, match) for line, match in found if match]

    def wait_for(self, pattern, vm=None, seconds=None):
        """As Machine has it; here all has happened."""
        found = self.find(pattern, vm)
        if not found:
            raise self.error(f"{vm or 'the VMkernel'} did not say "
                             f"'{pattern}'")
        return found[0]

    def report(self):
        return read_report(self.control)
