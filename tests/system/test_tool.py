# SPDX-License-Identifier: GPL-2.0-or-later
"""The sluice command as a user meets it: messages, exit codes, the terminal.

No machine is booted: a script stands in for QEMU.
"""
import os
import pty
import re
import select
import shlex
import signal
import struct
import subprocess
import sys
import termios
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SLUICE = ROOT / "sluice"

# A Multiboot 1 ELF, as far as a quick look goes.
KERNEL = b"\x7fELF\x01".ljust(64, b"\0") + struct.pack(
    "<III", 0x1BADB002, 0, -0x1BADB002 & 0xFFFFFFFF
)

GOOD = """\
uplinks:
  - {name: up0, match: {mac: "52:54:00:00:00:02"}}
vms:
  - name: web
    cpus: 1
    memory: 256M
    kernel: kernel
    initrd: initrd
    nics: [{network: up0, mac: "52:54:00:01:00:01"}]
  - name: client
    cpus: 2
    memory: 128M
    kernel: kernel
    nics: [{network: up0}]
"""

# What stands in for QEMU: a Python script given by each test.
FAKE = """#!{python}
import os, signal, sys, time
def say(text):
    sys.stdout.write(text)
    sys.stdout.flush()
{body}
"""


@pytest.fixture
def box(tmp_path, monkeypatch):
    """A folder with a good configuration in it, and the current one."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    (tmp_path / "kernel").write_bytes(KERNEL)
    (tmp_path / "initrd").write_bytes(b"initrd" * 1000)
    (tmp_path / "good.yaml").write_text(GOOD)
    (tmp_path / "sluice.elf").write_bytes(KERNEL)
    return tmp_path


@pytest.fixture
def fake_qemu(box, monkeypatch):
    """Installs a script as qemu-system-x86_64."""

    def install(body):
        path = box / "bin" / "qemu-system-x86_64"
        path.parent.mkdir(exist_ok=True)
        path.write_text(FAKE.format(python=sys.executable, body=body))
        path.chmod(0o755)
        monkeypatch.setenv("PATH", str(path.parent), prepend=os.pathsep)

    return install


def sluice(*args, **options):
    """Runs the command to its end; text in .stdout and .stderr."""
    options.setdefault("stdin", subprocess.DEVNULL)
    return subprocess.run(
        [SLUICE, *args],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        timeout=30,
        **options,
    )


def refused(result, code, text):
    """One line on stderr with text in it, nothing on stdout, this code."""
    assert result.returncode == code, result.stderr
    assert result.stdout == ""
    assert result.stderr.count("\n") == 1, result.stderr
    assert text in result.stderr
    assert "\033" not in result.stderr


# ---- help and usage ----


def test_help():
    for args in ([], ["check"], ["build"], ["run"]):
        for flag in ("--help", "-h"):
            result = sluice(*args, flag)
            assert result.returncode == 0
            assert result.stdout.startswith("usage: sluice " + "".join(args))
            assert result.stderr == ""
            assert max(map(len, result.stdout.splitlines())) <= 80


def test_version():
    assert re.match(r"sluice \d+\.\d+\.\d+ ", sluice("--version").stdout)


@pytest.mark.parametrize(
    "args, text",
    [
        ([], "what to do?"),
        (["chekc"], "unknown command 'chekc'"),
        (["check"], "which configuration file?"),
        (["check", "a", "b"], "what is 'b'?"),
        (["check", "--foo", "a"], "unknown option '--foo'; see 'sluice check"),
        (["run", "-x", "a"], "unknown option '-x'; see 'sluice run"),
        (["check", "--cpus"], "option '--cpus' needs a value"),
        (["check", "--cpus", "0", "a"], "--cpus: '0' is no number from 1"),
        (["check", "--memory", "1", "a"], "--memory: '1' is no memory size"),
        (["run", "--timeout", "x", "a"], "--timeout: 'x'"),
        (["run", "--hostfwd", "80:80", "a"], "--hostfwd: '80:80'"),
        (["run", "--help=x"], "--help=x"),
    ],
)
def test_usage(args, text):
    refused(sluice(*args), 2, text)


# ---- check ----


def test_check_good(box):
    result = sluice("check", "good.yaml")
    assert result.returncode == 0
    assert result.stderr == ""
    assert result.stdout.startswith(
        "good.yaml: good: 2 VMs with 3 CPUs, 384M of memory and 2 NICs; "
        "1 uplink; 2 files"
    )


@pytest.mark.parametrize(
    "old, new, line, text",
    [
        ("memory: 256M", "memroy: 256M", 6, "did you mean 'memory'?"),
        ("cpus: 1", "cpus: one", 5, "must be a whole number, not 'one'"),
        ("    cpus: 1\n", "", 4, "'cpus' is missing"),
        ("cpus: 1", "cpus: 17", 5, "give it 1 to 16"),
        ("256M", "257M", 6, "the next is 258M"),
        ("256M", "4M", 6, "16M or more"),
        ("initrd: initrd", "initrd: nothing", 8, "'nothing' cannot be opened"),
        ("initrd: initrd", "initrd: .", 8, "no regular file"),
        ("kernel: kernel", "kernel: initrd", 7, "'initrd' is no kernel"),
        ("name: client", "name: web", 10, "VM 'web' is already on line 4"),
        ("network: up0, mac", "network: up1, mac", 9, "no network 'up1'"),
        ("52:54:00:01:00:01", "53:54:00:01:00:01", 9, "group address"),
        ("vms:", "vms", 4, "not YAML"),
        (
            "{network: up0}",
            '{network: up0, mac: "52:54:00:01:00:01"}',
            14,
            "already on line 9",
        ),
    ],
)
def test_check_bad(box, old, new, line, text):
    assert old in GOOD
    (box / "bad.yaml").write_text(GOOD.replace(old, new, 1))
    result = sluice("check", "bad.yaml")
    refused(result, 1, text)
    assert result.stderr.startswith(f"bad.yaml:{line}: ")
    # build and run refuse the same, and write nothing
    assert sluice("build", "bad.yaml").stderr == result.stderr
    assert sluice("run", "bad.yaml").stderr == result.stderr
    assert not (box / "build").exists()


def test_check_no_file(box):
    refused(sluice("check", "none.yaml"), 1, "none.yaml: cannot be opened")


def test_check_machine(box):
    refused(
        sluice("check", "--cpus", "1", "good.yaml"),
        1,
        "good.yaml:11: VM 'client' has 2 CPUs but the machine has 1",
    )
    refused(
        sluice("check", "--memory", "400M", "good.yaml"), 1, "good.yaml:12: "
    )
    assert (
        sluice(
            "check", "--cpus=2", "--memory=512M", "good.yaml"
        ).returncode
        == 0
    )


def test_example_is_good(monkeypatch):
    """Up to the files it names, which only `make demo` makes."""
    monkeypatch.chdir(ROOT)
    result = sluice("check", "examples/two-vms.yaml")
    assert result.returncode == 0 or re.search(
        r"two-vms.yaml:\d+: (kernel|initrd) 'build/guest/", result.stderr
    )


# ---- build ----


def test_build(box):
    result = sluice("build", "good.yaml")
    assert result.returncode == 0, result.stderr
    assert result.stdout.startswith("build/good.bundle: 2 VMs, 2 files, ")
    bundle = (box / "build/good.bundle").read_bytes()
    assert bundle[:8] == b"SLUICEB1"
    assert struct.unpack_from("<Q", bundle, 16)[0] == len(bundle)
    assert bundle.count(b"initrd" * 1000) == 1
    assert bundle.count(KERNEL) == 1
    # the same again, byte for byte, elsewhere
    assert sluice("build", "-o", "other", "good.yaml").returncode == 0
    assert (box / "other").read_bytes() == bundle
    assert [p.name for p in (box / "build").iterdir()] == ["good.bundle"]


def test_build_no_folder(box):
    refused(
        sluice("build", "-o", "none/x", "good.yaml"),
        3,
        "none/x cannot be written: No such file or directory",
    )


# ---- run ----


def dry(*args):
    result = sluice("run", "--dry-run", *args, "good.yaml")
    assert result.returncode == 0, result.stderr
    return shlex.split(result.stdout)


def test_dry_run(box):
    assert dry() == shlex.split(
        "qemu-system-x86_64 -machine q35 -cpu EPYC,+svm -smp 2 -m 641M "
        "-kernel build/sluice.elf -initrd build/good.bundle -display none "
        "-nodefaults -no-reboot -device pvpanic -action panic=exit-failure -serial stdio -netdev user,id=n0 -device "
        "e1000e,netdev=n0,mac=52:54:00:00:00:02,romfile="
    )
    assert not (box / "build").exists()


def test_dry_run_options(box):
    args = dry(
        "--cpus=4",
        "--memory=2G",
        "--kernel=my sluice.elf",
        "--output=b",
        "--control=c",
        "--hostfwd=tcp:8080:10.0.2.15:80",
        "--gdb",
        "--qemu-arg=-d",
        "--qemu-arg=it's",
    )
    assert args[args.index("-smp") + 1] == "4"
    assert args[args.index("-m") + 1] == "2G"
    assert args[args.index("-kernel") + 1] == "my sluice.elf"
    assert args[args.index("-initrd") + 1] == "b"
    assert "file:c" in args
    assert "user,id=n0,hostfwd=tcp:127.0.0.1:8080-10.0.2.15:80" in args
    assert args[args.index("-gdb") + 1] == "tcp:127.0.0.1:1234"
    assert args[-3:] == ["-S", "-d", "it's"]


def test_run_checks_machine(box):
    refused(
        sluice("run", "--dry-run", "--cpus", "1", "good.yaml"),
        1,
        "good.yaml:11: VM 'client' has 2 CPUs",
    )


def test_run_no_kernel(box):
    refused(sluice("run", "good.yaml"), 3, "build/sluice.elf is missing")
    refused(
        sluice("run", "--kernel", "x.elf", "good.yaml"), 3, "x.elf: No such"
    )


def test_run_no_qemu(box, monkeypatch):
    monkeypatch.setenv("PATH", str(box))
    refused(
        sluice("run", "--kernel", "sluice.elf", "good.yaml"),
        3,
        "qemu-system-x86_64 is not installed; install it: "
        "apt install qemu-system-x86",
    )


RUN = ["run", "--kernel", "sluice.elf", "good.yaml"]


def test_run_passes_bytes(box, fake_qemu):
    fake_qemu(
        """
say(" ".join(sys.argv[1:5]) + "\\n")
line = sys.stdin.readline()
say("web| got " + line)
sys.stderr.write("q: warning: TCG doesn't support requested feature: x\\n")
sys.stderr.write("a warning\\n")
"""
    )
    result = sluice(
        *RUN, "--log", "log", stdin=None, input="hello \x1dq\n"
    )
    assert result.returncode == 0
    assert (
        result.stdout
        == "-machine q35 -cpu EPYC,+svm\nweb| got hello \x1dq\n"
    )
    assert result.stderr == "a warning\n"
    assert (box / "log").read_text() == result.stdout
    assert (box / "build/good.bundle").exists()


def test_run_much_output(box, fake_qemu):
    fake_qemu('say("web| " + "x" * 1000000 + "\\n")')
    assert len(sluice(*RUN).stdout) == 1000006


def test_run_much_input(box, fake_qemu):
    """A guest that reads slowly makes a program wait, and loses nothing."""
    fake_qemu(
        """
time.sleep(0.5)
say(str(len(sys.stdin.readline())))
"""
    )
    result = sluice(*RUN, stdin=None, input="x" * 300000 + "\n")
    assert result.stdout == "300001"


def test_run_stdin_end_is_not_the_end(box, fake_qemu):
    fake_qemu("time.sleep(0.5)\nsay('done')")
    assert sluice(*RUN).stdout == "done"


def test_run_qemu_fails(box, fake_qemu):
    fake_qemu('sys.stderr.write("no such device\\n")\nsys.exit(1)')
    result = sluice(*RUN)
    assert result.returncode == 3
    assert result.stderr == (
        "no such device\nsluice: qemu-system-x86_64 ended with code 1; see "
        "what it printed above\n"
    )


def test_run_qemu_crashes(box, fake_qemu):
    fake_qemu("os.kill(os.getpid(), signal.SIGSEGV)")
    refused(sluice(*RUN), 3, "was ended by signal 11")


def gone(pid):
    """Does the process run no more, within a second? (A zombie does not.)"""
    for _ in range(20):
        try:
            stat = Path(f"/proc/{pid}/stat").read_text()
        except OSError:
            return True
        if stat.rpartition(")")[2].split()[0] == "Z":
            return True
        time.sleep(0.05)
    return False


def test_run_timeout(box, fake_qemu):
    fake_qemu("open('pid', 'w').write(str(os.getpid()))\ntime.sleep(60)")
    start = time.monotonic()
    result = sluice(*RUN, "--timeout", "1")
    assert result.returncode == 4
    assert "did not power off within 1 s" in result.stderr
    assert 0.9 < time.monotonic() - start < 10
    assert gone(int((box / "pid").read_text()))


def test_run_timeout_stubborn(box, fake_qemu):
    """A QEMU that ignores SIGTERM gets SIGKILL."""
    fake_qemu(
        """
signal.signal(signal.SIGTERM, signal.SIG_IGN)
open('pid', 'w').write(str(os.getpid()))
time.sleep(60)
"""
    )
    assert sluice(*RUN, "--timeout", "1").returncode == 4
    assert gone(int((box / "pid").read_text()))


def test_run_output_closed(box, fake_qemu):
    fake_qemu("while True:\n    say('x' * 1000 + '\\n')")
    child = subprocess.Popen(
        [SLUICE, *RUN],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    child.stdout.read(10)
    child.stdout.close()
    assert child.wait(timeout=20) == 3
    assert b"nobody takes the output" in child.stderr.read()
    child.stderr.close()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_run_signal(box, fake_qemu, number):
    fake_qemu(
        """
open('pid', 'w').write(str(os.getpid()))
say('up\\n')
time.sleep(60)
"""
    )
    child = subprocess.Popen(
        [SLUICE, *RUN], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE
    )
    assert child.stdout.readline() == b"up\n"
    child.send_signal(number)
    assert child.wait(timeout=20) == 128 + number
    child.stdout.close()
    assert gone(int((box / "pid").read_text()))


def test_run_killed(box, fake_qemu):
    """Whoever kills sluice does not leave a QEMU behind."""
    fake_qemu(
        """
open('pid', 'w').write(str(os.getpid()))
say('up\\n')
time.sleep(60)
"""
    )
    child = subprocess.Popen(
        [SLUICE, *RUN], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE
    )
    assert child.stdout.readline() == b"up\n"
    child.kill()
    child.wait(timeout=20)
    child.stdout.close()
    assert gone(int((box / "pid").read_text()))


# ---- the terminal ----


class Terminal:
    """sluice on a terminal of its own."""

    def __init__(self, *args):
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.execv(SLUICE, [str(SLUICE), *args])
        self.text = ""

    def read_until(self, want, seconds=15):
        end = time.monotonic() + seconds
        while want not in self.text:
            left = end - time.monotonic()
            assert left > 0, f"no {want!r} in {self.text!r}"
            if select.select([self.fd], [], [], left)[0]:
                try:
                    self.text += os.read(self.fd, 4096).decode()
                except OSError:
                    assert want in self.text, self.text
                    return

    def type(self, keys):
        os.write(self.fd, keys.encode())

    def is_raw(self):
        return not termios.tcgetattr(self.fd)[3] & termios.ICANON

    def wait(self):
        """Reads to the end; the exit code."""
        try:
            while data := os.read(self.fd, 4096):
                self.text += data.decode()
        except OSError:  # Linux: nobody has the terminal open any more
            pass
        os.close(self.fd)
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


ECHO = """
say("web| ready\\n[0.1] log\\nclient| x\\n")
while True:
    key = os.read(0, 1)
    say(repr(key) + "\\n")
    if key == b"e":
        break
"""


def test_terminal(box, fake_qemu):
    fake_qemu(ECHO)
    t = Terminal(*RUN)
    t.read_until("x\r\n")
    assert t.is_raw()
    assert t.text == (
        "\033[36mweb|\033[0m ready\r\n[0.1] log\r\n"
        "\033[33mclient|\033[0m x\r\n"
    )
    t.type("\x03")  # no signal: the guest's
    t.read_until(r"b'\x03'")
    t.type("e")
    assert t.wait() == 0


def test_terminal_restored(box, fake_qemu):
    """Cooked again afterwards; a holder of the terminal sees it."""
    fake_qemu(ECHO)
    master, slave = pty.openpty()
    before = termios.tcgetattr(slave)

    def own_terminal():
        os.setsid()
        import fcntl

        fcntl.ioctl(0, termios.TIOCSCTTY, 0)

    child = subprocess.Popen(
        [SLUICE, *RUN],
        stdin=slave,
        stdout=subprocess.PIPE,
        preexec_fn=own_terminal,
    )
    assert child.stdout.readline() == b"web| ready\n"  # no terminal: plain
    for _ in range(100):
        if termios.tcgetattr(slave) != before:
            break
        time.sleep(0.05)
    assert not termios.tcgetattr(slave)[3] & termios.ICANON
    child.send_signal(signal.SIGTERM)
    child.stdout.read()
    assert child.wait(timeout=20) == 128 + signal.SIGTERM
    assert termios.tcgetattr(slave) == before
    child.stdout.close()
    os.close(master)
    os.close(slave)


def test_terminal_no_color(box, fake_qemu, monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    fake_qemu(ECHO)
    t = Terminal(*RUN)
    t.read_until("x\r\n")
    t.type("e")
    assert t.wait() == 0
    assert "\033" not in t.text


def test_terminal_half_prefix(box, fake_qemu):
    """What may become a prefix is not held back for ever."""
    fake_qemu('say("we")\nos.read(0, 1)')
    t = Terminal(*RUN)
    t.read_until("we")
    t.type("x")
    assert t.wait() == 0


def test_terminal_quit(box, fake_qemu):
    """Ctrl-] q ends a QEMU that does not obey, after 3 s."""
    fake_qemu(ECHO)
    t = Terminal(*RUN)
    t.read_until("x\r\n")
    start = time.monotonic()
    t.type("\x1d")
    t.read_until(r"b'\x1d'")  # passed on all the same
    t.type("q")
    t.read_until("b'q'")
    assert t.wait() == 0
    assert 2.5 < time.monotonic() - start < 10
    assert "the hypervisor did not power off; QEMU was ended" in t.text


def test_terminal_other_keys(box, fake_qemu):
    """Ctrl-] n, a plain q, Ctrl-] Ctrl-] q: none of them ends it."""
    fake_qemu(ECHO)
    t = Terminal(*RUN)
    t.read_until("x\r\n")
    t.type("\x1dnq\x1d\x1dq")
    t.read_until(r"b'q'" + "\r\n" + r"b'\x1d'" + "\r\n" + r"b'\x1d'")
    time.sleep(3.5)
    t.type("e")
    assert t.wait() == 0
    assert "was ended" not in t.text


def test_terminal_no_reader(box, fake_qemu):
    """Keys that nobody takes do not stop Ctrl-] q."""
    fake_qemu('say("up\\n")\ntime.sleep(60)')
    t = Terminal(*RUN)
    t.read_until("up")
    for _ in range(100):
        t.type("x" * 1000)
    t.type("\x1dq")
    assert t.wait() == 0


def test_terminal_colours(box):
    (box / "bad.yaml").write_text("vms: 1\n")
    t = Terminal("check", "bad.yaml")
    assert t.wait() == 1
    assert t.text.startswith("\033[1mbad.yaml:1:\033[0m 'vms' must")
