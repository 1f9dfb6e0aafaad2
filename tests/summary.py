#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Adds up the results that meson wrote (title=testlog.junit.xml ...) and closes with "N passed, N failed".

Meson's own summary counts executables; a person wants to know how many cases ran. The exit status is 1 if a case
failed, or if none ran.
"""
import sys
import xml.etree.ElementTree as ET


def count(path):
    passed = failed = skipped = 0
    for case in ET.parse(path).getroot().iter("testcase"):
        if case.find("failure") is not None or case.find("error") is not None:
            failed += 1
        elif case.find("skipped") is not None:
            skipped += 1
        else:
            passed += 1
    return passed, failed, skipped


def main(arguments):
    total = [0, 0, 0]
    for argument in arguments:
        title, path = argument.split("=", 1)
        try:
            counts = count(path)
        except (OSError, ET.ParseError) as error:
            print(f"{title}: no results ({error})")
            counts = (0, 1, 0)
        print("{:18} {:5} passed {:4} failed {:4} skipped".format(title, *counts))
        total = [a + b for a, b in zip(total, counts)]
    print("{:18} {:5} passed {:4} failed {:4} skipped".format("all", *total))
    print("{} passed, {} failed".format(*total))
    return 1 if total[1] or not total[0] else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
