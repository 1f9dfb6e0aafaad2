/* SPDX-License-Identifier: MIT */
/* opener.h - opening a trace off the main thread, with progress and cancel. */
#pragma once
#include "viewer.h"

#include <gio/gio.h>

/* Opens in a thread; callback runs in the main context. Returns the task, borrowed by it until then. */
GTask *ui_open_async(const char *path, GCancellable *cancellable, GAsyncReadyCallback callback,
                     gpointer data);
/* 0 ... 1, or -1 while nothing is known yet. Any thread. */
double ui_open_fraction(GTask *task);
/* The trace, which is the caller's; NULL: *error says why, or the cancellable was cancelled. */
struct vw_trace *ui_open_finish(GAsyncResult *result, struct tracefile_error *error);
