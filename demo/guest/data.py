#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""data.py DIR: what the web guest serves, and the sums that prove it arrived.

DIR/index.html (known text), DIR/data.bin (2 MiB that no transfer error leaves
intact) and DIR/sums ("SHA-256  NAME" for each).
"""

import hashlib
import os
import sys

PAGE = b"""<!DOCTYPE html>
<title>Sluice</title>
<p>This page crossed a virtual switch.
"""
DATA_SIZE = 2 << 20


def main():
    folder = sys.argv[1]
    os.makedirs(folder, exist_ok=True)
    data = b"".join(hashlib.sha256(b"sluice %d" % i).digest()
                    for i in range(DATA_SIZE // 32))
    sums = ""
    for name, content in (("index.html", PAGE), ("data.bin", data)):
        with open(os.path.join(folder, name), "wb") as f:
            f.write(content)
        sums += f"{hashlib.sha256(content).hexdigest()}  {name}\n"
    with open(os.path.join(folder, "sums"), "w", encoding="ascii") as f:
        f.write(sums)


if __name__ == "__main__":
    main()
