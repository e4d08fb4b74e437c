# SPDX-License-Identifier: GPL-2.0-or-later
"""Form: clang-format, the two-line header, file length, scripts that parse."""

import ast
import re
import subprocess

from source import ROOT, files, read

LINES_MAX = 800
# A unit test that follows its source function by function may be longer.
TEST_LINES_MAX = 1000
LICENSE = "SPDX-License-Identifier: GPL-2.0-or-later"


def check_format():
    """clang-format has nothing to change. Complaints, files."""
    sources = files(".c", ".h")
    run = subprocess.run(["clang-format", "--dry-run", "-Werror", *sources],
                         cwd=ROOT, capture_output=True, text=True, check=False)
    complaints = [line for line in run.stderr.splitlines()
                  if "error:" in line]
    if run.returncode and not complaints:
        complaints = [run.stderr.strip() or "clang-format failed"]
    return complaints, len(sources)


def check_files():
    """Each file says its licence and purpose, and is not too long."""
    complaints = []
    sources = files(".c", ".h", ".S", ".py", ".sh", ".asl", ".lds")
    for path in sources:
        lines = read(path).splitlines()
        if not any(LICENSE in line for line in lines[:2]):
            complaints.append(f"{path}:1: no SPDX line")
        elif path.endswith((".c", ".h")) and not re.match(
                r"/\* .", (lines + ["", ""])[1]):
            complaints.append(f"{path}:2: no line that says what it is for")
        limit = TEST_LINES_MAX if path.startswith("tests/") else LINES_MAX
        if len(lines) > limit:
            complaints.append(f"{path}: {len(lines)} lines; past "
                              f"{limit} it is two files")
    return complaints, len(sources)


def check_scripts():
    """Python and shell parse. Complaints, files."""
    complaints = []
    scripts = files(".py", ".sh", ".cgi")
    for path in scripts:
        if path.endswith(".py"):
            try:
                ast.parse(read(path), path)
            except SyntaxError as error:
                complaints.append(f"{path}:{error.lineno}: {error.msg}")
            continue
        run = subprocess.run(["sh", "-n", path], cwd=ROOT, check=False,
                             capture_output=True, text=True)
        if run.returncode:
            complaints.append(run.stderr.strip())
    return complaints, len(scripts)
