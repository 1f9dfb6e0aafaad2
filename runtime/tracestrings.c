/* SPDX-License-Identifier: MIT */
/* tracestrings.c - names and texts in a trace: each is told once, and is a number from then on.
 *
 * The lock guards the table, and the order of telling a string and of using it: nobody can have its number from here
 * before it was told. That it is told by another M's ring does not matter, since the recorder sorts by time.
 */
#include "os.h"
#include "sim.h"
#include "tracedoor.h"

#include <string.h>

#define STRING_BUCKETS 1024u
#define MAX_STRINGS    65536u

struct interned {
  struct interned *next;
  uint32_t id;
  uint32_t n;
  char bytes[];
};

static struct {
  struct mutex lock;
  uint32_t n_strings;
  struct interned *strings[STRING_BUCKETS];
} table;

static uint64_t hash_bytes(const char *bytes, size_t n)
{
  uint64_t hash = 0xcbf29ce484222325u;
  for (size_t i = 0; i < n; i++)
    hash = (hash ^ (unsigned char)bytes[i]) * 0x100000001b3u;
  return hash;
}

/* The lock held. 0 when there are too many or there is no memory: the name is not told. */
static uint32_t intern(struct m *mp, const char *bytes, size_t n)
{
  struct interned **bucket = &table.strings[hash_bytes(bytes, n) % STRING_BUCKETS];
  for (const struct interned *s = *bucket; s; s = s->next)
    if (s->n == n && memcmp(s->bytes, bytes, n) == 0)
      return s->id;
  struct interned *s = table.n_strings < MAX_STRINGS ? sim_alloc(sizeof *s + n) : NULL;
  if (!s)
    return 0;
  s->id = ++table.n_strings;
  s->n = (uint32_t)n;
  memcpy(s->bytes, bytes, n);
  s->next = *bucket;
  *bucket = s;
  tr_emit_string(mp, s->id, bytes, n);
  return s->id;
}

uint32_t tr_string_id_n(struct m *mp, const char *text, size_t n)
{
  if (!tr_on(mp, TRACE_FAMILY_ALL) || !mp->tw || !text || n == 0)
    return 0;
  sim_hold();
  lock2(&table.lock);
  tr_stamp_after(mp);
  uint32_t id = tr_on(mp, TRACE_FAMILY_ALL) ? intern(mp, text, n > 65536 ? 65536 : n) : 0;
  unlock2(&table.lock);
  sim_go_on();
  return id;
}

uint32_t tr_string_id(struct m *mp, const char *text)
{
  return text ? tr_string_id_n(mp, text, strlen(text)) : 0;
}
