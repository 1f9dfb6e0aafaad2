/* SPDX-License-Identifier: MIT */
/* vw-build.h - making a vw_trace from a stream of events, wherever they come from.
 *
 * vw_trace_open feeds the builder from a file; tests feed it from a text fixture or from events that they
 * make up, so that nothing in the model depends on SQLite.  Private to viewer/ and its tests.
 *
 *   struct vw_builder *b = vw_builder_new();
 *   while ((e = next()))
 *     if (!vw_builder_add(b, e))
 *       break;                            out of memory; finish will say so
 *   trace = vw_builder_finish(b, &error); b is gone
 */
#pragma once
#include "viewer.h"

struct vw_builder;
/* NULL: out of memory. */
struct vw_builder *vw_builder_new(void);
/* Events are missing from ts on, as the file's books say; before the first event. */
void vw_builder_expect_loss(struct vw_builder *b, int64_t ts);
/* Gives a value of the meta table; only "program" is used. */
void vw_builder_meta(struct vw_builder *b, const char *key, const char *value, size_t length);
/* The next event in time order (it is copied). False: out of memory, and stays so. */
bool vw_builder_add(struct vw_builder *b, const struct trace_event *e);
/* After all events: a chunk that could not be read.  Where no event follows it on its M, its time is drawn as lost;
 * where one does, the jump in the M's numbers has said so. */
void vw_builder_damage(struct vw_builder *b, const struct tracefile_damage *damage);
/* Makes the trace and frees the builder. NULL: *error says why. */
struct vw_trace *vw_builder_finish(struct vw_builder *b, struct tracefile_error *error);
void vw_builder_free(struct vw_builder *b); /* instead of finish; NULL is fine */

/* A trace from its text form (trace-text.h), for tests. It has no file: vw_trace_file returns NULL, names come
 * from the events alone. NULL: *error says which line is wrong and why. */
struct vw_trace *vw_trace_from_text(const char *text, size_t length, struct tracefile_error *error);
/* The same, read from a file of text. */
struct vw_trace *vw_trace_from_text_file(const char *path, struct tracefile_error *error);
