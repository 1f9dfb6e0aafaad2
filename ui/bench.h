/* SPDX-License-Identifier: MIT */
/* bench.h - frame times of the real window, measured in it (--benchmark-frames). */
#pragma once
#include "window.h"

/* Zooms for n frames, then pans for n; prints one JSON line per phase and closes the window. */
void ui_bench_start(UiWindow *window, int n);
