/* SPDX-License-Identifier: MIT */
/* events.c - a GtkColumnView over the lazy model (events.h).
 *
 * The selected row is the session's cursor, both ways.  The last column is vw_event_text and not the sentence: a
 * sentence needs the state before its event, a replay for every row that scrolls by.
 */
#include "events.h"

#include "event-model.h"
#include "links.h"
#include "theme.h"

struct _UiEvents {
  GtkBox parent_instance;
  GtkWidget *entry, *count, *progress, *view; /* from events.ui */
  char *searched;                             /* what the model is filtered by; NULL: not yet */
  bool is_jumping; /* Enter was pressed, and there is no match to go to yet */
  UiSession *session;
  UiEventModel *model;
  GtkSingleSelection *selection;
  bool is_following; /* the row follows the session, not the other way */
};
G_DEFINE_TYPE(UiEvents, ui_events, GTK_TYPE_BOX)

enum column {
  COLUMN_NO,
  COLUMN_TIME,
  COLUMN_M,
  COLUMN_P,
  COLUMN_G,
  COLUMN_KIND,
  COLUMN_TEXT,
  COLUMNS
};
static const struct {
  const char *title;
  int width; /* for letters of the usual size; 0: what is left */
  bool is_number;
} columns[COLUMNS] = {
  [COLUMN_NO] = { "No.", 84, true },
  [COLUMN_TIME] = { "Time, ms", 116, true },
  [COLUMN_M] = { "M", 52, true },
  [COLUMN_P] = { "P", 52, true },
  [COLUMN_G] = { "G", 64, true },
  [COLUMN_KIND] = { "Event", 176, false },
  [COLUMN_TEXT] = { "Arguments", 0, false },
};

static void cell_text(struct vw_trace *trace, uint64_t no, enum column column, char *out, size_t n)
{
  const struct trace_event *e = vw_event(trace, no);
  const struct trace_spec *spec = trace_spec_get(e->kind);
  const char *name = spec ? spec->name : "?";
  out[0] = 0;
  switch (column) {
  case COLUMN_NO:
    g_snprintf(out, n, "%" G_GUINT64_FORMAT, no);
    break;
  case COLUMN_TIME:
    g_snprintf(out, n, "%.6f", (double)e->ts / 1e6); /* all with six decimals: they line up */
    break;
  case COLUMN_M:
    g_snprintf(out, n, "M%u", e->m);
    break;
  case COLUMN_P:
    if (e->p != TRACE_NO_P)
      g_snprintf(out, n, "P%u", e->p);
    break;
  case COLUMN_G:
    if (e->g)
      g_snprintf(out, n, "G%u", e->g);
    break;
  case COLUMN_KIND:
    g_strlcpy(out, name, n);
    break;
  default:
    vw_event_text(trace, no, out, n);
    if (g_str_has_prefix(out, name)) /* its own column says it */
      memmove(out, out + strlen(name), strlen(out + strlen(name)) + 1);
    g_strchug(out);
  }
}

static void on_setup(GtkSignalListItemFactory *factory, GtkListItem *item, gpointer data)
{
  const enum column column = (enum column)GPOINTER_TO_INT(data);
  (void)factory;
  GtkWidget *label = gtk_label_new(NULL);
  gtk_label_set_xalign(GTK_LABEL(label), columns[column].is_number ? 1 : 0);
  gtk_label_set_ellipsize(GTK_LABEL(label), PANGO_ELLIPSIZE_END);
  if (columns[column].is_number)
    gtk_widget_add_css_class(label, "numeric");
  gtk_list_item_set_child(item, label);
}

static void on_bind(GtkSignalListItemFactory *factory, GtkListItem *item, gpointer data)
{
  UiEvents *events = g_object_get_data(G_OBJECT(factory), "events");
  struct vw_trace *trace = ui_session_trace(events->session);
  UiEventItem *event = UI_EVENT_ITEM(gtk_list_item_get_item(item));
  if (!trace)
    return;
  char text[512];
  cell_text(trace, ui_event_item_no(event), (enum column)GPOINTER_TO_INT(data), text, sizeof text);
  g_autofree char *clean = ui_text_clean(text);
  gtk_label_set_text(GTK_LABEL(gtk_list_item_get_child(item)), clean);
}

static void add_columns(UiEvents *events)
{
  for (int i = 0; i < COLUMNS; i++) {
    GtkListItemFactory *factory = gtk_signal_list_item_factory_new();
    g_object_set_data(G_OBJECT(factory), "events", events);
    g_signal_connect(factory, "setup", G_CALLBACK(on_setup), GINT_TO_POINTER(i));
    g_signal_connect(factory, "bind", G_CALLBACK(on_bind), GINT_TO_POINTER(i));
    g_autoptr(GtkColumnViewColumn) column = gtk_column_view_column_new(columns[i].title, factory);
    gtk_column_view_column_set_resizable(column, TRUE);
    gtk_column_view_column_set_expand(column, columns[i].width == 0);
    gtk_column_view_append_column(GTK_COLUMN_VIEW(events->view), column);
  }
}

/* As wide as letters of today's size need. */
static void size_columns(GtkWidget *widget)
{
  const double scale = ui_theme_get().font_scale;
  GListModel *made = gtk_column_view_get_columns(GTK_COLUMN_VIEW(UI_EVENTS(widget)->view));
  for (guint i = 0; i < COLUMNS; i++) {
    g_autoptr(GtkColumnViewColumn) column = g_list_model_get_item(made, i);
    if (columns[i].width)
      gtk_column_view_column_set_fixed_width(column, (int)(columns[i].width * scale));
  }
}

/* ---- the row and the cursor ---- */

/* GTK 4.8 has no scroll_to for column views; the list inside has an action for it. */
static void scroll_to(UiEvents *events, guint row)
{
  for (GtkWidget *child = gtk_widget_get_first_child(events->view); child;
       child = gtk_widget_get_next_sibling(child))
    if (GTK_IS_LIST_VIEW(child))
      gtk_widget_activate_action(child, "list.scroll-to-item", "u", row);
}

static void follow_session(UiEvents *events)
{
  const uint64_t no = ui_session_view(events->session)->event_no;
  guint row = GTK_INVALID_LIST_POSITION;
  if (no != VW_NONE)
    row = ui_event_model_find(events->model, no);
  if (row >= g_list_model_get_n_items(G_LIST_MODEL(events->model)))
    row = GTK_INVALID_LIST_POSITION;
  events->is_following = true;
  gtk_single_selection_set_selected(events->selection, row);
  events->is_following = false;
  if (row != GTK_INVALID_LIST_POSITION)
    scroll_to(events, row);
}

static void on_selected(UiEvents *events)
{
  UiEventItem *item = gtk_single_selection_get_selected_item(events->selection);
  if (!events->is_following && item)
    ui_session_go_to(events->session, ui_event_item_no(item));
}

/* To the next match after the cursor, round to the first; while the search runs, as soon as it is found. */
static void jump(UiEvents *events)
{
  const guint n = g_list_model_get_n_items(G_LIST_MODEL(events->model));
  const uint64_t no = ui_session_view(events->session)->event_no;
  const guint row = no == VW_NONE ? 0 : ui_event_model_find(events->model, no + 1);
  if (row >= n && ui_event_model_progress(events->model) < 1)
    return; /* on_model comes back here */
  events->is_jumping = false;
  if (!n)
    return;
  g_autoptr(UiEventItem) item =
      g_list_model_get_item(G_LIST_MODEL(events->model), row < n ? row : 0);
  ui_session_go_to(events->session, ui_event_item_no(item));
}

static void on_model(gpointer data)
{
  UiEvents *events = data;
  struct vw_trace *trace = ui_session_trace(events->session);
  const guint n = g_list_model_get_n_items(G_LIST_MODEL(events->model));
  const double progress = ui_event_model_progress(events->model);
  g_autofree char *found = ui_text_count(n);
  g_autofree char *all = ui_text_many(trace ? vw_event_count(trace) : 0, "event");
  g_autofree char *text = NULL;
  if (!trace)
    text = g_strdup("");
  else if (progress < 1)
    text = g_strdup_printf("%s found, %.0f %% searched; Esc stops", found, progress * 100);
  else if (n == vw_event_count(trace))
    text = g_strdup(all);
  else
    text = g_strdup_printf("%s of %s", found, all);
  gtk_label_set_text(GTK_LABEL(events->count), text);
  gtk_widget_set_visible(events->progress, progress < 1);
  gtk_progress_bar_set_fraction(GTK_PROGRESS_BAR(events->progress), progress);
  if (events->is_jumping)
    jump(events);
}

static void on_search(UiEvents *events)
{
  const char *text = gtk_editable_get_text(GTK_EDITABLE(events->entry));
  if (g_strcmp0(events->searched, text) == 0)
    return;
  g_free(events->searched);
  events->searched = g_strdup(text);
  events->is_jumping = false;
  events->is_following = true;
  ui_event_model_set_filter(events->model, text);
  events->is_following = false;
  if (!*text)
    follow_session(events);
}

/* Enter.  The entry tells of what is typed with a delay, so who types fast comes here first. */
static void on_next_match(UiEvents *events)
{
  on_search(events);
  events->is_jumping = true;
  jump(events);
}

static void on_stop_search(UiEvents *events)
{
  ui_events_clear_search(events);
  gtk_widget_activate_action(GTK_WIDGET(events), "win.focus-timeline", NULL);
}

static void on_changed(UiEvents *events, guint what)
{
  if (what & UI_CHANGED_TRACE) {
    events->is_following = true;
    ui_event_model_set_trace(events->model, NULL); /* lets go of the old trace's rows */
    gtk_editable_set_text(GTK_EDITABLE(events->entry), "");
    g_clear_pointer(&events->searched, g_free);
    events->is_jumping = false;
    ui_event_model_set_trace(events->model, ui_session_trace(events->session));
    events->is_following = false;
  }
  if (what & (UI_CHANGED_EVENT | UI_CHANGED_TRACE))
    follow_session(events);
}

static void dispose(GObject *object)
{
  UiEvents *events = UI_EVENTS(object);
  if (events->model) {
    ui_event_model_set_notify(events->model, NULL, NULL);
    ui_event_model_set_trace(events->model, NULL);
  }
  g_clear_pointer(&events->searched, g_free);
  g_clear_object(&events->selection);
  g_clear_object(&events->model);
  g_clear_object(&events->session);
  G_OBJECT_CLASS(ui_events_parent_class)->dispose(object);
}

static void ui_events_class_init(UiEventsClass *class)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS(class);
  G_OBJECT_CLASS(class)->dispose = dispose;
  gtk_widget_class_set_template_from_resource(widget_class, "/org/gmpscope/Viewer/events.ui");
  gtk_widget_class_bind_template_child(widget_class, UiEvents, entry);
  gtk_widget_class_bind_template_child(widget_class, UiEvents, count);
  gtk_widget_class_bind_template_child(widget_class, UiEvents, progress);
  gtk_widget_class_bind_template_child(widget_class, UiEvents, view);
}

static void ui_events_init(UiEvents *events)
{
  gtk_widget_init_template(GTK_WIDGET(events));
  events->model = ui_event_model_new();
  ui_event_model_set_notify(events->model, on_model, events);
  events->selection = gtk_single_selection_new(G_LIST_MODEL(g_object_ref(events->model)));
  gtk_single_selection_set_autoselect(events->selection, FALSE);
  gtk_single_selection_set_can_unselect(events->selection, TRUE);
  gtk_column_view_set_model(GTK_COLUMN_VIEW(events->view), GTK_SELECTION_MODEL(events->selection));
  add_columns(events);
  size_columns(GTK_WIDGET(events));
  ui_theme_watch(GTK_WIDGET(events), size_columns);
  g_signal_connect_swapped(events->selection, "notify::selected", G_CALLBACK(on_selected), events);
  g_signal_connect_swapped(events->entry, "search-changed", G_CALLBACK(on_search), events);
  g_signal_connect_swapped(events->entry, "activate", G_CALLBACK(on_next_match), events);
  g_signal_connect_swapped(events->entry, "stop-search", G_CALLBACK(on_stop_search), events);
}

GtkWidget *ui_events_new(UiSession *session)
{
  UiEvents *events = g_object_new(UI_TYPE_EVENTS, NULL);
  events->session = g_object_ref(session);
  g_signal_connect_object(session, "changed", G_CALLBACK(on_changed), events, G_CONNECT_SWAPPED);
  return GTK_WIDGET(events);
}

void ui_events_search(UiEvents *events)
{
  gtk_widget_grab_focus(events->entry);
}

bool ui_events_clear_search(UiEvents *events)
{
  if (!*gtk_editable_get_text(GTK_EDITABLE(events->entry)))
    return false;
  gtk_editable_set_text(GTK_EDITABLE(events->entry), "");
  return true;
}
