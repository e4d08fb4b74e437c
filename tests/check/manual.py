# SPDX-License-Identifier: GPL-2.0-or-later
"""The manual tells what there is: options, keys, policy tables."""

import os
import re
import subprocess

from source import ROOT, read

PAGES = ("docs/man/sluice.1", "docs/man/sluice.yaml.5")


def output(*command):
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True,
                          check=False).stdout


def check_pages():
    """mandoc has no complaint. Complaints, files."""
    text = output("mandoc", "-Tlint", "-Wwarning", *PAGES)
    return text.splitlines(), len(PAGES)


def words_of_page(path):
    """The page as a reader sees it, without bold and underline."""
    return re.sub(".\b", "", output("mandoc", "-Tascii", path))


def check_options():
    """Every option that a command's help names stands in sluice(1), and no
    other. Complaints, options."""
    page = words_of_page(PAGES[0])
    known = {"--help", "--version"}
    for command in ("check", "build", "run"):
        known |= set(re.findall(r"^ *(?:-\w, )?(--[a-z-]+)",
                                output("./sluice", command, "--help"), re.M))
    written = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", page))
    complaints = [f"{PAGES[0]}: {option} is missing"
                  for option in sorted(known - written)]
    complaints += [f"{PAGES[0]}: there is no option {option}"
                   for option in sorted(written - known)]
    return complaints, len(known)


def check_keys():
    """The same for the keys of the configuration. Complaints, keys."""
    keys = set(re.findall(r'^\t\{"(\w+)", "\1:', read("tools/box.c"), re.M))
    page = read(PAGES[1])
    written = set(re.findall(r"\.It Cm (\w+) :", page))
    written |= set(re.findall(r"\.Cm (mac|pci) :", page))
    complaints = [f"{PAGES[1]}: {key} is missing"
                  for key in sorted(keys - written)]
    complaints += [f"{PAGES[1]}: there is no key {key}"
                   for key in sorted(written - keys)]
    return complaints, len(keys)


def check_policy():
    """docs/policy.md is what the tables say. Complaints, lines."""
    subprocess.run(["make", "-s", "policy"], cwd=ROOT, check=False,
                   capture_output=True,
                   env={**os.environ, "MAKEFLAGS": ""})
    now = output("build/native/policy")
    same = bool(now) and now == read("docs/policy.md")
    complaints = [] if same else ["docs/policy.md is not what the tables say: "
                                  "run 'make docs/policy.md'"]
    return complaints, now.count("\n")
