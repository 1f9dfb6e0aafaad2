/* SPDX-License-Identifier: MIT */
/* sidetables.c - writes what facts.c collected into plain tables, names resolved; and the books. */
#include "sidetables.h"

#include <stdio.h>

struct filler {
  struct tracefile *file;
  const struct facts *facts;
  struct symbols *symbols;
  sqlite3_stmt *insert;
  bool ok;
};

/* ---- rows ---- */

static void begin_table(struct filler *f, const char *table, int n_columns)
{
  char sql[160];
  snprintf(sql, sizeof sql, "DELETE FROM %s", table);
  f->ok = f->ok && sqlite3_exec(f->file->db, sql, NULL, NULL, NULL) == SQLITE_OK;
  int at = snprintf(sql, sizeof sql, "INSERT OR IGNORE INTO %s VALUES(?", table);
  for (int i = 1; i < n_columns; i++)
    at += snprintf(sql + at, sizeof sql - (size_t)at, ",?");
  snprintf(sql + at, sizeof sql - (size_t)at, ")");
  f->ok = f->ok && sqlite3_prepare_v2(f->file->db, sql, -1, &f->insert, NULL) == SQLITE_OK;
}

static void end_table(struct filler *f)
{
  sqlite3_finalize(f->insert);
  f->insert = NULL;
}

static void end_row(struct filler *f)
{
  f->ok = f->ok && sqlite3_step(f->insert) == SQLITE_DONE;
  sqlite3_reset(f->insert);
  sqlite3_clear_bindings(f->insert);
}

static void number(struct filler *f, int column, int64_t value)
{
  if (value != FACT_UNKNOWN)
    sqlite3_bind_int64(f->insert, column, value);
}

/* Ids and addresses, of which 0 is none. */
static void id_or_null(struct filler *f, int column, uint64_t id)
{
  if (id != 0)
    sqlite3_bind_int64(f->insert, column, (int64_t)id);
}

static void text(struct filler *f, int column, const char *value)
{
  if (value)
    sqlite3_bind_text(f->insert, column, value, -1, SQLITE_TRANSIENT);
}

static void string(struct filler *f, int column, uint32_t id)
{
  const struct fact_string *s = id ? facts_string(f->facts, id) : NULL;
  if (s)
    sqlite3_bind_text(f->insert, column, s->bytes, (int)s->length, SQLITE_STATIC);
}

static const char *function_at(struct filler *f, uint64_t pc)
{
  struct tracefile_frame frame;
  return f->symbols && pc && symbols_find(f->symbols, pc, false, &frame) ? frame.function : NULL;
}

/* ---- tables ---- */

static void fill_gs(struct filler *f)
{
  begin_table(f, "g", 8);
  for (uint32_t i = 0; f->ok && i < f->facts->gs.n; i++) {
    const struct fact_g *g = &f->facts->gs.at[i];
    number(f, 1, g->g);
    string(f, 2, g->name);
    id_or_null(f, 3, g->parent);
    id_or_null(f, 4, g->fn);
    text(f, 5, function_at(f, g->fn));
    number(f, 6, g->t_create);
    number(f, 7, g->t_end);
    id_or_null(f, 8, g->stack);
    end_row(f);
  }
  end_table(f);
}

static void fill_ms(struct filler *f)
{
  begin_table(f, "m", 7);
  for (uint32_t i = 0; f->ok && i < f->facts->ms.n; i++) {
    const struct fact_m *m = &f->facts->ms.at[i];
    number(f, 1, m->m);
    number(f, 2, m->tid);
    number(f, 3, m->creator);
    number(f, 4, m->is_sysmon);
    number(f, 5, m->t_first);
    number(f, 6, m->t_last);
    number(f, 7, (int64_t)m->n_events);
    end_row(f);
  }
  end_table(f);
}

static void fill_ps(struct filler *f)
{
  begin_table(f, "p", 3);
  for (uint32_t i = 0; f->ok && i < f->facts->ps.n; i++) {
    const struct fact_p *p = &f->facts->ps.at[i];
    number(f, 1, p->p);
    number(f, 2, p->t_first);
    number(f, 3, p->t_last);
    end_row(f);
  }
  end_table(f);
}

static void fill_timers(struct filler *f)
{
  begin_table(f, "timer", 6);
  for (uint32_t i = 0; f->ok && i < f->facts->timers.n; i++) {
    const struct fact_timer *t = &f->facts->timers.at[i];
    number(f, 1, t->timer);
    text(f, 2, t->told ? trace_word_text(TRACE_ARG_TIMERKIND, t->what) : NULL);
    id_or_null(f, 3, t->owner);
    number(f, 4, t->t_new);
    number(f, 5, (int64_t)t->n_fired);
    number(f, 6, (int64_t)t->n_stopped);
    end_row(f);
  }
  end_table(f);
}

static void fill_objects(struct filler *f)
{
  begin_table(f, "object", 5);
  for (uint32_t i = 0; f->ok && i < f->facts->objects.n; i++) {
    const struct fact_object *o = &f->facts->objects.at[i];
    number(f, 1, (int64_t)o->obj);
    text(f, 2, o->told ? trace_word_text(TRACE_ARG_OBJKIND, o->what) : NULL);
    string(f, 3, o->name);
    number(f, 4, o->told ? (int64_t)o->capacity : FACT_UNKNOWN);
    number(f, 5, o->t_new);
    end_row(f);
  }
  end_table(f);
}

static void fill_strings(struct filler *f)
{
  begin_table(f, "string", 2);
  for (uint32_t i = 0; f->ok && i < f->facts->strings.n; i++) {
    const struct fact_string *s = &f->facts->strings.at[i];
    number(f, 1, s->id);
    sqlite3_bind_text(f->insert, 2, s->bytes, (int)s->length, SQLITE_STATIC);
    end_row(f);
  }
  end_table(f);
}

static void fill_stacks(struct filler *f)
{
  begin_table(f, "stack", 3);
  for (uint32_t i = 0; f->ok && i < f->facts->stacks.n; i++) {
    const struct fact_stack *s = &f->facts->stacks.at[i];
    for (uint32_t depth = 0; f->ok && depth < s->n; depth++) {
      number(f, 1, s->id);
      number(f, 2, depth);
      sqlite3_bind_int64(f->insert, 3, (int64_t)s->pcs[depth]);
      end_row(f);
    }
  }
  end_table(f);
}

static void fill_frames(struct filler *f)
{
  begin_table(f, "frame", 4);
  for (uint32_t i = 0; f->ok && f->symbols && i < f->facts->pcs.n; i++) {
    const struct fact_pc *seen = &f->facts->pcs.at[i];
    struct tracefile_frame frame;
    if (!symbols_find(f->symbols, seen->pc, seen->is_return, &frame))
      continue;
    sqlite3_bind_int64(f->insert, 1, (int64_t)seen->pc);
    text(f, 2, frame.function);
    text(f, 3, frame.file);
    id_or_null(f, 4, (uint64_t)frame.line);
    end_row(f);
  }
  end_table(f);
}

bool sidetables_fill(struct tracefile *file, const struct facts *facts, struct symbols *symbols,
                     struct tracefile_error *error)
{
  struct filler f = { .file = file, .facts = facts, .symbols = symbols, .ok = true };
  fill_gs(&f);
  fill_ms(&f);
  fill_ps(&f);
  fill_timers(&f);
  fill_objects(&f);
  fill_strings(&f);
  fill_stacks(&f);
  fill_frames(&f);
  return f.ok || tracefile_sql_fail(file->db, file->path, error);
}

/* ---- the books ---- */

static const char books[] =
    "DELETE FROM stats WHERE name IN ('stored', 'lost', 'emitted', 'disagrees');"
    "INSERT INTO stats SELECT 'stored', m, sum(n), 'info', 'events in the file' FROM chunk GROUP "
    "BY m;"
    "INSERT INTO stats SELECT 'lost', m, sum(n), 'data_loss', 'events told lost, see table loss' "
    "FROM loss "
    "WHERE m IS NOT NULL GROUP BY m;"
    "INSERT INTO stats SELECT 'emitted', m, sum(value), 'info', 'events emitted: stored + lost' "
    "FROM stats "
    "WHERE name IN ('stored', 'lost') AND m>=0 GROUP BY m;"
    "INSERT INTO stats SELECT 'stored', -1, coalesce(sum(n), 0), 'info', 'events in the file' FROM "
    "chunk;"
    "INSERT INTO stats SELECT 'lost', -1, coalesce(sum(n), 0), iif(coalesce(sum(n), 0)>0, "
    "'data_loss', 'info'), "
    "'events told lost, see table loss' FROM loss;"
    "INSERT INTO stats SELECT 'emitted', -1, sum(value), 'info', 'events emitted: stored + lost' "
    "FROM stats "
    "WHERE name IN ('stored', 'lost') AND m=-1;"
    "INSERT INTO stats SELECT 'disagrees', -1, count(*), iif(count(*)>0, 'error', 'info'), "
    "'Ms on which the program counted another number of events than stored + lost' FROM stats AS "
    "ring "
    "JOIN stats AS ours ON ours.m=ring.m AND ours.name='emitted' "
    "WHERE ring.name='ring_emitted' AND ring.value<>ours.value";

static bool ask(struct tracefile *file, const char *name, uint64_t *out)
{
  sqlite3_stmt *stmt;
  const char *sql = "SELECT value FROM stats WHERE name=? AND m=-1";
  if (sqlite3_prepare_v2(file->db, sql, -1, &stmt, NULL) != SQLITE_OK)
    return false;
  sqlite3_bind_text(stmt, 1, name, -1, SQLITE_STATIC);
  bool ok = sqlite3_step(stmt) == SQLITE_ROW;
  *out = ok ? (uint64_t)sqlite3_column_int64(stmt, 0) : 0;
  sqlite3_finalize(stmt);
  return ok;
}

bool sidetables_books(struct tracefile *file, uint64_t *emitted, uint64_t *stored, uint64_t *lost,
                      bool *agrees, struct tracefile_error *error)
{
  uint64_t disagrees = 0;
  bool ok = sqlite3_exec(file->db, books, NULL, NULL, NULL) == SQLITE_OK &&
            ask(file, "emitted", emitted) && ask(file, "stored", stored) &&
            ask(file, "lost", lost) && ask(file, "disagrees", &disagrees);
  *agrees = disagrees == 0;
  return ok || tracefile_sql_fail(file->db, file->path, error);
}
