/* SPDX-License-Identifier: MIT */
/* heap.h - a P's timer heap, drawn as the 4-ary tree that it is. */
#pragma once
#include "trace-replay.h"

#include <gtk/gtk.h>

#define UI_TYPE_HEAP (ui_heap_get_type())
G_DECLARE_FINAL_TYPE(UiHeap, ui_heap, UI, HEAP, GtkWidget)

#define UI_HEAP_SHOWN                                                                              \
  85 /* four full levels; of larger heaps the note says how many are not drawn */

/* Shows n entries (at most UI_HEAP_SHOWN are drawn) of the heap of P p, keys relative to now. Copies. */
GtkWidget *ui_heap_new(uint32_t p, const struct trace_heap_entry *entries, size_t n, int64_t now);
