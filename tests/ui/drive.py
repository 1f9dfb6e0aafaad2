#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Drives the real window with keys and mouse, and asserts on what it shows through the accessibility tree.

The trace is panic.trace, made into a file by `gmpscope load`, so every sentence is known beforehand.  The tests stand in
drive_events.py, drive_range.py and drive_commands.py, which share one window, and in drive_files.py, whose tests open
windows of their own; each begins at a state that it brings about itself.  Nothing sleeps for a fixed time, save one test
that nothing happens: each step polls for what must become true, with a deadline.  Output is TAP.  On a failure a picture of
the screen is left in the build directory (drive-window-N.png) and its name is printed.
"""
import subprocess
import sys
import tempfile

import drive_commands
import drive_events
import drive_files
import drive_range
from drive_window import BUILD, SOURCE, Atspi, Window, Wrong, focus

TESTS = [*drive_events.TESTS, *drive_range.TESTS, *drive_commands.TESTS]


def control_q_ends_it_with_exit_code_0(window):
    window.close()


class Tap:
    def __init__(self):
        self.n = self.n_failed = 0

    def run(self, test, argument):
        self.n += 1
        name = test.__name__.replace("_", " ")
        try:
            test(argument)
            print(f"ok {self.n} - {name}", flush=True)
        except Wrong as wrong:
            self.n_failed += 1
            picture = f"{BUILD}/drive-window-{self.n}.png"
            subprocess.run(["import", "-window", "root", picture], check=False)
            print(f"not ok {self.n} - {name}\n# {wrong}\n# picture: {picture}", flush=True)


def main():
    Atspi.init()
    tap = Tap()
    print(f"1..{len(TESTS) + 1 + len(drive_files.TESTS)}", flush=True)
    with tempfile.TemporaryDirectory() as directory:
        trace = f"{directory}/panic.db"
        subprocess.run([f"{BUILD}/recorder/gmpscope", "load", f"{SOURCE}/tests/ui/panic.trace", "-o", trace],
                       check=True, stdout=subprocess.DEVNULL)
        window = Window(trace)
        for test in TESTS:
            focus(window.xid)
            tap.run(test, window)
        tap.run(control_q_ends_it_with_exit_code_0, window)
        for test in drive_files.TESTS:
            tap.run(test, directory)
    return 1 if tap.n_failed else 0


if __name__ == "__main__":
    sys.exit(main())
