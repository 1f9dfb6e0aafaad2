/* SPDX-License-Identifier: MIT */
/* palette.c - a searchable list of the table of actions, laid over the window (palette.h).
 *
 * Not a window of its own: it needs no window manager to get the keyboard, and closes with what it belongs to.
 */
#include "palette.h"

#include "keys.h"

#include <string.h>

struct _UiPalette {
  GtkBox parent_instance;
  GtkWidget *entry, *list; /* from palette.ui */
};
G_DEFINE_TYPE(UiPalette, ui_palette, GTK_TYPE_BOX)

static const struct ui_action *action_of(GtkListBoxRow *row)
{
  return g_object_get_data(G_OBJECT(row), "action");
}

static gboolean is_shown(GtkListBoxRow *row, gpointer data)
{
  UiPalette *palette = data;
  g_autofree char *typed = g_utf8_casefold(gtk_editable_get_text(GTK_EDITABLE(palette->entry)), -1);
  g_autofree char *title = g_utf8_casefold(action_of(row)->title, -1);
  return strstr(title, typed) != NULL;
}

static GtkWidget *make_row(const struct ui_action *action)
{
  GtkWidget *row = gtk_list_box_row_new();
  GtkWidget *box = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 12);
  GtkWidget *title = gtk_label_new(action->title);
  g_autofree char *key = ui_action_key(action);
  GtkWidget *keys = gtk_label_new(key);
  gtk_widget_set_hexpand(title, TRUE);
  gtk_label_set_xalign(GTK_LABEL(title), 0);
  gtk_widget_add_css_class(keys, "dim-label");
  gtk_box_append(GTK_BOX(box), title);
  gtk_box_append(GTK_BOX(box), keys);
  gtk_list_box_row_set_child(GTK_LIST_BOX_ROW(row), box);
  g_object_set_data(G_OBJECT(row), "action", (gpointer)action);
  gtk_accessible_update_property(GTK_ACCESSIBLE(row), GTK_ACCESSIBLE_PROPERTY_LABEL, action->title,
                                 -1);
  return row;
}

static GtkListBoxRow *first_shown(UiPalette *palette)
{
  for (int i = 0;; i++) {
    GtkListBoxRow *row = gtk_list_box_get_row_at_index(GTK_LIST_BOX(palette->list), i);
    if (!row || gtk_widget_get_child_visible(GTK_WIDGET(row)))
      return row;
  }
}

static void run(UiPalette *palette, GtkListBoxRow *row)
{
  if (!row)
    return;
  g_autofree char *name = NULL;
  g_autoptr(GVariant) target = NULL;
  g_action_parse_detailed_name(action_of(row)->detailed, &name, &target, NULL);
  ui_palette_close(palette);
  gtk_widget_activate_action_variant(GTK_WIDGET(palette), name, target);
}

static void on_search(UiPalette *palette)
{
  gtk_list_box_invalidate_filter(GTK_LIST_BOX(palette->list));
  gtk_list_box_select_row(GTK_LIST_BOX(palette->list), first_shown(palette));
}

static void on_enter(UiPalette *palette)
{
  GtkListBoxRow *row = gtk_list_box_get_selected_row(GTK_LIST_BOX(palette->list));
  run(palette, row && gtk_widget_get_child_visible(GTK_WIDGET(row)) ? row : first_shown(palette));
}

static void ui_palette_class_init(UiPaletteClass *class)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS(class);
  gtk_widget_class_set_template_from_resource(widget_class, "/org/gmpscope/Viewer/palette.ui");
  gtk_widget_class_bind_template_child(widget_class, UiPalette, entry);
  gtk_widget_class_bind_template_child(widget_class, UiPalette, list);
}

static void ui_palette_init(UiPalette *palette)
{
  gtk_widget_init_template(GTK_WIDGET(palette));
  for (const struct ui_action *action = ui_actions; action->title; action++)
    if (strcmp(action->detailed, "win.palette") != 0)
      gtk_list_box_append(GTK_LIST_BOX(palette->list), make_row(action));
  gtk_list_box_set_filter_func(GTK_LIST_BOX(palette->list), is_shown, palette, NULL);
  g_signal_connect_swapped(palette->entry, "search-changed", G_CALLBACK(on_search), palette);
  g_signal_connect_swapped(palette->entry, "activate", G_CALLBACK(on_enter), palette);
  g_signal_connect_swapped(palette->entry, "stop-search", G_CALLBACK(ui_palette_close), palette);
  g_signal_connect_swapped(palette->list, "row-activated", G_CALLBACK(run), palette);
}

GtkWidget *ui_palette_new(void)
{
  return g_object_new(UI_TYPE_PALETTE, NULL);
}

void ui_palette_open(UiPalette *palette)
{
  gtk_editable_set_text(GTK_EDITABLE(palette->entry), "");
  gtk_widget_set_visible(GTK_WIDGET(palette), TRUE);
  on_search(palette);
  gtk_widget_grab_focus(palette->entry);
}

void ui_palette_close(UiPalette *palette)
{
  gtk_widget_set_visible(GTK_WIDGET(palette), FALSE);
  gtk_widget_activate_action(GTK_WIDGET(palette), "win.focus-timeline", NULL);
}
