/* SPDX-License-Identifier: MIT */
/* facts.c - rows of labels that are written again and again (facts.h).
 *
 * While a person holds N down, two panels of some forty labels change thirty times a second.  Labels are kept in an
 * array by row and reused; a label whose text stays the same is not touched (GTK would lay it out again).
 *
 * Everything is a GtkLabel: links in it are reachable with Tab, read by screen readers and wrap by themselves, which
 * chips made of buttons would need a layout of their own for.
 */
#include "facts.h"

#include "links.h"

enum kind {
  KIND_HEADING,
  KIND_ROW,
  KIND_NOTE,
  KIND_WIDGET
};

struct row {
  enum kind kind;
  GtkWidget *key;   /* NULL unless KIND_ROW */
  GtkWidget *value; /* label or widget; in the grid */
  char *key_text, *value_text;
};

struct _UiFacts {
  GtkWidget parent_instance;
  UiSession *session;
  GtkWidget *grid;
  GPtrArray *rows; /* of struct row, by grid row */
  guint at;        /* where writing is */
};
G_DEFINE_TYPE(UiFacts, ui_facts, GTK_TYPE_WIDGET)

static gboolean on_link(GtkLabel *label, const char *uri, UiSession *session)
{
  (void)label;
  return ui_session_follow_link(session, uri);
}

void ui_facts_link_label(UiSession *session, GtkLabel *label)
{
  g_signal_connect_object(label, "activate-link", G_CALLBACK(on_link), session, 0);
}

static void row_free(gpointer data)
{
  struct row *row = data;
  g_free(row->key_text);
  g_free(row->value_text);
  g_free(row);
}

static void remove_widgets(UiFacts *facts, struct row *row)
{
  if (row->key)
    gtk_grid_remove(GTK_GRID(facts->grid), row->key);
  gtk_grid_remove(GTK_GRID(facts->grid), row->value);
}

static GtkWidget *make_label(UiFacts *facts, const char *css_class, bool wraps)
{
  GtkWidget *label = gtk_label_new(NULL);
  gtk_label_set_xalign(GTK_LABEL(label), 0);
  gtk_label_set_wrap(GTK_LABEL(label), wraps);
  gtk_label_set_wrap_mode(GTK_LABEL(label), PANGO_WRAP_WORD_CHAR);
  gtk_widget_set_valign(label, GTK_ALIGN_START);
  gtk_widget_add_css_class(label, css_class);
  ui_facts_link_label(facts->session, GTK_LABEL(label));
  return label;
}

static struct row *make_row(UiFacts *facts, enum kind kind, GtkWidget *widget)
{
  static const char *const classes[] = { [KIND_HEADING] = "fact-heading",
                                         [KIND_ROW] = "fact-value",
                                         [KIND_NOTE] = "fact-note",
                                         [KIND_WIDGET] = "" };
  struct row *row = g_new0(struct row, 1);
  row->kind = kind;
  row->value = widget ? widget : make_label(facts, classes[kind], true);
  gtk_widget_set_hexpand(row->value, TRUE);
  if (kind == KIND_ROW) {
    row->key = make_label(facts, "fact-key", false);
    gtk_grid_attach(GTK_GRID(facts->grid), row->key, 0, (int)facts->at, 1, 1);
    gtk_grid_attach(GTK_GRID(facts->grid), row->value, 1, (int)facts->at, 1, 1);
  } else {
    gtk_grid_attach(GTK_GRID(facts->grid), row->value, 0, (int)facts->at, 2, 1);
  }
  return row;
}

/* The row at the place of writing, of this kind: the old one, or a new one in its place. */
static struct row *next_row(UiFacts *facts, enum kind kind, GtkWidget *widget)
{
  struct row *row = facts->at < facts->rows->len ? g_ptr_array_index(facts->rows, facts->at) : NULL;
  if (row && row->kind == kind && !widget) {
    facts->at++;
    return row;
  }
  struct row *made = make_row(facts, kind, widget);
  if (row) {
    remove_widgets(facts, row);
    row_free(row);
    facts->rows->pdata[facts->at] = made;
  } else {
    g_ptr_array_add(facts->rows, made);
  }
  facts->at++;
  return made;
}

static void set_markup(GtkWidget *label, char **known, const char *markup)
{
  if (g_strcmp0(*known, markup) == 0)
    return;
  g_free(*known);
  *known = g_strdup(markup);
  gtk_label_set_markup(GTK_LABEL(label), markup);
}

void ui_facts_begin(UiFacts *facts)
{
  facts->at = 0;
}

void ui_facts_end(UiFacts *facts)
{
  while (facts->rows->len > facts->at) {
    remove_widgets(facts, g_ptr_array_index(facts->rows, facts->rows->len - 1));
    g_ptr_array_remove_index(facts->rows, facts->rows->len - 1);
  }
}

void ui_facts_heading(UiFacts *facts, const char *text)
{
  g_autofree char *clean = ui_text_clean(text);
  g_autofree char *markup = g_markup_escape_text(clean, -1);
  struct row *row = next_row(facts, KIND_HEADING, NULL);
  set_markup(row->value, &row->value_text, markup);
}

void ui_facts_row(UiFacts *facts, const char *key, const char *markup)
{
  struct row *row = next_row(facts, KIND_ROW, NULL);
  set_markup(row->key, &row->key_text, key);
  set_markup(row->value, &row->value_text, markup);
}

void ui_facts_text(UiFacts *facts, const char *key, const char *format, ...)
{
  va_list args;
  va_start(args, format);
  g_autofree char *text = g_strdup_vprintf(format, args);
  va_end(args);
  g_autofree char *clean = ui_text_clean(text);
  g_autofree char *markup = g_markup_escape_text(clean, -1);
  ui_facts_row(facts, key, markup);
}

void ui_facts_note(UiFacts *facts, const char *markup)
{
  struct row *row = next_row(facts, KIND_NOTE, NULL);
  set_markup(row->value, &row->value_text, markup);
}

void ui_facts_widget(UiFacts *facts, GtkWidget *widget)
{
  next_row(facts, KIND_WIDGET, widget);
}

static void dispose(GObject *object)
{
  UiFacts *facts = UI_FACTS(object);
  g_clear_pointer(&facts->grid, gtk_widget_unparent);
  g_clear_pointer(&facts->rows, g_ptr_array_unref);
  g_clear_object(&facts->session);
  G_OBJECT_CLASS(ui_facts_parent_class)->dispose(object);
}

static void ui_facts_class_init(UiFactsClass *class)
{
  G_OBJECT_CLASS(class)->dispose = dispose;
  gtk_widget_class_set_layout_manager_type(GTK_WIDGET_CLASS(class), GTK_TYPE_BIN_LAYOUT);
  gtk_widget_class_set_css_name(GTK_WIDGET_CLASS(class), "facts");
  gtk_widget_class_set_accessible_role(GTK_WIDGET_CLASS(class), GTK_ACCESSIBLE_ROLE_GROUP);
}

static void ui_facts_init(UiFacts *facts)
{
  facts->rows = g_ptr_array_new_with_free_func(row_free);
  facts->grid = gtk_grid_new();
  gtk_grid_set_column_spacing(GTK_GRID(facts->grid), 12);
  gtk_grid_set_row_spacing(GTK_GRID(facts->grid), 4);
  gtk_widget_set_parent(facts->grid, GTK_WIDGET(facts));
}

GtkWidget *ui_facts_new(UiSession *session, const char *accessible_label)
{
  UiFacts *facts = g_object_new(UI_TYPE_FACTS, NULL);
  facts->session = g_object_ref(session);
  gtk_accessible_update_property(GTK_ACCESSIBLE(facts), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                 accessible_label, -1);
  return GTK_WIDGET(facts);
}
