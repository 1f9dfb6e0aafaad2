/* SPDX-License-Identifier: MIT */
/* trace-chunk.h - up to 4096 events of one M as bytes: columns of deltas and varints.
 *
 * Layout (codec 1), one after the other, all lengths implied by n and the table:
 *   kinds     n bytes
 *   times     n varints: ts minus the one before (the first: minus t_min)
 *   P and G   runs: varint length, varint p + 1 (mod 2^16), zigzag varint g - last g
 *   words     for each kind that occurs, by number; for each argument of it, in table order: a column of
 *             zigzag varints, each the difference to the last value of that argument *type* in this column
 * Only arguments that the table names are stored; NONE words are 0.  Decoding is bounds-checked at every
 * byte: the bytes are hostile.  An unknown kind cannot be decoded (refuse the chunk: a newer minor version).
 *
 * Not done: zstd over it by default. It gains a third in size and halves the speed; codec 2 is reserved.
 */
#pragma once
#include "trace-event.h"

#define TRACE_CHUNK_EVENTS 4096u
#define TRACE_CHUNK_CODEC  1
/* No encoded chunk is larger: what an output buffer must hold for n events. */
#define TRACE_CHUNK_MAX_BYTES(n) ((size_t)(n)*64 + 64)

/* Encodes n (1 ... TRACE_CHUNK_EVENTS) events of one M with consecutive seq and non-decreasing ts.
 * Returns the number of bytes, or 0 if they are not such events (none or too many, a kind that the table
 * does not have, time goes back): check what comes from a ring first. out holds TRACE_CHUNK_MAX_BYTES(n). */
size_t trace_chunk_encode(const struct trace_event *events, size_t n, uint8_t *out);

/* Decodes exactly n events; m, first_seq and t_min come from the chunk's row. False: the bytes are not a
 * chunk of n events (nothing else is promised about out then). */
bool trace_chunk_decode(const uint8_t *bytes, size_t size, size_t n, uint32_t m, uint64_t first_seq,
                        int64_t t_min, struct trace_event *out);
