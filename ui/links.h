/* SPDX-License-Identifier: MIT */
/* links.h - plain sentences to Pango markup in which every G, M and P can be clicked.  No display. */
#pragma once
#include "trace-event.h"

#include <glib.h>

/* The text of a word of words.def, or "unknown". Borrowed. */
const char *ui_word(enum trace_arg type, uint32_t number);

/* Text of a traced program, fit to be shown in one line (vw_display_text). Caller frees. */
char *ui_text_clean(const char *text);
/* "1,234,567". Caller frees. */
char *ui_text_count(uint64_t n);
/* "1 event", "1,234 events". Caller frees. */
char *ui_text_many(uint64_t n, const char *one);
/* Markup of a sentence: G17, M2 and P0 become links "g:17", "m:2", "p:0"; all else is escaped. Caller frees. */
char *ui_links_markup(const char *sentence);
/* "<a href="g:17">G17 worker</a>"; kind is one of 'g' 'm' 'p' 'e'; name may be "" or NULL. Caller frees. */
char *ui_link(char kind, uint64_t id, const char *name);
