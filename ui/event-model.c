/* SPDX-License-Identifier: MIT */
/* event-model.c - rows on demand (event-model.h).
 *
 * Without a filter row i is event i: nothing is stored.  With one, an idle source walks the trace for a few
 * milliseconds at a time and collects numbers, so typing never waits and the first rows are there at once.
 *
 * I1  matches is increasing.    I2  get_item makes a fresh object; a row is its number, not its object.
 * Not done: GtkFilterListModel.  It would make an object for each of a million events to ask about each.
 * Cost: 4 KB + 8 bytes a match; items only for the rows on screen (some 200).
 */
#include "event-model.h"

#define SLICE_US 4000
#define BATCH    64

struct _UiEventItem {
  GObject parent_instance;
  uint64_t no;
};
G_DEFINE_TYPE(UiEventItem, ui_event_item, G_TYPE_OBJECT)

static void ui_event_item_class_init(UiEventItemClass *class)
{
  (void)class;
}

static void ui_event_item_init(UiEventItem *item)
{
  (void)item;
}

uint64_t ui_event_item_no(UiEventItem *item)
{
  return item->no;
}

struct _UiEventModel {
  GObject parent_instance;
  struct vw_trace *trace;
  GArray *matches; /* NULL without a filter */
  struct ui_filter filter;
  uint64_t next; /* event that the filter looks at next */
  guint source;
  void (*notify)(gpointer);
  gpointer notify_data;
};

static GType get_item_type(GListModel *list)
{
  (void)list;
  return UI_TYPE_EVENT_ITEM;
}

static guint get_n_items(GListModel *list)
{
  UiEventModel *model = UI_EVENT_MODEL(list);
  if (!model->trace)
    return 0;
  if (model->matches)
    return model->matches->len;
  return (guint)MIN(vw_event_count(model->trace), G_MAXINT);
}

static gpointer get_item(GListModel *list, guint position)
{
  UiEventModel *model = UI_EVENT_MODEL(list);
  if (position >= get_n_items(list))
    return NULL;
  UiEventItem *item = g_object_new(UI_TYPE_EVENT_ITEM, NULL);
  item->no = model->matches ? g_array_index(model->matches, uint64_t, position) : position;
  return item;
}

static void list_model_init(GListModelInterface *interface)
{
  interface->get_item_type = get_item_type;
  interface->get_n_items = get_n_items;
  interface->get_item = get_item;
}

G_DEFINE_TYPE_WITH_CODE(UiEventModel, ui_event_model, G_TYPE_OBJECT,
                        G_IMPLEMENT_INTERFACE(G_TYPE_LIST_MODEL, list_model_init))

static void stop(UiEventModel *model)
{
  g_clear_handle_id(&model->source, g_source_remove);
  g_clear_pointer(&model->matches, g_array_unref);
  ui_filter_clear(&model->filter);
}

static void finalize(GObject *object)
{
  stop(UI_EVENT_MODEL(object));
  G_OBJECT_CLASS(ui_event_model_parent_class)->finalize(object);
}

static void ui_event_model_class_init(UiEventModelClass *class)
{
  G_OBJECT_CLASS(class)->finalize = finalize;
}

static void ui_event_model_init(UiEventModel *model)
{
  (void)model;
}

UiEventModel *ui_event_model_new(void)
{
  return g_object_new(UI_TYPE_EVENT_MODEL, NULL);
}

static void tell(UiEventModel *model, guint position, guint removed, guint added)
{
  if (removed || added)
    g_list_model_items_changed(G_LIST_MODEL(model), position, removed, added);
  if (model->notify)
    model->notify(model->notify_data);
}

/* One slice of a filter's work. */
static gboolean collect(gpointer data)
{
  UiEventModel *model = data;
  const guint before = model->matches->len;
  const uint64_t n = vw_event_count(model->trace);
  const gint64 until = g_get_monotonic_time() + SLICE_US;
  do {
    for (int i = 0; i < BATCH && model->next < n; i++, model->next++)
      if (vw_filter_matches(model->trace, &model->filter.filter, model->next))
        g_array_append_val(model->matches, model->next);
  } while (model->next < n && g_get_monotonic_time() < until);
  const bool is_done = model->next >= n;
  if (is_done)
    model->source = 0;
  tell(model, before, 0, model->matches->len - before);
  return is_done ? G_SOURCE_REMOVE : G_SOURCE_CONTINUE;
}

void ui_event_model_set_trace(UiEventModel *model, struct vw_trace *trace)
{
  const guint before = get_n_items(G_LIST_MODEL(model));
  stop(model);
  model->trace = trace;
  tell(model, 0, before, get_n_items(G_LIST_MODEL(model)));
}

void ui_event_model_set_filter(UiEventModel *model, const char *typed)
{
  if (!model->trace)
    return;
  const guint before = get_n_items(G_LIST_MODEL(model));
  stop(model);
  if (ui_filter_parse(&model->filter, typed)) {
    model->matches = g_array_new(FALSE, FALSE, sizeof(uint64_t));
    model->next = 0;
    model->source = g_idle_add_full(G_PRIORITY_LOW, collect, model, NULL);
  }
  tell(model, 0, before, get_n_items(G_LIST_MODEL(model)));
}

guint ui_event_model_find(UiEventModel *model, uint64_t no)
{
  if (!model->matches)
    return (guint)MIN(no, get_n_items(G_LIST_MODEL(model)));
  guint low = 0, high = model->matches->len;
  while (low < high) {
    const guint middle = low + (high - low) / 2;
    if (g_array_index(model->matches, uint64_t, middle) < no)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

double ui_event_model_progress(UiEventModel *model)
{
  if (!model->source || !model->trace)
    return 1;
  return (double)model->next / (double)MAX(vw_event_count(model->trace), 1);
}

void ui_event_model_set_notify(UiEventModel *model, void (*notify)(gpointer), gpointer data)
{
  model->notify = notify;
  model->notify_data = data;
}
