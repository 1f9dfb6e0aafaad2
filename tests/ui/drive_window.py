# SPDX-License-Identifier: MIT
"""The window under test: how to read it through the accessibility tree, and its keys and mouse.

Every reading polls for what must become true, with a deadline, and tells what it waited for when it gives up.
"""
import os
import re
import subprocess
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
    look_anew = time.monotonic() + 5
    while time.monotonic() < end:
        if time.monotonic() > look_anew:  # what was cached of the tree may have missed a change
            Atspi.get_desktop(0).clear_cache()
            look_anew += 5
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
        self.said = tempfile.TemporaryFile(mode="w+")
        self.process = subprocess.Popen([f"{BUILD}/ui/gmpscope-viewer", *args], stderr=self.said)
        self.app = poll(self._find_app, "the program appears in the accessibility tree")
        self.xid = poll(self._on_screen, "the window is on the screen")[0]
        focus(self.xid)

    def _on_screen(self):
        """The X ids of this program's windows."""
        return subprocess.run(["xdotool", "search", "--onlyvisible", "--pid", str(self.process.pid), "--name", "."],
                              capture_output=True, text=True).stdout.split()

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
        return next((xid for xid in self._on_screen() if xid != self.xid), None)

    def range_ns(self):
        """What the timeline says that it shows, as a pair of ns."""
        match = re.search(r"lanes, (-?[\d.]+ (?:ns|µs|ms|s)) to (-?[\d.]+ (?:ns|µs|ms|s))", self.description())
        return match and (ns(match[1]), ns(match[2]))

    def close(self):
        """Ends the program; it must end well, and must not have warned of anything in the meantime."""
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
        self.said.seek(0)
        warnings = re.findall(r"^.*-(?:WARNING|CRITICAL) \*\*.*$", self.said.read(), re.MULTILINE)
        check(not warnings, f"it warned: {warnings}")


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


def ns(text):
    """What trace_time_print wrote, as ns."""
    match = re.search(r"(-?[\d.]+) (ns|µs|ms|s)$", text)
    return float(match[1]) * {"ns": 1, "µs": 1e3, "ms": 1e6, "s": 1e9}[match[2]]


def x_at(window, t):
    """Where on the timeline this time, in ns, stands; also where a click goes to."""
    x, _, width, _ = extents(window.get("image", "^Timeline$"))
    t0, t1 = poll(window.range_ns, "a range is told")
    gutter = min(156, int(width * 0.22))  # in front of the lanes, for their titles
    return x + gutter + (t - t0) / (t1 - t0) * (width - gutter)


def go_to_the_panic(window):
    """Through the search entry, as a person would: event 72 is the only one of its kind."""
    keys("slash")
    xdotool("type", "panic_begin")
    window.get("label", r"^1 of 97 events$")
    keys("Return")
    window.expect(r"Event 72: .*G2.*panic")
    keys("Escape")
    window.get("label", "^97 events$")


def click_the_bar_of_g3(window, *how):
    _, y, _, _ = extents(window.get("image", "^Timeline$"))
    x = x_at(window, 12000)  # G3 runs on M0, the first lane, at 12 us
    xdotool("mousemove", str(int(x)), str(y + 52), "click", *how, "1")
