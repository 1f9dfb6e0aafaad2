/* SPDX-License-Identifier: MIT */
/* fuzz-replay.c - any bytes as events: a replay must survive them, its looks must stay in bounds, and a clone
 * must agree with it.
 *
 * A text trace is replayed as such, so that a corpus of fixtures reaches far; other bytes are cut into records. */
#include "fuzz.h"

#include "trace-replay.h"
#include "trace-text.h"

#include <stdlib.h>
#include <string.h>

static struct trace_replay *copy;

static bool no_meta(void *arg, const char *key, const char *value, size_t length)
{
  (void)arg;
  (void)key;
  (void)value;
  (void)length;
  return true;
}

static bool apply(void *arg, const struct trace_event *e)
{
  struct trace_replay *r = arg;
  char sentence[300];
  trace_sentence(r, e, sentence, sizeof sentence);
  bool ok = trace_replay_apply(r, e);
  if (!ok &&
      (!trace_rule_name(trace_replay_breach(r)->rule) || !trace_replay_breach(r)->sentence[0]))
    abort();
  if (copy && trace_replay_apply(copy, e) != ok)
    abort();
  if (!copy)
    copy = trace_replay_clone(r);
  return true;
}

static void apply_bytes(struct trace_replay *r, const uint8_t *data, size_t size)
{
  struct trace_event e = { 0 };
  for (; size >= 24; data += 24, size -= 24) {
    e.kind = data[0];
    e.m = data[1] & 7;
    e.p = data[2] & 0x80 ? TRACE_NO_P : data[2] & 3;
    e.g = data[3] & 15;
    e.ts += data[4];
    e.seq += data[5] == 255;
    memcpy(e.w, data + 8, sizeof e.w);
    for (int i = 0; i < 4; i++)
      e.w[i] &= data[6] & 1 ? 15 : UINT32_MAX;
    apply(r, &e);
    e.seq++;
  }
}

static void look(const struct trace_replay *r)
{
  uint32_t ids[300], things[300];
  struct trace_heap_entry entries[300];
  size_t n = trace_replay_ps(r, 0, ids, 300);
  for (size_t i = 0; i < n; i++) {
    const struct trace_p *p = trace_replay_p(r, ids[i]);
    size_t n_ring = trace_replay_ring(r, ids[i], things, 300);
    size_t n_heap = trace_replay_heap(r, ids[i], entries, 300);
    if ((i > 0 && ids[i] <= ids[i - 1]) || (n_ring < 300 && n_ring != p->n_ring) ||
        (n_heap < 300 && n_heap != p->n_timers))
      abort();
  }
  n = trace_replay_gs(r, 3, ids, 300);
  for (size_t i = 0; i < n; i++) {
    if (ids[i] < 3 || trace_replay_g(r, ids[i])->goid != ids[i])
      abort();
  }
  n = trace_replay_global(r, things, 300);
  if (n < 300 && n != trace_replay_world(r)->n_global)
    abort();
  trace_replay_idle_ps(r, ids, 300);
  trace_replay_idle_ms(r, ids, 300);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  struct trace_text_error error;
  struct trace_replay *r = trace_replay_new();
  struct trace_text_sink sink = { no_meta, apply, NULL, r };
  if (!trace_text_parse((const char *)data, size, &sink, &error) && error.line == 1)
    apply_bytes(r, data, size);
  trace_replay_finish(r, true);
  look(r);
  trace_replay_free(copy);
  trace_replay_free(r);
  copy = NULL;
  return 0;
}
