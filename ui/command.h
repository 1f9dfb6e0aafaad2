/* SPDX-License-Identifier: MIT */
/* command.h - asks the gmpscope command something and takes what it says.  No display. */
#pragma once
#include <gio/gio.h>
#include <stdbool.h>

struct ui_answer {
  GBytes *out; /* what it wrote to its standard output; ends at a line's end where it was cut */
  char *err;   /* what it wrote to its standard error, "" for nothing */
  int code;    /* exit code, or -1: it ended by a signal */
  bool is_cut; /* it wrote more than UI_ANSWER_MAX, and was ended */
  bool is_cancelled; /* it was ended because somebody asked for that */
};
#define UI_ANSWER_MAX (32 * 1024 * 1024)
void ui_answer_free(struct ui_answer *answer);

/* The command that belongs to this program: in the build tree, in bindir where it was installed, or on the PATH. NULL: it
 * is nowhere. Caller frees. */
char *ui_command_find(const char *bindir);
/* Runs argv (NULL-terminated; argv[0] a path, no shell between), until it ends or the cancellable ends it. */
void ui_command_run_async(const char *const *argv, GCancellable *cancellable,
                          GAsyncReadyCallback callback, gpointer data);
/* NULL: it could not be started, and error says why. Caller frees. */
struct ui_answer *ui_command_run_finish(GAsyncResult *result, GError **error);
