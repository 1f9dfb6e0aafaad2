/* SPDX-License-Identifier: MIT */
/* rows.c - makes the rows of a table from the events of a file: one an event for event and the ..._op tables,
 * computed from the replayed state for the others (rowstate.c). */
#include "rows.h"

#include "rowstate.h"

#include <stdlib.h>

struct row_maker {
  const struct table_def *def;
  enum table_id table;
  struct row_filter filter;
  struct tracefile_cursor *cursor;
  struct row_states *states; /* of computed tables */
  uint64_t n_events;
  struct table_row row;
};

static bool is_computed(const struct row_maker *maker)
{
  return maker->table != TABLE_EVENT && maker->def->family == 0;
}

struct row_maker *row_maker_new(struct tracefile *file, enum table_id table,
                                const struct row_filter *filter, struct tracefile_error *error)
{
  struct row_maker *maker = calloc(1, sizeof *maker);
  if (!maker) {
    tracefile_fail(error, TRACEFILE_REFUSED, tracefile_path(file), "",
                   "there is not enough memory");
    return NULL;
  }
  *maker = (struct row_maker){ .def = &table_defs[table], .table = table, .filter = *filter };
  bool all = is_computed(maker) || filter->numbered; /* what came before counts */
  maker->cursor = tracefile_cursor_new(file, all ? INT64_MIN : filter->from,
                                       is_computed(maker) ? INT64_MAX : filter->to, error);
  if (maker->cursor && is_computed(maker)) {
    maker->states = row_states_new(table);
    if (!maker->states)
      tracefile_fail(error, TRACEFILE_REFUSED, tracefile_path(file), "",
                     "there is not enough memory");
  }
  if (maker->cursor && (maker->states || !is_computed(maker)))
    return maker;
  row_maker_free(maker);
  return NULL;
}

void row_maker_free(struct row_maker *maker)
{
  if (!maker)
    return;
  tracefile_cursor_free(maker->cursor);
  row_states_free(maker->states);
  free(maker);
}

static bool is_wanted(const struct row_maker *maker, const struct trace_event *e)
{
  if (maker->def->family && trace_specs[e->kind].family != maker->def->family)
    return false;
  if (maker->filter.m != ROW_NULL && e->m != maker->filter.m)
    return false;
  return maker->filter.g == ROW_NULL || e->g == maker->filter.g;
}

const struct table_row *row_maker_next(struct row_maker *maker)
{
  const struct trace_event *e;
  if (is_computed(maker))
    return row_states_next(maker->states, maker->cursor);
  while ((e = tracefile_cursor_next(maker->cursor))) {
    maker->n_events++;
    if (!is_wanted(maker, e))
      continue;
    maker->row.e = *e;
    maker->row.no = maker->n_events;
    return &maker->row;
  }
  return NULL;
}
