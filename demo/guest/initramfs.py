#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Packs a guest's initramfs: busybox, an init script, kernel modules, programs.

Nothing needs root, and the same inputs give the same file: modules are listed
in loading order (their own "depends=" fields say which needs which), programs
bring the shared libraries that ldd names.
"""

import argparse
import gzip
import os
import re
import stat
import subprocess
import sys

DIRECTORIES = ("bin", "dev", "etc", "lib", "proc", "root", "run", "sbin", "sys",
               "tmp", "usr", "var", "www")


class Archive:
    """A cpio archive in the "newc" form (the kernel's initramfs buffer format)."""

    def __init__(self):
        self.parts = []
        self.names = set()
        self.inode = 0

    def _entry(self, name, mode, data=b"", device=(0, 0)):
        self.inode += 1
        encoded = name.encode() + b"\0"
        fields = (self.inode, mode, 0, 0, 1, 0, len(data), 0, 0, *device,
                  len(encoded), 0)
        header = b"070701" + b"".join(b"%08X" % f for f in fields) + encoded
        self.parts += [header, bytes(-len(header) % 4),
                       data, bytes(-len(data) % 4)]
        self.names.add(name)

    def directory(self, name):
        name = name.strip("/")
        if not name or name in self.names:
            return
        self.directory(os.path.dirname(name))
        self._entry(name, stat.S_IFDIR | 0o755)

    def file(self, name, data, mode=0o644):
        name = name.strip("/")
        if name in self.names:
            return
        self.directory(os.path.dirname(name))
        self._entry(name, stat.S_IFREG | mode, data)

    def link(self, name, target):
        name = name.strip("/")
        if name in self.names:
            return
        self.directory(os.path.dirname(name))
        self._entry(name, stat.S_IFLNK | 0o777, target.encode())

    def character_device(self, name, major, minor):
        self._entry(name, stat.S_IFCHR | 0o600, device=(major, minor))

    def finish(self):
        self._entry("TRAILER!!!", 0)
        return b"".join(self.parts)


def read(path):
    with open(path, "rb") as f:
        return f.read()


def find_modules(root):
    """Name to path, as modprobe counts names: '-' is '_'."""
    found = {}
    for folder, _, files in os.walk(root):
        for name in files:
            if name.endswith(".ko"):
                key = name[:-3].replace("-", "_")
                found[key] = os.path.join(folder, name)
    return found


def loading_order(wanted, found):
    order = []

    def visit(name):
        if name not in found:
            sys.exit(f"initramfs: no kernel module {name}")
        if name in order:
            return
        depends = re.search(rb"\0depends=([^\0]*)\0", read(found[name]))
        for other in (depends.group(1).decode() if depends else "").split(","):
            if other:
                visit(other.replace("-", "_"))
        order.append(name)

    for name in wanted:
        visit(name)
    return order


def add_program(archive, path, name):
    archive.file(name, read(path), 0o755)
    ldd = subprocess.run(["ldd", path], capture_output=True, text=True,
                         check=False)
    if ldd.returncode:  # a static program
        return
    for line in ldd.stdout.splitlines():
        library = re.search(r"(/\S+) \(0x", line)
        if library:
            archive.file(library.group(1), read(library.group(1)), 0o755)
        elif "not found" in line:
            sys.exit(f"initramfs: {path} needs {line.strip()}")


def which(name):
    for folder in os.environ.get("PATH", "").split(":") + ["/bin", "/usr/bin"]:
        path = os.path.join(folder, name)
        if os.access(path, os.X_OK):
            return os.path.realpath(path)
    sys.exit(f"initramfs: no program {name}; run 'make setup'")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("output")
    parser.add_argument("--init", required=True, help="becomes /init")
    parser.add_argument("--modules-from", metavar="DIR")
    parser.add_argument("--module", action="append", default=[])
    parser.add_argument("--program", action="append", default=[],
                        metavar="PATH[=NAME]")
    parser.add_argument("--file", action="append", default=[],
                        metavar="PATH=NAME[:MODE]")
    args = parser.parse_args()

    archive = Archive()
    for name in DIRECTORIES:
        archive.directory(name)
    archive.character_device("dev/console", 5, 1)
    busybox = which("busybox")
    archive.file("bin/busybox", read(busybox), 0o755)
    applets = subprocess.run([busybox, "--list"], capture_output=True,
                             text=True, check=True).stdout.split()
    for applet in applets:
        if applet != "busybox":  # it lists itself
            archive.link(f"bin/{applet}", "busybox")
    archive.file("init", read(args.init), 0o755)
    for item in args.program:
        path, _, name = item.partition("=")
        path = path if "/" in path else which(path)
        add_program(archive, path, name or "usr/bin/" + os.path.basename(path))
    for item in args.file:
        path, _, name = item.partition("=")
        name, _, mode = name.partition(":")
        archive.file(name, read(path), int(mode or "644", 8))
    found = find_modules(args.modules_from) if args.modules_from else {}
    order = loading_order(args.module, found)
    for name in order:
        archive.file(f"lib/modules/{name}.ko", read(found[name]))
    archive.file("lib/modules/order", "".join(f"{n}\n" for n in order).encode())

    temporary = args.output + ".tmp"
    with open(temporary, "wb") as f:
        f.write(gzip.compress(archive.finish(), 6, mtime=0))
    os.rename(temporary, args.output)


if __name__ == "__main__":
    main()
