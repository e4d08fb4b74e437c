# SPDX-License-Identifier: GPL-2.0-or-later
"""A bootable medium: GRUB, which starts Sluice by Multiboot 2."""

import os
import shutil
import subprocess

from machine import ROOT, MachineError

GRUB_CFG = """\
set timeout=0
multiboot2 /boot/sluice.elf
{modules}
boot
"""


def make_iso(folder, bundle=None):
    """An ISO of the built kernel and the bundle, if any; its path."""
    tree = os.path.join(folder, "iso")
    boot = os.path.join(tree, "boot")
    path = os.path.join(folder, "box.iso")
    os.makedirs(os.path.join(boot, "grub"), exist_ok=True)
    shutil.copy(os.path.join(ROOT, "build", "sluice.elf"), boot)
    if bundle:
        shutil.copy(bundle, os.path.join(boot, "box.bundle"))
    with open(os.path.join(boot, "grub", "grub.cfg"), "w",
              encoding="utf-8") as f:
        f.write(GRUB_CFG.format(
            modules="module2 /boot/box.bundle" if bundle else ""))
    run = subprocess.run(["grub-mkrescue", "-o", path, tree],
                         capture_output=True, text=True, timeout=60,
                         check=False)
    shutil.rmtree(tree)
    if run.returncode:
        raise MachineError("grub-mkrescue failed",
                           run.stderr.splitlines())
    return path
