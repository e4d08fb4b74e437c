#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs the fuzzers, and keeps their corpus: fuzzing.py merge [NAME...].

tests/fuzz/corpus/NAME is the kept corpus: what merge found to be enough for
every edge that all inputs reach, and regress-*, inputs that once failed. A long
run adds to build/fuzz/corpus/NAME; merge brings that back here.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
BUILD = "build/fuzz"
KEPT = "tests/fuzz/corpus"
# Enough that what used to crash at once does so again.
SMOKE_RUNS = 20000
SMOKE_SECONDS = 4
# Inputs that libFuzzer has named are its own to drop; others are a person's.
LIBFUZZER_NAME = re.compile(r"[0-9a-f]{40}$")
INPUT_SIZE_MAX = 16384


def name_of(program):
    """decode for build/fuzz/tests/fuzz/decode_fuzz."""
    return re.sub(r"_fuzz$", "", os.path.basename(program))


def flags(name):
    """What every run of the fuzzer gets."""
    options = ["-timeout=20", "-rss_limit_mb=2048", "-print_final_stats=1",
               f"-artifact_prefix={BUILD}/crash/{name}-"]
    os.makedirs(os.path.join(ROOT, BUILD, "crash"), exist_ok=True)
    dictionary = f"tests/fuzz/dict/{name}.dict"
    if os.path.exists(os.path.join(ROOT, dictionary)):
        options.append(f"-dict={dictionary}")
    return options


def kept(name):
    """The kept corpus, as arguments: none if there is none."""
    folder = f"{KEPT}/{name}"
    return [folder] if os.path.isdir(os.path.join(ROOT, folder)) else []


def execute(command, timeout):
    if not os.path.exists(os.path.join(ROOT, command[0])):
        return subprocess.CompletedProcess(command, 1, "it was not built", "")
    try:
        return subprocess.run(command, cwd=ROOT, text=True, errors="replace",
                              stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT,
                              timeout=timeout, check=False)
    except subprocess.TimeoutExpired as error:
        return subprocess.CompletedProcess(command, 1, f"no end: {error}", "")


def smoke(program):
    """The kept corpus and a few seconds from there, the same each time."""
    name = name_of(program)
    with tempfile.TemporaryDirectory() as new:
        return execute([program, "-seed=1", f"-runs={SMOKE_RUNS}",
                        f"-max_total_time={SMOKE_SECONDS}", *flags(name),
                        new, *kept(name)], SMOKE_SECONDS + 60)


def long(program, seconds):
    """seconds of one process; what it finds stays in build/fuzz/corpus."""
    name = name_of(program)
    corpus = f"{BUILD}/corpus/{name}"
    os.makedirs(os.path.join(ROOT, corpus), exist_ok=True)
    return execute([program, f"-max_total_time={seconds}", *flags(name),
                    corpus, *kept(name)], seconds + 300)


def executed(run):
    """How many inputs a run tried."""
    return sum(map(int, re.findall(r"number_of_executed_units: (\d+)",
                                   run.stdout)))


def merge(program):
    """Makes the kept corpus anew from itself and build/fuzz/corpus: few inputs
    that reach every edge. Returns the run."""
    name = name_of(program)
    home = os.path.join(ROOT, KEPT, name)
    found = f"{BUILD}/corpus/{name}"
    os.makedirs(home, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=os.path.join(ROOT, BUILD)) as new:
        sources = [folder for folder in (f"{KEPT}/{name}", found)
                   if os.path.isdir(os.path.join(ROOT, folder))]
        run = execute([program, "-set_cover_merge=1", "-use_counters=0",
                       f"-max_len={INPUT_SIZE_MAX}", "-timeout=20", new,
                       *sources], 600)
        if run.returncode:
            return run
        for entry in os.listdir(home):
            if LIBFUZZER_NAME.match(entry):
                os.unlink(os.path.join(home, entry))
        for entry in os.listdir(new):
            shutil.copyfile(os.path.join(new, entry),
                            os.path.join(home, entry))
    return run


def main():
    programs = [word for word in sys.argv[2:] if "/" in word]
    if len(sys.argv) < 3 or sys.argv[1] != "merge" or not programs:
        sys.exit("fuzzing.py merge PROGRAM...: see 'make fuzz-corpus'")
    for program in programs:
        run = merge(program)
        folder = os.path.join(ROOT, KEPT, name_of(program))
        if run.returncode:
            print(run.stdout[-3000:])
            sys.exit(f"{program}: the merge failed")
        sizes = [os.path.getsize(os.path.join(folder, entry))
                 for entry in os.listdir(folder)]
        print(f"  {name_of(program)}: {len(sizes)} inputs, "
              f"{sum(sizes)} bytes")


if __name__ == "__main__":
    main()
