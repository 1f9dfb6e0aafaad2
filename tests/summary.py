#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Adds up the results that meson wrote (title=testlog.junit.xml ...) and closes with "N passed, N failed".

Meson's own summary counts executables; a person wants to know how many cases ran. A program that died between two
cases is in no case of that file: testlog.json beside it tells, and it counts as one more that failed. The exit status is
1 if a case failed, or if none ran.
"""
import json
import os
import sys
import xml.etree.ElementTree as ET


def is_failed(case):
    return case.find("failure") is not None or case.find("error") is not None


def count_dead(path, told):
    """Programs that failed, less those of which a case says so."""
    with open(os.path.join(os.path.dirname(path), "testlog.json"), encoding="utf-8") as log:
        results = [json.loads(line) for line in log]
    good = ("OK", "SKIP", "EXPECTEDFAIL")
    return sum(each["result"] not in good and each["name"] not in told for each in results)


def count(path):
    passed = failed = skipped = 0
    told = set()
    for suite in ET.parse(path).getroot().iter("testsuite"):
        for case in suite.iter("testcase"):
            if is_failed(case):
                failed += 1
                told.add(suite.get("name", "").partition(".")[2])
            elif case.find("skipped") is not None:
                skipped += 1
            else:
                passed += 1
    return passed, failed + count_dead(path, told), skipped


def main(arguments):
    total = [0, 0, 0]
    for argument in arguments:
        title, path = argument.split("=", 1)
        try:
            counts = count(path)
        except (OSError, ValueError, ET.ParseError) as error:
            print(f"{title}: no results ({error})")
            counts = (0, 1, 0)
        print("{:18} {:5} passed {:4} failed {:4} skipped".format(title, *counts))
        total = [a + b for a, b in zip(total, counts)]
    print("{:18} {:5} passed {:4} failed {:4} skipped".format("all", *total))
    print("{} passed, {} failed".format(*total))
    return 1 if total[1] or not total[0] else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
