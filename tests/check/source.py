# SPDX-License-Identifier: GPL-2.0-or-later
"""The project's source files, for the checks."""

import os

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
SKIP = {".git", "build", "__pycache__", ".pytest_cache"}


def files(*suffixes):
    """Paths from the root, sorted; of files that end in one of suffixes."""
    found = []
    for folder, folders, names in os.walk(ROOT):
        folders[:] = sorted(set(folders) - SKIP)
        for name in names:
            if name.endswith(suffixes):
                path = os.path.join(folder, name)
                found.append(os.path.relpath(path, ROOT))
    return sorted(found)


def read(path):
    with open(os.path.join(ROOT, path), encoding="utf-8") as f:
        return f.read()
