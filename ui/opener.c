/* SPDX-License-Identifier: MIT */
/* opener.c - vw_trace_open in a GTask thread (opener.h).
 *
 * I1  The thread owns the half-made trace until the task returns it; a result that nobody takes is freed by the task.
 * I2  Progress is two relaxed atomics that the window polls: nothing is queued to the main loop per event.
 */
#include "opener.h"

#include <stdatomic.h>

struct opening {
  char *path;
  GCancellable *cancellable;
  atomic_uint_least64_t done, total;
  struct tracefile_error error;
};

static void opening_free(gpointer data)
{
  struct opening *opening = data;
  g_free(opening->path);
  g_clear_object(&opening->cancellable);
  g_free(opening);
}

static void trace_free(gpointer trace)
{
  vw_trace_free(trace);
}

static bool on_progress(void *arg, uint64_t done, uint64_t total)
{
  struct opening *opening = arg;
  atomic_store_explicit(&opening->done, done, memory_order_relaxed);
  atomic_store_explicit(&opening->total, total, memory_order_relaxed);
  return !g_cancellable_is_cancelled(opening->cancellable);
}

static void open_in_thread(GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
  struct opening *opening = data;
  (void)source;
  (void)cancellable;
  struct vw_trace *trace = vw_trace_open(opening->path, on_progress, opening, &opening->error);
  g_task_return_pointer(task, trace, trace_free);
}

GTask *ui_open_async(const char *path, GCancellable *cancellable, GAsyncReadyCallback callback,
                     gpointer data)
{
  struct opening *opening = g_new0(struct opening, 1);
  opening->path = g_strdup(path);
  opening->cancellable = g_object_ref(cancellable);
  /* The task is not told of the cancellable: it would drop a finished trace in favour of an error. */
  g_autoptr(GTask) task = g_task_new(NULL, NULL, callback, data);
  g_task_set_task_data(task, opening, opening_free);
  g_task_run_in_thread(task, open_in_thread);
  return task; /* held by its thread */
}

double ui_open_fraction(GTask *task)
{
  struct opening *opening = g_task_get_task_data(task);
  const uint64_t total = atomic_load_explicit(&opening->total, memory_order_relaxed);
  const uint64_t done = atomic_load_explicit(&opening->done, memory_order_relaxed);
  return total ? CLAMP((double)done / (double)total, 0, 1) : -1;
}

struct vw_trace *ui_open_finish(GAsyncResult *result, struct tracefile_error *error)
{
  struct opening *opening = g_task_get_task_data(G_TASK(result));
  *error = opening->error;
  return g_task_propagate_pointer(G_TASK(result), NULL);
}
