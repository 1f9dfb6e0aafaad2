/* SPDX-License-Identifier: MIT */
/* trace-chunk.h - up to 4096 events of one M as bytes.
 *
 * Codec 2. An event is eight 32-bit numbers, each told as its difference, by XOR, to what was to be expected:
 *
 *   head 0  kind, in bits 0-7, and P, in bits 8-23
 *   head 1  ts minus the one before (the first: minus t_min), low half
 *   head 2  the high half
 *   head 3  G
 *   word 0 ... 3
 *
 * Expected is: the kind that last followed the kind of the event before; the P of the event before; the G of the event
 * before, but 0 after go_stop, go_block, go_destroy and go_syscall_end_blocked, and run_g after go_start; the words of
 * the last event of that kind, but in place of word 0, if it is of type G, the last word 0 of that type of any kind. All
 * of it is 0 at a chunk's start; of the times only the difference is told, nothing is expected. Words that the table
 * calls NONE are 0.
 *
 * Such a difference takes 0, 1, 2 or 4 bytes, low byte first, as many as it needs: its width, 0 ... 3. Four widths are
 * a byte, the first in bits 0-1. The bytes of a chunk are
 *
 *   n bytes   widths of the heads
 *   n bytes   widths of the words
 *   then, for each event, the bytes of its head and of its words
 *
 * so that the place of each number is known before it is read, and neither coding nor decoding has a loop or a branch
 * within an event.  Decoding is bounds-checked: the bytes are hostile.  An unknown kind cannot be decoded (refuse the
 * chunk: a newer minor version).
 *
 * Codec 1 is what files of version 1 have; it is read for ever (trace-chunk-1.h).
 *
 * Not done: zstd over it, packing by bits, columns. Recordings take 3 to 5.5 bytes an event as it is, and what limits
 * recording is the time. Codec 1 had columns of varints: 5.5 to 7 bytes, and up to twice the time both ways.
 */
#pragma once
#include "trace-event.h"

#define TRACE_CHUNK_EVENTS 4096u
#define TRACE_CHUNK_CODEC  2
/* No encoded chunk of n events is larger: what an output buffer must hold. */
#define TRACE_CHUNK_MAX_BYTES(n) ((size_t)(n)*34 + 8)

/* What the events so far let expect of the next one. */
struct trace_expected {
  int64_t ts; /* not less than this */
  uint32_t g;
  uint32_t named_g; /* in word 0 */
  uint32_t p;
  uint32_t before; /* kind of the event before */
};

struct trace_chunk_state {
  struct trace_expected next;
  uint8_t kinds[TRACE_KIND_LIMIT];     /* what followed each kind last */
  uint64_t words[TRACE_KIND_LIMIT][2]; /* of the last event of each kind */
};

/* A chunk in the making: events are coded as they come. */
struct trace_coder {
  uint8_t *bytes;
  uint8_t *at; /* behind what the events so far took */
  uint32_t n, room;
  struct trace_chunk_state state;
};

/* Begins a chunk of at most `room` (1 ... TRACE_CHUNK_EVENTS) events whose first is at t_min. bytes holds
 * TRACE_CHUNK_MAX_BYTES(room) and stays the caller's. */
void trace_coder_begin(struct trace_coder *c, uint8_t *bytes, uint32_t room, int64_t t_min);
/* Adds n events. There is room, their kinds are in the table, and no time is before the last one. */
void trace_coder_add(struct trace_coder *c, const struct trace_event *events, size_t n);
/* The chunk is in bytes; returns how many they are. */
size_t trace_coder_end(struct trace_coder *c);

/* Encodes n (1 ... TRACE_CHUNK_EVENTS) events of one M with consecutive seq and non-decreasing ts.
 * Returns the number of bytes, or 0 if they are not such events (none or too many, a kind that the table
 * does not have, time goes back): check what comes from a ring first. out holds TRACE_CHUNK_MAX_BYTES(n). */
size_t trace_chunk_encode(const struct trace_event *events, size_t n, uint8_t *out);

/* The row of table chunk that the bytes belong to. */
struct trace_chunk_place {
  uint64_t codec, n;
  uint32_t m;
  uint64_t first_seq;
  int64_t t_min;
};

/* This version can decode it. */
bool trace_chunk_codec_is_known(uint64_t codec);
/* Decodes exactly place->n events. False: the bytes are not a chunk of them (nothing else is promised about out then). */
bool trace_chunk_decode(const uint8_t *bytes, size_t size, const struct trace_chunk_place *place,
                        struct trace_event *out);
