#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Drives the real window with keys and mouse, and asserts on what it shows through the accessibility tree.

The trace is panic.trace, made into a file by `gmpscope load`, so every sentence is known beforehand.  Nothing sleeps
for a fixed time: each step polls for what must become true, with a deadline.  Output is TAP.  On a failure a picture
of the screen is left in the build directory (drive-window-N.png) and its name is printed.
"""
import os
import re
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time

import gi

gi.require_version("Atspi", "2.0")
from gi.repository import Atspi, GLib  # noqa: E402

SOURCE = os.environ["GMPSCOPE_SOURCE"]
BUILD = os.environ["GMPSCOPE_BUILD"]
DEADLINE = 60.0  # seconds that anything may take on a slow machine; only a failure takes as long


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

    time_ns = (0, 60000)  # of the first and the last event of panic.trace

    def __init__(self, *args):
        self.process = subprocess.Popen([f"{BUILD}/ui/gmpscope-viewer", *args])
        self.app = poll(self._find_app, "the program appears in the accessibility tree")
        self.xid = poll(self._find_on_screen, "the window is on the screen")
        focus(self.xid)

    def _find_on_screen(self):
        found = subprocess.run(["xdotool", "search", "--onlyvisible", "--pid", str(self.process.pid), "--name", "."],
                               capture_output=True, text=True).stdout.split()
        return found[0] if found else None

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
            if re.fullmatch(role, node.get_role_name()) and re.search(name, node.get_name() or ""):
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

    def other_window(self):
        """The X id of a dialog, or None."""
        found = subprocess.run(["xdotool", "search", "--onlyvisible", "--pid", str(self.process.pid), "--name", "."],
                               capture_output=True, text=True).stdout.split()
        return next((xid for xid in found if xid != self.xid), None)

    def range_ns(self):
        """What the timeline says that it shows, as a pair of ns."""
        match = re.search(r"lanes, (-?[\d.]+) (ns|µs|ms|s) to (-?[\d.]+) (ns|µs|ms|s)", self.description())
        if not match:
            return None
        units = {"ns": 1, "µs": 1e3, "ms": 1e6, "s": 1e9}
        return float(match[1]) * units[match[2]], float(match[3]) * units[match[4]]

    def close(self):
        if self.process.poll() is None:
            focus(self.xid)
            keys("ctrl+q")
            try:
                self.process.wait(DEADLINE)
            except subprocess.TimeoutExpired:
                self.process.kill()
                raise Wrong("Ctrl+Q does not end the program") from None
        if self.process.returncode != 0:
            raise Wrong(f"the program ended with {self.process.returncode}")


def xdotool(*args):
    subprocess.run(["xdotool", *args], check=True)


def focus(xid):
    """Gives the window the keyboard.  There is no window manager, so nobody else does, and dialogs take it away."""
    def is_focused():
        now = subprocess.run(["xdotool", "getwindowfocus"], capture_output=True, text=True).stdout.strip()
        if now != xid:
            subprocess.run(["xdotool", "windowfocus", xid], capture_output=True)
        return now == xid
    poll(is_focused, "the window has the keyboard")


def keys(*names):
    xdotool("key", *names)


def drag(button, *points):
    """Presses at the first point, goes through the others, and releases at the last."""
    (x, y), *others = [(str(int(x)), str(int(y))) for x, y in points]
    xdotool("mousemove", x, y, "mousedown", button, *[word for point in others for word in ("mousemove", *point)])
    xdotool("mouseup", button)


def check(condition, what):
    if not condition:
        raise Wrong(what)


def extents(node):
    box = Atspi.Component.get_extents(node, Atspi.CoordType.WINDOW)
    return box.x, box.y, box.width, box.height


def screen():
    """The screen's pixels: a function from x, y to (r, g, b)."""
    ppm = subprocess.run(["import", "-window", "root", "-depth", "8", "ppm:-"], capture_output=True, check=True).stdout
    header = re.match(rb"P6\s+(\d+)\s+(\d+)\s+255\s", ppm)
    width, start = int(header[1]), header.end()
    return lambda x, y: tuple(ppm[start + 3 * (y * width + x):][:3])


def ns(text):
    """What trace_time_print wrote, as ns."""
    match = re.search(r"(-?[\d.]+) (ns|µs|ms|s)$", text)
    return float(match[1]) * {"ns": 1, "µs": 1e3, "ms": 1e6, "s": 1e9}[match[2]]


ACCENT = (0x0a, 0x5f, 0xd0)  # of the cursor line in the light theme


def cursor_stands_at_its_time(window):
    """Whether a line in the accent colour, as high as the lanes, is where the chosen event's time is; the numbers of a
    panic's steps stand before it.

    GTK counts from the window's content and the screen from the window's frame, a few pixels further out."""
    x, y, width, height = extents(window.get("image", "^Timeline$"))
    t0, t1 = window.range_ns() or (0, 1)
    event = ns(window.get("label", "^Event #").get_name())
    gutter = min(156, int(width * 0.22))
    expected = int(x + gutter + (event - t0) / (t1 - t0) * (width - gutter))
    pixel = screen()
    rows = range(y + 46, y + height - 2, 3)
    return any(sum(pixel(column, row) == ACCENT for row in rows) >= 0.75 * len(rows)
               for column in range(expected - 2, expected + 9))


# ---- the tests; each gets a window that shows the trace ----

def it_shows_the_trace_with_title_lanes_and_legend(window):
    window.expect(r"^M lanes, .* to ")
    window.get("label", "^panic-recover$")
    window.get("label", r"97 events · 2 Ms, 2 Ps, 3 Gs")
    window.get("image", "^Legend$")
    window.get("image", "^Overview$")


def go_to_the_panic(window):
    """Through the search entry, as a person would: event 72 is the only one of its kind."""
    keys("slash")
    xdotool("type", "panic_begin")
    window.get("label", r"^1 of 97 events$")
    keys("Return")
    window.expect(r"Event 72: .*G2.*panic")
    keys("Escape")
    window.get("label", "^97 events$")


def n_steps_over_the_panic_and_p_back_again(window):
    go_to_the_panic(window)
    said = {82: "recover", 84: "panic is over: control goes back"}
    for number in range(73, 86):
        keys("n")
        window.expect(rf"Event {number}: .*{said.get(number, '')}")
    for number in range(84, 71, -1):
        keys("p")
        window.expect(rf"Event {number}: .*{said.get(number, '')}")
    window.expect(r"Event 72: .*panic")
    window.get("label", r"G2.*panic")  # the sentence in the side pane


def the_state_panel_tells_the_deferred_calls_of_the_panic(window):
    go_to_the_panic(window)
    keys("5")
    window.get("label", "^Deferred calls of G2, newest first$")
    poll(lambda: sum("stack record" in text for text in window.texts()) == 3, "three deferred calls pend")
    keys("n", "n", "n", "n", "n")
    poll(lambda: any("because of panic" in text for text in window.texts()), "one of them runs")
    poll(lambda: sum("stack record" in text for text in window.texts()) == 2, "two still pend")
    window.get("image", r"^Timer heap of P0: 3 timers, the first, T2,")
    keys("4")


def the_state_panel_says_what_an_m_does_as_gmpscope_state_does(window):
    keys("Home", "slash")
    xdotool("type", "m_wake")
    keys("Return")
    window.expect(r"Event \d+: .*M1")
    keys("Escape", "5")
    poll(lambda: "starting: its thread has not begun yet" in window.texts(), "M1's thread has not begun")
    keys("4")


def the_cursor_line_stays_at_its_time_when_the_size_changes(window):
    go_to_the_panic(window)
    poll(lambda: cursor_stands_at_its_time(window), "the line is there")
    for width, height in ((1180, 700), (960, 600), (1280, 800)):
        xdotool("windowsize", window.xid, str(width), str(height))
        poll(lambda: extents(window.get("image", "^Overview$"))[2] > width - 250, f"the window is {width} wide")
        poll(lambda: cursor_stands_at_its_time(window), f"the line is at its time in {width}x{height}")
    keys("e")
    poll(lambda: not window.find("label", "^97 events$"), "E hides the list")
    poll(lambda: cursor_stands_at_its_time(window), "the line reaches down to where the list was")
    keys("e")
    window.get("label", "^97 events$")
    poll(lambda: cursor_stands_at_its_time(window), "the line is at its time with the list back")


def a_search_hit_is_what_the_inspector_tells_of(window):
    keys("Home", "1", "slash")
    xdotool("type", "g3 go_start")
    keys("Return")
    window.expect("Event 38: ")
    keys("Escape")
    click_the_bar_of_g3(window)
    window.expect(r"Selected G3")
    keys("slash")
    xdotool("type", "panic_begin")
    keys("Return")
    window.expect(r"Selected G2\. Event 72: ")
    window.get("label", "^G2")
    keys("Escape", "Escape")
    poll(lambda: "Selected" not in window.description(), "Escape clears the selection")


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


def click_the_bar_of_g3(window):
    x, y, width, _ = extents(window.get("image", "^Timeline$"))
    whole = poll(window.range_ns, "a range is told")
    gutter = 128
    at = x + gutter + (12000 - whole[0]) / (whole[1] - whole[0]) * (width - gutter)  # G3 runs on M0 at 12 us
    xdotool("mousemove", str(int(at)), str(y + 52), "click", "1")


def a_click_on_a_bar_selects_its_g_and_escape_clears_it(window):
    keys("Home", "1")
    window.expect(r"^M lanes")
    click_the_bar_of_g3(window)
    window.expect(r"Selected G3\. Event 38: .*G3")
    window.get("label", r"^G3")
    keys("Escape")
    poll(lambda: "Selected" not in window.description(), "Escape clears the selection")


def a_drag_measures_the_area(window):
    x, y, width, height = extents(window.get("image", "^Timeline$"))
    bottom = y + height - 20
    drag("1", (x + 300, bottom), (x + 360, bottom), (x + 500, bottom))
    window.get("label", r"^Marked: [\d.]+ µs, \d+ events?$")
    keys("shift+m")
    poll(lambda: not window.find("label", "^Marked"), "Shift+M clears the mark")


def zoomed_in(window):
    """The range after showing everything and zooming in; the whole of it before."""
    x, y, width, height = extents(window.get("image", "^Timeline$"))
    xdotool("mousemove", str(x + width // 2), str(y + height - 20))  # keys zoom where the pointer is
    keys("Home")
    whole = poll(lambda: window.range_ns(), "a range is told")
    keys("w", "w", "w")
    length = (whole[1] - whole[0]) / 1.5 ** 3
    return poll(lambda: window.range_ns() and window.range_ns()[1] - window.range_ns()[0] < length * 1.01
                and window.range_ns(), "W zooms in three times"), whole


def moved(window, before, what):
    """The range once it differs from before; its length must be the same."""
    after = poll(lambda: window.range_ns() not in (None, before) and window.range_ns(), what)
    check(abs((after[1] - after[0]) - (before[1] - before[0])) < 0.01 * (before[1] - before[0]),
          f"{after} is not as long as {before}")
    return after


def a_middle_drag_pans(window):
    before, _ = zoomed_in(window)
    x, y, width, height = extents(window.get("image", "^Timeline$"))
    drag("2", (x + 400, y + 60), (x + 410, y + 60), (x + 450, y + 60))
    after = moved(window, before, "a middle drag pans")
    check(after[0] < before[0], f"dragging to the right shows what was before: {after}, {before}")
    check(not window.find("label", "^Marked"), "a middle drag marks nothing")


def space_and_a_drag_pan(window):
    before, _ = zoomed_in(window)
    x, y, width, height = extents(window.get("image", "^Timeline$"))
    xdotool("keydown", "space")
    drag("1", (x + 400, y + height - 20), (x + 410, y + height - 20), (x + 450, y + height - 20))
    xdotool("keyup", "space")
    moved(window, before, "Space and a drag pan")
    check(not window.find("label", "^Marked"), "with Space held nothing is marked")


def h_makes_a_drag_pan_and_shift_mark(window):
    before, _ = zoomed_in(window)
    x, y, width, height = extents(window.get("image", "^Timeline$"))
    bottom = y + height - 20
    points = ((x + 400, bottom), (x + 410, bottom), (x + 450, bottom))
    keys("h")
    drag("1", *points)
    after = moved(window, before, "a drag pans")
    check(not window.find("label", "^Marked"), "and marks nothing")
    xdotool("keydown", "shift")
    drag("1", *points)
    xdotool("keyup", "shift")
    window.get("label", "^Marked: ")
    check(window.range_ns() == after, "Shift and a drag pan nothing")
    keys("shift+m", "h")
    drag("1", *points)
    window.get("label", "^Marked: ")
    keys("shift+m")
    poll(lambda: not window.find("label", "^Marked"), "Shift+M clears the mark")


def space_plays_and_stops_and_a_step_by_hand_stops_it(window):
    button = window.get("toggle button|push button", "^Play$")

    def is_playing():
        return button.get_state_set().contains(Atspi.StateType.PRESSED)

    focus_the_timeline(window)
    keys("ctrl+Home")
    window.expect("Event 0: ")
    keys("space")
    poll(is_playing, "Space plays")
    window.expect(r"Event ([3-9]|\d\d): ")
    keys("space")
    poll(lambda: not is_playing(), "Space pauses")
    keys("space")
    poll(is_playing, "Space plays again")
    keys("p")
    poll(lambda: not is_playing(), "a step by hand stops it")
    keys("ctrl+End")
    window.expect("Event 96: ")
    keys("space")
    poll(lambda: not is_playing(), "at the last event there is nothing to play")
    window.expect("Event 96: ")
    keys("ctrl+Home")
    window.expect("Event 0: ")
    time.sleep(1)  # two steps of playing: that nothing happens can only be waited for
    window.expect("Event 0: ")
    check(not is_playing(), "and nothing plays on from elsewhere")


def focus_the_timeline(window):
    x, y, width, height = extents(window.get("image", "^Timeline$"))
    xdotool("mousemove", str(x + width - 30), str(y + height - 20), "click", "1")
    poll(lambda: window.find("image", "^Timeline$").get_state_set().contains(Atspi.StateType.FOCUSED),
         "the timeline has the focus")


def z_zooms_to_the_story_of_the_panic(window):
    go_to_the_panic(window)
    keys("Home")
    window.get("label", "^Z zooms to this panic's story$")
    keys("z")
    near = poll(lambda: window.range_ns() and window.range_ns()[1] - window.range_ns()[0] < 20000 and window.range_ns(),
                "Z zooms in")
    check(near[0] < 52000 and near[1] > 54000, f"{near} is not the story from 52 to 54 µs")
    window.get("label", "^N P step")
    keys("Home")


def what_is_left_out_is_said_in_the_status_line(window):
    keys("Home", "1")
    window.get("label", "(not drawn|spans merged).*: zoom in$")
    keys("ctrl+Home", "z")
    poll(lambda: not window.find("label", ": zoom in$"), "from near nothing is left out")
    keys("Escape", "Home")


def the_overviews_window_can_be_dragged_and_resized(window):
    before, whole = zoomed_in(window)
    x, y, width, height = extents(window.get("image", "^Overview$"))
    first, last = window.time_ns

    def at(t):
        return x + (t - first) / (last - first) * width

    middle = at((before[0] + before[1]) / 2)
    drag("1", (middle, y + height / 2), (middle + 10, y + height / 2), (middle + 60, y + height / 2))
    after = moved(window, before, "dragging the overview's window pans")
    expected = before[0] + 60 / width * (last - first)
    check(after[0] > before[0], f"it goes where the pointer goes: {after}, {before}")
    check(abs(after[0] - expected) < 0.02 * (last - first), f"by as much: {after}, expected {expected}")
    edge = at(after[1])
    drag("1", (edge, y + height / 2), (edge - 5, y + height / 2), (edge - 30, y + height / 2))
    poll(lambda: window.range_ns() and window.range_ns()[1] < after[1] and window.range_ns()[0] == after[0],
         "dragging its right edge makes it narrower")
    keys("Home")
    poll(lambda: window.range_ns() == whole, "Home shows everything again")


def a_double_click_zooms_to_the_span(window):
    keys("Home", "1")
    window.expect(r"^M lanes")
    x, y, width, _ = extents(window.get("image", "^Timeline$"))
    whole = poll(window.range_ns, "a range is told")
    gutter = 156
    at = x + gutter + (12000 - whole[0]) / (whole[1] - whole[0]) * (width - gutter)  # G3 runs on M0 at 12 us
    xdotool("mousemove", str(int(at)), str(y + 52), "click", "--repeat", "2", "--delay", "30", "1")
    near = poll(lambda: window.range_ns() not in (None, whole) and window.range_ns(), "a double click zooms")
    check(near[0] < 12000 < near[1] and near[1] - near[0] < (whole[1] - whole[0]) / 2, f"{near} is not the span of G3")
    keys("Escape", "Home")
    poll(lambda: window.range_ns() == whole, "Home shows everything again")


def brackets_follow_an_arrow_there_and_back(window):
    keys("slash")
    xdotool("type", "go_unblock")
    keys("Return")
    match = window.expect(r"Event (\d+): .*(?:ready|runnable)")
    keys("Escape")
    keys("bracketright")
    there = window.expect(rf"Event (?!{match[1]}:)(\d+): ")
    check(int(there[1]) > int(match[1]), "the arrow leads onwards")
    keys("bracketleft")
    window.expect(rf"Event {match[1]}: ")


def the_about_dialog_opens_and_closes(window):
    keys("ctrl+shift+p")
    window.get("list", "^Commands$")
    xdotool("type", "about")
    keys("Return")
    window.get("label", "See a Go-style scheduler think")
    about = poll(lambda: window.other_window(), "the dialog is on the screen")
    focus(about)
    keys("Escape")
    poll(lambda: window.other_window() != about, "Escape closes the dialog")


def a_query_typed_in_the_window_is_answered_and_leads_to_an_event(window):
    before = window.description()
    keys("colon")
    window.get("label", "^[0-9]+ rows$")  # of tables, at first
    poll(lambda: "g_state" in window.texts(), "the tables are told")
    xdotool("type", "SELECT no, kind AS \"what wasd\" FROM event WHERE kind LIKE 'panic%' LIMIT 3")
    keys("Return")
    window.get("label", "^3 rows: Down, and Enter on one goes to its event$")
    poll(lambda: "panic_begin" in window.texts(), "the rows are shown")
    check(window.description() == before, "typing moved the timeline")
    keys("Down", "Return")
    window.expect("Event 72: .*panic")
    keys("colon")
    keys("ctrl+a")
    xdotool("type", "SELECT 1 FROM nowhere")
    keys("Return")
    window.get("label", "^no such table: nowhere")
    keys("Up")
    poll(lambda: any("panic%" in text for text in typed_texts(window)), "Up brings back the query before")
    keys("Down")
    poll(lambda: "SELECT 1 FROM nowhere" in typed_texts(window), "Down the one after it")
    keys("Escape")
    window.get("label", "^97 events$")
    poll(lambda: focus_is_within(window, "^Timeline$"), "Escape gives the keyboard back")


def escape_stops_a_query_that_would_take_long(window):
    keys("colon")
    keys("ctrl+a")
    xdotool("type", "SELECT count(*) FROM event a, event b, event c, event d, event e")
    keys("Return")
    window.get("label", "^Asking; Escape stops it$")
    keys("Escape")
    window.get("label", "^0 rows; the query was stopped$")
    keys("Escape")
    window.get("label", "^97 events$")


def typed_texts(window):
    """What stands in the entries that can be typed into."""
    fields = [node for node in walk(window.app) if "EditableText" in node.get_interfaces()]
    return [Atspi.Text.get_text(field, 0, Atspi.Text.get_character_count(field)) for field in fields]


def focus_is_within(window, name):
    node = next((node for node in walk(window.app) if re.search(name, node.get_name() or "")), None)
    return node and any(inner.get_state_set().contains(Atspi.StateType.FOCUSED) for inner in walk(node))


def b_says_why_the_selected_g_does_not_run(window):
    keys("Escape", "ctrl+Home", "b")
    window.expect("Event 0: ")
    window.get("label", "^No G is selected, and none runs at this event")
    keys("slash")
    xdotool("type", "g2 go_block")
    keys("Return")
    window.expect(r"Event \d+: .*G2.*parked")
    keys("Escape")
    window.get("label", r'^G2 "worker" does not run: it waits: sleep on timer 1, for 0 ns so far\.$')
    window.get("label", r"^50\.62 µs: M1 \(P1\) made G2 .*#65$")  # who made it ready, with a link to that event
    window.get("label", r"^for 80 ns; meanwhile:")
    window.get("label", r"began to run G2.*#68$")
    keys("n")
    window.get("label", r"^(G\d .*(runs|does not run)|No G is selected)")
    keys("4")
    poll(lambda: not any("does not run" in text for text in window.texts()), "4 shows the inspector again")


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
    window.get("label", "^0 of 97 events$")
    check(window.description() == before, "typing moved the timeline")
    keys("Escape")
    window.get("label", "^97 events$")


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
    the_state_panel_says_what_an_m_does_as_gmpscope_state_does,
    the_cursor_line_stays_at_its_time_when_the_size_changes,
    a_search_hit_is_what_the_inspector_tells_of,
    lanes_switch_between_m_p_and_g,
    zoom_and_pan_keys_change_the_range_and_fit_restores_it,
    control_and_wheel_zoom_at_the_pointer,
    a_click_on_a_bar_selects_its_g_and_escape_clears_it,
    a_drag_measures_the_area,
    a_middle_drag_pans,
    space_and_a_drag_pan,
    h_makes_a_drag_pan_and_shift_mark,
    space_plays_and_stops_and_a_step_by_hand_stops_it,
    z_zooms_to_the_story_of_the_panic,
    what_is_left_out_is_said_in_the_status_line,
    the_overviews_window_can_be_dragged_and_resized,
    a_double_click_zooms_to_the_span,
    brackets_follow_an_arrow_there_and_back,
    the_about_dialog_opens_and_closes,
    a_query_typed_in_the_window_is_answered_and_leads_to_an_event,
    escape_stops_a_query_that_would_take_long,
    b_says_why_the_selected_g_does_not_run,
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


OTHER_FILES = [
    a_file_that_is_no_trace_is_told_of_in_the_window,
    a_file_that_is_not_there_is_told_of_in_the_window,
    a_damaged_file_is_shown_with_a_warning,
    missing_chunks_are_told_in_a_warning,
    without_a_file_it_welcomes,
    without_a_display_it_says_so_in_one_line,
]


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
    print(f"1..{len(TESTS) + 1 + len(OTHER_FILES)}", flush=True)
    with tempfile.TemporaryDirectory() as directory:
        trace = f"{directory}/panic.db"
        subprocess.run([f"{BUILD}/recorder/gmpscope", "load", f"{SOURCE}/tests/ui/panic.trace", "-o", trace],
                       check=True, stdout=subprocess.DEVNULL)
        window = Window(trace)
        for test in TESTS:
            focus(window.xid)
            tap.run(test, window)
        tap.run(control_q_ends_it_with_exit_code_0, window)
        for test in OTHER_FILES:
            tap.run(test, directory)
    return 1 if tap.n_failed else 0


def control_q_ends_it_with_exit_code_0(window):
    window.close()


if __name__ == "__main__":
    sys.exit(main())
