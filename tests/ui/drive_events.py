# SPDX-License-Identifier: MIT
"""Choosing an event, by keys, by a search or by a click, and what the window then tells of it."""
import re
import subprocess
import time

from drive_window import (Atspi, check, click_the_bar_of_g3, extents, go_to_the_panic, keys, ns, poll, x_at,
                          xdotool)


def it_shows_the_trace_with_title_lanes_and_legend(window):
    window.expect(r"^M lanes, .* to ")
    window.get("label", "^panic-recover$")
    window.get("label", r"97 events · 2 Ms, 2 Ps, 3 Gs")
    window.get("image", "^Legend$")
    window.get("image", "^Overview$")


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


ACCENT = (0x0a, 0x5f, 0xd0)  # of the cursor line in the light theme


def screen():
    """The screen's pixels: a function from x, y to (r, g, b)."""
    ppm = subprocess.run(["import", "-window", "root", "-depth", "8", "ppm:-"], capture_output=True, check=True).stdout
    header = re.match(rb"P6\s+(\d+)\s+(\d+)\s+255\s", ppm)
    width, start = int(header[1]), header.end()
    return lambda x, y: tuple(ppm[start + 3 * (y * width + x):][:3])


def cursor_stands_at_its_time(window):
    """Whether a line in the accent colour, as high as the lanes, is where the chosen event's time is; the numbers of a
    panic's steps stand before it.

    GTK counts from the window's content and the screen from the window's frame, a few pixels further out."""
    _, y, _, height = extents(window.get("image", "^Timeline$"))
    expected = int(x_at(window, ns(window.get("label", "^Event #").get_name())))
    pixel = screen()
    rows = range(y + 46, y + height - 2, 3)
    return any(sum(pixel(column, row) == ACCENT for row in rows) >= 0.75 * len(rows)
               for column in range(expected - 2, expected + 9))


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


def a_click_on_a_bar_selects_its_g_and_escape_clears_it(window):
    keys("Home", "1")
    window.expect(r"^M lanes")
    click_the_bar_of_g3(window)
    window.expect(r"Selected G3\. Event 38: .*G3")
    window.get("label", r"^G3")
    keys("Escape")
    poll(lambda: "Selected" not in window.description(), "Escape clears the selection")


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


TESTS = [
    it_shows_the_trace_with_title_lanes_and_legend,
    n_steps_over_the_panic_and_p_back_again,
    the_state_panel_tells_the_deferred_calls_of_the_panic,
    the_state_panel_says_what_an_m_does_as_gmpscope_state_does,
    the_cursor_line_stays_at_its_time_when_the_size_changes,
    a_search_hit_is_what_the_inspector_tells_of,
    a_click_on_a_bar_selects_its_g_and_escape_clears_it,
    space_plays_and_stops_and_a_step_by_hand_stops_it,
    brackets_follow_an_arrow_there_and_back,
    b_says_why_the_selected_g_does_not_run,
]
