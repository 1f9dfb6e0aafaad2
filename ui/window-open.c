/* SPDX-License-Identifier: MIT */
/* window-open.c - from a file to a trace in the window: chooser, drop, thread, progress, error.
 *
 * I1  At most one open is under way: a second one cancels the first, whose result is then dropped.
 * I2  The open holds a reference on the window, so a window closed meanwhile is still there for the callback.
 */
#include "window-private.h"

#include "links.h"
#include "opener.h"

struct opening_ui {
  UiWindow *window; /* owned */
  char *path;       /* owned */
  GCancellable *cancellable;
  GTask *task; /* borrowed until the callback */
};

static void finished(UiWindow *window, bool is_open)
{
  void (*opened)(UiWindow *, bool, gpointer) = window->opened;
  window->opened = NULL;
  if (opened)
    opened(window, is_open, window->opened_data);
}

static void set_clean(GtkWidget *label, const char *text)
{
  g_autofree char *clean = ui_text_clean(text);
  gtk_label_set_text(GTK_LABEL(label), clean);
  gtk_widget_set_visible(label, *clean != 0);
}

/* Errors are told in lower case, to stand in one line behind each other; here each is a sentence of its own. */
static void set_sentence(GtkWidget *label, const char *text)
{
  g_autofree char *sentence = *text ? g_strconcat(text, ".", NULL) : g_strdup("");
  sentence[0] = g_ascii_toupper(sentence[0]);
  set_clean(label, sentence);
}

static void show_error(UiWindow *window, const struct tracefile_error *error)
{
  set_clean(window->error_what, error->what);
  set_sentence(window->error_why, error->why);
  set_sentence(window->error_todo, error->todo);
  ui_window_show_page(window, "error");
  gtk_widget_grab_focus(window->error_open);
}

static void show_what_there_is(UiWindow *window)
{
  ui_window_show_page(window, ui_session_trace(window->session) ? "trace" : "welcome");
}

static void stop_poll(UiWindow *window)
{
  g_clear_handle_id(&window->opening_poll, g_source_remove);
}

static void on_opened(GObject *source, GAsyncResult *result, gpointer data)
{
  struct opening_ui *opening = data;
  UiWindow *window = opening->window;
  (void)source;
  struct tracefile_error error;
  struct vw_trace *trace = ui_open_finish(result, &error);
  const bool is_current = window->opening == opening->cancellable;
  const bool is_cancelled = g_cancellable_is_cancelled(opening->cancellable);
  if (is_current) {
    stop_poll(window);
    g_clear_object(&window->opening);
  }
  if (!is_current || is_cancelled) {
    vw_trace_free(trace);
    if (is_current)
      show_what_there_is(window);
  } else if (trace) {
    ui_session_take_trace(window->session, trace);
    ui_query_set_path(UI_QUERY(window->query), opening->path);
    ui_window_show_page(window, "trace");
    gtk_widget_grab_focus(window->timeline);
  } else {
    show_error(window, &error);
  }
  if (is_current)
    finished(window, trace && !is_cancelled);
  g_object_unref(opening->cancellable);
  g_object_unref(window);
  g_free(opening->path);
  g_free(opening);
}

static gboolean poll_progress(gpointer data)
{
  struct opening_ui *opening = data;
  GtkProgressBar *bar = GTK_PROGRESS_BAR(opening->window->opening_bar);
  const double fraction = ui_open_fraction(opening->task);
  if (fraction < 0)
    gtk_progress_bar_pulse(bar);
  else
    gtk_progress_bar_set_fraction(bar, fraction);
  return G_SOURCE_CONTINUE;
}

void ui_window_open(UiWindow *window, GFile *file)
{
  g_autofree char *path = g_file_get_path(file);
  g_autofree char *name = g_file_get_basename(file);
  if (!path) {
    struct tracefile_error error;
    g_autofree char *uri = g_file_get_uri(file);
    tracefile_fail(&error, TRACEFILE_REFUSED, uri, "copy it to this machine and open the copy",
                   "it is not on a local file system");
    show_error(window, &error);
    return;
  }
  ui_window_cancel_open(window);
  stop_poll(window);
  g_clear_object(&window->opening);
  struct opening_ui *opening = g_new0(struct opening_ui, 1);
  opening->window = g_object_ref(window);
  opening->path = g_strdup(path);
  opening->cancellable = g_cancellable_new();
  window->opening = g_object_ref(opening->cancellable);
  g_autofree char *title = g_strdup_printf("Opening %s", name);
  set_clean(window->opening_label, title);
  gtk_progress_bar_set_fraction(GTK_PROGRESS_BAR(window->opening_bar), 0);
  ui_window_show_page(window, "opening");
  opening->task = ui_open_async(path, opening->cancellable, on_opened, opening);
  window->opening_poll = g_timeout_add(50, poll_progress, opening);
}

void ui_window_cancel_open(UiWindow *window)
{
  if (window->opening)
    g_cancellable_cancel(window->opening);
}

void ui_window_when_opened(UiWindow *window,
                           void (*opened)(UiWindow *window, bool is_open, gpointer data),
                           gpointer data)
{
  window->opened = opened;
  window->opened_data = data;
}

static void on_chosen(GtkNativeDialog *dialog, int response, UiWindow *window)
{
  if (response == GTK_RESPONSE_ACCEPT) {
    g_autoptr(GFile) file = gtk_file_chooser_get_file(GTK_FILE_CHOOSER(dialog));
    if (file)
      ui_window_open(window, file);
  }
  g_object_unref(dialog);
}

void ui_window_choose(UiWindow *window)
{
  GtkFileChooserNative *dialog = gtk_file_chooser_native_new(
      "Open a trace", GTK_WINDOW(window), GTK_FILE_CHOOSER_ACTION_OPEN, "_Open", "_Cancel");
  static const struct {
    const char *name, *pattern;
  } filters[] = { { "Traces (*.db)", "*.db" }, { "All files", "*" } };
  for (size_t i = 0; i < G_N_ELEMENTS(filters); i++) {
    g_autoptr(GtkFileFilter) filter = gtk_file_filter_new();
    gtk_file_filter_set_name(filter, filters[i].name);
    gtk_file_filter_add_pattern(filter, filters[i].pattern);
    gtk_file_chooser_add_filter(GTK_FILE_CHOOSER(dialog), filter);
  }
  /* where the person was when starting the program: demos are recorded there */
  g_autoptr(GFile) folder = g_file_new_for_path(".");
  gtk_file_chooser_set_current_folder(GTK_FILE_CHOOSER(dialog), folder, NULL);
  gtk_native_dialog_set_modal(GTK_NATIVE_DIALOG(dialog), TRUE);
  g_signal_connect_object(dialog, "response", G_CALLBACK(on_chosen), window, 0);
  gtk_native_dialog_show(GTK_NATIVE_DIALOG(dialog));
}

static gboolean on_drop(GtkDropTarget *target, const GValue *value, double x, double y,
                        UiWindow *window)
{
  (void)target;
  (void)x;
  (void)y;
  if (!G_VALUE_HOLDS(value, G_TYPE_FILE))
    return FALSE;
  ui_window_open(window, g_value_get_object(value));
  return TRUE;
}

void ui_window_accept_drops(UiWindow *window)
{
  GtkDropTarget *target = gtk_drop_target_new(G_TYPE_FILE, GDK_ACTION_COPY);
  g_signal_connect(target, "drop", G_CALLBACK(on_drop), window);
  gtk_widget_add_controller(GTK_WIDGET(window), GTK_EVENT_CONTROLLER(target));
}
