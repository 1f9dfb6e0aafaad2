/* SPDX-License-Identifier: MIT */
/* event-model.h - the events of a trace as a GListModel, millions of them at no cost. */
#pragma once
#include "filter.h"

#include <gio/gio.h>

#define UI_TYPE_EVENT_ITEM (ui_event_item_get_type())
G_DECLARE_FINAL_TYPE(UiEventItem, ui_event_item, UI, EVENT_ITEM, GObject)
/* The event's number. */
uint64_t ui_event_item_no(UiEventItem *item);

#define UI_TYPE_EVENT_MODEL (ui_event_model_get_type())
G_DECLARE_FINAL_TYPE(UiEventModel, ui_event_model, UI, EVENT_MODEL, GObject)

UiEventModel *ui_event_model_new(void);
/* Borrowed; NULL empties the model. Forgets the filter. Call with NULL before the trace is freed. */
void ui_event_model_set_trace(UiEventModel *model, struct vw_trace *trace);
/* Typed text; "" shows all. Matches arrive in slices of a few ms each. */
void ui_event_model_set_filter(UiEventModel *model, const char *typed);
/* Row of an event, or of the first one after it; the number of rows if there is none. */
guint ui_event_model_find(UiEventModel *model, uint64_t no);
/* 0 ... 1 while a filter is at work, 1 when it is done. */
double ui_event_model_progress(UiEventModel *model);
/* Called (main context) when rows came or a filter ended. */
void ui_event_model_set_notify(UiEventModel *model, void (*notify)(gpointer), gpointer data);
