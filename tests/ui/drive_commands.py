# SPDX-License-Identifier: MIT
"""What is typed in words: a search, a command of the palette, a query; and the theme."""
import re

from drive_window import Atspi, check, focus, keys, poll, walk, xdotool


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


def close_the_dialog(window):
    dialog = poll(window.other_window, "the dialog is on the screen")
    focus(dialog)
    keys("Escape")
    poll(lambda: window.other_window() != dialog, "Escape closes the dialog")


def the_about_dialog_opens_and_closes(window):
    keys("ctrl+shift+p")
    window.get("list", "^Commands$")
    xdotool("type", "about")
    keys("Return")
    window.get("label", "See a Go-style scheduler think")
    close_the_dialog(window)


def the_keys_are_listed_in_a_dialog(window):
    keys("question")
    window.get("label", "^Why the selected G does not run$")
    close_the_dialog(window)


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
    letters_can_be_typed_into_the_search_entry,
    the_palette_runs_an_action_by_its_name,
    the_about_dialog_opens_and_closes,
    the_keys_are_listed_in_a_dialog,
    a_query_typed_in_the_window_is_answered_and_leads_to_an_event,
    escape_stops_a_query_that_would_take_long,
    the_theme_changes_with_t,
]
