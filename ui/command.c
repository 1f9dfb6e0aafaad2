/* SPDX-License-Identifier: MIT */
/* command.c - the gmpscope command as a child process, without blocking the window (command.h).
 *
 * The window sees neither SQLite nor the runtime (docs/architecture.md): what needs them is asked of the command, in
 * a process of its own, which can be ended at any moment and cannot take the window with it.
 *
 * I1  Whatever ends the child (it itself, a cancel, too long an answer), both of its pipes are read to their end and
 *     it is waited for, before the task returns: no zombie, no half-read pipe.
 * I2  Memory is bounded: UI_ANSWER_MAX of output, ERR_MAX of errors.
 *
 * The pipe of errors is read after the output has ended: the command writes a line or two there, far less than a pipe
 * holds.
 */
#include "command.h"

#define PIECE   ((gsize)256 * 1024)
#define ERR_MAX 4096

struct running {
  GSubprocess *process;
  GCancellable *cancellable;
  gulong on_cancel; /* 0: not connected */
  GByteArray *out;
  struct ui_answer *answer;
};

void ui_answer_free(struct ui_answer *answer)
{
  if (!answer)
    return;
  g_clear_pointer(&answer->out, g_bytes_unref);
  g_free(answer->err);
  g_free(answer);
}

static void answer_free(gpointer answer)
{
  ui_answer_free(answer);
}

static void running_free(gpointer data)
{
  struct running *running = data;
  if (running->on_cancel)
    g_cancellable_disconnect(running->cancellable, running->on_cancel);
  g_clear_object(&running->cancellable);
  g_clear_object(&running->process);
  g_clear_pointer(&running->out, g_byte_array_unref);
  ui_answer_free(running->answer);
  g_free(running);
}

/* ---- where it is ---- */

static char *executable(const char *directory, const char *below)
{
  g_autofree char *path = g_build_filename(directory, below, NULL);
  return g_file_test(path, G_FILE_TEST_IS_EXECUTABLE) && !g_file_test(path, G_FILE_TEST_IS_DIR)
             ? g_steal_pointer(&path)
             : NULL;
}

char *ui_command_find(const char *bindir)
{
  g_autofree char *own = g_file_read_link("/proc/self/exe", NULL);
  g_autofree char *directory = own ? g_path_get_dirname(own) : NULL;
  char *found = directory ? executable(directory, "../recorder/gmpscope") : NULL;
  if (!found)
    found = executable(bindir, "gmpscope");
  return found ? found : g_find_program_in_path("gmpscope");
}

/* ---- running it ---- */

static void on_cancelled(GCancellable *cancellable, GSubprocess *process)
{
  (void)cancellable;
  g_subprocess_force_exit(process);
}

static void on_ended(GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr(GTask) task = data;
  struct running *running = g_task_get_task_data(task);
  struct ui_answer *answer = running->answer;
  g_subprocess_wait_finish(G_SUBPROCESS(source), result, NULL);
  answer->code = g_subprocess_get_if_exited(running->process)
                     ? g_subprocess_get_exit_status(running->process)
                     : -1;
  answer->is_cancelled = g_cancellable_is_cancelled(running->cancellable);
  answer->out = g_byte_array_free_to_bytes(g_steal_pointer(&running->out));
  g_task_return_pointer(task, g_steal_pointer(&running->answer), answer_free);
}

static void on_err(GObject *source, GAsyncResult *result, gpointer data)
{
  GTask *task = data;
  struct running *running = g_task_get_task_data(task);
  g_autoptr(GBytes) piece = g_input_stream_read_bytes_finish(G_INPUT_STREAM(source), result, NULL);
  if (piece) {
    gsize n;
    const char *bytes = g_bytes_get_data(piece, &n);
    running->answer->err = g_strndup(bytes ? bytes : "", n);
  } else {
    running->answer->err = g_strdup("");
  }
  g_subprocess_wait_async(running->process, NULL, on_ended, task);
}

/* What follows the last whole line is no row. */
static void cut(struct running *running)
{
  guint length = running->out->len;
  while (length > 0 && running->out->data[length - 1] != '\n')
    length--;
  g_byte_array_set_size(running->out, length);
  running->answer->is_cut = true;
  g_subprocess_force_exit(running->process);
}

static void read_on(GTask *task);

static void on_out(GObject *source, GAsyncResult *result, gpointer data)
{
  GTask *task = data;
  struct running *running = g_task_get_task_data(task);
  g_autoptr(GBytes) piece = g_input_stream_read_bytes_finish(G_INPUT_STREAM(source), result, NULL);
  gsize n = 0;
  const void *bytes = piece ? g_bytes_get_data(piece, &n) : NULL;
  if (n > 0 && !running->answer->is_cut)
    g_byte_array_append(running->out, bytes, (guint)n);
  if (running->out->len > UI_ANSWER_MAX && !running->answer->is_cut)
    cut(running);
  if (n > 0)
    read_on(task);
  else
    g_input_stream_read_bytes_async(g_subprocess_get_stderr_pipe(running->process), ERR_MAX,
                                    G_PRIORITY_DEFAULT, NULL, on_err, task);
}

static void read_on(GTask *task)
{
  struct running *running = g_task_get_task_data(task);
  g_input_stream_read_bytes_async(g_subprocess_get_stdout_pipe(running->process), PIECE,
                                  G_PRIORITY_DEFAULT, NULL, on_out, task);
}

void ui_command_run_async(const char *const *argv, GCancellable *cancellable,
                          GAsyncReadyCallback callback, gpointer data)
{
  /* The task is not told of the cancellable: it would drop what was read in favour of an error. */
  GTask *task = g_task_new(NULL, NULL, callback, data);
  GError *error = NULL;
  GSubprocess *process = g_subprocess_newv(
      argv, G_SUBPROCESS_FLAGS_STDOUT_PIPE | G_SUBPROCESS_FLAGS_STDERR_PIPE, &error);
  if (!process) {
    g_task_return_error(task, error);
    g_object_unref(task);
    return;
  }
  struct running *running = g_new0(struct running, 1);
  running->process = process;
  running->cancellable = g_object_ref(cancellable);
  running->out = g_byte_array_new();
  running->answer = g_new0(struct ui_answer, 1);
  g_task_set_task_data(task, running, running_free);
  running->on_cancel = g_cancellable_connect(cancellable, G_CALLBACK(on_cancelled), process, NULL);
  read_on(task); /* the reference goes from callback to callback, to on_ended */
}

struct ui_answer *ui_command_run_finish(GAsyncResult *result, GError **error)
{
  return g_task_propagate_pointer(G_TASK(result), error);
}
