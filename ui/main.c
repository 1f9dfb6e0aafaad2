/* SPDX-License-Identifier: MIT */
/* main.c - gmpscope-viewer [FILE]: one process, one window, one trace.
 *
 * The application is not unique on the session bus: two traces side by side are two processes, a crash takes
 * one of them, and no bus is needed (a container, ssh).
 * Exit codes are those of the command line: 0 fine, 1 failed to show, 2 usage, 4 there is no display.  GTK would
 * say that last thing in a warning of its own and end with 1, so it is asked before the application starts.
 */
#include "bench.h"
#include "keys.h"
#include "window.h"

#include <locale.h>

struct program {
  int benchmark_frames; /* 0: no benchmark */
};

/* After the options were read, so that --help needs no display. -1: go on. */
static int on_options(GApplication *application, GVariantDict *options)
{
  (void)application;
  (void)options;
  if (gtk_init_check())
    return -1;
  g_printerr("gmpscope: view: there is no display; use gmpscope render\n");
  return TRACEFILE_REFUSED;
}

static void on_quit(GSimpleAction *action, GVariant *parameter, gpointer application)
{
  (void)action;
  (void)parameter;
  g_application_quit(application);
}

static void change_dark(GSimpleAction *action, GVariant *value, gpointer data)
{
  (void)data;
  g_object_set(gtk_settings_get_default(), "gtk-application-prefer-dark-theme",
               g_variant_get_boolean(value), NULL);
  g_simple_action_set_state(action, value);
}

static const GActionEntry actions[] = {
  { "quit", on_quit, NULL, NULL, NULL, { 0 } },
  { "dark", NULL, NULL, "false", change_dark, { 0 } },
};

static void load_style(void)
{
  g_autoptr(GtkCssProvider) provider = gtk_css_provider_new();
  gtk_css_provider_load_from_resource(provider, "/org/gmpscope/Viewer/style.css");
  gtk_style_context_add_provider_for_display(gdk_display_get_default(),
                                             GTK_STYLE_PROVIDER(provider),
                                             GTK_STYLE_PROVIDER_PRIORITY_APPLICATION);
}

static void on_startup(GApplication *application)
{
  gboolean is_dark;
  gtk_window_set_default_icon_name("gmpscope");
  g_action_map_add_action_entries(G_ACTION_MAP(application), actions, G_N_ELEMENTS(actions),
                                  application);
  g_object_get(gtk_settings_get_default(), "gtk-application-prefer-dark-theme", &is_dark, NULL);
  GAction *dark = g_action_map_lookup_action(G_ACTION_MAP(application), "dark");
  g_simple_action_set_state(G_SIMPLE_ACTION(dark), g_variant_new_boolean(is_dark));
  load_style();
  ui_keys_set_accels(GTK_APPLICATION(application));
}

static void on_activate(GApplication *application)
{
  gtk_window_present(GTK_WINDOW(ui_window_new(GTK_APPLICATION(application))));
}

static void on_opened(UiWindow *window, bool is_open, gpointer data)
{
  const struct program *program = data;
  if (is_open)
    ui_bench_start(window, program->benchmark_frames);
  else
    gtk_window_close(GTK_WINDOW(window));
}

static void on_open(GApplication *application, GFile **files, int n, const char *hint,
                    struct program *program)
{
  (void)hint;
  for (int i = 0; i < n; i++) {
    UiWindow *window = ui_window_new(GTK_APPLICATION(application));
    if (program->benchmark_frames > 0)
      ui_window_when_opened(window, on_opened, program);
    gtk_window_present(GTK_WINDOW(window));
    ui_window_open(window, files[i]);
  }
}

int main(int argc, char **argv)
{
  struct program program = { 0 };
  setlocale(LC_ALL, "");
  const GOptionEntry options[] = {
    { "benchmark-frames", 0, 0, G_OPTION_ARG_INT, &program.benchmark_frames,
      "Zoom and pan for N frames each, print their times, and quit", "N" },
    { 0 }
  };
  g_autoptr(GtkApplication) application = gtk_application_new(
      "org.gmpscope.Viewer", G_APPLICATION_NON_UNIQUE | G_APPLICATION_HANDLES_OPEN);
  g_application_add_main_option_entries(G_APPLICATION(application), options);
  g_application_set_option_context_parameter_string(G_APPLICATION(application), "[FILE]");
  g_application_set_option_context_summary(
      G_APPLICATION(application),
      "Shows a trace of a G/M/P scheduler. Keys: press ? in the window.");
  g_signal_connect(application, "handle-local-options", G_CALLBACK(on_options), NULL);
  g_signal_connect(application, "startup", G_CALLBACK(on_startup), NULL);
  g_signal_connect(application, "activate", G_CALLBACK(on_activate), NULL);
  g_signal_connect(application, "open", G_CALLBACK(on_open), &program);
  return g_application_run(G_APPLICATION(application), argc, argv);
}
