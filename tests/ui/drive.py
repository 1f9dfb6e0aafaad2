#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Drives the real window with keys and mouse, and asserts on what it shows through the accessibility tree.

The trace is panic.trace, made into a file by `gmpscope load`, so every sentence is known beforehand.  Nothing sleeps
for a fixed time: each step polls for what must become true, with a deadline.  Output is TAP.  On a failure a picture
of the screen is left in the build directory (drive-window-N.png) and its name is printed.
"""
import os
import re
import subprocess
import sys
import tempfile
import time

import gi

gi.require_version("Atspi", "2.0")
from gi.repository import Atspi, GLib  # noqa: E402

SOURCE = os.environ["GMPSCOPE_SOURCE"]
BUILD = os.environ["GMPSCOPE_BUILD"]
DEADLINE = 15.0  # seconds that anything may take on a slow machine


class Wrong(Exception):
    """What was expected did not come about."""


def poll(condition, what):
    """Returns condition()'s first true value."""
    end = time.monotonic() + DEADLINE
    while time.monotonic() < end:
        try:
            value = condition()
        except GLib.Error:  # the tree changes while it is read
            value = None
        if value:
            return value
        time.sleep(0.02)
    raise Wrong(f"not within {DEADLINE:.0f} s: {what}")


def walk(node):
    yield node
    for i in range(node.get_child_count()):
        child = node.get_child_at_index(i)
        if child:
            yield from walk(child)


class Window:
    """The program under test, its window, and its accessibility tree."""

    def __init__(self, *args):
        self.process = subprocess.Popen([f"{BUILD}/ui/gmpscope-viewer", *args])
        self.app = poll(self._find_app, "the program appears in the accessibility tree")
        poll(lambda: subprocess.run(["xdotool", "search", "--onlyvisible", "--name", "gmpscope"],
                                    capture_output=True).stdout.strip(), "the window is on the screen")
        xdotool("search", "--onlyvisible", "--name", "gmpscope", "windowfocus")

    def _find_app(self):
        if self.process.poll() is not None:
            raise Wrong(f"the program ended with {self.process.returncode}")
        desktop = Atspi.get_desktop(0)
        for i in range(desktop.get_child_count()):
            app = desktop.get_child_at_index(i)
            if app and app.get_process_id() == self.process.pid:
                return app
        return None

    def find(self, role, name):
        """The first node of this role whose name matches the pattern, or None."""
        for node in walk(self.app):
            if node.get_role_name() == role and re.search(name, node.get_name() or ""):
                return node
        return None

    def get(self, role, name):
        return poll(lambda: self.find(role, name), f"there is a {role} named {name!r}")

    def description(self):
        timeline = self.find("image", "^Timeline$")
        return timeline.get_description() if timeline else ""

    def expect(self, pattern):
        """The timeline's description comes to match; returns the match."""
        try:
            return poll(lambda: re.search(pattern, self.description()), f"the timeline says {pattern!r}")
        except Wrong as wrong:
            raise Wrong(f"{wrong}; it says {self.description()!r}") from None

    def texts(self):
        return [node.get_name() for node in walk(self.app) if node.get_role_name() == "label"]

    def range_ns(self):
        """What the timeline says that it shows, as a pair of ns."""
        match = re.search(r"lanes, (-?[\d.]+) (ns|µs|ms|s) to (-?[\d.]+) (ns|µs|ms|s)", self.description())
        if not match:
            return None
        units = {"ns": 1, "µs": 1e3, "ms": 1e6, "s": 1e9}
        return float(match[1]) * units[match[2]], float(match[3]) * units[match[4]]

    def close(self):
        if self.process.poll() is None:
            xdotool("key", "ctrl+q")
            try:
                self.process.wait(DEADLINE)
            except subprocess.TimeoutExpired:
                self.process.kill()
                raise Wrong("Ctrl+Q does not end the program") from None
        if self.process.returncode != 0:
            raise Wrong(f"the program ended with {self.process.returncode}")


def xdotool(*args):
    subprocess.run(["xdotool", *args], check=True)


def keys(*names):
    xdotool("key", *names)


def check(condition, what):
    if not condition:
        raise Wrong(what)


def extents(node):
    box = Atspi.Component.get_extents(node, Atspi.CoordType.WINDOW)
    return box.x, box.y, box.width, box.height


# ---- the tests; each gets a window that shows the trace ----

def it_shows_the_trace_with_title_lanes_and_legend(window):
    window.expect(r"^M lanes, .* to ")
    window.get("label", "^panic-recover$")
    window.get("label", r"95 events · 2 Ms, 2 Ps, 3 Gs")
    window.get("image", "^Legend$")
    window.get("image", "^Overview$")


def go_to_the_panic(window):
    """Through the search entry, as a person would: event 71 is the only one of its kind."""
    keys("slash")
    xdotool("type", "panic_begin")
    window.get("label", r"^1 of 95 events$")
    keys("Return")
    window.expect(r"Event 71: .*G2.*panic")
    keys("Escape")
    window.get("label", "^95 events$")


def n_steps_over_the_panic_and_p_back_again(window):
    go_to_the_panic(window)
    said = {80: "recover", 82: "panic is over: control goes back"}
    for number in range(72, 84):
        keys("n")
        window.expect(rf"Event {number}: .*{said.get(number, '')}")
    for number in range(82, 70, -1):
        keys("p")
        window.expect(rf"Event {number}: .*{said.get(number, '')}")
    window.expect(r"Event 71: .*panic")
    window.get("label", r"G2.*panic")  # the sentence in the side pane


def the_state_panel_tells_the_deferred_calls_of_the_panic(window):
    go_to_the_panic(window)
    keys("5")
    window.get("label", "^Deferred calls of G2, newest first$")
    poll(lambda: sum("stack record" in text for text in window.texts()) == 3, "three deferred calls pend")
    keys("n", "n", "n", "n")
    poll(lambda: any("because of panic" in text for text in window.texts()), "one of them runs")
    poll(lambda: sum("stack record" in text for text in window.texts()) == 2, "two still pend")
    window.get("image", r"^Timer heap of P0: 3 timers, the first, T2,")
    keys("4")


def lanes_switch_between_m_p_and_g(window):
    for key, name in (("2", "P"), ("3", "G"), ("1", "M")):
        keys(key)
        window.expect(rf"^{name} lanes, ")


def zoom_and_pan_keys_change_the_range_and_fit_restores_it(window):
    keys("Home")
    poll(window.range_ns, "a range is told")
    whole = window.range_ns()
    keys("w")
    narrow = poll(lambda: window.range_ns() != whole and window.range_ns(), "W zooms in")
    check(narrow[1] - narrow[0] < whole[1] - whole[0], f"{narrow} is not within {whole}")
    keys("d")
    later = poll(lambda: window.range_ns() != narrow and window.range_ns(), "D pans")
    check(later[0] > narrow[0], f"{later} is not later than {narrow}")
    keys("ctrl+0")
    poll(lambda: window.range_ns() == whole, "Ctrl+0 shows the whole trace again")


def control_and_wheel_zoom_at_the_pointer(window):
    keys("Home")
    x, y, width, height = extents(window.get("image", "^Timeline$"))
    whole = poll(window.range_ns, "a range is told")
    xdotool("mousemove", str(x + width - 20), str(y + 60), "keydown", "ctrl", "click", "4", "keyup", "ctrl")
    zoomed = poll(lambda: window.range_ns() != whole and window.range_ns(), "the wheel zooms")
    check(zoomed[0] - whole[0] > 4 * (whole[1] - zoomed[1]), f"{zoomed}: the right end, at the pointer, stays")
    xdotool("keydown", "ctrl", "click", "5", "keyup", "ctrl")
    poll(lambda: window.range_ns() == whole, "out and in cancel")


def a_click_on_a_bar_selects_its_g_and_escape_clears_it(window):
    keys("Home", "1")
    window.expect(r"^M lanes")
    x, y, width, _ = extents(window.get("image", "^Timeline$"))
    whole = poll(window.range_ns, "a range is told")
    gutter = 128
    at = x + gutter + (12000 - whole[0]) / (whole[1] - whole[0]) * (width - gutter)  # G3 runs on M0 at 12 us
    xdotool("mousemove", str(int(at)), str(y + 52), "click", "1")
    window.expect(r"Selected G3\. Event 37: .*G3")
    window.get("label", r"^G3")
    keys("Escape")
    poll(lambda: "Selected" not in window.description(), "Escape clears the selection")


def a_drag_measures_the_area(window):
    x, y, width, height = extents(window.get("image", "^Timeline$"))
    xdotool("mousemove", str(x + 300), str(y + height - 20), "mousedown", "1",
            "mousemove", str(x + 360), str(y + height - 20), "mousemove", str(x + 500), str(y + height - 20),
            "mouseup", "1")
    window.get("label", r"^Marked: [\d.]+ µs, \d+ events$")
    keys("shift+m")
    poll(lambda: not window.find("label", "^Marked"), "Shift+M clears the mark")


def undo_goes_back_to_the_lanes_before(window):
    keys("1")
    window.expect("^M lanes")
    keys("3")
    window.expect("^G lanes")
    keys("ctrl+z")
    window.expect("^M lanes")
    keys("ctrl+shift+z")
    window.expect("^G lanes")
    keys("1")


def letters_can_be_typed_into_the_search_entry(window):
    before = window.description()
    keys("slash")
    xdotool("type", "wasd g2")
    window.get("label", "^0 of 95 events$")
    check(window.description() == before, "typing moved the timeline")
    keys("Escape")
    window.get("label", "^95 events$")


def the_palette_runs_an_action_by_its_name(window):
    keys("ctrl+shift+p")
    window.get("list", "^Commands$")
    xdotool("type", "lanes by p")
    keys("Return")
    window.expect("^P lanes")
    keys("1")
    window.expect("^M lanes")


def the_theme_changes_with_t(window):
    button = window.get("push button", "^Dark theme$")  # so ATK calls a toggle

    def is_dark():
        return button.get_state_set().contains(Atspi.StateType.PRESSED)

    before = is_dark()
    keys("t")
    poll(lambda: is_dark() != before, "T changes the theme")
    keys("t")
    poll(lambda: is_dark() == before, "T changes it back")


TESTS = [
    it_shows_the_trace_with_title_lanes_and_legend,
    n_steps_over_the_panic_and_p_back_again,
    the_state_panel_tells_the_deferred_calls_of_the_panic,
    lanes_switch_between_m_p_and_g,
    zoom_and_pan_keys_change_the_range_and_fit_restores_it,
    control_and_wheel_zoom_at_the_pointer,
    a_click_on_a_bar_selects_its_g_and_escape_clears_it,
    a_drag_measures_the_area,
    undo_goes_back_to_the_lanes_before,
    letters_can_be_typed_into_the_search_entry,
    the_palette_runs_an_action_by_its_name,
    the_theme_changes_with_t,
]


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


def without_a_file_it_welcomes(directory):
    window = Window()
    window.get("label", "^See a Go-style scheduler think$")
    window.get("push button", "Open a Trace")
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
    print(f"1..{len(TESTS) + 3}", flush=True)
    with tempfile.TemporaryDirectory() as directory:
        trace = f"{directory}/panic.db"
        subprocess.run([f"{BUILD}/recorder/gmpscope", "load", f"{SOURCE}/tests/ui/panic.trace", "-o", trace],
                       check=True, stdout=subprocess.DEVNULL)
        window = Window(trace)
        for test in TESTS:
            tap.run(test, window)
        tap.run(control_q_ends_it_with_exit_code_0, window)
        tap.run(a_file_that_is_no_trace_is_told_of_in_the_window, directory)
        tap.run(without_a_file_it_welcomes, directory)
    return 1 if tap.n_failed else 0


def control_q_ends_it_with_exit_code_0(window):
    window.close()


if __name__ == "__main__":
    sys.exit(main())
