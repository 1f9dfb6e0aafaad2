/* SPDX-License-Identifier: MIT */
/* query.c - an entry for SQL and a table of what `gmpscope sql` answers (query.h).
 *
 * The command answers, not this program: the window knows no SQLite, and a query of a person's own may take as long as
 * the command lets it (it has a limit of time and one of rows), must be endable at once, and may be hostile to memory.
 * The file and the query are two words of argv; no shell sees them.
 *
 * I1  At most one query is at work; asking again ends it, and its answer is then dropped.
 * I2  A query at work holds a reference on this widget: one that is closed meanwhile is still there for the callback.
 *
 * Rows lead to events: by a column `no` (the command counts events from 1, the window from 0), else by one of time, `ts`
 * or `t_start`.
 */
#include "query.h"

#include "command.h"
#include "links.h"
#include "query-rows.h"
#include "theme.h"

#include <string.h>

#define CELL_CHARS 60 /* a column is as wide as its title and values ask for, up to this */

struct _UiQuery {
  GtkBox parent_instance;
  GtkWidget *entry, *spinner, *stop, *said, *scroller, *view; /* from query.ui */
  UiSession *session;
  char *path;
  UiQueryRows *rows;    /* NULL: nothing was answered */
  GCancellable *asking; /* NULL: no query is at work */
  GPtrArray *asked;     /* history of texts, oldest first */
  guint at;             /* place in it; its length: at what is being typed */
  char *typed;          /* what was being typed before Up */
};
G_DEFINE_TYPE(UiQuery, ui_query, GTK_TYPE_BOX)

static const char tables[] = "SELECT tbl AS \"table\", doc_en AS \"what it holds\" FROM schema_doc "
                             "WHERE col = '' ORDER BY tbl";

static void say(UiQuery *query, const char *text, gboolean is_wrong)
{
  gtk_label_set_text(GTK_LABEL(query->said), text);
  if (is_wrong)
    gtk_widget_add_css_class(query->said, "query-wrong");
  else
    gtk_widget_remove_css_class(query->said, "query-wrong");
}

static void show_at_work(UiQuery *query, gboolean is_at_work)
{
  gtk_widget_set_visible(query->spinner, is_at_work);
  gtk_spinner_set_spinning(GTK_SPINNER(query->spinner), is_at_work);
  gtk_widget_set_visible(query->stop, is_at_work);
}

/* ---- the table ---- */

static void on_setup(GtkSignalListItemFactory *factory, GtkListItem *item, gpointer is_number)
{
  (void)factory;
  GtkWidget *label = gtk_label_new(NULL);
  gtk_label_set_xalign(GTK_LABEL(label), is_number ? 1 : 0);
  gtk_label_set_ellipsize(GTK_LABEL(label), PANGO_ELLIPSIZE_END);
  gtk_label_set_max_width_chars(GTK_LABEL(label), CELL_CHARS);
  if (is_number)
    gtk_widget_add_css_class(label, "numeric");
  gtk_list_item_set_child(item, label);
}

static void on_bind(GtkSignalListItemFactory *factory, GtkListItem *item, gpointer column)
{
  (void)factory;
  UiQueryRow *row = UI_QUERY_ROW(gtk_list_item_get_item(item));
  g_autofree char *clean = ui_text_clean(ui_query_row_cell(row, GPOINTER_TO_UINT(column)));
  gtk_label_set_text(GTK_LABEL(gtk_list_item_get_child(item)), clean);
}

static int characters(UiQueryRows *rows, guint column)
{
  glong longest = g_utf8_strlen(ui_query_rows_name(rows, column), -1);
  const guint n = MIN(g_list_model_get_n_items(G_LIST_MODEL(rows)), 100);
  for (guint i = 0; i < n; i++) {
    g_autoptr(UiQueryRow) row = g_list_model_get_item(G_LIST_MODEL(rows), i);
    longest = MAX(longest, g_utf8_strlen(ui_query_row_cell(row, column), -1));
  }
  return (int)MIN(longest, CELL_CHARS);
}

static void add_column(UiQuery *query, guint column)
{
  const gboolean is_number = ui_query_rows_is_number(query->rows, column);
  const gboolean is_last = column + 1 == ui_query_rows_columns(query->rows);
  GtkListItemFactory *factory = gtk_signal_list_item_factory_new();
  g_signal_connect(factory, "setup", G_CALLBACK(on_setup), GINT_TO_POINTER(is_number));
  g_signal_connect(factory, "bind", G_CALLBACK(on_bind), GUINT_TO_POINTER(column));
  g_autofree char *title = ui_text_clean(ui_query_rows_name(query->rows, column));
  g_autoptr(GtkColumnViewColumn) made = gtk_column_view_column_new(title, factory);
  gtk_column_view_column_set_resizable(made, TRUE);
  gtk_column_view_column_set_expand(made, is_last);
  if (!is_last) {
    const int width = 8 * characters(query->rows, column) + 28; /* for letters of the usual size */
    gtk_column_view_column_set_fixed_width(made, (int)(width * ui_theme_get().font_scale));
  }
  gtk_column_view_append_column(GTK_COLUMN_VIEW(query->view), made);
}

static void show_rows(UiQuery *query, UiQueryRows *rows)
{
  GtkColumnView *view = GTK_COLUMN_VIEW(query->view);
  GListModel *columns = gtk_column_view_get_columns(view);
  gtk_column_view_set_model(view, NULL);
  for (guint n = g_list_model_get_n_items(columns); n > 0; n--) {
    g_autoptr(GtkColumnViewColumn) column = g_list_model_get_item(columns, n - 1);
    gtk_column_view_remove_column(view, column);
  }
  g_set_object(&query->rows, rows);
  gtk_widget_set_visible(query->scroller, rows != NULL);
  if (!rows)
    return;
  for (guint i = 0; i < ui_query_rows_columns(rows); i++)
    add_column(query, i);
  GtkSingleSelection *selection = gtk_single_selection_new(G_LIST_MODEL(g_object_ref(rows)));
  gtk_single_selection_set_autoselect(selection, FALSE);
  gtk_single_selection_set_can_unselect(selection, TRUE);
  gtk_single_selection_set_selected(selection, GTK_INVALID_LIST_POSITION);
  gtk_column_view_set_model(view, GTK_SELECTION_MODEL(selection));
  g_object_unref(selection);
}

static int find_time(UiQueryRows *rows)
{
  const int ts = ui_query_rows_find(rows, "ts");
  return ts >= 0 ? ts : ui_query_rows_find(rows, "t_start");
}

/* Enter or a double click on a row: to the event that it names. */
static void on_activate(UiQuery *query, guint at)
{
  struct vw_trace *trace = ui_session_trace(query->session);
  if (!trace || !query->rows)
    return;
  const int no_column = ui_query_rows_find(query->rows, "no");
  const int time_column = find_time(query->rows);
  g_autoptr(UiQueryRow) row = g_list_model_get_item(G_LIST_MODEL(query->rows), at);
  uint64_t number;
  if (!row)
    return;
  if (no_column >= 0 && ui_query_row_number(row, (guint)no_column, &number) && number > 0)
    ui_session_go_to(query->session, number - 1);
  else if (time_column >= 0 && ui_query_row_number(row, (guint)time_column, &number))
    ui_session_go_to(query->session, vw_event_at(trace, (int64_t)number));
}

/* ---- asking ---- */

/* "gmpscope: sql: no such table: g; gmpscope sql FILE --tables lists the tables" without who says it. */
static char *error_text(const char *err)
{
  static const char *const prefixes[] = { "gmpscope: ", "sql: " };
  g_autofree char *text = g_strstrip(g_strdup(err));
  const char *rest = text;
  for (size_t i = 0; i < G_N_ELEMENTS(prefixes); i++)
    if (g_str_has_prefix(rest, prefixes[i]))
      rest += strlen(prefixes[i]);
  g_strdelimit(text, "\n", ' ');
  return ui_text_clean(rest);
}

static void show_answer(UiQuery *query, const struct ui_answer *answer)
{
  g_autoptr(UiQueryRows) rows = ui_query_rows_new(answer->out);
  const guint n = g_list_model_get_n_items(G_LIST_MODEL(rows));
  g_autofree char *many = ui_text_many(n, "row");
  g_autofree char *wrong = error_text(answer->err);
  const gboolean leads = ui_query_rows_find(rows, "no") >= 0 || find_time(rows) >= 0;
  g_autofree char *text = NULL;
  if (answer->is_cut)
    text = g_strdup_printf("%s; the answer was cut short, since it is longer than %d MB", many,
                           UI_ANSWER_MAX >> 20);
  else if (answer->is_cancelled)
    text = g_strdup_printf("%s; the query was stopped", many);
  else if (*wrong)
    text = n ? g_strdup_printf("%s; %s", many, wrong) : g_strdup(wrong);
  else if (answer->code < 0)
    text = g_strdup_printf("%s; the command was ended by a signal", many);
  else if (answer->code != 0)
    text =
        g_strdup_printf("%s; the command ended with code %d and said nothing", many, answer->code);
  else
    text = g_strdup_printf("%s%s", many,
                           n && leads ? ": Down, and Enter on one goes to its event" : "");
  say(query, text, answer->code != 0);
  show_rows(query, ui_query_rows_columns(rows) ? rows : NULL);
}

struct question {
  UiQuery *query; /* owned */
  GCancellable *cancellable;
};

static void on_answered(GObject *source, GAsyncResult *result, gpointer data)
{
  struct question *question = data;
  UiQuery *query = question->query;
  g_autoptr(GError) error = NULL;
  (void)source;
  struct ui_answer *answer = ui_command_run_finish(result, &error);
  if (query->asking == question->cancellable) { /* else it was asked anew, or closed */
    g_clear_object(&query->asking);
    show_at_work(query, FALSE);
    if (answer)
      show_answer(query, answer);
    else
      say(query, error->message, TRUE);
  }
  ui_answer_free(answer);
  g_object_unref(question->cancellable);
  g_object_unref(query);
  g_free(question);
}

static void drop(UiQuery *query)
{
  if (query->asking)
    g_cancellable_cancel(query->asking);
  g_clear_object(&query->asking);
}

static void ask(UiQuery *query, const char *text)
{
  drop(query);
  g_autofree char *command = ui_command_find(UI_BINDIR);
  if (!command || !query->path) {
    say(query, command ? "There is no file to ask." : "The gmpscope command is not installed.",
        TRUE);
    return;
  }
  const char *const argv[] = { command, "sql", "--csv", "--", query->path, text, NULL };
  struct question *question = g_new0(struct question, 1);
  question->query = g_object_ref(query);
  question->cancellable = g_cancellable_new();
  query->asking = g_object_ref(question->cancellable);
  say(query, "Asking; Escape stops it", FALSE);
  show_at_work(query, TRUE);
  ui_command_run_async(argv, question->cancellable, on_answered, question);
}

static void on_enter(UiQuery *query)
{
  g_autofree char *text = g_strstrip(g_strdup(gtk_editable_get_text(GTK_EDITABLE(query->entry))));
  if (!*text) {
    ask(query, tables);
    return;
  }
  const guint n = query->asked->len;
  if (!n || !g_str_equal(g_ptr_array_index(query->asked, n - 1), text))
    g_ptr_array_add(query->asked, g_strdup(text));
  query->at = query->asked->len - 1; /* it is still shown: Up goes to the one before */
  g_clear_pointer(&query->typed, g_free);
  ask(query, text);
}

/* ---- what was asked before ---- */

static void recall(UiQuery *query, guint at)
{
  if (query->at == query->asked->len) {
    g_free(query->typed);
    query->typed = g_strdup(gtk_editable_get_text(GTK_EDITABLE(query->entry)));
  }
  query->at = at;
  const char *text = at < query->asked->len ? g_ptr_array_index(query->asked, at) : query->typed;
  gtk_editable_set_text(GTK_EDITABLE(query->entry), text);
  gtk_editable_set_position(GTK_EDITABLE(query->entry), -1);
}

static gboolean on_key(GtkEventControllerKey *controller, guint key, guint code,
                       GdkModifierType modifiers, UiQuery *query)
{
  (void)controller;
  (void)code;
  if (modifiers & (GDK_CONTROL_MASK | GDK_ALT_MASK | GDK_SHIFT_MASK))
    return FALSE;
  if (key == GDK_KEY_Up && query->at > 0)
    recall(query, query->at - 1);
  else if (key == GDK_KEY_Down && query->at + (query->typed ? 0 : 1) < query->asked->len)
    recall(query, query->at + 1);
  else if (key == GDK_KEY_Down) /* below what was asked are its rows */
    gtk_widget_child_focus(query->view, GTK_DIR_TAB_FORWARD);
  return key == GDK_KEY_Up || key == GDK_KEY_Down;
}

/* ---- the widget ---- */

static void on_changed(UiQuery *query, guint what)
{
  if (!(what & UI_CHANGED_TRACE))
    return;
  drop(query); /* another trace: nothing of the old one stays */
  show_at_work(query, FALSE);
  show_rows(query, NULL);
  say(query, "", FALSE);
  g_clear_pointer(&query->path, g_free);
}

static void on_stop(UiQuery *query)
{
  ui_query_stop(query);
}

static void dispose(GObject *object)
{
  UiQuery *query = UI_QUERY(object);
  drop(query);
  g_clear_object(&query->rows);
  g_clear_object(&query->session);
  g_clear_pointer(&query->path, g_free);
  g_clear_pointer(&query->typed, g_free);
  g_clear_pointer(&query->asked, g_ptr_array_unref);
  G_OBJECT_CLASS(ui_query_parent_class)->dispose(object);
}

static void ui_query_class_init(UiQueryClass *class)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS(class);
  G_OBJECT_CLASS(class)->dispose = dispose;
  gtk_widget_class_set_template_from_resource(widget_class, "/org/gmpscope/Viewer/query.ui");
  gtk_widget_class_bind_template_child(widget_class, UiQuery, entry);
  gtk_widget_class_bind_template_child(widget_class, UiQuery, spinner);
  gtk_widget_class_bind_template_child(widget_class, UiQuery, stop);
  gtk_widget_class_bind_template_child(widget_class, UiQuery, said);
  gtk_widget_class_bind_template_child(widget_class, UiQuery, scroller);
  gtk_widget_class_bind_template_child(widget_class, UiQuery, view);
}

static void ui_query_init(UiQuery *query)
{
  gtk_widget_init_template(GTK_WIDGET(query));
  query->asked = g_ptr_array_new_with_free_func(g_free);
  GtkEventController *keys = gtk_event_controller_key_new();
  gtk_event_controller_set_propagation_phase(keys, GTK_PHASE_CAPTURE); /* before the text moves */
  g_signal_connect(keys, "key-pressed", G_CALLBACK(on_key), query);
  gtk_widget_add_controller(query->entry, keys);
  g_signal_connect_swapped(query->entry, "activate", G_CALLBACK(on_enter), query);
  g_signal_connect_swapped(query->stop, "clicked", G_CALLBACK(on_stop), query);
  g_signal_connect_swapped(query->view, "activate", G_CALLBACK(on_activate), query);
}

GtkWidget *ui_query_new(UiSession *session)
{
  UiQuery *query = g_object_new(UI_TYPE_QUERY, NULL);
  query->session = g_object_ref(session);
  g_signal_connect_object(session, "changed", G_CALLBACK(on_changed), query, G_CONNECT_SWAPPED);
  return GTK_WIDGET(query);
}

void ui_query_set_path(UiQuery *query, const char *path)
{
  g_free(query->path);
  query->path = g_strdup(path);
}

void ui_query_focus(UiQuery *query)
{
  gtk_widget_grab_focus(query->entry);
  if (!query->rows && !query->asking)
    ask(query, tables);
}

gboolean ui_query_stop(UiQuery *query)
{
  if (!query->asking)
    return FALSE;
  g_cancellable_cancel(query->asking); /* on_answered tells how far it came */
  return TRUE;
}
