# SPDX-License-Identifier: GPL-2.0-or-later
"""Folders include only what the design lets them."""

import re

from source import files, read

# Which headers a folder may include, the longest prefix first: prefixes of
# root-relative paths. "sluice/" is include/sluice: the ABIs of kernel and tool.
LIB = ("lib/", "sluice/")
PLAT = ("lib/", "plat/")
ALLOWED = (
    ("lib/", LIB),
    ("plat/", PLAT),
    ("drivers/net/", (*PLAT, "drivers/net/")),
    ("vswitch/", (*PLAT, "vswitch/", "drivers/net/netdev.h")),
    ("vmm/dev/", (*PLAT, "vmm/dev/", "vswitch/port.h", "vswitch/vswitch.h",
                  "vmm/layout.h")),
    ("vmm/load/", (*PLAT, "vmm/load/", "vmm/dev/guest_mem.h", "vmm/layout.h",
                   "vmm/state.h")),
    ("vmm/", (*PLAT, "vmm/", "vswitch/", "sluice/", "vmkernel/")),
    ("vmkernel/", (*PLAT, "vmkernel/", "vmm/", "vswitch/", "drivers/",
                   "sluice/")),
    ("tools/", ("lib/", "tools/", "sluice/")),
    ("include/", ("sluice/",)),
)
# Private headers are for siblings.
PRIVATE = re.compile(r".*_priv\.h$")
# What a freestanding folder may take from the system.
SYSTEM = re.compile(r"(stdint|stddef|stdbool|stdarg|limits|string)\.h$"
                    r"|(linux|asm)/[a-z0-9_]+\.h$")
HOSTED = ("tools/", "plat/linux/", "tests/", "bench/")
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.M)


def folder_of(path):
    return path.rsplit("/", 1)[0] + "/"


def complaint(path, quoted, header):
    allowed = next((rule for prefix, rule in ALLOWED
                    if path.startswith(prefix)), None)
    if not quoted:
        if not path.startswith(HOSTED) and allowed is not None and \
                not SYSTEM.match(header):
            return f"includes <{header}>, which a freestanding folder may not"
        return None
    if allowed is None:
        return None
    # plat/kernel or plat/linux, by the build's include path.
    if path.startswith("plat/") and "/" not in header:
        return None
    if not header.startswith(allowed):
        return f'includes "{header}", which its folder may not'
    if PRIVATE.match(header) and folder_of(header) != folder_of(path):
        return f'includes "{header}", which is private to {folder_of(header)}'
    return None


def check():
    """Complaints, and how many files were looked at."""
    complaints = []
    sources = files(".c", ".h", ".S")
    for path in sources:
        text = read(path)
        for match in INCLUDE.finditer(text):
            what = complaint(path, match.group(1) == '"', match.group(2))
            if what:
                line = text.count("\n", 0, match.start()) + 1
                complaints.append(f"{path}:{line}: {what}")
    return complaints, len(sources)
