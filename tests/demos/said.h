/* SPDX-License-Identifier: MIT */
/* said.h - what a program printed of its scheduler, laid beside the state that its trace has at the same instant.
 *
 * Both become rows: the temporary table said has what was printed, the view fact what the trace knows, under the same
 * names: instant (a line of schedtrace or a dump, from 0), thing ("SCHED", "P", "M", "G"), id, key, value. So each
 * field is compared with its own, and one that is printed of nothing, or not printed, is seen.
 */
#pragma once

/* Lines of RT_DEBUG=schedtrace, with scheddetail or without; each is laid beside the log that the trace has of it.
 * Returns how many there were. */
int said_by_schedtrace(const char *text);
/* Goroutine dumps, in a text that may have other lines; dump i is laid beside the state at times[i]. Returns how many
 * there were; at most n are read. */
int said_by_dumps(const char *text, const long long *times, int n);

/* What differs, a line each; "" if nothing does. Of what is printed under the lock under which it changes, or while the
 * world stands; and of all else, which a line of schedtrace looks at while its owner may be changing it. Free both. */
char *said_wrongly(void);
char *said_of_a_moment_ago(void);
/* The Gs that the state has and a dump leaves out, a line each, as their headers would end: "[sleep]:". In alphabetical
 * order: which P a G was made on, and so its number, is left to chance. Free it. */
char *said_nothing_of(void);
