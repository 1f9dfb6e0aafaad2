/* SPDX-License-Identifier: MIT */
/* facts.h - a panel made of headings and rows of "what: value", values with links. */
#pragma once
#include "session.h"

#include <gtk/gtk.h>

/* A panel is written anew from top to bottom each time: begin, rows, end. Rows that are left over from the time
 * before go away in end; those that are still there only change their text, so that nothing flickers. */
#define UI_TYPE_FACTS (ui_facts_get_type())
G_DECLARE_FINAL_TYPE(UiFacts, ui_facts, UI, FACTS, GtkWidget)

GtkWidget *ui_facts_new(UiSession *session, const char *accessible_label);
void ui_facts_begin(UiFacts *facts);
void ui_facts_end(UiFacts *facts);
/* Text is plain and cleaned here. */
void ui_facts_heading(UiFacts *facts, const char *text);
/* key is plain text of ours, "" for none; markup is Pango markup, made by links.h. */
void ui_facts_row(UiFacts *facts, const char *key, const char *markup);
/* The same with plain text, printf style; cleaned and escaped here. */
void ui_facts_text(UiFacts *facts, const char *key, const char *format, ...) G_GNUC_PRINTF(3, 4);
/* A line in small grey letters over the whole width. */
void ui_facts_note(UiFacts *facts, const char *markup);
/* A widget over the whole width, the caller's to make (each time, floating). */
void ui_facts_widget(UiFacts *facts, GtkWidget *widget);
/* The session's links work in any label given here. */
void ui_facts_link_label(UiSession *session, GtkLabel *label);
