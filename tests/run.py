#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs the tests: run.py [build] [check] [unit] [fuzz] [system].

Each step says what it proved; the last line counts. mk/test.mk calls this and
passes the compilers' flags in the environment.
"""

import concurrent.futures
import os
import re
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(ROOT, "tests", "check"))
sys.path.insert(0, os.path.join(ROOT, "tests", "fuzz"))
import fuzzing
import headers_alone
import includes
import manual
import style

UNIT_SECONDS = 120
JOBS = str(os.cpu_count() or 1)


class Results:
    """Counts, and the sentences of the summary."""

    def __init__(self):
        self.passed = self.failed = self.skipped = 0
        self.proved = []

    def add(self, ok, what, detail=""):
        """One test; detail is shown when it failed."""
        if ok:
            self.passed += 1
            return
        self.failed += 1
        print(f"FAILED {what}")
        for line in detail.splitlines():
            print(f"    {line}")


def make(*arguments):
    """make, free of the flags of a make that may have called us."""
    environment = {name: value for name, value in os.environ.items()
                   if name not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL", "CC")
                   and not name.endswith("_CFLAGS")}
    return subprocess.run(["make", "--no-print-directory", "-j", JOBS,
                           *arguments], cwd=ROOT, env=environment, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          check=False)


def build(results):
    for compiler, arguments in (
            ("gcc", ["CC=gcc", "all", "guests", "objects"]),
            ("clang", ["CC=clang", "BUILD=build/clang", "kernel", "payloads",
                       "objects"])):
        run = make(*arguments)
        results.add(run.returncode == 0, f"build with {compiler}", run.stdout)
        if run.returncode == 0:
            results.proved.append(
                f"build: all of it with {compiler}, -Wall -Wextra -Werror")


def check(results):
    for name, function, unit in (
            ("every header compiles alone", headers_alone.check,
             "compilations"),
            ("folders include only what the design allows", includes.check,
             "files"),
            ("clang-format has nothing to change", style.check_format,
             "files"),
            ("licence lines, purposes, file lengths", style.check_files,
             "files"),
            ("scripts parse", style.check_scripts, "files"),
            ("mandoc has no complaint about the manual", manual.check_pages,
             "pages"),
            ("sluice(1) has each option", manual.check_options, "options"),
            ("sluice.yaml(5) has each key", manual.check_keys, "keys"),
            ("docs/policy.md is what the kernel does", manual.check_policy,
             "lines")):
        complaints, count = function()
        results.add(not complaints, name, "\n".join(complaints))
        if not complaints:
            results.proved.append(f"check: {name} ({count} {unit})")


def run_unit(path):
    """passed, failed, output of one cmocka program."""
    if not os.path.exists(os.path.join(ROOT, path)):
        return 0, 1, "it was not built"
    try:
        run = subprocess.run([path], cwd=ROOT, text=True, errors="replace",
                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                             timeout=UNIT_SECONDS, check=False)
    except subprocess.TimeoutExpired as error:
        return 0, 1, f"no end after {error.timeout} s"
    passed = sum(map(int, re.findall(r"\[  PASSED  \] (\d+) test",
                                     run.stdout)))
    failed = sum(map(int, re.findall(r"\[  FAILED  \] (\d+) test",
                                     run.stdout)))
    if run.returncode and not failed:
        failed = 1  # a sanitizer's report, or a crash
    if not passed and not failed:
        failed = 1
    return passed, failed, run.stdout[-6000:]


def listed(target):
    run = make("-s", target)
    if run.returncode:
        sys.exit(f"make {target} failed:\n{run.stdout}")
    return run.stdout.split()


def unit(results):
    run = make("-k", "units")
    results.add(run.returncode == 0, "build of the unit tests", run.stdout)
    programs = listed("unit-list")
    total = 0
    with concurrent.futures.ThreadPoolExecutor(int(JOBS)) as pool:
        for path, (passed, failed, output) in zip(
                programs, pool.map(run_unit, programs)):
            results.passed += passed
            total += passed
            for _ in range(failed):
                results.add(False, path, output)
                output = ""
    results.proved.append(f"unit: {total} tests in {len(programs)} programs, "
                          "the kernel's sources under ASan and UBSan")


def fuzz(results, seconds=None):
    """A smoke run, or seconds for each fuzzer, as many at once as there are
    CPUs (or as the environment's FUZZ_JOBS says)."""
    run = make("-k", "fuzzers")
    results.add(run.returncode == 0, "build of the fuzzers", run.stdout)
    programs = listed("fuzz-list")
    wanted = os.environ.get("FUZZ", "").split()
    if wanted:
        programs = [path for path in programs
                    if fuzzing.name_of(path) in wanted]
    total = 0
    jobs = int(os.environ.get("FUZZ_JOBS") or JOBS)
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        started = {pool.submit(fuzzing.long, path, seconds) if seconds
                   else pool.submit(fuzzing.smoke, path): path
                   for path in programs}
        for job in concurrent.futures.as_completed(started):
            run, path = job.result(), started[job]
            results.add(run.returncode == 0,
                        f"{path} (exit status {run.returncode})",
                        run.stdout[-6000:])
            total += fuzzing.executed(run)
            if seconds:
                print(f"  {fuzzing.name_of(path)}: {fuzzing.executed(run)} "
                      f"inputs in {seconds} s", flush=True)
    results.proved.append(f"fuzz: {len(programs)} fuzzers, {total} inputs, "
                          "their kept corpora first")


def system(results):
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "results.xml")
        subprocess.run([sys.executable, "-m", "pytest", "-q", "--no-header",
                        "-p", "no:cacheprovider", f"--junitxml={path}",
                        "--basetemp=build/pytest", "tests/system"],
                       cwd=ROOT, check=False)
        try:
            suite = xml.etree.ElementTree.parse(path).getroot().find(
                "testsuite")
        except (OSError, xml.etree.ElementTree.ParseError):
            results.add(False, "pytest", "it left no results")
            return
    failed = int(suite.get("failures")) + int(suite.get("errors"))
    skipped = int(suite.get("skipped"))
    passed = int(suite.get("tests")) - failed - skipped
    results.passed += passed
    results.failed += failed
    results.skipped += skipped
    groups = {}
    for case in suite.iter("testcase"):
        if not len(case):
            name = case.get("classname").rsplit(".", 1)[-1]
            groups[name] = groups.get(name, 0) + 1
    for name, count in groups.items():
        results.proved.append(f"system: {count} tests of {name}")


STEPS = {"build": build, "check": check, "unit": unit, "fuzz": fuzz,
         "system": system}


def main():
    results = Results()
    start = time.monotonic()
    seconds = None
    if len(sys.argv) == 3 and sys.argv[1] == "fuzz" and sys.argv[2].isdigit():
        seconds = int(sys.argv.pop())
    for name in sys.argv[1:] or STEPS:
        if name == "check" and "KERNEL_CFLAGS" not in os.environ:
            sys.exit("run.py: the flags are make's to give; run 'make check'")
        if name not in STEPS:
            sys.exit(f"run.py: no step '{name}'; there are {' '.join(STEPS)}")
        print(f"--- {name}", flush=True)
        if name == "fuzz":
            fuzz(results, seconds)
        else:
            STEPS[name](results)
    print("--- what this proved")
    for line in results.proved:
        print(f"  {line}")
    skipped = f", {results.skipped} skipped" if results.skipped else ""
    print(f"{results.passed} passed, {results.failed} failed{skipped} in "
          f"{time.monotonic() - start:.0f} s")
    return 1 if results.failed else 0


if __name__ == "__main__":
    sys.exit(main())
