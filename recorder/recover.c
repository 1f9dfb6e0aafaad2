/* SPDX-License-Identifier: MIT */
/* recover.c - later work on a file: making it final, or making its tables. The file is looked at as hostile
 * input first (tracefile_open), then opened for writing. */
#include "create.h"
#include "finalise.h"
#include "materialise.h"

static void copy_summary(struct tracefile *file, struct rec_summary *out)
{
  struct tracefile_summary sum;
  struct tracefile_error unused;
  if (!tracefile_summary(file, &sum, &unused))
    return;
  *out = (struct rec_summary){ .stored = sum.n_events,
                               .lost = sum.n_lost,
                               .emitted = sum.n_events + sum.n_lost,
                               .n_ms = sum.n_ms,
                               .complete = sum.complete,
                               .materialised = materialise_is_done(file) };
}

/* Looks at the file as at any stranger's. False: error, or somebody records into it. */
static bool look_at(const char *path, bool *is_final, struct rec_summary *out,
                    struct tracefile_error *error)
{
  struct tracefile *file = tracefile_open(path, error);
  if (!file)
    return false;
  *is_final = tracefile_is_final(file);
  copy_summary(file, out);
  pid_t recorder = create_living_recorder(file);
  tracefile_close(file);
  return !recorder || tracefile_fail(error, TRACEFILE_REFUSED, path, "wait for its end",
                                     "process %d is recording into it", (int)recorder);
}

bool rec_recover(const char *path, enum rec_tables tables, struct rec_summary *summary,
                 struct tracefile_error *error)
{
  struct rec_summary sum = { 0 };
  bool is_final;
  bool ok = look_at(path, &is_final, &sum, error);
  if (ok && !is_final) {
    struct rec_writer *w = rec_writer_reopen(path, error);
    ok =
        w &&
        rec_writer_meta(w, "recovered", "1", error) && /* losses.c: the Ms end at different times */
        finalise(w, tables, NULL, &sum, error);
    rec_writer_free(w);
  }
  if (summary)
    *summary = sum;
  return ok;
}

/* While tables are made the file is in WAL mode: a final file's rollback journal would be ignored by readers. */
static bool make_tables(struct rec_writer *w, struct tracefile_damage_sum *damage,
                        struct tracefile_error *error)
{
  sqlite3 *db = rec_writer_db(w);
  const char *path = rec_writer_path(w);
  struct tracefile *file = tracefile_adopt(db, path, error);
  if (!file)
    return false;
  bool ok = rec_sql(db, path, "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL", error) &&
            materialise(file, error);
  *damage = tracefile_damage_sum(file);
  tracefile_close(file);
  return ok && rec_sql(db, path, "PRAGMA analysis_limit=400; ANALYZE", error) &&
         finalise_leave_one_file(db, path, error);
}

bool rec_materialise(const char *path, struct rec_summary *summary, struct tracefile_error *error)
{
  struct rec_summary sum = { 0 };
  bool is_final;
  bool ok = look_at(path, &is_final, &sum, error);
  if (ok && !is_final)
    ok = tracefile_fail(error, TRACEFILE_REFUSED, path, "run gmpscope recover on it",
                        "its recording was not finished");
  if (ok && !sum.materialised) {
    struct rec_writer *w = rec_writer_reopen(path, error);
    ok = w && make_tables(w, &sum.damage, error);
    rec_writer_free(w);
    sum.materialised = ok;
  }
  if (summary)
    *summary = sum;
  return ok;
}
