/* SPDX-License-Identifier: MIT */
/* filter.h - what a person types into the search entry, as a struct vw_filter.  GLib only, no display. */
#pragma once
#include "viewer.h"

#include <glib.h>

struct ui_filter {
  struct vw_filter filter;
  char *text; /* owned; filter.text points here */
};

/* "g17", "m2", "p0", "t5" (a timer), an event's name, a family's name; every other word is searched for in the text.
 * All words must hold. False: the filter lets everything pass. Clear it afterwards, whatever came back. */
bool ui_filter_parse(struct ui_filter *out, const char *typed);
void ui_filter_clear(struct ui_filter *filter);
