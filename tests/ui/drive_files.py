# SPDX-License-Identifier: MIT
"""What the window says of other files, of none, and without a display; each test gets a folder that holds panic.db."""
import os
import shutil
import sqlite3
import subprocess

from drive_window import BUILD, DEADLINE, Window, check


def a_file_that_is_no_trace_is_told_of_in_the_window(directory):
    path = f"{directory}/no-trace.db"
    with open(path, "w", encoding="utf-8") as file:
        file.write("this is no database\n" * 100)
    window = Window(path)
    window.get("label", "^This could not be opened$")
    window.get("label", "no-trace.db")
    window.get("label", "not a gmpscope trace")
    window.get("push button", "Open Another Trace")
    window.close()


def a_file_that_is_not_there_is_told_of_in_the_window(directory):
    window = Window(f"{directory}/gone.db")
    window.get("label", "^This could not be opened$")
    window.get("label", "gone.db")
    window.close()


def a_damaged_file_is_shown_with_a_warning(directory):
    path = f"{directory}/damaged.db"
    shutil.copy(f"{directory}/panic.db", path)
    with sqlite3.connect(path) as db:
        (data,) = db.execute("SELECT data FROM chunk ORDER BY id LIMIT 1").fetchone()
        middle = len(data) // 2
        db.execute("UPDATE chunk SET data = ? WHERE id = (SELECT min(id) FROM chunk)",
                   (data[:middle] + bytes([data[middle] ^ 0xff]) + data[middle + 1:],))
    db.close()
    window = Window(path)
    window.expect("^M lanes")
    window.get("label", "events? (is|are) missing|damaged")
    window.close()


def missing_chunks_are_told_in_a_warning(directory):
    path = f"{directory}/holes.db"
    shutil.copy(f"{directory}/panic.db", path)
    with sqlite3.connect(path) as db:
        db.execute("DELETE FROM chunk WHERE m = (SELECT max(m) FROM chunk)")
    db.close()
    window = Window(path)
    window.expect("^M lanes")
    window.get("label", "^[0-9]+ events are missing in 1 place.*more: hover to read")
    window.close()


def without_a_file_it_welcomes(directory):
    window = Window()
    window.get("label", "^See a Go-style scheduler think$")
    window.get("push button", "Open a Trace")
    window.close()


def without_a_display_it_says_so_in_one_line(directory):
    no_display = {name: value for name, value in os.environ.items() if name not in ("DISPLAY", "WAYLAND_DISPLAY")}
    for environment in (no_display, dict(os.environ, GDK_BACKEND="broken")):
        run = subprocess.run([f"{BUILD}/recorder/gmpscope", "view", f"{directory}/panic.db"], env=environment,
                             capture_output=True, text=True, timeout=DEADLINE)
        check(run.stderr == "gmpscope: view: there is no display; use gmpscope render\n", f"it says {run.stderr!r}")
        check(run.returncode == 4, f"it ends with {run.returncode}")


TESTS = [
    a_file_that_is_no_trace_is_told_of_in_the_window,
    a_file_that_is_not_there_is_told_of_in_the_window,
    a_damaged_file_is_shown_with_a_warning,
    missing_chunks_are_told_in_a_warning,
    without_a_file_it_welcomes,
    without_a_display_it_says_so_in_one_line,
]
