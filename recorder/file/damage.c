/* SPDX-License-Identifier: MIT */
/* damage.c - the list of what a file should hold and cannot give: chunks that are unreadable, and events whose chunks
 * are missing (holes.c).
 *
 * A chunk gets on it when a cursor fails to read it, a hole when a cursor's times reach it: a question about one
 * millisecond is not answered with the damage of another.
 */
#include "tracefile-private.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Without memory it is not listed: whoever reads on fails for the same reason. */
static bool append(struct tracefile *file, const struct tracefile_damage *damage)
{
  struct tracefile_damage *grown = realloc(file->damages, (file->n_damages + 1) * sizeof *grown);
  if (!grown)
    return false;
  file->damages = grown;
  grown[file->n_damages++] = *damage;
  return true;
}

void tracefile_add_damage(struct tracefile *file, const struct chunk_row *row, const char *why)
{
  for (size_t i = 0; i < file->n_damages; i++) {
    if (file->damages[i].chunk == row->id && !file->damages[i].is_hole)
      return;
  }
  append(file, &(struct tracefile_damage){ .chunk = row->id,
                                           .m = (uint32_t)row->m,
                                           .first_seq = row->first_seq,
                                           .n = row->n,
                                           .t_min = row->t_min,
                                           .t_max = row->t_max,
                                           .why = why });
}

void tracefile_list_holes(struct tracefile *file, int64_t from, int64_t to)
{
  for (size_t i = 0; i < file->n_holes; i++) {
    struct tracefile_hole *hole = &file->holes[i];
    bool is_reached = hole->damage.t_min <= to && hole->damage.t_max >= from;
    if (is_reached && !hole->is_listed && append(file, &hole->damage))
      hole->is_listed = true;
  }
}

size_t tracefile_damages(const struct tracefile *file, struct tracefile_damage *out, size_t n)
{
  if (n > file->n_damages)
    n = file->n_damages;
  if (n > 0)
    memcpy(out, file->damages, n * sizeof *out);
  return file->n_damages;
}

struct tracefile_damage_sum tracefile_damage_sum(const struct tracefile *file)
{
  struct tracefile_damage_sum sum = { 0 };
  for (size_t i = 0; i < file->n_damages; i++) {
    const struct tracefile_damage *d = &file->damages[i];
    if (d->is_hole)
      sum.missing += d->n;
    else
      sum.chunks++;
  }
  int at = 0;
  if (sum.chunks)
    at = snprintf(sum.words, sizeof sum.words, "%" PRIu64 " damaged chunk%s", sum.chunks,
                  sum.chunks == 1 ? "" : "s");
  if (sum.missing)
    snprintf(sum.words + at, sizeof sum.words - (size_t)at,
             "%s%" PRIu64 " event%s whose chunks are missing", at ? " and " : "", sum.missing,
             sum.missing == 1 ? "" : "s");
  return sum;
}
