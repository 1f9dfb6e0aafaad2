/* SPDX-License-Identifier: MIT */
/* trace-seqs.c - see trace-seqs.h. The text form leaves a number out where it follows from the line before of the
 * same M; so the printer and the parser must count alike, and do it here. */
#include "trace-seqs.h"

#include "trace-grow.h"

#include <stdlib.h>

uint64_t *trace_seqs_of(struct trace_seqs *s, uint32_t m)
{
  uint32_t i = trace_map_get(&s->index, m);
  if (i != TRACE_MAP_NONE)
    return &s->next[i];
  if (!trace_grow(&s->next, &s->capacity, s->n, sizeof *s->next))
    return NULL;
  if (!trace_map_put(&s->index, m, s->n))
    return NULL;
  s->next[s->n] = 0;
  return &s->next[s->n++];
}

void trace_seqs_clear(struct trace_seqs *s)
{
  trace_map_clear(&s->index);
  free(s->next);
}
