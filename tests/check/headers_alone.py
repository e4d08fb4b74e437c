# SPDX-License-Identifier: GPL-2.0-or-later
"""Every header compiles alone, with the flags of each build that has it."""

import concurrent.futures
import os
import shlex
import subprocess

from source import ROOT, files

# Which builds see a folder's headers, the longest prefix first. "kernel",
# "native" and "tool" are the flags of mk/flags.mk; "guest" of mk/guest.mk.
BUILDS = (
    ("include/", ("kernel", "native", "tool")),
    ("lib/", ("kernel", "native", "tool")),
    ("plat/kernel/", ("kernel",)),
    ("plat/linux/", ("native", "tool")),
    ("plat/", ("kernel", "native")),
    ("drivers/", ("kernel", "native")),
    ("vswitch/", ("kernel", "native")),
    ("vmm/dev/", ("kernel", "native")),
    ("vmm/load/", ("kernel", "native")),
    ("vmm/", ("kernel",)),
    ("vmkernel/", ("kernel",)),
    ("tools/", ("tool",)),
    ("tests/guest/", ("guest",)),
    ("tests/", ("native",)),
    ("bench/", ("tool",)),
)
# They write dependency files; a check must leave nothing behind.
LEAVE_OUT = {"-MMD", "-MP"}


def builds_of(path):
    for prefix, builds in BUILDS:
        if path.startswith(prefix):
            return builds
    return ()


def compile_alone(compiler, flags, path):
    command = [compiler, *(f for f in flags if f not in LEAVE_OUT),
               "-fsyntax-only", "-x", "c", "-"]
    return subprocess.run(command, cwd=ROOT, input=f'#include "{path}"\n',
                          capture_output=True, text=True, check=False)


def check():
    """Complaints, and how many compilations there were."""
    flags = {name: shlex.split(os.environ[f"{name.upper()}_CFLAGS"])
             for name in ("kernel", "native", "tool", "guest")}
    compiler = os.environ.get("CC", "gcc")
    jobs, complaints = [], []
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for path in files(".h"):
            builds = builds_of(path)
            if not builds:
                complaints.append(f"{path}: tests/check/headers_alone.py does "
                                  "not know which build it belongs to")
            for build in builds:
                jobs.append((path, build, pool.submit(
                    compile_alone, compiler, flags[build], path)))
    for path, build, job in jobs:
        if job.result().returncode:
            complaints.append(f"{path} does not compile alone ({build}):\n"
                              f"{job.result().stderr.strip()}")
    return complaints, len(jobs)
