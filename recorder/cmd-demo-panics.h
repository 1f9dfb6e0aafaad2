/* SPDX-License-Identifier: MIT */
/* cmd-demo-panics.h - the panics of a trace, told as they went. */
#pragma once
#include "cmd-demo.h"
#include "trace-replay.h"

struct panic_tales;

/* G7 "worker" */
void story_put_who(struct trace_replay *replay, FILE *to, uint32_t goid);

/* The header of the story and a line's time, up to where its words begin. */
typedef void (*story_line_begin)(void *story, FILE *to, int64_t ts);

/* NULL: no memory. Borrows all. */
struct panic_tales *panic_tales_new(struct tracefile *file, struct trace_replay *replay, FILE *to,
                                    story_line_begin begin, void *story);
void panic_tales_free(struct panic_tales *tales);
/* Told before the replay applies it. True: it belongs to a panic, and needs no other telling. */
bool panic_tales_event(struct panic_tales *tales, const struct trace_event *e);
/* Somebody else has a line to print. */
void panic_tales_pause(struct panic_tales *tales);
/* After the last event; returns how many panics were left out. */
uint64_t panic_tales_finish(struct panic_tales *tales);
