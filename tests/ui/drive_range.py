# SPDX-License-Identifier: MIT
"""Which lanes and which time are shown: zooming, panning, marking, the overview."""
from drive_window import check, click_the_bar_of_g3, drag, extents, go_to_the_panic, keys, poll, xdotool


def lanes_switch_between_m_p_and_g(window):
    for key, name in (("2", "P"), ("3", "G"), ("1", "M")):
        keys(key)
        window.expect(rf"^{name} lanes, ")


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


def a_double_click_zooms_to_the_span(window):
    keys("Home", "1")
    window.expect(r"^M lanes")
    whole = poll(window.range_ns, "a range is told")
    click_the_bar_of_g3(window, "--repeat", "2", "--delay", "30")
    near = poll(lambda: window.range_ns() not in (None, whole) and window.range_ns(), "a double click zooms")
    check(near[0] < 12000 < near[1] and near[1] - near[0] < (whole[1] - whole[0]) / 2, f"{near} is not the span of G3")
    keys("Escape", "Home")
    poll(lambda: window.range_ns() == whole, "Home shows everything again")


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


TESTS = [
    lanes_switch_between_m_p_and_g,
    undo_goes_back_to_the_lanes_before,
    zoom_and_pan_keys_change_the_range_and_fit_restores_it,
    control_and_wheel_zoom_at_the_pointer,
    a_double_click_zooms_to_the_span,
    z_zooms_to_the_story_of_the_panic,
    what_is_left_out_is_said_in_the_status_line,
    a_drag_measures_the_area,
    a_middle_drag_pans,
    space_and_a_drag_pan,
    h_makes_a_drag_pan_and_shift_mark,
    the_overviews_window_can_be_dragged_and_resized,
]
